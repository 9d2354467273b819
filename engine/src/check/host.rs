//! The project as the steps see it.

use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use rust_decimal::Decimal;
use weir_nodes::kind::Host;

use crate::ledger::Ledger;
use crate::project::Project;
use crate::run::certificate::{CERTIFICATE, Certificate, Outcome};

/// Files are in the project's folder, ledger tables in its ledger.
#[derive(Debug)]
pub(crate) struct ProjectHost<'a> {
    project: &'a Project,
    workflow: &'a str,
}

impl<'a> ProjectHost<'a> {
    /// The project as the steps of the workflow of this name see it.
    pub(crate) fn new(project: &'a Project, workflow: &'a str) -> Self {
        Self { project, workflow }
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

    fn last_figure(&self, node: &str) -> Option<Decimal> {
        let mut runs: Vec<PathBuf> = std::fs::read_dir(self.project.runs()).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        runs.sort_unstable();
        runs.into_iter().rev().find_map(|run| {
            let certificate = std::fs::read(run.join(CERTIFICATE)).ok()?;
            let certificate: Certificate = serde_json::from_slice(&certificate).ok()?;
            if certificate.outcome != Outcome::Published || certificate.workflow.name != self.workflow {
                return None;
            }
            certificate.verdicts.into_iter().find(|verdict| verdict.node == node)?.figures.map(|figures| figures.left)
        })
    }
}
