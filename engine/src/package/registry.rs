//! Where packages come from: inside this program, a folder, or a static site. No server of ours: an index is a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use weir_nodes::Problem;

use super::{Files, Local, Manifest, PackageKind, seal};
use crate::project::Project;

/// The file that lists a registry's packages.
pub const INDEX: &str = "index.json";
/// The variable with more registries, separated as in `PATH`.
pub const REGISTRIES: &str = "WEIR_REGISTRY";
const FORMAT: u32 = 1;
/// The most bytes of an index or a package that a site may give.
const MOST: u64 = 256 << 20;

/// The packages that come with the program, by id, path and bytes.
static BUILT_IN: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/packages.rs"));

/// A package as a registry lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name it is installed by.
    pub id: String,
    /// Its version.
    pub version: Version,
    /// What it is for.
    pub kind: PackageKind,
    /// What people call it.
    pub name: Local,
    /// One sentence about it.
    pub summary: Local,
    /// What people search for.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Who publishes it.
    pub publisher: String,
    /// The licence.
    pub licence: String,
    /// The packages it needs.
    #[serde(default)]
    pub needs: BTreeMap<String, VersionReq>,
    /// The public half of the key it is signed with; none when it is not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The packed file, beside the index; none for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The hash of that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Index {
    weir_registry: u32,
    packages: Vec<Entry>,
}

/// A registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registry {
    /// What came with the program.
    BuiltIn,
    /// A folder with an index, with packed packages, or with packages as folders.
    Folder(PathBuf),
    /// A site with an index.
    Site(String),
}

impl std::fmt::Display for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Site(url) => f.write_str(url),
        }
    }
}

impl From<&str> for Registry {
    fn from(text: &str) -> Self {
        if text.starts_with("http://") || text.starts_with("https://") {
            Self::Site(text.trim_end_matches('/').to_owned())
        } else {
            Self::Folder(text.into())
        }
    }
}

impl Entry {
    fn of(manifest: Manifest, files: &Files) -> Self {
        Self {
            id: manifest.id,
            version: manifest.version,
            kind: manifest.kind,
            name: manifest.name,
            summary: manifest.summary,
            keywords: manifest.keywords,
            publisher: manifest.publisher,
            licence: manifest.licence,
            needs: manifest.needs,
            key: seal::verify(files).ok().map(|seal| seal.key),
            file: None,
            hash: None,
        }
    }
}

/// The files of the packages that come with the program.
fn built_in() -> &'static BTreeMap<&'static str, Files> {
    static PACKAGES: LazyLock<BTreeMap<&'static str, Files>> = LazyLock::new(|| {
        let mut packages: BTreeMap<&str, Files> = BTreeMap::new();
        for (id, path, bytes) in BUILT_IN {
            packages.entry(id).or_default().0.insert((*path).to_owned(), bytes.to_vec());
        }
        packages
    });
    &PACKAGES
}

/// The registries to look in: those named, those of the project, those of the environment, and what came with the program.
pub fn registries(named: &[String], project: Option<&Project>) -> Vec<Registry> {
    let mut all: Vec<Registry> = named.iter().map(|name| name.as_str().into()).collect();
    if let Some(project) = project {
        all.extend(project.config().registries.iter().map(|name| match name.as_str().into() {
            Registry::Folder(folder) => Registry::Folder(project.root().join(folder)),
            site => site,
        }));
    }
    if let Ok(set) = std::env::var(REGISTRIES) {
        all.extend(set.split_whitespace().map(Registry::from));
    }
    all.push(Registry::BuiltIn);
    all
}

impl Registry {
    fn trouble(&self, what: impl std::fmt::Display) -> Problem {
        Problem::error(format!("The registry cannot be used: {what}.")).in_file(self.to_string(), None).help("Check its address.")
    }

    /// The packages it has, by id and then the newest first.
    pub fn list(&self) -> Result<Vec<Entry>, Problem> {
        let mut entries = match self {
            Self::BuiltIn => built_in().values().filter_map(|files| Some(Entry::of(Manifest::of(files).ok()?, files))).collect(),
            Self::Folder(folder) if folder.join(INDEX).is_file() => {
                let text = std::fs::read_to_string(folder.join(INDEX)).map_err(|error| self.trouble(error))?;
                self.index(&text)?
            }
            Self::Folder(folder) => self.scanned(folder)?,
            Self::Site(url) => {
                let bytes = get(&format!("{url}/{INDEX}")).map_err(|what| self.trouble(what))?;
                self.index(&String::from_utf8(bytes).map_err(|error| self.trouble(error))?)?
            }
        };
        entries.sort_by(|a, b| a.id.cmp(&b.id).then(b.version.cmp(&a.version)));
        Ok(entries)
    }

