//! The certification of a package: what a reviewer would ask, asked by the program, with a report.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use weir_nodes::contract::Inputs;
use weir_nodes::kind::Category;
use weir_nodes::problem::Level;
use weir_nodes::{ColumnType, Problem, Severity};

use super::{Files, Manifest, inputs, seal, test};
use crate::check::{Checked, check};
use crate::effect::{Output, tried};
use crate::plan::Limits;
use crate::preview::preview;
use crate::project::Project;
use crate::run::Trial;
use crate::trace::{Question, back, row_condition};
use crate::workflow::{PortRef, Workflow};

/// The numbers of threads that must give the same digests.
const THREADS: [usize; 3] = [1, 2, 7];
/// The fewest letters of a README that explains anything.
const README: usize = 1_200;

/// One thing that is certified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// What it is about.
    pub name: &'static str,
    /// What was looked at.
    pub looked_at: String,
    /// What is wrong; nothing when it is good.
    pub findings: Vec<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The package and its version.
    pub package: String,
    /// The things looked at.
    pub sections: Vec<Section>,
}

impl Report {
    /// Whether everything is good.
    pub fn is_green(&self) -> bool {
        self.sections.iter().all(|section| section.findings.is_empty())
    }

    fn add(&mut self, name: &'static str, looked_at: String, findings: Vec<String>) {
        self.sections.push(Section { name, looked_at, findings });
    }
}

/// A workflow of the package, tried on the samples.
struct Tried {
    path: String,
    workflow: Workflow,
    checked: Checked,
    trial: Trial,
    outputs: Vec<Output>,
}

/// Looks at a package as a reviewer does.
pub async fn review(files: &Files, needs: &[Files], limits: &Limits) -> Result<Report, Problem> {
    let manifest = Manifest::of(files)?;
    let mut report = Report { package: manifest.shown(), sections: vec![] };
    let (who, found) = match seal::verify(files) {
        Ok(seal) => (format!("signed by {} with {}", seal.publisher, seal.key), vec![]),
        Err(problem) => ("the signature".to_owned(), vec![problem.to_string()]),
    };
    report.add("signature", who, found);
    report.add("description", format!("{} in English and French", super::MANIFEST), described(&manifest));

    let folder = tempfile::tempdir().map_err(|error| Problem::error(format!("There is no room for the review: {error}.")))?;
    let home = test::project_of(files, needs, folder.path())?;
    let contracts = match inputs(files) {
        Ok(contracts) => contracts,
        Err(problem) => {
            report.add("contracts", super::INPUTS.into(), vec![problem.to_string()]);
            return Ok(report);
        }
    };
    let (tried, found) = all_tried(&manifest, &home, limits).await?;
    let steps: usize = tried.iter().map(|tried| tried.checked.steps.len()).sum();
    report.add("workflows", format!("{} workflows with {steps} steps", manifest.workflows.len()), found);
    report.add(
        "contracts",
        format!("{} inputs", contracts.as_ref().map_or(0, |contracts| contracts.inputs.len())),
        contracts.as_ref().map_or_else(Vec::new, |contracts| contracted(contracts, files, &tried)),
    );
    report.add("controls", format!("{} verdicts", tried.iter().map(|tried| tried.trial.verdicts.len()).sum::<usize>()), controlled(&tried));

    let verdicts = test::run(files, needs, limits).await?;
    let mut found: Vec<String> = Vec::new();
    for verdict in verdicts.iter().filter(|verdict| !verdict.holds()) {
        found.extend(verdict.differences.iter().map(|difference| format!("{}: {difference}", verdict.test)));
    }
    let expected: BTreeSet<(&str, &str)> =
        verdicts.iter().flat_map(|verdict| verdict.outputs.iter().map(|output| (verdict.workflow.as_str(), output.as_str()))).collect();
    for tried in &tried {
        let targets = tried.outputs.iter().map(|output| output.proof.target.as_str());
        found.extend(
            targets
                .filter(|target| !expected.contains(&(tried.path.as_str(), *target)))
                .map(|target| format!("{}: no test expects {target}", tried.path)),
        );
    }
    report.add("tests", format!("{} tests", verdicts.len()), found);

    let outputs: usize = tried.iter().map(|tried| tried.outputs.len()).sum();
    report.add(
        "digests",
        format!("{outputs} outputs with {} threads", THREADS.map(|n| n.to_string()).join(", ")),
        same(&tried, &home, limits).await?,
    );
    let (found, outputs) = figures(&manifest, &tried, &home, limits).await;
    report.add("figures", format!("{} rules, a row of {outputs} outputs traced", manifest.figures.len()), found);
    report.add("documentation", "README.md, words of every step".into(), documented(files, &tried));
    Ok(report)
}

