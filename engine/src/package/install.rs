//! Packages in a project: installed, upgraded, removed. Everything is looked at before anything is placed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use semver::VersionReq;
use serde_json::json;
use weir_nodes::{Problem, registry as kinds};

use super::merge::merge;
use super::registry::{Found, Registry, find};
use super::seal::{SEAL, verify};
use super::{Files, Manifest, files::ENDING};
use crate::approval::{Act, Person, allow};
use crate::audit::{Audit, Event};
use crate::history::Side;
use crate::project::{self, Config, Project};
use crate::workflow::Workflow;

/// The folder of a project's packages.
pub const FOLDER: &str = "packages";

/// How carefully a package is taken.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Take a package that nobody signed.
    pub unsigned: bool,
    /// Take this key, whatever key the publisher had before.
    pub key: Option<String>,
}

/// A package in a project.
#[derive(Debug, Clone)]
pub struct Installed {
    /// What it says of itself, as it is now.
    pub manifest: Manifest,
    /// Its folder.
    pub folder: PathBuf,
    /// The files that differ from what was installed.
    pub changed: Vec<String>,
    /// The key it was signed with.
    pub key: Option<String>,
}

/// The folder of a package in a project.
pub fn folder(project: &Project, id: &str) -> PathBuf {
    project.root().join(FOLDER).join(id)
}

/// The package as it came.
fn record(project: &Project, id: &str) -> PathBuf {
    project.state().join(FOLDER).join(format!("{id}.{ENDING}"))
}

fn trouble(path: &Path) -> impl Fn(std::io::Error) -> Problem {
    move |error| {
        let problem = Problem::error(format!("The package cannot be placed: {error}.")).in_file(path.display().to_string(), None);
        problem.help("Check the disk's space and the folder's permissions.")
    }
}

/// The packages of a project.
pub fn installed(project: &Project) -> Result<Vec<Installed>, Problem> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(project.root().join(FOLDER)).into_iter().flatten().flatten() {
        let folder = entry.path();
        if super::is_package(&folder) {
            all.push(one(project, &folder)?);
        }
    }
    all.sort_by(|a, b| a.manifest.id.cmp(&b.manifest.id));
    Ok(all)
}

fn one(project: &Project, folder: &Path) -> Result<Installed, Problem> {
    let now = Files::of_folder(folder)?;
    let manifest = Manifest::of(&now)?;
    let came = came(project, &manifest.id)?.unwrap_or_default();
    let paths: BTreeSet<&String> = now.0.keys().chain(came.0.keys()).collect();
    let changed = paths.into_iter().filter(|path| now.0.get(*path) != came.0.get(*path)).cloned().collect();
    let key = verify(&came).ok().map(|seal| seal.key);
    Ok(Installed { manifest, folder: folder.to_owned(), changed, key })
}

/// A package of a project as it came; none when that is not known.
fn came(project: &Project, id: &str) -> Result<Option<Files>, Problem> {
    let record = record(project, id);
    if !record.is_file() {
        return Ok(None);
    }
    Files::open(&record).map(Some)
}

/// Everything that can be said against a package before it is placed: its signature, its workflows, its paths.
fn acceptable(project: &Project, files: &Files, trust: &Trust) -> Result<(Manifest, Option<String>), Problem> {
    let manifest = Manifest::of(files)?;
    let named = |problem: Problem| Problem { message: format!("{}: {}", manifest.shown(), problem.message), ..problem };
    let key = match verify(files) {
        Ok(seal) => Some(seal.key),
        Err(_) if trust.unsigned && !files.0.contains_key(SEAL) => None,
        Err(problem) => return Err(named(problem)),
    };
    if let Some(key) = &key
        && trust.key.as_ref() != Some(key)
    {
        let listed = project.config().publishers.get(&manifest.publisher);
        let before = match came(project, &manifest.id)? {
            Some(came) => verify(&came).ok().map(|seal| seal.key),
            None => None,
        };
        if let Some(other) = listed.or(before.as_ref()).filter(|known| *known != key) {
            let what = format!("It is signed with the key {key}, but the key of \"{}\" that is known here is {other}.", manifest.publisher);
            return Err(named(Problem::error(what).help(format!("Ask the publisher. If the new key is theirs: --trust {key}."))));
        }
    }
    for path in manifest.workflows.keys().chain([&manifest.main]) {
        if !files.0.contains_key(path) {
            return Err(named(
                Problem::error(format!("It names a workflow \"{path}\" that it does not have.")).in_file(super::MANIFEST, None),
            ));
        }
    }
    for path in files.0.keys().filter(|path| path.starts_with("workflows/")) {
        let Some(text) = files.text(path)? else { continue };
        let workflow = Workflow::parse(text, path).map_err(|mut problems| named(problems.swap_remove(0)))?;
        if let Some((id, node)) = workflow.nodes.iter().find(|(_, node)| kinds::find(&node.kind).is_none()) {
            let what = format!("\"{}\" is not a kind of step this Weir knows.", node.kind);
            return Err(named(Problem::error(what).at_node(id).in_file(path, None).help("Update Weir.")));
        }
    }
    super::inputs(files).map_err(named)?;
    Ok((manifest, key))
}

