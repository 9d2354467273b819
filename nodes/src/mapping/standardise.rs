//! `standardise`: one spelling for those that mean the same.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::Field;

use crate::formula::without_accents;
use crate::prelude::*;
use crate::whole::whole;

/// Gives near-identical spellings one.
///
/// Spellings that differ only in capitals, accents, punctuation, spaces or the order of their words always belong
/// together; others do when they are similar enough. The spelling that comes most often stands for all, the earliest
/// where several do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Standardise {
    /// The column with the spellings.
    pub column: Column,
    /// The name of the column with the one that stands for them.
    #[serde(rename = "as")]
    pub name: NewColumn,
    /// The least similarity (Jaro–Winkler) of spellings that belong together, from 0 to 1. None groups only those that
    /// differ in capitals, accents, punctuation, spaces or word order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
    /// What was decided by hand: it counts before anything else.
    #[serde(default)]
    pub decided: Vec<Decided>,
}

/// A spelling decided by hand.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    /// The spelling that is found.
    pub found: String,
    /// The one that stands for it.
    pub standard: String,
}

impl NodeKind for Standardise {
    fn identity() -> Identity {
        Identity {
            id: "standardise",
            version: 1,
            category: Category::Mapping,
            icon: "spellcheck",
            title: Words { en: "Standardise", fr: "Standardiser" },
            summary: Words {
                en: "Gives near-identical spellings one, and shows the table of what was put together.",
                fr: "Donne une seule graphie à celles qui se ressemblent, et montre la table des regroupements.",
            },
            synonyms: &[
                "group values",
                "cluster",
                "fuzzy grouping",
                "harmonise",
                "make group",
                "homogénéiser",
                "regrouper les valeurs",
                "variantes",
            ],
            order: Words {
                en: "Rows stay in their order; spellings by the one that stands for them.",
                fr: "Les lignes restent dans leur ordre ; les graphies par celle qui les représente.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, OutPort { name: "spellings", title: Words { en: "spellings", fr: "graphies" } }])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        cx.fitting(&Columns(vec![self.column.clone()]), &table, "column", "text", |kind| kind == ColumnType::Text);
        cx.new_name(&self.name, table.has(&self.name.0), "as");
        let threshold = match &self.threshold {
            None => Some(2.0),
            Some(text) => text.parse::<f64>().ok().filter(|n| (0.0..=1.0).contains(n)),
        };
        if threshold.is_none() {
            let what = format!("\"{}\" is not a similarity.", self.threshold.as_deref().unwrap_or_default());
            cx.problem(Problem::error(what).on("threshold").help("Give a number from 0 to 1, such as 0.92."));
        }
        if cx.failed() {
            return None;
        }
        let threshold = threshold?;
        let text = |name: &str| Field::new(name, DataType::Utf8View, true);
        let mut fields: Vec<Field> = table.fields().map(|field| Field::clone(field).with_nullable(true)).collect();
        fields.push(text(&self.name.0));
        let schema = Arc::new(arrow::datatypes::Schema::new(fields.clone()));
        let step = self.clone();
        let out = whole(cx.node(), &[&table], fields, move |tables| {
            let [rows] = tables else { return Err("a table is missing".into()) };
            let found = step.spellings(rows)?;
            let standard = step.standards(&found, threshold);
            let mut columns = rows.columns().to_vec();
            let chosen = found.iter().map(|text| text.as_deref().map(|text| standard[text].as_str()));
            columns.push(Arc::new(chosen.collect::<StringViewArray>()) as ArrayRef);
            RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|error| error.to_string())
        });
        let out = cx.planned(out)?;
        let fields = vec![text("spelling"), text("standard"), Field::new("rows", DataType::Int64, true)];
        let schema = Arc::new(arrow::datatypes::Schema::new(fields.clone()));
        let step = self.clone();
        let spellings = whole(&format!("{}.spellings", cx.node()), &[&table], fields, move |tables| {
            let [rows] = tables else { return Err("a table is missing".into()) };
            let found = step.spellings(rows)?;
            let standard = step.standards(&found, threshold);
            let mut counts: HashMap<&str, i64> = HashMap::new();
            found.iter().flatten().for_each(|text| *counts.entry(text).or_default() += 1);
            let mut lines: Vec<(&str, &str, i64)> = counts.into_iter().map(|(text, rows)| (text, standard[text].as_str(), rows)).collect();
            lines.sort_unstable_by(|a, b| (a.1, std::cmp::Reverse(a.2), a.0).cmp(&(b.1, std::cmp::Reverse(b.2), b.0)));
            let columns: Vec<ArrayRef> = vec![
                Arc::new(lines.iter().map(|line| Some(line.0)).collect::<StringViewArray>()),
                Arc::new(lines.iter().map(|line| Some(line.1)).collect::<StringViewArray>()),
                Arc::new(lines.iter().map(|line| Some(line.2)).collect::<Int64Array>()),
            ];
            RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|error| error.to_string())
        });
        let spellings = cx.planned(spellings)?;
        Some(Planned { flows: vec![Flow::all("out", out), Flow::all("spellings", spellings)], ..Planned::default() })
    }

