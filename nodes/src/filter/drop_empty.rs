//! `drop_empty`: rows and columns that hold nothing go.

use crate::prelude::*;

/// Drops empty rows and empty columns.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct DropEmpty {
    /// Which rows go.
    #[serde(default)]
    pub rows: Which,
    /// The columns that decide. None means all of them.
    #[serde(default)]
    pub by: Columns,
    /// Columns to drop because they are empty. A row that has a value in one of them is an exception and blocks: what a
    /// column holds is never lost unseen.
    #[serde(default)]
    pub columns: Columns,
    /// Whether texts of only spaces count as empty.
    #[serde(default)]
    pub blank_texts: bool,
}

/// Which rows are dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Those in which all these columns are empty.
    #[default]
    All,
    /// Those in which any of these columns is empty.
    Any,
    /// None.
    None,
}

const DROPPED: OutPort = OutPort { name: "dropped", title: Words { en: "dropped", fr: "retirées" } };

impl NodeKind for DropEmpty {
    fn identity() -> Identity {
        Identity {
            id: "drop_empty",
            version: 1,
            category: Category::Filter,
            icon: "filter_none",
            title: Words { en: "Drop empty", fr: "Retirer les vides" },
            summary: Words {
                en: "Drops rows that hold nothing, and columns that should hold nothing, after making sure.",
                fr: "Retire les lignes qui ne contiennent rien, et les colonnes censées être vides, après vérification.",
            },
            synonyms: &["remove blank rows", "remove null rows", "dropna", "missing", "lignes vides", "supprimer les lignes vides"],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        let mut ports = Ports::split([OUT, DROPPED]);
        if !self.columns.0.is_empty() {
            ports.outputs.push(EXCEPTIONS);
        }
        ports
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let by = cx.fitting(&self.by, &table, "by", "a column", |_| true);
        let gone = cx.columns(&self.columns, &table, "columns");
        if cx.failed() {
            return None;
        }
        let empty = |name: &str| {
            let text = table.type_of(name).and_then(ColumnType::of) == Some(ColumnType::Text);
            match self.blank_texts && text {
                true => datafusion::functions::string::expr_fn::btrim(vec![column(name)]).eq(lit("")).is_not_false(),
                false => column(name).is_null(),
            }
        };
        let each = by.iter().filter(|name| !gone.contains(name)).map(|name| empty(name));
        let dropped = match self.rows {
            Which::All => each.reduce(Expr::and),
            Which::Any => each.reduce(Expr::or),
            Which::None => None,
        }
        .unwrap_or_else(|| lit(false));
        let kept = table.names().filter(|name| !gone.iter().any(|one| one == name)).map(|name| (name.to_owned(), column(name))).collect();
        let mut flow = Flow {
            table: table.clone(),
            outlets: vec![
                Outlet { port: OUT.name, rows: Rows::Where(dropped.clone().is_not_true()), columns: Some(kept), order: None },
                Outlet { port: DROPPED.name, rows: Rows::Where(dropped), columns: None, order: None },
            ],
        };
        let Some(filled) = gone.iter().map(|name| empty(name).is_not_true()).reduce(Expr::or) else { return Some(Planned::flow(flow)) };
        flow.outlets.push(Outlet { port: EXCEPTIONS.name, rows: Rows::Where(filled), columns: None, order: None });
        Some(Planned::flow(flow).check(Check::empty(format!("Nothing is in {}.", gone.join(", ")), Severity::Block, EXCEPTIONS.name)))
    }

    fn examples() -> Vec<Example> {
        let rows = "a,b,c:integer\nx,,1\n,,\n\" \",,\n,y,";
        vec![
            Example::new("Rows without any value go.", json!({}))
                .input("in", rows)
                .output("out", "a,b,c:integer\nx,,1\n\" \",,\n,y,")
                .output("dropped", "a,b,c:integer\n,,"),
            Example::new("Rows without all of these; spaces count as nothing.", json!({ "rows": "any", "by": ["a"], "blank_texts": true }))
                .input("in", rows)
                .output("out", "a,b,c:integer\nx,,1")
                .output("dropped", "a,b,c:integer\n,,\n\" \",,\n,y,"),
            Example::new(
                "A column that should be empty goes, and what it holds is an exception.",
                json!({ "columns": ["b"], "rows": "none" }),
            )
            .input("in", rows)
            .output("out", "a,c:integer\nx,1\n,\n\" \",\n,")
            .output("exceptions", "a,b,c:integer\n,y,"),
            Example::new("A table without rows.", json!({})).input("in", "a").output("out", "a"),
            Example::new("A column that is not there.", json!({ "by": ["z"] }))
                .input("in", rows)
                .refused("Column \"z\" is not in this table"),
        ]
    }
}
