//! Rows that a file gives as texts, and the types found in them: shared by the inputs that read whole files.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::csv::sniff::clean_names;
use crate::ColumnType;
use crate::example::typed_array;
use crate::problem::{Problem, did_you_mean};
use crate::types::{INPUT_DIGITS, INPUT_PLACES};

/// A column whose type is given by hand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TypedColumn {
    /// The column's name, as in the file.
    pub name: String,
    /// The column's type.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// A text that may stand for something else: a number, a date.
    Plain(String),
    /// A text that the file says is one; only a date may be found in it.
    Text(String),
    /// A number.
    Number(String),
    /// True or false.
    Boolean(bool),
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Self::Plain(text) | Self::Text(text) | Self::Number(text) => text.clone(),
            Self::Boolean(value) => value.to_string(),
        }
    }
}

/// Rows under construction. Columns appear in the order in which they are first seen.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    names: Vec<String>,
    places: HashMap<String, usize>,
    cells: Vec<HashMap<usize, Cell>>,
}

impl Rows {
    /// Starts a row.
    pub(crate) fn start(&mut self) {
        self.cells.push(HashMap::new());
    }

    /// Puts a value into the row that was started last.
    pub(crate) fn put(&mut self, name: &str, cell: Cell) {
        let place = self.column(name);
        if let Some(row) = self.cells.last_mut() {
            row.insert(place, cell);
        }
    }

    /// A column's place; it is there from now on, even if no row fills it.
    pub(crate) fn column(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// The rows as a table. `declared` types are kept to; the others are found out.
    pub(crate) fn table(self, declared: &[TypedColumn], file: &str, notes: &mut Vec<Problem>) -> Result<RecordBatch, Vec<Problem>> {
        let mut problems = Vec::new();
        for column in declared.iter().filter(|column| !self.places.contains_key(&column.name)) {
            let help = did_you_mean(&column.name, self.names.iter().map(String::as_str))
                .unwrap_or_else(|| format!("Its columns are: {}.", self.names.join(", ")));
            let what = format!("Column \"{}\" is not in this file.", column.name);
            problems.push(Problem::error(what).on("columns").in_file(file, None).help(help));
        }
        let names = clean_names(self.names.clone(), file, notes)?;
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for (place, name) in self.names.iter().enumerate() {
            let cells: Vec<Option<&Cell>> = self.cells.iter().map(|row| row.get(&place)).collect();
            let declared = declared.iter().find(|column| column.name == *name).map(|column| column.column_type);
            let column_type = declared.unwrap_or_else(|| found(&cells));
            let texts: Vec<Option<String>> = cells
                .iter()
                .map(|cell| cell.map(|cell| written(cell, column_type)).filter(|text| column_type == ColumnType::Text || !text.is_empty()))
                .collect();
            let values: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
            match typed_array(&values, column_type) {
                Ok(array) => {
                    fields.push(Field::new(&names[place], array.data_type().clone(), true));
                    arrays.push(array);
                }
                Err((row, error)) => problems.push(
                    Problem::error(format!("Row {}, \"{name}\": {error}.", row + 1))
                        .on("columns")
                        .in_file(file, None)
                        .help("Correct the value, or declare the column as text."),
                ),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(self.cells.len()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .map_err(|error| vec![Problem::error(format!("The file cannot be read: {error}.")).in_file(file, None)])
    }
}

/// A value as its type writes it.
fn written(cell: &Cell, column_type: ColumnType) -> String {
    let text = cell.text();
    match column_type {
        ColumnType::Text => text,
        ColumnType::DateTime => text.trim().trim_end_matches('Z').to_owned(),
        _ => text.trim().to_owned(),
    }
}

/// The type that fits every value of a column.
fn found(cells: &[Option<&Cell>]) -> ColumnType {
    let filled = || cells.iter().flatten().filter(|cell| !matches!(cell, Cell::Plain(text) if text.trim().is_empty()));
    if filled().next().is_none() {
        return ColumnType::Text;
    }
    let all = |fits: &dyn Fn(&Cell) -> bool| filled().all(|cell| fits(cell));
    let is = |cell: &Cell, column_type| typed_array(&[Some(&written(cell, column_type))], column_type).is_ok();
    if all(&|cell| matches!(cell, Cell::Boolean(_)) || matches!(cell, Cell::Plain(_)) && is(cell, ColumnType::Boolean)) {
        return ColumnType::Boolean;
    }
    if all(&|cell| matches!(cell, Cell::Number(_)) || matches!(cell, Cell::Plain(text) if plain_number(text.trim()))) {
        if all(&|cell| is(cell, ColumnType::Integer)) {
            return ColumnType::Integer;
        }
        let (mut whole, mut places) = (0, 0);
        for cell in filled() {
            let text = written(cell, ColumnType::Integer);
            let (before, after) = text.split_once('.').unwrap_or((&text, ""));
            if text.contains(['e', 'E']) {
                return ColumnType::Float;
            }
            (whole, places) = (whole.max(before.trim_start_matches('-').len()), places.max(after.len()));
        }
        if places > usize::from(INPUT_PLACES) || whole + places > usize::from(INPUT_DIGITS) {
            return ColumnType::Float;
        }
        return ColumnType::Decimal(places as u8);
    }
    if all(&|cell| matches!(cell, Cell::Plain(_) | Cell::Text(_)) && is(cell, ColumnType::Date)) {
        return ColumnType::Date;
    }
    let moment = |cell: &Cell| matches!(cell, Cell::Plain(_) | Cell::Text(_)) && is(cell, ColumnType::DateTime);
    if all(&moment) { ColumnType::DateTime } else { ColumnType::Text }
}

/// Whether a text is a number and nothing is lost by reading it as one: no leading zeros, no plus, no exponent.
fn plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, places) = digits.split_once('.').unwrap_or((digits, "0"));
    let figures = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    figures(whole) && figures(places) && (whole == "0" || !whole.starts_with('0'))
}
