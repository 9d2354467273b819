//! Looking back and looking after: what each load did, named states, reversals, old files.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::{cast, filter_record_batch, kernels::numeric::neg};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use weir_nodes::Problem;
use weir_nodes::kind::LedgerMode;

use super::{AsOf, Ledger, LedgerError, Load, ROW, RUN};
use crate::approval::{Act, Person, allow};
use crate::audit::Event;
use crate::history::{History, time_after, trouble};
use crate::project::{Project, written};
use crate::run::certificate::Certificate;

/// The column that names the run that a row compensates.
pub const REVERSES: &str = "_reverses";
/// What a commit says of its load's mode.
pub(super) const MODE: &str = "weirMode";

/// One version of a table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TableVersion {
    /// Its number, from 0.
    pub version: u64,
    /// When, in UTC.
    pub time: String,
    /// What was done, as the table says it: `WRITE`, `VACUUM END`.
    pub operation: String,
    /// How rows entered it.
    pub mode: Option<String>,
    /// The run that did it.
    pub run: Option<String>,
    /// Rows in the files that it added.
    pub rows_added: u64,
    /// Files that it took out of the table.
    pub files_removed: u64,
}

/// A state of the ledger with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// Each table's version.
    pub tables: std::collections::BTreeMap<String, u64>,
    /// Who named it.
    pub by: String,
    /// When, in UTC.
    pub time: String,
    /// Why.
    pub reason: String,
}

/// What reversing a run did to a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reversed {
    /// The table.
    pub table: String,
    /// Rows that the run had brought, now compensated.
    pub compensated: u64,
    /// Rows that the run had replaced, now there again.
    pub restored: u64,
    /// The columns whose sign was turned.
    pub negated: Vec<String>,
}

fn snapshot_ref(name: &str) -> String {
    format!("snapshots/{name}")
}

/// The state of this name.
pub fn snapshot(project: &Project, name: &str) -> Result<Option<Snapshot>, Problem> {
    let history = History::of(project);
    let Some(id) = history.store().read_ref(&snapshot_ref(name)).map_err(|error| trouble(&error))? else { return Ok(None) };
    let bytes = history.object(&id)?;
    let snapshot =
        serde_json::from_slice(&bytes).map_err(|error| Problem::error(format!("The snapshot \"{name}\" cannot be read: {error}.")))?;
    Ok(Some(snapshot))
}

