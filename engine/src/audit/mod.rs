//! The audit chain: one append-only file of JSON lines, each holding its own hash and that of the one before.
//!
//! A line that was altered, removed or put in between breaks the chain where it stands. That its *end* was cut off is
//! seen from a file beside it, which holds the number and the hash of the newest line.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Event {
    /// A version was saved.
    Save,
    /// An earlier version was made the newest.
    Rollback,
    /// A version was proposed for approval.
    Propose,
    /// A version was approved.
    Approve,
    /// A version was rejected.
    Reject,
    /// A failed control was waived for one run.
    Waive,
    /// A run was published.
    Load,
    /// A run was blocked by a control.
    Block,
    /// A run's ledger rows were compensated.
    Reverse,
    /// A state of a ledger table was named.
    Snapshot,
    /// Rows were given out of the ledger.
    Export,
    /// Old files of a ledger table were removed.
    Vacuum,
    /// A package was installed.
    Install,
    /// A package was upgraded.
    Upgrade,
    /// A package was removed.
    Uninstall,
    /// A file was bound to an input of a package, or taken from it.
    Bind,
    /// A person's key was made.
    Key,
    /// A line that a crash left unfinished was set aside.
    Repair,
}

impl Event {
    /// Whether its line speaks of objects of the history.
    pub(crate) fn is_of_history(self) -> bool {
        matches!(self, Self::Save | Self::Rollback | Self::Propose | Self::Approve | Self::Reject)
    }
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
    /// The hash of this line as it is without this field.
    #[serde(default, skip_serializing_if = "String::is_empty")]
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

impl From<AuditError> for weir_nodes::Problem {
    fn from(error: AuditError) -> Self {
        Self::error(error.to_string())
    }
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
        let (before, mut text) = last_lines(&mut file)?;
        // A crash in the middle of a line leaves it without its end.
        if let Some(at) = text.rfind('\n').map(|at| at + 1).or(Some(0)).filter(|at| *at < text.len()) {
            let torn = text.split_off(at);
            file.set_len(before + at as u64)?;
            file.seek(SeekFrom::End(0))?;
            let (seq, previous) = tail(&text)?;
            let entry = line(&mut file, seq, previous, Event::Repair, user, "audit", json!({ "unfinished_line": torn }))?;
            return self.next(&mut file, entry.seq + 1, entry.hash, event, user, subject, detail);
        }
        let (seq, previous) = tail(&text)?;
        self.next(&mut file, seq, previous, event, user, subject, detail)
    }

    #[expect(clippy::too_many_arguments, reason = "these are the parts of a line")]
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
        crate::run::write_durably(&end_of(&self.path), &format!("{} {}", entry.seq, entry.hash))?;
        Ok(entry)
    }

    /// The newest lines, in order: some thousands of bytes of them.
    pub fn recent(&self) -> Result<Vec<Entry>, AuditError> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(error.into()),
        };
        let (_, text) = last_lines(&mut file)?;
        Ok(text.lines().filter_map(read).collect())
    }

    /// All lines, in order. One that cannot be read is left out: [`verify`] names it.
    pub fn entries(&self) -> Result<Vec<Entry>, AuditError> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(text.lines().filter_map(read).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
            Err(error) => Err(error.into()),
        }
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

/// The end of the file, from the beginning of a line: the last whole line and what a crash may have left behind it.
/// Also where that is.
fn last_lines(file: &mut File) -> Result<(u64, String), AuditError> {
    let length = file.metadata()?.len();
    let mut size = 64 * 1024;
    loop {
        let start = length.saturating_sub(size);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.read_to_end(&mut bytes)?;
        // The last line's own beginning must be in view, unless the file begins there.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let first = bytes[..whole].iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if start > 0 && first == 0 {
            size *= 4;
            continue;
        }
        let first = if start == 0 { 0 } else { first };
        let text = String::from_utf8_lossy(&bytes[first..]).into_owned();
        return Ok((start + first as u64, text));
    }
}

/// A line, if it is whole and its hash is its own.
fn read(line: &str) -> Option<Entry> {
    let entry: Entry = serde_json::from_str(line).ok()?;
    let body = line.strip_suffix(&format!(",\"hash\":\"{}\"}}", entry.hash))?;
    (hash(format!("{body}}}").as_bytes()) == entry.hash).then_some(entry)
}

/// The file that holds the number and the hash of the newest line. A crash may leave it one line behind.
fn end_of(path: &Path) -> PathBuf {
    path.with_extension("end")
}

/// The number of the next line, and the hash of the last.
fn tail(text: &str) -> Result<(u64, String), AuditError> {
    let Some(last) = text.lines().last() else { return Ok((1, hash(b""))) };
    let entry = read(last).ok_or_else(|| AuditError::Broken { line: 0, why: "its last line cannot be read".into() })?;
    Ok((entry.seq + 1, entry.hash))
}

fn line(file: &mut File, seq: u64, previous: String, event: Event, user: &str, subject: &str, detail: Value) -> Result<Entry, AuditError> {
    let time = crate::project::written(chrono::Utc::now());
    let mut entry = Entry { seq, time, user: user.to_owned(), event, subject: subject.to_owned(), detail, previous, hash: String::new() };
    entry.hash = hash(serde_json::to_string(&entry).map_err(io::Error::from)?.as_bytes());
    let text = serde_json::to_string(&entry).map_err(io::Error::from)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    Ok(entry)
}

/// Whether a chain is whole; the error says where it was cut or altered.
pub fn verify(path: &Path) -> Result<Verified, AuditError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => vec![],
        Err(error) => return Err(error.into()),
    };
    let end = std::fs::read_to_string(end_of(path)).ok();
    let end =
        end.as_deref().and_then(|text| text.trim_end().split_once(' ')).and_then(|(seq, hash)| Some((seq.parse::<u64>().ok()?, hash)));
    let mut previous = hash(b"");
    let mut entries = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        entries += 1;
        let broken = |why: &str| AuditError::Broken { line: entries, why: why.to_owned() };
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(broken("the line is unfinished"));
        };
        let entry = std::str::from_utf8(line).ok().and_then(read).ok_or_else(|| broken("it was altered, or is no line of the chain"))?;
        if entry.seq != entries || entry.previous != previous {
            return Err(broken("a line was removed or put in before it"));
        }
        if end.is_some_and(|(seq, hash)| seq == entry.seq && hash != entry.hash) {
            return Err(broken("it is not the line that was written there"));
        }
        previous = entry.hash;
    }
    match end {
        Some((seq, _)) if seq <= entries => Ok(Verified { entries }),
        None if entries == 0 => Ok(Verified { entries }),
        Some((seq, _)) => Err(AuditError::Broken { line: entries + 1, why: format!("{} lines were cut off its end", seq - entries) }),
        None => Err(AuditError::Broken { line: entries, why: "the file that knows its end is missing or altered".into() }),
    }
}
