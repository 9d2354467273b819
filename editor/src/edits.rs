//! What gestures mean for the document: lists of edits, made from the document alone.

use std::collections::BTreeMap;

use weir_engine::workflow::{Edge, Edit, Node, PortRef, Workflow};
use weir_nodes::kind::Arity;
use weir_nodes::registry::Kind;

use crate::canvas::edge;
use crate::desk::ports_of;

/// Connects two ports; a wire into a port that takes one is replaced.
pub fn connect(workflow: &Workflow, from: PortRef, to: PortRef) -> Vec<Edit> {
    let edge = edge(from, to);
    if workflow.edges.contains(&edge) {
        return vec![];
    }
    let ports = ports_of(workflow, &edge.to.node);
    let arity = ports.inputs.iter().enumerate().find(|(place, port)| names(&edge.to, *place, port.name)).map(|(_, port)| port.arity);
    let mut edits = Vec::new();
    if matches!(arity, Some(Arity::One | Arity::Optional)) {
        edits.extend(entering(workflow, &edge.to).into_iter().rev().map(|at| Edit::Disconnect { at }));
    }
    let at = workflow.edges.len() - edits.len();
    edits.push(Edit::Connect { edge, at });
    edits
}

/// Whether an end of a wire means a port.
fn names(end: &PortRef, place: usize, name: &str) -> bool {
    match &end.port {
        None => place == 0,
        Some(port) => port == name,
    }
}

/// The wires that enter a port, by their places.
fn entering(workflow: &Workflow, to: &PortRef) -> Vec<usize> {
    let ports = ports_of(workflow, &to.node);
    let place = ports.inputs.iter().enumerate().position(|(place, port)| names(to, place, port.name));
    let Some(place) = place else { return vec![] };
    let same = |edge: &Edge| edge.to.node == to.node && names(&edge.to, place, ports.inputs[place].name);
    workflow.edges.iter().enumerate().filter(|(_, edge)| same(edge)).map(|(at, _)| at).collect()
}

/// Puts a step into a wire: what came by the wire goes through the step's first input and first output. Nothing where it
/// has none, or has wires already.
pub fn insert(workflow: &Workflow, id: &str, wire: usize) -> Vec<Edit> {
    let ports = ports_of(workflow, id);
    let own = workflow.edges.iter().any(|edge| edge.from.node == id || edge.to.node == id);
    let Some(edge_there) = workflow.edges.get(wire) else { return vec![] };
    if own || ports.inputs.is_empty() || ports.outputs.is_empty() {
        return vec![];
    }
    let step = PortRef { node: id.to_owned(), port: None };
    vec![
        Edit::Disconnect { at: wire },
        Edit::Connect { edge: edge(edge_there.from.clone(), step.clone()), at: wire },
        Edit::Connect { edge: edge(step, edge_there.to.clone()), at: wire + 1 },
    ]
}

/// Takes steps out of the flow. Where exactly one wire came to a step's first input, what its first output fed is
/// connected to where that wire came from. With `remove` the steps go too.
pub fn heal(workflow: &Workflow, ids: &[String], remove: bool) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut now = workflow.clone();
    let apply = |edits: &mut Vec<Edit>, now: &mut Workflow, edit: Edit| {
        if let Ok(next) = now.apply(&edit) {
            *now = next;
            edits.push(edit);
        }
    };
    for id in ids {
        let before: Vec<PortRef> = now.edges.iter().filter(|edge| edge.to.node == *id).map(|edge| edge.from.clone()).collect();
        let main = ports_of(&now, id).outputs.first().map(|port| port.name);
        let behind: Vec<PortRef> = now
            .edges
            .iter()
            .filter(|edge| edge.from.node == *id && edge.from.port.as_deref().is_none_or(|port| Some(port) == main))
            .map(|edge| edge.to.clone())
            .collect();
        if remove {
            apply(&mut edits, &mut now, Edit::RemoveNode { id: id.clone() });
        } else {
            for at in (0..now.edges.len()).rev() {
                if now.edges[at].from.node == *id || now.edges[at].to.node == *id {
                    apply(&mut edits, &mut now, Edit::Disconnect { at });
                }
            }
        }
        if let [from] = before.as_slice()
            && from.node != *id
        {
            for to in behind.into_iter().filter(|to| to.node != *id) {
                let at = now.edges.len();
                apply(&mut edits, &mut now, Edit::Connect { edge: edge(from.clone(), to), at });
            }
        }
    }
    edits
}

/// A new step of a kind.
pub fn blank(kind: &Kind) -> Node {
    let params = match kind.blank() {
        serde_json::Value::Object(map) => map,
        _ => serde_json::Map::new(),
    };
    Node { kind: kind.identity.id.to_owned(), params, title: None, note: None, other: BTreeMap::new() }
}

/// Some steps with the wires between them and their places, as a workflow of their own: what copy puts on the clipboard.
pub fn excerpt(workflow: &Workflow, ids: &std::collections::BTreeSet<String>) -> Workflow {
    let mut part = Workflow::new("");
    part.nodes = workflow.nodes.iter().filter(|(id, _)| ids.contains(*id)).map(|(id, node)| (id.clone(), node.clone())).collect();
    part.edges = workflow.edges.iter().filter(|edge| ids.contains(&edge.from.node) && ids.contains(&edge.to.node)).cloned().collect();
    part.layout.nodes = workflow.layout.nodes.iter().filter(|(id, _)| ids.contains(*id)).map(|(id, at)| (id.clone(), *at)).collect();
    part
}

/// The edits that add a part under free ids, moved by `by`; and the new ids.
pub fn paste(workflow: &Workflow, part: &Workflow, by: [f64; 2]) -> (Vec<Edit>, Vec<String>) {
    let mut edits = Vec::new();
    let mut now = workflow.clone();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut places = Vec::new();
    for (id, node) in &part.nodes {
        let free = crate::desk::free_id(&now, id);
        now.nodes.insert(free.clone(), node.clone());
        edits.push(Edit::AddNode { id: free.clone(), node: node.clone() });
        let at = part.layout.nodes.get(id).copied().unwrap_or([0.0, 0.0]);
        places.push((free.clone(), Some([at[0] + by[0], at[1] + by[1]])));
        names.insert(id.clone(), free);
    }
    for wire in &part.edges {
        let named = |end: &PortRef| Some(PortRef { node: names.get(&end.node)?.clone(), port: end.port.clone() });
        if let (Some(from), Some(to)) = (named(&wire.from), named(&wire.to)) {
            let at = now.edges.len();
            now.edges.push(edge(from.clone(), to.clone()));
            edits.push(Edit::Connect { edge: edge(from, to), at });
        }
    }
    edits.push(Edit::Move { places });
    (edits, names.into_values().collect())
}
