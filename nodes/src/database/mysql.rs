//! MySQL and MariaDB.

use mysql::consts::ColumnType as Kind;
use mysql::prelude::Queryable;
use mysql::{Conn, Opts, OptsBuilder, SslOpts, Value};

use super::tls::{self, Mode, Tls};
use super::{Driver, Row};
use crate::ColumnType;

pub(super) struct Mysql(Conn);

fn said(error: mysql::Error) -> String {
    match error {
        mysql::Error::MySqlError(inner) => inner.message.trim_end_matches('.').to_owned(),
        other => other.to_string(),
    }
}

fn connected(options: Opts, tls: Tls) -> Result<Conn, mysql::Error> {
    if tls.mode == Mode::Disable {
        return Conn::new(options);
    }
    // The library asks the process for it.
    tls::provider();
    let how = SslOpts::default()
        .with_danger_accept_invalid_certs(!tls.verifies())
        .with_danger_skip_domain_validation(tls.mode != Mode::VerifyFull)
        .with_root_cert_path(tls.roots);
    match Conn::new(OptsBuilder::from_opts(options.clone()).ssl_opts(Some(how))) {
        Err(error) if tls.mode == Mode::Prefer && !matches!(error, mysql::Error::MySqlError(_)) => Conn::new(options),
        connected => connected,
    }
}

impl Mysql {
    pub(super) fn open(url: &str) -> Result<Self, String> {
        let url = url.replacen("mariadb:", "mysql:", 1);
        let (url, tls) = tls::of(&url)?;
        let options = Opts::from_url(&url).map_err(|error| error.to_string())?;
        let mut connection = connected(options, tls).map_err(said)?;
        // Names in double quotes, text as it stands, and no value that is cut to fit.
        connection
            .query_drop("SET SESSION sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES', time_zone = '+00:00'")
            .map_err(said)?;
        Ok(Self(connection))
    }
}

impl Driver for Mysql {
    fn execute(&mut self, sql: &str) -> Result<(), String> {
        self.0.query_drop(sql).map_err(said)
    }

    fn describe(&mut self, query: &str) -> Result<Vec<(String, ColumnType)>, String> {
        let statement = self.0.prep(query).map_err(said)?;
        let columns = statement.columns();
        let described = columns.iter().map(|column| {
            let column_type = match column.column_type() {
                Kind::MYSQL_TYPE_TINY if column.column_length() == 1 => ColumnType::Boolean,
                Kind::MYSQL_TYPE_TINY
                | Kind::MYSQL_TYPE_SHORT
                | Kind::MYSQL_TYPE_INT24
                | Kind::MYSQL_TYPE_LONG
                | Kind::MYSQL_TYPE_LONGLONG
                | Kind::MYSQL_TYPE_YEAR => ColumnType::Integer,
                Kind::MYSQL_TYPE_DECIMAL | Kind::MYSQL_TYPE_NEWDECIMAL if column.decimals() <= crate::types::MAX_PLACES => {
                    ColumnType::Decimal(column.decimals())
                }
                Kind::MYSQL_TYPE_FLOAT | Kind::MYSQL_TYPE_DOUBLE => ColumnType::Float,
                Kind::MYSQL_TYPE_DATE | Kind::MYSQL_TYPE_NEWDATE => ColumnType::Date,
                Kind::MYSQL_TYPE_DATETIME | Kind::MYSQL_TYPE_TIMESTAMP => ColumnType::DateTime,
                _ => ColumnType::Text,
            };
            (column.name_str().into_owned(), column_type)
        });
        Ok(described.collect())
    }

    fn read(&mut self, query: &str, columns: &[(String, ColumnType)], each: &mut dyn FnMut(Row) -> bool) -> Result<(), String> {
        // The query as it stands: inside another one it would lose the order of its rows.
        let rows = self.0.query_iter(query).map_err(said)?;
        let there = rows.columns();
        let place = |name: &String| there.as_ref().iter().position(|column| column.name_str() == name.as_str());
        let places: Vec<Option<usize>> = columns.iter().map(|(name, _)| place(name)).collect();
        for row in rows {
            let row = row.map_err(said)?;
            let value = |(place, (_, column_type)): (&Option<usize>, &(String, ColumnType))| {
                let text = match row.as_ref((*place)?)? {
                    Value::NULL => return None,
                    Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    other => other.as_sql(true).trim_matches('\'').to_owned(),
                };
                Some(if *column_type == ColumnType::Boolean { (text != "0").to_string() } else { text })
            };
            if !each(places.iter().zip(columns).map(value).collect()) {
                break;
            }
        }
        Ok(())
    }

    fn type_name(&self, column_type: ColumnType) -> String {
        match column_type {
            ColumnType::Text => "TEXT".into(),
            ColumnType::Integer => "BIGINT".into(),
            ColumnType::Decimal(places) => format!("DECIMAL(38, {places})"),
            ColumnType::Float => "DOUBLE".into(),
            ColumnType::Boolean => "BOOLEAN".into(),
            ColumnType::Date => "DATE".into(),
            ColumnType::DateTime => "DATETIME(6)".into(),
        }
    }
}