    fn index(&self, text: &str) -> Result<Vec<Entry>, Problem> {
        let index: Index = serde_json::from_str(text).map_err(|error| self.trouble(format!("its index cannot be read: {error}")))?;
        if index.weir_registry > FORMAT {
            return Err(Problem::error("The registry has a newer format than this Weir reads.")
                .in_file(self.to_string(), None)
                .help("Update Weir."));
        }
        Ok(index.packages)
    }

    /// A folder without an index: its packages, packed or as folders.
    fn scanned(&self, folder: &Path) -> Result<Vec<Entry>, Problem> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| self.trouble(error))? {
            let path = entry.map_err(|error| self.trouble(error))?.path();
            let packed = path.extension().is_some_and(|ending| ending == super::files::ENDING);
            if !packed && !super::is_package(&path) {
                continue;
            }
            let named = |problem: Problem| problem.in_file(path.display().to_string(), None);
            let files = Files::open(&path)?;
            let manifest = Manifest::of(&files).map_err(named)?;
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
            entries.push(Entry { file, ..Entry::of(manifest, &files) });
        }
        Ok(entries)
    }

    /// The files of a package that it lists.
    pub fn fetch(&self, entry: &Entry) -> Result<Files, Problem> {
        let file = entry.file.as_deref().unwrap_or_default();
        if file.contains("..") || Path::new(file).is_absolute() {
            return Err(self.trouble(format!("its index names a file \"{file}\" that leads out of it")));
        }
        let bytes = match self {
            Self::BuiltIn => {
                let files = built_in().get(entry.id.as_str()).cloned();
                return files.ok_or_else(|| self.trouble(format!("there is no \"{}\"", entry.id)));
            }
            Self::Folder(folder) if folder.join(file).is_dir() => return Files::of_folder(&folder.join(file)),
            Self::Folder(folder) => std::fs::read(folder.join(file)).map_err(|error| self.trouble(format!("{file}: {error}")))?,
            Self::Site(url) => get(&format!("{url}/{file}")).map_err(|what| self.trouble(what))?,
        };
        if entry.hash.as_ref().is_some_and(|hash| *hash != blake3::hash(&bytes).to_hex().as_str()) {
            return Err(Problem::error(format!("{file} is not the file that the registry lists."))
                .in_file(self.to_string(), None)
                .help("It was altered on the way, or the index is old. Ask who keeps the registry."));
        }
        let files = Files::unpack(&bytes, file)?;
        let manifest = Manifest::of(&files)?;
        if manifest.id != entry.id || manifest.version != entry.version {
            return Err(self.trouble(format!("{file} is {}, not {} {}", manifest.shown(), entry.id, entry.version)));
        }
        Ok(files)
    }
}

/// What a site answers. The client waits on a runtime of its own, so it gets a thread of its own.
fn get(url: &str) -> Result<Vec<u8>, String> {
    let asked = || -> Result<Vec<u8>, String> {
        let client = reqwest::blocking::Client::builder().timeout(std::time::Duration::from_mins(1));
        let client = client.user_agent(concat!("weir/", env!("CARGO_PKG_VERSION"))).build().map_err(|error| error.to_string())?;
        let answer = client.get(url).send().and_then(reqwest::blocking::Response::error_for_status).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        let read = std::io::Read::read_to_end(&mut std::io::Read::take(answer, MOST + 1), &mut bytes);
        read.map_err(|error| error.to_string())?;
        if bytes.len() as u64 > MOST { Err(format!("{url} is larger than {} MB", MOST >> 20)) } else { Ok(bytes) }
    };
    let answer = std::thread::scope(|scope| scope.spawn(asked).join());
    answer.unwrap_or_else(|_| Err("the question to the site stopped".into()))
}

/// A package that was found, and where.
#[derive(Debug, Clone)]
pub struct Found {
    /// The registry.
    pub registry: Registry,
    /// The package.
    pub entry: Entry,
}

