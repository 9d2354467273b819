//! The plans behind a question about one step: what leaves it here, what it is made of.
//!
//! A table stands in the plan of the step that reads it, so that filters and limits reach the sources. Rows that many
//! steps take would stand there once for each of them, and again for each of their readers: a plan that doubles with
//! every fork. What has grown heavy is therefore computed once and kept, as a run does at every fork, and the plans
//! between are pieces that read it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use datafusion::common::{JoinType, Result, ScalarValue};
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::{BinaryExpr, Distinct, Expr, LogicalPlan, LogicalPlanBuilder, Operator, Window};
use datafusion::prelude::SessionContext;
use futures::future::{BoxFuture, FutureExt};
use weir_nodes::Table;

use super::assemble::FlowId;
use super::spool::{Position, Spool};
use super::tap::{TapState, tap};
use super::wire::{WireId, as_wire, connect, wires};
use crate::check::Checked;

/// How many operators of a flow may stand in the plan of the only step that reads it.
const LONG: u64 = 200;
/// How many may stand in the plans of several steps, all of them together.
const SPREAD: u64 = 50;

/// What the plans are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Rows are shown. Errors name the step that they come from.
    Show,
    /// Rows are followed back. A row that is made of a whole group of others would carry all of their positions, and
    /// hand them on to every row it is joined to: such groups are kept, so that a row carries one position.
    Trace,
    /// Rows are followed forward.
    Follow,
}

/// The rows that a row of what is kept stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Group {
    /// Itself.
    Own,
    /// All rows with the same values in one of these sets of expressions.
    Partitions(Vec<Vec<Expr>>),
    /// All rows.
    All,
}

/// A part of the plans that was computed once.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The step it belongs to.
    pub(crate) node: String,
    /// How it was computed, over wires and what was kept before it.
    pub(crate) plan: LogicalPlan,
    /// Its rows.
    pub(crate) spool: Arc<Spool>,
    /// What a row of it stands for.
    pub(crate) group: Group,
    /// The name of its table.
    name: String,
}

/// Pieces of a workflow, with what was computed between them.
pub(crate) struct Pieces<'a> {
    checked: &'a Checked,
    purpose: Purpose,
    context: &'a SessionContext,
    folder: &'a Path,
    /// The flows whose own plan was cut.
    cut: BTreeMap<FlowId, LogicalPlan>,
    /// The flows that are kept, by their place.
    flows: BTreeMap<FlowId, usize>,
    /// What is kept, each after what it reads.
    kept: Vec<Kept>,
}

impl<'a> Pieces<'a> {
    /// Computes what is too heavy to stand in the plans of these flows, which are left to the caller. What is kept goes
    /// under `folder` when it is large.
    pub(crate) async fn of(
        checked: &'a Checked,
        targets: &BTreeSet<FlowId>,
        purpose: Purpose,
        context: &'a SessionContext,
        folder: &'a Path,
    ) -> Result<Self> {
        let mut pieces = Self { checked, purpose, context, folder, cut: BTreeMap::new(), flows: BTreeMap::new(), kept: vec![] };
        let (flows, readers) = upstream(checked, targets)?;
        let joined = joined(checked, &flows);
        let mut weights = HashMap::new();
        for id in flows {
            let mut plan = pieces.own(&id).clone();
            if purpose == Purpose::Trace {
                plan = pieces.cut(&id.node, &plan, joined.contains(&id)).await?;
                pieces.cut.insert(id.clone(), plan.clone());
            }
            if targets.contains(&id) {
                continue;
            }
            let weight = weight(&plan, &weights);
            let readers = readers.get(&id).copied().unwrap_or_default();
            let heavy = weight > LONG || readers > 1 && weight.saturating_mul(readers) > SPREAD;
            weights.insert(id.clone(), if heavy { 1 } else { weight });
            if heavy {
                let spool = pieces.store(&name(&id), &plan).await?;
                pieces.keep(id, plan, spool);
            }
        }
        Ok(pieces)
    }

