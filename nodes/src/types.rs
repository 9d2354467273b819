//! The types a column can have, in the user's words, and the Arrow types that carry them.

use std::fmt;
use std::str::FromStr;

use arrow::datatypes::{DataType, TimeUnit};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most digits a decimal column may have when it enters a workflow, so that sums have room in 38.
pub const INPUT_DIGITS: u8 = 28;
/// The most decimal places a decimal column may have when it enters a workflow.
pub const INPUT_PLACES: u8 = 6;
/// The most decimal places any result may have.
pub const MAX_PLACES: u8 = 18;
/// The digits Arrow's 128-bit decimals hold.
pub const MAX_DIGITS: u8 = 38;
/// The places that a division has at least.
pub const DIVISION_PLACES: u8 = 12;

/// A column's type, in the user's words. Written `text`, `integer`, `decimal`, `decimal(2)`, `float`, `boolean`,
/// `date`, `datetime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ColumnType {
    /// Unicode text (`Utf8View`).
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// An exact number with this many decimal places: up to [`INPUT_PLACES`] on entry, [`MAX_PLACES`] in results.
    Decimal(u8),
    /// A binary floating-point number; never for money.
    Float,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A day and a time to the microsecond, without a time zone.
    DateTime,
}

impl ColumnType {
    /// The Arrow type of a column of this type when it enters a workflow.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8View,
            Self::Integer => DataType::Int64,
            Self::Decimal(places) => {
                DataType::Decimal128(if places > INPUT_PLACES { MAX_DIGITS } else { INPUT_DIGITS }, places.min(MAX_PLACES) as i8)
            }
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::DateTime => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }

    /// The type a user sees for an Arrow type. `None` for types that have no place in a workflow (lists, structures,
    /// 256-bit decimals): an input turns them into something else or refuses them.
    pub fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8 | DataType::Null => Self::Text,
            DataType::Int64
            | DataType::Int32
            | DataType::Int16
            | DataType::Int8
            | DataType::UInt32
            | DataType::UInt16
            | DataType::UInt8 => Self::Integer,
            DataType::Decimal128(_, places) => Self::Decimal((*places).max(0) as u8),
            DataType::Float64 | DataType::Float32 => Self::Float,
            DataType::Boolean => Self::Boolean,
            DataType::Date32 => Self::Date,
            DataType::Timestamp(_, _) => Self::DateTime,
            _ => return None,
        })
    }

    /// Whether it is a number.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Decimal(_) | Self::Float)
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Integer => f.write_str("integer"),
            Self::Decimal(places) => write!(f, "decimal({places})"),
            Self::Float => f.write_str("float"),
            Self::Boolean => f.write_str("boolean"),
            Self::Date => f.write_str("date"),
            Self::DateTime => f.write_str("datetime"),
        }
    }
}

impl FromStr for ColumnType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        Ok(match text {
            "text" => Self::Text,
            "integer" => Self::Integer,
            "decimal" => Self::Decimal(2),
            "float" => Self::Float,
            "boolean" => Self::Boolean,
            "date" => Self::Date,
            "datetime" => Self::DateTime,
            _ => {
                let places =
                    text.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')).and_then(|n| n.trim().parse::<u8>().ok());
                match places {
                    Some(places) if places <= MAX_PLACES => Self::Decimal(places),
                    _ => {
                        return Err(format!(
                            "\"{text}\" is not a type. Use text, integer, decimal, decimal(places up to {MAX_PLACES}), float, boolean, date or datetime."
                        ));
                    }
                }
            }
        })
    }
}

impl Serialize for ColumnType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ColumnType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ColumnType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ColumnType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A column's type: text, integer, decimal, decimal(places), float, boolean, date or datetime.",
            "pattern": r"^(text|integer|decimal|decimal\(([0-9]|1[0-8])\)|float|boolean|date|datetime)$",
            "x-weir-widget": "type"
        })
    }
}

/// The user's word for an Arrow type, for messages.
pub fn type_name(data_type: &DataType) -> String {
    ColumnType::of(data_type).map_or_else(|| format!("{data_type}"), |t| t.to_string())
}
