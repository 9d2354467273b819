//! A figure followed back to the rows, the file and line, the rule and the people behind it (seed 000, B.5: the
//! time-travel debugger); and a row that did not arrive followed to the step that dropped it.
//!
//! Two passes: plans that carry lineage say which rows of the sources a figure is made of ([`lineage`]); then those rows
//! alone go through the workflow again, which gives the values at every step and shows that they make the figure.

mod lineage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use arrow::compute::{SortColumn, SortOptions, concat_batches, lexsort_to_indices};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, Result as Planned};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::prelude::SessionContext;
use weir_nodes::Problem;
use weir_nodes::formula::{Scope, Site, compile};
use weir_nodes::param::{quoted, reference};
use weir_nodes::table::{Table, column, is_hidden};

use crate::approval::approved;
use crate::check::{self, Checked};
use crate::history::History;
use crate::ledger::{Ledger, RUN};
use crate::plan::assemble::{extent, untapped};
use crate::plan::error::StepError;
use crate::plan::{Limits, WireId, session};
use crate::preview::cell::cell;
use crate::project::Project;
use crate::run::{Proving, certificate_of};
use crate::workflow::{PortRef, Workflow};
use lineage::{Leaf, carrier, holds, traced};

/// The most operators of a plan that is followed back in one piece.
pub(crate) const LARGEST: u64 = 1_500;

/// Whether what leaves by a port (`NODE.PORT`) can be followed back in one piece.
pub fn is_traceable(checked: &Checked, reference: &str) -> bool {
    checked.find_port(reference).is_ok_and(|(_, node, port)| extent(checked, &node, port) <= LARGEST)
}

/// Rows of a source.
#[derive(Debug, Clone)]
pub struct SourceRows {
    /// The step that reads it.
    pub node: String,
    /// What a position is called: `data/deals.csv line`.
    pub label: String,
    /// The position of each row.
    pub positions: Vec<i64>,
    /// The rows.
    pub rows: RecordBatch,
}

/// What a figure looks like at a step.
#[derive(Debug, Clone)]
pub struct StepRows {
    /// The step.
    pub node: String,
    /// What it is.
    pub kind: &'static str,
    /// The port by which the rows leave.
    pub port: String,
    /// The rows there.
    pub rows: RecordBatch,
}

/// The rule behind a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The workflow's file.
    pub workflow: String,
    /// The hash of what it means.
    pub version: String,
    /// The saved version: number, author, message.
    pub saved: Option<(u64, String, String)>,
    /// Who approved it, and when.
    pub approved: Option<(String, String)>,
    /// The run that loaded the figure.
    pub run: Option<String>,
}

/// A figure followed back.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The rows that were asked about.
    pub target: RecordBatch,
    /// The steps on the way, sources first.
    pub steps: Vec<StepRows>,
    /// The rows of the sources.
    pub sources: Vec<SourceRows>,
    /// Whether those rows alone give the figure again.
    pub reproduced: bool,
    /// The rule.
    pub rule: Rule,
}

/// What became of a row at a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The step.
    pub node: String,
    /// What it is.
    pub kind: &'static str,
    /// Rows made of it that leave, by port.
    pub leaving: Vec<(String, usize)>,
    /// Whether a later step takes any of them; for a load, whether they arrive.
    pub goes_on: bool,
}

/// A row followed forward.
#[derive(Debug, Clone)]
pub struct Missing {
    /// The rows that were asked about.
    pub source: SourceRows,
    /// The steps that it could reach, in order.
    pub passages: Vec<Passage>,
}

impl Missing {
    /// The steps after which nothing of it goes on.
    pub fn ends(&self) -> impl Iterator<Item = &Passage> {
        self.passages.iter().filter(|passage| !passage.goes_on)
    }

    /// The loads at which it arrives.
    pub fn arrivals(&self) -> impl Iterator<Item = &Passage> {
        self.passages.iter().filter(|passage| passage.leaving.is_empty())
    }
}

