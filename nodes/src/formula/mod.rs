//! The formula language: Excel's habits, typed before anything runs, lowered to `DataFusion` expressions.

mod cells;
pub mod dates;
mod functions;
mod lexer;
mod lower;
mod parser;
mod print;
mod row;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arrow::datatypes::DataType;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

pub use functions::plain as without_accents;
pub use functions::{Function, functions, json_at};
pub use lexer::Entry;
pub(crate) use row::scalar_functions;

use crate::table::{Table, column};

/// Where a formula's result goes, for the errors that only the data can show ("column commission, owner Jean: …").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The column the formula makes, or the rule it states.
    pub output: String,
    /// What identifies a row of its table: the label and the column of the first order key.
    pub row: Option<(String, Expr)>,
}

impl Site {
    /// The site of a formula over a table.
    pub fn new(output: &str, table: &Table) -> Self {
        let row = table.order.first().map(|key| (key.label.clone(), column(&key.column)));
        Self { output: output.to_owned(), row }
    }
}

/// What a formula can refer to.
#[derive(Debug)]
pub struct Scope<'a> {
    /// The columns of its table.
    pub columns: &'a [(String, DataType)],
    /// The workflow's parameters, written `$name`.
    pub parameters: &'a BTreeMap<String, ScalarValue>,
    /// Where its result goes.
    pub site: &'a Site,
}

/// A formula that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    /// What computes it.
    pub expr: Expr,
    /// The type of its result.
    pub data_type: DataType,
    /// The columns it uses.
    pub columns: BTreeSet<String>,
}

/// What is wrong with a formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The characters, as byte offsets into the text.
    pub span: Range<usize>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// The way out, as a sentence.
    pub help: Option<String>,
}

/// Understands a formula in canonical form: parses it, checks its types and lowers it. All mistakes at once.
pub fn compile(text: &str, scope: &Scope<'_>) -> Result<Typed, Vec<Mistake>> {
    let tree = parser::parse(text, Entry::Canonical)?;
    lower::lower(&tree, scope)
}

/// The one canonical form of a formula as people type it.
pub fn canonical(text: &str, entry: Entry) -> Result<String, Vec<Mistake>> {
    Ok(print::print(&parser::parse(text, entry)?, Entry::Canonical))
}

/// A formula in canonical form, as people of a language type it.
pub fn localized(text: &str, entry: Entry) -> Result<String, Vec<Mistake>> {
    Ok(print::print(&parser::parse(text, Entry::Canonical)?, entry))
}
