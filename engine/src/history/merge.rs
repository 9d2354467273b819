//! Two versions that come from one become one: setting by setting, and where both changed the same, a person decides.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};
use weir_nodes::Problem;

use crate::workflow::{Edge, Workflow};

/// Whose setting counts where both changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// That of the branch the file is on.
    Ours,
    /// That of the branch that is merged.
    Theirs,
}

/// A setting that both changed, each in their own way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// The setting: `step rate, columns`, `parameter period`.
    pub what: String,
    /// What it was; none when it was not there.
    pub before: Option<Value>,
    /// What it is on the branch the file is on; none when it was removed.
    pub ours: Option<Value>,
    /// What it is on the branch that is merged; none when it was removed.
    pub theirs: Option<Value>,
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = |value: &Option<Value>| match value {
            None => "removed it".to_owned(),
            Some(Value::String(text)) => format!("made it \"{text}\""),
            Some(value) => format!("made it {value}"),
        };
        write!(f, "{}: here somebody {}, there {}", self.what, said(&self.ours), said(&self.theirs))
    }
}

/// A place of a workflow: what it belongs to, and its name there.
type Place = (String, String);

/// The workflow as settings, each of which is merged by itself.
fn settings(workflow: &Workflow) -> BTreeMap<Place, Value> {
    let mut settings = BTreeMap::new();
    let json = |value: &dyn Fn() -> serde_json::Result<Value>| value().unwrap_or_default();
    for (id, node) in &workflow.nodes {
        let mut put = |name: &str, value: Value| settings.insert((format!("step {id}"), name.to_owned()), value);
        put("kind", node.kind.clone().into());
        node.params.iter().for_each(|(name, value)| {
            put(&format!("param {name}"), value.clone());
        });
        node.title.iter().for_each(|title| {
            put("title", title.clone().into());
        });
        node.note.iter().for_each(|note| {
            put("note", note.clone().into());
        });
        node.other.iter().for_each(|(name, value)| {
            put(&format!("other {name}"), value.clone());
        });
    }
    for (name, parameter) in &workflow.parameters {
        settings.insert((format!("parameter {name}"), String::new()), json(&|| serde_json::to_value(parameter)));
    }
    for (name, value) in &workflow.other {
        settings.insert((format!("field {name}"), String::new()), value.clone());
    }
    settings.insert(("the name".into(), String::new()), workflow.name.clone().into());
    if let Some(description) = &workflow.description {
        settings.insert(("the description".into(), String::new()), description.clone().into());
    }
    settings
}

/// The workflow that has the changes of both, and what both changed.
pub(crate) fn merge(
    before: &Workflow,
    ours: &Workflow,
    theirs: &Workflow,
    side: Option<Side>,
) -> Result<(Workflow, Vec<Conflict>), Problem> {
    let [old, mine, other] = [before, ours, theirs].map(settings);
    let mut conflicts = Vec::new();
    let mut merged: BTreeMap<Place, Value> = BTreeMap::new();
    let places: BTreeSet<&Place> = old.keys().chain(mine.keys()).chain(other.keys()).collect();
    for place in places {
        let (was, here, there) = (old.get(place), mine.get(place), other.get(place));
        let chosen = if here == there || was == there {
            here
        } else if was == here {
            there
        } else {
            let (owner, name) = place;
            let name = name.trim_start_matches("param ").trim_start_matches("other ");
            let what = if name.is_empty() { owner.clone() } else { format!("{owner}, {name}") };
            conflicts.push(Conflict { what, before: was.cloned(), ours: here.cloned(), theirs: there.cloned() });
            if side == Some(Side::Theirs) { there } else { here }
        };
        if let Some(value) = chosen {
            merged.insert(place.clone(), value.clone());
        }
    }
    // A step that one side removed while the other changed it.
    for id in before.nodes.keys() {
        let changed = |workflow: &Workflow| workflow.nodes.get(id) != before.nodes.get(id);
        for (gone, kept) in [(ours, theirs), (theirs, ours)] {
            if !gone.nodes.contains_key(id) && kept.nodes.contains_key(id) && changed(kept) {
                let value = |workflow: &Workflow| workflow.nodes.get(id).and_then(|node| serde_json::to_value(node).ok());
                conflicts.retain(|conflict| !conflict.what.starts_with(&format!("step {id},")));
                conflicts.push(Conflict { what: format!("step {id}"), before: value(before), ours: value(ours), theirs: value(theirs) });
                let keep = match side {
                    Some(Side::Theirs) => theirs.nodes.get(id),
                    _ => ours.nodes.get(id),
                };
                merged.retain(|(owner, _), _| *owner != format!("step {id}"));
                if keep.is_some() {
                    let from = if side == Some(Side::Theirs) { &other } else { &mine };
                    let own = from.iter().filter(|((owner, _), _)| *owner == format!("step {id}"));
                    merged.extend(own.map(|(place, value)| (place.clone(), value.clone())));
                }
            }
        }
    }
    let mut result = ours.clone();
    result.nodes.clear();
    result.parameters.clear();
    result.other.clear();
    result.description = None;
    let broken = |error: serde_json::Error| Problem::error(format!("The versions cannot be merged: {error}."));
    let mut nodes: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for ((owner, name), value) in merged {
        if let Some(id) = owner.strip_prefix("step ") {
            let node = nodes.entry(id.to_owned()).or_default();
            if let Some(param) = name.strip_prefix("param ") {
                let params = node.entry("params").or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(params) = params {
                    params.insert(param.to_owned(), value);
                }
            } else {
                node.insert(name.trim_start_matches("other ").to_owned(), value);
            }
        } else if let Some(parameter) = owner.strip_prefix("parameter ") {
            result.parameters.insert(parameter.to_owned(), serde_json::from_value(value).map_err(broken)?);
        } else if let Some(field) = owner.strip_prefix("field ") {
            result.other.insert(field.to_owned(), value);
        } else if owner == "the name" {
            value.as_str().unwrap_or_default().clone_into(&mut result.name);
        } else {
            result.description = value.as_str().map(str::to_owned);
        }
    }
    for (id, node) in nodes {
        result.nodes.insert(id, serde_json::from_value(Value::Object(node)).map_err(broken)?);
    }
    result.edges = wires(before, ours, theirs);
    result.edges.retain(|edge| result.nodes.contains_key(&edge.from.node) && result.nodes.contains_key(&edge.to.node));
    for (id, place) in &theirs.layout.nodes {
        if !result.layout.nodes.contains_key(id) {
            result.layout.nodes.insert(id.clone(), *place);
        }
    }
    result.layout.nodes.retain(|id, _| result.nodes.contains_key(id));
    Ok((result, conflicts))
}

/// Our wires, without those that the others removed and with those that they added.
fn wires(before: &Workflow, ours: &Workflow, theirs: &Workflow) -> Vec<Edge> {
    let mut wires: Vec<Edge> =
        ours.edges.iter().filter(|edge| !before.edges.contains(edge) || theirs.edges.contains(edge)).cloned().collect();
    for (place, edge) in theirs.edges.iter().enumerate() {
        if !before.edges.contains(edge) && !wires.contains(edge) {
            // Behind the wire that it follows there, so that ports that take several keep their order.
            let follows = theirs.edges[..place].iter().rev().find_map(|known| wires.iter().position(|wire| wire == known));
            wires.insert(follows.map_or(wires.len(), |at| at + 1), edge.clone());
        }
    }
    wires
}
