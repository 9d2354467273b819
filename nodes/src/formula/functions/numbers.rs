//! Calculating with numbers.

use arrow::datatypes::DataType;
use datafusion::functions::core::expr_fn::{greatest, least};
use datafusion::logical_expr::{Expr, cast as cast_to, lit};

use super::super::cells::Cell;
use super::super::lower::{Call, Value};
use super::{Function, Kind, row, special};
use crate::number::{self, Operation, Rounding};

const FAMILY: &str = "Numbers";
const MANY: usize = 200;

pub(super) fn functions() -> Vec<Function> {
    let f = |words, arguments, examples, build| special(FAMILY, words, arguments, examples, build);
    let float = |words, examples, run| row(FAMILY, words, (1, 1), &[Kind::Number], DataType::Float64, examples, run);
    vec![
        f(
            (
                "ROUND",
                "ARRONDI",
                "ROUND(number, [places])",
                "Rounds to a number of decimal places, halves away from zero; negative places round to tens, hundreds and so on.",
            ),
            (1, 2),
            &[("ROUND(2.675, 2)", "2.68"), ("ROUND(-2.5)", "-3"), ("ROUND(32.62 * 475, 0)", "15495"), ("ROUND(1234, -2)", "1200")],
            |call, values| rounded(call, values, Rounding::HalfAwayFromZero),
        ),
        f(
            (
                "ROUND_EVEN",
                "ARRONDI.PAIR",
                "ROUND_EVEN(number, [places])",
                "Rounds to a number of decimal places, halves to the even digit.",
            ),
            (1, 2),
            &[("ROUND_EVEN(2.5)", "2"), ("ROUND_EVEN(0.125, 2)", "0.12")],
            |call, values| rounded(call, values, Rounding::HalfEven),
        )
        .also(&["BANKERSROUND"]),
        f(
            ("ROUNDUP", "ARRONDI.SUP", "ROUNDUP(number, [places])", "Rounds away from zero."),
            (1, 2),
            &[("ROUNDUP(2.001, 2)", "2.01"), ("ROUNDUP(-1.1)", "-2")],
            |call, values| rounded(call, values, Rounding::Up),
        ),
        f(
            ("ROUNDDOWN", "ARRONDI.INF", "ROUNDDOWN(number, [places])", "Rounds towards zero."),
            (1, 2),
            &[("ROUNDDOWN(2.999, 2)", "2.99"), ("ROUNDDOWN(-1.9)", "-1")],
            |call, values| rounded(call, values, Rounding::Down),
        ),
        f(
            ("TRUNC", "TRONQUE", "TRUNC(number, [places])", "Cuts decimals off, towards zero."),
            (1, 2),
            &[("TRUNC(1.99)", "1"), ("TRUNC(-1.999, 2)", "-1.99")],
            |call, values| rounded(call, values, Rounding::Down),
        ),
        f(
            ("INT", "ENT", "INT(number)", "The largest whole number that is not above a number."),
            (1, 1),
            &[("INT(1.9)", "1"), ("INT(-1.1)", "-2")],
            |call, mut values| {
                let value = number_of(call, values.pop()?)?;
                let floor = number::round(value.expr, 0, Rounding::Floor, call.site());
                let whole = number::to_integer(floor, call.site());
                call.value(whole, DataType::Int64)
            },
        ),
        f(
            ("CEILING", "PLAFOND", "CEILING(number, [multiple])", "Rounds up to a multiple, 1 unless given."),
            (1, 2),
            &[("CEILING(2.1)", "3"), ("CEILING(17, 5)", "20"), ("CEILING(-2.1)", "-2")],
            |call, values| multiple(call, values, Rounding::Ceiling),
        ),
        f(
            ("FLOOR", "PLANCHER", "FLOOR(number, [multiple])", "Rounds down to a multiple, 1 unless given."),
            (1, 2),
            &[("FLOOR(2.9)", "2"), ("FLOOR(17, 5)", "15"), ("FLOOR(-2.1)", "-3")],
            |call, values| multiple(call, values, Rounding::Floor),
        ),
        f(
            ("MROUND", "ARRONDI.AU.MULTIPLE", "MROUND(number, multiple)", "Rounds to the nearest multiple, halves away from zero."),
            (2, 2),
            &[("MROUND(17, 5)", "15"), ("MROUND(0.125, 0.05)", "0.15")],
            |call, values| multiple(call, values, Rounding::HalfAwayFromZero),
        ),
        f(
            ("ABS", "ABS", "ABS(number)", "A number without its sign."),
            (1, 1),
            &[("ABS(-2.5)", "2.5"), ("ABS(3)", "3")],
            |call, mut values| {
                let value = number_of(call, values.pop()?)?;
                let negative = value.expr.clone().lt(lit(0_i64));
                let flipped = number::negate(value.expr.clone(), call.site());
                let data_type = number::result_type(Operation::Subtract, &DataType::Int64, &value.data_type).ok()?;
                let kept = super::super::lower::cast(value, &data_type);
                let expr = datafusion::logical_expr::when(negative, flipped).otherwise(kept).ok()?;
                call.value(expr, data_type)
            },
        ),
        row(
            FAMILY,
            ("SIGN", "SIGNE", "SIGN(number)", "1 for a positive number, -1 for a negative one, 0 for zero."),
            (1, 1),
            &[Kind::Number],
            DataType::Int64,
            &[("SIGN(-0.5)", "-1"), ("SIGN(0)", "0")],
            |cells| {
                Ok(Cell::Integer(match &cells[0] {
                    Cell::Integer(value) => value.signum(),
                    Cell::Decimal(value, _) => value.signum() as i64,
                    other => {
                        let value = other.float();
                        if value > 0.0 { 1 } else { -i64::from(value < 0.0) }
                    }
                }))
            },
        ),
        f(
            ("MOD", "MOD", "MOD(number, divisor)", "The remainder of a division, with the sign of the divisor."),
            (2, 2),
            &[("MOD(10, 3)", "1"), ("MOD(-10, 3)", "2"), ("MOD(5.5, 2)", "1.5")],
            |call, values| operation(call, values, Operation::Modulo),
        ),
        f(
            ("QUOTIENT", "QUOTIENT", "QUOTIENT(number, divisor)", "The whole part of a division."),
            (2, 2),
            &[("QUOTIENT(10, 3)", "3"), ("QUOTIENT(-7.5, 2)", "-3")],
            |call, values| operation(call, values, Operation::Quotient),
        ),
        f(
            ("POWER", "PUISSANCE", "POWER(number, exponent)", "A number to a power; exact when the exponent is whole."),
            (2, 2),
            &[("POWER(2, 10)", "1024"), ("POWER(1.1, 2)", "1.21")],
            |call, values| operation(call, values, Operation::Power),
        ),
        f(
            ("MIN", "MIN", "MIN(value1, [value2], …)", "The smallest of the values that are not empty."),
            (1, MANY),
            &[("MIN(3, 1.5, 2)", "1.5"), ("MIN(NULL, 2)", "2")],
            |call, values| extreme(call, values, least),
        ),
        f(
            ("MAX", "MAX", "MAX(value1, [value2], …)", "The largest of the values that are not empty."),
            (1, MANY),
            &[("MAX(3, 1.5, 2)", "3"), ("MAX(DATE(2026, 1, 1), DATE(2026, 9, 30))", "2026-09-30")],
            |call, values| extreme(call, values, greatest),
        ),
        f(
            ("SUM", "SOMME", "SUM(number1, [number2], …)", "The sum of values in the same row; empty ones count as nothing."),
            (1, MANY),
            &[("SUM(0.1, 0.2)", "0.3"), ("SUM(1, NULL, 2)", "3")],
            total,
        ),
        f(
            ("AVERAGE", "MOYENNE", "AVERAGE(number1, [number2], …)", "The average of values in the same row; empty ones do not count."),
            (1, MANY),
            &[("AVERAGE(1, 2, 4.5)", "2.5"), ("AVERAGE(1, NULL, 2)", "1.5")],
            |call, values| {
                let count = values
                    .iter()
                    .filter(|value| !value.is_null())
                    .map(|value| cast_to(value.expr.clone().is_not_null(), DataType::Int64))
                    .reduce(|a, b| a + b)
                    .unwrap_or_else(|| lit(0_i64));
                let sum = total(call, values)?;
                let span = call.span.clone();
                // With nothing to average the result is empty.
                let count = datafusion::functions::core::expr_fn::nullif(count, lit(0_i64));
                let count = Value { expr: count, data_type: DataType::Int64, span: span.clone() };
                call.lowering.arithmetic(Operation::Divide, sum, count, span)
            },
        ),
        float(("SQRT", "RACINE", "SQRT(number)", "The square root, as a float."), &[("SQRT(9)", "3")], |cells| {
            let value = cells[0].float();
            if value < 0.0 { Err(format!("{value} has no square root")) } else { Ok(Cell::Float(value.sqrt())) }
        }),
        float(("EXP", "EXP", "EXP(number)", "e to the power of a number, as a float."), &[("EXP(0)", "1")], |cells| {
            finite(cells[0].float().exp())
        }),
        float(("LN", "LN", "LN(number)", "The natural logarithm, as a float."), &[("LN(1)", "0")], |cells| finite(cells[0].float().ln())),
        row(
            FAMILY,
            ("LOG", "LOG", "LOG(number, [base])", "The logarithm to a base, 10 unless given, as a float."),
            (1, 2),
            &[Kind::Number],
            DataType::Float64,
            &[("LOG(1000)", "3"), ("LOG(8, 2)", "3")],
            |cells| {
                let value = cells[0].float();
                finite(match cells.get(1).map(Cell::float) {
                    None => value.log10(),
                    Some(base) if (base - 2.0).abs() < f64::EPSILON => value.log2(),
                    Some(base) => value.ln() / base.ln(),
                })
            },
        ),
        row(
            FAMILY,
            ("EVEN", "EST.PAIR", "EVEN(number)", "True when a whole number is even."),
            (1, 1),
            &[Kind::Integer],
            DataType::Boolean,
            &[("EVEN(4)", "true")],
            |cells| Ok(Cell::Boolean(cells[0].integer() % 2 == 0)),
        )
        .also(&["ISEVEN"]),
        row(
            FAMILY,
            ("ODD", "EST.IMPAIR", "ODD(number)", "True when a whole number is odd."),
            (1, 1),
            &[Kind::Integer],
            DataType::Boolean,
            &[("ODD(4)", "false")],
            |cells| Ok(Cell::Boolean(cells[0].integer() % 2 != 0)),
        )
        .also(&["ISODD"]),
    ]
}

