//! Which rows and columns go on, and in what order.

pub mod filter;
pub mod keys;

pub mod row_number;
pub mod select;
pub mod sort;
pub mod unique;


