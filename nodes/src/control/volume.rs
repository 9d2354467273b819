//! `control.volume`: about as many rows, or about the same total, as expected or as last time.

use rust_decimal::Decimal;

use crate::kind::{Must, Total, Totals};
use crate::prelude::*;

/// Checks the number of rows, or a total, against a figure.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// What is added up of the rows. Rows are counted where nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Formula>,
    /// The figure to compare with. The last published run's is taken where nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// By how many percent the figure may differ.
    #[serde(default = "ten")]
    pub percent: String,
    /// What happens when it differs by more.
    #[serde(default)]
    pub severity: Severity,
}

fn ten() -> String {
    "10".into()
}

impl NodeKind for Volume {
    fn identity() -> Identity {
        Identity {
            id: "control.volume",
            version: 1,
            category: Category::Control,
            icon: "speed",
            title: Words { en: "Volume", fr: "Volumétrie" },
            summary: Words {
                en: "Checks that the number of rows, or a total, is close to what is expected or to the last published run.",
                fr: "Vérifie que le nombre de lignes, ou un total, est proche de l'attendu ou du dernier traitement publié.",
            },
            synonyms: &["row count", "count records", "variance check", "last run", "nombre de lignes", "variation", "volume"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([PASS])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let rows = cx.input("in")?;
        let value = match &self.value {
            None => lit(1_i64),
            Some(formula) => super::figure(cx, formula, &rows, "value")?,
        };
        let percent = number(cx, &self.percent, "percent");
        let expected = match &self.expected {
            Some(text) => number(cx, text, "expected"),
            None => cx.host().last_figure(cx.node()),
        };
        if cx.failed() {
            return None;
        }
        let what = self.value.as_ref().map_or_else(|| "Rows".to_owned(), |formula| formula.0.clone());
        let against = if self.expected.is_some() { "expected" } else { "last run" };
        let title = format!("{what}: within {}% of {against}", self.percent);
        let (right, must) = match expected {
            Some(expected) => (expected, Must::Agree),
            // The first time there is nothing to compare with; the figure is noted for the next.
            None => (Decimal::ZERO, Must::Show),
        };
        let tolerance = (right.abs() * percent? / Decimal::ONE_HUNDRED).normalize();
        let totals = Totals {
            left_label: "this run".into(),
            left: vec![Total { port: "in", wire: 0, value }],
            right_label: against.into(),
            right: vec![],
            right_constant: right,
            must,
            tolerance,
        };
        let check = Check { title, severity: self.severity, totals: Some(totals), exceptions: None, counted: None, allowed: 0 };
        Some(Planned::flow(Flow::all(PASS.name, rows)).check(check))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Two rows, give or take half.", json!({ "expected": "2", "percent": "50" }))
                .input("in", "a\nx")
                .output("pass", "a\nx"),
            Example::new("A total against the last published run.", json!({ "value": "[n]" }))
                .input("in", "n:integer\n1\n2")
                .output("pass", "n:integer\n1\n2"),
            Example::new("A table without rows.", json!({ "expected": "0" })).input("in", "a").output("pass", "a"),
            Example::new("A percentage is a number.", json!({ "percent": "much" })).input("in", "a\nx").refused("\"much\" is not a number"),
        ]
    }
}

fn number(cx: &mut Planning<'_>, text: &str, field: &str) -> Option<Decimal> {
    let found = Decimal::from_str_exact(text).ok();
    if found.is_none() {
        cx.problem(Problem::error(format!("\"{text}\" is not a number.")).on(field).help("Write a number such as 10 or 2.5."));
    }
    found
}
