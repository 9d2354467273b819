//! The contract every step fulfils, and what a step hands to the engine.
//!
//! A kind is a struct of its parameters plus what they mean. Palette, form, JSON schema, help, documentation and tests
//! are derived from it; nothing outside this crate matches on a kind's id. A kind *describes*: [`NodeKind::plan`] reads
//! no rows, it returns tables (as `DataFusion` plans), controls ([`Check`]) and sinks ([`Sink`]) that the engine acts on.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::example::Example;
use crate::formula::{self, Typed};
use crate::param::{Column, Columns, FilePath, Formula, NewColumn};
use crate::problem::{Problem, did_you_mean};
use crate::table::{OrderKey, Table, column, is_hidden};
use crate::types::ColumnType;

/// A text in the product's two languages, both written by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// French.
    pub fr: &'static str,
}

/// The seven families of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Where rows come from.
    Input,
    /// Which rows and columns go on, and in what order.
    Filter,
    /// Several tables become one.
    Join,
    /// Values become other values.
    Mapping,
    /// Rules the data must meet.
    Control,
    /// New figures.
    Calc,
    /// Where rows go.
    Load,
}

/// What a kind is called and what it is for.
#[derive(Debug, Clone, Serialize)]
pub struct Identity {
    /// The stable id in workflow files: `filter`, `input.csv`.
    pub id: &'static str,
    /// Raised when the meaning of the parameters changes.
    pub version: u32,
    /// The family.
    pub category: Category,
    /// A Material icon name.
    pub icon: &'static str,
    /// The name in the palette.
    pub title: Words,
    /// One sentence that ends with a period.
    pub summary: Words,
    /// What else people search for, in both languages.
    pub synonyms: &'static [&'static str],
    /// In what order the rows come out, as a sentence.
    pub order: Words,
}

/// How many wires an input port takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Arity {
    /// Exactly one.
    One,
    /// None or one.
    Optional,
    /// One or more, in the order of the document's edges.
    Many,
    /// Any number, also none.
    Any,
}

/// A place where a table enters a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InPort {
    /// The name in edges: `"to": "node.name"`. The first port is the default.
    pub name: &'static str,
    /// How many wires it takes.
    pub arity: Arity,
    /// The name people see.
    pub title: Words,
}

/// A place where a table leaves a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutPort {
    /// The name in edges: `"from": "node.name"`. The first port is the default.
    pub name: &'static str,
    /// The name people see.
    pub title: Words,
}

/// The ports of a step; they may depend on its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ports {
    /// Where tables enter.
    pub inputs: Vec<InPort>,
    /// Where tables leave.
    pub outputs: Vec<OutPort>,
}

/// The usual input port.
pub const IN: InPort = InPort { name: "in", arity: Arity::One, title: Words { en: "rows", fr: "lignes" } };
/// The usual output port.
pub const OUT: OutPort = OutPort { name: "out", title: Words { en: "rows", fr: "lignes" } };

impl Ports {
    /// No input, one output: an input step.
    pub fn source() -> Self {
        Self { inputs: vec![], outputs: vec![OUT] }
    }

    /// One input, one output.
    pub fn through() -> Self {
        Self { inputs: vec![IN], outputs: vec![OUT] }
    }

    /// One input, no output: a load step.
    pub fn sink() -> Self {
        Self { inputs: vec![IN], outputs: vec![] }
    }

    /// One input and these outputs.
    pub fn split(outputs: impl IntoIterator<Item = OutPort>) -> Self {
        Self { inputs: vec![IN], outputs: outputs.into_iter().collect() }
    }

    /// One input; a port for rows that pass a control and one for those that do not.
    pub fn control() -> Self {
        Self::split([PASS, EXCEPTIONS])
    }
}

/// Rows that meet a control.
pub const PASS: OutPort = OutPort { name: "pass", title: Words { en: "pass", fr: "conformes" } };
/// Rows that do not, with the reason.
pub const EXCEPTIONS: OutPort = OutPort { name: "exceptions", title: Words { en: "exceptions", fr: "exceptions" } };
/// The column that says why a row is an exception.
pub const REASON: &str = "reason";

