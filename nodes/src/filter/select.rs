//! `select`: which columns go on, under which names, in which order and of which type.

use datafusion::logical_expr::Expr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::retype::{possible, retype};
use crate::ColumnType;
use crate::example::Example;
use crate::kind::{Category, Identity, NodeKind, Planned, Planning, Ports, Words};
use crate::param::{Column, Columns, NewColumn};
use crate::problem::Problem;
use crate::table::{Table, column, is_hidden};
use crate::types::type_name;

/// Chooses, renames, orders and retypes columns.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Select {
    /// The columns that go on, in their new order.
    #[serde(default)]
    pub columns: Vec<Chosen>,
    /// The columns to leave out; all others go on.
    #[serde(default)]
    pub drop: Columns,
    /// What happens to columns named in neither list. When absent: they go on if some are dropped by name or none is
    /// chosen, else they are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<Others>,
}

/// One column that goes on.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Chosen {
    /// The column as it arrives. It may be chosen twice, under two names.
    pub column: Column,
    /// Its new name; absent keeps the name it has.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub name: Option<NewColumn>,
    /// Its new type; absent keeps the type it has. Numbers with too many decimals are rounded half away from zero; a
    /// value that has no place in the new type stops the run and is named with its row. Text must be in the form
    /// `1234.50`, `2026-09-30`, `2026-09-30 12:00:00` or `true`; other forms need a formula.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub to: Option<ColumnType>,
}

/// What happens to columns that are not named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Others {
    /// They are left out.
    Drop,
    /// They go on after the chosen ones, in their order.
    Keep,
}

impl Chosen {
    fn output(&self) -> &str {
        self.name.as_ref().map_or(&self.column.0, |name| &name.0)
    }

    /// The column it makes; reports what is wrong.
    fn plan(&self, cx: &mut Planning<'_>, table: &Table, i: usize) -> Option<(String, Expr)> {
        let from = cx.column_type(&self.column, table, &format!("columns[{i}].column"))?;
        let name = self.output();
        if name.is_empty() || is_hidden(name) {
            cx.problem(Problem::error("The new column has no name.").on(format!("columns[{i}].as")).help("Type a name for it."));
        }
        let expr = match self.to {
            Some(to) if !possible(&from, to) => {
                cx.problem(
                    Problem::error(format!("Column \"{}\" is {}, which cannot become {to}.", self.column.0, type_name(&from)))
                        .on(format!("columns[{i}].type"))
                        .help("Choose another type, or make a new column with a formula."),
                );
                return None;
            }
            Some(to) if to.arrow() != from => retype(table, &self.column.0, to),
            _ => column(&self.column.0),
        };
        Some((name.to_owned(), expr))
    }
}

impl NodeKind for Select {
    fn identity() -> Identity {
        Identity {
            id: "select",
            version: 1,
            category: Category::Filter,
            icon: "view_column",
            title: Words { en: "Select columns", fr: "Choisir les colonnes" },
            summary: Words {
                en: "Chooses which columns go on, and renames, reorders or retypes them.",
                fr: "Choisit les colonnes qui continuent, les renomme, les réordonne ou change leur type.",
            },
            synonyms: &[
                "column filter",
                "rename",
                "reorder",
                "change type",
                "cast",
                "convert",
                "drop columns",
                "keep columns",
                "colonnes",
                "renommer",
                "réordonner",
                "changer le type",
                "supprimer des colonnes",
            ],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let mut columns: Vec<(String, Expr)> = Vec::new();
        for (i, chosen) in self.columns.iter().enumerate() {
            if self.columns[..i].iter().any(|other| other.output() == chosen.output()) {
                cx.problem(
                    Problem::error(format!("Two columns would be called \"{}\".", chosen.output()))
                        .on(format!("columns[{i}].as"))
                        .help("Give one of them another name, or remove it."),
                );
            }
            columns.extend(chosen.plan(cx, &table, i));
        }
        for (i, dropped) in self.drop.0.iter().enumerate() {
            if cx.column_type(dropped, &table, &format!("drop[{i}]")).is_some() && self.columns.iter().any(|c| c.column == *dropped) {
                cx.problem(
                    Problem::error(format!("Column \"{}\" is both chosen and left out.", dropped.0))
                        .on(format!("drop[{i}]"))
                        .help("Remove it from one of the two lists."),
                );
            }
        }
        let others = self.others.unwrap_or(if self.columns.is_empty() || !self.drop.0.is_empty() { Others::Keep } else { Others::Drop });
        if others == Others::Keep {
            let named = |name: &str| self.drop.0.iter().chain(self.columns.iter().map(|c| &c.column)).any(|c| c.0 == name);
            for name in table.names().filter(|name| !named(name)) {
                if let Some(i) = self.columns.iter().position(|chosen| chosen.output() == name) {
                    cx.problem(
                        Problem::error(format!("Two columns would be called \"{name}\"."))
                            .on(format!("columns[{i}].as"))
                            .help("Choose another name, or leave the other column out."),
                    );
                }
                columns.push((name.to_owned(), column(name)));
            }
        }
        if cx.failed() {
            return None;
        }
        if columns.is_empty() {
            cx.problem(Problem::error("No column is left.").on("columns").help("Choose at least one column."));
            return None;
        }
        let table = cx.planned(table.project(columns))?;
        Some(Planned::table(table))
    }

    fn examples() -> Vec<Example> {
        let deals = "deal,owner,amount:decimal(3),day\nD1,Ann,1.005,2026-09-30\nD2,,-1.005,\nD1,Ann,2.000,2026-10-01";
        vec![
            Example::new(
                "Two columns go on, the second under a new name.",
                json!({ "columns": [{ "column": "amount" }, { "column": "deal", "as": "Deal no." }] }),
            )
            .input("in", deals)
            .output("out", "amount:decimal(3),Deal no.\n1.005,D1\n-1.005,D2\n2.000,D1"),
            Example::new("One column is left out.", json!({ "drop": ["owner"] }))
                .input("in", deals)
                .output("out", "deal,amount:decimal(3),day\nD1,1.005,2026-09-30\nD2,-1.005,\nD1,2.000,2026-10-01"),
            Example::new("One column moves to the front and the others follow.", json!({ "columns": [{ "column": "day" }], "others": "keep" }))
                .input("in", deals)
                .output("out", "day,deal,owner,amount:decimal(3)\n2026-09-30,D1,Ann,1.005\n,D2,,-1.005\n2026-10-01,D1,Ann,2.000"),
            Example::new(
                "Types change: text becomes a date, an amount is rounded half away from zero.",
                json!({ "columns": [{ "column": "day", "type": "date" }, { "column": "amount", "type": "decimal(2)" }, { "column": "amount", "as": "text", "type": "text" }] }),
            )
            .input("in", deals)
            .output("out", "day:date,amount:decimal(2),text\n2026-09-30,1.01,1.005\n,-1.01,-1.005\n2026-10-01,2.00,2.000"),
            Example::new("Two columns change places by name.", json!({ "columns": [{ "column": "a", "as": "b" }, { "column": "b", "as": "a" }] }))
                .input("in", "a,b\n1,2")
                .output("out", "b,a\n1,2"),
            Example::new("A table without rows.", json!({ "columns": [{ "column": "a", "type": "integer" }] })).input("in", "a").output("out", "a:integer"),
            Example::new("A column that is not there is refused.", json!({ "columns": [{ "column": "z" }] })).input("in", "a\nx").refused("\"z\""),
        ]
    }
}