/// What is followed back.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The workflow.
    pub workflow: &'a Workflow,
    /// Its file, as the project knows it.
    pub file: String,
    /// `NODE` or `NODE.PORT`.
    pub port: String,
    /// Which rows: a formula, or a condition as SQL writes it.
    pub condition: &'a str,
    /// Only what this column depends on.
    pub column: Option<&'a str>,
    /// Values of the workflow's parameters.
    pub set: Vec<(String, String)>,
    /// The ledger table whose figure it is.
    pub table: Option<&'a str>,
    /// The run that loaded it, with the sources it read.
    pub run: Option<&'a crate::run::Certificate>,
}

fn said(error: &DataFusionError) -> Problem {
    let (node, message) = StepError::explain(error);
    let problem = Problem::error(message);
    match node {
        Some(node) => problem.at_node(&node),
        None => problem,
    }
}

/// A condition over a table's visible columns: a formula, else SQL.
fn condition(context: &SessionContext, table: &Table, checked: &Checked, text: &str) -> Result<Expr, Problem> {
    let columns: Vec<_> = table.fields().map(|field| (field.name().clone(), field.data_type().clone())).collect();
    let site = Site::new("where", table);
    let compiled = compile(text, &Scope { columns: &columns, parameters: &checked.parameters, site: &site });
    match compiled {
        Ok(typed) => Ok(typed.expr),
        Err(mistakes) => {
            let sql = context.state().create_logical_expr(text, table.schema());
            sql.map_err(|_| {
                let mistake = mistakes.into_iter().next();
                let names: Vec<&str> = table.names().collect();
                let problem = Problem::error(
                    mistake.as_ref().map_or_else(|| "The condition is not understood.".to_owned(), |mistake| mistake.message.clone()),
                );
                problem.help(mistake.and_then(|mistake| mistake.help).unwrap_or_else(|| format!("Its columns are: {}.", names.join(", "))))
            })
        }
    }
}

async fn collected(context: &SessionContext, plan: &LogicalPlan) -> Result<RecordBatch, Problem> {
    let rows = async {
        let physical = context.state().create_physical_plan(plan).await?;
        let schema = physical.schema();
        let batches = datafusion::physical_plan::collect(physical, context.task_ctx()).await?;
        Ok(concat_batches(&schema, &batches)?)
    };
    rows.await.map_err(|error| said(&error))
}

/// The rows of a table in its order, without hidden columns. They are few, and sorted here: the layer below can lose
/// track of an order that is made of copies of columns.
async fn shown(context: &SessionContext, table: &Table) -> Result<RecordBatch, Problem> {
    let rows = collected(context, &table.plan).await?;
    let keys = table.order.iter().filter_map(|key| {
        let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
        Some(SortColumn { values: Arc::clone(rows.column_by_name(&key.column)?), options: Some(options) })
    });
    let keys: Vec<SortColumn> = keys.collect();
    let sorted = || -> Result<RecordBatch, arrow::error::ArrowError> {
        if keys.is_empty() {
            return Ok(rows.clone());
        }
        arrow::compute::take_record_batch(&rows, &lexsort_to_indices(&keys, None)?)
    };
    sorted().map(|rows| visible(&rows)).map_err(|error| Problem::error(error.to_string()))
}

/// The steps that rows pass on their way to a port, sources first.
fn ancestors(checked: &Checked, node: &str) -> Vec<String> {
    let mut wanted: BTreeSet<&str> = BTreeSet::from([node]);
    for id in checked.order.iter().rev() {
        if wanted.contains(id.as_str()) {
            wanted.extend(checked.steps[id].wires.iter().flat_map(|(_, wires)| wires.iter().map(|wire| wire.node.as_str())));
        }
    }
    checked.order.iter().filter(|id| wanted.contains(id.as_str())).cloned().collect()
}

/// The table that leaves by a port, down to the sources in one plan.
fn whole(checked: &Checked, node: &str, port: &str) -> Result<Table, Problem> {
    let step = &checked.steps[node];
    let table = step.table(port).ok_or_else(|| Problem::error("This step has no such output.").at_node(node))?;
    table.and_then(|table| untapped(checked, &table)).map_err(|error| said(&error))
}

