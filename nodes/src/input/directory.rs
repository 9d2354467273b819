//! `input.directory` and `input.folder`: the files of a folder as a table, or all of them as one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray};

use super::stack::{Drift, stacked};
use crate::param::FolderPath;
use crate::prelude::*;
use crate::registry;
use crate::source::{MemorySource, scan};

/// Lists the files of a folder.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Directory {
    /// The folder.
    pub path: FolderPath,
    /// Which files, by wildcards such as `*.csv`. All unless given.
    #[serde(default = "all")]
    pub pattern: String,
    /// Folders inside it too.
    #[serde(default)]
    pub inside: bool,
}

fn all() -> String {
    "*".into()
}

/// The files of a folder whose names fit a pattern, in the order of their names. Reports a folder that is not there.
fn files(cx: &mut Planning<'_>, path: &FolderPath, pattern: &str, inside: bool) -> Option<Vec<(String, PathBuf)>> {
    let folder = cx.place(&path.0, "path")?;
    if !folder.is_dir() {
        let what = format!("Folder \"{}\" does not exist.", path.0);
        cx.problem(Problem::error(what).on("path").in_file(&path.0, None).help("Check the name, or choose another folder."));
        return None;
    }
    let mut found = Vec::new();
    let mut waiting = vec![(String::new(), folder)];
    while let Some((prefix, folder)) = waiting.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                let what = format!("Folder \"{}{prefix}\" cannot be read: {error}.", path.0);
                cx.problem(Problem::error(what).on("path").help("Check its permissions."));
                return None;
            }
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(['.', '~']) {
                continue;
            }
            let (shown, path) = (format!("{prefix}{name}"), entry.path());
            if path.is_dir() {
                if inside {
                    waiting.push((format!("{shown}/"), path));
                }
            } else if fits(&name.to_lowercase(), &pattern.to_lowercase()) {
                found.push((shown, path));
            }
        }
    }
    found.sort();
    Some(found)
}

