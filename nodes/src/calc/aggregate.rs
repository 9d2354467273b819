//! `aggregate`: one row for each group.

use datafusion::functions::core::expr_fn::nullif;
use datafusion::functions_aggregate::array_agg::array_agg_udaf;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct, max, min};
use datafusion::functions_aggregate::first_last::{first_value_udaf, last_value_udaf};
use datafusion::functions_aggregate::grouping::grouping_udaf;
use datafusion::functions_aggregate::string_agg::string_agg_udaf;
use datafusion::functions_nested::expr_fn::{array_sort, array_to_string};
use datafusion::logical_expr::{ExprFunctionExt, GroupingSet, cast, when};

use crate::formula::Site;
use crate::prelude::*;

/// Groups rows and computes figures for each group.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Aggregate {
    /// The columns that make the groups; none makes one row of everything. Empty values make a group of their own.
    #[serde(default)]
    pub by: Columns,
    /// The figures.
    #[serde(default)]
    pub measures: Vec<Measure>,
    /// The totals to add below the groups.
    #[serde(default)]
    pub totals: Totals,
    /// With totals: the name of the column that says how many grouping columns a row stands for; 0 is the grand total.
    #[serde(default = "level")]
    pub level: NewColumn,
}

fn level() -> NewColumn {
    NewColumn("level".into())
}

/// Totals below the groups. In their rows, the grouping columns they run over are empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Totals {
    /// Groups alone.
    #[default]
    None,
    /// One row over everything.
    Grand,
    /// A row for each value of every grouping column but the last, and one over everything.
    Subtotals,
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
    /// What a weighted average weighs by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Column>,
    /// Which percentile, from 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
    /// What stands between concatenated values; a comma and a space unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
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
    /// The value below which a part of all values lies, as Excel's PERCENTILE.INC.
    Percentile,
    /// The average by weights.
    WeightedAverage,
    /// The standard deviation of a sample (a float).
    Deviation,
    /// All values as one text, in the order of the rows.
    Concatenate,
    /// Every different value once, as one text, in alphabetical order.
    ConcatenateDistinct,
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
        Some(Planned::table(self.table(cx, &table, &|i, name| format!("measures[{i}].{name}"))?))
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
            Example::new(
                "Subtotals and a grand total; the level tells them from groups of empty values.",
                json!({ "by": ["month", "owner"], "measures": [{ "as": "arr", "function": "sum", "column": "arr" }], "totals": "subtotals" }),
            )
            .input("in", deals)
            .output(
                "out",
                "month:integer,owner,arr:decimal(2),level:integer\n8,Jean,,2\n8,,,1\n9,Jean,100.00,2\n9,Zoë,2.11,2\n9,,5.00,2\n9,,107.11,1\n,,107.11,0",
            ),
            Example::new(
                "Percentiles, weighted averages and lists of values.",
                json!({ "measures": [
                    { "as": "p90", "function": "percentile", "column": "n", "percent": "90" },
                    { "as": "price", "function": "weighted_average", "column": "p", "weight": "n" },
                    { "as": "who", "function": "concatenate", "column": "w", "separator": " | " },
                    { "as": "once", "function": "concatenate_distinct", "column": "w" },
                    { "as": "spread", "function": "deviation", "column": "n" }
                ] }),
            )
            .input("in", "n:integer,p:decimal(2),w\n1,10.00,b\n2,20.00,a\n3,30.00,b\n,99.00,")
            .output("out", "p90:decimal(12),price:decimal(12),who,once,spread:float\n2.800000000000,23.333333333333,b | a | b,\"a, b\",1"),
            Example::new(
                "With a condition, the first and the last are those of the rows that count.",
                json!({ "by": ["owner"], "measures": [
                    { "as": "first", "function": "first", "column": "arr", "where": "[stage] = \"lost\"" },
                    { "as": "last", "function": "last", "column": "arr", "where": "[arr] < 50" },
                    { "as": "blank", "function": "first", "column": "arr", "where": "[month] = 8" }
                ] }),
            )
            .input("in", deals)
            .output("out", "owner,first:decimal(2),last:decimal(2),blank:decimal(2)\nJean,,,\nZoë,1.06,1.06,\n,,5.00,"),
            Example::new("Texts cannot be added up.", json!({ "measures": [{ "as": "t", "function": "sum", "column": "stage" }] })).input("in", deals).refused("cannot be added up"),
        ]
    }
}

