//! Bytes → typed columns, strictly: a value either fits its column or is reported.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringViewBuilder,
    TimestampMicrosecondBuilder,
};

use crate::ColumnType;
use crate::formula::dates;

/// How the values of a column are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) column_type: ColumnType,
    pub(super) decimal_mark: u8,
    pub(super) group_mark: Option<u8>,
    /// Patterns tried in turn, for dates and datetimes.
    pub(super) patterns: Vec<String>,
}

/// A whole number: a sign, digits.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut value: i128 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i128::from(digit - b'0');
    }
    i64::try_from(if negative { -value } else { value }).ok()
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// An exact number with at most `places` decimals and 28 digits, unscaled.
#[inline]
pub(super) fn decimal(text: &[u8], places: u8, decimal_mark: u8, group_mark: Option<u8>) -> Option<i128> {
    let (negative, digits) = sign(text);
    let mut wide: i128 = 0;
    let mut value: i64 = 0;
    let (mut count, mut after, mut marked) = (0_u8, 0_u8, false);
    for byte in digits {
        if byte.is_ascii_digit() {
            if count >= 38 {
                return None;
            }
            if marked && after == places {
                // A surplus zero says nothing; any other digit would be lost.
                if *byte != b'0' {
                    return None;
                }
                continue;
            }
            // Eighteen digits fit 64 bits, which are much faster.
            if count < 18 {
                value = value * 10 + i64::from(byte - b'0');
            } else {
                if count == 18 {
                    wide = i128::from(value);
                }
                wide = wide * 10 + i128::from(byte - b'0');
            }
            count += 1;
            after += u8::from(marked);
        } else if *byte == decimal_mark && !marked {
            marked = true;
        } else if Some(*byte) == group_mark && !marked && count > 0 {
            // Groups are for the eye.
        } else {
            return None;
        }
    }
    if count == 0 || (marked && digits.last() == Some(&decimal_mark)) {
        return None;
    }
    let unscaled = if count <= 18 { i128::from(value) } else { wide };
    let unscaled = unscaled.checked_mul(10_i128.pow(u32::from(places - after)))?;
    (unscaled < 10_i128.pow(38)).then_some(if negative { -unscaled } else { unscaled })
}

/// The days of a date written as `2026-09-30`, the fast way.
#[inline]
pub(super) fn iso_date(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
    let year = digit(y1)? * 1000 + digit(y2)? * 100 + digit(y3)? * 10 + digit(y4)?;
    let (month, day) = (digit(m1)? * 10 + digit(m2)?, digit(d1)? * 10 + digit(d2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i32::from(leap),
        _ => return None,
    };
    if day < 1 || day > length {
        return None;
    }
    // Days since 1970 of the proleptic Gregorian calendar, years starting in March.
    let shifted = year - i32::from(month <= 2);
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// A moment without the parts of its last second, and those in microseconds; a `Z` for UTC goes too.
pub(super) fn parts_of_second(text: &str) -> (&str, i64) {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let Some((whole, parts)) = text.rsplit_once('.') else { return (text, 0) };
    let seconds = whole.get(whole.len().saturating_sub(3)..).is_some_and(|end| end.starts_with(':'));
    if !seconds || parts.is_empty() || parts.len() > 9 || !parts.bytes().all(|byte| byte.is_ascii_digit()) {
        return (text, 0);
    }
    let micros = format!("{parts:0<6}");
    (whole, micros.get(..6).and_then(|micros| micros.parse().ok()).unwrap_or(0))
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "vrai" | "oui" => Some(true),
        "false" | "no" | "faux" | "non" => Some(false),
        _ => None,
    }
}

/// A column being built.
pub(super) enum Column {
    Text(StringViewBuilder),
    Integer(Int64Builder),
    Decimal(Decimal128Builder),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    DateTime(TimestampMicrosecondBuilder),
}

impl Column {
    pub(super) fn new(format: &Format, rows: usize) -> Self {
        match format.column_type {
            ColumnType::Text => Self::Text(StringViewBuilder::with_capacity(rows)),
            ColumnType::Integer => Self::Integer(Int64Builder::with_capacity(rows)),
            ColumnType::Decimal(_) => Self::Decimal(Decimal128Builder::with_capacity(rows).with_data_type(format.column_type.arrow())),
            ColumnType::Float => Self::Float(Float64Builder::with_capacity(rows)),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            ColumnType::Date => Self::Date(Date32Builder::with_capacity(rows)),
            ColumnType::DateTime => Self::DateTime(TimestampMicrosecondBuilder::with_capacity(rows)),
        }
    }

    pub(super) fn null(&mut self) {
        match self {
            Self::Text(column) => column.append_null(),
            Self::Integer(column) => column.append_null(),
            Self::Decimal(column) => column.append_null(),
            Self::Float(column) => column.append_null(),
            Self::Boolean(column) => column.append_null(),
            Self::Date(column) => column.append_null(),
            Self::DateTime(column) => column.append_null(),
        }
    }

    /// Adds a value; `false` when it does not fit. `text` is valid UTF-8.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8], format: &Format) -> bool {
        let trimmed = || text.trim_ascii();
        let utf8 = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        match self {
            Self::Text(column) => match std::str::from_utf8(text) {
                Ok(text) => {
                    column.append_value(text);
                    true
                }
                Err(_) => false,
            },
            _ if trimmed().is_empty() => {
                self.null();
                true
            }
            Self::Integer(column) => integer(trimmed()).map(|value| column.append_value(value)).is_some(),
            Self::Decimal(column) => {
                let ColumnType::Decimal(places) = format.column_type else { return false };
                decimal(trimmed(), places, format.decimal_mark, format.group_mark)
                    .filter(|value| {
                        value.unsigned_abs() < 10_u128.pow(u32::from(crate::types::INPUT_DIGITS)) || places > crate::types::INPUT_PLACES
                    })
                    .map(|value| column.append_value(value))
                    .is_some()
            }
            Self::Float(column) => {
                let text = utf8(trimmed()).replace(format.decimal_mark as char, ".");
                let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
                text.parse::<f64>().ok().filter(|value| plain && value.is_finite()).map(|value| column.append_value(value)).is_some()
            }
            Self::Boolean(column) => boolean(utf8(trimmed())).map(|value| column.append_value(value)).is_some(),
            Self::Date(column) => {
                let text = trimmed();
                let found = if format.patterns.is_empty() {
                    iso_date(text)
                } else {
                    let text = utf8(text);
                    format.patterns.iter().find_map(|pattern| dates::parse(text, pattern)).map(|time| dates::days(time.date()))
                };
                found.map(|value| column.append_value(value)).is_some()
            }
            Self::DateTime(column) => {
                let text = utf8(trimmed()).replace('T', " ");
                let usual = ["yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd hh:mm", "yyyy-mm-dd"].map(str::to_owned);
                let patterns: &[String] = if format.patterns.is_empty() { &usual } else { &format.patterns };
                let (whole, micros) = parts_of_second(&text);
                let found = patterns.iter().find_map(|pattern| dates::parse(whole, pattern));
                found.map(|time| column.append_value(time.and_utc().timestamp_micros() + micros)).is_some()
            }
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Integer(column) => Arc::new(column.finish()),
            Self::Decimal(column) => Arc::new(column.finish()),
            Self::Float(column) => Arc::new(column.finish()),
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Date(column) => Arc::new(column.finish()),
            Self::DateTime(column) => Arc::new(column.finish()),
        }
    }
}
