//! `control.schema`: columns and types as agreed.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use arrow::datatypes::{Field, Schema};

use crate::input::inline::InlineColumn;
use crate::prelude::*;
use crate::source::{MemorySource, scan};

/// Checks that a table has the columns that were agreed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct SchemaControl {
    /// The columns agreed: their names and types.
    pub columns: Vec<InlineColumn>,
    /// Whether other columns may come too.
    #[serde(default)]
    pub allow_more: bool,
    /// Whether the columns must come in this order.
    #[serde(default)]
    pub in_order: bool,
    /// What happens when the columns differ.
    #[serde(default)]
    pub severity: Severity,
}

impl SchemaControl {
    /// What differs: column, agreed, found, reason.
    fn differences(&self, table: &Table) -> Vec<[String; 4]> {
        let mut differences = Vec::new();
        let mut differs = |column: &str, agreed: String, found: String, reason: &str| {
            differences.push([column.to_owned(), agreed, found, reason.to_owned()]);
        };
        for agreed in &self.columns {
            match table.fields().find(|field| *field.name() == agreed.name) {
                None => differs(&agreed.name, agreed.column_type.to_string(), String::new(), "missing"),
                Some(field) if ColumnType::of(field.data_type()) != Some(agreed.column_type) => {
                    differs(&agreed.name, agreed.column_type.to_string(), type_name(field.data_type()), "another type");
                }
                Some(_) => {}
            }
        }
        for field in table.fields().filter(|field| !self.allow_more && !self.columns.iter().any(|agreed| agreed.name == *field.name())) {
            differs(field.name(), String::new(), type_name(field.data_type()), "not agreed");
        }
        if self.in_order && differences.is_empty() {
            let names: Vec<&str> = table.names().filter(|name| self.columns.iter().any(|agreed| agreed.name == *name)).collect();
            for (agreed, found) in self.columns.iter().zip(names).filter(|(agreed, found)| agreed.name != *found) {
                differences.push([agreed.name.clone(), String::new(), found.to_owned(), "another order".to_owned()]);
            }
        }
        differences
    }
}

impl NodeKind for SchemaControl {
    fn identity() -> Identity {
        Identity {
            id: "control.schema",
            version: 1,
            category: Category::Control,
            icon: "fact_check",
            title: Words { en: "Agreed columns", fr: "Colonnes convenues" },
            summary: Words {
                en: "Checks that a table has the columns and types that were agreed.",
                fr: "Vérifie qu'une table a les colonnes et les types convenus.",
            },
            synonyms: &["schema", "contract", "layout check", "column names", "structure", "format attendu"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::control()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let rows = cx.input("in")?;
        if self.columns.is_empty() {
            cx.problem(Problem::error("No columns are agreed.").on("columns").help("List their names and types."));
            return None;
        }
        let differences = self.differences(&rows);
        let names = ["column", "agreed", "found", REASON];
        let field = |name: &str| Field::new(name, DataType::Utf8View, true);
        let values = |i: usize| {
            let texts = differences.iter().map(|row| Some(row[i].as_str()).filter(|text| !text.is_empty()));
            Arc::new(texts.collect::<StringViewArray>()) as ArrayRef
        };
        let schema = Arc::new(Schema::new(names.map(field).to_vec()));
        let batch = RecordBatch::try_new(schema, (0..names.len()).map(values).collect());
        let batch = cx.planned(batch.map_err(Into::into))?;
        let node = cx.node().to_owned();
        let found = cx.planned(scan(&node, Arc::new(MemorySource::counted(batch)), "column"))?;
        let planned = Planned { flows: vec![Flow::all(PASS.name, rows), Flow::all(EXCEPTIONS.name, found)], ..Planned::default() };
        Some(planned.check(Check::empty("The columns are as agreed", self.severity, EXCEPTIONS.name)))
    }

    fn examples() -> Vec<Example> {
        let agreed = json!([{ "name": "id", "type": "integer" }, { "name": "name" }]);
        vec![
            Example::new("As agreed.", json!({ "columns": agreed, "in_order": true }))
                .input("in", "id:integer,name\n1,x")
                .output("pass", "id:integer,name\n1,x")
                .output("exceptions", "column,agreed,found,reason"),
            Example::new("Every difference is named.", json!({ "columns": agreed })).input("in", "id,more\n1,x").output(
                "exceptions",
                "column,agreed,found,reason\nid,integer,text,another type\nname,text,,missing\nmore,,text,not agreed",
            ),
            Example::new("Without rows too.", json!({ "columns": agreed, "allow_more": true }))
                .input("in", "name,b,id:integer")
                .output("pass", "name,b,id:integer")
                .output("exceptions", "column,agreed,found,reason"),
            Example::new("Columns are needed.", json!({ "columns": [] })).input("in", "a\nx").refused("No columns are agreed"),
        ]
    }
}