/// All named states, by name.
pub fn snapshots(project: &Project) -> Result<Vec<Snapshot>, Problem> {
    let names = History::of(project).store().refs("snapshots");
    Ok(names.iter().map(|name| snapshot(project, name)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

/// Names the state that the tables have now; of all of them unless some are given. A name is given once.
pub async fn take_snapshot(project: &Project, person: &Person, name: &str, tables: &[String], reason: &str) -> Result<Snapshot, Problem> {
    allow(project, person, Act::Snapshot)?;
    let history = History::of(project);
    let plain = !name.trim().is_empty() && !name.starts_with('.') && name.chars().all(|c| c.is_alphanumeric() || " -_,()".contains(c));
    if !plain || name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(
            Problem::error(format!("\"{name}\" cannot be the name of a snapshot.")).help("Write it like \"September close, approved\".")
        );
    }
    let ledger = Ledger::of(project)?;
    let there = ledger.tables().await?;
    if let Some(unknown) = tables.iter().find(|table| !there.iter().any(|known| known.name == **table)) {
        return Err(Problem::error(LedgerError::Missing { table: unknown.clone() }.to_string()));
    }
    let _lock = history.lock()?;
    if snapshot(project, name)?.is_some() {
        return Err(
            Problem::error(format!("There is a snapshot \"{name}\" already, and a snapshot never changes.")).help("Choose another name.")
        );
    }
    let chosen = there.into_iter().filter(|table| tables.is_empty() || tables.contains(&table.name));
    let snapshot = Snapshot {
        name: name.to_owned(),
        tables: chosen.map(|table| (table.name, table.version)).collect(),
        by: person.id.clone(),
        time: time_after(None)?,
        reason: reason.to_owned(),
    };
    if snapshot.tables.is_empty() {
        return Err(Problem::error("The ledger has no tables yet.").help("Load some rows first."));
    }
    let bytes = serde_json::to_vec_pretty(&snapshot).map_err(|error| Problem::error(error.to_string()))?;
    let id = history.store().put(&bytes).map_err(|error| trouble(&error))?;
    let detail = json!({ "snapshot": name, "object": id, "tables": snapshot.tables, "reason": reason });
    history.record(person, Event::Snapshot, name, detail)?;
    history.store().write_ref(&snapshot_ref(name), &id).map_err(|error| trouble(&error))?;
    Ok(snapshot)
}

/// What people write for a moment of a table: a version, a snapshot's name, a day or a time.
pub fn moment(project: &Project, table: &str, text: &str) -> Result<AsOf, Problem> {
    if let Ok(version) = text.parse::<u64>() {
        return Ok(AsOf::Version(version));
    }
    if let Some(snapshot) = snapshot(project, text)? {
        return snapshot.tables.get(table).map(|version| AsOf::Version(*version)).ok_or_else(|| {
            let there: Vec<&str> = snapshot.tables.keys().map(String::as_str).collect();
            Problem::error(format!("The snapshot \"{text}\" has no table \"{table}\".")).help(format!("It has: {}.", there.join(", ")))
        });
    }
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_milli_opt(23, 59, 59, 999));
    let minute = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok();
    let exact = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    exact.or_else(|| day.or(minute).map(|time| time.and_utc())).map(AsOf::Time).ok_or_else(|| {
        Problem::error(format!("\"{text}\" is no version, no snapshot and no day."))
            .help("Write a version such as 3, a snapshot's name, or a day such as 2026-09-30 (UTC).")
    })
}

impl Ledger {
    /// The versions of a table, the newest first.
    pub async fn history(&self, table: &str) -> Result<Vec<TableVersion>, LedgerError> {
        let newest = self.table(table).await?.version().unwrap_or_default();
        let mut versions = Vec::new();
        for version in (0..=newest).rev() {
            // Old logs may have been cleaned up by other tools.
            let text = self.place.commit(table, version).await.map_err(|reason| LedgerError::Store { table: table.to_owned(), reason })?;
            let Some(text) = text else { break };
            versions.push(said(version, &text));
        }
        Ok(versions)
    }

    /// Removes files that no version younger than so many days needs, and no snapshot. Gives the files.
    pub async fn vacuum(&self, table: &str, days: i64, keep: &[u64], dry_run: bool) -> Result<Vec<String>, LedgerError> {
        let delta = |error| LedgerError::delta(table, error);
        let opened = self.table(table).await?;
        let vacuum = opened.vacuum().with_retention_period(chrono::Duration::days(days)).with_enforce_retention_duration(false);
        let (_, metrics) = vacuum.with_keep_versions(keep).with_dry_run(dry_run).await.map_err(delta)?;
        Ok(metrics.files_deleted)
    }
}

/// What a commit says of itself.
fn said(version: u64, log: &str) -> TableVersion {
    let mut found = TableVersion { version, ..TableVersion::default() };
    for action in log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if let Some(info) = action.get("commitInfo") {
            let time = info.get("timestamp").and_then(Value::as_i64).and_then(DateTime::<Utc>::from_timestamp_millis);
            found.time = time.map(written).unwrap_or_default();
            info.get("operation").and_then(Value::as_str).unwrap_or_default().clone_into(&mut found.operation);
            found.mode = info.get(MODE).and_then(Value::as_str).map(str::to_owned);
        }
        if let Some(run) = action.pointer("/txn/appId").and_then(Value::as_str) {
            found.run = Some(run.to_owned());
        }
        if let Some(add) = action.get("add") {
            let stats = add.get("stats").and_then(Value::as_str).and_then(|stats| serde_json::from_str::<Value>(stats).ok());
            found.rows_added += stats.and_then(|stats| stats.get("numRecords").and_then(Value::as_u64)).unwrap_or(0);
        }
        found.files_removed += u64::from(action.get("remove").is_some());
    }
    found
}

fn text_of(batch: &RecordBatch, name: &str) -> Option<StringArray> {
    let column = batch.column_by_name(name)?;
    cast(column, &DataType::Utf8).ok()?.as_string_opt::<i32>().cloned()
}

