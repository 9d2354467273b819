//! The function table: names, documentation, examples that are tests, and what each does.

mod convert;
mod dates;
mod logic;
mod numbers;
mod text;
pub use text::json_at;
pub use text::plain;

use std::sync::LazyLock;

use arrow::datatypes::DataType;

use super::lower::{Call, Value};
use super::row::RowFunction;

/// A function of the formula language.
#[derive(Debug)]
pub struct Function {
    /// The canonical, English name, in capitals.
    pub name: &'static str,
    /// The French name, in capitals.
    pub french: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// The family it is listed under.
    pub category: &'static str,
    /// How it is written.
    pub signature: &'static str,
    /// One sentence that ends with a period.
    pub doc: &'static str,
    /// Formulas and their results as text; they are tests.
    pub examples: &'static [(&'static str, &'static str)],
    /// The least and the most arguments.
    pub(super) arguments: (usize, usize),
    pub(super) build: Build,
}

/// What an argument must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anything.
    Any,
    /// Anything, as text.
    Text,
    Integer,
    Number,
    Boolean,
    /// A date or a datetime.
    Date,
}

/// How a function is typed and lowered.
pub(super) enum Build {
    /// By itself.
    Special(fn(&mut Call<'_, '_>, Vec<Value>) -> Option<Value>),
    /// Row by row.
    Row {
        /// What each argument must be; the last repeats.
        takes: &'static [Kind],
        returns: DataType,
        run: RowFunction,
        /// Whether an empty argument makes an empty result.
        strict: bool,
    },
}

impl std::fmt::Debug for Build {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Special(_) => "Special",
            Self::Row { .. } => "Row",
        })
    }
}

static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let mut all = Vec::new();
    all.extend(logic::functions());
    all.extend(numbers::functions());
    all.extend(text::functions());
    all.extend(dates::functions());
    all.extend(convert::functions());
    all
});

/// Every function, by family.
pub fn functions() -> &'static [Function] {
    &FUNCTIONS
}

/// The function with this name, in capitals: canonical, French or another.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    functions()
        .iter()
        .find(|function| function.name == name)
        .or_else(|| functions().iter().find(|function| function.french == name || function.aliases.contains(&name)))
}

/// The texts of an entry: name, French name, signature, sentence.
type Words = (&'static str, &'static str, &'static str, &'static str);
type Examples = &'static [(&'static str, &'static str)];

fn special(
    category: &'static str,
    (name, french, signature, doc): Words,
    arguments: (usize, usize),
    examples: Examples,
    build: fn(&mut Call<'_, '_>, Vec<Value>) -> Option<Value>,
) -> Function {
    Function { name, french, aliases: &[], category, signature, doc, examples, arguments, build: Build::Special(build) }
}

fn row(
    category: &'static str,
    (name, french, signature, doc): Words,
    arguments: (usize, usize),
    takes: &'static [Kind],
    returns: DataType,
    examples: Examples,
    run: RowFunction,
) -> Function {
    Function {
        name,
        french,
        aliases: &[],
        category,
        signature,
        doc,
        examples,
        arguments,
        build: Build::Row { takes, returns, run, strict: true },
    }
}

impl Function {
    fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// An empty argument does not make an empty result.
    fn lenient(mut self) -> Self {
        if let Build::Row { strict, .. } = &mut self.build {
            *strict = false;
        }
        self
    }
}