    fn examples() -> Vec<Example> {
        let rows = "id:integer,city\n1,Saint-Étienne\n2,SAINT ETIENNE\n3,Saint-Étienne\n4,Lyon\n5,Lyonn\n6,";
        vec![
            Example::new("Capitals, accents and hyphens.", json!({ "column": "city", "as": "place" }))
                .input("in", rows)
                .output(
                    "out",
                    "id:integer,city,place\n1,Saint-Étienne,Saint-Étienne\n2,SAINT ETIENNE,Saint-Étienne\n3,Saint-Étienne,Saint-Étienne\n4,Lyon,Lyon\n5,Lyonn,Lyonn\n6,,",
                )
                .output("spellings", "spelling,standard,rows:integer\nLyon,Lyon,1\nLyonn,Lyonn,1\nSaint-Étienne,Saint-Étienne,2\nSAINT ETIENNE,Saint-Étienne,1"),
            Example::new(
                "Similar ones too, and what was decided by hand.",
                json!({ "column": "city", "as": "place", "threshold": "0.9", "decided": [{ "found": "SAINT ETIENNE", "standard": "Sainté" }] }),
            )
            .input("in", rows)
            .output("spellings", "spelling,standard,rows:integer\nLyon,Lyon,1\nLyonn,Lyon,1\nSaint-Étienne,Saint-Étienne,2\nSAINT ETIENNE,Sainté,1"),
            Example::new("A table without rows.", json!({ "column": "city", "as": "place" }))
                .input("in", "city")
                .output("out", "city,place")
                .output("spellings", "spelling,standard,rows:integer"),
            Example::new("A similarity lies between 0 and 1.", json!({ "column": "city", "as": "p", "threshold": "90" }))
                .input("in", rows)
                .refused("\"90\" is not a similarity"),
        ]
    }
}

impl Standardise {
    fn spellings(&self, rows: &RecordBatch) -> Result<Vec<Option<String>>, String> {
        let values = rows.column_by_name(&self.column.0).ok_or("a column is missing")?;
        let values = arrow::compute::cast(values, &DataType::Utf8View).map_err(|error| error.to_string())?;
        let values = values.as_any().downcast_ref::<StringViewArray>().ok_or("a column is not text")?;
        Ok(values.iter().map(|text| text.map(str::to_owned)).collect())
    }

    /// The spelling that stands for each.
    fn standards(&self, found: &[Option<String>], threshold: f64) -> HashMap<String, String> {
        let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
        for (row, text) in found.iter().enumerate() {
            if let Some(text) = text {
                counts.entry(text).or_insert((0, row)).0 += 1;
            }
        }
        // By fingerprint: the words without capitals, accents and marks, in alphabetical order.
        let mut groups: HashMap<String, Vec<&str>> = HashMap::new();
        for text in counts.keys() {
            groups.entry(fingerprint(text)).or_default().push(text);
        }
        let best = |texts: &[&str]| {
            texts.iter().copied().min_by_key(|text| (std::cmp::Reverse(counts[text].0), counts[text].1)).unwrap_or_default().to_owned()
        };
        let mut order: Vec<(String, Vec<&str>)> = groups.into_iter().collect();
        let weight = |texts: &[&str]| texts.iter().map(|text| counts[text].0).sum::<usize>();
        let first = |texts: &[&str]| texts.iter().map(|text| counts[text].1).min().unwrap_or(0);
        order.sort_unstable_by_key(|(_, texts)| (std::cmp::Reverse(weight(texts)), first(texts)));
        // The more frequent group takes in what is similar to it.
        let mut leaders: Vec<(String, String)> = Vec::new();
        let mut standard = HashMap::new();
        for (print, texts) in order {
            let similar = leaders.iter().map(|(leader, chosen)| (strsim::jaro_winkler(leader, &print), chosen));
            let nearest =
                similar.filter(|(score, _)| *score >= threshold).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, chosen)| chosen.clone());
            let chosen = nearest.unwrap_or_else(|| {
                let chosen = best(&texts);
                leaders.push((print, chosen.clone()));
                chosen
            });
            for text in texts {
                let by_hand = self.decided.iter().find(|one| one.found == text).map(|one| one.standard.clone());
                standard.insert(text.to_owned(), by_hand.unwrap_or_else(|| chosen.clone()));
            }
        }
        standard
    }
}

fn fingerprint(text: &str) -> String {
    let plain: String = without_accents(text).to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let mut words: Vec<&str> = plain.split_whitespace().collect();
    words.sort_unstable();
    words.join(" ")
}
