//! One run: stages, taps, controls, staging, publication, certificate.
//!
//! Rows are computed into staging while taps count and add up. When every stage is done the controls are judged; only
//! if no blocking one failed does anything become visible, all of it at once.

pub mod certificate;
mod digest;
mod governance;
mod publish;
mod sources;
mod stage;
mod trial;
mod verdict;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use weir_nodes::Problem;
use weir_nodes::problem::did_you_mean;

pub use certificate::{Certificate, Outcome};
pub use governance::ApprovalProof;
pub(crate) use publish::write_durably;
pub use sources::SourceProof;
pub use trial::{Reproduced, Reproduction, reproduce};
pub(crate) use trial::{Trial, certificate as certificate_of, trial};

use crate::approval::{Act, Person, allow};
use crate::check::{self, Checked};
use crate::history::History;
use crate::plan::{Limits, WireId};
use crate::project::{Project, written};
use crate::workflow::Workflow;
use certificate::{StepProof, Waiver, WorkflowProof};
use publish::Intent;
pub(crate) use sources::Proving;

/// What to run.
#[derive(Debug)]
pub struct Request<'a> {
    /// The workflow.
    pub workflow: &'a Workflow,
    /// Its file.
    pub file: &'a Path,
    /// The project it belongs to.
    pub project: &'a Project,
    /// Values for its parameters.
    pub set: &'a [(String, String)],
    /// What it may use.
    pub limits: Limits,
    /// What else is asked of it.
    pub options: Options,
}

/// What else is asked of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Governed tables are left alone, so that the version need not be approved.
    pub draft: bool,
    /// What was loaded before is loaded again.
    pub again: bool,
    /// Everything is computed a second time, by another route, and must come out the same.
    pub shadow: bool,
    /// Steps whose failed controls are let pass, this once.
    pub waive: Vec<String>,
    /// Why they are.
    pub reason: String,
}

/// What happens while a run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The workflow was checked; these are its problems, none of them an error.
    Checked(Vec<Problem>),
    /// A step has seen all its rows.
    Step {
        /// The step.
        node: String,
        /// Rows that left it, by port.
        rows: Vec<(String, u64)>,
        /// From its first row to its last.
        time: Duration,
    },
}

/// Why a run did not come to a verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The workflow or its inputs are wrong. Nothing was written.
    #[error("the workflow or its inputs are wrong")]
    Invalid(Vec<Problem>),
    /// It failed while running. Nothing was published.
    #[error("{0}")]
    Failed(Problem),
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Failed(problem) => problem,
            RunError::Invalid(problems) => {
                problems.into_iter().find(Self::is_error).unwrap_or_else(|| Self::error("The workflow cannot run."))
            }
        }
    }
}

/// Completes what a crash left half published in this project. Every command does this first.
pub async fn recover(project: &Project) -> Result<(), Problem> {
    History::of(project).complete()?;
    let pending =
        fs::read_dir(project.runs()).is_ok_and(|mut runs| runs.any(|run| run.is_ok_and(|r| r.path().join("publish.json").is_file())));
    if !pending {
        return Ok(());
    }
    let _lock = lock(project)?;
    publish::recover(project).await
}

fn lock(project: &Project) -> Result<fs::File, Problem> {
    project.lock().map_err(|error| {
        Problem::error(format!("The project cannot be locked: {error}."))
            .in_file(project.state().display().to_string(), None)
            .help("Check the folder's permissions.")
    })
}

