//! The parameter types that the editor knows how to edit. The *type* of a parameter chooses its widget, through
//! `x-weir-widget` in its schema; no form is written by hand for a kind.

mod label;

pub use label::label;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A formula over the columns of the incoming table, in canonical form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-weir-widget" = "expression"))]
pub struct Formula(pub String);

/// The name of one column of the incoming table.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-weir-widget" = "column"))]
pub struct Column(pub String);

/// The names of several columns of the incoming table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-weir-widget" = "columns"))]
pub struct Columns(pub Vec<Column>);

/// The name of a column that the step makes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-weir-widget" = "new-column"))]
pub struct NewColumn(pub String);

/// The path of a file, relative to the project's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-weir-widget" = "file"))]
pub struct FilePath(pub String);

/// The path of a folder, relative to the project's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("x-weir-widget" = "folder"))]
pub struct FolderPath(pub String);

/// A column's name as a formula refers to it.
pub fn reference(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// A text as a formula writes it.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

impl From<&str> for Formula {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Column {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<&str> for FilePath {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}
