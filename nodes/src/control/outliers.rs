//! `control.outliers`: figures far from the others.

use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::cast;
use datafusion::scalar::ScalarValue;

use crate::prelude::*;
use crate::window::{self, Frame};

/// Finds figures that are far from the others.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Outliers {
    /// The column with the figures.
    pub column: Column,
    /// The columns whose groups are judged each on their own.
    #[serde(default)]
    pub per: Columns,
    /// What is far.
    #[serde(default)]
    pub method: Method,
    /// How far: so many times the distance between the quartiles (1.5 is usual), or so many standard deviations (3).
    #[serde(default = "usual")]
    pub times: String,
    /// What happens when there are more outliers than allowed.
    #[serde(default = "warn")]
    pub severity: Severity,
    /// How many outliers there may be all the same.
    #[serde(default)]
    pub allowed: u64,
}

fn usual() -> String {
    "1.5".into()
}

fn warn() -> Severity {
    Severity::Warn
}

/// What is far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Outside the quartiles by some times the distance between them.
    #[default]
    Quartiles,
    /// Away from the average by some standard deviations.
    Deviations,
}

impl NodeKind for Outliers {
    fn identity() -> Identity {
        Identity {
            id: "control.outliers",
            version: 1,
            category: Category::Control,
            icon: "scatter_plot",
            title: Words { en: "Outliers", fr: "Valeurs atypiques" },
            summary: Words {
                en: "Finds figures far from the others, by quartiles or standard deviations, overall or in each group.",
                fr: "Repère les valeurs éloignées des autres, par quartiles ou écarts-types, en tout ou par groupe.",
            },
            synonyms: &["anomaly", "iqr", "z-score", "extreme values", "aberrantes", "anomalies", "écart-type"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::control()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        cx.fitting(&Columns(vec![self.column.clone()]), &table, "column", "a number", ColumnType::is_number);
        let per = cx.columns(&self.per, &table, "per");
        let times = self.times.parse::<f64>().ok().filter(|times| times.is_finite() && *times >= 0.0);
        if times.is_none() {
            let what = format!("\"{}\" is not a number.", self.times);
            cx.problem(Problem::error(what).on("times").help("1.5 is usual for quartiles, 3 for standard deviations."));
        }
        if cx.failed() {
            return None;
        }
        let hide = |what: &str| hidden(&format!("{}.{what}", cx.node()));
        let (a, b, far) = (hide("a"), hide("b"), hide("far"));
        let (x, label, times) = (column(&self.column.0), self.column.0.as_str(), lit(times?));
        let group = |call: Expr| window::over(call, &per, &[], Frame::Group);
        let float = |name: &str| cast(column(name), DataType::Float64);
        let figures = match self.method {
            Method::Quartiles => [number::percentile(x.clone(), 250, label), number::percentile(x.clone(), 750, label)],
            Method::Deviations => [number::average(x.clone(), label), number::deviation(x.clone(), label)],
        };
        let [first, second] = figures;
        let judged = group(first).and_then(|first| {
            let table = window::with(&table, vec![(a.clone(), first), (b.clone(), group(second)?)])?;
            let x = cast(x, DataType::Float64);
            let distance = match self.method {
                Method::Quartiles => (float(&b) - float(&a)) * times,
                Method::Deviations => float(&b) * times,
            };
            let (low, high) = match self.method {
                Method::Quartiles => (float(&a) - distance.clone(), float(&b) + distance),
                Method::Deviations => (float(&a) - distance.clone(), float(&a) + distance),
            };
            table.with_columns(vec![(far.clone(), coalesce(vec![x.clone().lt(low).or(x.gt(high)), lit(false)]))])
        });
        let judged = cx.planned(judged)?;
        let visible = table.columns();
        let mut with_reason = visible.clone();
        let reason = format!("{} is far from the others", self.column.0);
        with_reason.push((REASON.into(), lit(ScalarValue::Utf8View(Some(reason)))));
        let flow = Flow {
            table: judged,
            outlets: vec![
                Outlet { port: PASS.name, rows: Rows::Rest, columns: Some(visible), order: None },
                Outlet { port: EXCEPTIONS.name, rows: Rows::Where(column(&far)), columns: Some(with_reason), order: None },
            ],
        };
        Some(Planned::flow(flow).check(Check {
            title: format!("No {} is far from the others", self.column.0),
            severity: self.severity,
            totals: None,
            exceptions: Some(EXCEPTIONS.name),
            counted: None,
            allowed: self.allowed,
        }))
    }

    fn examples() -> Vec<Example> {
        let rows = "g,n:decimal(1)\na,1.0\na,2.0\na,3.0\na,4.0\na,50.0\nb,50.0\nb,";
        vec![
            Example::new("By quartiles, in each group.", json!({ "column": "n", "per": ["g"] }))
                .input("in", rows)
                .output("pass", "g,n:decimal(1)\na,1.0\na,2.0\na,3.0\na,4.0\nb,50.0\nb,")
                .output("exceptions", "g,n:decimal(1),reason\na,50.0,n is far from the others"),
            Example::new(
                "By standard deviations: two fifties are no longer rare.",
                json!({ "column": "n", "method": "deviations", "times": "3" }),
            )
            .input("in", rows)
            .output("exceptions", "g,n:decimal(1),reason"),
            Example::new("A single row is never far.", json!({ "column": "n" })).input("in", "n:integer\n5").output("pass", "n:integer\n5"),
            Example::new("How far is a number.", json!({ "column": "n", "times": "very" }))
                .input("in", rows)
                .refused("\"very\" is not a number"),
        ]
    }
}
