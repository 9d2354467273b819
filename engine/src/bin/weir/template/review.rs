//! `weir template review`.

use std::path::PathBuf;

use clap::Args;
use weir_engine::package::Files;
use weir_engine::package::registry::{needed, registries};
use weir_engine::package::review::review;

use crate::{End, LimitArgs, block_on, output};

/// Certify a package: signature, contracts, controls, tests, digests, rules, documentation.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 everything is good · 1 something is not · 2 it is no package")]
pub(crate) struct Review {
    /// The package's folder or packed file
    #[arg(default_value = ".")]
    package: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Look in this folder or site for the packages it needs; may be given several times
    #[arg(long, value_name = "FOLDER|URL")]
    registry: Vec<String>,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Review {
    pub(crate) fn execute(self) -> End {
        let limits = self.limits.limits();
        let reviewed = Files::open(&self.package).and_then(|files| {
            let needs = needed(&registries(&self.registry, None), &files)?;
            block_on(limits.threads, review(&files, &needs, &limits))
        });
        let report = match reviewed {
            Ok(report) => report,
            Err(problem) => return output::problems(&[problem]),
        };
        let end = if report.is_green() { End::Done } else { End::Blocked };
        if self.json {
            output::json(&report);
            return end;
        }
        output::say(&format!("Review of {}\n", report.package));
        for section in &report.sections {
            let sign = if section.findings.is_empty() { "✓" } else { "✕" };
            output::say(&format!("{sign} {:<14} {}", section.name, section.looked_at));
            section.findings.iter().for_each(|finding| output::say(&format!("      {finding}")));
        }
        let findings: usize = report.sections.iter().map(|section| section.findings.len()).sum();
        output::say(&if findings == 0 { "\nGreen.".to_owned() } else { format!("\nRed: {findings} findings.") });
        end
    }
}
