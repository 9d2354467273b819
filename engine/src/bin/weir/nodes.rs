//! `weir nodes`: the kinds of steps, documented by what they are made of.

use clap::Args;
use serde_json::{Value, json};
use weir_nodes::registry::{self, Kind};

use crate::{End, output};

/// List the kinds of steps, or document one with its parameters and examples.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  weir nodes\n  weir nodes mapping")]
pub(crate) struct Nodes {
    /// A kind, such as filter or input.csv
    kind: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Nodes {
    pub(crate) fn execute(self) -> End {
        let Some(id) = &self.kind else { return list(self.json) };
        let Some(kind) = registry::find(id) else {
            let known = registry::registry().iter().map(|kind| kind.identity.id);
            let problem = weir_engine::Problem::error(format!("There is no kind \"{id}\"."))
                .help(weir_engine::problem::did_you_mean(id, known).unwrap_or_else(|| "`weir nodes` lists them all.".into()));
            return output::problems(&[problem]);
        };
        if self.json {
            return output::json(&as_json(kind));
        }
        output::say(&document(kind));
        End::Done
    }
}

fn list(as_json_wanted: bool) -> End {
    if as_json_wanted {
        return output::json(&registry::registry().iter().map(as_json).collect::<Vec<_>>());
    }
    let mut family = None;
    for kind in registry::registry() {
        let identity = &kind.identity;
        if family != Some(identity.category) {
            family = Some(identity.category);
            output::say(&format!("\n{:?}", identity.category));
        }
        output::say(&format!("  {:<18} {} ({})", identity.id, identity.summary.en, identity.title.fr));
    }
    End::Done
}

fn as_json(kind: &Kind) -> Value {
    let examples: Vec<Value> = (kind.examples)()
        .iter()
        .map(|example| {
            json!({
                "title": example.title,
                "params": example.params,
                "inputs": example.inputs.iter().map(|(port, table)| json!({ "port": port, "table": table })).collect::<Vec<_>>(),
                "outputs": example.outputs.iter().map(|(port, table)| json!({ "port": port, "table": table })).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "identity": kind.identity, "parameters": kind.schema, "examples": examples })
}

fn document(kind: &Kind) -> String {
    let identity = &kind.identity;
    let mut text = format!(
        "{} · {} / {}\n\n{}\n{}\n\nRows come out: {}\nAlso found as: {}\n\nParameters\n",
        identity.id,
        identity.title.en,
        identity.title.fr,
        identity.summary.en,
        identity.summary.fr,
        identity.order.en,
        identity.synonyms.join(", "),
    );
    parameters(&kind.schema, 1, &mut text);
    for example in (kind.examples)() {
        text.push_str(&format!("\nExample: {}\n", example.title));
        for (name, bytes) in &example.files {
            match std::str::from_utf8(bytes) {
                Ok(content) => text.push_str(&format!("  file {name}\n{}", indented(content, "    "))),
                Err(_) => text.push_str(&format!("  file {name} ({} bytes)\n", bytes.len())),
            }
        }
        for (port, table) in &example.inputs {
            text.push_str(&format!("  {port} ▸\n{}", indented(table, "    ")));
        }
        let params = serde_json::to_string_pretty(&example.params).unwrap_or_default();
        text.push_str(&indented(&params, "  "));
        for (port, table) in &example.outputs {
            text.push_str(&format!("  ▸ {port}\n{}", indented(table, "    ")));
        }
        for (name, content) in &example.written {
            text.push_str(&format!("  ▸ file {name}\n{}", indented(content, "    ")));
        }
    }
    text
}

fn indented(text: &str, by: &str) -> String {
    text.lines().fold(String::new(), |all, line| all + by + line + "\n")
}

/// The properties of a schema with their help, nested ones further in.
fn parameters(schema: &Value, depth: usize, text: &mut String) {
    let required: Vec<&str> = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let pad = "  ".repeat(depth);
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let mut remarks = Vec::new();
        if required.contains(&name.as_str()) {
            remarks.push("required".to_owned());
        }
        if let Some(default) = property.get("default").filter(|default| !default.is_null()) {
            remarks.push(format!("default {default}"));
        }
        let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
        let help = property.get("description").and_then(Value::as_str).unwrap_or_default();
        text.push_str(&format!("{pad}{name}{remarks}: {}\n", help.replace('\n', " ")));
        nested(property, depth + 1, text);
    }
}

fn nested(schema: &Value, depth: usize, text: &mut String) {
    if schema.get("properties").is_some() {
        parameters(schema, depth, text);
    }
    if let Some(items) = schema.get("items") {
        nested(items, depth, text);
    }
    for choice in ["oneOf", "anyOf"].iter().filter_map(|key| schema.get(*key)).filter_map(Value::as_array).flatten() {
        if let Some(value) = choice.get("const") {
            let help = choice.get("description").and_then(Value::as_str).unwrap_or_default();
            text.push_str(&format!("{}{value}: {help}\n", "  ".repeat(depth)));
        } else {
            nested(choice, depth, text);
        }
    }
}
