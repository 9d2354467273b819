//! Binding: a customer's file becomes an input of a package, whatever its columns are called.
//!
//! A binding is an ordinary workflow beside the contracts, `bindings/INPUT.json`: it reads the file, gives its columns
//! the contract's names, and lets the rows out. The package's own workflows are never touched. Columns are suggested by
//! their name, by the names the contract knows for them, and by what they hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value, json};
use weir_nodes::contract::{Contract, ContractColumn, Inputs};
use weir_nodes::problem::did_you_mean;
use weir_nodes::{ColumnType, Problem};

use super::INPUTS;
use crate::approval::{Act, Person, allow};
use crate::audit::{Audit, Event};
use crate::check::check;
use crate::effect::first_rows;
use crate::plan::Limits;
use crate::preview::{cell::cell, preview};
use crate::project::Project;
use crate::run::{certificate::Verdict, trial};
use crate::workflow::Workflow;

/// How many rows are looked at to suggest columns.
const LOOKED_AT: usize = 500;
/// How alike two names must be to be taken for the same, from 0 to 1.
const ALIKE: f64 = 0.88;
/// How much of a column's values must fit for it to be suggested.
const FITTING: f64 = 0.8;
/// The step of a binding that reads.
const READ: &str = "read";
/// The step of a binding that gives the columns their names.
const NAMES: &str = "columns";

/// The port of a contract by which rows are accepted.
const ACCEPTED: &str = "out";
/// The ports that a file is judged by.
const PORTS: [&str; 3] = ["exceptions", "rejected", ACCEPTED];
/// How many refused rows are shown of each.
const SHOWN: usize = 3;

/// A file to bind.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The input.
    pub input: String,
    /// The file, or a part of one, as in `deals.xlsx#September`.
    pub file: String,
    /// Columns chosen by hand: the contract's name, and the file's; none leaves an optional column out.
    pub columns: BTreeMap<String, Option<String>>,
}

/// Which column of a file a contract's column is, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Match {
    /// The contract's column.
    pub column: String,
    /// Its type there.
    pub column_type: String,
    /// Whether the file may lack it.
    pub optional: bool,
    /// The file's column; none when no column is suggested.
    pub from: Option<String>,
    /// Why it is suggested.
    pub why: Why,
    /// Some values of it.
    pub samples: Vec<String>,
}

/// Why a column is suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Somebody said so.
    Chosen,
    /// It has that name.
    Name,
    /// It has one of the names the contract knows.
    Synonym,
    /// It has nearly that name.
    Alike,
    /// It holds what such a column holds.
    Content,
    /// Nothing suggests it.
    Nothing,
}

/// A file as it would be bound.
#[derive(Debug, Clone, Serialize)]
pub struct Suggestion {
    /// The input.
    pub input: String,
    /// The file, as the package's workflows name it.
    pub file: String,
    /// The contract's columns.
    pub matches: Vec<Match>,
    /// The file's columns.
    pub columns: Vec<String>,
    /// Where the file is now, and where it comes to lie.
    #[serde(skip)]
    from: PathBuf,
    #[serde(skip)]
    target: PathBuf,
    /// The part of it that is read, such as a workbook's sheet.
    #[serde(skip)]
    part: Option<String>,
    /// Its columns that are read as text.
    #[serde(skip)]
    texts: Vec<String>,
}

impl Suggestion {
    /// The step that reads it, where it lies under this path.
    fn reading(&self, path: &str) -> (&'static str, Value) {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        weir_nodes::suggest::reading_part(path, self.part.as_deref(), &texts)
    }

    /// Whether the file lies outside the project and is copied into it when it is bound.
    pub fn is_brought(&self) -> bool {
        self.from != self.target
    }

    /// The columns that must be chosen before the file can be bound.
    pub fn lacking(&self) -> impl Iterator<Item = &Match> {
        self.matches.iter().filter(|found| found.from.is_none() && !found.optional)
    }

    /// The file's columns that nothing takes.
    pub fn left_over(&self) -> impl Iterator<Item = &String> {
        self.columns.iter().filter(|column| !self.matches.iter().any(|found| found.from.as_ref() == Some(column)))
    }
}

