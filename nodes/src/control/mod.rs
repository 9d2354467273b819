//! Rules the data must meet.

pub mod balance;
pub mod budget;
pub mod completeness;
pub mod expect;
pub mod freshness;
pub mod outliers;
pub mod reconcile;
pub mod references;
pub mod schema;
pub mod unique_key;
pub mod volume;

use rust_decimal::Decimal;

use arrow::datatypes::DataType;
use datafusion::logical_expr::Expr;

use crate::kind::Planning;
use crate::param::Formula;
use crate::problem::Problem;
use crate::table::Table;
use crate::types::type_name;

/// A tolerance written as text, such as `0.01`; zero when nothing is written.
fn tolerance(text: &str, cx: &mut Planning<'_>) -> Decimal {
    if text.is_empty() {
        return Decimal::ZERO;
    }
    match Decimal::from_str_exact(text) {
        Ok(tolerance) if !tolerance.is_sign_negative() => tolerance,
        _ => {
            cx.problem(
                Problem::error(format!("\"{text}\" is not a tolerance.")).on("tolerance").help("Write an amount such as 0 or 0.01."),
            );
            Decimal::ZERO
        }
    }
}

/// A formula that gives a number to add up. Reports one that does not.
fn figure(cx: &mut Planning<'_>, formula: &Formula, table: &Table, field: &str) -> Option<Expr> {
    let typed = cx.formula(formula, table, "control total", field)?;
    match typed.data_type {
        DataType::Int64 | DataType::Decimal128(_, _) => {}
        DataType::Float64 => cx.problem(
            Problem::warning("This is a float: its total cannot be reconciled to the cent.")
                .on(field)
                .help("Convert it: DECIMAL([column], 2)."),
        ),
        other => {
            let problem = Problem::error(format!("A value of type {} cannot be added up.", type_name(&other)));
            cx.problem(problem.on(field).help("Give a number, for example VALUE([column])."));
            return None;
        }
    }
    Some(typed.expr)
}
