//! A figure followed back to the rows, the file and line, the rule and the people behind it (seed 000, B.5: the
//! time-travel debugger); and a row that did not arrive followed to the step that dropped it.
//!
//! Two passes: plans that carry lineage say which rows of the sources a figure is made of ([`lineage`], piece by piece
//! where one plan would grow too heavy: [`origin`]); then those rows alone go through the workflow again, step by step,
//! which gives the values at every step and shows that they make the figure.

mod forward;
mod lineage;
mod meeting;
mod origin;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{SortColumn, SortOptions, concat_batches, lexsort_to_indices};
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DataFusionError, Result as Planned, TableReference, internal_datafusion_err};
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
use crate::plan::error::StepError;
use crate::plan::pieces::{Pieces, Purpose};
use crate::plan::wire::connect;
use crate::plan::{Limits, WireId, session};
use crate::preview::cell::cell;
use crate::project::Project;
use crate::run::{Proving, certificate_of};
use crate::workflow::{PortRef, Workflow};
use lineage::Leaf;
use meeting::Part;

pub use forward::{Missing, Passage, forward};

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

/// The plan over rows in memory instead of the tables for which `rows` gives any, by their names and columns.
fn instead(plan: &LogicalPlan, rows: impl Fn(&str, &SchemaRef) -> Option<RecordBatch>) -> Planned<LogicalPlan> {
    let replaced = plan.clone().transform_up(|plan| {
        let LogicalPlan::TableScan(scan) = &plan else { return Ok(Transformed::no(plan)) };
        let Some(rows) = rows(scan.table_name.table(), &scan.source.schema()) else { return Ok(Transformed::no(plan)) };
        let table = provider_as_source(Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?));
        let scan = LogicalPlanBuilder::scan(scan.table_name.clone(), table, scan.projection.clone())?;
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
    let (step, node, port) = checked.find_port(&question.port)?;
    let no_output = || Problem::error("This step has no such output.").at_node(&node);
    let (flow, outlet) = step.outlet(port).ok_or_else(no_output)?;
    let target = WireId { node: node.clone(), flow, outlet };
    let folder = project.scratch()?;
    let context = session::session(limits, folder.path()).map_err(|error| said(&error))?;
    let table = step.table(port).ok_or_else(no_output)?.map_err(|error| said(&error))?;
    if let Some(wanted) = question.column.filter(|wanted| !table.has(wanted)) {
        let names: Vec<&str> = table.names().collect();
        return Err(Problem::error(format!("There is no column \"{wanted}\"."))
            .at_node(&node)
            .help(format!("There is: {}.", names.join(", "))));
    }
    let asked = condition(&context, &table, &checked, question.condition)?;
    let targets = BTreeSet::from([target.flow_id()]);
    let pieces = Pieces::of(&checked, &targets, Purpose::Trace, &context, folder.path()).await;
    let mut pieces = pieces.map_err(|error| said(&error))?;
    // What was recorded is what counts, where it was.
    let asked_for = match (question.run, question.table) {
        (Some(run), Some(name)) => recorded(project, &context, name, asked.clone(), &table.visible(), &run.run).await?,
        _ => {
            let all = pieces.wire(&target).map_err(|error| said(&error))?;
            let rows = Table::new(all, table.order.clone()).filter(asked.clone()).map_err(|error| said(&error))?;
            shown(&context, &rows).await?
        }
    };
    if asked_for.num_rows() == 0 {
        return Err(Problem::error("No row fits this condition.")
            .at_node(&node)
            .help("Look at the rows first: weir preview, or weir ledger show."));
    }
    let mut found = origin::of(&context, &pieces, &target, asked.clone(), question.column).await?;

    // Only these rows, through all steps again. What they make without others is not always what they make among them:
    // then the partners that some of them lack are added, and at last the rest of their groups.
    let (sources, walk, reproduced) = loop {
        let (mut tables, mut sources) = (BTreeMap::new(), Vec::new());
        for (leaf, wanted) in &found {
            if let Some(rows) = origin::rows_at(&context, &checked, leaf, wanted).await? {
                if rows.num_rows() > 0 {
                    sources.push(source_rows(leaf, &rows));
                }
                tables.insert(leaf.table.clone(), rows);
            }
        }
        let walk = walked(&context, &checked, &target, &tables).await?;
        let again = walk.leaving.iter().find(|(wire, _)| *wire == target).map(|(_, table)| table).ok_or_else(no_output)?;
        let again = again.filter(asked.clone()).map_err(|error| said(&error))?;
        let again = shown(&context, &again).await?;
        if same(&asked_for, &again, question.column) {
            break (sources, walk, true);
        }
        let mut any = false;
        for groups in [false, true] {
            if !any {
                for (leaf, rows) in meeting::missing(&context, &mut pieces, &walk.parts, groups).await? {
                    any |= origin::merged(&mut found, leaf, rows);
                }
            }
        }
        if !any {
            break (sources, walk, false);
        }
    };
    if let (Some(proving), Some(run)) = (proving, question.run) {
        let now = proving.finish(project)?;
        if let Some(other) = run.sources.iter().find(|source| !now.contains(source)) {
            return Err(Problem::error("This input is not what the run read, so its figures cannot be followed back.")
                .in_file(other.path.clone(), None)
                .help("Put the file of then back in its place."));
        }
    }
    let mut steps = Vec::new();
    for (wire, table) in &walk.leaving {
        let rows = shown(&context, table).await?;
        if rows.num_rows() > 0 {
            let step = &checked.steps[&wire.node];
            let port = step.planned.flows[wire.flow].outlets[wire.outlet].port.to_owned();
            steps.push(StepRows { node: wire.node.clone(), kind: step.kind.identity.id, port, rows });
        }
    }
    Ok(Trace { target: asked_for, steps, sources, reproduced, rule: rule(project, question)? })
}

/// Some rows of the sources on their way.
struct Walk {
    /// What leaves the steps, sources first.
    leaving: Vec<(WireId, Table)>,
    /// Where they meet others in the steps.
    parts: Vec<Part>,
}

/// What leaves the steps on the way to a wire, sources first, when the sources hold these rows alone.
async fn walked(
    context: &SessionContext,
    checked: &Checked,
    target: &WireId,
    tables: &BTreeMap<String, RecordBatch>,
) -> Result<Walk, Problem> {
    let way = ancestors(checked, &target.node);
    let taken: BTreeSet<&WireId> = way.iter().flat_map(|id| checked.steps[id].wires.iter().flat_map(|(_, wires)| wires)).collect();
    let mut walk = Walk { leaving: vec![], parts: vec![] };
    for id in &way {
        for (number, flow) in checked.steps[id].planned.flows.iter().enumerate() {
            let wires = (0..flow.outlets.len()).map(|outlet| WireId { node: id.clone(), flow: number, outlet });
            let wires: Vec<WireId> = wires.filter(|wire| wire.node == target.node || taken.contains(wire)).collect();
            if wires.is_empty() {
                continue;
            }
            let arriving = |wire: &WireId| {
                let there = walk.leaving.iter().find(|(known, _)| known == wire).map(|(_, table)| table.plan.clone());
                there.ok_or_else(|| internal_datafusion_err!("nothing arrives from {}", wire.node))
            };
            let alone = |table: &str, schema: &SchemaRef| {
                Some(tables.get(table).cloned().unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(schema))))
            };
            let whole = meeting::keyed(&flow.table.plan).map_err(|error| said(&error))?;
            let plan = instead(&whole, alone).and_then(|plan| connect(&plan, arriving)).map_err(|error| said(&error))?;
            let rows = collected(context, &plan).await.map_err(|problem| at(problem, id))?;
            let meetings = meeting::meetings(&whole, &plan).map_err(|error| said(&error))?;
            walk.parts.push(Part { node: id.clone(), meetings });
            let name = format!("{id}.{number}");
            for wire in wires {
                let leaving = memory(&name, rows.clone())
                    .and_then(|plan| flow.outlet_table(&flow.outlets[wire.outlet], &Table::new(plan, flow.table.order.clone())));
                walk.leaving.push((wire, leaving.map_err(|error| said(&error))?));
            }
        }
    }
    Ok(walk)
}

