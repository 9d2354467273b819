//! The document: a workflow as plain immutable data, read from and written to one JSON file.
//!
//! Its one idea: the text is canonical. Fields have one order, nodes are sorted by id, unknown fields are kept, so that
//! saving twice changes nothing; and a version is the hash of what the workflow *means*, not of how it is drawn.

mod canonical;
mod document;
pub mod parameters;
mod schema;

pub use canonical::Version;
pub use document::{CURRENT, Edge, Layout, Node, Parameter, ParameterType, PortRef, Workflow};
pub use schema::schema;
