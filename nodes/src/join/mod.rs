//! Several tables become one.

pub mod join;
pub mod lookup;
pub mod union;
