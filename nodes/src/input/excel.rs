//! `input.excel`: sheets of workbooks, with exact numbers.
//!
//! A number in a workbook is a float of 15 digits: it is read as the decimal people see, never as the float behind it.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{Field, Schema};
use calamine::{Data, DataType as _, Range, Reader, Sheets, open_workbook_auto_from_rs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::csv::sniff::clean_names;
use crate::ColumnType;
use crate::example::{Example, typed_array};
use crate::kind::{Category, Identity, NodeKind, Planned, Planning, Ports, Words};
use crate::param::FilePath;
use crate::problem::{Problem, did_you_mean};
use crate::source::{MemorySource, scan};
use crate::types::{INPUT_DIGITS, INPUT_PLACES};

/// Reads a sheet of a workbook: xlsx, xls, xlsb or ods.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExcelInput {
    /// The workbook.
    pub path: FilePath,
    /// The sheet's name; the first sheet unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The row that holds the columns' names, counted from 1; the first row that is not empty unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u32>,
    /// Whether there is a row with the columns' names.
    #[serde(default = "yes")]
    pub header: bool,
    /// Types given by hand; the other columns' types are found out.
    #[serde(default)]
    pub columns: Vec<ExcelColumn>,
    /// What happens to cells that hold an error such as #DIV/0!.
    #[serde(default)]
    pub errors: ErrorCells,
}

/// A column whose type is given by hand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExcelColumn {
    /// The column's name, as in the header.
    pub name: String,
    /// The column's type.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

/// What happens to cells that hold an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ErrorCells {
    /// They are a problem.
    #[default]
    Refuse,
    /// They are empty, with a warning that counts them.
    Empty,
}

fn yes() -> bool {
    true
}

impl NodeKind for ExcelInput {
    fn identity() -> Identity {
        Identity {
            id: "input.excel",
            version: 1,
            category: Category::Input,
            icon: "grid_on",
            title: Words { en: "Excel workbook", fr: "Classeur Excel" },
            summary: Words {
                en: "Reads a sheet of a workbook; numbers are exact, as people see them.",
                fr: "Lit une feuille d'un classeur ; les nombres sont exacts, tels qu'on les voit.",
            },
            synonyms: &["xlsx", "xls", "ods", "spreadsheet", "input data", "tableur", "feuille"],
            order: Words { en: "As in the sheet.", fr: "Celui de la feuille." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let path = cx.source_file(&self.path.0, "path")?;
        let (name, range) = match self.sheet_of(&path) {
            Ok(found) => found,
            Err(problem) => {
                cx.problem(problem.in_file(&self.path.0, None));
                return None;
            }
        };
        let mut notes = Vec::new();
        let table = self.table(&range, &name, &mut notes);
        notes.into_iter().for_each(|note| cx.problem(note));
        let (batch, rows) = match table {
            Ok(table) => table,
            Err(problems) => {
                problems.into_iter().for_each(|problem| cx.problem(problem));
                return None;
            }
        };
        let node = cx.node().to_owned();
        let source = MemorySource::new(batch, Int64Array::from(rows));
        let table = cx.planned(scan(&node, Arc::new(source), format!("{} {name} row", self.path.0)))?;
        Some(Planned::table(table))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "A sheet by its name; whole numbers, decimals and text are told apart.",
                json!({ "path": "quotas.xlsx", "sheet": "Europe" }),
            )
            .file("quotas.xlsx", sample())
            .output("out", "owner,month:integer,quota:decimal(1)\nZoë,9,1000.5\nJean,10,"),
            Example::new("Without a name, the first sheet that holds a table.", json!({ "path": "quotas.xlsx" }))
                .file("quotas.xlsx", sample())
                .output("out", "owner,month:integer,quota:decimal(1)\nZoë,9,1000.5\nJean,10,"),
            Example::new("The header may stand lower down.", json!({ "path": "quotas.xlsx", "sheet": "Europe", "header_row": 2 }))
                .file("quotas.xlsx", sample())
                .output("out", "Zoë,9:integer,1000.5\nJean,10,"),
            Example::new("A sheet that is not there is refused.", json!({ "path": "quotas.xlsx", "sheet": "Asia" }))
                .file("quotas.xlsx", sample())
                .refused("Europe"),
        ]
    }
}

