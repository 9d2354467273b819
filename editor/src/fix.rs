//! Taking an offer: a name in a step's parameters becomes the one that was meant.

use std::ops::Range;

use serde_json::Value;
use weir_engine::workflow::{Edit, Workflow};

/// The edit that puts `meant` in place of a field's value, or of some characters of it. `None` where the field is no text.
pub fn edit(workflow: &Workflow, node: &str, field: &str, span: Option<Range<usize>>, meant: &str) -> Option<Edit> {
    let params = &workflow.nodes.get(node)?.params;
    let mut path = field.split(['.', '[']).map(|part| part.trim_end_matches(']'));
    let name = path.next()?;
    let mut value = params.get(name)?.clone();
    let mut place = &mut value;
    for part in path {
        place = match place {
            Value::Array(items) => items.get_mut(part.parse::<usize>().ok()?)?,
            Value::Object(map) => map.get_mut(part)?,
            _ => return None,
        };
    }
    let text = place.as_str()?;
    let new = match span {
        Some(span) => {
            let old = text.get(span.clone())?;
            let (head, tail) = (text.get(..span.start)?, text.get(span.end..)?);
            // A column stands in brackets and keeps them; a function keeps its parenthesis.
            let new = if old.starts_with('[') && !meant.starts_with('[') { format!("[{meant}]") } else { meant.to_owned() };
            format!("{head}{new}{tail}")
        }
        None => meant.to_owned(),
    };
    *place = Value::String(new);
    Some(Edit::SetParam { id: node.to_owned(), name: name.to_owned(), value })
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn workflow() -> Workflow {
        let text = r#"{"weir":1,"nodes":{"a":{"kind":"filter","params":{"condition":"[Stagee] = 1","by":[{"column":"Ownr"}]}}}}"#;
        Workflow::parse(text, "test").expect("a workflow")
    }

    #[test]
    fn characters_and_whole_values_are_replaced() {
        let set = |edit: Option<Edit>| match edit {
            Some(Edit::SetParam { value, .. }) => value.to_string(),
            _ => "none".into(),
        };
        assert_eq!(set(edit(&workflow(), "a", "condition", Some(0..8), "Stage")), r#""[Stage] = 1""#);
        assert_eq!(set(edit(&workflow(), "a", "by[0].column", None, "Owner")), r#"[{"column":"Owner"}]"#);
        assert_eq!(edit(&workflow(), "a", "by[7].column", None, "Owner"), None);
    }
}
