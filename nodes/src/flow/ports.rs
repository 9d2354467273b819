//! `port.in` and `port.out`: where rows enter and leave a workflow that is used as a step.

use crate::input::inline::{InlineColumn, InlineInput};
use crate::kind::{Host, Structure};
use crate::prelude::*;

/// Takes the rows that the outer workflow gives; alone, it gives sample rows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowInput {
    /// The name of the port.
    pub name: String,
    /// The columns agreed: their names and types. Rows that come with others are refused.
    pub columns: Vec<InlineColumn>,
    /// Sample rows, for drawing and running the workflow alone.
    #[serde(default)]
    pub rows: Vec<Vec<Option<String>>>,
}

/// Gives rows to the outer workflow.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowOutput {
    /// The name of the port.
    pub name: String,
}

impl NodeKind for WorkflowInput {
    fn identity() -> Identity {
        Identity {
            id: "port.in",
            version: 1,
            category: Category::Input,
            icon: "input",
            title: Words { en: "Workflow input", fr: "Entrée de flux" },
            summary: Words {
                en: "Takes rows from the workflow around it; alone, it gives sample rows.",
                fr: "Reçoit les lignes du flux qui l'entoure ; seul, il donne des lignes d'exemple.",
            },
            synonyms: &["macro input", "component input", "parameter table", "entrée de macro"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports { inputs: vec![InPort { arity: Arity::Optional, ..IN }], outputs: vec![OUT] }
    }

    fn structure(&self, _: &dyn Host) -> Result<Structure, Problem> {
        Ok(Structure::Entry(self.name.clone()))
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let Some(table) = cx.input("in") else {
            return InlineInput { columns: self.columns.clone(), rows: self.rows.clone() }.plan(cx);
        };
        let mut chosen = Vec::new();
        for (i, agreed) in self.columns.iter().enumerate() {
            let field = format!("columns[{i}]");
            let found = cx.column_type(&Column(agreed.name.clone()), &table, &field);
            if let Some(found) = found.filter(|found| ColumnType::of(found) != Some(agreed.column_type)) {
                let what = format!("Column \"{}\" arrives as {}; {} is agreed.", agreed.name, type_name(&found), agreed.column_type);
                cx.problem(Problem::error(what).on(field).help("Give it that type before this step."));
            }
            chosen.push((agreed.name.clone(), column(&agreed.name)));
        }
        if cx.failed() {
            return None;
        }
        Some(Planned::table(cx.planned(table.project(chosen))?))
    }

    fn examples() -> Vec<Example> {
        let columns = json!([{ "name": "id", "type": "integer" }, { "name": "name" }]);
        vec![
            Example::new("Alone, its sample rows.", json!({ "name": "people", "columns": columns, "rows": [["1", "Ann"]] }))
                .output("out", "id:integer,name\n1,Ann"),
            Example::new(
                "In another workflow, the rows that arrive; only the columns agreed go on.",
                json!({ "name": "people", "columns": columns }),
            )
            .input("in", "name,more,id:integer\nBob,x,2")
            .output("out", "id:integer,name\n2,Bob"),
            Example::new("A table without rows.", json!({ "name": "people", "columns": columns })).output("out", "id:integer,name"),
            Example::new("Another type than agreed.", json!({ "name": "people", "columns": columns }))
                .input("in", "id,name\n1,Ann")
                .refused("arrives as text; integer is agreed"),
        ]
    }
}

impl NodeKind for WorkflowOutput {
    fn identity() -> Identity {
        Identity {
            id: "port.out",
            version: 1,
            category: Category::Load,
            icon: "output",
            title: Words { en: "Workflow output", fr: "Sortie de flux" },
            summary: Words { en: "Gives rows to the workflow around it.", fr: "Donne des lignes au flux qui l'entoure." },
            synonyms: &["macro output", "component output", "return", "sortie de macro"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn structure(&self, _: &dyn Host) -> Result<Structure, Problem> {
        Ok(Structure::Exit(self.name.clone()))
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        if self.name.is_empty() {
            cx.problem(Problem::error("The output has no name.").on("name").help("Name it; the outer step's port is called so."));
            return None;
        }
        Some(Planned::table(cx.input("in")?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Rows go on.", json!({ "name": "clean" })).input("in", "a\nx").output("out", "a\nx"),
            Example::new("All values empty.", json!({ "name": "clean" })).input("in", "a,b\n,").output("out", "a,b\n,"),
            Example::new("A table without rows.", json!({ "name": "clean" })).input("in", "a").output("out", "a"),
            Example::new("An output has a name.", json!({ "name": "" })).input("in", "a\nx").refused("The output has no name"),
        ]
    }
}
