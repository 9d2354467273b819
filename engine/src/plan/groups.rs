//! Which rows a row of an operator is made of, and where rows become several.
//!
//! A trace carries positions with every row. Where a row is made of a whole group of others, and where rows with a group's
//! positions become several, the group is kept instead ([`super::pieces`]).

use std::collections::BTreeSet;

use datafusion::common::{JoinType, ScalarValue};
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::{BinaryExpr, Distinct, Expr, LogicalPlan, Operator, Window};

use super::assemble::FlowId;
use super::wire::as_wire;
use crate::check::Checked;

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

impl Group {
    /// Makes it stand for more partitions besides.
    pub(crate) fn widen(&mut self, sets: &[Vec<Expr>]) {
        match self {
            Self::All => {}
            Self::Own => *self = Self::Partitions(sets.to_vec()),
            Self::Partitions(known) => {
                for set in sets {
                    if !known.contains(set) {
                        known.push(set.clone());
                    }
                }
            }
        }
    }
}

/// The flows whose rows become several further on, each of which would carry what they carry.
pub(super) fn multiplied_flows(checked: &Checked, flows: &[FlowId]) -> BTreeSet<FlowId> {
    fn go(plan: &LogicalPlan, joined: bool, found: &mut BTreeSet<FlowId>) {
        if let Some(wire) = as_wire(plan).filter(|_| joined) {
            found.insert(wire.flow_id());
        }
        for (input, below) in plan.inputs().into_iter().zip(multiplied(plan, joined)) {
            go(input, below, found);
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

/// For each input of an operator, whether a row of it may become several, by the operator or after it. What arrives at a
/// window is kept, so that nothing after it matters.
pub(super) fn multiplied(plan: &LogicalPlan, after: bool) -> Vec<bool> {
    use JoinType::{LeftAnti, LeftMark, LeftSemi, RightAnti, RightMark, RightSemi};
    match plan {
        LogicalPlan::Join(join) => match join.join_type {
            // A row that stays is made of all its partners.
            LeftSemi | LeftAnti | LeftMark => vec![after, true],
            RightSemi | RightAnti | RightMark => vec![true, after],
            _ => {
                let (left, right): (Vec<&Expr>, Vec<&Expr>) = join.on.iter().map(|(left, right)| (left, right)).unzip();
                vec![after || !is_unique(&join.right, &right), after || !is_unique(&join.left, &left)]
            }
        },
        LogicalPlan::Unnest(_) => vec![true],
        _ if group_of_inputs(plan).is_some() => vec![false; plan.inputs().len()],
        _ => vec![after; plan.inputs().len()],
    }
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
pub(super) fn group_of_inputs(plan: &LogicalPlan) -> Option<Group> {
    match plan {
        LogicalPlan::Window(window) => {
            let sets = partitions(window, Counted::Aside);
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

/// What becomes of numbers that are only counted over all rows: such a number is made of no other row's values, and yet
/// without the others it is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// They are left aside.
    Aside,
    /// They are a window over all rows.
    Included,
}

/// The sets of expressions by which a window partitions its rows.
pub(crate) fn partitions(window: &Window, counted: Counted) -> Vec<Vec<Expr>> {
    let counting = row_number_udwf();
    let mut sets: Vec<Vec<Expr>> = Vec::new();
    for expr in &window.window_expr {
        let Expr::WindowFunction(call) = expr.clone().unalias() else { continue };
        let counts = call.params.partition_by.is_empty() && call.fun.name() == counting.name();
        if (counted == Counted::Included || !counts) && !sets.contains(&call.params.partition_by) {
            sets.push(call.params.partition_by);
        }
    }
    sets
}
