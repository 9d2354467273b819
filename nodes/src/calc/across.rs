//! `formula.across`: one formula over many columns.

use crate::prelude::*;

/// Computes the same formula over many columns.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Across {
    /// The columns. None means all that the pattern and the type allow.
    #[serde(default)]
    pub columns: Columns,
    /// Only columns whose names fit a regular expression.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pattern: String,
    /// Only columns of this kind.
    #[serde(default)]
    pub only: Only,
    /// The formula; `[@]` stands for the column.
    pub formula: String,
    /// The names of the columns that are made; `@` stands for the column's name, and alone replaces it.
    #[serde(default = "itself", rename = "as")]
    pub name: String,
}

fn itself() -> String {
    "@".into()
}

/// Which columns, by their type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Only {
    /// Any.
    #[default]
    Any,
    /// Numbers.
    Numbers,
    /// Texts.
    Texts,
    /// Dates.
    Dates,
}

impl NodeKind for Across {
    fn identity() -> Identity {
        Identity {
            id: "formula.across",
            version: 1,
            category: Category::Calc,
            icon: "functions",
            title: Words { en: "Formula across columns", fr: "Formule sur plusieurs colonnes" },
            summary: Words {
                en: "Computes one formula over many columns, chosen by name, pattern or type.",
                fr: "Calcule une formule sur plusieurs colonnes, choisies par nom, motif ou type.",
            },
            synonyms: &["multi-field formula", "apply to columns", "transform columns", "formule multi-champs", "plusieurs champs"],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let fits = |kind: ColumnType| match self.only {
            Only::Any => true,
            Only::Numbers => kind.is_number(),
            Only::Texts => kind == ColumnType::Text,
            Only::Dates => matches!(kind, ColumnType::Date | ColumnType::DateTime),
        };
        let mut names = cx.fitting(&self.columns, &table, "columns", "of that type", fits);
        match regex::Regex::new(&self.pattern) {
            Ok(regex) => names.retain(|name| regex.is_match(name)),
            Err(error) => cx.problem(
                Problem::error(format!("\"{}\" is not a regular expression: {error}.", self.pattern))
                    .on("pattern")
                    .help("Write ^amount_ for names that begin so."),
            ),
        }
        if !self.formula.contains("[@]") {
            let what = "The formula does not say where the column goes.";
            cx.problem(Problem::error(what).on("formula").help("Write [@] for the column, for example ROUND([@], 2)."));
        }
        if names.is_empty() && !cx.failed() {
            cx.problem(Problem::warning("No column fits.").on("columns").help("Choose columns, or another pattern or type."));
        }
        let mut made = Vec::new();
        for name in &names {
            let output = self.name.replace('@', name);
            if output != *name {
                cx.new_name(&NewColumn(output.clone()), table.has(&output) || made.iter().any(|(other, _)| *other == output), "as");
            }
            if cx.failed() {
                return None;
            }
            let typed = cx.derived(&self.formula.replace("[@]", &reference(name)), &table, &output, "formula")?;
            let expr =
                if typed.data_type == DataType::Null { datafusion::logical_expr::cast(typed.expr, DataType::Utf8View) } else { typed.expr };
            made.push((output, expr));
        }
        if cx.failed() {
            return None;
        }
        Some(Planned::table(cx.planned(table.with_columns(made))?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("All numbers, in place.", json!({ "only": "numbers", "formula": "ROUND([@] / 1000, 1)" }))
                .input("in", "k,a:integer,b:decimal(2)\nx,1250,2000.00\ny,,50.00")
                .output("out", "k,a:decimal(1),b:decimal(1)\nx,1.3,2.0\ny,,0.1"),
            Example::new("By a pattern, under new names.", json!({ "pattern": "^q", "formula": "[@] * 2", "as": "double @" }))
                .input("in", "q1:integer,q2:integer,r:integer\n1,2,3")
                .output("out", "q1:integer,q2:integer,r:integer,double q1:integer,double q2:integer\n1,2,3,2,4"),
            Example::new("A table without rows.", json!({ "formula": "UPPER([@])" })).input("in", "a,b").output("out", "a,b"),
            Example::new("The formula says where the column goes.", json!({ "formula": "1 + 1" }))
                .input("in", "a\nx")
                .refused("where the column goes"),
        ]
    }
}