/// The names of the files in a folder that fit a pattern, in their order.
pub(crate) fn names(folder: &Path, pattern: &str) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_file() && !name.starts_with(['.', '~']) && fits(&name.to_lowercase(), &pattern.to_lowercase()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether a name fits a pattern of `*` and `?`.
pub(super) fn fits(name: &str, pattern: &str) -> bool {
    let (name, pattern): (Vec<char>, Vec<char>) = (name.chars().collect(), pattern.chars().collect());
    let (mut n, mut p, mut star, mut mark) = (0, 0, None, 0);
    while n < name.len() {
        if p < pattern.len() && (pattern[p] == '?' || pattern[p] == name[n]) && pattern[p] != '*' {
            (n, p) = (n + 1, p + 1);
        } else if p < pattern.len() && pattern[p] == '*' {
            (star, mark, p) = (Some(p), n, p + 1);
        } else if let Some(at) = star {
            (p, mark) = (at + 1, mark + 1);
            n = mark;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

impl NodeKind for Directory {
    fn identity() -> Identity {
        Identity {
            id: "input.directory",
            version: 1,
            category: Category::Input,
            icon: "folder_open",
            title: Words { en: "List of files", fr: "Liste de fichiers" },
            summary: Words {
                en: "Lists the files of a folder, with their sizes and dates.",
                fr: "Liste les fichiers d'un dossier, avec tailles et dates.",
            },
            synonyms: &["directory", "list files", "file names", "dossier", "répertoire", "fichiers"],
            order: Words { en: "By path.", fr: "Par chemin." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let files = files(cx, &self.path, &self.pattern, self.inside)?;
        let text = |values: Vec<Option<String>>| Arc::new(values.into_iter().collect::<StringViewArray>()) as ArrayRef;
        let of = |part: &dyn Fn(&Path) -> Option<String>| text(files.iter().map(|(shown, _)| part(Path::new(shown))).collect());
        let owned = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
        let metadata: Vec<Option<std::fs::Metadata>> = files.iter().map(|(_, path)| path.metadata().ok()).collect();
        let modified = |metadata: &std::fs::Metadata| {
            let since = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            i64::try_from(since.as_micros()).ok()
        };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("path", of(&|path| owned(Some(path.as_os_str())))),
            ("name", of(&|path| owned(path.file_name()))),
            ("extension", of(&|path| owned(path.extension()))),
            ("bytes", Arc::new(metadata.iter().map(|one| one.as_ref().map(|one| one.len() as i64)).collect::<Int64Array>())),
            ("modified", Arc::new(metadata.iter().map(|one| one.as_ref().and_then(modified)).collect::<TimestampMicrosecondArray>())),
        ];
        let batch =
            cx.planned(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).map_err(Into::into))?;
        let node = cx.node().to_owned();
        let table = cx.planned(scan(&node, Arc::new(MemorySource::counted(batch)), format!("{} file", self.path.0)))?;
        Some(Planned::table(table))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Nothing fits.", json!({ "path": ".", "pattern": "*.xyz" }))
                .file("a.csv", "a")
                .output("out", "path,name,extension,bytes:integer,modified:datetime"),
            Example::new("Files whose names fit.", json!({ "path": ".", "pattern": "*.csv" })).file("a.csv", "a").file("b.txt", "b"),
            Example::new("All of them.", json!({ "path": "." })).file("a.csv", "a"),
            Example::new("A folder that is not there.", json!({ "path": "nowhere" })).refused("does not exist"),
        ]
    }
}

/// Reads all files of a folder as one table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Folder {
    /// The folder.
    pub path: FolderPath,
    /// Which files, by wildcards such as `sales_*.csv`.
    #[serde(default = "all")]
    pub pattern: String,
    /// Folders inside it too.
    #[serde(default)]
    pub inside: bool,
    /// The name of the column with each row's file. None leaves it out.
    #[serde(default = "file", skip_serializing_if = "Option::is_none")]
    pub source: Option<NewColumn>,
    /// What happens when a file lacks columns that others have: it is reported, or refused.
    #[serde(default)]
    pub drift: Drift,
    /// How each file is read: the parameters of the step that reads one, such as `{"separator": ";"}`.
    #[serde(default)]
    pub options: serde_json::Map<String, serde_json::Value>,
}

fn file() -> Option<NewColumn> {
    Some(NewColumn("file".into()))
}

impl NodeKind for Folder {
    fn identity() -> Identity {
        Identity {
            id: "input.folder",
            version: 1,
            category: Category::Input,
            icon: "folder",
            title: Words { en: "Folder of files", fr: "Dossier de fichiers" },
            summary: Words {
                en: "Reads all files of a folder as one table, columns matched by name, with the file of each row.",
                fr: "Lit tous les fichiers d'un dossier en une seule table, colonnes rapprochées par nom, avec le fichier de chaque ligne.",
            },
            synonyms: &[
                "wildcard input",
                "combine files",
                "dynamic input",
                "from folder",
                "batch files",
                "combiner des fichiers",
                "plusieurs fichiers",
            ],
            order: Words {
                en: "File by file in the order of their names, each in its own.",
                fr: "Fichier par fichier dans l'ordre des noms, chacun dans le sien.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let files = files(cx, &self.path, &self.pattern, self.inside)?;
        if files.is_empty() {
            let what = format!("No file of \"{}\" fits \"{}\".", self.path.0, self.pattern);
            cx.problem(Problem::error(what).on("pattern").help("Check the pattern: * stands for anything."));
            return None;
        }
        let mut tables: Vec<(String, Table)> = Vec::new();
        for (shown, _) in &files {
            let path = format!("{}/{shown}", self.path.0.trim_end_matches('/'));
            let (kind, mut params) = crate::suggest::reading(&path);
            if let Some(params) = params.as_object_mut() {
                params.extend(self.options.clone());
            }
            let (step, problems) = registry::find(kind)?.step(&params);
            problems.into_iter().for_each(|problem| cx.problem(problem.on("options")));
            let planned = step?.plan(cx)?;
            let table =
                planned.flows.into_iter().find_map(|flow| flow.outlets.iter().any(|outlet| outlet.port == "out").then_some(flow.table));
            tables.push((shown.clone(), table?));
        }
        Some(Planned::table(stacked(cx, &tables, self.source.as_ref(), self.drift)?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Columns in another order; a column that one file lacks.", json!({ "path": ".", "pattern": "*.csv" }))
                .file("b.csv", "n,id\n2.50,7\n")
                .file("a.csv", "id,n,more\n1,2,x\n")
                .output("out", "id:integer,n:decimal(2),more,file\n1,2.00,x,a.csv\n7,2.50,,b.csv"),
            Example::new(
                "Options for each file; without the file's name.",
                json!({
                    "path": ".", "pattern": "*.txt", "source": null, "options": { "separator": "|" }
                }),
            )
            .file("a.txt", "a|b\n1|2\n")
            .output("out", "a:integer,b:integer\n1,2"),
            Example::new("One file.", json!({ "path": ".", "pattern": "a.json", "source": "from" }))
                .file("a.json", "[{\"a\":1}]")
                .output("out", "a:integer,from\n1,a.json"),
            Example::new("No file fits.", json!({ "path": ".", "pattern": "*.csv" })).refused("No file of"),
        ]
    }
}
