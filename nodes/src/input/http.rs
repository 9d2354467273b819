//! `input.http`: rows of a web service, in JSON or CSV.
//!
//! The engine asks the service and keeps the answer in the project; a run asks anew, and its certificate holds the
//! answer's hash like that of any other file.

use super::csv::CsvInput;
use super::json::JsonInput;
use crate::kind::{Call, Paging};
use crate::param::FilePath;
use crate::prelude::*;

/// Reads rows from a web service.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct HttpInput {
    /// The service: a name under `[connections]` in `weir.toml`, with its address and perhaps a token; or an address.
    pub connection: String,
    /// What is asked for, after the address: `/v1/invoices`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// The parameters of the question.
    #[serde(default)]
    pub query: Vec<Parameter>,
    /// How the rows come.
    #[serde(default)]
    pub format: Format,
    /// For JSON: where the list of rows is, such as `data.items`. The whole answer unless given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rows: String,
    /// How to get the pages after the first.
    #[serde(default)]
    pub paging: Paging,
    /// Types given by hand; the other columns' types are found out.
    #[serde(default)]
    pub columns: Vec<super::texts::TypedColumn>,
}

/// A parameter of a question.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How rows come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON.
    #[default]
    Json,
    /// CSV.
    Csv,
}

impl NodeKind for HttpInput {
    fn identity() -> Identity {
        Identity {
            id: "input.http",
            version: 1,
            category: Category::Input,
            icon: "http",
            title: Words { en: "Web service", fr: "Service web" },
            summary: Words {
                en: "Reads rows of a web service in JSON or CSV, page by page, with a token kept out of the workflow.",
                fr: "Lit les lignes d'un service web en JSON ou CSV, page par page, avec un jeton gardé hors du flux.",
            },
            synonyms: &["rest", "api", "download", "web query", "url", "odata", "get request", "requête web"],
            order: Words { en: "As the service gives them.", fr: "Celui du service." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        if self.connection.is_empty() {
            cx.problem(
                Problem::error("Nothing says which service.")
                    .on("connection")
                    .help("Name one that stands in weir.toml, or write its address."),
            );
        }
        if self.format == Format::Csv && self.paging != Paging::None {
            cx.problem(Problem::error("CSV comes on one page.").on("paging").help("Ask for JSON, or for all rows at once."));
        }
        if cx.failed() {
            return None;
        }
        let call = Call {
            connection: self.connection.clone(),
            path: self.resource.clone(),
            query: self.query.iter().map(|one| (one.name.clone(), one.value.clone())).collect(),
            paging: self.paging.clone(),
            rows: self.rows.clone(),
            json: self.format == Format::Json,
        };
        let path = match cx.host().call(&call) {
            Ok(path) => FilePath(path),
            Err(problem) => {
                cx.problem(problem.on("connection"));
                return None;
            }
        };
        let planned = match self.format {
            Format::Json => JsonInput { path, rows: self.rows.clone(), columns: self.columns.clone(), ..JsonInput::default() }.plan(cx)?,
            Format::Csv => serde_json::from_value::<CsvInput>(json!({ "path": path, "columns": self.columns })).ok()?.plan(cx)?,
        };
        // A CSV file's rejects have no port here: a row that does not fit stops the run.
        let out = planned.flows.into_iter().next()?;
        Some(Planned { flows: vec![out], ..Planned::default() })
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A list in a field of the answer.", json!({ "connection": "crm", "resource": "/v1/deals", "rows": "data" }))
                .elsewhere(),
            Example::new(
                "Page by page until one is empty.",
                json!({ "connection": "crm", "resource": "/v1/deals", "rows": "data", "paging": { "how": "number", "parameter": "page" } }),
            )
            .elsewhere(),
            Example::new(
                "Each page names the next one.",
                json!({ "connection": "crm", "resource": "/v1/deals", "rows": "data", "paging": { "how": "link", "at": "links.next" } }),
            )
            .elsewhere(),
            Example::new("A service is needed.", json!({ "connection": "" })).refused("which service"),
        ]
    }
}
