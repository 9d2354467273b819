//! How a document changes: edits are values. Applied one by one they make a new document; undo keeps the old one. A
//! difference between two documents is a list of them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Edge, Layout, Node, Parameter, Workflow};
use crate::Problem;

/// One change of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum Edit {
    /// Adds a step.
    AddNode {
        /// Its id, not taken yet.
        id: String,
        /// The step.
        node: Node,
    },
    /// Removes a step and its wires.
    RemoveNode {
        /// The step.
        id: String,
    },
    /// Gives a step another id; its wires and its place follow.
    RenameNode {
        /// The id it has.
        id: String,
        /// The id it gets, not taken yet.
        to: String,
    },
    /// Replaces a step's kind and parameters, title and note.
    SetNode {
        /// The step.
        id: String,
        /// What it becomes.
        node: Node,
    },
    /// Sets one parameter of a step; null removes it.
    SetParam {
        /// The step.
        id: String,
        /// The parameter.
        name: String,
        /// Its value.
        value: Value,
    },
    /// Adds a wire at a place among the wires; their order counts for ports that take several.
    Connect {
        /// The wire.
        edge: Edge,
        /// Its place, from 0; behind the last when larger.
        at: usize,
    },
    /// Removes a wire.
    Disconnect {
        /// Its place, from 0.
        at: usize,
    },
    /// Moves steps.
    Move {
        /// Where each stands from now on; none takes its place away.
        places: Vec<(String, Option<[f64; 2]>)>,
    },
    /// Adds, replaces or removes a parameter of the workflow.
    SetParameter {
        /// Its name.
        name: String,
        /// What it becomes; none removes it.
        parameter: Option<Parameter>,
    },
    /// Sets the workflow's name and description.
    Describe {
        /// The name.
        name: String,
        /// The description.
        description: Option<String>,
    },
    /// Replaces groups, comments and whatever else belongs to the drawing alone.
    SetLayout {
        /// The drawing.
        layout: Layout,
    },
    /// Sets a field that this program does not know; null removes it.
    SetOther {
        /// The field.
        name: String,
        /// Its value.
        value: Value,
    },
}

/// Words in both languages.
fn both(en: String, fr: String) -> (String, String) {
    (en, fr)
}

impl Edit {
    /// What it does, in English and in French, as an undo button says it.
    pub fn label(&self) -> (String, String) {
        match self {
            Self::AddNode { id, .. } => both(format!("add {id}"), format!("ajouter {id}")),
            Self::RemoveNode { id } => both(format!("remove {id}"), format!("supprimer {id}")),
            Self::RenameNode { id, to } => both(format!("rename {id} to {to}"), format!("renommer {id} en {to}")),
            Self::SetNode { id, .. } => both(format!("change {id}"), format!("modifier {id}")),
            Self::SetParam { id, name, .. } => both(format!("set {name} of {id}"), format!("régler {name} de {id}")),
            Self::Connect { edge, .. } => {
                both(format!("connect {} to {}", edge.from, edge.to), format!("relier {} à {}", edge.from, edge.to))
            }
            Self::Disconnect { .. } => both("remove a wire".into(), "supprimer un lien".into()),
            Self::Move { places } => match places.len() {
                1 => both("move 1 node".into(), "déplacer 1 étape".into()),
                count => both(format!("move {count} nodes"), format!("déplacer {count} étapes")),
            },
            Self::SetParameter { name, .. } => both(format!("set parameter {name}"), format!("régler le paramètre {name}")),
            Self::Describe { .. } => both("rename the workflow".into(), "renommer le flux".into()),
            Self::SetLayout { .. } => both("change the drawing".into(), "modifier le dessin".into()),
            Self::SetOther { name, .. } => both(format!("set {name}"), format!("régler {name}")),
        }
    }
}

fn missing(id: &str) -> Problem {
    Problem::error(format!("There is no step \"{id}\".")).help("It may have been removed before.")
}

