//! Where rows come from.

pub mod csv;
pub mod excel;
pub mod parquet;
pub mod inline;
