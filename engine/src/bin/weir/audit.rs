//! `weir audit`: the chain of what happened.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use weir_engine::Problem;
use weir_engine::audit::{Audit, Entry, Event};
use weir_engine::history::verify;
use weir_engine::project::Project;

use crate::{End, output};

/// Look into the audit chain.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  weir audit verify\n  weir audit log --event approve --since 2026-09-01 --csv")]
pub(crate) struct AuditCommand {
    /// The project's folder, or any folder inside it
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    project: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say whether chain, versions and certificates are whole, and what was cut or altered
    Verify,
    /// List what happened, the newest last
    Log {
        /// Only these events: save, propose, approve, load, block, …
        #[arg(long, value_name = "EVENT")]
        event: Vec<String>,
        /// Only what this person did
        #[arg(long)]
        user: Option<String>,
        /// Only what is about this: a workflow's file, a run, a table
        #[arg(long)]
        about: Option<String>,
        /// Only from this day on: 2026-09-01
        #[arg(long, value_name = "DAY")]
        since: Option<String>,
        /// Only up to this day
        #[arg(long, value_name = "DAY")]
        until: Option<String>,
        /// Print as JSON
        #[arg(long, conflicts_with = "csv")]
        json: bool,
        /// Print as CSV
        #[arg(long)]
        csv: bool,
    },
}

/// An event as the chain writes it.
fn word(event: Event) -> String {
    serde_json::to_value(event).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

impl AuditCommand {
    pub(crate) fn execute(self) -> End {
        let project = match Project::around(&self.project) {
            Ok(project) => project,
            Err(problem) => return output::problems(&[problem]),
        };
        match &self.action {
            Action::Log { .. } => self.log(&project).unwrap_or_else(|problem| output::problems(&[problem])),
            Action::Verify => match verify(&project) {
                Ok(verified) => {
                    let (entries, objects, runs) =
                        (output::count(verified.entries), output::count(verified.objects), output::count(verified.runs));
                    output::say(&format!("The chain is whole: {entries} entries, {objects} objects of the history, {runs} certificates."));
                    End::Done
                }
                Err(problems) => {
                    output::problems(&problems);
                    End::Blocked
                }
            },
        }
    }

    fn log(&self, project: &Project) -> Result<End, Problem> {
        let Action::Log { event, user, about, since, until, json, csv } = &self.action else { return Ok(End::Done) };
        let entries = Audit::open(&project.audit()).entries()?;
        let wanted = |entry: &Entry| {
            let day = entry.time.get(..10).unwrap_or_default();
            (event.is_empty() || event.contains(&word(entry.event)))
                && user.as_ref().is_none_or(|user| entry.user == *user)
                && about.as_ref().is_none_or(|about| entry.subject == *about || entry.detail.to_string().contains(about.as_str()))
                && since.as_ref().is_none_or(|since| day >= since.as_str())
                && until.as_ref().is_none_or(|until| day <= until.as_str())
        };
        let entries: Vec<&Entry> = entries.iter().filter(|entry| wanted(entry)).collect();
        if *json {
            return Ok(output::json(&entries));
        }
        if *csv {
            let trouble = |error: &dyn std::fmt::Display| Problem::error(format!("The log cannot be written as CSV: {error}."));
            let mut writer = csv::Writer::from_writer(vec![]);
            writer.write_record(["entry", "time", "user", "event", "subject", "detail", "hash"]).map_err(|e| trouble(&e))?;
            for entry in entries {
                let row = [
                    entry.seq.to_string(),
                    entry.time.clone(),
                    entry.user.clone(),
                    word(entry.event),
                    entry.subject.clone(),
                    entry.detail.to_string(),
                    entry.hash(),
                ];
                writer.write_record(row).map_err(|e| trouble(&e))?;
            }
            let bytes = writer.into_inner().map_err(|e| trouble(&e))?;
            output::say(String::from_utf8_lossy(&bytes).trim_end_matches('\n'));
            return Ok(End::Done);
        }
        for entry in entries {
            let why = ["message", "reason"]
                .into_iter()
                .find_map(|key| entry.detail.get(key))
                .and_then(|value| value.as_str())
                .unwrap_or_default();
            let time = entry.time.get(..19).unwrap_or(&entry.time).replace('T', " ");
            output::say(&format!("{:>6}  {time}  {:<12} {:<9} {}  {why}", entry.seq, entry.user, word(entry.event), entry.subject));
        }
        Ok(End::Done)
    }
}
