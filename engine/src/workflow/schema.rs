//! The JSON schema of workflow files, made of the registry's own.

use serde_json::{Value, json};
use weir_nodes::registry;

/// The JSON schema (draft 2020-12) of the whole format. Kinds it does not know are allowed: they are problems of a
/// check, not of the format.
pub fn schema() -> Value {
    let kinds: Vec<Value> = registry()
        .iter()
        .map(|kind| {
            let mut params = kind.schema.clone();
            if let Some(map) = params.as_object_mut() {
                map.remove("$schema");
            }
            json!({
                "if": { "properties": { "kind": { "const": kind.identity.id } } },
                "then": { "properties": { "params": params } }
            })
        })
        .collect();
    let text = json!({ "type": "string" });
    let port = json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_]+)?$", "description": "NODE or NODE.PORT" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Weir workflow",
        "type": "object",
        "required": ["weir", "nodes"],
        "properties": {
            "weir": { "type": "integer", "minimum": 1, "description": "The version of the format." },
            "name": text,
            "description": text,
            "parameters": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "required": ["type"],
                    "properties": {
                        "type": { "enum": ["text", "integer", "decimal", "date", "month", "boolean", "file"] },
                        "default": { "description": "Its value when none is given; decimals as text." },
                        "title": text,
                        "doc": text,
                        "choices": { "type": "array" }
                    }
                }
            },
            "nodes": {
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z0-9_-]+$" },
                "additionalProperties": {
                    "type": "object",
                    "required": ["kind"],
                    "properties": { "kind": text, "params": { "type": "object" }, "title": text, "note": text },
                    "allOf": kinds
                }
            },
            "edges": {
                "type": "array",
                "items": { "type": "object", "required": ["from", "to"], "properties": { "from": port, "to": port } }
            },
            "layout": { "type": "object" }
        }
    })
}
