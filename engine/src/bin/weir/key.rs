//! `weir key`: what a person signs with.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use weir_engine::Problem;
use weir_engine::approval::{Key, passphrase};
use weir_engine::audit::{Audit, Event};
use weir_engine::project::{FILE, Project, user};

use crate::{End, output};

/// Make the key that you sign proposals and approvals with, or show its public half.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  weir key new\n\nThe passphrase is asked for, or taken from WEIR_PASSPHRASE. Keys lie in WEIR_KEYS, else in the user's configuration."
)]
pub(crate) struct KeyCommand {
    /// The project's folder, or any folder inside it
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    project: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key, sealed with a passphrase
    New,
    /// Print the public half of your key
    Show,
}

impl KeyCommand {
    pub(crate) fn execute(self) -> End {
        let done = || -> Result<End, Problem> {
            let person = user();
            let public = match self.action {
                Action::Show => Key::public_of(&person)?,
                Action::New => {
                    let project = Project::around(&self.project)?;
                    let (key, path) = Key::new(&person, &passphrase(true)?)?;
                    let audit = Audit::open(&project.audit());
                    let noted = audit.append(Event::Key, &person, &person, json!({ "public": key.public() }));
                    noted?;
                    output::note(&format!("The key of {person} lies in {}.", path.display()));
                    output::note(&format!("An administrator enters its public half into {FILE}:\n"));
                    key.public()
                }
            };
            output::say(&format!("[people.{person}]\nkey = \"{public}\""));
            Ok(End::Done)
        };
        done().unwrap_or_else(|problem| output::problems(&[problem]))
    }
}
