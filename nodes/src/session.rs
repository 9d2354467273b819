//! The one place where Weir meets a `DataFusion` session: its settings, and every function of ours by name.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use datafusion::prelude::{SessionConfig, SessionContext};

/// The settings every Weir plan runs with. `threads` is the number of partitions and never changes a result.
pub fn config(threads: usize) -> SessionConfig {
    let mut config = SessionConfig::new().with_target_partitions(threads.max(1)).with_information_schema(false);
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.parse_float_as_decimal = true;
    // Build sides are chosen by the kinds that know them (FACTS 17), never swapped by statistics.
    options.optimizer.join_reordering = false;
    // Splitting streams round-robin loses row order for nothing (FACTS 10).
    options.optimizer.enable_round_robin_repartition = false;
    options.optimizer.repartition_file_scans = false;
    options.optimizer.prefer_existing_sort = true;
    // A join must not make a scan leave out rows that a tap has to see.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    config
}

/// Registers every function Weir adds, so that plans can refer to them by name.
pub fn register(context: &SessionContext) {
    context.register_udf(crate::apart::function());
    context.register_udf(crate::input::accept::function());
    context.register_udf(crate::filter::retype_function());
    for function in
        crate::number::scalar_functions().into_iter().chain(crate::formula::scalar_functions()).chain(crate::mapping::scalar_functions())
    {
        context.register_udf(function);
    }
    for function in crate::number::aggregate_functions() {
        context.register_udaf(function);
    }
}

/// Plans Weir's own operators: those of the steps, and those given.
#[derive(Default)]
pub struct Planner {
    /// Planners for operators that the steps do not know.
    pub others: Vec<Arc<dyn ExtensionPlanner + Send + Sync>>,
}

impl std::fmt::Debug for Planner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planner").finish_non_exhaustive()
    }
}

#[async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let mut planners: Vec<Arc<dyn ExtensionPlanner + Send + Sync>> = vec![Arc::new(crate::whole::WholePlanner)];
        planners.extend(self.others.iter().cloned());
        DefaultPhysicalPlanner::with_extension_planners(planners).create_physical_plan(plan, session).await
    }
}

/// A session in which the plans of steps run: for examples and tests.
pub fn context(threads: usize) -> SessionContext {
    let state = SessionStateBuilder::new()
        .with_config(config(threads))
        .with_default_features()
        .with_query_planner(Arc::new(Planner::default()))
        .build();
    let context = SessionContext::new_with_state(state);
    register(&context);
    context
}