/// Compensates everything that a run loaded: rows it brought come again with the opposite sign, rows it replaced come
/// again as they were. Nothing is deleted. `columns` are those whose sign is turned; all decimals and floats unless given.
pub async fn reverse(project: &Project, person: &Person, run: &str, columns: &[String], reason: &str) -> Result<Vec<Reversed>, Problem> {
    allow(project, person, Act::Reverse)?;
    let certificate: Certificate = crate::run::certificate_of(project, run)?;
    let run = certificate.run.clone();
    let tables: Vec<String> =
        certificate.outputs.iter().filter_map(|output| output.target.strip_prefix("ledger:").map(str::to_owned)).collect();
    if tables.is_empty() {
        return Err(Problem::error(format!("The run {run} loaded nothing into the ledger.")).help("Only ledger loads can be reversed."));
    }
    let history = History::of(project);
    let _lock = history.lock()?;
    let ledger = Ledger::of(project)?;
    let reversal = format!("reverse-{run}");
    let mut planned = Vec::new();
    for table in &tables {
        let versions = ledger.history(table).await?;
        if versions.iter().any(|version| version.run.as_deref() == Some(&reversal)) {
            return Err(Problem::error(format!("The run {run} was reversed before."))
                .help(format!("Look at it with: weir ledger history {table}.")));
        }
        let Some(load) = versions.iter().find(|version| version.run.as_deref() == Some(&run)) else {
            return Err(Problem::error(format!("The ledger table \"{table}\" has no load of the run {run}."))
                .help("`weir ledger history` lists its loads."));
        };
        if matches!(load.mode.as_deref(), Some("upsert" | "history")) {
            let what = format!("The run loaded \"{table}\" by key; a second row with the same key would break it.");
            let before = load.version.saturating_sub(1);
            return Err(Problem::error(what)
                .help(format!("Load the rows of before again: input.ledger with version {before}, into the same table.")));
        }
        planned.push((table, load.version, compensation(&ledger, table, load.version, &run, columns).await?));
    }
    let mut done = Vec::new();
    for (table, _, (batch, reversed)) in planned {
        let staged = tempfile::NamedTempFile::new_in(project.state()).map_err(|error| trouble(&error))?;
        let written = || -> Result<(), String> {
            let file = std::fs::File::create(staged.path()).map_err(|error| error.to_string())?;
            let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).map_err(|error| error.to_string())?;
            writer.write(&batch).map_err(|error| error.to_string())?;
            writer.close().map(drop).map_err(|error| error.to_string())
        };
        written().map_err(|error| Problem::error(format!("The rows cannot be written: {error}.")))?;
        let load = Load { table: table.clone(), mode: LedgerMode::Append, run: reversal.clone(), rows: staged.path().to_owned() };
        ledger.verify(&load).await?;
        ledger.load(&load).await?;
        done.push(reversed);
    }
    history.record(person, Event::Reverse, &reversal, json!({ "of": run, "tables": done, "reason": reason }))?;
    Ok(done)
}

