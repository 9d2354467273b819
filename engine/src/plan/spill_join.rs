//! A hash join that keeps to its memory limit.
//!
//! `DataFusion`'s hash join fails when its build side does not fit (FACTS 13). Here the build side of each partition is
//! collected up to what the memory pool grants; if it fits, the ordinary join runs on it. If not, both sides go to disk
//! in buckets by a hash of their keys, and the buckets are joined one after the other. The rows come out in no
//! particular order: the engine sorts by row identity where order is seen.

use std::fmt;
use std::fs::File;
use std::io::BufWriter;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{RecordBatch, UInt32Array};
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use datafusion::common::config::ConfigOptions;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, Statistics, internal_datafusion_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr, PhysicalExprRef};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties, StatisticsArgs,
};
use futures::StreamExt;

/// Into how many buckets a side is cut when it does not fit.
const BUCKETS: usize = 32;

/// Puts [`SpillJoinExec`] in place of every hash join whose build side is not known to be small.
#[derive(Debug)]
pub(crate) struct SpillJoins;

impl PhysicalOptimizerRule for SpillJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| match plan.downcast_ref::<HashJoinExec>() {
            Some(join) if *join.partition_mode() == PartitionMode::Partitioned => {
                let join: Arc<dyn ExecutionPlan> = Arc::clone(&plan);
                Ok(Transformed::yes(Arc::new(SpillJoinExec::new(join))))
            }
            _ => Ok(Transformed::no(plan)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "spill_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The join. It holds the hash join it stands for, which knows the keys, the type and the columns.
#[derive(Debug)]
struct SpillJoinExec {
    join: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl SpillJoinExec {
    fn new(join: Arc<dyn ExecutionPlan>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(join.schema()),
            join.properties().partitioning.clone(),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { join, properties: Arc::new(properties) }
    }

    fn hash_join(&self) -> Result<&HashJoinExec> {
        self.join.downcast_ref::<HashJoinExec>().ok_or_else(|| internal_datafusion_err!("a spilling join stands for a hash join"))
    }
}

impl DisplayAs for SpillJoinExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpillJoinExec: ")?;
        match self.hash_join() {
            Ok(join) => join.fmt_as(kind, f),
            Err(_) => Ok(()),
        }
    }
}

impl ExecutionPlan for SpillJoinExec {
    fn name(&self) -> &'static str {
        "SpillJoinExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.join.input_distribution_requirements()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.join.children()
    }

