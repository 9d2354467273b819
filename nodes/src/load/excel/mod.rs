//! `load.excel`: a workbook with a sheet or several, or rows into a place of a template.

mod template;

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, SchemaRef};
use arrow::util::display::array_value_to_string;
use datafusion::common::cast::{as_boolean_array, as_date32_array, as_decimal128_array, as_int64_array, as_timestamp_microsecond_array};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format as Style, Formula as CellFormula, Workbook, Worksheet, XlsxError, utility};

use crate::flow::nested::lasting;
use crate::kind::{FileFormat, Sink, Writing};
use crate::param::FilePath;
use crate::prelude::*;

/// Rows a sheet holds, its header included.
const SHEET_ROWS: u32 = 1_048_576;
/// Digits a number in Excel keeps.
const DIGITS: usize = 15;
/// Letters a sheet's name may have.
const NAME: usize = 31;

/// Writes the rows into an Excel workbook.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExcelLoad {
    /// The file; replaced as a whole when the run is published.
    pub path: FilePath,
    /// The sheet's name.
    #[serde(default = "sheet")]
    pub sheet: String,
    /// Further sheets by name; the rows of each arrive by a port of that name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<String>,
    /// A sheet for each value of this column, named after it, instead of one sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Column>,
    /// Columns that get their total below the last row.
    #[serde(default)]
    pub totals: Columns,
    /// A workbook that is kept as it is but for the rows: its formats, formulas and charts stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<FilePath>,
    /// Where the rows begin in the template: a named range, or a cell such as `Report!B5`. The template has the header.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
}

fn sheet() -> String {
    "Sheet1".into()
}

