//! What differs between two workflows, as people read it: steps, parameters, the words of a formula, the rows of a table.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::workflow::{Node, Workflow};

/// Whether something is on both sides or on one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// On both.
    Same,
    /// Only before.
    Removed,
    /// Only after.
    Added,
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// On which side it is.
    pub mark: Mark,
    /// The word.
    pub text: String,
}

/// A row of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowChange {
    /// Its place from 1: before, for one that is gone; after, else.
    pub row: usize,
    /// What it was.
    pub before: Option<Value>,
    /// What it is.
    pub after: Option<Value>,
}

/// A setting that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The setting, as a path: `condition`, `columns[2].formula`.
    pub path: String,
    /// What it was.
    pub before: Option<Value>,
    /// What it is.
    pub after: Option<Value>,
    /// The words of a text that differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Token>,
    /// The rows of a list that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<RowChange>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepChange {
    /// It is new.
    Added(Node),
    /// It is gone.
    Removed(Node),
    /// It has another id and nothing else.
    Renamed {
        /// The id it had.
        from: String,
    },
    /// Some of its settings differ.
    Changed(Vec<Change>),
}

/// What differs between two workflows.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Difference {
    /// The steps that differ, by id.
    pub steps: BTreeMap<String, StepChange>,
    /// Wires that are new: `from → to`.
    pub wires_added: Vec<String>,
    /// Wires that are gone.
    pub wires_removed: Vec<String>,
    /// Whether wires that are on both sides arrive in another order.
    pub wires_reordered: bool,
    /// The workflow's own parameters and fields that differ.
    pub parameters: Vec<Change>,
    /// Names, titles, notes: no part of the meaning.
    pub words: Vec<Change>,
    /// Whether the drawing differs.
    pub layout: bool,
}

impl Difference {
    /// What differs from one workflow to another.
    pub fn between(before: &Workflow, after: &Workflow) -> Self {
        let mut difference = Self { layout: before.layout != after.layout, ..Self::default() };
        let gone: Vec<(&String, &Node)> = before.nodes.iter().filter(|(id, _)| !after.nodes.contains_key(*id)).collect();
        let mut renamed: BTreeMap<&str, &str> = BTreeMap::new();
        for (id, node) in &after.nodes {
            match before.nodes.get(id) {
                Some(old) => difference.step(id, old, node),
                None => match gone.iter().find(|(old, known)| *known == node && !renamed.contains_key(old.as_str())) {
                    Some((old, _)) => {
                        renamed.insert(old, id);
                        difference.steps.insert(id.clone(), StepChange::Renamed { from: (*old).clone() });
                    }
                    None => {
                        difference.steps.insert(id.clone(), StepChange::Added(node.clone()));
                    }
                },
            }
        }
        for (id, node) in gone {
            if !renamed.contains_key(id.as_str()) {
                difference.steps.insert(id.clone(), StepChange::Removed(node.clone()));
            }
        }
        let wire = |edge: &crate::workflow::Edge, renamed: &BTreeMap<&str, &str>| {
            let end = |end: &crate::workflow::PortRef| {
                let node = renamed.get(end.node.as_str()).map_or(end.node.clone(), |name| (*name).to_owned());
                end.port.as_ref().map_or(node.clone(), |port| format!("{node}.{port}"))
            };
            format!("{} → {}", end(&edge.from), end(&edge.to))
        };
        let none = BTreeMap::new();
        let old: Vec<String> = before.edges.iter().map(|edge| wire(edge, &renamed)).collect();
        let new: Vec<String> = after.edges.iter().map(|edge| wire(edge, &none)).collect();
        difference.wires_added = new.iter().filter(|wire| !old.contains(wire)).cloned().collect();
        difference.wires_removed = old.iter().filter(|wire| !new.contains(wire)).cloned().collect();
        let common = |wires: &[String], other: &[String]| wires.iter().filter(|wire| other.contains(wire)).cloned().collect::<Vec<_>>();
        difference.wires_reordered = common(&old, &new) != common(&new, &old);
        changes("parameters", &json(&before.parameters), &json(&after.parameters), &mut difference.parameters);
        changes("", &json(&before.other), &json(&after.other), &mut difference.parameters);
        for (path, old, new) in
            [("name", Some(&before.name), Some(&after.name)), ("description", before.description.as_ref(), after.description.as_ref())]
        {
            difference.word(path.to_owned(), old, new);
        }
        difference
    }

    fn word(&mut self, path: String, before: Option<&String>, after: Option<&String>) {
        if before != after {
            let value = |text: Option<&String>| text.map(|text| Value::String(text.clone()));
            changed(path, value(before), value(after), &mut self.words);
        }
    }

    fn step(&mut self, id: &str, before: &Node, after: &Node) {
        self.word(format!("{id}.title"), before.title.as_ref(), after.title.as_ref());
        self.word(format!("{id}.note"), before.note.as_ref(), after.note.as_ref());
        let mut found = Vec::new();
        if before.kind != after.kind {
            changed("kind".into(), Some(before.kind.clone().into()), Some(after.kind.clone().into()), &mut found);
        }
        changes("", &Value::Object(before.params.clone()), &Value::Object(after.params.clone()), &mut found);
        changes("", &json(&before.other), &json(&after.other), &mut found);
        if !found.is_empty() {
            self.steps.insert(id.to_owned(), StepChange::Changed(found));
        }
    }

