//! `weir run`: from the drawing to the result.

use std::io::IsTerminal;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use weir_engine::Problem;
use weir_engine::check::check;
use weir_engine::preview::preview;
use weir_engine::project::Project;
use weir_engine::run::{Certificate, Options, Outcome, Progress, Request, RunError, run};
use weir_engine::workflow::Workflow;
use weir_nodes::Severity;

use crate::{End, LimitArgs, WorkflowArgs, block_on, output};

/// Run a workflow: compute, check every control, publish all of it or nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  weir run workflows/commissions.json --set period=2026-09 --memory 2GB\n\nExit codes: 0 published · 1 blocked by a control · 2 the workflow or its inputs are wrong · 3 it failed while running"
)]
pub(crate) struct Run {
    #[command(flatten)]
    workflow: WorkflowArgs,
    #[command(flatten)]
    limits: LimitArgs,
    /// Leave governed tables alone, so that the version need not be approved
    #[arg(long)]
    draft: bool,
    /// Load once more what a run has loaded before
    #[arg(long)]
    again: bool,
    /// Compute everything a second time by another route, and publish only if it comes out the same
    #[arg(long)]
    shadow: bool,
    /// Let the failed controls of a step pass, this once; for validators, with a reason
    #[arg(long, value_name = "STEP", requires = "reason")]
    waive: Vec<String>,
    /// Why a control is waived
    #[arg(long, default_value = "")]
    reason: String,
    /// Print the certificate as JSON, and nothing else on standard output
    #[arg(long)]
    json: bool,
}

impl Run {
    pub(crate) fn execute(self) -> End {
        let start = Instant::now();
        let project = match Project::of(&self.workflow.file) {
            Ok(project) => project,
            Err(problem) => return self.wrong(&[problem]),
        };
        let workflow = match Workflow::load(&self.workflow.file) {
            Ok(workflow) => workflow,
            Err(problems) => return self.wrong(&problems),
        };
        let limits = self.limits.limits();
        let threads = limits.threads;
        let options =
            Options { draft: self.draft, again: self.again, shadow: self.shadow, waive: self.waive.clone(), reason: self.reason.clone() };
        let request =
            Request { workflow: &workflow, file: &self.workflow.file, project: &project, set: &self.workflow.set, limits, options };
        let quiet = self.json;
        let live = !quiet && std::io::stderr().is_terminal();
        let progress = |event: Progress| match event {
            Progress::Checked(problems) if !quiet => problems.iter().for_each(output::problem_lines),
            Progress::Step { node, .. } if live => output::note(&format!("  … {node}")),
            _ => {}
        };
        match block_on(threads, async { Ok(run(&request, &progress).await) }) {
            Ok(Ok(certificate)) => {
                if quiet {
                    output::json(&certificate);
                } else {
                    print(&certificate, start);
                }
                match certificate.outcome {
                    Outcome::Published => End::Done,
                    Outcome::Blocked => {
                        if !quiet && let Err(problem) = first_exceptions(&request, &certificate) {
                            output::problems(&[problem]);
                        }
                        End::Blocked
                    }
                }
            }
            Ok(Err(RunError::Invalid(problems))) => self.wrong(&problems),
            Ok(Err(RunError::Failed(problem))) | Err(problem) => {
                self.wrong(&[problem]);
                End::Failed
            }
        }
    }

    fn wrong(&self, problems: &[Problem]) -> End {
        if self.json {
            output::json(&json!({ "outcome": "failed", "problems": problems }));
        } else {
            output::problems(problems);
            output::note("Nothing was loaded.");
        }
        End::Wrong
    }
}

/// The most rules of one step that hold and are said one by one.
const SPOKEN: usize = 3;
/// How many rows of those that block are shown.
const FIRST: usize = 3;

/// The first of the rows that block a run.
fn first_exceptions(request: &Request<'_>, certificate: &Certificate) -> Result<(), Problem> {
    let mut ports: Vec<&str> = Vec::new();
    for found in certificate.verdicts.iter().filter(|verdict| verdict.blocks()).filter_map(|verdict| verdict.exceptions.as_ref()) {
        if found.rows > 0 && !ports.contains(&found.port.as_str()) {
            ports.push(&found.port);
        }
    }
    let checked = check(request.workflow, request.project, request.set);
    for port in ports {
        let page = block_on(request.limits.threads, preview(&checked, port, FIRST, &request.limits))?;
        output::say(&format!("\nThe first rows of {port}\n{}", output::table(&page.rows)));
    }
    Ok(())
}

