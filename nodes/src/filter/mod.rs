//! Which rows and columns go on, and in what order.

#[expect(clippy::module_inception, reason = "one file per kind, and the family has one of its own name")]
pub mod filter;
pub mod keys;
mod retype;
pub mod row_number;
pub mod select;
pub mod sort;
pub mod unique;

pub use retype::function as retype_function;
