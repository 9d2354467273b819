//! Keys that two tables share: made comparable, and renamed so that the columns of both sides never collide.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::functions::string::expr_fn::lower;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast};

use crate::ColumnType;
use crate::kind::Planning;
use crate::param::Column;
use crate::problem::Problem;
use crate::table::{Table, column, hidden};
use crate::types::{MAX_DIGITS, type_name};

/// The type that holds every value of both types unchanged. `None` when there is none.
pub fn unify(left: &DataType, right: &DataType) -> Option<DataType> {
    fn digits(data_type: &DataType) -> Option<(u8, u8)> {
        Some(match data_type {
            DataType::Decimal128(precision, places) if *places >= 0 => (precision.saturating_sub(*places as u8), *places as u8),
            other if ColumnType::of(other) == Some(ColumnType::Integer) => (19, 0),
            _ => return None,
        })
    }
    if left == right {
        return Some(left.clone());
    }
    match (left, right) {
        (DataType::Null, other) | (other, DataType::Null) => return Some(other.clone()),
        _ => {}
    }
    Some(match (ColumnType::of(left)?, ColumnType::of(right)?) {
        (a, b) if a == b && !matches!(a, ColumnType::Decimal(_)) => a.arrow(),
        (ColumnType::Integer | ColumnType::Decimal(_), ColumnType::Integer | ColumnType::Decimal(_)) => {
            let ((whole, places), (other_whole, other_places)) = (digits(left)?, digits(right)?);
            let places = places.max(other_places);
            DataType::Decimal128((whole.max(other_whole) + places).min(MAX_DIGITS), places as i8)
        }
        (ColumnType::Date, ColumnType::DateTime) | (ColumnType::DateTime, ColumnType::Date) => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        _ => return None,
    })
}

/// One pair of key columns.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The column of the table whose rows stream.
    pub left: String,
    /// The column of the table that is kept in memory.
    pub right: String,
    /// The type both are compared as.
    pub common: DataType,
}

/// Both sides of a join with their keys as hidden columns.
#[derive(Debug)]
pub struct Keyed {
    /// The pairs.
    pub pairs: Vec<Pair>,
    node: String,
    ignore_case: bool,
}

impl Keyed {
    /// Finds the key columns of both tables. `pairs` gives the columns and their fields (`on[0].left`). Reports what is
    /// missing and what cannot be compared.
    pub fn new<'a>(
        cx: &mut Planning<'_>,
        (left, right): (&Table, &Table),
        pairs: impl IntoIterator<Item = (&'a Column, String, &'a Column, String)>,
        ignore_case: bool,
    ) -> Option<Self> {
        let mut found = Vec::new();
        let mut asked = 0;
        for (left_column, left_field, right_column, right_field) in pairs {
            asked += 1;
            let left_type = cx.column_type(left_column, left, &left_field);
            let right_type = cx.column_type(right_column, right, &right_field);
            let (Some(left_type), Some(right_type)) = (left_type, right_type) else { continue };
            match unify(&left_type, &right_type) {
                Some(common) => found.push(Pair { left: left_column.0.clone(), right: right_column.0.clone(), common }),
                None => cx.problem(
                    Problem::error(format!(
                        "\"{}\" is {} and \"{}\" is {}: they cannot be compared.",
                        left_column.0,
                        type_name(&left_type),
                        right_column.0,
                        type_name(&right_type)
                    ))
                    .on(right_field)
                    .help("Put a \"Select columns\" step before this one and give both the same type."),
                ),
            }
        }
        if asked == 0 {
            cx.problem(Problem::error("There is no column to match by.").on("on").help("Choose at least one column of each table."));
        }
        (asked > 0 && found.len() == asked).then(|| Self { pairs: found, node: cx.node().to_owned(), ignore_case })
    }

    /// No keys: every row meets every row.
    pub fn none(cx: &Planning<'_>) -> Self {
        Self::of(cx.node(), vec![])
    }

    /// These pairs, whose columns are known to be there.
    pub fn of(node: &str, pairs: Vec<Pair>) -> Self {
        Self { pairs, node: node.to_owned(), ignore_case: false }
    }

    /// The hidden name of a key on the streaming side.
    pub fn left_name(&self, i: usize) -> String {
        hidden(&format!("{}.left.{i}", self.node))
    }

    /// The hidden name of a key on the side kept in memory.
    pub fn right_name(&self, i: usize) -> String {
        hidden(&format!("{}.right.{i}", self.node))
    }

    /// The hidden names of the keys of the streaming side.
    pub fn left_names(&self) -> Vec<datafusion::common::Column> {
        (0..self.pairs.len()).map(|i| datafusion::common::Column::new_unqualified(self.left_name(i))).collect()
    }

    /// The hidden names of the keys of the side kept in memory.
    pub fn right_names(&self) -> Vec<datafusion::common::Column> {
        (0..self.pairs.len()).map(|i| datafusion::common::Column::new_unqualified(self.right_name(i))).collect()
    }

    fn comparable(&self, name: &str, table: &Table, common: &DataType) -> Expr {
        let mut expr = column(name);
        if table.type_of(name) != Some(common) {
            expr = cast(expr, common.clone());
        }
        if self.ignore_case && ColumnType::of(common) == Some(ColumnType::Text) { lower(expr) } else { expr }
    }

    /// The keys of the streaming side under their hidden names.
    pub fn left_keys(&self, table: &Table) -> Vec<(String, Expr)> {
        self.pairs.iter().enumerate().map(|(i, pair)| (self.left_name(i), self.comparable(&pair.left, table, &pair.common))).collect()
    }

    /// The keys of the side kept in memory under their hidden names.
    pub fn right_keys(&self, table: &Table) -> Vec<(String, Expr)> {
        self.pairs.iter().enumerate().map(|(i, pair)| (self.right_name(i), self.comparable(&pair.right, table, &pair.common))).collect()
    }
}

/// A table's rows with exactly these columns.
pub fn only(table: &Table, columns: Vec<(String, Expr)>) -> datafusion::common::Result<LogicalPlan> {
    LogicalPlanBuilder::from(table.plan.clone())
        .project(columns.into_iter().map(|(name, expr)| expr.alias(name)).collect::<Vec<_>>())?
        .build()
}
