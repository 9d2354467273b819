//! Exact numbers: decimal arithmetic, rounding and aggregates as `DataFusion` functions.

/// The scalar functions Weir adds, for registration by name.
pub fn scalar_functions() -> Vec<datafusion::logical_expr::ScalarUDF> {
    vec![]
}

/// The aggregate functions Weir adds, for registration by name.
pub fn aggregate_functions() -> Vec<datafusion::logical_expr::AggregateUDF> {
    vec![]
}
