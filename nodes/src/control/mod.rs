//! Rules the data must meet.

pub mod expect;
pub mod reconcile;
pub mod balance;
