//! A row of a source followed forward, to the step that drops it.

use std::collections::BTreeSet;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion::common::Result as Planned;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, when};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use weir_nodes::Problem;
use weir_nodes::table::{column, hidden};

use super::lineage::{Leaf, followed};
use super::{SourceRows, at, collected, condition, instead, origin, said, sound, source_rows};
use crate::check::Checked;
use crate::plan::assemble::FlowId;
use crate::plan::pieces::{Pieces, Purpose, name};
use crate::plan::session::analysed;
use crate::plan::spool::{Position, Spool};
use crate::plan::wire::wires;
use crate::plan::{Limits, WireId, session};
use crate::project::Project;
use crate::workflow::Workflow;

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

/// Rows of a source, and where they are read.
struct Start {
    leaf: Leaf,
    rows: RecordBatch,
}

/// Rows of a source and the flows that are made of that source.
struct Way<'a> {
    start: &'a Start,
    downstream: BTreeSet<FlowId>,
}

/// Follows rows of a source forward: which steps they pass, and which drop them. Rows are looked for in the step
/// `from`, else in the first source whose columns the condition fits.
///
/// # Errors
/// When the workflow has problems, when no source has such rows, and when a step fails.
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
    let start = started(&context, &checked, wanted, from, folder.path()).await?;
    let passages = passages(&context, &checked, &start, folder.path()).await?;
    Ok(Missing { source: source_rows(&start.leaf, &start.rows), passages })
}

/// The rows that a condition means.
async fn started(context: &SessionContext, checked: &Checked, wanted: &str, from: Option<&str>, folder: &Path) -> Result<Start, Problem> {
    let mut first_problem = None;
    for id in &checked.order {
        let step = &checked.steps[id];
        let is_source = step.wires.is_empty() && !step.ports.outputs.is_empty();
        if from.map_or(!is_source, |from| from != id) {
            continue;
        }
        let Some(port) = step.ports.outputs.first() else { continue };
        let (Some(table), Some((flow, outlet))) = (step.table(port.name), step.outlet(port.name)) else { continue };
        let asked = table.map_err(|error| said(&error)).and_then(|table| condition(context, &table, checked, wanted));
        let asked = match asked {
            Ok(asked) => asked,
            Err(problem) => {
                first_problem.get_or_insert(problem.at_node(id));
                continue;
            }
        };
        let targets = BTreeSet::from([FlowId { node: id.clone(), flow }]);
        let pieces = Pieces::of(checked, &targets, Purpose::Trace, context, folder).await.map_err(|error| said(&error))?;
        let found = origin::of(context, &pieces, &WireId { node: id.clone(), flow, outlet }, asked, None).await?;
        let Some((leaf, chosen)) = found.into_iter().find(|(_, positions)| !positions.is_empty()) else {
            first_problem.get_or_insert_with(|| Problem::error("No row of this source fits the condition.").at_node(id));
            continue;
        };
        let rows = origin::rows_at(context, checked, &leaf, &chosen).await?;
        let rows = rows.ok_or_else(|| Problem::error("The rows cannot be read again.").at_node(&leaf.node))?;
        return Ok(Start { leaf, rows });
    }
    Err(first_problem.unwrap_or_else(|| Problem::error("There is no such source.").help("Name the step that reads the rows with --from.")))
}

