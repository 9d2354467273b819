//! An open workflow: its present, its past and future, its file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use weir_engine::Problem;
use weir_engine::workflow::{Edit, Workflow};

use crate::text::{self, Language};

/// Edits of one value that follow each other faster than this are one step of the history.
const ONE_GESTURE: Duration = Duration::from_secs(2);

/// What a step of the history says, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    en: String,
    fr: String,
}

impl Label {
    /// A label in both languages.
    pub fn new(en: impl Into<String>, fr: impl Into<String>) -> Self {
        Self { en: en.into(), fr: fr.into() }
    }

    fn of(edits: &[Edit]) -> Self {
        let (en, fr) = edits.first().map(Edit::label).unwrap_or_default();
        Self { en, fr }
    }

    /// The label in the current language.
    pub fn get(&self) -> &str {
        match text::language() {
            Language::En => &self.en,
            Language::Fr => &self.fr,
        }
    }
}

#[derive(Debug, Clone)]
struct Snapshot {
    label: Label,
    workflow: Arc<Workflow>,
}

/// An open workflow. All change goes through [`Document::change`]; undo is a list of snapshots.
#[derive(Debug)]
pub struct Document {
    workflow: Arc<Workflow>,
    past: Vec<Snapshot>,
    future: Vec<Snapshot>,
    saved: Arc<Workflow>,
    path: Option<PathBuf>,
    on_disk: Option<SystemTime>,
    /// Raised by every change.
    revision: u64,
    gesture: Option<(String, Instant)>,
}

impl Document {
    /// A new, empty workflow.
    pub fn empty() -> Self {
        Self::of(Workflow::new(""), None)
    }

    fn of(workflow: Workflow, path: Option<PathBuf>) -> Self {
        let workflow = Arc::new(workflow);
        let on_disk = path.as_deref().and_then(modified);
        Self { saved: Arc::clone(&workflow), workflow, past: vec![], future: vec![], path, on_disk, revision: 1, gesture: None }
    }

    /// The workflow in a file.
    pub fn open(path: &Path) -> Result<Self, Vec<Problem>> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self::of(Workflow::load(&path)?, Some(path)))
    }

    /// Unsaved work found after a crash: it belongs to `path` and differs from what is there.
    pub fn recovered(text: &str, path: Option<PathBuf>) -> Option<Self> {
        let workflow = Workflow::parse(text, "autosave").ok()?;
        let mut document = match &path {
            Some(path) => Self::open(path).ok()?,
            None => Self::empty(),
        };
        if *document.workflow == workflow {
            return None;
        }
        document.past.push(Snapshot { label: Label::new("recovered work", "travail retrouvé"), workflow: document.workflow });
        document.workflow = Arc::new(workflow);
        document.revision += 1;
        Some(document)
    }

    /// The workflow as it is now.
    pub fn workflow(&self) -> &Arc<Workflow> {
        &self.workflow
    }

    /// Its file.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Raised by every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The name on its tab.
    pub fn title(&self) -> String {
        if !self.workflow.name.is_empty() {
            return self.workflow.name.clone();
        }
        match self.path.as_deref().and_then(Path::file_stem) {
            Some(stem) => stem.to_string_lossy().into_owned(),
            None => text::UNTITLED.get().to_owned(),
        }
    }

    /// Whether there is work that is not saved.
    pub fn is_dirty(&self) -> bool {
        !Arc::ptr_eq(&self.workflow, &self.saved) && self.workflow != self.saved
    }

    /// Makes a change of one or more edits; all of them or none.
    pub fn change(&mut self, label: Option<Label>, edits: &[Edit]) -> Result<(), Problem> {
        self.apply(label, edits, None)
    }

    /// Makes a change that continues the one before, when that was on the same thing: typing is one step of the history.
    pub fn change_on(&mut self, thing: &str, edits: &[Edit]) -> Result<(), Problem> {
        self.apply(None, edits, Some(thing))
    }

    fn apply(&mut self, label: Option<Label>, edits: &[Edit], thing: Option<&str>) -> Result<(), Problem> {
        let mut next = Workflow::clone(&self.workflow);
        for edit in edits {
            next = next.apply(edit)?;
        }
        if next == *self.workflow {
            return Ok(());
        }
        let continues = matches!((&self.gesture, thing), (Some((before, at)), Some(now)) if before == now && at.elapsed() < ONE_GESTURE);
        if !continues {
            let label = label.unwrap_or_else(|| Label::of(edits));
            self.past.push(Snapshot { label, workflow: Arc::clone(&self.workflow) });
        }
        self.gesture = thing.map(|thing| (thing.to_owned(), Instant::now()));
        self.future.clear();
        self.workflow = Arc::new(next);
        self.revision += 1;
        Ok(())
    }

    /// What undo would take back.
    pub fn undo_label(&self) -> Option<&str> {
        self.past.last().map(|snapshot| snapshot.label.get())
    }

    /// What redo would bring back.
    pub fn redo_label(&self) -> Option<&str> {
        self.future.last().map(|snapshot| snapshot.label.get())
    }

    /// Takes the last change back.
    pub fn undo(&mut self) {
        if let Some(Snapshot { label, workflow }) = self.past.pop() {
            let now = std::mem::replace(&mut self.workflow, workflow);
            self.future.push(Snapshot { label, workflow: now });
            self.gesture = None;
            self.revision += 1;
        }
    }

    /// Brings back what undo took.
    pub fn redo(&mut self) {
        if let Some(Snapshot { label, workflow }) = self.future.pop() {
            let now = std::mem::replace(&mut self.workflow, workflow);
            self.past.push(Snapshot { label, workflow: now });
            self.gesture = None;
            self.revision += 1;
        }
    }

    /// Saves into its file, or into another one that becomes its file. A failure leaves the file as it was.
    pub fn save(&mut self, path: Option<PathBuf>) -> Result<(), Problem> {
        let Some(path) = path.or_else(|| self.path.clone()) else {
            return Err(Problem::error("The workflow has no file yet.").help("Choose where to save it."));
        };
        self.workflow.save(&path)?;
        self.on_disk = modified(&path);
        self.path = Some(path);
        self.saved = Arc::clone(&self.workflow);
        Ok(())
    }

    /// Whether another program changed the file since it was read or written here.
    pub fn changed_outside(&self) -> bool {
        self.path.as_deref().and_then(modified).is_some_and(|now| self.on_disk.is_some_and(|known| known != now))
    }

    /// Keeps what is here although the file changed.
    pub fn keep_mine(&mut self) {
        self.on_disk = self.path.as_deref().and_then(modified);
    }

    /// Reads the file again; what was here can be had back by undo.
    pub fn reload(&mut self) -> Result<(), Vec<Problem>> {
        let Some(path) = self.path.clone() else { return Ok(()) };
        let read = Arc::new(Workflow::load(&path)?);
        let before = std::mem::replace(&mut self.workflow, Arc::clone(&read));
        self.past.push(Snapshot { label: Label::new("load the file again", "recharger le fichier"), workflow: before });
        self.future.clear();
        self.saved = read;
        self.on_disk = modified(&path);
        self.revision += 1;
        Ok(())
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}