impl Aggregate {
    /// The groups of a table. `field` names the parameter behind a part of a measure in problems.
    pub(crate) fn table(&self, cx: &mut Planning<'_>, table: &Table, field: &dyn Fn(usize, &str) -> String) -> Option<Table> {
        for (i, key) in self.by.0.iter().enumerate() {
            cx.column(key, table, &format!("by[{i}]"));
        }
        let mut names: Vec<&str> = self.by.0.iter().map(|key| key.0.as_str()).collect();
        let (mut inputs, mut figures, mut results) = (Vec::new(), Vec::new(), Vec::new());
        for (i, measure) in self.measures.iter().enumerate() {
            let name = measure.name.0.as_str();
            if name.is_empty() || names.contains(&name) {
                let what = if name.is_empty() { "The figure has no name.".into() } else { format!("Two columns are called \"{name}\".") };
                cx.problem(Problem::error(what).on(field(i, "as")).help("Give it a name of its own."));
            }
            names.push(name);
            if let Some((value, data_type)) = measure.value(cx, table, &|part| field(i, part)) {
                let input = hidden(&format!("{}.measure{i}", cx.node()));
                if let Some(figure) = measure.figure(cx, &input, value, &data_type, table, &|part| field(i, part)) {
                    inputs.extend(figure.inputs);
                    figures.extend(figure.aggregates);
                    results.push((name.to_owned(), figure.result));
                }
            }
        }
        if self.by.0.is_empty() && self.measures.is_empty() {
            cx.problem(Problem::error("There is nothing to compute.").on("measures").help("Add a figure, or a column to group by."));
        }
        let totals = if self.by.0.is_empty() { Totals::None } else { self.totals };
        if totals != Totals::None {
            cx.new_name(&self.level, names.contains(&self.level.0.as_str()), "level");
        }
        if cx.failed() {
            return None;
        }
        let prepared = cx.planned(table.with_columns(inputs))?;
        let keys: Vec<Expr> = self.by.0.iter().map(|key| column(&key.0)).collect();
        let mut columns: Vec<Expr> = self.by.0.iter().map(|key| column(&key.0).alias(&key.0)).collect();
        columns.extend(results.into_iter().map(|(name, expr)| expr.alias(name)));
        let ascending = |name: &str| OrderKey::ascending(name, name);
        let mut order: Vec<OrderKey> = self.by.0.iter().map(|key| ascending(&key.0)).collect();
        let mut sets = keys.clone();
        if totals != Totals::None {
            let all = match totals {
                Totals::Subtotals => GroupingSet::Rollup(keys.clone()),
                _ => GroupingSet::GroupingSets(vec![keys.clone(), vec![]]),
            };
            sets = vec![Expr::GroupingSet(all)];
            // Which keys a row runs over: that, before the key itself, puts a total below its groups.
            let mut level = lit(0_i64);
            order.clear();
            for (i, key) in keys.iter().enumerate() {
                let over = hidden(&format!("{}.over{i}", cx.node()));
                figures.push(grouping_udaf().call(vec![key.clone()]).alias(&over));
                columns.push(column(&over).alias(&over));
                level = level + (lit(1_i64) - cast(column(&over), DataType::Int64));
                order.extend([ascending(&over), ascending(&self.by.0[i].0)]);
            }
            columns.push(level.alias(&self.level.0));
        }
        let plan = LogicalPlanBuilder::from(prepared.plan).aggregate(sets, figures).and_then(|plan| plan.project(columns)?.build());
        Some(Table::new(cx.planned(plan)?, order))
    }
}

/// What a figure takes to compute.
struct Figure {
    /// Columns of each row.
    inputs: Vec<(String, Expr)>,
    /// Aggregates of each group, under names of their own.
    aggregates: Vec<Expr>,
    /// The figure, of the aggregates.
    result: Expr,
}

