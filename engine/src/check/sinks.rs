//! What only the whole workflow shows about its loads: two that write the same place, one that overwrites an input,
//! none at all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use weir_nodes::{Problem, Sink};

use super::Checked;
use crate::project::{Project, clean};

pub(super) fn problems(checked: &Checked, project: &Project) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut targets: BTreeMap<String, &str> = BTreeMap::new();
    let sources: BTreeMap<PathBuf, &str> =
        checked.steps.iter().flat_map(|(id, step)| step.sources.iter().map(move |file| (clean(file.clone()), id.as_str()))).collect();
    for (id, step) in &checked.steps {
        for sink in &step.planned.sinks {
            let (target, said) = match sink {
                // The parts of a file are one target.
                part if part.is_part() => continue,
                Sink::File { path, .. } => {
                    problems.extend(project.refused(path).map(|problem| problem.at_node(id).on("path")));
                    let file = clean(project.path(path));
                    if let Some(reader) = sources.get(&file) {
                        problems.push(
                            Problem::error(format!("This would overwrite \"{path}\", which step \"{reader}\" reads."))
                                .at_node(id)
                                .on("path")
                                .help("Load into another file."),
                        );
                    }
                    if file.is_dir() {
                        problems.push(
                            Problem::error(format!("\"{path}\" is a folder, not a file."))
                                .at_node(id)
                                .on("path")
                                .help("Name a file inside it."),
                        );
                    }
                    (file.display().to_string(), format!("the file \"{path}\""))
                }
                Sink::Ledger { table, .. } => (format!("ledger:{table}"), format!("the ledger table \"{table}\"")),
                Sink::Lake { path, .. } => (clean(project.path(path)).display().to_string(), format!("the Delta table \"{path}\"")),
                Sink::Http { connection, resource, .. } => (format!("{connection}{resource}"), format!("\"{connection}{resource}\"")),
                Sink::Database { connection, table, .. } => (format!("{connection}:{table}"), format!("the table \"{table}\"")),
            };
            if let Some(other) = targets.insert(target, id) {
                problems.push(
                    Problem::error(format!("Steps \"{other}\" and \"{id}\" both load {said}."))
                        .at_node(id)
                        .help("Bring their rows together with a union, or load them into two places."),
                );
            }
        }
    }
    if targets.is_empty() && !checked.steps.is_empty() && !checked.problems.iter().any(Problem::is_error) {
        problems.push(Problem::warning("Nothing is loaded: no step of this workflow is a load.").help("Add a load step at its end."));
    }
    problems
}
