//! Sort keys as a parameter, shared by the kinds that put rows in order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::Planning;
use crate::param::Column;
use crate::problem::Problem;
use crate::table::{OrderKey, Table};

/// One column to sort by.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct SortKey {
    /// The column whose values are compared. Text is compared character by character, capitals before small letters.
    pub column: Column,
    /// Largest, latest or last letter first.
    #[serde(default)]
    pub descending: bool,
    /// Where rows go whose value is empty.
    #[serde(default)]
    pub empty: Empty,
}

/// Where empty values go in a sort, whatever its direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Empty {
    /// After all others.
    #[default]
    Last,
    /// Before all others.
    First,
}

/// The order these keys ask for. Reports columns that are not there or come twice.
pub fn order(keys: &[SortKey], table: &Table, field: &str, cx: &mut Planning<'_>) -> Option<Vec<OrderKey>> {
    let mut order = Vec::with_capacity(keys.len());
    let mut fine = true;
    for (i, key) in keys.iter().enumerate() {
        let at = format!("{field}[{i}].column");
        if cx.column_type(&key.column, table, &at).is_none() {
            fine = false;
            continue;
        }
        let name = &key.column.0;
        if keys[..i].iter().any(|other| other.column == key.column) {
            cx.problem(
                Problem::error(format!("Column \"{name}\" is sorted by twice."))
                    .on(at)
                    .help("Remove one of the two: the second changes nothing."),
            );
            fine = false;
            continue;
        }
        order.push(OrderKey {
            column: name.clone(),
            descending: key.descending,
            nulls_first: key.empty == Empty::First,
            label: name.clone(),
        });
    }
    fine.then_some(order)
}

/// These keys, then the order the rows were in: a stable sort.
pub fn then(mut keys: Vec<OrderKey>, before: &[OrderKey]) -> Vec<OrderKey> {
    for key in before {
        if !keys.iter().any(|k| k.column == key.column) {
            keys.push(key.clone());
        }
    }
    keys
}
