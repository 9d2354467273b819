//! From one type to another, strictly.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::logical_expr::cast as cast_to;

use super::super::cells::Cell;
use super::super::dates;
use super::super::lower::{Call, Value};
use super::Kind::{Any, Text};
use super::{Function, row, special};
use crate::number;
use crate::types::{MAX_DIGITS, MAX_PLACES};

const FAMILY: &str = "Conversion";
const MANY: usize = 20;

pub(super) fn functions() -> Vec<Function> {
    let f = |words, arguments, examples, build| special(FAMILY, words, arguments, examples, build);
    vec![
        row(
            FAMILY,
            (
                "TEXT",
                "TEXTE",
                "TEXT(value, [format])",
                "A value as text, in an Excel format such as 0.00, #,##0.00, 0%, 00000, yyyy-mm-dd or dd/mm/yyyy.",
            ),
            (1, 2),
            &[Any, Text],
            DataType::Utf8View,
            &[
                ("TEXT(1234.5, \"#,##0.00\")", "1,234.50"),
                ("TEXT(0.125, \"0.0%\")", "12.5%"),
                ("TEXT(17, \"00000\")", "00017"),
                ("TEXT(DATE(2026, 9, 3), \"dd/mm/yyyy\")", "03/09/2026"),
                ("TEXT(1.50)", "1.5"),
            ],
            |a| {
                let Some(format) = a.get(1) else { return Ok(Cell::Text(a[0].text().into_owned().into())) };
                let format = format.text();
                let text = match &a[0] {
                    Cell::Date(_) | Cell::DateTime(_) => dates::moment(a[0].micros()).and_then(|time| dates::print(time, &format)),
                    Cell::Integer(value) => formatted(i128::from(*value), 0, &format),
                    Cell::Decimal(value, scale) => formatted(*value, *scale, &format),
                    Cell::Float(value) => number::parse(&value.to_string()).and_then(|(value, scale)| formatted(value, scale, &format)),
                    other => Some(other.text().into_owned()),
                };
                text.map(|text| Cell::Text(text.into())).ok_or_else(|| format!("\"{format}\" is not a format for {}", a[0].text()))
            },
        )
        .also(&["TOTEXT"]),
        f(
            (
                "VALUE",
                "CNUM",
                "VALUE(text, [places])",
                "The number a text stands for, with . before its decimals, of which at most 6 are kept exactly unless more are asked for.",
            ),
            (1, 2),
            &[("VALUE(\"12.50\")", "12.5"), ("IFERROR(VALUE(\"12,5\"), 0)", "0")],
            |call, mut values| {
                let places = if values.len() == 2 { Some(values.pop()?) } else { None };
                let places = places_of(call, places, 6)?;
                parsed(call, values.pop()?, places, '.', None)
            },
        ),
        f(
            (
                "NUMBERVALUE",
                "VALEURNOMBRE",
                "NUMBERVALUE(text, decimal_mark, [group_mark])",
                "The number a text stands for, with the marks it is written with; at most 6 decimals.",
            ),
            (2, 3),
            &[("NUMBERVALUE(\"1 234,50\", \",\", \" \")", "1234.5"), ("NUMBERVALUE(\"12,5\", \",\")", "12.5")],
            |call, mut values| {
                let mark = |call: &mut Call<'_, '_>, value: Value| {
                    let mark = value.constant_text().and_then(|text| {
                        let mut characters = text.chars();
                        characters.next().filter(|_| characters.next().is_none())
                    });
                    if mark.is_none() {
                        call.wrong(&value, "one character in quotes");
                    }
                    mark
                };
                let group = if values.len() == 3 {
                    let value = values.pop()?;
                    Some(mark(call, value)?)
                } else {
                    None
                };
                let decimal = values.pop()?;
                let decimal = mark(call, decimal)?;
                parsed(call, values.pop()?, 6, decimal, group)
            },
        ),
        f(
            ("INTEGER", "ENTIER", "INTEGER(number)", "The whole part of a number, as an integer."),
            (1, 1),
            &[("INTEGER(2.9)", "2"), ("INTEGER(\"17\")", "17")],
            |call, mut values| {
                let value = values.pop()?;
                let expr = match value.data_type {
                    DataType::Boolean => cast_to(value.expr, DataType::Int64),
                    DataType::Utf8View | DataType::Int64 | DataType::Decimal128(_, _) | DataType::Float64 | DataType::Null => {
                        number::to_integer(value.expr, call.site())
                    }
                    _ => {
                        call.wrong(&value, "a number or a text");
                        return None;
                    }
                };
                call.value(expr, DataType::Int64)
            },
        ),
        f(
            (
                "DECIMAL",
                "DECIMAL",
                "DECIMAL(number, [places])",
                "A number with a fixed count of decimals, 2 unless given, rounded half away from zero.",
            ),
            (1, 2),
            &[("DECIMAL(2.675, 2)", "2.68"), ("DECIMAL(FLOAT(0.1), 1)", "0.1"), ("DECIMAL(\"12.50\")", "12.5")],
            |call, mut values| {
                let places = if values.len() == 2 { Some(values.pop()?) } else { None };
                let places = places_of(call, places, 2)?;
                let value = values.pop()?;
                if !matches!(
                    value.data_type,
                    DataType::Utf8View | DataType::Int64 | DataType::Decimal128(_, _) | DataType::Float64 | DataType::Null
                ) {
                    call.wrong(&value, "a number or a text");
                    return None;
                }
                let expr = number::to_decimal(value.expr, places, call.site());
                call.value(expr, DataType::Decimal128(MAX_DIGITS, places as i8))
            },
        ),
        f(
            ("FLOAT", "FLOTTANT", "FLOAT(number)", "A number as a binary float: fast, not exact, never for money."),
            (1, 1),
            &[("FLOAT(0.5)", "0.5")],
            |call, mut values| {
                let value = values.pop()?;
                if !matches!(value.data_type, DataType::Int64 | DataType::Decimal128(_, _) | DataType::Float64 | DataType::Null) {
                    call.wrong(&value, "a number");
                    return None;
                }
                call.value(cast_to(value.expr, DataType::Float64), DataType::Float64)
            },
        ),
        row(
            FAMILY,
            (
                "DATEVALUE",
                "DATEVAL",
                "DATEVALUE(text, [format1], [format2], …)",
                "The date a text stands for: in the first format it fits, yyyy-mm-dd unless given.",
            ),
            (1, MANY),
            &[Text],
            DataType::Date32,
            &[
                ("DATEVALUE(\"2026-09-03\")", "2026-09-03"),
                ("DATEVALUE(\"03/09/2026\", \"yyyy-mm-dd\", \"dd/mm/yyyy\")", "2026-09-03"),
                ("DATEVALUE(\"3 sept. 2026\", \"d mmm yyyy\")", "2026-09-03"),
            ],
            |a| {
                let text = a[0].text();
                read(&text, &a[1..], &["yyyy-mm-dd"]).map(|time| Cell::Date(dates::days(time.date())))
            },
        ),
        row(
            FAMILY,
            (
                "DATETIMEVALUE",
                "DATEHEUREVAL",
                "DATETIMEVALUE(text, [format1], …)",
                "The moment a text stands for, yyyy-mm-dd hh:mm:ss unless given.",
            ),
            (1, MANY),
            &[Text],
            DataType::Timestamp(TimeUnit::Microsecond, None),
            &[("DATETIMEVALUE(\"2026-09-03 10:00:00\")", "2026-09-03 10:00:00")],
            |a| {
                let text = a[0].text();
                let usual = ["yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd hh:mm", "yyyy-mm-dd"];
                read(&text.replace('T', " "), &a[1..], &usual).map(|time| Cell::DateTime(time.and_utc().timestamp_micros()))
            },
        ),
        row(
            FAMILY,
            ("BOOLEAN", "BOOLEEN", "BOOLEAN(value)", "True or false from true, false, yes, no, oui, non, vrai, faux, 1 or 0."),
            (1, 1),
            &[Any],
            DataType::Boolean,
            &[("BOOLEAN(\"Oui\")", "true"), ("BOOLEAN(0)", "false")],
            |a| match a[0].text().trim().to_lowercase().as_str() {
                "true" | "yes" | "oui" | "vrai" | "1" => Ok(Cell::Boolean(true)),
                "false" | "no" | "non" | "faux" | "0" => Ok(Cell::Boolean(false)),
                other => Err(format!("\"{other}\" is neither true nor false")),
            },
        ),
        row(
            FAMILY,
            ("ISNUMBER", "ESTNUM", "ISNUMBER(value)", "True when a value is a number, or a text that VALUE can read."),
            (1, 1),
            &[Any],
            DataType::Boolean,
            &[("ISNUMBER(\"12.5\")", "true"), ("ISNUMBER(\"abc\")", "false"), ("ISNUMBER(NULL)", "false")],
            |a| {
                Ok(Cell::Boolean(match &a[0] {
                    Cell::Integer(_) | Cell::Decimal(..) | Cell::Float(_) => true,
                    Cell::Text(text) => number::parse(text.trim()).is_some(),
                    _ => false,
                }))
            },
        )
        .lenient(),
    ]
}

