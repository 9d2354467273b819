//! Whole numbers with a scale: the arithmetic under every function here.

use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, i256};
use arrow::util::display::array_value_to_string;
use datafusion::common::cast::{as_decimal128_array, as_float64_array, as_int64_array};
use datafusion::common::{DataFusionError, Result, exec_err};
use datafusion::logical_expr::ColumnarValue;

/// The first value that has more than 38 digits.
pub(super) const LIMIT: i128 = 10_i128.pow(38);

/// Ten to a power that fits 128 bits.
pub(super) fn ten(power: u8) -> i128 {
    10_i128.pow(u32::from(power.min(38)))
}

fn ten_wide(power: u8) -> i256 {
    let mut result = i256::ONE;
    for _ in 0..power {
        result = result.wrapping_mul(i256::from_i128(10));
    }
    result
}

/// A quotient rounded half away from zero. The divisor is not zero.
pub(super) fn divide_rounded(dividend: i128, divisor: i128) -> i128 {
    let (quotient, remainder) = (dividend / divisor, dividend % divisor);
    // |r| ≥ |d| − |r| is 2|r| ≥ |d| without overflow.
    if remainder.unsigned_abs() >= divisor.unsigned_abs() - remainder.unsigned_abs() {
        quotient + if (dividend < 0) == (divisor < 0) { 1 } else { -1 }
    } else {
        quotient
    }
}

fn divide_rounded_wide(dividend: i256, divisor: i256) -> Option<i128> {
    let quotient = dividend.checked_div(divisor)?;
    let remainder = dividend.checked_rem(divisor)?;
    let (rest, whole) = (remainder.checked_abs()?, divisor.checked_abs()?);
    let step = if (dividend < i256::ZERO) == (divisor < i256::ZERO) { i256::ONE } else { i256::MINUS_ONE };
    let rounded = if rest >= whole.checked_sub(rest)? { quotient.checked_add(step)? } else { quotient };
    rounded.to_i128()
}

/// `value` if it has at most 38 digits.
pub(super) fn within(value: i128) -> Option<i128> {
    (-LIMIT < value && value < LIMIT).then_some(value)
}

/// `a × b`, then without `drop` of its places, rounded half away from zero.
pub(super) fn multiply(a: i128, b: i128, drop: u8) -> Option<i128> {
    match a.checked_mul(b) {
        Some(product) if drop == 0 => within(product),
        Some(product) => within(divide_rounded(product, ten(drop))),
        None => divide_rounded_wide(i256::from_i128(a).checked_mul(i256::from_i128(b))?, ten_wide(drop)).and_then(within),
    }
}

/// `a × 10^shift ÷ b`, rounded half away from zero; a negative shift divides. `b` is not zero.
pub(super) fn divide(a: i128, b: i128, shift: i16) -> Option<i128> {
    if shift >= 0 {
        let shift = shift as u8;
        if shift <= 38
            && let Some(dividend) = a.checked_mul(ten(shift))
        {
            return within(divide_rounded(dividend, b));
        }
        let dividend = i256::from_i128(a).checked_mul(ten_wide(shift))?;
        return divide_rounded_wide(dividend, i256::from_i128(b)).and_then(within);
    }
    let divisor = i256::from_i128(b).checked_mul(ten_wide((-shift) as u8))?;
    divide_rounded_wide(i256::from_i128(a), divisor).and_then(within)
}

/// A number with another number of places, rounded half away from zero.
pub(super) fn rescale(value: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from { value.checked_mul(ten(to - from)).and_then(within) } else { Some(divide_rounded(value, ten(from - to))) }
}

/// A number as people write it.
pub(crate) fn written(value: i128, scale: u8) -> String {
    if scale == 0 {
        return value.to_string();
    }
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", value.unsigned_abs(), width = usize::from(scale) + 1);
    let (whole, places) = digits.split_at(digits.len() - usize::from(scale));
    format!("{sign}{whole}.{places}")
}

