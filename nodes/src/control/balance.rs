//! `control.balance`: debit equals credit, document by document.

use arrow::datatypes::DataType;
use datafusion::logical_expr::{LogicalPlanBuilder, lit};
use datafusion::scalar::ScalarValue;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::tolerance;
use crate::example::Example;
use crate::formula::Site;
use crate::kind::{Category, Check, Flow, Identity, Must, NodeKind, Planned, Planning, Ports, REASON, Severity, Total, Totals, Words};
use crate::number;
use crate::param::{Column, Columns};
use crate::problem::Problem;
use crate::table::{OrderKey, Table, column, hidden};
use crate::types::{MAX_DIGITS, type_name};

/// Checks that debit equals credit for every document.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Balance {
    /// The amounts on the debit side.
    pub debit: Column,
    /// The amounts on the credit side.
    pub credit: Column,
    /// The columns that make a document; none balances the whole table.
    #[serde(default)]
    pub by: Columns,
    /// The largest difference allowed for a document, such as `0.01`.
    #[serde(default)]
    pub tolerance: String,
    /// What happens when a document does not balance.
    #[serde(default)]
    pub severity: Severity,
}

impl NodeKind for Balance {
    fn identity() -> Identity {
        Identity {
            id: "control.balance",
            version: 1,
            category: Category::Control,
            icon: "balance",
            title: Words { en: "Debit = credit", fr: "Débit = crédit" },
            summary: Words {
                en: "Checks that debit equals credit, document by document.",
                fr: "Vérifie que le débit égale le crédit, pièce par pièce.",
            },
            synonyms: &["journal", "double entry", "trial balance", "équilibre", "partie double", "écriture"],
            order: Words {
                en: "Rows as they arrive; unbalanced documents by their columns.",
                fr: "Les lignes dans l'ordre d'arrivée ; les pièces déséquilibrées par leurs colonnes.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports::control()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let allowed = tolerance(&self.tolerance, cx);
        let mut money = Vec::new();
        for (wanted, field) in [(&self.debit, "debit"), (&self.credit, "credit")] {
            match cx.column_type(wanted, &table, field) {
                Some(found @ (DataType::Int64 | DataType::Decimal128(_, _))) => money.push(found),
                Some(DataType::Float64) => {
                    let problem = Problem::error(format!("Column \"{}\" is a float: it cannot balance to the cent.", wanted.0));
                    cx.problem(problem.on(field).help("Read it as a decimal, or convert it with DECIMAL."));
                }
                Some(other) => {
                    let problem = Problem::error(format!("Column \"{}\" is {}, not an amount.", wanted.0, type_name(&other)));
                    cx.problem(problem.on(field).help("Choose a column of numbers."));
                }
                None => {}
            }
        }
        for (i, key) in self.by.0.iter().enumerate() {
            cx.column(key, &table, &format!("by[{i}]"));
        }
        if cx.failed() {
            return None;
        }
        let result = self.unbalanced(cx, &table, allowed);
        let exceptions = cx.planned(result)?;
        let total = |name: &Column| Total { port: "in", wire: 0, value: column(&name.0) };
        let check = Check {
            title: "Debit equals credit".to_owned() + if self.by.0.is_empty() { "" } else { " for every document" },
            severity: self.severity,
            totals: Some(Totals {
                left_label: "debit".into(),
                left: vec![total(&self.debit)],
                right_label: "credit".into(),
                right: vec![total(&self.credit)],
                right_constant: Decimal::ZERO,
                must: Must::Show,
                tolerance: allowed,
            }),
            exceptions: Some("exceptions"),
            counted: None,
            allowed: 0,
        };
        Some(Planned {
            flows: vec![Flow::all("pass", table), Flow::all("exceptions", exceptions)],
            checks: vec![check],
            ..Planned::default()
        })
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "A document that is off by a cent is an exception.",
                json!({ "debit": "debit", "credit": "credit", "by": ["doc"] }),
            )
            .input("in", "doc:integer,debit:decimal(2),credit:decimal(2)\n2,10.00,0.00\n1,5.00,0.00\n1,0.00,5.00\n2,0.00,10.01")
            .output("pass", "doc:integer,debit:decimal(2),credit:decimal(2)\n2,10.00,0.00\n1,5.00,0.00\n1,0.00,5.00\n2,0.00,10.01")
            .output(
                "exceptions",
                "doc:integer,debit:decimal(2),credit:decimal(2),difference:decimal(2),reason\n2,10.00,10.01,-0.01,debit and credit differ",
            ),
            Example::new("Within a tolerance.", json!({ "debit": "d", "credit": "c", "by": ["doc"], "tolerance": "0.01" }))
                .input("in", "doc:integer,d:decimal(2),c:decimal(2)\n1,10.00,9.99")
                .output("exceptions", "doc:integer,debit:decimal(2),credit:decimal(2),difference:decimal(2),reason"),
            Example::new("Without rows everything balances.", json!({ "debit": "d", "credit": "c", "by": ["doc"] }))
                .input("in", "doc,d:integer,c:integer")
                .output("pass", "doc,d:integer,c:integer"),
            Example::new("Texts do not balance.", json!({ "debit": "doc", "credit": "c", "by": ["doc"] }))
                .input("in", "doc,c:integer\nx,1")
                .refused("doc"),
        ]
    }
}

impl Balance {
    fn unbalanced(&self, cx: &Planning<'_>, table: &Table, allowed: Decimal) -> datafusion::common::Result<Table> {
        let (debit, credit) = (hidden(&format!("{}.debit", cx.node())), hidden(&format!("{}.credit", cx.node())));
        let site = Site { output: "difference".into(), row: None };
        let keys: Vec<&str> = self.by.0.iter().map(|key| key.0.as_str()).collect();
        let zero = |name: &str| datafusion::functions::core::expr_fn::coalesce(vec![column(name), lit(0_i64)]);
        let limit = lit(ScalarValue::Decimal128(Some(allowed.mantissa()), MAX_DIGITS, allowed.scale() as i8));
        let difference = number::subtract(column("debit"), column("credit"), &site);
        let columns = |extra: Vec<datafusion::logical_expr::Expr>| keys.iter().map(|key| column(key)).chain(extra).collect::<Vec<_>>();
        let plan = LogicalPlanBuilder::from(table.plan.clone())
            .aggregate(
                keys.iter().map(|key| column(key)).collect::<Vec<_>>(),
                vec![
                    number::sum(column(&self.debit.0), &self.debit.0).alias(&debit),
                    number::sum(column(&self.credit.0), &self.credit.0).alias(&credit),
                ],
            )?
            .project(columns(vec![zero(&debit).alias("debit"), zero(&credit).alias("credit")]))?
            .project(columns(vec![column("debit"), column("credit"), difference.alias("difference")]))?
            .filter(column("difference").gt(limit.clone()).or(number::negate(column("difference"), &site).gt(limit)))?
            .project(columns(vec![
                column("debit"),
                column("credit"),
                column("difference"),
                lit(ScalarValue::Utf8View(Some("debit and credit differ".into()))).alias(REASON),
            ]))?
            .build()?;
        Ok(Table::new(plan, keys.iter().map(|key| OrderKey::ascending(*key, *key)).collect()))
    }
}
