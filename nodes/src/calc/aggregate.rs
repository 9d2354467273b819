//! `aggregate`: one row for each group.

use arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct, first_value, last_value, max, min};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit, when};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::example::Example;
use crate::kind::{Category, Identity, NodeKind, Planned, Planning, Ports, Words};
use crate::number;
use crate::param::{Column, Columns, Formula, NewColumn};
use crate::problem::Problem;
use crate::table::{OrderKey, Table, column, hidden};
use crate::types::type_name;

/// Groups rows and computes figures for each group.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Aggregate {
    /// The columns that make the groups; none makes one row of everything. Empty values make a group of their own.
    #[serde(default)]
    pub by: Columns,
    /// The figures.
    #[serde(default)]
    pub measures: Vec<Measure>,
}

/// A figure of a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// The name of its column.
    #[serde(rename = "as")]
    pub name: NewColumn,
    /// How it is computed.
    pub function: Function,
    /// The column it is computed of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<Column>,
    /// In place of a column: a formula for each row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<Formula>,
    /// Which rows count; all unless given.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Formula>,
}

/// How a figure is computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// The sum, exact and checked.
    #[default]
    Sum,
    /// The average, rounded half away from zero at 12 decimals or more.
    Average,
    /// The middle value.
    Median,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// How many values are not empty.
    Count,
    /// How many different values there are, empty ones left out.
    CountDistinct,
    /// How many rows there are.
    CountRows,
    /// The value of the first row.
    First,
    /// The value of the last row.
    Last,
}