    /// Keeps a flow.
    pub(crate) fn keep(&mut self, id: FlowId, plan: LogicalPlan, spool: Spool) {
        let name = name(&id);
        self.kept.push(Kept { node: id.node.clone(), plan, spool: Arc::new(spool), group: Group::Own, name });
        self.flows.insert(id, self.kept.len() - 1);
    }

    /// What is kept in a table of this name, and its place: what it reads stands before it.
    pub(crate) fn kept_as(&self, table: &str) -> Option<(usize, &Kept)> {
        self.kept.iter().enumerate().find(|(_, kept)| kept.name == table)
    }

    /// What is kept in a place.
    pub(crate) fn kept(&self, place: usize) -> Option<&Kept> {
        self.kept.get(place)
    }

    /// Whether this table holds a flow.
    pub(crate) fn holds(&self, id: &FlowId, table: &str) -> bool {
        self.flows.contains_key(id) && name(id) == table
    }

    /// A plan over wires as a piece: down to the sources and to what is kept.
    pub(crate) fn piece(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        connect(plan, |wire| self.wire(wire))
    }

    /// A part of a step's plan, as it was planned, as a piece.
    pub(crate) async fn part(&mut self, node: &str, plan: &LogicalPlan) -> Result<LogicalPlan> {
        let plan = self.cut(node, plan, false).await?;
        self.piece(&plan)
    }

    /// What leaves a step as a piece.
    pub(crate) fn wire(&self, wire: &WireId) -> Result<LogicalPlan> {
        self.arriving(wire, self.purpose)
    }

    fn own(&self, id: &FlowId) -> &LogicalPlan {
        self.cut.get(id).unwrap_or_else(|| &self.checked.steps[&id.node].planned.flows[id.flow].table.plan)
    }

    fn arriving(&self, wire: &WireId, purpose: Purpose) -> Result<LogicalPlan> {
        let id = wire.flow_id();
        let flow = &self.checked.steps[&wire.node].planned.flows[wire.flow];
        let outlet = &flow.outlets[wire.outlet];
        let base = match self.flows.get(&id) {
            Some(place) => self.kept[*place].spool.read(&name(&id))?,
            None => self.own(&id).clone(),
        };
        let leaving = flow.outlet_table(outlet, &Table::new(base, flow.table.order.clone()))?.plan;
        let plan = connect(&leaving, |wire| self.arriving(wire, purpose))?;
        Ok(match purpose {
            Purpose::Show => tap(plan, vec![], TapState::new(&wire.node)),
            Purpose::Trace | Purpose::Follow => plan,
        })
    }

    async fn store(&self, name: &str, plan: &LogicalPlan) -> Result<Spool> {
        let plan = connect(plan, |wire| self.arriving(wire, Purpose::Show))?;
        let physical = self.context.state().create_physical_plan(&plan).await?;
        let position = (self.purpose == Purpose::Trace).then_some(Position::Counted);
        Spool::store(physical, self.context.task_ctx(), self.folder, name, position).await
    }

