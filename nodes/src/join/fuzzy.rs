//! `fuzzy`: the most similar text of another table.
//!
//! Texts that share no three letters in a row are not compared: each row is measured against the candidates that share
//! the most, which is what makes large tables possible.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Decimal128Array, RecordBatch, StringViewArray, UInt64Array};
use arrow::datatypes::Field;

use super::as_of::fetching_ports;
use super::lookup::{LookupOn, Missing, Take, fetched, taken};
use crate::formula::without_accents;
use crate::prelude::*;
use crate::whole::whole;

/// Fetches columns from the row with the most similar text.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Fuzzy {
    /// The texts to compare.
    pub on: LookupOn,
    /// How similarity is measured.
    #[serde(default)]
    pub measure: Measure,
    /// The least similarity that counts, from 0 to 1, such as `0.85`.
    #[serde(default = "threshold")]
    pub threshold: String,
    /// Whether capitals, accents, punctuation and repeated spaces make no difference.
    #[serde(default = "yes")]
    pub loose: bool,
    /// The columns to fetch.
    #[serde(default)]
    pub take: Vec<Take>,
    /// The name of the column with the similarity.
    #[serde(default = "score")]
    pub score: NewColumn,
    /// What happens to a row that finds nothing.
    #[serde(default)]
    pub missing: Missing,
}

fn threshold() -> String {
    "0.85".into()
}

fn yes() -> bool {
    true
}

fn score() -> NewColumn {
    NewColumn("similarity".into())
}

/// How similarity is measured; 1 is equal, 0 has nothing in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Jaro–Winkler: forgives swapped letters, and weighs the beginning. Good for names of people.
    #[default]
    JaroWinkler,
    /// Levenshtein: counts letters to change. Good for codes and typing mistakes.
    Levenshtein,
    /// Sørensen–Dice: pairs of letters in common. Good for long texts.
    Dice,
    /// Words in common, in any order. Good for names of companies.
    Words,
}

impl Measure {
    fn of(self, a: &str, b: &str) -> f64 {
        match self {
            Self::JaroWinkler => strsim::jaro_winkler(a, b),
            Self::Levenshtein => strsim::normalized_levenshtein(a, b),
            Self::Dice => strsim::sorensen_dice(a, b),
            Self::Words => {
                let sorted = |text: &str| {
                    let mut words: Vec<&str> = text.split_whitespace().collect();
                    words.sort_unstable();
                    words.join(" ")
                };
                strsim::jaro_winkler(&sorted(a), &sorted(b))
            }
        }
    }
}

/// How many candidates a text is measured against.
const CANDIDATES: usize = 64;

