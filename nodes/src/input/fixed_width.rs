//! `input.fixed_width`: fields at fixed places of each line, as mainframes and SAP write them.

use std::io::BufRead;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::Schema;

use crate::example::typed_array;
use crate::param::FilePath;
use crate::prelude::*;
use crate::source::{MemorySource, scan};

/// Reads a text file whose fields stand at fixed places.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct FixedWidthInput {
    /// The file.
    pub path: FilePath,
    /// The fields.
    pub fields: Vec<FixedField>,
    /// The encoding, such as `windows-1252`; found out unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// How many lines to leave out at the top.
    #[serde(default)]
    pub skip_lines: u32,
    /// How many lines to leave out at the end, such as a line of totals.
    #[serde(default)]
    pub skip_last: u32,
    /// Only lines that begin with this text are rows.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub begins_with: String,
}

/// A field of a line.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FixedField {
    /// The column's name.
    pub name: String,
    /// The place of its first character, from 1.
    #[schemars(range(min = 1))]
    pub start: u32,
    /// How many characters it has.
    #[schemars(range(min = 1))]
    pub length: u32,
    /// Its type.
    #[serde(default = "text_type", rename = "type")]
    pub column_type: ColumnType,
    /// How many of its last digits are decimals that are written without a mark: `0001250` with 2 is 12.50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implied_decimals: Option<u8>,
    /// For dates: how they are written, such as `yyyymmdd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_format: Option<String>,
}

fn text_type() -> ColumnType {
    ColumnType::Text
}