/// What the contract said of a file.
#[derive(Debug, Clone, Serialize)]
pub struct Judgement {
    /// Rows that are accepted.
    pub accepted: u64,
    /// The rules that some rows break.
    pub broken: Vec<Verdict>,
    /// The first rows that block, and the first that are rejected, with the reason.
    #[serde(skip)]
    pub first: Vec<(&'static str, RecordBatch)>,
}

impl Judgement {
    /// Whether the contract refuses the file.
    pub fn refuses(&self) -> bool {
        self.broken.iter().any(Verdict::blocks)
    }
}

/// The project as the workflows of a package in it see it, and the package's contracts.
pub fn contracts(project: &Project, folder: &Path) -> Result<(Project, Inputs), Problem> {
    let shown = folder.join(INPUTS).display().to_string();
    let text = std::fs::read_to_string(folder.join(INPUTS))
        .map_err(|_| Problem::error("The package has no inputs to bind.").in_file(&shown, None))?;
    let contracts = Inputs::parse(&text, &shown)?;
    Ok((project.clone().housing(&folder.join(super::MANIFEST)), contracts))
}

/// Where a file comes to lie when it is bound: where it is, or in the project's `data` when it lies elsewhere.
fn destination(project: &Project, file: &Path) -> Result<PathBuf, Problem> {
    if project.refused(&file.display().to_string()).is_none() {
        return Ok(file.to_owned());
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let target = project.root().join("data").join(&name);
    let same = || Some(std::fs::read(&target).ok()? == std::fs::read(file).ok()?);
    if target.exists() && same() != Some(true) {
        let problem = Problem::error(format!("There is another data/{name} in the project.")).in_file(target.display().to_string(), None);
        return Err(problem.help("Rename one of them, or allow the file's folder in weir.toml: folders = [\"…\"]."));
    }
    Ok(target)
}

/// The file that is bound to an input, as its binding names it; none when the input reads its example.
pub fn bound_file(project: &Project, input: &str) -> Option<String> {
    let workflow = Workflow::load(&place(project.home(), input)).ok()?;
    let read = workflow.nodes.get(READ)?.params.get("path")?.as_str()?;
    Some(read.to_owned())
}

/// A text as names are compared: without accents, capitals and marks.
fn plain(text: &str) -> String {
    weir_nodes::formula::without_accents(text).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// A small workflow.
fn sketch(name: &str, nodes: Value, edges: Value) -> Result<Workflow, Problem> {
    let text = json!({ "weir": 1, "name": name, "nodes": nodes, "edges": edges }).to_string();
    Workflow::parse(&text, name).map_err(|mut problems| problems.swap_remove(0))
}

/// The first rows of a file.
async fn look(project: &Project, kind: &str, params: &Value, limits: &Limits) -> Result<RecordBatch, Problem> {
    let workflow = sketch("look", json!({ READ: { "kind": kind, "params": params } }), json!([]))?;
    let checked = check(&workflow, project, &[]);
    if let Some(problem) = checked.problems.iter().find(|problem| problem.is_error()) {
        return Err(problem.clone());
    }
    Ok(preview(&checked, READ, LOOKED_AT, limits).await?.rows)
}

/// Suggests which columns of a file are the contract's. Nothing is changed.
pub async fn suggest(project: &Project, contracts: &Inputs, wish: &Wish, limits: &Limits) -> Result<Suggestion, Problem> {
    let contract = contracts.find(&wish.input, INPUTS)?;
    let (path, part) = weir_nodes::suggest::part(&wish.file);
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
    if !absolute.is_file() {
        return Err(Problem::error("There is no such file.").in_file(path, None).help("Check its path."));
    }
    let target = destination(project, &absolute)?;
    let file = project.reference(&target);
    // It is looked at where it is: nothing is brought anywhere before it is bound.
    let (kind, params) = weir_nodes::suggest::reading_part(&absolute.display().to_string(), part, &[]);
    let rows = look(&project.clone().allowing(&absolute), kind, &params, limits).await?;
    let schema = rows.schema();
    let columns: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
    let matches = matched(contract, &rows, &wish.columns, &columns)?;
    // Codes keep their zeros: what the contract takes as text is read as text.
    let is_text = |found: &&Match| contract.column(&found.column).is_some_and(|asked| asked.column_type == ColumnType::Text);
    let texts = matches.iter().filter(is_text).filter_map(|found| found.from.clone()).collect();
    let part = part.map(str::to_owned);
    Ok(Suggestion { input: wish.input.clone(), file, from: absolute, target, matches, columns, part, texts })
}

/// The values of a column that are there, as people see them.
fn values(rows: &RecordBatch, column: usize) -> Vec<String> {
    let array = rows.column(column);
    (0..array.len()).filter_map(|row| cell(array, row)).filter(|value| !value.trim().is_empty()).collect()
}

/// How much of a column's values could be the contract's.
fn fitting(asked: &ContractColumn, found: ColumnType, values: &[String]) -> f64 {
    if values.is_empty() {
        return if asked.filled { 0.0 } else { 0.5 };
    }
    let share = |fits: &dyn Fn(&str) -> bool| values.iter().filter(|value| fits(value.trim())).count() as f64 / values.len() as f64;
    let number = |value: &str| {
        let bare: String = value.chars().filter(|c| !c.is_whitespace() && *c != '\'').collect();
        bare.replace(',', ".").parse::<Decimal>().is_ok()
    };
    let typed = match asked.column_type {
        wanted if wanted == found || wanted.is_number() && found.is_number() => 1.0,
        ColumnType::Text => 1.0,
        ColumnType::Integer | ColumnType::Decimal(_) | ColumnType::Float => share(&number),
        ColumnType::Date | ColumnType::DateTime if matches!(found, ColumnType::Date | ColumnType::DateTime) => 1.0,
        ColumnType::Date | ColumnType::DateTime => {
            share(&|value| value.chars().filter(char::is_ascii_digit).count() >= 6 && value.contains(['/', '-', '.']))
        }
        ColumnType::Boolean => {
            share(&|value| ["true", "false", "yes", "no", "oui", "non", "vrai", "faux", "1", "0"].contains(&value.to_lowercase().as_str()))
        }
    };
    if asked.one_of.is_empty() {
        return typed;
    }
    typed * share(&|value| asked.one_of.iter().any(|one| plain(one) == plain(value)))
}

/// How well a name fits, and why.
fn named(asked: &ContractColumn, name: &str) -> (f64, Why) {
    let name = plain(name);
    if name == plain(&asked.name) {
        return (1.0, Why::Name);
    }
    let synonyms = || asked.synonyms.iter().map(|synonym| plain(synonym));
    if synonyms().any(|synonym| synonym == name) {
        return (0.98, Why::Synonym);
    }
    let near = synonyms().chain([plain(&asked.name)]).map(|known| strsim::jaro_winkler(&known, &name)).fold(0.0, f64::max);
    // A name inside another: "Amount (EUR)" for "amount".
    let inside = synonyms()
        .chain([plain(&asked.name)])
        .any(|known| known.chars().count() >= 5 && (name.starts_with(&known) || name.ends_with(&known)));
    if inside { (near.max(0.9), Why::Alike) } else { (near, Why::Alike) }
}

fn matched(
    contract: &Contract,
    rows: &RecordBatch,
    chosen: &BTreeMap<String, Option<String>>,
    columns: &[String],
) -> Result<Vec<Match>, Problem> {
    for (column, from) in chosen {
        if contract.column(column).is_none() {
            let help = did_you_mean(column, contract.columns.iter().map(|asked| asked.name.as_str()));
            return Err(Problem::error(format!("The contract has no column \"{column}\"."))
                .help(help.unwrap_or_else(|| "Look at it with: weir template show.".into())));
        }
        if let Some(from) = from.as_ref().filter(|from| !columns.contains(from)) {
            let help = did_you_mean(from, columns.iter().map(String::as_str));
            return Err(Problem::error(format!("The file has no column \"{from}\"."))
                .help(help.unwrap_or_else(|| format!("There is: {}.", columns.join(", ")))));
        }
    }
    let schema = rows.schema();
    let contents: Vec<Vec<String>> = (0..columns.len()).map(|column| values(rows, column)).collect();
    let kinds: Vec<ColumnType> =
        schema.fields().iter().map(|field| ColumnType::of(field.data_type()).unwrap_or(ColumnType::Text)).collect();
    let mut scores = Vec::new();
    for (at, asked) in contract.columns.iter().enumerate().filter(|(_, asked)| !chosen.contains_key(&asked.name)) {
        for (place, name) in columns.iter().enumerate() {
            let fits = fitting(asked, kinds[place], &contents[place]);
            let (near, why) = named(asked, name);
            // An exact name counts whatever it holds: the contract will say what is wrong with it.
            let good = if why == Why::Alike { near >= ALIKE && fits >= FITTING } else { true };
            // A short list of values tells a column by itself, where nothing else has them.
            let told = !asked.one_of.is_empty() && fits >= FITTING;
            if good {
                scores.push((near + fits / 10.0, why, at, place));
            } else if told {
                scores.push((0.5 + fits / 10.0, Why::Content, at, place));
            }
        }
    }
    scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)).then(a.3.cmp(&b.3)));
    let mut taken: Vec<usize> = chosen.values().flatten().filter_map(|from| columns.iter().position(|name| name == from)).collect();
    let mut found: BTreeMap<usize, (usize, Why)> = BTreeMap::new();
    for (_, why, at, place) in scores {
        if !taken.contains(&place) && !found.contains_key(&at) {
            taken.push(place);
            found.insert(at, (place, why));
        }
    }
    // What is left is told by its type, where only one column is left that has it.
    for (at, asked) in contract.columns.iter().enumerate() {
        let open =
            !found.contains_key(&at) && !chosen.contains_key(&asked.name) && !asked.optional && asked.column_type != ColumnType::Text;
        let alike = |other: &ContractColumn| other.column_type == asked.column_type;
        let rivals = contract.columns.iter().enumerate().filter(|(other, column)| !found.contains_key(other) && alike(column)).count();
        if open && rivals == 1 {
            let same: Vec<usize> =
                (0..columns.len()).filter(|place| !taken.contains(place) && kinds[*place] == asked.column_type).collect();
            if let [only] = same[..] {
                taken.push(only);
                found.insert(at, (only, Why::Content));
            }
        }
    }
    Ok(contract
        .columns
        .iter()
        .enumerate()
        .map(|(at, asked)| {
            let (place, why) = match (chosen.get(&asked.name), found.get(&at)) {
                (Some(from), _) => (from.as_ref().and_then(|from| columns.iter().position(|name| name == from)), Why::Chosen),
                (None, Some((place, why))) => (Some(*place), *why),
                (None, None) => (None, Why::Nothing),
            };
            Match {
                column: asked.name.clone(),
                column_type: asked.column_type.to_string(),
                optional: asked.optional,
                from: place.map(|place| columns[place].clone()),
                why,
                samples: place.map_or_else(Vec::new, |place| contents[place].iter().take(3).cloned().collect()),
            }
        })
        .collect())
}

