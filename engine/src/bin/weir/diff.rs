//! `weir diff`: what differs between two versions, and what that does to the figures.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use weir_engine::Problem;
use weir_engine::effect::{Effect, effect};
use weir_engine::history::{Change, Difference, History, Mark, StepChange};
use weir_engine::project::Project;
use weir_engine::workflow::Workflow;

use crate::{End, LimitArgs, block_on, name_value, output};

/// Say what differs between two versions, in steps and settings; with --data, in rows and totals too.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  weir diff workflows/commissions.json\n  weir diff workflows/commissions.json approved head --data")]
pub(crate) struct Diff {
    /// The workflow's file
    file: PathBuf,
    /// The version before: the first digits of its id, #12, head, approved, or a branch
    #[arg(default_value = "head")]
    before: String,
    /// The version after; the file as it is unless given
    after: Option<String>,
    /// Run both versions on the same inputs and compare what they would load
    #[arg(long)]
    data: bool,
    /// Set a parameter of the workflow; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_value)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    limits: LimitArgs,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Diff {
    pub(crate) fn execute(self) -> End {
        self.diff().unwrap_or_else(|problem| output::problems(&[problem]))
    }

    fn diff(&self) -> Result<End, Problem> {
        let project = Project::of(&self.file)?;
        let history = History::of(&project);
        let name = history.name(&self.file);
        let before = history.workflow(&history.find(&name, &self.before)?)?;
        let after = match &self.after {
            Some(after) => history.workflow(&history.find(&name, after)?)?,
            None => Workflow::load(&self.file).map_err(|mut problems| problems.swap_remove(0))?,
        };
        let difference = Difference::between(&before, &after);
        let limits = self.limits.limits();
        let effect = if self.data { Some(block_on(limits.threads, effect(&before, &after, &project, &self.set, &limits))?) } else { None };
        if self.json {
            return Ok(output::json(&json!({ "difference": difference, "effect": effect })));
        }
        print(&difference);
        if let Some(effect) = &effect {
            print_effect(effect);
        }
        Ok(End::Done)
    }
}

fn value(value: Option<&Value>) -> String {
    match value {
        None => "—".into(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

fn change(indent: &str, change: &Change) {
    if !change.rows.is_empty() {
        output::say(&format!("{indent}{}", change.path));
        for row in &change.rows {
            let said = match (&row.before, &row.after) {
                (Some(before), Some(after)) => format!("{} → {}", value(Some(before)), value(Some(after))),
                (before, after) => value(after.as_ref().or(before.as_ref())),
            };
            let mark = match (&row.before, &row.after) {
                (Some(_), Some(_)) => "~",
                (None, _) => "+",
                _ => "−",
            };
            output::say(&format!("{indent}  {mark} row {}: {said}", row.row));
        }
        return;
    }
    let kept = change.words.iter().filter(|word| word.mark == Mark::Same && !word.text.trim().is_empty()).count();
    if kept > 0 {
        let words = change.words.iter().map(|word| match word.mark {
            Mark::Same => word.text.clone(),
            Mark::Removed => format!("[-{}-]", word.text),
            Mark::Added => format!("{{+{}+}}", word.text),
        });
        output::say(&format!("{indent}{}: {}", change.path, words.collect::<String>()));
    } else {
        output::say(&format!("{indent}{}: {} → {}", change.path, value(change.before.as_ref()), value(change.after.as_ref())));
    }
}

/// Prints what differs.
pub(crate) fn print(difference: &Difference) {
    if difference.is_empty() {
        output::say("\nNothing differs.");
        return;
    }
    output::say("");
    for (id, step) in &difference.steps {
        match step {
            StepChange::Added(node) => output::say(&format!("  + {id} ({})", node.kind)),
            StepChange::Removed(node) => output::say(&format!("  − {id} ({})", node.kind)),
            StepChange::Renamed { from } => output::say(&format!("  ~ {from} is called {id}")),
            StepChange::Changed(changes) => {
                output::say(&format!("  ~ {id}"));
                changes.iter().for_each(|one| change("      ", one));
            }
        }
    }
    difference.wires_added.iter().for_each(|wire| output::say(&format!("  + {wire}")));
    difference.wires_removed.iter().for_each(|wire| output::say(&format!("  − {wire}")));
    if difference.wires_reordered {
        output::say("  ~ wires arrive in another order");
    }
    difference.parameters.iter().for_each(|one| change("  ~ ", one));
    if !difference.words.is_empty() {
        output::say("  Names and notes, no part of the meaning:");
        difference.words.iter().for_each(|one| change("    ", one));
    }
    if difference.layout {
        output::say("  The drawing differs, the meaning does not depend on it.");
    }
}

/// Prints what two versions do to the figures.
pub(crate) fn print_effect(effect: &Effect) {
    output::say("\nOn the same inputs:");
    for output in &effect.outputs {
        let rows = |rows: Option<u64>| rows.map_or_else(|| "—".to_owned(), output::count);
        output::say(&format!("  {}: {} → {} rows", output.target, rows(output.rows_before), rows(output.rows_after)));
        if output.is_none() {
            output::say("      the same");
            continue;
        }
        let key = if output.key.is_empty() { String::new() } else { format!(" (by {})", output.key.join(", ")) };
        output::say(&format!(
            "      {} added, {} removed, {} changed{key}",
            output::count(output.added),
            output::count(output.removed),
            output::count(output.changed)
        ));
        for (columns, word) in [(&output.columns_added, "new"), (&output.columns_removed, "gone")] {
            if !columns.is_empty() {
                output::say(&format!("      {word}: {}", columns.join(", ")));
            }
        }
        let none = String::from("—");
        for total in output.totals.iter().filter(|total| total.before != total.after) {
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| none.clone());
            output::say(&format!(
                "      {}: {} → {} (difference {})",
                total.column,
                text(&total.before),
                text(&total.after),
                text(&total.difference)
            ));
        }
    }
}