/// A kind of step: its parameters, and what they mean.
///
/// Parameters are the struct's fields: serde reads them (with `#[serde(deny_unknown_fields)]` absent: unknown fields
/// are kept by the document and reported by the check), schemars turns doc comments into help.
pub trait NodeKind: Serialize + DeserializeOwned + JsonSchema + Debug + Send + Sync + 'static {
    /// What it is called and what it is for.
    fn identity() -> Identity;

    /// Its ports with these parameters.
    fn ports(&self) -> Ports;

    /// What it is in the structure of a workflow. The problem says what is wrong with what it names.
    fn structure(&self, host: &dyn Host) -> Result<Structure, Problem> {
        let _ = host;
        Ok(Structure::Plain)
    }

    /// What it makes of its inputs. Pure and cheap: reads no rows beyond what an input needs to know its columns.
    /// `None` when a problem was reported that leaves nothing to plan. A problem on one parameter must not hide those
    /// on the others: report them all first.
    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned>;

    /// Small tables in, tables out: its tests and its documentation at once. At least one.
    fn examples() -> Vec<Example>;
}

/// What a step is in the structure of a workflow.
#[derive(Debug, Clone)]
pub enum Structure {
    /// A step like any other.
    Plain,
    /// It stands for another workflow.
    Nested(Nested),
    /// Rows enter the workflow there, by a port of this name.
    Entry(String),
    /// Rows leave the workflow there, by a port of this name.
    Exit(String),
}

/// A workflow that a step stands for.
#[derive(Debug, Clone)]
pub struct Nested {
    /// Its file, as a path in a workflow names it.
    pub path: String,
    /// How often it runs, and how it is connected.
    pub copies: Copies,
}

/// Copies of a nested workflow.
#[derive(Debug, Clone)]
pub struct Copies {
    /// The values of its parameters, for each copy.
    pub sets: Vec<Vec<(String, String)>>,
    /// The names of its inputs, in the order of the step's ports.
    pub inputs: Vec<String>,
    /// The names of its outputs, in the order of the step's ports.
    pub outputs: Vec<String>,
    /// The parameters of what is left of the step: it takes the inner outputs and gives them on.
    pub params: serde_json::Value,
}

/// How files are found; the editor, the command line and the tests each bring one.
pub trait Host: Debug + Send + Sync {
    /// The file a path in a workflow means.
    fn path(&self, path: &str) -> PathBuf;

    /// Why a path may not be used, if it may not: it leads out of the project.
    fn refused(&self, path: &str) -> Option<Problem> {
        let _ = path;
        None
    }

    /// The address that a connection stands for.
    fn connection(&self, name: &str) -> Result<String, Problem> {
        Ok(name.to_owned())
    }

    /// The answer of a web service: the path, in the project, of the file that holds it.
    fn call(&self, call: &Call) -> Result<String, Problem> {
        let _ = call;
        Err(Problem::error("There is no network here."))
    }

    /// The columns of a ledger table, if it exists.
    fn ledger_columns(&self, table: &str) -> Option<SchemaRef> {
        let _ = table;
        None
    }

    /// A Delta table, now or at a version.
    fn lake(&self, lake: Lake<'_>, version: Option<u64>) -> Result<LakeTable, Problem> {
        let _ = (lake, version);
        Err(Problem::error("There are no Delta tables here."))
    }

    /// The first figure of the first control of this step in the last published run of the workflow.
    fn last_figure(&self, node: &str) -> Option<Decimal> {
        let _ = node;
        None
    }
}

/// Which Delta table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lake<'a> {
    /// One of the project's ledger.
    Ledger(&'a str),
    /// One in a folder, as a path in a workflow names it.
    Folder(&'a str),
}

/// A Delta table at one version.
#[derive(Debug)]
pub struct LakeTable {
    /// Its rows.
    pub rows: Arc<dyn TableProvider>,
    /// The file that stands for this version: it never changes, and another version has another.
    pub proof: PathBuf,
}

/// A question to a web service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service as the workflow names it.
    pub connection: String,
    /// What is asked for, after the service's address.
    pub path: String,
    /// The parameters.
    pub query: Vec<(String, String)>,
    /// How to get the pages after the first.
    pub paging: Paging,
    /// Where the rows of a page are, for JSON.
    pub rows: String,
    /// Whether the answer is JSON; else it is CSV.
    pub json: bool,
}

