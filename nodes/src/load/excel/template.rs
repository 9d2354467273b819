//! A template: a workbook of which everything is kept but the cells of one place.
//!
//! The sheet's XML is rewritten cell by cell and every other part of the file is copied as it is, so formats, formulas,
//! charts and whatever else a workbook may hold survive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::array_value_to_string;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};
use rust_xlsxwriter::utility;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::SHEET_ROWS;
use crate::kind::{FileFormat, Writing};
use crate::workbook::{WORKBOOK, attribute, part, sheet_part};

/// Where rows go in a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The sheet's part of the file, such as `xl/worksheets/sheet1.xml`.
    part: String,
    first_row: u32,
    first_column: u16,
    /// The last cell, when the place is a range.
    last: Option<(u32, u16)>,
}

/// A cell such as `B5` or `$B$5`: its row from 1 and its column from 0.
fn cell(text: &str) -> Option<(u32, u16)> {
    let text = text.replace('$', "");
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = text.split_at(digits);
    let row: u32 = row.parse().ok().filter(|row| (1..=SHEET_ROWS).contains(row))?;
    if letters.is_empty() || letters.len() > 3 || !letters.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let column = letters.to_ascii_uppercase().bytes().fold(0_u32, |column, byte| column * 26 + u32::from(byte - b'A') + 1) - 1;
    u16::try_from(column).ok().filter(|column| *column < 16_384).map(|column| (row, column))
}

impl Place {
    /// The place of this name in a workbook.
    pub(super) fn find(file: &Path, name: &str) -> Result<Self, String> {
        let file = File::open(file).map_err(|error| error.to_string())?;
        let mut archive = ZipArchive::new(file).map_err(|_| "it is not an .xlsx workbook")?;
        let workbook = part(&mut archive, WORKBOOK)?;
        let mut names = BTreeMap::new();
        let mut reader = Reader::from_str(&workbook);
        let mut defining: Option<(String, String)> = None;
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(element) if element.local_name().as_ref() == "definedName" => {
                    defining = attribute(&element, "name").map(|name| (name, String::new()));
                }
                Event::Text(text) => {
                    if let Some((_, place)) = &mut defining {
                        place.push_str(&text);
                    }
                }
                Event::GeneralRef(entity) => {
                    if let Some((_, place)) = &mut defining {
                        let text = quick_xml::escape::unescape(&format!("&{};", &*entity)).map_err(|error| error.to_string())?.into_owned();
                        place.push_str(&text);
                    }
                }
                Event::End(element) if element.local_name().as_ref() == "definedName" => names.extend(defining.take()),
                Event::Eof => break,
                _ => {}
            }
        }
        let known = || {
            let names: Vec<String> = names.keys().map(|name| format!("\"{name}\"")).collect();
            if names.is_empty() { "the workbook names no ranges".to_owned() } else { format!("its ranges are {}", names.join(", ")) }
        };
        let place = names.get(name).map_or(name, String::as_str);
        let (sheet, cells) = place.rsplit_once('!').ok_or_else(|| format!("there is no range \"{name}\"; {}", known()))?;
        let sheet = sheet.trim_matches('\'').replace("''", "'");
        let (first, last) = cells.split_once(':').map_or((cells, None), |(first, last)| (first, Some(last)));
        let (first_row, first_column) = cell(first).ok_or_else(|| format!("\"{place}\" is no cell"))?;
        let last = last.map(|last| cell(last).ok_or_else(|| format!("\"{place}\" is no range"))).transpose()?;
        // One cell is where rows begin; a range is all the room they have.
        let last = last.filter(|last| *last != (first_row, first_column));
        Ok(Self { part: sheet_part(&mut archive, &sheet)?, first_row, first_column, last })
    }

    /// How many columns there is room for, where it is limited.
    pub(super) fn columns(&self) -> Option<usize> {
        self.last.map(|(_, last)| usize::from(last + 1 - self.first_column.min(last)))
    }
}

/// Rows into a place of a workbook.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) file: PathBuf,
    pub(super) place: Place,
}

