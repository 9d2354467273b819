//! One row becomes several: lists beside each other are laid out as rows.

use datafusion::common::{Column, NullHandling, Result, UnnestOptions};
use datafusion::functions_nested::expr_fn::{array_length, gen_series};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};

use crate::table::{OrderKey, Table, column, hidden};

/// Each row as many times as its lists are long, with their items under these names; in the order of the lists. All
/// lists of a row have the same length. A row whose list is empty stays, with empty values, where `keep_empty` is on.
pub(crate) fn spread(node: &str, table: &Table, lists: Vec<(String, Expr)>, keep_empty: bool) -> Result<Table> {
    let place = hidden(&format!("{node}.item"));
    let mut lists = lists;
    if let Some((_, first)) = lists.first() {
        lists.push((
            place.clone(),
            gen_series(
                lit(1_i64),
                datafusion::logical_expr::cast(array_length(first.clone()), arrow::datatypes::DataType::Int64),
                lit(1_i64),
            ),
        ));
    }
    // Keys that a list replaces stay under hidden names.
    let names: Vec<Column> = lists.iter().map(|(name, _)| Column::new_unqualified(name)).collect();
    let table = table.with_columns(lists)?;
    let null_handling = if keep_empty { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
    let plan =
        LogicalPlanBuilder::from(table.plan).unnest_columns_with_options(names, UnnestOptions::new().with_null_handling(null_handling))?;
    let all: Vec<Expr> = plan.schema().fields().iter().map(|field| column(field.name())).collect();
    let plan = plan.project(all)?.build()?;
    let mut order = table.order;
    order.push(OrderKey::ascending(place, "item"));
    Ok(Table::new(plan, order))
}
