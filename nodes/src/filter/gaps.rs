//! `gaps`: the dates or members that a group lacks, as rows of their own.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, Int64Array, RecordBatch};
use arrow::datatypes::{Field, Schema};
use chrono::NaiveDate;
use datafusion::logical_expr::cast;

use crate::input::sequence::Step;
use crate::join::join::{How, Join, On};
use crate::join::keys::Keyed;
use crate::prelude::*;
use crate::whole::whole;

/// Adds rows for what is missing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Gaps {
    /// The column whose values should all be there: dates, whole numbers, or members such as products.
    pub column: Column,
    /// The columns whose groups should each have all of them.
    #[serde(default)]
    pub per: Columns,
    /// What should be there.
    #[serde(default)]
    pub expected: Expected,
    /// For dates: from one to the next.
    #[serde(default)]
    pub step: Step,
}

/// What should be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Every date or number between the first and the last one of the group.
    #[default]
    WithinGroup,
    /// Every date or number between the first and the last one of the table.
    WithinTable,
    /// Every value that any group has.
    Members,
}

impl NodeKind for Gaps {
    fn identity() -> Identity {
        Identity {
            id: "gaps",
            version: 1,
            category: Category::Filter,
            icon: "add_row_below",
            title: Words { en: "Fill gaps", fr: "Combler les trous" },
            summary: Words {
                en: "Adds rows for dates, numbers or members that are missing, in each group; their other columns are empty.",
                fr: "Ajoute des lignes pour les dates, nombres ou membres manquants, par groupe ; leurs autres colonnes sont vides.",
            },
            synonyms: &["missing dates", "ts filler", "complete", "generate missing rows", "densify", "dates manquantes", "compléter"],
            order: Words { en: "By group, then by the column.", fr: "Par groupe, puis par la colonne." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let per = cx.columns(&self.per, &table, "per");
        match self.expected {
            Expected::Members => {
                cx.column(&self.column, &table, "column");
            }
            _ => {
                let counts = |kind| matches!(kind, ColumnType::Date | ColumnType::Integer);
                cx.fitting(&Columns(vec![self.column.clone()]), &table, "column", "a date or a whole number", counts);
            }
        }
        if per.contains(&self.column.0) {
            cx.problem(Problem::error("A column cannot be its own group.").on("per").help("Remove it from the groups."));
        }
        if cx.failed() {
            return None;
        }
        let expected = if self.expected == Expected::Members { self.members(cx, &table, &per)? } else { self.series(cx, &table, &per)? };
        // Rows that are there, and an empty one for each that is not.
        let pair = |name: &str| On { left: Column(name.into()), right: Column(name.into()) };
        let on: Vec<On> = per.iter().map(|name| pair(name)).chain([pair(&self.column.0)]).collect();
        let join = Join { how: How::Full, on, nulls_match: true, ignore_case: false, collisions: String::new() };
        let pairs = join.on.iter().map(|on| (&on.left, "column".to_owned(), &on.right, "column".to_owned()));
        let keyed = Keyed::new(cx, (&table, &expected), pairs, false)?;
        let mut filled = join.joined(cx, &table, &expected, &keyed)?;
        let mut order: Vec<OrderKey> = per.iter().map(|name| OrderKey::ascending(name, name)).collect();
        order.push(OrderKey::ascending(&self.column.0, &self.column.0));
        filled.order = super::keys::then(order, &filled.order);
        Some(Planned::table(filled))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "The months between the first and the last of each group.",
                json!({ "column": "m", "per": ["g"], "step": "month" }),
            )
            .input("in", "g,m:date,n:integer\nb,2026-02-01,5\na,2026-03-01,3\na,2026-01-01,1\nb,2026-02-01,6")
            .output("out", "g,m:date,n:integer\na,2026-01-01,1\na,2026-02-01,\na,2026-03-01,3\nb,2026-02-01,5\nb,2026-02-01,6"),
            Example::new("The numbers of the whole table.", json!({ "column": "k", "per": ["g"], "expected": "within_table" }))
                .input("in", "g,k:integer\na,1\nb,3")
                .output("out", "g,k:integer\na,1\na,2\na,3\nb,1\nb,2\nb,3"),
            Example::new("Every product in every shop.", json!({ "column": "p", "per": ["shop"], "expected": "members" }))
                .input("in", "shop,p,n:integer\nX,apple,1\nY,pear,2\nX,,9")
                .output("out", "shop,p,n:integer\nX,apple,1\nX,pear,\nX,,9\nY,apple,\nY,pear,2"),
            Example::new("A table without rows.", json!({ "column": "d" })).input("in", "d:date").output("out", "d:date"),
            Example::new("A text cannot be counted on.", json!({ "column": "p" }))
                .input("in", "p\nx")
                .refused("is text, not a date or a whole number"),
        ]
    }
}

/// The most rows that are added.
const MOST: usize = 10_000_000;

