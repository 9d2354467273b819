//! The files a run reads, and the proof that it read these and no others: size and SHA-256, taken beside the run.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use weir_nodes::Problem;

use crate::project::Project;

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceProof {
    /// Its path, relative to the project's folder when inside.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let metadata = std::fs::metadata(path)?;
    Ok(Stamp { bytes: metadata.len(), modified: metadata.modified().ok() })
}

/// Files being hashed on a thread of their own while the run reads them.
pub(crate) struct Proving {
    files: BTreeMap<PathBuf, Option<Stamp>>,
    hashing: JoinHandle<std::io::Result<Vec<String>>>,
}

impl Proving {
    /// Starts. Files are stamped first, so that a change while the run goes on is seen.
    pub(crate) fn start(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let files: BTreeMap<PathBuf, Option<Stamp>> = files.into_iter().map(|file| (file.clone(), stamp(&file).ok())).collect();
        let paths: Vec<PathBuf> = files.keys().cloned().collect();
        let hashing = std::thread::spawn(move || paths.iter().map(|path| sha256(path)).collect());
        Self { files, hashing }
    }

    /// Waits for the hashes. A file that changed since the start is a problem: the figures would be of neither.
    pub(crate) fn finish(self, project: &Project) -> Result<Vec<SourceProof>, Problem> {
        let hashes = match self.hashing.join() {
            Ok(Ok(hashes)) => hashes,
            Ok(Err(error)) => return Err(Problem::error(format!("A source can no longer be read: {error}."))),
            Err(_) => return Err(Problem::error("The sources could not be hashed.")),
        };
        let mut proofs = Vec::new();
        for ((path, before), sha256) in self.files.into_iter().zip(hashes) {
            let after = stamp(&path).ok();
            let shown = project.shown(&path);
            if before.is_none() || before != after {
                return Err(Problem::error("This file changed while the run was reading it.")
                    .in_file(shown, None)
                    .help("Run again when nothing else writes it."));
            }
            proofs.push(SourceProof { path: shown, bytes: before.map_or(0, |stamp| stamp.bytes), sha256 });
        }
        Ok(proofs)
    }
}

fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
    }
}