    /// Whether nothing differs at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether both mean the same: only names, notes or the drawing differ.
    pub fn is_only_drawing(&self) -> bool {
        let Self { steps, wires_added, wires_removed, wires_reordered, parameters, .. } = self;
        let ids_only = steps.values().all(|change| matches!(change, StepChange::Changed(changes) if changes.is_empty()));
        ids_only && wires_added.is_empty() && wires_removed.is_empty() && !wires_reordered && parameters.is_empty()
    }
}

/// Anything as JSON.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Finds what differs between two values, as deep as both are objects.
fn changes(path: &str, before: &Value, after: &Value, found: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        changed(path.to_owned(), Some(before.clone()), Some(after.clone()), found);
        return;
    };
    let below = |name: &String| if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
    for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
        match (old.get(name), new.get(name)) {
            (Some(before), Some(after)) => changes(&below(name), before, after, found),
            (before, after) => changed(below(name), before.cloned(), after.cloned(), found),
        }
    }
}

fn changed(path: String, before: Option<Value>, after: Option<Value>, found: &mut Vec<Change>) {
    let (mut words, mut rows) = (Vec::new(), Vec::new());
    match (&before, &after) {
        (Some(Value::String(old)), Some(Value::String(new))) => words = tokens(old, new),
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for change in list(old, new) {
                // One row for another of the same shape: what differs inside it is what people look for.
                match (&change.before, &change.after) {
                    (Some(old @ Value::Object(_)), Some(new @ Value::Object(_))) => {
                        changes(&format!("{path}[{}]", change.row), old, new, found);
                    }
                    _ => rows.push(change),
                }
            }
            if rows.is_empty() {
                return;
            }
        }
        _ => {}
    }
    found.push(Change { path, before, after, words, rows });
}

/// The rows of a list that differ. A row that was replaced is paired with the one in its place.
fn list(old: &[Value], new: &[Value]) -> Vec<RowChange> {
    let keys = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
    let mut changes = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, &keys(old), &keys(new)) {
        let (tag, before, after) = operation.as_tag_tuple();
        if tag == DiffTag::Equal {
            continue;
        }
        for i in 0..before.len().max(after.len()) {
            let (here, there) = (before.clone().nth(i), after.clone().nth(i));
            let row = there.or(here).unwrap_or(0) + 1;
            changes.push(RowChange { row, before: here.map(|i| old[i].clone()), after: there.map(|i| new[i].clone()) });
        }
    }
    changes
}

/// The words of two texts: `[Column]`, `"text"`, names, numbers and signs are each one.
fn tokens(old: &str, new: &str) -> Vec<Token> {
    let (before, after) = (split(old), split(new));
    let mut tokens = Vec::new();
    for operation in capture_diff_slices(Algorithm::Myers, &before, &after) {
        let (tag, here, there) = operation.as_tag_tuple();
        let mut put = |mark, texts: &[&str]| tokens.extend(texts.iter().map(|text| Token { mark, text: (*text).to_owned() }));
        match tag {
            DiffTag::Equal => put(Mark::Same, &before[here]),
            _ => {
                put(Mark::Removed, &before[here]);
                put(Mark::Added, &after[there]);
            }
        }
    }
    tokens
}

fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '[' => rest.find(']').map_or(rest.len(), |at| at + 1),
            '"' => rest[1..].find('"').map_or(rest.len(), |at| at + 2),
            c if c.is_alphanumeric() || c == '_' || c == '$' => {
                rest.char_indices().skip(1).find(|(_, c)| !c.is_alphanumeric() && *c != '_' && *c != '.').map_or(rest.len(), |(at, _)| at)
            }
            c if c.is_whitespace() => rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_compared_word_by_word() {
        let words = tokens("IF([Stage] = \"Won\", [ARR] * 12%, 0)", "IF([Stage] = \"Won\", [ARR] * 15%, 0)");
        let marked: Vec<_> = words.iter().filter(|token| token.mark != Mark::Same).map(|token| (token.mark, token.text.as_str())).collect();
        assert_eq!(marked, [(Mark::Removed, "12"), (Mark::Added, "15")]);
        assert_eq!(
            words.iter().filter(|token| token.mark != Mark::Added).map(|token| token.text.as_str()).collect::<String>(),
            "IF([Stage] = \"Won\", [ARR] * 12%, 0)"
        );
    }

    #[test]
    fn a_list_is_compared_row_by_row() {
        let rows = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let mut found = Vec::new();
        changes("rows", &rows(r#"[["a", 1], ["b", 2], ["c", 3]]"#), &rows(r#"[["a", 1], ["b", 9], ["c", 3], ["d", 4]]"#), &mut found);
        let rows: Vec<(usize, bool, bool)> = found[0].rows.iter().map(|row| (row.row, row.before.is_some(), row.after.is_some())).collect();
        assert_eq!(rows, [(2, true, true), (4, false, true)]);
    }
}
