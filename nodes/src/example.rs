//! Examples: small tables in, tables out. They are a kind's tests and its documentation at once.
//!
//! A table is written as CSV text whose header gives types: `"deal:text,arr:decimal(2)\nD1,10.00"` (a name alone is
//! text; an empty field is an empty value; `""` is the empty text).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::execution::TaskContext;
use datafusion::prelude::SessionContext;
use serde_json::Value;

use crate::kind::{Arity, Host, Planned, Planning, Sink};
use crate::problem::Problem;
use crate::registry::Kind;
use crate::source::{MemorySource, scan};
use crate::table::Table;
use crate::types::ColumnType;

/// One example of a kind.
#[derive(Debug, Clone)]
pub struct Example {
    /// What it shows, as a sentence.
    pub title: &'static str,
    /// The parameters, as in a workflow file.
    pub params: Value,
    /// The tables that arrive: port and CSV text with typed header. A port that takes several wires may repeat.
    pub inputs: Vec<(&'static str, &'static str)>,
    /// The tables that leave: port and CSV text with typed header. Ports left out are not looked at.
    pub outputs: Vec<(&'static str, &'static str)>,
    /// Files that are there before, for inputs.
    pub files: Vec<(&'static str, Vec<u8>)>,
    /// Files that a load writes, as text; a format that is not text is read back by its own tests.
    pub written: Vec<(&'static str, &'static str)>,
    /// Words of the problem that refuses these parameters: an example of a mistake and of what is said of it.
    pub refused: Option<&'static str>,
    /// It needs something that is not there when examples are run: a ledger, a server. Other tests run it.
    pub elsewhere: bool,
}

impl Example {
    /// An example with its sentence and parameters.
    pub fn new(title: &'static str, params: Value) -> Self {
        Self { title, params, inputs: vec![], outputs: vec![], files: vec![], written: vec![], refused: None, elsewhere: false }
    }

    /// With a table that arrives on a port.
    #[must_use]
    pub fn input(mut self, port: &'static str, table: &'static str) -> Self {
        self.inputs.push((port, table));
        self
    }

    /// With a table that leaves by a port.
    #[must_use]
    pub fn output(mut self, port: &'static str, table: &'static str) -> Self {
        self.outputs.push((port, table));
        self
    }

    /// With a file that is there before.
    #[must_use]
    pub fn file(mut self, path: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((path, bytes.into()));
        self
    }

    /// An example of a mistake: it is refused with a problem that contains these words.
    #[must_use]
    pub fn refused(mut self, words: &'static str) -> Self {
        self.refused = Some(words);
        self
    }

    /// Not run with the other examples: it needs something that is not there.
    #[must_use]
    pub fn elsewhere(mut self) -> Self {
        self.elsewhere = true;
        self
    }

    /// With a text file that a load writes.
    #[must_use]
    pub fn written(mut self, path: &'static str, text: &'static str) -> Self {
        self.written.push((path, text));
        self
    }
}

/// Reads a table written as CSV text with a typed header.
pub fn parse_table(text: &str) -> Result<RecordBatch, String> {
    let mut rows = split_records(text).into_iter();
    let header = rows.next().ok_or("a table needs a header")?;
    let mut fields = Vec::new();
    for cell in &header {
        let cell = cell.clone().unwrap_or_default();
        // A colon inside a name is kept unless a type follows it.
        let (name, column_type) = match cell.rsplit_once(':') {
            Some((name, type_name)) => (name.to_owned(), type_name.parse::<ColumnType>()?),
            None => (cell, ColumnType::Text),
        };
        fields.push((name, column_type));
    }
    let rows: Vec<Vec<Option<String>>> = rows.collect();
    for (i, row) in rows.iter().enumerate() {
        if row.len() != fields.len() {
            return Err(format!("row {} has {} fields, the header has {}", i + 1, row.len(), fields.len()));
        }
    }
    let mut arrays = Vec::new();
    for (i, (name, column_type)) in fields.iter().enumerate() {
        let values: Vec<Option<&str>> = rows.iter().map(|row| row[i].as_deref()).collect();
        arrays.push(typed_array(&values, *column_type).map_err(|(row, error)| format!("row {}, column {name}: {error}", row + 1))?);
    }
    let fields: Vec<Field> =
        fields.iter().zip(&arrays).map(|((name, _), array)| Field::new(name, array.data_type().clone(), true)).collect();
    RecordBatch::try_new_with_options(
        Arc::new(Schema::new(fields)),
        arrays,
        &arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len())),
    )
    .map_err(|e| e.to_string())
}