/// The positions in each scanned table that the rows of a plan are made of.
async fn positions(
    context: &SessionContext,
    table: &Table,
    asked: Expr,
    only: Option<&str>,
) -> Result<Vec<(Leaf, BTreeSet<i64>)>, Problem> {
    let mut plan = table.plan.clone();
    if let Some(only) = only {
        // What the column does not depend on goes before lineage is added.
        let asked_for = asked.column_refs().into_iter().cloned().collect::<Vec<_>>();
        let kept = plan
            .schema()
            .columns()
            .into_iter()
            .filter(|column| column.name == only || asked_for.iter().any(|other| other.name == column.name));
        let narrowed =
            LogicalPlanBuilder::from(plan).project(kept.map(Expr::Column).collect::<Vec<_>>()).and_then(LogicalPlanBuilder::build);
        plan = narrowed.and_then(|plan| pruned(&plan)).map_err(|error| said(&error))?;
    }
    let traced = analysed(context, &plan).and_then(|plan| traced(&plan)).map_err(|error| said(&error))?;
    let carriers: Vec<Expr> = traced.leaves.keys().map(|leaf| column(&carrier(*leaf))).collect();
    if carriers.is_empty() {
        return Ok(vec![]);
    }
    let plan =
        LogicalPlanBuilder::from(traced.plan).filter(asked).and_then(|plan| plan.project(carriers)).and_then(LogicalPlanBuilder::build);
    let rows = collected(context, &plan.map_err(|error| said(&error))?).await?;
    let mut found: Vec<(Leaf, BTreeSet<i64>)> = Vec::new();
    for (leaf, lists) in traced.leaves.into_values().zip(rows.columns()) {
        let mut all = BTreeSet::new();
        if let Some(lists) = lists.as_list_opt::<i32>() {
            for list in lists.iter().flatten() {
                all.extend(list.as_primitive::<Int64Type>().iter().flatten());
            }
        }
        match found.iter_mut().find(|(known, _)| known.table == leaf.table) {
            Some((_, known)) => known.extend(all),
            None => found.push((leaf, all)),
        }
    }
    Ok(found)
}

/// A plan whose shorthands are written out, such as the levels of subtotals.
fn analysed(context: &SessionContext, plan: &LogicalPlan) -> Planned<LogicalPlan> {
    let state = context.state();
    state.analyzer().execute_and_check(plan.clone(), state.config_options(), |_, _| {})
}

/// A plan without the expressions that nothing above them reads.
fn pruned(plan: &LogicalPlan) -> Planned<LogicalPlan> {
    use datafusion::optimizer::optimize_projections::OptimizeProjections;
    use datafusion::optimizer::{Optimizer, OptimizerContext};
    Optimizer::with_rules(vec![Arc::new(OptimizeProjections::new())]).optimize(plan.clone(), &OptimizerContext::new(), |_, _| {})
}

/// The rows of a scanned table at these positions, with their positions in front.
async fn rows_at(
    context: &SessionContext,
    checked: &Checked,
    leaf: &Leaf,
    wanted: &BTreeSet<i64>,
) -> Result<Option<(LogicalPlan, RecordBatch)>, Problem> {
    let mut scans = Vec::new();
    for flow in checked.steps.get(&leaf.node).into_iter().flat_map(|step| &step.planned.flows) {
        let looked = flow.table.plan.apply(|plan| {
            if let LogicalPlan::TableScan(scan) = plan
                && scan.table_name.table() == leaf.table
            {
                scans.push(plan.clone());
            }
            Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
        });
        looked.map_err(|error| said(&error))?;
    }
    let Some(scan) = scans.into_iter().next() else { return Ok(None) };
    let narrowed = |scan: LogicalPlan| -> Planned<LogicalPlan> {
        let own = scan.schema().columns();
        match &leaf.position {
            Some(position) => {
                let at = own.iter().find(|column| column.name == *position).cloned().map(Expr::Column);
                let listed = wanted.iter().map(|position| lit(*position)).collect();
                let chosen = at.map_or(lit(false), |at| at.in_list(listed, false));
                LogicalPlanBuilder::from(scan).filter(chosen)?.build()
            }
            // Counted as they were for the lineage.
            None => LogicalPlanBuilder::from(scan).sort(own.into_iter().map(|column| Expr::Column(column).sort(true, false)))?.build(),
        }
    };
    let rows = collected(context, &narrowed(scan.clone()).map_err(|error| said(&error))?).await?;
    let rows = match leaf.position {
        Some(_) => rows,
        None => {
            let chosen: Int64Array = wanted.iter().map(|position| position - 1).collect();
            arrow::compute::take_record_batch(&rows, &chosen).map_err(|error| Problem::error(error.to_string()))?
        }
    };
    Ok(Some((scan, rows)))
}

