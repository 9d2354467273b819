//! `replace`: parts of texts, or whole values, become others.

use crate::prelude::*;

/// Replaces texts.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Replace {
    /// The columns of text to look in. None means all of them.
    #[serde(default)]
    pub columns: Columns,
    /// What is replaced, in this order; a later line sees what an earlier one made.
    pub replacements: Vec<Replacement>,
    /// How it is found.
    #[serde(default)]
    pub how: How,
    /// Whether capitals do not matter.
    #[serde(default)]
    pub ignore_case: bool,
}

/// One text and what becomes of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Replacement {
    /// What is looked for.
    pub find: String,
    /// What takes its place; nothing removes it. In a regular expression, `$1` is its first group.
    #[serde(default)]
    pub with: String,
}

/// How a text is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Anywhere in the value.
    #[default]
    Part,
    /// The whole value.
    Whole,
    /// By a regular expression.
    Regex,
}

impl NodeKind for Replace {
    fn identity() -> Identity {
        Identity {
            id: "replace",
            version: 1,
            category: Category::Filter,
            icon: "find_replace",
            title: Words { en: "Find and replace", fr: "Rechercher et remplacer" },
            summary: Words {
                en: "Replaces texts by others: a part, the whole value or a regular expression.",
                fr: "Remplace des textes par d'autres : une partie, la valeur entière ou une expression régulière.",
            },
            synonyms: &["find replace", "substitute", "replace values", "regex", "string replacer", "substitue", "remplacer les valeurs"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let names = cx.fitting(&self.columns, &table, "columns", "text", |kind| kind == ColumnType::Text);
        let mut patterns = Vec::new();
        for (i, line) in self.replacements.iter().enumerate() {
            let field = format!("replacements[{i}].find");
            if line.find.is_empty() {
                cx.problem(Problem::error("Nothing is looked for.").on(field).help("Type a text, or remove the line."));
                continue;
            }
            let case = if self.ignore_case { "(?i)" } else { "" };
            let pattern = match self.how {
                How::Part => format!("{case}{}", regex::escape(&line.find)),
                How::Whole => format!("{case}^(?:{})$", regex::escape(&line.find)),
                How::Regex => format!("{case}{}", line.find),
            };
            if let Err(error) = regex::Regex::new(&pattern) {
                let what = format!("\"{}\" is not a regular expression: {error}.", line.find);
                cx.problem(Problem::error(what).on(field).help("Correct the pattern, or look for a part."));
            }
            let with = if self.how == How::Regex { line.with.clone() } else { line.with.replace('$', "$$") };
            patterns.push((pattern, with));
        }
        if cx.failed() {
            return None;
        }
        let mut replaced = Vec::new();
        for name in names {
            let start = reference(&name);
            let text =
                patterns.iter().fold(start, |text, (pattern, with)| format!("REGEXREPLACE({text}, {}, {})", quoted(pattern), quoted(with)));
            let typed = cx.derived(&text, &table, &name, "replacements")?;
            replaced.push((name, typed.expr));
        }
        Some(Planned::table(cx.planned(table.with_columns(replaced))?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "A part of a text, in all columns of text.",
                json!({ "replacements": [{ "find": "€", "with": "EUR" }, { "find": " " }] }),
            )
            .input("in", "a,n:integer,b\n1 €,1,$ €\n,2,")
            .output("out", "a,n:integer,b\n1EUR,1,$EUR\n,2,"),
            Example::new(
                "Whole values, whatever the capitals.",
                json!({ "columns": ["a"], "how": "whole", "ignore_case": true, "replacements": [{ "find": "n/a", "with": "none ($)" }] }),
            )
            .input("in", "a,b\nN/A,n/a\nn/a.,x")
            .output("out", "a,b\nnone ($),n/a\nn/a.,x"),
            Example::new(
                "A regular expression with groups.",
                json!({ "how": "regex", "replacements": [{ "find": r"(\d{2})/(\d{2})/(\d{4})", "with": "$3-$2-$1" }] }),
            )
            .input("in", "d\n30/09/2026\nnone")
            .output("out", "d\n2026-09-30\nnone"),
            Example::new("A table without rows.", json!({ "replacements": [{ "find": "a" }] })).input("in", "d").output("out", "d"),
            Example::new("A broken pattern is refused.", json!({ "how": "regex", "replacements": [{ "find": "(" }] }))
                .input("in", "d\nx")
                .refused("not a regular expression"),
        ]
    }
}
