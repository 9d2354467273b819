//! `as_of`: the latest row on or before a date: rates, prices, positions.

use datafusion::logical_expr::cast;

use super::keys::{Keyed, unify};
use super::lookup::{LookupOn, Missing, Take, fetched, taken};
use super::nearest::{Places, Rule, fetching, found};
use crate::prelude::*;

/// Fetches columns from the latest earlier row of another table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct AsOf {
    /// The date or number of each side.
    pub at: LookupOn,
    /// The columns that must agree, such as a currency. None looks at the whole table.
    #[serde(default)]
    pub on: Vec<LookupOn>,
    /// The columns to fetch.
    #[serde(default)]
    pub take: Vec<Take>,
    /// Which row is taken.
    #[serde(default)]
    pub direction: Direction,
    /// Whether a row at the very same date does not count.
    #[serde(default)]
    pub strict: bool,
    /// What happens to a row that finds nothing.
    #[serde(default)]
    pub missing: Missing,
}

/// Which row is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The last one on or before.
    #[default]
    Earlier,
    /// The first one on or after.
    Later,
}

impl NodeKind for AsOf {
    fn identity() -> Identity {
        Identity {
            id: "as_of",
            version: 1,
            category: Category::Join,
            icon: "history",
            title: Words { en: "As of", fr: "À la date" },
            summary: Words {
                en: "Fetches columns from the latest row on or before each row's date, such as the rate or the price of the day.",
                fr: "Va chercher des colonnes dans la dernière ligne à la date de chaque ligne ou avant, comme le cours ou le prix du jour.",
            },
            synonyms: &[
                "asof join",
                "latest rate",
                "price at date",
                "effective date",
                "approximate match",
                "cours du jour",
                "date d'effet",
            ],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        fetching_ports()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let (rows, table) = (cx.input("in")?, cx.input("table")?);
        let keyed = keyed(cx, &self.on, &rows, &table);
        let taken = taken(&self.take, cx, &rows, &table);
        let places = places(cx, (&self.at.column, "at.column", &rows), (&self.at.in_table, "at.in", &table));
        if cx.failed() {
            return None;
        }
        let rule = Rule { forward: self.direction == Direction::Later, strict: self.strict, open: false };
        let found = found(cx.node(), (&rows, &table), &keyed?, places?, rule, fetching(cx, &taken));
        let (found, is_found) = cx.planned(found)?;
        let planned = split(cx, &rows, found, is_found, &taken, self.missing, "Every row finds a row at its date or before")?;
        Some(planned)
    }

    fn examples() -> Vec<Example> {
        let rates = "currency,day:date,rate:decimal(4)\nUSD,2026-01-05,1.1000\nUSD,2026-01-01,1.0500\nGBP,2026-01-03,0.8500\nUSD,,9.0000";
        let sales = "id,currency,day:date\na,USD,2026-01-04\nb,USD,2026-01-05\nc,GBP,2026-01-01\nd,USD,2026-02-01\ne,,2026-02-01";
        let on = json!([{ "column": "currency", "in": "currency" }]);
        vec![
            Example::new(
                "The rate of the day or the last one before it; what comes before all rates finds none.",
                json!({ "at": { "column": "day", "in": "day" }, "on": on, "take": [{ "column": "rate" }], "missing": "keep" }),
            )
            .input("in", sales)
            .input("table", rates)
            .output(
                "out",
                "id,currency,day:date,rate:decimal(4)\na,USD,2026-01-04,1.0500\nb,USD,2026-01-05,1.1000\nc,GBP,2026-01-01,\nd,USD,2026-02-01,1.1000\ne,,2026-02-01,",
            )
            .output("missing", "id,currency,day:date\nc,GBP,2026-01-01\ne,,2026-02-01"),
            Example::new(
                "The next one, never that of the day itself.",
                json!({
                    "at": { "column": "day", "in": "day" }, "on": on, "take": [{ "column": "rate" }, { "column": "day", "as": "rate day" }],
                    "direction": "later", "strict": true, "missing": "port"
                }),
            )
            .input("in", sales)
            .input("table", rates)
            .output("out", "id,currency,day:date,rate:decimal(4),rate day:date\na,USD,2026-01-04,1.1000,2026-01-05\nc,GBP,2026-01-01,0.8500,2026-01-03")
            .output("missing", "id,currency,day:date\nb,USD,2026-01-05\nd,USD,2026-02-01\ne,,2026-02-01"),
            Example::new(
                "Without keys; a table without rows finds nothing.",
                json!({ "at": { "column": "n", "in": "n" }, "take": [{ "column": "v" }], "missing": "keep" }),
            )
            .input("in", "n:integer\n1")
            .input("table", "n:decimal(1),v")
            .output("out", "n:integer,v\n1,"),
            Example::new("A text is not a place in time.", json!({ "at": { "column": "id", "in": "day" }, "on": [], "take": [] }))
                .input("in", sales)
                .input("table", rates)
                .refused("cannot be compared"),
        ]
    }
}

/// The ports of a step that fetches columns: rows and a table in; rows, and those that found nothing, out.
pub(super) fn fetching_ports() -> Ports {
    Ports {
        inputs: vec![IN, InPort { name: "table", arity: Arity::One, title: Words { en: "table", fr: "table" } }],
        outputs: vec![OUT, OutPort { name: "missing", title: Words { en: "not found", fr: "introuvables" } }],
    }
}

/// The keys, if any.
pub(super) fn keyed(cx: &mut Planning<'_>, on: &[LookupOn], rows: &Table, table: &Table) -> Option<Keyed> {
    if on.is_empty() {
        return Some(Keyed::none(cx));
    }
    let pairs = on.iter().enumerate().map(|(i, on)| (&on.column, format!("on[{i}].column"), &on.in_table, format!("on[{i}].in")));
    Keyed::new(cx, (rows, table), pairs, false)
}

/// The places of both sides as one type. Reports what cannot be compared.
pub(super) fn places(cx: &mut Planning<'_>, ours: (&Column, &str, &Table), theirs: (&Column, &str, &Table)) -> Option<Places> {
    let (left, right) = (cx.column_type(ours.0, ours.2, ours.1), cx.column_type(theirs.0, theirs.2, theirs.1));
    let (left, right) = (left?, right?);
    let Some(common) = unify(&left, &right) else {
        let what =
            format!("\"{}\" is {} and \"{}\" is {}: they cannot be compared.", ours.0.0, type_name(&left), theirs.0.0, type_name(&right));
        cx.problem(Problem::error(what).on(ours.1).help("Give both the same type with a \"Select columns\" step before this one."));
        return None;
    };
    let typed = |name: &str, found: &DataType| if *found == common { column(name) } else { cast(column(name), common.clone()) };
    Some(Places { rows: typed(&ours.0.0, &left), table: typed(&theirs.0.0, &right) })
}

/// The ports of rows that found something and of those that did not, with the control that says so.
pub(super) fn split(
    cx: &mut Planning<'_>,
    rows: &Table,
    found: Table,
    is_found: Expr,
    taken: &[(String, String)],
    missing: Missing,
    title: &str,
) -> Option<Planned> {
    let original = rows.columns();
    let tag = hidden(&format!("{}.found", cx.node()));
    let mut columns = original.clone();
    columns.extend(taken.iter().enumerate().map(|(i, (_, shown))| (shown.clone(), column(&fetched(cx, i)))));
    columns.push((tag.clone(), is_found));
    let found = cx.planned(found.project(columns))?;
    let is_found = column(&tag);
    let out = if missing == Missing::Keep { Rows::All } else { Rows::Where(is_found.clone()) };
    let outlets = vec![
        Outlet { port: "out", rows: out, columns: None, order: None },
        Outlet { port: "missing", rows: Rows::Where(is_found.is_not_true()), columns: Some(original), order: None },
    ];
    let mut planned = Planned::flow(Flow { table: found, outlets });
    if missing == Missing::Block {
        planned = planned.check(Check::empty(title.to_owned(), Severity::Block, "missing"));
    }
    Some(planned)
}
