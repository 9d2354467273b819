//! Where rows go.

pub mod csv;
pub mod parquet;
pub mod excel;
pub mod ledger;