fn places_of(call: &mut Call<'_, '_>, value: Option<Value>, default: u8) -> Option<u8> {
    let Some(value) = value else { return Some(default) };
    match value.constant_integer().and_then(|places| u8::try_from(places).ok()) {
        Some(places) if places <= MAX_PLACES => Some(places),
        _ => {
            call.wrong(&value, "a number of places from 0 to 18");
            None
        }
    }
}

fn parsed(call: &mut Call<'_, '_>, value: Value, places: u8, decimal: char, group: Option<char>) -> Option<Value> {
    let expr = match value.data_type {
        DataType::Utf8View | DataType::Null => number::parse_number(value.expr, places, decimal, group, call.site()),
        DataType::Int64 | DataType::Decimal128(_, _) => number::to_decimal(value.expr, places, call.site()),
        _ => {
            call.wrong(&value, "a text");
            return None;
        }
    };
    call.value(expr, DataType::Decimal128(MAX_DIGITS, places as i8))
}

fn read(text: &str, formats: &[Cell<'_>], usual: &[&str]) -> Result<chrono::NaiveDateTime, String> {
    let trimmed = text.trim();
    if formats.is_empty() {
        let found = usual.iter().find_map(|format| dates::parse(trimmed, format));
        return found.ok_or_else(|| format!("\"{text}\" is not a date in the format {}", usual[0]));
    }
    let formats: Vec<_> = formats.iter().map(Cell::text).collect();
    if let Some(wrong) = formats.iter().find(|format| !dates::is_pattern(format)) {
        return Err(format!("\"{wrong}\" is not a format of dates"));
    }
    let found = formats.iter().find_map(|format| dates::parse(trimmed, format));
    found.ok_or_else(|| format!("\"{text}\" is not a date in the format {}", formats.join(" or ")))
}

/// A number in an Excel format: zeros and hashes for digits, a comma for groups of thousands, a percent sign.
fn formatted(value: i128, scale: u8, format: &str) -> Option<String> {
    let start = format.find(['0', '#'])?;
    let end = format.rfind(['0', '#']).map(|at| at + 1)?;
    let (prefix, body, suffix) = (&format[..start], &format[start..end], &format[end..]);
    if body.chars().any(|c| !"0#,.".contains(c)) {
        return None;
    }
    let percent = suffix.contains('%');
    let (whole, places) = body.split_once('.').unwrap_or((body, ""));
    let most = places.len() as u8;
    let value = if percent { value.checked_mul(100)? } else { value };
    let value = number::rescaled(value, scale, most)?;
    let text = number::written(value.checked_abs()?, most);
    let (digits, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let least_whole = whole.chars().filter(|c| *c == '0').count();
    let mut digits = format!("{digits:0>least_whole$}");
    if least_whole == 0 && digits == "0" {
        digits.clear();
    }
    if whole.contains(',') {
        let count = digits.len();
        digits = digits.chars().enumerate().fold(String::new(), |mut text, (i, digit)| {
            if i > 0 && (count - i).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
            text
        });
    }
    let least_places = places.trim_end_matches('#').len();
    let mut fraction = fraction.to_owned();
    while fraction.len() > least_places && fraction.ends_with('0') {
        fraction.pop();
    }
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if value < 0 { "-" } else { "" };
    Some(format!("{sign}{prefix}{digits}{point}{fraction}{suffix}"))
}
