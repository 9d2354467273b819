//! A stored result: computed once, read by every step that uses it.
//!
//! Small results stay in memory, larger ones go to Arrow IPC files, one for each partition, and keep whatever order
//! the plan that made them declared.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, UInt64Array};
use arrow::compute::{SortOptions, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableType};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, StatisticsArgs};
use futures::StreamExt;
use weir_nodes::table::hidden;

/// What a partition may hold in memory before it goes to disk.
const MEMORY_BYTES: usize = 8 * 1024 * 1024;

/// The bits of a counted position that number the rows of a partition; those above number the partition.
const ROW_BITS: u32 = 40;

/// The column of a stored result that tells its rows apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Position {
    /// It is among the columns that are stored.
    Column(String),
    /// The rows are counted as they come, and a column of this module's own is added.
    Counted,
}

/// A stored result.
#[derive(Debug)]
pub(crate) struct Spool {
    schema: SchemaRef,
    parts: Vec<Part>,
    ordering: Vec<(String, SortOptions)>,
    rows: usize,
    position: Option<String>,
}

#[derive(Debug, Default)]
struct Part {
    batches: Vec<RecordBatch>,
    file: Option<PathBuf>,
    rows: usize,
}

impl Spool {
    /// Runs a plan and stores what it gives, under `folder` when it is large; with a `position`, so that single rows can
    /// be asked for.
    pub(crate) async fn store(
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
        folder: &Path,
        name: &str,
        position: Option<Position>,
    ) -> Result<Self> {
        let ordering = plan
            .output_ordering()
            .into_iter()
            .flatten()
            .map_while(|sort| sort.expr.downcast_ref::<Column>().map(|column| (column.name().to_owned(), sort.options)))
            .collect();
        let counted = hidden(&format!("{name}.stored"));
        let schema = match position {
            Some(Position::Counted) => with_position(&plan.schema(), &counted),
            _ => plan.schema(),
        };
        let mut tasks = Vec::new();
        for partition in 0..plan.output_partitioning().partition_count() {
            let mut stream = plan.execute(partition, Arc::clone(&context))?;
            if position == Some(Position::Counted) {
                stream = numbered(stream, partition, Arc::clone(&schema));
            }
            let file = folder.join(format!("{name}.{partition}.arrow"));
            tasks.push(datafusion::common::runtime::SpawnedTask::spawn(store_part(stream, file)));
        }
        let mut parts = Vec::new();
        for task in tasks {
            parts.push(task.join().await.map_err(|e| datafusion::common::DataFusionError::ExecutionJoin(Box::new(e)))??);
        }
        let rows = parts.iter().map(|part| part.rows).sum();
        let position = position.map(|position| match position {
            Position::Column(name) => name,
            Position::Counted => counted,
        });
        Ok(Self { schema, parts, ordering, rows, position })
    }

    /// A plan that reads what was stored, without positions.
    pub(crate) fn read(self: &Arc<Self>, name: &str) -> Result<LogicalPlan> {
        let source = provider_as_source(Arc::new(SpoolTable(Arc::clone(self))));
        let own = self.own();
        let scan = LogicalPlanBuilder::scan(TableReference::bare(name), source, Some(own))?;
        let columns = scan.schema().columns();
        scan.project(columns.into_iter().map(|c| Expr::Column(c.clone()).alias(c.name)).collect::<Vec<_>>())?.build()
    }

    /// The columns' names, without that of positions.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.own().into_iter().map(|place| self.schema.field(place).name().as_str())
    }

    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The rows at some positions, as they were before they were stored.
    ///
    /// # Errors
    /// When rows cannot be read back.
    pub(crate) fn rows_at(&self, positions: &BTreeSet<i64>) -> Result<RecordBatch> {
        let own = self.own();
        let mut found = vec![RecordBatch::new_empty(Arc::new(self.schema.project(&own)?))];
        let mut take = |batch: &RecordBatch| -> Result<()> {
            let at = self.position.as_ref().and_then(|name| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>());
            let wanted: UInt64Array = at
                .into_iter()
                .flat_map(|at| at.iter().enumerate())
                .filter_map(|(row, position)| position.filter(|position| positions.contains(position)).map(|_| row as u64))
                .collect();
            if !wanted.is_empty() {
                found.push(take_record_batch(&batch.project(&own)?, &wanted)?);
            }
            Ok(())
        };
        for part in &self.parts {
            part.batches.iter().try_for_each(&mut take)?;
            if let Some(path) = &part.file {
                FileReader::try_new_buffered(File::open(path)?, None)?.try_for_each(|batch| take(&batch?))?;
            }
        }
        Ok(concat_batches(&found[0].schema(), &found)?)
    }

    /// The columns that were there before.
    fn own(&self) -> Vec<usize> {
        (0..self.schema.fields().len()).filter(|place| self.position.as_ref() != Some(self.schema.field(*place).name())).collect()
    }
}

