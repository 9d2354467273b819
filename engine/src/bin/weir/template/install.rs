//! `weir template install`, `upgrade` and `uninstall`.

use clap::{Args, ValueEnum};
use weir_engine::Problem;
use weir_engine::check::check;
use weir_engine::history::Side;
use weir_engine::package::install::{Installed, Trust, Wanted, install, project_in, uninstall, upgrade};
use weir_engine::package::{Files, inputs};
use weir_engine::project::Project;
use weir_engine::workflow::Workflow;

use super::Place;
use crate::{End, output};

#[derive(Debug, Args)]
struct TrustArgs {
    /// Take a package that nobody signed
    #[arg(long)]
    unsigned: bool,
    /// Take this key of the publisher, whatever key they had before
    #[arg(long, value_name = "KEY")]
    trust: Option<String>,
}

impl TrustArgs {
    fn trust(&self) -> Trust {
        Trust { unsigned: self.unsigned, key: self.trust.clone() }
    }
}

/// Install a package and what it needs into a project.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir template install sales-commissions@1\n  weir template install ./my-package-1.0.0.weirpkg")]
pub(crate) struct Install {
    /// The package's name, with a range of versions behind `@` if need be; or a folder or packed file
    package: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Bring a package to a newer version; what was changed here stays.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir template upgrade sales-commissions")]
pub(crate) struct Upgrade {
    /// The package's name, with a range of versions behind `@` if need be; or a folder or packed file
    package: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    trust: TrustArgs,
    /// Whose change counts where both changed the same; without this, conflicts are shown and nothing changes
    #[arg(long, value_enum, value_name = "SIDE")]
    prefer: Option<Prefer>,
}

/// Remove a package. Files that were changed here and bindings stay.
#[derive(Debug, Args)]
pub(crate) struct Uninstall {
    /// The package's name
    package: String,
    #[command(flatten)]
    place: Place,
    /// Remove everything, also what was changed here and what was bound
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Prefer {
    /// What was changed here
    Ours,
    /// What the new version says
    Theirs,
}

impl Install {
    pub(crate) fn execute(self) -> End {
        self.install().unwrap_or_else(|problem| output::problems(&[problem]))
    }

    fn install(&self) -> Result<End, Problem> {
        let wanted = Wanted::of(&self.package)?;
        let before = Project::around(&self.place.project)?;
        let fresh = !before.root().join(weir_engine::project::FILE).is_file();
        let project = project_in(&self.place.project)?;
        let placed = match install(&project, &self.place.registries(Some(&project)), &wanted, &self.trust.trust()) {
            Ok(placed) => placed,
            Err(problem) => {
                // A refused package leaves no project behind that it would have started.
                if fresh {
                    let _ = std::fs::remove_file(project.root().join(weir_engine::project::FILE));
                    let _ = std::fs::remove_dir_all(project.state());
                }
                output::problems(&[problem]);
                output::note("Nothing was installed.");
                return Ok(End::Wrong);
            }
        };
        for one in &placed {
            let key = one.key.as_ref().map_or_else(
                || "not signed".to_owned(),
                |key| format!("signed by {} ({})", one.manifest.publisher, &key[..16.min(key.len())]),
            );
            output::say(&format!("Installed {} in {}, {key}.", one.manifest.shown(), project.shown(&one.folder)));
        }
        if let Some(last) = placed.last() {
            next(&project, last)?;
        }
        Ok(End::Done)
    }
}

/// What to do with a package that was just installed.
fn next(project: &Project, one: &Installed) -> Result<(), Problem> {
    let main = one.folder.join(&one.manifest.main);
    let housed = project.clone().housing(&main);
    if let Ok(workflow) = Workflow::load(&main) {
        let checked = check(&workflow, &housed, &[]);
        checked.problems.iter().filter(|problem| problem.is_error()).for_each(output::problem_lines);
    }
    let names: Vec<String> = inputs(&Files::of_folder(&one.folder)?)?.map_or_else(Vec::new, |inputs| inputs.inputs.into_keys().collect());
    if !names.is_empty() {
        let first = names.first().map_or("", String::as_str);
        output::say(&format!(
            "It reads its own samples until you bind your files ({}):\n  weir template bind {first}=FILE",
            names.join(", ")
        ));
    }
    output::say(&format!("Run it with:\n  weir run {}", project.shown(&main)));
    Ok(())
}

impl Upgrade {
    pub(crate) fn execute(self) -> End {
        self.upgrade().unwrap_or_else(|problem| output::problems(&[problem]))
    }

    fn upgrade(&self) -> Result<End, Problem> {
        let project = Project::around(&self.place.project)?;
        let side = self.prefer.map(|prefer| match prefer {
            Prefer::Ours => Side::Ours,
            Prefer::Theirs => Side::Theirs,
        });
        let wanted = Wanted::of(&self.package)?;
        match upgrade(&project, &self.place.registries(Some(&project)), &wanted, &self.trust.trust(), side)? {
            Ok(done) => {
                output::say(&format!("From {} to {}.", done.from, done.to));
                if !done.merged.is_empty() {
                    output::say(&format!("Has the changes of both: {}", done.merged.join(", ")));
                }
                if !done.kept.is_empty() {
                    output::say(&format!("Stays as it was changed here: {}", done.kept.join(", ")));
                }
                Ok(End::Done)
            }
            Err(conflicts) => {
                output::note("Both changed the same; nothing was upgraded:");
                conflicts.iter().for_each(|conflict| output::note(&format!("  {conflict}")));
                output::note("  → Choose with --prefer ours or --prefer theirs.");
                Ok(End::Blocked)
            }
        }
    }
}

impl Uninstall {
    pub(crate) fn execute(self) -> End {
        match Project::around(&self.place.project).and_then(|project| uninstall(&project, &self.package, self.all)) {
            Ok(stay) => {
                output::say(&format!("Removed {}.", self.package));
                if !stay.is_empty() {
                    output::say(&format!("What is yours stays: {}", stay.join(", ")));
                }
                End::Done
            }
            Err(problem) => output::problems(&[problem]),
        }
    }
}
