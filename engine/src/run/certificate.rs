//! The proof of a run: one JSON document that says what went in, what was checked, and what came out.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use weir_nodes::Severity;

use super::governance::ApprovalProof;
use super::sources::SourceProof;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every blocking control held; everything was published.
    Published,
    /// A blocking control failed; nothing was published.
    Blocked,
}

/// The file, in a run's folder, that holds its certificate.
pub const CERTIFICATE: &str = "certificate.json";

/// The proof of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Certificate {
    /// The run.
    pub run: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The workflow.
    pub workflow: WorkflowProof,
    /// The values of the workflow's parameters.
    pub parameters: BTreeMap<String, String>,
    /// The files it read.
    pub sources: Vec<SourceProof>,
    /// What went through each step.
    pub steps: Vec<StepProof>,
    /// What was checked.
    pub verdicts: Vec<Verdict>,
    /// What was published; what would have been, when blocked.
    pub outputs: Vec<OutputProof>,
    /// The approval under which governed tables were loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalProof>,
    /// Steps that read examples: what is made of those goes into files only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// What was left alone: the governed tables by a draft, everything but files where examples were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<String>,
    /// How everything was computed a second time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<Shadow>,
    /// The engine's version.
    pub engine: String,
    /// Who ran it.
    pub user: String,
    /// When it started, in UTC.
    pub started: String,
    /// When it ended, in UTC.
    pub finished: String,
    /// Its place in the audit chain.
    pub audit: Option<AuditPlace>,
}

/// How everything was computed a second time, by another route.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shadow {
    /// The threads it used.
    pub threads: usize,
    /// The bytes its operators could hold.
    pub memory_bytes: usize,
}

/// Who let a failed control pass for one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiver {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Which workflow ran.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorkflowProof {
    /// Its name.
    pub name: String,
    /// Its file, relative to the project's folder.
    pub file: String,
    /// The hash of its meaning.
    pub version: String,
}

/// What went through a step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepProof {
    /// The step.
    pub node: String,
    /// Its kind.
    pub kind: String,
    /// Rows that arrived on each input port; null where nothing needed counting.
    pub rows_in: BTreeMap<String, Option<u64>>,
    /// Rows that left by each output port; null where nothing needed counting.
    pub rows_out: BTreeMap<String, Option<u64>>,
    /// Milliseconds from its first row to its last.
    pub millis: u64,
}

/// Whether a control held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The step.
    pub node: String,
    /// What must hold.
    pub title: String,
    /// What happens when it does not.
    pub severity: Severity,
    /// Whether it held.
    pub holds: bool,
    /// The figures it looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
    /// Rows on the port that must stay empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exceptions: Option<Exceptions>,
    /// Who let it pass although it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Waiver>,
}

impl Verdict {
    /// Whether it keeps the run from being published.
    pub fn blocks(&self) -> bool {
        !self.holds && self.severity == Severity::Block && self.waived.is_none()
    }
}

impl Certificate {
    /// What makes another load the same as this one: version, parameters, inputs, and what came out.
    pub fn load_fingerprint(&self) -> String {
        super::governance::load_fingerprint(&self.workflow.version, &self.parameters, &self.sources, &self.outputs)
    }

    /// The hash of all of it but its place in the audit chain.
    pub fn fingerprint(&self) -> Option<String> {
        let text = serde_json::to_vec(&Self { audit: None, ..self.clone() }).ok()?;
        Some(blake3::hash(&text).to_hex().to_string())
    }
}

/// Two totals side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// What the first is called.
    pub left_label: String,
    /// The first.
    #[serde(with = "rust_decimal::serde::str")]
    pub left: Decimal,
    /// What the second is called.
    pub right_label: String,
    /// The second.
    #[serde(with = "rust_decimal::serde::str")]
    pub right: Decimal,
    /// The first less the second.
    #[serde(with = "rust_decimal::serde::str")]
    pub difference: Decimal,
    /// The largest difference allowed; absent when the figures are only shown.
    #[serde(skip_serializing_if = "Option::is_none", with = "rust_decimal::serde::str_option", default)]
    pub tolerance: Option<Decimal>,
    /// Whether the first may lie below the second.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_most: bool,
}

/// The rows that broke a control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exceptions {
    /// `NODE.PORT`, for `weir preview`.
    pub port: String,
    /// How many there are.
    pub rows: u64,
    /// How many were allowed.
    pub allowed: u64,
}

/// Something that was published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputProof {
    /// The load step.
    pub node: String,
    /// `file:PATH` or `ledger:TABLE`.
    pub target: String,
    /// How many rows.
    pub rows: u64,
    /// The digest of its columns and rows.
    pub digest: String,
}

/// A line of the audit chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditPlace {
    /// Its number.
    pub entry: u64,
    /// Its hash.
    pub hash: String,
}

impl Figures {
    /// Whether what must hold between them does.
    pub fn hold(&self) -> bool {
        let distance = if self.at_most { self.difference } else { self.difference.abs() };
        self.tolerance.is_none_or(|tolerance| distance <= tolerance)
    }
}