impl NodeKind for Fuzzy {
    fn identity() -> Identity {
        Identity {
            id: "fuzzy",
            version: 1,
            category: Category::Join,
            icon: "join_full",
            title: Words { en: "Fuzzy match", fr: "Rapprochement approché" },
            summary: Words {
                en: "Finds the most similar text of another table, with the similarity as a column.",
                fr: "Trouve le texte le plus ressemblant d'une autre table, avec la ressemblance en colonne.",
            },
            synonyms: &["similarity join", "fuzzy lookup", "approximate join", "levenshtein", "jaro winkler", "match flou", "ressemblance"],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        fetching_ports()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let (rows, table) = (cx.input("in")?, cx.input("table")?);
        let texts = |cx: &mut Planning<'_>, name: &Column, table: &Table, field| {
            cx.fitting(&Columns(vec![name.clone()]), table, field, "text", |kind| kind == ColumnType::Text);
        };
        texts(cx, &self.on.column, &rows, "on.column");
        texts(cx, &self.on.in_table, &table, "on.in");
        let taken = taken(&self.take, cx, &rows, &table);
        cx.new_name(&self.score, rows.has(&self.score.0) || taken.iter().any(|(_, shown)| *shown == self.score.0), "score");
        let threshold = self.threshold.parse::<f64>().ok().filter(|n| (0.0..=1.0).contains(n));
        if threshold.is_none() {
            let what = format!("\"{}\" is not a similarity.", self.threshold);
            cx.problem(Problem::error(what).on("threshold").help("Give a number from 0 to 1, such as 0.85."));
        }
        if cx.failed() {
            return None;
        }
        let (hit, score) = (hidden(&format!("{}.hit", cx.node())), hidden(&format!("{}.score", cx.node())));
        let mut fields: Vec<Field> = rows.fields().map(|field| Field::clone(field).with_nullable(true)).collect();
        for (i, (name, _)) in taken.iter().enumerate() {
            fields.push(Field::new(fetched(cx, i), table.type_of(name).cloned().unwrap_or(DataType::Null), true));
        }
        fields.push(Field::new(&score, ColumnType::Decimal(4).arrow(), true));
        fields.push(Field::new(&hit, DataType::Boolean, false));
        let schema = Arc::new(arrow::datatypes::Schema::new(fields.clone()));
        let (step, names, threshold) = (self.clone(), taken.clone(), threshold?);
        let made = whole(cx.node(), &[&rows, &table], fields, move |tables| {
            let [rows, table] = tables else { return Err("a table is missing".into()) };
            let found = step.found(rows, table, threshold)?;
            let places: UInt64Array = found.iter().map(|hit| hit.map(|(place, _)| place as u64)).collect();
            let mut columns = rows.columns().to_vec();
            for (name, _) in &names {
                let values = table.column_by_name(name).ok_or("a column is missing")?;
                columns.push(arrow::compute::take(values, &places, None).map_err(|error| error.to_string())?);
            }
            let scores = found.iter().map(|hit| hit.map(|(_, score)| (score * 10_000.0).round() as i128));
            let scores: Decimal128Array = scores.collect();
            columns.push(Arc::new(scores.with_data_type(ColumnType::Decimal(4).arrow())) as ArrayRef);
            columns.push(Arc::new(found.iter().map(|hit| Some(hit.is_some())).collect::<BooleanArray>()));
            RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|error| error.to_string())
        });
        let made = cx.planned(made)?;
        let mut taken = taken;
        // The similarity comes out like a fetched column.
        let score_at = fetched(cx, taken.len());
        taken.push((score.clone(), self.score.0.clone()));
        let made = cx.planned(made.with_columns(vec![(score_at, column(&score))]))?;
        super::as_of::split(cx, &rows, made, column(&hit), &taken, self.missing, "Every row finds a similar text")
    }

    fn examples() -> Vec<Example> {
        let names = "name,code\nDupont SA,1\nMüller GmbH,2\nMartin & Fils,3";
        let on = json!({ "column": "customer", "in": "name" });
        vec![
            Example::new(
                "Typing mistakes, capitals and accents; what is too different finds nothing.",
                json!({ "on": on, "take": [{ "column": "code" }], "missing": "keep" }),
            )
            .input("in", "customer,n:integer\ndupond s.a.,1\nMULLER GMBH,2\nDurand,3\n,4")
            .input("table", names)
            .output(
                "out",
                "customer,n:integer,code,similarity:decimal(4)\ndupond s.a.,1,1,0.9378\nMULLER GMBH,2,2,1.0000\nDurand,3,,\n,4,,",
            )
            .output("missing", "customer,n:integer\nDurand,3\n,4"),
            Example::new(
                "Words in another order.",
                json!({ "on": on, "measure": "words", "take": [{ "column": "name" }], "missing": "port" }),
            )
            .input("in", "customer,b\nFils Martin,x")
            .input("table", names)
            .output("out", "customer,b,name,similarity:decimal(4)\nFils Martin,x,Martin & Fils,1.0000"),
            Example::new("A table without rows.", json!({ "on": on, "take": [], "missing": "keep" }))
                .input("in", "customer\nx")
                .input("table", "name")
                .output("out", "customer,similarity:decimal(4)\nx,"),
            Example::new("A similarity lies between 0 and 1.", json!({ "on": on, "threshold": "85" }))
                .input("in", "customer\nx")
                .input("table", names)
                .refused("\"85\" is not a similarity"),
        ]
    }
}

