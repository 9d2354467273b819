//! New figures.

pub mod aggregate;
pub mod formula;
pub mod tiers;
