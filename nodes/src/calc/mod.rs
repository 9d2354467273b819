//! New figures.

pub mod aggregate;
pub mod allocate;
pub mod bin;
pub mod date_parts;
pub mod describe;
pub mod formula;
pub mod multi_row;
pub mod parse;
pub mod pivot;
pub mod rank;
pub mod running;
pub mod share;
pub mod split;
pub mod tiers;
pub mod unpivot;
