//! What is selected: one state that canvas, properties, data and commands share.

use std::collections::BTreeSet;

use weir_engine::workflow::Workflow;

use crate::worker::Port;

/// What is selected on a canvas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Steps.
    pub nodes: BTreeSet<String>,
    /// A wire, by its place among the document's edges.
    pub wire: Option<usize>,
    /// A comment, by its place.
    pub comment: Option<usize>,
    /// The output port whose rows are shown; the first one of the step unless chosen.
    pub port: Option<Port>,
    /// A field that a problem points at: its widget scrolls into view and takes the focus once.
    pub field: Option<String>,
}

impl Selection {
    /// The step, when exactly one is selected.
    pub fn only(&self) -> Option<&str> {
        match self.nodes.len() {
            1 => self.nodes.first().map(String::as_str),
            _ => None,
        }
    }

    /// Selects one step.
    pub fn select(&mut self, node: &str) {
        if self.only() != Some(node) {
            *self = Self { nodes: BTreeSet::from([node.to_owned()]), ..Self::default() };
        }
        self.wire = None;
        self.comment = None;
    }

    /// Adds a step, or takes it away.
    pub fn toggle(&mut self, node: &str) {
        if !self.nodes.remove(node) {
            self.nodes.insert(node.to_owned());
        }
        self.wire = None;
        self.port = None;
    }

    /// Selects nothing.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets what is not in the workflow any more.
    pub fn retain(&mut self, workflow: &Workflow) {
        self.nodes.retain(|node| workflow.nodes.contains_key(node));
        if self.wire.is_some_and(|wire| wire >= workflow.edges.len()) {
            self.wire = None;
        }
        if self.comment.is_some_and(|comment| comment >= workflow.layout.comments.len()) {
            self.comment = None;
        }
        if self.port.as_ref().is_some_and(|port| !workflow.nodes.contains_key(&port.node)) {
            self.port = None;
        }
    }
}
