//! `weir trace`: a figure followed back to its source rows, or a row that is missing followed forward.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use weir_engine::Problem;
use weir_engine::project::Project;
use weir_engine::run::recover;
use weir_engine::trace::{Missing, Question, SourceRows, Trace, back, forward, loaded};
use weir_engine::workflow::Workflow;

use crate::{End, LimitArgs, block_on, name_value, output};

/// Follow a figure back to its source rows and to the rule and the people behind it, or a missing row to where it was
/// dropped.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  weir trace ledger.commissions --where \"owner = 'Jean' and month = '2026-09'\" --column commission\n  weir trace workflows/commissions.json tiers --where \"[owner] = \\\"Jean\\\"\"\n  weir trace ledger.commissions --missing \"[deal] = \\\"D17\\\"\""
)]
pub(crate) struct TraceCommand {
    /// `ledger.TABLE`, or a workflow's file
    target: String,
    /// With a workflow's file: the step and port, such as `tiers` or `won.other`
    step: Option<String>,
    /// Which rows: a formula, or a condition as SQL writes it
    #[arg(long = "where", value_name = "CONDITION", required_unless_present = "missing")]
    condition: Option<String>,
    /// Only what this column depends on
    #[arg(long)]
    column: Option<String>,
    /// Instead: why the source rows that fit this condition did not arrive
    #[arg(long, value_name = "CONDITION", conflicts_with_all = ["condition", "column"])]
    missing: Option<String>,
    /// The step that reads the missing rows
    #[arg(long, value_name = "STEP", requires = "missing")]
    from: Option<String>,
    /// How many rows to show of each step; 0 for all
    #[arg(long, default_value_t = 5, value_name = "N")]
    rows: usize,
    /// Set a parameter of the workflow; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_value)]
    set: Vec<(String, String)>,
    /// The project's folder, or any folder inside it; for ledger tables
    #[arg(long, default_value = ".", value_name = "DIR")]
    project: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitArgs,
}

impl TraceCommand {
    pub(crate) fn execute(self) -> End {
        let limits = self.limits.limits();
        block_on(limits.threads, self.follow()).unwrap_or_else(|problem| output::problems(&[problem]))
    }

    async fn follow(&self) -> Result<End, Problem> {
        let limits = self.limits.limits();
        let table = self.target.strip_prefix("ledger.");
        let project = if table.is_some() { Project::around(&self.project)? } else { Project::of(self.target.as_ref())? };
        recover(&project).await?;
        let (workflow, file, port, set, certificate) = match table {
            Some(table) => {
                let loaded = loaded(&project, table).await?;
                (loaded.workflow, loaded.certificate.workflow.file.clone(), loaded.port, loaded.set, Some(loaded.certificate))
            }
            None => {
                let workflow = Workflow::load(self.target.as_ref()).map_err(|mut problems| problems.swap_remove(0))?;
                let file = weir_engine::history::History::of(&project).name(self.target.as_ref());
                let step = self.step.clone().unwrap_or_default();
                (workflow, file, step, self.set.clone(), None)
            }
        };
        let project = project.housing(file.as_ref());
        if let Some(missing) = &self.missing {
            let found = forward(&project, &workflow, missing, self.from.as_deref(), &set, &limits).await?;
            return Ok(self.missing(&found));
        }
        if port.is_empty() {
            return Err(Problem::error("The step is not named.").help("Name it behind the file: weir trace FILE STEP --where …."));
        }
        let condition = self.condition.as_deref().unwrap_or_default();
        let question =
            Question { workflow: &workflow, file, port, condition, column: self.column.as_deref(), set, table, run: certificate.as_ref() };
        let trace = back(&project, &question, &limits).await?;
        Ok(self.trace(&trace))
    }

    fn shown(&self, rows: &arrow::array::RecordBatch) -> arrow::array::RecordBatch {
        if self.rows == 0 { rows.clone() } else { rows.slice(0, self.rows.min(rows.num_rows())) }
    }

