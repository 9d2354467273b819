//! Tables computed by looking at others whole: matching near-identical texts, forecasting, walking a hierarchy.
//!
//! What relational operators cannot say row by row or group by group, a kind says as a function from whole tables, in
//! the order of their rows, to a new one. Its inputs are held in memory, and counted against the run's limit.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::compute::{SortColumn, SortOptions, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, DFSchemaRef, DataFusionError, Result, exec_datafusion_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};
use futures::StreamExt;

use crate::table::{OrderKey, Table, hidden};

/// What makes a table of whole tables. Gets the visible columns of each, its rows in order; returns the columns that
/// were announced. An error is a sentence without its period.
type Compute = dyn Fn(&[RecordBatch]) -> Result<RecordBatch, String> + Send + Sync;

/// The table that `compute` makes of these, with these columns, in the order of its rows.
pub(crate) fn whole(
    node: &str,
    inputs: &[&Table],
    columns: Vec<Field>,
    compute: impl Fn(&[RecordBatch]) -> Result<RecordBatch, String> + Send + Sync + 'static,
) -> Result<Table> {
    let place = hidden(&format!("{node}.place"));
    let mut fields = columns;
    fields.push(Field::new(&place, DataType::Int64, false));
    let schema = Arc::new(DFSchema::try_from(Schema::new(fields))?);
    let node = WholeNode {
        name: node.to_owned(),
        inputs: inputs.iter().map(|table| table.plan.clone()).collect(),
        order: inputs.iter().map(|table| table.order.clone()).collect(),
        schema,
        compute: Arc::new(compute),
    };
    let plan = LogicalPlan::Extension(Extension { node: Arc::new(node) });
    Ok(Table::new(plan, vec![OrderKey::ascending(place, "row")]))
}

#[derive(Clone)]
struct WholeNode {
    name: String,
    inputs: Vec<LogicalPlan>,
    order: Vec<Vec<OrderKey>>,
    schema: DFSchemaRef,
    compute: Arc<Compute>,
}

impl fmt::Debug for WholeNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Whole({})", self.name)
    }
}

impl PartialEq for WholeNode {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.inputs == other.inputs && Arc::ptr_eq(&self.compute, &other.compute)
    }
}

impl Eq for WholeNode {}

impl Hash for WholeNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.inputs.hash(state);
    }
}

impl PartialOrd for WholeNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.name.partial_cmp(&other.name)
    }
}

impl UserDefinedLogicalNodeCore for WholeNode {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn prevent_predicate_push_down_columns(&self) -> std::collections::HashSet<String> {
        // What comes out is not what went in, whatever its columns are called.
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Whole: {}", self.name)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { inputs, ..self.clone() })
    }
}

/// Plans these tables.
#[derive(Debug)]
pub(crate) struct WholePlanner;

#[async_trait]
impl ExtensionPlanner for WholePlanner {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<WholeNode>() else { return Ok(None) };
        Ok(Some(Arc::new(WholeExec::new(node.clone(), physical_inputs.to_vec()))))
    }
}

struct WholeExec {
    node: WholeNode,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
}

impl WholeExec {
    fn new(node: WholeNode, inputs: Vec<Arc<dyn ExecutionPlan>>) -> Self {
        let schema: SchemaRef = Arc::new(node.schema.as_arrow().clone());
        let last = schema.fields().len() - 1;
        let place: Arc<dyn PhysicalExpr> = Arc::new(Column::new(schema.field(last).name(), last));
        let ascending = SortOptions { descending: false, nulls_first: false };
        let equivalence = EquivalenceProperties::new_with_orderings(schema, [[PhysicalSortExpr::new(place, ascending)]]);
        let properties = PlanProperties::new(equivalence, Partitioning::UnknownPartitioning(1), EmissionType::Final, Boundedness::Bounded);
        Self { node, inputs, properties: Arc::new(properties) }
    }
}

impl fmt::Debug for WholeExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WholeExec({})", self.node.name)
    }
}

impl DisplayAs for WholeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WholeExec: {}", self.node.name)
    }
}

impl ExecutionPlan for WholeExec {
    fn name(&self) -> &'static str {
        "WholeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition; self.inputs.len()])
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.inputs.len()]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(self.node.clone(), children)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(self.node.clone(), children)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let streams = self.inputs.iter().map(|input| input.execute(partition, Arc::clone(&context))).collect::<Result<Vec<_>>>()?;
        let schemas: Vec<SchemaRef> = self.inputs.iter().map(|input| input.schema()).collect();
        let node = self.node.clone();
        let output = self.schema();
        let given = Arc::clone(&output);
        let batch_rows = context.session_config().batch_size().max(1);
        let batches = futures::stream::once(async move {
            let memory = MemoryConsumer::new(node.name.clone()).register(context.memory_pool());
            let mut tables = Vec::new();
            for ((mut stream, schema), order) in streams.into_iter().zip(schemas).zip(&node.order) {
                let mut batches = Vec::new();
                while let Some(batch) = stream.next().await {
                    let batch = batch?;
                    memory.try_grow(batch.get_array_memory_size())?;
                    batches.push(batch);
                }
                tables.push(in_order(&concat_batches(&schema, &batches)?, order)?);
            }
            let made = tokio::task::spawn_blocking(move || (node.compute)(&tables))
                .await
                .map_err(|error| exec_datafusion_err!("the step stopped: {error}"))?
                .map_err(|what| exec_datafusion_err!("{what}"))?;
            drop(memory);
            placed(&made, &output)
        });
        let batches = batches.flat_map(move |made| {
            let slices: Vec<Result<RecordBatch>> = match made {
                Err(error) => vec![Err(error)],
                Ok(batch) => {
                    let starts = (0..batch.num_rows()).step_by(batch_rows);
                    starts.map(|start| Ok(batch.slice(start, batch_rows.min(batch.num_rows() - start)))).collect()
                }
            };
            futures::stream::iter(slices)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(given, batches)))
    }
}

/// The visible columns, rows in order.
fn in_order(batch: &RecordBatch, order: &[OrderKey]) -> Result<RecordBatch> {
    let keys = order.iter().map(|key| {
        let values = batch.column_by_name(&key.column).ok_or_else(|| exec_datafusion_err!("the order of the rows is lost"))?;
        Ok(SortColumn {
            values: Arc::clone(values),
            options: Some(SortOptions { descending: key.descending, nulls_first: key.nulls_first }),
        })
    });
    let keys = keys.collect::<Result<Vec<_>>>()?;
    let schema = batch.schema();
    let visible: Vec<usize> = (0..schema.fields().len()).filter(|i| !crate::table::is_hidden(schema.field(*i).name())).collect();
    let shown = batch.project(&visible)?;
    if keys.is_empty() || batch.num_rows() < 2 {
        return Ok(shown);
    }
    Ok(take_record_batch(&shown, &lexsort_to_indices(&keys, None)?)?)
}

/// The rows with their places.
fn placed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    columns.push(Arc::new(Int64Array::from_iter_values(0..batch.num_rows() as i64)));
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(DataFusionError::from)
}
