//! What a step of a Weir workflow *means*: one file per node kind, the formula language, exact numbers.
//!
//! This crate describes; it does not act. A kind turns input tables into output tables, controls and sinks as
//! `DataFusion` plans, without reading a row ([`kind::NodeKind`]). Running those plans, deciding what is
//! published and where workflows live belongs to `weir-engine`.

mod apart;
pub mod calc;
pub mod contract;
pub mod control;
pub mod database;
pub mod document;
pub mod example;
pub mod filter;
pub mod flow;
pub mod formula;
pub mod input;
pub mod join;
pub mod kind;
pub mod load;
pub mod mapping;
pub mod number;
pub mod param;
mod prelude;
pub mod problem;
pub mod registry;
pub mod session;
pub mod source;
mod spread;
pub mod suggest;
pub mod table;
pub mod types;
mod whole;
mod window;
mod workbook;

pub use kind::{Category, Check, Identity, NodeKind, Planned, Planning, Severity, Sink, Words};
pub use problem::Problem;
pub use registry::{Kind, Step, registry};
pub use table::{OrderKey, Table};
pub use types::ColumnType;