    /// The plan with groups kept that its rows are made of. With `joined`, its rows become several further on.
    fn cut<'b>(&'b mut self, node: &'b str, plan: &'b LogicalPlan, joined: bool) -> BoxFuture<'b, Result<LogicalPlan>> {
        async move {
            let mut inputs = Vec::new();
            for (input, multiplied) in plan.inputs().into_iter().zip(multiplied(plan)) {
                let input = self.cut(node, input, joined || multiplied).await?;
                inputs.push(match group_of_inputs(plan) {
                    Some(group) => self.kept_part(node, input, group).await?,
                    None => input,
                });
            }
            if inputs.is_empty() {
                return Ok(plan.clone());
            }
            let plan = plan.with_new_exprs(plan.expressions(), inputs)?;
            match plan {
                LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_) if joined => self.kept_part(node, plan, Group::Own).await,
                _ => Ok(plan),
            }
        }
        .boxed()
    }

    /// Keeps a part of a plan. Gives a plan that reads it.
    async fn kept_part(&mut self, node: &str, plan: LogicalPlan, group: Group) -> Result<LogicalPlan> {
        let name = format!("{node}.part.{}", self.kept.len());
        let spool = Arc::new(self.store(&name, &plan).await?);
        let read = spool.read(&name)?;
        // Under the names it had, those of a table included.
        let names = plan.schema().iter().zip(read.schema().columns());
        let names = names.map(|((table, field), column)| Expr::Column(column).alias_qualified(table.cloned(), field.name()));
        let read = LogicalPlanBuilder::from(read).project(names.collect::<Vec<_>>())?.build()?;
        self.kept.push(Kept { node: node.to_owned(), plan, spool, group, name });
        Ok(read)
    }
}

/// The name of the table that a flow is kept in.
pub(crate) fn name(id: &FlowId) -> String {
    format!("{}.{}", id.node, id.flow)
}

/// These flows and those that they are made of, each after those it reads; and how often each is read.
fn upstream(checked: &Checked, targets: &BTreeSet<FlowId>) -> Result<(Vec<FlowId>, HashMap<FlowId, u64>)> {
    let mut readers: HashMap<FlowId, u64> = HashMap::new();
    let mut wanted = targets.clone();
    for node in checked.order.iter().rev() {
        for (flow, planned) in checked.steps[node].planned.flows.iter().enumerate() {
            if wanted.contains(&FlowId { node: node.clone(), flow }) {
                for wire in wires(&planned.table.plan)? {
                    *readers.entry(wire.flow_id()).or_default() += 1;
                    wanted.insert(wire.flow_id());
                }
            }
        }
    }
    let all = checked.order.iter().flat_map(|node| {
        let flows = 0..checked.steps[node].planned.flows.len();
        flows.map(|flow| FlowId { node: node.clone(), flow })
    });
    Ok((all.filter(|id| wanted.contains(id)).collect(), readers))
}

/// The flows whose rows become several further on, each of which would carry what they carry.
fn joined(checked: &Checked, flows: &[FlowId]) -> BTreeSet<FlowId> {
    fn go(plan: &LogicalPlan, joined: bool, found: &mut BTreeSet<FlowId>) {
        if let Some(wire) = as_wire(plan).filter(|_| joined) {
            found.insert(wire.flow_id());
        }
        for (input, multiplied) in plan.inputs().into_iter().zip(multiplied(plan)) {
            go(input, joined || multiplied, found);
        }
    }
    let mut found = BTreeSet::new();
    for id in flows.iter().rev() {
        let plan = &checked.steps[&id.node].planned.flows[id.flow].table.plan;
        let joined = found.contains(id);
        go(plan, joined, &mut found);
    }
    found
}

/// For each input of an operator, whether a row of it may become several.
fn multiplied(plan: &LogicalPlan) -> Vec<bool> {
    if let LogicalPlan::Join(join) = plan {
        use JoinType::{LeftAnti, LeftMark, LeftSemi, RightAnti, RightMark, RightSemi};
        if matches!(join.join_type, LeftSemi | LeftAnti | LeftMark | RightSemi | RightAnti | RightMark) {
            return vec![false, false];
        }
        let (left, right): (Vec<&Expr>, Vec<&Expr>) = join.on.iter().map(|(left, right)| (left, right)).unzip();
        return vec![!is_unique(&join.right, &right), !is_unique(&join.left, &left)];
    }
    let many = matches!(plan, LogicalPlan::Unnest(_)) || group_of_inputs(plan).is_some();
    vec![many; plan.inputs().len()]
}