impl FileFormat for Template {
    fn open(&self, file: File, _schema: SchemaRef) -> Result<Box<dyn Writing>> {
        Ok(Box::new(Filling { template: self.file.clone(), place: self.place.clone(), file, rows: vec![] }))
    }
}

/// What goes into a cell.
enum Value {
    Number(String),
    Text(String),
    Boolean(bool),
}

struct Filling {
    template: PathBuf,
    place: Place,
    file: File,
    rows: Vec<Vec<Option<Value>>>,
}

fn said(error: impl std::fmt::Display) -> DataFusionError {
    exec_datafusion_err!("The template cannot be filled: {error}")
}

impl Writing for Filling {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            let room = self.place.last.map_or(SHEET_ROWS, |(last, _)| last) + 1 - self.place.first_row;
            if self.rows.len() as u32 >= room {
                return exec_err!("The template has room for {room} rows and there are more. Widen the range, or name its first cell");
            }
            let value = |array: &arrow::array::ArrayRef| {
                if array.is_null(row) {
                    return Ok(None);
                }
                let text = array_value_to_string(array, row)?;
                Ok(Some(match (array.data_type(), super::moment(array, row)?) {
                    (_, Some(moment)) => Value::Number(
                        rust_xlsxwriter::ExcelDateTime::from_timestamp(moment.and_utc().timestamp()).map_err(said)?.to_excel().to_string(),
                    ),
                    (DataType::Boolean, _) => Value::Boolean(text == "true"),
                    (data_type, _) if data_type.is_numeric() && super::number(&text, data_type).is_some() => Value::Number(text),
                    _ => Value::Text(text),
                }))
            };
            self.rows.push(batch.columns().iter().map(value).collect::<Result<_>>()?);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<File> {
        let template = File::open(&self.template).map_err(said)?;
        let mut archive = ZipArchive::new(template).map_err(said)?;
        let sheet = part(&mut archive, &self.place.part).map_err(said)?;
        let sheet = self.filled(&sheet)?;
        let workbook = part(&mut archive, WORKBOOK).map_err(said)?;
        let workbook = recalculated(&workbook)?;
        let mut written = ZipWriter::new(Cursor::new(Vec::new()));
        for i in 0..archive.len() {
            let entry = archive.by_index_raw(i).map_err(said)?;
            let name = entry.name().map_err(said)?.into_owned();
            let new = match name.as_str() {
                name if name == self.place.part => Some(&sheet),
                WORKBOOK => Some(&workbook),
                _ => None,
            };
            match new {
                Some(bytes) => {
                    drop(entry);
                    written.start_file(name, SimpleFileOptions::default().last_modified_time(zip::DateTime::default())).map_err(said)?;
                    written.write_all(bytes)?;
                }
                None => written.raw_copy_file(entry).map_err(said)?,
            }
        }
        self.file.write_all(written.finish().map_err(said)?.get_ref())?;
        Ok(self.file)
    }
}

impl Filling {
    /// The columns that are filled, from 0.
    fn columns(&self) -> std::ops::Range<u16> {
        let width = self.place.columns().unwrap_or_else(|| self.rows.iter().map(Vec::len).max().unwrap_or(0));
        self.place.first_column..self.place.first_column + width as u16
    }

    /// Whether a row of the sheet belongs to the place.
    fn has(&self, row: u32) -> bool {
        let last = self.place.last.map_or(self.place.first_row + self.rows.len() as u32, |(last, _)| last + 1);
        (self.place.first_row..last).contains(&row)
    }

