//! The project as the steps see it.

use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use rust_decimal::Decimal;
use weir_nodes::Problem;
use weir_nodes::kind::{Call, Host, Lake, LakeTable};

use crate::http;
use crate::ledger::{AsOf, Ledger, LedgerError};
use crate::project::Project;
use crate::run::certificate::{CERTIFICATE, Certificate, Outcome};

/// Files are in the project's folder, ledger tables in its ledger.
#[derive(Debug)]
pub(crate) struct ProjectHost<'a> {
    project: &'a Project,
    workflow: &'a str,
    /// Whether web services are asked anew.
    anew: bool,
}

impl<'a> ProjectHost<'a> {
    /// The project as the steps of the workflow of this name see it.
    pub(crate) fn new(project: &'a Project, workflow: &'a str, anew: bool) -> Self {
        Self { project, workflow, anew }
    }
}

impl Host for ProjectHost<'_> {
    fn path(&self, path: &str) -> PathBuf {
        self.project.path(path)
    }

    fn refused(&self, path: &str) -> Option<Problem> {
        self.project.refused(path)
    }

    fn call(&self, call: &Call) -> Result<String, Problem> {
        http::answer(self.project, call, self.anew)
    }

    fn connection(&self, name: &str) -> Result<String, Problem> {
        self.project.connection(name)
    }

    fn ledger_columns(&self, table: &str) -> Option<SchemaRef> {
        if self.project.config().ledger.is_none() && !self.project.ledger_folder().join(table).is_dir() {
            return None;
        }
        asked(|| async { Ledger::of(self.project).ok()?.columns(table).await.ok().flatten() }).flatten()
    }

    fn lake(&self, lake: Lake<'_>, version: Option<u64>) -> Result<LakeTable, Problem> {
        let (folder, name) = match lake {
            Lake::Ledger(table) => (PathBuf::new(), table.to_owned()),
            Lake::Folder(path) => {
                let path = self.project.path(path);
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                (path.parent().unwrap_or(&path).to_owned(), name)
            }
        };
        asked(|| async move {
            let ledger = if matches!(lake, Lake::Ledger(_)) { Ledger::of(self.project)? } else { Ledger::elsewhere(&folder) };
            let (rows, proof) = ledger.provider(&name, version.map(AsOf::Version)).await?;
            Ok(LakeTable { rows, proof })
        })
        .unwrap_or(Err(LedgerError::Missing { table: String::new() }))
        .map_err(|error| Problem::error(error.to_string()))
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

/// The answer of the ledger. Planning is synchronous and may happen inside a runtime: the question is asked from a
/// thread of its own.
fn asked<T: Send, F: Future<Output = T>>(question: impl FnOnce() -> F + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            Some(runtime.block_on(question()))
        });
        asking.join().ok().flatten()
    })
}
