//! The editor driven as a person would drive it: keys, the pointer, and what a screen reader says.

mod build;
mod commands;
mod person;
mod trouble;
