//! `weir preview`: the rows that leave a step.

use clap::Args;
use serde_json::json;
use weir_engine::check::check;
use weir_engine::preview::preview;
use weir_engine::project::Project;
use weir_engine::run::recover;
use weir_engine::workflow::Workflow;

use crate::{End, LimitArgs, WorkflowArgs, block_on, output};

/// Show the first rows that leave a step: exact, in order.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  weir preview workflows/commissions.json won --rows 5\n  weir preview workflows/commissions.json plans.unmapped --csv > unmapped.csv"
)]
pub(crate) struct Preview {
    #[command(flatten)]
    workflow: WorkflowArgs,
    /// The step, and its output port when it has several: NODE or NODE.PORT
    #[arg(value_name = "NODE[.PORT]")]
    step: String,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 20)]
    rows: usize,
    /// Print the rows as CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Print the rows as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Preview {
    pub(crate) fn execute(self) -> End {
        let project = match Project::of(&self.workflow.file) {
            Ok(project) => project,
            Err(problem) => return output::problems(&[problem]),
        };
        let workflow = match Workflow::load(&self.workflow.file) {
            Ok(workflow) => workflow,
            Err(problems) => return output::problems(&problems),
        };
        let limits = self.limits.limits();
        if let Err(problem) = block_on(1, recover(&project)) {
            return output::problems(&[problem]);
        }
        let checked = check(&workflow, &project, &self.workflow.set);
        // A step can be shown while another one has problems; only its own ancestors must be sound.
        let page = match block_on(limits.threads, preview(&checked, &self.step, self.rows, &limits)) {
            Ok(page) => page,
            Err(problem) => {
                output::problems(&checked.problems);
                return output::problems(&[problem]);
            }
        };
        if self.csv {
            return match output::csv(&page.rows) {
                Ok(text) => {
                    output::say(text.trim_end_matches('\n'));
                    End::Done
                }
                Err(problem) => output::problems(&[problem]),
            };
        }
        if self.json {
            return output::json(&json!({
                "node": page.node,
                "port": page.port,
                "complete": page.complete,
                "rows": output::json_rows(&page.rows),
            }));
        }
        output::say(&output::table(&page.rows).to_string());
        let rows = page.rows.num_rows();
        let extent = if page.complete { format!("{rows} rows, all of them") } else { format!("the first {rows} rows") };
        output::say(&format!("{}.{}: exact, {extent}", page.node, page.port));
        End::Done
    }
}
