//! Several tables become one.

pub mod append;
pub mod as_of;
pub mod compare;
pub mod fuzzy;
#[expect(clippy::module_inception, reason = "one file per kind, and the family has one of its own name")]
pub mod join;
pub(crate) mod keys;
pub mod lookup;
pub mod many;
pub(crate) mod nearest;
pub mod range;
pub mod union;
