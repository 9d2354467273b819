//! Versions of workflows: content-addressed, shared through the project's folder, never lost.
//!
//! A commit holds what changed since the one before it, as edits; now and then it holds the whole workflow, so that any
//! version is a few small files away. Objects are named by the hash of their bytes, so an altered one is recognised.
//! Every change of a reference stands in the audit chain *before* it is made: what a crash leaves undone is completed by
//! whoever comes next.

mod compare;
mod merge;
mod store;
mod verify;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;
use weir_nodes::Problem;
use weir_nodes::problem::did_you_mean;

use crate::approval::{Act, Person, allow};
use crate::audit::{Audit, Event};
use crate::project::{Project, written};
use crate::workflow::{Edit, Workflow};

pub use compare::{Change, Difference, Mark, RowChange, StepChange, Token};
pub(crate) use merge::merge as merged;
pub use merge::{Conflict, Side};
pub use verify::{Verified, verify};

pub(crate) use store::{Missing, Store};

/// The format of objects that this program writes.
const FORMAT: u32 = 1;
/// The branch a workflow starts on.
pub const MAIN: &str = "main";
/// After how many changes a commit holds the whole workflow again.
const WHOLE_EVERY: u32 = 100;
/// By how much a machine's clock may lag behind another's, in seconds.
const CLOCK_SLACK: i64 = 120;

/// Where a version comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It was saved.
    Save,
    /// It is an earlier version again.
    Rollback {
        /// That version.
        to: String,
    },
    /// A branch was merged.
    Merge {
        /// The branch.
        branch: String,
    },
}

/// What a version holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    /// All of the workflow.
    Whole(Box<Workflow>),
    /// What changed since the first of the versions before.
    Edits(Vec<Edit>),
}

/// A saved version of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Commit {
    /// The format of the object.
    pub commit: u32,
    /// Its number: one more than that of the version before.
    pub number: u64,
    /// The workflow's file, relative to the project's folder.
    pub workflow: String,
    /// The versions before it, the newest first; several after a merge.
    pub parents: Vec<String>,
    /// Who saved it.
    pub author: String,
    /// When, in UTC.
    pub time: String,
    /// Why.
    pub message: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The hash of what the workflow means.
    pub version: String,
    /// The hash of its text.
    pub text: String,
    /// Commits since the whole workflow was written.
    since_whole: u32,
    content: Content,
}

/// A version and its id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Saved {
    /// The hash of the commit.
    pub id: String,
    /// The commit.
    #[serde(flatten)]
    pub commit: Commit,
}

impl Saved {
    /// The first digits of its id, as people write it.
    pub fn short(&self) -> &str {
        self.id.get(..10).unwrap_or(&self.id)
    }
}

/// How saving ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Saving {
    /// A new version.
    Saved(Saved),
    /// Nothing has changed since this one.
    Unchanged(Saved),
}

/// The history of a project.
#[derive(Debug, Clone)]
pub struct History<'a> {
    project: &'a Project,
    store: Store,
}

pub(crate) fn trouble(error: &std::io::Error) -> Problem {
    Problem::error(format!("The history cannot be used: {error}.")).help("Check the disk's space and the permissions of .weir/history.")
}

fn text_hash(workflow: &Workflow) -> Result<String, Problem> {
    Ok(blake3::hash(workflow.to_canonical_json()?.as_bytes()).to_hex().to_string())
}

/// The time now, unless the clock lies before something that was written earlier.
pub(crate) fn time_after(earlier: Option<&str>) -> Result<String, Problem> {
    let now = chrono::Utc::now();
    let earlier = earlier.and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    match earlier {
        Some(earlier) if (earlier.to_utc() - now).num_seconds() > CLOCK_SLACK => {
            let what = format!(
                "This machine's clock says {}, which lies before the last version of {}.",
                now.format("%Y-%m-%d %H:%M"),
                earlier.format("%Y-%m-%d %H:%M")
            );
            Err(Problem::error(what).help("Set the clock; nothing was written."))
        }
        // Another machine's clock may be a little ahead; times never go back.
        Some(earlier) if earlier.to_utc() > now => Ok(written(earlier.to_utc())),
        _ => Ok(written(now)),
    }
}

