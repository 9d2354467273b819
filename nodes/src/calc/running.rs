//! `running` and `moving`: figures over the rows before each row.

use datafusion::functions_aggregate::expr_fn::{count, max, min};

use crate::filter::keys::{self, SortKey};
use crate::prelude::*;
use crate::window::{self, Frame};

/// A figure over several rows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// The name of its column.
    #[serde(rename = "as")]
    pub name: NewColumn,
    /// How it is computed.
    #[serde(default)]
    pub function: Function,
    /// The column it is computed of.
    pub column: Column,
}

/// How a figure over several rows is computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// The sum, exact and checked.
    #[default]
    Sum,
    /// The average, rounded half away from zero at 12 decimals or more.
    Average,
    /// How many values are not empty.
    Count,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
}

/// The rows in their own order, with figures over those that a frame takes in, in the order `by`.
pub(super) fn figures(
    cx: &mut Planning<'_>,
    table: &Table,
    figures: &[Figure],
    per: &Columns,
    by: &[SortKey],
    frame: Frame,
) -> Option<Table> {
    let per = cx.columns(per, table, "per");
    let by = keys::order(by, table, "by", cx);
    if figures.is_empty() {
        cx.problem(Problem::error("There is nothing to compute.").on("figures").help("Add a figure."));
    }
    let mut calls = Vec::new();
    for (i, figure) in figures.iter().enumerate() {
        let taken = table.has(&figure.name.0) || figures[..i].iter().any(|other| other.name == figure.name);
        cx.new_name(&figure.name, taken, &format!("figures[{i}].as"));
        let field = format!("figures[{i}].column");
        let Some(data_type) = cx.column_type(&figure.column, table, &field) else { continue };
        let number = ColumnType::of(&data_type).is_some_and(ColumnType::is_number);
        if matches!(figure.function, Function::Sum | Function::Average) && !number {
            let what = format!("Values of type {} cannot be added up.", type_name(&data_type));
            cx.problem(Problem::error(what).on(field).help("Choose a column of numbers."));
            continue;
        }
        let (value, name) = (column(&figure.column.0), figure.name.0.as_str());
        let call = match figure.function {
            Function::Sum => number::sum(value, name),
            Function::Average => number::average(value, name),
            Function::Count => count(value),
            Function::Min => min(value),
            Function::Max => max(value),
        };
        calls.push((name.to_owned(), call));
    }
    if cx.failed() {
        return None;
    }
    let order = keys::then(by?, &table.order);
    let columns = calls.into_iter().map(|(name, call)| Ok((name, window::over(call, &per, &order, frame)?)));
    let columns = columns.collect::<datafusion::common::Result<Vec<_>>>();
    let columns = cx.planned(columns)?;
    cx.planned(window::with(table, columns))
}

/// Computes figures over all rows up to each row.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Running {
    /// The figures.
    pub figures: Vec<Figure>,
    /// The columns whose groups start anew. None means the whole table.
    #[serde(default)]
    pub per: Columns,
    /// The order in which rows add up, when it is not the order they are in. The rows themselves do not move.
    #[serde(default)]
    pub by: Vec<SortKey>,
}

