//! Exact numbers: decimal arithmetic, rounding and aggregates as `DataFusion` functions.
//!
//! Nothing of what the layer below does to decimals (division truncates, sums wrap) reaches a user: arithmetic is done
//! here, in 128 bits with 256 where a step in the middle needs them, rounded half away from zero, and checked. What
//! can fail takes two arguments more than its operands: a label and the key of the row, so that the error names both.

mod aggregate;
mod arithmetic;
mod convert;
mod decimal;
mod float_sum;
mod rounding;

#[cfg(test)]
mod tests;

use arrow::datatypes::DataType;
use datafusion::logical_expr::{AggregateUDF, Expr, ScalarUDF, lit};
use datafusion::scalar::ScalarValue;

pub use aggregate::{average, deviation, median, percentile, sum};
pub use arithmetic::Operation;
pub(crate) use convert::parse as parse_written;
pub use convert::{parse_number, to_decimal, to_integer};
pub(crate) use decimal::{Place, written};
pub use rounding::{Rounding, round, round_to_multiple};

use crate::formula::Site;
use crate::types::{DIVISION_PLACES, MAX_DIGITS, MAX_PLACES};

/// The scalar functions Weir adds, for registration by name.
pub fn scalar_functions() -> Vec<ScalarUDF> {
    arithmetic::functions().into_iter().chain(rounding::functions()).chain(convert::functions()).collect()
}

/// The aggregate functions Weir adds, for registration by name.
pub fn aggregate_functions() -> Vec<AggregateUDF> {
    aggregate::functions()
}

/// `a + b`, exact.
pub fn add(a: Expr, b: Expr, site: &Site) -> Expr {
    arithmetic::call(Operation::Add, a, b, site)
}

/// `a − b`, exact.
pub fn subtract(a: Expr, b: Expr, site: &Site) -> Expr {
    arithmetic::call(Operation::Subtract, a, b, site)
}

/// `a × b`, exact up to 18 places.
pub fn multiply(a: Expr, b: Expr, site: &Site) -> Expr {
    arithmetic::call(Operation::Multiply, a, b, site)
}

/// `a ÷ b` with at least 12 places, rounded half away from zero.
pub fn divide(a: Expr, b: Expr, site: &Site) -> Expr {
    arithmetic::call(Operation::Divide, a, b, site)
}

/// The remainder of `a ÷ b`, with the sign of `b`, as Excel's MOD.
pub fn modulo(a: Expr, b: Expr, site: &Site) -> Expr {
    arithmetic::call(Operation::Modulo, a, b, site)
}

/// The whole part of `a ÷ b`, towards zero, as an integer.
pub fn quotient(a: Expr, b: Expr, site: &Site) -> Expr {
    arithmetic::call(Operation::Quotient, a, b, site)
}

/// `a` to the power of `b`: exact when `b` is a whole number and `a` is not a float.
pub fn power(a: Expr, b: Expr, site: &Site) -> Expr {
    arithmetic::call(Operation::Power, a, b, site)
}

/// `−x`.
pub fn negate(x: Expr, site: &Site) -> Expr {
    subtract(lit(0_i64), x, site)
}

/// The two arguments every function that can fail takes after its operands: what it makes, and which row it is in.
pub(crate) fn site_arguments(site: &Site) -> [Expr; 2] {
    match &site.row {
        Some((label, key)) => [lit(format!("\"{}\", {label}", site.output)), key.clone()],
        None => [lit(format!("\"{}\"", site.output)), lit(ScalarValue::Null)],
    }
}

/// The type of an operation's result, or why there is none.
///
/// Integers stay integers under + − ×; `÷` gives at least 12 places; + − keep the larger scale, × adds the scales up to
/// 18. Decimals and floats do not mix: a money column must not turn into a float unseen.
pub fn result_type(operation: Operation, a: &DataType, b: &DataType) -> Result<DataType, String> {
    use DataType::{Decimal128, Float64, Int64, Null};
    let scale = |data_type: &DataType| match data_type {
        Decimal128(_, scale) => (*scale).max(0) as u8,
        _ => 0,
    };
    let decimal = |places: u8| Decimal128(MAX_DIGITS, places.min(MAX_PLACES) as i8);
    match (a, b) {
        (Int64 | Decimal128(_, _) | Float64 | Null, Int64 | Decimal128(_, _) | Float64 | Null) => {}
        (Int64 | Decimal128(_, _) | Float64 | Null, other) | (other, _) => {
            return Err(format!("{} is not a number", crate::types::type_name(other)));
        }
    }
    match (a, b) {
        (Decimal128(_, _), Float64) | (Float64, Decimal128(_, _)) => {
            return Err("a decimal and a float do not mix: the result would no longer be exact".into());
        }
        (Float64, _) | (_, Float64) => return Ok(if operation == Operation::Quotient { Int64 } else { Float64 }),
        _ => {}
    }
    let (left, right) = (scale(a), scale(b));
    let whole = matches!((a, b), (Int64 | Null, Int64 | Null));
    Ok(match operation {
        Operation::Quotient => Int64,
        Operation::Divide => decimal(DIVISION_PLACES.max(left).max(right)),
        Operation::Power if whole => Int64,
        Operation::Power => decimal(DIVISION_PLACES.max(left)),
        _ if whole => Int64,
        Operation::Multiply => decimal(left + right),
        Operation::Add | Operation::Subtract | Operation::Modulo => decimal(left.max(right)),
    })
}

/// The expression of an operation.
pub(crate) fn operate(operation: Operation, a: Expr, b: Expr, site: &Site) -> Expr {
    arithmetic::call(operation, a, b, site)
}

/// The unscaled value and the places of a number in digits, `.` before its decimals.
pub(crate) fn parse(digits: &str) -> Option<(i128, u8)> {
    convert::parse(digits, '.', None)
}

/// A number with another number of places, rounded half away from zero; `None` over 38 digits.
pub(crate) fn rescaled(value: i128, from: u8, to: u8) -> Option<i128> {
    decimal::rescale(value, from, to)
}
