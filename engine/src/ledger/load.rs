//! One load, one commit.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::row::{OwnedRow, RowConverter, SortField};
use arrow::util::display::array_value_to_string;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::{Expr, cast, lit};
use datafusion::prelude::{DataFrame, ParquetReadOptions};
use datafusion::scalar::ScalarValue;
use deltalake::kernel::Transaction;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::operations::write::SchemaMode;
use deltalake::protocol::SaveMode;
use weir_nodes::kind::LedgerMode;
use weir_nodes::types::type_name;

use super::{Ledger, LedgerError, Load, column, durable, history};

impl Ledger {
    /// Whether a load can be done: its columns fit the table and its keys are whole. Changes nothing.
    pub async fn verify(&self, load: &Load) -> Result<(), LedgerError> {
        let name = load.table.as_str();
        let read = |error: datafusion::common::DataFusionError| LedgerError::read(name, &error);
        let options = ParquetReadOptions::default().file_extension("");
        let rows = Self::session().read_parquet(load.rows.to_string_lossy().as_ref(), options).await.map_err(read)?;
        let rows = match self.columns(name).await? {
            Some(there) => fitted(rows, name, &there)?,
            None => rows,
        };
        if let LedgerMode::Upsert { keys } | LedgerMode::History { keys, .. } = &load.mode {
            let fresh = rows.clone().collect().await.map_err(read)?;
            unique_keys(name, &fresh, keys)?;
            if let LedgerMode::History { keys, from, end_missing } = &load.mode
                && self.exists(name).await?
            {
                let old = [self.read(name, None).await?];
                let schema = history::schema(rows.schema().as_arrow());
                let rule = history::Rule { keys, from, end_missing: *end_missing };
                if let Some((key, day)) = history::clash(&old, &fresh, &schema, &rule).map_err(read)? {
                    let (table, day, from) = (name.to_owned(), day.to_string(), from.clone());
                    return Err(LedgerError::Past { table, key, day, from });
                }
            }
        }
        Ok(())
    }

