//! `load.csv`: a text file of rows.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::array_value_to_string;
use datafusion::common::{DataFusionError, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::example::Example;
use crate::kind::{Category, FileFormat, Identity, NodeKind, Planned, Planning, Ports, Sink, Words, Writing};
use crate::param::FilePath;
use crate::problem::Problem;

/// Writes the rows into a text file, in UTF-8.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CsvLoad {
    /// The file; replaced as a whole when the run is published.
    pub path: FilePath,
    /// The character between fields, `\t` for a tab.
    #[serde(default = "comma")]
    pub separator: String,
    /// The character before decimals.
    #[serde(default = "point")]
    pub decimal_mark: String,
    /// Whether the file begins with a byte-order mark, by which Excel knows UTF-8.
    #[serde(default)]
    pub bom: bool,
    /// Whether the first row holds the columns' names.
    #[serde(default = "yes")]
    pub header: bool,
    /// How dates are written, such as `dd/mm/yyyy`; `2026-09-30` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_format: Option<String>,
    /// Whether lines end as Windows expects it.
    #[serde(default)]
    pub windows_lines: bool,
    /// Whether a text that a spreadsheet would take for a formula gets an apostrophe before it.
    #[serde(default = "yes")]
    pub guard_formulas: bool,
}

fn comma() -> String {
    ",".into()
}

fn point() -> String {
    ".".into()
}

fn yes() -> bool {
    true
}

impl NodeKind for CsvLoad {
    fn identity() -> Identity {
        Identity {
            id: "load.csv",
            version: 1,
            category: Category::Load,
            icon: "csv",
            title: Words { en: "CSV output", fr: "Sortie CSV" },
            summary: Words {
                en: "Writes the rows into a text file that appears only when every control holds.",
                fr: "Écrit les lignes dans un fichier texte qui n'apparaît que si tous les contrôles sont tenus.",
            },
            synonyms: &["output data", "export", "text file", "csv writer", "fichier texte"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::sink()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let one = |text: &str| match text {
            "\\t" => Some(b'\t'),
            text if text.len() == 1 && text.is_ascii() && text != "\"" => Some(text.as_bytes()[0]),
            _ => None,
        };
        let separator = one(&self.separator);
        let decimal_mark = one(&self.decimal_mark);
        for (value, text, field) in [(separator, &self.separator, "separator"), (decimal_mark, &self.decimal_mark, "decimal_mark")] {
            if value.is_none() {
                cx.problem(
                    Problem::error(format!("\"{text}\" is not one plain character."))
                        .on(field)
                        .help("Use a single character such as , ; or ."),
                );
            }
        }
        if self.path.0.is_empty() {
            cx.problem(Problem::error("The file has no name.").on("path").help("Name it, for example out/result.csv."));
        }
        if separator.is_some() && separator == decimal_mark {
            cx.problem(
                Problem::warning("Decimals and fields are set apart by the same character; numbers will be quoted.")
                    .on("decimal_mark")
                    .help("Use ; between fields."),
            );
        }
        let date = self.date_format.as_deref().map(pattern);
        if let Some(None) = date {
            let what = format!("\"{}\" is not a format of dates.", self.date_format.as_deref().unwrap_or_default());
            cx.problem(Problem::error(what).on("date_format").help("Write yyyy, mm and dd with what stands between them: dd/mm/yyyy."));
        }
        if cx.failed() {
            return None;
        }
        let format = Format {
            separator: separator?,
            decimal_mark: decimal_mark?,
            bom: self.bom,
            header: self.header,
            date: date.flatten(),
            windows_lines: self.windows_lines,
            guard: self.guard_formulas,
        };
        Some(Planned::sink(Sink::file(&self.path, Arc::new(format))))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Empty values are empty fields; empty texts are quoted.", json!({ "path": "out.csv" }))
                .input("in", "k,v:decimal(2)\na,1.50\n\"\",\n\"b,\"\"c\",-2.00")
                .written("out.csv", "k,v\na,1.50\n\"\",\n\"b,\"\"c\",-2.00\n"),
            Example::new("A row whose only value is empty is not a blank line.", json!({ "path": "out.csv" }))
                .input("in", "n:integer\n1\n\n3")
                .written("out.csv", "n\n1\n\"\"\n3\n"),
            Example::new(
                "As Excel expects it in French.",
                json!({ "path": "out.csv", "separator": ";", "decimal_mark": ",", "bom": true, "date_format": "dd/mm/yyyy", "windows_lines": true }),
            )
            .input("in", "Montant:decimal(2),Date:date\n12.50,2026-09-30")
            .written("out.csv", "\u{feff}Montant;Date\r\n12,50;30/09/2026\r\n"),
            Example::new("A text that would run as a formula is only a text; a phone number stays what it is.", json!({ "path": "out.csv" }))
                .input("in", "a,b\n=cmd|' /C calc'!A0,+33 6 12\n-2+3+cmd|x,-12")
                .written("out.csv", "a,b\n'=cmd|' /C calc'!A0,+33 6 12\n'-2+3+cmd|x,-12\n"),
            Example::new("A separator of two characters is refused.", json!({ "path": "out.csv", "separator": "||" }))
                .input("in", "a\nx")
                .refused("separator"),
        ]
    }
}

#[derive(Debug)]
struct Format {
    separator: u8,
    decimal_mark: u8,
    bom: bool,
    header: bool,
    /// How dates are written, as chrono has it.
    date: Option<String>,
    windows_lines: bool,
    guard: bool,
}

/// A format such as `dd/mm/yyyy` as chrono has it; `None` where a part is missing.
fn pattern(format: &str) -> Option<String> {
    let lower = format.to_lowercase();
    let year = if lower.contains("yyyy") { ("yyyy", "%Y") } else { ("yy", "%y") };
    let whole = [year, ("mm", "%m"), ("dd", "%d")].iter().all(|(part, _)| lower.contains(part));
    let letters = lower.replace(year.0, "").replace("mm", "").replace("dd", "");
    let plain = !letters.contains(|c: char| c.is_alphanumeric() || c == '%');
    (whole && plain).then(|| lower.replace(year.0, year.1).replace("mm", "%m").replace("dd", "%d"))
}

/// Whether a spreadsheet would take a text for a formula.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '@', '\t', '\r']) || text.starts_with(['+', '-']) && text.contains(['(', '|', '!'])
}

