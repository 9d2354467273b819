//! A table on a wire: a plan, and the order its rows are in.
//!
//! Order is a *logical* property. Inputs give every row a hidden identity; each step says by which keys its rows are
//! ordered; the engine sorts by them where rows become visible (a sink, a preview), and nowhere before. Where the scan
//! already delivers that order, `DataFusion` drops the sort.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};

/// Hidden columns start with this character, which no header can contain.
pub const HIDDEN: char = '\u{1f}';

/// Whether a column is hidden from users: a row identity or a tag of the step itself.
pub fn is_hidden(name: &str) -> bool {
    name.starts_with(HIDDEN)
}

/// The name of a hidden column.
pub fn hidden(name: &str) -> String {
    format!("{HIDDEN}{name}")
}

/// A column by its exact name (never parsed as `table.column`).
pub fn column(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// One key of a table's row order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderKey {
    /// A column of the table, often hidden.
    pub column: String,
    /// Largest first.
    pub descending: bool,
    /// Empty values first. `false` unless a step says otherwise: empty values come last.
    pub nulls_first: bool,
    /// What a person calls this key in an error message: `deals.csv line`, `owner`.
    pub label: String,
}

impl OrderKey {
    /// Smallest first, empty values last.
    pub fn ascending(column: impl Into<String>, label: impl Into<String>) -> Self {
        Self { column: column.into(), descending: false, nulls_first: false, label: label.into() }
    }

    /// The key as a sort expression.
    pub fn sort(&self) -> SortExpr {
        column(&self.column).sort(!self.descending, self.nulls_first)
    }
}

/// A table on a wire. All its columns are unqualified; names are unique.
#[derive(Debug, Clone)]
pub struct Table {
    /// The rows, in no particular order.
    pub plan: LogicalPlan,
    /// The keys that put them in order. Together they tell any two rows apart, unless the rows are equal in every
    /// visible column.
    pub order: Vec<OrderKey>,
}

impl Table {
    /// A table of a plan and its order.
    pub fn new(plan: LogicalPlan, order: Vec<OrderKey>) -> Self {
        Self { plan, order }
    }

    /// Every column, hidden ones included.
    pub fn schema(&self) -> &DFSchema {
        self.plan.schema()
    }

    /// The columns a user sees, in order.
    pub fn fields(&self) -> impl Iterator<Item = &Arc<Field>> {
        self.plan.schema().fields().iter().filter(|field| !is_hidden(field.name()))
    }

    /// The names a user sees, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields().map(|field| field.name().as_str())
    }

    /// The columns a user sees as they are, by name.
    pub fn columns(&self) -> Vec<(String, Expr)> {
        self.names().map(|name| (name.to_owned(), column(name))).collect()
    }

    /// The schema a user sees.
    pub fn visible(&self) -> Schema {
        Schema::new(self.fields().cloned().collect::<Vec<_>>())
    }

    /// The type of a column, hidden ones included.
    pub fn type_of(&self, name: &str) -> Option<&DataType> {
        self.plan.schema().fields().iter().find(|field| field.name() == name).map(|field| field.data_type())
    }

    /// Whether a column of this name exists.
    pub fn has(&self, name: &str) -> bool {
        self.type_of(name).is_some()
    }

    /// The same rows with only these visible columns, in this order; the columns that carry the order stay (as hidden
    /// copies where the visible one is dropped or changes).
    pub fn project(&self, columns: Vec<(String, Expr)>) -> Result<Self> {
        let mut exprs = Vec::with_capacity(columns.len() + self.order.len());
        let mut order = Vec::with_capacity(self.order.len());
        for key in &self.order {
            let mut key = key.clone();
            let survives = columns.iter().any(|(name, expr)| *name == key.column && *expr == column(name));
            if !survives {
                let mut name = if is_hidden(&key.column) { key.column.clone() } else { hidden(&key.column) };
                if !is_hidden(&key.column) {
                    // A visible key keeps its values under a name nothing else has.
                    while self.has(&name) || columns.iter().any(|(taken, _)| *taken == name) {
                        name.push('\'');
                    }
                }
                if !exprs.iter().any(|e: &Expr| matches!(e, Expr::Alias(alias) if alias.name == name)) {
                    exprs.push(column(&key.column).alias(&name));
                }
                key.column = name;
            }
            order.push(key);
        }
        let visible = columns.into_iter().map(|(name, expr)| expr.alias(name));
        let plan = LogicalPlanBuilder::from(self.plan.clone()).project(visible.chain(exprs).collect::<Vec<_>>())?.build()?;
        Ok(Self { plan, order })
    }

    /// The same rows with columns added at the end, or replaced in place where the name exists. Hidden names may be
    /// added too; all hidden columns stay.
    pub fn with_columns(&self, columns: Vec<(String, Expr)>) -> Result<Self> {
        let by_name: HashMap<&str, &Expr> = columns.iter().map(|(name, expr)| (name.as_str(), expr)).collect();
        let replaced = |name: &str| by_name.get(name).map(|expr| (*expr).clone());
        let mut order = self.order.clone();
        let mut exprs = Vec::new();
        for key in &mut order {
            if replaced(&key.column).is_some() {
                let mut name = hidden(&key.column);
                while self.has(&name) || columns.iter().any(|(taken, _)| *taken == name) {
                    name.push('\'');
                }
                exprs.push(column(&key.column).alias(&name));
                key.column = name;
            }
        }
        for field in self.plan.schema().fields() {
            let name = field.name();
            exprs.push(replaced(name).unwrap_or_else(|| column(name)).alias(name));
        }
        for (name, expr) in &columns {
            if !self.has(name) {
                exprs.push(expr.clone().alias(name));
            }
        }
        let plan = LogicalPlanBuilder::from(self.plan.clone()).project(exprs)?.build()?;
        Ok(Self { plan, order })
    }

    /// The rows for which the condition is true.
    pub fn filter(&self, condition: Expr) -> Result<Self> {
        let plan = LogicalPlanBuilder::from(self.plan.clone()).filter(condition)?.build()?;
        Ok(Self { plan, order: self.order.clone() })
    }

    /// The order as sort expressions.
    pub fn sort_exprs(&self) -> Vec<SortExpr> {
        self.order.iter().map(OrderKey::sort).collect()
    }

    /// The rows in order and without hidden columns, the first `limit` of them when given: what a user sees.
    pub fn shown(&self, limit: Option<usize>) -> Result<LogicalPlan> {
        let mut builder = LogicalPlanBuilder::from(self.plan.clone());
        if !self.order.is_empty() {
            builder = builder.sort_with_limit(self.sort_exprs(), limit)?;
        }
        if limit.is_some() {
            builder = builder.limit(0, limit)?;
        }
        let visible = self.names().map(column).collect::<Vec<_>>();
        builder.project(visible)?.build()
    }
}
