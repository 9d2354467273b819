//! Computing without publishing: to look at what comes out, to compute it a second time, to repeat a past run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use weir_nodes::{Problem, Severity};

use super::certificate::{CERTIFICATE, Certificate, OutputProof, Shadow, Verdict};
use super::sources::{Proving, SourceProof};
use super::{RunError, stage, verdict};
use crate::check::{self, Checked};
use crate::history::History;
use crate::plan::Limits;
use crate::project::Project;
use crate::workflow::Workflow;

/// The least memory a shadow gets: operators that do not spill need some.
const SHADOW_MEMORY: usize = 64 << 20;

/// What came out of a run that publishes nothing.
pub(crate) struct Trial {
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) sources: Vec<SourceProof>,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) outputs: Vec<OutputProof>,
    /// The rows of each output, as Parquet.
    pub(crate) tables: Vec<PathBuf>,
}

/// Computes everything that a workflow would publish, into a folder.
pub(crate) async fn trial(
    workflow: &Workflow,
    checked: &Checked,
    project: &Project,
    limits: &Limits,
    folder: &Path,
) -> Result<Trial, RunError> {
    let made = std::fs::create_dir_all(folder.join("staging"));
    made.map_err(|error| RunError::Failed(Problem::error(format!("There is no room to try the workflow: {error}."))))?;
    let proving = Proving::start(checked.steps.values().flat_map(|step| step.sources.clone()));
    let version = workflow.version().to_string();
    let stamp = stage::Stamp { run: "", version: &version };
    let computed = stage::compute(checked, limits, folder, project, stamp, stage::Keep::AsRows, &|_| {}).await?;
    let sources = proving.finish(project).map_err(|problem| RunError::Invalid(vec![problem]))?;
    let verdicts = verdict::verdicts(checked, &computed.demand, &computed.observed).map_err(RunError::Failed)?;
    let parameters = checked.parameters.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    Ok(Trial { parameters, sources, verdicts, outputs: computed.outputs, tables: computed.tables })
}

/// Computes everything a second time with other partitions, little memory and the optimizer's rules off, and compares.
pub(super) async fn shadow(
    checked: &Checked,
    limits: &Limits,
    folder: &Path,
    project: &Project,
    outputs: &[OutputProof],
) -> Result<(Shadow, Vec<Verdict>), RunError> {
    let threads = if limits.threads == 1 { 3 } else { limits.threads - 1 };
    let memory_bytes = (limits.memory_bytes / 16).max(SHADOW_MEMORY);
    let other = Limits { threads, memory_bytes, batch_rows: (limits.batch_rows / 2).max(1), optimise: false };
    let folder = folder.join("staging").join("shadow");
    let made = std::fs::create_dir_all(folder.join("staging"));
    made.map_err(|error| RunError::Failed(Problem::error(format!("There is no room for the shadow: {error}."))))?;
    let stamp = stage::Stamp { run: "", version: "" };
    let computed = stage::compute(checked, &other, &folder, project, stamp, stage::Keep::AsRows, &|_| {}).await?;
    let verdict = |(first, second): (&OutputProof, &OutputProof)| Verdict {
        node: first.node.clone(),
        title: format!("{} is the same when computed by another route", first.target),
        severity: Severity::Block,
        holds: first.digest == second.digest && first.rows == second.rows,
        figures: None,
        exceptions: None,
        waived: None,
    };
    Ok((Shadow { threads, memory_bytes }, outputs.iter().zip(&computed.outputs).map(verdict).collect()))
}

/// A past run, computed again.
#[derive(Debug, Clone, Serialize)]
pub struct Reproduction {
    /// The run.
    pub run: String,
    /// The outputs, each with the digest of then and of now.
    pub outputs: Vec<Reproduced>,
}

/// An output, computed again.
#[derive(Debug, Clone, Serialize)]
pub struct Reproduced {
    /// Where the rows went.
    pub target: String,
    /// The digest of then.
    pub then: String,
    /// The digest of now; none when it is no output any more.
    pub now: Option<String>,
}

impl Reproduced {
    /// Whether both are the same.
    pub fn same(&self) -> bool {
        self.now.as_ref() == Some(&self.then)
    }
}

/// The certificate of a run, by its id or how it begins.
pub(crate) fn certificate(project: &Project, run: &str) -> Result<Certificate, Problem> {
    let unknown = |what: String| Problem::error(what).help("The runs are the folders in .weir/runs.");
    let folders = std::fs::read_dir(project.runs()).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = folders
        .filter(|folder| folder.join(CERTIFICATE).is_file())
        .filter(|folder| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(run)))
        .collect();
    let folder = match found.len() {
        1 => found.remove(0),
        0 => return Err(unknown(format!("There is no run \"{run}\"."))),
        many => return Err(unknown(format!("{many} runs begin with \"{run}\"."))),
    };
    let path = folder.join(CERTIFICATE);
    let broken = |why: String| Problem::error(format!("The certificate cannot be read: {why}.")).in_file(project.shown(&path), None);
    let text = std::fs::read(&path).map_err(|error| broken(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))
}

/// Computes a past run again: its version, its parameters, the inputs it recorded.
pub async fn reproduce(project: &Project, run: &str, limits: &Limits) -> Result<Reproduction, Problem> {
    let then = certificate(project, run)?;
    let project = &project.clone().housing(Path::new(&then.workflow.file));
    let workflow = History::of(project).meaning(&then.workflow.file, &then.workflow.version)?;
    let set: Vec<(String, String)> = then.parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let checked = check::check(&workflow, project, &set);
    if let Some(problem) = checked.problems.iter().find(|problem| problem.is_error()) {
        return Err(problem.clone());
    }
    let scratch = project.scratch()?;
    let trial = trial(&workflow, &checked, project, limits, scratch.path()).await?;
    let moved = then.sources.iter().find(|source| !trial.sources.contains(source));
    if let Some(source) = moved.or_else(|| trial.sources.iter().find(|source| !then.sources.contains(source))) {
        let what = "This input is not what the run read, so the run cannot be computed again.";
        return Err(Problem::error(what).in_file(source.path.clone(), None).help("Put the file of then back in its place."));
    }
    let outputs = then.outputs.iter().map(|output| {
        let now = trial.outputs.iter().find(|other| other.target == output.target);
        Reproduced { target: output.target.clone(), then: output.digest.clone(), now: now.map(|now| now.digest.clone()) }
    });
    Ok(Reproduction { run: then.run, outputs: outputs.collect() })
}
