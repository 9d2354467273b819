//! Workflow → stages of plans.
//!
//! A step's plan stands over wires ([`wire`]). A run puts taps ([`tap`]) where steps end and stored copies ([`spool`])
//! where a result is used twice; everything between two cuts is one plan that is optimised as a whole.

pub(crate) mod assemble;
pub(crate) mod error;
pub(crate) mod session;
pub(crate) mod spill_join;
pub(crate) mod spool;
pub(crate) mod tap;
pub(crate) mod wire;

pub use session::Limits;
pub use wire::WireId;