/// Runs a workflow: computes, judges, publishes.
pub async fn run(request: &Request<'_>, progress: &(dyn Fn(Progress) + Send + Sync)) -> Result<Certificate, RunError> {
    let Request { workflow, file, project, set, limits, options } = request;
    let invalid = |problem: Problem| RunError::Invalid(vec![problem]);
    let started = SystemTime::now();
    recover(project).await.map_err(RunError::Failed)?;
    let person = Person::current(project);
    allow(project, &person, Act::Run).map_err(invalid)?;
    let checked = check::check_for_run(workflow, project, set);
    if !checked.is_runnable() {
        return Err(RunError::Invalid(checked.problems));
    }
    let waiver = waiver(request, &checked, &person).map_err(invalid)?;
    let name = History::of(project).name(file);
    let mut governed = governance::look(&checked, workflow, project, &name, options.draft).map_err(invalid)?;
    progress(Progress::Checked(checked.problems.clone()));

    let id = run_id(started);
    let folder = RunFolder::create(project.runs().join(&id)).map_err(|error| {
        RunError::Failed(Problem::error(format!("The run's folder cannot be made: {error}.")).help("Check the permissions of .weir."))
    })?;
    let proving = Proving::start(checked.steps.values().flat_map(|step| step.sources.clone()));
    let version = workflow.version().to_string();
    let stamp = stage::Stamp { run: &id, version: &version };
    let mut computed = stage::compute(&checked, limits, &folder.path, project, stamp, stage::Keep::AsLoaded, progress).await?;
    let mut verdicts = verdict::verdicts(&checked, &computed.demand, &computed.observed).map_err(RunError::Failed)?;
    let mut shadow = None;
    if options.shadow {
        let (used, found) = trial::shadow(&checked, limits, &folder.path, project, &computed.outputs).await?;
        shadow = Some(used);
        verdicts.extend(found);
    }
    let sources = proving.finish(project).map_err(invalid)?;
    governed.compare(&sources, project).map_err(invalid)?;
    for verdict in verdicts.iter_mut().filter(|verdict| verdict.blocks() && options.waive.contains(&verdict.node)) {
        verdict.waived.clone_from(&waiver);
    }
    let blocked = verdicts.iter().any(certificate::Verdict::blocks);
    let examples: Vec<String> = checked.steps.iter().filter(|(_, step)| step.planned.is_example).map(|(node, _)| node.clone()).collect();
    if !examples.is_empty() {
        let elsewhere = computed.outputs.iter().map(|output| &output.target).filter(|target| !target.starts_with("file:"));
        governed.held_back = elsewhere.cloned().collect();
        computed.loads.clear();
        computed.rows.clear();
        computed.requests.clear();
    }
    computed.loads.retain(|load| load.folder.is_some() || !governed.held_back.contains(&format!("ledger:{}", load.table)));
    computed.outputs.retain(|output| !governed.held_back.contains(&output.target));
    let certificate = Certificate {
        run: id,
        outcome: if blocked { Outcome::Blocked } else { Outcome::Published },
        workflow: WorkflowProof { name: workflow.name.clone(), file: name, version },
        parameters: checked.parameters.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        sources,
        steps: step_proofs(&checked, &computed),
        verdicts,
        outputs: computed.outputs,
        approval: governed.approval,
        examples,
        held_back: governed.held_back,
        shadow,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        user: person.id.clone(),
        started: utc(started),
        finished: utc(SystemTime::now()),
        audit: None,
    };
    let _lock = lock(project).map_err(RunError::Failed)?;
    let result = if blocked {
        publish::write_blocked(project, &folder.path, certificate)
    } else {
        if !options.again && computed.loads.iter().any(|load| load.folder.is_none()) {
            let before = governance::loaded_before(project, &certificate.load_fingerprint()).map_err(RunError::Failed)?;
            if let Some(before) = before {
                let what = format!("The run {before} loaded exactly this: same version, parameters and inputs.");
                return Err(invalid(
                    Problem::error(what).help("Load it once more with --again, or reverse that run first: weir ledger reverse."),
                ));
            }
        }
        waived(project, &person, &certificate).map_err(RunError::Failed)?;
        let intent = Intent { files: computed.files, loads: computed.loads, rows: computed.rows, certificate };
        publish::publish(project, &folder.path, &intent, &computed.requests).await
    };
    let certificate = result.map_err(RunError::Failed)?;
    folder.keep();
    Ok(certificate)
}