fn finite(value: f64) -> Result<Cell<'static>, String> {
    if value.is_finite() { Ok(Cell::Float(value)) } else { Err("this has no result".into()) }
}

fn number_of(call: &mut Call<'_, '_>, value: Value) -> Option<Value> {
    if matches!(value.data_type, DataType::Int64 | DataType::Decimal128(_, _) | DataType::Float64 | DataType::Null) {
        return Some(value);
    }
    call.wrong(&value, "a number");
    None
}

fn operation(call: &mut Call<'_, '_>, mut values: Vec<Value>, operation: Operation) -> Option<Value> {
    let (b, a) = (values.pop()?, values.pop()?);
    let span = call.span.clone();
    call.lowering.arithmetic(operation, a, b, span)
}

fn rounded(call: &mut Call<'_, '_>, mut values: Vec<Value>, rounding: Rounding) -> Option<Value> {
    let places = if values.len() == 2 { values.pop() } else { None };
    let places = match places {
        None => 0,
        Some(value) => match value.constant_integer() {
            Some(places) => places.clamp(-38, 38) as i32,
            None => {
                call.wrong(&value, "a number of places written as a whole number");
                return None;
            }
        },
    };
    let value = number_of(call, values.pop()?)?;
    let data_type = match value.data_type {
        DataType::Decimal128(_, scale) => DataType::Decimal128(crate::types::MAX_DIGITS, places.clamp(0, i32::from(scale.max(0))) as i8),
        DataType::Null => DataType::Int64,
        ref other => other.clone(),
    };
    let expr = number::round(value.expr, places, rounding, call.site());
    call.value(expr, data_type)
}

