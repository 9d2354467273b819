//! The rows that leave a port, kept so that any of them can be shown at once, however many there are.
//!
//! A grid grows while its rows are computed. The first rows stay in memory, later ones go to Arrow files of one chunk
//! each. A complete exact grid also stands in for the steps that made it when a step below is shown.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::{Result, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::StreamExt;
use weir_nodes::Problem;
use weir_nodes::Table;
use weir_nodes::table::{OrderKey, is_hidden};

use super::profile::{Profile, Profiler};

/// Rows of a chunk.
const CHUNK_ROWS: usize = 65_536;
/// What a grid holds in memory before chunks go to disk.
const MEMORY_BYTES: usize = 48 * 1024 * 1024;

/// Whether rows are all that a run would give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactness {
    /// They are.
    Exact,
    /// They come from the first rows of each input alone.
    Sample,
}

/// How many rows left a step by a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The step.
    pub node: String,
    /// The port.
    pub port: String,
    /// The rows.
    pub rows: u64,
}

/// The rows of a port.
#[derive(Debug)]
pub struct Grid {
    /// The step.
    pub node: String,
    /// The port.
    pub port: String,
    /// Whether the rows are exact.
    pub exactness: Exactness,
    schema: SchemaRef,
    visible: Vec<usize>,
    order: Vec<OrderKey>,
    folder: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    chunks: Vec<Chunk>,
    rows: u64,
    bytes: usize,
    done: bool,
    profiles: Option<Arc<Vec<Profile>>>,
    counts: Vec<Count>,
    recent: Option<(usize, RecordBatch)>,
}

#[derive(Debug, Clone)]
struct Chunk {
    start: u64,
    rows: usize,
    data: Data,
}

#[derive(Debug, Clone)]
enum Data {
    Memory(RecordBatch),
    File(PathBuf),
}

impl Data {
    fn read(&self) -> Result<RecordBatch> {
        match self {
            Self::Memory(batch) => Ok(batch.clone()),
            Self::File(path) => {
                let mut reader = FileReader::try_new_buffered(File::open(path)?, None)?;
                let batch = reader.next().transpose()?;
                batch.ok_or_else(|| datafusion::common::internal_datafusion_err!("a chunk of a preview is empty"))
            }
        }
    }
}

