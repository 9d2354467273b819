//! Rows from outside, in parallel and still in order.
//!
//! A source is cut into chunks in the order of its rows. The partitions of a scan take the next chunk whenever they
//! are free, so each partition sees its rows in ascending order of identity: the scan declares that order, and keeping
//! it costs a merge and not a sort (FACTS 10). Everything an input kind reads comes through [`scan`].

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, ScalarValue, Statistics, stats::Precision};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlanBuilder, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, StatisticsArgs};

use crate::table::{OrderKey, Table, hidden};

/// The batches of one chunk, in order.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// A table outside Weir: a file, a sheet, rows typed by hand.
pub trait Source: fmt::Debug + Send + Sync {
    /// The columns, of the types of [`crate::ColumnType`].
    fn schema(&self) -> SchemaRef;

    /// About how many rows there are, when that is known without reading them.
    fn rows_estimate(&self) -> Option<usize> {
        None
    }

    /// Starts reading. `columns` are positions in the schema; batches hold them in that order. With `identity`, one
    /// more column comes last: `Int64`, strictly ascending over the whole source, the row's position as people count it
    /// (the line of a text file on which the record starts, the row of a sheet, the row of a table from 1).
    /// `batch_rows` is the most rows a batch may have.
    fn open(&self, columns: &[usize], identity: bool, batch_rows: usize) -> Result<Arc<dyn Chunks>>;

    /// The same where only rows at these positions are wanted: others may be left out unread.
    fn open_at(&self, columns: &[usize], identity: bool, batch_rows: usize, positions: &Arc<BTreeSet<i64>>) -> Result<Arc<dyn Chunks>> {
        let _ = positions;
        self.open(columns, identity, batch_rows)
    }
}

/// A source being read. Shared by all partitions.
pub trait Chunks: Send + Sync {
    /// The next chunk, in order, or `None` at the end. Short: what can be done in parallel belongs into the iterator.
    fn next(&self) -> Result<Option<Batches>>;
}

/// The table a source gives to the step `node`. `label` is what a row's position is called in messages
/// (`deals.csv line`).
pub fn scan(node: &str, source: Arc<dyn Source>, label: impl Into<String>) -> Result<Table> {
    let row = hidden(&format!("{node}.row"));
    let mut fields: Vec<Arc<Field>> = source.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(&row, DataType::Int64, false)));
    let label = label.into();
    let provider = SourceTable { source, schema: Arc::new(Schema::new(fields)), label: label.clone() };
    let name = format!("{node}{SOURCE}");
    let provider = datafusion::datasource::provider_as_source(Arc::new(provider));
    let scan = LogicalPlanBuilder::scan(datafusion::common::TableReference::bare(name), provider, None)?;
    // Columns are unqualified everywhere in Weir.
    let names: Vec<_> = scan.schema().columns();
    let plan = scan.project(names.into_iter().map(|c| Expr::Column(c.clone()).alias(c.name)).collect::<Vec<_>>())?.build()?;
    Ok(Table::new(plan, vec![OrderKey::ascending(row, label)]))
}

/// What the name of a scanned table ends with; before it stands the step, and perhaps the part of it after a dot.
pub const SOURCE: &str = ".source";

/// How a scanned table tells its rows apart: the column with their position, and what a position is called. `None` for
/// a table that does not come through [`scan`].
pub fn identity(provider: &dyn TableProvider) -> Option<(String, String)> {
    let table = (provider as &dyn std::any::Any).downcast_ref::<SourceTable>()?;
    Some((table.schema.fields().last()?.name().clone(), table.label.clone()))
}

#[derive(Debug)]
struct SourceTable {
    source: Arc<dyn Source>,
    schema: SchemaRef,
    label: String,
}

impl SourceTable {
    /// The positions that a filter asks for, when it asks for nothing else.
    fn positions(&self, filter: &Expr) -> Option<BTreeSet<i64>> {
        let is_position = |expr: &Expr| matches!(expr, Expr::Column(column) if self.schema.fields().last().is_some_and(|last| *last.name() == column.name));
        let number = |expr: &Expr| match expr {
            Expr::Literal(ScalarValue::Int64(Some(number)), _) => Some(*number),
            _ => None,
        };
        match filter {
            Expr::InList(list) if !list.negated && is_position(&list.expr) => list.list.iter().map(number).collect(),
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_position(left) => Some(BTreeSet::from([number(right)?])),
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                let mut both = self.positions(left)?;
                both.extend(self.positions(right)?);
                Some(both)
            }
            _ => None,
        }
    }
}

#[async_trait]
impl TableProvider for SourceTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = (0..self.schema.fields().len()).collect();
        let projection = projection.cloned().unwrap_or(all);
        let partitions = state.config().target_partitions();
        let mut exec = SourceExec::new(Arc::clone(&self.source), &self.schema, projection, partitions)?;
        exec.positions = filters.iter().find_map(|filter| self.positions(filter)).map(Arc::new);
        Ok(Arc::new(exec))
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushed = |filter: &&Expr| match self.positions(filter) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(pushed).collect())
    }

    fn statistics(&self) -> Option<Statistics> {
        self.source.rows_estimate().map(|rows| Statistics { num_rows: Precision::Inexact(rows), ..Statistics::new_unknown(&self.schema) })
    }
}

/// Reads a [`Source`] in several partitions that share its chunks.
struct SourceExec {
    source: Arc<dyn Source>,
    /// Positions in the source's columns; the identity is one past the last.
    projection: Vec<usize>,
    properties: Arc<PlanProperties>,
    /// The only rows that are wanted, where that is known.
    positions: Option<Arc<BTreeSet<i64>>>,
    chunks: Mutex<Option<Arc<dyn Chunks>>>,
}

