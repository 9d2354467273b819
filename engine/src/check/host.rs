//! The project as the steps see it.

use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use weir_nodes::kind::Host;

use crate::ledger::Ledger;
use crate::project::Project;

/// Files are in the project's folder, ledger tables in its ledger.
#[derive(Debug)]
pub(crate) struct ProjectHost<'a> {
    project: &'a Project,
}

impl<'a> ProjectHost<'a> {
    pub(crate) fn new(project: &'a Project) -> Self {
        Self { project }
    }
}

impl Host for ProjectHost<'_> {
    fn path(&self, path: &str) -> PathBuf {
        self.project.path(path)
    }

    fn ledger_columns(&self, table: &str) -> Option<SchemaRef> {
        let folder = self.project.ledger();
        if !folder.join(table).is_dir() {
            return None;
        }
        // Planning is synchronous and may happen inside a runtime: the ledger is asked from a thread of its own.
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
                    runtime.block_on(async { Ledger::open(&folder).columns(table).await.ok().flatten() })
                })
                .join()
                .ok()
                .flatten()
        })
    }
}
