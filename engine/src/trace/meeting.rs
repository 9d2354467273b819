//! Rows that decide with others what becomes of them.
//!
//! The rows that a figure is made of do not always make it alone: what another row kept out would now come in, a lookup
//! would find nothing, a group would have another total. Those others belong to the figure as well.

use std::sync::Arc;

use datafusion::common::{JoinType, NullEquality, Result as Planned};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::{Optimizer, OptimizerContext};
use datafusion::prelude::SessionContext;
use weir_nodes::Problem;

use super::origin::{Found, among, merged, positions, sources, values};
use super::{at, said};
use crate::plan::groups::{Counted, partitions};
use crate::plan::pieces::Pieces;

/// Where else the rows come from that must be there too: with `groups` the rest of groups, else the partners that rows
/// lack. `parts` are the steps on the way.
pub(super) async fn missing(context: &SessionContext, pieces: &mut Pieces<'_>, parts: &[Part], groups: bool) -> Result<Found, Problem> {
    let mut found = Found::new();
    for part in parts {
        for meeting in part.meetings.iter().filter(|meeting| meeting.is_group == groups) {
            let said = |error| at(said(&error), &part.node);
            let there = pieces.part(&part.node, &meeting.there).await.map_err(said)?;
            let rows = if meeting.here_keys.is_empty() {
                positions(context, &there, Ok).await?
            } else {
                let keys = values(context, &meeting.here, &meeting.here_keys).await.map_err(|problem| at(problem, &part.node))?;
                if keys.num_rows() == 0 {
                    continue;
                }
                positions(context, &there, |plan| among(plan, &meeting.there_keys, &keys)).await?
            };
            for (leaf, rows) in rows {
                merged(&mut found, leaf, rows);
            }
        }
    }
    sources(context, pieces, found).await
}

/// A part of a step where rows meet others.
pub(super) struct Part {
    /// The step.
    pub(super) node: String,
    /// Where they meet.
    pub(super) meetings: Vec<Meeting>,
}

/// Rows that decide with others what becomes of them.
pub(super) struct Meeting {
    /// Whether they make a group; else they are joined.
    is_group: bool,
    /// The rows that are known, and the keys by which they meet.
    here: LogicalPlan,
    here_keys: Vec<Expr>,
    /// All the others, over wires; no keys where all of them count.
    there: LogicalPlan,
    there_keys: Vec<Expr>,
}

/// The plan of a step with the equalities of its joins written as keys.
pub(super) fn keyed(plan: &LogicalPlan) -> Planned<LogicalPlan> {
    let rules = Optimizer::with_rules(vec![Arc::new(ExtractEquijoinPredicate::new())]);
    rules.optimize(plan.clone(), &OptimizerContext::new(), |_, _| {})
}

/// Where rows meet others in the plan of a step: as it was planned, and the same over the rows that are known.
pub(super) fn meetings(whole: &LogicalPlan, known: &LogicalPlan) -> Planned<Vec<Meeting>> {
    let mut found = Vec::new();
    let group = |input: &LogicalPlan, here: &LogicalPlan, keys: Vec<Expr>| {
        let plain = keys.iter().all(|key| !matches!(key, Expr::GroupingSet(_)));
        let keys = if plain { keys } else { vec![] };
        Meeting { is_group: true, here: here.clone(), here_keys: keys.clone(), there: input.clone(), there_keys: keys }
    };
    match (whole, known) {
        (LogicalPlan::Aggregate(all), LogicalPlan::Aggregate(some)) => found.push(group(&all.input, &some.input, all.group_expr.clone())),
        (LogicalPlan::Distinct(Distinct::All(all)), LogicalPlan::Distinct(Distinct::All(some))) => {
            found.push(group(all, some, all.schema().columns().into_iter().map(Expr::Column).collect()));
        }
        (LogicalPlan::Window(all), LogicalPlan::Window(some)) => {
            found.extend(partitions(all, Counted::Included).into_iter().map(|keys| group(&all.input, &some.input, keys)));
        }
        // Fewer rows would let others into the first ones.
        (LogicalPlan::Limit(all), LogicalPlan::Limit(some)) => found.push(group(&all.input, &some.input, vec![])),
        (LogicalPlan::Join(all), LogicalPlan::Join(some)) => {
            use JoinType::{Full, Left, LeftAnti, LeftMark, LeftSemi, Right, RightAnti, RightMark, RightSemi};
            let (left, right): (Vec<Expr>, Vec<Expr>) = all.on.iter().cloned().unzip();
            let meeting = |here: &LogicalPlan, here_keys: &[Expr], there: &LogicalPlan, there_keys: &[Expr]| -> Planned<Meeting> {
                let mut there = LogicalPlanBuilder::from(there.clone());
                if all.null_equality == NullEquality::NullEqualsNothing {
                    there = there_keys.iter().cloned().try_fold(there, |there, key| there.filter(key.is_not_null()))?;
                }
                let (here_keys, there_keys) = (here_keys.to_vec(), there_keys.to_vec());
                Ok(Meeting { is_group: false, here: here.clone(), here_keys, there: there.build()?, there_keys })
            };
            // With more than keys to tell partners by, lineage knows the kept side of a semi join alone.
            let semi = all.filter.is_some();
            if matches!(all.join_type, Left | LeftAnti | LeftMark | Full) || semi && all.join_type == LeftSemi {
                found.push(meeting(&some.left, &left, &all.right, &right)?);
            }
            if matches!(all.join_type, Right | RightAnti | RightMark | Full) || semi && all.join_type == RightSemi {
                found.push(meeting(&some.right, &right, &all.left, &left)?);
            }
        }
        _ => {}
    }
    for (whole, known) in whole.inputs().into_iter().zip(known.inputs()) {
        found.extend(meetings(whole, known)?);
    }
    Ok(found)
}
