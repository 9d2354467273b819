//! The stages of a run: computes every flow that is needed, observes it, and writes what is loaded into staging.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use weir_nodes::kind::Writing;
use weir_nodes::{Problem, Sink};

use super::certificate::OutputProof;
use super::digest::Digest;
use super::publish::{StagedFile, StagedLoad, StagedRequests, StagedRows};
use super::{Progress, RunError};
use crate::check::Checked;
use crate::ledger;
use crate::plan::assemble::{Assembly, Demand, FlowId, SinkStage, Tapped};
use crate::plan::error::StepError;
use crate::plan::spool::Spool;
use crate::plan::tap::Observed;
use crate::plan::{Limits, WireId, session};
use crate::project::Project;

/// What the stages gave.
#[derive(Debug)]
pub(crate) struct Computed {
    pub(crate) demand: Demand,
    pub(crate) observed: BTreeMap<WireId, Observed>,
    pub(crate) times: BTreeMap<String, Duration>,
    pub(crate) files: Vec<StagedFile>,
    pub(crate) loads: Vec<StagedLoad>,
    pub(crate) rows: Vec<StagedRows>,
    pub(crate) requests: Vec<StagedRequests>,
    pub(crate) outputs: Vec<OutputProof>,
    /// The rows of each output as a table, where they were kept as such.
    pub(crate) tables: Vec<PathBuf>,
}

/// What becomes of the rows that sinks take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// They are written as the sinks load them.
    AsLoaded,
    /// They are written as plain tables, to be compared; nothing is to be loaded.
    AsRows,
}

/// What every row of the ledger says of its origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp<'a> {
    pub(crate) run: &'a str,
    pub(crate) version: &'a str,
}

/// Runs every stage. `folder` is the run's own.
pub(crate) async fn compute(
    checked: &Checked,
    limits: &Limits,
    folder: &Path,
    project: &Project,
    stamp: Stamp<'_>,
    keep: Keep,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Computed, RunError> {
    let failed = |node: Option<&str>| {
        let node = node.map(str::to_owned);
        move |error: DataFusionError| run_error(&error, node.as_deref())
    };
    let demand = Demand::of(checked).map_err(failed(None))?;
    let staging = folder.join("staging");
    let context = session::session(limits, &staging).map_err(failed(None))?;
    let mut assembly = Assembly::new(checked, &demand);
    let mut seen = Observations { checked, progress, observed: BTreeMap::new(), times: BTreeMap::new() };
    let (mut files, mut loads, mut rows, mut requests, mut outputs) = (vec![], vec![], vec![], vec![], vec![]);
    let mut tables = Vec::new();

    for id in &demand.stored {
        let spool = async {
            let plan = assembly.whole(id)?;
            let physical = physical(&context, &plan).await?;
            Spool::store(physical, context.task_ctx(), &staging, &format!("{}.{}", id.node, id.flow), None).await
        };
        let spool = spool.await.map_err(failed(Some(&id.node)))?;
        seen.take(assembly.take_taps());
        assembly.keep(id.clone(), spool);
    }
    // A file of several parts stays open from one sink to the next.
    let mut open: Option<Box<dyn Writing>> = None;
    for (number, stage) in demand.sinks.iter().enumerate() {
        let goes_on = demand.sinks.get(number + 1).is_some_and(|next| next.node == stage.node && next.sink.is_part());
        let staged = staging.join(format!("{number}-{}", stage.node));
        let written = async {
            let plan = assembly.sink(&stage.wire)?;
            let physical = physical(&context, &plan).await?;
            let stream = execute_stream(physical, context.task_ctx())?;
            write(stage, stream, &staged, stamp, keep, open.take()).await
        };
        let (digest, writer) = written.await.map_err(failed(Some(&stage.node)))?;
        seen.take(assembly.take_taps());
        match writer {
            Some(writer) if goes_on => open = Some(writer),
            Some(writer) => writer.finish().and_then(|file| Ok(file.sync_all()?)).map_err(failed(Some(&stage.node)))?,
            None => {}
        }
        if keep == Keep::AsRows {
            tables.push(staged.clone());
        }
        let target = match &stage.sink {
            Sink::File { path, part, .. } => {
                let target = project.path(path);
                // A part was written into the file that the first one opened.
                if !files.iter().any(|file: &StagedFile| file.target == target) {
                    files.push(StagedFile { staged, target });
                }
                part.as_ref().map_or_else(|| format!("file:{path}"), |part| format!("file:{path}#{part}"))
            }
            Sink::Ledger { table, mode, .. } => {
                loads.push(StagedLoad { staged, folder: None, table: table.clone(), mode: mode.clone() });
                format!("ledger:{table}")
            }
            Sink::Lake { path, mode, .. } => {
                loads.push(StagedLoad::elsewhere(staged, &project.path(path), mode.clone()));
                format!("delta:{path}")
            }
            Sink::Http { connection, resource, batch, .. } => {
                requests.push(StagedRequests {
                    staged,
                    connection: connection.clone(),
                    resource: resource.clone(),
                    batch: *batch as usize,
                });
                format!("{connection}{resource}")
            }
            Sink::Database { connection, table, mode, .. } => {
                rows.push(StagedRows { staged, connection: connection.clone(), table: table.clone(), mode: mode.clone() });
                format!("{connection}:{table}")
            }
        };
        outputs.push(OutputProof { node: stage.node.clone(), target, rows: digest.rows(), digest: digest.finish() });
    }
    // What nothing loads but a control looks at; and what a control looks at but was not read to its end (a join
    // whose other side is empty reads no more than it must).
    let unread: Vec<FlowId> = demand.judged.iter().filter(|id| !seen.has(id)).cloned().collect();
    for id in demand.drained.iter().chain(&unread) {
        if seen.has(id) {
            continue;
        }
        let drained = async {
            let plan = assembly.whole(id)?;
            let physical = physical(&context, &plan).await?;
            let mut stream = execute_stream(physical, context.task_ctx())?;
            while let Some(batch) = stream.next().await {
                batch?;
            }
            Ok(())
        };
        drained.await.map_err(failed(Some(&id.node)))?;
        seen.take(assembly.take_taps());
    }
    let Observations { observed, times, .. } = seen;
    Ok(Computed { demand, observed, times, files, loads, rows, requests, outputs, tables })
}

/// What the taps have seen so far.
struct Observations<'a> {
    checked: &'a Checked,
    progress: &'a (dyn Fn(Progress) + Send + Sync),
    observed: BTreeMap<WireId, Observed>,
    times: BTreeMap<String, Duration>,
}

