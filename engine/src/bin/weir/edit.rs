//! `weir edit`: opens the editor, which stands beside this program.

use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use weir_engine::Problem;

use crate::{End, output};

/// Open the editor, with a workflow or with the start screen.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir edit examples/commissions/workflows/commissions.json")]
pub(crate) struct Edit {
    /// The workflow's file
    file: Option<PathBuf>,
}

impl Edit {
    pub(crate) fn execute(self) -> End {
        let beside = std::env::current_exe()
            .map(|exe| exe.with_file_name(format!("weir-editor{}", std::env::consts::EXE_SUFFIX)))
            .ok()
            .filter(|editor| editor.is_file());
        let Some(editor) = beside else {
            let problem = Problem::error("The editor is not beside this program.");
            return output::problems(&[problem.help("Build it with: cargo build --release --workspace")]);
        };
        match Command::new(&editor).args(self.file).status() {
            Ok(status) if status.success() => End::Done,
            // The editor has said why.
            Ok(_) => End::Failed,
            Err(error) => {
                let problem = Problem::error(format!("The editor cannot be started: {error}.")).in_file(editor.display().to_string(), None);
                output::problems(&[problem.help("Check its permissions.")]);
                End::Failed
            }
        }
    }
}
