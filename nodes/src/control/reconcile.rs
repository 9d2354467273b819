//! `control.reconcile`: the total of one flow equals the total of another, to the cent (seed 000, B.4.1 *Contrôle: ARR
//! Total = Source*; B.4.3: blocked when the difference exceeds 0.01).

use arrow::datatypes::DataType;
use datafusion::common::{JoinType, NullEquality};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit, when};
use datafusion::scalar::ScalarValue;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{figure, tolerance};
use crate::example::Example;
use crate::formula::Site;
use crate::kind::{
    Arity, Category, Check, EXCEPTIONS, Flow, IN, Identity, InPort, Must, NodeKind, PASS, Planned, Planning, Ports, REASON, Severity,
    Total, Totals, Words,
};
use crate::number;
use crate::param::{Column, Formula};
use crate::table::{OrderKey, Table, column, hidden};
use crate::types::MAX_DIGITS;

/// Compares the total of the incoming rows with the total of a reference.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Reconcile {
    /// What is added up of the incoming rows, and of those on the port `plus`.
    pub value: Formula,
    /// What is added up of the reference; the same formula unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_value: Option<Formula>,
    /// The columns that make groups, each of which must agree; none compares the overall totals.
    #[serde(default)]
    pub by: Vec<GroupColumn>,
    /// The largest difference allowed, such as `0.01`.
    #[serde(default)]
    pub tolerance: String,
    /// What happens when the totals differ by more.
    #[serde(default)]
    pub severity: Severity,
}

/// A column that makes groups.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct GroupColumn {
    /// The column of the incoming rows.
    pub column: Column,
    /// The column of the reference; the same name unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Column>,
}

impl NodeKind for Reconcile {
    fn identity() -> Identity {
        Identity {
            id: "control.reconcile",
            version: 1,
            category: Category::Control,
            icon: "balance",
            title: Words { en: "Reconcile", fr: "Rapprochement" },
            summary: Words {
                en: "Checks that a total equals that of another flow, overall or group by group, to the cent.",
                fr: "Vérifie qu'un total égale celui d'un autre flux, globalement ou par groupe, au centime près.",
            },
            synonyms: &["control total", "compare totals", "tie out", "check sum", "contrôle", "écart", "total de contrôle"],
            order: Words {
                en: "Rows as they arrive; differing groups by their columns.",
                fr: "Les lignes dans l'ordre d'arrivée ; les groupes en écart par leurs colonnes.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports {
            inputs: vec![
                IN,
                InPort { name: "plus", arity: Arity::Any, title: Words { en: "also counted", fr: "à compter aussi" } },
                InPort { name: "reference", arity: Arity::One, title: Words { en: "reference", fr: "référence" } },
            ],
            outputs: vec![PASS, EXCEPTIONS],
        }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let rows = cx.input("in")?;
        let reference = cx.input("reference")?;
        let more = cx.inputs("plus").to_vec();
        let allowed = tolerance(&self.tolerance, cx);
        let (theirs_formula, theirs_field) = match &self.reference_value {
            Some(formula) => (formula, "reference_value"),
            None => (&self.value, "value"),
        };
        let value = figure(cx, &self.value, &rows, "value");
        let theirs = figure(cx, theirs_formula, &reference, theirs_field);
        let also: Vec<Option<Expr>> = more.iter().map(|table| figure(cx, &self.value, table, "value")).collect();
        for (i, group) in self.by.iter().enumerate() {
            let field = format!("by[{i}]");
            for table in std::iter::once(&rows).chain(&more) {
                cx.column(&group.column, table, &format!("{field}.column"));
            }
            cx.column(group.theirs(), &reference, &format!("{field}.reference"));
        }
        if cx.failed() {
            return None;
        }
        let (value, theirs) = (value?, theirs?);
        let also = also.into_iter().collect::<Option<Vec<_>>>()?;

        let total = |port, wire, value: &Expr| Total { port, wire, value: value.clone() };
        let totals = Totals {
            left_label: "rows".into(),
            left: std::iter::once(total("in", 0, &value))
                .chain(also.iter().enumerate().map(|(i, value)| total("plus", i, value)))
                .collect(),
            right_label: "reference".into(),
            right: vec![total("reference", 0, &theirs)],
            right_constant: Decimal::ZERO,
            must: if self.by.is_empty() { Must::Agree } else { Must::Show },
            tolerance: allowed,
        };
        let mut tables = vec![(rows.clone(), value)];
        tables.extend(more.into_iter().zip(also));
        let exceptions = self.exceptions(cx, &tables, (&reference, theirs), allowed);
        let exceptions = cx.planned(exceptions)?;
        let groups = if self.by.is_empty() {
            String::new()
        } else {
            format!(" by {}", self.by.iter().map(|group| group.column.0.as_str()).collect::<Vec<_>>().join(", "))
        };
        let check = Check {
            title: format!("{} equals the reference{groups}", self.value.0),
            severity: self.severity,
            totals: Some(totals),
            exceptions: (!self.by.is_empty()).then_some("exceptions"),
            counted: None,
            allowed: 0,
        };
        Some(Planned {
            flows: vec![Flow::all("pass", rows), Flow::all("exceptions", exceptions)],
            checks: vec![check],
            ..Planned::default()
        })
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "What was mapped and what was not add up to the source.",
                json!({ "value": "[arr]", "reference_value": "[total]" }),
            )
            .input("in", "arr:decimal(2)\n10.00\n0.10")
            .input("plus", "arr:decimal(2)\n5.00")
            .input("reference", "total:decimal(2)\n15.10")
            .output("pass", "arr:decimal(2)\n10.00\n0.10")
            .output("exceptions", "value:decimal(2),reference:decimal(2),difference:decimal(2),reason"),
            Example::new("A difference of one cent is an exception.", json!({ "value": "[arr]" }))
                .input("in", "arr:decimal(2)\n10.00")
                .input("reference", "arr:decimal(2)\n10.01")
                .output("exceptions", "value:decimal(2),reference:decimal(2),difference:decimal(2),reason\n10.00,10.01,-0.01,the totals differ"),
            Example::new(
                "Group by group, with a tolerance; a group that one side lacks is an exception.",
                json!({ "value": "[v]", "by": [{ "column": "k" }], "tolerance": "0.05" }),
            )
            .input("in", "k,v:decimal(2)\na,1.00\nb,2.00\na,1.00\nd,")
            .input("reference", "k,v:decimal(2)\na,2.05\nb,2.06\nc,3.00")
            .output(
                "exceptions",
                "k,value:decimal(2),reference:decimal(2),difference:decimal(2),reason\nb,2.00,2.06,-0.06,the totals differ\nc,0.00,3.00,-3.00,the group is only in the reference\nd,0.00,0.00,0.00,the group is not in the reference",
            ),
            Example::new("Texts have no total.", json!({ "value": "[a]" })).input("in", "a\nx").input("reference", "a\nx").refused("cannot be added up"),
        ]
    }
}

