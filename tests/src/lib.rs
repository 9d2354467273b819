//! What the end-to-end tests share: the binary, the example's data, the yardsticks' data.

pub mod commissions;
pub mod weir;
pub mod yardstick;
