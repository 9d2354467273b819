//! A package to start from: small, complete, and its test holds.

use serde_json::{Value, json};
use weir_nodes::Problem;

use super::{FORMAT, Files, INPUTS, MANIFEST};
use crate::workflow::Workflow;

/// The files of a new package.
pub fn new(id: &str, publisher: &str) -> Result<Files, Problem> {
    if !super::is_id(id) {
        let problem = Problem::error(format!("\"{id}\" is no name of a package."));
        return Err(problem.help("Use small letters, digits and hyphens: sales-commissions."));
    }
    let version = env!("CARGO_PKG_VERSION");
    let manifest = json!({
        "weir_package": FORMAT,
        "id": id,
        "version": "0.1.0",
        "kind": "functional",
        "licence": "MIT OR Apache-2.0",
        "publisher": publisher,
        "weir": format!("^{version}"),
        "name": { "en": id, "fr": id },
        "summary": { "en": "Adds up sales by region.", "fr": "Additionne les ventes par région." },
        "keywords": ["sales", "region", "ventes"],
        "needs": {},
        "main": "workflows/main.json",
        "workflows": { "workflows/main.json": { "en": "Adds up sales by region.", "fr": "Additionne les ventes par région." } },
        "gives": { "file:out/regions.csv": { "en": "One row per region.", "fr": "Une ligne par région." } },
        "figures": [{
            "output": "file:out/regions.csv",
            "columns": ["amount"],
            "step": "per_region",
            "rule": { "en": "The sum of the sales' amounts.", "fr": "La somme des montants des ventes." },
            "source": "Replace this with the document and section that the rule comes from."
        }]
    });
    let inputs = json!({
        "weir_inputs": 1,
        "inputs": { "sales": {
            "title": { "en": "Sales", "fr": "Ventes" },
            "about": { "en": "One row per sale.", "fr": "Une ligne par vente." },
            "example": "sample/sales.csv",
            "columns": [
                {
                    "name": "sale", "type": "text", "filled": true, "unique": true, "synonyms": ["Order", "Order number", "N° commande"],
                    "about": { "en": "The number of the sale.", "fr": "Le numéro de la vente." }
                },
                {
                    "name": "region", "type": "text", "filled": true, "synonyms": ["Area", "Territory", "Région", "Zone"],
                    "about": { "en": "Where it was sold.", "fr": "Où elle a été faite." }
                },
                {
                    "name": "amount", "type": "decimal(2)", "filled": true, "synonyms": ["Total", "Value", "Montant"],
                    "about": { "en": "What was paid.", "fr": "Ce qui a été payé." }
                }
            ]
        } }
    });
    let (contract, params) = weir_nodes::suggest::contract(INPUTS, "sales");
    let workflow = json!({
        "weir": 1,
        "name": id,
        "nodes": {
            "sales": { "kind": contract, "params": params },
            "per_region": weir_nodes::suggest::total("region", "amount"),
            "nothing_lost": weir_nodes::suggest::same_total("amount"),
            "regions": weir_nodes::suggest::written("out/regions.csv")
        },
        "edges": [
            { "from": "sales", "to": "per_region" },
            { "from": "per_region", "to": "nothing_lost" },
            { "from": "sales", "to": "nothing_lost.reference" },
            { "from": "nothing_lost", "to": "regions" }
        ],
        "layout": { "nodes": { "sales": [0, 0], "per_region": [240, 0], "nothing_lost": [480, 0], "regions": [720, 0] } }
    });
    let workflow = Workflow::parse(&workflow.to_string(), "workflows/main.json").map_err(|mut problems| problems.swap_remove(0))?;
    let test = json!({
        "about": "The sample, added up by hand: North 120.50 + 79.50 = 200.00, South 80.00.",
        "source": "By hand",
        "workflow": "workflows/main.json",
        "expect": { "file:out/regions.csv": "tests/sample/regions.csv" }
    });
    let readme = format!(
        "# {id}\n\nAdds up sales by region. Replace this text: what comes in, what comes out, and by which rules.\n\n\
         ## What comes in\n\n`sales`: one row per sale. Bind yours: `weir template bind sales=FILE`.\n\n\
         ## What comes out\n\n`out/regions.csv`: one row per region.\n\n## En français\n\nAdditionne les ventes par région.\n"
    );
    let pretty = |value: &Value| serde_json::to_string_pretty(value).map(|text| format!("{text}\n").into_bytes());
    let broken = |error: serde_json::Error| Problem::error(format!("The package cannot be written: {error}."));
    let mut files = Files::default();
    for (path, value) in [(MANIFEST, &manifest), (INPUTS, &inputs), ("tests/sample.json", &test)] {
        files.0.insert(path.to_owned(), pretty(value).map_err(broken)?);
    }
    for (path, text) in [
        ("workflows/main.json", workflow.to_canonical_json()?),
        ("sample/sales.csv", "sale,region,amount\nS1,North,120.50\nS2,South,80.00\nS3,North,79.50\n".to_owned()),
        ("tests/sample/regions.csv", "region,amount\nNorth,200.00\nSouth,80.00\n".to_owned()),
        ("README.md", readme),
    ] {
        files.0.insert(path.to_owned(), text.into_bytes());
    }
    Ok(files)
}
