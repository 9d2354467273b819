//! `weir`: what the editor does, without the editor.

mod audit;
mod branch;
mod check;
mod decide;
mod diff;
mod edit;
mod functions;
mod history;
mod init;
mod key;
mod ledger;
mod merge;
mod nodes;
mod output;
mod preview;
mod propose;
mod rollback;
mod run;
mod save;
mod schema;
mod show;
mod template;
mod trace;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use weir_engine::Problem;
use weir_engine::plan::Limits;

/// The allocator: many threads build and drop columns all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Prepares data the way it was drawn: nothing is loaded until every control holds.
#[derive(Debug, Parser)]
#[command(name = "weir", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a workflow: compute, check every control, publish all of it or nothing.
    Run(run::Run),
    /// Open the editor.
    Edit(edit::Edit),
    /// Find every problem of a workflow without running it.
    Check(check::Check),
    /// Show the first rows that leave a step.
    Preview(preview::Preview),
    /// List the kinds of steps, or document one with its parameters and examples.
    Nodes(nodes::Nodes),
    /// List the functions of the formula language, or document one with its examples.
    Functions(functions::Functions),
    /// Print the JSON schema of workflow files.
    Schema(schema::Schema),
    /// Save a workflow as a new version.
    Save(save::Save),
    /// List the versions of a workflow.
    History(history::HistoryCommand),
    /// Show a version: who, when, why, and what it changed.
    Show(show::Show),
    /// Say what differs between two versions, and what that does to the figures.
    Diff(diff::Diff),
    /// Go back to an earlier version.
    Rollback(rollback::Rollback),
    /// List, start or switch what-if variants of a workflow.
    Branch(branch::Branch),
    /// Merge a variant.
    Merge(merge::Merge),
    /// Make the key that you sign with, or show its public half.
    Key(key::KeyCommand),
    /// Propose the newest version for approval.
    Propose(propose::Propose),
    /// Approve a proposal that somebody else made.
    Approve(decide::Decide),
    /// Reject a proposal.
    Reject(decide::Decide),
    /// Follow a figure back to its source rows, or a missing row to where it was dropped.
    Trace(trace::TraceCommand),
    /// Compute a past run again and compare the digests.
    Verify(verify::Verify),
    /// Install, bind, make, test and publish template packages.
    Template(template::Template),
    /// Look into the Universal Ledger.
    Ledger(ledger::LedgerCommand),
    /// Look into the audit chain.
    Audit(audit::AuditCommand),
    /// Start a project in a folder.
    Init(init::Init),
}

/// How a command ended, as its exit code says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Done; for a run: published.
    Done = 0,
    /// Blocked by a control.
    Blocked = 1,
    /// The workflow, its inputs or the command's own words are wrong.
    Wrong = 2,
    /// It failed while running.
    Failed = 3,
}

/// A workflow and the values of its parameters.
#[derive(Debug, Args)]
struct WorkflowArgs {
    /// The workflow's file
    file: PathBuf,
    /// Set a parameter of the workflow; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_value)]
    set: Vec<(String, String)>,
}

fn name_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("\"{text}\" has no \"=\": write NAME=VALUE"))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// What a command may use.
#[derive(Debug, Args)]
struct LimitArgs {
    /// How much memory operators may hold before they spill to disk, such as 500MB or 2GB [default: half of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    memory: Option<usize>,
    /// How many threads to use; never changes a result [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How many rows a batch holds; never changes a result
    #[arg(long, value_name = "N", hide = true, value_parser = clap::value_parser!(u32).range(1..))]
    batch_rows: Option<u32>,
}

impl LimitArgs {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(threads) = self.threads {
            limits.threads = usize::from(threads);
        }
        if let Some(rows) = self.batch_rows {
            limits.batch_rows = rows as usize;
        }
        if let Some(bytes) = self.memory {
            limits.memory_bytes = bytes;
        }
        limits
    }
}

fn bytes(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        "T" | "TB" | "TIB" => 1 << 40,
        _ => return Err(format!("\"{unit}\" is not a unit of memory: use KB, MB or GB")),
    };
    let number: rust_decimal::Decimal = number.parse().map_err(|_| format!("\"{text}\" is not a size such as 500MB or 2GB"))?;
    let size = number.checked_mul(factor.into()).and_then(|size| usize::try_from(size.trunc()).ok());
    size.filter(|size| *size >= 16 << 20).ok_or_else(|| "at least 16MB are needed".to_owned())
}

/// Runs something asynchronous on as many threads as the limits say.
fn block_on<T>(threads: usize, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let runtime = weir_engine::plan::runtime(threads).map_err(|error| Problem::error(format!("No threads can be started: {error}.")))?;
    runtime.block_on(work)
}

fn main() -> ExitCode {
    let stack = weir_engine::plan::STACK_BYTES;
    let started = std::thread::Builder::new().name("weir".into()).stack_size(stack).spawn(command);
    match started.map(std::thread::JoinHandle::join) {
        Ok(Ok(end)) => end,
        Ok(Err(panicked)) => std::panic::resume_unwind(panicked),
        Err(error) => {
            eprintln!("No thread can be started: {error}.");
            ExitCode::FAILURE
        }
    }
}

fn command() -> ExitCode {
    let end = match Cli::parse().command {
        Command::Run(command) => command.execute(),
        Command::Edit(command) => command.execute(),
        Command::Check(command) => command.execute(),
        Command::Preview(command) => command.execute(),
        Command::Nodes(command) => command.execute(),
        Command::Functions(command) => command.execute(),
        Command::Schema(command) => command.execute(),
        Command::Save(command) => command.execute(),
        Command::History(command) => command.execute(),
        Command::Show(command) => command.execute(),
        Command::Diff(command) => command.execute(),
        Command::Rollback(command) => command.execute(),
        Command::Branch(command) => command.execute(),
        Command::Merge(command) => command.execute(),
        Command::Key(command) => command.execute(),
        Command::Propose(command) => command.execute(),
        Command::Approve(command) => command.execute(true),
        Command::Reject(command) => command.execute(false),
        Command::Trace(command) => command.execute(),
        Command::Verify(command) => command.execute(),
        Command::Template(command) => command.execute(),
        Command::Ledger(command) => command.execute(),
        Command::Audit(command) => command.execute(),
        Command::Init(command) => command.execute(),
    };
    ExitCode::from(end as u8)
}