/// A small workbook for the examples.
fn sample() -> Vec<u8> {
    let written = || -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        workbook.add_worksheet().set_name("Notes")?;
        let sheet = workbook.add_worksheet().set_name("Europe")?;
        for (place, name) in ["owner", "month", "quota"].into_iter().enumerate() {
            sheet.write(0, place as u16, name)?;
        }
        sheet.write(1, 0, "Zoë")?.write(1, 1, 9)?.write(1, 2, 1000.5)?;
        sheet.write(2, 0, "Jean")?.write(2, 1, 10)?;
        workbook.save_to_buffer()
    };
    written().unwrap_or_default()
}

impl ExcelInput {
    /// The sheet's name and cells.
    fn sheet_of(&self, path: &Path) -> Result<(String, Range<Data>), Problem> {
        let bytes = std::fs::read(path)
            .map_err(|error| Problem::error(format!("The file cannot be read: {error}.")).help("Check its permissions."))?;
        if is_encrypted(&bytes) {
            return Err(Problem::error("The workbook is password protected.")
                .on("path")
                .help("Open it with its password and save a copy without one."));
        }
        let damaged = |why: String| {
            Problem::error(format!("This is not a workbook that can be read: {why}."))
                .on("path")
                .help("Open it in Excel and save it again as .xlsx, or choose another file.")
        };
        // The reader of all formats does not recognise a locked OpenDocument; its own reader says that it is one.
        let is_ods = memchr::memmem::find(&bytes, b"application/vnd.oasis.opendocument").is_some();
        let locked_ods = is_ods
            && std::panic::catch_unwind(|| calamine::Ods::new(Cursor::new(bytes.clone())).err())
                .is_ok_and(|error| error.is_some_and(|error| error.to_string().to_lowercase().contains("password")));
        // A damaged file must not take the program with it.
        let opened = std::panic::catch_unwind(|| open_workbook_auto_from_rs(Cursor::new(bytes)));
        let mut workbook: Sheets<Cursor<Vec<u8>>> = match opened {
            Ok(Ok(workbook)) => workbook,
            Ok(Err(error)) if error.to_string().to_lowercase().contains("password") || locked_ods => {
                return Err(Problem::error("The workbook is password protected.").on("path").help("Save a copy without its password."));
            }
            Ok(Err(error)) => return Err(damaged(error.to_string())),
            Err(_) => return Err(damaged("its parts do not fit together".into())),
        };
        let names = workbook.sheet_names();
        let name = match &self.sheet {
            Some(name) if names.contains(name) => name.clone(),
            Some(name) => {
                let help = did_you_mean(name, names.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("Its sheets are: {}.", names.join(", ")));
                return Err(Problem::error(format!("The workbook has no sheet \"{name}\".")).on("sheet").help(help));
            }
            None => names.first().cloned().ok_or_else(|| damaged("it has no sheet".into()))?,
        };
        // Without a name: the first sheet that holds something, or the first one.
        let wanted: Vec<String> = if self.sheet.is_some() { vec![name] } else { names };
        let mut first = None;
        for name in wanted {
            let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| workbook.worksheet_range(&name)));
            match read {
                Ok(Ok(range)) if range.start().is_some() => return Ok((name, range)),
                Ok(Ok(range)) => first = first.or(Some((name, range))),
                Ok(Err(error)) => return Err(damaged(error.to_string())),
                Err(_) => return Err(damaged(format!("the sheet \"{name}\" is damaged"))),
            }
        }
        first.ok_or_else(|| damaged("it has no sheet".into()))
    }

    /// The rows, and the number of each in the sheet.
    fn table(&self, range: &Range<Data>, sheet: &str, notes: &mut Vec<Problem>) -> Result<(RecordBatch, Vec<i64>), Vec<Problem>> {
        let file = &self.path.0;
        let empty = |message: String| vec![Problem::error(message).in_file(file, None).help("Choose another sheet.")];
        let Some((top, left)) = range.start() else { return Err(empty(format!("The sheet \"{sheet}\" is empty."))) };
        let rows: Vec<(u32, &[Data])> = range
            .rows()
            .enumerate()
            .map(|(i, row)| (top + i as u32 + 1, row))
            .filter(|(number, row)| {
                self.header_row.is_none_or(|header| *number >= header)
                    && !row.iter().all(|cell| !cell.is_error() && text(cell).is_none_or(|t| t.trim().is_empty()))
            })
            .collect();
        let Some(((header_number, first), rest)) = rows.split_first() else {
            return Err(empty(format!("The sheet \"{sheet}\" has no rows there.")));
        };
        let (names, data) = if self.header {
            (first.iter().map(|cell| text(cell).unwrap_or_default()).collect::<Vec<_>>(), rest)
        } else {
            ((1..=first.len()).map(|i| format!("Column{i}")).collect(), &rows[..])
        };
        if self.header && first.iter().all(|cell| cell.is_float() || cell.is_int()) {
            notes.push(
                Problem::warning(format!("Row {header_number} is taken for the names of columns, but holds only numbers."))
                    .on("header")
                    .in_file(file, None)
                    .help("Set header to false if it is a row of data."),
            );
        }
        let names = clean_names(names, file, notes)?;
        let cell_name = |row: u32, column: usize| format!("{}{row}", letters(left as usize + column));
        let mut problems = Vec::new();
        let mut errors: Vec<String> = Vec::new();
        let mut arrays = Vec::new();
        let mut fields = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let declared = self.columns.iter().find(|column| column.name == *name).map(|column| column.column_type);
            let cells: Vec<(u32, &Data)> = data.iter().map(|(number, row)| (*number, row.get(place).unwrap_or(&Data::Empty))).collect();
            errors
                .extend(cells.iter().filter(|(_, cell)| cell.is_error()).map(|(row, cell)| format!("{} {}", cell_name(*row, place), cell)));
            let texts: Vec<Option<String>> = cells.iter().map(|(_, cell)| text(cell)).collect();
            let (column_type, odd) = declared.map_or_else(|| infer(&cells, &texts), |column_type| (column_type, None));
            if let Some(row) = odd {
                notes.push(
                    Problem::info(format!(
                        "Column \"{name}\" is read as text: the cell {} is not like the ones above it.",
                        cell_name(row, place)
                    ))
                    .in_file(file, None),
                );
            }
            if column_type == ColumnType::Float {
                notes.push(
                    Problem::warning(format!("Column \"{name}\" holds numbers with too many digits; it is a float.")).in_file(file, None),
                );
            }
            let values: Vec<Option<&str>> = texts
                .iter()
                .map(|text| text.as_deref().filter(|text| column_type == ColumnType::Text || !text.trim().is_empty()))
                .collect();
            match typed_array(&values, column_type) {
                Ok(array) => {
                    fields.push(Field::new(name, array.data_type().clone(), true));
                    arrays.push(array);
                }
                Err((row, error)) => problems.push(
                    Problem::error(format!("Sheet \"{sheet}\", cell {}: {error}.", cell_name(cells[row].0, place)))
                        .on("columns")
                        .in_file(file, None)
                        .help("Correct the cell, or declare the column as text."),
                ),
            }
        }
        for declared in self.columns.iter().filter(|declared| !names.contains(&declared.name)) {
            let help = did_you_mean(&declared.name, names.iter().map(String::as_str))
                .unwrap_or_else(|| format!("Its columns are: {}.", names.join(", ")));
            problems.push(
                Problem::error(format!("Column \"{}\" is not in this sheet.", declared.name)).on("columns").in_file(file, None).help(help),
            );
        }
        if let Some(example) = errors.first() {
            let message = format!("{} cells of sheet \"{sheet}\" hold an error, the first is {example}.", errors.len());
            match self.errors {
                ErrorCells::Refuse => problems.push(
                    Problem::error(message)
                        .on("errors")
                        .in_file(file, None)
                        .help("Correct them, or set errors to \"empty\" to read them as empty."),
                ),
                ErrorCells::Empty => notes.push(Problem::warning(format!("{message} They are empty.")).in_file(file, None)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let positions = data.iter().map(|(number, _)| i64::from(*number)).collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(data.len()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
            .map(|batch| (batch, positions))
            .map_err(|error| vec![Problem::error(format!("The sheet cannot be read: {error}.")).in_file(file, None)])
    }
}

/// Whether a file is an encrypted workbook: an OLE container with an encrypted package, or an encrypted ODS.
fn is_encrypted(bytes: &[u8]) -> bool {
    let has = |needle: &[u8]| memchr::memmem::find(bytes, needle).is_some();
    let wide: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    (bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) && has(&wide)) || (bytes.starts_with(b"PK") && has(b"manifest:encryption-data"))
}

/// The letters of a column, from 0.
fn letters(mut column: usize) -> String {
    let mut name = String::new();
    loop {
        name.insert(0, (b'A' + (column % 26) as u8) as char);
        if column < 26 {
            return name;
        }
        column = column / 26 - 1;
    }
}

/// A cell as canonical text; `None` for an empty cell and for an error.
fn text(cell: &Data) -> Option<String> {
    match cell {
        Data::Empty | Data::Error(_) => None,
        Data::String(text) => Some(text.clone()),
        Data::Bool(value) => Some(value.to_string()),
        Data::Int(value) => Some(value.to_string()),
        Data::Float(value) => Some(shown(*value)),
        Data::DateTime(moment) if moment.is_duration() => {
            let seconds = (moment.as_f64() * 86_400.0).round() as i64;
            Some(format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60))
        }
        Data::DateTime(moment) if moment.as_f64() < 1.0 => {
            let seconds = (moment.as_f64() * 86_400.0).round() as i64;
            Some(format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60))
        }
        Data::DateTime(_) | Data::DateTimeIso(_) => match cell.as_datetime() {
            Some(moment) if moment.time() == chrono::NaiveTime::MIN => Some(moment.date().to_string()),
            Some(moment) => Some(moment.format("%Y-%m-%d %H:%M:%S").to_string()),
            None => Some(cell.to_string()),
        },
        Data::DurationIso(text) => Some(text.clone()),
    }
}