impl GroupColumn {
    fn theirs(&self) -> &Column {
        self.reference.as_ref().unwrap_or(&self.column)
    }
}

impl Reconcile {
    /// The groups whose totals differ, or the one row of totals that do.
    fn exceptions(
        &self,
        cx: &Planning<'_>,
        tables: &[(Table, Expr)],
        (reference, theirs): (&Table, Expr),
        allowed: Decimal,
    ) -> datafusion::common::Result<Table> {
        let temporary = |name: &str| hidden(&format!("{}.{name}", cx.node()));
        let keys: Vec<(String, String)> =
            (0..self.by.len()).map(|i| (temporary(&format!("left{i}")), temporary(&format!("right{i}")))).collect();
        let mut places = 0;
        for (table, value) in tables.iter().map(|(table, value)| (table, value)).chain([(reference, &theirs)]) {
            use datafusion::logical_expr::ExprSchemable;
            if let DataType::Decimal128(_, scale) = value.get_type(table.schema())? {
                places = places.max(scale.max(0) as u8);
            }
        }
        let float = tables.iter().map(|(table, value)| (table, value)).chain([(reference, &theirs)]).any(|(table, value)| {
            use datafusion::logical_expr::ExprSchemable;
            value.get_type(table.schema()).is_ok_and(|data_type| data_type == DataType::Float64)
        });
        let money = if float { DataType::Float64 } else { DataType::Decimal128(MAX_DIGITS, places as i8) };
        let summed = |plan: LogicalPlanBuilder, keys: Vec<String>, value: &str, count: &str| {
            let groups: Vec<Expr> = keys.iter().map(|key| column(key)).collect();
            plan.aggregate(
                groups,
                vec![
                    number::sum(column(value), "control total").alias(temporary("sum")),
                    datafusion::functions_aggregate::expr_fn::count(lit(1_i64)).alias(count),
                ],
            )?
            .project(keys.iter().map(|key| column(key)).chain([column(&temporary("sum")).alias(value), column(count)]).collect::<Vec<_>>())
        };
        let (ours, other) = (temporary("value"), temporary("reference"));
        let (our_rows, other_rows) = (temporary("rows"), temporary("reference_rows"));
        let mut left: Option<LogicalPlanBuilder> = None;
        for (table, value) in tables {
            let columns = self.by.iter().zip(&keys).map(|(group, (key, _))| column(&group.column.0).alias(key));
            let amount = datafusion::logical_expr::cast(value.clone(), money.clone()).alias(&ours);
            let part = LogicalPlanBuilder::from(table.plan.clone()).project(columns.chain([amount]).collect::<Vec<_>>())?;
            left = Some(match left {
                None => part,
                Some(left) => left.union(part.build()?)?,
            });
        }
        let left = left.ok_or_else(|| datafusion::common::internal_datafusion_err!("a reconciliation of nothing"))?;
        let left = summed(left, keys.iter().map(|(key, _)| key.clone()).collect(), &ours, &our_rows)?;
        let columns = self.by.iter().zip(&keys).map(|(group, (_, key))| column(&group.theirs().0).alias(key));
        let amount = datafusion::logical_expr::cast(theirs, money.clone()).alias(&other);
        let right = LogicalPlanBuilder::from(reference.plan.clone()).project(columns.chain([amount]).collect::<Vec<_>>())?;
        let right = summed(right, keys.iter().map(|(_, key)| key.clone()).collect(), &other, &other_rows)?.build()?;
        let joined = if keys.is_empty() {
            left.cross_join(right)?
        } else {
            let (lefts, rights): (Vec<_>, Vec<_>) = keys
                .iter()
                .map(|(left, right)| {
                    (datafusion::common::Column::new_unqualified(left), datafusion::common::Column::new_unqualified(right))
                })
                .unzip();
            left.join_detailed(right, JoinType::Full, (lefts, rights), None, NullEquality::NullEqualsNull)?
        };
        let zero = datafusion::logical_expr::cast(lit(0_i64), money.clone());
        let amount = |name: &str| coalesce(vec![column(name), zero.clone()]);
        let site = Site { output: "difference".into(), row: None };
        let difference = number::subtract(amount(&ours), amount(&other), &site);
        let limit = match &money {
            DataType::Float64 => lit(allowed.to_string().parse::<f64>().unwrap_or_default()),
            _ => {
                let mut limit = allowed;
                limit.rescale(limit.scale().max(u32::from(places)));
                lit(ScalarValue::Decimal128(Some(limit.mantissa()), MAX_DIGITS, limit.scale() as i8))
            }
        };
        let (only_ours, only_theirs) = (column(&other_rows).is_null(), column(&our_rows).is_null());
        let reason = when(only_theirs.clone(), text("the group is only in the reference"))
            .when(only_ours.clone(), text("the group is not in the reference"))
            .otherwise(text("the totals differ"))?;
        let named =
            self.by.iter().zip(&keys).map(|(group, (left, right))| coalesce(vec![column(left), column(right)]).alias(&group.column.0));
        let gap = temporary("gap");
        let negative = number::negate(column(&gap), &site);
        let mut differs = column(&gap).gt(limit.clone()).or(negative.gt(limit));
        if !keys.is_empty() {
            let missing = temporary("missing");
            differs = differs.or(column(&missing));
        }
        let plan = joined
            .project(
                named
                    .chain([
                        amount(&ours).alias("value"),
                        amount(&other).alias("reference"),
                        difference.clone().alias("difference"),
                        reason.alias(REASON),
                        difference.alias(&gap),
                        only_ours.or(only_theirs).alias(temporary("missing")),
                    ])
                    .collect::<Vec<_>>(),
            )?
            .filter(differs)?;
        let visible: Vec<Expr> =
            self.by.iter().map(|group| column(&group.column.0)).chain(["value", "reference", "difference", REASON].map(column)).collect();
        let plan = plan.project(visible)?.build()?;
        let order = self.by.iter().map(|group| OrderKey::ascending(&group.column.0, &group.column.0)).collect();
        Ok(Table::new(plan, order))
    }
}

fn text(value: &str) -> Expr {
    lit(ScalarValue::Utf8View(Some(value.to_owned())))
}