/// How to get the pages after the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Paging {
    /// There is one page.
    #[default]
    None,
    /// Pages are numbered; the first empty one ends.
    Number {
        /// The parameter with the number.
        parameter: String,
        /// The number of the first page.
        #[serde(default = "one")]
        first: u32,
    },
    /// The parameters say how many rows to leave out and how many to give; a short page ends.
    SkipRows {
        /// The parameter with the rows to leave out.
        parameter: String,
        /// The parameter with the rows to give.
        size_parameter: String,
        /// How many rows a page has.
        size: u32,
    },
    /// Each page names the next.
    Link {
        /// Where the address of the next page is, such as `links.next`.
        at: String,
    },
}

fn one() -> u32 {
    1
}

/// What a step sees while it plans: its inputs, the workflow's parameters, the host. Problems are collected here.
#[derive(Debug)]
pub struct Planning<'a> {
    host: &'a dyn Host,
    node: &'a str,
    parameters: &'a BTreeMap<String, ScalarValue>,
    inputs: Vec<(String, Vec<Table>)>,
    problems: Vec<Problem>,
    sources: Vec<PathBuf>,
}

impl<'a> Planning<'a> {
    /// The planning of one step. `inputs` has an entry for each input port, in the order of its wires.
    pub fn new(
        host: &'a dyn Host,
        node: &'a str,
        parameters: &'a BTreeMap<String, ScalarValue>,
        inputs: Vec<(String, Vec<Table>)>,
    ) -> Self {
        Self { host, node, parameters, inputs, problems: Vec::new(), sources: Vec::new() }
    }

    /// The problems found and the files read, once planning is done.
    pub fn finish(self) -> (Vec<Problem>, Vec<PathBuf>) {
        let Self { problems, sources, node, .. } = self;
        (problems.into_iter().map(|problem| problem.at_node(node)).collect(), sources)
    }

    /// The id of the step.
    pub fn node(&self) -> &str {
        self.node
    }

    /// The workflow's parameters.
    pub fn parameters(&self) -> &BTreeMap<String, ScalarValue> {
        self.parameters
    }

    /// Where files are.
    pub fn host(&self) -> &dyn Host {
        self.host
    }

    /// The table on a port that takes one wire. Present whenever the port's arity is [`Arity::One`].
    pub fn input(&self, port: &str) -> Option<Table> {
        self.inputs(port).first().cloned()
    }

    /// The tables on a port, in the order of its wires.
    pub fn inputs(&self, port: &str) -> &[Table] {
        self.inputs.iter().find(|(name, _)| name == port).map_or(&[], |(_, tables)| tables)
    }

    /// Reports a problem.
    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Whether an error was reported.
    pub fn failed(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }

    /// The file or folder a parameter names, whether it is there or not. Reports one that may not be used.
    pub fn place(&mut self, path: &str, field: &str) -> Option<PathBuf> {
        match self.host.refused(path) {
            Some(problem) => {
                self.problem(problem.on(field));
                None
            }
            None => Some(self.host.path(path)),
        }
    }

