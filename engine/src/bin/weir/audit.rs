//! `weir audit`: the chain of what happened.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use weir_engine::audit;
use weir_engine::project::Project;

use crate::{End, output};

/// Look into the audit chain.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir audit verify")]
pub(crate) struct AuditCommand {
    /// The project's folder, or any folder inside it
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    project: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say whether the chain is whole, and where it was cut or altered
    Verify,
}

impl AuditCommand {
    pub(crate) fn execute(self) -> End {
        let project = match Project::around(&self.project) {
            Ok(project) => project,
            Err(problem) => return output::problems(&[problem]),
        };
        let Action::Verify = self.action;
        match audit::verify(&project.audit()) {
            Ok(verified) => {
                output::say(&format!("The chain is whole: {} entries.", output::count(verified.entries)));
                End::Done
            }
            Err(broken) => {
                output::note(&broken.to_string());
                End::Blocked
            }
        }
    }
}
