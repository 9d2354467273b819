//! `weir propose`: a version that somebody else should approve.

use std::path::PathBuf;

use clap::Args;
use weir_engine::Problem;
use weir_engine::approval::{Key, Person, Proposed, passphrase, propose};
use weir_engine::history::History;
use weir_engine::project::Project;

use crate::{End, LimitArgs, block_on, diff, name_value, output};

/// Propose the newest version for approval: it is run on real data, without loading anything, and signed.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir propose workflows/commissions.json -m \"plan of the fourth quarter\"")]
pub(crate) struct Propose {
    /// The workflow's file
    file: PathBuf,
    /// Why
    #[arg(short, long)]
    message: String,
    /// Set a parameter of the workflow; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    limits: LimitArgs,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Propose {
    pub(crate) fn execute(self) -> End {
        let done = || -> Result<End, Problem> {
            let project = Project::of(&self.file)?;
            let person = Person::current(&project);
            let key = Key::open(&person.id, &passphrase(false)?)?;
            let limits = self.limits.limits();
            let history = History::of(&project);
            let proposed = block_on(limits.threads, propose(&history, &person, &key, &self.file, &self.message, &self.set, &limits))?;
            if self.json {
                return Ok(output::json(&proposed));
            }
            print(&proposed);
            let workflow = &proposed.proposal.workflow;
            output::say(&format!("\nA second person decides: weir approve {workflow} -m \"why\", or weir reject."));
            Ok(End::Done)
        };
        done().unwrap_or_else(|problem| output::problems(&[problem]))
    }
}

/// Prints a proposal with what it does.
pub(crate) fn print(proposed: &Proposed) {
    let proposal = &proposed.proposal;
    output::say(&format!(
        "Proposal {} of {} by {}: {}",
        proposed.id.get(..10).unwrap_or_default(),
        proposal.workflow,
        proposal.by,
        proposal.reason
    ));
    for verdict in &proposal.dry_run.verdicts {
        output::say(&format!("  {} {}: {}", if verdict.holds { "✓" } else { "!" }, verdict.node, verdict.title));
    }
    for out in &proposal.dry_run.outputs {
        output::say(&format!("  {}  {} rows", out.target, output::count(out.rows)));
        for total in proposal.dry_run.totals.iter().filter(|total| total.target == out.target) {
            output::say(&format!("      {}: {}", total.column, total.total));
        }
    }
    if let Some(effect) = &proposal.dry_run.effect {
        output::say("\nAgainst the approved version:");
        diff::print_effect(effect);
    }
}
