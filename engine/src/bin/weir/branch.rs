//! `weir branch`: what-if variants of a workflow.

use std::path::PathBuf;

use clap::Args;
use weir_engine::Problem;
use weir_engine::approval::Person;
use weir_engine::history::History;
use weir_engine::project::Project;

use crate::{End, output};

/// List the branches of a workflow, start one, or put the file on another.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  weir branch workflows/commissions.json 20-percent\n  weir branch workflows/commissions.json --switch main"
)]
pub(crate) struct Branch {
    /// The workflow's file
    file: PathBuf,
    /// Start a branch of this name at the newest version
    #[arg(conflicts_with = "switch")]
    name: Option<String>,
    /// Put the file on this branch
    #[arg(long, value_name = "BRANCH")]
    switch: Option<String>,
}

impl Branch {
    pub(crate) fn execute(self) -> End {
        self.branch().unwrap_or_else(|problem| output::problems(&[problem]))
    }

    fn branch(&self) -> Result<End, Problem> {
        let project = Project::of(&self.file)?;
        let history = History::of(&project);
        let person = Person::current(&project);
        if let Some(name) = &self.name {
            let head = history.start_branch(&person, &self.file, name)?;
            output::say(&format!("The file is on the branch {name} now, at version #{}. What you save stays there.", head.commit.number));
        } else if let Some(name) = &self.switch {
            let head = history.switch(&person, &self.file, name)?;
            output::say(&format!("The file is on the branch {name} now, at version #{} ({}).", head.commit.number, head.short()));
        } else {
            let workflow = history.name(&self.file);
            let current = history.branch(&workflow)?;
            for branch in history.branches(&workflow) {
                let head = history.find(&workflow, &branch)?;
                let mark = if branch == current { "→" } else { " " };
                output::say(&format!(" {mark} {branch:<20} #{:<5} {}  {}", head.commit.number, head.short(), head.commit.message));
            }
        }
        Ok(End::Done)
    }
}
