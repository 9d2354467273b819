//! The one text of a workflow, how it is saved, and the hash of its meaning.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::Workflow;
use crate::Problem;

/// The identity of what a workflow means: 64 hexadecimal digits of blake3.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(String);

impl Version {
    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first six digits, for display.
    pub fn short(&self) -> &str {
        self.0.get(..6).unwrap_or(&self.0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Workflow {
    /// The canonical text: two spaces, fixed field order, nodes by id, a newline at the end.
    pub fn to_canonical_json(&self) -> Result<String, Problem> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| Problem::error(format!("The workflow cannot be written as JSON: {error}.")))?;
        text.push('\n');
        Ok(text)
    }

    /// The hash of everything but layout, notes, titles and names.
    pub fn version(&self) -> Version {
        let mut nodes = self.nodes.clone();
        for node in nodes.values_mut() {
            node.title = None;
            node.note = None;
        }
        let mut parameters = self.parameters.clone();
        for parameter in parameters.values_mut() {
            parameter.title = None;
            parameter.doc = None;
        }
        let meaning = json!({ "weir": self.weir, "parameters": parameters, "nodes": nodes, "edges": self.edges, "other": self.other });
        Version(blake3::hash(meaning.to_string().as_bytes()).to_hex().to_string())
    }

    /// Writes the canonical text: a crash leaves the old file or the new one, never a part.
    pub fn save(&self, path: &Path) -> Result<(), Problem> {
        let text = self.to_canonical_json()?;
        write_atomically(path, text.as_bytes()).map_err(|error| {
            Problem::error(format!("\"{}\" cannot be saved: {error}.", path.display()))
                .help("Check that the folder exists, that it may be written to, and that the disk is not full.")
        })
    }
}

fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
    let temporary = folder.join(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let done = written.and_then(|()| fs::rename(&temporary, path)).and_then(|()| File::open(folder)?.sync_all());
    if done.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    done
}
