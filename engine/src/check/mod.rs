//! Every problem of a workflow at once, and the schema on every wire. No row is read beyond what an input needs to
//! know its columns.

mod host;
mod sinks;

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::datatypes::Schema;
use datafusion::scalar::ScalarValue;
use weir_nodes::kind::{Arity, Ports};
use weir_nodes::problem::did_you_mean;
use weir_nodes::registry::{self, Kind};
use weir_nodes::{Planned, Planning, Problem, Step, Table};

use crate::graph::Graph;
use crate::plan::WireId;
use crate::plan::wire::leaf;
use crate::project::Project;
use crate::workflow::{PortRef, Workflow, nested, parameters};

pub(crate) use host::ProjectHost;

/// A workflow that was looked at.
#[derive(Debug)]
pub struct Checked {
    /// Everything that is wrong or worth knowing, in the order of the steps.
    pub problems: Vec<Problem>,
    /// The steps that could be planned.
    pub steps: BTreeMap<String, CheckedStep>,
    /// Their ids, each after those it takes rows from.
    pub order: Vec<String>,
    /// The workflow's parameters with their values.
    pub parameters: BTreeMap<String, ScalarValue>,
    /// The files of nested workflows: they are read like inputs, and are part of the rule.
    pub nested: Vec<PathBuf>,
}

/// A step that could be planned.
#[derive(Debug)]
pub struct CheckedStep {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its parameters, those of the workflow put in.
    pub params: serde_json::Value,
    /// Its ports.
    pub ports: Ports,
    /// What arrives on each input port, in the order of the edges.
    pub wires: Vec<(String, Vec<WireId>)>,
    /// What it makes of that.
    pub planned: Planned,
    /// The files it reads.
    pub sources: Vec<PathBuf>,
}

impl CheckedStep {
    /// The flow and outlet behind an output port.
    pub(crate) fn outlet(&self, port: &str) -> Option<(usize, usize)> {
        self.planned.flows.iter().enumerate().find_map(|(flow, planned)| {
            let outlet = planned.outlets.iter().position(|outlet| outlet.port == port)?;
            Some((flow, outlet))
        })
    }

    /// The table that leaves by an output port, over wires.
    pub(crate) fn table(&self, port: &str) -> Option<datafusion::common::Result<Table>> {
        let (flow, outlet) = self.outlet(port)?;
        let flow = &self.planned.flows[flow];
        Some(flow.outlet_table(&flow.outlets[outlet], &flow.table))
    }

    /// The columns that leave by an output port.
    pub fn schema(&self, port: &str) -> Option<Schema> {
        Some(self.table(port)?.ok()?.visible())
    }

    /// The wire that arrives on an input port, by its place among the port's wires.
    pub(crate) fn wire(&self, port: &str, index: usize) -> Option<&WireId> {
        self.wires.iter().find(|(name, _)| name == port)?.1.get(index)
    }
}

impl Checked {
    /// Whether it can run.
    pub fn is_runnable(&self) -> bool {
        !self.problems.iter().any(Problem::is_error)
    }

    /// The step and output port that `NODE` or `NODE.PORT` means; the problem names what there is instead.
    pub fn find_port(&self, reference: &str) -> Result<(&CheckedStep, String, &'static str), Problem> {
        let (node, port) = match reference.split_once('.') {
            Some((node, port)) => (node, Some(port)),
            None => (reference, None),
        };
        let Some(step) = self.steps.get(node) else {
            return Err(Problem::error(format!("There is no step \"{node}\" that can be shown.")).help(
                did_you_mean(node, self.steps.keys().map(String::as_str))
                    .unwrap_or_else(|| format!("Its steps are: {}.", self.steps.keys().cloned().collect::<Vec<_>>().join(", "))),
            ));
        };
        let ports = &step.ports.outputs;
        let found = match port {
            None => ports.first(),
            Some(port) => ports.iter().find(|known| known.name == port),
        };
        match found {
            Some(found) => Ok((step, node.to_owned(), found.name)),
            None if ports.is_empty() => Err(Problem::error("This step has no output: it loads its rows.".to_string())
                .at_node(node)
                .help("Look at the step before it.")),
            None => Err(Problem::error(format!("There is no output port \"{}\".", port.unwrap_or_default()))
                .at_node(node)
                .help(format!("Its ports are: {}.", ports.iter().map(|p| p.name).collect::<Vec<_>>().join(", ")))),
        }
    }
}