/// The workflow that binds a file as suggested.
fn binding(suggestion: &Suggestion, file: &str) -> Result<Workflow, Problem> {
    let (kind, params) = suggestion.reading(file);
    let chosen: Vec<Value> = suggestion
        .matches
        .iter()
        .filter_map(|found| {
            let from = found.from.as_ref()?;
            Some(if *from == found.column { json!({ "column": from }) } else { json!({ "column": from, "as": found.column }) })
        })
        .collect();
    bound(&suggestion.input, kind, &params, Some(chosen))
}

fn bound(input: &str, kind: &str, params: &Value, chosen: Option<Vec<Value>>) -> Result<Workflow, Problem> {
    let rows = weir_nodes::input::contract::BOUND;
    let mut nodes = Map::new();
    nodes.insert(READ.into(), json!({ "kind": kind, "params": params }));
    nodes.insert(rows.into(), weir_nodes::suggest::exit(rows));
    let mut edges = vec![json!({ "from": READ, "to": rows })];
    if let Some(chosen) = chosen {
        let (select, params) = weir_nodes::suggest::choosing(chosen);
        nodes.insert(NAMES.into(), json!({ "kind": select, "params": params }));
        edges = vec![json!({ "from": READ, "to": NAMES }), json!({ "from": NAMES, "to": rows })];
    }
    let mut workflow = sketch(&format!("Binding of {input}"), Value::Object(nodes), Value::Array(edges))?;
    for (at, id) in [READ, NAMES, rows].into_iter().filter(|id| workflow.nodes.contains_key(*id)).enumerate() {
        workflow.layout.nodes.insert(id.to_owned(), [at as f64 * 240.0, 0.0]);
    }
    Ok(workflow)
}