impl SourceExec {
    fn new(source: Arc<dyn Source>, schema: &Schema, projection: Vec<usize>, partitions: usize) -> Result<Self> {
        let projected = Arc::new(schema.project(&projection)?);
        let identity = schema.fields().len() - 1;
        let equivalence = match projection.iter().position(|i| *i == identity) {
            None => EquivalenceProperties::new(Arc::clone(&projected)),
            Some(position) => {
                let expr: Arc<dyn PhysicalExpr> = Arc::new(Column::new(projected.field(position).name(), position));
                let ascending = arrow::compute::SortOptions { descending: false, nulls_first: false };
                EquivalenceProperties::new_with_orderings(Arc::clone(&projected), [[PhysicalSortExpr::new(expr, ascending)]])
            }
        };
        let properties = PlanProperties::new(
            equivalence,
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { source, projection, properties: Arc::new(properties), positions: None, chunks: Mutex::new(None) })
    }

    /// The chunks this execution shares, opened by whoever comes first.
    fn chunks(&self, batch_rows: usize) -> Result<Arc<dyn Chunks>> {
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(chunks) = &*chunks {
            return Ok(Arc::clone(chunks));
        }
        let width = self.source.schema().fields().len();
        let columns: Vec<usize> = self.projection.iter().copied().filter(|i| *i < width).collect();
        let identity = columns.len() < self.projection.len();
        let opened = match &self.positions {
            Some(positions) => self.source.open_at(&columns, identity, batch_rows, positions)?,
            None => self.source.open(&columns, identity, batch_rows)?,
        };
        *chunks = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

impl fmt::Debug for SourceExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceExec").field("source", &self.source).field("projection", &self.projection).finish_non_exhaustive()
    }
}

impl DisplayAs for SourceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceExec: {:?}", self.properties.eq_properties.schema().fields().iter().map(|field| field.name()).collect::<Vec<_>>())
    }
}

impl ExecutionPlan for SourceExec {
    fn name(&self) -> &'static str {
        "SourceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>, _: ReplaceChildrenOptions) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self {
            source: Arc::clone(&self.source),
            projection: self.projection.clone(),
            properties: Arc::clone(&self.properties),
            positions: self.positions.clone(),
            chunks: Mutex::new(None),
        }))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let chunks = self.chunks(context.session_config().batch_size())?;
        let width = self.source.schema().fields().len();
        // Batches hold the columns, then the identity; the projection may want another order.
        let mut next = 0;
        let identity_at = self.projection.iter().filter(|i| **i < width).count();
        let order: Vec<usize> = self
            .projection
            .iter()
            .map(|i| {
                if *i < width {
                    next += 1;
                    next - 1
                } else {
                    identity_at
                }
            })
            .collect();
        let in_order = order.windows(2).all(|pair| pair[0] < pair[1]);
        let schema = self.schema();
        let mut current: Batches = Box::new(std::iter::empty());
        let batches = std::iter::from_fn(move || {
            loop {
                match current.next() {
                    Some(batch) if in_order => return Some(batch),
                    Some(batch) => return Some(batch.and_then(|batch| Ok(batch.project(&order)?))),
                    None => match chunks.next() {
                        Ok(Some(batches)) => current = batches,
                        Ok(None) => return None,
                        Err(error) => return Some(Err(error)),
                    },
                }
            }
        });
        let stream = futures::StreamExt::then(futures::stream::iter(batches), |batch| async {
            // Reading never waits for anything asynchronous: let others run between batches.
            tokio::task::consume_budget().await;
            batch
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        if args.partition().is_none()
            && let Some(rows) = self.source.rows_estimate()
        {
            statistics.num_rows = Precision::Inexact(rows);
            statistics.calculate_total_byte_size(&self.schema());
        }
        Ok(Arc::new(statistics))
    }
}

/// A table that is already in memory: a small file read whole, a sheet, rows typed by hand.
#[derive(Debug)]
pub struct MemorySource {
    schema: SchemaRef,
    batch: RecordBatch,
    /// The position of each row as people count it.
    positions: arrow::array::Int64Array,
}

impl MemorySource {
    /// A source of these rows; `positions` has one ascending entry for each of them.
    pub fn new(batch: RecordBatch, positions: arrow::array::Int64Array) -> Self {
        Self { schema: batch.schema(), batch, positions }
    }

    /// A source of these rows, counted from 1.
    pub fn counted(batch: RecordBatch) -> Self {
        let positions = (1..=batch.num_rows() as i64).collect();
        Self::new(batch, positions)
    }
}

impl Source for MemorySource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn rows_estimate(&self) -> Option<usize> {
        Some(self.batch.num_rows())
    }

    fn open(&self, columns: &[usize], identity: bool, batch_rows: usize) -> Result<Arc<dyn Chunks>> {
        let mut batch = self.batch.project(columns)?;
        if identity {
            let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
            fields.push(Arc::new(Field::new(hidden("row"), DataType::Int64, false)));
            let mut arrays = batch.columns().to_vec();
            arrays.push(Arc::new(self.positions.clone()));
            batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        }
        Ok(Arc::new(MemoryChunks { batch, next: Mutex::new(0), batch_rows: batch_rows.max(1) }))
    }
}

struct MemoryChunks {
    batch: RecordBatch,
    next: Mutex<usize>,
    batch_rows: usize,
}

impl Chunks for MemoryChunks {
    fn next(&self) -> Result<Option<Batches>> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = self.batch_rows.min(self.batch.num_rows() - *next);
        if rows == 0 {
            return Ok(None);
        }
        let slice = self.batch.slice(*next, rows);
        *next += rows;
        Ok(Some(Box::new(std::iter::once(Ok(slice)))))
    }
}
