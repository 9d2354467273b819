//! `control.expect`: rules that every row must meet.

use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlanBuilder, WindowFunctionDefinition, lit, when};
use datafusion::scalar::ScalarValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::example::Example;
use crate::kind::{
    Category, Check, EXCEPTIONS, Flow, Identity, NodeKind, Outlet, PASS, Planned, Planning, Ports, REASON, Rows, Severity, Words,
};
use crate::param::{Column, Columns, Formula};
use crate::problem::Problem;
use crate::table::{Table, column, hidden};

/// Checks rules on every row; rows that break one leave by the port `exceptions`, with the reason.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Expect {
    /// The rules.
    pub rules: Vec<Rule>,
    /// What happens when more rows than allowed break a rule.
    #[serde(default)]
    pub severity: Severity,
    /// How many rows may break a rule all the same.
    #[serde(default)]
    pub allowed: u64,
}

/// A rule.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// None of these columns is empty.
    NotEmpty {
        /// The columns.
        columns: Columns,
    },
    /// No two rows agree in all these columns.
    Unique {
        /// The columns.
        columns: Columns,
    },
    /// A column holds one of some values.
    InSet {
        /// The column.
        column: Column,
        /// The values, as text.
        values: Vec<String>,
    },
    /// A column lies between two values, or equals one of them.
    Between {
        /// The column.
        column: Column,
        /// The least value, as in a formula; none has no end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Formula>,
        /// The largest value, as in a formula; none has no end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Formula>,
    },
    /// A text fits a regular expression.
    Matches {
        /// The column.
        column: Column,
        /// The regular expression.
        pattern: String,
    },
    /// A formula is true.
    True {
        /// The formula.
        formula: Formula,
        /// What to say of rows for which it is not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
}

impl NodeKind for Expect {
    fn identity() -> Identity {
        Identity {
            id: "control.expect",
            version: 1,
            category: Category::Control,
            icon: "rule",
            title: Words { en: "Expect", fr: "Attendu" },
            summary: Words {
                en: "Checks rules on every row: filled, unique, in a set, in a range, matching a pattern, any formula.",
                fr: "Vérifie des règles sur chaque ligne : rempli, unique, dans une liste, entre deux bornes, selon un motif, toute formule.",
            },
            synonyms: &["test", "validate", "data quality", "assert", "message", "validation", "qualité", "règle"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::control()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        if self.rules.is_empty() {
            cx.problem(Problem::warning("There are no rules.").on("rules").help("Add one."));
        }
        if table.has(REASON) {
            cx.problem(
                Problem::error(format!("The rows have a column \"{REASON}\" already.")).on("rules").help("Rename it with a select step."),
            );
        }
        let table = self.counted(cx, table)?;
        let mut broken = Vec::new();
        for (i, rule) in self.rules.iter().enumerate() {
            if let Some((holds, reason)) = rule.holds(cx, &table, &format!("rules[{i}]")) {
                broken.push((holds, reason));
            }
        }
        if cx.failed() {
            return None;
        }
        let name = hidden(&format!("{}.reason", cx.node()));
        let joined = cx.planned(reasons(broken))?;
        let flagged = cx.planned(table.with_columns(vec![(name.clone(), joined)]))?;
        let empty = lit(ScalarValue::Utf8View(Some(String::new())));
        let visible = table.columns();
        let mut with_reason = visible.clone();
        with_reason.push((REASON.to_owned(), column(&name)));
        let flow = Flow {
            table: flagged,
            outlets: vec![
                Outlet { port: PASS.name, rows: Rows::Rest, columns: Some(visible), order: None },
                Outlet { port: EXCEPTIONS.name, rows: Rows::Where(column(&name).not_eq(empty)), columns: Some(with_reason), order: None },
            ],
        };
        let check = Check {
            title: self.rules.iter().map(Rule::title).collect::<Vec<_>>().join("; "),
            severity: self.severity,
            totals: None,
            exceptions: Some("exceptions"),
            counted: None,
            allowed: self.allowed,
        };
        Some(Planned::flow(flow).check(check))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "Rows that break a rule leave with every reason.",
                json!({ "rules": [
                    { "rule": "not_empty", "columns": ["owner"] },
                    { "rule": "unique", "columns": ["id"] },
                    { "rule": "in_set", "column": "stage", "values": ["won", "lost"] },
                    { "rule": "between", "column": "arr", "min": "0", "max": "1000" },
                    { "rule": "matches", "column": "id", "pattern": "^D[0-9]+$" }
                ] }),
            )
            .input("in", "id,owner,stage,arr:decimal(2)\nD1,Jean,won,10.00\nD2,,open,-1.00\nD2,Zoë,lost,5.00\nX,Zoë,won,")
            .output("pass", "id,owner,stage,arr:decimal(2)\nD1,Jean,won,10.00")
            .output(
                "exceptions",
                "id,owner,stage,arr:decimal(2),reason\nD2,,open,-1.00,owner is empty; id is not unique; stage is not one of won or lost; arr is not between 0 and 1000\nD2,Zoë,lost,5.00,id is not unique\nX,Zoë,won,,id does not match ^D[0-9]+$",
            ),
            Example::new("Any formula can be a rule; an empty result breaks it.", json!({ "rules": [{ "rule": "true", "formula": "[a] <= [b]", "message": "a is above b" }] }))
                .input("in", "a:integer,b:integer\n1,2\n3,2\n,2")
                .output("pass", "a:integer,b:integer\n1,2")
                .output("exceptions", "a:integer,b:integer,reason\n3,2,a is above b\n,2,a is above b"),
            Example::new("A table without rows breaks no rule.", json!({ "rules": [{ "rule": "not_empty", "columns": ["a"] }] }))
                .input("in", "a")
                .output("pass", "a")
                .output("exceptions", "a,reason"),
            Example::new("A broken pattern is refused.", json!({ "rules": [{ "rule": "matches", "column": "a", "pattern": "(" }] })).input("in", "a\nx").refused("not a regular expression"),
        ]
    }
}

