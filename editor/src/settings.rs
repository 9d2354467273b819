//! What the editor remembers between sessions, in the person's own configuration folder.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::text::{self, Language};

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Appearance {
    /// As the system has it.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The language; the system's unless chosen.
    pub language: Option<Language>,
    /// Light or dark.
    pub appearance: Appearance,
    /// The size of everything; 1 is normal.
    pub scale: f32,
    /// Whether the palette is shown.
    pub palette: bool,
    /// Whether the properties are shown.
    pub properties: bool,
    /// Whether the data panel is shown.
    pub bottom: bool,
    /// Whether the minimap is shown.
    pub minimap: bool,
    /// Workflows opened lately, the last one first.
    pub recent: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: None,
            appearance: Appearance::System,
            scale: 1.0,
            palette: true,
            properties: true,
            bottom: true,
            minimap: true,
            recent: vec![],
        }
    }
}

/// The folder of the editor's own files: `WEIR_CONFIG`, else the person's configuration folder.
pub fn folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("WEIR_CONFIG")
        .or_else(|| named("XDG_CONFIG_HOME").map(|folder| folder.join("weir")))
        .or_else(|| named("APPDATA").map(|folder| folder.join("Weir")))
        .or_else(|| named("HOME").map(|folder| folder.join(".config/weir")))
}

impl Settings {
    /// Those saved last; the defaults where there are none or they cannot be read.
    pub fn load(folder: &Path) -> Self {
        std::fs::read_to_string(folder.join("settings.json")).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Saves them. Settings that cannot be saved are no reason to disturb anyone.
    pub fn save(&self, folder: &Path) {
        if let Ok(text) = serde_json::to_string_pretty(self) {
            let _ = std::fs::create_dir_all(folder);
            let _ = std::fs::write(folder.join("settings.json"), text);
        }
    }

    /// The language in use.
    pub fn speaks(&self) -> Language {
        self.language.unwrap_or_else(text::system)
    }

    /// Puts a file at the head of the recent ones.
    pub fn opened(&mut self, path: &Path) {
        self.recent.retain(|known| known != path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(12);
    }
}
