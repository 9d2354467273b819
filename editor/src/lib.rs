//! `weir-editor`: draw a workflow and watch the rows at every step.
//!
//! It holds no rule of its own. A panel asks ([`desk::Ask`]), [`actions`] turns that into edits of a [`document`], the
//! [`worker`] takes the new workflow to the engine, and [`answers`] puts what comes back on the [`desk::Desk`], which the
//! next frame draws.

#![allow(missing_docs, reason = "the crate is a program; its items are documented where they are no plain names")]

pub mod actions;
pub mod answers;
pub mod app;
pub mod autosave;
pub mod canvas;
pub mod command;
pub mod desk;
pub mod document;
pub mod edits;
pub mod fix;
pub mod gallery;
pub mod icons;
pub mod panels;
pub mod selection;
pub mod settings;
pub mod text;
pub mod theme;
pub mod versions;
pub mod widgets;
pub mod worker;