impl NodeKind for Aggregate {
    fn identity() -> Identity {
        Identity {
            id: "aggregate",
            version: 1,
            category: Category::Calc,
            icon: "functions",
            title: Words { en: "Aggregate", fr: "Agrégation" },
            summary: Words {
                en: "Groups rows and computes exact sums, averages, counts and more for each group.",
                fr: "Regroupe les lignes et calcule sommes, moyennes, comptes et plus, exacts, par groupe.",
            },
            synonyms: &["summarize", "group by", "total", "sumif", "regrouper", "somme.si", "totaux"],
            order: Words {
                en: "By the grouping columns, empty values last.",
                fr: "Par les colonnes de regroupement, valeurs vides à la fin.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        for (i, key) in self.by.0.iter().enumerate() {
            cx.column(key, &table, &format!("by[{i}]"));
        }
        let mut names: Vec<&str> = self.by.0.iter().map(|key| key.0.as_str()).collect();
        let mut inputs = Vec::new();
        let mut figures = Vec::new();
        for (i, measure) in self.measures.iter().enumerate() {
            let name = measure.name.0.as_str();
            if name.is_empty() || names.contains(&name) {
                let what = if name.is_empty() { "The figure has no name.".into() } else { format!("Two columns are called \"{name}\".") };
                cx.problem(Problem::error(what).on(format!("measures[{i}].as")).help("Give it a name of its own."));
            }
            names.push(name);
            if let Some((value, data_type)) = measure.value(cx, &table, i) {
                let input = hidden(&format!("{}.measure{i}", cx.node()));
                figures.push(measure.figure(&input, &data_type, &table).alias(name));
                inputs.push((input, value));
            }
        }
        if self.by.0.is_empty() && self.measures.is_empty() {
            cx.problem(Problem::error("There is nothing to compute.").on("measures").help("Add a figure, or a column to group by."));
        }
        if cx.failed() {
            return None;
        }
        let prepared = cx.planned(table.with_columns(inputs))?;
        let keys: Vec<Expr> = self.by.0.iter().map(|key| column(&key.0)).collect();
        let plan = LogicalPlanBuilder::from(prepared.plan).aggregate(keys, figures).and_then(|builder| {
            let columns: Vec<Expr> = names.iter().map(|name| column(name).alias(*name)).collect();
            builder.project(columns)?.build()
        });
        let plan = cx.planned(plan)?;
        let order = self.by.0.iter().map(|key| OrderKey::ascending(&key.0, &key.0)).collect();
        Some(Planned::table(Table::new(plan, order)))
    }

    fn examples() -> Vec<Example> {
        let deals =
            "owner,month:integer,arr:decimal(2),stage\nZoë,9,1.05,won\nJean,9,100.00,won\nZoë,9,1.06,lost\nJean,8,,won\n,9,5.00,won";
        vec![
            Example::new(
                "Sums and counts by owner; empty owners are a group of their own.",
                json!({ "by": ["owner"], "measures": [
                    { "as": "arr", "function": "sum", "column": "arr" },
                    { "as": "won", "function": "sum", "column": "arr", "where": "[stage] = \"won\"" },
                    { "as": "rows", "function": "count_rows" },
                    { "as": "filled", "function": "count", "column": "arr" }
                ] }),
            )
            .input("in", deals)
            .output("out", "owner,arr:decimal(2),won:decimal(2),rows:integer,filled:integer\nJean,100.00,100.00,2,1\nZoë,2.11,1.05,2,2\n,5.00,5.00,1,1"),
            Example::new(
                "Averages and medians are not cut off; first and last follow the order of the rows.",
                json!({ "by": ["owner"], "measures": [
                    { "as": "average", "function": "average", "column": "arr" },
                    { "as": "median", "function": "median", "column": "arr" },
                    { "as": "first", "function": "first", "column": "stage" },
                    { "as": "last", "function": "last", "column": "stage" },
                    { "as": "low", "function": "min", "column": "month" },
                    { "as": "stages", "function": "count_distinct", "column": "stage" }
                ] }),
            )
            .input("in", deals)
            .output("out", "owner,average:decimal(12),median:decimal(12),first,last,low:integer,stages:integer\nJean,100.000000000000,100.000000000000,won,won,8,1\nZoë,1.055000000000,1.055000000000,won,lost,9,2\n,5.000000000000,5.000000000000,won,won,9,1"),
            Example::new("Without groups there is one row, also of nothing.", json!({ "measures": [{ "as": "total", "function": "sum", "formula": "[n] * 2" }, { "as": "rows", "function": "count_rows" }] }))
                .input("in", "n:integer")
                .output("out", "total:integer,rows:integer\n,0"),
            Example::new("Texts cannot be added up.", json!({ "measures": [{ "as": "t", "function": "sum", "column": "stage" }] })).input("in", deals).refused("cannot be added up"),
        ]
    }
}

impl Measure {
    /// What is computed of, for each row.
    fn value(&self, cx: &mut Planning<'_>, table: &Table, i: usize) -> Option<(Expr, DataType)> {
        let condition = match &self.condition {
            Some(condition) => Some(cx.condition(condition, table, &self.name.0, &format!("measures[{i}].where"))?),
            None => None,
        };
        let (value, data_type) = match (&self.formula, &self.column) {
            _ if self.function == Function::CountRows => (lit(1_i64), DataType::Int64),
            (Some(formula), _) => {
                let typed = cx.formula(formula, table, &self.name.0, &format!("measures[{i}].formula"))?;
                (typed.expr, typed.data_type)
            }
            (None, wanted) => {
                let wanted = wanted.clone().unwrap_or_default();
                let field = format!("measures[{i}].column");
                let data_type = cx.column_type(&wanted, table, &field)?;
                (column(&wanted.0), data_type)
            }
        };
        let adds = matches!(self.function, Function::Sum | Function::Average | Function::Median);
        if adds && !matches!(data_type, DataType::Int64 | DataType::Decimal128(_, _) | DataType::Float64 | DataType::Null) {
            let problem = Problem::error(format!("Values of type {} cannot be added up.", type_name(&data_type)));
            cx.problem(
                problem.on(format!("measures[{i}].column")).help("Turn them into numbers first, for example with VALUE in a formula."),
            );
            return None;
        }
        // Rows that do not count are empty, and no function counts what is empty.
        match condition {
            None => Some((value, data_type)),
            Some(condition) => {
                let chosen = when(condition, value).end();
                Some((cx.planned(chosen)?, data_type))
            }
        }
    }

    fn figure(&self, input: &str, data_type: &DataType, table: &Table) -> Expr {
        let value = column(input);
        let label = self.name.0.as_str();
        match self.function {
            Function::Sum => number::sum(value, label),
            Function::Average => number::average(value, label),
            Function::Median => number::median(value, label),
            Function::Min => min(value),
            Function::Max => max(value),
            Function::Count | Function::CountRows => count(value),
            Function::CountDistinct => count_distinct(value),
            Function::First | Function::Last if *data_type == DataType::Null => max(value),
            Function::First => first_value(value, table.sort_exprs()),
            Function::Last => last_value(value, table.sort_exprs()),
        }
    }
}
