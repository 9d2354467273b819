//! Where rows come from.

pub mod csv;
pub mod excel;
pub mod inline;
pub mod parquet;
