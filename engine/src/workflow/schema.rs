//! The JSON schema of workflow files, made of the registry's own.

use serde_json::{Map, Value, json};
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
            let params = fillable(params);
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

/// A schema whose whole numbers and switches may be a workflow's parameter, written `{{name}}`.
fn fillable(schema: Value) -> Value {
    match schema {
        Value::Object(map) => {
            let named = |name: &str| match map.get("type") {
                Some(Value::Array(several)) => several.iter().any(|one| one == name),
                one => one.is_some_and(|one| one == name),
            };
            let fills = (named("integer") || named("boolean")) && !map.contains_key("const");
            let map: Map<String, Value> = map.into_iter().map(|(name, value)| (name, fillable(value))).collect();
            match fills {
                true => json!({ "anyOf": [map, { "type": "string", "pattern": "^\\s*\\{\\{[^{}]+\\}\\}\\s*$" }] }),
                false => Value::Object(map),
            }
        }
        Value::Array(items) => Value::Array(items.into_iter().map(fillable).collect()),
        other => other,
    }
}
