//! Databases: one small driver for each, and everything else in SQL that all of them speak.
//!
//! Values travel as text in both directions, so that a decimal is never a float on the way. A load is one transaction;
//! it notes the run in a table of its own, so that a load repeated after a crash is recognised and does nothing.

mod mysql;
mod odbc;
mod postgres;
mod sqlite;
mod tls;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::array_value_to_string;
use serde::{Deserialize, Serialize};

use crate::ColumnType;

/// The table in which loads are noted.
const LOADS: &str = "weir_loads";
/// The temporary table that holds the rows of a load.
const ARRIVING: &str = "weir_arriving";
/// How many rows one statement brings.
const ROWS: usize = 500;

/// A row: a text for each column, `None` for an empty value.
type Row = Vec<Option<String>>;

/// What is different from one database to the next. An error is a sentence without its period.
trait Driver: Send {
    /// Runs one statement.
    fn execute(&mut self, sql: &str) -> Result<(), String>;

    /// The columns of a query, without reading its rows.
    fn describe(&mut self, query: &str) -> Result<Vec<(String, ColumnType)>, String>;

    /// The rows of a query, as text, until `each` returns `false`.
    fn read(&mut self, query: &str, columns: &[(String, ColumnType)], each: &mut dyn FnMut(Row) -> bool) -> Result<(), String>;

    /// The database's own name of a type.
    fn type_name(&self, column_type: ColumnType) -> String;
}

/// How rows enter a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are added.
    Insert,
    /// They replace everything in the table.
    Replace,
    /// They replace the rows with the same key, and add the others.
    Upsert {
        /// The key's columns.
        keys: Vec<String>,
    },
}

/// A database that was opened.
pub struct Database(Box<dyn Driver>);

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

