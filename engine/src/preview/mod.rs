//! What a step shows. [`preview`] gives the first rows of a port once; [`Previews`] keeps what was computed, so that a
//! change recomputes only what lies downstream of it, shows a sample first where the inputs are large, and can be
//! cancelled: dropping a future stops its work.

pub mod cell;
mod fingerprint;
mod grid;
mod profile;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::{DataFusionError, Result};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::physical_plan::{collect, execute_stream};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use weir_nodes::formula::{self, Mistake};
use weir_nodes::table::{OrderKey, column};
use weir_nodes::{Problem, Table};

pub use fingerprint::Fingerprint;
pub use grid::{Count, Exactness, Grid};
pub use profile::Profile;

use crate::check::Checked;
use crate::plan::assemble::FlowId;
use crate::plan::error::StepError;
use crate::plan::pieces::{Pieces, Purpose};
use crate::plan::tap::{TapState, tap};
use crate::plan::wire::{WireId, connect};
use crate::plan::{Limits, session};

/// Inputs with more bytes than this are shown as a sample first.
const LARGE: u64 = 8 * 1024 * 1024;
/// Rows of each input that a sample takes.
const SAMPLE_ROWS: usize = 10_000;
/// What kept results may take before the oldest go.
const KEPT_BYTES: u64 = 4 << 30;

/// The first rows of a step.
#[derive(Debug)]
pub struct Page {
    /// The step.
    pub node: String,
    /// The port.
    pub port: &'static str,
    /// The rows: exact, in order, never a sample.
    pub rows: RecordBatch,
    /// Whether these are all there are.
    pub complete: bool,
}

fn failed(node: &str) -> impl Fn(DataFusionError) -> Problem {
    move |error| {
        if let Some(problem) = StepError::problem(&error) {
            return problem;
        }
        let (found, message) = StepError::explain(&error);
        Problem::error(message).at_node(found.as_deref().unwrap_or(node))
    }
}

fn workspace() -> Result<tempfile::TempDir, Problem> {
    tempfile::Builder::new().prefix("weir-").tempdir().map_err(|error| {
        Problem::error(format!("There is no room to work in: {error}.")).help("Free space in the folder for temporary files.")
    })
}

/// The first `rows` rows that leave by `NODE` or `NODE.PORT`. The steps before it are computed as far as needed.
pub async fn preview(checked: &Checked, reference: &str, rows: usize, limits: &Limits) -> Result<Page, Problem> {
    let (step, node, port) = checked.find_port(reference)?;
    let spill = workspace()?;
    let result = async {
        let (Some(table), Some((flow, _))) = (step.table(port), step.outlet(port)) else {
            return datafusion::common::internal_err!("the port {port} is no outlet");
        };
        let context = session::session(limits, spill.path())?;
        let target = BTreeSet::from([FlowId { node: node.clone(), flow }]);
        let pieces = Pieces::of(checked, &target, Purpose::Show, &context, spill.path()).await?;
        // One more row than asked for tells whether there are more.
        let table = table?;
        let plan = Table::new(pieces.piece(&table.plan)?, table.order).shown(Some(rows.saturating_add(1)))?;
        let physical = context.state().create_physical_plan(&plan).await?;
        let schema = physical.schema();
        let batches = collect(physical, context.task_ctx()).await?;
        Ok(arrow::compute::concat_batches(&schema, &batches)?)
    }
    .await;
    let all = result.map_err(failed(&node))?;
    let complete = all.num_rows() <= rows;
    Ok(Page { node, port, rows: all.slice(0, all.num_rows().min(rows)), complete })
}

/// How the rows of a grid are looked at without changing the workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// A condition over the columns, as a formula; empty shows all rows.
    pub filter: String,
    /// Columns to sort by, the first one first, with whether the largest come first.
    pub sort: Vec<(String, bool)>,
}

