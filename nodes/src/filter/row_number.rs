//! `row_number`: numbers rows, over the whole table or anew in each group.

use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, cast, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys::{self, SortKey};
use super::unique::numbered;
use crate::example::Example;
use crate::kind::{Category, Identity, NodeKind, Planned, Planning, Ports, Words};
use crate::param::{Columns, NewColumn};
use crate::problem::Problem;
use crate::table::{column, hidden};

/// The largest number to start from, either side of zero: numbering can never leave 64 bits.
const FURTHEST_START: i64 = 1_000_000_000_000_000;

/// Numbers rows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RowNumber {
    /// The name of the column with the numbers. It comes last.
    #[serde(default = "row", rename = "as")]
    pub name: NewColumn,
    /// The first number.
    #[serde(default = "one")]
    pub start: i64,
    /// The columns whose groups are numbered each on their own. None means the whole table.
    #[serde(default)]
    pub per: Columns,
    /// The order in which rows are numbered, when it is not the order they are in. The rows themselves do not move.
    #[serde(default)]
    pub by: Vec<SortKey>,
}

fn row() -> NewColumn {
    NewColumn("row".into())
}

fn one() -> i64 {
    1
}

impl NodeKind for RowNumber {
    fn identity() -> Identity {
        Identity {
            id: "row_number",
            version: 1,
            category: Category::Filter,
            icon: "format_list_numbered",
            title: Words { en: "Number rows", fr: "Numéroter les lignes" },
            summary: Words {
                en: "Adds a column that numbers the rows, over the whole table or in each group.",
                fr: "Ajoute une colonne qui numérote les lignes, sur toute la table ou dans chaque groupe.",
            },
            synonyms: &[
                "record id",
                "index column",
                "rank",
                "counter",
                "row id",
                "sequence",
                "numéro de ligne",
                "rang",
                "colonne d'index",
                "compteur",
            ],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        cx.new_name(&self.name, table.has(&self.name.0), "as");
        if self.start.checked_abs().is_none_or(|start| start > FURTHEST_START) {
            cx.problem(
                Problem::error(format!("Numbering cannot start at {}.", self.start))
                    .on("start")
                    .help(format!("Start between -{FURTHEST_START} and {FURTHEST_START}.")),
            );
        }
        let mut per: Vec<Expr> = Vec::new();
        for (i, wanted) in self.per.0.iter().enumerate() {
            per.extend(cx.column(wanted, &table, &format!("per[{i}]")));
        }
        let by = keys::order(&self.by, &table, "by", cx);
        if cx.failed() {
            return None;
        }
        let rank = hidden(&format!("{}.number", cx.node()));
        let table = cx.planned(numbered(&table, &rank, per, &keys::then(by?, &table.order)))?;
        let number = cast(column(&rank), DataType::Int64) + lit(self.start - 1);
        let table = cx.planned(table.with_columns(vec![(self.name.0.clone(), number)]))?;
        Some(Planned::table(table))
    }

    fn examples() -> Vec<Example> {
        let deals = "deal,owner,amount:integer\nD1,Ann,5\nD2,Bob,7\nD3,Ann,9\nD4,,1\nD5,,2";
        vec![
            Example::new("Rows are numbered from 1 in the order they are in.", json!({}))
                .input("in", deals)
                .output("out", "deal,owner,amount:integer,row:integer\nD1,Ann,5,1\nD2,Bob,7,2\nD3,Ann,9,3\nD4,,1,4\nD5,,2,5"),
            Example::new(
                "Each owner's deals are ranked, largest first; the rows do not move.",
                json!({ "as": "rank", "per": ["owner"], "by": [{ "column": "amount", "descending": true }] }),
            )
            .input("in", deals)
            .output("out", "deal,owner,amount:integer,rank:integer\nD1,Ann,5,2\nD2,Bob,7,1\nD3,Ann,9,1\nD4,,1,2\nD5,,2,1"),
            Example::new("Numbers may start anywhere.", json!({ "as": "line", "start": 100 }))
                .input("in", "deal\nD1\nD2")
                .output("out", "deal,line:integer\nD1,100\nD2,101"),
            Example::new("A table without rows.", json!({})).input("in", "deal").output("out", "deal,row:integer"),
            Example::new("A name that is taken is refused.", json!({ "as": "deal" }))
                .input("in", deals)
                .refused("already a column \"deal\""),
        ]
    }
}