    fn apply_expressions(&self, f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        self.join.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let join = Arc::clone(&self.join).replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))?;
        Ok(Arc::new(Self::new(join)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let join = self.hash_join()?;
        let (build_keys, probe_keys): (Vec<PhysicalExprRef>, Vec<PhysicalExprRef>) = join.on().iter().cloned().unzip();
        let sides = Sides {
            join: Arc::clone(&self.join),
            build: Side { stream: join.left().execute(partition, Arc::clone(&context))?, keys: build_keys },
            probe: Side { stream: join.right().execute(partition, Arc::clone(&context))?, keys: probe_keys },
            partition,
            context,
        };
        let schema = self.schema();
        let stream = futures::stream::once(sides.joined()).flat_map(|result| match result {
            Ok(stream) => stream,
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        self.join.child_stats_requests(partition)
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        self.join.statistics_from_inputs(inputs, args)
    }
}

struct Side {
    stream: SendableRecordBatchStream,
    keys: Vec<PhysicalExprRef>,
}

struct Sides {
    join: Arc<dyn ExecutionPlan>,
    build: Side,
    probe: Side,
    partition: usize,
    context: Arc<TaskContext>,
}

type Batches = futures::stream::BoxStream<'static, Result<RecordBatch>>;

impl Sides {
    async fn joined(mut self) -> Result<Batches> {
        let pool = self.context.memory_pool();
        let reservation = MemoryConsumer::new(format!("SpillJoin[{}]", self.partition)).with_can_spill(true).register(pool);
        let mut collected = Vec::new();
        let mut fits = true;
        while let Some(batch) = self.build.stream.next().await.transpose()? {
            // The hash table takes about as much again as the rows themselves.
            fits = reservation.try_grow(2 * batch.get_array_memory_size()).is_ok();
            collected.push(batch);
            if !fits {
                break;
            }
        }
        // From here on the ordinary join accounts for what it holds.
        drop(reservation);
        let Self { join, build, probe, context, .. } = self;
        if fits {
            let schema = build.stream.schema();
            let batches = futures::stream::iter(collected.into_iter().map(Ok)).boxed();
            return run(&join, (schema, batches), (probe.stream.schema(), probe.stream.boxed()), &context);
        }
        let (build_schema, probe_schema) = (build.stream.schema(), probe.stream.schema());
        let builds = into_buckets(build, collected, &context).await?;
        let probes = into_buckets(probe, vec![], &context).await?;
        let joined = builds.into_iter().zip(probes).map(move |(build, probe)| {
            let stream = run(&join, (Arc::clone(&build_schema), build.read()?), (Arc::clone(&probe_schema), probe.read()?), &context)?;
            Ok::<_, DataFusionError>(stream)
        });
        let flat = futures::stream::iter(joined).flat_map(|bucket| match bucket {
            Ok(stream) => stream,
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        });
        Ok(flat.boxed())
    }
}

/// The ordinary join over one partition of each side.
fn run(
    join: &Arc<dyn ExecutionPlan>,
    build: (SchemaRef, Batches),
    probe: (SchemaRef, Batches),
    context: &Arc<TaskContext>,
) -> Result<Batches> {
    let inputs: Vec<Arc<dyn ExecutionPlan>> = vec![Arc::new(OnceExec::new(build)), Arc::new(OnceExec::new(probe))];
    let join = Arc::clone(join).replace_children(inputs, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))?;
    Ok(join.execute(0, Arc::clone(context))?.boxed())
}

/// A part of one side, on disk.
struct Bucket {
    file: Option<Arc<dyn datafusion::execution::SpillFile>>,
}

impl Bucket {
    fn read(self) -> Result<Batches> {
        let Some(file) = self.file else { return Ok(futures::stream::empty().boxed()) };
        let path = file.path().ok_or_else(|| internal_datafusion_err!("spill files are local"))?;
        let reader = FileReader::try_new_buffered(File::open(path)?, None)?;
        // The file lives as long as it is read.
        let batches = reader.map(move |batch| {
            let _kept = &file;
            Ok(batch?)
        });
        Ok(futures::stream::iter(batches).boxed())
    }
}

struct Writer {
    file: Arc<dyn datafusion::execution::SpillFile>,
    writer: FileWriter<BufWriter<File>>,
}

/// Writes a side into buckets: first what was already collected, then the rest of its stream.
async fn into_buckets(mut side: Side, collected: Vec<RecordBatch>, context: &Arc<TaskContext>) -> Result<Vec<Bucket>> {
    let schema = side.stream.schema();
    let mut writers: Vec<Option<Writer>> = (0..BUCKETS).map(|_| None).collect();
    for batch in collected {
        scatter(&batch, &side.keys, &schema, &mut writers, context)?;
    }
    while let Some(batch) = side.stream.next().await.transpose()? {
        scatter(&batch, &side.keys, &schema, &mut writers, context)?;
    }
    writers
        .into_iter()
        .map(|writer| {
            let file = writer
                .map(|Writer { file, mut writer }| {
                    writer.finish()?;
                    Ok::<_, DataFusionError>(file)
                })
                .transpose()?;
            Ok(Bucket { file })
        })
        .collect()
}

fn scatter(
    batch: &RecordBatch,
    keys: &[PhysicalExprRef],
    schema: &SchemaRef,
    writers: &mut [Option<Writer>],
    context: &Arc<TaskContext>,
) -> Result<()> {
    let keys = keys.iter().map(|key| key.evaluate(batch)?.into_array(batch.num_rows())).collect::<Result<Vec<_>>>()?;
    let mut hashes = vec![0; batch.num_rows()];
    // Another seed than the one that made the partitions: within a partition those hashes are all alike.
    create_hashes(&keys, &RandomState::with_seed(0x05ee_d0fa_3e17), &mut hashes)?;
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); writers.len()];
    for (row, hash) in hashes.iter().enumerate() {
        rows[(hash >> 40) as usize % writers.len()].push(row as u32);
    }
    for (rows, slot) in rows.into_iter().zip(writers).filter(|(rows, _)| !rows.is_empty()) {
        let writer = match slot {
            Some(writer) => writer,
            None => {
                let file = context.runtime_env().disk_manager.create_tmp_file("one side of a spilled join")?;
                let path = file.path().ok_or_else(|| internal_datafusion_err!("spill files are local"))?;
                let writer = FileWriter::try_new_buffered(File::create(path)?, schema)?;
                slot.insert(Writer { file, writer })
            }
        };
        writer.writer.write(&arrow::compute::take_record_batch(batch, &UInt32Array::from(rows))?)?;
    }
    Ok(())
}

/// One partition that can be read once.
struct OnceExec {
    stream: Mutex<Option<Batches>>,
    properties: Arc<PlanProperties>,
}

impl OnceExec {
    fn new((schema, stream): (SchemaRef, Batches)) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { stream: Mutex::new(Some(stream)), properties: Arc::new(properties) }
    }
}

impl fmt::Debug for OnceExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceExec")
    }
}

impl DisplayAs for OnceExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnceExec")
    }
}

impl ExecutionPlan for OnceExec {
    fn name(&self) -> &'static str {
        "OnceExec"
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

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stream = stream.ok_or_else(|| internal_datafusion_err!("a stream that can be read once was read again"))?;
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream)))
    }
}
