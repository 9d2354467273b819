//! Rules the data must meet.

pub mod balance;
pub mod expect;
pub mod reconcile;
