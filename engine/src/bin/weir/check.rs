//! `weir check`: every problem at once.

use clap::Args;
use serde_json::json;
use weir_engine::check::check;
use weir_engine::project::Project;
use weir_engine::workflow::Workflow;

use crate::{End, WorkflowArgs, output};

/// Find every problem of a workflow without running it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir check workflows/commissions.json\n\nExit codes: 0 it can run · 2 it cannot")]
pub(crate) struct Check {
    #[command(flatten)]
    workflow: WorkflowArgs,
    /// Print the problems, and the columns on every wire, as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn execute(self) -> End {
        let project = match Project::of(&self.workflow.file) {
            Ok(project) => project,
            Err(problem) => return output::problems(&[problem]),
        };
        let workflow = match Workflow::load(&self.workflow.file) {
            Ok(workflow) => workflow,
            Err(problems) if self.json => {
                output::json(&json!({ "problems": problems }));
                return End::Wrong;
            }
            Err(problems) => return output::problems(&problems),
        };
        let checked = check(&workflow, &project, &self.workflow.set);
        let end = if checked.is_runnable() { End::Done } else { End::Wrong };
        if self.json {
            let wires: serde_json::Map<_, _> = checked
                .order
                .iter()
                .flat_map(|node| checked.steps[node].ports.outputs.iter().map(move |port| (node, port.name)))
                .filter_map(|(node, port)| {
                    let schema = checked.steps[node].schema(port)?;
                    let columns: Vec<_> = schema
                        .fields()
                        .iter()
                        .map(|field| json!({ "name": field.name(), "type": weir_nodes::types::type_name(field.data_type()) }))
                        .collect();
                    Some((format!("{node}.{port}"), json!(columns)))
                })
                .collect();
            output::json(&json!({ "problems": checked.problems, "columns": wires }));
            return end;
        }
        for problem in &checked.problems {
            output::problem_lines(problem);
        }
        let errors = checked.problems.iter().filter(|problem| problem.is_error()).count();
        match (errors, checked.problems.len()) {
            (0, 0) => output::say(&format!("{}: {} steps, no problems.", self.workflow.file.display(), workflow.nodes.len())),
            (0, others) => output::say(&format!("It can run. {others} remarks.")),
            (errors, _) => output::say(&format!("It cannot run: {errors} errors.")),
        }
        end
    }
}