/// The newest version of each package of all registries whose words fit a question; an empty one fits all. A registry
/// that cannot be used is a problem beside what the others have.
pub fn search(registries: &[Registry], question: &str) -> (Vec<Found>, Vec<Problem>) {
    let (mut found, mut problems): (BTreeMap<String, Found>, Vec<Problem>) = (BTreeMap::new(), vec![]);
    for registry in registries {
        match registry.list() {
            Ok(entries) => {
                for entry in entries.into_iter().filter(|entry| fits(entry, question)) {
                    let known = found.get(&entry.id).is_some_and(|known| known.entry.version >= entry.version);
                    if !known {
                        found.insert(entry.id.clone(), Found { registry: registry.clone(), entry });
                    }
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    (found.into_values().collect(), problems)
}

fn fits(entry: &Entry, question: &str) -> bool {
    let plain = |text: &str| weir_nodes::formula::without_accents(text).to_lowercase();
    let Entry { id, name, summary, keywords, .. } = entry;
    let texts = [id, &name.en, &name.fr, &summary.en, &summary.fr].into_iter().chain(keywords);
    let all = texts.map(|text| plain(text)).collect::<Vec<_>>().join(" ");
    question.split_whitespace().all(|word| all.contains(&plain(word)))
}

/// The newest version of a package that fits a range, of the first registry that has one.
pub fn find(registries: &[Registry], id: &str, range: &VersionReq) -> Result<Found, Problem> {
    let mut versions = Vec::new();
    let mut problems = Vec::new();
    for registry in registries {
        let entries = match registry.list() {
            Ok(entries) => entries,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        for entry in entries.into_iter().filter(|entry| entry.id == id) {
            if range.matches(&entry.version) {
                return Ok(Found { registry: registry.clone(), entry });
            }
            versions.push(entry.version.to_string());
        }
    }
    if !versions.is_empty() {
        let problem = Problem::error(format!("There is no version {range} of \"{id}\"."));
        return Err(problem.help(format!("There is: {}.", versions.join(", "))));
    }
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let (all, _) = search(registries, "");
    let ids: Vec<&str> = all.iter().map(|found| found.entry.id.as_str()).collect();
    let help = weir_nodes::problem::did_you_mean(id, ids.iter().copied()).unwrap_or_else(|| format!("There is: {}.", ids.join(", ")));
    Err(Problem::error(format!("No registry has a package \"{id}\".")).help(help))
}

/// What a package needs, and what that needs, of these registries.
pub fn needed(registries: &[Registry], files: &Files) -> Result<Vec<Files>, Problem> {
    let mut all: BTreeMap<String, Files> = BTreeMap::new();
    let mut waiting = vec![Manifest::of(files)?];
    let own = waiting[0].id.clone();
    while let Some(manifest) = waiting.pop() {
        for (id, range) in manifest.needs.iter().filter(|(id, _)| **id != own) {
            if all.contains_key(id) {
                continue;
            }
            let found = find(registries, id, range)?;
            let files = found.registry.fetch(&found.entry)?;
            waiting.push(Manifest::of(&files)?);
            all.insert(id.clone(), files);
        }
    }
    Ok(all.into_values().collect())
}

/// Puts a signed package into a folder that is a registry, and lists it there.
pub fn publish(files: &Files, folder: &Path) -> Result<Entry, Problem> {
    let manifest = Manifest::of(files)?;
    let seal = seal::verify(files)?;
    let registry = Registry::Folder(folder.to_owned());
    std::fs::create_dir_all(folder).map_err(|error| registry.trouble(error))?;
    let mut packages = if folder.join(INDEX).is_file() {
        registry.list()?
    } else {
        registry.scanned(folder)?.into_iter().filter(|e| e.file.as_ref().is_some_and(|f| f.ends_with(super::files::ENDING))).collect()
    };
    let bytes = files.pack()?;
    let (file, hash) = (Files::file_name(&manifest), blake3::hash(&bytes).to_hex().to_string());
    if let Some(known) = packages.iter().find(|known| known.id == manifest.id && known.version == manifest.version) {
        if known.hash.as_ref() == Some(&hash) {
            return Ok(known.clone());
        }
        let problem = Problem::error(format!("{} is published already, with other content.", manifest.shown()));
        return Err(problem.help("A version never changes once it is out: raise the version in package.json and sign again."));
    }
    let known_key = packages.iter().find(|known| known.id == manifest.id).and_then(|known| known.key.clone());
    if known_key.is_some_and(|key| key != seal.key) {
        let problem = Problem::error(format!("Earlier versions of {} were signed with another key.", manifest.id));
        return Err(problem.help("Sign with that key, or publish under another name."));
    }
    let entry = Entry { file: Some(file.clone()), hash: Some(hash), ..Entry::of(manifest, files) };
    packages.push(entry.clone());
    packages.sort_by(|a, b| a.id.cmp(&b.id).then(b.version.cmp(&a.version)));
    // The file first: an index never names what is not there.
    let near = folder.join(format!(".{file}.new"));
    std::fs::write(&near, &bytes).and_then(|()| std::fs::rename(&near, folder.join(&file))).map_err(|error| registry.trouble(error))?;
    let text = serde_json::to_string_pretty(&Index { weir_registry: FORMAT, packages }).map_err(|error| registry.trouble(error))?;
    crate::run::write_durably(&folder.join(INDEX), &format!("{text}\n")).map_err(|error| registry.trouble(error))?;
    Ok(entry)
}