/// A name as SQL writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table's name, perhaps with its schema: `sales` or `public.sales`.
pub fn table_name(name: &str) -> String {
    name.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

impl Database {
    /// Opens `postgres://…`, `mysql://…` (MariaDB too), `sqlite:FILE`, or by `odbc:` what has an ODBC driver.
    pub fn open(url: &str) -> Result<Self, String> {
        let driver: Box<dyn Driver> = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => Box::new(postgres::Postgres::open(url)?),
            Some("mysql" | "mariadb") => Box::new(mysql::Mysql::open(url)?),
            Some("sqlite") => Box::new(sqlite::Sqlite::open(url.trim_start_matches("sqlite:").trim_start_matches("//"))?),
            Some("odbc") => Box::new(odbc::Odbc::open(url.trim_start_matches("odbc:"))?),
            _ => return Err("a connection begins with postgres://, mysql://, sqlite: or odbc:".into()),
        };
        Ok(Self(driver))
    }

    /// The columns of a query, without reading its rows.
    pub fn describe(&mut self, query: &str) -> Result<Vec<(String, ColumnType)>, String> {
        self.0.describe(query)
    }

    /// The rows of these columns of a query, as text, until `each` returns `false`.
    pub(crate) fn read(&mut self, query: &str, columns: &[(String, ColumnType)], each: &mut dyn FnMut(Row) -> bool) -> Result<(), String> {
        self.0.read(query, columns, each)
    }

    /// Makes the table where it is missing, and the one that notes loads. Refuses columns that the table lacks.
    pub fn prepare(&mut self, table: &str, schema: &SchemaRef, mode: &Mode) -> Result<(), String> {
        let (name, columns) = (table_name(table), self.columns(schema));
        self.0.execute(&format!("CREATE TABLE IF NOT EXISTS {name} ({columns})"))?;
        self.0.execute(&format!(
            "CREATE TABLE IF NOT EXISTS {LOADS} (run VARCHAR(64) NOT NULL, target VARCHAR(200) NOT NULL, PRIMARY KEY (run, target))"
        ))?;
        let there = self.0.describe(&format!("SELECT * FROM {name}"))?;
        for field in schema.fields() {
            if !there.iter().any(|(column, _)| column == field.name()) {
                let known: Vec<&str> = there.iter().map(|(column, _)| column.as_str()).collect();
                return Err(format!("the table \"{table}\" has no column \"{}\"; its columns are {}", field.name(), known.join(", ")));
            }
        }
        if let Mode::Upsert { keys } = mode
            && let Some(key) = keys.iter().find(|key| schema.field_with_name(key).is_err())
        {
            return Err(format!("the rows have no column \"{key}\""));
        }
        Ok(())
    }

    fn columns(&self, schema: &SchemaRef) -> String {
        let column = |field: &std::sync::Arc<arrow::datatypes::Field>| {
            let column_type = ColumnType::of(field.data_type()).unwrap_or(ColumnType::Text);
            format!("{} {}", quoted(field.name()), self.0.type_name(column_type))
        };
        schema.fields().iter().map(column).collect::<Vec<_>>().join(", ")
    }

    /// Loads rows in one transaction. A run that has loaded the table before has nothing to do.
    pub fn load(
        &mut self,
        run: &str,
        table: &str,
        mode: &Mode,
        schema: &SchemaRef,
        batches: impl Iterator<Item = Result<RecordBatch, String>>,
    ) -> Result<(), String> {
        let target = text_literal(table);
        let noted = format!("SELECT run FROM {LOADS} WHERE run = {} AND target = {target}", text_literal(run));
        let mut done = false;
        self.0.read(&noted, &[("run".into(), ColumnType::Text)], &mut |_| {
            done = true;
            false
        })?;
        if done {
            return Ok(());
        }
        self.0.execute(&format!("CREATE TEMPORARY TABLE {ARRIVING} ({})", self.columns(schema)))?;
        let brought = self.bring(schema, batches).and_then(|()| self.commit(run, table, mode, schema));
        if brought.is_err() {
            // What went wrong is what is said, not what the undoing says.
            let _ = self.0.execute("ROLLBACK");
        }
        let _ = self.0.execute(&format!("DROP TABLE {ARRIVING}"));
        brought
    }

    /// Brings the rows into the temporary table.
    fn bring(&mut self, schema: &SchemaRef, batches: impl Iterator<Item = Result<RecordBatch, String>>) -> Result<(), String> {
        let names: Vec<String> = schema.fields().iter().map(|field| quoted(field.name())).collect();
        let insert = format!("INSERT INTO {ARRIVING} ({}) VALUES ", names.join(", "));
        for batch in batches {
            let batch = batch?;
            for start in (0..batch.num_rows()).step_by(ROWS) {
                let rows: Vec<String> =
                    (start..batch.num_rows().min(start + ROWS)).map(|row| row_literal(&batch, row)).collect::<Result<_, _>>()?;
                self.0.execute(&format!("{insert}{}", rows.join(", ")))?;
            }
        }
        Ok(())
    }

    fn commit(&mut self, run: &str, table: &str, mode: &Mode, schema: &SchemaRef) -> Result<(), String> {
        let name = table_name(table);
        let names: Vec<String> = schema.fields().iter().map(|field| quoted(field.name())).collect();
        let names = names.join(", ");
        self.0.execute("BEGIN")?;
        match mode {
            Mode::Insert => {}
            Mode::Replace => self.0.execute(&format!("DELETE FROM {name}"))?,
            Mode::Upsert { keys } => {
                let same = |key: &String| format!("{ARRIVING}.{key} = {name}.{key}", key = quoted(key));
                let same: Vec<String> = keys.iter().map(same).collect();
                self.0.execute(&format!("DELETE FROM {name} WHERE EXISTS (SELECT 1 FROM {ARRIVING} WHERE {})", same.join(" AND ")))?;
            }
        }
        self.0.execute(&format!("INSERT INTO {name} ({names}) SELECT {names} FROM {ARRIVING}"))?;
        self.0.execute(&format!("INSERT INTO {LOADS} (run, target) VALUES ({}, {})", text_literal(run), text_literal(table)))?;
        self.0.execute("COMMIT")
    }
}

fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A row as SQL writes it.
fn row_literal(batch: &RecordBatch, row: usize) -> Result<String, String> {
    let value = |array: &arrow::array::ArrayRef| {
        if array.is_null(row) {
            return Ok("NULL".to_owned());
        }
        let text = array_value_to_string(array, row).map_err(|error| error.to_string())?;
        Ok(match array.data_type() {
            DataType::Boolean => text.to_uppercase(),
            other if other.is_integer() => text,
            DataType::Timestamp(_, _) => text_literal(&text.replace('T', " ")),
            _ => text_literal(&text),
        })
    };
    let values: Vec<String> = batch.columns().iter().map(value).collect::<Result<_, String>>()?;
    Ok(format!("({})", values.join(", ")))
}