/// The plan over the rows that were found instead of the sources.
fn over(plan: &LogicalPlan, tables: &BTreeMap<String, RecordBatch>) -> Planned<LogicalPlan> {
    let replaced = plan.clone().transform_up(|plan| {
        let LogicalPlan::TableScan(scan) = &plan else { return Ok(Transformed::no(plan)) };
        let name = scan.table_name.table().to_owned();
        let schema = scan.source.schema();
        let rows = match tables.get(&name) {
            Some(rows) => rows.clone(),
            None => RecordBatch::new_empty(Arc::clone(&schema)),
        };
        let table = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
        let scan = LogicalPlanBuilder::scan(scan.table_name.clone(), provider_as_source(Arc::new(table)), scan.projection.clone())?;
        Ok(Transformed::yes(scan.build()?))
    })?;
    Ok(replaced.data)
}

fn visible(rows: &RecordBatch) -> RecordBatch {
    let own: Vec<usize> = (0..rows.num_columns()).filter(|i| !is_hidden(rows.schema().field(*i).name())).collect();
    rows.project(&own).unwrap_or_else(|_| rows.clone())
}

fn source_rows(leaf: &Leaf, rows: &RecordBatch) -> SourceRows {
    let positions =
        leaf.position.as_ref().and_then(|name| rows.column_by_name(name)).and_then(|array| array.as_primitive_opt::<Int64Type>().cloned());
    let positions = positions.map_or_else(|| (1..=rows.num_rows() as i64).collect(), |positions| positions.values().to_vec());
    SourceRows { node: leaf.node.clone(), label: leaf.label.clone(), positions, rows: visible(rows) }
}

/// The condition that a row fits, as a formula over its columns; floats and moments are left out.
pub fn row_condition(rows: &RecordBatch, row: usize) -> String {
    let schema = rows.schema();
    let mut parts = Vec::new();
    for (field, array) in schema.fields().iter().zip(rows.columns()) {
        let name = reference(field.name());
        if array.is_null(row) {
            parts.push(format!("ISBLANK({name})"));
            continue;
        }
        let Some(value) = cell(array, row) else { continue };
        let text = quoted(&value);
        match array.data_type() {
            DataType::Float64 | DataType::Timestamp(_, _) => {}
            DataType::Boolean => parts.push(format!("{name} = {}", value.to_uppercase())),
            DataType::Date32 => parts.push(format!("{name} = DATEVALUE({text})")),
            DataType::Int64 | DataType::Decimal128(_, _) => parts.push(format!("{name} = {value}")),
            _ => parts.push(format!("{name} = {text}")),
        }
    }
    match parts.len() {
        0 => "TRUE".into(),
        1 => parts.remove(0),
        _ => format!("AND({})", parts.join(", ")),
    }
}

