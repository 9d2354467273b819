//! `input.excel`: sheets of workbooks, with exact numbers.
//!
//! A number in a workbook is a float of 15 digits: it is read as the decimal people see, never as the float behind it.

use std::collections::BTreeSet;
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
use super::stack::{Drift, stacked};
use crate::ColumnType;
use crate::example::{Example, typed_array};
use crate::kind::{Category, Identity, NodeKind, Planned, Planning, Ports, Words};
use crate::param::{FilePath, NewColumn};
use crate::problem::{Problem, did_you_mean};
use crate::source::{MemorySource, scan};
use crate::types::{INPUT_DIGITS, INPUT_PLACES};

/// Reads a sheet of a workbook: xlsx, xls, xlsb or ods.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExcelInput {
    /// The workbook.
    pub path: FilePath,
    /// The sheet's name, or a pattern such as `2026-*` or `*` for several, one after the other. The first sheet that holds
    /// something unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The name of a column with the sheet of each row. None unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet_column: Option<NewColumn>,
    /// Only these cells: `B3:F20`, a named range, or a table. The whole sheet unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// The row that holds the columns' names, counted from 1; the first row that is not empty unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_row: Option<u32>,
    /// Whether there is a row with the columns' names.
    #[serde(default = "yes")]
    pub header: bool,
    /// How many rows hold the names, one below the other; they are joined, and an empty one takes the name to its left.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 10))]
    pub header_rows: u32,
    /// Whether every cell of a merged block has its value, not only the first.
    #[serde(default)]
    pub fill_merged: bool,
    /// Whether rows that are hidden, by a person or by a filter, are left out.
    #[serde(default)]
    pub skip_hidden: bool,
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

fn one() -> u32 {
    1
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
        let ranges = match self.ranges(&path) {
            Ok(found) => found,
            Err(problem) => {
                cx.problem(problem.in_file(&self.path.0, None));
                return None;
            }
        };
        let mut tables = Vec::new();
        for (i, (name, range)) in ranges.iter().enumerate() {
            let mut notes = Vec::new();
            let hidden = match self.hidden(&path, name) {
                Ok(hidden) => hidden,
                Err(what) => {
                    let problem = Problem::error(format!("The hidden rows are not known: {what}.")).on("skip_hidden");
                    cx.problem(problem.in_file(&self.path.0, None).help("Save the workbook as .xlsx, or read all its rows."));
                    continue;
                }
            };
            let table = self.table(range, name, &hidden, &mut notes);
            notes.into_iter().for_each(|note| cx.problem(note));
            match table {
                Ok((batch, rows)) => {
                    let node = if ranges.len() > 1 { format!("{}.{i}", cx.node()) } else { cx.node().to_owned() };
                    let source = Arc::new(MemorySource::new(batch, Int64Array::from(rows)));
                    tables.push((name.clone(), cx.planned(scan(&node, source, format!("{} {name} row", self.path.0)))?));
                }
                Err(problems) => problems.into_iter().for_each(|problem| cx.problem(problem)),
            }
        }
        if cx.failed() {
            return None;
        }
        match (tables.as_slice(), &self.sheet_column) {
            ([(_, table)], None) => Some(Planned::table(table.clone())),
            (several, source) => Some(Planned::table(stacked(cx, several, source.as_ref(), Drift::Report)?)),
        }
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
            Example::new(
                "All sheets of a pattern, with their names; some cells; names in two rows; merged cells filled.",
                json!({ "path": "q.xlsx", "sheet": "Q*", "sheet_column": "quarter", "range": "B2:D5", "header_rows": 2, "fill_merged": true }),
            )
            .file("q.xlsx", quarters())
            .output(
                "out",
                "region,sales net:integer,sales gross:integer,quarter\nNorth,10,12,Q1\nNorth,20,24,Q1\nNorth,11,13,Q2\nNorth,21,25,Q2",
            ),
            Example::new("A named range.", json!({ "path": "q.xlsx", "range": "Totals" }))
                .file("q.xlsx", quarters())
                .output("out", "what,total:integer\nall,99"),
            Example::new("Rows that a filter hides are left out.", json!({ "path": "h.xlsx", "skip_hidden": true }))
                .file("h.xlsx", filtered())
                .output("out", "region,n:integer\nNorth,1\nSouth,3"),
            Example::new("A sheet that is not there is refused.", json!({ "path": "quotas.xlsx", "sheet": "Asia" }))
                .file("quotas.xlsx", sample())
                .refused("Europe"),
        ]
    }
}

