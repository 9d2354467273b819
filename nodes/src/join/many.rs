//! `join.many`: several tables side by side by the same key columns.

use super::join::{How, Join, On};
use super::keys::Keyed;
use crate::prelude::*;

/// Joins several tables on the same key.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct JoinMany {
    /// The key columns: every table has them under these names.
    pub on: Columns,
    /// Which rows come out.
    #[serde(default)]
    pub keep: Keep,
}

/// Which rows come out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// Only keys that every table has.
    #[default]
    Inner,
    /// All keys of the first table.
    Left,
    /// All keys of any table.
    Full,
}

impl NodeKind for JoinMany {
    fn identity() -> Identity {
        Identity {
            id: "join.many",
            version: 1,
            category: Category::Join,
            icon: "hub",
            title: Words { en: "Join several", fr: "Joindre plusieurs" },
            summary: Words {
                en: "Puts several tables side by side by the same key columns.",
                fr: "Met plusieurs tables côte à côte par les mêmes colonnes clés.",
            },
            synonyms: &["join multiple", "multi join", "jointure multiple", "merge several"],
            order: Words {
                en: "The first table's, then what the others add.",
                fr: "Celui de la première table, puis ce que les autres ajoutent.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports { inputs: vec![InPort { arity: Arity::Many, ..IN }], outputs: vec![OUT] }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let tables = cx.inputs("in").to_vec();
        for table in &tables {
            cx.columns(&self.on, table, "on");
        }
        if self.on.0.is_empty() {
            cx.problem(Problem::error("There is no column to match by.").on("on").help("Choose columns that every table has."));
        }
        if cx.failed() {
            return None;
        }
        let how = match self.keep {
            Keep::Inner => How::Inner,
            Keep::Left => How::Left,
            Keep::Full => How::Full,
        };
        let pair = |key: &Column| On { left: key.clone(), right: key.clone() };
        let on: Vec<On> = self.on.0.iter().map(pair).collect();
        let mut joined = tables.first()?.clone();
        for (i, next) in tables.iter().enumerate().skip(1) {
            let join = Join { how, on: on.clone(), nulls_match: false, ignore_case: false, collisions: format!("_{}", i + 1) };
            let pairs = join.on.iter().map(|on| (&on.left, "on".to_owned(), &on.right, "on".to_owned()));
            let keyed = Keyed::new(cx, (&joined, next), pairs, false)?;
            // The order of what was joined so far gets names of its own, so that the next round may use the same ones.
            joined = join.joined(cx, &joined, next, &keyed)?;
            let renamed = renamed(cx.node(), i, &joined);
            joined = cx.planned(renamed)?;
        }
        Some(Planned::table(joined))
    }

    fn examples() -> Vec<Example> {
        let (a, b, c) = ("k,v:integer\nx,1\ny,2", "k,v:integer\ny,20\nz,30", "k,w\nx,A\ny,B\nz,C");
        vec![
            Example::new("Keys that every table has; columns of one name are numbered.", json!({ "on": ["k"] }))
                .input("in", a)
                .input("in", b)
                .input("in", c)
                .output("out", "k,v:integer,v_2:integer,w\ny,2,20,B"),
            Example::new("All keys of any table.", json!({ "on": ["k"], "keep": "full" }))
                .input("in", a)
                .input("in", b)
                .input("in", c)
                .output("out", "k,v:integer,v_2:integer,w\nx,1,,A\ny,2,20,B\nz,,30,C"),
            Example::new("One table stays as it is.", json!({ "on": ["k"] })).input("in", a).output("out", a),
            Example::new("Every table has the key.", json!({ "on": ["v"] }))
                .input("in", a)
                .input("in", c)
                .refused("\"v\" is not in this table"),
        ]
    }
}

/// The same table, the hidden columns of its order under names that no later round makes.
fn renamed(node: &str, round: usize, table: &Table) -> datafusion::common::Result<Table> {
    let mut order = table.order.clone();
    let mut exprs: Vec<Expr> = table.names().map(column).collect();
    for (i, key) in order.iter_mut().enumerate() {
        let name = hidden(&format!("{node}.{round}.order{i}"));
        exprs.push(column(&key.column).alias(&name));
        key.column = name;
    }
    Ok(Table::new(LogicalPlanBuilder::from(table.plan.clone()).project(exprs)?.build()?, order))
}