/// The rows that compensate a load.
async fn compensation(
    ledger: &Ledger,
    table: &str,
    version: u64,
    run: &str,
    columns: &[String],
) -> Result<(RecordBatch, Reversed), Problem> {
    let trouble = |error: arrow::error::ArrowError| Problem::error(format!("The rows of \"{table}\" cannot be compensated: {error}."));
    let after = ledger.read(table, Some(AsOf::Version(version))).await?;
    let schema = after.schema();
    let before = match version.checked_sub(1) {
        Some(version) => ledger.read(table, Some(AsOf::Version(version))).await?,
        None => RecordBatch::new_empty(Arc::clone(&schema)),
    };
    let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).filter(|name| !name.starts_with('_')).collect();
    if let Some(unknown) = columns.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Problem::error(format!("\"{table}\" has no column \"{unknown}\".")).help(format!("It has: {}.", known.join(", "))));
    }
    let turned = |field: &Field| {
        let amount = matches!(field.data_type(), DataType::Decimal128(_, _) | DataType::Float64);
        if columns.is_empty() {
            amount && !field.name().starts_with('_')
        } else {
            columns.contains(field.name()) && field.data_type().is_numeric()
        }
    };
    let negated: Vec<String> = schema.fields().iter().filter(|field| turned(field)).map(|field| field.name().clone()).collect();
    if negated.is_empty() {
        return Err(
            Problem::error(format!("\"{table}\" has no amounts to turn the sign of.")).help("Name columns of numbers: --columns quantity.")
        );
    }
    // Rows are told apart by their run and their place in it.
    let keys = |batch: &RecordBatch| -> Option<HashSet<(String, String)>> {
        let (runs, rows) = (text_of(batch, RUN)?, text_of(batch, ROW)?);
        Some((0..batch.num_rows()).map(|row| (runs.value(row).to_owned(), rows.value(row).to_owned())).collect())
    };
    let stays = keys(&after).unwrap_or_default();
    let runs = text_of(&after, RUN).ok_or_else(|| Problem::error(format!("\"{table}\" has no column {RUN}: Weir did not load it.")))?;
    let brought = runs.iter().map(|of| Some(of == Some(run))).collect();
    let brought = filter_record_batch(&after, &brought).map_err(trouble)?;
    let (runs, rows) = (text_of(&before, RUN), text_of(&before, ROW));
    let gone: arrow::array::BooleanArray = match (runs, rows) {
        (Some(runs), Some(rows)) => {
            (0..before.num_rows()).map(|row| Some(!stays.contains(&(runs.value(row).to_owned(), rows.value(row).to_owned())))).collect()
        }
        _ => std::iter::repeat_n(Some(false), before.num_rows()).collect(),
    };
    let replaced = filter_record_batch(&before, &gone).map_err(trouble)?;
    let total = brought.num_rows() + replaced.num_rows();
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for field in schema.fields().iter().filter(|field| field.name() != RUN && field.name() != ROW && field.name() != REVERSES) {
        let own = brought.column_by_name(field.name()).cloned();
        let Some(own) = own else { continue };
        let own = if negated.contains(field.name()) { neg(&own).map_err(trouble)? } else { own };
        let back = match replaced.column_by_name(field.name()) {
            Some(back) => cast(back, own.data_type()).map_err(trouble)?,
            None => arrow::array::new_null_array(own.data_type(), replaced.num_rows()),
        };
        arrays.push(arrow::compute::concat(&[own.as_ref(), back.as_ref()]).map_err(trouble)?);
        fields.push(Field::new(field.name(), field.data_type().clone(), true));
    }
    let reversal = format!("reverse-{run}");
    let texts = |text: &str| Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, total))) as ArrayRef;
    for (name, array) in [
        (RUN, texts(&reversal)),
        (ROW, Arc::new((1..=total as i64).collect::<arrow::array::Int64Array>()) as ArrayRef),
        (REVERSES, texts(run)),
    ] {
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let reversed =
        Reversed { table: table.to_owned(), compensated: brought.num_rows() as u64, restored: replaced.num_rows() as u64, negated };
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(trouble)?;
    let plain = super::plain_schema(&batch.schema());
    let batch = super::plain(&batch, &plain).map_err(|error| Problem::error(error.to_string()))?;
    Ok((batch, reversed))
}

/// Writes the rows of a table into a file, in the format of its name, and notes it.
pub async fn export(project: &Project, person: &Person, table: &str, as_of: Option<AsOf>, path: &Path) -> Result<u64, Problem> {
    let ledger = Ledger::of(project)?;
    let rows = ledger.read(table, as_of).await?;
    let visible: Vec<usize> = (0..rows.num_columns()).filter(|i| !rows.schema().field(*i).name().starts_with('_')).collect();
    let rows = rows.project(&visible).map_err(|error| Problem::error(error.to_string()))?;
    let shown = path.display().to_string();
    let written = |error: &dyn std::fmt::Display| {
        Problem::error(format!("The rows cannot be written: {error}.")).in_file(&shown, None).help("Choose another file.")
    };
    let format = weir_nodes::suggest::format(&shown, &rows.schema())?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let near = tempfile::NamedTempFile::new_in(folder).map_err(|error| written(&error))?;
    let file = std::fs::File::create(near.path()).map_err(|error| written(&error))?;
    let mut writer = format.open(file, rows.schema()).map_err(|error| written(&error))?;
    writer.write(&rows).map_err(|error| written(&error))?;
    writer.finish().map_err(|error| written(&error))?.sync_all().map_err(|error| written(&error))?;
    near.persist(path).map_err(|error| written(&error.error))?;
    let detail = json!({ "table": table, "file": shown, "rows": rows.num_rows(), "as_of": as_of.map(|as_of| format!("{as_of:?}")) });
    History::of(project).record(person, Event::Export, table, detail)?;
    Ok(rows.num_rows() as u64)
}