impl FixedField {
    /// The value in canonical form; `None` for an empty one.
    fn value(&self, text: &str) -> Option<String> {
        if self.column_type == ColumnType::Text {
            let text = text.trim_end();
            return (!text.is_empty()).then(|| text.to_owned());
        }
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if matches!(self.column_type, ColumnType::Date | ColumnType::DateTime) {
            let zeros = text.bytes().all(|byte| byte == b'0');
            return match &self.date_format {
                _ if zeros => None,
                Some(format) => Some(iso(text, format).unwrap_or_else(|| text.to_owned())),
                None => Some(text.to_owned()),
            };
        }
        if !self.column_type.is_number() {
            return Some(text.to_owned());
        }
        // SAP writes the sign at the end, and perhaps a decimal comma.
        let (minus, digits) = match (text.strip_suffix('-'), text.strip_prefix('-')) {
            (Some(digits), _) | (None, Some(digits)) => (true, digits.trim()),
            (None, None) => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let mut digits = match (digits.rfind(','), digits.rfind('.')) {
            (Some(comma), dot) if dot.is_none_or(|dot| dot < comma) => digits.replace('.', "").replace(',', "."),
            _ => digits.replace(',', ""),
        };
        if let Some(places) = self.implied_decimals.map(usize::from).filter(|places| *places > 0 && !digits.contains('.')) {
            let padded = format!("{digits:0>width$}", width = places + 1);
            digits = format!("{}.{}", &padded[..padded.len() - places], &padded[padded.len() - places..]);
        }
        let (whole, rest) = digits.split_once('.').map_or((digits.as_str(), None), |(whole, rest)| (whole, Some(rest)));
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let number = rest.map_or_else(|| whole.to_owned(), |rest| format!("{whole}.{rest}"));
        Some(if minus { format!("-{number}") } else { number })
    }
}

/// A date written in a format of digits such as `yyyymmdd`, as `2026-09-30`.
fn iso(text: &str, format: &str) -> Option<String> {
    let part = |letter: char| -> Option<String> {
        let digits: String = format.chars().zip(text.chars()).filter(|(f, _)| f.eq_ignore_ascii_case(&letter)).map(|(_, t)| t).collect();
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
    };
    let (year, month, day) = (part('y')?, part('m')?, part('d')?);
    let year = if year.len() == 2 { format!("20{year}") } else { year };
    Some(format!("{year:0>4}-{month:0>2}-{day:0>2}"))
}

impl NodeKind for FixedWidthInput {
    fn identity() -> Identity {
        Identity {
            id: "input.fixed_width",
            version: 1,
            category: Category::Input,
            icon: "text_fields",
            title: Words { en: "Fixed-width file", fr: "Fichier à largeur fixe" },
            summary: Words {
                en: "Reads a text file whose fields stand at fixed places, with trailing signs and implied decimals.",
                fr: "Lit un fichier texte à champs de largeur fixe, avec signes à la fin et décimales implicites.",
            },
            synonyms: &["flat file", "positional", "sap export", "mainframe", "ebcdic", "colonnes fixes", "positionnel"],
            order: Words { en: "As in the file.", fr: "Celui du fichier." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        if self.fields.is_empty() {
            cx.problem(Problem::error("No fields are described.").on("fields").help("Give their names, places and lengths."));
        }
        for (i, field) in self.fields.iter().enumerate() {
            let taken = self.fields[..i].iter().any(|other| other.name == field.name);
            cx.new_name(&NewColumn(field.name.clone()), taken, &format!("fields[{i}].name"));
            if field.start == 0 || field.length == 0 {
                let what = format!("\"{}\" has no place.", field.name);
                cx.problem(Problem::error(what).on(format!("fields[{i}].start")).help("Places and lengths are counted from 1."));
            }
        }
        let path = cx.source_file(&self.path.0, "path")?;
        if cx.failed() {
            return None;
        }
        match self.table(&path) {
            Ok((batch, lines)) => {
                let node = cx.node().to_owned();
                let source = MemorySource::new(batch, Int64Array::from(lines));
                let table = cx.planned(scan(&node, Arc::new(source), format!("{} line", self.path.0)))?;
                Some(Planned::table(table))
            }
            Err(problem) => {
                cx.problem(problem);
                None
            }
        }
    }

    fn examples() -> Vec<Example> {
        let fields = json!([
            { "name": "id", "start": 1, "length": 3 },
            { "name": "name", "start": 4, "length": 6 },
            { "name": "amount", "start": 10, "length": 8, "type": "decimal(2)", "implied_decimals": 2 },
            { "name": "day", "start": 18, "length": 8, "type": "date", "date_format": "yyyymmdd" }
        ]);
        vec![
            Example::new(
                "Signs at the end, decimals without a mark, dates as digits; the header and the line of totals are left out.",
                json!({ "path": "a.txt", "fields": fields, "skip_lines": 1, "skip_last": 1 }),
            )
            .file("a.txt", "HEADER\r\n001Zoë   0001250-20260930\r\n002Bob   0000005 00000000\r\nTOTAL 0001255\r\n")
            .output("out", "id,name,amount:decimal(2),day:date\n001,Zoë,-12.50,2026-09-30\n002,Bob,0.05,"),
            Example::new(
                "Windows-1252, decimal commas, only lines of one kind; short lines have empty fields.",
                json!({
                    "path": "a.txt", "begins_with": "D", "encoding": "windows-1252",
                    "fields": [{ "name": "name", "start": 2, "length": 4 }, { "name": "n", "start": 6, "length": 10, "type": "decimal(2)" }]
                }),
            )
            .file("a.txt", b"H2026\nD\xC9mil  1.234,50\nDBob \n".to_vec())
            .output("out", "name,n:decimal(2)\nÉmil,1234.50\nBob,"),
            Example::new("A file without lines.", json!({ "path": "a.txt", "fields": [{ "name": "a", "start": 1, "length": 1 }] }))
                .file("a.txt", "")
                .output("out", "a"),
            Example::new(
                "A text in a number's place is named with its line.",
                json!({
                    "path": "a.txt", "fields": [{ "name": "n", "start": 1, "length": 3, "type": "integer" }]
                }),
            )
            .file("a.txt", "001\nabc\n")
            .refused("a.txt:2"),
        ]
    }
}

impl FixedWidthInput {
    /// The rows, and the line of each.
    fn table(&self, path: &std::path::Path) -> Result<(RecordBatch, Vec<i64>), Problem> {
        let file = &self.path.0;
        let unread = |error: std::io::Error| Problem::error(format!("The file cannot be read: {error}.")).on("path").in_file(file, None);
        let encoding = match &self.encoding {
            None => super::csv::reading::encoding(path).map_err(unread)?.encoding,
            Some(name) => encoding_rs::Encoding::for_label(name.as_bytes()).ok_or_else(|| {
                Problem::error(format!("\"{name}\" is not an encoding."))
                    .on("encoding")
                    .help("Use utf-8, windows-1252 or another name of the web.")
            })?,
        };
        let text = super::csv::reading::text(path, encoding).map_err(unread)?;
        let reader = std::io::BufReader::new(std::io::Read::take(text, super::json::LARGEST));
        let mut lines: Vec<(i64, String)> = Vec::new();
        for (i, line) in reader.lines().enumerate().skip(self.skip_lines as usize) {
            let line = line.map_err(unread)?;
            lines.push((i as i64 + 1, line.trim_end_matches('\r').trim_start_matches('\u{feff}').to_owned()));
        }
        while lines.last().is_some_and(|(_, line)| line.trim().is_empty()) {
            lines.pop();
        }
        lines.truncate(lines.len().saturating_sub(self.skip_last as usize));
        lines.retain(|(_, line)| !line.trim().is_empty() && line.starts_with(&self.begins_with));
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for field in &self.fields {
            let cut =
                |line: &String| field.value(&line.chars().skip(field.start as usize - 1).take(field.length as usize).collect::<String>());
            let values: Vec<Option<String>> = lines.iter().map(|(_, line)| cut(line)).collect();
            let texts: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
            let array = typed_array(&texts, field.column_type).map_err(|(row, error)| {
                let what = format!("\"{}\": {error}.", field.name);
                Problem::error(what)
                    .on("fields")
                    .in_file(file, Some(lines[row].0 as u64))
                    .help("Correct the line, or the field's place or type.")
            })?;
            fields.push(arrow::datatypes::Field::new(&field.name, array.data_type().clone(), true));
            arrays.push(array);
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map_err(|error| Problem::error(format!("The file cannot be read: {error}.")).in_file(file, None))?;
        Ok((batch, lines.into_iter().map(|(line, _)| line).collect()))
    }
}
