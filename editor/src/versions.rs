//! Versions and origins: what the desk holds of them, and the questions to the engine about them.

use std::path::PathBuf;
use std::sync::Arc;

use weir_engine::Problem;
use weir_engine::approval::{self, Key, Person, Proposed, State};
use weir_engine::effect::{Effect, effect};
use weir_engine::history::{Difference, History, Saved, Saving};
use weir_engine::plan::Limits;
use weir_engine::project::Project;
use weir_engine::trace::{Question, Trace, back};
use weir_engine::workflow::Workflow;

use crate::text;
use crate::worker::{Port, TabId, Told, Worker};

/// How many versions the panel lists.
const MOST: usize = 200;

/// The versions of a workflow.
#[derive(Debug, Clone, Default)]
pub struct Versions {
    /// The newest first, each with where it stands.
    pub list: Vec<(Saved, State)>,
    /// The branch the file is on.
    pub branch: String,
    /// The version that is approved now.
    pub approved: Option<String>,
    /// The proposal that waits for a decision.
    pub waiting: Option<Box<Proposed>>,
}

/// An earlier version laid over the one on the canvas.
#[derive(Debug)]
pub struct Comparison {
    /// The earlier version.
    pub version: Saved,
    /// The workflow of then.
    pub before: Arc<Workflow>,
    /// What differs, for a revision of the document.
    pub difference: (u64, Difference),
    /// What it does to the figures; none until it is asked for.
    pub effect: Option<Result<Effect, Problem>>,
    /// Whether that is being computed.
    pub computing: bool,
}

impl Comparison {
    /// The difference to the workflow as it is now.
    pub fn follow(&mut self, revision: u64, now: &Workflow) {
        if self.difference.0 != revision {
            self.difference = (revision, Difference::between(&self.before, now));
            self.effect = None;
        }
    }
}

/// Where a figure comes from.
#[derive(Debug)]
pub struct Origin {
    /// The port whose rows were asked about.
    pub port: Port,
    /// The column, and the figure as it is shown.
    pub figure: (String, String),
    /// The answer; none while it is looked for.
    pub trace: Option<Result<Box<Trace>, Problem>>,
}

impl Origin {
    /// Whether rows of the figure passed a step.
    pub fn passes(&self, node: &str) -> bool {
        matches!(&self.trace, Some(Ok(trace)) if trace.steps.iter().any(|step| step.node == node) || self.port.node == node)
    }
}

/// What a person wants done about versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Save the file as a new version, for a reason.
    Save(String),
    /// Go back to a version.
    Rollback(String),
    /// Propose the newest version, for a reason, with the passphrase of the key.
    Propose(String, String),
    /// Approve or reject what waits, for a reason, with the passphrase of the key.
    Decide(bool, String, String),
}

fn listed(project: &Project, file: &std::path::Path) -> Result<Versions, Problem> {
    let history = History::of(project);
    let name = history.name(file);
    let proposals = approval::proposals(&history, &name)?;
    let stands = |saved: Saved| {
        let state = approval::state(&proposals, &saved);
        (saved, state)
    };
    let list = history.log(&name, MOST)?.into_iter().map(stands).collect();
    let approved = approval::approved(&history, &name)?.map(|approved| approved.proposal.commit);
    let waiting = proposals.iter().find(|proposed| proposed.decision.is_none()).cloned().map(Box::new);
    Ok(Versions { list, branch: history.branch(&name)?, approved, waiting })
}

impl Worker {
    /// Lists the versions of a file.
    pub fn versions(&self, tab: TabId, file: PathBuf, project: Project) {
        let tell = self.tell.clone();
        self.start(format!("versions {tab}"), async move {
            let listed = tokio::task::spawn_blocking(move || listed(&project, &file));
            if let Ok(result) = listed.await {
                tell.tell(Told::Versions(tab, result.map(Box::new)));
            }
        });
    }

    /// Does something about versions.
    pub fn act(&self, tab: TabId, act: Act, workflow: Arc<Workflow>, file: PathBuf, project: Project, set: Vec<(String, String)>) {
        let tell = self.tell.clone();
        self.start(format!("act {tab}"), async move {
            let person = Person::current(&project);
            let history = History::of(&project);
            let done = async {
                match act {
                    Act::Save(message) => Ok(match history.save(&person, &file, &workflow, &message, None)? {
                        Saving::Saved(saved) => {
                            format!("{} #{}", text::either("Saved as version", "Enregistré : version"), saved.commit.number)
                        }
                        Saving::Unchanged(saved) => format!(
                            "{} #{}",
                            text::either("Nothing has changed since version", "Rien n'a changé depuis la version"),
                            saved.commit.number
                        ),
                    }),
                    Act::Rollback(to) => {
                        let saved = history.rollback(&person, &file, &to, "")?;
                        Ok(format!("{} #{}", text::either("The file is version", "Le fichier est la version"), saved.commit.number))
                    }
                    Act::Propose(reason, passphrase) => {
                        let key = Key::open(&person.id, &passphrase)?;
                        approval::propose(&history, &person, &key, &file, &reason, &set, &Limits::default()).await?;
                        Ok(text::either("Proposed. A second person decides.", "Proposé. Une seconde personne décide.").to_owned())
                    }
                    Act::Decide(yes, reason, passphrase) => {
                        let key = Key::open(&person.id, &passphrase)?;
                        approval::decide(&history, &person, &key, &file, None, yes, &reason)?;
                        Ok(if yes { text::either("Approved.", "Approuvé.") } else { text::either("Rejected.", "Rejeté.") }.to_owned())
                    }
                }
            };
            let result = done.await;
            tell.tell(Told::Acted(tab, result));
        });
    }

    /// Reads an earlier version.
    pub fn compare(&self, tab: TabId, version: Saved, project: Project) {
        let tell = self.tell.clone();
        self.start(format!("compare {tab}"), async move {
            let before = History::of(&project).workflow(&version);
            tell.tell(Told::Compared(tab, Box::new(version), before.map(Arc::new)));
        });
    }

    /// Computes what differs in the figures.
    pub fn effect(&self, tab: TabId, before: Arc<Workflow>, after: Arc<Workflow>, project: Project, set: Vec<(String, String)>) {
        let tell = self.tell.clone();
        self.start(format!("effect {tab}"), async move {
            let result = effect(&before, &after, &project, &set, &Limits::default()).await;
            tell.tell(Told::Effect(tab, result));
        });
    }

    /// Follows a figure back.
    #[expect(clippy::too_many_arguments, reason = "a question has these parts")]
    pub fn trace(
        &self,
        tab: TabId,
        workflow: Arc<Workflow>,
        file: String,
        project: Project,
        port: Port,
        condition: String,
        column: String,
        set: Vec<(String, String)>,
    ) {
        let tell = self.tell.clone();
        self.start(format!("trace {tab}"), async move {
            let reference = format!("{}.{}", port.node, port.port);
            let question = Question {
                workflow: &workflow,
                file,
                port: reference,
                condition: &condition,
                column: Some(&column),
                set,
                table: None,
                run: None,
            };
            let result = back(&project, &question, &Limits::default()).await;
            tell.tell(Told::Traced(tab, result.map(Box::new)));
        });
    }
}
