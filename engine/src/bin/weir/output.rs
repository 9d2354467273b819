//! How results look on a terminal.

use std::io::{self, Write};

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use rust_decimal::Decimal;
use serde::Serialize;
use weir_engine::Problem;
use weir_engine::preview::cell::cell;
use weir_nodes::ColumnType;

use crate::End;

/// Prints to standard output; a reader that went away (`| head`) is no error.
pub(crate) fn say(text: &str) {
    let mut out = io::stdout().lock();
    // Nobody is left to tell.
    let _ = writeln!(out, "{text}");
}

/// Prints to standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints a value as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> End {
    match serde_json::to_string_pretty(value) {
        Ok(text) => {
            say(&text);
            End::Done
        }
        Err(error) => {
            note(&format!("error: this cannot be written as JSON: {error}"));
            End::Failed
        }
    }
}

/// Prints problems, each with its way out on a line of its own, and ends with `Wrong`.
pub(crate) fn problems(problems: &[Problem]) -> End {
    for problem in problems {
        problem_lines(problem);
    }
    End::Wrong
}

/// Prints one problem.
pub(crate) fn problem_lines(problem: &Problem) {
    let mut shown = problem.clone();
    let help = shown.help.take();
    note(&shown.to_string());
    if let Some(help) = help {
        note(&format!("  → {help}"));
    }
}

/// A whole number with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// An amount with its thousands apart and at least two decimals.
pub(crate) fn amount(number: Decimal) -> String {
    let mut number = number.normalize();
    if number.scale() < 2 {
        number.rescale(2);
    }
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    match digits.split_once('.') {
        Some((whole, places)) => format!("{sign}{}.{places}", grouped(whole)),
        None => format!("{sign}{}", grouped(digits)),
    }
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Rows as a table with types in the header.
pub(crate) fn table(batch: &RecordBatch) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    let types: Vec<Option<ColumnType>> = batch.schema().fields().iter().map(|field| ColumnType::of(field.data_type())).collect();
    let header: Vec<String> = batch
        .schema()
        .fields()
        .iter()
        .zip(&types)
        .map(|(field, column_type)| {
            let name = column_type.map_or_else(|| field.data_type().to_string(), |t| t.to_string());
            format!("{}\n{name}", field.name())
        })
        .collect();
    table.set_header(header);
    for row in 0..batch.num_rows() {
        // An empty value is shown as such, apart from an empty text.
        table.add_row(batch.columns().iter().map(|array| cell(array, row).unwrap_or_else(|| "∅".into())).collect::<Vec<_>>());
    }
    for (i, column_type) in types.iter().enumerate() {
        if column_type.is_some_and(ColumnType::is_number)
            && let Some(column) = table.column_mut(i)
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Rows as CSV text.
pub(crate) fn csv(batch: &RecordBatch) -> Result<String, Problem> {
    let trouble = |error: &dyn std::fmt::Display| Problem::error(format!("The rows cannot be written as CSV: {error}."));
    let mut writer = csv::Writer::from_writer(vec![]);
    writer.write_record(batch.schema().fields().iter().map(|field| field.name().as_str())).map_err(|e| trouble(&e))?;
    for row in 0..batch.num_rows() {
        let cells = batch.columns().iter().map(|array| cell(array, row).unwrap_or_default());
        writer.write_record(cells).map_err(|e| trouble(&e))?;
    }
    let bytes = writer.into_inner().map_err(|e| trouble(&e))?;
    String::from_utf8(bytes).map_err(|e| trouble(&e))
}

/// Rows as JSON objects: integers as numbers, decimals and dates as text so that nothing is lost.
pub(crate) fn json_rows(batch: &RecordBatch) -> Vec<serde_json::Map<String, serde_json::Value>> {
    use serde_json::Value;
    let schema = batch.schema();
    (0..batch.num_rows())
        .map(|row| {
            let json = |array: &dyn Array| match (cell(array, row), array.data_type()) {
                (None, _) => Value::Null,
                (Some(text), DataType::Int64 | DataType::Float64 | DataType::Boolean) => {
                    serde_json::from_str(&text).unwrap_or(Value::String(text))
                }
                (Some(text), _) => Value::String(text),
            };
            schema.fields().iter().zip(batch.columns()).map(|(field, array)| (field.name().clone(), json(array))).collect()
        })
        .collect()
}
