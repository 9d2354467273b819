//! `load.database`: rows into a table of a database, in one transaction.

use crate::database::Mode;
use crate::kind::Sink;
use crate::prelude::*;

/// Loads the rows into a table of PostgreSQL, MySQL, MariaDB or SQLite. The table is made where it is missing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseLoad {
    /// The connection: a name under `[connections]` in `weir.toml`, or `sqlite:` and a file.
    pub connection: String,
    /// The table, perhaps with its schema: `public.sales`.
    pub table: String,
    /// How the rows enter it.
    #[serde(default)]
    #[schemars(extend("x-weir-main" = true))]
    pub mode: LoadMode,
    /// For `upsert`: the columns that tell rows apart.
    #[serde(default)]
    pub keys: Columns,
}

/// How rows enter a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadMode {
    /// They are added.
    #[default]
    Insert,
    /// They replace everything in the table.
    Replace,
    /// They replace the rows with the same key, and add the others.
    Upsert,
}

impl NodeKind for DatabaseLoad {
    fn identity() -> Identity {
        Identity {
            id: "load.database",
            version: 1,
            category: Category::Load,
            icon: "storage",
            title: Words { en: "Database output", fr: "Sortie base de données" },
            summary: Words {
                en: "Loads the rows into a database table in one transaction, when every control holds.",
                fr: "Charge les lignes dans une table de base de données en une transaction, quand tous les contrôles tiennent.",
            },
            synonyms: &["sql", "postgres", "mysql", "sqlite", "db writer", "output data", "insert", "write data in-db", "odbc"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::sink()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        if self.table.is_empty() {
            cx.problem(Problem::error("The table has no name.").on("table").help("Name it, for example public.sales."));
        }
        let keys = cx.columns(&self.keys, &table, "keys");
        if self.mode == LoadMode::Upsert && self.keys.0.is_empty() {
            cx.problem(Problem::error("Rows need a key here.").on("keys").help("Choose the columns that tell rows apart."));
        }
        cx.connection(&self.connection, "connection");
        if cx.failed() {
            return None;
        }
        let mode = match self.mode {
            LoadMode::Insert => Mode::Insert,
            LoadMode::Replace => Mode::Replace,
            LoadMode::Upsert => Mode::Upsert { keys },
        };
        Some(Planned::sink(Sink::Database { port: "in", connection: self.connection.clone(), table: self.table.clone(), mode }))
    }

    fn examples() -> Vec<Example> {
        let rows = "id:integer,amount:decimal(2)\n1,10.00";
        vec![
            Example::new("Rows are added.", json!({ "connection": "sqlite:shop.db", "table": "sales" })).input("in", rows).elsewhere(),
            Example::new(
                "One row for each key.",
                json!({ "connection": "erp", "table": "public.sales", "mode": "upsert", "keys": ["id"] }),
            )
            .input("in", rows)
            .elsewhere(),
            Example::new("The table is replaced.", json!({ "connection": "erp", "table": "sales", "mode": "replace" }))
                .input("in", rows)
                .elsewhere(),
            Example::new("An upsert needs a key.", json!({ "connection": "sqlite:a.db", "table": "sales", "mode": "upsert" }))
                .input("in", rows)
                .refused("Rows need a key"),
        ]
    }
}
