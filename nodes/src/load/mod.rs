//! Where rows go.

pub mod csv;
pub mod excel;
pub mod ledger;
pub mod parquet;