    /// The file a parameter names; it is recorded as a source of the run. Reports a missing file, a folder in place of
    /// a file, and a file that cannot be read.
    pub fn source_file(&mut self, path: &str, field: &str) -> Option<PathBuf> {
        let file = self.place(path, field)?;
        let problem = match std::fs::metadata(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let near = file.parent().and_then(|folder| {
                    let names: Vec<String> =
                        std::fs::read_dir(folder).ok()?.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect();
                    did_you_mean(&file.file_name()?.to_string_lossy(), names.iter().map(String::as_str))
                });
                Problem::error(format!("File \"{path}\" does not exist."))
                    .help(near.unwrap_or_else(|| "Check the name, or choose another file.".into()))
            }
            Err(error) => Problem::error(format!("File \"{path}\" cannot be opened: {error}.")).help("Check its permissions."),
            Ok(metadata) if metadata.is_dir() => {
                Problem::error(format!("\"{path}\" is a folder, not a file.")).help("Name a file inside it.")
            }
            Ok(_) => match File::open(&file) {
                Ok(_) => {
                    self.sources.push(file.clone());
                    return Some(file);
                }
                Err(error) => Problem::error(format!("File \"{path}\" cannot be opened: {error}.")).help("Check its permissions."),
            },
        };
        self.problem(problem.on(field).in_file(path, None));
        None
    }

    /// The address that a connection stands for. Reports one that is not known.
    pub fn connection(&mut self, name: &str, field: &str) -> Option<String> {
        match self.host.connection(name) {
            Ok(address) => Some(address),
            Err(problem) => {
                self.problem(problem.on(field));
                None
            }
        }
    }

    /// Records a file that the run depends on.
    pub fn source(&mut self, file: PathBuf) {
        self.sources.push(file);
    }

    /// A column of a table; reports one that is not there, with the nearest name.
    pub fn column(&mut self, wanted: &Column, table: &Table, field: &str) -> Option<Expr> {
        self.column_type(wanted, table, field).map(|_| column(&wanted.0))
    }

    /// The type of a column of a table; reports one that is not there, with the nearest name.
    pub fn column_type(&mut self, wanted: &Column, table: &Table, field: &str) -> Option<DataType> {
        if let Some(found) = table.fields().find(|f| *f.name() == wanted.0) {
            return Some(found.data_type().clone());
        }
        let problem = if wanted.0.is_empty() {
            Problem::error("A column is missing here.").help("Choose a column.")
        } else {
            Problem::error(format!("Column \"{}\" is not in this table.", wanted.0)).help(
                did_you_mean(&wanted.0, table.names())
                    .unwrap_or_else(|| format!("Its columns are: {}.", table.names().take(20).collect::<Vec<_>>().join(", "))),
            )
        };
        self.problem(problem.on(field));
        None
    }

    /// The columns a parameter names; reports each that is not there.
    pub fn columns(&mut self, wanted: &Columns, table: &Table, field: &str) -> Vec<String> {
        let places = wanted.0.iter().enumerate();
        places.filter_map(|(i, one)| self.column_type(one, table, &format!("{field}[{i}]")).map(|_| one.0.clone())).collect()
    }

    /// The columns a parameter names, or all of a table that fit where it names none. Reports a named one that does not
    /// fit; `kind` says what fits ("text").
    pub fn fitting(&mut self, wanted: &Columns, table: &Table, field: &str, kind: &str, fits: impl Fn(ColumnType) -> bool) -> Vec<String> {
        let fits = |data_type: &DataType| ColumnType::of(data_type).is_some_and(&fits);
        if wanted.0.is_empty() {
            return table.fields().filter(|f| fits(f.data_type())).map(|f| f.name().clone()).collect();
        }
        let found = self.columns(wanted, table, field);
        for (i, name) in wanted.0.iter().map(|column| &column.0).enumerate() {
            if let Some(data_type) = table.type_of(name).filter(|data_type| !fits(data_type)) {
                let what = format!("Column \"{name}\" is {}, not {kind}.", crate::types::type_name(data_type));
                self.problem(Problem::error(what).on(format!("{field}[{i}]")).help("Choose another column, or change its type first."));
            }
        }
        found
    }

    /// A formula that a step builds of its parameters. Mistakes are reported on the parameter, without characters: they
    /// are not the user's own.
    pub fn derived(&mut self, text: &str, table: &Table, output: &str, field: &str) -> Option<Typed> {
        let before = self.problems.len();
        let typed = self.formula(&Formula(text.to_owned()), table, output, field);
        for problem in &mut self.problems[before..] {
            problem.span = None;
        }
        typed
    }

    /// A new column's name; reports one that is empty, hidden or taken.
    pub fn new_name(&mut self, name: &NewColumn, taken: bool, field: &str) {
        let NewColumn(name) = name;
        if name.is_empty() || is_hidden(name) {
            self.problem(Problem::error("The new column has no name.").on(field).help("Type a name for it."));
        } else if taken {
            self.problem(
                Problem::error(format!("There is already a column \"{name}\".")).on(field).help("Choose a name that no other column has."),
            );
        }
    }

    /// A formula over a table's columns. `output` names the column it makes (or the rule it states) in error messages.
    /// Reports every mistake with its characters.
    pub fn formula(&mut self, formula: &Formula, table: &Table, output: &str, field: &str) -> Option<Typed> {
        let columns: Vec<(String, DataType)> = table.fields().map(|f| (f.name().clone(), f.data_type().clone())).collect();
        let site = formula::Site::new(output, table);
        match formula::compile(&formula.0, &formula::Scope { columns: &columns, parameters: self.parameters, site: &site }) {
            Ok(typed) => Some(typed),
            Err(mistakes) => {
                for mistake in mistakes {
                    let mut problem = Problem::error(mistake.message).on(field).at(mistake.span);
                    problem.help = mistake.help;
                    self.problem(problem);
                }
                None
            }
        }
    }

    /// A formula that must be true or false. Rows for which it is empty count as false.
    pub fn condition(&mut self, formula: &Formula, table: &Table, output: &str, field: &str) -> Option<Expr> {
        let typed = self.formula(formula, table, output, field)?;
        if matches!(typed.data_type, DataType::Boolean | DataType::Null) {
            return Some(datafusion::functions::core::expr_fn::coalesce(vec![typed.expr, datafusion::logical_expr::lit(false)]));
        }
        let found = crate::types::type_name(&typed.data_type);
        self.problem(
            Problem::error(format!("This must be true or false, but it is {found}."))
                .on(field)
                .help("Compare it with something, for example [Amount] > 0."),
        );
        None
    }

    /// Turns an error of the layer below into a problem on this step: only for what the checks above cannot foresee.
    pub fn planned<T>(&mut self, result: Result<T, DataFusionError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(Problem::error(format!("This step cannot be planned: {}.", error.strip_backtrace())));
                None
            }
        }
    }
}