fn described(manifest: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    let words = [("name".to_owned(), &manifest.name), ("summary".to_owned(), &manifest.summary)];
    let workflows = manifest.workflows.iter().map(|(path, words)| (format!("workflow {path}"), words));
    let gives = manifest.gives.iter().map(|(target, words)| (format!("output {target}"), words));
    for (what, words) in words.into_iter().chain(workflows).chain(gives) {
        if !words.is_whole() {
            found.push(format!("{what}: words are missing in English or French"));
        }
    }
    if manifest.keywords.len() < 3 {
        found.push("keywords: fewer than three words that people search for".into());
    }
    if !manifest.workflows.contains_key(&manifest.main) {
        found.push(format!("main: \"{}\" is not among the workflows", manifest.main));
    }
    found
}

async fn all_tried(manifest: &Manifest, folder: &Path, limits: &Limits) -> Result<(Vec<Tried>, Vec<String>), Problem> {
    let (mut all, mut found) = (Vec::new(), Vec::new());
    for path in manifest.workflows.keys() {
        let file = folder.join(path);
        let workflow = match Workflow::load(&file) {
            Ok(workflow) => workflow,
            Err(problems) => {
                found.extend(problems.iter().map(|problem| format!("{path}: {problem}")));
                continue;
            }
        };
        let project = Project::of(&file)?;
        let checked = check(&workflow, &project, &[]);
        let problems = checked.problems.iter().filter(|problem| problem.level >= Level::Warning);
        found.extend(problems.map(|problem| format!("{path}: {problem}")));
        if !checked.is_runnable() {
            continue;
        }
        match tried(&workflow, &project, &[], limits).await {
            Ok((trial, outputs)) => {
                found.extend(
                    trial
                        .verdicts
                        .iter()
                        .filter(|verdict| verdict.blocks())
                        .map(|verdict| format!("{path}: {} blocks the sample: {}", verdict.node, verdict.title)),
                );
                let targets = outputs.iter().map(|output| output.proof.target.as_str());
                found.extend(
                    targets
                        .filter(|target| !manifest.gives.contains_key(*target))
                        .map(|target| format!("{path}: gives {target}, which {} does not describe", super::MANIFEST)),
                );
                all.push(Tried { path: path.clone(), workflow, checked, trial, outputs });
            }
            Err(problem) => found.push(format!("{path}: {problem}")),
        }
    }
    for target in
        manifest.gives.keys().filter(|target| !all.iter().any(|tried| tried.outputs.iter().any(|output| output.proof.target == **target)))
    {
        found.push(format!("{}: describes {target}, which no workflow gives", super::MANIFEST));
    }
    Ok((all, found))
}

