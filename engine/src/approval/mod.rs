//! A second person's yes: draft → proposed → approved, each with name, time and reason, each signed.
//!
//! A proposal carries what the version does to real figures. An approval is pinned to the proposal, and through it to
//! the workflow's hash and to the fingerprints of the inputs that were seen.

mod keys;
mod rights;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;
use weir_nodes::{Problem, Severity};

pub(crate) use keys::is_signed;
pub use keys::{Key, PASSPHRASE, passphrase};
pub use rights::{Act, Role, allow};

use crate::audit::Event;
use crate::effect::{self, DryRun};
use crate::history::{History, Saved, time_after, trouble};
use crate::plan::Limits;
use crate::project::{FILE, Project, user};
use crate::workflow::Workflow;

/// The format of objects that this program writes.
const FORMAT: u32 = 1;

/// Somebody at work in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their name in `weir.toml` and in the audit chain.
    pub id: String,
    /// What they are; none in a project that does not know them.
    pub role: Option<Role>,
}

impl Person {
    /// Who is at work.
    pub fn current(project: &Project) -> Self {
        Self::named(project, &user())
    }

    /// A person by their name.
    pub fn named(project: &Project, id: &str) -> Self {
        Self { id: id.to_owned(), role: project.config().people.get(id).map(|person| person.role) }
    }
}

/// A version that somebody wants approved, with what it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The format of the object.
    pub format: u32,
    /// The workflow's file.
    pub workflow: String,
    /// The version.
    pub commit: String,
    /// The hash of what it means.
    pub version: String,
    /// Who proposes it.
    pub by: String,
    /// Who saved it.
    pub author: String,
    /// When, in UTC.
    pub time: String,
    /// Why.
    pub reason: String,
    /// What it gives on real data, and what that changes against the approved version.
    pub dry_run: DryRun,
}

/// Yes or no.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The format of the object.
    pub format: u32,
    /// The proposal.
    pub proposal: String,
    /// The workflow's file.
    pub workflow: String,
    /// The version.
    pub commit: String,
    /// Whether it is a yes.
    pub approved: bool,
    /// Who decided.
    pub by: String,
    /// When, in UTC.
    pub time: String,
    /// Why.
    pub reason: String,
}

/// What somebody signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Signed {
    /// The text that was signed, as it was signed.
    body: String,
    /// The public half of the key.
    key: String,
    /// The signature.
    signature: String,
}

/// A proposal and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposed {
    /// The object.
    pub id: String,
    /// The proposal.
    pub proposal: Proposal,
    /// The decision about it, when there is one.
    pub decision: Option<Decision>,
}

/// A version that was approved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Approved {
    /// The decision's object.
    pub id: String,
    /// The decision.
    pub decision: Decision,
    /// The proposal it is about.
    pub proposal: Proposal,
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody proposed it.
    Draft,
    /// It waits for a decision.
    Proposed,
    /// Yes.
    Approved,
    /// No.
    Rejected,
}

fn sign<T: Serialize>(body: &T, key: &Key) -> Result<Vec<u8>, Problem> {
    let text = |error: serde_json::Error| Problem::error(format!("This cannot be signed: {error}."));
    let body = serde_json::to_string(body).map_err(text)?;
    let signature = key.sign(body.as_bytes());
    serde_json::to_vec_pretty(&Signed { body, key: key.public(), signature }).map_err(text)
}

/// What an object holds, if its signature is that of the person it names.
fn signed<T: for<'de> Deserialize<'de>>(history: &History<'_>, id: &str, by: impl Fn(&T) -> &str) -> Result<T, Problem> {
    let bytes = history.object(id)?;
    let wrong = |why: &str| {
        Problem::error(format!("The object {id} of the history does not count: {why}.")).help("`weir audit verify` looks at all of them.")
    };
    let envelope: Signed = serde_json::from_slice(&bytes).map_err(|error| wrong(&error.to_string()))?;
    let body: T = serde_json::from_str(&envelope.body).map_err(|error| wrong(&error.to_string()))?;
    if !is_signed(&envelope.key, envelope.body.as_bytes(), &envelope.signature) {
        return Err(wrong("its signature is not that of its key"));
    }
    let people = &history.project().config().people;
    match people.get(by(&body)) {
        Some(person) if person.key.as_deref() != Some(&envelope.key) => {
            Err(wrong(&format!("it is not signed with the key of \"{}\"", by(&body))))
        }
        None if !people.is_empty() => Err(wrong(&format!("\"{}\" is not among the people of the project", by(&body)))),
        _ => Ok(body),
    }
}