impl Fuzzy {
    /// A text as it is compared.
    fn comparable(&self, text: &str) -> String {
        if !self.loose {
            return text.to_owned();
        }
        let plain: String = without_accents(text).to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn texts(&self, batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>, String> {
        let values = batch.column_by_name(name).ok_or("a column is missing")?;
        let values = arrow::compute::cast(values, &DataType::Utf8View).map_err(|error| error.to_string())?;
        let values = values.as_any().downcast_ref::<StringViewArray>().ok_or("a column is not text")?;
        Ok(values.iter().map(|text| text.map(|text| self.comparable(text))).collect())
    }

    /// The place of the most similar text of the table for each row, and how similar it is. The earlier row wins a tie.
    fn found(&self, rows: &RecordBatch, table: &RecordBatch, threshold: f64) -> Result<Vec<Option<(usize, f64)>>, String> {
        let ours = self.texts(rows, &self.on.column.0)?;
        let theirs = self.texts(table, &self.on.in_table.0)?;
        let mut equal: HashMap<&str, usize> = HashMap::new();
        let mut grams: HashMap<[char; 3], Vec<usize>> = HashMap::new();
        for (place, text) in theirs.iter().enumerate() {
            let Some(text) = text else { continue };
            equal.entry(text).or_insert(place);
            let mut own = trigrams(text);
            own.sort_unstable();
            own.dedup();
            own.into_iter().for_each(|gram| grams.entry(gram).or_default().push(place));
        }
        let mut known: HashMap<&str, Option<(usize, f64)>> = HashMap::new();
        let mut shared: Vec<u32> = vec![0; theirs.len()];
        let mut found = Vec::with_capacity(ours.len());
        for text in &ours {
            let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else {
                found.push(None);
                continue;
            };
            if let Some(hit) = known.get(text) {
                found.push(*hit);
                continue;
            }
            let hit = match equal.get(text) {
                Some(place) => Some((*place, 1.0)),
                None => self.best(text, &theirs, &grams, &mut shared, threshold),
            };
            known.insert(text, hit);
            found.push(hit);
        }
        Ok(found)
    }

    fn best(
        &self,
        text: &str,
        theirs: &[Option<String>],
        grams: &HashMap<[char; 3], Vec<usize>>,
        shared: &mut [u32],
        threshold: f64,
    ) -> Option<(usize, f64)> {
        let mut candidates: Vec<usize> = Vec::new();
        let mut own = trigrams(text);
        own.sort_unstable();
        own.dedup();
        for place in own.iter().filter_map(|gram| grams.get(gram)).flatten() {
            if shared[*place] == 0 {
                candidates.push(*place);
            }
            shared[*place] += 1;
        }
        candidates.sort_unstable_by_key(|place| (std::cmp::Reverse(shared[*place]), *place));
        candidates.iter().for_each(|place| shared[*place] = 0);
        let measured =
            candidates.into_iter().take(CANDIDATES).filter_map(|place| Some((place, self.measure.of(text, theirs[place].as_deref()?))));
        let best = measured.reduce(|best, next| if next.1.total_cmp(&best.1).then(best.0.cmp(&next.0)).is_gt() { next } else { best });
        best.filter(|(_, score)| *score >= threshold)
    }
}

/// Every three characters in a row, the ends padded so that short texts have some too.
fn trigrams(text: &str) -> Vec<[char; 3]> {
    let padded: Vec<char> = [' ', ' '].into_iter().chain(text.chars()).chain([' ']).collect();
    padded.windows(3).map(|three| [three[0], three[1], three[2]]).collect()
}
