//! Single values, for functions that work row by row.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::cast::{
    as_boolean_array, as_date32_array, as_decimal128_array, as_float64_array, as_int64_array, as_string_view_array,
    as_timestamp_microsecond_array,
};
use datafusion::common::{Result, exec_err};

/// A value in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    Integer(i64),
    /// Unscaled value and places.
    Decimal(i128, u8),
    Float(f64),
    Boolean(bool),
    /// Days since 1970.
    Date(i32),
    /// Microseconds since 1970.
    DateTime(i64),
}

impl<'a> Cell<'a> {
    /// The value of an array in a row.
    pub(super) fn of(array: &'a ArrayRef, row: usize) -> Result<Self> {
        if array.is_null(row) {
            return Ok(Self::Null);
        }
        Ok(match array.data_type() {
            DataType::Utf8View => Self::Text(Cow::Borrowed(as_string_view_array(array)?.value(row))),
            DataType::Int64 => Self::Integer(as_int64_array(array)?.value(row)),
            DataType::Decimal128(_, scale) => Self::Decimal(as_decimal128_array(array)?.value(row), (*scale).max(0) as u8),
            DataType::Float64 => Self::Float(as_float64_array(array)?.value(row)),
            DataType::Boolean => Self::Boolean(as_boolean_array(array)?.value(row)),
            DataType::Date32 => Self::Date(as_date32_array(array)?.value(row)),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Self::DateTime(as_timestamp_microsecond_array(array)?.value(row)),
            DataType::Null => Self::Null,
            other => return exec_err!("a value of type {other} cannot be used in a formula"),
        })
    }

    /// The value as canonical text; nothing for an empty value.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Decimal(value, scale) => {
                let text = crate::number::written(*value, *scale);
                Cow::Owned(if *scale > 0 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text })
            }
            Self::Float(value) => Cow::Owned(value.to_string()),
            Self::Boolean(value) => Cow::Borrowed(if *value { "TRUE" } else { "FALSE" }),
            Self::Date(days) => Cow::Owned(super::dates::date(*days).map(|d| d.to_string()).unwrap_or_default()),
            Self::DateTime(micros) => {
                Cow::Owned(super::dates::moment(*micros).map(|t| t.format("%Y-%m-%d %H:%M:%S%.f").to_string()).unwrap_or_default())
            }
        }
    }

    /// The value as a whole number.
    pub(super) fn integer(&self) -> i64 {
        match self {
            Self::Integer(value) => *value,
            Self::Decimal(value, scale) => (value / 10_i128.pow(u32::from(*scale))) as i64,
            Self::Boolean(value) => i64::from(*value),
            _ => 0,
        }
    }

    /// The value as a float.
    pub(super) fn float(&self) -> f64 {
        match self {
            Self::Integer(value) => *value as f64,
            Self::Decimal(value, scale) => crate::number::written(*value, *scale).parse().unwrap_or(f64::NAN),
            Self::Float(value) => *value,
            _ => f64::NAN,
        }
    }

    /// The value as a day.
    pub(super) fn days(&self) -> i32 {
        match self {
            Self::Date(days) => *days,
            Self::DateTime(micros) => micros.div_euclid(86_400_000_000) as i32,
            _ => 0,
        }
    }

    /// The value as a moment.
    pub(super) fn micros(&self) -> i64 {
        match self {
            Self::Date(days) => i64::from(*days) * 86_400_000_000,
            Self::DateTime(micros) => *micros,
            _ => 0,
        }
    }
}

/// An array of a type from single values of that type.
pub(super) fn array(cells: Vec<Cell<'static>>, data_type: &DataType) -> Result<ArrayRef> {
    macro_rules! collect {
        ($array:ty, $pattern:pat => $value:expr) => {
            cells.into_iter().map(|cell| if let $pattern = cell { Some($value) } else { None }).collect::<$array>()
        };
    }
    Ok(match data_type {
        DataType::Utf8View => Arc::new(collect!(StringViewArray, Cell::Text(text) => text)),
        DataType::Int64 => Arc::new(collect!(Int64Array, Cell::Integer(value) => value)),
        DataType::Decimal128(_, _) => {
            Arc::new(collect!(Decimal128Array, Cell::Decimal(value, _) => value).with_data_type(data_type.clone()))
        }
        DataType::Float64 => Arc::new(collect!(Float64Array, Cell::Float(value) => value)),
        DataType::Boolean => Arc::new(collect!(BooleanArray, Cell::Boolean(value) => value)),
        DataType::Date32 => Arc::new(collect!(Date32Array, Cell::Date(value) => value)),
        DataType::Timestamp(TimeUnit::Microsecond, None) => Arc::new(collect!(TimestampMicrosecondArray, Cell::DateTime(value) => value)),
        other => return exec_err!("a formula cannot give a value of type {other}"),
    })
}