/// A project in a folder, made where there is none.
pub fn project_in(folder: &Path) -> Result<Project, Problem> {
    let project = Project::around(folder)?;
    if project.root().join(project::FILE).is_file() {
        return Ok(project);
    }
    let name = project.root().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = toml::to_string(&Config { name, ..Config::default() }).unwrap_or_default();
    let file = project.root().join(project::FILE);
    std::fs::create_dir_all(project.root()).and_then(|()| std::fs::write(&file, text)).map_err(trouble(&file))?;
    Project::around(folder)
}

/// A package that is to be placed.
#[derive(Debug)]
struct Chosen {
    manifest: Manifest,
    files: Files,
    key: Option<String>,
    from: String,
}

/// A package and what it needs, in the order they are placed.
fn resolve(
    project: &Project,
    registries: &[Registry],
    id: &str,
    range: &VersionReq,
    trust: &Trust,
    above: &mut Vec<String>,
    chosen: &mut Vec<Chosen>,
) -> Result<(), Problem> {
    let found = find(registries, id, range)?;
    let files = found.registry.fetch(&found.entry)?;
    taken(project, registries, files, &found.registry.to_string(), trust, above, chosen)
}

fn taken(
    project: &Project,
    registries: &[Registry],
    files: Files,
    from: &str,
    trust: &Trust,
    above: &mut Vec<String>,
    chosen: &mut Vec<Chosen>,
) -> Result<(), Problem> {
    let (manifest, key) = acceptable(project, &files, trust)?;
    above.push(manifest.id.clone());
    for (need, range) in &manifest.needs {
        if above.contains(need) {
            let circle = above.iter().chain([need]).cloned().collect::<Vec<_>>().join(" → ");
            return Err(Problem::error(format!("The packages need each other in a circle: {circle}."))
                .help("Ask their publishers to take one out."));
        }
        let missing = |problem: Problem| {
            let what = format!("{} needs {need} {range}: {}", manifest.shown(), problem.message);
            Problem { message: what, ..problem }
        };
        if let Some(other) = chosen.iter().find(|other| other.manifest.id == *need) {
            if !range.matches(&other.manifest.version) {
                let what = format!("{} needs {need} {range}, another package needs {}.", manifest.shown(), other.manifest.version);
                return Err(Problem::error(what).help("Choose versions that go together."));
            }
            continue;
        }
        let here = folder(project, need);
        if super::is_package(&here) {
            let there = Manifest::of(&Files::of_folder(&here)?)?;
            if range.matches(&there.version) {
                continue;
            }
            let what = format!("{} needs {need} {range}; {} is installed.", manifest.shown(), there.version);
            return Err(Problem::error(what).help(format!("Upgrade it first: weir template upgrade {need}.")));
        }
        resolve(project, registries, need, range, trust, above, chosen).map_err(missing)?;
    }
    above.pop();
    chosen.push(Chosen { manifest, files, key, from: from.to_owned() });
    Ok(())
}

/// Where a package is taken from.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// The newest version in a range, of a registry.
    Named(String, VersionReq),
    /// A packed file or a folder.
    At(PathBuf),
}

