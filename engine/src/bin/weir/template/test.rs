//! `weir template test`.

use std::path::PathBuf;

use clap::Args;
use weir_engine::package::registry::{needed, registries};
use weir_engine::package::{Files, test};

use crate::{End, LimitArgs, block_on, output};

/// Run a package's tests: sample in, expected figures out.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir template test templates/sales-commissions")]
pub(crate) struct Test {
    /// The package's folder or packed file
    #[arg(default_value = ".")]
    package: PathBuf,
    /// Look in this folder or site for the packages it needs; may be given several times
    #[arg(long, value_name = "FOLDER|URL")]
    registry: Vec<String>,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Test {
    pub(crate) fn execute(self) -> End {
        let limits = self.limits.limits();
        let tested = Files::open(&self.package).and_then(|files| {
            let needs = needed(&registries(&self.registry, None), &files)?;
            block_on(limits.threads, test::run(&files, &needs, &limits))
        });
        let verdicts = match tested {
            Ok(verdicts) => verdicts,
            Err(problem) => return output::problems(&[problem]),
        };
        for verdict in &verdicts {
            output::say(&format!("{} {}: {}", if verdict.holds() { "✓" } else { "✕" }, verdict.test, verdict.about));
            verdict.differences.iter().for_each(|difference| output::say(&format!("    {difference}")));
        }
        let failed = verdicts.iter().filter(|verdict| !verdict.holds()).count();
        output::say(&format!("{} tests, {failed} failed", verdicts.len()));
        if failed == 0 { End::Done } else { End::Blocked }
    }
}
