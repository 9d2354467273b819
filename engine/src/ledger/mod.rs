//! The Universal Ledger: Delta Lake tables that other tools read as they are.
//!
//! A load is exactly one commit, so a table is old or new and nothing between. It carries the run's id as an
//! application transaction: a load repeated after a crash is recognised and does nothing. Every row carries the run
//! that wrote it, the workflow's version and its place in the load.

mod care;
mod durable;
mod error;
mod history;
mod load;
mod place;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::common::Column;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{SessionConfig, SessionContext};
use deltalake::delta_datafusion::planner::DeltaPlanner;
use deltalake::{DeltaTable, DeltaTableBuilder};
use serde::Serialize;
use weir_nodes::kind::LedgerMode;

pub use care::{REVERSES, Reversed, Snapshot, TableVersion, export, moment, reverse, snapshot, snapshots, take_snapshot};
pub use error::LedgerError;
pub use place::BucketConfig;

use crate::project::{Project, written};
use place::Place;

/// The column that names the run that wrote a row.
pub const RUN: &str = "_run";
/// The column that names the version of the workflow.
pub const VERSION: &str = "_version";
/// The column that gives the row's place in its load, from 1.
pub const ROW: &str = "_row";

/// The ledger of a project.
#[derive(Debug, Clone)]
pub struct Ledger {
    place: Place,
    /// Where copies of commits are kept.
    cache: PathBuf,
    /// Whether its tables are Weir's own, whose names are plain.
    own: bool,
}

/// Rows to load.
#[derive(Debug, Clone)]
pub struct Load {
    /// The table.
    pub table: String,
    /// How rows enter it.
    pub mode: LedgerMode,
    /// The run, which can load a table once.
    pub run: String,
    /// The rows, as a Parquet file of [`stamped`] batches.
    pub rows: PathBuf,
}

/// A moment of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// A version of the table, counted from 0.
    Version(u64),
    /// The newest version that was there at a time.
    Time(DateTime<Utc>),
}

/// What the ledger says of a table.
#[derive(Debug, Clone, Serialize)]
pub struct TableInfo {
    /// Its name.
    pub name: String,
    /// Its newest version.
    pub version: u64,
    /// How many rows it has.
    pub rows: u64,
}

/// The columns of a load in types that Delta has.
pub(crate) fn plain_schema(schema: &Schema) -> SchemaRef {
    let own = schema.fields().iter().map(|field| {
        let data_type = match field.data_type() {
            DataType::Utf8View => DataType::Utf8,
            other => other.clone(),
        };
        Field::new(field.name(), data_type, true)
    });
    Arc::new(Schema::new(own.collect::<Vec<_>>()))
}

/// The columns of a load in the ledger: the rows' own, and where they come from.
pub fn stamped_schema(schema: &Schema) -> SchemaRef {
    let own = plain_schema(schema);
    let stamps = [Field::new(RUN, DataType::Utf8, true), Field::new(VERSION, DataType::Utf8, true), Field::new(ROW, DataType::Int64, true)];
    let own = own.fields().iter().map(|field| field.as_ref().clone());
    Arc::new(Schema::new(own.chain(stamps).collect::<Vec<_>>()))
}

/// Rows in the types of a schema.
pub(crate) fn plain(batch: &RecordBatch, schema: &SchemaRef) -> datafusion::common::Result<RecordBatch> {
    let cast = |(array, field): (&ArrayRef, &Arc<Field>)| arrow::compute::cast(array, field.data_type());
    let arrays = batch.columns().iter().zip(schema.fields()).map(cast).collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
}

/// Rows with their run, version and place; `first` is the place of the first.
pub fn stamped(batch: &RecordBatch, schema: &SchemaRef, run: &str, version: &str, first: u64) -> datafusion::common::Result<RecordBatch> {
    let rows = batch.num_rows();
    let mut arrays: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(array, field)| arrow::compute::cast(array, field.data_type()))
        .collect::<Result<_, _>>()?;
    arrays.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(run, rows))));
    arrays.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(version, rows))));
    arrays.push(Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|row| first as i64 + row))));
    Ok(RecordBatch::try_new(Arc::clone(schema), arrays)?)
}

/// A column by its exact name.
fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

impl Ledger {
    /// The ledger in a folder. Nothing is read or made yet.
    pub fn open(folder: &Path) -> Self {
        Self { place: Place::Folder(folder.to_owned()), cache: folder.join("_cache"), own: true }
    }

    /// The ledger of a project: in its folder, or in the bucket that `weir.toml` names.
    pub fn of(project: &Project) -> Result<Self, LedgerError> {
        let Some(bucket) = &project.config().ledger else { return Ok(Self::open(&project.ledger_folder())) };
        let place = Place::bucket(bucket).map_err(|reason| LedgerError::Place { reason })?;
        Ok(Self { place, cache: project.state().join("cache").join("ledger"), own: true })
    }

    /// Delta tables of others in a folder, to be read.
    pub fn elsewhere(folder: &Path) -> Self {
        Self { place: Place::Folder(folder.to_owned()), cache: folder.join("_cache"), own: false }
    }

    /// Refuses what cannot be the name of a table.
    fn named(&self, table: &str) -> Result<(), LedgerError> {
        let plain = table.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if table.is_empty() || self.own && !plain {
            return Err(LedgerError::Name { table: table.to_owned() });
        }
        Ok(())
    }

