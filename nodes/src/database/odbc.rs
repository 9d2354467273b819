//! Whatever has an ODBC driver: SQL Server, Oracle, SAP HANA and the rest, for reading.
//!
//! The driver manager is built in; drivers are those of the machine. Values come as the texts that the driver writes,
//! like those of every other database here, so that a decimal keeps its digits.

use odbc_api::buffers::TextRowSet;
use odbc_api::{Connection, ConnectionOptions, Cursor, DataType, Error, ResultSetMetadata, environment};

use super::{Driver, Row};
use crate::ColumnType;

/// The longest text of a cell, in bytes.
const LONGEST: usize = 32 * 1024;
/// How many rows come at a time.
const ROWS: usize = 100;

pub(super) struct Odbc(Connection<'static>);

fn said(error: &Error) -> String {
    let text = match error {
        Error::Diagnostics { record, .. } => record.to_string(),
        Error::TooLargeValueForBuffer { .. } => format!("a text is longer than {LONGEST} bytes; shorten it in the query"),
        other => other.to_string(),
    };
    text.trim_end_matches(['.', '\n']).to_owned()
}

impl Odbc {
    /// Opens a connection by its ODBC text: `DSN=…` or `Driver=…;Server=…`.
    pub(super) fn open(text: &str) -> Result<Self, String> {
        let environment = environment().map_err(|error| said(&error))?;
        let opened = environment.connect_with_connection_string(text, ConnectionOptions::default());
        Ok(Self(opened.map_err(|error| said(&error))?))
    }
}

/// The type of a column, and whether its decimals are known.
fn column_type(data_type: DataType) -> ColumnType {
    match data_type {
        DataType::Integer | DataType::SmallInt | DataType::BigInt | DataType::TinyInt => ColumnType::Integer,
        DataType::Numeric { scale, .. } | DataType::Decimal { scale, .. } => match u8::try_from(scale) {
            Ok(0) | Err(_) => ColumnType::Decimal(0),
            Ok(places) => ColumnType::Decimal(places),
        },
        DataType::Float { .. } | DataType::Real | DataType::Double => ColumnType::Float,
        DataType::Bit => ColumnType::Boolean,
        DataType::Date => ColumnType::Date,
        DataType::Timestamp { .. } => ColumnType::DateTime,
        _ => ColumnType::Text,
    }
}

/// A value as the rest of Weir writes it.
fn written(text: &str, column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Boolean => matches!(text, "1" | "t" | "T" | "true").to_string(),
        // Drivers leave out the zero before the mark: .5, -.5.
        ColumnType::Decimal(_) if text.starts_with('.') => format!("0{text}"),
        ColumnType::Decimal(_) if text.starts_with("-.") => text.replacen('-', "-0", 1),
        _ => text.to_owned(),
    }
}

impl Driver for Odbc {
    fn execute(&mut self, _sql: &str) -> Result<(), String> {
        Err("over ODBC Weir reads, and does not load; load into a file or the ledger, or through postgres:// or mysql://".into())
    }

    fn describe(&mut self, query: &str) -> Result<Vec<(String, ColumnType)>, String> {
        let mut prepared = self.0.prepare(query).map_err(|error| said(&error))?;
        let columns = u16::try_from(prepared.num_result_cols().map_err(|error| said(&error))?).unwrap_or(0);
        let column = |i| Ok((prepared.col_name(i)?, column_type(prepared.col_data_type(i)?)));
        (1..=columns).map(column).collect::<Result<_, Error>>().map_err(|error| said(&error))
    }

    fn read(&mut self, query: &str, columns: &[(String, ColumnType)], each: &mut dyn FnMut(Row) -> bool) -> Result<(), String> {
        let said = |error: Error| said(&error);
        let Some(mut cursor) = self.0.execute(query, (), None).map_err(said)? else { return Ok(()) };
        let there: Vec<String> = cursor.column_names().map_err(said)?.collect::<Result<_, _>>().map_err(said)?;
        let mut places = Vec::new();
        for (name, column_type) in columns {
            let place = there.iter().position(|column| column == name).ok_or_else(|| format!("there is no column \"{name}\" any more"))?;
            places.push((place, *column_type));
        }
        let buffer = TextRowSet::for_cursor(ROWS, &mut cursor, Some(LONGEST)).map_err(said)?;
        let mut rows = cursor.bind_buffer(buffer).map_err(said)?;
        while let Some(batch) = rows.fetch_with_truncation_check(true).map_err(said)? {
            for i in 0..batch.num_rows() {
                let value = |(place, column_type): &(usize, ColumnType)| {
                    let text = batch.at_as_str(*place, i).map_err(|_| "a text is not UTF-8; set the driver's character set to it")?;
                    Ok(text.map(|text| written(text, *column_type)))
                };
                if !each(places.iter().map(value).collect::<Result<Row, String>>()?) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn type_name(&self, _column_type: ColumnType) -> String {
        "VARCHAR(4000)".into()
    }
}
