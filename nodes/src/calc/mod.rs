//! New figures.

pub mod formula;
pub mod aggregate;
pub mod tiers;
