//! `weir ledger`: the governed store.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use weir_engine::Problem;
use weir_engine::ledger::{AsOf, Ledger};
use weir_engine::project::Project;
use weir_engine::run::recover;

use crate::{End, block_on, output};

/// Look into the Universal Ledger.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  weir ledger tables\n  weir ledger show commissions --as-of 3 --csv")]
pub(crate) struct LedgerCommand {
    /// The project's folder, or any folder inside it
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    project: PathBuf,
    /// Print as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the tables
    Tables,
    /// Print the rows of a table, in the order they were loaded
    Show {
        /// The table
        table: String,
        /// The table as it was at this version
        #[arg(long, value_name = "VERSION")]
        as_of: Option<u64>,
        /// How many rows; 0 for all
        #[arg(long, default_value_t = 20, value_name = "N")]
        rows: usize,
        /// Print the rows as CSV
        #[arg(long)]
        csv: bool,
    },
}

impl LedgerCommand {
    pub(crate) fn execute(self) -> End {
        let project = match Project::around(&self.project) {
            Ok(project) => project,
            Err(problem) => return output::problems(&[problem]),
        };
        let result = block_on(1, async {
            recover(&project).await?;
            let ledger = Ledger::open(&project.ledger());
            match &self.action {
                Action::Tables => self.tables(&ledger).await,
                Action::Show { table, as_of, rows, csv } => self.show(&ledger, table, *as_of, *rows, *csv).await,
            }
        });
        result.unwrap_or_else(|problem| output::problems(&[problem]))
    }

    async fn tables(&self, ledger: &Ledger) -> Result<End, Problem> {
        let tables = ledger.tables().await.map_err(|error| Problem::error(error.to_string()))?;
        if self.json {
            return Ok(output::json(&tables));
        }
        if tables.is_empty() {
            output::say("The ledger has no tables yet.");
        }
        for table in tables {
            output::say(&format!("  {:<24} version {:<4} {} rows", table.name, table.version, output::count(table.rows)));
        }
        Ok(End::Done)
    }

    async fn show(&self, ledger: &Ledger, table: &str, as_of: Option<u64>, rows: usize, csv: bool) -> Result<End, Problem> {
        let all = ledger.read(table, as_of.map(AsOf::Version)).await.map_err(|error| Problem::error(error.to_string()))?;
        let total = all.num_rows();
        let shown = if rows == 0 || csv || self.json { all } else { all.slice(0, rows.min(total)) };
        if csv {
            output::say(output::csv(&shown)?.trim_end_matches('\n'));
        } else if self.json {
            return Ok(output::json(&json!({ "table": table, "rows": output::json_rows(&shown) })));
        } else {
            output::say(&output::table(&shown).to_string());
            output::say(&format!("{table}: {} of {} rows", output::count(shown.num_rows() as u64), output::count(total as u64)));
        }
        Ok(End::Done)
    }
}
