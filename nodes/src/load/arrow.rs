//! `load.arrow`: an Arrow IPC file (Feather 2).

use std::fs::File;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::FileWriter;
use datafusion::common::Result;

use crate::kind::{FileFormat, Sink, Writing};
use crate::param::FilePath;
use crate::prelude::*;

/// Writes the rows into an Arrow file, with their types.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ArrowLoad {
    /// The file; replaced as a whole when the run is published.
    pub path: FilePath,
}

impl NodeKind for ArrowLoad {
    fn identity() -> Identity {
        Identity {
            id: "load.arrow",
            version: 1,
            category: Category::Load,
            icon: "view_week",
            title: Words { en: "Arrow output", fr: "Sortie Arrow" },
            summary: Words {
                en: "Writes the rows into an Arrow file that appears only when every control holds.",
                fr: "Écrit les lignes dans un fichier Arrow qui n'apparaît que si tous les contrôles tiennent.",
            },
            synonyms: &["feather", "ipc", "output data", "export"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::sink()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        cx.input("in")?;
        if self.path.0.is_empty() {
            cx.problem(Problem::error("The file has no name.").on("path").help("Name it, for example out/result.arrow."));
            return None;
        }
        Some(Planned::sink(Sink::file(&self.path, Arc::new(Format))))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Decimals stay exact.", json!({ "path": "out.arrow" })).input("in", "k,n:decimal(2)\na,1.50"),
            Example::new("One row.", json!({ "path": "out.feather" })).input("in", "k\na"),
            Example::new("A table without rows.", json!({ "path": "out.arrow" })).input("in", "a:date"),
            Example::new("A file has a name.", json!({ "path": "" })).input("in", "a\nx").refused("The file has no name"),
        ]
    }
}

#[derive(Debug)]
struct Format;

impl FileFormat for Format {
    fn open(&self, file: File, schema: SchemaRef) -> Result<Box<dyn Writing>> {
        Ok(Box::new(ArrowWriting(FileWriter::try_new(file, &schema)?)))
    }
}

struct ArrowWriting(FileWriter<File>);

impl Writing for ArrowWriting {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.0.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<File> {
        self.0.finish()?;
        Ok(self.0.into_inner()?)
    }
}