/// A float by the 15 digits Excel shows.
fn shown(value: f64) -> String {
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    let text = format!("{rounded}");
    if text == "-0" { "0".into() } else { text }
}

/// The type that all cells of a column allow, and the row of the first that kept it from being another.
fn infer(cells: &[(u32, &Data)], texts: &[Option<String>]) -> (ColumnType, Option<u32>) {
    let filled: Vec<(u32, &Data, &str)> = cells
        .iter()
        .zip(texts)
        .filter_map(|((row, cell), text)| Some((*row, *cell, text.as_deref()?)))
        .filter(|(_, _, text)| !text.trim().is_empty())
        .collect();
    let number = |cell: &Data| matches!(cell, Data::Int(_) | Data::Float(_));
    let is = |text: &str, column_type| typed_array(&[Some(text)], column_type).is_ok();
    let date = |cell: &Data, text: &str| matches!(cell, Data::DateTime(_) | Data::DateTimeIso(_)) && is(text, ColumnType::Date);
    let moment = |cell: &Data, text: &str| {
        date(cell, text) || matches!(cell, Data::DateTime(_) | Data::DateTimeIso(_)) && is(text, ColumnType::DateTime)
    };
    let Some((_, first, first_text)) = filled.first().copied() else { return (ColumnType::Text, None) };
    let odd = |fits: &dyn Fn(&Data, &str) -> bool| filled.iter().find(|(_, cell, text)| !fits(cell, text)).map(|(row, ..)| *row);
    if number(first) {
        if let Some(row) = odd(&|cell, _| number(cell)) {
            return (ColumnType::Text, Some(row));
        }
        if filled.iter().all(|(_, _, text)| text.parse::<i64>().is_ok()) {
            return (ColumnType::Integer, None);
        }
        let parts = filled.iter().map(|(_, _, text)| text.split_once('.').unwrap_or((text, "")));
        let (whole, places) =
            parts.fold((0, 0), |(whole, places), (w, p)| (whole.max(w.trim_start_matches('-').len()), places.max(p.len())));
        if places > usize::from(INPUT_PLACES) || whole + places > usize::from(INPUT_DIGITS) {
            return (ColumnType::Float, None);
        }
        return (ColumnType::Decimal(places as u8), None);
    }
    if date(first, first_text) || moment(first, first_text) {
        if odd(&date).is_none() {
            return (ColumnType::Date, None);
        }
        return match odd(&moment) {
            None => (ColumnType::DateTime, None),
            Some(row) => (ColumnType::Text, Some(row)),
        };
    }
    if matches!(first, Data::Bool(_)) {
        let other = odd(&|cell, _| matches!(cell, Data::Bool(_)));
        return (if other.is_none() { ColumnType::Boolean } else { ColumnType::Text }, other);
    }
    (ColumnType::Text, None)
}