impl View {
    /// Whether it shows the rows as they are.
    pub fn is_plain(&self) -> bool {
        self.filter.trim().is_empty() && self.sort.is_empty()
    }
}

/// The different values of some columns, with how often they occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    /// The values, one for each column asked for, with the rows that hold them; most frequent first.
    pub values: Vec<(Vec<Option<String>>, u64)>,
    /// All rows.
    pub rows: u64,
    /// The first column of exact amounts, and its total.
    pub amount: Option<(String, String)>,
    /// Whether values were left out because there are too many.
    pub cut: bool,
}

/// Keeps what was computed for the steps of one or more workflows.
pub struct Previews {
    limits: Limits,
    folder: tempfile::TempDir,
    context: SessionContext,
    kept: Mutex<Kept>,
    numbers: AtomicU64,
}

impl std::fmt::Debug for Previews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Previews").field("limits", &self.limits).field("folder", &self.folder.path()).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Kept {
    grids: BTreeMap<Key, (u64, Arc<Grid>)>,
    clock: u64,
}

type Key = (Fingerprint, usize, usize);

impl Previews {
    /// A place to keep results in.
    pub fn new(limits: Limits) -> Result<Self, Problem> {
        let folder = workspace()?;
        let context = session::session(&limits, folder.path()).map_err(failed(""))?;
        Ok(Self { limits, folder, context, kept: Mutex::default(), numbers: AtomicU64::new(0) })
    }