/// The waiver that was asked for, if the person may give it.
fn waiver(request: &Request<'_>, checked: &Checked, person: &Person) -> Result<Option<Waiver>, Problem> {
    let Options { waive, reason, .. } = &request.options;
    if waive.is_empty() {
        return Ok(None);
    }
    allow(request.project, person, Act::Waive)?;
    if reason.trim().is_empty() {
        return Err(Problem::error("A control is waived for a reason.").help("Say it: --reason \"why\"."));
    }
    let controls = || checked.steps.iter().filter(|(_, step)| !step.planned.checks.is_empty()).map(|(id, _)| id.as_str());
    if let Some(unknown) = waive.iter().find(|node| !controls().any(|id| id == node.as_str())) {
        let help = did_you_mean(unknown, controls())
            .unwrap_or_else(|| format!("Its controls are: {}.", controls().collect::<Vec<_>>().join(", ")));
        return Err(Problem::error(format!("There is no control \"{unknown}\" to waive.")).help(help));
    }
    Ok(Some(Waiver { by: person.id.clone(), reason: reason.clone() }))
}

/// Notes each waived control in the audit chain, before anything is published.
fn waived(project: &Project, person: &Person, certificate: &Certificate) -> Result<(), Problem> {
    for verdict in &certificate.verdicts {
        let Some(waiver) = &verdict.waived else { continue };
        let detail = serde_json::json!({ "run": certificate.run, "step": verdict.node, "control": verdict.title, "reason": waiver.reason });
        let audit = crate::audit::Audit::open(&project.audit());
        audit.append(crate::audit::Event::Waive, &person.id, &certificate.run, detail)?;
    }
    Ok(())
}

fn step_proofs(checked: &Checked, computed: &stage::Computed) -> Vec<StepProof> {
    let rows = |wire: &WireId| computed.observed.get(wire).map(|seen| seen.rows);
    checked
        .order
        .iter()
        .filter(|node| computed.demand.needed.iter().any(|flow| flow.node == **node) || !checked.steps[*node].planned.sinks.is_empty())
        .map(|node| {
            let step = &checked.steps[node];
            let rows_in = step
                .wires
                .iter()
                .map(|(port, wires)| (port.clone(), wires.iter().map(rows).try_fold(0, |sum, rows| Some(sum + rows?))))
                .collect();
            let rows_out = step
                .ports
                .outputs
                .iter()
                .map(|port| {
                    let seen = step.outlet(port.name).and_then(|(flow, outlet)| rows(&WireId { node: node.clone(), flow, outlet }));
                    (port.name.to_owned(), seen)
                })
                .collect::<BTreeMap<_, _>>();
            let millis = computed.times.get(node).map_or(0, |time| time.as_millis() as u64);
            StepProof { node: node.clone(), kind: step.kind.identity.id.to_owned(), rows_in, rows_out, millis }
        })
        .collect()
}

/// A run's folder; its staging goes when the run ends, all of it when the run comes to no verdict.
struct RunFolder {
    path: PathBuf,
    kept: bool,
}

impl RunFolder {
    fn create(path: PathBuf) -> std::io::Result<Self> {
        fs::create_dir_all(path.join("staging"))?;
        Ok(Self { path, kept: false })
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // With an intent in it the folder is needed to recover, whatever happened; otherwise what cannot be removed
        // now is only clutter.
        if self.kept {
            let _ = fs::remove_dir_all(self.path.join("staging"));
        } else if !self.path.join("publish.json").exists() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A run's id: the time it started, so that ids sort by time, and something no other process has.
fn run_id(started: SystemTime) -> String {
    let time = chrono::DateTime::<chrono::Utc>::from(started);
    let unique = blake3::hash(format!("{:?} {}", started, std::process::id()).as_bytes());
    format!("{}-{}", time.format("%Y%m%dT%H%M%S%.6fZ"), &unique.to_hex()[..6])
}

fn utc(time: SystemTime) -> String {
    written(time.into())
}
