//! Values become other values.

mod keys;
#[expect(clippy::module_inception, reason = "one file per kind, and the family has one")]
pub mod mapping;

pub(crate) use keys::scalar_functions;
