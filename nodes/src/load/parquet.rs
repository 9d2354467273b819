//! `load.parquet`: a columnar file that other tools read with its types.

use std::fs::File;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::file::properties::WriterProperties;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::example::Example;
use crate::kind::{Category, FileFormat, Identity, NodeKind, Planned, Planning, Ports, Sink, Words, Writing};
use crate::param::FilePath;
use crate::problem::Problem;

/// Writes the rows into a Parquet file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ParquetLoad {
    /// The file; replaced as a whole when the run is published.
    pub path: FilePath,
    /// How it is compressed.
    #[serde(default)]
    pub compression: Compression,
}

/// How a file is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Small, and read by every recent tool.
    #[default]
    Zstd,
    /// Larger, and read by every tool.
    Snappy,
    /// Not at all.
    None,
}

impl NodeKind for ParquetLoad {
    fn identity() -> Identity {
        Identity {
            id: "load.parquet",
            version: 1,
            category: Category::Load,
            icon: "view_column",
            title: Words { en: "Parquet output", fr: "Sortie Parquet" },
            summary: Words {
                en: "Writes the rows into a Parquet file that appears only when every control holds.",
                fr: "Écrit les lignes dans un fichier Parquet qui n'apparaît que si tous les contrôles sont tenus.",
            },
            synonyms: &["output data", "export", "columnar", "parquet writer"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::sink()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        if self.path.0.is_empty() {
            cx.problem(Problem::error("The file has no name.").on("path").help("Name it, for example out/result.parquet."));
            return None;
        }
        let format = Format { compression: self.compression };
        Some(Planned::sink(Sink::file(&self.path, Arc::new(format))))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A file for Power BI, Spark or DuckDB.", json!({ "path": "out.parquet", "compression": "snappy" }))
                .input("in", "id:integer,amount:decimal(2)\n1,10.50"),
            Example::new("Texts, dates and empty values.", json!({ "path": "out.parquet" })).input("in", "a,d:date\nx,2026-09-30\n,"),
            Example::new("A table without rows.", json!({ "path": "out.parquet" })).input("in", "a"),
            Example::new("A path must be given.", json!({ "path": "" })).input("in", "a\nx").refused("path"),
        ]
    }
}

#[derive(Debug, Default)]
pub(crate) struct Format {
    compression: Compression,
}

impl FileFormat for Format {
    fn open(&self, file: File, schema: SchemaRef) -> Result<Box<dyn Writing>> {
        let fields = schema.fields().iter().map(|field| match field.data_type() {
            DataType::Utf8View => Field::new(field.name(), DataType::Utf8, true),
            other => Field::new(field.name(), other.clone(), true),
        });
        let plain = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let codec = match self.compression {
            Compression::Zstd => Codec::ZSTD(ZstdLevel::default()),
            Compression::Snappy => Codec::SNAPPY,
            Compression::None => Codec::UNCOMPRESSED,
        };
        let properties = WriterProperties::builder().set_created_by("weir".to_owned()).set_compression(codec).build();
        Ok(Box::new(ParquetWriting { writer: ArrowWriter::try_new(file, Arc::clone(&plain), Some(properties))?, schema: plain }))
    }
}

struct ParquetWriting {
    writer: ArrowWriter<File>,
    schema: SchemaRef,
}

impl Writing for ParquetWriting {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let arrays = batch
            .columns()
            .iter()
            .zip(self.schema.fields())
            .map(|(array, field)| arrow::compute::cast(array, field.data_type()))
            .collect::<Result<Vec<_>, _>>()?;
        self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), arrays)?)?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<File> {
        Ok(self.writer.into_inner()?)
    }
}