impl Grid {
    /// An empty grid for the rows of a table with this schema. `folder` is its own.
    pub(super) fn new(node: &str, port: &str, exactness: Exactness, schema: SchemaRef, order: Vec<OrderKey>, folder: PathBuf) -> Self {
        let visible = schema.fields().iter().enumerate().filter(|(_, field)| !is_hidden(field.name())).map(|(i, _)| i).collect();
        Self { node: node.into(), port: port.into(), exactness, schema, visible, order, folder, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The columns that people see.
    pub fn columns(&self) -> Schema {
        Schema::new(self.visible.iter().map(|i| Arc::clone(&self.schema.fields()[*i])).collect::<Vec<_>>())
    }

    /// The rows known so far.
    pub fn rows(&self) -> u64 {
        self.inner().rows
    }

    /// Whether all rows are known.
    pub fn is_complete(&self) -> bool {
        self.inner().done
    }

    /// What each visible column holds; once complete.
    pub fn profiles(&self) -> Option<Arc<Vec<Profile>>> {
        self.inner().profiles.clone()
    }

    /// The rows that left this and the steps before it, where they were computed to their end.
    pub fn counts(&self) -> Vec<Count> {
        self.inner().counts.clone()
    }

    /// Visible rows from `start`, at most `rows` of them: fewer at the end, or where they are not known yet.
    pub fn page(&self, start: u64, rows: usize) -> Result<RecordBatch, Problem> {
        let read = || -> Result<RecordBatch> {
            let mut parts = Vec::new();
            let end = start.saturating_add(rows as u64);
            let chunks: Vec<(usize, Chunk)> = {
                let inner = self.inner();
                let first = inner.chunks.partition_point(|chunk| chunk.start + chunk.rows as u64 <= start);
                inner.chunks.iter().cloned().enumerate().skip(first).take_while(|(_, chunk)| chunk.start < end).collect()
            };
            for (number, chunk) in chunks {
                let known = self.inner().recent.as_ref().filter(|(recent, _)| *recent == number).map(|(_, batch)| batch.clone());
                let batch = match known {
                    Some(batch) => batch,
                    None => chunk.data.read()?,
                };
                if matches!(chunk.data, Data::File(_)) {
                    self.inner().recent = Some((number, batch.clone()));
                }
                let from = start.saturating_sub(chunk.start) as usize;
                let to = (end - chunk.start).min(chunk.rows as u64) as usize;
                parts.push(batch.slice(from, to - from).project(&self.visible)?);
            }
            let schema = Arc::new(self.columns());
            Ok(arrow::compute::concat_batches(&schema, &parts)?)
        };
        read().map_err(|error| Problem::error(format!("The rows cannot be read back: {error}.")).at_node(&self.node))
    }

    /// Takes all rows of a stream.
    pub(super) async fn fill(&self, mut stream: SendableRecordBatchStream) -> Result<()> {
        let mut profiler = Profiler::new(self.visible.len());
        let mut pending: Vec<RecordBatch> = Vec::new();
        let mut waiting = 0;
        while let Some(batch) = stream.next().await.transpose()? {
            if batch.num_rows() == 0 {
                continue;
            }
            profiler.update(&batch.project(&self.visible)?);
            waiting += batch.num_rows();
            pending.push(batch);
            // The very first rows are shown as soon as they are there.
            if waiting >= CHUNK_ROWS || self.rows() == 0 {
                self.push(&pending)?;
                pending.clear();
                waiting = 0;
            }
            tokio::task::yield_now().await;
        }
        if !pending.is_empty() {
            self.push(&pending)?;
        }
        self.inner().profiles = Some(Arc::new(profiler.finish()));
        Ok(())
    }

    fn push(&self, batches: &[RecordBatch]) -> Result<()> {
        let batch = arrow::compute::concat_batches(&self.schema, batches)?;
        let (number, bytes) = {
            let inner = self.inner();
            (inner.chunks.len(), inner.bytes)
        };
        let rows = batch.num_rows();
        let size = batch.get_array_memory_size();
        let (data, held) = if bytes + size > MEMORY_BYTES {
            std::fs::create_dir_all(&self.folder)?;
            let path = self.folder.join(format!("{number}.arrow"));
            let mut writer = FileWriter::try_new_buffered(File::create(&path)?, &self.schema)?;
            writer.write(&batch)?;
            writer.finish()?;
            (Data::File(path), 0)
        } else {
            (Data::Memory(batch), size)
        };
        let mut inner = self.inner();
        let start = inner.rows;
        inner.chunks.push(Chunk { start, rows, data });
        inner.rows += rows as u64;
        inner.bytes += held;
        Ok(())
    }

    /// Says that all rows are there.
    pub(super) fn complete(&self, counts: Vec<Count>) {
        let mut inner = self.inner();
        inner.done = true;
        inner.counts = counts;
    }

    /// The rows as a table that a plan can start from.
    pub(super) fn table(self: &Arc<Self>, partitions: usize) -> Result<Table> {
        let chunks = self.inner().chunks.len();
        let parts = partitions.clamp(1, chunks.max(1));
        let streams = (0..parts)
            .map(|part| {
                let range = (chunks * part / parts)..(chunks * (part + 1) / parts);
                Arc::new(GridPart { grid: Arc::clone(self), range }) as Arc<dyn PartitionStream>
            })
            .collect();
        let table =
            StreamingTable::try_new(Arc::clone(&self.schema), streams)?.with_sort_order(self.order.iter().map(OrderKey::sort).collect());
        let source = provider_as_source(Arc::new(table));
        let scan = LogicalPlanBuilder::scan(TableReference::bare(format!("{}.{}", self.node, self.port)), source, None)?;
        let columns = scan.schema().columns();
        let plan = scan.project(columns.into_iter().map(|c| Expr::Column(c.clone()).alias(c.name)).collect::<Vec<_>>())?.build()?;
        Ok(Table::new(plan, self.order.clone()))
    }

    /// Bytes it takes on disk and in memory.
    pub(super) fn bytes(&self) -> u64 {
        let inner = self.inner();
        let files = inner.chunks.iter().filter_map(|chunk| match &chunk.data {
            Data::File(path) => std::fs::metadata(path).ok().map(|metadata| metadata.len()),
            Data::Memory(_) => None,
        });
        inner.bytes as u64 + files.sum::<u64>()
    }
}

impl Drop for Grid {
    fn drop(&mut self) {
        // What cannot be removed now goes with the session's folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Some chunks of a grid, in order.
struct GridPart {
    grid: Arc<Grid>,
    range: std::ops::Range<usize>,
}

impl fmt::Debug for GridPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}[{:?}]", self.grid.node, self.grid.port, self.range)
    }
}

impl PartitionStream for GridPart {
    fn schema(&self) -> &SchemaRef {
        &self.grid.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let grid = Arc::clone(&self.grid);
        let size = context.session_config().batch_size();
        let batches = self.range.clone().flat_map(move |number| {
            let data = grid.inner().chunks[number].data.clone();
            match data.read() {
                Ok(batch) => {
                    let rows = batch.num_rows();
                    (0..rows).step_by(size).map(|from| Ok(batch.slice(from, size.min(rows - from)))).collect::<Vec<_>>()
                }
                Err(error) => vec![Err(error)],
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.grid.schema), futures::stream::iter(batches)))
    }
}