impl NodeKind for ExcelLoad {
    fn identity() -> Identity {
        Identity {
            id: "load.excel",
            version: 1,
            category: Category::Load,
            icon: "grid_on",
            title: Words { en: "Excel output", fr: "Sortie Excel" },
            summary: Words {
                en: "Writes the rows into a workbook; numbers with more than 15 digits, which Excel would cut, are written as text.",
                fr: "Écrit les lignes dans un classeur ; les nombres de plus de 15 chiffres, qu'Excel couperait, sont écrits en texte.",
            },
            synonyms: &["xlsx", "output data", "export", "workbook", "classeur", "excel writer"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        let more = self.more.iter().map(|sheet| {
            let name = lasting(sheet);
            InPort { name, arity: Arity::One, title: Words { en: name, fr: name } }
        });
        Ports { inputs: std::iter::once(IN).chain(more).collect(), outputs: vec![] }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        if self.path.0.is_empty() {
            cx.problem(Problem::error("The file has no name.").on("path").help("Name it, for example out/result.xlsx."));
        }
        let mut trial = Workbook::new();
        for (name, field) in std::iter::once((&self.sheet, "sheet")).chain(self.more.iter().map(|name| (name, "more"))) {
            if let Err(error) = trial.add_worksheet().set_name(name) {
                let what = format!("\"{name}\" cannot be the name of a sheet: {error}.");
                cx.problem(Problem::error(what).on(field).help("Use at most 31 plain characters."));
            }
            if std::iter::once(&self.sheet).chain(&self.more).filter(|other| other.eq_ignore_ascii_case(name)).count() > 1
                || name == IN.name && field == "more"
            {
                cx.problem(Problem::error(format!("There are two sheets \"{name}\".")).on(field).help("Name each sheet once."));
            }
        }
        let by = match &self.by {
            Some(by) => {
                cx.column(by, &table, "by")?;
                Some(by.0.clone())
            }
            None => None,
        };
        let totals = cx.columns(&self.totals, &table, "totals");
        for name in totals.iter().filter(|name| table.type_of(name).is_some_and(|data_type| !data_type.is_numeric())) {
            cx.problem(Problem::error(format!("Column \"{name}\" is no number.")).on("totals").help("Choose columns of numbers."));
        }
        if let Some(template) = &self.template {
            return self.fill(cx, template, &table);
        }
        if !self.place.is_empty() {
            cx.problem(Problem::error("A place is one of a template.").on("place").help("Choose the template, or leave the place out."));
        }
        if by.is_some() && !self.more.is_empty() {
            cx.problem(
                Problem::error("Sheets by value and further sheets exclude each other.").on("more").help("Load them into two files."),
            );
        }
        if cx.failed() {
            return None;
        }
        let format: Arc<dyn FileFormat> = Arc::new(Format { sheet: self.sheet.clone(), by, totals });
        if self.more.is_empty() {
            return Some(Planned::sink(Sink::file(&self.path, format)));
        }
        let sinks = std::iter::once((IN.name, &self.sheet)).chain(self.more.iter().map(|name| (lasting(name), name)));
        let sinks =
            sinks.map(|(port, name)| Sink::File { port, path: self.path.0.clone(), format: Arc::clone(&format), part: Some(name.clone()) });
        Some(Planned { sinks: sinks.collect(), ..Planned::default() })
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A sheet with a header; decimals keep their places.", json!({ "path": "out.xlsx", "sheet": "Result" }))
                .input("in", "id:integer,amount:decimal(2),day:date\n1,10.50,2026-09-30"),
            Example::new("One row of every type.", json!({ "path": "out.xlsx" }))
                .input("in", "a,n:integer,f:float,b:boolean,t:datetime\nx,1,1.5,true,2026-09-30 12:00:00"),
            Example::new("A table without rows has its header.", json!({ "path": "out.xlsx" })).input("in", "a"),
            Example::new(
                "Two sheets; amounts with their total.",
                json!({ "path": "out.xlsx", "sheet": "Summary", "more": ["Detail"], "totals": ["amount"] }),
            )
            .input("in", "owner,amount:decimal(2)\nJean,10.50")
            .input("Detail", "deal,amount:decimal(2)\nD1,10.00\nD2,0.50"),
            Example::new("A sheet for each region.", json!({ "path": "out.xlsx", "by": "region" }))
                .input("in", "region,n:integer\nNord,1\nSud,2\nNord,3"),
            Example::new("A sheet name that Excel does not take is refused.", json!({ "path": "out.xlsx", "sheet": "a/b" }))
                .input("in", "a\nx")
                .refused("a/b"),
        ]
    }
}

impl ExcelLoad {
    /// Rows into a place of a template.
    fn fill(&self, cx: &mut Planning<'_>, path: &FilePath, table: &Table) -> Option<Planned> {
        for (field, set) in [("more", !self.more.is_empty()), ("by", self.by.is_some()), ("totals", !self.totals.0.is_empty())] {
            if set {
                let what = "A template has its own sheets and totals.";
                cx.problem(Problem::error(what).on(field).help("Leave this out, or load without a template."));
            }
        }
        let file = cx.source_file(&path.0, "template")?;
        match template::Place::find(&file, &self.place) {
            Ok(place) => {
                if place.columns().is_some_and(|columns| columns < table.names().count()) {
                    let what = format!("\"{}\" has fewer columns than the rows.", self.place);
                    cx.problem(Problem::error(what).on("place").help("Widen the range in the template, or select fewer columns."));
                }
                if cx.failed() {
                    return None;
                }
                Some(Planned::sink(Sink::file(&self.path, Arc::new(template::Template { file, place }))))
            }
            Err(what) => {
                let problem = Problem::error(format!("The template cannot be filled: {what}."));
                cx.problem(
                    problem.on("place").in_file(path.0.clone(), None).help("Name a range in the workbook, or a cell such as Report!B5."),
                );
                None
            }
        }
    }
}

#[derive(Debug)]
struct Format {
    sheet: String,
    by: Option<String>,
    totals: Vec<String>,
}

fn broken(error: XlsxError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl FileFormat for Format {
    fn open(&self, file: File, schema: SchemaRef) -> Result<Box<dyn Writing>> {
        let mut workbook = Workbook::new();
        // The same rows give the same bytes.
        let created = ExcelDateTime::from_ymd(2000, 1, 1).map_err(broken)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&created));
        let by = self.by.as_ref().map(|by| schema.index_of(by)).transpose()?;
        let mut writing = ExcelWriting { workbook, file, by, totals: self.totals.clone(), schema: Arc::clone(&schema), sheets: vec![] };
        if by.is_none() {
            writing.next(&self.sheet, schema)?;
        }
        Ok(Box::new(writing))
    }
}

