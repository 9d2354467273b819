//! Which rows of the sources rows are made of, piece by piece.
//!
//! The plan of a wire reaches down to the sources, or to what was computed once and kept because many steps take it
//! ([`Pieces`]). Rows that are kept are then asked about in turn, by their values: what leaves a step twice with equal
//! values has equal origins, as far as anybody can tell.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinConstraint, JoinType, NullEquality, Result as Planned};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use weir_nodes::Problem;
use weir_nodes::table::{column, hidden};

use super::lineage::{Leaf, carrier, traced};
use super::{at, collected, memory, said};
use crate::check::Checked;
use crate::plan::WireId;
use crate::plan::groups::Group;
use crate::plan::pieces::{Kept, Pieces};
use crate::plan::session::analysed;

/// Different values of a column that are asked for one by one, so that they are looked for where the rows come from.
const FEW: usize = 64;

/// The positions of rows in a source, or in what is kept.
pub(super) type Found = Vec<(Leaf, BTreeSet<i64>)>;

/// The positions in each source of the rows that those on a wire are made of: of those that are `asked` for, and only what
/// the column `only` depends on.
pub(super) async fn of(
    context: &SessionContext,
    pieces: &Pieces<'_>,
    target: &WireId,
    asked: Expr,
    only: Option<&str>,
) -> Result<Found, Problem> {
    let mut plan = pieces.wire(target).map_err(|error| said(&error))?;
    if let Some(only) = only {
        let columns = plan.schema().columns().into_iter();
        let asked_for = asked.column_refs();
        let kept = columns.filter(|column| column.name == only || asked_for.iter().any(|other| other.name == column.name));
        let kept: Vec<Expr> = kept.map(Expr::Column).collect();
        plan = narrowed(plan, kept.into_iter()).map_err(|error| said(&error))?;
    }
    let found = positions(context, &plan, |plan| LogicalPlanBuilder::from(plan).filter(asked)?.build()).await?;
    sources(context, pieces, found).await
}

/// The positions in the sources that those in what is kept come from.
pub(super) async fn sources(context: &SessionContext, pieces: &Pieces<'_>, found: Found) -> Result<Found, Problem> {
    let mut sources = Found::new();
    // What is asked of what is kept, that nearest to the sources last.
    let mut open: BTreeMap<usize, Found> = BTreeMap::new();
    let mut found = found;
    loop {
        for (leaf, rows) in found {
            let known = match pieces.place_of(&leaf.table) {
                Some(place) => open.entry(place).or_default(),
                None => &mut sources,
            };
            merged(known, leaf, rows);
        }
        let Some((place, asked)) = open.pop_last() else { return Ok(sources) };
        found = Found::new();
        for (leaf, rows) in asked.iter().filter(|(_, rows)| !rows.is_empty()) {
            if let Some(kept) = pieces.kept(place) {
                found.extend(behind(context, pieces, kept, leaf, rows).await.map_err(|problem| at(problem, &kept.node))?);
            }
        }
    }
}

/// Adds positions to those that are known. Whether any is new.
pub(super) fn merged(known: &mut Found, leaf: Leaf, rows: BTreeSet<i64>) -> bool {
    match known.iter_mut().find(|(other, _)| other.table == leaf.table && other.group == leaf.group) {
        Some((other, before)) => {
            other.columns.extend(leaf.columns);
            let count = before.len();
            before.extend(rows);
            before.len() > count
        }
        None => {
            let any = !rows.is_empty();
            known.push((leaf, rows));
            any
        }
    }
}

