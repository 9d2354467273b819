//! `weir template bind` and `unbind`.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;
use weir_engine::Problem;
use weir_engine::package::bind::{Judgement, Suggestion, Why, Wish, bind, contracts, judge, suggest, unbind};
use weir_engine::project::Project;

use super::{Place, package_folder};
use crate::{End, LimitArgs, block_on, name_value, output};

/// Bind your files to the inputs of a package: columns are suggested, the contract is checked.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  weir template bind deals=crm.csv people=team.xlsx#Sales\n  weir template bind deals=crm.csv --column deals.owner=\"Account manager\""
)]
pub(crate) struct Bind {
    /// An input and your file, as INPUT=FILE; a workbook's sheet behind `#`
    #[arg(required = true, value_parser = name_value, value_name = "INPUT=FILE")]
    files: Vec<(String, String)>,
    /// Which column of your file one of the contract's is, as INPUT.COLUMN=YOURS; nothing behind `=` leaves it out
    #[arg(long, value_name = "INPUT.COLUMN=YOURS", value_parser = name_value)]
    column: Vec<(String, String)>,
    /// The package, where several are installed
    #[arg(long)]
    package: Option<String>,
    /// Only show what would be bound, and what the contract says of it
    #[arg(long)]
    dry_run: bool,
    /// Bind although the contract refuses rows: runs stay blocked until they are right
    #[arg(long)]
    anyway: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    limits: LimitArgs,
}

/// Take a binding back: the input reads its example again.
#[derive(Debug, Args)]
pub(crate) struct Unbind {
    /// The input
    input: String,
    /// The package, where several are installed
    #[arg(long)]
    package: Option<String>,
    #[command(flatten)]
    place: Place,
}

impl Bind {
    pub(crate) fn execute(self) -> End {
        self.bind().unwrap_or_else(|problem| output::problems(&[problem]))
    }

    fn columns(&self, input: &str) -> BTreeMap<String, Option<String>> {
        let own = self.column.iter().filter_map(|(name, from)| Some((name.strip_prefix(input)?.strip_prefix('.')?, from)));
        own.map(|(column, from)| (column.to_owned(), Some(from.clone()).filter(|from| !from.is_empty()))).collect()
    }

    fn bind(&self) -> Result<End, Problem> {
        let project = Project::around(&self.place.project)?;
        let folder = package_folder(&project, self.package.as_deref(), &self.place.project)?;
        let (project, known) = contracts(&project, &folder)?;
        let limits = self.limits.limits();
        if let Some((name, _)) =
            self.column.iter().find(|(name, _)| !self.files.iter().any(|(input, _)| name.starts_with(&format!("{input}."))))
        {
            return Err(Problem::error(format!("--column {name}: none of the files is for that input.")).help("Write INPUT.COLUMN=YOURS."));
        }
        // All are looked at before one is bound.
        let mut ready: Vec<(Suggestion, Judgement)> = Vec::new();
        for (input, file) in &self.files {
            known.find(input, weir_engine::package::INPUTS)?;
            let wish = Wish { input: input.clone(), file: file.clone(), columns: self.columns(input) };
            let suggestion = block_on(limits.threads, suggest(&project, &known, &wish, &limits))?;
            if !self.json {
                print(&suggestion);
            }
            let judgement = block_on(limits.threads, judge(&project, &known, &suggestion, &limits))?;
            if !self.json {
                judged(&judgement);
            }
            ready.push((suggestion, judgement));
        }
        let refused = ready.iter().any(|(_, judgement)| judgement.refuses());
        let bound = !self.dry_run && (!refused || self.anyway);
        if bound {
            for (suggestion, _) in &ready {
                let path = bind(&project, suggestion)?;
                if !self.json {
                    let brought = if suggestion.is_brought() { ", with a copy of the file in data" } else { "" };
                    output::say(&format!("Bound {} in {}{brought}.", suggestion.input, project.shown(&path)));
                }
            }
        } else if !self.json {
            output::note(if refused {
                "The contract refuses the rows above; nothing was bound. Correct them, or bind with --anyway."
            } else {
                "Nothing was bound: this was a dry run."
            });
        }
        if self.json {
            let rows: Vec<_> =
                ready.iter().map(|(suggestion, judgement)| json!({ "suggestion": suggestion, "judgement": judgement })).collect();
            output::json(&json!({ "bound": bound, "inputs": rows }));
        }
        Ok(if refused && !bound { End::Blocked } else { End::Done })
    }
}

fn print(suggestion: &Suggestion) {
    output::say(&format!("{} ← {}", suggestion.input, suggestion.file));
    let width = suggestion.matches.iter().map(|found| found.column.chars().count()).max().unwrap_or(0);
    for found in &suggestion.matches {
        let pad = " ".repeat(width - found.column.chars().count());
        let from = match (&found.from, found.optional) {
            (Some(from), _) => format!("← {from}"),
            (None, true) => "  (left out)".to_owned(),
            (None, false) => "  ? no column is known".to_owned(),
        };
        let why = match found.why {
            Why::Chosen => "chosen",
            Why::Name => "same name",
            Why::Synonym => "known name",
            Why::Alike => "similar name",
            Why::Content => "by its content",
            Why::Nothing => "",
        };
        let samples = if found.samples.is_empty() { String::new() } else { format!("   e.g. {}", found.samples.join(", ")) };
        let why = if why.is_empty() { String::new() } else { format!("  [{why}]") };
        output::say(&format!("  {}{pad}  {from}{why}{samples}", found.column));
    }
    let left: Vec<&str> = suggestion.left_over().map(String::as_str).collect();
    if !left.is_empty() {
        output::say(&format!("  not taken: {}", left.join(", ")));
    }
}

fn judged(judgement: &Judgement) {
    output::say(&format!("  {} rows accepted", output::count(judgement.accepted)));
    for verdict in &judgement.broken {
        let sign = if verdict.blocks() { "✕" } else { "!" };
        let rows = verdict.exceptions.as_ref().map_or_else(String::new, |found| format!(": not so for {} rows", output::count(found.rows)));
        output::say(&format!("  {sign} {}{rows}", verdict.title));
    }
    for (port, rows) in &judgement.first {
        output::say(&format!("  the first {port}:\n{}", output::table(rows)));
    }
}

impl Unbind {
    pub(crate) fn execute(self) -> End {
        let done = || -> Result<(), Problem> {
            let project = Project::around(&self.place.project)?;
            let folder = package_folder(&project, self.package.as_deref(), &self.place.project)?;
            unbind(&contracts(&project, &folder)?.0, &self.input)
        };
        match done() {
            Ok(()) => {
                output::say(&format!("{} reads its example again.", self.input));
                End::Done
            }
            Err(problem) => output::problems(&[problem]),
        }
    }
}
