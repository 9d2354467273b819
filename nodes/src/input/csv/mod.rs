//! `input.csv`: text files of rows, as people really get them.

pub(crate) mod reading;
pub(crate) mod sniff;
mod source;
#[cfg(test)]
mod tests;
mod tokens;
mod values;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use sniff::{Sniffed, sniff};

use crate::ColumnType;
use crate::example::Example;
use crate::kind::{Category, Flow, Identity, NodeKind, OUT, OutPort, Planned, Planning, Ports, Words};
use crate::param::FilePath;
use crate::source::scan;
use source::{CsvSource, Ragged};

/// Reads a text file of rows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CsvInput {
    /// The file. Gzip and Zstandard are recognised by their content.
    pub path: FilePath,
    /// The encoding: `utf-8`, `windows-1252`, `utf-16le`, …; found out unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The character between fields, `\t` for a tab; found out unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// The character around fields that hold separators or line ends; `"` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// Whether the first row holds the columns' names.
    #[serde(default = "yes")]
    pub header: bool,
    /// How many lines to leave out before the header.
    #[serde(default)]
    pub skip_lines: u32,
    /// What lines above the header begin with that are to be left out; `#` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The character before decimals; found out column by column unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_mark: Option<String>,
    /// The character between groups of thousands; none unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_mark: Option<String>,
    /// The formats of dates, tried in turn, such as `dd/mm/yyyy`; found out unless given.
    #[serde(default)]
    pub date_formats: Vec<String>,
    /// Texts that stand for an empty value, such as `N/A`. A field that holds nothing always does.
    #[serde(default)]
    pub null_texts: Vec<String>,
    /// Whether spaces around values are left out.
    #[serde(default)]
    pub trim: bool,
    /// Types given by hand; the other columns' types are found out.
    #[serde(default)]
    pub columns: Vec<CsvColumn>,
    /// What happens to rows with too many or too few fields, or with a value that does not fit its column.
    #[serde(default)]
    pub ragged: RaggedRows,
    /// Whether rows that hold nothing but separators are kept.
    #[serde(default)]
    pub keep_blank_rows: bool,
}

/// A column whose type is given by hand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CsvColumn {
    /// The column's name, as in the header.
    pub name: String,
    /// The column's type.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
}

/// What happens to rows that do not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RaggedRows {
    /// They stop the run, with their line.
    #[default]
    Refuse,
    /// Short rows are filled with empty values; other misfits stop the run.
    Pad,
    /// They leave by the port `rejects`, with their line and the reason.
    Reject,
}

fn yes() -> bool {
    true
}

impl CsvInput {
    /// A file about which everything is found out.
    pub(crate) fn of(path: &str) -> Self {
        Self {
            path: path.into(),
            encoding: None,
            separator: None,
            quote: None,
            header: true,
            skip_lines: 0,
            comment: None,
            decimal_mark: None,
            group_mark: None,
            date_formats: vec![],
            null_texts: vec![],
            trim: false,
            columns: vec![],
            ragged: RaggedRows::default(),
            keep_blank_rows: false,
        }
    }
}

impl NodeKind for CsvInput {
    fn identity() -> Identity {
        Identity {
            id: "input.csv",
            version: 1,
            category: Category::Input,
            icon: "csv",
            title: Words { en: "CSV file", fr: "Fichier CSV" },
            summary: Words {
                en: "Reads a text file of rows; encoding, separator and types are found out, shown and can be corrected.",
                fr: "Lit un fichier texte de lignes ; encodage, séparateur et types sont détectés, affichés et corrigeables.",
            },
            synonyms: &["text file", "input data", "delimited", "import", "csv reader", "fichier texte", "TSV"],
            order: Words { en: "As in the file.", fr: "Celui du fichier." },
        }
    }

    fn ports(&self) -> Ports {
        Ports {
            inputs: vec![],
            outputs: vec![OUT, OutPort { name: "rejects", title: Words { en: "rejected rows", fr: "lignes rejetées" } }],
        }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let path = cx.source_file(&self.path.0, "path")?;
        let sniffed = match sniff(self, &path, &self.path.0) {
            Ok(sniffed) => sniffed,
            Err(problems) => {
                problems.into_iter().for_each(|problem| cx.problem(problem));
                return None;
            }
        };
        sniffed.notes.iter().for_each(|note| cx.problem(note.clone()));
        let found = sniffed.found();
        let node = cx.node().to_owned();
        let source = |rejects: bool| {
            Arc::new(CsvSource {
                path: path.clone(),
                shown: self.path.0.clone(),
                sniffed: sniffed.clone(),
                ragged: match self.ragged {
                    RaggedRows::Refuse => Ragged::Refuse,
                    RaggedRows::Pad => Ragged::Pad,
                    RaggedRows::Reject => Ragged::Reject,
                },
                keep_blank: self.keep_blank_rows,
                trim: self.trim,
                nulls: self.null_texts.clone(),
                rejects,
                block: CsvSource::BLOCK,
            })
        };
        let label = format!("{} line", self.path.0);
        let rows = cx.planned(scan(&node, source(false), &label))?;
        let rejects = cx.planned(scan(&format!("{node}.rejects"), source(true), &label))?;
        Some(Planned { flows: vec![Flow::all("out", rows), Flow::all("rejects", rejects)], found, ..Planned::default() })
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Semicolons, decimal commas and French dates are recognised.", json!({ "path": "deals.csv" }))
                .file("deals.csv", "\u{feff}N°;Montant;Date\n00017;12,50;30/09/2026\n00018;;01/10/2026\n")
                .output("out", "N°,Montant:decimal(2),Date:date\n00017,12.50,2026-09-30\n00018,,2026-10-01"),
            Example::new(
                "Rows that do not fit can leave by a port of their own.",
                json!({ "path": "a.csv", "ragged": "reject", "columns": [{ "name": "n", "type": "integer" }] }),
            )
            .file("a.csv", "n,x\n1,a\ntwo,b\n3\n4,\"d\"\n")
            .output("out", "n:integer,x\n1,a\n4,d")
            .output("rejects", "line:integer,reason,text\n3,\"\"\"two\"\" in column \"\"n\"\" is not a whole number\",\"two,b\"\n4,1 fields instead of 2,3"),
            Example::new("Texts that mean nothing become empty values; quoted nothing is an empty text.", json!({ "path": "a.csv", "null_texts": ["N/A"] }))
                .file("a.csv", "k,v\na,1.5\nb,N/A\n\"\",2\n")
                .output("out", "k,v:decimal(1)\na,1.5\nb,\n\"\",2.0"),
            Example::new(
                "A date format settles which number is the day; ISO dates need none; N/A is no value of a number.",
                json!({ "path": "a.csv", "date_formats": ["dd/mm/yyyy"], "null_texts": ["N/A"] }),
            )
            .file("a.csv", "day,iso,n\n01/02/2026,2026-01-31,5\n03/04/2026,2026-02-28,N/A\n   \n")
            .output("out", "day:date,iso:date,n:integer\n2026-02-01,2026-01-31,5\n2026-04-03,2026-02-28,"),
            Example::new("Codes with leading zeros stay text, and dates that could be either stay text.", json!({ "path": "a.csv" }))
                .file("a.csv", "code,day\n007,01/02/2026\n12,03/04/2026\n")
                .output("out", "code,day\n007,01/02/2026\n12,03/04/2026"),
            Example::new("A file that is not there is refused.", json!({ "path": "a.csv" })).refused("does not exist"),
        ]
    }
}