/// The positions that some rows of what is kept come from, as far as what the leaf reads of it depends on them.
async fn behind(context: &SessionContext, pieces: &Pieces<'_>, kept: &Kept, leaf: &Leaf, wanted: &BTreeSet<i64>) -> Result<Found, Problem> {
    let read: Vec<Expr> = kept.columns().filter(|(name, _)| leaf.columns.contains(*name)).map(|(_, column)| column).collect();
    let all = wanted.len() == kept.spool.rows() || leaf.group == Group::All;
    let sets = match &leaf.group {
        _ if all => vec![vec![]],
        Group::Partitions(sets) => sets.clone(),
        Group::Own | Group::All => vec![telling(&kept.plan, &read)],
    };
    let mut plan = pieces.piece(&kept.plan).map_err(|error| said(&error))?;
    if leaf.group != Group::All && read.len() < kept.plan.schema().fields().len() {
        let keys = sets.iter().flatten().flat_map(|expr| expr.column_refs().into_iter().cloned().map(Expr::Column));
        plan = narrowed(plan, keys.chain(read)).map_err(|error| said(&error))?;
    }
    let rows = if all { BTreeSet::new() } else { wanted.clone() };
    let rows = kept.spool.rows_at(&rows).and_then(|rows| kept.named(memory("rows", rows)?)).map_err(|error| said(&error))?;
    let mut found = Found::new();
    for set in sets {
        // Without anything that tells them apart, all of them are one group.
        let origins = if set.is_empty() {
            positions(context, &plan, Ok).await?
        } else {
            let keys = values(context, &rows, &set).await?;
            positions(context, &plan, |plan| among(plan, &set, &keys)).await?
        };
        for (leaf, rows) in origins {
            merged(&mut found, leaf, rows);
        }
    }
    Ok(found)
}

/// What tells the rows of a plan apart: the keys of groups, else all values that are read and come out alike each time.
/// Another order of adding up changes the last digits of floats, and lists have the order in which their values came.
fn telling(plan: &LogicalPlan, read: &[Expr]) -> Vec<Expr> {
    let columns = plan.schema().columns().into_iter().map(Expr::Column);
    if let LogicalPlan::Aggregate(aggregate) = plan {
        return columns.take(aggregate.group_expr.len()).collect();
    }
    let alike = |kind: &DataType| !matches!(kind, DataType::Float64 | DataType::Null) && !kind.is_nested();
    let kinds = plan.schema().fields().iter().map(|field| field.data_type());
    let all: Vec<Expr> = columns.zip(kinds).filter(|(_, kind)| alike(kind)).map(|(column, _)| column).collect();
    let some: Vec<Expr> = all.iter().filter(|column| read.contains(column)).cloned().collect();
    if some.is_empty() { all } else { some }
}

/// The different values of expressions over rows.
pub(super) async fn values(context: &SessionContext, rows: &LogicalPlan, exprs: &[Expr]) -> Result<RecordBatch, Problem> {
    let named = exprs.iter().enumerate().map(|(place, expr)| expr.clone().alias(key(place))).collect::<Vec<_>>();
    let plan = LogicalPlanBuilder::from(rows.clone()).project(named).and_then(|plan| plan.distinct()?.build());
    collected(context, &plan.map_err(|error| said(&error))?).await
}

pub(super) fn key(place: usize) -> String {
    hidden(&format!("trace.is.{place}"))
}

/// The positions in each table that a plan reads of the rows that it makes its own of. `asked` narrows the plan to
/// the rows that matter.
pub(super) async fn positions(
    context: &SessionContext,
    plan: &LogicalPlan,
    asked: impl FnOnce(LogicalPlan) -> Planned<LogicalPlan>,
) -> Result<Found, Problem> {
    let traced = analysed(context, plan).and_then(|plan| traced(&plan)).map_err(|error| said(&error))?;
    let carriers: Vec<Expr> = traced.leaves.keys().map(|leaf| column(&carrier(*leaf))).collect();
    if carriers.is_empty() {
        return Ok(vec![]);
    }
    let plan = asked(traced.plan).and_then(|plan| LogicalPlanBuilder::from(plan).project(carriers)?.build());
    let rows = collected(context, &plan.map_err(|error| said(&error))?).await?;
    let mut found = Found::new();
    for (leaf, lists) in traced.leaves.into_values().zip(rows.columns()) {
        let mut all = BTreeSet::new();
        if let Some(lists) = lists.as_list_opt::<i32>() {
            for list in lists.iter().flatten() {
                all.extend(list.as_primitive::<Int64Type>().iter().flatten());
            }
        }
        merged(&mut found, leaf, all);
    }
    Ok(found)
}

