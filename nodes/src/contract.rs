//! What a workflow asks of its inputs: the columns, their types and rules, in one file beside the workflow.
//!
//! A file of contracts is `{ "weir_inputs": 1, "inputs": { "deals": { … } } }`. The customer's own file is bound to it
//! under other names, in another order; what arrives is cleaned, typed and judged row by row.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::param::{Columns, Formula};
use crate::problem::{Problem, did_you_mean};
use crate::types::ColumnType;

/// The format that is written, and the newest that is read.
pub const FORMAT: u32 = 1;

/// Words in the product's two languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Local {
    /// English.
    #[serde(default)]
    pub en: String,
    /// French.
    #[serde(default)]
    pub fr: String,
}

impl Local {
    /// The words in a language; English where there are none.
    pub fn of(&self, french: bool) -> &str {
        if french && !self.fr.is_empty() { &self.fr } else { &self.en }
    }

    /// Whether they are there in both languages.
    pub fn is_whole(&self) -> bool {
        !self.en.trim().is_empty() && !self.fr.trim().is_empty()
    }
}

/// A file of contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The format.
    pub weir_inputs: u32,
    /// The contracts, by the input's name.
    pub inputs: BTreeMap<String, Contract>,
}

/// What is asked of one input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// What people call it.
    pub title: Local,
    /// What a row is, and where people get it from.
    #[serde(default)]
    pub about: Local,
    /// A file that fulfils it, beside the contract.
    pub example: String,
    /// The columns that go on, in their order.
    pub columns: Vec<ContractColumn>,
    /// Columns that tell rows apart together.
    #[serde(default)]
    pub keys: Vec<Key>,
    /// Rules over the typed columns.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// A column that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractColumn {
    /// Its name in the workflow.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// What it holds.
    #[serde(default)]
    pub about: Local,
    /// What people's files call it.
    #[serde(default)]
    pub synonyms: Vec<String>,
    /// Whether it may be missing.
    #[serde(default)]
    pub optional: bool,
    /// Whether every row has a value.
    #[serde(default)]
    pub filled: bool,
    /// Whether no two rows have the same value; rows after the first break the rule.
    #[serde(default)]
    pub unique: bool,
    /// How texts are cleaned before anything else, in this order. Spaces at both ends always go.
    #[serde(default)]
    pub clean: Vec<Clean>,
    /// What stands for an empty value.
    #[serde(default)]
    pub default: Option<String>,
    /// The values there may be.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// The least value, as in a formula.
    #[serde(default)]
    pub min: Option<Formula>,
    /// The largest value, as in a formula.
    #[serde(default)]
    pub max: Option<Formula>,
    /// A regular expression that texts fit.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Date formats that are tried after the usual ones.
    #[serde(default)]
    pub dates: Vec<String>,
    /// What happens to rows that break one of these, or whose value is not of the type.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// How a text is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clean {
    /// Spaces at both ends go.
    Trim,
    /// One space of several.
    SingleSpaces,
    /// All capitals.
    Upper,
    /// No capitals.
    Lower,
    /// A capital for every word.
    Title,
    /// Only letters, digits, `-` and `_` stay.
    Code,
}

/// What happens to rows that break a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// Nothing is published.
    #[default]
    Block,
    /// They leave by the port `rejected`.
    Reject,
    /// They go on, and a copy leaves by the port `warnings`.
    Warn,
}

/// Columns whose values together no two rows share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The columns.
    pub columns: Columns,
    /// What happens to rows after the first.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// A rule over the typed columns of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What must be true; an empty result breaks it.
    pub formula: Formula,
    /// What to say of rows for which it is not.
    pub message: Local,
    /// What happens to them.
    #[serde(default)]
    pub otherwise: Otherwise,
    /// Where the rule comes from.
    #[serde(default)]
    pub source: String,
}

impl Inputs {
    /// Reads a file of contracts; `shown` names it in problems.
    pub fn parse(text: &str, shown: &str) -> Result<Self, Problem> {
        let newer = serde_json::from_str::<serde_json::Value>(text)
            .ok()
            .and_then(|value| value.get("weir_inputs")?.as_u64())
            .is_some_and(|format| format > u64::from(FORMAT));
        if newer {
            return Err(Problem::error("The contracts were written by a newer Weir.").in_file(shown, None).help("Update Weir."));
        }
        serde_json::from_str(text).map_err(|error| {
            Problem::error(format!("The contracts cannot be read: {error}."))
                .in_file(shown, Some(error.line() as u64))
                .help("Correct that line; `weir nodes input.contract` shows an example.")
        })
    }

    /// The contract of an input.
    pub fn find(&self, input: &str, shown: &str) -> Result<&Contract, Problem> {
        self.inputs.get(input).ok_or_else(|| {
            let names = || self.inputs.keys().map(String::as_str);
            let help = did_you_mean(input, names()).unwrap_or_else(|| format!("There is: {}.", names().collect::<Vec<_>>().join(", ")));
            Problem::error(format!("There is no contract for an input \"{input}\".")).in_file(shown, None).help(help)
        })
    }
}

impl Contract {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&ContractColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}
