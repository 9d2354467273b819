//! Several tables become one.

#[expect(clippy::module_inception, reason = "one file per kind, and the family has one of its own name")]
pub mod join;
pub(crate) mod keys;
pub mod lookup;
pub mod union;
