//! The session a run or a preview works in: threads, memory, spilling, our operators.

use std::path::Path;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::Optimizer;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionContext;

use super::spill_join::SpillJoins;
use super::tap::TapPlanner;

/// The stack of a thread that plans are made and run on, in bytes: the layers below go down a plan one call for each
/// operator, and a workflow may have a thousand steps in a row. Only what is used of it is taken.
pub const STACK_BYTES: usize = 256 << 20;

/// Threads to plan and to run on.
///
/// # Errors
/// When the system gives none.
pub fn runtime(threads: usize) -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).thread_stack_size(STACK_BYTES).enable_all().build()
}

/// What a run may use. None of it changes a result.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Threads, and partitions of every operator.
    pub threads: usize,
    /// Bytes that operators may hold before they spill to disk.
    pub memory_bytes: usize,
    /// Rows in a batch.
    pub batch_rows: usize,
    /// Whether plans are rewritten to run faster.
    pub optimise: bool,
}

/// The rewritings without which some plans cannot run at all, or compare every row with every other.
const NEEDED: &[&str] = &[
    "replace_distinct_aggregate",
    "decorrelate_predicate_subquery",
    "scalar_subquery_to_join",
    "decorrelate_lateral_join",
    "extract_equijoin_predicate",
    // Some functions are written in terms of others and have no form of their own.
    "simplify_expressions",
];

impl Default for Limits {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { threads, memory_bytes: machine_memory().map_or(2 << 30, |bytes| bytes / 2), batch_rows: 8192, optimise: true }
    }
}

/// The machine's memory in bytes, or this process's share of it where a limit is set.
fn machine_memory() -> Option<usize> {
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<usize>().ok();
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let total =
        meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().trim_end_matches(" kB").parse::<usize>().ok()? * 1024;
    Some(number("/sys/fs/cgroup/memory.max").map_or(total, |limit| limit.min(total)))
}

/// A session with these limits that spills into `spill_folder`.
pub(crate) fn session(limits: &Limits, spill_folder: &Path) -> Result<SessionContext> {
    let mut config = weir_nodes::session::config(limits.threads).with_batch_size(limits.batch_rows.max(1));
    let bytes = limits.memory_bytes;
    // A sort keeps this much aside for merging what it spilled: it must fit beside the data.
    config.options_mut().execution.sort_spill_reservation_bytes = (bytes / 16).min(10 * 1024 * 1024);
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(bytes))).with_disk_manager_builder(
        DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![spill_folder.to_owned()]))
            .with_max_temp_directory_size(u64::MAX),
    );
    // After the joins are chosen, before sorts and exchanges are placed around them.
    let mut rules = PhysicalOptimizer::new().rules;
    let chosen = rules.iter().position(|rule| rule.name() == "join_selection").map_or(0, |place| place + 1);
    rules.insert(chosen, Arc::new(SpillJoins));
    let planner = weir_nodes::session::Planner { others: vec![Arc::new(TapPlanner)] };
    let mut rewritings = Optimizer::new().rules;
    rewritings.retain(|rule| limits.optimise || NEEDED.contains(&rule.name()));
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_optimizer_rules(rewritings)
        .with_runtime_env(runtime.build_arc()?)
        .with_default_features()
        .with_physical_optimizer_rules(rules)
        .with_query_planner(Arc::new(planner))
        .build();
    let context = SessionContext::new_with_state(state);
    weir_nodes::session::register(&context);
    Ok(context)
}

/// A plan whose shorthands are written out, such as the levels of subtotals.
pub(crate) fn analysed(context: &SessionContext, plan: &LogicalPlan) -> Result<LogicalPlan> {
    let state = context.state();
    state.analyzer().execute_and_check(plan.clone(), state.config_options(), |_, _| {})
}
