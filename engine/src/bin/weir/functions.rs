//! `weir functions`: the formula language, documented by its own table.

use clap::Args;
use serde_json::json;
use weir_nodes::formula::functions;

use crate::{End, output};

/// List the functions of the formula language, or document one with its examples.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  weir functions\n  weir functions ROUND")]
pub(crate) struct Functions {
    /// A function's English or French name
    name: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Functions {
    pub(crate) fn execute(self) -> End {
        let all = functions();
        let Some(wanted) = &self.name else {
            if self.json {
                return output::json(&all.iter().map(as_json).collect::<Vec<_>>());
            }
            let mut category = "";
            for function in all {
                if category != function.category {
                    category = function.category;
                    output::say(&format!("\n{category}"));
                }
                output::say(&format!("  {:<20} {}", function.name, function.doc));
            }
            return End::Done;
        };
        let wanted = wanted.to_uppercase();
        let Some(function) = all.iter().find(|f| f.name == wanted || f.french == wanted || f.aliases.contains(&wanted.as_str())) else {
            let known = all.iter().flat_map(|f| [f.name, f.french]);
            let problem = weir_engine::Problem::error(format!("There is no function \"{wanted}\"."))
                .help(weir_engine::problem::did_you_mean(&wanted, known).unwrap_or_else(|| "`weir functions` lists them all.".into()));
            return output::problems(&[problem]);
        };
        if self.json {
            return output::json(&as_json(function));
        }
        output::say(&format!("{}\n  {}\n  French name: {}\n", function.signature, function.doc, function.french));
        for (formula, result) in function.examples {
            output::say(&format!("  {formula} → {result}"));
        }
        End::Done
    }
}

fn as_json(function: &weir_nodes::formula::Function) -> serde_json::Value {
    json!({
        "name": function.name,
        "french": function.french,
        "category": function.category,
        "signature": function.signature,
        "doc": function.doc,
        "examples": function.examples,
    })
}