/// Binds a CSV file of a package to an input by the names it has: what tests do.
pub(crate) fn plain_file(folder: &Path, input: &str, file: &str) -> Result<(), Problem> {
    let (kind, params) = weir_nodes::suggest::reading(file);
    let workflow = bound(input, kind, &params, None)?;
    save(&workflow, &place(folder, input))
}

/// The file of a binding.
pub fn place(folder: &Path, input: &str) -> PathBuf {
    folder.join(weir_nodes::input::contract::binding(INPUTS, input))
}

fn save(workflow: &Workflow, path: &Path) -> Result<(), Problem> {
    std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(|error| {
        Problem::error(format!("The binding cannot be written: {error}."))
            .in_file(path.display().to_string(), None)
            .help("Check the folder's permissions.")
    })?;
    workflow.save(path)
}

/// What the contract says of a file that would be bound as suggested. Nothing is changed.
pub async fn judge(project: &Project, contracts: &Inputs, suggestion: &Suggestion, limits: &Limits) -> Result<Judgement, Problem> {
    lacking(suggestion)?;
    let scratch = project.scratch()?;
    let folder = scratch.path();
    let written = serde_json::to_string(contracts).map_err(std::io::Error::from);
    written
        .and_then(|text| std::fs::write(folder.join(INPUTS), text))
        .map_err(|error| Problem::error(format!("There is no room to try the binding: {error}.")).help("Check the disk's space."))?;
    let workflow = binding(suggestion, &suggestion.from.display().to_string())?;
    save(&workflow, &place(folder, &suggestion.input))?;
    let here = project.clone().allowing(&suggestion.from).at(folder);
    let step = "input";
    let (kind, params) = weir_nodes::suggest::contract(INPUTS, &suggestion.input);
    let mut nodes = json!({ step: { "kind": kind, "params": params } });
    let edges = PORTS.map(|port| json!({ "from": format!("{step}.{port}"), "to": port }));
    PORTS.iter().for_each(|port| nodes[*port] = weir_nodes::suggest::written(&format!("{port}.csv")));
    let asked = sketch("judge", nodes, json!(edges))?;
    let checked = check(&asked, &here, &[]);
    if let Some(problem) = checked.problems.iter().find(|problem| problem.is_error()) {
        return Err(problem.clone());
    }
    let tried = trial(&asked, &checked, &here, limits, &folder.join("tried")).await?;
    let broken: Vec<Verdict> = tried.verdicts.into_iter().filter(|verdict| !verdict.holds).collect();
    let mut judgement = Judgement { accepted: 0, broken, first: vec![] };
    for (output, path) in tried.outputs.iter().zip(&tried.tables) {
        match PORTS.iter().find(|port| **port == output.node) {
            Some(port) if *port != ACCEPTED && output.rows > 0 => judgement.first.push((port, first_rows(path, port, SHOWN)?)),
            Some(port) if *port == ACCEPTED => judgement.accepted = output.rows,
            _ => {}
        }
    }
    Ok(judgement)
}

