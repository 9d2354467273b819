//! `control.unique_key`: a key is filled and comes once.

use super::expect::{Expect, Rule};
use crate::prelude::*;

/// Checks that a key is filled and comes once.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct UniqueKey {
    /// The columns of the key.
    pub columns: Columns,
    /// Whether parts of the key may be empty.
    #[serde(default)]
    pub allow_empty: bool,
    /// What happens when a key is empty or repeats.
    #[serde(default)]
    pub severity: Severity,
}

impl NodeKind for UniqueKey {
    fn identity() -> Identity {
        Identity {
            id: "control.unique_key",
            version: 1,
            category: Category::Control,
            icon: "key",
            title: Words { en: "Unique key", fr: "Clé unique" },
            summary: Words {
                en: "Checks that a key is filled and comes only once; every row of a repeated key is an exception.",
                fr: "Vérifie qu'une clé est remplie et n'apparaît qu'une fois ; toutes les lignes d'une clé répétée sont des exceptions.",
            },
            synonyms: &["primary key", "no duplicates", "duplicate check", "doublons", "clé primaire", "unicité"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::control()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        cx.columns(&self.columns, &table, "columns");
        if self.columns.0.is_empty() {
            cx.problem(Problem::error("The key has no columns.").on("columns").help("Choose the columns that make the key."));
        }
        if cx.failed() {
            return None;
        }
        let mut rules = vec![Rule::Unique { columns: self.columns.clone() }];
        if !self.allow_empty {
            let one = |column: &Column| Rule::NotEmpty { columns: Columns(vec![column.clone()]) };
            rules.splice(0..0, self.columns.0.iter().map(one));
        }
        Expect { rules, severity: self.severity, allowed: 0 }.plan(cx)
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A key of two columns.", json!({ "columns": ["a", "b"] }))
                .input("in", "a,b:integer,v\nx,1,p\nx,2,q\nx,1,r\n,3,s")
                .output("pass", "a,b:integer,v\nx,2,q")
                .output("exceptions", "a,b:integer,v,reason\nx,1,p,\"a, b is not unique\"\nx,1,r,\"a, b is not unique\"\n,3,s,a is empty"),
            Example::new("Empty keys are allowed, but not twice.", json!({ "columns": ["a"], "allow_empty": true }))
                .input("in", "a,b\n,1\nx,2")
                .output("pass", "a,b\n,1\nx,2")
                .output("exceptions", "a,b,reason"),
            Example::new("A table without rows.", json!({ "columns": ["a"] })).input("in", "a").output("exceptions", "a,reason"),
            Example::new("A key needs columns.", json!({ "columns": [] })).input("in", "a\nx").refused("The key has no columns"),
        ]
    }
}