/// A workbook with blocks of cells for the examples.
fn quarters() -> Vec<u8> {
    let written = || -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
        let format = rust_xlsxwriter::Format::new();
        let mut workbook = rust_xlsxwriter::Workbook::new();
        for (name, more) in [("Q1", 0), ("Q2", 1)] {
            let sheet = workbook.add_worksheet().set_name(name)?;
            sheet.write(0, 0, "Sales of the quarter")?;
            sheet.write(2, 1, "region")?.merge_range(1, 2, 1, 3, "sales", &format)?;
            sheet.write(2, 2, "net")?.write(2, 3, "gross")?;
            sheet.merge_range(3, 1, 4, 1, "North", &format)?;
            sheet.write(3, 2, 10 + more)?.write(3, 3, 12 + more)?;
            sheet.write(4, 2, 20 + more)?.write(4, 3, 24 + more)?;
            sheet.write(7, 5, "what")?.write(7, 6, "total")?.write(8, 5, "all")?.write(8, 6, 99)?;
        }
        workbook.define_name("Totals", "=Q1!$F$8:$G$9")?;
        workbook.save_to_buffer()
    };
    written().unwrap_or_default()
}

/// A workbook with a hidden row for the examples.
fn filtered() -> Vec<u8> {
    let written = || -> Result<Vec<u8>, rust_xlsxwriter::XlsxError> {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        for (row, (region, n)) in [("North", 1), ("East", 2), ("South", 3)].into_iter().enumerate() {
            sheet.write(row as u32 + 1, 0, region)?.write(row as u32 + 1, 1, n)?;
        }
        sheet.write(0, 0, "region")?.write(0, 1, "n")?.set_row_hidden(2)?;
        workbook.save_to_buffer()
    };
    written().unwrap_or_default()
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
    /// The sheets to read, with their cells.
    fn ranges(&self, path: &Path) -> Result<Vec<(String, Range<Data>)>, Problem> {
        if let Some(size) = unpacked(path).filter(|size| *size > LARGEST) {
            let what = format!("The workbook unpacks to {} MB; 1024 MB is the most that is read.", size / (1024 * 1024));
            return Err(Problem::error(what).on("path").help("Save the sheet as CSV, or in parts."));
        }
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
        let mut ranges = Vec::new();
        for (name, cells) in self.wanted(&mut workbook)? {
            let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| workbook.worksheet_range(&name)));
            let mut range = match read {
                Ok(Ok(range)) => range,
                Ok(Err(error)) => return Err(damaged(error.to_string())),
                Err(_) => return Err(damaged(format!("the sheet \"{name}\" is damaged"))),
            };
            if self.fill_merged {
                merged(&mut workbook, &name).into_iter().for_each(|block| fill(&mut range, block));
            }
            if let (Some((start, end)), Some(first), Some(last)) = (cells, range.start(), range.end()) {
                let end = (end.0.min(last.0.max(start.0)), end.1.min(last.1.max(start.1)));
                range = if start.0 > last.0 || end.0 < first.0 { Range::empty() } else { range.range(start, end) };
            }
            // Without a name: the first sheet that holds something, or the first one.
            if self.sheet.is_some() || cells.is_some() {
                ranges.push((name, range));
            } else if range.start().is_some() {
                return Ok(vec![(name, range)]);
            } else if ranges.is_empty() {
                ranges.push((name, range));
            }
        }
        if ranges.is_empty() {
            return Err(damaged("it has no sheet".into()));
        }
        Ok(ranges)
    }

    /// The sheets to read, and which of their cells.
    fn wanted(&self, workbook: &mut Sheets<Cursor<Vec<u8>>>) -> Result<Vec<(String, Option<Cells>)>, Problem> {
        let names = workbook.sheet_names();
        let mut named: Option<(String, Cells)> = None;
        let mut cells = None;
        if let Some(range) = &self.range {
            cells = parse_cells(range);
            if cells.is_none() {
                named = area(workbook, range);
                if named.is_none() {
                    let what = format!("\"{range}\" is no range of cells, and the workbook has no name or table of that name.");
                    let known: Vec<String> = workbook.defined_names().iter().map(|(name, _)| name.clone()).collect();
                    let help = did_you_mean(range, known.iter().map(String::as_str)).unwrap_or_else(|| "Write it like B3:F20.".into());
                    return Err(Problem::error(what).on("range").help(help));
                }
            }
        }
        if let Some((sheet, cells)) = named {
            return Ok(vec![(sheet, Some(cells))]);
        }
        let Some(wanted) = &self.sheet else {
            return Ok(names.into_iter().map(|name| (name, cells)).take(if cells.is_some() { 1 } else { usize::MAX }).collect());
        };
        let fits = |name: &String| {
            name == wanted || wanted.contains(['*', '?']) && super::directory::fits(&name.to_lowercase(), &wanted.to_lowercase())
        };
        let found: Vec<(String, Option<Cells>)> = names.iter().filter(|name| fits(name)).map(|name| (name.clone(), cells)).collect();
        if found.is_empty() {
            let help =
                did_you_mean(wanted, names.iter().map(String::as_str)).unwrap_or_else(|| format!("Its sheets are: {}.", names.join(", ")));
            return Err(Problem::error(format!("The workbook has no sheet \"{wanted}\".")).on("sheet").help(help));
        }
        Ok(found)
    }

    /// The rows to leave out because they are hidden.
    fn hidden(&self, path: &Path, sheet: &str) -> Result<BTreeSet<u32>, String> {
        if !self.skip_hidden {
            return Ok(BTreeSet::new());
        }
        let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
        crate::workbook::hidden_rows(file, sheet)
    }

    /// The rows, and the number of each in the sheet.
    fn table(
        &self,
        range: &Range<Data>,
        sheet: &str,
        hidden: &BTreeSet<u32>,
        notes: &mut Vec<Problem>,
    ) -> Result<(RecordBatch, Vec<i64>), Vec<Problem>> {
        let file = &self.path.0;
        let empty = |message: String| vec![Problem::error(message).in_file(file, None).help("Choose another sheet.")];
        let Some((top, left)) = range.start() else { return Err(empty(format!("The sheet \"{sheet}\" is empty."))) };
        let rows: Vec<(u32, &[Data])> = range
            .rows()
            .enumerate()
            .map(|(i, row)| (top + i as u32 + 1, row))
            .filter(|(number, row)| {
                self.header_row.is_none_or(|header| *number >= header)
                    && !hidden.contains(number)
                    && !row.iter().all(|cell| !cell.is_error() && text(cell).is_none_or(|t| t.trim().is_empty()))
            })
            .collect();
        let Some((header_number, first)) = rows.first() else {
            return Err(empty(format!("The sheet \"{sheet}\" has no rows there.")));
        };
        let height = (self.header_rows.max(1) as usize).min(rows.len());
        let (names, data) = if self.header {
            (joined_names(&rows[..height]), &rows[height..])
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

/// The most a workbook may unpack to: 1 GiB.
const LARGEST: u64 = 1 << 30;

/// To how many bytes a zipped workbook unpacks, as its directory says.
fn unpacked(path: &Path) -> Option<u64> {
    let archive = zip::ZipArchive::new(std::fs::File::open(path).ok()?).ok()?;
    archive.decompressed_size().and_then(|size| u64::try_from(size).ok())
}

/// The names of columns, from one or several rows.
fn joined_names(rows: &[(u32, &[Data])]) -> Vec<String> {
    let width = rows.iter().map(|(_, row)| row.len()).max().unwrap_or(0);
    let mut names = vec![String::new(); width];
    for (level, (_, row)) in rows.iter().enumerate() {
        let mut before = String::new();
        for (place, name) in names.iter_mut().enumerate() {
            let mut part = row.get(place).and_then(text).unwrap_or_default().trim().to_owned();
            if part.is_empty() && level + 1 < rows.len() {
                part.clone_from(&before);
            }
            before.clone_from(&part);
            if !part.is_empty() {
                if !name.is_empty() {
                    name.push(' ');
                }
                name.push_str(&part);
            }
        }
    }
    names
}

/// The first and the last cell of a block: row and column, from 0.
type Cells = ((u32, u32), (u32, u32));

/// A block written like `B3:F20` or `$B$3:$F$20`.
fn parse_cells(text: &str) -> Option<Cells> {
    let cell = |text: &str| {
        let text = text.replace('$', "").to_uppercase();
        let digits = text.find(|c: char| c.is_ascii_digit())?;
        let (letters, number) = text.split_at(digits);
        if letters.is_empty() || letters.len() > 3 || !letters.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let column = letters.bytes().fold(0, |column, byte| column * 26 + u32::from(byte - b'A') + 1) - 1;
        Some((number.parse::<u32>().ok()?.checked_sub(1)?, column))
    };
    let (first, last) = text.split_once(':')?;
    let (first, last) = (cell(first)?, cell(last)?);
    (first.0 <= last.0 && first.1 <= last.1).then_some((first, last))
}

/// The sheet and the cells of a named range or a table.
fn area(workbook: &mut Sheets<Cursor<Vec<u8>>>, wanted: &str) -> Option<(String, Cells)> {
    if let Some((_, place)) = workbook.defined_names().iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)) {
        let (sheet, cells) = place.rsplit_once('!')?;
        return Some((sheet.trim_matches('\'').replace("''", "'"), parse_cells(cells)?));
    }
    let Sheets::Xlsx(workbook) = workbook else { return None };
    workbook.load_tables().ok()?;
    let name = workbook.table_names().into_iter().find(|name| name.eq_ignore_ascii_case(wanted))?.clone();
    let table = workbook.table_by_name(&name).ok()?;
    let (start, end) = (table.data().start()?, table.data().end()?);
    Some((table.sheet_name().to_owned(), ((start.0.saturating_sub(1), start.1), end)))
}

/// The merged blocks of a sheet, where the format tells.
fn merged(workbook: &mut Sheets<Cursor<Vec<u8>>>, sheet: &str) -> Vec<Cells> {
    let blocks = match workbook {
        Sheets::Xlsx(workbook) => workbook.merge_cells_by_sheet_name(sheet).ok(),
        Sheets::Xls(workbook) => workbook.merge_cells_by_sheet_name(sheet).ok(),
        _ => None,
    };
    blocks.unwrap_or_default().into_iter().map(|block| (block.start, block.end)).collect()
}

/// Gives every cell of a merged block the value of its first.
fn fill(range: &mut Range<Data>, ((top, left), (bottom, right)): Cells) {
    let Some(value) = range.get_value((top, left)).filter(|value| !matches!(value, Data::Empty)).cloned() else { return };
    let (Some(first), Some(last)) = (range.start(), range.end()) else { return };
    for row in top..=bottom.min(last.0.max(top)) {
        for column in left..=right.min(last.1.max(left)) {
            if (row, column) >= first {
                range.set_value((row, column), value.clone());
            }
        }
    }
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
