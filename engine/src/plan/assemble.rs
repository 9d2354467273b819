//! Which flows a run needs, where it cuts, and the plan of each stage.
//!
//! A flow that two steps read is stored; a flow that one step reads is part of that step's stage; a flow that only a
//! control looks at is drained. Counts and totals are taken by taps on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::logical_expr::{Expr, LogicalPlan};
use weir_nodes::Table;
use weir_nodes::kind::{Flow, Sink, Total};
use weir_nodes::table::column;

use super::spool::Spool;
use super::tap::{Observe, Observed, TapState, tap};
use super::wire::{WireId, connect, wires};
use crate::check::Checked;

/// One flow of a step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FlowId {
    pub(crate) node: String,
    pub(crate) flow: usize,
}

impl WireId {
    pub(crate) fn flow_id(&self) -> FlowId {
        FlowId { node: self.node.clone(), flow: self.flow }
    }
}

/// A sink and the wire it takes its rows from.
#[derive(Debug, Clone)]
pub(crate) struct SinkStage {
    pub(crate) node: String,
    pub(crate) sink: Sink,
    pub(crate) wire: WireId,
}

/// What a run has to compute, in order.
#[derive(Debug)]
pub(crate) struct Demand {
    /// Flows to store, each after those it reads.
    pub(crate) stored: Vec<FlowId>,
    /// Where rows go.
    pub(crate) sinks: Vec<SinkStage>,
    /// Flows that nothing reads but that a control looks at.
    pub(crate) drained: Vec<FlowId>,
    /// Every flow that is computed.
    pub(crate) needed: BTreeSet<FlowId>,
    /// Flows whose figures a verdict needs.
    pub(crate) judged: BTreeSet<FlowId>,
    /// The totals to take on each wire.
    totals: BTreeMap<WireId, Vec<Expr>>,
}

/// The wire a total is taken on, and whether it is one that leaves the step itself: such a total asks for nothing to be
/// computed, it is taken when something else does.
pub(crate) fn total_wire(checked: &Checked, node: &str, total: &Total) -> Option<(WireId, bool)> {
    let step = checked.steps.get(node)?;
    let arriving = step.wire(total.port, total.wire).map(|wire| (wire.clone(), false));
    let own = |(flow, outlet)| (WireId { node: node.to_owned(), flow, outlet }, true);
    arriving.or_else(|| step.outlet(total.port).map(own))
}

impl Demand {
    pub(crate) fn of(checked: &Checked) -> Result<Self> {
        let mut totals: BTreeMap<WireId, Vec<Expr>> = BTreeMap::new();
        let mut judged = BTreeSet::new();
        let mut sinks = Vec::new();
        for (node, step) in &checked.steps {
            for check in &step.planned.checks {
                let parts: Vec<&Total> = check.parts().collect();
                // A control over what leaves its own step is judged only where that is computed and read anyway.
                let asks = !parts.iter().any(|total| total_wire(checked, node, total).is_some_and(|(_, own)| own));
                for total in parts {
                    let Some((wire, _)) = total_wire(checked, node, total) else { continue };
                    if asks {
                        judged.insert(wire.flow_id());
                    }
                    let known = totals.entry(wire.clone()).or_default();
                    if !known.contains(&total.value) {
                        known.push(total.value.clone());
                    }
                }
                if let Some((flow, _)) = check.exceptions.and_then(|port| step.outlet(port)) {
                    judged.insert(FlowId { node: node.clone(), flow });
                }
            }
            for sink in &step.planned.sinks {
                if let Some(wire) = step.wire(sink.port(), 0) {
                    sinks.push(SinkStage { node: node.clone(), sink: sink.clone(), wire: wire.clone() });
                }
            }
        }
        let mut readers: BTreeMap<FlowId, usize> = BTreeMap::new();
        for sink in &sinks {
            *readers.entry(sink.wire.flow_id()).or_default() += 1;
        }
        let mut needed = BTreeSet::new();
        // Downstream first, so that a flow's readers are all known before its own reading counts.
        for node in checked.order.iter().rev() {
            let step = &checked.steps[node];
            for (flow, planned) in step.planned.flows.iter().enumerate() {
                let id = FlowId { node: node.clone(), flow };
                let unused = sinks.is_empty() && !consumed(checked, node);
                if readers.contains_key(&id) || judged.contains(&id) || unused {
                    for wire in wires(&planned.table.plan)? {
                        *readers.entry(wire.flow_id()).or_default() += 1;
                    }
                    needed.insert(id);
                }
            }
        }
        let in_order: Vec<FlowId> = checked
            .order
            .iter()
            .flat_map(|node| (0..checked.steps[node].planned.flows.len()).map(|flow| FlowId { node: node.clone(), flow }))
            .filter(|id| needed.contains(id))
            .collect();
        let stored = in_order.iter().filter(|id| readers.get(id).is_some_and(|n| *n > 1)).cloned().collect();
        let drained = in_order.into_iter().filter(|id| !readers.contains_key(id)).collect();
        Ok(Self { stored, sinks, drained, needed, judged, totals })
    }
}

impl Demand {
    /// The place of a total among those taken on a wire.
    pub(crate) fn total_position(&self, wire: &WireId, value: &Expr) -> Option<usize> {
        self.totals.get(wire)?.iter().position(|known| known == value)
    }
}

/// Whether any step takes rows from this one.
fn consumed(checked: &Checked, node: &str) -> bool {
    checked.steps.values().any(|step| step.wires.iter().any(|(_, wires)| wires.iter().any(|wire| wire.node == node)))
}

/// A tap that was put into a plan, and the outlets it observes.
#[derive(Debug, Clone)]
pub(crate) struct Tapped {
    pub(crate) flow: FlowId,
    pub(crate) outlets: Vec<usize>,
    pub(crate) state: Arc<TapState>,
}

