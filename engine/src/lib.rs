//! What a Weir workflow *does*: the document, check, preview, run, ledger, audit.
//!
//! `weir-nodes` says what a step means; this crate acts on it. The command line and the editor see the same functions.

pub mod approval;
pub mod audit;
pub mod check;
pub mod effect;
pub mod graph;
pub mod history;
mod http;
pub mod ledger;
pub mod package;
pub mod plan;
pub mod preview;
pub mod project;
pub mod run;
pub mod trace;
pub mod workflow;

pub use weir_nodes::{Problem, problem};
