//! Taps: row counts and control totals, taken while rows stream past, never by running a query again.
//!
//! A tap is an operator that lets every batch through unchanged. It also marks where one step ends, so an error that
//! comes up through a tap belongs to that step.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::cast::{as_boolean_array, as_decimal128_array, as_float64_array, as_int64_array};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchemaRef, DataFusionError, Result, Statistics, exec_err};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::{ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use futures::{Stream, StreamExt};
use rust_decimal::Decimal;

use super::error::StepError;

/// What to observe on one outlet of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Observe {
    /// The outlet.
    pub(crate) outlet: usize,
    /// Its rows; `None` for all.
    pub(crate) condition: Option<Expr>,
    /// The numeric expressions to add up over its rows.
    pub(crate) totals: Vec<Expr>,
}

/// What was observed on one outlet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Observed {
    /// How many rows passed.
    pub(crate) rows: u64,
    /// The totals, in the order they were asked for; empty values count as nothing.
    pub(crate) totals: Vec<Amount>,
}

/// A running total. Decimal and integer amounts are exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Amount {
    /// An exact total: unscaled value and scale.
    Exact(i128, u8),
    /// A float total, for columns the user chose to keep as floats.
    Float(f64),
}

impl Default for Amount {
    fn default() -> Self {
        Self::Exact(0, 0)
    }
}

impl Amount {
    /// The sum of two totals of the same expression.
    fn plus(self, other: Self) -> Result<Self> {
        match (self, other) {
            (Self::Exact(0, _), other) => Ok(other),
            (this, Self::Exact(0, _)) => Ok(this),
            (Self::Exact(a, scale), Self::Exact(b, other_scale)) if scale == other_scale => match a.checked_add(b) {
                Some(sum) => Ok(Self::Exact(sum, scale)),
                None => exec_err!("A control total has more than 38 digits."),
            },
            (Self::Float(a), Self::Float(b)) => Ok(Self::Float(a + b)),
            _ => exec_err!("A control total changed its type."),
        }
    }

    /// The total as a single value.
    pub(crate) fn decimal(self) -> Result<Decimal, String> {
        match self {
            Self::Exact(mut value, mut scale) => {
                while scale > 0 && value % 10 == 0 {
                    (value, scale) = (value / 10, scale - 1);
                }
                Decimal::try_from_i128_with_scale(value, u32::from(scale)).map_err(|_| format!("{value}E-{scale} has more than 28 digits"))
            }
            Self::Float(value) => Decimal::try_from(value).map_err(|_| format!("{value} is not a number that can be compared")),
        }
    }

    fn of(array: &dyn Array) -> Result<Self> {
        let overflow = |_| DataFusionError::Execution("A control total has more than 38 digits.".into());
        Ok(match array.data_type() {
            DataType::Int64 => {
                let array = as_int64_array(array)?;
                let sum = array.iter().flatten().map(i128::from).sum::<i128>();
                Self::Exact(sum, 0)
            }
            DataType::Decimal128(_, scale) => {
                let sum = arrow::compute::sum_checked::<Decimal128Type>(as_decimal128_array(array)?).map_err(overflow)?;
                Self::Exact(sum.unwrap_or(0), (*scale).max(0) as u8)
            }
            DataType::Float64 => Self::Float(arrow::compute::sum::<Float64Type>(as_float64_array(array)?).unwrap_or(0.0)),
            DataType::Null => Self::default(),
            other => return exec_err!("A control total of type {other} cannot be taken."),
        })
    }
}

/// What a tap has seen so far. Shared between the partitions of an operator and whoever asks.
#[derive(Debug)]
pub(crate) struct TapState {
    /// The step.
    pub(crate) node: String,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default, Clone)]
struct Seen {
    observed: Vec<Observed>,
    rows: u64,
    started: Option<Instant>,
    finished: Option<Instant>,
    partitions: usize,
    ended: usize,
}

