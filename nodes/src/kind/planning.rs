//! What a step plans with, and how it says what is wrong.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use super::Host;
use crate::formula::{self, Typed};
use crate::param::{Column, Columns, Formula, NewColumn};
use crate::problem::{Problem, did_you_mean};
use crate::table::{Table, column, is_hidden};
use crate::types::ColumnType;

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
