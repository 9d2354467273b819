//! `unique`: one row of each kind goes on, its doubles leave apart. The rows of one key are numbered, best first; number
//! one is the row that stays.

use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys::{self, SortKey};
use crate::example::Example;
use crate::kind::{Category, Flow, Identity, NodeKind, OUT, OutPort, Planned, Planning, Ports, Words};
use crate::param::Columns;
use crate::table::{OrderKey, Table, column, hidden};

/// Keeps one row for each value.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Unique {
    /// The columns in which doubles agree. None means all columns. Two empty values agree; text must be the same to the
    /// character.
    #[serde(default)]
    pub by: Columns,
    /// Which of several rows stays: the first or the last in the order they arrive.
    #[serde(default)]
    pub keep: Keep,
    /// What makes a row the better one, before `keep` decides: the row that sorts first stays (for example the latest
    /// date, descending).
    #[serde(default)]
    pub prefer: Vec<SortKey>,
}

/// Which of several rows stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// The one that comes first.
    #[default]
    First,
    /// The one that comes last.
    Last,
}

/// The same rows with their number, from 1, among the rows that agree in `per`, as `name` (an unsigned integer).
pub(crate) fn numbered(table: &Table, name: &str, per: Vec<Expr>, by: &[OrderKey]) -> datafusion::common::Result<Table> {
    let number = row_number().partition_by(per).order_by(by.iter().map(OrderKey::sort).collect()).build()?.alias(name);
    let plan = LogicalPlanBuilder::from(table.plan.clone()).window([number])?.build()?;
    Ok(Table::new(plan, table.order.clone()))
}

impl NodeKind for Unique {
    fn identity() -> Identity {
        Identity {
            id: "unique",
            version: 1,
            category: Category::Filter,
            icon: "fingerprint",
            title: Words { en: "Remove duplicates", fr: "Supprimer les doublons" },
            summary: Words {
                en: "Keeps one row for each value of the chosen columns and sends the duplicates elsewhere.",
                fr: "Garde une ligne par valeur des colonnes choisies et envoie les doublons ailleurs.",
            },
            synonyms: &["unique", "distinct", "deduplicate", "duplicate row filter", "doublons", "dédoublonner", "valeurs uniques"],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, OutPort { name: "duplicates", title: Words { en: "duplicates", fr: "doublons" } }])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let mut per: Vec<Expr> = Vec::new();
        for (i, wanted) in self.by.0.iter().enumerate() {
            per.extend(cx.column(wanted, &table, &format!("by[{i}]")));
        }
        let prefer = keys::order(&self.prefer, &table, "prefer", cx);
        if cx.failed() {
            return None;
        }
        if per.is_empty() {
            per = table.names().map(column).collect();
        }
        let mut arrival = table.order.clone();
        if self.keep == Keep::Last {
            for key in &mut arrival {
                key.descending = !key.descending;
                key.nulls_first = !key.nulls_first;
            }
        }
        let rank = hidden(&format!("{}.rank", cx.node()));
        let table = cx.planned(numbered(&table, &rank, per, &keys::then(prefer?, &arrival)))?;
        Some(Planned::flow(Flow::split(table, column(&rank).eq(lit(1_u64)), "out", "duplicates")))
    }

    fn examples() -> Vec<Example> {
        let deals = "deal,owner,amount:integer\nD1,Ann,5\nD2,Bob,7\nD1,Ann,9\nD3,,1\nD1,Ann,5\nD4,,2";
        vec![
            Example::new("The first row of each deal stays.", json!({ "by": ["deal"] }))
                .input("in", deals)
                .output("out", "deal,owner,amount:integer\nD1,Ann,5\nD2,Bob,7\nD3,,1\nD4,,2")
                .output("duplicates", "deal,owner,amount:integer\nD1,Ann,9\nD1,Ann,5"),
            Example::new("The last row of each deal stays.", json!({ "by": ["deal"], "keep": "last" }))
                .input("in", deals)
                .output("out", "deal,owner,amount:integer\nD2,Bob,7\nD3,,1\nD1,Ann,5\nD4,,2")
                .output("duplicates", "deal,owner,amount:integer\nD1,Ann,5\nD1,Ann,9"),
            Example::new(
                "The row with the largest amount stays, and empty owners count as one.",
                json!({ "by": ["owner"], "prefer": [{ "column": "amount", "descending": true }] }),
            )
            .input("in", deals)
            .output("out", "deal,owner,amount:integer\nD2,Bob,7\nD1,Ann,9\nD4,,2")
            .output("duplicates", "deal,owner,amount:integer\nD1,Ann,5\nD3,,1\nD1,Ann,5"),
            Example::new("Without columns, whole rows are compared.", json!({}))
                .input("in", deals)
                .output("out", "deal,owner,amount:integer\nD1,Ann,5\nD2,Bob,7\nD1,Ann,9\nD3,,1\nD4,,2")
                .output("duplicates", "deal,owner,amount:integer\nD1,Ann,5"),
            Example::new("A table without rows.", json!({ "by": ["deal"] }))
                .input("in", "deal")
                .output("out", "deal")
                .output("duplicates", "deal"),
            Example::new("A column that is not there is refused.", json!({ "by": ["dael"] }))
                .input("in", deals)
                .refused("Did you mean \"deal\"?"),
        ]
    }
}
