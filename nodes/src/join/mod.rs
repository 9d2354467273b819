//! Several tables become one.

pub mod join;
mod keys;
pub mod lookup;
pub mod union;