fn contracted(contracts: &Inputs, files: &Files, tried: &[Tried]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, contract) in &contracts.inputs {
        if !contract.title.is_whole() || !contract.about.is_whole() {
            found.push(format!("{name}: title or about is missing in English or French"));
        }
        if !files.0.contains_key(&contract.example) {
            found.push(format!("{name}: its example \"{}\" is not in the package", contract.example));
        }
        if contract.columns.is_empty() {
            found.push(format!("{name}: it asks for no columns"));
        }
        for column in &contract.columns {
            if !column.about.is_whole() {
                found.push(format!("{name}.{}: what it holds is not said in English and French", column.name));
            }
            if column.synonyms.is_empty() {
                found.push(format!("{name}.{}: no other name is known for it", column.name));
            }
        }
        let told = contract.columns.iter().any(|column| column.unique) || !contract.keys.is_empty();
        if !told && !contract.columns.iter().any(|column| column.filled) {
            found.push(format!("{name}: no column must be filled and none is a key"));
        }
        for rule in contract.rules.iter().filter(|rule| !rule.message.is_whole() || rule.source.is_empty()) {
            found.push(format!("{name}: the rule {} has no message in both languages, or no source", rule.formula.0));
        }
        let reads = |source: &std::path::PathBuf| source.ends_with(&contract.example);
        let used = tried.iter().any(|tried| tried.checked.steps.values().any(|step| step.sources.iter().any(reads)));
        if !used {
            found.push(format!("{name}: no workflow reads it"));
        }
    }
    found
}

fn controlled(tried: &[Tried]) -> Vec<String> {
    let lacking = tried.iter().filter(|tried| {
        let blocks = |node: &str| tried.checked.steps.get(node).is_some_and(|step| step.kind.identity.category == Category::Control);
        !tried.outputs.is_empty()
            && !tried.trial.verdicts.iter().any(|verdict| verdict.severity == Severity::Block && blocks(&verdict.node))
    });
    lacking.map(|tried| format!("{}: it loads, and no control of its own can block it", tried.path)).collect()
}

async fn same(tried: &[Tried], folder: &Path, limits: &Limits) -> Result<Vec<String>, Problem> {
    let mut found = Vec::new();
    for one in tried {
        let project = Project::of(&folder.join(&one.path))?;
        // The first trial had as many threads as the limits say.
        for threads in THREADS.into_iter().filter(|threads| *threads != limits.threads) {
            let limits = Limits { threads, ..limits.clone() };
            let (_, outputs) = self::tried(&one.workflow, &project, &[], &limits).await?;
            for (first, again) in one.outputs.iter().zip(&outputs).filter(|(first, again)| first.proof.digest != again.proof.digest) {
                found.push(format!(
                    "{}: {} differs with {threads} threads ({} rows, {} before)",
                    one.path, first.proof.target, again.proof.rows, first.proof.rows
                ));
            }
        }
    }
    Ok(found)
}

async fn figures(manifest: &Manifest, tried: &[Tried], folder: &Path, limits: &Limits) -> (Vec<String>, usize) {
    let (mut found, mut outputs) = (Vec::new(), 0);
    for figure in &manifest.figures {
        let rows = tried
            .iter()
            .flat_map(|tried| tried.outputs.iter())
            .find(|output| output.proof.target == figure.output)
            .map(|output| &output.rows);
        let Some(rows) = rows else {
            found.push(format!("a rule speaks of {}, which no workflow gives", figure.output));
            continue;
        };
        found.extend(
            figure
                .columns
                .iter()
                .filter(|column| rows.column_by_name(column).is_none())
                .map(|column| format!("{} has no column {column}, of which a rule speaks", figure.output)),
        );
        if !tried.iter().any(|tried| tried.checked.steps.contains_key(&figure.step)) {
            found.push(format!(
                "{}: the rule of {} names a step \"{}\" that is not there",
                figure.output,
                figure.columns.join(", "),
                figure.step
            ));
        }
        if !figure.rule.is_whole() || figure.source.trim().is_empty() {
            found.push(format!(
                "{}: the rule of {} is not said in both languages with its source",
                figure.output,
                figure.columns.join(", ")
            ));
        }
    }
    for tried in tried {
        for output in &tried.outputs {
            let target = &output.proof.target;
            for field in
                output.rows.schema().fields().iter().filter(|field| ColumnType::of(field.data_type()).is_some_and(ColumnType::is_number))
            {
                let ruled = manifest.figures.iter().any(|figure| figure.output == *target && figure.columns.contains(field.name()));
                if !ruled {
                    found.push(format!("{target}: no rule stands behind the figure {}", field.name()));
                }
            }
        }
        let (wrong, all) = traced(tried, folder, limits).await;
        found.extend(wrong);
        outputs += all;
    }
    (found, outputs)
}

