//! Making a commit survive a power cut: the store below links its log into place and never syncs (FACTS 20).

use std::fs::File;
use std::io;
use std::path::Path;

use serde_json::Value;

/// Syncs the data files a commit added, its log file and the folders they are in.
pub(super) fn sync_commit(table: &Path, version: u64) -> io::Result<()> {
    let log = table.join("_delta_log");
    let commit = log.join(format!("{version:020}.json"));
    for line in std::fs::read_to_string(&commit)?.lines() {
        let action: Value = serde_json::from_str(line)?;
        if let Some(path) = action.pointer("/add/path").and_then(Value::as_str) {
            File::open(table.join(path))?.sync_all()?;
        }
    }
    File::open(&commit)?.sync_all()?;
    if cfg!(unix) {
        File::open(&log)?.sync_all()?;
        File::open(table)?.sync_all()?;
    }
    Ok(())
}
