//! `weir schema`: the format of workflow files.

use clap::Args;

use crate::{End, output};

/// Print the JSON schema of workflow files.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir schema > workflow.schema.json")]
pub(crate) struct Schema {}

impl Schema {
    #[expect(clippy::unused_self, reason = "every subcommand has the same shape")]
    pub(crate) fn execute(self) -> End {
        output::json(&weir_engine::workflow::schema())
    }
}
