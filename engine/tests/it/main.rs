//! The integration tests of `weir-engine`: one binary, one module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod document;
mod ledger;
mod trace;
