//! `lookup`: columns fetched from another table by key, at most one match for each row.
//!
//! The table is reduced to the first row of each key before the join, so that a lookup can never multiply rows; keys
//! that come twice are reported by a control that blocks.

use arrow::datatypes::DataType;
use datafusion::common::{JoinType, NullEquality};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, WindowFunctionDefinition, lit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys::{Keyed, only};
use crate::example::Example;
use crate::filter::unique::numbered;
use crate::kind::{
    Arity, Category, Check, Flow, IN, Identity, InPort, NodeKind, OUT, OutPort, Outlet, Planned, Planning, Ports, Rows, Severity, Words,
};
use crate::param::{Column, NewColumn};
use crate::problem::Problem;
use crate::table::{Table, column, hidden, is_hidden};

/// Fetches columns from another table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Lookup {
    /// The columns that must agree. An empty value finds nothing.
    #[serde(default)]
    pub on: Vec<LookupOn>,
    /// The columns to fetch.
    #[serde(default)]
    pub take: Vec<Take>,
    /// What happens to a row that finds nothing.
    #[serde(default)]
    pub missing: Missing,
    /// Whether text agrees when only capitals differ.
    #[serde(default)]
    pub ignore_case: bool,
}

/// A pair of columns that must agree.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct LookupOn {
    /// The column of the incoming rows.
    #[schemars(extend("x-weir-input" = "in"))]
    pub column: Column,
    /// The column of the table that is looked up.
    #[serde(rename = "in")]
    #[schemars(extend("x-weir-input" = "table"))]
    pub in_table: Column,
}

/// A column to fetch.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Take {
    /// The column of the table that is looked up.
    #[schemars(extend("x-weir-input" = "table"))]
    pub column: Column,
    /// Its new name; absent keeps the name it has.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub name: Option<NewColumn>,
}

/// What happens to rows that find nothing. They always leave by the port `missing`, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Nothing is published while there is one.
    #[default]
    Block,
    /// They go on with empty values.
    Keep,
    /// They leave by the port `missing` only.
    Port,
}

impl Lookup {
    /// The first row of each key, with the keys and the columns fetched under hidden names.
    fn first_rows(cx: &Planning<'_>, table: &Table, keyed: &Keyed, taken: &[(String, String)]) -> datafusion::common::Result<Table> {
        let mut columns = keyed.right_keys(table);
        columns.extend(taken.iter().enumerate().map(|(i, (name, _))| (fetched(cx, i), column(name))));
        let keys: Vec<Expr> = columns.iter().take(keyed.pairs.len()).map(|(name, _)| column(name)).collect();
        let rank = hidden(&format!("{}.rank", cx.node()));
        let present = keys.iter().cloned().map(Expr::is_not_null).reduce(Expr::and).unwrap_or(lit(true));
        let table = table.project(columns)?.filter(present)?;
        numbered(&table, &rank, keys, &table.order)?.filter(column(&rank).eq(lit(1_u64)))
    }

    /// The rows of the table whose key comes more than once.
    fn repeated(cx: &Planning<'_>, table: &Table, keyed: &Keyed) -> datafusion::common::Result<Table> {
        let keyed_table = table.with_columns(keyed.right_keys(table))?;
        let keys: Vec<Expr> = (0..keyed.pairs.len()).map(|i| column(&keyed.right_name(i))).collect();
        let count = hidden(&format!("{}.count", cx.node()));
        let window = WindowFunction::new(WindowFunctionDefinition::AggregateUDF(count_udaf()), vec![lit(1_i64)]);
        let window = Expr::from(window).partition_by(keys.clone()).build()?.alias(&count);
        let present = keys.into_iter().map(Expr::is_not_null).reduce(Expr::and).unwrap_or(lit(true));
        let keyed_table = keyed_table.filter(present)?;
        let plan = LogicalPlanBuilder::from(keyed_table.plan).window([window])?.build()?;
        Table::new(plan, keyed_table.order).filter(column(&count).gt(lit(1_i64)))
    }