impl<'a> History<'a> {
    /// The history of a project. Nothing is read or made yet.
    pub fn of(project: &'a Project) -> Self {
        Self { project, store: Store::open(&project.history()) }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The name of a workflow's file in the history.
    pub fn name(&self, file: &Path) -> String {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        self.project.shown(&crate::project::clean(file)).replace('\\', "/")
    }

    fn head_ref(workflow: &str, branch: &str) -> String {
        format!("{workflow}/heads/{branch}")
    }

    /// The branch that a workflow's file is on.
    pub fn branch(&self, workflow: &str) -> Result<String, Problem> {
        Ok(self.store.read_ref(&format!("{workflow}/branch")).map_err(|e| trouble(&e))?.unwrap_or_else(|| MAIN.into()))
    }

    /// The branches of a workflow.
    pub fn branches(&self, workflow: &str) -> Vec<String> {
        self.store.refs(&format!("{workflow}/heads"))
    }

    /// The newest version on the branch that the file is on.
    pub fn head(&self, workflow: &str) -> Result<Option<Saved>, Problem> {
        self.head_of(workflow, &self.branch(workflow)?)
    }

    fn head_of(&self, workflow: &str, branch: &str) -> Result<Option<Saved>, Problem> {
        let id = self.store.read_ref(&Self::head_ref(workflow, branch)).map_err(|error| trouble(&error))?;
        id.map(|id| self.commit(&id)).transpose()
    }

    /// A version by its whole id.
    pub fn commit(&self, id: &str) -> Result<Saved, Problem> {
        // The format is looked at first: a newer one may have shapes this program cannot read.
        #[derive(Deserialize)]
        struct Format {
            #[serde(default)]
            commit: Option<u32>,
        }
        let bytes = self.object(id)?;
        let broken = |why: String| Problem::error(format!("The version {id} cannot be read: {why}."));
        match serde_json::from_slice::<Format>(&bytes) {
            Ok(Format { commit: Some(format) }) if format > FORMAT => {
                Err(broken(format!("it has format {format}, and this Weir reads up to {FORMAT}")).help("Update Weir."))
            }
            Ok(Format { commit: Some(_) }) => {
                let commit = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
                Ok(Saved { id: id.to_owned(), commit })
            }
            _ => Err(broken("it is no version".into()).help("`weir history FILE` lists the versions.")),
        }
    }

    /// The bytes of an object; an altered one is named.
    pub(crate) fn object(&self, id: &str) -> Result<Vec<u8>, Problem> {
        self.store.get(id).map_err(|missing| match missing {
            Missing::Absent => Problem::error(format!("The history has no object {id}."))
                .help("It may have been removed; restore .weir/history from a backup."),
            Missing::Altered(path) => Problem::error("This object of the history was altered.")
                .in_file(self.project.shown(&path), None)
                .help("Restore it from a backup; `weir audit verify` looks for more."),
            Missing::Io(error) => trouble(&error),
        })
    }

    /// The version that a text means: `head`, `approved`, a branch, `#12`, or the first digits of an id.
    pub fn find(&self, workflow: &str, text: &str) -> Result<Saved, Problem> {
        let unknown = |help: String| Problem::error(format!("There is no version \"{text}\".")).help(help);
        let none = || unknown(format!("Nothing was saved yet: weir save {workflow} -m \"why\"."));
        if text == "head" {
            return self.head(workflow)?.ok_or_else(none);
        }
        if text == "approved" {
            let approved = crate::approval::approved(self, workflow)?;
            let approved = approved.ok_or_else(|| unknown(format!("None is approved yet: weir propose {workflow}.")))?;
            return self.commit(&approved.proposal.commit);
        }
        if self.branches(workflow).iter().any(|branch| branch == text) {
            return self.head_of(workflow, text)?.ok_or_else(none);
        }
        if let Some(number) = text.strip_prefix('#').and_then(|number| number.parse::<u64>().ok()) {
            let mut version = self.head(workflow)?.ok_or_else(none)?;
            let newest = version.commit.number;
            while version.commit.number > number {
                let Some(parent) = version.commit.parents.first() else { break };
                version = self.commit(parent)?;
            }
            return if version.commit.number == number { Ok(version) } else { Err(unknown(format!("The newest is #{newest}."))) };
        }
        self.by_prefix(text, Some(workflow))
    }

    /// The version whose id begins with these digits.
    pub fn by_prefix(&self, text: &str, workflow: Option<&str>) -> Result<Saved, Problem> {
        let unknown = |help: String| Problem::error(format!("There is no version \"{text}\".")).help(help);
        let known = || -> Vec<String> {
            let branches = workflow.map(|workflow| self.branches(workflow)).unwrap_or_default();
            branches.into_iter().chain(["head".to_owned(), "approved".to_owned()]).collect()
        };
        let help = || did_you_mean(text, known().iter().map(String::as_str)).unwrap_or_else(|| "`weir history FILE` lists them.".into());
        if text.len() < 4 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(unknown(help()));
        }
        let mut found = Vec::new();
        for id in self.store.find(&text.to_ascii_lowercase()) {
            match self.commit(&id) {
                Ok(version) if workflow.is_none_or(|workflow| version.commit.workflow == workflow) => found.push(version),
                _ => {}
            }
        }
        match found.len() {
            0 => Err(unknown(help())),
            1 => Ok(found.remove(0)),
            _ => {
                let ids: Vec<&str> = found.iter().map(|version| version.id.get(..16).unwrap_or(&version.id)).collect();
                Err(Problem::error(format!("\"{text}\" begins several versions: {}.", ids.join(", "))).help("Write more digits."))
            }
        }
    }

