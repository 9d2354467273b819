//! `multi_row`: values of the rows before and after; `difference`: how much a figure changed since then.

use datafusion::functions::core::expr_fn::nullif;
use datafusion::functions_window::expr_fn::{lag, lead};

use crate::filter::keys::{self, SortKey};
use crate::formula::Site;
use crate::prelude::*;
use crate::window::{self, Frame};

/// The furthest row that can be looked at.
const FURTHEST: i64 = 1_000_000;

/// Fetches values from rows before or after.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct MultiRow {
    /// What is fetched.
    pub columns: Vec<Fetched>,
    /// The columns whose groups are on their own: the first row of a group has none before it.
    #[serde(default)]
    pub per: Columns,
    /// The order in which rows follow each other, when it is not the order they are in. The rows themselves do not move.
    #[serde(default)]
    pub by: Vec<SortKey>,
}

/// A value of another row.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Fetched {
    /// The name of its column.
    #[serde(rename = "as")]
    pub name: NewColumn,
    /// The column it is taken from.
    pub column: Column,
    /// How many rows away: -1 is the row before, 1 the row after.
    #[serde(default = "before")]
    pub offset: i64,
}

fn before() -> i64 {
    -1
}

/// The value of a column so many rows away.
fn away(name: &str, offset: i64, per: &[String], order: &[OrderKey]) -> datafusion::common::Result<Expr> {
    let call = if offset < 0 { lag(column(name), Some(-offset), None) } else { lead(column(name), Some(offset), None) };
    window::over(call, per, order, Frame::Group)
}

fn too_far(cx: &mut Planning<'_>, offset: i64, field: &str) {
    if offset == 0 || offset.checked_abs().is_none_or(|rows| rows > FURTHEST) {
        let what = format!("A row {offset} rows away cannot be looked at.");
        cx.problem(Problem::error(what).on(field).help(format!("Give 1 to {FURTHEST} rows, negative for rows before.")));
    }
}

impl NodeKind for MultiRow {
    fn identity() -> Identity {
        Identity {
            id: "multi_row",
            version: 1,
            category: Category::Calc,
            icon: "swap_vert",
            title: Words { en: "Previous and next rows", fr: "Lignes voisines" },
            summary: Words {
                en: "Fetches values from the rows before or after, overall or in each group.",
                fr: "Va chercher des valeurs dans les lignes précédentes ou suivantes, en tout ou par groupe.",
            },
            synonyms: &["multi-row formula", "lag", "lead", "previous row", "ligne précédente", "décaler"],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let per = cx.columns(&self.per, &table, "per");
        let by = keys::order(&self.by, &table, "by", cx);
        for (i, fetched) in self.columns.iter().enumerate() {
            let taken = table.has(&fetched.name.0) || self.columns[..i].iter().any(|other| other.name == fetched.name);
            cx.new_name(&fetched.name, taken, &format!("columns[{i}].as"));
            cx.column(&fetched.column, &table, &format!("columns[{i}].column"));
            too_far(cx, fetched.offset, &format!("columns[{i}].offset"));
        }
        if cx.failed() {
            return None;
        }
        let order = keys::then(by?, &table.order);
        let columns = self.columns.iter().map(|one| Ok((one.name.0.clone(), away(&one.column.0, one.offset, &per, &order)?)));
        let columns = columns.collect::<datafusion::common::Result<Vec<_>>>();
        let columns = cx.planned(columns)?;
        Some(Planned::table(cx.planned(window::with(&table, columns))?))
    }

    fn examples() -> Vec<Example> {
        let rows = "g,m:integer,n:integer\na,1,10\nb,1,5\na,3,30\na,2,20";
        vec![
            Example::new(
                "The value of the row before, in each group.",
                json!({ "columns": [{ "as": "before", "column": "n" }], "per": ["g"] }),
            )
            .input("in", rows)
            .output("out", "g,m:integer,n:integer,before:integer\na,1,10,\nb,1,5,\na,3,30,10\na,2,20,30"),
            Example::new(
                "Two rows on, by month.",
                json!({ "columns": [{ "as": "later", "column": "n", "offset": 2 }], "per": ["g"], "by": [{ "column": "m" }] }),
            )
            .input("in", rows)
            .output("out", "g,m:integer,n:integer,later:integer\na,1,10,30\nb,1,5,\na,3,30,\na,2,20,"),
            Example::new("One row has nothing beside it.", json!({ "columns": [{ "as": "b", "column": "a" }] }))
                .input("in", "a\nx")
                .output("out", "a,b\nx,"),
            Example::new("Zero rows away is the row itself.", json!({ "columns": [{ "as": "b", "column": "n", "offset": 0 }] }))
                .input("in", rows)
                .refused("cannot be looked at"),
        ]
    }
}

/// Compares a figure with that of an earlier row.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The figure.
    pub column: Column,
    /// How many rows before: 1 for the period before, 12 for the same month last year.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub rows: i64,
    /// The columns whose groups are compared each on their own.
    #[serde(default)]
    pub per: Columns,
    /// The order of the periods, when it is not the order the rows are in. The rows themselves do not move.
    #[serde(default)]
    pub by: Vec<SortKey>,
    /// The name of the column with the difference.
    #[serde(default = "difference", rename = "as")]
    pub name: NewColumn,
    /// The name of the column with the growth: the difference as a part of the earlier figure. None unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<NewColumn>,
}

