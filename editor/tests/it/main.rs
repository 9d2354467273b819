//! The editor driven as a person would drive it: keys, the pointer, and what a screen reader says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod build;
mod commands;
mod gallery;
mod person;
mod pictures;
mod trouble;
mod versions;
