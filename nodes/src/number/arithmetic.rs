//! + − × ÷, remainder, whole quotient and power.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use num_bigint::BigInt;

use super::decimal::{self, Floats, Numbers, Place, ten, within, written};
use super::{result_type, site_arguments};
use crate::formula::Site;

/// An operation on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `a + b`
    Add,
    /// `a − b`
    Subtract,
    /// `a × b`
    Multiply,
    /// `a ÷ b`
    Divide,
    /// The remainder, with the sign of the divisor.
    Modulo,
    /// The whole quotient, towards zero.
    Quotient,
    /// `a` to the power of `b`.
    Power,
}

const ALL: [Operation; 7] =
    [Operation::Add, Operation::Subtract, Operation::Multiply, Operation::Divide, Operation::Modulo, Operation::Quotient, Operation::Power];

impl Operation {
    fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "×",
            Self::Divide | Self::Quotient => "/",
            Self::Modulo => "mod",
            Self::Power => "^",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Add => "weir_add",
            Self::Subtract => "weir_subtract",
            Self::Multiply => "weir_multiply",
            Self::Divide => "weir_divide",
            Self::Modulo => "weir_modulo",
            Self::Quotient => "weir_quotient",
            Self::Power => "weir_power",
        }
    }
}

static FUNCTIONS: LazyLock<Vec<(Operation, Arc<ScalarUDF>)>> =
    LazyLock::new(|| ALL.into_iter().map(|operation| (operation, Arc::new(ScalarUDF::from(Arithmetic::new(operation))))).collect());

pub(super) fn functions() -> Vec<ScalarUDF> {
    FUNCTIONS.iter().map(|(_, function)| function.as_ref().clone()).collect()
}

pub(super) fn call(operation: Operation, a: Expr, b: Expr, site: &Site) -> Expr {
    let [label, key] = site_arguments(site);
    let function = FUNCTIONS.iter().find(|(known, _)| *known == operation).map(|(_, function)| Arc::clone(function));
    let function = function.unwrap_or_else(|| Arc::new(ScalarUDF::from(Arithmetic::new(operation))));
    function.call(vec![a, b, label, key])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    operation: Operation,
    signature: Signature,
}

