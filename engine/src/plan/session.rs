//! The session a run or a preview works in: threads, memory, spilling, our operators.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::SessionContext;

use super::tap::TapPlanner;

/// What a run may use. None of it changes a result.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Threads, and partitions of every operator.
    pub threads: usize,
    /// Bytes that operators may hold before they spill to disk.
    pub memory_bytes: Option<usize>,
    /// Rows in a batch.
    pub batch_rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { threads, memory_bytes: None, batch_rows: 8192 }
    }
}

#[derive(Debug)]
struct WeirPlanner;

#[async_trait]
impl QueryPlanner for WeirPlanner {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(TapPlanner)]).create_physical_plan(plan, session).await
    }
}

/// A session with these limits that spills into `spill_folder`.
pub(crate) fn session(limits: &Limits, spill_folder: &Path) -> Result<SessionContext> {
    let mut config = weir_nodes::session::config(limits.threads).with_batch_size(limits.batch_rows.max(1));
    if let Some(bytes) = limits.memory_bytes {
        // A sort keeps this much aside for merging what it spilled: it must fit beside the data.
        config.options_mut().execution.sort_spill_reservation_bytes = (bytes / 16).min(10 * 1024 * 1024);
    }
    let mut runtime = RuntimeEnvBuilder::new().with_disk_manager_builder(
        DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![spill_folder.to_owned()]))
            .with_max_temp_directory_size(u64::MAX),
    );
    if let Some(bytes) = limits.memory_bytes {
        runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
    }
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_default_features()
        .with_query_planner(Arc::new(WeirPlanner))
        .build();
    let context = SessionContext::new_with_state(state);
    weir_nodes::session::register(&context);
    Ok(context)
}
