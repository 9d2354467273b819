//! `weir template`: packages of workflows, from a gallery to a customer's files.

mod bind;
mod install;
mod list;
mod make;
mod review;
mod test;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use weir_engine::Problem;
use weir_engine::package::install::{FOLDER, installed};
use weir_engine::package::is_package;
use weir_engine::package::registry::{Registry, registries};
use weir_engine::project::Project;

use crate::End;

/// Install, bind, make, test and publish template packages.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  weir template install sales-commissions\n  weir template bind deals=crm.csv\n  weir run packages/sales-commissions/workflows/commissions.json"
)]
pub(crate) struct Template {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the packages that can be installed, or those that are.
    List(list::List),
    /// Search packages by words, English or French.
    Search(list::Search),
    /// Describe a package: what it takes, what it gives, by which rules.
    Show(list::Show),
    /// Install a package and what it needs into a project.
    Install(install::Install),
    /// Bring a package to a newer version; what was changed here stays.
    Upgrade(install::Upgrade),
    /// Remove a package.
    Uninstall(install::Uninstall),
    /// Bind your files to the inputs of a package: columns are suggested, the contract is checked.
    Bind(bind::Bind),
    /// Take a binding back: the input reads its example again.
    Unbind(bind::Unbind),
    /// Start a package of your own.
    New(make::New),
    /// Run a package's tests: sample in, expected figures out.
    Test(test::Test),
    /// Certify a package: signature, contracts, controls, tests, digests, rules, documentation.
    Review(review::Review),
    /// Sign a package with your key.
    Sign(make::Sign),
    /// Check the signature of a package.
    Verify(make::Verify),
    /// Pack a package into one file.
    Pack(make::Pack),
    /// Put a signed package into a registry: a folder, or what a static site is made of.
    Publish(make::Publish),
}

impl Template {
    pub(crate) fn execute(self) -> End {
        match self.command {
            Command::List(command) => command.execute(),
            Command::Search(command) => command.execute(),
            Command::Show(command) => command.execute(),
            Command::Install(command) => command.execute(),
            Command::Upgrade(command) => command.execute(),
            Command::Uninstall(command) => command.execute(),
            Command::Bind(command) => command.execute(),
            Command::Unbind(command) => command.execute(),
            Command::New(command) => command.execute(),
            Command::Test(command) => command.execute(),
            Command::Review(command) => command.execute(),
            Command::Sign(command) => command.execute(),
            Command::Verify(command) => command.execute(),
            Command::Pack(command) => command.execute(),
            Command::Publish(command) => command.execute(),
        }
    }
}

/// Where to work and where to look.
#[derive(Debug, Args)]
struct Place {
    /// The project's folder, or any folder inside it
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    project: PathBuf,
    /// Look in this folder or site first; may be given several times
    #[arg(long, value_name = "FOLDER|URL")]
    registry: Vec<String>,
}

impl Place {
    fn registries(&self, project: Option<&Project>) -> Vec<Registry> {
        registries(&self.registry, project)
    }
}

/// The package that is meant: the one named, the one whose folder this is, or the only one of the project.
fn package_folder(project: &Project, named: Option<&str>, here: &std::path::Path) -> Result<PathBuf, Problem> {
    if let Some(id) = named {
        let folder = project.root().join(FOLDER).join(id);
        return if is_package(&folder) {
            Ok(folder)
        } else {
            Err(Problem::error(format!("\"{id}\" is not installed here.")).help(format!("Install it: weir template install {id}.")))
        };
    }
    let here = std::path::absolute(here).unwrap_or_else(|_| here.to_owned());
    if let Some(folder) = here.ancestors().find(|folder| is_package(folder)) {
        return Ok(folder.to_owned());
    }
    let mut all = installed(project)?;
    match all.len() {
        1 => Ok(all.remove(0).folder),
        0 => Err(Problem::error("No package is installed here.").help("Install one: weir template install sales-commissions.")),
        _ => {
            let ids: Vec<String> = all.into_iter().map(|one| one.manifest.id).collect();
            Err(Problem::error("Several packages are installed here.").help(format!("Say which: --package {}.", ids.join(" or "))))
        }
    }
}
