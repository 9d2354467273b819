//! The workflow as a graph: what comes before what, and where it goes in circles.

use std::collections::BTreeSet;

use petgraph::Direction;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::Problem;
use crate::workflow::Workflow;

/// A workflow's steps and wires.
#[derive(Debug)]
pub struct Graph<'a> {
    graph: DiGraphMap<&'a str, ()>,
    cycles: Vec<Vec<&'a str>>,
}

impl<'a> Graph<'a> {
    /// The graph of a workflow; wires from or to steps that are not there are left out.
    pub fn of(workflow: &'a Workflow) -> Self {
        let mut graph = DiGraphMap::new();
        for id in workflow.nodes.keys() {
            graph.add_node(id.as_str());
        }
        for edge in &workflow.edges {
            if graph.contains_node(&edge.from.node) && graph.contains_node(&edge.to.node) {
                graph.add_edge(edge.from.node.as_str(), edge.to.node.as_str(), ());
            }
        }
        let mut cycles: Vec<Vec<&str>> =
            tarjan_scc(&graph).into_iter().filter(|part| part.len() > 1 || graph.contains_edge(part[0], part[0])).collect();
        cycles.iter_mut().for_each(|cycle| cycle.sort_unstable());
        cycles.sort_unstable();
        Self { graph, cycles }
    }

    /// Every cycle.
    pub fn problems(&self) -> Vec<Problem> {
        self.cycles
            .iter()
            .map(|cycle| {
                Problem::error(format!("These steps feed each other in a circle: {}.", cycle.join(", ")))
                    .at_node(cycle[0])
                    .help("Remove one of the wires between them.")
            })
            .collect()
    }

    /// The steps, each after those it takes rows from; ties by id. Steps on a cycle, and after one, are left out.
    pub fn order(&self) -> Vec<String> {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        let mut order = Vec::new();
        loop {
            let mut ready: Vec<&str> = self
                .graph
                .nodes()
                .filter(|node| !done.contains(node))
                .filter(|node| self.graph.neighbors_directed(node, Direction::Incoming).all(|before| done.contains(before)))
                .collect();
            ready.sort_unstable();
            if ready.is_empty() {
                return order;
            }
            for node in ready {
                done.insert(node);
                order.push(node.to_owned());
            }
        }
    }
}
