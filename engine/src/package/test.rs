//! The tests of a package: sample in, expected figures out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use weir_nodes::{ColumnType, Problem};

use super::bind;
use super::{Files, Manifest};
use crate::check;
use crate::effect::tried;
use crate::plan::Limits;
use crate::preview::cell::cell;
use crate::project::Project;
use crate::run::Outcome;
use crate::workflow::Workflow;

/// How many differences of one table are named.
const NAMED: usize = 5;

/// What a test says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub about: String,
    /// Where the expected figures come from.
    #[serde(default)]
    pub source: String,
    /// The workflow.
    pub workflow: String,
    /// The values of its parameters.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Files that are bound to inputs, as the package names them.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// Files of the package that are replaced by others of it.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The rows that are expected of outputs, each as a CSV file of the package.
    #[serde(default)]
    pub expect: BTreeMap<String, String>,
    /// Whether the run would be published.
    #[serde(default = "published")]
    pub outcome: Outcome,
    /// The steps with a control that fails; not looked at unless given.
    #[serde(default)]
    pub failing: Option<BTreeSet<String>>,
}

fn published() -> Outcome {
    Outcome::Published
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The test's file.
    pub test: String,
    /// What it shows.
    pub about: String,
    /// The workflow.
    pub workflow: String,
    /// The outputs it looks at.
    pub outputs: Vec<String>,
    /// What differs; nothing when it holds.
    pub differences: Vec<String>,
}

impl Verdict {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
    }
}

/// The tests of a package, by their file.
pub fn cases(files: &Files) -> Result<BTreeMap<String, Case>, Problem> {
    let mut cases = BTreeMap::new();
    for path in files.0.keys() {
        let inner =
            path.strip_prefix("tests/").filter(|name| !name.contains('/') && Path::new(name).extension().is_some_and(|e| e == "json"));
        if inner.is_none() {
            continue;
        }
        let text = files.text(path)?.unwrap_or_default();
        let case = serde_json::from_str(text).map_err(|error| {
            let problem = Problem::error(format!("The test cannot be read: {error}."));
            problem.in_file(path, Some(error.line() as u64)).help("Correct that line.")
        })?;
        cases.insert(path.clone(), case);
    }
    Ok(cases)
}

/// A package and what it needs in a project of its own; gives the package's folder.
pub(crate) fn project_of(files: &Files, needs: &[Files], root: &Path) -> Result<PathBuf, Problem> {
    std::fs::write(root.join(crate::project::FILE), "")
        .map_err(|error| Problem::error(format!("There is no room to try the package: {error}.")))?;
    let place = |files: &Files| -> Result<PathBuf, Problem> { Ok(root.join(super::install::FOLDER).join(Manifest::of(files)?.id)) };
    for need in needs {
        need.write(&place(need)?)?;
    }
    let folder = place(files)?;
    files.write(&folder)?;
    Ok(folder)
}

/// Puts a case's files and bindings in place.
fn staged(files: &Files, case: &Case, folder: &Path) -> Result<(), Problem> {
    for (path, by) in &case.files {
        let Some(bytes) = files.0.get(by) else { return Err(missing(by)) };
        Files([(path.clone(), bytes.clone())].into()).write(folder)?;
    }
    for (input, file) in &case.inputs {
        if !files.0.contains_key(file) {
            return Err(missing(file));
        }
        bind::plain_file(folder, input, file)?;
    }
    Ok(())
}

fn missing(file: &str) -> Problem {
    Problem::error(format!("The test names a file \"{file}\" that the package does not have.")).help("Correct its path.")
}

/// Runs the tests of a package; a problem with one of them is its difference.
pub async fn run(files: &Files, needs: &[Files], limits: &Limits) -> Result<Vec<Verdict>, Problem> {
    Manifest::of(files)?;
    let mut verdicts = Vec::new();
    for (test, case) in cases(files)? {
        let differences = match judge(files, needs, &case, limits).await {
            Ok(differences) => differences,
            Err(problem) => vec![problem.to_string()],
        };
        let outputs = case.expect.keys().cloned().collect();
        verdicts.push(Verdict { test, about: case.about, workflow: case.workflow, outputs, differences });
    }
    Ok(verdicts)
}

