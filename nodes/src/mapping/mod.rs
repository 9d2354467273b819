//! Values become other values.

pub mod currency;
pub mod fiscal;
pub mod hierarchy;
mod keys;
#[expect(clippy::module_inception, reason = "one file per kind, and the family has one")]
pub mod mapping;
pub mod rules;
pub mod standardise;
pub mod units;

pub(crate) use keys::scalar_functions;