/// Why a row is an exception: the reasons of all rules that do not hold for it, or a text without a character.
pub(crate) fn reasons(rules: Vec<(Expr, String)>) -> datafusion::common::Result<Expr> {
    let reason = |(holds, reason)| when(holds, lit(ScalarValue::Utf8View(None))).otherwise(lit(ScalarValue::Utf8View(Some(reason))));
    let reasons = rules.into_iter().map(reason).collect::<datafusion::common::Result<Vec<_>>>()?;
    if reasons.is_empty() {
        return Ok(lit(ScalarValue::Utf8View(Some(String::new()))));
    }
    let joined = datafusion::functions::string::expr_fn::concat_ws(lit("; "), reasons);
    Ok(datafusion::logical_expr::cast(joined, arrow::datatypes::DataType::Utf8View))
}

/// The hidden column that counts the rows with the same key.
fn repeats(cx: &Planning<'_>, columns: &Columns) -> String {
    hidden(&format!("{}.repeats {}", cx.node(), listed(columns)))
}

impl Expect {
    /// The table with the counts that rules of uniqueness look at.
    fn counted(&self, cx: &mut Planning<'_>, mut table: Table) -> Option<Table> {
        for rule in &self.rules {
            let Rule::Unique { columns } = rule else { continue };
            let name = repeats(cx, columns);
            if table.has(&name) || columns.0.is_empty() || columns.0.iter().any(|key| !table.has(&key.0)) {
                continue;
            }
            let keys = columns.0.iter().map(|key| column(&key.0)).collect();
            let count = Expr::from(WindowFunction::new(WindowFunctionDefinition::AggregateUDF(count_udaf()), vec![lit(1_i64)]));
            let plan = count
                .partition_by(keys)
                .build()
                .and_then(|count| LogicalPlanBuilder::from(table.plan.clone()).window(vec![count.alias(name)])?.build());
            table = Table::new(cx.planned(plan)?, table.order);
        }
        Some(table)
    }
}

fn listed(columns: &Columns) -> String {
    columns.0.iter().map(|column| column.0.as_str()).collect::<Vec<_>>().join(", ")
}