async fn judge(files: &Files, needs: &[Files], case: &Case, limits: &Limits) -> Result<Vec<String>, Problem> {
    let folder = tempfile::tempdir().map_err(|error| Problem::error(format!("There is no room for the test: {error}.")))?;
    let home = project_of(files, needs, folder.path())?;
    staged(files, case, &home)?;
    let file = home.join(&case.workflow);
    let workflow = Workflow::load(&file).map_err(|mut problems| problems.swap_remove(0))?;
    let project = Project::of(&file)?;
    let set: Vec<(String, String)> = case.set.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let (trial, outputs) = match tried(&workflow, &project, &set, limits).await {
        Ok(tried) => tried,
        Err(problem) => {
            // All that is wrong with it, where it cannot run.
            let errors = check::check(&workflow, &project, &set).problems.into_iter().filter(Problem::is_error);
            let errors: Vec<String> = errors.map(|problem| problem.to_string()).collect();
            return Ok(if errors.is_empty() { vec![problem.to_string()] } else { errors });
        }
    };
    let mut differences = Vec::new();
    let blocked: Vec<_> = trial.verdicts.iter().filter(|verdict| verdict.blocks()).collect();
    match (case.outcome, blocked.first()) {
        (Outcome::Published, Some(verdict)) => {
            differences.push(format!("it is blocked by {}: {}", verdict.node, verdict.title));
        }
        (Outcome::Blocked, None) => differences.push("it would be published, and should be blocked".into()),
        _ => {}
    }
    if let Some(expected) = &case.failing {
        let failing: BTreeSet<String> =
            trial.verdicts.iter().filter(|verdict| !verdict.holds).map(|verdict| verdict.node.clone()).collect();
        differences.extend(expected.difference(&failing).map(|node| format!("the control {node} holds, and should fail")));
        differences.extend(failing.difference(expected).map(|node| format!("the control {node} fails, and should hold")));
    }
    for (target, path) in &case.expect {
        let Some(text) = files.text(path)? else { return Err(missing(path)) };
        match outputs.iter().find(|output| output.proof.target == *target) {
            Some(output) => differences.extend(compared(target, &output.rows, text, path)?),
            None => {
                let there: Vec<&str> = outputs.iter().map(|output| output.proof.target.as_str()).collect();
                differences.push(format!("there is no output {target}; there is: {}", there.join(", ")));
            }
        }
    }
    Ok(differences)
}

/// How a table differs from an expected one: columns, rows, and the first cells.
fn compared(target: &str, rows: &RecordBatch, expected: &str, path: &str) -> Result<Vec<String>, Problem> {
    let broken = |error: csv::Error| Problem::error(format!("The expected rows cannot be read: {error}.")).in_file(path, None);
    let mut reader = csv::Reader::from_reader(expected.trim_start_matches('\u{feff}').as_bytes());
    let names: Vec<String> = reader.headers().map_err(broken)?.iter().map(str::to_owned).collect();
    let schema = rows.schema();
    let found: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    if names != found {
        return Ok(vec![format!("{target} has the columns {}; expected: {}", found.join(", "), names.join(", "))]);
    }
    let records = reader.records().collect::<Result<Vec<_>, _>>().map_err(broken)?;
    let mut differences = Vec::new();
    if records.len() != rows.num_rows() {
        differences.push(format!("{target} has {} rows; expected: {}", rows.num_rows(), records.len()));
    }
    let mut more = 0_usize;
    for (at, record) in records.iter().enumerate().take(rows.num_rows()) {
        for (column, (field, values)) in schema.fields().iter().zip(rows.columns()).enumerate() {
            let is = cell(values, at).unwrap_or_default();
            let wanted = record.get(column).unwrap_or_default();
            let number = ColumnType::of(field.data_type()).is_some_and(ColumnType::is_number);
            let same = is == wanted || number && matches!((is.parse::<Decimal>(), wanted.parse::<Decimal>()), (Ok(a), Ok(b)) if a == b);
            if same {
                continue;
            }
            if differences.len() < NAMED {
                differences.push(format!("{target}, row {}, {}: {} instead of {}", at + 1, field.name(), said(&is), said(wanted)));
            } else {
                more += 1;
            }
        }
    }
    if more > 0 {
        differences.push(format!("{target}: {more} more cells differ"));
    }
    Ok(differences)
}

fn said(value: &str) -> String {
    if value.is_empty() { "nothing".into() } else { format!("\"{value}\"") }
}
