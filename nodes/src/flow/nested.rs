//! `workflow` and `for_each`: another workflow as a step, once or for each of several values.
//!
//! The engine puts the inner workflow's steps in place of the step before it plans: inner controls block the whole run,
//! inner loads are published with it, and every inner step is counted like any other. What is left of the step itself
//! is the place where the inner rows come out.

use std::sync::{LazyLock, Mutex, PoisonError};

use crate::input::stack::{Drift, stacked};
use crate::kind::{Copies, Host, Nested, Structure};
use crate::param::{FilePath, FolderPath};
use crate::prelude::*;

/// Runs another workflow as a step.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct WorkflowStep {
    /// The workflow's file.
    pub path: FilePath,
    /// The values of its parameters.
    #[serde(default)]
    pub set: Vec<Setting>,
    /// The names of its inputs: its "Workflow input" steps, in the order of this step's ports.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// The names of its outputs: its "Workflow output" steps, in the order of this step's ports.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// Set by the engine once the inner steps stand in the step's place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(skip)]
    pub expanded: bool,
}

/// Runs another workflow for each of several values, and puts what comes out one after the other.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ForEach {
    /// The workflow's file.
    pub path: FilePath,
    /// Its parameter that takes the values; the rows of a file name theirs.
    #[serde(default)]
    pub parameter: String,
    /// The values: the files of a folder, the rows of a file, or a list.
    pub values: Values,
    /// The values of its other parameters.
    #[serde(default)]
    pub set: Vec<Setting>,
    /// The names of its inputs: each run gets the same rows.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// The names of its outputs.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// The name of the column with the value of each row's run. None leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<NewColumn>,
    /// Set by the engine: the values, once the inner steps stand in the step's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub expanded: Option<Vec<String>>,
}

/// The value of a parameter.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// The parameter.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What a workflow is run for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "each", rename_all = "snake_case")]
pub enum Values {
    /// Each file of a folder.
    File {
        /// The folder.
        folder: FolderPath,
        /// Which files, by wildcards such as `*.csv`.
        #[serde(default = "all")]
        pattern: String,
    },
    /// Each row of a CSV file: its columns are the parameters of the run, its first value names it.
    Row {
        /// The file, with the names of parameters in its first line.
        table: FilePath,
    },
    /// Each value of a list.
    Value {
        /// The values.
        list: Vec<String>,
    },
}

impl Default for Values {
    fn default() -> Self {
        Self::Value { list: vec![] }
    }
}

fn all() -> String {
    "*".into()
}

/// A name that lives as long as the program: there are as many as different names of ports were ever typed.
pub(crate) fn lasting(name: &str) -> &'static str {
    static NAMES: LazyLock<Mutex<Vec<&'static str>>> = LazyLock::new(|| Mutex::new(Vec::new()));
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.iter().find(|known| **known == name) {
        return known;
    }
    let leaked: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.push(leaked);
    leaked
}

/// The ports of a step that stands for a workflow: before its inner steps took its place, and after.
fn ports(inputs: &[String], outputs: &[String], expanded: bool) -> Ports {
    let words = |name: &str| Words { en: lasting(name), fr: lasting(name) };
    let arriving = if expanded { outputs } else { inputs };
    let arity = if expanded { Arity::Any } else { Arity::One };
    Ports {
        inputs: arriving.iter().map(|name| InPort { name: lasting(name), arity, title: words(name) }).collect(),
        outputs: outputs.iter().map(|name| OutPort { name: lasting(name), title: words(name) }).collect(),
    }
}

/// The rows of a file, each as the parameters of a run.
fn rows(host: &dyn Host, path: &str) -> Result<Vec<Vec<(String, String)>>, Problem> {
    if let Some(problem) = host.refused(path) {
        return Err(problem);
    }
    let broken = |error: csv::Error| {
        let line = error.position().map(csv::Position::line);
        Problem::error(format!("The file cannot be read: {error}."))
            .in_file(path, line)
            .help("Choose a CSV file whose first line names the parameters.")
    };
    let mut reader = csv::Reader::from_path(host.path(path)).map_err(broken)?;
    let names: Vec<String> =
        reader.headers().map_err(broken)?.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect();
    let row = |record: csv::Result<csv::StringRecord>| Ok(names.iter().cloned().zip(record?.iter().map(str::to_owned)).collect());
    reader.records().map(row).collect::<csv::Result<_>>().map_err(broken)
}

/// Reports what cannot be planned as it stands.
fn not_alone(cx: &mut Planning<'_>) {
    cx.problem(Problem::error("The inner workflow is not there.").on("path").help("Choose its file."));
}

impl NodeKind for WorkflowStep {
    fn identity() -> Identity {
        Identity {
            id: "workflow",
            version: 1,
            category: Category::Calc,
            icon: "account_tree",
            title: Words { en: "Workflow", fr: "Flux" },
            summary: Words {
                en: "Runs another workflow as a step, with its parameters, inputs and outputs; its controls count too.",
                fr: "Exécute un autre flux comme une étape, avec ses paramètres, entrées et sorties ; ses contrôles comptent aussi.",
            },
            synonyms: &["macro", "sub-workflow", "component", "metanode", "custom function", "sous-flux", "réutiliser"],
            order: Words { en: "As the inner workflow gives them.", fr: "Celui du flux interne." },
        }
    }

    fn ports(&self) -> Ports {
        ports(&self.inputs, &self.outputs, self.expanded)
    }