impl FileFormat for Format {
    fn open(&self, file: File, schema: SchemaRef) -> Result<Box<dyn Writing>> {
        let mut out = BufWriter::with_capacity(256 * 1024, file);
        if self.bom {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let end: &[u8] = if self.windows_lines { b"\r\n" } else { b"\n" };
        let Self { separator, decimal_mark, guard, .. } = *self;
        let mut writing = CsvWriting { out, separator, decimal_mark, end, guard, date: self.date.clone() };
        if self.header {
            for (i, field) in schema.fields().iter().enumerate() {
                writing.field(i, field.name())?;
            }
            writing.out.write_all(end)?;
        }
        Ok(Box::new(writing))
    }
}

struct CsvWriting {
    out: BufWriter<File>,
    separator: u8,
    decimal_mark: u8,
    /// What ends a line.
    end: &'static [u8],
    guard: bool,
    date: Option<String>,
}

impl CsvWriting {
    /// A day in the format asked for.
    fn dated(&self, day: &str) -> String {
        let date = chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").ok();
        date.zip(self.date.as_ref()).map_or_else(|| day.to_owned(), |(date, format)| date.format(format).to_string())
    }

    fn field(&mut self, place: usize, text: &str) -> Result<()> {
        if place > 0 {
            self.out.write_all(&[self.separator])?;
        }
        let special = |byte: u8| byte == self.separator || byte == b'"' || byte == b'\n' || byte == b'\r';
        // A number sign at the start could be taken for a comment, spaces at the ends for padding.
        let edges = text.starts_with(['#', ' ']) || text.ends_with(' ');
        if text.is_empty() || edges || text.bytes().any(special) {
            write!(self.out, "\"{}\"", text.replace('"', "\"\""))?;
        } else {
            self.out.write_all(text.as_bytes())?;
        }
        Ok(())
    }
}

impl Writing for CsvWriting {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            for (place, array) in batch.columns().iter().enumerate() {
                if array.is_null(row) {
                    if place > 0 {
                        self.out.write_all(&[self.separator])?;
                    } else if batch.num_columns() == 1 {
                        // A line with nothing on it is no row to those who read it.
                        self.out.write_all(b"\"\"")?;
                    }
                    continue;
                }
                let text = array_value_to_string(array, row)?;
                let text = match array.data_type() {
                    DataType::Decimal128(_, _) | DataType::Float64 if self.decimal_mark != b'.' => {
                        text.replace('.', (self.decimal_mark as char).encode_utf8(&mut [0; 4]))
                    }
                    DataType::Date32 if self.date.is_some() => self.dated(&text),
                    DataType::Timestamp(_, _) => match text.split_once('T') {
                        Some((day, time)) => format!("{} {time}", self.dated(day)),
                        None => text,
                    },
                    DataType::Utf8View | DataType::Utf8 if self.guard && is_formula(&text) => format!("'{text}"),
                    _ => text,
                };
                self.field(place, &text)?;
            }
            self.out.write_all(self.end)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<File> {
        self.out.into_inner().map_err(|error| DataFusionError::IoError(error.into_error()))
    }
}
