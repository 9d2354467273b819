//! `formula`: new columns, or new values for old ones.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::example::Example;
use crate::kind::{Category, Identity, NodeKind, Planned, Planning, Ports, Words};
use crate::param::{Formula, NewColumn};
use crate::problem::Problem;
use crate::table::{HIDDEN, Table};

/// Computes columns from the columns of the same row.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct FormulaStep {
    /// The columns, one after the other: a later one may use an earlier one.
    pub columns: Vec<Computed>,
}

/// A column and how it is computed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Computed {
    /// The column's name; one that exists is replaced where it stands.
    pub name: NewColumn,
    /// How it is computed.
    pub formula: Formula,
}

impl NodeKind for FormulaStep {
    fn identity() -> Identity {
        Identity {
            id: "formula",
            version: 1,
            category: Category::Calc,
            icon: "function",
            title: Words { en: "Formula", fr: "Formule" },
            summary: Words {
                en: "Computes columns with Excel-like formulas, exact to the last digit.",
                fr: "Calcule des colonnes avec des formules à la Excel, exactes jusqu'au dernier chiffre.",
            },
            synonyms: &["calculate", "custom column", "math formula", "calculated field", "calcul", "colonne calculée"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let mut table: Table = cx.input("in")?;
        if self.columns.is_empty() {
            cx.problem(Problem::warning("No column is computed.").on("columns").help("Add a column and its formula."));
        }
        for (i, computed) in self.columns.iter().enumerate() {
            let name = &computed.name.0;
            if name.is_empty() || name.starts_with(HIDDEN) {
                cx.problem(Problem::error("The column has no name.").on(format!("columns[{i}].name")).help("Give it a name."));
                continue;
            }
            let Some(typed) = cx.formula(&computed.formula, &table, name, &format!("columns[{i}].formula")) else { continue };
            // A column that holds nothing but empty values is text until it is given a type.
            let expr = match typed.data_type {
                arrow::datatypes::DataType::Null => datafusion::logical_expr::cast(typed.expr, arrow::datatypes::DataType::Utf8View),
                _ => typed.expr,
            };
            table = cx.planned(table.with_columns(vec![(name.clone(), expr)]))?;
        }
        Some(Planned::table(table))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "A later column uses an earlier one; an existing column is replaced in place.",
                json!({ "columns": [
                    { "name": "stage", "formula": "PROPER(TRIM([stage]))" },
                    { "name": "commission", "formula": "ROUND([arr] * 12%, 2)" },
                    { "name": "double", "formula": "[commission] * 2" }
                ] }),
            )
            .input("in", "stage,arr:decimal(2)\n  closed won ,41300.55\nLOST,")
            .output("out", "stage,arr:decimal(2),commission:decimal(2),double:decimal(2)\nClosed Won,41300.55,4956.07,9912.14\nLost,,,"),
            Example::new("A third is not cut off.", json!({ "columns": [{ "name": "third", "formula": "[n] / 3" }] }))
                .input("in", "n:integer\n2")
                .output("out", "n:integer,third:decimal(12)\n2,0.666666666667"),
            Example::new("Empty values stay empty.", json!({ "columns": [{ "name": "n", "formula": "[n] + 1" }] }))
                .input("in", "a,n:integer\nx,\ny,1")
                .output("out", "a,n:integer\nx,\ny,2"),
            Example::new("A mistyped function is refused.", json!({ "columns": [{ "name": "x", "formula": "ROND([n])" }] }))
                .input("in", "n:integer\n1")
                .refused("Did you mean \"ROUND\"?"),
        ]
    }
}
