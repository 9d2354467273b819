//! Whether anything was altered: the audit chain, every object, and every name that points to one.

use std::collections::BTreeMap;

use serde_json::Value;
use weir_nodes::Problem;

use super::{History, Missing};
use crate::audit::{self, Audit, Event};
use crate::project::Project;

/// What was looked at and found whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Lines of the audit chain.
    pub entries: u64,
    /// Objects of the history.
    pub objects: u64,
    /// Certificates of runs.
    pub runs: u64,
}

/// Looks at all of it. The problems name each place that was altered or is missing.
pub fn verify(project: &Project) -> Result<Verified, Vec<Problem>> {
    let mut problems = Vec::new();
    let entries = match audit::verify(&project.audit()) {
        Ok(verified) => verified.entries,
        Err(broken) => {
            problems.push(Problem::error(broken.to_string()));
            0
        }
    };
    let history = History::of(project);
    let all = history.store().all();
    let altered = |id: &str| match history.store().get(id) {
        Ok(_) => None,
        Err(Missing::Absent) => {
            Some(Problem::error(format!("The object {id} is missing from the history.")).help("Restore it from a backup."))
        }
        Err(Missing::Altered(path)) => {
            Some(Problem::error("This object was altered.").in_file(project.shown(&path), None).help("Restore it from a backup."))
        }
        Err(Missing::Io(error)) => Some(super::trouble(&error)),
    };
    problems.extend(all.iter().filter_map(|id| altered(id)));
    // What the chain speaks of must be there, and each name must point where the chain last put it.
    let lines = Audit::open(&project.audit()).entries().unwrap_or_default();
    let mut heads: BTreeMap<String, String> = BTreeMap::new();
    let mut runs = 0;
    for entry in &lines {
        let text = |key: &str| entry.detail.get(key).and_then(Value::as_str);
        for id in ["version", "proposal", "decision"]
            .iter()
            .filter_map(|key| text(key))
            .filter(|id| id.len() == 64 && entry.event.is_of_history())
        {
            if all.binary_search_by(|known| known.as_str().cmp(id)).is_err() {
                problems.extend(altered(id));
            }
        }
        match (entry.event, text("workflow"), text("branch"), text("version"), text("decision")) {
            (Event::Save | Event::Rollback, Some(workflow), Some(branch), Some(version), _) => {
                heads.insert(format!("{workflow}/heads/{branch}"), version.to_owned());
            }
            (Event::Approve, Some(workflow), _, _, Some(decision)) => {
                heads.insert(format!("{workflow}/approved"), decision.to_owned());
            }
            (Event::Snapshot, ..) => {
                if let (Some(name), Some(object)) = (text("snapshot"), text("object")) {
                    heads.insert(format!("snapshots/{name}"), object.to_owned());
                }
            }
            (Event::Load | Event::Block, _, _, _, _) => {
                runs += 1;
                problems.extend(certificate(project, entry));
            }
            _ => {}
        }
    }
    for (name, wanted) in &heads {
        if history.store().read_ref(name).ok().flatten().as_ref() != Some(wanted) {
            let what = format!("\"{name}\" does not point to {wanted}, where the audit chain put it.");
            problems.push(Problem::error(what).in_file(format!(".weir/history/refs/{name}"), None).help("Restore it from a backup."));
        }
    }
    for workflow in history.store().workflows() {
        for branch in history.branches(&workflow) {
            let name = format!("{workflow}/heads/{branch}");
            if !heads.contains_key(&name) {
                let what = "The audit chain knows nothing of this branch.";
                problems.push(
                    Problem::error(what).in_file(format!(".weir/history/refs/{name}"), None).help("It was put in from outside; remove it."),
                );
            }
        }
    }
    problems.dedup();
    if problems.is_empty() { Ok(Verified { entries, objects: all.len() as u64, runs }) } else { Err(problems) }
}

/// Whether the certificate of a run is the one that the chain speaks of.
fn certificate(project: &Project, entry: &audit::Entry) -> Option<Problem> {
    let path = project.runs().join(&entry.subject).join(crate::run::certificate::CERTIFICATE);
    let shown = project.shown(&path);
    let wrong = |what: &str| Some(Problem::error(what).in_file(&shown, None).help("Restore it from a backup."));
    let Ok(text) = std::fs::read(&path) else { return wrong("The certificate of a run is missing.") };
    let Ok(certificate) = serde_json::from_slice::<crate::run::Certificate>(&text) else { return wrong("The certificate cannot be read.") };
    let same =
        entry.detail.get("certificate").and_then(Value::as_str).is_none_or(|known| certificate.fingerprint().as_deref() == Some(known));
    if same { None } else { wrong("The certificate of a run was altered.") }
}