impl Wanted {
    /// This very version.
    pub fn exact(manifest: &Manifest) -> Self {
        let version = &manifest.version;
        let comparator = semver::Comparator {
            op: semver::Op::Exact,
            major: version.major,
            minor: Some(version.minor),
            patch: Some(version.patch),
            pre: version.pre.clone(),
        };
        Self::Named(manifest.id.clone(), VersionReq { comparators: vec![comparator] })
    }

    /// `sales-commissions`, `sales-commissions@1.2`, or the path of a folder or packed file.
    pub fn of(text: &str) -> Result<Self, Problem> {
        let (id, range) = text.split_once('@').unwrap_or((text, "*"));
        if super::is_id(id) && (text.contains('@') || !Path::new(text).exists()) {
            let range = VersionReq::parse(range).map_err(|error| {
                Problem::error(format!("\"{range}\" is no range of versions: {error}.")).help("Write 1.2.0, ^1.2 or >=1, <3.")
            })?;
            return Ok(Self::Named(id.to_owned(), range));
        }
        Ok(Self::At(text.into()))
    }

    fn choose(&self, project: &Project, registries: &[Registry], trust: &Trust) -> Result<Vec<Chosen>, Problem> {
        let (mut above, mut chosen) = (vec![], vec![]);
        match self {
            Self::Named(id, range) => resolve(project, registries, id, range, trust, &mut above, &mut chosen)?,
            Self::At(path) => {
                if !path.exists() {
                    let problem = Problem::error("There is no such package.").in_file(path.display().to_string(), None);
                    return Err(problem.help("Check the path; `weir template list` shows what can be installed by name."));
                }
                let files = Files::open(path)?;
                taken(project, registries, files, &path.display().to_string(), trust, &mut above, &mut chosen)?;
            }
        }
        Ok(chosen)
    }
}

/// Installs a package and what it needs. Nothing is placed unless everything can be.
pub fn install(project: &Project, registries: &[Registry], wanted: &Wanted, trust: &Trust) -> Result<Vec<Installed>, Problem> {
    let person = Person::current(project);
    allow(project, &person, Act::Install)?;
    let chosen = wanted.choose(project, registries, trust)?;
    let _lock = project.lock().map_err(trouble(&project.state()))?;
    for package in &chosen {
        let folder = folder(project, &package.manifest.id);
        if folder.exists() {
            let there = Files::of_folder(&folder)
                .and_then(|files| Manifest::of(&files))
                .map_or_else(|_| "something else".to_owned(), |m| m.shown());
            let problem = Problem::error(format!("There is {there} in {} already.", project.shown(&folder)));
            return Err(problem.help(format!("Upgrade it with: weir template upgrade {}.", package.manifest.id)));
        }
    }
    // All are written out before the first becomes visible.
    let scratch = project.scratch()?;
    for package in &chosen {
        package.files.write(&scratch.path().join(&package.manifest.id))?;
    }
    let mut placed = Vec::new();
    let mut before = Vec::new();
    for package in &chosen {
        let id = &package.manifest.id;
        before.push((id, std::fs::read(record(project, id)).ok()));
        match place(project, package, scratch.path()) {
            Ok(installed) => placed.push(installed),
            Err(problem) => {
                // All of them or none; a record may have outlived its folder.
                for (id, record_before) in before {
                    let record = record(project, id);
                    let _ = std::fs::remove_dir_all(folder(project, id));
                    let _ = record_before.map_or_else(|| std::fs::remove_file(&record), |bytes| std::fs::write(&record, bytes));
                }
                return Err(problem);
            }
        }
    }
    for package in &chosen {
        note(project, &person, Event::Install, package)?;
    }
    Ok(placed)
}

/// Places a package that was written out beside the project's own files.
fn place(project: &Project, package: &Chosen, written: &Path) -> Result<Installed, Problem> {
    let id = &package.manifest.id;
    let folder = folder(project, id);
    write_record(&record(project, id), &package.files)?;
    let parent = folder.parent().unwrap_or(&folder);
    std::fs::create_dir_all(parent).and_then(|()| std::fs::rename(written.join(id), &folder)).map_err(trouble(&folder))?;
    one(project, &folder)
}