impl Arithmetic {
    fn new(operation: Operation) -> Self {
        Self { operation, signature: Signature::any(4, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        self.operation.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        result_type(self.operation, &types[0], &types[1]).map_err(DataFusionError::Plan)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let result = args.return_field.data_type();
        let constant = args.args[..2].iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let float = args.args[..2].iter().any(|arg| arg.data_type() == DataType::Float64);
        let array = if float { self.floats(&args.args, rows)? } else { self.exact(&args.args, rows, result)? };
        if constant {
            return Ok(ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

impl Arithmetic {
    fn exact(&self, args: &[ColumnarValue], rows: usize, result: &DataType) -> Result<ArrayRef> {
        let (a, b) = (Numbers::of(&args[0], rows)?, Numbers::of(&args[1], rows)?);
        let nulls = NullBuffer::union(a.nulls.as_ref(), b.nulls.as_ref());
        let scale = match result {
            DataType::Decimal128(_, scale) => *scale as u8,
            _ => 0,
        };
        let place = Place::of(args)?;
        let (operation, a_scale, b_scale) = (self.operation, a.scale, b.scale);
        let failed = |row: usize| {
            let (left, right) = (written(a.get(row), a_scale), written(b.get(row), b_scale));
            let sum = format!("{left} {} {right}", operation.sign());
            let divides = matches!(operation, Operation::Divide | Operation::Modulo | Operation::Quotient);
            let limit =
                if matches!(result, DataType::Int64) { "does not fit a whole number of 64 bits" } else { "has more than 38 digits" };
            if divides && b.get(row) == 0 {
                place.error(row, &format!("{sum} divides by zero"))
            } else {
                place.error(row, &format!("{sum} {limit}"))
            }
        };
        let common = a_scale.max(b_scale);
        let (a_factor, b_factor) = (ten(common - a_scale), ten(common - b_scale));
        let aligned = |row: usize| Some((a.get(row).checked_mul(a_factor)?, b.get(row).checked_mul(b_factor)?));
        let values = match operation {
            Operation::Add if a_factor == 1 && b_factor == 1 && common == scale => {
                each(rows, nulls.as_ref(), |row| a.get(row).checked_add(b.get(row)).and_then(within), failed)
            }
            Operation::Add => each(
                rows,
                nulls.as_ref(),
                |row| aligned(row).and_then(|(a, b)| a.checked_add(b)).and_then(within).and_then(|v| decimal::rescale(v, common, scale)),
                failed,
            ),
            Operation::Subtract => each(
                rows,
                nulls.as_ref(),
                |row| aligned(row).and_then(|(a, b)| a.checked_sub(b)).and_then(within).and_then(|v| decimal::rescale(v, common, scale)),
                failed,
            ),
            Operation::Multiply => {
                let drop = a_scale + b_scale - scale;
                each(rows, nulls.as_ref(), |row| decimal::multiply(a.get(row), b.get(row), drop), failed)
            }
            Operation::Divide => {
                let shift = i16::from(scale) + i16::from(b_scale) - i16::from(a_scale);
                each(
                    rows,
                    nulls.as_ref(),
                    |row| if b.get(row) == 0 { None } else { decimal::divide(a.get(row), b.get(row), shift) },
                    failed,
                )
            }
            Operation::Modulo => each(
                rows,
                nulls.as_ref(),
                |row| {
                    let (a, b) = aligned(row)?;
                    let rest = a.checked_rem(b)?;
                    let rest = if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest };
                    decimal::rescale(rest, common, scale)
                },
                failed,
            ),
            Operation::Quotient => {
                each(rows, nulls.as_ref(), |row| aligned(row).and_then(|(a, b)| a.checked_div(b)).and_then(within), failed)
            }
            Operation::Power => each(
                rows,
                nulls.as_ref(),
                |row| {
                    let exponent = b.get(row);
                    let unit = ten(b_scale);
                    (exponent % unit == 0 && exponent >= 0).then(|| power(a.get(row), a_scale, exponent / unit, scale))?
                },
                |row| {
                    if b.get(row) % ten(b_scale) == 0 && b.get(row) >= 0 {
                        failed(row)
                    } else {
                        place.error(row, "only a whole exponent from 0 up is exact; use FLOAT on both numbers for others")
                    }
                },
            ),
        }?;
        Ok(match result {
            DataType::Int64 => {
                let mut whole = Vec::with_capacity(rows);
                for (row, value) in values.into_iter().enumerate() {
                    whole.push(i64::try_from(value).map_err(|_| failed(row))?);
                }
                Arc::new(Int64Array::new(whole.into(), nulls))
            }
            _ => Arc::new(Decimal128Array::new(values.into(), nulls).with_data_type(result.clone())),
        })
    }

    fn floats(&self, args: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        let (a, b) = (Floats::of(&args[0])?, Floats::of(&args[1])?);
        let place = Place::of(args)?;
        let mut values = Vec::with_capacity(rows);
        for row in 0..rows {
            let (Some(a), Some(b)) = (a.get(row)?, b.get(row)?) else {
                values.push(None);
                continue;
            };
            let value = match self.operation {
                Operation::Add => a + b,
                Operation::Subtract => a - b,
                Operation::Multiply => a * b,
                Operation::Divide => a / b,
                Operation::Modulo => a - b * (a / b).floor(),
                Operation::Quotient => (a / b).trunc(),
                Operation::Power => a.powf(b),
            };
            if !value.is_finite() {
                return Err(place.error(row, &format!("{a} {} {b} has no result", self.operation.sign())));
            }
            values.push(Some(value));
        }
        if self.operation == Operation::Quotient {
            let whole = values
                .into_iter()
                .enumerate()
                .map(|(row, value)| match value {
                    Some(value) if value.abs() >= 9.2e18 => Err(place.error(row, "the quotient does not fit a whole number of 64 bits")),
                    value => Ok(value.map(|value| value as i64)),
                })
                .collect::<Result<Int64Array>>()?;
            return Ok(Arc::new(whole));
        }
        Ok(Arc::new(Float64Array::from(values)))
    }
}

/// The largest exponent: beyond it any base but 0, 1 and -1 has more digits than a number holds, or none left.
const LARGEST_EXPONENT: i128 = 4096;

/// The exact power, rounded half away from zero once, to the places of the result.
fn power(base: i128, scale: u8, exponent: i128, result: u8) -> Option<i128> {
    let unit = ten(scale);
    if exponent > LARGEST_EXPONENT {
        return match base {
            0 => Some(0),
            base if base == unit || (base == -unit && exponent % 2 == 0) => Some(ten(result)),
            base if base == -unit => Some(-ten(result)),
            _ => None,
        };
    }
    let exponent = u32::try_from(exponent).ok()?;
    let exact = BigInt::from(base).pow(exponent);
    let places = u32::from(scale) * exponent;
    let rounded = match u32::from(result).checked_sub(places) {
        Some(more) => exact * BigInt::from(10).pow(more),
        None => {
            let divisor = BigInt::from(10).pow(places - u32::from(result));
            let half = &divisor / BigInt::from(2);
            if exact < BigInt::from(0) { (exact - half) / divisor } else { (exact + half) / divisor }
        }
    };
    i128::try_from(rounded).ok().and_then(within)
}

/// A value for each row that is not empty; the error of the first row that has none.
#[inline]
fn each(
    rows: usize,
    nulls: Option<&NullBuffer>,
    value: impl Fn(usize) -> Option<i128>,
    failed: impl Fn(usize) -> DataFusionError,
) -> Result<Vec<i128>> {
    let mut values = Vec::with_capacity(rows);
    for row in 0..rows {
        if nulls.is_some_and(|nulls| nulls.is_null(row)) {
            values.push(0);
            continue;
        }
        match value(row) {
            Some(value) => values.push(value),
            None => return Err(failed(row)),
        }
    }
    Ok(values)
}
