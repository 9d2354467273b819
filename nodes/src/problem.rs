//! What is wrong, where, and the way out. Broken input is data: checks return lists of these.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing; the workflow runs.
    Info,
    /// Probably not what was meant; the workflow runs.
    Warning,
    /// The workflow cannot run.
    Error,
}

/// One thing that is wrong with a workflow or its inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How much it matters.
    pub level: Level,
    /// The node it belongs to, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The parameter, as a path inside the node's `params`: `condition`, `rules[2].formula`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The characters of that parameter's text, as byte offsets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Range<usize>>,
    /// The file, when the problem lies in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line of that file, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// The way out, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    /// An error with its sentence.
    pub fn error(message: impl Into<String>) -> Self {
        Self { level: Level::Error, node: None, field: None, span: None, file: None, line: None, message: message.into(), help: None }
    }

    /// A warning with its sentence.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(message) }
    }

    /// A remark with its sentence.
    pub fn info(message: impl Into<String>) -> Self {
        Self { level: Level::Info, ..Self::error(message) }
    }

    /// The same problem on a parameter.
    #[must_use]
    pub fn on(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same problem on a node; a node already named stays.
    #[must_use]
    pub fn at_node(mut self, node: &str) -> Self {
        self.node.get_or_insert_with(|| node.to_owned());
        self
    }

    /// The same problem at some characters of the parameter.
    #[must_use]
    pub fn at(mut self, span: Range<usize>) -> Self {
        self.span = Some(span);
        self
    }

    /// The same problem in a file, at a line when one is known.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>, line: Option<u64>) -> Self {
        self.file = Some(file.into());
        self.line = line;
        self
    }

    /// The same problem with a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Whether it keeps the workflow from running.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "note",
        })?;
        if let Some(node) = &self.node {
            write!(f, " in step \"{node}\"")?;
        }
        if let Some(field) = &self.field {
            write!(f, ", {field}")?;
        }
        if let Some(file) = &self.file {
            write!(f, ", {file}")?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, " {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// `Did you mean "…"?` for the candidate nearest to `wanted`, when one is near enough.
pub fn did_you_mean<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted_folded = wanted.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted_folded, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count().min(wanted.chars().count()) / 3)
        .min_by_key(|(distance, candidate)| (*distance, candidate.to_owned()))
        .map(|(_, candidate)| format!("Did you mean \"{candidate}\"?"))
}