/// Follows a figure back.
pub async fn back(project: &Project, question: &Question<'_>, limits: &Limits) -> Result<Trace, Problem> {
    let checked = sound(project, question.workflow, &question.set)?;
    let proving = question.run.map(|_| Proving::start(checked.steps.values().flat_map(|step| step.sources.clone())));
    let (_, node, port) = checked.find_port(&question.port)?;
    let size = extent(&checked, &node, port);
    if size > LARGEST {
        let what = format!("Too much comes together here to be followed back at once: {size} operators, and {LARGEST} can be.");
        return Err(Problem::error(what).at_node(&node).help("Ask about a step nearer to the sources."));
    }
    let folder = project.scratch()?;
    let context = session::session(limits, folder.path()).map_err(|error| said(&error))?;
    let table = whole(&checked, &node, port)?;
    if let Some(wanted) = question.column.filter(|wanted| !table.has(wanted)) {
        let names: Vec<&str> = table.names().collect();
        return Err(Problem::error(format!("There is no column \"{wanted}\"."))
            .at_node(&node)
            .help(format!("There is: {}.", names.join(", "))));
    }
    let asked = condition(&context, &table, &checked, question.condition)?;
    let found = positions(&context, &table, asked.clone(), question.column).await?;

    // Only these rows, through all steps again.
    let (mut tables, mut sources) = (BTreeMap::new(), Vec::new());
    for (leaf, wanted) in &found {
        if let Some((_, rows)) = rows_at(&context, &checked, leaf, wanted).await? {
            if rows.num_rows() > 0 {
                sources.push(source_rows(leaf, &rows));
            }
            tables.insert(leaf.table.clone(), rows);
        }
    }
    if let (Some(proving), Some(run)) = (proving, question.run) {
        let now = proving.finish(project)?;
        if let Some(other) = run.sources.iter().find(|source| !now.contains(source)) {
            return Err(Problem::error("This input is not what the run read, so its figures cannot be followed back.")
                .in_file(other.path.clone(), None)
                .help("Put the file of then back in its place."));
        }
    }
    let mut steps = Vec::new();
    for id in ancestors(&checked, &node) {
        let step = &checked.steps[&id];
        for port in &step.ports.outputs {
            let on_the_way = id == node || reaches(&checked, &id, port.name, &node);
            if !on_the_way {
                continue;
            }
            let table = whole(&checked, &id, port.name)?;
            let plan = over(&table.plan, &tables).map_err(|error| said(&error))?;
            let rows = shown(&context, &Table::new(plan, table.order.clone())).await?;
            if rows.num_rows() > 0 {
                steps.push(StepRows { node: id.clone(), kind: step.kind.identity.id, port: port.name.to_owned(), rows });
            }
        }
    }
    let again = over(&table.plan, &tables).map_err(|error| said(&error))?;
    let again = Table::new(again, table.order.clone()).filter(asked.clone()).map_err(|error| said(&error))?;
    let again = shown(&context, &again).await?;
    // What was recorded is what counts, where it was.
    let target = match (question.run, question.table) {
        (Some(run), Some(name)) => recorded(project, &context, name, asked, &again, &run.run).await?,
        _ => again.clone(),
    };
    if target.num_rows() == 0 {
        return Err(Problem::error("No row fits this condition.")
            .at_node(&node)
            .help("Look at the rows first: weir preview, or weir ledger show."));
    }
    let reproduced = same(&target, &again, question.column);
    Ok(Trace { target, steps, sources, reproduced, rule: rule(project, question)? })
}

/// The rows of the ledger that a question is about, with the columns of the step that loaded them.
async fn recorded(
    project: &Project,
    context: &SessionContext,
    table: &str,
    asked: Expr,
    like: &RecordBatch,
    run: &str,
) -> Result<RecordBatch, Problem> {
    let rows = Ledger::of(project)?.read(table, None).await?;
    let plan = || -> Planned<LogicalPlan> {
        let scan = MemTable::try_new(rows.schema(), vec![vec![rows.clone()]])?;
        let scan = LogicalPlanBuilder::scan(datafusion::common::TableReference::bare(table), provider_as_source(Arc::new(scan)), None)?;
        let plain = scan.schema().columns().into_iter().map(|column| Expr::Column(column.clone()).alias(column.name)).collect::<Vec<_>>();
        let of_run = column(RUN).eq(lit(run));
        let schema = like.schema();
        let own = schema
            .fields()
            .iter()
            .map(|field| datafusion::logical_expr::cast(column(field.name()), field.data_type().clone()).alias(field.name()));
        scan.project(plain)?.filter(of_run.and(asked))?.project(own.collect::<Vec<_>>())?.build()
    };
    collected(context, &plan().map_err(|error| said(&error))?).await
}

/// Whether rows that leave a step by a port can come to another step.
fn reaches(checked: &Checked, node: &str, port: &str, to: &str) -> bool {
    let Some((flow, outlet)) = checked.steps[node].outlet(port) else { return false };
    let wire = WireId { node: node.to_owned(), flow, outlet };
    let on_the_way = ancestors(checked, to);
    on_the_way.iter().any(|id| checked.steps[id].wires.iter().any(|(_, wires)| wires.contains(&wire)))
}

