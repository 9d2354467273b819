//! `load.ledger`: rows into a table of the Universal Ledger (seed 000, B.4.1: *Load: Universal Ledger*).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::example::Example;
use crate::kind::{Category, Identity, LedgerMode, NodeKind, Planned, Planning, Ports, Sink, VALID_FROM, VALID_TO, Words};
use crate::param::{Column, Columns};
use crate::problem::Problem;
use crate::types::type_name;

/// Loads the rows into a table of the Universal Ledger, in one commit.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct LedgerLoad {
    /// The table; made by the first load.
    pub table: String,
    /// How the rows enter it.
    #[serde(default)]
    #[schemars(extend("x-weir-main" = true))]
    pub mode: Mode,
    /// For `replace_period`: the column whose values say which rows are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Column>,
    /// For `upsert` and `history`: the columns that tell rows apart.
    #[serde(default)]
    pub keys: Columns,
    /// For `history`: from when the rows hold, such as `2026-09-30`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// For `history`: whether keys that are not loaded end too.
    #[serde(default)]
    pub end_missing: bool,
    /// Whether only the approved version of the workflow may load it.
    #[serde(default)]
    pub governed: bool,
}

/// How rows enter a ledger table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are added.
    #[default]
    Append,
    /// They replace the rows of the periods they belong to.
    ReplacePeriod,
    /// They replace the rows with the same key, and add the others.
    Upsert,
    /// A row that differs ends the one before it and begins a new one, with the dates from when and until when it holds.
    History,
}

impl NodeKind for LedgerLoad {
    fn identity() -> Identity {
        Identity {
            id: "load.ledger",
            version: 1,
            category: Category::Load,
            icon: "account_balance",
            title: Words { en: "Ledger", fr: "Registre" },
            summary: Words {
                en: "Loads the rows into a table of the Universal Ledger: added, by period or by key, in one commit.",
                fr: "Charge les lignes dans une table du registre universel : ajout, par période ou par clé, en une seule validation.",
            },
            synonyms: &["delta", "database", "save", "append", "upsert", "base de données", "charger"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::sink()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        if self.table.is_empty() || !self.table.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            cx.problem(
                Problem::error(format!("\"{}\" is not a name for a ledger table.", self.table))
                    .on("table")
                    .help("Use letters, digits, _ and -."),
            );
        }
        for name in table.names().filter(|name| name.starts_with('_')) {
            cx.problem(
                Problem::error(format!("Column \"{name}\" begins with _, as the ledger's own columns do."))
                    .on("table")
                    .help("Rename it with a select step."),
            );
        }
        let mode = match self.mode {
            Mode::Append => LedgerMode::Append,
            Mode::ReplacePeriod => {
                let period = self.period.clone().unwrap_or_default();
                cx.column(&period, &table, "period")?;
                LedgerMode::ReplacePeriod { column: period.0 }
            }
            Mode::Upsert | Mode::History => {
                if self.keys.0.is_empty() {
                    cx.problem(Problem::error("Rows need a key here.").on("keys").help("Choose the columns that tell rows apart."));
                }
                cx.columns(&self.keys, &table, "keys");
                let keys = self.keys.0.iter().map(|key| key.0.clone()).collect();
                if self.mode == Mode::Upsert { LedgerMode::Upsert { keys } } else { self.history(cx, &table, keys) }
            }
        };
        if let Some(there) = cx.host().ledger_columns(&self.table) {
            for field in table.fields() {
                let Ok(known) = there.field_with_name(field.name()) else { continue };
                let (here, there) = (type_name(field.data_type()), type_name(known.data_type()));
                let fits = match (crate::ColumnType::of(field.data_type()), crate::ColumnType::of(known.data_type())) {
                    (Some(crate::ColumnType::Decimal(a)), Some(crate::ColumnType::Decimal(b))) => a <= b,
                    (Some(crate::ColumnType::Integer), Some(crate::ColumnType::Decimal(_))) => true,
                    (a, b) => a == b,
                };
                if !fits {
                    cx.problem(
                        Problem::error(format!(
                            "Column \"{}\" is {here}, and {there} in the ledger table \"{}\".",
                            field.name(),
                            self.table
                        ))
                        .on("table")
                        .help("Convert it with a select step, or load it under another name."),
                    );
                }
            }
        }
        if cx.failed() {
            return None;
        }
        Some(Planned::sink(Sink::Ledger { port: "in", table: self.table.clone(), mode, governed: self.governed }))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "The rows of a month replace those loaded before.",
                json!({ "table": "commissions", "mode": "replace_period", "period": "month" }),
            )
            .input("in", "owner,month,amount:decimal(2)\nJean,2026-09,10.00"),
            Example::new("One row for each deal.", json!({ "table": "deals", "mode": "upsert", "keys": ["id"] }))
                .input("in", "id:integer,stage\n1,won"),
            Example::new(
                "What a customer was, and when.",
                json!({ "table": "customers", "mode": "history", "keys": ["id"], "from": "2026-09-30" }),
            )
            .input("in", "id:integer,city\n1,Lyon"),
            Example::new("Rows are added.", json!({ "table": "deals", "mode": "append" })).input("in", "id:integer\n1"),
            Example::new("A key that is not there is refused.", json!({ "table": "deals", "mode": "upsert", "keys": ["key"] }))
                .input("in", "id:integer\n1")
                .refused("\"key\""),
        ]
    }
}

impl LedgerLoad {
    fn history(&self, cx: &mut Planning<'_>, table: &crate::Table, keys: Vec<String>) -> LedgerMode {
        let from = self.from.clone().unwrap_or_default();
        if chrono::NaiveDate::parse_from_str(&from, "%Y-%m-%d").is_err() {
            let what = format!("\"{from}\" is not the date from when the rows hold.");
            cx.problem(Problem::error(what).on("from").help("Write it like 2026-09-30, or name a parameter such as $close."));
        }
        for name in [VALID_FROM, VALID_TO].into_iter().filter(|name| table.has(name)) {
            let what = format!("The rows have a column \"{name}\" already, which a history makes.");
            cx.problem(Problem::error(what).on("mode").help("Rename it with a select step."));
        }
        LedgerMode::History { keys, from, end_missing: self.end_missing }
    }
}