    fn source(&self, source: &SourceRows) {
        let count = output::count(source.rows.num_rows() as u64);
        output::say(&format!("\n{} · {count} rows of the source", source.node));
        let most = if self.rows == 0 { usize::MAX } else { self.rows };
        let places: Vec<String> = source.positions.iter().take(most).map(ToString::to_string).collect();
        let more = if source.positions.len() > most { ", …" } else { "" };
        output::say(&format!("  {} {}{more}", source.label, places.join(", ")));
        output::say(&output::table(&self.shown(&source.rows)).to_string());
    }

    fn trace(&self, trace: &Trace) -> End {
        if self.json {
            let source = |source: &SourceRows| json!({ "node": source.node, "label": source.label, "positions": source.positions, "rows": output::json_rows(&source.rows) });
            let steps: Vec<_> = trace
                .steps
                .iter()
                .map(|step| json!({ "node": step.node, "kind": step.kind, "port": step.port, "rows": output::json_rows(&step.rows) }))
                .collect();
            let rule = &trace.rule;
            return output::json(&json!({
                "target": output::json_rows(&trace.target), "steps": steps, "sources": trace.sources.iter().map(source).collect::<Vec<_>>(), "reproduced": trace.reproduced,
                "rule": { "workflow": rule.workflow, "version": rule.version, "saved": rule.saved, "approved": rule.approved, "run": rule.run }
            }));
        }
        output::say(&output::table(&self.shown(&trace.target)).to_string());
        output::say(&format!("{} rows\n\nIt is made of", output::count(trace.target.num_rows() as u64)));
        trace.sources.iter().for_each(|source| self.source(source));
        output::say("\nStep by step");
        for step in &trace.steps {
            output::say(&format!("\n{}.{} ({}) · {} rows", step.node, step.port, step.kind, output::count(step.rows.num_rows() as u64)));
            output::say(&output::table(&self.shown(&step.rows)).to_string());
        }
        let rule = &trace.rule;
        output::say(&format!("\nThe rule  {} · {}", rule.workflow, rule.version.get(..12).unwrap_or(&rule.version)));
        match &rule.saved {
            Some((number, author, message)) => output::say(&format!("  saved     #{number} by {author}: {message}")),
            None => output::say("  saved     never"),
        }
        match &rule.approved {
            Some((by, time)) => output::say(&format!("  approved  by {by} at {time}")),
            None => output::say("  approved  by nobody"),
        }
        if let Some(run) = &rule.run {
            output::say(&format!("  run       {run}"));
        }
        let word = if trace.reproduced {
            "These rows alone give the figure again."
        } else {
            "These rows alone do not give the figure: other rows play a part, such as those a position or a limit depends on."
        };
        output::say(&format!("\n{word}"));
        End::Done
    }

    fn missing(&self, missing: &Missing) -> End {
        if self.json {
            let passages: Vec<_> = missing
                .passages
                .iter()
                .map(
                    |passage| json!({ "node": passage.node, "kind": passage.kind, "leaving": passage.leaving, "goes_on": passage.goes_on }),
                )
                .collect();
            return output::json(&json!({ "positions": missing.source.positions, "passages": passages }));
        }
        self.source(&missing.source);
        output::say("");
        for passage in &missing.passages {
            let ports: Vec<String> = passage.leaving.iter().map(|(port, count)| format!("{port} {count}")).collect();
            let end = if passage.goes_on { "" } else { "  ← it ends here" };
            output::say(&format!("  {:<20} {:<20} {}{end}", passage.node, passage.kind, ports.join(" · ")));
        }
        for passage in missing.ends() {
            match passage.leaving.iter().find(|(_, count)| *count > 0) {
                Some((port, _)) => output::say(&format!("\nThe step \"{}\" lets it out by \"{port}\", which leads nowhere.", passage.node)),
                None => output::say(&format!("\nThe step \"{}\" drops it.", passage.node)),
            }
        }
        for passage in missing.arrivals() {
            output::say(&format!("\nIt arrives at \"{}\".", passage.node));
        }
        End::Done
    }
}
