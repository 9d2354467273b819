//! `weir history`: the versions of a workflow.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use weir_engine::Problem;
use weir_engine::approval::{approved, proposals, state};
use weir_engine::history::{Difference, History, Origin};
use weir_engine::project::Project;

use crate::{End, output};

/// List the versions of a workflow, the newest first.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir history workflows/commissions.json")]
pub(crate) struct HistoryCommand {
    /// The workflow's file
    file: PathBuf,
    /// How many versions; 0 for all
    #[arg(long, default_value_t = 20, value_name = "N")]
    most: usize,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl HistoryCommand {
    pub(crate) fn execute(self) -> End {
        self.list().unwrap_or_else(|problem| output::problems(&[problem]))
    }

    fn list(&self) -> Result<End, Problem> {
        let project = Project::of(&self.file)?;
        let history = History::of(&project);
        let name = history.name(&self.file);
        let versions = history.log(&name, if self.most == 0 { usize::MAX } else { self.most })?;
        let branch = history.branch(&name)?;
        let approved = approved(&history, &name)?;
        let proposals = proposals(&history, &name)?;
        if self.json {
            return Ok(output::json(&json!({ "workflow": name, "branch": branch, "approved": approved, "versions": versions })));
        }
        if versions.is_empty() {
            output::say(&format!("Nothing was saved yet. Save a version: weir save {name} -m \"why\""));
            return Ok(End::Done);
        }
        output::say(&format!("{name} on {branch}\n"));
        for version in &versions {
            let commit = &version.commit;
            let state = state(&proposals, version);
            let now = approved.as_ref().is_some_and(|approved| approved.decision.commit == version.id);
            let state = if now { "approved ←".to_owned() } else { format!("{state:?}").to_lowercase() };
            let origin = match &commit.origin {
                Origin::Save => String::new(),
                Origin::Rollback { .. } => " (rollback)".into(),
                Origin::Merge { branch } => format!(" (merge of {branch})"),
            };
            let time = commit.time.get(..16).unwrap_or(&commit.time).replace('T', " ");
            output::say(&format!(
                "  #{:<5} {}  {time}  {:<12} {state:<10} {}{origin}",
                commit.number,
                version.short(),
                commit.author,
                commit.message
            ));
        }
        if versions.last().is_some_and(|oldest| oldest.commit.number > 1) {
            output::say(&format!("  … older ones: weir history {name} --most 0"));
        }
        let unsaved = weir_engine::workflow::Workflow::load(&self.file)
            .ok()
            .zip(versions.first())
            .and_then(|(here, head)| Some(Difference::between(&history.workflow(head).ok()?, &here)));
        if unsaved.is_some_and(|difference| !difference.is_empty()) {
            output::say(&format!("\nThe file has changes since: weir diff {name} head"));
        }
        Ok(End::Done)
    }
}
