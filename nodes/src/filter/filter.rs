//! `filter`: rows for which a condition holds, and the others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::example::Example;
use crate::kind::{Category, Flow, Identity, NodeKind, OutPort, Planned, Planning, Ports, Words};
use crate::param::Formula;

/// Sends rows one way or the other.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// What must be true for a row to be kept, for example `[Stage] = "Closed Won"`. A row for which it is neither true
    /// nor false, because a value is empty, goes with the others.
    #[serde(default)]
    pub condition: Formula,
}

impl NodeKind for Filter {
    fn identity() -> Identity {
        Identity {
            id: "filter",
            version: 1,
            category: Category::Filter,
            icon: "filter_alt",
            title: Words { en: "Filter", fr: "Filtrer" },
            summary: Words {
                en: "Keeps the rows that meet a condition and sends the others elsewhere.",
                fr: "Retient les lignes qui remplissent une condition et envoie les autres ailleurs.",
            },
            synonyms: &[
                "where",
                "row filter",
                "row splitter",
                "split",
                "autofilter",
                "condition",
                "filtre",
                "garder",
                "filtrer les lignes",
            ],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([
            OutPort { name: "true", title: Words { en: "kept", fr: "retenues" } },
            OutPort { name: "false", title: Words { en: "others", fr: "autres" } },
        ])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let condition = cx.condition(&self.condition, &table, "condition", "condition")?;
        Some(Planned::flow(Flow::split(table, condition, "true", "false")))
    }

    fn examples() -> Vec<Example> {
        let deals = "deal,stage,amount:decimal(2)\nD1,Won,100.00\nD2,Lost,20.00\nD3,,30.00\nD4,Won,5.00";
        vec![
            Example::new("Only signed deals go on, and an empty stage is not a signed one.", json!({ "condition": "[stage] = \"Won\"" }))
                .input("in", deals)
                .output("true", "deal,stage,amount:decimal(2)\nD1,Won,100.00\nD4,Won,5.00")
                .output("false", "deal,stage,amount:decimal(2)\nD2,Lost,20.00\nD3,,30.00"),
            Example::new("Two conditions at once.", json!({ "condition": "AND([stage] = \"Won\", [amount] >= 100)" }))
                .input("in", deals)
                .output("true", "deal,stage,amount:decimal(2)\nD1,Won,100.00"),
            Example::new("A table without rows gives two tables without rows.", json!({ "condition": "[amount] > 0" }))
                .input("in", "deal,amount:decimal(2)")
                .output("true", "deal,amount:decimal(2)")
                .output("false", "deal,amount:decimal(2)"),
            Example::new("A mistyped column is refused.", json!({ "condition": "[amont] > 0" }))
                .input("in", deals)
                .refused("Did you mean \"amount\"?"),
        ]
    }
}
