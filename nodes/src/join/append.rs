//! `append`: the values of a one-row table on every row.

use datafusion::common::{Column as Name, JoinType, NullEquality};

use super::as_of::fetching_ports;
use super::keys::only;
use super::lookup::{Take, fetched, taken};
use crate::prelude::*;
use crate::window;

/// Adds the values of a table of one row to every row.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Append {
    /// The columns to add. None means all of them.
    #[serde(default)]
    pub take: Vec<Take>,
}

impl NodeKind for Append {
    fn identity() -> Identity {
        Identity {
            id: "append",
            version: 1,
            category: Category::Join,
            icon: "add_column_right",
            title: Words { en: "Append values", fr: "Ajouter des valeurs" },
            summary: Words {
                en: "Puts the values of a one-row table, such as a total or a date, on every row.",
                fr: "Met les valeurs d'une table d'une ligne, comme un total ou une date, sur chaque ligne.",
            },
            synonyms: &["append fields", "constant columns", "add total", "broadcast", "ajouter des champs", "variable to column"],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        let mut ports = fetching_ports();
        ports.outputs[1] = OutPort { name: "extra", title: Words { en: "rows too many", fr: "lignes en trop" } };
        ports
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let (rows, table) = (cx.input("in")?, cx.input("table")?);
        let all = || table.names().map(|name| Take { column: Column(name.into()), name: None }).collect();
        let take = if self.take.is_empty() { all() } else { self.take.clone() };
        let taken = taken(&take, cx, &rows, &table);
        if cx.failed() {
            return None;
        }
        let added = Self::added(cx, &rows, &table, &taken);
        let (added, extra) = cx.planned(added)?;
        let planned = Planned { flows: vec![Flow::all("out", added), Flow::all("extra", extra)], ..Planned::default() };
        Some(planned.check(Check::empty("The table has one row only", Severity::Block, "extra")))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A total on every row.", json!({}))
                .input("in", "a\nx\ny")
                .input("table", "total:decimal(2)\n12.50")
                .output("out", "a,total:decimal(2)\nx,12.50\ny,12.50")
                .output("extra", "total:decimal(2)"),
            Example::new("Some columns, renamed; rows too many are reported.", json!({ "take": [{ "column": "a", "as": "b" }] }))
                .input("in", "a\nx")
                .input("table", "a,c\n1,2\n3,4")
                .output("out", "a,b\nx,1")
                .output("extra", "a,c\n3,4"),
            Example::new("A table without rows adds empty values.", json!({}))
                .input("in", "a\nx")
                .input("table", "t:integer")
                .output("out", "a,t:integer\nx,"),
            Example::new("A column that both have needs another name.", json!({}))
                .input("in", "a\nx")
                .input("table", "a\n1")
                .refused("already a column \"a\""),
        ]
    }
}

impl Append {
    /// The rows with the values of the table's first row, and the table's other rows.
    fn added(cx: &Planning<'_>, rows: &Table, table: &Table, taken: &[(String, String)]) -> datafusion::common::Result<(Table, Table)> {
        let hide = |what: &str| hidden(&format!("{}.{what}", cx.node()));
        let (number, one, same) = (hide("number"), hide("one"), hide("same"));
        let numbered = window::with(table, vec![(number.clone(), window::place(&[], &table.order)?)])?;
        let first = numbered.filter(column(&number).eq(lit(1_u64)))?;
        let extra = numbered.filter(column(&number).gt(lit(1_u64)))?;
        let mut build: Vec<(String, Expr)> = vec![(one.clone(), lit(1_i64))];
        build.extend(taken.iter().enumerate().map(|(i, (name, _))| (fetched(cx, i), column(name))));
        let build = only(&first, build)?;
        let probe = rows.with_columns(vec![(same.clone(), lit(1_i64))])?;
        let on = (vec![Name::new_unqualified(&one)], vec![Name::new_unqualified(&same)]);
        let plan = LogicalPlanBuilder::from(build)
            .join_detailed(probe.plan, JoinType::Right, on, None, NullEquality::NullEqualsNothing)?
            .build()?;
        let mut columns = rows.columns();
        columns.extend(taken.iter().enumerate().map(|(i, (_, shown))| (shown.clone(), column(&fetched(cx, i)))));
        Ok((Table::new(plan, rows.order.clone()).project(columns)?, extra))
    }
}
