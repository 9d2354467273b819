//! `mapping`: values become other values, by a table with exact keys, wildcards and ranges (seed 000, B.4.1 *Mapping:
//! Product → Commission Plan*; B.4.2: products without a plan are named, never lost).

use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, lit, when};
use datafusion::scalar::ScalarValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys::Entry;
use crate::ColumnType;
use crate::example::{Example, typed_array};
use crate::kind::{Category, Check, Flow, Identity, NodeKind, OUT, OutPort, Outlet, Planned, Planning, Ports, Rows, Severity, Words};
use crate::param::{Columns, FilePath, NewColumn};
use crate::problem::Problem;
use crate::table::{column, hidden};

/// Turns the values of some columns into values of new ones, by a table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-weir-widget" = "key-table", "x-weir-left-over" = "unmapped"))]
pub struct Mapping {
    /// The columns whose values are looked up.
    pub from: Columns,
    /// The columns that are made.
    pub to: Vec<Made>,
    /// The table, kept in the workflow. A key is exact, or has wildcards (`601*`, `?`), or is a range (`6000..6099`).
    #[serde(default)]
    #[schemars(extend("x-weir-widget" = "key-lines"))]
    pub table: Vec<Line>,
    /// Or the table as a CSV file whose columns are named as in `from` and `to`, and perhaps `priority`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FilePath>,
    /// What happens to rows that no key fits.
    #[serde(default)]
    pub unmapped: Unmapped,
    /// For `default`: the values such rows get, one for each column made.
    #[serde(default)]
    pub defaults: Vec<Option<String>>,
    /// Whether capitals make no difference.
    #[serde(default)]
    pub ignore_case: bool,
    /// Whether spaces around values make no difference.
    #[serde(default)]
    pub trim: bool,
}

/// A column that is made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Made {
    /// Its name.
    pub name: NewColumn,
    /// Its type.
    #[serde(rename = "type", default = "text")]
    pub column_type: ColumnType,
}

fn text() -> ColumnType {
    ColumnType::Text
}

/// A line of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// One key for each column of `from`.
    pub keys: Vec<String>,
    /// One value for each column of `to`, in canonical form; null for an empty one.
    pub values: Vec<Option<String>>,
    /// Among lines that fit, the one with the smallest priority counts; then exact keys before ranges before longer
    /// wildcards before shorter ones, a line of several by its least exact key, then the next; then the order of the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
}

/// What happens to rows that no key fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unmapped {
    /// Nothing is published while there is one.
    #[default]
    Block,
    /// They get the default values.
    Default,
    /// They go on with empty values.
    Keep,
    /// They leave by the port `unmapped` only.
    Port,
}