    /// Whether the rows of a port depend on so much data that a sample should be shown first.
    pub fn is_large(&self, checked: &Checked, reference: &str) -> bool {
        let Ok((_, node, _)) = checked.find_port(reference) else { return false };
        let fingerprints = fingerprint::fingerprints(checked);
        let mut bytes = 0;
        let mut open = vec![node];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            let Some(step) = checked.steps.get(&id) else { continue };
            if !seen.insert(id.clone()) {
                continue;
            }
            bytes += step.sources.iter().filter_map(|source| Some(std::fs::metadata(source).ok()?.len())).sum::<u64>();
            for wire in step.wires.iter().flat_map(|(_, wires)| wires) {
                match self.find(&fingerprints, wire) {
                    Some(grid) => bytes += grid.bytes(),
                    None => open.push(wire.node.clone()),
                }
            }
        }
        bytes > LARGE
    }

    /// The rows of a port computed from the first rows of each input: at once, and said to be a sample.
    pub async fn sample(&self, checked: &Checked, reference: &str) -> Result<Arc<Grid>, Problem> {
        let (_, node, port) = checked.find_port(reference)?;
        let wire = outlet(checked, &node, port)?;
        let mut taps = Taps { counts: Vec::new(), known: Vec::new(), sample: true };
        let result = async {
            let table = self.table(checked, &BTreeMap::new(), &wire, &mut taps)?;
            let grid = self.grid(&node, port, Exactness::Sample, &table);
            grid.fill(self.ordered(&table, None).await?).await?;
            Ok(grid)
        };
        let grid = result.await.map_err(failed(&node))?;
        grid.complete(vec![]);
        Ok(grid)
    }

    /// All rows of a port, exact. `started` gets the grid while it grows; what was computed before is used again.
    pub async fn exact(&self, checked: &Checked, reference: &str, started: impl FnOnce(Arc<Grid>) + Send) -> Result<Arc<Grid>, Problem> {
        let (step, node, port) = checked.find_port(reference)?;
        let fingerprints = fingerprint::fingerprints(checked);
        let wire = outlet(checked, &node, port)?;
        if let Some(grid) = self.find(&fingerprints, &wire) {
            started(Arc::clone(&grid));
            return Ok(grid);
        }
        // What arrives is kept too: the next change of this step starts from there.
        for wire in step.wires.iter().flat_map(|(_, wires)| wires) {
            if self.find(&fingerprints, wire).is_none() {
                self.compute(checked, &fingerprints, wire, |_| ()).await?;
            }
        }
        self.compute(checked, &fingerprints, &wire, started).await
    }

    /// The rows that arrive on an input port by one of its wires, exact.
    pub async fn arriving(&self, checked: &Checked, node: &str, port: &str, index: usize) -> Result<Arc<Grid>, Problem> {
        let missing = || Problem::error(format!("Nothing arrives on \"{port}\".")).at_node(node);
        let wire = checked.steps.get(node).and_then(|step| step.wire(port, index)).ok_or_else(missing)?.clone();
        let fingerprints = fingerprint::fingerprints(checked);
        match self.find(&fingerprints, &wire) {
            Some(grid) => Ok(grid),
            None => self.compute(checked, &fingerprints, &wire, |_| ()).await,
        }
    }

    async fn compute(
        &self,
        checked: &Checked,
        fingerprints: &BTreeMap<String, Fingerprint>,
        wire: &WireId,
        started: impl FnOnce(Arc<Grid>) + Send,
    ) -> Result<Arc<Grid>, Problem> {
        let node = wire.node.clone();
        let mut taps = Taps { counts: Vec::new(), known: Vec::new(), sample: false };
        let result = async {
            let port = checked.steps[&node].planned.flows[wire.flow].outlets[wire.outlet].port;
            let table = self.table(checked, fingerprints, wire, &mut taps)?;
            let grid = self.grid(&node, port, Exactness::Exact, &table);
            started(Arc::clone(&grid));
            grid.fill(self.ordered(&table, None).await?).await?;
            Ok(grid)
        };
        let grid = result.await.map_err(failed(&node))?;
        let mut counts: Vec<Count> = taps
            .counts
            .iter()
            .filter(|(_, state)| state.complete())
            .map(|(wire, state)| Count {
                node: wire.node.clone(),
                port: checked.steps[&wire.node].planned.flows[wire.flow].outlets[wire.outlet].port.to_owned(),
                rows: state.progress().0,
            })
            .collect();
        counts.append(&mut taps.known);
        counts.push(Count { node: node.clone(), port: grid.port.clone(), rows: grid.rows() });
        grid.complete(counts);
        self.keep((fingerprints[&node], wire.flow, wire.outlet), &grid);
        Ok(grid)
    }

    /// The rows of a grid, filtered and sorted: a grid of its own. A filter that is no condition gives its mistakes.
    pub async fn view(&self, grid: &Arc<Grid>, view: &View, parameters: &BTreeMap<String, ScalarValue>) -> Result<Arc<Grid>, Vec<Problem>> {
        let fail = |error| vec![failed(&grid.node)(error)];
        let mut table = grid.table(self.limits.threads).map_err(fail)?;
        if !view.filter.trim().is_empty() {
            let typed = compile(&view.filter, &table, parameters).map_err(|mistakes| {
                mistakes.into_iter().map(|m| Problem { help: m.help, ..Problem::error(m.message).at(m.span) }).collect::<Vec<_>>()
            })?;
            if typed.data_type != DataType::Boolean {
                let problem = Problem::error("This must be true or false.").help("Compare a column with something: [Amount] > 0.");
                return Err(vec![problem]);
            }
            table = table.filter(typed.expr).map_err(fail)?;
        }
        let mut order: Vec<OrderKey> = Vec::new();
        for (name, descending) in &view.sort {
            order.push(OrderKey { descending: *descending, ..OrderKey::ascending(name.clone(), name.clone()) });
        }
        order.append(&mut table.order);
        let table = Table::new(table.plan, order);
        let result = async {
            let shown = self.grid(&grid.node, &grid.port, grid.exactness, &table);
            shown.fill(self.ordered(&table, None).await?).await?;
            shown.complete(vec![]);
            Ok(shown)
        };
        result.await.map_err(fail)
    }

    /// What a formula gives for the first rows of a grid, as text; its mistakes when it is none.
    pub async fn evaluate(
        &self,
        grid: &Arc<Grid>,
        formula: &str,
        rows: usize,
        parameters: &BTreeMap<String, ScalarValue>,
    ) -> Result<(DataType, Vec<Option<String>>), Vec<Mistake>> {
        let trouble = |message: String| vec![Mistake { span: 0..formula.len(), message, help: None }];
        let fail = |error: DataFusionError| trouble(failed(&grid.node)(error).message);
        let table = grid.table(1).map_err(fail)?;
        let typed = compile(formula, &table, parameters)?;
        let result = async {
            let first = LogicalPlanBuilder::from(table.plan.clone()).limit(0, Some(rows))?.build()?;
            let plan = LogicalPlanBuilder::from(first).project(vec![typed.expr.clone().alias("value")])?.build()?;
            self.rows(&plan).await
        };
        let batch = result.await.map_err(fail)?;
        let values = (0..batch.num_rows()).map(|row| cell::cell(batch.column(0), row)).collect();
        Ok((typed.data_type, values))
    }

    /// The different values of some columns of a grid, at most `most`.
    pub async fn values(&self, grid: &Arc<Grid>, columns: &[String], most: usize) -> Result<Values, Problem> {
        let result = async {
            let table = grid.table(self.limits.threads)?;
            let keys: Vec<_> =
                columns.iter().enumerate().map(|(i, name)| cast(column(name), DataType::Utf8View).alias(format!("k{i}"))).collect();
            let order = std::iter::once(column("rows").sort(false, false))
                .chain((0..columns.len()).map(|i| column(&format!("k{i}")).sort(true, false)));
            let plan = LogicalPlanBuilder::from(table.plan)
                .aggregate(keys, vec![count(lit(1)).alias("rows")])?
                .sort(order.collect::<Vec<_>>())?
                .limit(0, Some(most + 1))?
                .build()?;
            self.rows(&plan).await
        };
        let batch = result.await.map_err(failed(&grid.node))?;
        let cut = batch.num_rows() > most;
        let values = (0..batch.num_rows().min(most))
            .map(|row| {
                let keys = (0..columns.len()).map(|i| cell::cell(batch.column(i), row)).collect();
                let rows = cell::cell(batch.column(columns.len()), row).and_then(|text| text.parse().ok()).unwrap_or(0);
                (keys, rows)
            })
            .collect();
        Ok(Values { values, rows: grid.rows(), amount: self.amount(grid).await.map_err(failed(&grid.node))?, cut })
    }

    /// The total of the first decimal column with places, as money has.
    async fn amount(&self, grid: &Arc<Grid>) -> Result<Option<(String, String)>> {
        let schema = grid.columns();
        let money = schema.fields().iter().find(|field| matches!(field.data_type(), DataType::Decimal128(_, places) if *places > 0));
        let Some(money) = money else { return Ok(None) };
        let total = weir_nodes::number::sum(column(money.name()), money.name()).alias("total");
        let plan =
            LogicalPlanBuilder::from(grid.table(1)?.plan).aggregate(Vec::<datafusion::logical_expr::Expr>::new(), vec![total])?.build()?;
        let batch = self.rows(&plan).await?;
        Ok(Some((money.name().clone(), cell::cell(batch.column(0), 0).unwrap_or_else(|| "0".into()))))
    }

    async fn rows(&self, plan: &LogicalPlan) -> Result<RecordBatch> {
        let physical = self.context.state().create_physical_plan(plan).await?;
        let schema = physical.schema();
        let batches = collect(physical, self.context.task_ctx()).await?;
        Ok(arrow::compute::concat_batches(&schema, &batches)?)
    }

    fn grid(&self, node: &str, port: &str, exactness: Exactness, table: &Table) -> Arc<Grid> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let folder: PathBuf = self.folder.path().join(format!("grid-{number}"));
        let schema: Schema = table.plan.schema().as_arrow().clone();
        Arc::new(Grid::new(node, port, exactness, Arc::new(schema), table.order.clone(), folder))
    }

    /// The rows of a table in order, hidden columns included.
    async fn ordered(&self, table: &Table, limit: Option<usize>) -> Result<datafusion::execution::SendableRecordBatchStream> {
        let mut builder = LogicalPlanBuilder::from(table.plan.clone());
        if !table.order.is_empty() {
            builder = builder.sort_with_limit(table.sort_exprs(), limit)?;
        }
        let physical = self.context.state().create_physical_plan(&builder.build()?).await?;
        execute_stream(physical, self.context.task_ctx())
    }

    /// What leaves by a wire, from the nearest results that are kept.
    fn table(&self, checked: &Checked, fingerprints: &BTreeMap<String, Fingerprint>, wire: &WireId, taps: &mut Taps) -> Result<Table> {
        let flow = &checked.steps[&wire.node].planned.flows[wire.flow];
        let own = flow.outlet_table(&flow.outlets[wire.outlet], &flow.table)?;
        let leaf = checked.steps[&wire.node].wires.iter().all(|(_, wires)| wires.is_empty());
        let mut plan = connect(&own.plan, |wire| {
            let table = match self.find(fingerprints, wire) {
                Some(grid) => {
                    taps.known.extend(grid.counts());
                    return Ok(grid.table(self.limits.threads)?.plan);
                }
                None => self.table(checked, fingerprints, wire, taps)?,
            };
            Ok(table.plan)
        })?;
        if leaf && taps.sample {
            let first = LogicalPlanBuilder::from(plan).sort_with_limit(own.sort_exprs(), Some(SAMPLE_ROWS))?;
            plan = first.limit(0, Some(SAMPLE_ROWS))?.build()?;
        }
        let state = TapState::new(&wire.node);
        taps.counts.push((wire.clone(), Arc::clone(&state)));
        Ok(Table::new(tap(plan, vec![], state), own.order))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, fingerprints: &BTreeMap<String, Fingerprint>, wire: &WireId) -> Option<Arc<Grid>> {
        let key = (*fingerprints.get(&wire.node)?, wire.flow, wire.outlet);
        let mut kept = self.kept();
        kept.clock += 1;
        let clock = kept.clock;
        let (used, grid) = kept.grids.get_mut(&key)?;
        *used = clock;
        Some(Arc::clone(grid))
    }

    fn keep(&self, key: Key, grid: &Arc<Grid>) {
        let mut kept = self.kept();
        kept.clock += 1;
        let clock = kept.clock;
        kept.grids.insert(key, (clock, Arc::clone(grid)));
        let mut bytes: u64 = kept.grids.values().map(|(_, grid)| grid.bytes()).sum();
        while bytes > KEPT_BYTES && kept.grids.len() > 1 {
            let Some(oldest) = kept.grids.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key) else { break };
            if let Some((_, grid)) = kept.grids.remove(&oldest) {
                bytes -= grid.bytes();
            }
        }
    }
}

struct Taps {
    counts: Vec<(WireId, Arc<TapState>)>,
    /// Counts that the kept results brought along.
    known: Vec<Count>,
    sample: bool,
}

fn outlet(checked: &Checked, node: &str, port: &str) -> Result<WireId, Problem> {
    let found = checked.steps.get(node).and_then(|step| step.outlet(port));
    let (flow, outlet) = found.ok_or_else(|| Problem::error(format!("The port {port} has no rows.")).at_node(node))?;
    Ok(WireId { node: node.to_owned(), flow, outlet })
}

fn compile(text: &str, table: &Table, parameters: &BTreeMap<String, ScalarValue>) -> Result<formula::Typed, Vec<Mistake>> {
    let columns: Vec<(String, DataType)> = table.fields().map(|f| (f.name().clone(), f.data_type().clone())).collect();
    let site = formula::Site::new("value", table);
    formula::compile(text, &formula::Scope { columns: &columns, parameters, site: &site })
}
