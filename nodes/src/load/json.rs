//! `load.json`: a list of objects, or an object on each line.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::util::display::array_value_to_string;
use datafusion::common::{DataFusionError, Result};

use crate::kind::{FileFormat, Sink, Writing};
use crate::param::FilePath;
use crate::prelude::*;

/// Writes the rows into a JSON file. Numbers keep all their decimals.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct JsonLoad {
    /// The file; replaced as a whole when the run is published.
    pub path: FilePath,
    /// An object on each line instead of one list.
    #[serde(default)]
    pub lines: bool,
    /// Leaves out fields that are empty.
    #[serde(default)]
    pub skip_empty: bool,
}

impl NodeKind for JsonLoad {
    fn identity() -> Identity {
        Identity {
            id: "load.json",
            version: 1,
            category: Category::Load,
            icon: "data_object",
            title: Words { en: "JSON output", fr: "Sortie JSON" },
            summary: Words {
                en: "Writes the rows into a JSON file that appears only when every control holds.",
                fr: "Écrit les lignes dans un fichier JSON qui n'apparaît que si tous les contrôles tiennent.",
            },
            synonyms: &["json lines", "ndjson", "output data", "export", "exporter"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::sink()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        cx.input("in")?;
        if self.path.0.is_empty() {
            cx.problem(Problem::error("The file has no name.").on("path").help("Name it, for example out/result.json."));
            return None;
        }
        let format = Format { lines: self.lines, skip_empty: self.skip_empty };
        Some(Planned::sink(Sink::file(&self.path, Arc::new(format))))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A list of objects.", json!({ "path": "out.json" }))
                .input("in", "k,n:decimal(2),ok:boolean,d:date\na,1.50,true,2026-09-30\n\"q\"\"\",,,")
                .written("out.json", "[\n{\"k\":\"a\",\"n\":1.50,\"ok\":true,\"d\":\"2026-09-30\"},\n{\"k\":\"q\\\"\",\"n\":null,\"ok\":null,\"d\":null}\n]\n"),
            Example::new("An object on each line, empty fields left out.", json!({ "path": "out.jsonl", "lines": true, "skip_empty": true }))
                .input("in", "k,n:integer\na,1\nb,")
                .written("out.jsonl", "{\"k\":\"a\",\"n\":1}\n{\"k\":\"b\"}\n"),
            Example::new("A table without rows is an empty list.", json!({ "path": "out.json" })).input("in", "a").written("out.json", "[\n]\n"),
            Example::new("A file has a name.", json!({ "path": "" })).input("in", "a\nx").refused("The file has no name"),
        ]
    }
}

/// How rows are written.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) lines: bool,
    pub(super) skip_empty: bool,
}

impl FileFormat for Format {
    fn open(&self, file: File, schema: SchemaRef) -> Result<Box<dyn Writing>> {
        let mut out = BufWriter::with_capacity(256 * 1024, file);
        if !self.lines {
            out.write_all(b"[\n")?;
        }
        let names = schema.fields().iter().map(|field| serde_json::Value::from(field.name().as_str()).to_string()).collect();
        Ok(Box::new(JsonWriting { out, names, lines: self.lines, skip_empty: self.skip_empty, rows: 0 }))
    }
}

struct JsonWriting {
    out: BufWriter<File>,
    /// The columns' names, quoted.
    names: Vec<String>,
    lines: bool,
    skip_empty: bool,
    rows: u64,
}

impl Writing for JsonWriting {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            if self.rows > 0 && !self.lines {
                self.out.write_all(b",\n")?;
            }
            self.rows += 1;
            let mut fields = Vec::new();
            for (name, array) in self.names.iter().zip(batch.columns()) {
                if array.is_null(row) {
                    if !self.skip_empty {
                        fields.push(format!("{name}:null"));
                    }
                    continue;
                }
                let text = array_value_to_string(array, row)?;
                let bare = match array.data_type() {
                    DataType::Boolean | DataType::Decimal128(_, _) => true,
                    DataType::Float64 => text.parse::<f64>().is_ok_and(f64::is_finite),
                    other => other.is_integer(),
                };
                let value = if bare { text } else { serde_json::Value::from(text).to_string() };
                fields.push(format!("{name}:{value}"));
            }
            write!(self.out, "{{{}}}", fields.join(","))?;
            if self.lines {
                self.out.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<File> {
        if !self.lines {
            self.out.write_all(if self.rows > 0 { b"\n]\n" } else { b"]\n" })?;
        }
        self.out.into_inner().map_err(|error| DataFusionError::IoError(error.into_error()))
    }
}
