//! What is written about kinds: JSON for machines, plain text for a terminal, Markdown for reading.

use serde_json::{Value, json};

use crate::kind::Category;
use crate::registry::{Kind, registry};

/// A kind with its parameters, ports and examples, as JSON.
pub fn as_json(kind: &Kind) -> Value {
    let tables =
        |tables: &[(&str, &str)]| -> Vec<Value> { tables.iter().map(|(port, table)| json!({ "port": port, "table": table })).collect() };
    let examples: Vec<Value> = (kind.examples)()
        .iter()
        .map(|example| {
            json!({
                "title": example.title,
                "params": example.params,
                "inputs": tables(&example.inputs),
                "outputs": tables(&example.outputs),
                "refused": example.refused,
            })
        })
        .collect();
    let ports = kind.ports(&(kind.examples)().first().map_or(Value::Null, |example| example.params.clone()));
    json!({ "identity": kind.identity, "ports": ports, "parameters": kind.schema, "examples": examples })
}

/// A kind as plain text.
pub fn as_text(kind: &Kind) -> String {
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
        if let Some(refused) = example.refused {
            text.push_str(&format!("  ✕ refused: {refused}\n"));
        }
    }
    text
}

/// Every kind on one page of Markdown.
pub fn as_markdown() -> String {
    let mut text = String::from(
        "# Kinds of steps\n\nMade by `weir nodes --markdown` from the kinds themselves; a test fails when this page is stale.\n\
         A table is written as CSV whose header names the types of columns that are not text.\n",
    );
    let mut family: Option<Category> = None;
    for kind in registry() {
        if family != Some(kind.identity.category) {
            family = Some(kind.identity.category);
            text.push_str(&format!("\n- **{:?}**", kind.identity.category));
        }
        text.push_str(&format!(" · [{}](#{})", kind.identity.id, anchor(kind.identity.id)));
    }
    text.push('\n');
    for kind in registry() {
        let identity = &kind.identity;
        text.push_str(&format!(
            "\n## {}\n\n**{}** · {}. {} {}\n\n*{}*\n\n",
            identity.id, identity.title.en, identity.title.fr, identity.summary.en, identity.order.en, identity.summary.fr
        ));
        text.push_str("```text\n");
        parameters(&kind.schema, 0, &mut text);
        text.push_str("```\n");
        for example in (kind.examples)() {
            text.push_str(&format!("\n{}\n\n```text\n", example.title));
            for (name, bytes) in &example.files {
                match std::str::from_utf8(bytes) {
                    Ok(content) => text.push_str(&format!("{name}:\n{}", indented(content, "  "))),
                    // Its size would change with the moment at which it was made.
                    Err(_) => text.push_str(&format!("{name}: not text\n")),
                }
            }
            for (port, table) in &example.inputs {
                text.push_str(&format!("{port} ▸\n{}", indented(table, "  ")));
            }
            text.push_str(&format!("{}\n", example.params));
            for (port, table) in &example.outputs {
                text.push_str(&format!("▸ {port}\n{}", indented(table, "  ")));
            }
            for (name, content) in &example.written {
                text.push_str(&format!("▸ {name}:\n{}", indented(content, "  ")));
            }
            if let Some(refused) = example.refused {
                text.push_str(&format!("✕ refused: {refused}\n"));
            }
            text.push_str("```\n");
        }
    }
    text
}

/// The name of a heading in an address.
fn anchor(id: &str) -> String {
    id.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

fn indented(text: &str, by: &str) -> String {
    text.lines().fold(String::new(), |all, line| all + (by.to_owned() + line).trim_end() + "\n")
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