/// Which rows of a [`Flow`] leave by a port.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// All of them.
    All,
    /// Those for which a column or expression of the flow's table is true.
    Where(Expr),
    /// Those that no other port of the flow takes.
    Rest,
}

/// A port that a flow leaves by.
#[derive(Debug, Clone)]
pub struct Outlet {
    /// The port's name.
    pub port: &'static str,
    /// Which rows.
    pub rows: Rows,
    /// The visible columns it shows, over the flow's table; `None` shows all.
    pub columns: Option<Vec<(String, Expr)>>,
    /// The order of these rows, when it differs from the flow's.
    pub order: Option<Vec<OrderKey>>,
}

/// One table that a step computes, and the ports by which its rows leave. It is computed once, however many of its
/// ports are used.
#[derive(Debug, Clone)]
pub struct Flow {
    /// The rows.
    pub table: Table,
    /// Where they leave.
    pub outlets: Vec<Outlet>,
}

impl Flow {
    /// All rows leave by one port.
    pub fn all(port: &'static str, table: Table) -> Self {
        Self { table, outlets: vec![Outlet { port, rows: Rows::All, columns: None, order: None }] }
    }

    /// Rows that meet a condition leave by one port, the others by another.
    pub fn split(table: Table, condition: Expr, then: &'static str, otherwise: &'static str) -> Self {
        Self {
            table,
            outlets: vec![
                Outlet { port: then, rows: Rows::Where(condition), columns: None, order: None },
                Outlet { port: otherwise, rows: Rows::Rest, columns: None, order: None },
            ],
        }
    }

    /// The condition under which a row leaves by this outlet; `None` for all rows.
    pub fn condition(&self, outlet: &Outlet) -> Option<Expr> {
        match &outlet.rows {
            Rows::All => None,
            Rows::Where(condition) => Some(condition.clone()),
            Rows::Rest => self
                .outlets
                .iter()
                .filter_map(|other| match &other.rows {
                    Rows::Where(condition) => Some(condition.clone().is_not_true()),
                    _ => None,
                })
                .reduce(Expr::and),
        }
    }