impl Measure {
    /// What is computed of, for each row.
    fn value(&self, cx: &mut Planning<'_>, table: &Table, field: &dyn Fn(&str) -> String) -> Option<(Expr, DataType)> {
        let condition = match &self.condition {
            Some(condition) => Some(cx.condition(condition, table, &self.name.0, &field("where"))?),
            None => None,
        };
        let (value, data_type) = match (&self.formula, &self.column) {
            _ if self.function == Function::CountRows => (lit(1_i64), DataType::Int64),
            (Some(formula), _) => {
                let typed = cx.formula(formula, table, &self.name.0, &field("formula"))?;
                (typed.expr, typed.data_type)
            }
            (None, wanted) => {
                let wanted = wanted.clone().unwrap_or_default();
                let data_type = cx.column_type(&wanted, table, &field("column"))?;
                (column(&wanted.0), data_type)
            }
        };
        let adds = matches!(
            self.function,
            Function::Sum | Function::Average | Function::Median | Function::Percentile | Function::WeightedAverage | Function::Deviation
        );
        if adds && !matches!(data_type, DataType::Int64 | DataType::Decimal128(_, _) | DataType::Float64 | DataType::Null) {
            let problem = Problem::error(format!("Values of type {} cannot be added up.", type_name(&data_type)));
            cx.problem(problem.on(field("column")).help("Turn them into numbers first, for example with VALUE in a formula."));
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

    /// The percentile asked for, in thousandths.
    fn thousandths(&self, cx: &mut Planning<'_>, field: &str) -> Option<i64> {
        let percent = self.percent.as_deref().unwrap_or_default();
        let found =
            number::parse(percent).and_then(|(value, places)| number::rescaled(value, places, 1)).and_then(|n| i64::try_from(n).ok());
        match found {
            Some(thousandths @ 0..=1000) => Some(thousandths),
            _ => {
                let what = format!("\"{percent}\" is not a percentage.");
                cx.problem(Problem::error(what).on(field).help("Give a number from 0 to 100 with at most one decimal, such as 90."));
                None
            }
        }
    }

    fn figure(
        &self,
        cx: &mut Planning<'_>,
        input: &str,
        value: Expr,
        data_type: &DataType,
        table: &Table,
        field: &dyn Fn(&str) -> String,
    ) -> Option<Figure> {
        let x = column(input);
        let label = self.name.0.as_str();
        let text = || cast(column(input), DataType::Utf8View);
        let separator = || lit(self.separator.clone().unwrap_or_else(|| ", ".into()));
        let aggregate = match self.function {
            Function::Sum => number::sum(x, label),
            Function::Average => number::average(x, label),
            Function::Median => number::median(x, label),
            Function::Percentile => number::percentile(x, self.thousandths(cx, &field("percent"))?, label),
            Function::Deviation => number::deviation(x, label),
            Function::Min => min(x),
            Function::Max => max(x),
            Function::Count | Function::CountRows => count(x),
            Function::CountDistinct => count_distinct(x),
            Function::First | Function::Last if *data_type == DataType::Null => max(x),
            Function::First | Function::Last => return self.end_of_group(cx, input, value, table, field),
            Function::Concatenate => {
                let joined = string_agg_udaf().call(vec![text(), separator()]).order_by(table.sort_exprs()).build();
                cx.planned(joined)?
            }
            Function::ConcatenateDistinct => {
                let all = array_agg_udaf().call(vec![text()]).distinct().build();
                cx.planned(all)?
            }
            Function::WeightedAverage => return self.weighted(cx, input, value, data_type, table, field),
        };
        let result = match self.function {
            Function::Concatenate => cast(column(label), DataType::Utf8View),
            Function::ConcatenateDistinct => {
                let sorted = array_sort(column(label), lit("ASC"), lit("NULLS LAST"));
                let joined = array_to_string(sorted, separator());
                cast(nullif(joined, lit("")), DataType::Utf8View)
            }
            _ => column(label),
        };
        Some(Figure { inputs: vec![(input.to_owned(), value)], aggregates: vec![aggregate.alias(label)], result })
    }

    /// The value of the first or last row; with a condition, of the first or last that it holds for, also where that
    /// row's value is empty.
    fn end_of_group(
        &self,
        cx: &mut Planning<'_>,
        input: &str,
        value: Expr,
        table: &Table,
        field: &dyn Fn(&str) -> String,
    ) -> Option<Figure> {
        let function = if self.function == Function::First { first_value_udaf() } else { last_value_udaf() };
        let mut inputs = vec![(input.to_owned(), value)];
        let mut figure = function.call(vec![column(input)]).order_by(table.sort_exprs());
        if let Some(condition) = &self.condition {
            let counts = format!("{input}.counts");
            inputs.push((counts.clone(), cx.condition(condition, table, &self.name.0, &field("where"))?));
            figure = figure.filter(column(&counts));
        }
        let figure = cx.planned(figure.build())?;
        let label = self.name.0.as_str();
        Some(Figure { inputs, aggregates: vec![figure.alias(label)], result: column(label) })
    }

    /// The sum of values times weights, by the sum of the weights that have a value.
    fn weighted(
        &self,
        cx: &mut Planning<'_>,
        input: &str,
        value: Expr,
        data_type: &DataType,
        table: &Table,
        field: &dyn Fn(&str) -> String,
    ) -> Option<Figure> {
        let weight = self.weight.clone().unwrap_or_default();
        let weight_type = cx.column_type(&weight, table, &field("weight"))?;
        let label = self.name.0.as_str();
        let site = Site::new(label, table);
        if let Err(what) = number::result_type(number::Operation::Multiply, data_type, &weight_type) {
            cx.problem(
                Problem::error(format!("Values and weights cannot be multiplied: {what}."))
                    .on(field("weight"))
                    .help("Choose a column of numbers."),
            );
            return None;
        }
        let weighs = format!("{input}.weight");
        let counted = when(value.clone().is_not_null(), column(&weight.0)).end();
        let counted = cx.planned(counted)?;
        let (over, under) = (format!("{input}.over"), format!("{input}.under"));
        let sums = vec![number::sum(column(input), label).alias(&over), number::sum(column(&weighs), label).alias(&under)];
        let none = cast(
            lit(0_i64),
            if let DataType::Decimal128(_, places) = weight_type { DataType::Decimal128(38, places) } else { weight_type },
        );
        Some(Figure {
            inputs: vec![(input.to_owned(), number::multiply(value, column(&weight.0), &site)), (weighs, counted)],
            aggregates: sums,
            result: number::divide(column(&over), nullif(column(&under), none), &Site { output: label.to_owned(), row: None }),
        })
    }
}
