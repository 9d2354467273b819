//! Where rows go.

pub mod arrow;
pub mod csv;
pub mod database;
pub mod delta;
pub mod excel;
pub mod http;
pub mod journal;
pub mod json;
pub mod ledger;
pub mod parquet;
