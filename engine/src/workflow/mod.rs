//! The document: a workflow as plain immutable data, read from and written to one JSON file.
//!
//! Its one idea: the text is canonical. Fields have one order, nodes are sorted by id, unknown fields are kept, so that
//! saving twice changes nothing; and a version is the hash of what the workflow *means*, not of how it is drawn.

mod canonical;
mod document;
mod edit;
mod migrate;
pub(crate) mod nested;
pub mod parameters;
mod schema;
mod slot;

pub use canonical::Version;
pub use document::{CURRENT, Edge, Layout, Node, Parameter, ParameterType, PortRef, Workflow};
pub use edit::Edit;
pub use schema::schema;

use crate::Problem;

/// Whether a text can be the id of a step.
fn check_id(id: &str) -> Result<(), Problem> {
    if !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Ok(());
    }
    let problem = Problem::error(format!("\"{id}\" cannot be the id of a step."));
    Err(problem.help("Use letters, digits, _ and -; the title can be anything."))
}
