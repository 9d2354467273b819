//! `input.parquet`: columnar files, row group by row group.

use std::fmt;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::{DataFusionError, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::example::{Example, parse_table};
use crate::kind::{Category, FileFormat, Identity, NodeKind, Planned, Planning, Ports, Words};
use crate::param::FilePath;
use crate::problem::Problem;
use crate::source::{Batches, Chunks, Source, scan};
use crate::table::hidden;

/// Reads a Parquet file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ParquetInput {
    /// The file.
    pub path: FilePath,
}

impl NodeKind for ParquetInput {
    fn identity() -> Identity {
        Identity {
            id: "input.parquet",
            version: 1,
            category: Category::Input,
            icon: "view_column",
            title: Words { en: "Parquet file", fr: "Fichier Parquet" },
            summary: Words {
                en: "Reads a Parquet file; its types are the file's own.",
                fr: "Lit un fichier Parquet ; les types sont ceux du fichier.",
            },
            synonyms: &["columnar", "input data", "parquet reader", "import"],
            order: Words { en: "As in the file.", fr: "Celui du fichier." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let path = cx.source_file(&self.path.0, "path")?;
        let metadata = match metadata(&path) {
            Ok(metadata) => metadata,
            Err(why) => {
                let encrypted = std::fs::read(&path).is_ok_and(|bytes| bytes.starts_with(b"PARE") || bytes.ends_with(b"PARE"));
                let problem = if encrypted {
                    Problem::error("The file is encrypted.").help("Ask for a copy that is not.")
                } else {
                    Problem::error(format!("The file is not a Parquet file that can be read: {why}."))
                        .help("Export it again, or choose another file.")
                };
                cx.problem(problem.on("path").in_file(&self.path.0, None));
                return None;
            }
        };
        let mut columns = Vec::new();
        for (place, field) in metadata.schema().fields().iter().enumerate() {
            match carried(field.data_type()) {
                Some(data_type) => columns.push((place, Field::new(field.name(), data_type, true))),
                None => cx.problem(
                    Problem::warning(format!(
                        "Column \"{}\" is of type {}, which has no place in a table; it is left out.",
                        field.name(),
                        field.data_type()
                    ))
                    .on("path")
                    .in_file(&self.path.0, None),
                ),
            }
            if matches!(field.data_type(), DataType::Float16 | DataType::Float32 | DataType::Float64) {
                cx.problem(
                    Problem::info(format!("Column \"{}\" is a float; use DECIMAL before reconciling it.", field.name()))
                        .in_file(&self.path.0, None),
                );
            }
        }
        let node = cx.node().to_owned();
        let source = ParquetSource { path, shown: self.path.0.clone(), metadata, columns };
        let table = cx.planned(scan(&node, Arc::new(source), format!("{} row", self.path.0)))?;
        Some(Planned::table(table))
    }

    fn examples() -> Vec<Example> {
        let rows = "id:integer,name,amount:decimal(2),day:date\n1,Zoë,10.50,2026-09-30\n2,,,\n";
        vec![
            Example::new("Decimals and dates stay what they are.", json!({ "path": "a.parquet" }))
                .file("a.parquet", sample(rows))
                .output("out", rows.trim_end()),
            Example::new("One row.", json!({ "path": "a.parquet" }))
                .file("a.parquet", sample("id:integer\n1\n"))
                .output("out", "id:integer\n1"),
            Example::new("A file without rows.", json!({ "path": "a.parquet" }))
                .file("a.parquet", sample("id:integer,b:boolean\n"))
                .output("out", "id:integer,b:boolean"),
            Example::new("A text in place of a Parquet file is refused.", json!({ "path": "a.parquet" }))
                .file("a.parquet", "a,b\n1,2")
                .refused("not a Parquet file"),
        ]
    }
}

/// A small file for the examples.
fn sample(rows: &str) -> Vec<u8> {
    let written = || -> Option<Vec<u8>> {
        let batch = parse_table(rows).ok()?;
        let mut file = tempfile_like()?;
        let format = crate::load::parquet::Format::default();
        let mut writing = format.open(file.try_clone().ok()?, batch.schema()).ok()?;
        writing.write(&batch).ok()?;
        writing.finish().ok()?;
        let mut bytes = Vec::new();
        std::io::Seek::rewind(&mut file).ok()?;
        std::io::Read::read_to_end(&mut file, &mut bytes).ok()?;
        Some(bytes)
    };
    written().unwrap_or_default()
}

fn tempfile_like() -> Option<File> {
    tempfile::tempfile().ok()
}

/// The type in which a column enters a workflow; `None` for types that have no place there.
pub(super) fn carried(data_type: &DataType) -> Option<DataType> {
    use DataType::{
        Boolean, Date32, Date64, Decimal32, Decimal64, Decimal128, Dictionary, Float16, Float32, Float64, Int8, Int16, Int32, Int64,
        LargeUtf8, Timestamp, UInt8, UInt16, UInt32, UInt64, Utf8, Utf8View,
    };
    Some(match data_type {
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 => Int64,
        UInt64 => Decimal128(20, 0),
        Float16 | Float32 | Float64 => Float64,
        Utf8 | LargeUtf8 | Utf8View => Utf8View,
        Dictionary(_, values) => return carried(values),
        Boolean => Boolean,
        Date32 | Date64 => Date32,
        Timestamp(_, _) => Timestamp(TimeUnit::Microsecond, None),
        Decimal32(precision, scale) | Decimal64(precision, scale) | Decimal128(precision, scale) if *scale >= 0 && *scale <= 18 => {
            Decimal128(*precision, *scale)
        }
        _ => return None,
    })
}

/// What the file says of itself. Some broken files make the reader panic: that is an error like any other.
fn metadata(path: &Path) -> std::result::Result<ArrowReaderMetadata, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = catch_unwind(AssertUnwindSafe(|| {
        let options = ArrowReaderOptions::new();
        let metadata = ArrowReaderMetadata::load(&file, options.clone())?;
        // Text is read as views at once, without a copy.
        let fields: Vec<Field> = metadata
            .schema()
            .fields()
            .iter()
            .map(|field| match field.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 => field.as_ref().clone().with_data_type(DataType::Utf8View),
                _ => field.as_ref().clone(),
            })
            .collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, metadata.schema().metadata().clone()));
        ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options.with_schema(schema)).or(Ok(metadata))
    }));
    match read {
        Ok(Ok(metadata)) => Ok(metadata),
        Ok(Err(error)) => {
            let error: parquet::errors::ParquetError = error;
            Err(error.to_string())
        }
        Err(_) => Err("its metadata are damaged".into()),
    }
}