    /// What leaves by an outlet, over `base`: this flow's table, or a table with the same columns that stands for it
    /// (a tapped or a stored copy).
    pub fn outlet_table(&self, outlet: &Outlet, base: &Table) -> Result<Table, DataFusionError> {
        let mut table = base.clone();
        if let Some(order) = &outlet.order {
            table.order.clone_from(order);
        }
        if let Some(condition) = self.condition(outlet) {
            table = table.filter(condition)?;
        }
        // Projecting also drops the hidden columns that tag rows for the ports; those that carry the order stay.
        let columns = match &outlet.columns {
            Some(columns) => columns.clone(),
            None => table.columns(),
        };
        table.project(columns)
    }
}

/// How much a failed control matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is noted in the certificate.
    Info,
    /// It is shown as a warning; the run is published.
    Warn,
    /// Nothing is published, anywhere.
    #[default]
    Block,
}

/// A sum over what arrives on an input port or leaves by an output port, taken while the rows stream past.
#[derive(Debug, Clone)]
pub struct Total {
    /// The port.
    pub port: &'static str,
    /// Which of the port's wires, for input ports that take several.
    pub wire: usize,
    /// A numeric expression over that table's columns.
    pub value: Expr,
}

/// Two totals side by side.
#[derive(Debug, Clone)]
pub struct Totals {
    /// What the first figure is called.
    pub left_label: String,
    /// Its parts, added up.
    pub left: Vec<Total>,
    /// What the second figure is called.
    pub right_label: String,
    /// Its parts, added up.
    pub right: Vec<Total>,
    /// A figure that is known, added to the second.
    pub right_constant: Decimal,
    /// When the control fails.
    pub must: Must,
    /// The largest difference allowed, in the columns' own unit.
    pub tolerance: Decimal,
}

/// What must hold between two figures, within the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Must {
    /// Nothing: they are only shown.
    Show,
    /// They are equal.
    Agree,
    /// The first is not above the second.
    NotExceed,
}

/// A control that a step declares; the engine takes the figures and gives the verdict.
#[derive(Debug, Clone)]
pub struct Check {
    /// What must hold, as a sentence.
    pub title: String,
    /// What happens when it does not.
    pub severity: Severity,
    /// Figures to show, and perhaps to compare.
    pub totals: Option<Totals>,
    /// An output port of the step that must stay empty.
    pub exceptions: Option<&'static str>,
    /// Of that port's rows, how many count: a number for each row; none counts all of them.
    pub counted: Option<Total>,
    /// How many rows that port may have all the same.
    pub allowed: u64,
}

impl Check {
    /// A port that must stay empty.
    pub fn empty(title: impl Into<String>, severity: Severity, exceptions: &'static str) -> Self {
        Self { title: title.into(), severity, totals: None, exceptions: Some(exceptions), counted: None, allowed: 0 }
    }

    /// Every total that is taken for it.
    pub fn parts(&self) -> impl Iterator<Item = &Total> {
        let sides = self.totals.iter().flat_map(|totals| totals.left.iter().chain(&totals.right));
        sides.chain(&self.counted)
    }
}

/// Writes rows into a file that the engine opened in staging.
pub trait Writing: Send {
    /// Adds rows. The batches have the schema given to [`FileFormat::open`].
    fn write(&mut self, batch: &RecordBatch) -> Result<(), DataFusionError>;

    /// Goes on with another part of the file, such as a sheet, whose rows have this schema.
    fn next(&mut self, part: &str, schema: SchemaRef) -> Result<(), DataFusionError> {
        let _ = schema;
        Err(DataFusionError::Internal(format!("a format without parts was asked for \"{part}\"")))
    }

    /// Completes the file and hands it back, so that the engine can make it durable.
    fn finish(self: Box<Self>) -> Result<File, DataFusionError>;
}

/// A format that a load step writes.
pub trait FileFormat: Debug + Send + Sync {
    /// Starts a file. `schema` has only visible columns.
    fn open(&self, file: File, schema: SchemaRef) -> Result<Box<dyn Writing>, DataFusionError>;
}

