//! `split`: one text becomes several columns or several rows.

use datafusion::functions_nested::expr_fn::string_to_array;
use datafusion::logical_expr::cast;

use crate::prelude::*;
use crate::spread::spread;

/// Splits a text.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Split {
    /// The column with the text.
    pub column: Column,
    /// What stands between the parts.
    pub separator: String,
    /// What the parts become.
    #[serde(default)]
    pub into: Into,
    /// Removes spaces around each part.
    #[serde(default)]
    pub trim: bool,
}

/// What parts become.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "parts", rename_all = "snake_case")]
pub enum Into {
    /// A row each. A text without parts keeps its row.
    #[default]
    Rows,
    /// A column each. The last one takes all that is left.
    Columns {
        /// The names of the columns.
        names: Vec<NewColumn>,
    },
}

impl NodeKind for Split {
    fn identity() -> Identity {
        Identity {
            id: "split",
            version: 1,
            category: Category::Calc,
            icon: "call_split",
            title: Words { en: "Split", fr: "Fractionner" },
            summary: Words {
                en: "Splits a text at a separator, into columns or into rows.",
                fr: "Coupe un texte à chaque séparateur, en colonnes ou en lignes.",
            },
            synonyms: &["text to columns", "split column", "delimiter", "split to rows", "convertir", "fractionner la colonne", "séparer"],
            order: Words {
                en: "The rows' own; the parts of a text in their order.",
                fr: "Celui des lignes ; les parties d'un texte dans leur ordre.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        cx.fitting(&Columns(vec![self.column.clone()]), &table, "column", "text", |kind| kind == ColumnType::Text);
        if self.separator.is_empty() {
            cx.problem(
                Problem::error("Nothing stands between the parts.").on("separator").help("Type the separator, for example a semicolon."),
            );
        }
        if let Into::Columns { names } = &self.into {
            if names.is_empty() {
                cx.problem(Problem::error("The parts have no names.").on("into.names").help("Name the columns that the parts become."));
            }
            for (i, name) in names.iter().enumerate() {
                cx.new_name(name, table.has(&name.0) || names[..i].contains(name), &format!("into.names[{i}]"));
            }
        }
        if cx.failed() {
            return None;
        }
        let (x, separator) = (reference(&self.column.0), quoted(&self.separator));
        match &self.into {
            Into::Columns { names } => {
                let mut made = Vec::new();
                let mut rest = x;
                for (i, name) in names.iter().enumerate() {
                    let more = format!("CONTAINS({rest}, {separator})");
                    let last = i + 1 == names.len();
                    let mut part = if last { rest.clone() } else { format!("IF({more}, TEXTBEFORE({rest}, {separator}), {rest})") };
                    if self.trim {
                        part = format!("TRIM({part})");
                    }
                    made.push((name.0.clone(), cx.derived(&part, &table, &name.0, "column")?.expr));
                    rest = format!("IF({more}, TEXTAFTER({rest}, {separator}), NULL)");
                }
                Some(Planned::table(cx.planned(table.with_columns(made))?))
            }
            Into::Rows => {
                let text = cast(column(&self.column.0), DataType::Utf8);
                let parts = string_to_array(text, lit(self.separator.clone()), lit(datafusion::scalar::ScalarValue::Utf8(None)));
                let name = self.column.0.clone();
                let rows = cx.planned(spread(cx.node(), &table, vec![(name.clone(), parts)], true))?;
                let view = cx.planned(rows.with_columns(vec![(name.clone(), cast(column(&name), DataType::Utf8View))]))?;
                if !self.trim {
                    return Some(Planned::table(view));
                }
                let trimmed = cx.derived(&format!("TRIM({x})"), &view, &name, "column")?;
                Some(Planned::table(cx.planned(view.with_columns(vec![(name, trimmed.expr)]))?))
            }
        }
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A row for each part; an empty text keeps its row.", json!({ "column": "tags", "separator": ";", "trim": true }))
                .input("in", "id:integer,tags\n1,a; b\n2,\n3,c")
                .output("out", "id:integer,tags\n1,a\n1,b\n2,\n3,c"),
            Example::new(
                "Columns; the last takes the rest, and what is missing is empty.",
                json!({ "column": "code", "separator": "-", "into": { "parts": "columns", "names": ["site", "line", "rest"] } }),
            )
            .input("in", "id:integer,code\n1,A-07-x-y\n2,B\n3,")
            .output("out", "id:integer,code,site,line,rest\n1,A-07-x-y,A,07,x-y\n2,B,B,,\n3,,,,"),
            Example::new("A table without rows.", json!({ "column": "t", "separator": "," })).input("in", "t").output("out", "t"),
            Example::new("A separator is needed.", json!({ "column": "t", "separator": "" }))
                .input("in", "t\na")
                .refused("Nothing stands between"),
        ]
    }
}