struct ParquetSource {
    path: PathBuf,
    shown: String,
    metadata: ArrowReaderMetadata,
    /// The columns carried, with their places in the file.
    columns: Vec<(usize, Field)>,
}

impl fmt::Debug for ParquetSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetSource").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Source for ParquetSource {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(self.columns.iter().map(|(_, field)| field.clone()).collect::<Vec<_>>()))
    }

    fn rows_estimate(&self) -> Option<usize> {
        usize::try_from(self.metadata.metadata().file_metadata().num_rows()).ok()
    }

    fn open(&self, columns: &[usize], identity: bool, batch_rows: usize) -> Result<Arc<dyn Chunks>> {
        let mut fields: Vec<Field> = columns.iter().map(|i| self.columns[*i].1.clone()).collect();
        if identity {
            fields.push(Field::new(hidden("row"), DataType::Int64, false));
        }
        let mut first = 1;
        let groups = self
            .metadata
            .metadata()
            .row_groups()
            .iter()
            .map(|group| {
                let start = first;
                first += group.num_rows();
                start
            })
            .collect();
        Ok(Arc::new(ParquetChunks {
            shown: self.shown.clone(),
            path: self.path.clone(),
            metadata: self.metadata.clone(),
            places: columns.iter().map(|i| self.columns[*i].0).collect(),
            identity,
            schema: Arc::new(Schema::new(fields)),
            batch_rows: batch_rows.max(1),
            groups,
            next: Mutex::new(0),
        }))
    }
}

struct ParquetChunks {
    shown: String,
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    places: Vec<usize>,
    identity: bool,
    schema: SchemaRef,
    batch_rows: usize,
    /// The number of the first row of each row group.
    groups: Vec<i64>,
    next: Mutex<usize>,
}

impl Chunks for ParquetChunks {
    fn next(&self) -> Result<Option<Batches>> {
        let group = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            *next += 1;
            *next - 1
        };
        let Some(first) = self.groups.get(group).copied() else { return Ok(None) };
        let broken = {
            let shown = self.shown.clone();
            move |why: String| {
                let problem = Problem::error(format!("The file is damaged: {why}.")).in_file(&shown, None);
                DataFusionError::External(Box::new(problem.help("Export it again, or choose another file.")))
            }
        };
        let file = File::open(&self.path)?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), self.places.iter().copied());
        let mut reader = builder
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(self.batch_rows)
            .build()
            .map_err(|error| broken(error.to_string()))?;
        // The reader gives columns in the order of the file.
        let mut in_file = self.places.clone();
        in_file.sort_unstable();
        let order: Vec<usize> = self.places.iter().filter_map(|place| in_file.iter().position(|known| known == place)).collect();
        let (schema, identity) = (Arc::clone(&self.schema), self.identity);
        let mut row = first;
        Ok(Some(Box::new(std::iter::from_fn(move || {
            let read = match catch_unwind(AssertUnwindSafe(|| reader.next())) {
                Ok(None) => return None,
                Ok(Some(read)) => read.map_err(|error| broken(error.to_string())),
                Err(_) => Err(broken("a page cannot be decoded".into())),
            };
            Some(read.and_then(|batch| {
                let rows = batch.num_rows();
                let mut arrays = order
                    .iter()
                    .zip(schema.fields())
                    .map(|(place, field)| exactly(batch.column(*place), field.data_type()))
                    .collect::<Result<Vec<ArrayRef>, _>>()
                    .map_err(|error| broken(error.to_string()))?;
                if identity {
                    arrays.push(Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|i| row + i))));
                }
                row += rows as i64;
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                Ok(RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?)
            }))
        }))))
    }
}

pub(super) fn exactly(array: &ArrayRef, data_type: &DataType) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
    if array.data_type() == data_type {
        return Ok(Arc::clone(array));
    }
    let options = arrow::compute::CastOptions { safe: false, ..Default::default() };
    arrow::compute::cast_with_options(array, data_type, &options)
}
