//! What the schema of a kind says of a place among a step's parameters.

use serde_json::{Map, Value};

/// The schema of a field of an object; of a variant's, where the object is of one.
pub(super) fn property<'a>(schema: &'a Value, object: &Map<String, Value>, name: &str) -> Option<&'a Value> {
    let own = |schema: &'a Value| schema.get("properties").and_then(|properties| properties.get(name));
    own(schema).or_else(|| {
        let variant = choices(schema).find(|choice| is_of(choice, object));
        variant.into_iter().chain(choices(schema)).find_map(own)
    })
}

/// The schema of what a list holds.
pub(super) fn item(schema: &Value) -> Option<&Value> {
    schema.get("items").or_else(|| choices(schema).find_map(|choice| choice.get("items")))
}

/// Whether a value of a JSON type may stand here.
pub(super) fn takes(schema: &Value, json_type: &str) -> bool {
    let named = match schema.get("type") {
        Some(Value::String(one)) => one == json_type,
        Some(Value::Array(several)) => several.iter().any(|one| one == json_type),
        _ => false,
    };
    named || choices(schema).any(|choice| takes(choice, json_type))
}

/// Whether the path of a file or folder stands here.
pub(super) fn is_path(schema: &Value) -> bool {
    let own = schema.get("x-weir-widget").is_some_and(|widget| widget == "file" || widget == "folder");
    own || choices(schema).any(is_path)
}

fn choices(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten()
}

/// Whether an object is of this variant: the variant's constant fields are its own.
fn is_of(choice: &Value, object: &Map<String, Value>) -> bool {
    let properties = choice.get("properties").and_then(Value::as_object);
    let mut constants = properties.into_iter().flatten().filter_map(|(name, schema)| Some((name, schema.get("const")?))).peekable();
    constants.peek().is_some() && constants.all(|(name, value)| object.get(name) == Some(value))
}
