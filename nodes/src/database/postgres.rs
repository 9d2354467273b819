//! PostgreSQL.

use postgres::config::SslMode;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::{self, Mode};
use super::{Driver, Row, quoted};
use crate::ColumnType;

pub(super) struct Postgres(Client);

fn said(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(inner) => inner.message().trim_end_matches('.').to_owned(),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

impl Postgres {
    pub(super) fn open(url: &str) -> Result<Self, String> {
        let (url, tls) = tls::of(url)?;
        let mut config: Config = url.parse().map_err(|error| said(&error))?;
        config.ssl_mode(match tls.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        });
        let connected = match config.connect(MakeRustlsConnect::new(tls.client()?)) {
            // A server that speaks no TLS we know, or a socket that needs none.
            Err(error) if tls.mode == Mode::Prefer && error.as_db_error().is_none() => config.ssl_mode(SslMode::Disable).connect(NoTls),
            connected => connected,
        };
        let mut client = connected.map_err(|error| said(&error))?;
        client
            .batch_execute("SET TIME ZONE 'UTC'; SET DateStyle = 'ISO, YMD'; SET extra_float_digits = 3")
            .map_err(|error| said(&error))?;
        Ok(Self(client))
    }

    /// The most decimals a column without declared ones has in the first rows. A later value with more is an error that
    /// says so; a cast in the query settles it.
    fn places(&mut self, query: &str, name: &str) -> Result<u8, String> {
        let first = format!("SELECT {name} FROM ({query}) AS weir_query LIMIT 10000", name = quoted(name));
        let sql = format!("SELECT COALESCE(MAX(SCALE({})), 0)::int FROM ({first}) AS weir_first", quoted(name));
        let places: i32 = self.0.query_one(&sql, &[]).map_err(|error| said(&error))?.get(0);
        Ok(u8::try_from(places).unwrap_or(u8::MAX))
    }
}

impl Driver for Postgres {
    fn execute(&mut self, sql: &str) -> Result<(), String> {
        self.0.batch_execute(sql).map_err(|error| said(&error))
    }

    fn describe(&mut self, query: &str) -> Result<Vec<(String, ColumnType)>, String> {
        let statement = self.0.prepare(query).map_err(|error| said(&error))?;
        let mut columns = Vec::new();
        for column in statement.columns() {
            let column_type = match column.type_().name() {
                "int2" | "int4" | "int8" => ColumnType::Integer,
                "float4" | "float8" => ColumnType::Float,
                "bool" => ColumnType::Boolean,
                "date" => ColumnType::Date,
                "timestamp" | "timestamptz" => ColumnType::DateTime,
                "numeric" => {
                    // The modifier holds digits and places above a header of four bytes.
                    let declared = column.type_modifier();
                    let places = if declared >= 4 { ((declared - 4) & 0x7ff) as u8 } else { self.places(query, column.name())? };
                    if places <= crate::types::MAX_PLACES { ColumnType::Decimal(places) } else { ColumnType::Text }
                }
                _ => ColumnType::Text,
            };
            columns.push((column.name().to_owned(), column_type));
        }
        Ok(columns)
    }

    fn read(&mut self, query: &str, columns: &[(String, ColumnType)], each: &mut dyn FnMut(Row) -> bool) -> Result<(), String> {
        let names: Vec<String> = columns.iter().map(|(name, _)| format!("{}::text", quoted(name))).collect();
        let sql = format!("SELECT {} FROM ({query}) AS weir_query", if names.is_empty() { "NULL::text".into() } else { names.join(", ") });
        let nothing: [&str; 0] = [];
        let mut rows = self.0.query_raw(&sql, nothing).map_err(|error| said(&error))?;
        while let Some(row) = rows.next().map_err(|error| said(&error))? {
            let value = |(place, (_, column_type)): (usize, &(String, ColumnType))| {
                let text: Option<String> = row.get(place);
                match column_type {
                    // In UTC, as the session is.
                    ColumnType::DateTime => text.map(|text| text.trim_end_matches("+00").to_owned()),
                    _ => text,
                }
            };
            if !each(columns.iter().enumerate().map(value).collect()) {
                break;
            }
        }
        Ok(())
    }

    fn type_name(&self, column_type: ColumnType) -> String {
        match column_type {
            ColumnType::Text => "TEXT".into(),
            ColumnType::Integer => "BIGINT".into(),
            ColumnType::Decimal(places) => format!("NUMERIC(38, {places})"),
            ColumnType::Float => "DOUBLE PRECISION".into(),
            ColumnType::Boolean => "BOOLEAN".into(),
            ColumnType::Date => "DATE".into(),
            ColumnType::DateTime => "TIMESTAMP".into(),
        }
    }
}