    /// Loads rows in one commit. A run that has loaded the table before has nothing to do.
    pub async fn load(&self, load: &Load) -> Result<(), LedgerError> {
        let name = load.table.as_str();
        self.named(name)?;
        if let Some(folder) = self.place.folder(name) {
            std::fs::create_dir_all(folder).map_err(|error| LedgerError::io(name, &error))?;
        }
        let delta = |error| LedgerError::delta(name, error);
        let read = |error: datafusion::common::DataFusionError| LedgerError::read(name, &error);
        let known = self.exists(name).await?;
        let table = if known { self.table(name).await? } else { self.builder(name)?.build().map_err(delta)? };
        if known {
            let state = table.snapshot().map_err(delta)?;
            let loaded = state.transaction_version(table.log_store().as_ref(), &load.run).await.map_err(delta)?;
            if loaded.is_some() {
                return Ok(());
            }
        }
        let session = Self::session();
        let options = ParquetReadOptions::default().file_extension("");
        let rows = session.read_parquet(load.rows.to_string_lossy().as_ref(), options).await.map_err(read)?;
        let there = if known { Some(table.table_provider().await.map_err(|error| delta(error.into()))?) } else { None };
        let rows = match &there {
            Some(there) => fitted(rows, name, &there.schema())?,
            None => rows,
        };
        let commit = CommitProperties::default()
            .with_application_transaction(Transaction::new(&load.run, 1))
            .with_create_checkpoint(false)
            .with_metadata([(super::care::MODE.to_owned(), mode_word(&load.mode).into())]);
        let (save_mode, replaced, plan) = match (&load.mode, there) {
            (LedgerMode::ReplacePeriod { column: period }, Some(_)) => {
                let periods = rows.clone().select(vec![column(period)]).and_then(DataFrame::distinct).map_err(read)?;
                match replaced(periods, period).await.map_err(read)? {
                    Some(predicate) => (SaveMode::Overwrite, Some(predicate), rows),
                    None => (SaveMode::Append, None, rows),
                }
            }
            (LedgerMode::Upsert { keys }, there) => {
                let fresh = rows.clone().collect().await.map_err(read)?;
                let keys_of_load = unique_keys(name, &fresh, keys)?;
                match there {
                    None => (SaveMode::Append, None, rows),
                    Some(there) => {
                        let old = session.read_table(there).map_err(read)?.collect().await.map_err(read)?;
                        let schema = Arc::new(rows.schema().as_arrow().clone());
                        let kept = others(&old, keys, &keys_of_load, &schema).map_err(read)?;
                        let all: Vec<RecordBatch> = kept.into_iter().chain(fresh).collect();
                        let table = MemTable::try_new(schema, vec![all]).map_err(read)?;
                        (SaveMode::Overwrite, None, session.read_table(Arc::new(table)).map_err(read)?)
                    }
                }
            }
            (LedgerMode::History { keys, from, end_missing }, there) => {
                let fresh = rows.clone().collect().await.map_err(read)?;
                unique_keys(name, &fresh, keys)?;
                let old = match there {
                    None => vec![],
                    Some(there) => session.read_table(there).map_err(read)?.collect().await.map_err(read)?,
                };
                let schema = history::schema(rows.schema().as_arrow());
                let all = history::merged(&old, &fresh, &schema, &history::Rule { keys, from, end_missing: *end_missing }).map_err(read)?;
                let table = MemTable::try_new(schema, vec![vec![all]]).map_err(read)?;
                (SaveMode::Overwrite, None, session.read_table(Arc::new(table)).map_err(read)?)
            }
            (LedgerMode::Replace, Some(_)) => (SaveMode::Overwrite, None, rows),
            _ => (SaveMode::Append, None, rows),
        };
        let (state, plan) = plan.into_parts();
        let mut write = table
            .write(vec![])
            .with_input_plan(plan)
            .with_session_state(Arc::new(state))
            .with_save_mode(save_mode)
            .with_schema_mode(SchemaMode::Merge)
            .with_commit_properties(commit);
        if let Some(predicate) = replaced {
            write = write.with_replace_where(predicate);
        }
        let table = write.await.map_err(delta)?;
        let version = table.version().unwrap_or_default();
        match self.place.folder(name) {
            Some(folder) => durable::sync_commit(&folder, version).map_err(|error| LedgerError::io(name, &error)),
            // What such storage has acknowledged is durable.
            None => Ok(()),
        }
    }
}

/// How a commit names the mode of its load.
fn mode_word(mode: &LedgerMode) -> &'static str {
    match mode {
        LedgerMode::Append => "append",
        LedgerMode::Replace => "replace",
        LedgerMode::ReplacePeriod { .. } => "replace_period",
        LedgerMode::Upsert { .. } => "upsert",
        LedgerMode::History { .. } => "history",
    }
}

/// The rows with the table's columns in their types and order, empty where a load lacks one; new columns come last.
fn fitted(rows: DataFrame, table: &str, there: &Schema) -> Result<DataFrame, LedgerError> {
    let here = rows.schema().as_arrow().clone();
    let mut columns: Vec<Expr> = Vec::new();
    for field in there.fields() {
        let name = field.name();
        let wanted = match field.data_type() {
            DataType::Utf8View | DataType::LargeUtf8 => &DataType::Utf8,
            other => other,
        };
        let expr = match here.field_with_name(name) {
            Err(_) => {
                let empty = ScalarValue::try_from(wanted).map_err(|error| LedgerError::read(table, &error))?;
                lit(empty)
            }
            Ok(found) if found.data_type() == wanted => column(name),
            Ok(found) if widens(found.data_type(), wanted) => cast(column(name), wanted.clone()),
            Ok(found) => {
                return Err(LedgerError::Type {
                    table: table.to_owned(),
                    column: name.clone(),
                    there: type_name(wanted),
                    here: type_name(found.data_type()),
                });
            }
        };
        columns.push(expr.alias(name));
    }
    for field in here.fields().iter().filter(|field| there.field_with_name(field.name()).is_err()) {
        columns.push(column(field.name()));
    }
    rows.select(columns).map_err(|error| LedgerError::read(table, &error))
}