/// How rows enter a ledger table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerMode {
    /// They are added.
    Append,
    /// They replace everything in the table.
    Replace,
    /// They replace the rows whose value in this column is among the values loaded.
    ReplacePeriod {
        /// The period's column.
        column: String,
    },
    /// They replace the rows with the same key, and add the others.
    Upsert {
        /// The key's columns.
        keys: Vec<String>,
    },
    /// A row that changed ends the one before it and begins a new one: a slowly changing dimension of type 2.
    History {
        /// The key's columns.
        keys: Vec<String>,
        /// From when the rows hold, as `2026-09-30`.
        from: String,
        /// Whether keys that are not loaded end too.
        end_missing: bool,
    },
}

/// The column of a history that says from when a row holds.
pub const VALID_FROM: &str = "valid_from";
/// The column of a history that says until when, that day left out; empty for what holds now.
pub const VALID_TO: &str = "valid_to";

/// Where a load step sends its rows. The engine stages them and publishes when every blocking control holds.
#[derive(Debug, Clone)]
pub enum Sink {
    /// A file, replaced as a whole.
    File {
        /// The input port it takes.
        port: &'static str,
        /// The path as the workflow names it.
        path: String,
        /// How it is written.
        format: Arc<dyn FileFormat>,
        /// The part of the file the rows are, such as a sheet, where a step writes several; the first part opens it.
        part: Option<String>,
    },
    /// A ledger table.
    Ledger {
        /// The input port it takes.
        port: &'static str,
        /// The table's name.
        table: String,
        /// How rows enter it.
        mode: LedgerMode,
        /// Whether it takes rows from approved versions only.
        governed: bool,
    },
    /// A Delta table outside the ledger.
    Lake {
        /// The input port it takes.
        port: &'static str,
        /// The table's folder as the workflow names it.
        path: String,
        /// How rows enter it.
        mode: LedgerMode,
    },
    /// A table of a database.
    Database {
        /// The input port it takes.
        port: &'static str,
        /// The connection as the workflow names it.
        connection: String,
        /// The table's name.
        table: String,
        /// How rows enter it.
        mode: crate::database::Mode,
    },
    /// A web service.
    Http {
        /// The input port it takes.
        port: &'static str,
        /// The service as the workflow names it.
        connection: String,
        /// Where the rows go, after the service's address.
        resource: String,
        /// How many rows one request brings.
        batch: u32,
        /// How they are written: an object on each line.
        format: Arc<dyn FileFormat>,
    },
}

impl Sink {
    /// The rows that arrive by the usual port, as a file.
    pub fn file(path: &FilePath, format: Arc<dyn FileFormat>) -> Self {
        Self::File { port: IN.name, path: path.0.clone(), format, part: None }
    }

    /// Whether it goes on with a file that another sink of its step opened.
    pub fn is_part(&self) -> bool {
        matches!(self, Self::File { port, part: Some(_), .. } if *port != IN.name)
    }

    /// The input port it takes.
    pub fn port(&self) -> &'static str {
        match self {
            Self::File { port, .. }
            | Self::Ledger { port, .. }
            | Self::Lake { port, .. }
            | Self::Database { port, .. }
            | Self::Http { port, .. } => port,
        }
    }
}

/// What a step makes of its inputs.
#[derive(Debug, Clone, Default)]
pub struct Planned {
    /// The tables it computes. Every output port is an outlet of exactly one of them.
    pub flows: Vec<Flow>,
    /// The controls it declares.
    pub checks: Vec<Check>,
    /// The sinks it declares.
    pub sinks: Vec<Sink>,
    /// What was found out where a parameter says nothing, by the parameter's name: a file's encoding, its separator.
    pub found: Vec<(&'static str, String)>,
    /// Whether its rows are an example, nobody's own: what is made of them goes into files, and nowhere else.
    pub is_example: bool,
}

impl Planned {
    /// One table on the port `out`.
    pub fn table(table: Table) -> Self {
        Self::flow(Flow::all("out", table))
    }

    /// One flow.
    pub fn flow(flow: Flow) -> Self {
        Self { flows: vec![flow], ..Self::default() }
    }

    /// One sink.
    pub fn sink(sink: Sink) -> Self {
        Self { sinks: vec![sink], ..Self::default() }
    }

    /// The same with a control.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }
}
