//! The integration tests of `weir-nodes`: one binary, one module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bad;
mod excel;
mod kinds;
mod laws;
mod traps;
