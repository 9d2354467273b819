//! `input.database`: a table or a query of PostgreSQL, MySQL, MariaDB or SQLite.

use std::fmt;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::{Result, exec_datafusion_err};

use crate::database::{Database, table_name};
use crate::example::typed_array;
use crate::prelude::*;
use crate::source::{Batches, Chunks, Source, scan};

/// Reads a table or a query of a database.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseInput {
    /// The connection: a name under `[connections]` in `weir.toml`, or `sqlite:` and a file.
    pub connection: String,
    /// The table, perhaps with its schema: `public.sales`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub table: String,
    /// Or a query. Its ORDER BY gives the order of the rows.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// For a table: which rows, as SQL writes it. The database leaves out the others.
    #[serde(default, skip_serializing_if = "String::is_empty", rename = "where")]
    pub condition: String,
}

impl NodeKind for DatabaseInput {
    fn identity() -> Identity {
        Identity {
            id: "input.database",
            version: 1,
            category: Category::Input,
            icon: "storage",
            title: Words { en: "Database", fr: "Base de données" },
            summary: Words {
                en: "Reads a table or a query of PostgreSQL, MySQL, MariaDB or SQLite; decimals stay exact.",
                fr: "Lit une table ou une requête de PostgreSQL, MySQL, MariaDB ou SQLite ; les décimales restent exactes.",
            },
            synonyms: &["sql", "postgres", "mysql", "mariadb", "sqlite", "db reader", "input data", "connect in-db", "odbc", "requête"],
            order: Words { en: "As the database gives them.", fr: "Celui de la base de données." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        if self.table.is_empty() == self.query.is_empty() {
            let what = if self.table.is_empty() { "Nothing is read." } else { "A table and a query are given." };
            cx.problem(Problem::error(what).on("table").help("Give a table or a query."));
        }
        let url = cx.connection(&self.connection, "connection");
        if cx.failed() {
            return None;
        }
        let url = url?;
        let mut query = self.query.trim().trim_end_matches(';').to_owned();
        if query.is_empty() {
            query = format!("SELECT * FROM {}", table_name(&self.table));
            if !self.condition.is_empty() {
                query = format!("{query} WHERE {}", self.condition);
            }
        }
        let columns = match elsewhere(|| Database::open(&url)?.describe(&query)) {
            Ok(columns) => columns,
            Err(what) => {
                let problem = Problem::error(format!("The database says: {what}."));
                cx.problem(problem.on("connection").help("Check the connection in weir.toml, the table and the query."));
                return None;
            }
        };
        let node = cx.node().to_owned();
        let source = DatabaseSource { url, query, columns };
        let label = if self.table.is_empty() { "query row".to_owned() } else { format!("{} row", self.table) };
        Some(Planned::table(cx.planned(scan(&node, Arc::new(source), label))?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A table of an SQLite file.", json!({ "connection": "sqlite:shop.db", "table": "sales" })).elsewhere(),
            Example::new(
                "Some rows of a PostgreSQL table.",
                json!({ "connection": "erp", "table": "public.sales", "where": "year = 2026" }),
            )
            .elsewhere(),
            Example::new("A query.", json!({ "connection": "erp", "query": "SELECT * FROM sales ORDER BY id" })).elsewhere(),
            Example::new("A table or a query, not both.", json!({ "connection": "erp", "table": "a", "query": "b" }))
                .refused("A table and a query"),
        ]
    }
}

/// Asks a database from a thread of its own: its driver may wait, and planning may be inside a runtime.
pub fn elsewhere<T: Send>(question: impl FnOnce() -> std::result::Result<T, String> + Send) -> std::result::Result<T, String> {
    std::thread::scope(|scope| scope.spawn(question).join().unwrap_or_else(|_| Err("the driver stopped".into())))
}

struct DatabaseSource {
    url: String,
    query: String,
    columns: Vec<(String, ColumnType)>,
}

impl fmt::Debug for DatabaseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The connection may hold a password.
        f.debug_struct("DatabaseSource").field("query", &self.query).finish_non_exhaustive()
    }
}

impl Source for DatabaseSource {
    fn schema(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|(name, column_type)| Field::new(name, carried(*column_type), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn open(&self, columns: &[usize], identity: bool, batch_rows: usize) -> Result<Arc<dyn Chunks>> {
        let columns: Vec<(String, ColumnType)> = columns.iter().map(|i| self.columns[*i].clone()).collect();
        let (url, query) = (self.url.clone(), self.query.clone());
        let mut fields: Vec<Field> = columns.iter().map(|(name, column_type)| Field::new(name, carried(*column_type), true)).collect();
        if identity {
            fields.push(Field::new(hidden("row"), DataType::Int64, false));
        }
        let schema = Arc::new(Schema::new(fields));
        let (send, receive) = sync_channel(4);
        std::thread::spawn(move || {
            let mut rows: Vec<Vec<Option<String>>> = Vec::new();
            let mut first = 1;
            let mut hand_over = |rows: &mut Vec<Vec<Option<String>>>| {
                let batch = batch(&columns, rows, &schema, identity.then_some(first));
                first += rows.len() as i64;
                rows.clear();
                send.send(batch).is_ok()
            };
            let read = Database::open(&url).and_then(|mut database| {
                database.read(&query, &columns, &mut |row| {
                    rows.push(row);
                    rows.len() < batch_rows.max(1) || hand_over(&mut rows)
                })
            });
            match read {
                Ok(()) if rows.is_empty() => {}
                Ok(()) => {
                    hand_over(&mut rows);
                }
                Err(what) => {
                    let _ = send.send(Err(exec_datafusion_err!("the database says: {what}")));
                }
            }
        });
        Ok(Arc::new(DatabaseChunks(Mutex::new(receive))))
    }
}

/// The type of a column in a table; a decimal has all digits there are.
fn carried(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Decimal(places) => DataType::Decimal128(crate::types::MAX_DIGITS, places as i8),
        other => other.arrow(),
    }
}

fn batch(columns: &[(String, ColumnType)], rows: &[Vec<Option<String>>], schema: &SchemaRef, first: Option<i64>) -> Result<RecordBatch> {
    let mut arrays = Vec::new();
    for (place, (name, column_type)) in columns.iter().enumerate() {
        let values: Vec<Option<&str>> = rows.iter().map(|row| row[place].as_deref()).collect();
        let array =
            typed_array(&values, *column_type).map_err(|(row, what)| exec_datafusion_err!("row {}, column \"{name}\": {what}", row + 1))?;
        arrays.push(arrow::compute::cast(&array, &carried(*column_type))?);
    }
    if let Some(first) = first {
        arrays.push(Arc::new(Int64Array::from_iter_values((0..rows.len() as i64).map(|i| first + i))));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?)
}

struct DatabaseChunks(Mutex<Receiver<Result<RecordBatch>>>);

impl Chunks for DatabaseChunks {
    fn next(&self) -> Result<Option<Batches>> {
        let receive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match receive.recv() {
            Ok(batch) => Ok(Some(Box::new(std::iter::once(batch)))),
            Err(_) => Ok(None),
        }
    }
}