    /// The versions of the branch that the file is on, the newest first.
    pub fn log(&self, workflow: &str, most: usize) -> Result<Vec<Saved>, Problem> {
        let mut versions = Vec::new();
        let mut next = self.head(workflow)?;
        while let Some(version) = next {
            next = match version.commit.parents.first() {
                Some(parent) if versions.len() + 1 < most => Some(self.commit(parent)?),
                _ => None,
            };
            versions.push(version);
        }
        Ok(versions)
    }

    /// The workflow as it was saved.
    pub fn workflow(&self, version: &Saved) -> Result<Workflow, Problem> {
        let mut edits: Vec<Vec<Edit>> = Vec::new();
        let mut at = version.commit.clone();
        let mut workflow = loop {
            match at.content {
                Content::Whole(workflow) => break *workflow,
                Content::Edits(change) => edits.push(change),
            }
            let parent = at.parents.first().ok_or_else(|| Problem::error(format!("The version {} has no beginning.", version.short())))?;
            at = self.commit(parent)?.commit;
        };
        for edit in edits.iter().rev().flatten() {
            workflow.change(edit)?;
        }
        if text_hash(&workflow)? == version.commit.text {
            return Ok(workflow);
        }
        Err(Problem::error(format!("The version {} does not come out as it was saved.", version.short()))
            .help("`weir audit verify` says what was altered."))
    }

    /// Saves a workflow as a new version of its file. `base` is the version it was made from: when another one came in
    /// between, nothing is saved and the problem says so.
    pub fn save(&self, person: &Person, file: &Path, workflow: &Workflow, message: &str, base: Option<&str>) -> Result<Saving, Problem> {
        allow(self.project, person, Act::Save)?;
        let name = self.name(file);
        let _lock = self.lock()?;
        self.complete()?;
        let head = self.head(&name)?;
        if let (Some(base), Some(head)) = (base, &head)
            && base != head.id
        {
            let what = format!(
                "{} saved version #{} ({}) in the meantime: {}.",
                head.commit.author,
                head.commit.number,
                head.short(),
                head.commit.message
            );
            return Err(
                Problem::error(what).help(format!("Look at it with: weir diff {name} {base} head. Then merge, or save on a branch."))
            );
        }
        if let Some(head) = &head
            && head.commit.text == text_hash(workflow)?
        {
            return Ok(Saving::Unchanged(head.clone()));
        }
        self.add(person, &name, workflow, message, Origin::Save, head, vec![]).map(Saving::Saved)
    }

