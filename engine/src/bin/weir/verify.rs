//! `weir verify`: a past run, computed again.

use std::path::PathBuf;

use clap::Args;
use weir_engine::Problem;
use weir_engine::project::Project;
use weir_engine::run::reproduce;

use crate::{End, LimitArgs, block_on, output};

/// Compute a past run again, from its version and its recorded inputs, and compare the digests.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir verify 20260930T1812\n\nExit codes: 0 the same · 1 not the same · 2 it cannot be computed again")]
pub(crate) struct Verify {
    /// The run's id, or how it begins
    run: String,
    /// The project's folder, or any folder inside it
    #[arg(long, default_value = ".", value_name = "DIR")]
    project: PathBuf,
    #[command(flatten)]
    limits: LimitArgs,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(crate) fn execute(self) -> End {
        let done = || -> Result<End, Problem> {
            let project = Project::around(&self.project)?;
            let limits = self.limits.limits();
            let found = block_on(limits.threads, reproduce(&project, &self.run, &limits))?;
            let same = found.outputs.iter().all(weir_engine::run::Reproduced::same);
            if self.json {
                output::json(&found);
            } else {
                output::say(&format!("Run {}", found.run));
                for out in &found.outputs {
                    let sign = if out.same() { "✓" } else { "✕" };
                    let now = out.now.as_deref().unwrap_or("no longer an output");
                    output::say(&format!("  {sign} {}\n      then {}\n      now  {now}", out.target, out.then));
                }
            }
            Ok(if same { End::Done } else { End::Blocked })
        };
        done().unwrap_or_else(|problem| output::problems(&[problem]))
    }
}
