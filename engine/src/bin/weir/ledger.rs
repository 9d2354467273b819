//! `weir ledger`: the governed store.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use weir_engine::Problem;
use weir_engine::approval::{Act, Person, allow};
use weir_engine::audit::{Audit, Event};
use weir_engine::ledger::{AsOf, Ledger, export, moment, reverse, snapshots, take_snapshot};
use weir_engine::project::Project;
use weir_engine::run::recover;

use crate::{End, block_on, output};

/// Look into the Universal Ledger.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  weir ledger tables\n  weir ledger show commissions --as-of 2026-09-30 --csv\n  weir ledger snapshot \"September close, approved\""
)]
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
        /// The table as it was: a version, a snapshot's name, or a day such as 2026-09-30
        #[arg(long, value_name = "MOMENT")]
        as_of: Option<String>,
        /// How many rows; 0 for all
        #[arg(long, default_value_t = 20, value_name = "N")]
        rows: usize,
        /// Print the rows as CSV
        #[arg(long)]
        csv: bool,
    },
    /// Print the rows of a table as they were: show --as-of
    AsOf {
        /// The table
        table: String,
        /// A version, a snapshot's name, or a day such as 2026-09-30
        moment: String,
        /// How many rows; 0 for all
        #[arg(long, default_value_t = 20, value_name = "N")]
        rows: usize,
        /// Print the rows as CSV
        #[arg(long)]
        csv: bool,
    },
    /// List the loads of a table, the newest first
    History {
        /// The table
        table: String,
    },
    /// Name the state that the tables have now; without a name, list the named states
    Snapshot {
        /// Its name, such as "September close, approved"
        name: Option<String>,
        /// Only these tables
        #[arg(long, value_name = "TABLE")]
        table: Vec<String>,
        /// Why
        #[arg(short, long, default_value = "")]
        message: String,
    },
    /// Write the rows of a table into a file: .csv, .xlsx, .parquet, .json or .arrow
    Export {
        /// The table
        table: String,
        /// The file
        file: PathBuf,
        /// The table as it was: a version, a snapshot's name, or a day
        #[arg(long, value_name = "MOMENT")]
        as_of: Option<String>,
    },
    /// Compensate what a run loaded, row by row; nothing is deleted
    Reverse {
        /// The run's id, or how it begins
        run: String,
        /// The columns whose sign is turned; all amounts unless given
        #[arg(long, value_delimiter = ',', value_name = "COLUMN")]
        columns: Vec<String>,
        /// Why
        #[arg(short, long)]
        message: String,
    },
    /// Remove files that no recent version and no snapshot needs
    Vacuum {
        /// The table; all of them unless given
        table: Option<String>,
        /// Versions younger than this many days stay
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..))]
        days: i64,
        /// Only say which files would go
        #[arg(long)]
        dry_run: bool,
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
            let ledger = Ledger::of(&project)?;
            let person = Person::current(&project);
            let moment = |table: &str, text: Option<&String>| text.map(|text| moment(&project, table, text)).transpose();
            match &self.action {
                Action::Tables => self.tables(&ledger).await,
                Action::Show { table, as_of, rows, csv } => self.show(&ledger, table, moment(table, as_of.as_ref())?, *rows, *csv).await,
                Action::AsOf { table, moment: text, rows, csv } => self.show(&ledger, table, moment(table, Some(text))?, *rows, *csv).await,
                Action::History { table } => self.history(&ledger, table).await,
                Action::Snapshot { name: None, .. } => self.snapshots(&project),
                Action::Snapshot { name: Some(name), table, message } => {
                    let snapshot = take_snapshot(&project, &person, name, table, message).await?;
                    let tables: Vec<String> = snapshot.tables.iter().map(|(table, version)| format!("{table} {version}")).collect();
                    output::say(&format!("\"{name}\" is {} from now on.", tables.join(", ")));
                    Ok(End::Done)
                }
                Action::Export { table, file, as_of } => {
                    let rows = export(&project, &person, table, moment(table, as_of.as_ref())?, file).await?;
                    output::say(&format!("{} rows of {table} are in {}.", output::count(rows), file.display()));
                    Ok(End::Done)
                }
                Action::Reverse { run, columns, message } => {
                    for done in reverse(&project, &person, run, columns, message).await? {
                        let (brought, back) = (output::count(done.compensated), output::count(done.restored));
                        output::say(&format!(
                            "{}: {brought} rows compensated, {back} rows restored; turned: {}",
                            done.table,
                            done.negated.join(", ")
                        ));
                    }
                    Ok(End::Done)
                }
                Action::Vacuum { table, days, dry_run } => self.vacuum(&project, &ledger, table.as_ref(), *days, *dry_run).await,
            }
        });
        result.unwrap_or_else(|problem| output::problems(&[problem]))
    }

    async fn history(&self, ledger: &Ledger, table: &str) -> Result<End, Problem> {
        let versions = ledger.history(table).await?;
        if self.json {
            return Ok(output::json(&versions));
        }
        for version in versions {
            let time = version.time.get(..19).unwrap_or(&version.time).replace('T', " ");
            let mode = version.mode.unwrap_or_else(|| version.operation.to_lowercase());
            let run = version.run.unwrap_or_default();
            output::say(&format!("  {:>5}  {time}  {mode:<15} {:>10} rows  {run}", version.version, output::count(version.rows_added)));
        }
        Ok(End::Done)
    }

    fn snapshots(&self, project: &Project) -> Result<End, Problem> {
        let known = snapshots(project)?;
        if self.json {
            return Ok(output::json(&known));
        }
        if known.is_empty() {
            output::say("No state was named yet: weir ledger snapshot \"September close\"");
        }
        for snapshot in known {
            let tables: Vec<String> = snapshot.tables.iter().map(|(table, version)| format!("{table} {version}")).collect();
            let time = snapshot.time.get(..16).unwrap_or(&snapshot.time).replace('T', " ");
            output::say(&format!("  {:<28} {time}  {:<12} {}  {}", snapshot.name, snapshot.by, tables.join(", "), snapshot.reason));
        }
        Ok(End::Done)
    }

    async fn vacuum(&self, project: &Project, ledger: &Ledger, table: Option<&String>, days: i64, dry_run: bool) -> Result<End, Problem> {
        let person = Person::current(project);
        allow(project, &person, Act::Vacuum)?;
        let named = snapshots(project)?;
        let tables = match table {
            Some(table) => vec![table.clone()],
            None => ledger.tables().await?.into_iter().map(|table| table.name).collect(),
        };
        for table in tables {
            let keep: Vec<u64> = named.iter().filter_map(|snapshot| snapshot.tables.get(&table).copied()).collect();
            let files = ledger.vacuum(&table, days, &keep, dry_run).await?;
            if !dry_run {
                let audit = Audit::open(&project.audit());
                let noted = audit.append(Event::Vacuum, &person.id, &table, json!({ "days": days, "files": files.len(), "kept": keep }));
                noted?;
            }
            let word = if dry_run { "would go" } else { "are gone" };
            output::say(&format!("{table}: {} files {word}", output::count(files.len() as u64)));
        }
        Ok(End::Done)
    }

    async fn tables(&self, ledger: &Ledger) -> Result<End, Problem> {
        let tables = ledger.tables().await?;
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

    async fn show(&self, ledger: &Ledger, table: &str, as_of: Option<AsOf>, rows: usize, csv: bool) -> Result<End, Problem> {
        let all = ledger.read(table, as_of).await?;
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
