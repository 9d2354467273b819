//! `range`: the row of a table between whose bounds a value lies.

use datafusion::logical_expr::when;

use super::as_of::{fetching_ports, keyed, places, split};
use super::lookup::{LookupOn, Missing, Take, fetched, taken};
use super::nearest::{Rule, fetching, found};
use crate::prelude::*;
use crate::window;

/// Fetches columns from the row of another table between whose bounds a value lies.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Range {
    /// The column with the value.
    pub value: Column,
    /// The column of the table with the lower bound. An empty one has no end.
    #[schemars(extend("x-weir-input" = "table"))]
    pub from: Column,
    /// The column of the table with the upper bound. An empty one has no end.
    #[schemars(extend("x-weir-input" = "table"))]
    pub to: Column,
    /// Whether a value that equals the upper bound lies within.
    #[serde(default = "yes")]
    pub includes_end: bool,
    /// The columns that must agree. None looks at the whole table.
    #[serde(default)]
    pub on: Vec<LookupOn>,
    /// The columns to fetch.
    #[serde(default)]
    pub take: Vec<Take>,
    /// What happens to a row that finds nothing.
    #[serde(default)]
    pub missing: Missing,
}

fn yes() -> bool {
    true
}

impl NodeKind for Range {
    fn identity() -> Identity {
        Identity {
            id: "range",
            version: 1,
            category: Category::Join,
            icon: "unfold_more",
            title: Words { en: "Range lookup", fr: "Rechercher par plage" },
            summary: Words {
                en: "Fetches columns from the row of a table between whose bounds a value lies.",
                fr: "Va chercher des colonnes dans la ligne d'une table dont les bornes encadrent une valeur.",
            },
            synonyms: &["range join", "between", "bracket", "band", "generate rows join", "barème", "plage", "entre"],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        let mut ports = fetching_ports();
        ports.outputs.push(OutPort { name: "overlaps", title: Words { en: "overlapping ranges", fr: "plages qui se chevauchent" } });
        ports
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let (rows, table) = (cx.input("in")?, cx.input("table")?);
        let keyed = keyed(cx, &self.on, &rows, &table);
        let taken = taken(&self.take, cx, &rows, &table);
        let lower = places(cx, (&self.value, "value", &rows), (&self.from, "from", &table));
        let upper = places(cx, (&self.value, "value", &rows), (&self.to, "to", &table));
        if cx.failed() {
            return None;
        }
        let (keyed, upper) = (keyed?, upper?);
        let mut columns = fetching(cx, &taken);
        let end = fetched(cx, taken.len());
        columns.push((end.clone(), upper.table));
        let rule = Rule { forward: false, strict: false, open: true };
        let found = found(cx.node(), (&rows, &table), &keyed, lower?, rule, columns);
        let (found, is_found) = cx.planned(found)?;
        let within = if self.includes_end { upper.rows.lt_eq(column(&end)) } else { upper.rows.lt(column(&end)) };
        let is_found = is_found.and(column(&end).is_null().or(within));
        // What lies past the end was not found, so nothing is fetched.
        let cut = (0..taken.len()).map(|i| Ok((fetched(cx, i), when(is_found.clone(), column(&fetched(cx, i))).end()?)));
        let cut = cut.collect::<datafusion::common::Result<Vec<_>>>().and_then(|cut| found.with_columns(cut));
        let found = cx.planned(cut)?;
        let mut planned = split(cx, &rows, found, is_found, &taken, self.missing, "Every value lies in a range")?;
        let overlaps = self.overlaps(cx, &table, &keyed);
        planned.flows.push(Flow::all("overlaps", cx.planned(overlaps)?));
        Some(planned.check(Check::empty("No two ranges of the table overlap", Severity::Block, "overlaps")))
    }

    fn examples() -> Vec<Example> {
        let bands = "from:integer,to:integer,grade\n100,199,B\n0,99,A\n200,,C";
        let find = |missing: &str| json!({ "value": "n", "from": "from", "to": "to", "take": [{ "column": "grade" }], "missing": missing });
        vec![
            Example::new("Both bounds lie within; a range without an upper bound has no end.", find("keep"))
                .input("in", "n:integer\n99\n100\n-1\n5000\n")
                .input("table", bands)
                .output("out", "n:integer,grade\n99,A\n100,B\n-1,\n5000,C")
                .output("missing", "n:integer\n-1")
                .output("overlaps", "from:integer,to:integer,grade"),
            Example::new(
                "By product, the upper bound left out.",
                json!({
                    "value": "d", "from": "start", "to": "end", "includes_end": false,
                    "on": [{ "column": "p", "in": "p" }], "take": [{ "column": "price" }], "missing": "port"
                }),
            )
            .input("in", "p,d:date\nx,2026-01-31\nx,2026-02-01\ny,2026-01-15")
            .input("table", "p,start:date,end:date,price:decimal(2)\nx,,2026-02-01,1.00\nx,2026-02-01,2026-03-01,2.00")
            .output("out", "p,d:date,price:decimal(2)\nx,2026-01-31,1.00\nx,2026-02-01,2.00")
            .output("missing", "p,d:date\ny,2026-01-15"),
            Example::new("Ranges that overlap are reported.", find("keep"))
                .input("in", "n:integer\n5")
                .input("table", "from:integer,to:integer,grade\n0,10,A\n10,20,B\n30,40,C")
                .output("overlaps", "from:integer,to:integer,grade\n10,20,B"),
            Example::new("A bound that is not there.", json!({ "value": "n", "from": "from", "to": "until" }))
                .input("in", "n:integer\n5")
                .input("table", bands)
                .refused("\"until\" is not in this table"),
        ]
    }
}

impl Range {
    /// The rows of the table that begin before an earlier one ends.
    fn overlaps(&self, cx: &Planning<'_>, table: &Table, keyed: &super::keys::Keyed) -> datafusion::common::Result<Table> {
        use datafusion::functions_window::expr_fn::lag;
        let hide = |what: &str| hidden(&format!("{}.{what}", cx.node()));
        let (end, before) = (hide("end before"), hide("row before"));
        let keyed_table = table.with_columns(keyed.right_keys(table))?;
        let keys: Vec<String> = (0..keyed.pairs.len()).map(|i| keyed.right_name(i)).collect();
        let from = OrderKey { column: self.from.0.clone(), descending: false, nulls_first: true, label: self.from.0.clone() };
        let order = crate::filter::keys::then(vec![from], &table.order);
        let previous = |what: Expr| window::over(lag(what, Some(1), None), &keys, &order, window::Frame::Group);
        let columns = vec![(end.clone(), previous(column(&self.to.0))?), (before.clone(), previous(lit(true))?)];
        let seen = window::with(&keyed_table, columns)?;
        let (from, end) = (column(&self.from.0), column(&end));
        let meets = if self.includes_end { from.clone().lt_eq(end.clone()) } else { from.clone().lt(end.clone()) };
        seen.filter(column(&before).is_not_null().and(end.is_null().or(from.is_null()).or(meets)))
    }
}