fn note(project: &Project, person: &Person, event: Event, package: &Chosen) -> Result<(), Problem> {
    let detail =
        json!({ "version": package.manifest.version, "publisher": package.manifest.publisher, "key": package.key, "from": package.from });
    Audit::open(&project.audit()).append(event, &person.id, &package.manifest.id, detail)?;
    Ok(())
}

fn write_record(record: &Path, files: &Files) -> Result<(), Problem> {
    let near = record.with_extension("new");
    let bytes = files.pack()?;
    let written = std::fs::create_dir_all(record.parent().unwrap_or(record))
        .and_then(|()| std::fs::write(&near, bytes))
        .and_then(|()| std::fs::rename(&near, record));
    written.map_err(trouble(record))
}

/// What an upgrade did.
#[derive(Debug, Clone)]
pub struct Upgraded {
    /// The version before.
    pub from: String,
    /// The version now.
    pub to: String,
    /// Files that have the changes of both.
    pub merged: Vec<String>,
    /// Files that were changed here and stay as they are.
    pub kept: Vec<String>,
}

/// An upgrade, or what both sides changed, in words.
pub type Upgrade = Result<Upgraded, Vec<String>>;

/// Brings a package to another version. What was changed here stays; what both changed is said, and then nothing
/// changes unless a side is preferred.
pub fn upgrade(project: &Project, registries: &[Registry], wanted: &Wanted, trust: &Trust, side: Option<Side>) -> Result<Upgrade, Problem> {
    let person = Person::current(project);
    allow(project, &person, Act::Install)?;
    let mut chosen = wanted.choose(project, registries, trust)?;
    let Some(package) = chosen.pop() else { return Err(Problem::error("There is nothing to upgrade to.")) };
    let _lock = project.lock().map_err(trouble(&project.state()))?;
    let id = &package.manifest.id;
    let folder = folder(project, id);
    if !super::is_package(&folder) {
        return Err(Problem::error(format!("\"{id}\" is not installed here.")).help(format!("Install it: weir template install {id}.")));
    }
    for other in installed(project)?.iter().filter(|other| other.manifest.id != *id) {
        if let Some(range) = other.manifest.needs.get(id).filter(|range| !range.matches(&package.manifest.version)) {
            let what = format!("{} needs {id} {range}, and would not work with {}.", other.manifest.shown(), package.manifest.version);
            return Err(Problem::error(what).help(format!("Upgrade it first: weir template upgrade {}.", other.manifest.id)));
        }
    }
    let ours = Files::of_folder(&folder)?;
    let before = came(project, id)?.ok_or_else(|| {
        let problem = Problem::error(format!("It is not known how \"{id}\" was when it was installed."));
        problem.in_file(project.shown(&record(project, id)), None).help("Restore that file from a backup, or uninstall and install again.")
    })?;
    let from = Manifest::of(&before)?.version.to_string();
    let (mut result, mut conflicts) = (BTreeMap::new(), Vec::new());
    let mut upgraded = Upgraded { from, to: package.manifest.version.to_string(), merged: vec![], kept: vec![] };
    let paths: BTreeSet<&String> = before.0.keys().chain(ours.0.keys()).chain(package.files.0.keys()).collect();
    for path in paths {
        let (was, here, there) = (before.0.get(path), ours.0.get(path), package.files.0.get(path));
        let chosen = match (was, here, there) {
            _ if path == SEAL || here == there || was == here => there.cloned(),
            _ if was == there => {
                upgraded.kept.push(path.clone());
                here.cloned()
            }
            (Some(was), Some(here), Some(there)) => match merge(path, was, here, there, side)? {
                Ok(bytes) => {
                    upgraded.merged.push(path.clone());
                    Some(bytes)
                }
                Err(said) => {
                    conflicts.extend(said);
                    None
                }
            },
            _ => {
                let said = |file: Option<&Vec<u8>>, was: bool| match (file, was) {
                    (None, _) => "removed",
                    (Some(_), true) => "changed",
                    (Some(_), false) => "added",
                };
                match side {
                    None => {
                        let (here, there) = (said(here, was.is_some()), said(there, was.is_some()));
                        conflicts.push(format!("{path}: here somebody {here} it, the new version {there} it"));
                        None
                    }
                    Some(Side::Ours) => here.cloned(),
                    Some(Side::Theirs) => there.cloned(),
                }
            }
        };
        if let Some(bytes) = chosen {
            result.insert(path.clone(), bytes);
        }
    }
    if !conflicts.is_empty() {
        return Ok(Err(conflicts));
    }
    // What it needs besides must be there first; a file is replaced at once or not at all, and the record last: an
    // upgrade that was cut short is completed by asking for it again.
    for need in &chosen {
        need.files.write(&self::folder(project, &need.manifest.id))?;
        write_record(&record(project, &need.manifest.id), &need.files)?;
        note(project, &person, Event::Install, need)?;
    }
    for (path, bytes) in result.iter().filter(|(path, bytes)| ours.0.get(*path) != Some(bytes)) {
        let file = folder.join(path);
        let near = file.with_extension("weir-new");
        let written = std::fs::create_dir_all(file.parent().unwrap_or(&file))
            .and_then(|()| std::fs::write(&near, bytes))
            .and_then(|()| std::fs::rename(&near, &file));
        written.map_err(trouble(&file))?;
    }
    for path in ours.0.keys().filter(|path| !result.contains_key(*path)) {
        let file = folder.join(path);
        std::fs::remove_file(&file).map_err(trouble(&file))?;
    }
    write_record(&record(project, id), &package.files)?;
    note(project, &person, Event::Upgrade, &package)?;
    Ok(Ok(upgraded))
}