fn lacking(suggestion: &Suggestion) -> Result<(), Problem> {
    let lacking: Vec<String> = suggestion.lacking().map(|found| format!("{} ({})", found.column, found.column_type)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let left: Vec<&str> = suggestion.left_over().map(String::as_str).collect();
    let what = format!("No column of {} is known to be: {}.", suggestion.file, lacking.join(", "));
    let first = suggestion.lacking().next().map_or("", |found| &found.column);
    let help = format!("Say which it is: --column {}.{first}=\"…\". Columns that nothing takes: {}.", suggestion.input, left.join(", "));
    Err(Problem::error(what).help(help))
}

/// Binds a file as suggested.
pub fn bind(project: &Project, suggestion: &Suggestion) -> Result<PathBuf, Problem> {
    let person = Person::current(project);
    allow(project, &person, Act::Bind)?;
    lacking(suggestion)?;
    let path = place(project.home(), &suggestion.input);
    let workflow = binding(suggestion, &suggestion.file)?;
    if suggestion.is_brought() {
        let Suggestion { from, target, .. } = suggestion;
        std::fs::create_dir_all(target.parent().unwrap_or(target)).and_then(|()| std::fs::copy(from, target)).map_err(|error| {
            let problem = Problem::error(format!("The file cannot be brought into the project: {error}."));
            problem.in_file(target.display().to_string(), None).help("Copy it there yourself.")
        })?;
    }
    save(&workflow, &path)?;
    let matches: BTreeMap<&str, Option<&str>> =
        suggestion.matches.iter().map(|found| (found.column.as_str(), found.from.as_deref())).collect();
    let detail = json!({ "file": suggestion.file, "columns": matches });
    Audit::open(&project.audit()).append(Event::Bind, &person.id, &project.shown(&path), detail)?;
    Ok(path)
}

/// Takes a binding back: the input reads its example again.
pub fn unbind(project: &Project, input: &str) -> Result<(), Problem> {
    let person = Person::current(project);
    allow(project, &person, Act::Bind)?;
    let path = place(project.home(), input);
    std::fs::remove_file(&path).map_err(|_| {
        Problem::error(format!("No file is bound to \"{input}\".")).in_file(project.shown(&path), None).help("It reads its example.")
    })?;
    Audit::open(&project.audit()).append(Event::Bind, &person.id, &project.shown(&path), json!({ "file": null }))?;
    Ok(())
}