fn proposals_ref(workflow: &str) -> String {
    format!("{workflow}/proposals")
}

/// The proposals of a workflow, the newest first.
pub fn proposals(history: &History<'_>, workflow: &str) -> Result<Vec<Proposed>, Problem> {
    let mut proposals = Vec::new();
    for id in history.store().refs(&proposals_ref(workflow)) {
        let proposal: Proposal = signed(history, &id, |proposal: &Proposal| &proposal.by)?;
        let decision = history.store().read_ref(&format!("{}/{id}", proposals_ref(workflow))).map_err(|error| trouble(&error))?;
        let decision =
            decision.filter(|id| !id.is_empty()).map(|id| signed(history, &id, |decision: &Decision| &decision.by)).transpose()?;
        proposals.push(Proposed { id, proposal, decision });
    }
    proposals.sort_by(|a, b| b.proposal.time.cmp(&a.proposal.time));
    Ok(proposals)
}

/// Where a version stands among the proposals of its workflow.
pub fn state(proposals: &[Proposed], version: &Saved) -> State {
    match proposals.iter().find(|proposed| proposed.proposal.commit == version.id).map(|proposed| &proposed.decision) {
        None => State::Draft,
        Some(None) => State::Proposed,
        Some(Some(decision)) if decision.approved => State::Approved,
        Some(Some(_)) => State::Rejected,
    }
}

/// The version of a workflow that is approved now.
pub fn approved(history: &History<'_>, workflow: &str) -> Result<Option<Approved>, Problem> {
    let Some(id) = history.store().read_ref(&format!("{workflow}/approved")).map_err(|error| trouble(&error))? else { return Ok(None) };
    let decision: Decision = signed(history, &id, |decision: &Decision| &decision.by)?;
    let proposal: Proposal = signed(history, &decision.proposal, |proposal: &Proposal| &proposal.by)?;
    if !decision.approved || proposal.workflow != workflow || decision.commit != proposal.commit {
        return Err(Problem::error("The approval does not fit its proposal.")
            .in_file(format!(".weir/history/refs/{workflow}/approved"), None)
            .help("`weir audit verify` says what was altered."));
    }
    // Whoever can write files could put a decision there: it counts as far as its maker could have made it.
    let project = history.project();
    allow(project, &Person::named(project, &decision.by), Act::Decide)?;
    separate(project, &decision.by, &proposal)?;
    Ok(Some(Approved { id, decision, proposal }))
}

/// Proposes the newest version of a workflow: runs it on real data without publishing, and signs what came out.
pub async fn propose(
    history: &History<'_>,
    person: &Person,
    key: &Key,
    file: &Path,
    reason: &str,
    set: &[(String, String)],
    limits: &Limits,
) -> Result<Proposed, Problem> {
    let project = history.project();
    allow(project, person, Act::Propose)?;
    own_key(project, person, key)?;
    let name = history.name(file);
    let version = history.find(&name, "head")?;
    let workflow = history.workflow(&version)?;
    if Workflow::load(file).ok().map(|here| here.version().to_string()).as_ref() != Some(&version.commit.version) {
        return Err(Problem::error("The file has changes that were not saved as a version.")
            .in_file(&name, None)
            .help(format!("Save them first: weir save {name} -m \"why\".")));
    }
    let before = match approved(history, &name)? {
        Some(approved) => Some(history.workflow(&history.commit(&approved.proposal.commit)?)?),
        None => None,
    };
    let mut dry_run = effect::dry_run(&workflow, project, set, limits).await?;
    if let Some(verdict) = dry_run.verdicts.iter().find(|verdict| !verdict.holds && verdict.severity == Severity::Block) {
        let what = format!("The version cannot be proposed: the control \"{}\" fails on its inputs.", verdict.title);
        return Err(Problem::error(what).at_node(&verdict.node).help("Correct the workflow or the data, then propose it again."));
    }
    if let Some(before) = &before {
        let effect = effect::effect(before, &workflow, project, set, limits).await?;
        if let Some(limit) = &project.config().approval.variance
            && let Some((output, column, percent)) = effect.beyond(limit)
        {
            let what = format!("The total of \"{column}\" in {output} moves by {percent} %, and {limit} % are allowed.");
            return Err(Problem::error(what).in_file(FILE, None).help("Look at it with: weir diff FILE approved head --data."));
        }
        dry_run.effect = Some(effect);
    }
    let _lock = history.lock()?;
    let time = time_after(Some(&version.commit.time))?;
    let proposal = Proposal {
        format: FORMAT,
        workflow: name.clone(),
        commit: version.id.clone(),
        version: version.commit.version.clone(),
        by: person.id.clone(),
        author: version.commit.author.clone(),
        time,
        reason: reason.to_owned(),
        dry_run,
    };
    let id = history.store().put(&sign(&proposal, key)?).map_err(|error| trouble(&error))?;
    history.record(person, Event::Propose, &name, json!({ "workflow": name, "version": version.id, "proposal": id, "reason": reason }))?;
    history.store().write_ref(&format!("{}/{id}", proposals_ref(&name)), "").map_err(|error| trouble(&error))?;
    Ok(Proposed { id, proposal, decision: None })
}