impl Workflow {
    /// The workflow after an edit; this one stays as it is.
    pub fn apply(&self, edit: &Edit) -> Result<Self, Problem> {
        let mut next = self.clone();
        next.change(edit)?;
        Ok(next)
    }

    /// Applies an edit in place. One that cannot be applied changes nothing.
    pub(crate) fn change(&mut self, edit: &Edit) -> Result<(), Problem> {
        let next = self;
        match edit {
            Edit::AddNode { id, node } => {
                super::check_id(id)?;
                if next.nodes.contains_key(id) {
                    return Err(Problem::error(format!("There is a step \"{id}\" already.")).help("Choose another id."));
                }
                next.nodes.insert(id.clone(), node.clone());
            }
            Edit::RemoveNode { id } => {
                next.nodes.remove(id).ok_or_else(|| missing(id))?;
                next.edges.retain(|edge| edge.from.node != *id && edge.to.node != *id);
                next.layout.nodes.remove(id);
            }
            Edit::RenameNode { id, to } => {
                super::check_id(to)?;
                if next.nodes.contains_key(to) {
                    return Err(Problem::error(format!("There is a step \"{to}\" already.")).help("Choose another id."));
                }
                let node = next.nodes.remove(id).ok_or_else(|| missing(id))?;
                next.nodes.insert(to.clone(), node);
                for edge in &mut next.edges {
                    for end in [&mut edge.from, &mut edge.to] {
                        if end.node == *id {
                            end.node.clone_from(to);
                        }
                    }
                }
                // A wire that was there under the new id already is not there twice.
                let mut seen: Vec<Edge> = Vec::new();
                next.edges.retain(|edge| {
                    let new = !seen.contains(edge);
                    seen.extend(new.then(|| edge.clone()));
                    new
                });
                if let Some(place) = next.layout.nodes.remove(id) {
                    next.layout.nodes.insert(to.clone(), place);
                }
            }
            Edit::SetNode { id, node } => *next.nodes.get_mut(id).ok_or_else(|| missing(id))? = node.clone(),
            Edit::SetParam { id, name, value } => set(&mut next.nodes.get_mut(id).ok_or_else(|| missing(id))?.params, name, value),
            Edit::Connect { edge, at } => {
                if next.edges.contains(edge) {
                    return Err(Problem::error("There is such a wire already.").help("Choose another port."));
                }
                next.edges.insert((*at).min(next.edges.len()), edge.clone());
            }
            Edit::Disconnect { at } => {
                if *at >= next.edges.len() {
                    return Err(Problem::error("There is no such wire.").help("It may have been removed before."));
                }
                next.edges.remove(*at);
            }
            Edit::Move { places } => {
                for (id, place) in places {
                    match place {
                        Some(place) => next.layout.nodes.insert(id.clone(), *place),
                        None => next.layout.nodes.remove(id),
                    };
                }
            }
            Edit::SetParameter { name, parameter } => {
                match parameter {
                    Some(parameter) => next.parameters.insert(name.clone(), parameter.clone()),
                    None => next.parameters.remove(name),
                };
            }
            Edit::Describe { name, description } => {
                next.name.clone_from(name);
                next.description.clone_from(description);
            }
            Edit::SetLayout { layout } => next.layout = layout.clone(),
            Edit::SetOther { name, value } => {
                match value {
                    Value::Null => next.other.remove(name),
                    value => next.other.insert(name.clone(), value.clone()),
                };
            }
        }
        Ok(())
    }

