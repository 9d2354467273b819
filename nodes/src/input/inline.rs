//! `input.inline`: rows typed by hand.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::ColumnType;
use crate::example::{Example, typed_array};
use crate::kind::{Category, Identity, NodeKind, Planned, Planning, Ports, Words};
use crate::problem::Problem;
use crate::source::{MemorySource, scan};

/// A small table typed by hand, kept in the workflow itself.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-weir-widget" = "grid"))]
pub struct InlineInput {
    /// The columns: their names and types.
    pub columns: Vec<InlineColumn>,
    /// The rows: one text for each column, in canonical form (`1234.50`, `2026-09-30`, `true`), or null for an empty value.
    #[serde(default)]
    pub rows: Vec<Vec<Option<String>>>,
}

/// A column of a table typed by hand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct InlineColumn {
    /// The column's name.
    pub name: String,
    /// The column's type.
    #[serde(default = "text", rename = "type")]
    pub column_type: ColumnType,
}

fn text() -> ColumnType {
    ColumnType::Text
}

impl NodeKind for InlineInput {
    fn identity() -> Identity {
        Identity {
            id: "input.inline",
            version: 1,
            category: Category::Input,
            icon: "table",
            title: Words { en: "Typed table", fr: "Table saisie" },
            summary: Words {
                en: "Gives a small table that is typed by hand and kept in the workflow.",
                fr: "Fournit une petite table saisie à la main et conservée dans le flux.",
            },
            synonyms: &["text input", "manual", "constant", "enter data", "saisie", "table creator"],
            order: Words { en: "As typed.", fr: "Celui de la saisie." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        if self.columns.is_empty() {
            cx.problem(Problem::error("The table has no columns.").on("columns").help("Add a column."));
        }
        for (i, column) in self.columns.iter().enumerate() {
            if self.columns[..i].iter().any(|other| other.name == column.name) {
                cx.problem(
                    Problem::error(format!("Two columns are called \"{}\".", column.name))
                        .on(format!("columns[{i}].name"))
                        .help("Give one of them another name."),
                );
            }
        }
        for (i, row) in self.rows.iter().enumerate() {
            if row.len() != self.columns.len() {
                cx.problem(
                    Problem::error(format!("Row {} has {} values for {} columns.", i + 1, row.len(), self.columns.len()))
                        .on(format!("rows[{i}]"))
                        .help("Give one value, or null, for each column."),
                );
            }
        }
        if cx.failed() {
            return None;
        }
        let mut arrays = Vec::new();
        for (i, column) in self.columns.iter().enumerate() {
            let values: Vec<Option<&str>> = self.rows.iter().map(|row| row[i].as_deref()).collect();
            match typed_array(&values, column.column_type) {
                Ok(array) => arrays.push(array),
                Err((row, error)) => cx.problem(
                    Problem::error(format!("Row {}, column \"{}\": {error}.", row + 1, column.name))
                        .on(format!("rows[{row}][{i}]"))
                        .help("Correct the value, or change the column's type."),
                ),
            }
        }
        if cx.failed() {
            return None;
        }
        let fields: Vec<Field> = self.columns.iter().zip(&arrays).map(|(c, a)| Field::new(&c.name, a.data_type().clone(), true)).collect();
        let batch = cx.planned(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(Into::into))?;
        let node = cx.node().to_owned();
        let table = cx.planned(scan(&node, Arc::new(MemorySource::counted(batch)), format!("{node} row")))?;
        Some(Planned::table(table))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "Two plans with their rates.",
                json!({
                    "columns": [{ "name": "plan" }, { "name": "rate", "type": "decimal(2)" }],
                    "rows": [["Growth", "0.12"], ["Core", null]]
                }),
            )
            .output("out", "plan,rate:decimal(2)\nGrowth,0.12\nCore,"),
            Example::new(
                "One row of every type.",
                json!({
                    "columns": [{ "name": "n", "type": "integer" }, { "name": "d", "type": "date" }, { "name": "b", "type": "boolean" }],
                    "rows": [["1", "2026-09-30", "true"]]
                }),
            )
            .output("out", "n:integer,d:date,b:boolean\n1,2026-09-30,true"),
            Example::new("A table without rows.", json!({ "columns": [{ "name": "n" }] })).output("out", "n"),
            Example::new(
                "A value that is not of its column's type is refused.",
                json!({ "columns": [{ "name": "n", "type": "integer" }], "rows": [["x"]] }),
            )
            .refused("Row 1, column \"n\""),
        ]
    }
}
