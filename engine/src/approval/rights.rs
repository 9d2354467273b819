//! Who may do what: one table, for the command line and the editor alike (seed 000, B.2 and 14).

use serde::{Deserialize, Serialize};
use weir_nodes::Problem;

use super::Person;
use crate::project::{FILE, Project};

/// What a person is in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Keeps the project: may do everything, and not approve their own work either.
    Administrator,
    /// Draws workflows and proposes them.
    Preparer,
    /// Looks at what was proposed and decides.
    Validator,
    /// Looks.
    Reader,
}

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Save a version, branch, merge.
    Save,
    /// Make an earlier version the newest.
    Rollback,
    /// Propose a version.
    Propose,
    /// Approve or reject one.
    Decide,
    /// Run and publish.
    Run,
    /// Waive a failed control for one run.
    Waive,
    /// Compensate the rows of a run.
    Reverse,
    /// Name a state of the ledger.
    Snapshot,
    /// Remove old files of the ledger.
    Vacuum,
    /// Install, upgrade and remove packages.
    Install,
    /// Bind files to the inputs of a package.
    Bind,
}

use Role::{Administrator, Preparer, Validator};

/// Each act, what it is called, and who may do it. Everybody may look.
const RIGHTS: &[(Act, &str, &[Role])] = &[
    (Act::Save, "save versions", &[Administrator, Preparer]),
    (Act::Rollback, "go back to a version", &[Administrator, Preparer, Validator]),
    (Act::Propose, "propose versions", &[Administrator, Preparer]),
    (Act::Decide, "approve or reject", &[Administrator, Validator]),
    (Act::Run, "run and publish", &[Administrator, Preparer, Validator]),
    (Act::Waive, "waive a control", &[Validator]),
    (Act::Reverse, "reverse a load", &[Administrator, Validator]),
    (Act::Snapshot, "name a state of the ledger", &[Administrator, Validator]),
    (Act::Vacuum, "remove old files of the ledger", &[Administrator]),
    (Act::Install, "install packages", &[Administrator, Preparer]),
    (Act::Bind, "bind files to inputs", &[Administrator, Preparer]),
];

impl Act {
    fn row(self) -> (&'static str, &'static [Role]) {
        RIGHTS.iter().find(|(act, ..)| *act == self).map_or(("do this", &[]), |(_, words, roles)| (*words, *roles))
    }
}

impl Role {
    /// Whether this role may do something.
    pub fn may(self, act: Act) -> bool {
        act.row().1.contains(&self)
    }
}

/// Whether a person may do something. In a project without people, everybody may do everything.
pub fn allow(project: &Project, person: &Person, act: Act) -> Result<(), Problem> {
    if project.config().people.is_empty() {
        return Ok(());
    }
    let (words, roles) = act.row();
    match person.role {
        None => {
            let what = format!("\"{}\" is not among the people of this project.", person.id);
            Err(Problem::error(what).help(format!("An administrator adds them to {FILE}: [people.{}] role = \"preparer\".", person.id)))
        }
        Some(role) if role.may(act) => Ok(()),
        Some(role) => {
            let who: Vec<String> = roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
            let what = format!("\"{}\" is a {} and may not {words}.", person.id, format!("{role:?}").to_lowercase());
            Err(Problem::error(what).help(format!("Ask a person who is {}.", who.join(" or "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_stands_in_the_table_once_and_readers_only_look() {
        use Act::{Bind, Decide, Install, Propose, Reverse, Rollback, Run, Save, Snapshot, Vacuum, Waive};
        for act in [Save, Rollback, Propose, Decide, Run, Waive, Reverse, Snapshot, Vacuum, Install, Bind] {
            assert_eq!(RIGHTS.iter().filter(|(known, ..)| *known == act).count(), 1, "{act:?}");
            assert!(!Role::Reader.may(act), "{act:?}");
        }
        assert!(!Preparer.may(Decide) && !Administrator.may(Waive) && Validator.may(Waive));
    }
}
