//! What a step shows: the first rows of one of its ports, in order, exactly as a run would give them.

use arrow::array::RecordBatch;
use datafusion::physical_plan::collect;
use weir_nodes::Problem;

use crate::check::Checked;
use crate::plan::error::StepError;
use crate::plan::{Limits, assemble, session};

/// The first rows of a step.
#[derive(Debug)]
pub struct Page {
    /// The step.
    pub node: String,
    /// The port.
    pub port: &'static str,
    /// The rows: exact, in order, never a sample.
    pub rows: RecordBatch,
    /// Whether these are all there are.
    pub complete: bool,
}

/// The first `rows` rows that leave by `NODE` or `NODE.PORT`. The steps before it are computed as far as needed.
pub async fn preview(checked: &Checked, reference: &str, rows: usize, limits: &Limits) -> Result<Page, Problem> {
    let (step, node, port) = checked.find_port(reference)?;
    let failed = |error: &datafusion::common::DataFusionError| {
        if let Some(problem) = StepError::problem(error) {
            return problem;
        }
        let (found, message) = StepError::explain(error);
        Problem::error(message).at_node(found.as_deref().unwrap_or(&node))
    };
    let spill = tempfile::tempdir().map_err(|error| Problem::error(format!("There is no room to work in: {error}.")))?;
    let result = async {
        let Some(table) = step.table(port) else {
            return datafusion::common::internal_err!("the port {port} is no outlet");
        };
        // One more row than asked for tells whether there are more.
        let plan = assemble::inline(checked, &table?)?.shown(Some(rows.saturating_add(1)))?;
        let context = session::session(limits, spill.path())?;
        let physical = context.state().create_physical_plan(&plan).await?;
        let schema = physical.schema();
        let batches = collect(physical, context.task_ctx()).await?;
        Ok(arrow::compute::concat_batches(&schema, &batches)?)
    }
    .await;
    let all = result.map_err(|error| failed(&error))?;
    let complete = all.num_rows() <= rows;
    Ok(Page { node, port, rows: all.slice(0, all.num_rows().min(rows)), complete })
}