/// Numbers of one operand: unscaled values, or one value for all rows.
pub(super) struct Numbers {
    values: Vec<i128>,
    /// The places of the values.
    pub(super) scale: u8,
    /// Empty values; a constant that is empty makes every row empty.
    pub(super) nulls: Option<NullBuffer>,
    constant: bool,
}

impl Numbers {
    /// The numbers of an operand that is an integer or a decimal.
    pub(super) fn of(value: &ColumnarValue, rows: usize) -> Result<Self> {
        let (array, constant) = match value {
            ColumnarValue::Array(array) => (array.clone(), false),
            ColumnarValue::Scalar(scalar) => (scalar.to_array_of_size(1)?, true),
        };
        let (values, scale) = match array.data_type() {
            DataType::Int64 => (as_int64_array(&array)?.values().iter().map(|v| i128::from(*v)).collect(), 0),
            DataType::Decimal128(_, scale) if *scale < 0 => {
                let factor = ten(scale.unsigned_abs());
                let values = as_decimal128_array(&array)?.values().iter().map(|v| v.checked_mul(factor)).collect::<Option<Vec<_>>>();
                (values.ok_or_else(|| DataFusionError::Execution("A number has more than 38 digits.".into()))?, 0)
            }
            DataType::Decimal128(_, scale) => (as_decimal128_array(&array)?.values().to_vec(), *scale as u8),
            DataType::Null => (vec![0; array.len()], 0),
            other => return exec_err!("{} is not a number", crate::types::type_name(other)),
        };
        let nulls = array.logical_nulls();
        let nulls = match nulls {
            Some(nulls) if constant => nulls.is_null(0).then(|| NullBuffer::new_null(rows)),
            other => other,
        };
        Ok(Self { values, scale, nulls, constant })
    }

    /// The number in a row.
    #[inline]
    pub(super) fn get(&self, row: usize) -> i128 {
        self.values[if self.constant { 0 } else { row }]
    }
}

/// Float values of an operand.
pub(super) struct Floats {
    array: ArrayRef,
    constant: bool,
}

impl Floats {
    /// The floats of a numeric operand.
    pub(super) fn of(value: &ColumnarValue) -> Result<Self> {
        let (array, constant) = match value {
            ColumnarValue::Array(array) => (array.clone(), false),
            ColumnarValue::Scalar(scalar) => (scalar.to_array_of_size(1)?, true),
        };
        Ok(Self { array: arrow::compute::cast(&array, &DataType::Float64)?, constant })
    }

    /// The float in a row, unless it is empty.
    pub(super) fn get(&self, row: usize) -> Result<Option<f64>> {
        let row = if self.constant { 0 } else { row };
        let array = as_float64_array(&self.array)?;
        Ok(array.is_valid(row).then(|| array.value(row)))
    }
}

/// What a function that can fail knows about where it works.
pub(crate) struct Place<'a> {
    label: &'a ColumnarValue,
    key: &'a ColumnarValue,
}

impl<'a> Place<'a> {
    /// From the two last arguments.
    pub(crate) fn of(args: &'a [ColumnarValue]) -> Result<Self> {
        match args {
            [.., label, key] => Ok(Self { label, key }),
            _ => exec_err!("a function that can fail was called without its place"),
        }
    }

    /// An error in a row.
    pub(crate) fn error(&self, row: usize, what: &str) -> DataFusionError {
        let label = match self.label {
            ColumnarValue::Scalar(label) => label.to_string(),
            ColumnarValue::Array(_) => String::new(),
        };
        let key = match self.key {
            ColumnarValue::Array(array) => array_value_to_string(array, row).unwrap_or_default(),
            ColumnarValue::Scalar(key) if key.is_null() => String::new(),
            ColumnarValue::Scalar(key) => key.to_string(),
        };
        let separator = if key.is_empty() { "" } else { " " };
        DataFusionError::Execution(format!("In {label}{separator}{key}: {what}."))
    }
}
