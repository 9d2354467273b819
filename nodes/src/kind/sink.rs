//! Where rows go.

use std::fmt::Debug;
use std::fs::File;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use serde::{Deserialize, Serialize};

use super::IN;
use crate::param::FilePath;

/// Writes rows into a file that the engine opened in staging.
pub trait Writing: Send {
    /// Adds rows. The batches have the schema given to [`FileFormat::open`].
    fn write(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError>;

    /// Goes on with another part of the file, such as a sheet, whose rows have this schema.
    fn next(&mut self, part: &str, schema: SchemaRef) -> Result<(), DataFusionError> {
        let _ = schema;
        Err(DataFusionError::Internal(format!("a format without parts was asked for \"{part}\"")))
    }

    /// Completes the file and hands it back, so that the engine can make it durable.
    fn finish(self: Box<Self>) -> Result<File, DataFusionError>;
}

/// A format that a load step writes.
pub trait FileFormat: Debug + Send + Sync {
    /// Starts a file. `schema` has only visible columns.
    fn open(&self, file: File, schema: SchemaRef) -> Result<Box<dyn Writing>, DataFusionError>;
}

/// How rows enter a ledger table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerMode {
    /// They are added.
    Append,
    /// They replace everything in the table.
    Replace,
    /// They replace the rows whose value in this column is among the values loaded.
    ReplacePeriod {
        /// The period's column.
        column: String,
    },
    /// They replace the rows with the same key, and add the others.
    Upsert {
        /// The key's columns.
        keys: Vec<String>,
    },
    /// A row that changed ends the one before it and begins a new one: a slowly changing dimension of type 2.
    History {
        /// The key's columns.
        keys: Vec<String>,
        /// From when the rows hold, as `2026-09-30`.
        from: String,
        /// Whether keys that are not loaded end too.
        end_missing: bool,
    },
}

/// The column of a history that says from when a row holds.
pub const VALID_FROM: &str = "valid_from";
/// The column of a history that says until when, that day left out; empty for what holds now.
pub const VALID_TO: &str = "valid_to";

/// Where a load step sends its rows. The engine stages them and publishes when every blocking control holds.
#[derive(Debug, Clone)]
pub enum Sink {
    /// A file, replaced as a whole.
    File {
        /// The input port it takes.
        port: &'static str,
        /// The path as the workflow names it.
        path: String,
        /// How it is written.
        format: Arc<dyn FileFormat>,
        /// The part of the file the rows are, such as a sheet, where a step writes several; the first part opens it.
        part: Option<String>,
    },
    /// A ledger table.
    Ledger {
        /// The input port it takes.
        port: &'static str,
        /// The table's name.
        table: String,
        /// How rows enter it.
        mode: LedgerMode,
        /// Whether it takes rows from approved versions only.
        governed: bool,
    },
    /// A Delta table outside the ledger.
    Lake {
        /// The input port it takes.
        port: &'static str,
        /// The table's folder as the workflow names it.
        path: String,
        /// How rows enter it.
        mode: LedgerMode,
    },
    /// A table of a database.
    Database {
        /// The input port it takes.
        port: &'static str,
        /// The connection as the workflow names it.
        connection: String,
        /// The table's name.
        table: String,
        /// How rows enter it.
        mode: crate::database::Mode,
    },
    /// A web service.
    Http {
        /// The input port it takes.
        port: &'static str,
        /// The service as the workflow names it.
        connection: String,
        /// Where the rows go, after the service's address.
        resource: String,
        /// How many rows one request brings.
        batch: u32,
        /// How they are written: an object on each line.
        format: Arc<dyn FileFormat>,
    },
}

impl Sink {
    /// The rows that arrive by the usual port, as a file.
    pub fn file(path: &FilePath, format: Arc<dyn FileFormat>) -> Self {
        Self::File { port: IN.name, path: path.0.clone(), format, part: None }
    }

    /// Whether it goes on with a file that another sink of its step opened.
    pub fn is_part(&self) -> bool {
        matches!(self, Self::File { port, part: Some(_), .. } if *port != IN.name)
    }

    /// The input port it takes.
    pub fn port(&self) -> &'static str {
        match self {
            Self::File { port, .. }
            | Self::Ledger { port, .. }
            | Self::Lake { port, .. }
            | Self::Database { port, .. }
            | Self::Http { port, .. } => port,
        }
    }
}
