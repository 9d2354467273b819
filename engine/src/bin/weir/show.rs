//! `weir show`: one version of a workflow.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use weir_engine::Problem;
use weir_engine::approval::{proposals, state};
use weir_engine::history::History;
use weir_engine::project::Project;

use crate::{End, diff, output};

/// Show a version: who, when, why, and what it changed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  weir show 3f9a2c1b\n  weir show 3f9a2c1b --workflow > old.json")]
pub(crate) struct Show {
    /// The first digits of the version's id, as `weir history` prints them
    version: String,
    /// The project's folder, or any folder inside it
    #[arg(long, default_value = ".", value_name = "DIR")]
    project: PathBuf,
    /// Print the workflow as it was saved
    #[arg(long)]
    workflow: bool,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(crate) fn execute(self) -> End {
        self.show().unwrap_or_else(|problem| output::problems(&[problem]))
    }

    fn show(&self) -> Result<End, Problem> {
        let project = Project::around(&self.project)?;
        let history = History::of(&project);
        let version = history.by_prefix(&self.version, None)?;
        if self.workflow {
            output::say(history.workflow(&version)?.to_canonical_json()?.trim_end());
            return Ok(End::Done);
        }
        let commit = &version.commit;
        let state = state(&proposals(&history, &commit.workflow)?, &version);
        let before = commit.parents.first().map(|parent| history.commit(parent)).transpose()?;
        let difference = before.as_ref().map(|before| history.difference(before, &version)).transpose()?;
        if self.json {
            return Ok(output::json(&json!({ "version": version, "difference": difference, "state": state })));
        }
        output::say(&format!("{} #{} ({})", commit.workflow, commit.number, version.id));
        output::say(&format!("  by       {}\n  at       {}\n  because  {}", commit.author, commit.time, commit.message));
        output::say(&format!("  state    {}\n  meaning  {}", format!("{state:?}").to_lowercase(), commit.version));
        match difference {
            Some(difference) => diff::print(&difference),
            None => output::say("\nThe first version."),
        }
        Ok(End::Done)
    }
}