/// A sheet under way.
struct Sheet {
    name: String,
    /// The value whose rows it has, where sheets are made by value.
    value: Option<String>,
    schema: SchemaRef,
    styles: Vec<Style>,
    /// The sums of the columns that have a total, in units of their last decimal.
    sums: Vec<Option<Sum>>,
    widths: Vec<usize>,
    row: u32,
}

#[derive(Clone, Copy)]
enum Sum {
    Exact { units: i128, places: u32 },
    Float(f64),
}

struct ExcelWriting {
    workbook: Workbook,
    file: File,
    by: Option<usize>,
    totals: Vec<String>,
    schema: SchemaRef,
    sheets: Vec<Sheet>,
}

/// A value as the name of a sheet.
fn sheet_name(value: Option<&str>) -> String {
    let name: String = value.unwrap_or("(empty)").chars().map(|c| if "[]:*?/\\".contains(c) { '-' } else { c }).take(NAME).collect();
    let name = name.trim_matches('\'').to_owned();
    if name.trim().is_empty() { "(empty)".into() } else { name }
}

impl ExcelWriting {
    /// The sheet a row belongs to.
    fn sheet_of(&mut self, batch: &RecordBatch, row: usize) -> Result<usize> {
        let Some(by) = self.by else { return Ok(self.sheets.len() - 1) };
        let array = batch.column(by);
        let value = if array.is_null(row) { None } else { Some(array_value_to_string(array, row)?) };
        if let Some(known) = self.sheets.iter().position(|sheet| sheet.value == value) {
            return Ok(known);
        }
        let name = sheet_name(value.as_deref());
        if self.sheets.iter().any(|sheet| sheet.name.eq_ignore_ascii_case(&name)) {
            return exec_err!("Two values would both have the sheet \"{name}\". Make them differ in their first {NAME} letters");
        }
        let schema = Arc::clone(&self.schema);
        self.next(&name, schema)?;
        let made = self.sheets.len() - 1;
        self.sheets[made].value = value;
        Ok(made)
    }
}