fn same(a: &RecordBatch, b: &RecordBatch, only: Option<&str>) -> bool {
    let chosen = |batch: &RecordBatch| -> Vec<String> {
        let schema = batch.schema();
        let places: Vec<usize> = (0..batch.num_columns()).filter(|i| only.is_none_or(|only| schema.field(*i).name() == only)).collect();
        let cell = |place: &usize, row: usize| arrow::util::display::array_value_to_string(batch.column(*place), row).unwrap_or_default();
        let mut rows: Vec<String> =
            (0..batch.num_rows()).map(|row| places.iter().map(|place| cell(place, row)).collect::<Vec<_>>().join("\u{1f}")).collect();
        rows.sort();
        rows
    };
    chosen(a) == chosen(b)
}

fn sound(project: &Project, workflow: &Workflow, set: &[(String, String)]) -> Result<Checked, Problem> {
    let checked = check::check(workflow, project, set);
    match checked.problems.iter().find(|problem| problem.is_error()) {
        Some(problem) => Err(problem.clone()),
        None => Ok(checked),
    }
}

fn rule(project: &Project, question: &Question<'_>) -> Result<Rule, Problem> {
    let history = History::of(project);
    let version = question.workflow.version().to_string();
    let saved = history.log(&question.file, usize::MAX)?.into_iter().find(|saved| saved.commit.version == version);
    let approval = match question.run.and_then(|run| run.approval.clone()) {
        Some(approval) => Some((approval.by, approval.time)),
        None => approved(&history, &question.file)?
            .filter(|approved| approved.proposal.version == version)
            .map(|approved| (approved.decision.by, approved.decision.time)),
    };
    Ok(Rule {
        workflow: question.file.clone(),
        version,
        saved: saved.map(|saved| (saved.commit.number, saved.commit.author, saved.commit.message)),
        approved: approval,
        run: question.run.map(|run| run.run.clone()),
    })
}

/// A row of the ledger as a question: the run that loaded the table last, its version, parameters and inputs.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The run.
    pub certificate: crate::run::Certificate,
    /// The workflow as it was.
    pub workflow: Workflow,
    /// The port whose rows were loaded.
    pub port: String,
    /// The values of its parameters.
    pub set: Vec<(String, String)>,
}

/// What loaded a ledger table last.
pub async fn loaded(project: &Project, table: &str) -> Result<Loaded, Problem> {
    let ledger = Ledger::of(project)?;
    let versions = ledger.history(table).await?;
    let run = versions.iter().filter_map(|version| version.run.as_deref()).find(|run| !run.starts_with("reverse-"));
    let run = run.ok_or_else(|| Problem::error(format!("No run of Weir loaded \"{table}\".")))?;
    let certificate = certificate_of(project, run)?;
    let project = &project.clone().housing(std::path::Path::new(&certificate.workflow.file));
    let workflow = History::of(project).meaning(&certificate.workflow.file, &certificate.workflow.version)?;
    let set: Vec<(String, String)> = certificate.parameters.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let node = certificate.outputs.iter().find(|output| output.target == format!("ledger:{table}")).map(|output| output.node.clone());
    let node = node.ok_or_else(|| Problem::error(format!("The run {run} did not load \"{table}\".")))?;
    let checked = sound(project, &workflow, &set)?;
    let wire = checked.steps.get(&node).and_then(|step| step.wires.first()).and_then(|(_, wires)| wires.first());
    let wire = wire.ok_or_else(|| Problem::error("Nothing arrives at this load.").at_node(&node))?;
    let port = checked.steps[&wire.node].planned.flows[wire.flow].outlets[wire.outlet].port;
    let port = PortRef { node: wire.node.clone(), port: Some(port.to_owned()) }.to_string();
    Ok(Loaded { certificate, workflow, port, set })
}

