//! Which rows of the sources rows are made of, piece by piece.
//!
//! The plan of a wire reaches down to the sources, or to what was computed once and kept because many steps take it
//! ([`Pieces`]). Rows that are kept are then asked about in turn, by their values: what leaves a step twice with equal
//! values has equal origins, as far as anybody can tell.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinConstraint, JoinType, NullEquality, Result as Planned};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use weir_nodes::Problem;
use weir_nodes::table::{column, hidden};

use super::lineage::{Leaf, carrier, traced};
use super::{analysed, at, collected, memory, said};
use crate::check::Checked;
use crate::plan::WireId;
use crate::plan::pieces::{Group, Kept, Pieces};

/// Different values of a column that are asked for one by one, so that they are looked for where the rows come from.
const FEW: usize = 64;

/// The positions of rows in a source, or in what is kept.
pub(super) type Found = Vec<(Leaf, BTreeSet<i64>)>;

/// The positions in each source of the rows that those on a wire are made of: of those that are `asked` for, and only what
/// the column `only` depends on, as far as the piece that ends at the wire goes.
pub(super) async fn of(
    context: &SessionContext,
    pieces: &Pieces<'_>,
    target: &WireId,
    asked: Expr,
    only: Option<&str>,
) -> Result<Found, Problem> {
    let mut plan = pieces.wire(target).map_err(|error| said(&error))?;
    if let Some(only) = only {
        // What the column does not depend on goes before lineage is added.
        plan = narrowed(plan, only, &asked).map_err(|error| said(&error))?;
    }
    let found = positions(context, &plan, |plan| LogicalPlanBuilder::from(plan).filter(asked)?.build()).await?;
    sources(context, pieces, found).await
}

/// The positions in the sources that those in what is kept come from.
pub(super) async fn sources(context: &SessionContext, pieces: &Pieces<'_>, found: Found) -> Result<Found, Problem> {
    let mut sources = Found::new();
    // What is asked of what is kept, that nearest to the sources last.
    let mut open: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
    let mut found = found;
    loop {
        for (leaf, rows) in found {
            match pieces.kept_as(&leaf.table) {
                Some((place, _)) => open.entry(place).or_default().extend(rows),
                None => {
                    merged(&mut sources, leaf, rows);
                }
            }
        }
        let Some((place, wanted)) = open.pop_last() else { return Ok(sources) };
        found = match pieces.kept(place).filter(|_| !wanted.is_empty()) {
            Some(kept) => behind(context, pieces, kept, &wanted).await.map_err(|problem| at(problem, &kept.node))?,
            None => vec![],
        };
    }
}

/// Adds positions to those that are known. Whether any is new.
pub(super) fn merged(known: &mut Found, leaf: Leaf, rows: BTreeSet<i64>) -> bool {
    match known.iter_mut().find(|(other, _)| other.table == leaf.table) {
        Some((_, before)) => {
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

/// The positions that some rows of what is kept come from.
async fn behind(context: &SessionContext, pieces: &Pieces<'_>, kept: &Kept, wanted: &BTreeSet<i64>) -> Result<Found, Problem> {
    let plan = pieces.piece(&kept.plan).map_err(|error| said(&error))?;
    if wanted.len() == kept.spool.rows() || kept.group == Group::All {
        return positions(context, &plan, Ok).await;
    }
    let rows = kept.spool.rows_at(wanted).map_err(|error| said(&error))?;
    let Group::Partitions(sets) = &kept.group else {
        let columns = comparable(&plan);
        let keys = values(context, &rows, &columns).await?;
        return positions(context, &plan, |plan| among(plan, &columns, &keys)).await;
    };
    let mut found = Found::new();
    for set in sets {
        let keys = values(context, &rows, set).await?;
        for (leaf, rows) in positions(context, &plan, |plan| among(plan, set, &keys)).await? {
            merged(&mut found, leaf, rows);
        }
    }
    Ok(found)
}

/// The columns by which rows are told apart. Floats, which another order of adding up changes in their last digits, are
/// none of them.
fn comparable(plan: &LogicalPlan) -> Vec<Expr> {
    let schema = plan.schema();
    let columns = schema.columns().into_iter().zip(schema.fields());
    columns
        .filter(|(_, field)| !matches!(field.data_type(), DataType::Float64 | DataType::Null))
        .map(|(column, _)| Expr::Column(column))
        .collect()
}

/// Expressions over rows in memory.
async fn values(context: &SessionContext, rows: &RecordBatch, exprs: &[Expr]) -> Result<RecordBatch, Problem> {
    let plan = memory("rows", rows.clone()).and_then(|plan| {
        let named = exprs.iter().enumerate().map(|(place, expr)| Ok(unqualified(expr.clone())?.alias(key(place))));
        LogicalPlanBuilder::from(plan).project(named.collect::<Planned<Vec<_>>>()?)?.build()
    });
    collected(context, &plan.map_err(|error| said(&error))?).await
}

pub(super) fn key(place: usize) -> String {
    hidden(&format!("trace.is.{place}"))
}

/// An expression whose columns name no table.
fn unqualified(expr: Expr) -> Planned<Expr> {
    let plain = expr.transform(|expr| match expr {
        Expr::Column(named) if named.relation.is_some() => Ok(Transformed::yes(column(&named.name))),
        _ => Ok(Transformed::no(expr)),
    })?;
    Ok(plain.data)
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

/// The plan with what a column, and those that are asked about, depend on.
fn narrowed(plan: LogicalPlan, only: &str, asked: &Expr) -> Planned<LogicalPlan> {
    use datafusion::optimizer::optimize_projections::OptimizeProjections;
    use datafusion::optimizer::{Optimizer, OptimizerContext};
    let asked_for = asked.column_refs();
    let columns = plan.schema().columns().into_iter();
    let kept = columns.filter(|column| column.name == only || asked_for.iter().any(|other| other.name == column.name));
    let plan = LogicalPlanBuilder::from(plan).project(kept.map(Expr::Column).collect::<Vec<_>>())?.build()?;
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
