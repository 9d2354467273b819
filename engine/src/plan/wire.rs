//! A wire inside a plan: a leaf that stands for what leaves another step.
//!
//! Each step is planned once, over leaves. Whoever runs or previews it puts something in their place: the other step's
//! own plan, the same with a tap, or a stored copy.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchemaRef, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use weir_nodes::Table;

/// What leaves a step by one of its ports: the outlet of one of its flows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WireId {
    /// The step.
    pub node: String,
    /// Which of its flows.
    pub flow: usize,
    /// Which outlet of that flow.
    pub outlet: usize,
}

/// The leaf.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WireNode {
    id: WireId,
    schema: DFSchemaRef,
}

impl PartialOrd for WireNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.id.partial_cmp(&other.id)
    }
}

impl UserDefinedLogicalNodeCore for WireNode {
    fn name(&self) -> &'static str {
        "Wire"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire: {}#{}.{}", self.id.node, self.id.flow, self.id.outlet)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

/// A leaf with the columns and the order of the table it stands for.
pub(crate) fn leaf(id: WireId, table: &Table) -> Table {
    let node = WireNode { id, schema: Arc::clone(table.plan.schema()) };
    Table::new(LogicalPlan::Extension(Extension { node: Arc::new(node) }), table.order.clone())
}

/// The wire that a leaf stands for.
pub(crate) fn as_wire(plan: &LogicalPlan) -> Option<&WireId> {
    let LogicalPlan::Extension(extension) = plan else { return None };
    extension.node.as_any().downcast_ref::<WireNode>().map(|wire| &wire.id)
}

/// The wires a plan reads, once for each time it reads them.
pub(crate) fn wires(plan: &LogicalPlan) -> Result<Vec<WireId>> {
    let mut found = Vec::new();
    plan.apply(|plan| {
        found.extend(as_wire(plan).cloned());
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// The plan with something in place of each wire.
pub(crate) fn connect(plan: &LogicalPlan, mut replace: impl FnMut(&WireId) -> Result<LogicalPlan>) -> Result<LogicalPlan> {
    plan.clone()
        .transform_up(|plan| match as_wire(&plan) {
            Some(wire) => Ok(Transformed::yes(replace(wire)?)),
            None => Ok(Transformed::no(plan)),
        })
        .map(|transformed| transformed.data)
}
