//! Workflows inside workflows.

pub mod nested;
pub mod ports;
