//! End-to-end: the real binary on real files. One binary, one module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod architecture;
mod cases;
mod commissions;
mod controls;
mod crash;
mod databases;
mod determinism;
mod input_errors;
mod lake;
mod ledger;
mod nested;
mod packages;
mod preview;
mod reference;
mod services;
mod trace;
mod versions;
mod yardstick;
