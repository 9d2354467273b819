//! `weir rollback`: an earlier version again.

use std::path::PathBuf;

use clap::Args;
use weir_engine::Problem;
use weir_engine::approval::Person;
use weir_engine::history::History;
use weir_engine::project::Project;

use crate::{End, output};

/// Go back to an earlier version: it is saved as the newest one and written into the file.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir rollback workflows/commissions.json approved -m \"the new rule was wrong\"")]
pub(crate) struct Rollback {
    /// The workflow's file
    file: PathBuf,
    /// The version: the first digits of its id, #12, approved, or a branch
    version: String,
    /// Why
    #[arg(short, long, default_value = "")]
    message: String,
}

impl Rollback {
    pub(crate) fn execute(self) -> End {
        let done = || -> Result<End, Problem> {
            let project = Project::of(&self.file)?;
            let saved = History::of(&project).rollback(&Person::current(&project), &self.file, &self.version, &self.message)?;
            output::say(&format!(
                "{} is version #{} ({}) now: {}",
                saved.commit.workflow,
                saved.commit.number,
                saved.short(),
                saved.commit.message
            ));
            Ok(End::Done)
        };
        done().unwrap_or_else(|problem| output::problems(&[problem]))
    }
}
