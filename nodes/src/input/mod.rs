//! Where rows come from.

pub(crate) mod accept;
pub mod arrow;
pub mod contract;
pub mod csv;
pub mod database;
pub mod directory;
pub mod excel;
pub mod fixed_width;
pub mod http;
pub mod inline;
pub mod json;
pub mod lake;
pub mod parquet;
pub mod pdf;
pub mod sequence;
pub mod stack;
pub mod texts;
pub mod xml;