    /// Every incoming row with what it found, and the condition that says whether it did.
    fn found(
        cx: &Planning<'_>,
        rows: &Table,
        table: &Table,
        keyed: &Keyed,
        taken: &[(String, String)],
    ) -> datafusion::common::Result<(Table, Expr)> {
        let first = Self::first_rows(cx, table, keyed, taken)?;
        let mut build: Vec<(String, Expr)> = (0..keyed.pairs.len()).map(|i| (keyed.right_name(i), column(&keyed.right_name(i)))).collect();
        build.extend((0..taken.len()).map(|i| (fetched(cx, i), column(&fetched(cx, i)))));
        let build = only(&first, build)?;
        let probe = rows.with_columns(keyed.left_keys(rows))?;
        let keys = (keyed.right_names(), keyed.left_names());
        let plan = LogicalPlanBuilder::from(build)
            .join_detailed(probe.plan, JoinType::Right, keys, None, NullEquality::NullEqualsNothing)?
            .build()?;
        // A key that was found is never empty.
        let tag = keyed.right_name(0);
        let mut columns = rows.columns();
        columns.extend(taken.iter().enumerate().map(|(i, (_, shown))| (shown.clone(), column(&fetched(cx, i)))));
        columns.push((tag.clone(), column(&tag)));
        Ok((Table::new(plan, rows.order.clone()).project(columns)?, column(&tag).is_not_null()))
    }
}

/// The columns fetched: names in the table, and as they come out.
pub(super) fn taken(take: &[Take], cx: &mut Planning<'_>, rows: &Table, table: &Table) -> Vec<(String, String)> {
    let mut taken: Vec<(String, String)> = Vec::new();
    for (i, one) in take.iter().enumerate() {
        let Take { column: wanted, name } = one;
        if cx.column_type(wanted, table, &format!("take[{i}].column")).is_none() {
            continue;
        }
        let shown = name.as_ref().map_or(&wanted.0, |name| &name.0);
        if shown.is_empty() || is_hidden(shown) {
            cx.problem(Problem::error("The new column has no name.").on(format!("take[{i}].as")).help("Type a name for it."));
        } else if rows.has(shown) || taken.iter().any(|(_, other)| other == shown) {
            cx.problem(
                Problem::error(format!("There is already a column \"{shown}\"."))
                    .on(format!("take[{i}].as"))
                    .help("Give the column that is fetched another name."),
            );
        }
        taken.push((wanted.0.clone(), shown.clone()));
    }
    taken
}

/// The hidden name of the `i`th column fetched.
pub(super) fn fetched(cx: &Planning<'_>, i: usize) -> String {
    hidden(&format!("{}.fetched.{i}", cx.node()))
}

impl NodeKind for Lookup {
    fn identity() -> Identity {
        Identity {
            id: "lookup",
            version: 1,
            category: Category::Join,
            icon: "search",
            title: Words { en: "Look up", fr: "Rechercher" },
            summary: Words {
                en: "Fetches columns from a reference table by key, without ever adding or repeating a row.",
                fr: "Va chercher des colonnes dans une table de référence par clé, sans jamais ajouter ni répéter de ligne.",
            },
            synonyms: &[
                "vlookup",
                "xlookup",
                "recherchev",
                "recherchex",
                "find replace",
                "cell replacer",
                "left join",
                "reference",
                "référence",
                "enrichir",
            ],
            order: Words { en: "Rows stay in their order on every port.", fr: "Les lignes restent dans leur ordre à chaque sortie." },
        }
    }