/// Whether no two rows of a plan have the same values in these columns, as far as its operators say: they are the keys of
/// a group, or the first row of each was taken.
fn is_unique(plan: &LogicalPlan, keys: &[&Expr]) -> bool {
    let names: Option<Vec<&str>> = keys.iter().map(|key| key.try_as_col().map(|column| column.name.as_str())).collect();
    let Some(names) = names.filter(|names| !names.is_empty()) else { return false };
    let within = |group: &[Expr]| group.iter().all(|key| key.try_as_col().is_some_and(|column| names.contains(&column.name.as_str())));
    match plan {
        LogicalPlan::Aggregate(aggregate) => within(&aggregate.group_expr),
        LogicalPlan::Projection(projection) => {
            let below = names.iter().map(|name| {
                let place = projection.schema.fields().iter().position(|field| field.name() == name)?;
                let expr = projection.expr[place].clone().unalias();
                expr.try_as_col().cloned().map(Expr::Column)
            });
            let below: Option<Vec<Expr>> = below.collect();
            below.is_some_and(|below| is_unique(&projection.input, &below.iter().collect::<Vec<_>>()))
        }
        LogicalPlan::Filter(filter) => first_of(&filter.predicate, &filter.input).is_some_and(within) || is_unique(&filter.input, keys),
        LogicalPlan::Sort(sort) => is_unique(&sort.input, keys),
        _ => false,
    }
}

/// The columns of which a condition lets the first row through: it compares their row number with one.
fn first_of<'p>(condition: &Expr, input: &'p LogicalPlan) -> Option<&'p [Expr]> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return None };
    let is_one = matches!(right.as_ref(), Expr::Literal(ScalarValue::UInt64(Some(1)) | ScalarValue::Int64(Some(1)), _));
    let number = left.try_as_col().filter(|_| is_one)?;
    let LogicalPlan::Window(window) = input else { return None };
    let own = window.input.schema().fields().len();
    let place = window.schema.fields().iter().position(|field| *field.name() == number.name)?.checked_sub(own)?;
    let expr = match window.window_expr.get(place)? {
        Expr::Alias(alias) => alias.expr.as_ref(),
        other => other,
    };
    match expr {
        Expr::WindowFunction(call) if call.fun.name() == row_number_udwf().name() => Some(&call.params.partition_by),
        _ => None,
    }
}

/// The group of arriving rows that a row of an operator is made of; `None` where that is a row or a group of its own
/// columns, or no rows arrive.
fn group_of_inputs(plan: &LogicalPlan) -> Option<Group> {
    match plan {
        LogicalPlan::Window(window) => {
            let sets = partitions(window);
            (!sets.is_empty()).then_some(Group::Partitions(sets))
        }
        LogicalPlan::TableScan(_)
        | LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Distinct(Distinct::All(_))
        | LogicalPlan::Join(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::Unnest(_) => None,
        other => (as_wire(other).is_none() && !other.inputs().is_empty()).then_some(Group::All),
    }
}

/// The sets of expressions by which a window partitions its rows. A number that is only counted over all rows is made of
/// no other row's values.
pub(crate) fn partitions(window: &Window) -> Vec<Vec<Expr>> {
    let counting = row_number_udwf();
    let mut sets: Vec<Vec<Expr>> = Vec::new();
    for expr in &window.window_expr {
        let Expr::WindowFunction(call) = expr.clone().unalias() else { continue };
        let counted = call.params.partition_by.is_empty() && call.fun.name() == counting.name();
        if !counted && !sets.contains(&call.params.partition_by) {
            sets.push(call.params.partition_by);
        }
    }
    sets
}

/// How many operators a plan has once those of the wires it reads stand in it.
fn weight(plan: &LogicalPlan, weights: &HashMap<FlowId, u64>) -> u64 {
    match as_wire(plan) {
        Some(wire) => weights.get(&wire.flow_id()).copied().unwrap_or(1),
        None => plan.inputs().into_iter().map(|input| weight(input, weights)).fold(1, u64::saturating_add),
    }
}
