//! `load.http`: rows sent to a web service.

use std::sync::Arc;

use super::json::Format;
use crate::kind::Sink;
use crate::prelude::*;

/// Sends the rows to a web service, as lists of JSON objects, when every control holds.
///
/// A service is not a file that can be put back: the rows are sent before anything else is published, and where it
/// refuses, nothing else is. Every list carries an `Idempotency-Key`, so that one that was sent twice counts once where
/// the service knows such keys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct HttpLoad {
    /// The service: a name under `[connections]` in `weir.toml`, or an address.
    pub connection: String,
    /// Where the rows go, after the address: `/v1/invoices`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// How many rows one request brings.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 10000))]
    pub batch: u32,
}

fn hundred() -> u32 {
    100
}

impl NodeKind for HttpLoad {
    fn identity() -> Identity {
        Identity {
            id: "load.http",
            version: 1,
            category: Category::Load,
            icon: "send",
            title: Words { en: "Send to web service", fr: "Envoyer à un service web" },
            summary: Words {
                en: "Sends the rows to a web service as JSON, before anything else is published.",
                fr: "Envoie les lignes à un service web en JSON, avant toute autre publication.",
            },
            synonyms: &["post", "api", "rest", "webhook", "output data", "envoyer"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::sink()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        cx.input("in")?;
        if self.connection.is_empty() {
            cx.problem(
                Problem::error("Nothing says which service.")
                    .on("connection")
                    .help("Name one that stands in weir.toml, or write its address."),
            );
        }
        if !(1..=10_000).contains(&self.batch) {
            cx.problem(Problem::error("A request brings 1 to 10,000 rows.").on("batch").help("Give a number such as 100."));
        }
        if cx.failed() {
            return None;
        }
        Some(Planned::sink(Sink::Http {
            port: "in",
            connection: self.connection.clone(),
            resource: self.resource.clone(),
            batch: self.batch,
            format: Arc::new(Format { lines: true, skip_empty: false }),
        }))
    }

    fn examples() -> Vec<Example> {
        let rows = "id:integer,amount:decimal(2)\n1,10.00";
        vec![
            Example::new("Lists of a hundred rows.", json!({ "connection": "crm", "resource": "/v1/invoices" }))
                .input("in", rows)
                .elsewhere(),
            Example::new("One row for each request.", json!({ "connection": "crm", "batch": 1 })).input("in", rows).elsewhere(),
            Example::new("To an address.", json!({ "connection": "https://hooks.example/rows" })).input("in", rows).elsewhere(),
            Example::new("A request brings rows.", json!({ "connection": "crm", "batch": 0 }))
                .input("in", rows)
                .refused("1 to 10,000 rows"),
        ]
    }
}
