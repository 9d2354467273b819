//! `compare`: two states of a table, key by key: what came, what went, what changed and from what to what.

use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Operator, binary_expr, cast, when};
use datafusion::scalar::ScalarValue;

use super::join::{How, Join, On};
use super::keys::Keyed;
use crate::prelude::*;
use crate::spread::spread;
use crate::window;

/// Compares two tables by key.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Compare {
    /// The columns that say which rows are the same. Where a key repeats, the first is compared with the first.
    pub on: Columns,
    /// The columns that are not compared.
    #[serde(default)]
    pub ignore: Columns,
}

/// Marks the names of the columns of the old table. Not a hidden column: it has to come through the join.
const OLD: &str = "\u{1e}old ";

impl NodeKind for Compare {
    fn identity() -> Identity {
        Identity {
            id: "compare",
            version: 1,
            category: Category::Join,
            icon: "difference",
            title: Words { en: "Compare", fr: "Comparer" },
            summary: Words {
                en: "Compares two tables by key: rows added, removed and changed, with each value before and after.",
                fr: "Compare deux tables par clé : lignes ajoutées, supprimées et modifiées, avec chaque valeur avant et après.",
            },
            synonyms: &["diff", "difference", "table difference checker", "delta", "changes", "écarts", "avant après", "variation"],
            order: Words {
                en: "The new table's; what was removed comes last.",
                fr: "Celui de la nouvelle table ; ce qui a disparu vient en dernier.",
            },
        }
    }

    fn ports(&self) -> Ports {
        let side = |name, en, fr| InPort { name, arity: Arity::One, title: Words { en, fr } };
        let out = |name, en, fr| OutPort { name, title: Words { en, fr } };
        Ports {
            inputs: vec![side("old", "before", "avant"), side("new", "after", "après")],
            outputs: vec![
                out("out", "differences", "écarts"),
                out("added", "added", "ajoutées"),
                out("removed", "removed", "supprimées"),
                out("changed", "changed", "modifiées"),
                out("same", "unchanged", "inchangées"),
            ],
        }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let (old, new) = (cx.input("old")?, cx.input("new")?);
        if self.on.0.is_empty() {
            cx.problem(Problem::error("Nothing says which rows are the same.").on("on").help("Choose the columns of the key."));
        }
        for table in [&old, &new] {
            cx.columns(&self.on, table, "on");
        }
        let keys: Vec<&str> = self.on.0.iter().map(|key| key.0.as_str()).collect();
        let left_out = |name: &str| keys.contains(&name) || self.ignore.0.iter().any(|one| one.0 == name);
        let compared: Vec<String> = new.names().filter(|name| old.has(name) && !left_out(name)).map(str::to_owned).collect();
        let only: Vec<&str> = new.names().filter(|name| !old.has(name)).chain(old.names().filter(|name| !new.has(name))).collect();
        if !only.is_empty() {
            let what = format!("Not in both tables, and not compared: {}.", only.join(", "));
            cx.problem(Problem::info(what).help("Rename columns with a select step where they mean the same."));
        }
        if compared.is_empty() && !cx.failed() {
            let what = "The tables have no column in common beside the key.";
            cx.problem(Problem::error(what).on("ignore").help("Compare at least one column."));
        }
        if cx.failed() {
            return None;
        }
        let both = self.side_by_side(cx, &old, &new)?;
        let state = hidden(&format!("{}.state", cx.node()));
        let differs = |name: &str| {
            let (before, after) = (column(&format!("{OLD}{name}")), column(name));
            let (before, after) = match (old.type_of(name), new.type_of(name)) {
                (Some(a), Some(b)) if a == b => (before, after),
                (Some(a), Some(b)) => match super::keys::unify(a, b) {
                    Some(common) => (cast(before, common.clone()), cast(after, common)),
                    None => (as_text(before), as_text(after)),
                },
                _ => (before, after),
            };
            binary_expr(before, Operator::IsDistinctFrom, after)
        };
        let any = compared.iter().map(|name| differs(name)).reduce(Expr::or)?;
        let is = when(column(&mark("new")).is_null(), text("removed"))
            .when(column(&mark("old")).is_null(), text("added"))
            .when(any, text("changed"))
            .otherwise(text("same"));
        let is = cx.planned(is)?;
        let judged = cx.planned(both.with_columns(vec![(state.clone(), is)]))?;
        let flow = self.states(&judged, &state, &old, &new);
        let differences = self.differences(cx, &judged, &state, &compared, &differs);
        let differences = cx.planned(differences)?;
        Some(Planned { flows: vec![Flow::all("out", differences), flow], ..Planned::default() })
    }

