//! `control.completeness`: everything that was expected is there: every site in every month.

use datafusion::common::{JoinType, NullEquality};
use datafusion::logical_expr::cast;
use datafusion::scalar::ScalarValue;

use crate::join::keys::{Keyed, only};
use crate::prelude::*;

/// Checks that every expected combination is present.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Completeness {
    /// The columns whose combinations are expected, such as a site and a month. Without a table of what is expected,
    /// every value of one is expected with every value of the others.
    pub columns: Columns,
    /// What happens when a combination is missing.
    #[serde(default)]
    pub severity: Severity,
}

impl NodeKind for Completeness {
    fn identity() -> Identity {
        Identity {
            id: "control.completeness",
            version: 1,
            category: Category::Control,
            icon: "checklist",
            title: Words { en: "Completeness", fr: "Complétude" },
            summary: Words {
                en: "Checks that every expected combination is there, such as every site in every month.",
                fr: "Vérifie que chaque combinaison attendue est présente, comme chaque site pour chaque mois.",
            },
            synonyms: &["missing periods", "expected rows", "gaps", "exhaustivité", "périodes manquantes", "manquants"],
            order: Words {
                en: "Rows as they arrive; what is missing in the order of what is expected.",
                fr: "Les lignes dans l'ordre d'arrivée ; les manquants dans l'ordre de l'attendu.",
            },
        }
    }

    fn ports(&self) -> Ports {
        let expected = InPort { name: "expected", arity: Arity::Optional, title: Words { en: "expected", fr: "attendu" } };
        Ports { inputs: vec![IN, expected], outputs: vec![PASS, EXCEPTIONS] }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let rows = cx.input("in")?;
        let given = cx.input("expected");
        cx.columns(&self.columns, &rows, "columns");
        if self.columns.0.is_empty() {
            cx.problem(Problem::error("Nothing is expected.").on("columns").help("Choose the columns whose combinations are expected."));
        }
        if cx.failed() {
            return None;
        }
        let expected = match given {
            Some(table) => table,
            None => {
                let combined = self.combined(cx, &rows);
                cx.planned(combined)?
            }
        };
        let pairs = self.columns.0.iter().enumerate().map(|(i, name)| (name, format!("columns[{i}]"), name, format!("columns[{i}]")));
        let keyed = Keyed::new(cx, (&expected, &rows), pairs, false)?;
        let missing = Self::missing(&expected, &rows, &keyed);
        let missing = cx.planned(missing)?;
        let names = self.columns.0.iter().map(|name| name.0.as_str()).collect::<Vec<_>>().join(" and ");
        let planned = Planned { flows: vec![Flow::all(PASS.name, rows), Flow::all(EXCEPTIONS.name, missing)], ..Planned::default() };
        Some(planned.check(Check::empty(format!("Every {names} that is expected is there"), self.severity, EXCEPTIONS.name)))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Every site in every month.", json!({ "columns": ["site", "month"] }))
                .input("in", "site,month:integer,v\nLyon,1,a\nLille,1,b\nLyon,2,c")
                .output("pass", "site,month:integer,v\nLyon,1,a\nLille,1,b\nLyon,2,c")
                .output("exceptions", "site,month:integer,reason\nLille,2,missing"),
            Example::new("Against a list of what is expected.", json!({ "columns": ["site"] }))
                .input("in", "site,v\nLyon,a")
                .input("expected", "site,region\nParis,IDF\nLyon,ARA")
                .output("exceptions", "site,region,reason\nParis,IDF,missing"),
            Example::new("Of no rows nothing is expected.", json!({ "columns": ["site"] }))
                .input("in", "site")
                .output("exceptions", "site,reason"),
            Example::new("Columns are needed.", json!({ "columns": [] })).input("in", "a\nx").refused("Nothing is expected"),
        ]
    }
}

impl Completeness {
    /// Every value of each column with every value of the others.
    fn combined(&self, cx: &Planning<'_>, rows: &Table) -> datafusion::common::Result<Table> {
        let mut all: Option<LogicalPlanBuilder> = None;
        let mut order = Vec::new();
        for (i, name) in self.columns.0.iter().enumerate() {
            let alias = hidden(&format!("{}.{i}", cx.node()));
            let values = LogicalPlanBuilder::from(rows.plan.clone())
                .filter(column(&name.0).is_not_null())?
                .project([column(&name.0).alias(&alias)])?
                .distinct()?
                .build()?;
            all = Some(match all {
                None => LogicalPlanBuilder::from(values),
                Some(all) => all.cross_join(values)?,
            });
            order.push(OrderKey::ascending(&name.0, &name.0));
        }
        let all = all.ok_or_else(|| datafusion::common::internal_datafusion_err!("no columns"))?;
        let named = |(i, name): (usize, &Column)| column(&hidden(&format!("{}.{i}", cx.node()))).alias(&name.0);
        let columns: Vec<Expr> = self.columns.0.iter().enumerate().map(named).collect();
        Ok(Table::new(all.project(columns)?.build()?, order))
    }

    /// What is expected and not there.
    fn missing(expected: &Table, rows: &Table, keyed: &Keyed) -> datafusion::common::Result<Table> {
        let build = only(rows, keyed.right_keys(rows))?;
        let probe = expected.with_columns(keyed.left_keys(expected))?;
        let keys = (keyed.right_names(), keyed.left_names());
        let plan = LogicalPlanBuilder::from(build)
            .join_detailed(probe.plan, JoinType::RightAnti, keys, None, NullEquality::NullEqualsNothing)?
            .build()?;
        let mut columns = expected.columns();
        columns.push((REASON.into(), cast(lit(ScalarValue::Utf8View(Some("missing".into()))), DataType::Utf8View)));
        Table::new(plan, expected.order.clone()).project(columns)
    }
}