    /// Makes an earlier version the newest again, and writes it into the file.
    pub fn rollback(&self, person: &Person, file: &Path, to: &str, message: &str) -> Result<Saved, Problem> {
        allow(self.project, person, Act::Rollback)?;
        let name = self.name(file);
        let _lock = self.lock()?;
        self.complete()?;
        let target = self.find(&name, to)?;
        let head = self.head(&name)?;
        self.nothing_unsaved(file, head.as_ref())?;
        let workflow = self.workflow(&target)?;
        let message =
            if message.is_empty() { format!("Back to #{}: {}", target.commit.number, target.commit.message) } else { message.to_owned() };
        let saved = self.add(person, &name, &workflow, &message, Origin::Rollback { to: target.id }, head, vec![])?;
        workflow.save(file)?;
        Ok(saved)
    }

    /// Starts a branch at the newest version and puts the file on it.
    pub fn start_branch(&self, person: &Person, file: &Path, branch: &str) -> Result<Saved, Problem> {
        allow(self.project, person, Act::Save)?;
        let name = self.name(file);
        let plain = !branch.is_empty() && branch.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        if !plain || branch == "head" || branch == "approved" {
            return Err(Problem::error(format!("\"{branch}\" cannot be the name of a branch.")).help("Use letters, digits, - and _."));
        }
        let _lock = self.lock()?;
        self.complete()?;
        if self.branches(&name).iter().any(|known| known == branch) {
            return Err(Problem::error(format!("There is a branch \"{branch}\" already."))
                .help(format!("Go on with it: weir branch {name} --switch {branch}.")));
        }
        let head = self.head(&name)?.ok_or_else(|| {
            Problem::error("Nothing was saved yet, so there is nothing to branch from.")
                .help(format!("Save first: weir save {name} -m \"why\"."))
        })?;
        self.record(person, Event::Save, &name, json!({ "workflow": name, "branch": branch, "version": head.id, "started": true }))?;
        self.store.write_ref(&Self::head_ref(&name, branch), &head.id).map_err(|error| trouble(&error))?;
        self.store.write_ref(&format!("{name}/branch"), branch).map_err(|error| trouble(&error))?;
        Ok(head)
    }

    /// Puts the file on another branch: it becomes that branch's newest version.
    pub fn switch(&self, person: &Person, file: &Path, branch: &str) -> Result<Saved, Problem> {
        allow(self.project, person, Act::Save)?;
        let name = self.name(file);
        let _lock = self.lock()?;
        self.complete()?;
        self.nothing_unsaved(file, self.head(&name)?.as_ref())?;
        let known = self.branches(&name);
        let Some(head) = known.iter().any(|known| known == branch).then(|| self.head_of(&name, branch)).transpose()?.flatten() else {
            let help = did_you_mean(branch, known.iter().map(String::as_str)).unwrap_or_else(|| format!("There is: {}.", known.join(", ")));
            return Err(Problem::error(format!("There is no branch \"{branch}\".")).help(help));
        };
        self.workflow(&head)?.save(file)?;
        self.store.write_ref(&format!("{name}/branch"), branch).map_err(|error| trouble(&error))?;
        Ok(head)
    }

    /// Merges a branch into the one the file is on. Conflicts are given back unless a side is chosen for them; then
    /// nothing has changed.
    pub fn merge(&self, person: &Person, file: &Path, branch: &str, side: Option<Side>) -> Result<Result<Saved, Vec<Conflict>>, Problem> {
        allow(self.project, person, Act::Save)?;
        let name = self.name(file);
        let _lock = self.lock()?;
        self.complete()?;
        let ours = self.find(&name, "head")?;
        self.nothing_unsaved(file, Some(&ours))?;
        let theirs = self.find(&name, branch)?;
        let base = self.common(&ours, &theirs)?;
        if base.id == theirs.id {
            return Err(Problem::error(format!("\"{branch}\" has nothing that this branch has not.")).help("There is nothing to merge."));
        }
        let [before, mine, other] = [&base, &ours, &theirs].map(|version| self.workflow(version));
        let (merged, conflicts) = merge::merge(&before?, &mine?, &other?, side)?;
        if !conflicts.is_empty() && side.is_none() {
            return Ok(Err(conflicts));
        }
        let message = format!("Merge {branch}");
        let saved = self.add(person, &name, &merged, &message, Origin::Merge { branch: branch.to_owned() }, Some(ours), vec![theirs.id])?;
        merged.save(file)?;
        Ok(Ok(saved))
    }

