//! A stored result: computed once, read by every step that uses it.
//!
//! Small results stay in memory, larger ones go to Arrow IPC files, one for each partition, and keep whatever order
//! the plan that made them declared.

use std::fmt;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
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

/// What a partition may hold in memory before it goes to disk.
const MEMORY_BYTES: usize = 8 * 1024 * 1024;

/// A stored result.
#[derive(Debug)]
pub(crate) struct Spool {
    schema: SchemaRef,
    parts: Vec<Part>,
    ordering: Vec<(String, SortOptions)>,
    rows: usize,
}

#[derive(Debug, Default)]
struct Part {
    batches: Vec<RecordBatch>,
    file: Option<PathBuf>,
    rows: usize,
}

impl Spool {
    /// Runs a plan and stores what it gives, under `folder` when it is large.
    pub(crate) async fn store(plan: Arc<dyn ExecutionPlan>, context: Arc<TaskContext>, folder: &Path, name: &str) -> Result<Self> {
        let ordering = plan
            .output_ordering()
            .into_iter()
            .flatten()
            .map_while(|sort| sort.expr.downcast_ref::<Column>().map(|column| (column.name().to_owned(), sort.options)))
            .collect();
        let schema = plan.schema();
        let mut tasks = Vec::new();
        for partition in 0..plan.output_partitioning().partition_count() {
            let stream = plan.execute(partition, Arc::clone(&context))?;
            let file = folder.join(format!("{name}.{partition}.arrow"));
            tasks.push(datafusion::common::runtime::SpawnedTask::spawn(store_part(stream, file)));
        }
        let mut parts = Vec::new();
        for task in tasks {
            parts.push(task.join().await.map_err(|e| datafusion::common::DataFusionError::ExecutionJoin(Box::new(e)))??);
        }
        let rows = parts.iter().map(|part| part.rows).sum();
        Ok(Self { schema, parts, ordering, rows })
    }

    /// A plan that reads it.
    pub(crate) fn read(self: &Arc<Self>, name: &str) -> Result<LogicalPlan> {
        let source = provider_as_source(Arc::new(SpoolTable(Arc::clone(self))));
        let scan = LogicalPlanBuilder::scan(TableReference::bare(name), source, None)?;
        let columns = scan.schema().columns();
        scan.project(columns.into_iter().map(|c| Expr::Column(c.clone()).alias(c.name)).collect::<Vec<_>>())?.build()
    }
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