/// The column that tells the rows of a stored result apart; `None` for another table, and where there is none.
pub(crate) fn position(provider: &dyn TableProvider) -> Option<String> {
    (provider as &dyn std::any::Any).downcast_ref::<SpoolTable>()?.0.position.clone()
}

fn with_position(schema: &SchemaRef, name: &str) -> SchemaRef {
    let own = schema.fields().iter().cloned();
    Arc::new(Schema::new(own.chain([Arc::new(Field::new(name, DataType::Int64, false))]).collect::<Vec<_>>()))
}

/// The rows of a partition with their positions.
fn numbered(stream: SendableRecordBatchStream, partition: usize, schema: SchemaRef) -> SendableRecordBatchStream {
    let mut next = (partition as i64) << ROW_BITS;
    let with = Arc::clone(&schema);
    let batches = stream.map(move |batch| {
        let batch = batch?;
        let end = next + batch.num_rows() as i64;
        let positions: ArrayRef = Arc::new(Int64Array::from_iter_values(next..end));
        next = end;
        let columns = batch.columns().iter().cloned().chain([positions]).collect();
        Ok(RecordBatch::try_new(Arc::clone(&with), columns)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

async fn store_part(mut stream: SendableRecordBatchStream, path: PathBuf) -> Result<Part> {
    let mut part = Part::default();
    let mut bytes = 0;
    let mut writer: Option<FileWriter<BufWriter<File>>> = None;
    while let Some(batch) = stream.next().await.transpose()? {
        part.rows += batch.num_rows();
        if let Some(writer) = &mut writer {
            writer.write(&batch)?;
            continue;
        }
        bytes += batch.get_array_memory_size();
        part.batches.push(batch);
        if bytes > MEMORY_BYTES {
            let mut started = FileWriter::try_new_buffered(File::create(&path)?, &stream.schema())?;
            for batch in part.batches.drain(..) {
                started.write(&batch)?;
            }
            writer = Some(started);
        }
    }
    if let Some(mut writer) = writer {
        writer.finish()?;
        part.file = Some(path);
    }
    Ok(part)
}

impl Drop for Spool {
    fn drop(&mut self) {
        for file in self.parts.iter().filter_map(|part| part.file.as_ref()) {
            // What cannot be removed now goes with the run's folder.
            let _ = std::fs::remove_file(file);
        }
    }
}

#[derive(Debug)]
struct SpoolTable(Arc<Spool>);

#[async_trait]
impl TableProvider for SpoolTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(&self, _: &dyn Session, projection: Option<&Vec<usize>>, _: &[Expr], _: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
        let projection = projection.cloned().unwrap_or_else(|| (0..self.0.schema.fields().len()).collect());
        let schema = Arc::new(self.0.schema.project(&projection)?);
        let ordering: Vec<PhysicalSortExpr> = self
            .0
            .ordering
            .iter()
            .map_while(|(name, options)| {
                let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(name, schema.index_of(name).ok()?));
                Some(PhysicalSortExpr::new(column, *options))
            })
            .collect();
        let equivalence = if ordering.is_empty() {
            EquivalenceProperties::new(schema)
        } else {
            EquivalenceProperties::new_with_orderings(schema, [ordering])
        };
        let properties = PlanProperties::new(
            equivalence,
            Partitioning::UnknownPartitioning(self.0.parts.len().max(1)),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(SpoolExec { spool: Arc::clone(&self.0), projection, properties: Arc::new(properties) }))
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(Statistics { num_rows: Precision::Exact(self.0.rows), ..Statistics::new_unknown(&self.0.schema) })
    }
}

#[derive(Debug)]
struct SpoolExec {
    spool: Arc<Spool>,
    projection: Vec<usize>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for SpoolExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpoolExec: {} rows", self.spool.rows)
    }
}

impl ExecutionPlan for SpoolExec {
    fn name(&self) -> &'static str {
        "SpoolExec"
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

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let Some(part) = self.spool.parts.get(partition) else {
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::empty())));
        };
        if let Some(path) = &part.file {
            let reader = FileReader::try_new_buffered(File::open(path)?, Some(self.projection.clone()))?;
            let batches = reader.map(|batch| Ok(batch?));
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(batches))));
        }
        let batches: Vec<Result<RecordBatch>> = part.batches.iter().map(|batch| Ok(batch.project(&self.projection)?)).collect();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(batches))))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        let rows = match args.partition() {
            None => self.spool.rows,
            Some(partition) => self.spool.parts.get(partition).map_or(0, |part| part.rows),
        };
        statistics.num_rows = Precision::Exact(rows);
        statistics.calculate_total_byte_size(&self.schema());
        Ok(Arc::new(statistics))
    }
}
