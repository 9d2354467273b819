//! `headers`: columns get other names: tidied, by a table, by a pattern, or from their first row.
//!
//! Names that stand in the first row cannot be known without reading it, and the columns of a step must be. So they are
//! parameters, filled from the data once; a first row that says something else later is an exception that blocks.

use std::collections::BTreeSet;

use crate::prelude::*;
use crate::window;

/// Renames columns.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Headers {
    /// The names that the first row gives, in the order of the columns; that row is then left out. A later first row
    /// that gives other names blocks the run.
    #[serde(default)]
    pub first_row: Vec<String>,
    /// How all names are tidied.
    #[serde(default)]
    pub tidy: Tidy,
    /// A regular expression looked for in every name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub find: String,
    /// What takes the place of what was found; `$1` is its first group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub with: String,
    /// Columns that get a name of their own, after everything else.
    #[serde(default)]
    pub rename: Vec<Rename>,
}

/// A column and its new name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rename {
    /// The column, by the name it has after tidying.
    pub from: String,
    /// Its new name.
    pub to: String,
}

/// How names are tidied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tidy {
    /// They stay.
    #[default]
    Keep,
    /// Without spaces at the ends, with single ones inside.
    Trim,
    /// Small letters and digits, without accents, `_` between words.
    Snake,
    /// All capitals.
    Upper,
    /// No capitals.
    Lower,
}

fn tidied(name: &str, tidy: Tidy) -> String {
    let spaced = || name.split_whitespace().collect::<Vec<_>>().join(" ");
    match tidy {
        Tidy::Keep => name.to_owned(),
        Tidy::Trim => spaced(),
        Tidy::Upper => spaced().to_uppercase(),
        Tidy::Lower => spaced().to_lowercase(),
        Tidy::Snake => {
            let plain = crate::formula::without_accents(name).to_lowercase();
            plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
        }
    }
}

impl Headers {
    /// The new names, in the order of the columns.
    fn names(&self, cx: &mut Planning<'_>, old: &[String]) -> Vec<String> {
        let mut names: Vec<String> =
            old.iter().enumerate().map(|(i, name)| self.first_row.get(i).cloned().unwrap_or_else(|| name.clone())).collect();
        if !self.first_row.is_empty() && self.first_row.len() != old.len() {
            let what = format!("The first row gives {} names for {} columns.", self.first_row.len(), old.len());
            cx.problem(Problem::error(what).on("first_row").help("Give one name for each column."));
        }
        names.iter_mut().for_each(|name| *name = tidied(name, self.tidy));
        if !self.find.is_empty() {
            match regex::Regex::new(&self.find) {
                Ok(pattern) => names.iter_mut().for_each(|name| *name = pattern.replace_all(name, &self.with).into_owned()),
                Err(error) => cx.problem(
                    Problem::error(format!("\"{}\" is not a regular expression: {error}.", self.find))
                        .on("find")
                        .help("Correct the pattern."),
                ),
            }
        }
        for (i, rename) in self.rename.iter().enumerate() {
            match names.iter_mut().find(|name| **name == rename.from) {
                Some(name) => name.clone_from(&rename.to),
                None => {
                    let near = crate::problem::did_you_mean(&rename.from, names.iter().map(String::as_str));
                    let mut problem = Problem::error(format!("There is no column \"{}\".", rename.from)).on(format!("rename[{i}].from"));
                    problem.help = near.or_else(|| Some("Remove the line, or correct the name.".into()));
                    cx.problem(problem);
                }
            }
        }
        let mut seen = BTreeSet::new();
        for name in &names {
            if name.is_empty() || crate::table::is_hidden(name) || !seen.insert(name.as_str()) {
                let what = if name.is_empty() {
                    "A column would have no name.".to_owned()
                } else {
                    format!("Two columns would be called \"{name}\".")
                };
                cx.problem(Problem::error(what).on("rename").help("Rename one of them."));
            }
        }
        names
    }
}

const DRIFT: OutPort = OutPort { name: "drift", title: Words { en: "other headers", fr: "autres en-têtes" } };

impl NodeKind for Headers {
    fn identity() -> Identity {
        Identity {
            id: "headers",
            version: 1,
            category: Category::Filter,
            icon: "title",
            title: Words { en: "Headers", fr: "En-têtes" },
            summary: Words {
                en: "Renames many columns at once: tidied, by a pattern, by a table, or from the first row.",
                fr: "Renomme plusieurs colonnes à la fois : mises au propre, par motif, par table ou depuis la première ligne.",
            },
            synonyms: &[
                "dynamic rename",
                "promote headers",
                "use first row as headers",
                "rename columns",
                "clean names",
                "renommer",
                "promouvoir les en-têtes",
            ],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        if self.first_row.is_empty() { Ports::through() } else { Ports::split([OUT, DRIFT]) }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let old: Vec<String> = table.names().map(str::to_owned).collect();
        let names = self.names(cx, &old);
        if cx.failed() {
            return None;
        }
        let renamed: Vec<(String, Expr)> = old.iter().zip(&names).map(|(from, to)| (to.clone(), column(from))).collect();
        if self.first_row.is_empty() {
            return Some(Planned::table(cx.planned(table.project(renamed))?));
        }
        let rank = hidden(&format!("{}.rank", cx.node()));
        let numbered = window::place(&[], &table.order).and_then(|place| window::with(&table, vec![(rank.clone(), place)]));
        let numbered = cx.planned(numbered)?;
        let first = column(&rank).eq(lit(1_u64));
        let agrees = old.iter().zip(&self.first_row).map(|(name, wanted)| {
            let text = datafusion::logical_expr::cast(column(name), DataType::Utf8View);
            if wanted.is_empty() { text.is_null() } else { text.eq(lit(wanted.as_str())) }
        });
        let agrees = agrees.reduce(Expr::and).unwrap_or_else(|| lit(true));
        let as_they_are = old.iter().map(|name| (name.clone(), column(name))).collect();
        let flow = Flow {
            table: numbered,
            outlets: vec![
                Outlet { port: OUT.name, rows: Rows::Where(column(&rank).gt(lit(1_u64))), columns: Some(renamed), order: None },
                Outlet { port: DRIFT.name, rows: Rows::Where(first.and(agrees.is_not_true())), columns: Some(as_they_are), order: None },
            ],
        };
        Some(Planned::flow(flow).check(Check::empty("The first row gives the names agreed.", Severity::Block, DRIFT.name)))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Small letters, no accents, underscores.", json!({ "tidy": "snake" }))
                .input("in", " Montant ARR (€),N° affaire\n1,2")
                .output("out", "montant_arr,n_affaire\n1,2"),
            Example::new(
                "By a pattern, then by a table.",
                json!({ "find": "^(\\w+) total$", "with": "total_$1", "rename": [{ "from": "x", "to": "id" }] }),
            )
            .input("in", "x,net total\n1,2")
            .output("out", "id,total_net\n1,2"),
            Example::new("The first row gives the names.", json!({ "first_row": ["id", "name"] }))
                .input("in", "a,b\nid,name\n1,Zoë")
                .output("out", "id,name\n1,Zoë")
                .output("drift", "a,b"),
            Example::new("A first row with other names is an exception.", json!({ "first_row": ["id", "name"] }))
                .input("in", "a,b\nid,first name\n1,Zoë")
                .output("drift", "a,b\nid,first name"),
            Example::new("Two columns cannot share a name.", json!({ "tidy": "lower" }))
                .input("in", "A,a\n1,2")
                .refused("Two columns would be called \"a\""),
        ]
    }
}
