//! `weir merge`: a variant becomes part of the workflow.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use weir_engine::Problem;
use weir_engine::approval::Person;
use weir_engine::history::{History, Side};
use weir_engine::project::Project;

use crate::{End, output};

/// Merge a branch into the one the file is on: step by step, setting by setting.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir merge workflows/commissions.json 20-percent")]
pub(crate) struct Merge {
    /// The workflow's file
    file: PathBuf,
    /// The branch
    branch: String,
    /// Whose setting counts where both changed it; without this, conflicts are shown and nothing changes
    #[arg(long, value_enum, value_name = "SIDE")]
    prefer: Option<Prefer>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Prefer {
    /// That of the branch the file is on
    Ours,
    /// That of the branch that is merged
    Theirs,
}

impl Merge {
    pub(crate) fn execute(self) -> End {
        self.merge().unwrap_or_else(|problem| output::problems(&[problem]))
    }

    fn merge(&self) -> Result<End, Problem> {
        let project = Project::of(&self.file)?;
        let side = self.prefer.map(|prefer| match prefer {
            Prefer::Ours => Side::Ours,
            Prefer::Theirs => Side::Theirs,
        });
        match History::of(&project).merge(&Person::current(&project), &self.file, &self.branch, side)? {
            Ok(saved) => {
                output::say(&format!("Merged {} as version #{} ({}).", self.branch, saved.commit.number, saved.short()));
                Ok(End::Done)
            }
            Err(conflicts) => {
                output::note("Both branches changed the same settings; nothing was merged:");
                for conflict in &conflicts {
                    output::note(&format!("  {conflict}"));
                }
                output::note("  → Choose with --prefer ours or --prefer theirs, or make both the same and save.");
                Ok(End::Blocked)
            }
        }
    }
}
