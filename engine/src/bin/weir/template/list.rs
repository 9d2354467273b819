//! `weir template list`, `search` and `show`.

use clap::Args;
use semver::VersionReq;
use serde_json::json;
use weir_engine::Problem;
use weir_engine::package::install::{installed, newer};
use weir_engine::package::registry::{Found, find, search};
use weir_engine::package::{Files, Manifest, inputs, seal};
use weir_engine::project::Project;

use super::Place;
use crate::{End, output};

/// List the packages that can be installed, or those that are.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
    /// List what is installed here, with local changes and newer versions
    #[arg(long)]
    installed: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Search packages by words, English or French.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The words
    words: Vec<String>,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Describe a package: what it takes, what it gives, by which rules.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The package's name, folder or packed file
    package: String,
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn listed(place: &Place, question: &str, as_json: bool) -> End {
    let project = Project::around(&place.project).ok();
    let french = project.as_ref().is_some_and(|project| project.config().locale == "fr");
    let (found, problems) = search(&place.registries(project.as_ref()), question);
    if as_json {
        let entries: Vec<_> =
            found.iter().map(|Found { entry, registry }| json!({ "package": entry, "registry": registry.to_string() })).collect();
        return output::json(&entries);
    }
    if found.is_empty() {
        output::say("Nothing fits.");
    }
    for Found { entry, registry } in &found {
        let kind = format!("{:?}", entry.kind).to_lowercase();
        output::say(&format!("{} {} · {} · {kind} · {} · {registry}", entry.id, entry.version, entry.name.of(french), entry.publisher));
        output::say(&format!("    {}", entry.summary.of(french)));
    }
    if problems.is_empty() { End::Done } else { output::problems(&problems) }
}

impl List {
    pub(crate) fn execute(self) -> End {
        if !self.installed {
            return listed(&self.place, "", self.json);
        }
        let all =
            Project::around(&self.place.project).and_then(|project| Ok((installed(&project)?, self.place.registries(Some(&project)))));
        let (all, registries) = match all {
            Ok(found) => found,
            Err(problem) => return output::problems(&[problem]),
        };
        let news: Vec<Option<String>> =
            all.iter().map(|one| newer(&registries, one).map(|found| found.entry.version.to_string())).collect();
        if self.json {
            let rows = all.iter().zip(&news).map(|(one, newer)| json!({ "id": one.manifest.id, "version": one.manifest.version, "changed": one.changed, "key": one.key, "newer": newer }));
            return output::json(&rows.collect::<Vec<_>>());
        }
        if all.is_empty() {
            output::say("No package is installed here.");
        }
        for (one, newer) in all.iter().zip(&news) {
            let newer = newer.as_ref().map_or_else(String::new, |version| format!(" · {version} is out"));
            let changed = if one.changed.is_empty() { String::new() } else { format!(" · changed here: {}", one.changed.join(", ")) };
            output::say(&format!("{}{newer}{changed}", one.manifest.shown()));
        }
        End::Done
    }
}

impl Search {
    pub(crate) fn execute(self) -> End {
        listed(&self.place, &self.words.join(" "), self.json)
    }
}

impl Show {
    pub(crate) fn execute(self) -> End {
        self.show().unwrap_or_else(|problem| output::problems(&[problem]))
    }

    fn files(&self, project: Option<&Project>) -> Result<Files, Problem> {
        let path = std::path::Path::new(&self.package);
        if path.exists() {
            return Files::open(path);
        }
        let found = find(&self.place.registries(project), &self.package, &VersionReq::STAR)?;
        found.registry.fetch(&found.entry)
    }

    fn show(&self) -> Result<End, Problem> {
        let project = Project::around(&self.place.project).ok();
        let french = project.as_ref().is_some_and(|project| project.config().locale == "fr");
        let files = self.files(project.as_ref())?;
        let manifest = Manifest::of(&files)?;
        let contracts = inputs(&files)?;
        if self.json {
            return Ok(output::json(&json!({ "package": manifest, "inputs": contracts })));
        }
        let kind = format!("{:?}", manifest.kind).to_lowercase();
        output::say(&format!(
            "{} · {} · {kind} · {} · {}",
            manifest.shown(),
            manifest.name.of(french),
            manifest.publisher,
            manifest.licence
        ));
        output::say(manifest.summary.of(french));
        output::say(&match seal::verify(&files) {
            Ok(seal) => format!("Signed by {} with {}.", seal.publisher, seal.key),
            Err(problem) => problem.to_string(),
        });
        for (need, range) in &manifest.needs {
            output::say(&format!("Needs {need} {range}."));
        }
        output::say("\nWorkflows");
        for (path, words) in &manifest.workflows {
            output::say(&format!("  {path}: {}", words.of(french)));
        }
        for (name, contract) in contracts.iter().flat_map(|contracts| &contracts.inputs) {
            output::say(&format!("\nInput {name}: {}. {}", contract.title.of(french), contract.about.of(french)));
            for column in &contract.columns {
                let optional = if column.optional { ", may be missing" } else { "" };
                output::say(&format!("  {} ({}{optional}): {}", column.name, column.column_type, column.about.of(french)));
            }
            for rule in &contract.rules {
                output::say(&format!("  rule {}: {} ({})", rule.formula.0, rule.message.of(french), rule.source));
            }
        }
        output::say("\nWhat it gives");
        for (target, words) in &manifest.gives {
            output::say(&format!("  {target}: {}", words.of(french)));
            for figure in manifest.figures.iter().filter(|figure| figure.output == *target) {
                let owner = if figure.owner.is_empty() { String::new() } else { format!(" · {}", figure.owner) };
                output::say(&format!("    {}: {} ({}{owner})", figure.columns.join(", "), figure.rule.of(french), figure.source));
            }
        }
        Ok(End::Done)
    }
}
