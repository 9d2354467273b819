//! `load.excel`: a workbook with one sheet.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::array_value_to_string;
use datafusion::common::cast::{as_boolean_array, as_date32_array, as_timestamp_microsecond_array};
use datafusion::common::{DataFusionError, Result, exec_err};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format as Style, Workbook, XlsxError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::example::Example;
use crate::kind::{Category, FileFormat, Identity, NodeKind, Planned, Planning, Ports, Sink, Words, Writing};
use crate::param::FilePath;
use crate::problem::Problem;

/// Rows a sheet holds, its header included.
const SHEET_ROWS: u32 = 1_048_576;
/// Digits a number in Excel keeps.
const DIGITS: usize = 15;

/// Writes the rows into an Excel workbook.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExcelLoad {
    /// The file; replaced as a whole when the run is published.
    pub path: FilePath,
    /// The sheet's name.
    #[serde(default = "sheet")]
    pub sheet: String,
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
        Ports::sink()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        if self.path.0.is_empty() {
            cx.problem(Problem::error("The file has no name.").on("path").help("Name it, for example out/result.xlsx."));
        }
        let mut trial = Workbook::new();
        if let Err(error) = trial.add_worksheet().set_name(&self.sheet) {
            cx.problem(
                Problem::error(format!("\"{}\" cannot be the name of a sheet: {error}.", self.sheet))
                    .on("sheet")
                    .help("Use at most 31 plain characters."),
            );
        }
        if cx.failed() {
            return None;
        }
        let format = Format { sheet: self.sheet.clone() };
        Some(Planned::sink(Sink::File { port: "in", path: self.path.0.clone(), format: Arc::new(format) }))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A sheet with a header; decimals keep their places.", json!({ "path": "out.xlsx", "sheet": "Result" }))
                .input("in", "id:integer,amount:decimal(2),day:date\n1,10.50,2026-09-30"),
            Example::new("One row of every type.", json!({ "path": "out.xlsx" }))
                .input("in", "a,n:integer,f:float,b:boolean,t:datetime\nx,1,1.5,true,2026-09-30 12:00:00"),
            Example::new("A table without rows has its header.", json!({ "path": "out.xlsx" })).input("in", "a"),
            Example::new("A sheet name that Excel does not take is refused.", json!({ "path": "out.xlsx", "sheet": "a/b" }))
                .input("in", "a\nx")
                .refused("a/b"),
        ]
    }
}

#[derive(Debug)]
struct Format {
    sheet: String,
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
        let bold = Style::new().set_bold();
        let sheet = workbook.add_worksheet_with_constant_memory().map_err(broken)?;
        sheet.set_name(&self.sheet).map_err(broken)?;
        let mut styles = Vec::new();
        for (place, field) in schema.fields().iter().enumerate() {
            sheet.write_with_format(0, place as u16, field.name(), &bold).map_err(broken)?;
            let pattern = match field.data_type() {
                DataType::Decimal128(_, scale) if *scale > 0 => format!("#,##0.{}", "0".repeat(*scale as usize)),
                DataType::Date32 => "yyyy-mm-dd".to_owned(),
                DataType::Timestamp(_, _) => "yyyy-mm-dd hh:mm:ss".to_owned(),
                _ => "General".to_owned(),
            };
            styles.push(Style::new().set_num_format(pattern));
        }
        Ok(Box::new(ExcelWriting { workbook, file, styles, row: 1 }))
    }
}

struct ExcelWriting {
    workbook: Workbook,
    file: File,
    styles: Vec<Style>,
    row: u32,
}

impl Writing for ExcelWriting {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let sheet = self.workbook.worksheet_from_index(0).map_err(broken)?;
        for row in 0..batch.num_rows() {
            if self.row >= SHEET_ROWS {
                return exec_err!("A sheet holds {SHEET_ROWS} rows and there are more. Load into CSV or Parquet, or split the rows.");
            }
            for (place, (array, style)) in batch.columns().iter().zip(&self.styles).enumerate() {
                if array.is_null(row) {
                    continue;
                }
                let column = place as u16;
                let moment = match array.data_type() {
                    DataType::Date32 => {
                        crate::formula::dates::date(as_date32_array(array)?.value(row)).and_then(|date| date.and_hms_opt(0, 0, 0))
                    }
                    DataType::Timestamp(_, _) => crate::formula::dates::moment(as_timestamp_microsecond_array(array)?.value(row)),
                    _ => None,
                };
                let text = array_value_to_string(array, row)?;
                match array.data_type() {
                    DataType::Int64 | DataType::Decimal128(_, _) | DataType::Float64 => {
                        let digits = text.bytes().filter(u8::is_ascii_digit).count();
                        // Excel keeps every number as a float of 15 digits: what has more is written as it is, as text.
                        match text.parse::<f64>() {
                            Ok(number) if digits <= DIGITS || array.data_type() == &DataType::Float64 => {
                                sheet.write_number_with_format(self.row, column, number, style).map_err(broken)?;
                            }
                            _ => {
                                sheet.write_string(self.row, column, &text).map_err(broken)?;
                            }
                        }
                    }
                    DataType::Boolean => {
                        sheet.write_boolean(self.row, column, as_boolean_array(array)?.value(row)).map_err(broken)?;
                    }
                    _ => match moment {
                        // Excel's calendar begins in 1900.
                        Some(moment) if moment.and_utc().timestamp() > -2_200_000_000 => {
                            sheet.write_datetime_with_format(self.row, column, moment, style).map_err(broken)?;
                        }
                        _ => {
                            sheet.write_string(self.row, column, &text).map_err(broken)?;
                        }
                    },
                }
            }
            self.row += 1;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<File> {
        let bytes = self.workbook.save_to_buffer().map_err(broken)?;
        self.file.write_all(&bytes)?;
        Ok(self.file)
    }
}
