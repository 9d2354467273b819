//! The audit chain: one append-only file of JSON lines, each holding the hash of the one before.
//!
//! A line that was altered, removed or put in between breaks the chain where it stands. That the *end* was cut off
//! cannot be seen from the chain alone: certificates hold the hash of their entry.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// A run was published.
    Load,
    /// A run was blocked by a control.
    Block,
    /// A line that a crash left unfinished was set aside.
    Repair,
}

/// A line of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// When, in UTC.
    pub time: String,
    /// Who.
    pub user: String,
    /// What.
    pub event: Event,
    /// What about: a run, a workflow.
    pub subject: String,
    /// More about it.
    pub detail: Value,
    /// The hash of the line before; of nothing, for the first.
    pub previous: String,
    /// The hash of this line's own bytes; not part of them.
    #[serde(skip)]
    hash: String,
}

impl Entry {
    /// The hash of this line.
    pub fn hash(&self) -> String {
        self.hash.clone()
    }
}

/// What can go wrong with the chain.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file cannot be read or written.
    #[error("The audit chain cannot be used: {0}. Check the permissions of .weir and the disk's space.")]
    Io(#[from] io::Error),
    /// The chain is broken.
    #[error("The audit chain is broken at line {line}: {why}. Restore the file from a backup, or keep it aside for the auditor.")]
    Broken {
        /// The line, from 1.
        line: u64,
        /// What does not fit.
        why: String,
    },
}

/// A chain that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many lines it has.
    pub entries: u64,
}

/// The audit chain of a project.
#[derive(Debug, Clone)]
pub struct Audit {
    path: PathBuf,
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

impl Audit {
    /// The chain in a file, which need not exist yet.
    pub fn open(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Adds a line, durably. Other processes wait.
    pub fn append(&self, event: Event, user: &str, subject: &str, detail: Value) -> Result<Entry, AuditError> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&self.path)?;
        file.lock()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        // A crash in the middle of a line leaves it without its end.
        if let Some(at) = text.rfind('\n').map(|at| at + 1).or(Some(0)).filter(|at| *at < text.len()) {
            let torn = text.split_off(at);
            file.set_len(at as u64)?;
            file.seek(SeekFrom::End(0))?;
            let (seq, previous) = tail(&text)?;
            let entry = line(&mut file, seq, previous, Event::Repair, user, "audit", json!({ "unfinished_line": torn }))?;
            return self.next(&mut file, entry.seq + 1, entry.hash, event, user, subject, detail);
        }
        let (seq, previous) = tail(&text)?;
        self.next(&mut file, seq, previous, event, user, subject, detail)
    }

    #[expect(clippy::too_many_arguments, clippy::unused_self, reason = "these are the parts of a line")]
    fn next(
        &self,
        file: &mut File,
        seq: u64,
        previous: String,
        event: Event,
        user: &str,
        subject: &str,
        detail: Value,
    ) -> Result<Entry, AuditError> {
        let entry = line(file, seq, previous, event, user, subject, detail)?;
        file.sync_all()?;
        Ok(entry)
    }

    /// The line of an event about a subject, if there is one.
    pub fn find(&self, event: Event, subject: &str) -> Result<Option<Entry>, AuditError> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(text.lines().rev().filter_map(read).find(|entry| entry.event == event && entry.subject == subject))
    }
}

fn read(line: &str) -> Option<Entry> {
    let mut entry: Entry = serde_json::from_str(line).ok()?;
    entry.hash = hash(line.as_bytes());
    Some(entry)
}

/// The number of the next line, and the hash of the last.
fn tail(text: &str) -> Result<(u64, String), AuditError> {
    let Some(last) = text.lines().last() else { return Ok((1, hash(b""))) };
    let entry = read(last).ok_or_else(|| AuditError::Broken { line: text.lines().count() as u64, why: "it cannot be read".into() })?;
    Ok((entry.seq + 1, entry.hash))
}

fn line(file: &mut File, seq: u64, previous: String, event: Event, user: &str, subject: &str, detail: Value) -> Result<Entry, AuditError> {
    let time = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let mut entry = Entry { seq, time, user: user.to_owned(), event, subject: subject.to_owned(), detail, previous, hash: String::new() };
    let text = serde_json::to_string(&entry).map_err(io::Error::from)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    entry.hash = hash(text.as_bytes());
    Ok(entry)
}

/// Whether a chain is whole; the error says where it was cut or altered.
pub fn verify(path: &Path) -> Result<Verified, AuditError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Verified { entries: 0 }),
        Err(error) => return Err(error.into()),
    };
    let mut previous = hash(b"");
    let mut entries = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        entries += 1;
        let broken = |why: &str| AuditError::Broken { line: entries, why: why.to_owned() };
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(broken("the line is unfinished"));
        };
        let entry = std::str::from_utf8(line).ok().and_then(read).ok_or_else(|| broken("it cannot be read"))?;
        if entry.seq != entries {
            return Err(broken("a line was removed or put in before it"));
        }
        if entry.previous != previous {
            return Err(broken("the line before it was altered"));
        }
        previous = hash(line);
    }
    Ok(Verified { entries })
}