impl Observations<'_> {
    /// Takes the figures of taps that were read to their end.
    fn take(&mut self, taps: Vec<Tapped>) {
        let mut steps: Vec<String> = Vec::new();
        for tapped in taps.into_iter().filter(|tapped| tapped.state.complete()) {
            let (_, time) = tapped.state.progress();
            let known = self.times.entry(tapped.flow.node.clone()).or_default();
            *known = time.max(*known);
            if !steps.contains(&tapped.flow.node) {
                steps.push(tapped.flow.node.clone());
            }
            self.observed.extend(tapped.observed());
        }
        for node in steps {
            let rows = self
                .observed
                .iter()
                .filter(|(wire, _)| wire.node == node)
                .map(|(wire, seen)| {
                    let outlet = &self.checked.steps[&node].planned.flows[wire.flow].outlets[wire.outlet];
                    (outlet.port.to_owned(), seen.rows)
                })
                .collect();
            (self.progress)(Progress::Step { time: self.times.get(&node).copied().unwrap_or_default(), node, rows });
        }
    }

    /// Whether every outlet of a flow was observed to its end.
    fn has(&self, id: &FlowId) -> bool {
        let outlets = self.checked.steps[&id.node].planned.flows[id.flow].outlets.len();
        (0..outlets).all(|outlet| self.observed.contains_key(&WireId { node: id.node.clone(), flow: id.flow, outlet }))
    }
}

async fn physical(context: &SessionContext, plan: &LogicalPlan) -> Result<Arc<dyn ExecutionPlan>> {
    let physical = context.state().create_physical_plan(plan).await?;
    if std::env::var_os("WEIR_EXPLAIN").is_some() {
        eprintln!("{}", datafusion::physical_plan::displayable(physical.as_ref()).indent(false));
    }
    Ok(physical)
}

/// Writes a sink's rows into its staged file, and takes their digest. `open` is the file that earlier parts are in; a
/// file is handed back for those that follow.
async fn write(
    stage: &SinkStage,
    mut stream: SendableRecordBatchStream,
    staged: &Path,
    stamp: Stamp<'_>,
    keep: Keep,
    open: Option<Box<dyn Writing>>,
) -> Result<(Digest, Option<Box<dyn Writing>>)> {
    let schema = stream.schema();
    let mut digest = Digest::new(&schema);
    let created = || File::create(staged);
    match &stage.sink {
        Sink::File { format, .. } | Sink::Http { format, .. } if keep == Keep::AsLoaded => {
            let mut writer = match (open, &stage.sink) {
                (Some(mut writer), Sink::File { part: Some(part), .. }) => {
                    writer.next(part, schema)?;
                    writer
                }
                _ => format.open(created()?, schema)?,
            };
            while let Some(batch) = stream.next().await.transpose()? {
                digest.update(&batch)?;
                writer.write(&batch)?;
            }
            return Ok((digest, Some(writer)));
        }
        Sink::Lake { .. } if keep == Keep::AsLoaded => {
            let plain = ledger::plain_schema(&schema);
            let mut writer = ArrowWriter::try_new(created()?, Arc::clone(&plain), None)?;
            while let Some(batch) = stream.next().await.transpose()? {
                digest.update(&batch)?;
                writer.write(&ledger::plain(&batch, &plain)?)?;
            }
            writer.into_inner()?.sync_all()?;
        }
        Sink::Ledger { .. } if keep == Keep::AsLoaded => {
            let stamped = ledger::stamped_schema(&schema);
            let mut writer = ArrowWriter::try_new(created()?, Arc::clone(&stamped), None)?;
            while let Some(batch) = stream.next().await.transpose()? {
                let first = digest.rows() + 1;
                digest.update(&batch)?;
                writer.write(&ledger::stamped(&batch, &stamped, stamp.run, stamp.version, first)?)?;
            }
            writer.into_inner()?.sync_all()?;
        }
        _ => {
            let mut writer = ArrowWriter::try_new(created()?, Arc::clone(&schema), None)?;
            while let Some(batch) = stream.next().await.transpose()? {
                digest.update(&batch)?;
                writer.write(&batch)?;
            }
            writer.into_inner()?.sync_all()?;
        }
    }
    Ok((digest, None))
}

fn run_error(error: &DataFusionError, node: Option<&str>) -> RunError {
    if let Some(problem) = StepError::problem(error) {
        return RunError::Invalid(vec![problem]);
    }
    let (found, message) = StepError::explain(error);
    let problem = Problem::error(message);
    RunError::Failed(match found.as_deref().or(node) {
        Some(node) => problem.at_node(node),
        None => problem,
    })
}
