//! `sort`: rows in another order. Only the order's keys change; the rows are put in order where they become visible.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys::{self, SortKey};
use crate::example::Example;
use crate::kind::{Category, Identity, NodeKind, Planned, Planning, Ports, Words};
use crate::problem::Problem;

/// Puts rows in order.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Sort {
    /// The columns to sort by, the most important first.
    #[serde(default)]
    pub by: Vec<SortKey>,
}

impl NodeKind for Sort {
    fn identity() -> Identity {
        Identity {
            id: "sort",
            version: 1,
            category: Category::Filter,
            icon: "sort",
            title: Words { en: "Sort", fr: "Trier" },
            summary: Words {
                en: "Puts rows in the order of one or more columns.",
                fr: "Met les lignes dans l'ordre d'une ou de plusieurs colonnes.",
            },
            synonyms: &[
                "order by",
                "sorter",
                "arrange",
                "ascending",
                "descending",
                "tri",
                "classer",
                "ordonner",
                "croissant",
                "décroissant",
            ],
            order: Words {
                en: "By the columns given; rows that are equal in all of them stay in the order they had.",
                fr: "Selon les colonnes données ; les lignes égales sur toutes gardent l'ordre qu'elles avaient.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let mut table = cx.input("in")?;
        if self.by.is_empty() {
            cx.problem(Problem::error("There is no column to sort by.").on("by").help("Choose at least one column."));
        }
        let order = keys::order(&self.by, &table, "by", cx)?;
        if cx.failed() {
            return None;
        }
        table.order = keys::then(order, &table.order);
        Some(Planned::table(table))
    }

    fn examples() -> Vec<Example> {
        let deals = "deal,owner,amount:decimal(2)\nD1,Zoe,5.00\nD2,Ann,7.00\nD3,,1.00\nD4,Ann,9.00\nD5,Ann,7.00";
        vec![
            Example::new(
                "By owner, then largest amount first; equal rows keep their order and empty owners come last.",
                json!({ "by": [{ "column": "owner" }, { "column": "amount", "descending": true }] }),
            )
            .input("in", deals)
            .output("out", "deal,owner,amount:decimal(2)\nD4,Ann,9.00\nD2,Ann,7.00\nD5,Ann,7.00\nD1,Zoe,5.00\nD3,,1.00"),
            Example::new("Empty values first.", json!({ "by": [{ "column": "owner", "descending": true, "empty": "first" }] }))
                .input("in", deals)
                .output("out", "deal,owner,amount:decimal(2)\nD3,,1.00\nD1,Zoe,5.00\nD2,Ann,7.00\nD4,Ann,9.00\nD5,Ann,7.00"),
            Example::new("A table without rows.", json!({ "by": [{ "column": "n" }] })).input("in", "n:integer").output("out", "n:integer"),
            Example::new("Sorting twice by a column is refused.", json!({ "by": [{ "column": "owner" }, { "column": "owner" }] }))
                .input("in", deals)
                .refused("sorted by twice"),
        ]
    }
}