/// The fields of each record; an empty unquoted field is `None`.
fn split_records(text: &str) -> Vec<Vec<Option<String>>> {
    let mut records = vec![];
    let mut record = vec![];
    let mut field = String::new();
    let (mut quoted, mut inside) = (false, false);
    let mut chars = text.trim_end_matches('\n').chars().peekable();
    loop {
        let c = chars.next();
        match c {
            Some('"') if inside && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            Some('"') if inside => inside = false,
            Some('"') if field.is_empty() && !quoted => (quoted, inside) = (true, true),
            Some(c) if inside => field.push(c),
            Some(',' | '\n') | None => {
                let taken = std::mem::take(&mut field);
                record.push((quoted || !taken.is_empty()).then_some(taken));
                quoted = false;
                if c != Some(',') {
                    records.push(std::mem::take(&mut record));
                }
                if c.is_none() {
                    return records;
                }
            }
            Some(c) => field.push(c),
        }
    }
}

/// An array of a type from texts in canonical form (`1234.50`, `2026-09-30`, `2026-09-30 12:00:00`, `true`). The error
/// names the first row that does not fit, counted from 0.
pub fn typed_array(values: &[Option<&str>], column_type: ColumnType) -> Result<ArrayRef, (usize, String)> {
    use arrow::array::{BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringViewArray, TimestampMicrosecondArray};
    fn each<T>(values: &[Option<&str>], kind: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<Option<T>>, (usize, String)> {
        values
            .iter()
            .enumerate()
            .map(|(row, value)| match value {
                None => Ok(None),
                Some(text) => parse(text).map(Some).ok_or_else(|| (row, format!("\"{text}\" is not {kind}"))),
            })
            .collect()
    }
    let array: ArrayRef = match column_type {
        ColumnType::Text => Arc::new(StringViewArray::from(values.to_vec())),
        ColumnType::Integer => Arc::new(Int64Array::from(each(values, "a whole number", |t| t.parse::<i64>().ok())?)),
        ColumnType::Float => Arc::new(Float64Array::from(each(values, "a number", |t| t.parse::<f64>().ok())?)),
        ColumnType::Boolean => Arc::new(BooleanArray::from(each(values, "true or false", |t| t.parse::<bool>().ok())?)),
        ColumnType::Decimal(places) => {
            let numbers = each(values, &format!("a number with at most {places} decimals"), |t| {
                let mut number = rust_decimal::Decimal::from_str_exact(t).ok()?;
                if number.scale() > u32::from(places) {
                    return None;
                }
                number.rescale(u32::from(places));
                (number.scale() == u32::from(places)).then(|| number.mantissa())
            })?;
            let array = Decimal128Array::from(numbers).with_data_type(column_type.arrow());
            Arc::new(array)
        }
        ColumnType::Date => Arc::new(Date32Array::from(each(values, "a date like 2026-09-30", |t| {
            let date = chrono::NaiveDate::parse_from_str(t, "%Y-%m-%d").ok()?;
            Some((date - chrono::NaiveDate::default()).num_days() as i32)
        })?)),
        ColumnType::DateTime => Arc::new(TimestampMicrosecondArray::from(each(values, "a time like 2026-09-30 12:00:00", |t| {
            let time = chrono::NaiveDateTime::parse_from_str(&t.replace('T', " "), "%Y-%m-%d %H:%M:%S%.f").ok()?;
            Some(time.and_utc().timestamp_micros())
        })?)),
    };
    Ok(array)
}

/// Writes a table as CSV text with a typed header: the inverse of [`parse_table`] (decimals keep all their places).
pub fn print_table(batch: &RecordBatch) -> String {
    let mut text = String::new();
    let header: Vec<String> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| match ColumnType::of(field.data_type()) {
            Some(ColumnType::Text) | None => quote(field.name()),
            Some(column_type) => quote(&format!("{}:{column_type}", field.name())),
        })
        .collect();
    text.push_str(&header.join(","));
    for row in 0..batch.num_rows() {
        text.push('\n');
        let cells: Vec<String> = batch.columns().iter().map(|array| cell(array, row)).collect();
        text.push_str(&cells.join(","));
    }
    text
}

fn quote(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn cell(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return String::new();
    }
    let text = arrow::util::display::array_value_to_string(array, row).unwrap_or_else(|error| format!("<{error}>"));
    match array.data_type() {
        DataType::Timestamp(_, _) => text.replace('T', " "),
        _ => quote(&text),
    }
}

/// A host whose files are in one folder.
#[derive(Debug)]
pub struct FolderHost(pub PathBuf);

impl Host for FolderHost {
    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }
}

