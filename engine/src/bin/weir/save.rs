//! `weir save`: a new version of a workflow.

use std::path::PathBuf;

use clap::Args;
use weir_engine::Problem;
use weir_engine::approval::Person;
use weir_engine::history::{History, Saving};
use weir_engine::project::Project;
use weir_engine::workflow::Workflow;

use crate::{End, output};

/// Save a workflow as a new version.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir save workflows/commissions.json -m \"15 % above quota, as agreed on 12 September\"")]
pub(crate) struct Save {
    /// The workflow's file
    file: PathBuf,
    /// Why it changed
    #[arg(short, long)]
    message: String,
    /// The version it was made from; nothing is saved when another came in between
    #[arg(long, value_name = "VERSION")]
    base: Option<String>,
}

impl Save {
    pub(crate) fn execute(self) -> End {
        let workflow = match Workflow::load(&self.file) {
            Ok(workflow) => workflow,
            Err(problems) => return output::problems(&problems),
        };
        self.save(&workflow).unwrap_or_else(|problem| output::problems(&[problem]))
    }

    fn save(&self, workflow: &Workflow) -> Result<End, Problem> {
        let project = Project::of(&self.file)?;
        let history = History::of(&project);
        let base = self.base.as_ref().map(|base| history.find(&history.name(&self.file), base)).transpose()?;
        let base = base.as_ref().map(|base| base.id.as_str());
        match history.save(&Person::current(&project), &self.file, workflow, &self.message, base)? {
            Saving::Saved(saved) => output::say(&format!("Saved version #{} ({}).", saved.commit.number, saved.short())),
            Saving::Unchanged(saved) => {
                output::say(&format!("Nothing has changed since version #{} ({}).", saved.commit.number, saved.short()));
            }
        }
        Ok(End::Done)
    }
}
