//! The plans behind a question about one step: what leaves it here, what it is made of.
//!
//! A table stands in the plan of the step that reads it, so that filters and limits reach the sources. Rows that many
//! steps take would stand there once for each of them, and again for each of their readers: a plan that doubles with
//! every fork. What has grown heavy is therefore computed once and kept, as a run does at every fork, and the plans
//! between are pieces that read it. For a trace, groups of rows are kept as well ([`super::groups`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;
use futures::future::{BoxFuture, FutureExt};
use weir_nodes::Table;

use super::assemble::FlowId;
use super::error::StepError;
use super::groups::{self, Group, group_of_inputs, multiplied_flows};
use super::session::analysed;
use super::spool::{Position, Spool};
use super::tap::{TapState, tap};
use super::wire::{WireId, as_wire, connect, wires};
use crate::check::Checked;

/// How many operators of a flow may stand in the plan of the only step that reads it.
const LONGEST: u64 = 200;
/// How many operators of a flow may stand in the plans of several steps, all of them together.
const WIDEST: u64 = 50;

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

/// A part of the plans that was computed once.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The step it belongs to.
    pub(crate) node: String,
    /// How it was computed, over wires and what was kept before it.
    pub(crate) plan: LogicalPlan,
    /// Its rows.
    pub(crate) spool: Arc<Spool>,
    /// What a row of it stands for at most.
    group: Group,
    /// The name of its table.
    name: String,
}

impl Kept {
    /// Its columns: the name under which each is stored, and as its plan has it.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&str, Expr)> {
        self.spool.names().zip(self.plan.schema().columns().into_iter().map(Expr::Column))
    }

    /// A plan that reads it, with the columns it had.
    fn read(&self) -> Result<LogicalPlan> {
        self.named(self.spool.read(&self.name)?)
    }

    /// Rows of it with the columns they had, those of a table included.
    pub(crate) fn named(&self, rows: LogicalPlan) -> Result<LogicalPlan> {
        let own = self.plan.schema();
        if own.fields().len() != rows.schema().fields().len() {
            return internal_err!("{} is kept with other columns than it has", self.name);
        }
        let names = own.iter().zip(rows.schema().columns());
        let names = names.map(|((table, field), column)| Expr::Column(column).alias_qualified(table.cloned(), field.name()));
        LogicalPlanBuilder::from(rows).project(names.collect::<Vec<_>>())?.build()
    }
}