    /// The newest version that both come from.
    fn common(&self, a: &Saved, b: &Saved) -> Result<Saved, Problem> {
        let mut waiting = vec![a.clone(), b.clone()];
        let (mut of_a, mut of_b) = (vec![a.id.clone()], vec![b.id.clone()]);
        // The newest first: when one is seen from both sides, it is the nearest.
        loop {
            waiting.sort_by_key(|version| version.commit.number);
            let Some(version) = waiting.pop() else {
                return Err(Problem::error("The two versions have no beginning in common.").help("Choose versions of one workflow."));
            };
            if of_a.contains(&version.id) && of_b.contains(&version.id) {
                return Ok(version);
            }
            for parent in &version.commit.parents {
                for side in [&mut of_a, &mut of_b] {
                    if side.contains(&version.id) && !side.contains(parent) {
                        side.push(parent.clone());
                    }
                }
                if !waiting.iter().any(|known| known.id == *parent) {
                    waiting.push(self.commit(parent)?);
                }
            }
        }
    }

    /// Refuses to write over a file with changes that no version holds.
    fn nothing_unsaved(&self, file: &Path, head: Option<&Saved>) -> Result<(), Problem> {
        let Ok(text) = std::fs::read_to_string(file) else { return Ok(()) };
        let here = blake3::hash(text.as_bytes()).to_hex().to_string();
        let known = head.is_some_and(|head| head.commit.text == here)
            || Workflow::parse(&text, "")
                .ok()
                .is_some_and(|workflow| head.is_some_and(|head| text_hash(&workflow).ok().as_ref() == Some(&head.commit.text)));
        if known {
            return Ok(());
        }
        let shown = self.name(file);
        Err(Problem::error("The file has changes that were not saved as a version.")
            .in_file(&shown, None)
            .help(format!("Save them first: weir save {shown} -m \"why\".")))
    }

    pub(crate) fn lock(&self) -> Result<std::fs::File, Problem> {
        self.project.lock().map_err(|error| trouble(&error))
    }