    fn structure(&self, _: &dyn Host) -> Result<Structure, Problem> {
        if self.expanded {
            return Ok(Structure::Plain);
        }
        let set = self.set.iter().map(|one| (one.name.clone(), one.value.clone())).collect();
        let mut expanded = self.clone();
        expanded.expanded = true;
        let params = serde_json::to_value(expanded).unwrap_or_default();
        let copies = Copies { sets: vec![set], inputs: self.inputs.clone(), outputs: self.outputs.clone(), params };
        Ok(Structure::Nested(Nested { path: self.path.0.clone(), copies }))
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        if !self.expanded {
            not_alone(cx);
            return None;
        }
        cx.source_file(&self.path.0, "path")?;
        let flows = self.outputs.iter().map(|name| Some(Flow::all(lasting(name), cx.input(name)?))).collect::<Option<Vec<_>>>()?;
        Some(Planned { flows, ..Planned::default() })
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "A workflow that cleans names, as a step.",
                json!({ "path": "workflows/clean.json", "inputs": ["names"], "outputs": ["clean"] }),
            )
            .elsewhere(),
            Example::new(
                "With a parameter.",
                json!({ "path": "workflows/rates.json", "set": [{ "name": "month", "value": "2026-09" }], "outputs": ["rates"] }),
            )
            .elsewhere(),
            Example::new("One that only loads has no ports.", json!({ "path": "workflows/archive.json" })).elsewhere(),
            Example::new("A workflow is a file.", json!({ "path": "" })).refused("not there"),
        ]
    }
}

impl NodeKind for ForEach {
    fn identity() -> Identity {
        Identity {
            id: "for_each",
            version: 1,
            category: Category::Calc,
            icon: "repeat",
            title: Words { en: "For each", fr: "Pour chaque" },
            summary: Words {
                en: "Runs another workflow for each file of a folder, each row of a file or each value of a list.",
                fr: "Exécute un autre flux pour chaque fichier d'un dossier, chaque ligne d'un fichier ou chaque valeur d'une liste.",
            },
            synonyms: &["batch macro", "loop", "iterate", "group loop", "boucle", "itérer", "pour chaque fichier"],
            order: Words { en: "Run by run, in the order of the values.", fr: "Exécution par exécution, dans l'ordre des valeurs." },
        }
    }

    fn ports(&self) -> Ports {
        ports(&self.inputs, &self.outputs, self.expanded.is_some())
    }

    fn structure(&self, host: &dyn Host) -> Result<Structure, Problem> {
        if self.expanded.is_some() {
            return Ok(Structure::Plain);
        }
        let mut rows = Vec::new();
        let values = match &self.values {
            Values::Value { list } => list.clone(),
            Values::Row { table } => {
                rows = self::rows(host, &table.0).map_err(|problem| problem.on("values.table"))?;
                rows.iter().filter_map(|row| row.first().map(|(_, value)| value.clone())).collect()
            }
            Values::File { folder, pattern } => {
                if let Some(problem) = host.refused(&folder.0) {
                    return Err(problem.on("values.folder"));
                }
                let names = crate::input::directory::names(&host.path(&folder.0), pattern).map_err(|error| {
                    Problem::error(format!("Folder \"{}\" cannot be read: {error}.", folder.0))
                        .on("values.folder")
                        .help("Choose another folder.")
                })?;
                names.into_iter().map(|name| format!("{}/{name}", folder.0.trim_end_matches('/'))).collect()
            }
        };
        if values.is_empty() {
            return Err(Problem::error("There is nothing to run for.").on("values").help("Give values, or a pattern that some file fits."));
        }
        if rows.is_empty() {
            rows = values.iter().map(|value| vec![(self.parameter.clone(), value.clone())]).collect();
        }
        let others = || self.set.iter().map(|one| (one.name.clone(), one.value.clone()));
        let sets = rows.into_iter().map(|row| others().chain(row).collect()).collect();
        let mut expanded = self.clone();
        expanded.expanded = Some(values);
        let params = serde_json::to_value(expanded).unwrap_or_default();
        let copies = Copies { sets, inputs: self.inputs.clone(), outputs: self.outputs.clone(), params };
        Ok(Structure::Nested(Nested { path: self.path.0.clone(), copies }))
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let Some(values) = &self.expanded else {
            not_alone(cx);
            return None;
        };
        cx.source_file(&self.path.0, "path")?;
        if let Values::Row { table } = &self.values {
            cx.source_file(&table.0, "values.table")?;
        }
        let mut flows = Vec::new();
        for name in &self.outputs {
            let tables: Vec<(String, Table)> = values.iter().cloned().zip(cx.inputs(name).to_vec()).collect();
            flows.push(Flow::all(lasting(name), stacked(cx, &tables, self.source.as_ref(), Drift::Report)?));
        }
        Some(Planned { flows, ..Planned::default() })
    }

    fn examples() -> Vec<Example> {
        let file = json!({ "each": "file", "folder": "data", "pattern": "sales_*.csv" });
        let list = json!({ "each": "value", "list": ["North", "South"] });
        vec![
            Example::new(
                "For each file of a folder, with the file's name.",
                json!({ "path": "workflows/read.json", "parameter": "file", "values": file, "outputs": ["rows"], "source": "file" }),
            )
            .elsewhere(),
            Example::new(
                "For each region.",
                json!({ "path": "workflows/region.json", "parameter": "region", "values": list, "outputs": ["rows"] }),
            )
            .elsewhere(),
            Example::new(
                "For each row of a file, whose columns are the parameters.",
                json!({ "path": "workflows/region.json", "parameter": "", "values": { "each": "row", "table": "regions.csv" }, "outputs": ["rows"] }),
            )
            .elsewhere(),
            Example::new("One that only loads.", json!({ "path": "workflows/archive.json", "parameter": "region", "values": list }))
                .elsewhere(),
            Example::new("A workflow is a file.", json!({ "path": "", "parameter": "x", "values": list })).refused("not there"),
        ]
    }
}