/// Pieces of a workflow, with what was computed between them.
pub(crate) struct Pieces<'a> {
    checked: &'a Checked,
    purpose: Purpose,
    context: &'a SessionContext,
    folder: &'a Path,
    /// The flows' own plans, cut.
    plans: BTreeMap<FlowId, LogicalPlan>,
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
        let mut pieces = Self { checked, purpose, context, folder, plans: BTreeMap::new(), flows: BTreeMap::new(), kept: vec![] };
        let (flows, readers) = upstream(checked, targets)?;
        let multiplied = multiplied_flows(checked, &flows);
        let mut weights = HashMap::new();
        for id in flows {
            let mut plan = pieces.own(&id).clone();
            if purpose == Purpose::Trace {
                plan = pieces.cut_plan(&id.node, &plan, multiplied.contains(&id)).await?;
                pieces.plans.insert(id.clone(), plan.clone());
            }
            if targets.contains(&id) {
                continue;
            }
            let weight = weight(&plan, &weights);
            let readers = readers.get(&id).copied().unwrap_or_default();
            let heavy = weight > LONGEST || readers > 1 && weight.saturating_mul(readers) > WIDEST;
            weights.insert(id.clone(), if heavy { 1 } else { weight });
            if heavy {
                let spool = pieces.store(&id.node, &name(&id), &plan).await?;
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

    /// The place of what is kept in a table of this name: what it reads stands before it.
    pub(crate) fn place_of(&self, table: &str) -> Option<usize> {
        self.kept.iter().position(|kept| kept.name == table)
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
        let plan = self.cut_plan(node, plan, false).await?;
        self.piece(&plan)
    }

    /// What leaves a step as a piece.
    pub(crate) fn wire(&self, wire: &WireId) -> Result<LogicalPlan> {
        self.arriving(wire, self.purpose)
    }

    fn own(&self, id: &FlowId) -> &LogicalPlan {
        self.plans.get(id).unwrap_or_else(|| &self.checked.steps[&id.node].planned.flows[id.flow].table.plan)
    }

    fn arriving(&self, wire: &WireId, purpose: Purpose) -> Result<LogicalPlan> {
        let id = wire.flow_id();
        let flow = &self.checked.steps[&wire.node].planned.flows[wire.flow];
        let outlet = &flow.outlets[wire.outlet];
        let base = match self.flows.get(&id) {
            Some(place) => self.kept[*place].read()?,
            None => self.own(&id).clone(),
        };
        let leaving = flow.outlet_table(outlet, &Table::new(base, flow.table.order.clone()))?.plan;
        let plan = connect(&leaving, |wire| self.arriving(wire, purpose))?;
        Ok(match purpose {
            Purpose::Show => tap(plan, vec![], TapState::new(&wire.node)),
            Purpose::Trace | Purpose::Follow => plan,
        })
    }

    async fn store(&self, node: &str, name: &str, plan: &LogicalPlan) -> Result<Spool> {
        let stored = async {
            let plan = connect(plan, |wire| self.arriving(wire, Purpose::Show))?;
            let physical = self.context.state().create_physical_plan(&plan).await?;
            let position = (self.purpose == Purpose::Trace).then_some(Position::Counted);
            Spool::store(physical, self.context.task_ctx(), self.folder, name, position).await
        };
        stored.await.map_err(|error| StepError::wrap(node, error))
    }

    /// The plan with groups kept that its rows are made of. With `multiplied`, its rows become several further on.
    fn cut_plan<'b>(&'b mut self, node: &'b str, plan: &'b LogicalPlan, multiplied: bool) -> BoxFuture<'b, Result<LogicalPlan>> {
        async move {
            // What repeats itself has no parts that could be computed alone.
            if matches!(plan, LogicalPlan::RecursiveQuery(_)) {
                return Ok(plan.clone());
            }
            let mut inputs = Vec::new();
            for (input, multiplied) in plan.inputs().into_iter().zip(groups::multiplied(plan, multiplied)) {
                let input = self.cut_plan(node, input, multiplied).await?;
                inputs.push(match group_of_inputs(plan) {
                    Some(group) if !self.stands_for(&input, &group) => self.keep_part(node, &input, group).await?,
                    _ => input,
                });
            }
            if inputs.is_empty() {
                return Ok(plan.clone());
            }
            let mut inputs = inputs.into_iter();
            let plan = plan.clone().map_children(|input| Ok(Transformed::yes(inputs.next().unwrap_or(input))))?.data;
            let plan = plan.recompute_schema()?;
            match plan {
                LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(_) if multiplied => self.keep_part(node, &plan, Group::Own).await,
                _ => Ok(plan),
            }
        }
        .boxed()
    }

    /// Whether a plan only adds figures to what is kept, whose rows stand for these partitions already.
    fn stands_for(&self, plan: &LogicalPlan, group: &Group) -> bool {
        let (LogicalPlan::Window(window), Group::Partitions(sets)) = (plan, group) else { return false };
        let mut below = window.input.as_ref();
        while let LogicalPlan::Window(window) = below {
            below = &window.input;
        }
        let kept = self.kept.iter().find(|kept| kept.read().is_ok_and(|read| read == *below));
        kept.is_some_and(|kept| matches!(&kept.group, Group::Partitions(known) if sets.iter().all(|set| known.contains(set))))
    }

    /// Keeps a part of a plan. Gives a plan that reads it.
    async fn keep_part(&mut self, node: &str, plan: &LogicalPlan, group: Group) -> Result<LogicalPlan> {
        let plan = analysed(self.context, plan)?;
        if let Some(kept) = self.kept.iter().find(|kept| kept.node == node && kept.plan == plan && kept.group == group) {
            return kept.read();
        }
        let name = format!("{node}.part.{}", self.kept.len());
        // Two tables' columns may have one name.
        let columns = plan.schema().columns().into_iter().enumerate();
        let columns = columns.map(|(place, column)| Expr::Column(column).alias(format!("c{place}"))).collect::<Vec<_>>();
        let plain = LogicalPlanBuilder::from(plan.clone()).project(columns)?.build()?;
        let spool = Arc::new(self.store(node, &name, &plain).await?);
        let kept = Kept { node: node.to_owned(), plan, spool, group, name };
        let read = kept.read()?;
        self.kept.push(kept);
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

/// How many operators a plan has once those of the wires it reads stand in it.
fn weight(plan: &LogicalPlan, weights: &HashMap<FlowId, u64>) -> u64 {
    match as_wire(plan) {
        Some(wire) => weights.get(&wire.flow_id()).copied().unwrap_or(1),
        None => plan.inputs().into_iter().map(|input| weight(input, weights)).fold(1, u64::saturating_add),
    }
}