/// Looks at a workflow: `set` are the values given for its parameters, by name.
pub fn check(workflow: &Workflow, project: &Project, set: &[(String, String)]) -> Checked {
    looked_at(workflow, project, set, false)
}

/// The same for a run: web services are asked anew.
pub(crate) fn check_for_run(workflow: &Workflow, project: &Project, set: &[(String, String)]) -> Checked {
    looked_at(workflow, project, set, true)
}

fn looked_at(workflow: &Workflow, project: &Project, set: &[(String, String)], anew: bool) -> Checked {
    let (values, mut problems) = parameters::resolve(workflow, set);
    let host = ProjectHost::new(project, &workflow.name, anew);
    let nested = nested::expand(workflow, &values, &host);
    let drawn = workflow;
    let workflow = nested.as_ref().map_or(workflow, |nested| &nested.workflow);
    problems.extend(nested.iter().flat_map(|nested| nested.problems.clone()));
    let inner = |id: &str| nested.as_ref().and_then(|nested| nested.scope(id));
    let graph = Graph::of(workflow);
    problems.extend(graph.problems());
    let mut checked = Checked { problems, steps: BTreeMap::new(), order: Vec::new(), parameters: values, nested: vec![] };
    checked.nested.extend(nested.iter().flat_map(|nested| nested.files.clone()));

    let mut steps: BTreeMap<&str, (&'static Kind, Box<dyn Step>, Ports)> = BTreeMap::new();
    let mut resolved = BTreeMap::new();
    for (id, node) in &workflow.nodes {
        let Some(kind) = registry::find(&node.kind) else {
            let known = registry::registry().iter().map(|kind| kind.identity.id);
            checked.problems.push(
                Problem::error(format!("\"{}\" is not a kind of step this Weir knows.", node.kind))
                    .at_node(id)
                    .on("kind")
                    .help(did_you_mean(&node.kind, known).unwrap_or_else(|| "`weir nodes` lists them all.".into())),
            );
            continue;
        };
        // The parameters of inner steps were put in when they took their place.
        let (params, found) = match inner(id) {
            Some(_) => (serde_json::Value::Object(node.params.clone()), vec![]),
            None => parameters::substitute(workflow, id, &kind.schema, &node.params, &checked.parameters),
        };
        checked.problems.extend(found);
        let (step, found) = kind.step(&params);
        // A step that stands for others got a parameter that nobody typed.
        let typed = |problem: &Problem| match (&problem.field, drawn.nodes.get(id)) {
            (Some(field), Some(drawn)) => !node.params.contains_key(field) || drawn.params.contains_key(field),
            (Some(_), None) => false,
            (None, _) => true,
        };
        checked.problems.extend(found.into_iter().filter(typed).map(|problem| problem.at_node(id)));
        if let Some(step) = step {
            let ports = step.ports();
            steps.insert(id, (kind, step, ports));
            resolved.insert(id.as_str(), params);
        }
    }

    for id in graph.order().into_iter().filter(|id| !nested.as_ref().is_some_and(|nested| nested.failed(id))) {
        let Some((kind, step, ports)) = steps.get(id.as_str()) else { continue };
        let Some(arriving) = arriving(workflow, &id, ports, &steps, &mut checked) else { continue };
        let mut inputs = Vec::new();
        for (port, wires) in &arriving {
            let tables = wires.iter().map(|wire| table_on(&checked, wire)).collect::<Option<Vec<_>>>();
            // A step whose inputs could not be planned is passed over: its own problems would only be echoes.
            let Some(tables) = tables else { break };
            inputs.push((port.clone(), tables));
        }
        if inputs.len() < arriving.len() {
            continue;
        }
        let mut cx = Planning::new(&host, &id, inner(&id).unwrap_or(&checked.parameters), inputs);
        let planned = step.plan(&mut cx);
        let (found, sources) = cx.finish();
        let failed = found.iter().any(Problem::is_error);
        checked.problems.extend(found);
        if let (Some(planned), false) = (planned, failed) {
            checked.order.push(id.clone());
            let params = resolved.remove(id.as_str()).unwrap_or_default();
            let step = CheckedStep { kind, params, ports: ports.clone(), wires: arriving, planned, sources };
            checked.steps.insert(id.clone(), step);
        }
    }
    let sinks = sinks::problems(&checked, project);
    checked.problems.extend(sinks);
    checked.problems.sort_by_key(|problem| std::cmp::Reverse(problem.level));
    checked
}

/// The wires that arrive on each input port of a step, or `None` when one cannot be: the problem is reported, or the
/// step it comes from has problems of its own.
fn arriving(
    workflow: &Workflow,
    id: &str,
    ports: &Ports,
    steps: &BTreeMap<&str, (&'static Kind, Box<dyn Step>, Ports)>,
    checked: &mut Checked,
) -> Option<Vec<(String, Vec<WireId>)>> {
    let mut arriving: Vec<(String, Vec<WireId>)> = ports.inputs.iter().map(|port| (port.name.to_owned(), vec![])).collect();
    let mut whole = true;
    for edge in workflow.edges.iter().filter(|edge| edge.to.node == id) {
        let Some(port) = port_of(&edge.to, ports.inputs.iter().map(|p| p.name)) else {
            checked.problems.push(no_port(&edge.to, "input", ports.inputs.iter().map(|p| p.name)));
            whole = false;
            continue;
        };
        let from = &edge.from;
        let Some((_, _, outputs)) = steps.get(from.node.as_str()) else {
            if !workflow.nodes.contains_key(&from.node) {
                checked.problems.push(
                    Problem::error(format!("A wire comes from \"{}\", which is not a step of this workflow.", from.node)).at_node(id).help(
                        did_you_mean(&from.node, workflow.nodes.keys().map(String::as_str))
                            .unwrap_or_else(|| "Remove the wire, or add the step.".into()),
                    ),
                );
            }
            whole = false;
            continue;
        };
        let names = || outputs.outputs.iter().map(|p| p.name);
        let Some(out) = port_of(from, names()) else {
            checked.problems.push(no_port(from, "output", names()));
            whole = false;
            continue;
        };
        match checked.steps.get(&from.node).and_then(|step| step.outlet(outputs.outputs[out].name)) {
            Some((flow, outlet)) => arriving[port].1.push(WireId { node: from.node.clone(), flow, outlet }),
            None => whole = false,
        }
    }
    for edge in workflow.edges.iter().filter(|edge| edge.from.node == id && !workflow.nodes.contains_key(&edge.to.node)) {
        checked.problems.push(
            Problem::error(format!("A wire goes to \"{}\", which is not a step of this workflow.", edge.to.node)).at_node(id).help(
                did_you_mean(&edge.to.node, workflow.nodes.keys().map(String::as_str))
                    .unwrap_or_else(|| "Remove the wire, or add the step.".into()),
            ),
        );
    }
    if !whole {
        return None;
    }
    for (port, (name, wires)) in ports.inputs.iter().zip(&arriving) {
        let problem = match (port.arity, wires.len()) {
            (Arity::One | Arity::Many, 0) => {
                Problem::error(format!("Nothing arrives on the input \"{name}\".")).help("Connect the step whose rows it should take.")
            }
            (Arity::One | Arity::Optional, 2..) => {
                Problem::error(format!("{} wires arrive on the input \"{name}\", which takes one.", wires.len()))
                    .help("Join them with a union first, or remove all but one.")
            }
            _ => continue,
        };
        checked.problems.push(problem.at_node(id));
        whole = false;
    }
    whole.then_some(arriving)
}

fn table_on(checked: &Checked, wire: &WireId) -> Option<Table> {
    let flow = &checked.steps.get(&wire.node)?.planned.flows[wire.flow];
    let table = flow.outlet_table(&flow.outlets[wire.outlet], &flow.table).ok()?;
    Some(leaf(wire.clone(), &table))
}

/// The port a reference means, by its place: the one it names, or the first.
fn port_of(reference: &PortRef, mut ports: impl Iterator<Item = &'static str>) -> Option<usize> {
    match &reference.port {
        None => ports.next().map(|_| 0),
        Some(wanted) => ports.position(|name| name == wanted),
    }
}

fn no_port(reference: &PortRef, side: &str, ports: impl Iterator<Item = &'static str>) -> Problem {
    let names: Vec<_> = ports.collect();
    let wanted = reference.port.as_deref().unwrap_or_default();
    if names.is_empty() {
        return Problem::error(format!("This step has no {side}.")).at_node(&reference.node).help("Remove the wire.");
    }
    Problem::error(format!("There is no {side} \"{wanted}\"."))
        .at_node(&reference.node)
        .help(did_you_mean(wanted, names.iter().copied()).unwrap_or_else(|| format!("There is: {}.", names.join(", "))))
}
