//! A project folder: `weir.toml` and the places that belong to it.
//!
//! A lone workflow file with no project around it also runs: its own folder is the project, with defaults.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use weir_nodes::Problem;

use crate::approval::Role;
use crate::ledger::BucketConfig;

/// The file that marks a project's folder.
pub const FILE: &str = "weir.toml";

/// What `weir.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The project's name.
    pub name: String,
    /// The language and number format people see: `en` or `fr`.
    pub locale: String,
    /// The currency that amounts are in, as an ISO 4217 code.
    pub currency: String,
    /// Folders outside the project that its workflows may read and write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<PathBuf>,
    /// Where template packages are looked for: folders and sites.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub registries: Vec<String>,
    /// The keys of publishers whose packages are taken, by the publisher's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub publishers: BTreeMap<String, String>,
    /// The bucket that the ledger is in; it is in the project's folder unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<BucketConfig>,
    /// The people of the project, by the name they work under; with none, everybody may do everything.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub people: BTreeMap<String, PersonConfig>,
    /// What an approval needs.
    #[serde(skip_serializing_if = "ApprovalConfig::is_default")]
    pub approval: ApprovalConfig,
    /// Databases and services by name; in them, `${NAME}` stands for an environment variable.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<String, Connection>,
}

/// A person of the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonConfig {
    /// What they are called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The public half of their key, as `weir key new` prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What an approval needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApprovalConfig {
    /// Whether the one who made a version may not approve it.
    pub separation: bool,
    /// Ledger tables that take rows from approved versions only, whatever their load steps say.
    pub governed: Vec<String>,
    /// Whether an approved version loads the inputs that were looked at and no others.
    pub same_inputs: bool,
    /// By how many percent a total may move against the approved version, for a version to be proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance: Option<Decimal>,
}

impl Default for ApprovalConfig {
    fn default() -> Self {
        Self { separation: true, governed: vec![], same_inputs: false, variance: None }
    }
}

impl ApprovalConfig {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A database or a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Connection {
    /// Its address.
    Address(String),
    /// A web service and its token.
    Service {
        /// Its address.
        url: String,
        /// The token it wants.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bearer: Option<String>,
    },
}

impl Connection {
    fn address(&self) -> &str {
        match self {
            Self::Address(address) | Self::Service { url: address, .. } => address,
        }
    }
}

/// A web service, its environment variables filled in.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// Its address.
    pub(crate) url: String,
    /// The token it wants.
    pub(crate) bearer: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: String::new(),
            locale: "en".into(),
            currency: "EUR".into(),
            folders: vec![],
            registries: vec![],
            publishers: BTreeMap::new(),
            ledger: None,
            people: BTreeMap::new(),
            approval: ApprovalConfig::default(),
            connections: BTreeMap::new(),
        }
    }
}

/// A project folder.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
    /// Where the relative paths of a workflow start: the project's folder, or that of the package it belongs to.
    home: PathBuf,
    config: Config,
}

impl Project {
    /// The project a workflow file belongs to: the nearest folder above it that has a `weir.toml`, else the file's own.
    pub fn of(workflow: &Path) -> Result<Self, Problem> {
        let file = std::path::absolute(workflow).map_err(|error| {
            Problem::error(format!("The path cannot be resolved: {error}.")).in_file(workflow.display().to_string(), None)
        })?;
        let folder = file.parent().unwrap_or(&file).to_owned();
        match folder.ancestors().find(|folder| folder.join(FILE).is_file()) {
            Some(root) => Ok(Self::open(root)?.housing(&file)),
            None => {
                let root = package_of(&folder, Path::new("")).unwrap_or(folder);
                Ok(Self { home: root.clone(), root, config: Config::default() })
            }
        }
    }

    /// The same project as one of its workflows sees it: the paths of a package's workflow start at the package.
    #[must_use]
    pub fn housing(mut self, workflow: &Path) -> Self {
        let file = self.root.join(workflow);
        self.home = package_of(file.parent().unwrap_or(&file), &self.root).unwrap_or_else(|| self.root.clone());
        self
    }

    /// The project in a folder, or in the nearest one above it; the folder itself where there is none.
    pub fn around(folder: &Path) -> Result<Self, Problem> {
        Self::of(&folder.join("workflow.json"))
    }

