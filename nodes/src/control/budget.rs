//! `control.budget`: a total stays under a limit.

use rust_decimal::Decimal;

use crate::kind::{Must, Total, Totals};
use crate::prelude::*;

/// Checks that a total stays under a limit.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Budget {
    /// What is added up of the rows.
    pub value: Formula,
    /// The limit. It is added to that of the table of limits, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// What is added up of the table of limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-weir-input" = "limits"))]
    pub limit_value: Option<Formula>,
    /// What happens when the total is above the limit.
    #[serde(default)]
    pub severity: Severity,
}

impl NodeKind for Budget {
    fn identity() -> Identity {
        Identity {
            id: "control.budget",
            version: 1,
            category: Category::Control,
            icon: "savings",
            title: Words { en: "Budget", fr: "Budget" },
            summary: Words {
                en: "Checks that a total stays under a limit, given or added up from a table.",
                fr: "Vérifie qu'un total reste sous une limite, donnée ou calculée d'une table.",
            },
            synonyms: &["limit", "cap", "ceiling", "threshold", "plafond", "enveloppe", "dépassement"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        let limits = InPort { name: "limits", arity: Arity::Optional, title: Words { en: "limits", fr: "limites" } };
        Ports { inputs: vec![IN, limits], outputs: vec![PASS] }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let rows = cx.input("in")?;
        let limits = cx.input("limits");
        let value = super::figure(cx, &self.value, &rows, "value");
        let constant = self.limit.as_deref().map(|text| Decimal::from_str_exact(text).map_err(|_| text));
        if let Some(Err(text)) = constant {
            cx.problem(Problem::error(format!("\"{text}\" is not an amount.")).on("limit").help("Write an amount such as 50000.00."));
        }
        let mut right = Vec::new();
        match (&limits, &self.limit_value) {
            (Some(table), Some(formula)) => {
                let limit = super::figure(cx, formula, table, "limit_value");
                right.extend(limit.map(|value| Total { port: "limits", wire: 0, value }));
            }
            (Some(_), None) => {
                let what = "Nothing says what is added up of the table of limits.";
                cx.problem(Problem::error(what).on("limit_value").help("Give its column, such as [budget]."));
            }
            (None, _) if constant.is_none() => {
                cx.problem(Problem::error("There is no limit.").on("limit").help("Write an amount, or connect a table of limits."));
            }
            (None, _) => {}
        }
        if cx.failed() {
            return None;
        }
        let totals = Totals {
            left_label: "total".into(),
            left: vec![Total { port: "in", wire: 0, value: value? }],
            right_label: "limit".into(),
            right,
            right_constant: constant.and_then(Result::ok).unwrap_or_default(),
            must: Must::NotExceed,
            tolerance: Decimal::ZERO,
        };
        let title = format!("{} stays under its limit", self.value.0);
        let check = Check { title, severity: self.severity, totals: Some(totals), exceptions: None, counted: None, allowed: 0 };
        Some(Planned::flow(Flow::all(PASS.name, rows)).check(check))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Commissions under 50,000.", json!({ "value": "[commission]", "limit": "50000" }))
                .input("in", "who,commission:decimal(2)\nAnn,49999.99")
                .output("pass", "who,commission:decimal(2)\nAnn,49999.99"),
            Example::new("Against a table of limits.", json!({ "value": "[n]", "limit_value": "[max]" }))
                .input("in", "n:integer\n1")
                .input("limits", "max:integer\n1\n2")
                .output("pass", "n:integer\n1"),
            Example::new("A table without rows.", json!({ "value": "[n]", "limit": "0" }))
                .input("in", "n:integer")
                .output("pass", "n:integer"),
            Example::new("A limit is needed.", json!({ "value": "[n]" })).input("in", "n:integer\n1").refused("There is no limit"),
        ]
    }
}
