//! Template packages: workflows, mappings, contracts of the inputs, sample data and tests in one folder that can be
//! packed, signed, installed, bound to a customer's files and upgraded (seed 000, A.2: templates in a marketplace).
//!
//! A package is data: [`Manifest`] says what it is, [`files::Files`] holds what it is made of, as a folder, as one file,
//! or inside this program. An installed package stands in `packages/ID` of a project; `.weir/packages/ID.weirpkg` keeps
//! it as it came, which is what an upgrade merges against and what shows local changes.

pub mod bind;
pub mod files;
pub mod install;
mod merge;
pub mod registry;
pub mod review;
pub mod scaffold;
pub mod seal;
pub mod test;

use std::collections::BTreeMap;
use std::path::Path;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use weir_nodes::Problem;
use weir_nodes::contract::Inputs;
pub use weir_nodes::contract::Local;

pub use files::Files;

/// The file that makes a folder a package.
pub const MANIFEST: &str = "package.json";
/// The file with the contracts of the inputs.
pub const INPUTS: &str = "inputs.json";
/// The format that is written, and the newest that is read.
pub const FORMAT: u32 = 1;

/// What a package is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageKind {
    /// A line of business.
    Sector,
    /// A job that is done in many of them.
    Functional,
    /// A duty.
    Compliance,
}

/// What `package.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format.
    pub weir_package: u32,
    /// The name it is installed by: small letters, digits and `-`.
    pub id: String,
    /// Its version.
    pub version: Version,
    /// What it is for.
    pub kind: PackageKind,
    /// The licence, as an SPDX expression.
    pub licence: String,
    /// Who publishes it.
    pub publisher: String,
    /// The versions of Weir it works with.
    pub weir: VersionReq,
    /// What people call it.
    pub name: Local,
    /// One sentence about it.
    pub summary: Local,
    /// What people search for.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// The packages it needs, with their versions.
    #[serde(default)]
    pub needs: BTreeMap<String, VersionReq>,
    /// The workflow that people run first.
    pub main: String,
    /// Its workflows, each with a sentence.
    pub workflows: BTreeMap<String, Local>,
    /// What comes out, by the target's name in a certificate: `file:out/statement.csv`, `ledger:commissions`.
    #[serde(default)]
    pub gives: BTreeMap<String, Local>,
    /// The rules behind the figures that come out.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

/// The rule behind figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The output they are in.
    pub output: String,
    /// Their columns.
    pub columns: Vec<String>,
    /// The step that makes them.
    pub step: String,
    /// The rule.
    pub rule: Local,
    /// Where the rule comes from.
    pub source: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// From when on it is an alert.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub threshold: String,
}

/// Whether a folder is a package.
pub fn is_package(folder: &Path) -> bool {
    // Other tools have files of this name too; ours says its format.
    std::fs::read_to_string(folder.join(MANIFEST)).is_ok_and(|text| text.contains("\"weir_package\""))
}

impl Manifest {
    /// What the `package.json` of these files says, when this Weir can use it.
    pub fn of(files: &Files) -> Result<Self, Problem> {
        let Some(text) = files.text(MANIFEST)? else {
            return Err(Problem::error(format!("There is no {MANIFEST}: this is no package.")).help("`weir template new` makes one."));
        };
        let format = serde_json::from_str::<serde_json::Value>(text).ok().and_then(|value| value.get("weir_package")?.as_u64());
        if format.is_some_and(|format| format > u64::from(FORMAT)) {
            return Err(Problem::error("The package has a newer format than this Weir reads.")
                .in_file(MANIFEST, None)
                .help("Update Weir."));
        }
        let manifest: Self = serde_json::from_str(text).map_err(|error| {
            Problem::error(format!("The package's description cannot be read: {error}."))
                .in_file(MANIFEST, Some(error.line() as u64))
                .help("Correct that line; `weir template new` writes one to compare with.")
        })?;
        if !is_id(&manifest.id) {
            let what = format!("\"{}\" is no name of a package.", manifest.id);
            return Err(Problem::error(what).in_file(MANIFEST, None).help("Use small letters, digits and hyphens: sales-commissions."));
        }
        let here = Version::parse(env!("CARGO_PKG_VERSION")).unwrap_or(Version::new(0, 0, 0));
        if !manifest.weir.matches(&here) {
            let what = format!("{} {} works with Weir {}; this is Weir {here}.", manifest.id, manifest.version, manifest.weir);
            return Err(Problem::error(what).in_file(MANIFEST, None).help("Update Weir, or choose another version of the package."));
        }
        Ok(manifest)
    }

    /// `sales-commissions 1.0.0`.
    pub fn shown(&self) -> String {
        format!("{} {}", self.id, self.version)
    }
}

/// Whether a text can be a package's id: it becomes a folder's name.
pub fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(plain)
}

/// The contracts of a package's inputs; none when it has no inputs.
pub fn inputs(files: &Files) -> Result<Option<Inputs>, Problem> {
    files.text(INPUTS)?.map(|text| Inputs::parse(text, INPUTS)).transpose()
}
