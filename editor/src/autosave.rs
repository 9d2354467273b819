//! Unsaved work survives a crash: it is written aside every few seconds, and found at the next start.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::desk::{Desk, Tab};
use crate::document::Document;
use crate::text;
use crate::worker::TabId;

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    path: Option<PathBuf>,
    workflow: String,
}

fn folder(desk: &Desk) -> Option<PathBuf> {
    desk.folder.as_ref().map(|folder| folder.join("unsaved"))
}

fn file(desk: &Desk, tab: TabId) -> Option<PathBuf> {
    Some(folder(desk)?.join(format!("{}-{tab}.json", std::process::id())))
}

/// Opens what an earlier session left unsaved.
pub fn recover(desk: &mut Desk) {
    let Some(folder) = folder(desk) else { return };
    let mut found = false;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // Another window may be open: what it writes is its own.
        let name = entry.file_name();
        let owner = name.to_string_lossy().split('-').next().and_then(|pid| pid.parse::<u32>().ok());
        if owner.is_some_and(|pid| pid != std::process::id() && PathBuf::from(format!("/proc/{pid}")).exists()) {
            continue;
        }
        let saved = fs::read_to_string(entry.path()).ok().and_then(|text| serde_json::from_str::<Saved>(&text).ok());
        if let Some(document) = saved.and_then(|saved| Document::recovered(&saved.workflow, saved.path)) {
            desk.add_tab(document);
            found = true;
        }
        let _ = fs::remove_file(entry.path());
    }
    if found {
        desk.say(text::AUTOSAVED.get(), false);
        desk.tabs.iter_mut().for_each(|tab| tab.autosaved = 0);
    }
}

/// Writes aside what is not saved.
pub fn save(desk: &mut Desk) {
    let Some(folder) = folder(desk) else { return };
    for place in 0..desk.tabs.len() {
        let tab = &desk.tabs[place];
        if tab.autosaved == tab.document.revision() {
            continue;
        }
        let Some(path) = file(desk, tab.id) else { continue };
        if tab.document.is_dirty() {
            write(&folder, &path, tab);
        } else {
            let _ = fs::remove_file(path);
        }
        desk.tabs[place].autosaved = desk.tabs[place].document.revision();
    }
}

fn write(folder: &std::path::Path, path: &std::path::Path, tab: &Tab) {
    let Ok(workflow) = tab.workflow().to_canonical_json() else { return };
    let saved = Saved { path: tab.document.path().map(PathBuf::from), workflow };
    if let Ok(text) = serde_json::to_string(&saved) {
        // Work goes on where it cannot be written aside; saving it says why.
        let _ = fs::create_dir_all(folder);
        let aside = path.with_extension("tmp");
        let _ = fs::write(&aside, text).and_then(|()| fs::rename(&aside, path));
    }
}

/// Forgets what was written aside of a tab.
pub fn forget(desk: &Desk, tab: TabId) {
    if let Some(path) = file(desk, tab) {
        let _ = fs::remove_file(path);
    }
}

/// Forgets everything: the person closed the window.
pub fn clear(desk: &Desk) {
    for tab in &desk.tabs {
        forget(desk, tab.id);
    }
}