impl NodeKind for Running {
    fn identity() -> Identity {
        Identity {
            id: "running",
            version: 1,
            category: Category::Calc,
            icon: "trending_up",
            title: Words { en: "Running total", fr: "Cumul" },
            summary: Words {
                en: "Adds running totals, averages, counts, minima and maxima, overall or in each group.",
                fr: "Ajoute des cumuls, moyennes, comptes, minima et maxima progressifs, en tout ou par groupe.",
            },
            synonyms: &["cumulative sum", "running sum", "year to date", "ytd", "cumulé", "somme cumulée", "progressif"],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        Some(Planned::table(figures(cx, &table, &self.figures, &self.per, &self.by, Frame::SoFar)?))
    }

    fn examples() -> Vec<Example> {
        let rows = "g,m:integer,n:decimal(2)\na,1,1.10\nb,1,5.00\na,3,2.20\na,2,\nb,2,-1.00";
        vec![
            Example::new(
                "A running total and count in each group.",
                json!({ "figures": [{ "as": "total", "column": "n" }, { "as": "rows", "function": "count", "column": "n" }], "per": ["g"] }),
            )
            .input("in", rows)
            .output("out", "g,m:integer,n:decimal(2),total:decimal(2),rows:integer\na,1,1.10,1.10,1\nb,1,5.00,5.00,1\na,3,2.20,3.30,2\na,2,,3.30,2\nb,2,-1.00,4.00,2"),
            Example::new(
                "Added up in another order; the rows do not move.",
                json!({ "figures": [{ "as": "total", "column": "n" }], "per": ["g"], "by": [{ "column": "m" }] }),
            )
            .input("in", rows)
            .output("out", "g,m:integer,n:decimal(2),total:decimal(2)\na,1,1.10,1.10\nb,1,5.00,5.00\na,3,2.20,3.30\na,2,,1.10\nb,2,-1.00,4.00"),
            Example::new("All values are empty.", json!({ "figures": [{ "as": "low", "function": "min", "column": "n" }] }))
                .input("in", "g,n:integer\na,\nb,")
                .output("out", "g,n:integer,low:integer\na,,\nb,,"),
            Example::new("Texts do not add up.", json!({ "figures": [{ "as": "total", "column": "g" }] }))
                .input("in", rows)
                .refused("Values of type text cannot be added up"),
        ]
    }
}

/// Computes figures over the last rows up to each row.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Moving {
    /// The figures.
    pub figures: Vec<Figure>,
    /// How many rows count, this one included.
    #[serde(default = "three")]
    #[schemars(range(min = 1))]
    pub rows: u32,
    /// The columns whose groups start anew. None means the whole table.
    #[serde(default)]
    pub per: Columns,
    /// The order in which rows follow each other, when it is not the order they are in. The rows themselves do not move.
    #[serde(default)]
    pub by: Vec<SortKey>,
}

fn three() -> u32 {
    3
}

impl NodeKind for Moving {
    fn identity() -> Identity {
        Identity {
            id: "moving",
            version: 1,
            category: Category::Calc,
            icon: "ssid_chart",
            title: Words { en: "Moving average", fr: "Moyenne mobile" },
            summary: Words {
                en: "Adds averages, totals and extremes over the last rows, overall or in each group.",
                fr: "Ajoute moyennes, totaux et extrêmes sur les dernières lignes, en tout ou par groupe.",
            },
            synonyms: &["rolling average", "moving aggregation", "sliding window", "fenêtre glissante", "glissant"],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        if self.rows == 0 {
            cx.problem(Problem::error("No row counts.").on("rows").help("Give at least 1."));
        }
        let frame = Frame::Before(u64::from(self.rows.saturating_sub(1)));
        Some(Planned::table(figures(cx, &table, &self.figures, &self.per, &self.by, frame)?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("The total and the average of the last two months.", json!({ "rows": 2, "figures": [{ "as": "two", "column": "n" }, { "as": "average", "function": "average", "column": "n" }] }))
                .input("in", "m:integer,n:decimal(2)\n1,1.00\n2,2.00\n3,4.01")
                .output("out", "m:integer,n:decimal(2),two:decimal(2),average:decimal(12)\n1,1.00,1.00,1.000000000000\n2,2.00,3.00,1.500000000000\n3,4.01,6.01,3.005000000000"),
            Example::new("The largest of the last three in each group.", json!({ "per": ["g"], "figures": [{ "as": "top", "function": "max", "column": "n" }] }))
                .input("in", "g,n:integer\na,9\na,1\nb,2\na,3\na,2")
                .output("out", "g,n:integer,top:integer\na,9,9\na,1,9\nb,2,2\na,3,9\na,2,3"),
            Example::new("A table without rows.", json!({ "figures": [{ "as": "t", "column": "n" }] })).input("in", "n:integer").output("out", "n:integer,t:integer"),
            Example::new("At least one row counts.", json!({ "rows": 0, "figures": [{ "as": "t", "column": "n" }] }))
                .input("in", "n:integer\n1")
                .refused("at least 1"),
        ]
    }
}
