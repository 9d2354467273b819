//! New figures.

pub mod aggregate;
pub mod formula;
pub mod multi_row;
pub mod rank;
pub mod running;
pub mod share;
pub mod tiers;