    /// The edits that make `other` of this workflow.
    pub fn difference(&self, other: &Self) -> Vec<Edit> {
        let mut edits = Vec::new();
        if (&self.name, &self.description) != (&other.name, &other.description) {
            edits.push(Edit::Describe { name: other.name.clone(), description: other.description.clone() });
        }
        for name in self.parameters.keys().chain(other.parameters.keys().filter(|name| !self.parameters.contains_key(*name))) {
            let parameter = other.parameters.get(name);
            if self.parameters.get(name) != parameter {
                edits.push(Edit::SetParameter { name: name.clone(), parameter: parameter.cloned() });
            }
        }
        for name in self.other.keys().chain(other.other.keys().filter(|name| !self.other.contains_key(*name))) {
            let value = other.other.get(name);
            if self.other.get(name) != value {
                edits.push(Edit::SetOther { name: name.clone(), value: value.cloned().unwrap_or_default() });
            }
        }
        for id in self.nodes.keys().filter(|id| !other.nodes.contains_key(*id)) {
            edits.push(Edit::RemoveNode { id: id.clone() });
        }
        for (id, node) in &other.nodes {
            match self.nodes.get(id) {
                None => edits.push(Edit::AddNode { id: id.clone(), node: node.clone() }),
                Some(before) => edits.extend(changes(id, before, node)),
            }
        }
        // Wires as they are once steps have gone, then as they should be: from behind, so that places stay true.
        let gone = |edge: &&Edge| {
            [&edge.from, &edge.to].iter().all(|end| !self.nodes.contains_key(&end.node) || other.nodes.contains_key(&end.node))
        };
        let mut edges: Vec<Edge> = self.edges.iter().filter(gone).cloned().collect();
        for at in (0..edges.len()).rev() {
            if !other.edges.contains(&edges[at]) {
                edges.remove(at);
                edits.push(Edit::Disconnect { at });
            }
        }
        for (at, edge) in other.edges.iter().enumerate() {
            if edges.get(at) == Some(edge) {
                continue;
            }
            if let Some(from) = edges.iter().position(|known| known == edge) {
                edges.remove(from);
                edits.push(Edit::Disconnect { at: from });
            }
            edges.insert(at.min(edges.len()), edge.clone());
            edits.push(Edit::Connect { edge: edge.clone(), at });
        }
        for at in (other.edges.len()..edges.len()).rev() {
            edits.push(Edit::Disconnect { at });
        }
        // The drawing last, as it is whole: removing a step took its place with it.
        let mut layout = self.layout.clone();
        layout.nodes.retain(|id, _| !self.nodes.contains_key(id) || other.nodes.contains_key(id));
        if layout != other.layout {
            edits.push(layout_change(&layout, &other.layout));
        }
        edits
    }
}

/// A move where only places differ, else the whole drawing.
fn layout_change(before: &Layout, after: &Layout) -> Edit {
    let alike = Layout { nodes: before.nodes.clone(), ..after.clone() } == *before;
    if !alike {
        return Edit::SetLayout { layout: after.clone() };
    }
    let ids = before.nodes.keys().chain(after.nodes.keys().filter(|id| !before.nodes.contains_key(*id)));
    let places =
        ids.filter(|id| before.nodes.get(*id) != after.nodes.get(*id)).map(|id| (id.clone(), after.nodes.get(id).copied())).collect();
    Edit::Move { places }
}

fn changes(id: &str, before: &Node, after: &Node) -> Vec<Edit> {
    if before == after {
        return vec![];
    }
    let same = Node { params: before.params.clone(), ..after.clone() } == *before;
    // A null that is written out cannot be said by setting a parameter: the step is replaced as a whole.
    if !same || after.params.values().any(Value::is_null) {
        return vec![Edit::SetNode { id: id.to_owned(), node: after.clone() }];
    }
    let names = before.params.keys().chain(after.params.keys().filter(|name| !before.params.contains_key(*name)));
    names
        .filter(|name| before.params.get(*name) != after.params.get(*name))
        .map(|name| Edit::SetParam { id: id.to_owned(), name: name.clone(), value: after.params.get(name).cloned().unwrap_or_default() })
        .collect()
}

fn set(params: &mut Map<String, Value>, name: &str, value: &Value) {
    match value {
        Value::Null => params.remove(name),
        value => params.insert(name.to_owned(), value.clone()),
    };
}
