//! `input.arrow`: Arrow IPC files (Feather 2) and streams, batch by batch.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::ipc::reader::{FileReader, StreamReader};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};

use super::parquet::{carried, exactly};
use crate::param::FilePath;
use crate::prelude::*;
use crate::source::{Batches, Chunks, Source, scan};

/// Reads an Arrow file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ArrowInput {
    /// The file.
    pub path: FilePath,
}

impl NodeKind for ArrowInput {
    fn identity() -> Identity {
        Identity {
            id: "input.arrow",
            version: 1,
            category: Category::Input,
            icon: "view_week",
            title: Words { en: "Arrow file", fr: "Fichier Arrow" },
            summary: Words {
                en: "Reads an Arrow or Feather file; its types are the file's own.",
                fr: "Lit un fichier Arrow ou Feather ; les types sont ceux du fichier.",
            },
            synonyms: &["feather", "ipc", "input data", "import"],
            order: Words { en: "As in the file.", fr: "Celui du fichier." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let path = cx.source_file(&self.path.0, "path")?;
        let schema = match batches(&path) {
            Ok((schema, _)) => schema,
            Err(error) => {
                let what = format!("The file is not an Arrow file that can be read: {error}.");
                cx.problem(
                    Problem::error(what)
                        .on("path")
                        .in_file(&self.path.0, None)
                        .help("Export it again, uncompressed, or choose another file."),
                );
                return None;
            }
        };
        let mut columns = Vec::new();
        for (place, field) in schema.fields().iter().enumerate() {
            match carried(field.data_type()) {
                Some(data_type) => columns.push((place, Field::new(field.name(), data_type, true))),
                None => {
                    let what = format!(
                        "Column \"{}\" is of type {}, which has no place in a table; it is left out.",
                        field.name(),
                        field.data_type()
                    );
                    cx.problem(Problem::warning(what).on("path").in_file(&self.path.0, None));
                }
            }
        }
        let node = cx.node().to_owned();
        let source = ArrowSource { path, columns };
        Some(Planned::table(cx.planned(scan(&node, Arc::new(source), format!("{} row", self.path.0)))?))
    }

    fn examples() -> Vec<Example> {
        let rows = "id:integer,name,amount:decimal(2),day:date\n1,Zoë,10.50,2026-09-30\n2,,,";
        vec![
            Example::new("Decimals and dates stay what they are.", json!({ "path": "a.arrow" }))
                .file("a.arrow", sample(rows))
                .output("out", rows),
            Example::new("One row.", json!({ "path": "a.arrow" })).file("a.arrow", sample("a\nx")).output("out", "a\nx"),
            Example::new("A file without rows.", json!({ "path": "a.arrow" }))
                .file("a.arrow", sample("a:integer,b"))
                .output("out", "a:integer,b"),
            Example::new("A text is not an Arrow file.", json!({ "path": "a.arrow" }))
                .file("a.arrow", "a,b\n1,2")
                .refused("not an Arrow file"),
        ]
    }
}

/// A small file for the examples.
fn sample(rows: &str) -> Vec<u8> {
    let written = || -> Option<Vec<u8>> {
        let batch = crate::example::parse_table(rows).ok()?;
        let mut writer = arrow::ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).ok()?;
        writer.write(&batch).ok()?;
        writer.into_inner().ok()
    };
    written().unwrap_or_default()
}

/// The batches of a file or a stream, and their schema.
type Read = Box<dyn Iterator<Item = std::result::Result<RecordBatch, arrow::error::ArrowError>> + Send>;

fn batches(path: &PathBuf) -> Result<(SchemaRef, Read)> {
    let open = || File::open(path).map(BufReader::new);
    match FileReader::try_new(open()?, None) {
        Ok(reader) => Ok((reader.schema(), Box::new(reader))),
        Err(first) => match StreamReader::try_new(open()?, None) {
            Ok(reader) => Ok((reader.schema(), Box::new(reader))),
            Err(_) => Err(first.into()),
        },
    }
}

#[derive(Debug)]
struct ArrowSource {
    path: PathBuf,
    /// The columns carried, with their places in the file.
    columns: Vec<(usize, Field)>,
}

impl Source for ArrowSource {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.columns.iter().map(|(_, field)| field.clone()).collect::<Vec<_>>()))
    }

    fn open(&self, columns: &[usize], identity: bool, batch_rows: usize) -> Result<Arc<dyn Chunks>> {
        let mut fields: Vec<Field> = columns.iter().map(|i| self.columns[*i].1.clone()).collect();
        if identity {
            fields.push(Field::new(hidden("row"), DataType::Int64, false));
        }
        let (_, read) = batches(&self.path)?;
        Ok(Arc::new(ArrowChunks {
            read: Mutex::new((read, 1)),
            places: columns.iter().map(|i| self.columns[*i].0).collect(),
            identity,
            schema: Arc::new(Schema::new(fields)),
            batch_rows: batch_rows.max(1),
        }))
    }
}

struct ArrowChunks {
    /// What is still to be read, and the number of its first row.
    read: Mutex<(Read, i64)>,
    places: Vec<usize>,
    identity: bool,
    schema: SchemaRef,
    batch_rows: usize,
}

impl Chunks for ArrowChunks {
    fn next(&self) -> Result<Option<Batches>> {
        let (batch, first) = {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(batch) = read.0.next() else { return Ok(None) };
            let batch = batch.map_err(|error| exec_datafusion_err!("The file is damaged: {error}"))?;
            let first = read.1;
            read.1 += batch.num_rows() as i64;
            (batch, first)
        };
        let mut arrays = Vec::new();
        for (place, field) in self.places.iter().zip(self.schema.fields()) {
            arrays.push(exactly(batch.column(*place), field.data_type()).map_err(DataFusionError::from)?);
        }
        let rows = batch.num_rows();
        if self.identity {
            arrays.push(Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|i| first + i))));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?;
        let size = self.batch_rows;
        let slices = (0..rows).step_by(size).map(move |start| Ok(batch.slice(start, size.min(rows - start))));
        Ok(Some(Box::new(slices.collect::<Vec<_>>().into_iter())))
    }
}
