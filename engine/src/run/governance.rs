//! What a run may load: governed tables take rows from the approved version only, and the same load comes once.

use serde::{Deserialize, Serialize};
use weir_nodes::{Problem, Sink};

use super::certificate::OutputProof;
use super::sources::SourceProof;
use crate::approval::approved;
use crate::audit::{Audit, Event};
use crate::check::Checked;
use crate::history::History;
use crate::project::Project;
use crate::workflow::Workflow;

/// The approval under which a run loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalProof {
    /// The saved version.
    pub commit: String,
    /// The decision's object in the history.
    pub decision: String,
    /// Who approved.
    pub by: String,
    /// When, in UTC.
    pub time: String,
    /// Whether the inputs are those that were looked at for the approval; known once they were read.
    pub same_inputs: Option<bool>,
}

/// What governs a run.
#[derive(Debug, Default)]
pub(super) struct Governed {
    pub(super) approval: Option<ApprovalProof>,
    /// The inputs that the approval saw.
    inputs: Vec<SourceProof>,
    /// Those among what is read that are workflows themselves: they must be the ones that were approved.
    nested: Vec<String>,
    /// What is left alone, by its target.
    pub(super) held_back: Vec<String>,
}

fn governed_tables(checked: &Checked, project: &Project) -> Vec<String> {
    let listed = &project.config().approval.governed;
    let sinks = checked.steps.values().flat_map(|step| &step.planned.sinks);
    let tables = sinks.filter_map(|sink| match sink {
        Sink::Ledger { table, governed, .. } if *governed || listed.contains(table) => Some(table.clone()),
        _ => None,
    });
    tables.collect()
}

/// Whether the workflow may load what it loads.
pub(super) fn look(checked: &Checked, workflow: &Workflow, project: &Project, name: &str, draft: bool) -> Result<Governed, Problem> {
    let tables = governed_tables(checked, project);
    if tables.is_empty() {
        return Ok(Governed::default());
    }
    if draft {
        let held_back = tables.iter().map(|table| format!("ledger:{table}")).collect();
        return Ok(Governed { held_back, ..Governed::default() });
    }
    let history = History::of(project);
    let out = format!("The ledger table \"{}\" takes rows from approved versions only", tables[0]);
    let help = format!("Propose it: weir propose {name} -m \"why\". Or look at what it gives: weir run {name} --draft.");
    let Some(approved) = approved(&history, name)? else {
        return Err(Problem::error(format!("{out}, and no version is approved.")).help(help));
    };
    if approved.proposal.version != workflow.version().to_string() {
        let number = history.commit(&approved.proposal.commit).map(|saved| saved.commit.number).unwrap_or_default();
        return Err(Problem::error(format!("{out}; this is not the one that was approved (#{number}).")).help(help));
    }
    let approval = ApprovalProof {
        commit: approved.proposal.commit,
        decision: approved.id,
        by: approved.decision.by,
        time: approved.decision.time,
        same_inputs: None,
    };
    Ok(Governed {
        approval: Some(approval),
        inputs: approved.proposal.dry_run.sources,
        nested: checked.nested.iter().map(|file| project.shown(file)).collect(),
        held_back: vec![],
    })
}

impl Governed {
    /// Compares the inputs that were read with those that the approval saw.
    pub(super) fn compare(&mut self, sources: &[SourceProof], project: &Project) -> Result<(), Problem> {
        let Some(approval) = &mut self.approval else { return Ok(()) };
        let other = sources.iter().find(|source| !self.inputs.contains(source));
        if let Some(changed) = sources.iter().find(|source| self.nested.contains(&source.path) && !self.inputs.contains(source)) {
            return Err(Problem::error("This nested workflow is not the one that was approved.")
                .in_file(changed.path.clone(), None)
                .help("Propose the outer workflow again."));
        }
        approval.same_inputs = Some(other.is_none() && sources.len() == self.inputs.len());
        match other {
            Some(other) if project.config().approval.same_inputs => {
                Err(Problem::error("This input is not the one that was looked at for the approval.")
                    .in_file(other.path.clone(), None)
                    .help("Propose the version again with these inputs."))
            }
            _ => Ok(()),
        }
    }
}

/// What makes two loads the same: version, parameters, inputs, and what comes out.
pub(super) fn load_fingerprint(
    version: &str,
    parameters: &std::collections::BTreeMap<String, String>,
    sources: &[SourceProof],
    outputs: &[OutputProof],
) -> String {
    let outputs: Vec<(&str, &str)> = outputs.iter().map(|output| (output.target.as_str(), output.digest.as_str())).collect();
    let text = serde_json::json!({ "version": version, "parameters": parameters, "sources": sources, "outputs": outputs }).to_string();
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// The run that loaded the same before and was not reversed since.
pub(super) fn loaded_before(project: &Project, fingerprint: &str) -> Result<Option<String>, Problem> {
    let entries = Audit::open(&project.audit()).entries()?;
    let text = |entry: &crate::audit::Entry, key: &str| entry.detail.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let mut found = None;
    for entry in entries {
        match entry.event {
            Event::Load if text(&entry, "load").as_deref() == Some(fingerprint) => found = Some(entry.subject),
            Event::Reverse if text(&entry, "of") == found => found = None,
            _ => {}
        }
    }
    Ok(found)
}