/// Every step that the rows come to. The other sources stay whole; theirs has these rows only.
async fn passages(context: &SessionContext, checked: &Checked, start: &Start, folder: &Path) -> Result<Vec<Passage>, Problem> {
    let way = Way { start, downstream: downstream(checked, &start.leaf).map_err(|error| said(&error))? };
    let pieces = Pieces::of(checked, &way.downstream, Purpose::Follow, context, folder);
    let mut pieces = pieces.await.map_err(|error| said(&error))?;
    let mut reached: BTreeSet<WireId> = BTreeSet::new();
    let mut passages = Vec::new();
    for id in &checked.order {
        let step = &checked.steps[id];
        for flow in 0..step.planned.flows.len() {
            let flow = FlowId { node: id.clone(), flow };
            if way.downstream.contains(&flow) {
                let spool = marked(context, checked, &pieces, &flow, &way, folder).await.map_err(|problem| at(problem, id))?;
                pieces.keep(flow.clone(), step.planned.flows[flow.flow].table.plan.clone(), spool);
            }
        }
        let arrives = *id == start.leaf.node || step.wires.iter().any(|(_, wires)| wires.iter().any(|wire| reached.contains(wire)));
        if !arrives {
            continue;
        }
        let mut leaving = Vec::new();
        for port in &step.ports.outputs {
            let Some((flow, outlet)) = step.outlet(port.name) else { continue };
            let wire = WireId { node: id.clone(), flow, outlet };
            if !way.downstream.contains(&wire.flow_id()) {
                continue;
            }
            let plan = pieces.wire(&wire).and_then(|plan| made_of(context, &plan, &way, &pieces));
            let plan = plan.and_then(|(plan, any)| LogicalPlanBuilder::from(plan).filter(any)?.build()).map_err(|error| said(&error))?;
            let count = collected(context, &plan).await?.num_rows();
            leaving.push((port.name.to_owned(), count));
            if count > 0 {
                reached.insert(wire);
            }
        }
        let taken = |wire: &WireId| checked.steps.values().any(|other| other.wires.iter().any(|(_, wires)| wires.contains(wire)));
        let goes_on = step.ports.outputs.is_empty() || reached.iter().any(|wire| wire.node == *id && taken(wire));
        passages.push(Passage { node: id.clone(), kind: step.kind.identity.id, leaving, goes_on });
    }
    Ok(passages)
}

/// The flows that read a source, or what is made of it.
fn downstream(checked: &Checked, leaf: &Leaf) -> Planned<BTreeSet<FlowId>> {
    let mut downstream: BTreeSet<FlowId> = BTreeSet::new();
    for id in &checked.order {
        for (flow, planned) in checked.steps[id].planned.flows.iter().enumerate() {
            let mut reads = wires(&planned.table.plan)?.iter().any(|wire| downstream.contains(&wire.flow_id()));
            planned.table.plan.apply(|plan| {
                reads |= matches!(plan, LogicalPlan::TableScan(scan) if scan.table_name.table() == leaf.table);
                Ok(TreeNodeRecursion::Continue)
            })?;
            if reads {
                downstream.insert(FlowId { node: id.clone(), flow });
            }
        }
    }
    Ok(downstream)
}

/// A flow, computed and kept; those of its rows have a position that are made of the rows that are followed.
async fn marked(
    context: &SessionContext,
    checked: &Checked,
    pieces: &Pieces<'_>,
    id: &FlowId,
    way: &Way<'_>,
    folder: &Path,
) -> Result<Spool, Problem> {
    let own = &checked.steps[&id.node].planned.flows[id.flow].table;
    let mark = hidden(&format!("{}.followed", name(id)));
    let spool = async {
        let Start { leaf, rows } = way.start;
        let alone = instead(&own.plan, |table, _| (table == leaf.table).then(|| rows.clone()))?;
        let (plan, any) = made_of(context, &pieces.piece(&alone)?, way, pieces)?;
        let no_mark = cast(lit(ScalarValue::Null), DataType::Int64);
        let columns = own.plan.schema().fields().iter().map(|field| column(field.name()).alias(field.name()));
        let columns = columns.chain([when(any, lit(1_i64)).otherwise(no_mark)?.alias(&mark)]).collect::<Vec<_>>();
        let plan = LogicalPlanBuilder::from(plan).project(columns)?.build()?;
        let physical = context.state().create_physical_plan(&plan).await?;
        Spool::store(physical, context.task_ctx(), folder, &name(id), Some(Position::Column(mark))).await
    };
    spool.await.map_err(|error| said(&error))
}

/// A plan with its lineage, and whether a row of it is made of those that are followed.
fn made_of(context: &SessionContext, plan: &LogicalPlan, way: &Way<'_>, pieces: &Pieces<'_>) -> Planned<(LogicalPlan, Expr)> {
    let on_the_way = |table: &str| table == way.start.leaf.table || way.downstream.iter().any(|id| pieces.holds(id, table));
    followed(&analysed(context, plan)?, &|leaf| on_the_way(&leaf.table))
}