fn one() -> i64 {
    1
}

fn difference() -> NewColumn {
    NewColumn("difference".into())
}

impl NodeKind for Difference {
    fn identity() -> Identity {
        Identity {
            id: "difference",
            version: 1,
            category: Category::Calc,
            icon: "change_history",
            title: Words { en: "Period over period", fr: "Évolution" },
            summary: Words {
                en: "Compares each figure with that of an earlier period: the difference and the growth.",
                fr: "Compare chaque valeur à celle d'une période antérieure : l'écart et la croissance.",
            },
            synonyms: &["year over year", "yoy", "growth", "variation", "delta", "écart", "n-1", "croissance"],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let per = cx.columns(&self.per, &table, "per");
        let by = keys::order(&self.by, &table, "by", cx);
        let data_type = cx.column_type(&self.column, &table, "column");
        if let Some(data_type) = &data_type
            && !ColumnType::of(data_type).is_some_and(ColumnType::is_number)
        {
            let what = format!("Column \"{}\" is {}, and only numbers differ by an amount.", self.column.0, type_name(data_type));
            cx.problem(Problem::error(what).on("column").help("Choose a column of numbers."));
        }
        cx.new_name(&self.name, table.has(&self.name.0), "as");
        if let Some(growth) = &self.growth {
            cx.new_name(growth, table.has(&growth.0) || *growth == self.name, "growth");
        }
        too_far(cx, self.rows, "rows");
        if cx.failed() {
            return None;
        }
        let order = keys::then(by?, &table.order);
        let earlier = hidden(&format!("{}.earlier", cx.node()));
        let looked = away(&self.column.0, -self.rows, &per, &order).and_then(|call| window::with(&table, vec![(earlier.clone(), call)]));
        let looked = cx.planned(looked)?;
        let site = Site::new(&self.name.0, &table);
        let change = number::subtract(column(&self.column.0), column(&earlier), &site);
        let mut made = vec![(self.name.0.clone(), change.clone())];
        if let Some(growth) = &self.growth {
            // Growth from nothing is no number.
            let base = nullif(column(&earlier), datafusion::logical_expr::cast(lit(0_i64), data_type?));
            made.push((growth.0.clone(), number::divide(change, base, &Site::new(&growth.0, &table))));
        }
        Some(Planned::table(cx.planned(looked.with_columns(made))?))
    }

    fn examples() -> Vec<Example> {
        let rows = "g,m:integer,n:decimal(2)\na,1,10.00\na,2,12.50\nb,1,0.00\na,3,\nb,2,5.00";
        vec![
            Example::new("Since the month before, as an amount and as growth.", json!({ "column": "n", "per": ["g"], "growth": "growth" }))
                .input("in", rows)
                .output(
                    "out",
                    "g,m:integer,n:decimal(2),difference:decimal(2),growth:decimal(12)\na,1,10.00,,\na,2,12.50,2.50,0.250000000000\nb,1,0.00,,\na,3,,,\nb,2,5.00,5.00,",
                ),
            Example::new("Since two rows before, by another order.", json!({ "column": "n", "rows": 2, "by": [{ "column": "n" }], "as": "d" }))
                .input("in", "n:integer\n3\n1\n9")
                .output("out", "n:integer,d:integer\n3,\n1,\n9,8"),
            Example::new("A table without rows.", json!({ "column": "n" })).input("in", "n:integer").output("out", "n:integer,difference:integer"),
            Example::new("Texts have no difference.", json!({ "column": "g" })).input("in", rows).refused("only numbers differ"),
        ]
    }
}