    async fn exists(&self, table: &str) -> Result<bool, LedgerError> {
        self.named(table)?;
        self.place.exists(table).await.map_err(|reason| LedgerError::Store { table: table.to_owned(), reason })
    }

    /// A table that may not be there yet.
    fn builder(&self, table: &str) -> Result<DeltaTableBuilder, LedgerError> {
        let url = self.place.url(table).ok_or_else(|| LedgerError::Name { table: table.to_owned() })?;
        let builder = DeltaTableBuilder::from_url(url).map_err(|error| LedgerError::delta(table, error))?;
        Ok(builder.with_storage_options(self.place.options()))
    }

    async fn table(&self, table: &str) -> Result<DeltaTable, LedgerError> {
        if !self.exists(table).await? {
            return Err(LedgerError::Missing { table: table.to_owned() });
        }
        self.builder(table)?.load().await.map_err(|error| LedgerError::delta(table, error))
    }

    /// A session that keeps the order of what it reads.
    fn session() -> SessionContext {
        let mut config = SessionConfig::new().with_target_partitions(1);
        config.options_mut().execution.parquet.schema_force_view_types = false;
        config.options_mut().sql_parser.enable_ident_normalization = false;
        let state = SessionStateBuilder::new().with_default_features().with_config(config).with_query_planner(DeltaPlanner::new()).build();
        SessionContext::new_with_state(state)
    }

    /// The tables, by name.
    pub async fn tables(&self) -> Result<Vec<TableInfo>, LedgerError> {
        let mut names = Vec::new();
        for name in self.place.names().await.map_err(|reason| LedgerError::Place { reason })? {
            if self.named(&name).is_ok() && self.exists(&name).await? {
                names.push(name);
            }
        }
        let mut tables = Vec::new();
        for name in names {
            let table = self.table(&name).await?;
            let provider = table.table_provider().await.map_err(|error| LedgerError::delta(&name, error.into()))?;
            let rows = async { Self::session().read_table(provider)?.count().await };
            let rows = rows.await.map_err(|error| LedgerError::read(&name, &error))?;
            tables.push(TableInfo { version: table.version().unwrap_or_default(), rows: rows as u64, name });
        }
        Ok(tables)
    }

    /// The columns of a table, if it exists.
    pub async fn columns(&self, table: &str) -> Result<Option<SchemaRef>, LedgerError> {
        if !self.exists(table).await? {
            return Ok(None);
        }
        let table_now = self.table(table).await?;
        let provider = table_now.table_provider().await.map_err(|error| LedgerError::delta(table, error.into()))?;
        Ok(Some(provider.schema()))
    }

    /// A table at a version, and the file of its log that stands for it.
    pub async fn provider(&self, table: &str, as_of: Option<AsOf>) -> Result<(Arc<dyn TableProvider>, PathBuf), LedgerError> {
        let at = self.at(table, as_of).await?;
        let provider = at.table_provider().await.map_err(|error| LedgerError::delta(table, error.into()))?;
        let version = at.version().unwrap_or_default();
        let proof = match self.place.folder(table) {
            Some(folder) => folder.join("_delta_log").join(format!("{version:020}.json")),
            None => {
                let text =
                    self.place.commit(table, version).await.map_err(|reason| LedgerError::Store { table: table.to_owned(), reason })?;
                place::kept(&self.cache, table, version, &text.unwrap_or_default()).map_err(|error| LedgerError::io(table, &error))?
            }
        };
        Ok((provider, proof))
    }

    async fn at(&self, table: &str, as_of: Option<AsOf>) -> Result<DeltaTable, LedgerError> {
        let mut at = self.table(table).await?;
        if let Some(AsOf::Version(version)) = as_of {
            let newest = at.version().unwrap_or_default();
            if version > newest {
                return Err(LedgerError::NoVersion { table: table.to_owned(), version, newest });
            }
            at.load_version(version).await.map_err(|error| LedgerError::delta(table, error))?;
        }
        if let Some(AsOf::Time(time)) = as_of {
            let versions = self.history(table).await?;
            let then = written(time);
            let Some(version) = versions.iter().find(|version| version.time <= then) else {
                return Err(LedgerError::Before {
                    table: table.to_owned(),
                    first: versions.last().map(|first| first.time.clone()).unwrap_or_default(),
                });
            };
            at.load_version(version.version).await.map_err(|error| LedgerError::delta(table, error))?;
        }
        Ok(at)
    }

    /// The rows of a table, now or at a moment, in the order of their loads and of the rows in each.
    pub async fn read(&self, table: &str, as_of: Option<AsOf>) -> Result<RecordBatch, LedgerError> {
        let at = self.at(table, as_of).await?;
        let provider = at.table_provider().await.map_err(|error| LedgerError::delta(table, error.into()))?;
        let schema = provider.schema();
        let rows = async {
            let frame = Self::session().read_table(provider)?.sort([RUN, ROW].map(|name| column(name).sort(true, false)).to_vec())?;
            let batches = frame.collect().await?;
            let schema = batches.first().map_or(schema, RecordBatch::schema);
            Ok(arrow::compute::concat_batches(&schema, &batches)?)
        };
        rows.await.map_err(|error: datafusion::common::DataFusionError| LedgerError::read(table, &error))
    }
}
