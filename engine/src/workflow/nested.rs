//! Workflows inside workflows: the inner steps take the place of the step that stands for them.
//!
//! An inner step `trim` of the step `clean` becomes the step `clean~trim` (`clean~2~trim` in its second copy). What is
//! left of `clean` is where the inner rows come out.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use datafusion::scalar::ScalarValue;
use serde_json::Value;
use weir_nodes::Problem;
use weir_nodes::kind::{Host, Nested, Structure};
use weir_nodes::registry;

use super::{Edge, PortRef, Workflow, parameters, slot};

/// What stands between the id of a step and those of its inner steps.
pub(crate) const INNER: char = '~';
/// How deep workflows may be nested.
const DEPTH: usize = 8;

/// A workflow whose nested ones stand in it.
#[derive(Debug)]
pub(crate) struct Expanded {
    pub(crate) workflow: Workflow,
    /// The parameters of inner steps, by the beginning of their ids.
    scopes: Vec<(String, BTreeMap<String, ScalarValue>)>,
    pub(crate) problems: Vec<Problem>,
    /// The files of the nested workflows.
    pub(crate) files: Vec<PathBuf>,
    /// The steps whose workflow could not take their place.
    failed: Vec<String>,
}

impl Expanded {
    /// Whether a step's workflow could not take its place, which was reported.
    pub(crate) fn failed(&self, id: &str) -> bool {
        self.failed.iter().any(|failed| failed == id)
    }

    /// The parameters that a step sees; `None` for a step of the outer workflow.
    pub(crate) fn scope(&self, id: &str) -> Option<&BTreeMap<String, ScalarValue>> {
        self.scopes.iter().filter(|(prefix, _)| id.starts_with(prefix)).max_by_key(|(prefix, _)| prefix.len()).map(|(_, values)| values)
    }
}

/// Puts the steps of nested workflows in place of those that stand for them; `None` where there are none.
pub(crate) fn expand(workflow: &Workflow, values: &BTreeMap<String, ScalarValue>, host: &dyn Host) -> Option<Expanded> {
    let mut expanded = Expanded { workflow: workflow.clone(), scopes: vec![], problems: vec![], files: vec![], failed: vec![] };
    let mut waiting: Vec<(String, Vec<PathBuf>)> = workflow.nodes.keys().map(|id| (id.clone(), vec![])).collect();
    let mut any = false;
    while let Some((id, above)) = waiting.pop() {
        let Some(node) = expanded.workflow.nodes.get(&id) else { continue };
        let Some(kind) = registry::find(&node.kind) else { continue };
        let scope = expanded.scope(&id).unwrap_or(values).clone();
        let params = if above.is_empty() {
            parameters::substitute(workflow, &id, &kind.schema, &node.params, &scope).0
        } else {
            Value::Object(node.params.clone())
        };
        let (Some(step), _) = kind.step(&params) else { continue };
        match step.structure(host) {
            Ok(Structure::Nested(nested)) => {
                any = true;
                match place(&mut expanded, &id, &nested, &above, host) {
                    Ok(inner) => waiting.extend(inner),
                    Err(problems) => {
                        expanded.problems.extend(problems.into_iter().map(|problem| problem.at_node(&id)));
                        expanded.failed.push(id);
                    }
                }
            }
            Ok(_) => {}
            Err(problem) => {
                any = true;
                expanded.problems.push(problem.at_node(&id));
                expanded.failed.push(id);
            }
        }
    }
    any.then_some(expanded)
}