impl Writing for ExcelWriting {
    fn next(&mut self, part: &str, schema: SchemaRef) -> Result<()> {
        let sheet = self.workbook.add_worksheet_with_constant_memory().map_err(broken)?;
        sheet.set_name(part).map_err(broken)?;
        sheet.set_freeze_panes(1, 0).map_err(broken)?;
        let bold = Style::new().set_bold();
        let (mut styles, mut sums, mut widths) = (Vec::new(), Vec::new(), Vec::new());
        for (place, field) in schema.fields().iter().enumerate() {
            sheet.write_with_format(0, place as u16, field.name(), &bold).map_err(broken)?;
            let pattern = match field.data_type() {
                DataType::Decimal128(_, scale) if *scale > 0 => format!("#,##0.{}", "0".repeat(*scale as usize)),
                DataType::Date32 => "yyyy-mm-dd".to_owned(),
                DataType::Timestamp(_, _) => "yyyy-mm-dd hh:mm:ss".to_owned(),
                _ => "General".to_owned(),
            };
            styles.push(Style::new().set_num_format(pattern));
            let sum = match field.data_type() {
                DataType::Decimal128(_, scale) => Sum::Exact { units: 0, places: *scale as u32 },
                DataType::Float64 => Sum::Float(0.0),
                _ => Sum::Exact { units: 0, places: 0 },
            };
            sums.push(self.totals.contains(field.name()).then_some(sum));
            widths.push(field.name().chars().count());
        }
        self.sheets.push(Sheet { name: part.to_owned(), value: None, schema, styles, sums, widths, row: 1 });
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            let place = self.sheet_of(batch, row)?;
            let sheet = &mut self.sheets[place];
            if sheet.row >= SHEET_ROWS {
                return exec_err!("A sheet holds {SHEET_ROWS} rows and there are more. Load into CSV or Parquet, or split the rows.");
            }
            let worksheet = self.workbook.worksheet_from_index(place).map_err(broken)?;
            for (place, array) in batch.columns().iter().enumerate().filter(|(_, array)| !array.is_null(row)) {
                let width = write_cell(worksheet, sheet.row, place as u16, array, row, &sheet.styles[place])?;
                sheet.widths[place] = sheet.widths[place].max(width);
                match &mut sheet.sums[place] {
                    Some(Sum::Float(sum)) => *sum += array_value_to_string(array, row)?.parse::<f64>().unwrap_or(f64::NAN),
                    Some(Sum::Exact { units, .. }) => {
                        let value = match array.data_type() {
                            DataType::Decimal128(_, _) => as_decimal128_array(array)?.value(row),
                            _ => i128::from(as_int64_array(array)?.value(row)),
                        };
                        *units = units.checked_add(value).ok_or_else(|| exec_datafusion_err!("A total has more than 38 digits"))?;
                    }
                    None => {}
                }
            }
            sheet.row += 1;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<File> {
        if self.sheets.is_empty() {
            let schema = Arc::clone(&self.schema);
            self.next("(empty)", schema)?;
        }
        for (place, sheet) in self.sheets.iter().enumerate() {
            let worksheet = self.workbook.worksheet_from_index(place).map_err(broken)?;
            let mut labelled = false;
            for (column, sum) in sheet.sums.iter().enumerate() {
                let (style, letter) = (sheet.styles[column].clone().set_bold(), utility::column_number_to_name(column as u16));
                let result = match sum {
                    Some(Sum::Exact { units, places }) => Decimal128Type::format_decimal(*units, DECIMAL128_MAX_PRECISION, *places as i8),
                    Some(Sum::Float(sum)) => sum.to_string(),
                    None => {
                        if !labelled && sheet.sums.iter().any(Option::is_some) && !sheet.schema.field(column).data_type().is_numeric() {
                            worksheet.write_with_format(sheet.row, column as u16, "Total", &Style::new().set_bold()).map_err(broken)?;
                            labelled = true;
                        }
                        continue;
                    }
                };
                let formula = CellFormula::new(format!("=SUM({letter}2:{letter}{})", sheet.row.max(2))).set_result(result);
                worksheet.write_formula_with_format(sheet.row, column as u16, formula, &style).map_err(broken)?;
            }
            for (column, width) in sheet.widths.iter().enumerate() {
                worksheet.set_column_width(column as u16, (*width as f64 + 2.0).clamp(8.0, 60.0)).map_err(broken)?;
            }
        }
        let bytes = self.workbook.save_to_buffer().map_err(broken)?;
        self.file.write_all(&bytes)?;
        Ok(self.file)
    }
}

/// Writes a value and says how many characters it shows.
fn write_cell(sheet: &mut Worksheet, at: u32, column: u16, array: &ArrayRef, row: usize, style: &Style) -> Result<usize> {
    let moment = moment(array, row)?;
    let text = array_value_to_string(array, row)?;
    match array.data_type() {
        DataType::Int64 | DataType::Decimal128(_, _) | DataType::Float64 => match number(&text, array.data_type()) {
            Some(number) => sheet.write_number_with_format(at, column, number, style).map_err(broken)?,
            None => sheet.write_string(at, column, &text).map_err(broken)?,
        },
        DataType::Boolean => sheet.write_boolean(at, column, as_boolean_array(array)?.value(row)).map_err(broken)?,
        _ => match moment {
            Some(moment) => sheet.write_datetime_with_format(at, column, moment, style).map_err(broken)?,
            None => sheet.write_string(at, column, &text).map_err(broken)?,
        },
    };
    let apart = if matches!(array.data_type(), DataType::Decimal128(_, _)) { text.len() / 3 } else { 0 };
    Ok(text.chars().count() + apart)
}

/// A number that Excel keeps; it keeps every number as a float of 15 digits, so what has more is written as it is, as
/// text.
fn number(text: &str, data_type: &DataType) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.parse::<f64>().ok().filter(|_| digits <= DIGITS || data_type == &DataType::Float64)
}

/// A date or a moment that Excel's calendar has: it begins in 1900.
fn moment(array: &ArrayRef, row: usize) -> Result<Option<chrono::NaiveDateTime>> {
    let moment = match array.data_type() {
        DataType::Date32 => crate::formula::dates::date(as_date32_array(array)?.value(row)).and_then(|date| date.and_hms_opt(0, 0, 0)),
        DataType::Timestamp(_, _) => crate::formula::dates::moment(as_timestamp_microsecond_array(array)?.value(row)),
        _ => None,
    };
    Ok(moment.filter(|moment| moment.and_utc().timestamp() > -2_200_000_000))
}
