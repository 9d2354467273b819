//! The row of a table that is nearest to each incoming row along a date or a number, with all keys equal.
//!
//! Both tables are put into one line, and each incoming row takes the last table row before it. That costs a sort, not
//! a comparison of every row with every other.

use datafusion::common::{JoinType, NullEquality, Result};
use datafusion::functions_aggregate::expr_fn::last_value;
use datafusion::logical_expr::{cast, when};
use datafusion::scalar::ScalarValue;

use super::keys::{Keyed, only};
use super::lookup::fetched;
use crate::prelude::*;
use crate::window::{self, Frame};

/// Which row is the nearest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// The first at or after, instead of the last at or before.
    pub(crate) forward: bool,
    /// A row at the very place does not count.
    pub(crate) strict: bool,
    /// A table row without a place lies before all others.
    pub(crate) open: bool,
}

/// The places of both sides, of one type.
pub(crate) struct Places {
    pub(crate) rows: Expr,
    pub(crate) table: Expr,
}

/// The incoming rows, hidden columns too, with what they found of `columns` (of the table) under the names of [`fetched`], and a condition
/// that says whether they found something.
pub(crate) fn found(
    node: &str,
    (rows, table): (&Table, &Table),
    keyed: &Keyed,
    places: Places,
    rule: Rule,
    columns: Vec<(String, Expr)>,
) -> Result<(Table, Expr)> {
    let hide = |what: &str| hidden(&format!("{node}.{what}"));
    let (place, index, side, hit, mark) = (hide("place"), hide("index"), hide("side"), hide("hit"), hide("mark"));
    let keys: Vec<String> = (0..keyed.pairs.len()).map(|i| hide(&format!("key{i}"))).collect();
    let named =
        |exprs: Vec<(String, Expr)>| -> Vec<(String, Expr)> { keys.iter().cloned().zip(exprs.into_iter().map(|(_, expr)| expr)).collect() };

    let mut of_table = named(keyed.right_keys(table));
    of_table.push((place.clone(), places.table));
    let taken: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
    of_table.extend(columns);
    let numbered = window::with(&table.with_columns(of_table)?, vec![(mark.clone(), window::place(&[], &table.order)?)])?;
    let numbered = numbered.with_columns(vec![(index.clone(), cast(column(&mark), DataType::Int64))])?;
    let mut of_rows = named(keyed.left_keys(rows));
    of_rows.push((place.clone(), places.rows));
    let rows_in = rows.with_columns(of_rows)?;

    // One line of both: incoming rows with all their columns, table rows with their number.
    let (first, second) = if rule.strict { (0_i64, 1_i64) } else { (1, 0) };
    let all: Vec<String> = rows_in.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut exprs: Vec<Expr> = all.iter().map(|name| column(name).alias(name)).collect();
    exprs.extend([lit(first).alias(&side), lit(ScalarValue::Int64(None)).alias(&index)]);
    let ours = LogicalPlanBuilder::from(rows_in.plan.clone()).project(exprs)?;
    let mut exprs = Vec::new();
    for field in rows_in.schema().fields() {
        let shared = field.name() == &place || keys.contains(field.name());
        let expr = if shared { column(field.name()) } else { lit(ScalarValue::try_from(field.data_type())?) };
        exprs.push(expr.alias(field.name()));
    }
    exprs.extend([lit(second).alias(&side), column(&index).alias(&index)]);
    let present = if rule.open { lit(true) } else { column(&place).is_not_null() };
    let theirs = LogicalPlanBuilder::from(numbered.plan.clone()).filter(present)?.project(exprs)?.build()?;
    let line = Table::new(ours.union(theirs)?.build()?, rows_in.order.clone());

    let key = |name: &str, descending: bool, nulls_first: bool| OrderKey {
        column: name.to_owned(),
        descending,
        nulls_first,
        label: String::new(),
    };
    let order = [key(&place, rule.forward, true), key(&side, false, false), key(&index, rule.forward, false)];
    let last = window::over_filled(last_value(column(&index), vec![]), &keys, &order, Frame::SoFar)?;
    let line = window::with(&line, vec![(hit.clone(), last)])?.filter(column(&side).eq(lit(first)))?;
    // What has no place, or an empty key, finds nothing.
    let known = keys.iter().map(|key| column(key).is_not_null()).fold(column(&place).is_not_null(), Expr::and);
    let line = line.with_columns(vec![(hit.clone(), when(known, column(&hit)).end()?)])?;

    let mut build = vec![(index.clone(), column(&index))];
    build.extend(taken.iter().map(|name| (name.clone(), column(name))));
    let build = only(&numbered, build)?;
    let mut kept: Vec<(String, Expr)> = rows.schema().fields().iter().map(|field| (field.name().clone(), column(field.name()))).collect();
    kept.push((hit.clone(), column(&hit)));
    let line = line.project(kept)?;
    let on = (vec![datafusion::common::Column::new_unqualified(&index)], vec![datafusion::common::Column::new_unqualified(&hit)]);
    let plan = LogicalPlanBuilder::from(build)
        .join_detailed(line.plan.clone(), JoinType::Right, on, None, NullEquality::NullEqualsNothing)?
        .build()?;
    Ok((Table::new(plan, line.order), column(&index).is_not_null()))
}

/// The columns to fetch under their hidden names.
pub(crate) fn fetching(cx: &Planning<'_>, taken: &[(String, String)]) -> Vec<(String, Expr)> {
    taken.iter().enumerate().map(|(i, (name, _))| (fetched(cx, i), column(name))).collect()
}