impl Tapped {
    /// What was observed, wire by wire.
    pub(crate) fn observed(&self) -> impl Iterator<Item = (WireId, Observed)> {
        let FlowId { node, flow } = self.flow.clone();
        let outlets = self.outlets.clone();
        self.state
            .observed()
            .into_iter()
            .zip(outlets)
            .map(move |(observed, outlet)| (WireId { node: node.clone(), flow, outlet }, observed))
    }
}

/// Builds the plans of stages.
#[derive(Debug)]
pub(crate) struct Assembly<'a> {
    checked: &'a Checked,
    demand: &'a Demand,
    stored: BTreeMap<FlowId, Arc<Spool>>,
    taps: Vec<Tapped>,
}

impl<'a> Assembly<'a> {
    pub(crate) fn new(checked: &'a Checked, demand: &'a Demand) -> Self {
        Self { checked, demand, stored: BTreeMap::new(), taps: Vec::new() }
    }

    /// Keeps a stored result for the stages to come.
    pub(crate) fn keep(&mut self, id: FlowId, spool: Spool) {
        self.stored.insert(id, Arc::new(spool));
    }

    /// The taps put into plans since the last call.
    pub(crate) fn take_taps(&mut self) -> Vec<Tapped> {
        std::mem::take(&mut self.taps)
    }

    fn flow(&self, id: &FlowId) -> &'a Flow {
        &self.checked.steps[&id.node].planned.flows[id.flow]
    }

    /// The plan of a whole flow, every outlet observed: for storing and draining.
    pub(crate) fn whole(&mut self, id: &FlowId) -> Result<LogicalPlan> {
        let flow = self.flow(id);
        let base = self.connected(&flow.table.plan)?;
        let outlets = (0..flow.outlets.len()).collect();
        self.tapped(id, base, outlets)
    }

    /// The table that arrives over a wire, in order and without hidden columns: for a sink.
    pub(crate) fn sink(&mut self, wire: &WireId) -> Result<LogicalPlan> {
        let flow = self.flow(&wire.flow_id());
        let order = flow.outlet_table(&flow.outlets[wire.outlet], &flow.table)?.order;
        Table::new(self.arriving(wire)?, order).shown(None)
    }

    fn connected(&mut self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        connect(plan, |wire| self.arriving(wire))
    }

    fn arriving(&mut self, wire: &WireId) -> Result<LogicalPlan> {
        let id = wire.flow_id();
        let flow = self.flow(&id);
        let outlet = &flow.outlets[wire.outlet];
        if let Some(spool) = self.stored.get(&id) {
            let base = Table::new(spool.read(&format!("{}.{}", id.node, id.flow))?, flow.table.order.clone());
            return Ok(flow.outlet_table(outlet, &base)?.plan);
        }
        let mut base = self.connected(&flow.table.plan)?;
        let others: Vec<usize> = (0..flow.outlets.len()).filter(|other| *other != wire.outlet).collect();
        if !others.is_empty() {
            base = self.tapped(&id, base, others)?;
        }
        let leaving = flow.outlet_table(outlet, &Table::new(base, flow.table.order.clone()))?.plan;
        let totals = self.demand.totals.get(wire).cloned().unwrap_or_default();
        let state = TapState::new(&id.node);
        self.taps.push(Tapped { flow: id, outlets: vec![wire.outlet], state: Arc::clone(&state) });
        Ok(tap(leaving, vec![Observe { outlet: wire.outlet, condition: None, totals }], state))
    }

    /// A tap over a flow's own table that observes some of its outlets.
    fn tapped(&mut self, id: &FlowId, base: LogicalPlan, outlets: Vec<usize>) -> Result<LogicalPlan> {
        let flow = self.flow(id);
        let mut observe = Vec::new();
        for outlet in &outlets {
            let wire = WireId { node: id.node.clone(), flow: id.flow, outlet: *outlet };
            let totals = self.demand.totals.get(&wire).map_or(Ok(vec![]), |totals| {
                let definitions = definitions(flow, *outlet)?;
                totals.iter().map(|total| over_base(total, &definitions)).collect::<Result<Vec<_>>>()
            })?;
            observe.push(Observe { outlet: *outlet, condition: flow.condition(&flow.outlets[*outlet]), totals });
        }
        let state = TapState::new(&id.node);
        self.taps.push(Tapped { flow: id.clone(), outlets, state: Arc::clone(&state) });
        Ok(tap(base, observe, state))
    }
}

/// What each column that leaves by an outlet is, over the flow's own table.
fn definitions(flow: &Flow, outlet: usize) -> Result<BTreeMap<String, Expr>> {
    let outlet = &flow.outlets[outlet];
    let table = flow.outlet_table(outlet, &flow.table)?;
    let order = outlet.order.as_ref().unwrap_or(&flow.table.order);
    let mut definitions: BTreeMap<String, Expr> =
        table.order.iter().zip(order).map(|(leaving, own)| (leaving.column.clone(), column(&own.column))).collect();
    match &outlet.columns {
        Some(columns) => definitions.extend(columns.iter().cloned()),
        None => definitions.extend(flow.table.names().map(|name| (name.to_owned(), column(name)))),
    }
    Ok(definitions)
}

fn over_base(expr: &Expr, definitions: &BTreeMap<String, Expr>) -> Result<Expr> {
    expr.clone()
        .transform_up(|expr| match &expr {
            Expr::Column(column) => match definitions.get(&column.name) {
                Some(definition) => Ok(Transformed::yes(definition.clone())),
                None => Err(internal_datafusion_err!("a total names the column {}, which does not leave", column.name)),
            },
            _ => Ok(Transformed::no(expr)),
        })
        .map(|transformed| transformed.data)
}
