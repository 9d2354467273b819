//! `load.delta`: a Delta Lake table of others, or for others.

use crate::kind::{LedgerMode, Sink};
use crate::param::FolderPath;
use crate::prelude::*;

/// Loads the rows into a Delta Lake table, in one commit. The table is made where it is missing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct DeltaLoad {
    /// The table's folder.
    pub path: FolderPath,
    /// How the rows enter it.
    #[serde(default)]
    #[schemars(extend("x-weir-main" = true))]
    pub mode: DeltaMode,
    /// For `replace_period`: the column whose values say which rows are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Column>,
    /// For `upsert`: the columns that tell rows apart.
    #[serde(default)]
    pub keys: Columns,
}

/// How rows enter a Delta table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeltaMode {
    /// They are added.
    #[default]
    Append,
    /// They replace everything in the table; its earlier versions stay.
    Replace,
    /// They replace the rows of the periods they belong to.
    ReplacePeriod,
    /// They replace the rows with the same key, and add the others.
    Upsert,
}

impl NodeKind for DeltaLoad {
    fn identity() -> Identity {
        Identity {
            id: "load.delta",
            version: 1,
            category: Category::Load,
            icon: "change_history",
            title: Words { en: "Delta output", fr: "Sortie Delta" },
            summary: Words {
                en: "Loads the rows into a Delta Lake table in one commit, when every control holds.",
                fr: "Charge les lignes dans une table Delta Lake en une seule validation, quand tous les contrôles tiennent.",
            },
            synonyms: &["delta lake", "lakehouse", "databricks", "save", "append", "upsert", "output data", "merge"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::sink()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        if self.path.0.is_empty() {
            cx.problem(Problem::error("The table has no folder.").on("path").help("Name it, for example lake/sales."));
        }
        cx.place(&self.path.0, "path");
        let keys = cx.columns(&self.keys, &table, "keys");
        let mode = match self.mode {
            DeltaMode::Append => LedgerMode::Append,
            DeltaMode::Replace => LedgerMode::Replace,
            DeltaMode::ReplacePeriod => {
                let period = self.period.clone().unwrap_or_default();
                cx.column(&period, &table, "period")?;
                LedgerMode::ReplacePeriod { column: period.0 }
            }
            DeltaMode::Upsert => {
                if self.keys.0.is_empty() {
                    cx.problem(Problem::error("Rows need a key here.").on("keys").help("Choose the columns that tell rows apart."));
                }
                LedgerMode::Upsert { keys }
            }
        };
        if cx.failed() {
            return None;
        }
        Some(Planned::sink(Sink::Lake { port: "in", path: self.path.0.clone(), mode }))
    }

    fn examples() -> Vec<Example> {
        let rows = "id:integer,month,amount:decimal(2)\n1,2026-09,10.00";
        vec![
            Example::new("Rows are added.", json!({ "path": "lake/sales" })).input("in", rows),
            Example::new(
                "The rows of a month replace those loaded before.",
                json!({ "path": "lake/sales", "mode": "replace_period", "period": "month" }),
            )
            .input("in", rows),
            Example::new("One row for each key.", json!({ "path": "lake/sales", "mode": "upsert", "keys": ["id"] })).input("in", rows),
            Example::new("An upsert needs a key.", json!({ "path": "lake/sales", "mode": "upsert" }))
                .input("in", rows)
                .refused("Rows need a key"),
        ]
    }
}
