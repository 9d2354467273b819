//! Rules the data must meet.

pub mod balance;
pub mod expect;
pub mod reconcile;

use rust_decimal::Decimal;

use crate::kind::Planning;
use crate::problem::Problem;

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
