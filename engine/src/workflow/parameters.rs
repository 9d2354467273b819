//! The workflow's own parameters: their values, and where they are used.

use std::collections::BTreeMap;

use datafusion::scalar::ScalarValue;
use serde_json::{Map, Value};
use weir_nodes::problem::did_you_mean;
use weir_nodes::types::{INPUT_DIGITS, INPUT_PLACES};

use super::{Parameter, ParameterType, Workflow, slot};
use crate::Problem;

/// The value of every parameter: what is `set`, else its default.
pub fn resolve(workflow: &Workflow, set: &[(String, String)]) -> (BTreeMap<String, ScalarValue>, Vec<Problem>) {
    let mut problems = Vec::new();
    for (name, _) in set.iter().filter(|(name, _)| !workflow.parameters.contains_key(name)) {
        let known = || workflow.parameters.keys().map(String::as_str);
        let help = did_you_mean(name, known()).unwrap_or_else(|| match workflow.parameters.len() {
            0 => "It has none.".into(),
            _ => format!("Its parameters are: {}.", known().collect::<Vec<_>>().join(", ")),
        });
        problems.push(Problem::error(format!("The workflow has no parameter \"{name}\".")).on("parameters").help(help));
    }
    let mut values = BTreeMap::new();
    for (name, parameter) in &workflow.parameters {
        let field = format!("parameters.{name}");
        let given = set.iter().rev().find(|(set, _)| set == name).map(|(_, value)| value.clone());
        let text = given.or_else(|| match &parameter.default {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        });
        let Some(text) = text else {
            let problem = Problem::error(format!("Parameter \"{name}\" has no value.")).on(field);
            problems.push(problem.help(format!("Give it one with --set {name}=…, or a default in the workflow.")));
            continue;
        };
        if let Some(choices) = &parameter.choices {
            let choices: Vec<String> =
                choices.iter().map(|choice| choice.as_str().map_or_else(|| choice.to_string(), str::to_owned)).collect();
            if !choices.contains(&text) {
                let problem = Problem::error(format!("\"{text}\" is no choice for parameter \"{name}\".")).on(field);
                problems.push(problem.help(format!("Choose one of: {}.", choices.join(", "))));
                continue;
            }
        }
        match value(parameter, &text) {
            Ok(value) => {
                values.insert(name.clone(), value);
            }
            Err(wanted) => {
                let problem = Problem::error(format!("\"{text}\" is not {wanted}, as parameter \"{name}\" wants.")).on(field);
                problems.push(problem.help("Give it another value."));
            }
        }
    }
    (values, problems)
}

fn value(parameter: &Parameter, text: &str) -> Result<ScalarValue, &'static str> {
    let day = |text: &str| chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    Ok(match parameter.kind {
        ParameterType::Text | ParameterType::File => ScalarValue::Utf8(Some(text.to_owned())),
        ParameterType::Month => {
            day(&format!("{text}-01")).filter(|_| text.len() == 7).ok_or("a month like 2026-09")?;
            ScalarValue::Utf8(Some(text.to_owned()))
        }
        ParameterType::Integer => ScalarValue::Int64(Some(text.parse().map_err(|_| "a whole number")?)),
        ParameterType::Boolean => ScalarValue::Boolean(Some(text.parse().map_err(|_| "true or false")?)),
        ParameterType::Date => {
            let date = day(text).ok_or("a date like 2026-09-30")?;
            ScalarValue::Date32(Some((date - chrono::NaiveDate::default()).num_days() as i32))
        }
        ParameterType::Decimal => {
            let number = rust_decimal::Decimal::from_str_exact(text).map_err(|_| "a number like 12.50")?;
            if number.scale() > u32::from(INPUT_PLACES) {
                return Err("a number with at most 6 decimals");
            }
            ScalarValue::Decimal128(Some(number.mantissa()), INPUT_DIGITS, number.scale() as i8)
        }
    })
}

/// A step's parameters with every `{{name}}` replaced by that parameter's value as text; a whole number or a switch
/// where the kind's schema wants one and nothing stands beside it.
pub fn substitute(
    workflow: &Workflow,
    node: &str,
    schema: &Value,
    params: &Map<String, Value>,
    values: &BTreeMap<String, ScalarValue>,
) -> (Value, Vec<Problem>) {
    let mut problems = Vec::new();
    let replaced = object(node, None, Some(schema), params, values, &mut problems);
    // A parameter that is there but has no value was reported as such.
    problems.retain(|problem| !workflow.parameters.keys().any(|name| problem.message.contains(&format!("\"{name}\""))));
    (replaced, problems)
}

fn object(
    node: &str,
    field: Option<&str>,
    place: Option<&Value>,
    map: &Map<String, Value>,
    values: &BTreeMap<String, ScalarValue>,
    problems: &mut Vec<Problem>,
) -> Value {
    let replaced = map.iter().map(|(name, value)| {
        let inner = place.and_then(|place| slot::property(place, map, name));
        let field = field.map_or_else(|| name.clone(), |field| format!("{field}.{name}"));
        (name.clone(), replace(node, &field, inner, value, values, problems))
    });
    Value::Object(replaced.collect())
}

fn replace(
    node: &str,
    field: &str,
    place: Option<&Value>,
    value: &Value,
    values: &BTreeMap<String, ScalarValue>,
    problems: &mut Vec<Problem>,
) -> Value {
    match value {
        Value::String(text) => match place.and_then(|place| whole(place, text, values)) {
            Some(value) => value,
            None => Value::String(filled(node, field, text, values, problems)),
        },
        Value::Array(items) => {
            let inner = place.and_then(slot::item);
            let items = items.iter().enumerate().map(|(i, item)| replace(node, &format!("{field}[{i}]"), inner, item, values, problems));
            Value::Array(items.collect())
        }
        Value::Object(map) => object(node, Some(field), place, map, values, problems),
        other => other.clone(),
    }
}

/// The number or the switch that a `{{name}}` alone stands for, where the schema takes no text.
fn whole(place: &Value, text: &str, values: &BTreeMap<String, ScalarValue>) -> Option<Value> {
    let name = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    match values.get(name)? {
        ScalarValue::Int64(Some(number)) if slot::takes(place, "integer") && !slot::takes(place, "string") => Some(Value::from(*number)),
        ScalarValue::Boolean(Some(switch)) if slot::takes(place, "boolean") && !slot::takes(place, "string") => Some(Value::from(*switch)),
        _ => None,
    }
}

fn filled(node: &str, field: &str, text: &str, values: &BTreeMap<String, ScalarValue>, problems: &mut Vec<Problem>) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        result.push_str(before);
        match values.get(name.trim()) {
            Some(value) => result.push_str(&value.to_string()),
            None => {
                let help = did_you_mean(name.trim(), values.keys().map(String::as_str))
                    .unwrap_or_else(|| "Add it to the workflow's parameters.".into());
                let problem = Problem::error(format!("The workflow has no parameter \"{}\".", name.trim()));
                problems.push(problem.at_node(node).on(field).help(help));
            }
        }
        rest = behind;
    }
    result + rest
}