    /// The sheet with the rows in their place. Cells keep their formats; new rows take those of the first one.
    fn filled(&self, sheet: &str) -> Result<Vec<u8>> {
        let mut reader = Reader::from_str(sheet);
        let mut writer = Writer::new(Vec::new());
        let mut styles: BTreeMap<u16, String> = BTreeMap::new();
        let mut next = self.place.first_row;
        let end = self.place.first_row + self.rows.len() as u32;
        let mut inside = false;
        loop {
            let event = reader.read_event().map_err(said)?;
            match event {
                Event::Eof => break,
                // Excel computes it anew.
                Event::Empty(element) if element.local_name().as_ref() == "dimension" => {}
                Event::Empty(element) if element.local_name().as_ref() == "sheetData" => {
                    writer.write_event(Event::Start(element.to_owned())).map_err(said)?;
                    self.new_rows(&mut writer, &styles, &mut next, end)?;
                    writer.write_event(Event::End(BytesEnd::new("sheetData"))).map_err(said)?;
                }
                Event::Start(element) if element.local_name().as_ref() == "sheetData" => {
                    inside = true;
                    writer.write_event(Event::Start(element)).map_err(said)?;
                }
                Event::End(element) if element.local_name().as_ref() == "sheetData" => {
                    inside = false;
                    self.new_rows(&mut writer, &styles, &mut next, end)?;
                    writer.write_event(Event::End(element)).map_err(said)?;
                }
                Event::Start(element) if inside && element.local_name().as_ref() == "row" => {
                    let number = attribute(&element, "r").and_then(|r| r.parse().ok()).ok_or_else(|| said("a row has no number"))?;
                    self.new_rows(&mut writer, &styles, &mut next, end.min(number))?;
                    self.row(&mut reader, &mut writer, element.to_owned(), number, &mut styles)?;
                    next = next.max(number + 1);
                }
                Event::Empty(element) if inside && element.local_name().as_ref() == "row" => {
                    let number = attribute(&element, "r").and_then(|r| r.parse().ok()).ok_or_else(|| said("a row has no number"))?;
                    self.new_rows(&mut writer, &styles, &mut next, end.min(number))?;
                    if self.has(number) {
                        writer.write_event(Event::Start(element)).map_err(said)?;
                        self.cells(&mut writer, &styles, &BTreeMap::new(), number)?;
                        writer.write_event(Event::End(BytesEnd::new("row"))).map_err(said)?;
                    } else {
                        writer.write_event(Event::Empty(element)).map_err(said)?;
                    }
                    next = next.max(number + 1);
                }
                other => writer.write_event(other).map_err(said)?,
            }
        }
        Ok(writer.into_inner())
    }

    /// Rows that the sheet does not have yet, up to one that it has.
    fn new_rows(&self, writer: &mut Writer<Vec<u8>>, styles: &BTreeMap<u16, String>, next: &mut u32, until: u32) -> Result<()> {
        while *next < until {
            let mut element = BytesStart::new("row");
            element.push_attribute(("r", next.to_string().as_str()));
            writer.write_event(Event::Start(element)).map_err(said)?;
            self.cells(writer, styles, &BTreeMap::new(), *next)?;
            writer.write_event(Event::End(BytesEnd::new("row"))).map_err(said)?;
            *next += 1;
        }
        Ok(())
    }

    /// A row that the sheet has: its cells outside the place stay.
    fn row(
        &self,
        reader: &mut Reader<&[u8]>,
        writer: &mut Writer<Vec<u8>>,
        element: BytesStart<'_>,
        number: u32,
        styles: &mut BTreeMap<u16, String>,
    ) -> Result<()> {
        let mut start = element.clone();
        // What it spans may change.
        start.clear_attributes();
        start.extend_attributes(element.attributes().flatten().filter(|attribute| attribute.key.as_ref() != "spans"));
        writer.write_event(Event::Start(start)).map_err(said)?;
        let mut own: BTreeMap<u16, String> = BTreeMap::new();
        let (mut done, mut left_out) = (!self.has(number), false);
        loop {
            let event = reader.read_event().map_err(said)?;
            match &event {
                Event::Start(cell_element) | Event::Empty(cell_element) if cell_element.local_name().as_ref() == "c" => {
                    let place = attribute(cell_element, "r");
                    let (_, column) = place.as_deref().and_then(cell).ok_or_else(|| said("a cell has no place"))?;
                    let empty = matches!(event, Event::Empty(_));
                    if self.has(number) && self.columns().contains(&column) {
                        if let Some(style) = attribute(cell_element, "s") {
                            if number == self.place.first_row {
                                styles.insert(column, style.clone());
                            }
                            own.insert(column, style);
                        }
                        left_out = !empty;
                        continue;
                    }
                    if !done && column >= self.columns().end {
                        self.cells(writer, styles, &own, number)?;
                        done = true;
                    }
                }
                Event::End(element) if element.local_name().as_ref() == "c" && left_out => {
                    left_out = false;
                    continue;
                }
                Event::Start(element) | Event::Empty(element) if element.local_name().as_ref() == "f" && left_out => {
                    return exec_err!("The template has a formula in row {number} where the rows go. Choose a place without formulas");
                }
                Event::End(element) if element.local_name().as_ref() == "row" => {
                    if !done {
                        self.cells(writer, styles, &own, number)?;
                    }
                    return writer.write_event(event).map_err(said);
                }
                Event::Eof => return Err(said("a row does not end")),
                _ if left_out => continue,
                _ => {}
            }
            writer.write_event(event).map_err(said)?;
        }
    }