/// Whether the first row of everything that a workflow loads can be followed to its sources; and how many outputs there
/// are.
async fn traced(tried: &Tried, folder: &Path, limits: &Limits) -> (Vec<String>, usize) {
    let (mut found, mut outputs) = (Vec::new(), 0);
    let Ok(project) = Project::of(&folder.join(&tried.path)) else { return (found, 0) };
    for (node, step) in &tried.checked.steps {
        for sink in &step.planned.sinks {
            let Some(wire) = step.wire(sink.port(), 0) else { continue };
            let port = tried.checked.steps[&wire.node].planned.flows[wire.flow].outlets[wire.outlet].port;
            let port = PortRef { node: wire.node.clone(), port: Some(port.to_owned()) }.to_string();
            let first = match preview(&tried.checked, &port, 1, limits).await {
                Ok(page) => page.rows,
                Err(problem) => {
                    found.push(format!("{}: {node}: {problem}", tried.path));
                    continue;
                }
            };
            if first.num_rows() == 0 {
                found.push(format!("{}: the sample gives {node} no row", tried.path));
                continue;
            }
            outputs += 1;
            let condition = row_condition(&first, 0);
            let question = Question {
                workflow: &tried.workflow,
                file: tried.path.clone(),
                port,
                condition: &condition,
                column: None,
                set: vec![],
                table: None,
                run: None,
            };
            match back(&project, &question, limits).await {
                Ok(trace) if trace.sources.is_empty() => found.push(format!("{}: the first row of {node} leads to no source", tried.path)),
                Ok(trace) if !trace.reproduced => {
                    found.push(format!("{}: the sources of the first row of {node} do not make it again", tried.path));
                }
                Ok(_) => {}
                Err(problem) => found.push(format!("{}: {node}: {problem}", tried.path)),
            }
        }
    }
    (found, outputs)
}

fn documented(files: &Files, tried: &[Tried]) -> Vec<String> {
    let mut found = Vec::new();
    let text = match files.text("README.md") {
        Ok(Some(text)) => text,
        Ok(None) => return vec!["there is no README.md".into()],
        Err(problem) => return vec![problem.to_string()],
    };
    if text.chars().count() < README {
        found.push(format!("README.md has fewer than {README} letters: what comes in, what comes out, by which rules?"));
    }
    if text.lines().filter(|line| line.starts_with("## ")).count() < 3 {
        found.push("README.md has fewer than three sections".into());
    }
    if !text.to_lowercase().contains("français") {
        found.push("README.md says nothing in French".into());
    }
    let pictures: Vec<&str> = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|path| Path::new(path).extension().is_some_and(|ending| ending == "svg" || ending == "png"))
        .collect();
    if pictures.is_empty() {
        found.push("README.md shows no picture of the drawing".into());
    }
    found.extend(
        pictures
            .iter()
            .filter(|path| !files.0.contains_key(**path))
            .map(|path| format!("README.md shows \"{path}\", which is not in the package")),
    );
    for tried in tried {
        let bare = tried.workflow.nodes.iter().filter(|(id, node)| {
            let category = tried.checked.steps.get(*id).map(|step| step.kind.identity.category);
            // A control, a mapping and a calculation are rules, and a rule says why.
            let rule = matches!(category, Some(Category::Control | Category::Mapping | Category::Calc));
            rule && node.note.as_ref().is_none_or(|note| note.trim().is_empty())
        });
        let bare: Vec<&str> = bare.map(|(id, _)| id.as_str()).collect();
        if !bare.is_empty() {
            found.push(format!("{}: steps that are rules and have no note: {}", tried.path, bare.join(", ")));
        }
        let lost: Vec<&str> =
            tried.workflow.nodes.keys().filter(|id| !tried.workflow.layout.nodes.contains_key(*id)).map(String::as_str).collect();
        if !lost.is_empty() {
            found.push(format!("{}: steps without a place on the drawing: {}", tried.path, lost.join(", ")));
        }
    }
    found
}