fn multiple(call: &mut Call<'_, '_>, mut values: Vec<Value>, rounding: Rounding) -> Option<Value> {
    if values.len() == 1 {
        return rounded(call, values, rounding);
    }
    let unit = number_of(call, values.pop()?)?;
    let value = number_of(call, values.pop()?)?;
    match number::result_type(Operation::Add, &value.data_type, &unit.data_type) {
        Ok(data_type) => {
            let expr = number::round_to_multiple(value.expr, unit.expr, rounding, call.site());
            call.value(expr, data_type)
        }
        Err(reason) => {
            call.lowering.fail(
                call.span.clone(),
                format!("These two cannot be calculated with: {reason}."),
                "Use DECIMAL or FLOAT to convert one of them.",
            );
            None
        }
    }
}

fn extreme(call: &mut Call<'_, '_>, values: Vec<Value>, pick: fn(Vec<Expr>) -> Expr) -> Option<Value> {
    let (values, data_type) = call.same(values)?;
    call.value(pick(values), data_type)
}

fn total(call: &mut Call<'_, '_>, values: Vec<Value>) -> Option<Value> {
    let mut sum: Option<Value> = None;
    for value in values {
        let value = number_of(call, value)?;
        let zero = super::super::lower::cast(
            Value { expr: lit(0_i64), data_type: DataType::Int64, span: value.span.clone() },
            &match value.data_type {
                DataType::Null => DataType::Int64,
                ref other => other.clone(),
            },
        );
        let data_type = if value.is_null() { DataType::Int64 } else { value.data_type.clone() };
        let expr = if value.is_null() { zero } else { datafusion::functions::core::expr_fn::coalesce(vec![value.expr, zero]) };
        let value = Value { expr, data_type, span: value.span };
        let span = call.span.clone();
        sum = Some(match sum {
            None => value,
            Some(sum) => call.lowering.arithmetic(Operation::Add, sum, value, span)?,
        });
    }
    sum
}