/// Plans an example in a folder where its files have been written. Problems are errors.
pub fn plan(kind: &Kind, example: &Example, folder: &Path) -> Result<Planned, Vec<Problem>> {
    let host = FolderHost(folder.to_owned());
    let (step, mut problems) = kind.step(&example.params);
    let Some(step) = step else { return Err(problems) };
    let ports = step.ports();
    let mut inputs: Vec<(String, Vec<Table>)> = ports.inputs.iter().map(|port| (port.name.to_owned(), vec![])).collect();
    for (i, (port, text)) in example.inputs.iter().enumerate() {
        let batch = parse_table(text).map_err(|e| vec![Problem::error(format!("input {port}: {e}"))])?;
        let table = scan(&format!("{port}{i}"), Arc::new(MemorySource::counted(batch)), format!("{port} row"))
            .map_err(|e| vec![Problem::error(e.to_string())])?;
        match inputs.iter_mut().find(|(name, _)| name == port) {
            Some((_, tables)) => tables.push(table),
            None => return Err(vec![Problem::error(format!("no input port \"{port}\""))]),
        }
    }
    for (port, (_, tables)) in ports.inputs.iter().zip(&inputs) {
        if matches!(port.arity, Arity::One | Arity::Many) && tables.is_empty() {
            return Err(vec![Problem::error(format!("nothing arrives on port \"{}\"", port.name))]);
        }
    }
    let parameters = BTreeMap::new();
    let mut cx = Planning::new(&host, "example", &parameters, inputs);
    let planned = step.plan(&mut cx);
    let (found, _) = cx.finish();
    problems.extend(found);
    match planned {
        Some(planned) if !problems.iter().any(Problem::is_error) => Ok(planned),
        _ => Err(problems),
    }
}

/// The rows of a table as a user sees them.
pub async fn rows(table: &Table, context: &SessionContext) -> Result<RecordBatch, String> {
    let plan = table.shown(None).map_err(|e| e.to_string())?;
    let physical = context.state().create_physical_plan(&plan).await.map_err(|e| e.to_string())?;
    let schema = physical.schema();
    let task: Arc<TaskContext> = context.task_ctx();
    let batches = datafusion::physical_plan::collect(physical, task).await.map_err(|e| e.strip_backtrace())?;
    arrow::compute::concat_batches(&schema, &batches).map_err(|e| e.to_string())
}

/// Runs an example and compares. The error says what came out instead. The folder is empty to begin with.
pub async fn run(kind: &Kind, example: &Example, folder: &Path, threads: usize) -> Result<(), String> {
    if example.elsewhere {
        return Ok(());
    }
    for (path, bytes) in &example.files {
        std::fs::write(folder.join(path), bytes).map_err(|e| e.to_string())?;
    }
    let said = |problems: &[Problem]| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let planned = match (plan(kind, example, folder), example.refused) {
        (Ok(planned), None) => planned,
        (Ok(_), Some(words)) => return Err(format!("it is not refused with \"{words}\"")),
        (Err(problems), Some(words)) => {
            let said = said(&problems);
            return if said.contains(words) { Ok(()) } else { Err(format!("it is refused with\n{said}\ninstead of\n{words}")) };
        }
        (Err(problems), None) => return Err(said(&problems)),
    };
    let context = crate::session::context(threads);
    for (port, expected) in &example.outputs {
        let Some((flow, outlet)) = planned.flows.iter().find_map(|f| f.outlets.iter().find(|o| o.port == *port).map(|o| (f, o))) else {
            return Err(format!("there is no output port \"{port}\""));
        };
        let table = flow.outlet_table(outlet, &flow.table).map_err(|e| e.to_string())?;
        let printed = print_table(&rows(&table, &context).await?);
        let expected = print_table(&parse_table(expected)?);
        if printed != expected {
            return Err(format!("port {port} gave\n{printed}\ninstead of\n{expected}"));
        }
    }
    for sink in &planned.sinks {
        let Sink::File { port, path, format, .. } = sink else { continue };
        let Some((_, text)) = example.inputs.iter().find(|(name, _)| name == port) else {
            return Err(format!("nothing arrives on port \"{port}\""));
        };
        let batch = parse_table(text)?;
        let file = std::fs::File::create(folder.join(path)).map_err(|e| e.to_string())?;
        let mut writer = format.open(file, batch.schema()).map_err(|e| e.to_string())?;
        writer.write(&batch).map_err(|e| e.to_string())?;
        writer.finish().map_err(|e| e.to_string())?;
    }
    for (path, expected) in &example.written {
        let found = std::fs::read_to_string(folder.join(path)).map_err(|e| format!("{path}: {e}"))?;
        if found != *expected {
            return Err(format!("file {path} holds\n{found}\ninstead of\n{expected}"));
        }
    }
    Ok(())
}
