//! The contract every step fulfils, and what a step hands to the engine.
//!
//! A kind is a struct of its parameters plus what they mean. Palette, form, JSON schema, help, documentation and tests
//! are derived from it; nothing outside this crate matches on a kind's id. A kind *describes*: [`NodeKind::plan`] reads
//! no rows, it returns tables (as `DataFusion` plans), controls ([`Check`]) and sinks ([`Sink`]) that the engine acts on.

mod host;
mod planned;
mod planning;
mod sink;

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::example::Example;
use crate::problem::Problem;

pub use host::{Call, Host, Lake, LakeTable, Paging};
pub use planned::{Check, Flow, Must, Outlet, Planned, Rows, Severity, Total, Totals};
pub use planning::Planning;
pub use sink::{FileFormat, LedgerMode, Sink, VALID_FROM, VALID_TO, Writing};

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