    fn examples() -> Vec<Example> {
        let old = "id,name,n:decimal(2)\n1,Ann,10.00\n2,Bob,20.00\n3,Cid,30.00";
        let new = "id,name,n:decimal(2),new\n4,Dan,40.00,x\n2,Bob,25.00,x\n1,Ann,10.00,x";
        vec![
            Example::new("What changed, from what to what; what came and what went.", json!({ "on": ["id"] }))
                .input("old", old)
                .input("new", new)
                .output(
                    "out",
                    "id,change,column,before,after\n4,added,name,,Dan\n4,added,n,,40.00\n2,changed,n,20.00,25.00\n3,removed,name,Cid,\n3,removed,n,30.00,",
                )
                .output("added", "id,name,n:decimal(2),new\n4,Dan,40.00,x")
                .output("removed", "id,name,n:decimal(2)\n3,Cid,30.00")
                .output("changed", "id,name,n:decimal(2),new\n2,Bob,25.00,x")
                .output("same", "id,name,n:decimal(2),new\n1,Ann,10.00,x"),
            Example::new("Columns that do not matter; a key that repeats.", json!({ "on": ["id"], "ignore": ["name"] }))
                .input("old", "id,name,n:integer\n1,a,1\n1,b,2\n,c,3")
                .input("new", "id,name,n:integer\n1,x,1\n1,y,3\n1,z,4\n,c,3")
                .output("out", "id,change,column,before,after\n1,changed,n,2,3\n1,added,n,,4")
                .output("same", "id,name,n:integer\n1,x,1\n,c,3"),
            Example::new("Two tables without rows.", json!({ "on": ["id"] }))
                .input("old", "id,n")
                .input("new", "id,n")
                .output("out", "id,change,column,before,after"),
            Example::new("A key is needed.", json!({ "on": [] })).input("old", old).input("new", new).refused("which rows are the same"),
        ]
    }
}

fn text(text: &str) -> Expr {
    lit(ScalarValue::Utf8View(Some(text.to_owned())))
}

fn as_text(expr: Expr) -> Expr {
    cast(expr, DataType::Utf8View)
}

/// A column that says that a side has the row.
fn mark(side: &str) -> String {
    format!("\u{1e}{side}")
}

/// The place of a row among those with its key.
const PLACE: &str = "\u{1e}place";

impl Compare {
    /// Every row of either table, with the other's columns beside it.
    fn side_by_side(&self, cx: &mut Planning<'_>, old: &Table, new: &Table) -> Option<Table> {
        let keys: Vec<String> = self.on.0.iter().map(|key| key.0.clone()).collect();
        let prepared = |table: &Table, prefix: &str, side: &str| {
            let place = hidden("place in key");
            let placed = window::with(table, vec![(place.clone(), window::place(&keys, &table.order)?)])?;
            let mut columns: Vec<(String, Expr)> = table.names().map(|name| (format!("{prefix}{name}"), column(name))).collect();
            columns.push((format!("{prefix}{PLACE}"), cast(column(&place), DataType::Int64)));
            columns.push((mark(side), lit(true)));
            placed.project(columns)
        };
        let (old, new) = (prepared(old, OLD, "old"), prepared(new, "", "new"));
        let (old, new) = (cx.planned(old)?, cx.planned(new)?);
        let pair = |name: &str| On { left: Column(name.to_owned()), right: Column(format!("{OLD}{name}")) };
        let on: Vec<On> = keys.iter().map(String::as_str).chain([PLACE]).map(pair).collect();
        let join = Join { how: How::Full, on, nulls_match: true, ignore_case: false, collisions: String::new() };
        let pairs = join.on.iter().map(|on| (&on.left, "on".to_owned(), &on.right, "on".to_owned()));
        let keyed = Keyed::new(cx, (&new, &old), pairs, false)?;
        join.joined(cx, &new, &old, &keyed)
    }

    /// The ports with whole rows.
    fn states(&self, judged: &Table, state: &str, old: &Table, new: &Table) -> Flow {
        let table = judged.clone();
        let after = new.columns();
        let is_key = |name: &str| self.on.0.iter().any(|key| key.0 == name);
        let before = old.names().map(|name| (name.to_owned(), if is_key(name) { column(name) } else { column(&format!("{OLD}{name}")) }));
        let before: Vec<(String, Expr)> = before.collect();
        let outlet = |port: &'static str| Outlet {
            port,
            rows: Rows::Where(column(state).eq(text(port))),
            columns: Some(if port == "removed" { before.clone() } else { after.clone() }),
            order: None,
        };
        Flow { table, outlets: ["added", "removed", "changed", "same"].map(outlet).into() }
    }

    /// A row for each value that differs.
    fn differences(
        &self,
        cx: &Planning<'_>,
        judged: &Table,
        state: &str,
        compared: &[String],
        differs: &dyn Fn(&str) -> Expr,
    ) -> datafusion::common::Result<Table> {
        let hide = |what: &str| hidden(&format!("{}.{what}", cx.node()));
        let (name_at, before_at, after_at) = (hide("column"), hide("before"), hide("after"));
        let names = compared.iter().map(|name| when(differs(name), text(name)).end()).collect::<datafusion::common::Result<Vec<_>>>()?;
        let befores = compared.iter().map(|name| as_text(column(&format!("{OLD}{name}")))).collect();
        let afters = compared.iter().map(|name| as_text(column(name))).collect();
        let lists =
            vec![(name_at.clone(), make_array(names)), (before_at.clone(), make_array(befores)), (after_at.clone(), make_array(afters))];
        let differing = judged.filter(column(state).not_eq(text("same")))?;
        let rows = spread(cx.node(), &differing, lists, false)?.filter(column(&name_at).is_not_null())?;
        let mut columns: Vec<(String, Expr)> = self.on.0.iter().map(|key| (key.0.clone(), column(&key.0))).collect();
        columns.extend([
            ("change".to_owned(), column(state)),
            ("column".to_owned(), column(&name_at)),
            ("before".to_owned(), column(&before_at)),
            ("after".to_owned(), column(&after_at)),
        ]);
        rows.project(columns)
    }
}