    fn ports(&self) -> Ports {
        Ports {
            inputs: vec![IN, InPort { name: "table", arity: Arity::One, title: Words { en: "table", fr: "table" } }],
            outputs: vec![
                OUT,
                OutPort { name: "missing", title: Words { en: "not found", fr: "introuvables" } },
                OutPort { name: "duplicate_keys", title: Words { en: "repeated keys", fr: "clés répétées" } },
            ],
        }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let (rows, table) = (cx.input("in")?, cx.input("table")?);
        let pairs = self.on.iter().enumerate().map(|(i, on)| (&on.column, format!("on[{i}].column"), &on.in_table, format!("on[{i}].in")));
        let keyed = Keyed::new(cx, (&rows, &table), pairs, self.ignore_case);
        let taken = taken(&self.take, cx, &rows, &table);
        let keyed = keyed?;
        for (i, pair) in keyed.pairs.iter().enumerate() {
            if pair.common == DataType::Null {
                cx.problem(
                    Problem::error(format!("Columns \"{}\" and \"{}\" are both empty.", pair.left, pair.right))
                        .on(format!("on[{i}].column"))
                        .help("Choose columns that hold values."),
                );
            }
        }
        if cx.failed() {
            return None;
        }
        let found = Self::found(cx, &rows, &table, &keyed, &taken);
        let (found, is_found) = cx.planned(found)?;
        let repeated = Self::repeated(cx, &table, &keyed);
        let repeated = cx.planned(repeated)?;
        let out = if self.missing == Missing::Keep { Rows::All } else { Rows::Where(is_found.clone()) };
        let original = rows.columns();
        let outlets = vec![
            Outlet { port: "out", rows: out, columns: None, order: None },
            Outlet { port: "missing", rows: Rows::Where(is_found.is_not_true()), columns: Some(original), order: None },
        ];
        let names = |side: fn(&LookupOn) -> &Column| self.on.iter().map(|on| format!("[{}]", side(on).0)).collect::<Vec<_>>().join(", ");
        let (column_names, table_names) = (names(|on| &on.column), names(|on| &on.in_table));
        let mut planned =
            Planned { flows: vec![Flow { table: found, outlets }, Flow::all("duplicate_keys", repeated)], ..Planned::default() };
        if self.missing == Missing::Block {
            planned = planned.check(Check::empty(
                format!("Every row finds its {column_names} in {table_names} of the table."),
                Severity::Block,
                "missing",
            ));
        }
        Some(planned.check(Check::empty(format!("Every {table_names} comes only once in the table."), Severity::Block, "duplicate_keys")))
    }

    fn examples() -> Vec<Example> {
        let deals = "deal,owner,amount:integer\nD1,Bob,10\nD2,Zoe,20\nD3,,30\nD4,Ann,40\nD5,Bob,50";
        let people = "name,team,rate:decimal(2)\nAnn,North,0.10\nBob,South,0.20\n,Nobody,0.30";
        vec![
            Example::new(
                "Each deal gets its owner's rate; a deal whose owner is unknown blocks the run.",
                json!({ "on": [{ "column": "owner", "in": "name" }], "take": [{ "column": "rate" }] }),
            )
            .input("in", deals)
            .input("table", people)
            .output("out", "deal,owner,amount:integer,rate:decimal(2)\nD1,Bob,10,0.20\nD4,Ann,40,0.10\nD5,Bob,50,0.20")
            .output("missing", "deal,owner,amount:integer\nD2,Zoe,20\nD3,,30")
            .output("duplicate_keys", "name,team,rate:decimal(2)"),
            Example::new(
                "Unknown owners go on with empty values, and can be looked at apart.",
                json!({
                    "on": [{ "column": "owner", "in": "name" }],
                    "take": [{ "column": "team", "as": "owner team" }, { "column": "rate" }],
                    "missing": "keep"
                }),
            )
            .input("in", deals)
            .input("table", people)
            .output(
                "out",
                "deal,owner,amount:integer,owner team,rate:decimal(2)\nD1,Bob,10,South,0.20\nD2,Zoe,20,,\nD3,,30,,\nD4,Ann,40,North,0.10\nD5,Bob,50,South,0.20",
            )
            .output("missing", "deal,owner,amount:integer\nD2,Zoe,20\nD3,,30"),
            Example::new(
                "A repeated key gives its first row, never two rows, and is reported; capitals do not matter here.",
                json!({
                    "on": [{ "column": "owner", "in": "name" }], "take": [{ "column": "team" }],
                    "missing": "port", "ignore_case": true
                }),
            )
            .input("in", "deal,owner\nD1,ANN\nD2,bob")
            .input("table", "name,team\nAnn,North\nBob,South\nann,West")
            .output("out", "deal,owner,team\nD1,ANN,North\nD2,bob,South")
            .output("missing", "deal,owner")
            .output("duplicate_keys", "name,team\nAnn,North\nann,West"),
            Example::new(
                "A table without rows finds nothing.",
                json!({ "on": [{ "column": "n", "in": "n" }], "take": [{ "column": "v" }], "missing": "keep" }),
            )
            .input("in", "n:integer\n1")
            .input("table", "n:decimal(2),v")
            .output("out", "n:integer,v\n1,")
            .output("missing", "n:integer\n1"),
            Example::new("Without a column to match by it is refused.", json!({ "take": [{ "column": "team" }] }))
                .input("in", "owner\nAnn")
                .input("table", "name,team\nAnn,North")
                .refused("no column to match by"),
        ]
    }
}
