//! Which rows and columns go on, and in what order.

pub mod cleanse;
pub mod detect_types;
pub mod drop_empty;
pub mod fill;
#[expect(clippy::module_inception, reason = "one file per kind, and the family has one of its own name")]
pub mod filter;
pub mod gaps;
pub mod headers;
pub mod keys;
pub mod mask;
pub mod replace;
pub(crate) mod retype;
pub mod row_number;
pub mod sample;
pub mod select;
pub mod sort;
pub mod unique;

pub use retype::function as retype_function;
