//! Values become other values.

pub mod mapping;
