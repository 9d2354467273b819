//! SQLite, whose values have types and whose columns have wishes.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{Driver, Row, quoted};
use crate::ColumnType;

pub(super) struct Sqlite(Connection);

fn said(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.trim_end_matches('.').to_owned(),
        other => other.to_string(),
    }
}

impl Sqlite {
    pub(super) fn open(path: &str) -> Result<Self, String> {
        let connection = Connection::open(path).map_err(|error| said(&error))?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(|error| said(&error))?;
        Ok(Self(connection))
    }

    /// The type that fits the values of a column without a declared one.
    fn found(&mut self, query: &str, name: &str) -> Result<ColumnType, String> {
        let sql = format!("SELECT DISTINCT typeof({name}) FROM ({query}) WHERE {name} IS NOT NULL", name = quoted(name));
        let mut kinds = Vec::new();
        let mut statement = self.0.prepare(&sql).map_err(|error| said(&error))?;
        let mut rows = statement.query([]).map_err(|error| said(&error))?;
        while let Some(row) = rows.next().map_err(|error| said(&error))? {
            kinds.push(row.get::<_, String>(0).map_err(|error| said(&error))?);
        }
        Ok(match kinds.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["integer"] => ColumnType::Integer,
            ["real"] | ["real", "integer"] | ["integer", "real"] => ColumnType::Float,
            _ => ColumnType::Text,
        })
    }
}

/// The type a column was declared as: `DECIMAL(10,2)`, `VARCHAR(20)`.
fn declared(text: &str) -> Option<ColumnType> {
    let text = text.to_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    Some(if has(&["DECIMAL", "NUMERIC"]) {
        let places = text.split_once(',').and_then(|(_, rest)| rest.trim_end_matches(')').trim().parse().ok()).unwrap_or(0);
        ColumnType::Decimal(places)
    } else if has(&["BOOL"]) {
        ColumnType::Boolean
    } else if has(&["INT"]) {
        ColumnType::Integer
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        ColumnType::Float
    } else if has(&["TIMESTAMP", "DATETIME"]) {
        ColumnType::DateTime
    } else if has(&["DATE"]) {
        ColumnType::Date
    } else if has(&["CHAR", "TEXT", "CLOB"]) {
        ColumnType::Text
    } else {
        return None;
    })
}

impl Driver for Sqlite {
    fn execute(&mut self, sql: &str) -> Result<(), String> {
        self.0.execute_batch(sql).map_err(|error| said(&error))
    }

    fn describe(&mut self, query: &str) -> Result<Vec<(String, ColumnType)>, String> {
        let columns: Vec<(String, Option<ColumnType>)> = {
            let statement = self.0.prepare(query).map_err(|error| said(&error))?;
            statement.columns().iter().map(|column| (column.name().to_owned(), column.decl_type().and_then(declared))).collect()
        };
        columns.into_iter().map(|(name, known)| Ok((name.clone(), known.map_or_else(|| self.found(query, &name), Ok)?))).collect()
    }

    fn read(&mut self, query: &str, columns: &[(String, ColumnType)], each: &mut dyn FnMut(Row) -> bool) -> Result<(), String> {
        let mut statement = self.0.prepare(query).map_err(|error| said(&error))?;
        let places = columns.iter().map(|(name, _)| statement.column_index(name)).collect::<Result<Vec<_>, _>>();
        let places = places.map_err(|error| said(&error))?;
        let mut rows = statement.query([]).map_err(|error| said(&error))?;
        while let Some(row) = rows.next().map_err(|error| said(&error))? {
            let mut values = Vec::with_capacity(columns.len());
            for (place, (_, column_type)) in places.iter().zip(columns) {
                let text = match row.get_ref(*place).map_err(|error| said(&error))? {
                    ValueRef::Null => None,
                    ValueRef::Integer(value) if *column_type == ColumnType::Boolean => Some((value != 0).to_string()),
                    ValueRef::Integer(value) => Some(value.to_string()),
                    ValueRef::Real(value) => Some(value.to_string()),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
                };
                values.push(text);
            }
            if !each(values) {
                break;
            }
        }
        Ok(())
    }

    fn type_name(&self, column_type: ColumnType) -> String {
        match column_type {
            ColumnType::Text => "TEXT".into(),
            ColumnType::Integer => "INTEGER".into(),
            // A number with more digits than a float has is kept as text.
            ColumnType::Decimal(places) => format!("DECIMAL_TEXT(38,{places})"),
            ColumnType::Float => "REAL".into(),
            ColumnType::Boolean => "BOOLEAN".into(),
            ColumnType::Date => "DATE_TEXT".into(),
            ColumnType::DateTime => "DATETIME_TEXT".into(),
        }
    }
}