/// The problem with the step where it arose, if it names none.
fn at(problem: Problem, node: &str) -> Problem {
    if problem.node.is_some() { problem } else { problem.at_node(node) }
}

/// A plan that gives rows in memory, under plain names.
fn memory(name: &str, rows: RecordBatch) -> Planned<LogicalPlan> {
    let table = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
    let scan = LogicalPlanBuilder::scan(TableReference::bare(name), provider_as_source(Arc::new(table)), None)?;
    let plain = scan.schema().columns().into_iter().map(|column| Expr::Column(column.clone()).alias(column.name)).collect::<Vec<_>>();
    scan.project(plain)?.build()
}

/// The rows of the ledger that a question is about, with the columns of the step that loaded them.
async fn recorded(
    project: &Project,
    context: &SessionContext,
    table: &str,
    asked: Expr,
    like: &Schema,
    run: &str,
) -> Result<RecordBatch, Problem> {
    let rows = Ledger::of(project)?.read(table, None).await?;
    let plan = || -> Planned<LogicalPlan> {
        let of_run = column(RUN).eq(lit(run));
        let own = like
            .fields()
            .iter()
            .map(|field| datafusion::logical_expr::cast(column(field.name()), field.data_type().clone()).alias(field.name()));
        LogicalPlanBuilder::from(memory(table, rows.clone())?).filter(of_run.and(asked))?.project(own.collect::<Vec<_>>())?.build()
    };
    collected(context, &plan().map_err(|error| said(&error))?).await
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