    pub(crate) fn project(&self) -> &'a Project {
        self.project
    }

    /// Adds a line to the audit chain.
    pub(crate) fn record(&self, person: &Person, event: Event, subject: &str, detail: serde_json::Value) -> Result<(), Problem> {
        let audit = Audit::open(&self.project.audit());
        Ok(audit.append(event, &person.id, subject, detail).map(drop)?)
    }

    /// Writes a commit, notes it in the audit chain, then moves the branch to it. The lock is held.
    #[expect(clippy::too_many_arguments, reason = "these are the parts of a commit")]
    fn add(
        &self,
        person: &Person,
        name: &str,
        workflow: &Workflow,
        message: &str,
        origin: Origin,
        head: Option<Saved>,
        others: Vec<String>,
    ) -> Result<Saved, Problem> {
        let time = time_after(head.as_ref().map(|head| head.commit.time.as_str()))?;
        let event = if matches!(origin, Origin::Rollback { .. }) { Event::Rollback } else { Event::Save };
        let mut content = Content::Whole(Box::new(workflow.clone()));
        let mut since_whole = 0;
        if let Some(head) = head.as_ref().filter(|head| head.commit.since_whole + 1 < WHOLE_EVERY) {
            let before = self.workflow(head)?;
            let edits = before.difference(workflow);
            let mut again = before;
            let same = edits.iter().try_for_each(|edit| again.change(edit)).is_ok() && again == *workflow;
            if same && text_hash(&again)? == text_hash(workflow)? {
                content = Content::Edits(edits);
                since_whole = head.commit.since_whole + 1;
            }
        }
        let number = head.as_ref().map_or(1, |head| head.commit.number + 1);
        let commit = Commit {
            commit: FORMAT,
            number,
            workflow: name.to_owned(),
            parents: head.into_iter().map(|head| head.id).chain(others).collect(),
            author: person.id.clone(),
            time,
            message: message.to_owned(),
            origin,
            version: workflow.version().to_string(),
            text: text_hash(workflow)?,
            since_whole,
            content,
        };
        let bytes = serde_json::to_vec(&commit).map_err(|error| Problem::error(format!("The version cannot be written: {error}.")))?;
        let id = self.store.put(&bytes).map_err(|error| trouble(&error))?;
        let branch = self.branch(name)?;
        let detail = json!({ "workflow": name, "branch": branch, "version": id, "number": number, "message": message });
        self.record(person, event, name, detail)?;
        self.store.write_ref(&Self::head_ref(name, &branch), &id).map_err(|error| trouble(&error))?;
        Ok(Saved { id, commit })
    }

    /// Completes what a crash left between the audit chain and a branch: the chain is what counts. The lock is held.
    pub(crate) fn complete(&self) -> Result<(), Problem> {
        let audit = Audit::open(&self.project.audit());
        let mut seen = Vec::new();
        for entry in audit.recent()?.into_iter().rev() {
            let text = |key: &str| entry.detail.get(key).and_then(serde_json::Value::as_str);
            let Some(workflow) = text("workflow") else { continue };
            let mut wanted: Vec<(String, &str)> = Vec::new();
            match (entry.event, text("proposal"), text("decision")) {
                (Event::Save | Event::Rollback, ..) => {
                    wanted.extend(text("branch").zip(text("version")).map(|(branch, version)| (Self::head_ref(workflow, branch), version)));
                }
                (Event::Propose, Some(proposal), _) => wanted.push((format!("{workflow}/proposals/{proposal}"), "")),
                (Event::Approve | Event::Reject, Some(proposal), Some(decision)) => {
                    wanted.push((format!("{workflow}/proposals/{proposal}"), decision));
                    if entry.event == Event::Approve {
                        wanted.push((format!("{workflow}/approved"), decision));
                    }
                }
                _ => {}
            }
            for (name, value) in wanted {
                if seen.contains(&name) {
                    continue;
                }
                let known = self.store.read_ref(&name).map_err(|error| trouble(&error))?;
                if known.as_deref() != Some(value) && (value.is_empty() || self.object(value).is_ok()) {
                    self.store.write_ref(&name, value).map_err(|error| trouble(&error))?;
                }
                seen.push(name);
            }
        }
        Ok(())
    }

    /// The workflow that has this meaning: the file as it is, or a version of it.
    pub(crate) fn meaning(&self, workflow: &str, version: &str) -> Result<Workflow, Problem> {
        if let Ok(here) = Workflow::load(&self.project.root().join(workflow))
            && here.version().to_string() == version
        {
            return Ok(here);
        }
        for branch in self.branches(workflow) {
            let mut next = self.head_of(workflow, &branch)?;
            while let Some(saved) = next {
                if saved.commit.version == version {
                    return self.workflow(&saved);
                }
                next = saved.commit.parents.first().map(|parent| self.commit(parent)).transpose()?;
            }
        }
        let what = format!("No saved version of {workflow} has the meaning {}.", version.get(..12).unwrap_or(version));
        Err(Problem::error(what).help("Only versions that were saved can be computed again."))
    }

    /// What differs from one version to another.
    pub fn difference(&self, before: &Saved, after: &Saved) -> Result<Difference, Problem> {
        Ok(Difference::between(&self.workflow(before)?, &self.workflow(after)?))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn in_minutes(minutes: i64) -> String {
        written(chrono::Utc::now() + chrono::Duration::minutes(minutes))
    }

    #[test]
    fn a_clock_that_goes_backwards_is_noticed() {
        let problem = time_after(Some(&in_minutes(60))).unwrap_err();
        assert!(problem.message.contains("clock") && problem.help.is_some_and(|help| help.contains("nothing was written")));
        // A machine whose clock is a minute ahead is no reason to stop, and times do not go back.
        let ahead = in_minutes(1);
        assert_eq!(time_after(Some(&ahead)).unwrap(), ahead);
        assert!(time_after(Some(&in_minutes(-5))).unwrap() > in_minutes(-1));
    }

    #[test]
    fn a_version_of_a_newer_format_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::around(folder.path()).unwrap();
        let history = History::of(&project);
        let id = history.store().put(br#"{"commit":99,"shape":"unknown"}"#).unwrap();
        let problem = history.commit(&id).unwrap_err();
        assert!(problem.message.contains("format 99"), "{problem}");
        let other = history.store().put(b"no version at all").unwrap();
        assert!(history.commit(&other).unwrap_err().message.contains("it is no version"));
    }
}