impl NodeKind for Mapping {
    fn identity() -> Identity {
        Identity {
            id: "mapping",
            version: 1,
            category: Category::Mapping,
            icon: "swap_horiz",
            title: Words { en: "Mapping", fr: "Correspondance" },
            summary: Words {
                en: "Turns values into others by a table with exact keys, wildcards and ranges; what is not mapped is never lost.",
                fr: "Transforme des valeurs par une table à clés exactes, jokers et plages ; ce qui n'est pas mappé n'est jamais perdu.",
            },
            synonyms: &["find replace", "recode", "value mapping", "rule engine", "table de correspondance", "transcodage", "VLOOKUP"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, OutPort { name: "unmapped", title: Words { en: "unmapped", fr: "non mappées" } }])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let mut keys = Vec::new();
        for (i, from) in self.from.0.iter().enumerate() {
            keys.extend(cx.column(from, &table, &format!("from[{i}]")));
        }
        for (field, none, help) in [
            ("from", self.from.0.is_empty(), "Choose the columns whose values are looked up."),
            ("to", self.to.is_empty(), "Name a column to make."),
        ] {
            if none {
                cx.problem(Problem::error("A mapping needs at least one column here.").on(field).help(help));
            }
        }
        for (i, made) in self.to.iter().enumerate() {
            let name = &made.name.0;
            if name.is_empty() || table.has(name) || self.to[..i].iter().any(|other| other.name.0 == *name) {
                let what =
                    if name.is_empty() { "The column has no name.".into() } else { format!("There is a column \"{name}\" already.") };
                cx.problem(Problem::error(what).on(format!("to[{i}].name")).help("Give it a name of its own."));
            }
        }
        if cx.failed() {
            return None;
        }
        let lines = super::keys::lines(self, cx)?;
        let entries = super::keys::entries(self, &lines, cx)?;
        let values = self.values(&entries, cx)?;

        // What the keys are compared with: the values as text, folded as asked for.
        let subjects: Vec<Expr> = keys.into_iter().map(|key| super::keys::as_text(key, self.trim, self.ignore_case)).collect();
        let node = cx.node().to_owned();
        let place = hidden(&format!("{node}.place"));
        let found = cx.planned(self.place(&entries, &subjects))?;
        let tagged = cx.planned(table.with_columns(vec![(place.clone(), found)]))?;
        let mapped = column(&place).is_not_null();
        let mut made = Vec::new();
        for (made_column, values) in self.to.iter().zip(values) {
            let value = super::keys::by_place(column(&place), values);
            made.push((made_column.name.0.clone(), value));
        }
        let own = table.columns();
        let rows = match self.unmapped {
            Unmapped::Keep | Unmapped::Default => Rows::All,
            Unmapped::Block | Unmapped::Port => Rows::Where(mapped.clone()),
        };
        if self.unmapped == Unmapped::Default {
            for ((_, value), default) in made.iter_mut().zip(self.default_values(cx)?) {
                *value = cx.planned(when(mapped.clone(), value.clone()).otherwise(default))?;
            }
        }
        let flow = Flow {
            table: tagged,
            outlets: vec![
                Outlet { port: "out", rows, columns: Some(own.iter().cloned().chain(made).collect()), order: None },
                Outlet { port: "unmapped", rows: Rows::Where(column(&place).is_null()), columns: Some(own), order: None },
            ],
        };
        let planned = Planned::flow(flow);
        Some(match self.unmapped {
            Unmapped::Block => planned.check(Check::empty(
                format!("Every {} is mapped", self.from.0.iter().map(|key| key.0.as_str()).collect::<Vec<_>>().join(", ")),
                Severity::Block,
                "unmapped",
            )),
            _ => planned,
        })
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "Exact keys come before ranges, and ranges before wildcards.",
                json!({ "from": ["account"], "to": [{ "name": "box" }], "unmapped": "port", "table": [
                    { "keys": ["60*"], "values": ["purchases"] },
                    { "keys": ["601*"], "values": ["raw"] },
                    { "keys": ["6010..6019"], "values": ["range"] },
                    { "keys": ["6011"], "values": ["exact"] }
                ] }),
            )
            .input("in", "account\n6011\n6012\n601900\n602\n7\n")
            .output("out", "account,box\n6011,exact\n6012,range\n601900,raw\n602,purchases")
            .output("unmapped", "account\n7"),
            Example::new(
                "A mapping file; rows without a key get default values.",
                json!({ "from": ["product"], "to": [{ "name": "plan" }, { "name": "rate", "type": "decimal(2)" }], "file": "plans.csv", "unmapped": "default", "defaults": ["none", "0"], "ignore_case": true, "trim": true }),
            )
            .file("plans.csv", "product;plan;rate\nCRM-*;Software;0.12\nsrv;Services;\n")
            .input("in", "product\n crm-pro \nSRV\nX\n")
            .output("out", "product,plan,rate:decimal(2)\n crm-pro ,Software,0.12\nSRV,Services,\nX,none,0.00"),
            Example::new(
                "Several keys, a priority, and a block when something is not mapped.",
                json!({ "from": ["role", "region"], "to": [{ "name": "plan" }], "table": [
                    { "keys": ["*", "EMEA"], "values": ["emea"], "priority": 2 },
                    { "keys": ["AE", "*"], "values": ["ae"], "priority": 1 }
                ] }),
            )
            .input("in", "role,region\nAE,EMEA\nSDR,EMEA\nSDR,APAC\n")
            .output("out", "role,region,plan\nAE,EMEA,ae\nSDR,EMEA,emea")
            .output("unmapped", "role,region\nSDR,APAC"),
            Example::new(
                "Of several keys, the line that says more counts, wherever it stands.",
                json!({ "from": ["role", "region"], "to": [{ "name": "plan" }], "table": [
                    { "keys": ["*", "*"], "values": ["all"] },
                    { "keys": ["*", "EMEA"], "values": ["emea"] },
                    { "keys": ["A*", "EMEA"], "values": ["a in emea"] }
                ] }),
            )
            .input("in", "role,region\nAE,EMEA\nSDR,EMEA\nSDR,APAC\n")
            .output("out", "role,region,plan\nAE,EMEA,a in emea\nSDR,EMEA,emea\nSDR,APAC,all"),
            Example::new("A column that is not there is refused.", json!({ "from": ["z"], "to": [{ "name": "p", "type": "text" }] })).input("in", "a\nx").refused("\"z\""),
        ]
    }
}