/// Refuses a key that is not the person's own in `weir.toml`.
fn own_key(project: &Project, person: &Person, key: &Key) -> Result<(), Problem> {
    let known = project.config().people.get(&person.id);
    match known.map(|person| person.key.as_deref()) {
        Some(Some(known)) if known != key.public() => Err(Problem::error(format!("This is not the key of \"{}\" in {FILE}.", person.id))
            .help("Use the key that the project knows, or have an administrator enter the new one.")),
        Some(None) => {
            let what = format!("The project does not know the key of \"{}\".", person.id);
            Err(Problem::error(what).help(format!(
                "An administrator adds to [people.{}] in {FILE}: key = \"{}\".",
                person.id,
                key.public()
            )))
        }
        _ => Ok(()),
    }
}

/// Refuses a decision by the one who made or proposed the version, where duties are separate.
fn separate(project: &Project, decider: &str, proposal: &Proposal) -> Result<(), Problem> {
    if !project.config().approval.separation || (decider != proposal.by && decider != proposal.author) {
        return Ok(());
    }
    let what = format!("\"{decider}\" made this version and cannot decide about it.");
    Err(Problem::error(what).in_file(&proposal.workflow, None).help("A second person decides: separation of duties."))
}

/// Decides about the proposal that waits, or the one whose id begins with `which`.
pub fn decide(
    history: &History<'_>,
    person: &Person,
    key: &Key,
    file: &Path,
    which: Option<&str>,
    yes: bool,
    reason: &str,
) -> Result<Proposed, Problem> {
    let project = history.project();
    allow(project, person, Act::Decide)?;
    own_key(project, person, key)?;
    let name = history.name(file);
    let _lock = history.lock()?;
    let mut waiting: Vec<Proposed> = proposals(history, &name)?.into_iter().filter(|proposed| proposed.decision.is_none()).collect();
    if let Some(which) = which {
        waiting.retain(|proposed| proposed.id.starts_with(which) || proposed.proposal.commit.starts_with(which));
    }
    let mut proposed = match waiting.len() {
        1 => waiting.remove(0),
        0 => {
            return Err(Problem::error("There is no proposal that waits for a decision.")
                .in_file(&name, None)
                .help(format!("weir propose {name} makes one.")));
        }
        _ => {
            let ids: Vec<&str> = waiting.iter().filter_map(|proposed| proposed.id.get(..10)).collect();
            return Err(Problem::error(format!("Several proposals wait: {}.", ids.join(", "))).in_file(&name, None).help("Name one."));
        }
    };
    let proposal = &proposed.proposal;
    separate(project, &person.id, proposal)?;
    // Still what was proposed, object by object.
    history.workflow(&history.commit(&proposal.commit)?)?;
    let decision = Decision {
        format: FORMAT,
        proposal: proposed.id.clone(),
        workflow: name.clone(),
        commit: proposal.commit.clone(),
        approved: yes,
        by: person.id.clone(),
        time: time_after(Some(&proposal.time))?,
        reason: reason.to_owned(),
    };
    let id = history.store().put(&sign(&decision, key)?).map_err(|error| trouble(&error))?;
    let event = if yes { Event::Approve } else { Event::Reject };
    let detail = json!({ "workflow": name, "version": proposal.commit, "proposal": proposed.id, "decision": id, "reason": reason });
    history.record(person, event, &name, detail)?;
    history.store().write_ref(&format!("{}/{}", proposals_ref(&name), proposed.id), &id).map_err(|error| trouble(&error))?;
    if yes {
        history.store().write_ref(&format!("{name}/approved"), &id).map_err(|error| trouble(&error))?;
    }
    proposed.decision = Some(decision);
    Ok(proposed)
}
