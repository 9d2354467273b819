//! `control.freshness`: the latest date is recent enough.

use datafusion::functions_aggregate::expr_fn::max;
use datafusion::logical_expr::cast;
use datafusion::scalar::ScalarValue;

use crate::prelude::*;

/// Checks that the data is recent.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Freshness {
    /// The column with the dates.
    pub column: Column,
    /// The date to look back from, as a formula without columns: `$close` or `DATE(2026, 9, 30)`.
    pub as_of: Formula,
    /// How many days the latest date may lie before it.
    #[serde(default)]
    pub days: u32,
    /// What happens when the latest date is older, or there is none.
    #[serde(default)]
    pub severity: Severity,
}

impl NodeKind for Freshness {
    fn identity() -> Identity {
        Identity {
            id: "control.freshness",
            version: 1,
            category: Category::Control,
            icon: "update",
            title: Words { en: "Freshness", fr: "Fraîcheur" },
            summary: Words {
                en: "Checks that the latest date of the rows is recent enough.",
                fr: "Vérifie que la date la plus récente des lignes l'est assez.",
            },
            synonyms: &["stale data", "latest date", "up to date", "recency", "données à jour", "ancienneté"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::control()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let rows = cx.input("in")?;
        let dates = |kind| matches!(kind, ColumnType::Date | ColumnType::DateTime);
        cx.fitting(&Columns(vec![self.column.clone()]), &rows, "column", "a date", dates);
        if cx.failed() {
            return None;
        }
        let latest = "latest";
        let highest = max(cast(column(&self.column.0), DataType::Date32)).alias(latest);
        let plan = LogicalPlanBuilder::from(rows.plan.clone()).aggregate(Vec::<Expr>::new(), [highest]).and_then(LogicalPlanBuilder::build);
        let one = Table::new(cx.planned(plan)?, vec![]);
        let as_of = cx.formula(&self.as_of, &one, "as_of", "as_of")?;
        if ColumnType::of(&as_of.data_type) != Some(ColumnType::Date) {
            let what = format!("This must be a date, but it is {}.", type_name(&as_of.data_type));
            cx.problem(Problem::error(what).on("as_of").help("Write DATE(2026, 9, 30), or a parameter of type date."));
            return None;
        }
        let old = format!("IF(ISBLANK([latest]), TRUE, DAYS({}, [latest]) > {})", self.as_of.0, self.days);
        let old = cx.derived(&old, &one, "fresh", "as_of")?;
        let stale = one.filter(old.expr).and_then(|table| {
            let reason = lit(ScalarValue::Utf8View(Some("too old, or no date".into())));
            table.project(vec![(latest.into(), column(latest)), ("as_of".into(), as_of.expr), (REASON.into(), reason)])
        });
        let stale = cx.planned(stale)?;
        let planned = Planned { flows: vec![Flow::all(PASS.name, rows), Flow::all(EXCEPTIONS.name, stale)], ..Planned::default() };
        Some(planned.check(Check::empty(
            format!("The latest {} is at most {} days before {}", self.column.0, self.days, self.as_of.0),
            self.severity,
            EXCEPTIONS.name,
        )))
    }

    fn examples() -> Vec<Example> {
        let params = json!({ "column": "d", "as_of": "DATE(2026, 9, 30)", "days": 3 });
        vec![
            Example::new("Three days old is recent enough.", params.clone())
                .input("in", "d:date,b\n2026-09-27,x\n2026-01-01,y")
                .output("pass", "d:date,b\n2026-09-27,x\n2026-01-01,y")
                .output("exceptions", "latest:date,as_of:date,reason"),
            Example::new("Four are not.", params.clone())
                .input("in", "d:date,b\n2026-09-26,x")
                .output("exceptions", "latest:date,as_of:date,reason\n2026-09-26,2026-09-30,\"too old, or no date\""),
            Example::new("No rows are not recent.", params)
                .input("in", "d:date")
                .output("exceptions", "latest:date,as_of:date,reason\n,2026-09-30,\"too old, or no date\""),
            Example::new("A date to look back from is needed.", json!({ "column": "d", "as_of": "5" }))
                .input("in", "d:date\n2026-09-26")
                .refused("This must be a date"),
        ]
    }
}
