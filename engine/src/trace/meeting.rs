//! Rows that decide with others what becomes of them.
//!
//! The rows that a figure is made of do not always make it alone: what another row kept out would now come in, a lookup
//! would find nothing, a group would have another total. Those others belong to the figure as well.

use datafusion::common::JoinType;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;
use weir_nodes::Problem;

use super::origin::{Found, among, key, merged, positions, sources};
use super::{at, collected, said};
use crate::plan::pieces::{Pieces, partitions};

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
                let keys = meeting.here_keys.iter().enumerate().map(|(place, expr)| expr.clone().alias(key(place))).collect::<Vec<_>>();
                let keys = LogicalPlanBuilder::from(meeting.here.clone()).project(keys).and_then(|keys| keys.distinct()?.build());
                let keys = collected(context, &keys.map_err(said)?).await?;
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

/// Where rows meet others in the plan of a step: as it was planned, and the same over the rows that are known.
pub(super) fn meetings(whole: &LogicalPlan, known: &LogicalPlan) -> Vec<Meeting> {
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
            found.extend(partitions(all).into_iter().map(|keys| group(&all.input, &some.input, keys)));
        }
        (LogicalPlan::Join(all), LogicalPlan::Join(some)) => {
            use JoinType::{Full, Left, LeftAnti, LeftMark, Right, RightAnti, RightMark};
            let (left, right): (Vec<Expr>, Vec<Expr>) = all.on.iter().cloned().unzip();
            let meeting = |here: &LogicalPlan, here_keys: &[Expr], there: &LogicalPlan, there_keys: &[Expr]| Meeting {
                is_group: false,
                here: here.clone(),
                here_keys: here_keys.to_vec(),
                there: there.clone(),
                there_keys: there_keys.to_vec(),
            };
            if matches!(all.join_type, Left | LeftAnti | LeftMark | Full) {
                found.push(meeting(&some.left, &left, &all.right, &right));
            }
            if matches!(all.join_type, Right | RightAnti | RightMark | Full) {
                found.push(meeting(&some.right, &right, &all.left, &left));
            }
        }
        _ => {}
    }
    for (whole, known) in whole.inputs().into_iter().zip(known.inputs()) {
        found.extend(meetings(whole, known));
    }
    found
}