fn print(certificate: &Certificate, start: Instant) {
    output::say(&format!("{} · version {} · run {}", certificate.workflow.name, short(&certificate.workflow.version), certificate.run));
    output::say("\nSteps");
    let width = certificate.steps.iter().map(|step| step.node.chars().count()).max().unwrap_or(0);
    for step in &certificate.steps {
        let ports = step.rows_out.iter().filter_map(|(port, rows)| Some((port, (*rows)?)));
        let shown: Vec<String> = if step.rows_out.len() == 1 {
            ports.map(|(_, rows)| format!("{} rows", output::count(rows))).collect()
        } else if step.rows_out.is_empty() {
            let arrived = step.rows_in.values().flatten().sum();
            vec![format!("{} rows", output::count(arrived))]
        } else {
            ports.map(|(port, rows)| format!("{port} {}", output::count(rows))).collect()
        };
        let pad = width - step.node.chars().count();
        let time = if step.rows_out.is_empty() { String::new() } else { format!("  ({} ms)", step.millis) };
        output::say(&format!("  {}{}  {:<16} {}{time}", step.node, " ".repeat(pad), step.kind, shown.join(" · ")));
    }
    if !certificate.verdicts.is_empty() {
        output::say("\nControls");
    }
    // A step with many rules says those that fail, and how many hold.
    let rules =
        |node: &str, holds: bool| certificate.verdicts.iter().filter(|verdict| verdict.node == node && verdict.holds == holds).count();
    let mut summed: Vec<&str> = Vec::new();
    for verdict in &certificate.verdicts {
        if verdict.holds && rules(&verdict.node, true) > SPOKEN {
            if !summed.contains(&verdict.node.as_str()) {
                summed.push(&verdict.node);
                let fail = rules(&verdict.node, false);
                let others = if fail == 0 { String::new() } else { format!(", {fail} do not") };
                output::say(&format!("  ✓ {}: {} rules hold{others}", verdict.node, rules(&verdict.node, true)));
            }
            continue;
        }
        let sign = match (verdict.holds, verdict.severity) {
            (true, _) => "✓",
            (false, _) if verdict.waived.is_some() => "~",
            (false, Severity::Block) => "✕",
            (false, _) => "!",
        };
        output::say(&format!("  {sign} {}: {}", verdict.node, verdict.title));
        if let Some(waiver) = &verdict.waived {
            output::say(&format!("      waived by {}: {}", waiver.by, waiver.reason));
        }
        if let Some(figures) = &verdict.figures {
            let tolerance = match figures.tolerance {
                Some(tolerance) if !tolerance.is_zero() => format!(" (tolerance {})", output::amount(tolerance)),
                _ => String::new(),
            };
            output::say(&format!(
                "      {} {} | {} {} | difference {}{tolerance}",
                figures.left_label,
                output::amount(figures.left),
                figures.right_label,
                output::amount(figures.right),
                output::amount(figures.difference),
            ));
        }
        if let Some(exceptions) = verdict.exceptions.as_ref().filter(|exceptions| exceptions.rows > 0) {
            output::say(&format!(
                "      {} exceptions; see them with: weir preview {} {}",
                output::count(exceptions.rows),
                certificate.workflow.file,
                exceptions.port
            ));
        }
    }
    let elapsed = start.elapsed().as_secs_f32();
    match certificate.outcome {
        Outcome::Published => {
            if let Some(shadow) = &certificate.shadow {
                let memory = shadow.memory_bytes >> 20;
                output::say(&format!("\nComputed twice; the second time with {} threads and {memory} MB, unoptimised.", shadow.threads));
            }
            if let Some(approval) = &certificate.approval {
                output::say(&format!("\nUnder the approval of {} at {}.", approval.by, approval.time));
            }
            output::say(&format!("\nPublished in {elapsed:.2} s"));
            let why = if certificate.examples.is_empty() {
                "this is a draft".to_owned()
            } else {
                format!("{} read examples; bind your own files", certificate.examples.join(", "))
            };
            for target in &certificate.held_back {
                output::say(&format!("  {target}  left alone: {why}"));
            }
            for out in &certificate.outputs {
                output::say(&format!("  {}  {} rows  digest {}", out.target, output::count(out.rows), short(&out.digest)));
            }
        }
        Outcome::Blocked => {
            output::say("\nNothing was loaded:");
            for verdict in certificate.verdicts.iter().filter(|verdict| verdict.blocks()) {
                output::say(&format!("  {}: {}", verdict.node, reason(verdict)));
            }
        }
    }
    output::say(&format!("Certificate .weir/runs/{}/certificate.json", certificate.run));
}

fn reason(verdict: &weir_engine::run::certificate::Verdict) -> String {
    match (&verdict.figures, &verdict.exceptions) {
        (Some(figures), _) if !figures.hold() => {
            let difference = output::amount(figures.difference.abs());
            if figures.at_most { format!("{difference} above what is allowed") } else { format!("totals differ by {difference}") }
        }
        (_, Some(exceptions)) => format!("{}: {} rows are exceptions", verdict.title, output::count(exceptions.rows)),
        _ => verdict.title.clone(),
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