/// A plan with what some of its columns depend on: the rest goes before lineage is added.
fn narrowed(plan: LogicalPlan, columns: impl Iterator<Item = Expr>) -> Planned<LogicalPlan> {
    use datafusion::optimizer::optimize_projections::OptimizeProjections;
    use datafusion::optimizer::{Optimizer, OptimizerContext};
    let mut once: Vec<Expr> = Vec::new();
    columns.for_each(|column| {
        if !once.contains(&column) {
            once.push(column);
        }
    });
    let plan = LogicalPlanBuilder::from(plan).project(once)?.build()?;
    Optimizer::with_rules(vec![Arc::new(OptimizeProjections::new())]).optimize(plan, &OptimizerContext::new(), |_, _| {})
}

/// The rows of a plan for which expressions have one of these values.
pub(super) fn among(plan: LogicalPlan, exprs: &[Expr], values: &RecordBatch) -> Planned<LogicalPlan> {
    let mut narrowed = LogicalPlanBuilder::from(plan);
    // Values of single columns go down to the sources; all of them together do not.
    for (place, expr) in exprs.iter().enumerate() {
        let Some((values, empty)) = few(values, place)? else { continue };
        let is_one = (!values.is_empty()).then(|| expr.clone().in_list(values.into_iter().map(lit).collect(), false));
        let is_empty = empty.then(|| expr.clone().is_null());
        if let Some(fits) = is_one.into_iter().chain(is_empty).reduce(Expr::or) {
            narrowed = narrowed.filter(fits)?;
        }
    }
    let narrowed = narrowed.build()?;
    let told = values.num_rows() < 2 || exprs.is_empty() || exprs.len() == 1 && few(values, 0)?.is_some();
    if told {
        return Ok(narrowed);
    }
    let on = exprs.iter().enumerate().map(|(place, expr)| (expr.clone(), column(&key(place)))).collect();
    let (left, right) = (Arc::new(narrowed), Arc::new(memory("asked", values.clone())?));
    Join::try_new(left, right, on, None, JoinType::LeftSemi, JoinConstraint::On, NullEquality::NullEqualsNull, false).map(LogicalPlan::Join)
}

/// The different values of a column, and whether it is empty anywhere; `None` when there are many.
fn few(rows: &RecordBatch, place: usize) -> Planned<Option<(Vec<ScalarValue>, bool)>> {
    let (mut values, mut empty) = (HashSet::new(), false);
    for row in 0..rows.num_rows() {
        let value = ScalarValue::try_from_array(rows.column(place), row)?;
        if value.is_null() {
            empty = true;
        } else {
            values.insert(value);
        }
        if values.len() > FEW {
            return Ok(None);
        }
    }
    Ok(Some((values.into_iter().collect(), empty)))
}

/// The rows of a source at these positions, with their positions.
pub(super) async fn rows_at(
    context: &SessionContext,
    checked: &Checked,
    leaf: &Leaf,
    wanted: &BTreeSet<i64>,
) -> Result<Option<RecordBatch>, Problem> {
    let mut scans = Vec::new();
    for flow in checked.steps.get(&leaf.node).into_iter().flat_map(|step| &step.planned.flows) {
        let looked = flow.table.plan.apply(|plan| {
            if let LogicalPlan::TableScan(scan) = plan
                && scan.table_name.table() == leaf.table
            {
                scans.push(plan.clone());
            }
            Ok(TreeNodeRecursion::Continue)
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
    let rows = collected(context, &narrowed(scan).map_err(|error| said(&error))?).await?;
    match leaf.position {
        Some(_) => Ok(Some(rows)),
        None => {
            let chosen: Int64Array = wanted.iter().map(|position| position - 1).collect();
            let rows = arrow::compute::take_record_batch(&rows, &chosen);
            rows.map(Some).map_err(|error| Problem::error(error.to_string()))
        }
    }
}