impl Mapping {
    /// The place of the entry that a row's values fit, as an expression: exact keys at once, the others in turn.
    fn place(&self, entries: &[Entry], subjects: &[Expr]) -> datafusion::common::Result<Expr> {
        let mut parts: Vec<Expr> = Vec::new();
        // Entries are in the order in which they count. Runs of exact ones are one table of values.
        let mut rest = entries;
        while let Some(first) = rest.first() {
            let length = if first.is_exact() { rest.iter().take_while(|entry| entry.is_exact()).count() } else { 1 };
            let (run, behind) = rest.split_at(length);
            let part = if first.is_exact() {
                super::keys::exact_place(subjects, run)
            } else {
                let fits = first.keys.iter().zip(subjects).map(|(key, subject)| key.fits(subject)).reduce(Expr::and);
                when(fits.unwrap_or_else(|| lit(true)), lit(first.place)).end()?
            };
            parts.push(part);
            rest = behind;
        }
        // The first that fits, side by side: one inside the other they would double with every line.
        Ok(match parts.len() {
            0 => lit(ScalarValue::Int64(None)),
            1 => parts.remove(0),
            _ => coalesce(parts),
        })
    }

    /// The values of each column made, entry by entry in the order of the table.
    fn values(&self, entries: &[Entry], cx: &mut Planning<'_>) -> Option<Vec<arrow::array::ArrayRef>> {
        let mut ordered: Vec<&Entry> = entries.iter().collect();
        ordered.sort_by_key(|entry| entry.place);
        let mut columns = Vec::new();
        for (i, made) in self.to.iter().enumerate() {
            let texts: Vec<Option<&str>> = ordered.iter().map(|entry| entry.values[i].as_deref()).collect();
            match typed_array(&texts, made.column_type) {
                Ok(array) => columns.push(array),
                Err((row, error)) => {
                    let problem = Problem::error(format!("Value {error}, as column \"{}\" wants.", made.name.0));
                    let entry = ordered[row];
                    cx.problem(entry.locate(problem, self).help("Correct the value, or change the column's type."));
                }
            }
        }
        (columns.len() == self.to.len()).then_some(columns)
    }

    fn default_values(&self, cx: &mut Planning<'_>) -> Option<Vec<Expr>> {
        if self.defaults.len() != self.to.len() {
            let problem = Problem::error(format!("There are {} default values for {} columns.", self.defaults.len(), self.to.len()));
            cx.problem(problem.on("defaults").help("Give one, or null, for each column made."));
            return None;
        }
        let mut values = Vec::new();
        for (i, (made, text)) in self.to.iter().zip(&self.defaults).enumerate() {
            match typed_array(&[text.as_deref()], made.column_type) {
                Ok(array) => values.push(lit(cx.planned(ScalarValue::try_from_array(&array, 0))?)),
                Err((_, error)) => {
                    cx.problem(Problem::error(format!("The default {error}.")).on(format!("defaults[{i}]")).help("Correct it."));
                }
            }
        }
        (values.len() == self.to.len()).then_some(values)
    }
}