    fn open(root: &Path) -> Result<Self, Problem> {
        let file = root.join(FILE);
        let shown = file.display().to_string();
        let text = fs::read_to_string(&file)
            .map_err(|error| Problem::error(format!("The project file cannot be read: {error}.")).in_file(&shown, None))?;
        let config = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() as u64 + 1);
            Problem::error(format!("The project file is not valid: {}.", error.message()))
                .in_file(&shown, line)
                .help("`weir init` in an empty folder writes a valid one to compare with.")
        })?;
        Ok(Self { root: root.to_owned(), home: root.to_owned(), config })
    }

    /// The project's folder, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What `weir.toml` says.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The same project with another folder where relative paths start.
    #[must_use]
    pub(crate) fn at(mut self, home: &Path) -> Self {
        home.clone_into(&mut self.home);
        self
    }

    /// The same project with leave to read in a file's folder.
    #[must_use]
    pub(crate) fn allowing(mut self, file: &Path) -> Self {
        self.config.folders.extend(file.parent().map(Path::to_owned));
        self
    }

    /// The file a path in a workflow means: relative paths start at the project's folder, or at the package's.
    pub fn path(&self, path: &str) -> PathBuf {
        self.home.join(path)
    }

    /// A file as workflows name it: relative to where their paths start, when it lies in the project.
    pub fn reference(&self, file: &Path) -> String {
        let file = clean(file.to_owned());
        if file.starts_with(clean(self.root.clone())) { way(&self.home, &file) } else { file.display().to_string() }
    }

    /// Where relative paths start.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The address that a connection stands for: one of `weir.toml`, or `sqlite:` and a file of the project. Passwords
    /// belong into the environment, never into a workflow.
    pub fn connection(&self, name: &str) -> Result<String, Problem> {
        let known = self.config.connections.get(name);
        let address = match known {
            Some(connection) => filled(name, connection.address())?,
            None if name.starts_with("sqlite:") => name.to_owned(),
            None => {
                let what = format!("There is no connection \"{name}\".");
                let example = format!("Add it to {FILE}: [connections] {name} = \"postgres://user:${{PASSWORD}}@host/database\".");
                let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
                let help = if plain { example } else { format!("Name one that stands under [connections] in {FILE}.") };
                return Err(Problem::error(what).help(help));
            }
        };
        let Some(file) = address.strip_prefix("sqlite:") else { return Ok(address) };
        let file = file.trim_start_matches("//");
        match self.refused(file) {
            Some(problem) if known.is_none() => Err(problem),
            _ => Ok(format!("sqlite:{}", self.path(file).display())),
        }
    }

    /// The web service that a connection stands for: one of `weir.toml`, or an address.
    pub(crate) fn service(&self, name: &str) -> Result<Service, Problem> {
        if name.starts_with("http://") || name.starts_with("https://") {
            return Ok(Service { url: name.to_owned(), bearer: None });
        }
        let url = self.connection(name)?;
        let bearer = match self.config.connections.get(name) {
            Some(Connection::Service { bearer: Some(token), .. }) => Some(filled(name, token)?),
            _ => None,
        };
        Ok(Service { url, bearer })
    }

    /// Why a workflow may not use a path, if it may not: it leads out of the project, to a folder that `weir.toml` does
    /// not allow. Symbolic links count for where they lead.
    pub fn refused(&self, path: &str) -> Option<Problem> {
        let place = clean(self.path(path));
        let inside = |folder: &Path| place.starts_with(clean(self.root.join(folder)));
        if inside(Path::new("")) || self.config.folders.iter().any(|folder| inside(folder)) {
            return None;
        }
        let folder = place.parent().unwrap_or(&place).display();
        let problem = Problem::error(format!("\"{path}\" lies outside the project."));
        Some(problem.help(format!("Move it into the project, or allow its folder in {FILE}: folders = [\"{folder}\"].")))
    }

    /// A path as people know it: relative to the project's folder when it lies inside.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// Weir's own folder.
    pub fn state(&self) -> PathBuf {
        self.root.join(".weir")
    }

    /// The folder of the Universal Ledger, where it is not in a bucket.
    pub fn ledger_folder(&self) -> PathBuf {
        self.state().join("ledger")
    }

    /// The folder of versions.
    pub fn history(&self) -> PathBuf {
        self.state().join("history")
    }

    /// The folder of runs: one folder each, with its certificate.
    pub fn runs(&self) -> PathBuf {
        self.state().join("runs")
    }

    /// A folder of its own for what is only tried; it goes when it is dropped.
    pub(crate) fn scratch(&self) -> Result<tempfile::TempDir, Problem> {
        let cache = self.state().join("cache");
        let made = fs::create_dir_all(&cache).and_then(|()| tempfile::tempdir_in(&cache));
        made.map_err(|error| {
            Problem::error(format!("There is no room to try this: {error}.")).help("Check the disk's space and the permissions of .weir.")
        })
    }

    /// The audit chain.
    pub fn audit(&self) -> PathBuf {
        self.state().join("audit.jsonl")
    }

    /// Waits until no other process publishes in this project, and keeps others out until the lock is dropped.
    pub fn lock(&self) -> io::Result<File> {
        fs::create_dir_all(self.state())?;
        let file = File::options().create(true).truncate(false).write(true).open(self.state().join("lock"))?;
        file.lock()?;
        Ok(file)
    }
}

/// The way from a folder to a file or another folder, as workflows write it; nothing for the folder itself.
pub(crate) fn way(from: &Path, to: &Path) -> String {
    let (from, to) = (clean(from.to_owned()), clean(to.to_owned()));
    let same = to.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(same).map(|_| "..".to_owned());
    let down = to.components().skip(same).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// The nearest folder that is a package, from a folder up to a root.
fn package_of(folder: &Path, root: &Path) -> Option<PathBuf> {
    folder.ancestors().take_while(|folder| folder.starts_with(root)).find(|folder| crate::package::is_package(folder)).map(Path::to_owned)
}

/// An address with the values of its environment variables.
fn filled(name: &str, address: &str) -> Result<String, Problem> {
    let mut filled = String::new();
    let mut rest = address;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((variable, after)) = after.split_once('}') else { break };
        let value = std::env::var(variable).map_err(|_| {
            let what = format!("The connection \"{name}\" needs the environment variable {variable}.");
            Problem::error(what).help("Set it before running Weir.")
        })?;
        filled.push_str(before);
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A moment as everything on disk holds it; such texts sort by time.
pub(crate) fn written(time: chrono::DateTime<chrono::Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Who is at work: `WEIR_USER`, else the account's name.
pub fn user() -> String {
    ["WEIR_USER", "USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "unknown".into())
}

/// The path without `.` and `..`, as far as that can be known without touching the disk.
pub(crate) fn clean(path: PathBuf) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}