impl TapState {
    pub(crate) fn new(node: &str) -> Arc<Self> {
        Arc::new(Self { node: node.to_owned(), seen: Mutex::default() })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether every partition was read to its end: only then are the figures whole.
    pub(crate) fn complete(&self) -> bool {
        self.with(|seen| seen.partitions > 0 && seen.ended == seen.partitions)
    }

    /// What was observed, in the order of the observations asked for.
    pub(crate) fn observed(&self) -> Vec<Observed> {
        self.with(|seen| seen.observed.clone())
    }

    /// Rows that passed, and the time from the first to the last.
    pub(crate) fn progress(&self) -> (u64, Duration) {
        self.with(|seen| match (seen.started, seen.finished) {
            (Some(start), Some(end)) => (seen.rows, end - start),
            _ => (seen.rows, Duration::ZERO),
        })
    }

    /// Adds what one partition observed; `ended` when it was read to its end.
    fn merge(&self, rows: u64, observed: &[Observed], ended: bool) -> Result<()> {
        self.with(|seen| {
            seen.finished = Some(Instant::now());
            seen.rows += rows;
            seen.ended += usize::from(ended);
            if seen.observed.is_empty() {
                seen.observed = observed.to_vec();
                return Ok(());
            }
            for (all, part) in seen.observed.iter_mut().zip(observed) {
                all.rows += part.rows;
                for (total, part) in all.totals.iter_mut().zip(&part.totals) {
                    *total = total.plus(*part)?;
                }
            }
            Ok(())
        })
    }
}

/// The tap in a logical plan.
#[derive(Debug, Clone)]
pub(crate) struct TapNode {
    input: LogicalPlan,
    observe: Vec<Observe>,
    state: Arc<TapState>,
}

/// A plan whose rows are observed as they pass.
pub(crate) fn tap(input: LogicalPlan, observe: Vec<Observe>, state: Arc<TapState>) -> LogicalPlan {
    LogicalPlan::Extension(Extension { node: Arc::new(TapNode { input, observe, state }) })
}

impl PartialEq for TapNode {
    fn eq(&self, other: &Self) -> bool {
        self.input == other.input && self.observe == other.observe && Arc::ptr_eq(&self.state, &other.state)
    }
}

impl Eq for TapNode {}

impl Hash for TapNode {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.input.hash(hasher);
        self.observe.hash(hasher);
        Arc::as_ptr(&self.state).hash(hasher);
    }
}

impl PartialOrd for TapNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.state.node.partial_cmp(&other.state.node)
    }
}

impl UserDefinedLogicalNodeCore for TapNode {
    fn name(&self) -> &'static str {
        "Tap"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        self.observe.iter().flat_map(|observe| observe.condition.iter().chain(&observe.totals)).cloned().collect()
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        // The columns of the observations are added by the optimizer, which knows `expressions`.
        Some(vec![output_columns.to_vec()])
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tap: {}", self.state.node)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let mut exprs = exprs.into_iter();
        let mut observe = self.observe.clone();
        for one in &mut observe {
            for slot in one.condition.iter_mut().chain(&mut one.totals) {
                if let Some(expr) = exprs.next() {
                    *slot = expr;
                }
            }
        }
        Ok(Self { input: inputs.swap_remove(0), observe, state: Arc::clone(&self.state) })
    }
}

/// Plans taps.
#[derive(Debug)]
pub(crate) struct TapPlanner;