/// Whether values of one type fit the other exactly; a value with too many digits fails the load.
fn widens(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Decimal128(_, from), DataType::Decimal128(_, to)) => from <= to,
        (DataType::Int64, DataType::Decimal128(_, _)) => true,
        (DataType::Timestamp(_, _), DataType::Timestamp(_, _)) => true,
        _ => false,
    }
}

/// The condition of the rows whose period is among those loaded; `None` when nothing is loaded.
async fn replaced(periods: DataFrame, period: &str) -> datafusion::common::Result<Option<Expr>> {
    let mut values = Vec::new();
    let mut empty = false;
    for batch in periods.collect().await? {
        let array = batch.column(0);
        for row in 0..array.len() {
            if array.is_null(row) {
                empty = true;
            } else {
                values.push(lit(ScalarValue::try_from_array(array, row)?));
            }
        }
    }
    let listed = (!values.is_empty()).then(|| column(period).in_list(values, false));
    let nothing = empty.then(|| column(period).is_null());
    Ok(match (listed, nothing) {
        (Some(listed), Some(nothing)) => Some(listed.or(nothing)),
        (listed, nothing) => listed.or(nothing),
    })
}

fn key_columns(batch: &RecordBatch, keys: &[String]) -> Vec<ArrayRef> {
    keys.iter().filter_map(|key| batch.column_by_name(key).cloned()).collect()
}

fn converter(columns: &[ArrayRef]) -> datafusion::common::Result<RowConverter> {
    Ok(RowConverter::new(columns.iter().map(|column| SortField::new(column.data_type().clone())).collect())?)
}

/// The keys of a load; each must be whole and its own.
fn unique_keys(table: &str, batches: &[RecordBatch], keys: &[String]) -> Result<HashSet<OwnedRow>, LedgerError> {
    let mut seen = HashSet::new();
    let mut rows: Option<RowConverter> = None;
    for batch in batches {
        let columns = key_columns(batch, keys);
        if columns.iter().any(|column| column.null_count() > 0) {
            return Err(LedgerError::EmptyKey { table: table.to_owned() });
        }
        let read = |error: datafusion::common::DataFusionError| LedgerError::read(table, &error);
        let converter = match &mut rows {
            Some(known) => known,
            None => rows.insert(converter(&columns).map_err(read)?),
        };
        let converted = converter.convert_columns(&columns).map_err(|error| read(error.into()))?;
        for (row, key) in converted.iter().enumerate() {
            if !seen.insert(key.owned()) {
                let key: Vec<String> = columns.iter().map(|column| array_value_to_string(column, row).unwrap_or_default()).collect();
                return Err(LedgerError::DoubleKey { table: table.to_owned(), key: key.join(", ") });
            }
        }
    }
    Ok(seen)
}

/// The rows of the table whose key is not loaded, with the columns of a schema.
fn others(
    batches: &[RecordBatch],
    keys: &[String],
    loaded: &HashSet<OwnedRow>,
    schema: &Arc<Schema>,
) -> datafusion::common::Result<Vec<RecordBatch>> {
    let mut rows: Option<RowConverter> = None;
    let mut kept = Vec::new();
    for batch in batches {
        let columns = schema
            .fields()
            .iter()
            .map(|field| match batch.column_by_name(field.name()) {
                Some(column) => arrow::compute::cast(column, field.data_type()),
                None => Ok(arrow::array::new_null_array(field.data_type(), batch.num_rows())),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let batch = RecordBatch::try_new(Arc::clone(schema), columns)?;
        let columns = key_columns(&batch, keys);
        let converter = match &mut rows {
            Some(known) => known,
            None => rows.insert(converter(&columns)?),
        };
        let converted = converter.convert_columns(&columns)?;
        let stays = converted.iter().map(|key| Some(!loaded.contains(&key.owned()))).collect();
        kept.push(arrow::compute::filter_record_batch(&batch, &stays)?);
    }
    Ok(kept)
}
