//! What a step asks of whoever runs it: files, tables of the ledger, services.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// How files are found; the editor, the command line and the tests each bring one.
pub trait Host: Debug + Send + Sync {
    /// The file a path in a workflow means.
    fn path(&self, path: &str) -> PathBuf;

    /// Why a path may not be used, if it may not: it leads out of the project.
    fn refused(&self, path: &str) -> Option<Problem> {
        let _ = path;
        None
    }

    /// The address that a connection stands for.
    fn connection(&self, name: &str) -> Result<String, Problem> {
        Ok(name.to_owned())
    }

    /// The answer of a web service: the path, in the project, of the file that holds it.
    fn call(&self, call: &Call) -> Result<String, Problem> {
        let _ = call;
        Err(Problem::error("There is no network here."))
    }

    /// The columns of a ledger table, if it exists.
    fn ledger_columns(&self, table: &str) -> Option<SchemaRef> {
        let _ = table;
        None
    }

    /// A Delta table, now or at a version.
    fn lake(&self, lake: Lake<'_>, version: Option<u64>) -> Result<LakeTable, Problem> {
        let _ = (lake, version);
        Err(Problem::error("There are no Delta tables here."))
    }

    /// The first figure of the first control of this step in the last published run of the workflow.
    fn last_figure(&self, node: &str) -> Option<Decimal> {
        let _ = node;
        None
    }
}

/// Which Delta table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lake<'a> {
    /// One of the project's ledger.
    Ledger(&'a str),
    /// One in a folder, as a path in a workflow names it.
    Folder(&'a str),
}

/// A Delta table at one version.
#[derive(Debug)]
pub struct LakeTable {
    /// Its rows.
    pub rows: Arc<dyn TableProvider>,
    /// The file that stands for this version: it never changes, and another version has another.
    pub proof: PathBuf,
}

/// A question to a web service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service as the workflow names it.
    pub connection: String,
    /// What is asked for, after the service's address.
    pub path: String,
    /// The parameters.
    pub query: Vec<(String, String)>,
    /// How to get the pages after the first.
    pub paging: Paging,
    /// Where the rows of a page are, for JSON.
    pub rows: String,
    /// Whether the answer is JSON; else it is CSV.
    pub json: bool,
}

/// How to get the pages after the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Paging {
    /// There is one page.
    #[default]
    None,
    /// Pages are numbered; the first empty one ends.
    Number {
        /// The parameter with the number.
        parameter: String,
        /// The number of the first page.
        #[serde(default = "one")]
        first: u32,
    },
    /// The parameters say how many rows to leave out and how many to give; a short page ends.
    SkipRows {
        /// The parameter with the rows to leave out.
        parameter: String,
        /// The parameter with the rows to give.
        size_parameter: String,
        /// How many rows a page has.
        size: u32,
    },
    /// Each page names the next.
    Link {
        /// Where the address of the next page is, such as `links.next`.
        at: String,
    },
}

fn one() -> u32 {
    1
}