#[async_trait]
impl ExtensionPlanner for TapPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(tap) = node.as_any().downcast_ref::<TapNode>() else { return Ok(None) };
        let schema = logical_inputs[0].schema();
        let physical = |expr: &Expr| planner.create_physical_expr(expr, schema, session, context);
        let observe = tap
            .observe
            .iter()
            .map(|one| {
                Ok(PhysicalObserve {
                    condition: one.condition.as_ref().map(physical).transpose()?,
                    totals: one.totals.iter().map(physical).collect::<Result<_>>()?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Some(Arc::new(TapExec { input: Arc::clone(&physical_inputs[0]), observe: observe.into(), state: Arc::clone(&tap.state) })))
    }
}

#[derive(Debug)]
struct PhysicalObserve {
    condition: Option<Arc<dyn PhysicalExpr>>,
    totals: Vec<Arc<dyn PhysicalExpr>>,
}

/// The operator: passes every batch on, and looks at it.
#[derive(Debug, Clone)]
struct TapExec {
    input: Arc<dyn ExecutionPlan>,
    observe: Arc<[PhysicalObserve]>,
    state: Arc<TapState>,
}

impl DisplayAs for TapExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TapExec: {}", self.state.node)
    }
}

impl ExecutionPlan for TapExec {
    fn name(&self) -> &'static str {
        "TapExec"
    }

    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(&self, f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        for expr in self.observe.iter().flat_map(|one| one.condition.iter().chain(&one.totals)) {
            if f(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { input: children.swap_remove(0), ..Self::clone(&self) }))
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { input: children.swap_remove(0), ..Self::clone(&self) }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let partitions = self.properties().partitioning.partition_count();
        self.state.with(|seen| {
            seen.partitions = partitions;
            seen.started.get_or_insert_with(Instant::now);
        });
        let input = self.input.execute(partition, context).map_err(|error| StepError::wrap(&self.state.node, error))?;
        let observed = self.observe.iter().map(|one| Observed { rows: 0, totals: vec![Amount::default(); one.totals.len()] }).collect();
        Ok(Box::pin(TapStream {
            input,
            observe: Arc::clone(&self.observe),
            state: Arc::clone(&self.state),
            rows: 0,
            observed,
            done: false,
        }))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, input: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        // Never exact: an exact count would let a query be answered without reading the rows that must be observed.
        Ok(Arc::new(input[0].as_ref().clone().to_inexact()))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

struct TapStream {
    input: SendableRecordBatchStream,
    observe: Arc<[PhysicalObserve]>,
    state: Arc<TapState>,
    rows: u64,
    observed: Vec<Observed>,
    done: bool,
}

impl TapStream {
    fn look(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        for (one, observed) in self.observe.iter().zip(&mut self.observed) {
            let selected = match &one.condition {
                None => None,
                Some(condition) => {
                    let mask = condition.evaluate(batch)?.into_array(batch.num_rows())?;
                    Some(as_boolean_array(&mask)?.clone())
                }
            };
            observed.rows += selected.as_ref().map_or(batch.num_rows(), BooleanArray::true_count) as u64;
            if one.totals.is_empty() {
                continue;
            }
            let filtered = match &selected {
                None => batch.clone(),
                Some(mask) => arrow::compute::filter_record_batch(batch, mask)?,
            };
            for (expr, total) in one.totals.iter().zip(&mut observed.totals) {
                let values = expr.evaluate(&filtered)?.into_array(filtered.num_rows())?;
                *total = total.plus(Amount::of(&values)?)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, whole: bool) -> Result<()> {
        if self.done {
            return Ok(());
        }
        self.done = true;
        self.state.merge(self.rows, &self.observed, whole)
    }
}

impl Stream for TapStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = std::task::ready!(self.input.poll_next_unpin(context));
        let result = match item {
            Some(Ok(batch)) => self.look(&batch).map(|()| Some(batch)),
            Some(Err(error)) => Err(error),
            None => self.end(true).map(|()| None),
        };
        Poll::Ready(result.map_err(|error| StepError::wrap(&self.state.node, error)).transpose())
    }
}

impl RecordBatchStream for TapStream {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

impl Drop for TapStream {
    fn drop(&mut self) {
        // Not read to its end: the figures are partial, and whoever needs them will know. An overflow of a partial
        // total is no news either.
        let _ = self.end(false);
    }
}
