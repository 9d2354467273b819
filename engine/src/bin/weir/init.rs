//! `weir init`: a project to start from.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use weir_engine::Problem;
use weir_engine::project;

use crate::{End, output};

/// Start a project in a folder: `weir.toml`, a first workflow, and data to run it on.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  weir init my-project && weir run my-project/workflows/first.json")]
pub(crate) struct Init {
    /// The folder; made when it does not exist
    dir: PathBuf,
}

const WORKFLOW: &str = r#"{
  "weir": 1,
  "name": "First workflow",
  "nodes": {
    "large": {
      "kind": "filter",
      "params": {
        "condition": "[Amount] >= 100"
      }
    },
    "result": {
      "kind": "load.csv",
      "params": {
        "path": "out/large-sales.csv"
      }
    },
    "sales": {
      "kind": "input.csv",
      "params": {
        "path": "data/sales.csv"
      }
    }
  },
  "edges": [
    {
      "from": "sales",
      "to": "large"
    },
    {
      "from": "large.true",
      "to": "result"
    }
  ]
}
"#;

impl Init {
    pub(crate) fn execute(self) -> End {
        let dir = self.dir;
        if dir.join(project::FILE).exists() {
            let problem = Problem::error("There is already a project here.").in_file(dir.join(project::FILE).display().to_string(), None);
            return output::problems(&[problem.help("Choose another folder.")]);
        }
        let name = std::path::absolute(&dir).ok().and_then(|dir| Some(dir.file_name()?.to_string_lossy().into_owned())).unwrap_or_default();
        let settings = project::Config { name, ..project::Config::default() };
        let files = [
            (project::FILE, toml::to_string(&settings).unwrap_or_default()),
            ("workflows/first.json", WORKFLOW.to_owned()),
            ("data/sales.csv", "Order,Customer,Amount,Date\n00017,Diallo,120.50,2026-09-03\n00018,Martin,80.00,2026-09-04\n".to_owned()),
            (".gitignore", ".weir/\nout/\n".to_owned()),
        ];
        for (path, text) in files {
            let file = dir.join(path);
            if file.exists() {
                continue;
            }
            let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, text));
            if let Err(error) = written {
                return output::problems(&[Problem::error(format!("The project cannot be written: {error}."))
                    .in_file(file.display().to_string(), None)
                    .help("Choose a folder you may write to.")]);
            }
        }
        output::say(&format!(
            "A project stands in {}. Run it with:\n  weir run {}",
            dir.display(),
            dir.join("workflows/first.json").display()
        ));
        End::Done
    }
}
