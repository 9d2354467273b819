//! `weir nodes`: the kinds of steps, documented by what they are made of.

use clap::Args;
use weir_nodes::document::{as_json, as_markdown, as_text};
use weir_nodes::registry::{find, registry};

use crate::{End, output};

/// List the kinds of steps, or document one with its parameters and examples.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  weir nodes\n  weir nodes mapping\n  weir nodes --json\n  weir nodes --markdown")]
pub(crate) struct Nodes {
    /// A kind, such as filter or input.csv
    kind: Option<String>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
    /// Print every kind as one page of Markdown
    #[arg(long, conflicts_with_all = ["json", "kind"])]
    markdown: bool,
}

impl Nodes {
    pub(crate) fn execute(self) -> End {
        if self.markdown {
            output::say(as_markdown().trim_end());
            return End::Done;
        }
        let Some(id) = &self.kind else { return list(self.json) };
        let Some(kind) = find(id) else {
            let known = registry().iter().map(|kind| kind.identity.id);
            let problem = weir_engine::Problem::error(format!("There is no kind \"{id}\"."))
                .help(weir_engine::problem::did_you_mean(id, known).unwrap_or_else(|| "`weir nodes` lists them all.".into()));
            return output::problems(&[problem]);
        };
        if self.json {
            return output::json(&as_json(kind));
        }
        output::say(&as_text(kind));
        End::Done
    }
}

fn list(as_json_wanted: bool) -> End {
    if as_json_wanted {
        return output::json(&registry().iter().map(as_json).collect::<Vec<_>>());
    }
    let mut family = None;
    for kind in registry() {
        let identity = &kind.identity;
        if family != Some(identity.category) {
            family = Some(identity.category);
            output::say(&format!("\n{:?}", identity.category));
        }
        output::say(&format!("  {:<18} {} ({})", identity.id, identity.summary.en, identity.title.fr));
    }
    End::Done
}