/// Removes a package. Files that were changed here and bindings stay, unless all is to go; gives those that stay.
pub fn uninstall(project: &Project, id: &str, all: bool) -> Result<Vec<String>, Problem> {
    let person = Person::current(project);
    allow(project, &person, Act::Install)?;
    let folder = folder(project, id);
    if !super::is_id(id) || !super::is_package(&folder) {
        let names: Vec<String> = installed(project)?.into_iter().map(|one| one.manifest.id).collect();
        let help = weir_nodes::problem::did_you_mean(id, names.iter().map(String::as_str));
        return Err(Problem::error(format!("\"{id}\" is not installed here."))
            .help(help.unwrap_or_else(|| "`weir template list --installed` shows what is.".into())));
    }
    if let Some(other) = installed(project)?.into_iter().find(|other| other.manifest.needs.contains_key(id)) {
        let what = format!("{} needs \"{id}\".", other.manifest.shown());
        return Err(Problem::error(what).help(format!("Uninstall it first: weir template uninstall {}.", other.manifest.id)));
    }
    let _lock = project.lock().map_err(trouble(&project.state()))?;
    let here = one(project, &folder)?;
    if all {
        std::fs::remove_dir_all(&folder).map_err(trouble(&folder))?;
    } else {
        let now = Files::of_folder(&folder)?;
        // The description last: without it the folder is no package any more.
        let own = now.0.keys().filter(|path| !here.changed.contains(path) && *path != super::MANIFEST);
        for path in own.map(String::as_str).chain([super::MANIFEST]) {
            let file = folder.join(path);
            std::fs::remove_file(&file).map_err(trouble(&file))?;
        }
        prune(&folder);
    }
    let record = record(project, id);
    if record.is_file() {
        std::fs::remove_file(&record).map_err(trouble(&record))?;
    }
    let detail = json!({ "version": here.manifest.version, "all": all });
    Audit::open(&project.audit()).append(Event::Uninstall, &person.id, id, detail)?;
    let mut stay = Vec::new();
    remaining(&folder, &folder, &mut stay);
    Ok(stay)
}

/// Removes folders that hold nothing any more.
fn prune(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            prune(&entry.path());
        }
    }
    // A folder that holds something stays: that is what is wanted.
    let _ = std::fs::remove_dir(folder);
}

fn remaining(root: &Path, folder: &Path, found: &mut Vec<String>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            remaining(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).unwrap_or(&path).display().to_string());
        }
    }
}

/// The newer version of an installed package that a registry has, if there is one.
pub fn newer(registries: &[Registry], installed: &Installed) -> Option<Found> {
    let found = find(registries, &installed.manifest.id, &VersionReq::STAR).ok()?;
    (found.entry.version > installed.manifest.version).then_some(found)
}
