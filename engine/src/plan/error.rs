//! Which step an error comes from.

use std::error::Error;
use std::fmt;

use datafusion::common::DataFusionError;
use weir_nodes::Problem;

/// An error that came up through the tap of a step.
#[derive(Debug)]
pub(crate) struct StepError {
    node: String,
    source: DataFusionError,
}

impl StepError {
    /// The error with its step; one that already has a step keeps it.
    pub(crate) fn wrap(node: &str, error: DataFusionError) -> DataFusionError {
        if Self::find(&error).is_some() {
            return error;
        }
        DataFusionError::External(Box::new(Self { node: node.to_owned(), source: error }))
    }

    fn find(error: &DataFusionError) -> Option<&Self> {
        find(error)
    }

    /// The problem with the inputs that an error carries, with its step. Inputs report what is wrong with a file this way.
    pub(crate) fn problem(error: &DataFusionError) -> Option<Problem> {
        let problem: Problem = find::<Problem>(error)?.clone();
        Some(match Self::find(error) {
            Some(step) => problem.at_node(&step.node),
            None => problem,
        })
    }

    /// The step an error comes from, when it is known, and the error in words.
    pub(crate) fn explain(error: &DataFusionError) -> (Option<String>, String) {
        match Self::find(error) {
            Some(found) => (Some(found.node.clone()), plain(&found.source)),
            None => (None, plain(error)),
        }
    }
}

/// Looks through the layers an error came through for one of ours.
fn find<T: Error + 'static>(error: &DataFusionError) -> Option<&T> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::Shared(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::ArrowError(inner, _)) => match inner.as_ref() {
                arrow::error::ArrowError::ExternalError(inner) => Some(inner.as_ref()),
                _ => None,
            },
            Some(DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner)) => Some(inner.as_ref()),
            _ => error.source(),
        };
    }
    None
}

/// The innermost message, without the names of the layers it came through.
fn plain(error: &DataFusionError) -> String {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => plain(inner),
        DataFusionError::Shared(inner) => plain(inner),
        DataFusionError::Execution(message) | DataFusionError::Plan(message) => message.clone(),
        DataFusionError::ArrowError(inner, _) => inner.to_string(),
        DataFusionError::External(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => plain(inner),
            None => inner.to_string(),
        },
        DataFusionError::ResourcesExhausted(message) => format!("The memory limit is reached: {message}. Raise --memory."),
        other => other.strip_backtrace(),
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step \"{}\": {}", self.node, self.source)
    }
}

impl Error for StepError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