impl Gaps {
    /// Every value of any group, in every group.
    fn members(&self, cx: &mut Planning<'_>, table: &Table, per: &[String]) -> Option<Table> {
        let distinct = |names: &[String], prefix: &str| {
            let columns: Vec<Expr> = names.iter().map(|name| column(name).alias(format!("{prefix}{name}"))).collect();
            LogicalPlanBuilder::from(table.plan.clone()).project(columns)?.distinct()?.build()
        };
        let combined = || {
            let one = hidden(&format!("{}.one", cx.node()));
            let members = LogicalPlanBuilder::from(distinct(std::slice::from_ref(&self.column.0), "\u{1e}")?)
                .filter(column(&format!("\u{1e}{}", self.column.0)).is_not_null())?;
            let all =
                if per.is_empty() { members } else { LogicalPlanBuilder::from(distinct(per, "\u{1e}")?).cross_join(members.build()?)? };
            let names = per.iter().chain([&self.column.0]).map(|name| column(&format!("\u{1e}{name}")).alias(name));
            let plan = all.project(names.chain([lit(0_i64).alias(&one)]).collect::<Vec<_>>())?.build()?;
            let order = per.iter().chain([&self.column.0]).map(|name| OrderKey::ascending(name, name)).collect();
            Ok::<_, datafusion::common::DataFusionError>(Table::new(plan, order))
        };
        let combined = combined();
        cx.planned(combined)
    }

    /// Every step between the first and the last value of each group.
    fn series(&self, cx: &mut Planning<'_>, table: &Table, per: &[String]) -> Option<Table> {
        use crate::window::{self, Frame};
        use datafusion::functions_aggregate::expr_fn::{max, min};
        let (low, high) = ("\u{1e}low", "\u{1e}high");
        let by: Vec<Expr> = per.iter().map(|name| column(name)).collect();
        let bounds = LogicalPlanBuilder::from(table.plan.clone())
            .filter(column(&self.column.0).is_not_null())
            .and_then(|plan| plan.aggregate(by, [min(column(&self.column.0)).alias(low), max(column(&self.column.0)).alias(high)]))
            .and_then(LogicalPlanBuilder::build);
        let order = per.iter().map(|name| OrderKey::ascending(name, name)).collect();
        let mut bounds = Table::new(cx.planned(bounds)?, order);
        if self.expected == Expected::WithinTable {
            let overall = window::over(min(column(low)), &[], &[], Frame::Group)
                .and_then(|least| Ok((least, window::over(max(column(high)), &[], &[], Frame::Group)?)))
                .and_then(|(least, most)| window::with(&bounds, vec![(hidden("least"), least), (hidden("most"), most)]))
                .and_then(|table| table.with_columns(vec![(low.into(), column(&hidden("least"))), (high.into(), column(&hidden("most")))]));
            bounds = cx.planned(overall)?;
        }
        // A group that has no date at all gives none.
        let numbers = table.type_of(&self.column.0) == Some(&DataType::Int64);
        if !numbers {
            let days = |name: &str| (name.to_owned(), cast(column(name), DataType::Date32));
            bounds = cx.planned(bounds.with_columns(vec![days(low), days(high)]))?;
        }
        let mut fields: Vec<Field> =
            per.iter().map(|name| Field::new(name, table.type_of(name).cloned().unwrap_or(DataType::Null), true)).collect();
        fields.push(Field::new(&self.column.0, if numbers { DataType::Int64 } else { DataType::Date32 }, true));
        let (schema, step, groups) = (Arc::new(Schema::new(fields.clone())), self.step, per.to_vec());
        let node = format!("{}.series", cx.node());
        let series = whole(&node, &[&bounds], fields, move |tables| {
            let [bounds] = tables else { return Err("a table is missing".into()) };
            let said = |error: arrow::error::ArrowError| error.to_string();
            let values = |name: &str| -> Result<Vec<Option<i64>>, String> {
                let array = bounds.column_by_name(name).ok_or("a column is missing")?;
                let days = if numbers { Arc::clone(array) } else { arrow::compute::cast(array, &DataType::Int32).map_err(said)? };
                let array = arrow::compute::cast(&days, &DataType::Int64).map_err(said)?;
                let array = array.as_any().downcast_ref::<Int64Array>().ok_or("a column is not a number")?;
                Ok((0..array.len()).map(|i| array.is_valid(i).then(|| array.value(i))).collect())
            };
            let (mut rows, mut made) = (Vec::new(), Vec::new());
            for (row, (low, high)) in values(low)?.into_iter().zip(values(high)?).enumerate() {
                let (Some(low), Some(high)) = (low, high) else { continue };
                for value in steps(low, high, numbers, step) {
                    rows.push(row as u64);
                    made.push(value);
                }
                if made.len() > MOST {
                    return Err(format!("filling the gaps makes more than {MOST} rows: take larger steps"));
                }
            }
            let rows = arrow::array::UInt64Array::from(rows);
            let mut columns = Vec::new();
            for name in &groups {
                let array = bounds.column_by_name(name).ok_or("a column is missing")?;
                columns.push(arrow::compute::take(array, &rows, None).map_err(said)?);
            }
            let values: ArrayRef = if numbers {
                Arc::new(Int64Array::from(made))
            } else {
                Arc::new(made.into_iter().map(|day| Some(day as i32)).collect::<Date32Array>())
            };
            columns.push(values);
            RecordBatch::try_new(Arc::clone(&schema), columns).map_err(said)
        });
        cx.planned(series)
    }
}

/// The values from one to another: numbers by ones, days (since 1970) by steps.
fn steps(low: i64, high: i64, numbers: bool, step: Step) -> Box<dyn Iterator<Item = i64>> {
    if numbers {
        return Box::new(low..=high);
    }
    let epoch = NaiveDate::default();
    let first = epoch.checked_add_signed(chrono::Duration::days(low)).unwrap_or(epoch);
    let days = (0_u32..).map_while(move |steps| step.after(first, steps)).map(move |date| (date - epoch).num_days());
    Box::new(days.take_while(move |day| *day <= high))
}
