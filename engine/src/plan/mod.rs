//! Workflow → stages of plans.
//!
//! A step's plan stands over wires ([`wire`]). A run puts taps ([`tap`]) where steps end and stored copies ([`spool`])
//! where a result is used twice; everything between two cuts is one plan that is optimised as a whole. A question about
//! one step ([`pieces`]) cuts only where a plan would grow too heavy, so that it reaches the sources where it can.

pub(crate) mod assemble;
pub(crate) mod error;
pub(crate) mod groups;
pub(crate) mod pieces;
pub(crate) mod session;
pub(crate) mod spill_join;
pub(crate) mod spool;
pub(crate) mod tap;
pub(crate) mod wire;

pub use session::{Limits, STACK_BYTES, runtime};
pub use wire::WireId;
