//! `weir template`: packages of workflows, from a gallery to a customer's files.

mod test;

use clap::{Args, Subcommand};

use crate::End;

/// Install, bind, make, test and publish template packages.
#[derive(Debug, Args)]
pub(crate) struct Template {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a package's tests: sample in, expected figures out.
    Test(test::Test),
}

impl Template {
    pub(crate) fn execute(self) -> End {
        match self.command {
            Command::Test(command) => command.execute(),
        }
    }
}