/// Puts copies of a workflow in place of a step. Gives the new steps, with the files they are nested in.
fn place(
    expanded: &mut Expanded,
    id: &str,
    nested: &Nested,
    above: &[PathBuf],
    host: &dyn Host,
) -> Result<Vec<(String, Vec<PathBuf>)>, Vec<Problem>> {
    if nested.path.is_empty() {
        return Err(vec![Problem::error("The step names no workflow.").on("path").help("Choose its file.")]);
    }
    if let Some(problem) = host.refused(&nested.path) {
        return Err(vec![problem.on("path")]);
    }
    let file = host.path(&nested.path);
    if above.contains(&file) || above.len() >= DEPTH {
        let what = format!("\"{}\" is nested in itself, or more than {DEPTH} deep.", nested.path);
        return Err(vec![Problem::error(what).on("path").help("Take the workflow out of itself.")]);
    }
    let inner = Workflow::load(&file).map_err(|problems| problems.into_iter().map(|problem| problem.on("path")).collect::<Vec<_>>())?;
    expanded.files.push(file.clone());
    let moved_from = elsewhere(&file, &host.path(""));
    let copies = &nested.copies;
    let mut placed = Vec::new();
    let (mut entries, mut exits): (HashMap<String, Vec<String>>, HashMap<String, Vec<String>>) = (HashMap::new(), HashMap::new());
    for (number, set) in copies.sets.iter().enumerate() {
        let prefix = if copies.sets.len() > 1 { format!("{id}{INNER}{}{INNER}", number + 1) } else { format!("{id}{INNER}") };
        let (values, problems) = parameters::resolve(&inner, set);
        if problems.iter().any(Problem::is_error) {
            return Err(problems.into_iter().map(|problem| problem.on("set")).collect());
        }
        for (name, node) in &inner.nodes {
            let kind = registry::find(&node.kind);
            let place = kind.map_or(&Value::Null, |kind| &kind.schema);
            let (mut params, problems) = parameters::substitute(&inner, name, place, &node.params, &values);
            expanded.problems.extend(problems);
            if let Some(from) = &moved_from {
                rehome(place, &mut params, from);
            }
            let mut node = node.clone();
            node.params = params.as_object().cloned().unwrap_or_default();
            let whole = format!("{prefix}{name}");
            if let (Some(step), _) = kind.map_or((None, vec![]), |kind| kind.step(&params)) {
                match step.structure(host) {
                    Ok(Structure::Entry(port)) => entries.entry(port).or_default().push(whole.clone()),
                    Ok(Structure::Exit(port)) => exits.entry(port).or_default().push(whole.clone()),
                    _ => {}
                }
            }
            expanded.workflow.nodes.insert(whole.clone(), node);
            placed.push((whole, above.iter().cloned().chain([file.clone()]).collect()));
        }
        let moved = |end: &PortRef| PortRef { node: format!("{prefix}{}", end.node), port: end.port.clone() };
        expanded.workflow.edges.extend(inner.edges.iter().map(|edge| Edge {
            from: moved(&edge.from),
            to: moved(&edge.to),
            other: BTreeMap::new(),
        }));
        expanded.scopes.push((prefix, values));
    }
    for (names, known, what) in [(&copies.inputs, &entries, "input"), (&copies.outputs, &exits, "output")] {
        if let Some(name) = names.iter().find(|name| !known.contains_key(*name)) {
            let mut there: Vec<&str> = known.keys().map(String::as_str).collect();
            there.sort_unstable();
            let help = if there.is_empty() { format!("It has no {what}s.") } else { format!("Its {what}s are: {}.", there.join(", ")) };
            let message = format!("\"{}\" has no {what} \"{name}\".", nested.path);
            return Err(vec![Problem::error(message).on(format!("{what}s")).help(help)]);
        }
    }
    // Rows that came to the step go to the inner inputs of every copy.
    let edges = std::mem::take(&mut expanded.workflow.edges);
    for edge in edges {
        if edge.to.node != id {
            expanded.workflow.edges.push(edge);
            continue;
        }
        let port = edge.to.port.as_ref().or(copies.inputs.first());
        let targets = port.and_then(|port| entries.get(port));
        let Some(targets) = targets else {
            let message = format!("The step has no input \"{}\".", edge.to.port.as_deref().unwrap_or_default());
            expanded.problems.push(Problem::error(message).at_node(id).help("Name it among the step's inputs, or remove the wire."));
            continue;
        };
        for target in targets {
            let to = PortRef { node: target.clone(), port: None };
            expanded.workflow.edges.push(Edge { from: edge.from.clone(), to, other: BTreeMap::new() });
        }
    }
    for name in &copies.outputs {
        for exit in exits.get(name).into_iter().flatten() {
            let from = PortRef { node: exit.clone(), port: None };
            let to = PortRef { node: id.to_owned(), port: Some(name.clone()) };
            expanded.workflow.edges.push(Edge { from, to, other: BTreeMap::new() });
        }
    }
    if let Some(node) = expanded.workflow.nodes.get_mut(id) {
        node.params = copies.params.as_object().cloned().unwrap_or_default();
    }
    Ok(placed)
}

/// How the folder where a workflow's paths start is written from where they start here, if that is another package's.
fn elsewhere(file: &Path, here: &Path) -> Option<String> {
    let there = file.ancestors().skip(1).find(|folder| crate::package::is_package(folder))?;
    Some(crate::project::way(here, there)).filter(|way| !way.is_empty())
}

/// Makes the paths among a step's parameters, as its schema knows them, start from another folder.
fn rehome(place: &Value, params: &mut Value, from: &str) {
    match params {
        Value::String(path) if slot::is_path(place) && !path.is_empty() && !Path::new(&*path).is_absolute() => {
            *path = format!("{from}/{path}");
        }
        Value::Object(map) => {
            let known = map.clone();
            for (name, value) in map.iter_mut() {
                if let Some(inner) = slot::property(place, &known, name) {
                    rehome(inner, value, from);
                }
            }
        }
        Value::Array(items) => {
            if let Some(inner) = slot::item(place) {
                items.iter_mut().for_each(|item| rehome(inner, item, from));
            }
        }
        _ => {}
    }
}