/// Follows rows of a source forward: which steps they pass, and which drop them. Rows are looked for in the step
/// `from`, else in the first source whose columns the condition fits.
pub async fn forward(
    project: &Project,
    workflow: &Workflow,
    wanted: &str,
    from: Option<&str>,
    set: &[(String, String)],
    limits: &Limits,
) -> Result<Missing, Problem> {
    let checked = sound(project, workflow, set)?;
    let folder = project.scratch()?;
    let context = session::session(limits, folder.path()).map_err(|error| said(&error))?;
    let mut first_problem = None;
    let mut start = None;
    for id in &checked.order {
        let step = &checked.steps[id];
        let is_source = step.wires.is_empty() && !step.ports.outputs.is_empty();
        if from.map_or(!is_source, |from| from != id) {
            continue;
        }
        let table = whole(&checked, id, step.ports.outputs[0].name)?;
        match condition(&context, &table, &checked, wanted) {
            Ok(asked) => {
                let found = positions(&context, &table, asked, None).await?;
                if found.iter().any(|(_, positions)| !positions.is_empty()) {
                    start = Some(found);
                    break;
                }
                first_problem.get_or_insert_with(|| Problem::error("No row of this source fits the condition.").at_node(id));
            }
            Err(problem) => {
                first_problem.get_or_insert(problem.at_node(id));
            }
        }
    }
    let Some(start) = start else {
        return Err(first_problem
            .unwrap_or_else(|| Problem::error("There is no such source.").help("Name the step that reads the rows with --from.")));
    };
    let (leaf, chosen) = start.into_iter().find(|(_, positions)| !positions.is_empty()).ok_or_else(|| Problem::error("No row fits."))?;
    let Some((_, rows)) = rows_at(&context, &checked, &leaf, &chosen).await? else {
        return Err(Problem::error("The rows cannot be read again.").at_node(&leaf.node));
    };
    let source = source_rows(&leaf, &rows);
    // The other sources stay whole; this one has these rows only.
    let narrowed = |plan: &LogicalPlan| -> Planned<LogicalPlan> {
        let replaced = plan.clone().transform_up(|plan| match &plan {
            LogicalPlan::TableScan(scan) if scan.table_name.table() == leaf.table => {
                let table = MemTable::try_new(rows.schema(), vec![vec![rows.clone()]])?;
                let scan = LogicalPlanBuilder::scan(scan.table_name.clone(), provider_as_source(Arc::new(table)), scan.projection.clone())?;
                Ok(Transformed::yes(scan.build()?))
            }
            _ => Ok(Transformed::no(plan)),
        })?;
        Ok(replaced.data)
    };
    let mut reached: BTreeSet<WireId> = BTreeSet::new();
    let mut passages = Vec::new();
    for id in &checked.order {
        let step = &checked.steps[id];
        let arrives = *id == leaf.node || step.wires.iter().any(|(_, wires)| wires.iter().any(|wire| reached.contains(wire)));
        if !arrives {
            continue;
        }
        let mut leaving = Vec::new();
        for port in &step.ports.outputs {
            let table = whole(&checked, id, port.name)?;
            let plan = narrowed(&table.plan).and_then(|plan| traced(&analysed(&context, &plan)?)).map_err(|error| said(&error))?;
            let carriers: Vec<usize> =
                plan.leaves.iter().filter(|(_, known)| known.table == leaf.table).map(|(number, _)| *number).collect();
            let any = carriers.iter().map(|number| holds(*number)).collect::<Planned<Vec<_>>>().map_err(|error| said(&error))?;
            let Some(any) = any.into_iter().reduce(Expr::or) else { continue };
            let counted =
                LogicalPlanBuilder::from(plan.plan).filter(any).and_then(LogicalPlanBuilder::build).map_err(|error| said(&error))?;
            let count = collected(&context, &counted).await?.num_rows();
            leaving.push((port.name.to_owned(), count));
            if count > 0
                && let Some((flow, outlet)) = step.outlet(port.name)
            {
                reached.insert(WireId { node: id.clone(), flow, outlet });
            }
        }
        let taken = |wire: &WireId| checked.steps.values().any(|other| other.wires.iter().any(|(_, wires)| wires.contains(wire)));
        let goes_on = step.ports.outputs.is_empty() || reached.iter().any(|wire| wire.node == *id && taken(wire));
        passages.push(Passage { node: id.clone(), kind: step.kind.identity.id, leaving, goes_on });
    }
    Ok(Missing { source, passages })
}