    /// The cells of one of our rows; empty ones where the place is larger than the rows.
    fn cells(&self, writer: &mut Writer<Vec<u8>>, styles: &BTreeMap<u16, String>, own: &BTreeMap<u16, String>, number: u32) -> Result<()> {
        let values = self.rows.get((number - self.place.first_row) as usize);
        for (i, column) in self.columns().enumerate() {
            let value = values.and_then(|values| values.get(i)).and_then(Option::as_ref);
            let style = own.get(&column).or_else(|| styles.get(&column));
            if value.is_none() && style.is_none() {
                continue;
            }
            let mut element = BytesStart::new("c");
            element.push_attribute(("r", format!("{}{number}", utility::column_number_to_name(column)).as_str()));
            if let Some(style) = style {
                element.push_attribute(("s", style.as_str()));
            }
            let (kind, tag, text) = match value {
                None => {
                    writer.write_event(Event::Empty(element)).map_err(said)?;
                    continue;
                }
                Some(Value::Number(text)) => (None, "v", text.as_str()),
                Some(Value::Boolean(value)) => (Some("b"), "v", if *value { "1" } else { "0" }),
                Some(Value::Text(text)) => (Some("inlineStr"), "t", text.as_str()),
            };
            if let Some(kind) = kind {
                element.push_attribute(("t", kind));
            }
            writer.write_event(Event::Start(element)).map_err(said)?;
            if kind == Some("inlineStr") {
                writer.write_event(Event::Start(BytesStart::new("is"))).map_err(said)?;
            }
            let mut inner = BytesStart::new(tag);
            inner.push_attribute(("xml:space", "preserve"));
            writer.write_event(Event::Start(if tag == "t" { inner } else { BytesStart::new(tag) })).map_err(said)?;
            writer.write_event(Event::Text(BytesText::new(text))).map_err(said)?;
            writer.write_event(Event::End(BytesEnd::new(tag))).map_err(said)?;
            if kind == Some("inlineStr") {
                writer.write_event(Event::End(BytesEnd::new("is"))).map_err(said)?;
            }
            writer.write_event(Event::End(BytesEnd::new("c"))).map_err(said)?;
        }
        Ok(())
    }
}

/// The workbook, told to compute its formulas when it is opened: they look at new rows.
fn recalculated(workbook: &str) -> Result<Vec<u8>> {
    let mut reader = Reader::from_str(workbook);
    let mut writer = Writer::new(Vec::new());
    let mut told = false;
    loop {
        match reader.read_event().map_err(said)? {
            Event::Eof => return Ok(writer.into_inner()),
            Event::Empty(element) if element.local_name().as_ref() == "calcPr" => {
                let mut new = BytesStart::new("calcPr");
                new.extend_attributes(element.attributes().flatten().filter(|attribute| attribute.key.as_ref() != "fullCalcOnLoad"));
                new.push_attribute(("fullCalcOnLoad", "1"));
                told = true;
                writer.write_event(Event::Empty(new)).map_err(said)?;
            }
            Event::End(element) if element.local_name().as_ref() == "workbook" => {
                if !told {
                    writer.write_event(Event::Empty(BytesStart::new("calcPr").with_attributes([("fullCalcOnLoad", "1")]))).map_err(said)?;
                }
                writer.write_event(Event::End(element)).map_err(said)?;
            }
            other => writer.write_event(other).map_err(said)?,
        }
    }
}
