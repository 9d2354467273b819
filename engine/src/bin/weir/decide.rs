//! `weir approve` and `weir reject`: a second person's word.

use std::path::PathBuf;

use clap::Args;
use weir_engine::Problem;
use weir_engine::approval::{Key, Person, decide, passphrase};
use weir_engine::history::History;
use weir_engine::project::Project;

use crate::{End, output};

/// Decide about a proposal, with your key.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir approve workflows/commissions.json -m \"checked against the plan\"")]
pub(crate) struct Decide {
    /// The workflow's file
    file: PathBuf,
    /// The proposal, where several wait: the first digits of its id
    proposal: Option<String>,
    /// Why
    #[arg(short, long)]
    message: String,
}

impl Decide {
    pub(crate) fn execute(self, yes: bool) -> End {
        let done = || -> Result<End, Problem> {
            let project = Project::of(&self.file)?;
            let person = Person::current(&project);
            let key = Key::open(&person.id, &passphrase(false)?)?;
            let history = History::of(&project);
            let proposed = decide(&history, &person, &key, &self.file, self.proposal.as_deref(), yes, &self.message)?;
            let number = history.commit(&proposed.proposal.commit)?.commit.number;
            let word = if yes { "approved" } else { "rejected" };
            output::say(&format!("Version #{number} of {} is {word} by {}: {}", proposed.proposal.workflow, person.id, self.message));
            Ok(End::Done)
        };
        done().unwrap_or_else(|problem| output::problems(&[problem]))
    }
}