impl Rule {
    /// What must hold, as a phrase.
    fn title(&self) -> String {
        match self {
            Self::NotEmpty { columns } => format!("{} is not empty", listed(columns)),
            Self::Unique { columns } => format!("{} is unique", listed(columns)),
            Self::InSet { column, values } => format!("{} is one of {}", column.0, values.join(" or ")),
            Self::Between { column, min, max } => format!("{} is {}", column.0, range(min.as_ref(), max.as_ref())),
            Self::Matches { column, pattern } => format!("{} matches {pattern}", column.0),
            Self::True { formula, .. } => formula.0.clone(),
        }
    }

    /// Whether it holds for a row, and what to say when it does not. An empty value breaks only what asks for values.
    fn holds(&self, cx: &mut Planning<'_>, table: &Table, field: &str) -> Option<(Expr, String)> {
        let name = |column: &Column| format!("[{}]", column.0.replace(']', "]]"));
        let formula = |cx: &mut Planning<'_>, text: String, part: &str| {
            let condition = cx.condition(&Formula(text), table, "rule", &format!("{field}.{part}"))?;
            Some(condition)
        };
        Some(match self {
            Self::NotEmpty { columns } => {
                let parts = columns
                    .0
                    .iter()
                    .map(|column| {
                        cx.column(column, table, &format!("{field}.columns"))?;
                        formula(cx, format!("NOT(ISBLANK({}))", name(column)), "columns")
                    })
                    .collect::<Option<Vec<_>>>()?;
                (parts.into_iter().reduce(Expr::and)?, format!("{} is empty", listed(columns)))
            }
            Self::Unique { columns } => {
                columns.0.iter().map(|key| cx.column(key, table, &format!("{field}.columns"))).collect::<Option<Vec<_>>>()?;
                let count = column(&repeats(cx, columns));
                (count.eq(lit(1_i64)), format!("{} is not unique", listed(columns)))
            }
            Self::InSet { column: wanted, values } => {
                cx.column(wanted, table, &format!("{field}.column"))?;
                let quoted: Vec<String> = values.iter().map(|value| format!("\"{}\"", value.replace('"', "\"\""))).collect();
                let holds = formula(cx, format!("OR(ISBLANK({n}), ISIN(TEXT({n}), {}))", quoted.join(", "), n = name(wanted)), "values")?;
                (holds, format!("{} is not one of {}", wanted.0, values.join(" or ")))
            }
            Self::Between { column: wanted, min, max } => {
                cx.column(wanted, table, &format!("{field}.column"))?;
                let mut tests = Vec::new();
                if let Some(min) = min {
                    tests.push(formula(cx, format!("IFBLANK({} >= ({}), TRUE)", name(wanted), min.0), "min"));
                }
                if let Some(max) = max {
                    tests.push(formula(cx, format!("IFBLANK({} <= ({}), TRUE)", name(wanted), max.0), "max"));
                }
                let tests = tests.into_iter().collect::<Option<Vec<_>>>()?;
                let holds = tests.into_iter().reduce(Expr::and).unwrap_or_else(|| lit(true));
                (holds, format!("{} is not {}", wanted.0, range(min.as_ref(), max.as_ref())))
            }
            Self::Matches { column: wanted, pattern } => {
                cx.column(wanted, table, &format!("{field}.column"))?;
                if let Err(error) = regex::Regex::new(pattern) {
                    let problem =
                        Problem::error(format!("\"{pattern}\" is not a regular expression: {error}.")).on(format!("{field}.pattern"));
                    cx.problem(problem.help("Correct the pattern."));
                    return None;
                }
                let quoted = pattern.replace('"', "\"\"");
                let holds = formula(cx, format!("IFBLANK(REGEXMATCH(TEXT({}), \"{quoted}\"), TRUE)", name(wanted)), "pattern")?;
                (holds, format!("{} does not match {pattern}", wanted.0))
            }
            Self::True { formula: text, message } => {
                let holds = formula(cx, text.0.clone(), "formula")?;
                let said = message.clone().unwrap_or_else(|| format!("{} is not true", text.0));
                (coalesce(vec![holds, lit(false)]), said)
            }
        })
    }
}

fn range(min: Option<&Formula>, max: Option<&Formula>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("between {} and {}", min.0, max.0),
        (Some(min), None) => format!("{} or more", min.0),
        (None, Some(max)) => format!("{} or less", max.0),
        (None, None) => "anything".into(),
    }
}
