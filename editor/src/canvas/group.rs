//! Frames around steps, and comments: parts of the drawing alone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A frame around steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Its colour, as red, green and blue.
    #[serde(default = "plain")]
    pub colour: [u8; 3],
    /// The steps inside.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// Whether only its title is drawn.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub folded: bool,
}

fn plain() -> [u8; 3] {
    [0x8b, 0x95, 0xa3]
}

impl Group {
    /// The group a document holds; `None` for something else.
    pub fn read(value: &Value) -> Option<Self> {
        serde_json::from_value(value.clone()).ok()
    }

    /// The group as a document holds it.
    pub fn write(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// A text on the canvas.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    /// The text.
    #[serde(default)]
    pub text: String,
    /// Its top left corner.
    #[serde(default)]
    pub at: [f64; 2],
}

impl Comment {
    /// The comment a document holds; `None` for something else.
    pub fn read(value: &Value) -> Option<Self> {
        serde_json::from_value(value.clone()).ok()
    }

    /// The comment as a document holds it.
    pub fn write(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
