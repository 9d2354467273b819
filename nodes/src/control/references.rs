//! `control.references`: every value is known in another table.

use datafusion::common::{JoinType, NullEquality};
use datafusion::scalar::ScalarValue;

use crate::join::keys::{Keyed, only};
use crate::join::lookup::LookupOn;
use crate::prelude::*;

/// Checks that every row finds its key in another table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct References {
    /// The columns that must agree.
    pub on: Vec<LookupOn>,
    /// Whether rows with an empty key pass.
    #[serde(default)]
    pub allow_empty: bool,
    /// What happens when a key is not known.
    #[serde(default)]
    pub severity: Severity,
}

impl NodeKind for References {
    fn identity() -> Identity {
        Identity {
            id: "control.references",
            version: 1,
            category: Category::Control,
            icon: "link",
            title: Words { en: "Known references", fr: "Références connues" },
            summary: Words {
                en: "Checks that every row's key exists in another table, such as the list of accounts or products.",
                fr: "Vérifie que la clé de chaque ligne existe dans une autre table, comme le plan de comptes ou le catalogue.",
            },
            synonyms: &["foreign key", "referential integrity", "exists in", "clé étrangère", "intégrité référentielle", "orphelins"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        let table = InPort { name: "table", arity: Arity::One, title: Words { en: "table", fr: "table" } };
        Ports { inputs: vec![IN, table], outputs: vec![PASS, EXCEPTIONS] }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let (rows, table) = (cx.input("in")?, cx.input("table")?);
        let pairs = self.on.iter().enumerate().map(|(i, on)| (&on.column, format!("on[{i}].column"), &on.in_table, format!("on[{i}].in")));
        let keyed = Keyed::new(cx, (&rows, &table), pairs, false)?;
        let names: Vec<String> = self.on.iter().map(|on| on.column.0.clone()).collect();
        let tag = hidden(&format!("{}.known", cx.node()));
        let flagged = self.flagged(&rows, &table, &keyed, &tag);
        let flagged = cx.planned(flagged)?;
        let reason = format!("{} is not known", names.join(", "));
        let visible = rows.columns();
        let mut with_reason = visible.clone();
        with_reason.push((REASON.into(), lit(ScalarValue::Utf8View(Some(reason)))));
        let mut flow = Flow::split(flagged, column(&tag), PASS.name, EXCEPTIONS.name);
        flow.outlets[0].columns = Some(visible);
        flow.outlets[1].columns = Some(with_reason);
        Some(Planned::flow(flow).check(Check::empty(format!("Every {} is known", names.join(", ")), self.severity, EXCEPTIONS.name)))
    }

    fn examples() -> Vec<Example> {
        let on = json!([{ "column": "account", "in": "number" }]);
        vec![
            Example::new("Unknown accounts are exceptions; a key that the table has twice repeats nothing.", json!({ "on": on }))
                .input("in", "id:integer,account\n1,601\n2,999\n3,\n4,601")
                .input("table", "number\n601\n602\n601")
                .output("pass", "id:integer,account\n1,601\n4,601")
                .output("exceptions", "id:integer,account,reason\n2,999,account is not known\n3,,account is not known"),
            Example::new("Empty keys pass.", json!({ "on": on, "allow_empty": true }))
                .input("in", "id:integer,account\n1,\n2,7")
                .input("table", "number\n601")
                .output("pass", "id:integer,account\n1,")
                .output("exceptions", "id:integer,account,reason\n2,7,account is not known"),
            Example::new("Against a table without rows everything is unknown.", json!({ "on": on }))
                .input("in", "account\n601")
                .input("table", "number")
                .output("pass", "account")
                .output("exceptions", "account,reason\n601,account is not known"),
            Example::new("Columns to match by are needed.", json!({ "on": [] }))
                .input("in", "a\nx")
                .input("table", "a\nx")
                .refused("no column to match by"),
        ]
    }
}

impl References {
    /// The rows with a column that says whether their key is known.
    fn flagged(&self, rows: &Table, table: &Table, keyed: &Keyed, tag: &str) -> datafusion::common::Result<Table> {
        let keys: Vec<Expr> = (0..keyed.pairs.len()).map(|i| column(&keyed.right_name(i))).collect();
        let build = LogicalPlanBuilder::from(only(table, keyed.right_keys(table))?).aggregate(keys, Vec::<Expr>::new())?.build()?;
        let probe = rows.with_columns(keyed.left_keys(rows))?;
        let plan = LogicalPlanBuilder::from(build)
            .join_detailed(probe.plan, JoinType::Right, (keyed.right_names(), keyed.left_names()), None, NullEquality::NullEqualsNothing)?
            .build()?;
        let mut known = column(&keyed.right_name(0)).is_not_null();
        if self.allow_empty {
            known = (0..keyed.pairs.len()).map(|i| column(&keyed.left_name(i)).is_null()).fold(known, Expr::or);
        }
        let mut columns = rows.columns();
        columns.push((tag.to_owned(), known));
        Table::new(plan, rows.order.clone()).project(columns)
    }
}
