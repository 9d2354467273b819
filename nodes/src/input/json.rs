//! `input.json`: arrays, lines, nested objects and lists.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::texts::{Cell, Rows as Table, TypedColumn};
use crate::param::FilePath;
use crate::prelude::*;
use crate::source::{MemorySource, scan};

/// Reads a JSON file: a list of objects, or an object on each line.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct JsonInput {
    /// The file.
    pub path: FilePath,
    /// Where the list of rows is, such as `result.items`. The whole file unless given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rows: String,
    /// A list inside each row whose items become rows of their own, such as `lines`; what stands beside it is repeated.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub explode: String,
    /// Types given by hand; the other columns' types are found out.
    #[serde(default)]
    pub columns: Vec<TypedColumn>,
}

impl NodeKind for JsonInput {
    fn identity() -> Identity {
        Identity {
            id: "input.json",
            version: 1,
            category: Category::Input,
            icon: "data_object",
            title: Words { en: "JSON file", fr: "Fichier JSON" },
            summary: Words {
                en: "Reads JSON: lists, lines, nested objects as columns, inner lists as rows.",
                fr: "Lit du JSON : listes, lignes, objets imbriqués en colonnes, listes internes en lignes.",
            },
            synonyms: &["json lines", "ndjson", "api response", "input data", "import", "json reader"],
            order: Words { en: "As in the file.", fr: "Celui du fichier." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let path = cx.source_file(&self.path.0, "path")?;
        let shown = self.path.0.clone();
        let text = match text(&path) {
            Ok(text) => text,
            Err(what) => {
                cx.problem(
                    Problem::error(what).on("path").in_file(&shown, None).help("Save it as UTF-8 text, in parts where it is too large."),
                );
                return None;
            }
        };
        let mut notes = Vec::new();
        let table = self.table(&text, &mut notes);
        notes.into_iter().for_each(|note| cx.problem(note));
        match table {
            Ok(batch) => {
                let node = cx.node().to_owned();
                let table = cx.planned(scan(&node, Arc::new(MemorySource::counted(batch)), format!("{shown} row")))?;
                Some(Planned::table(table))
            }
            Err(problems) => {
                problems.into_iter().for_each(|problem| cx.problem(problem));
                None
            }
        }
    }

    fn examples() -> Vec<Example> {
        let nested = r#"{"page":1,"items":[
            {"id":1,"to":{"city":"Lyon","zip":"69001"},"lines":[{"sku":"A","q":2},{"sku":"B","q":0.10}],"ok":true},
            {"id":2,"to":{"city":null},"lines":[],"day":"2026-09-30"}]}"#;
        vec![
            Example::new("Objects on lines; numbers are exact, texts stay texts.", json!({ "path": "a.jsonl" }))
                .file("a.jsonl", "{\"id\":1,\"amount\":0.10,\"code\":\"007\"}\n{\"id\":2,\"amount\":12345678901234567.89}\n")
                .output("out", "id:integer,amount:decimal(2),code\n1,0.10,007\n2,12345678901234567.89,"),
            Example::new("Nested objects become columns; other lists stay JSON.", json!({ "path": "a.json", "rows": "items" }))
                .file("a.json", nested)
                .output(
                    "out",
                    "id:integer,to.city,to.zip,lines,ok:boolean,day:date\n1,Lyon,69001,\"[{\"\"sku\"\":\"\"A\"\",\"\"q\"\":2},{\"\"sku\"\":\"\"B\"\",\"\"q\"\":0.10}]\",true,\n2,,,[],,2026-09-30",
                ),
            Example::new("The lines of each row become rows.", json!({ "path": "a.json", "rows": "items", "explode": "lines" }))
                .file("a.json", nested)
                .output(
                    "out",
                    "id:integer,to.city,to.zip,lines.sku,lines.q:decimal(2),ok:boolean,day:date\n1,Lyon,69001,A,2.00,true,\n1,Lyon,69001,B,0.10,true,\n2,,,,,,2026-09-30",
                ),
            Example::new("An empty list has no rows.", json!({ "path": "a.json" })).file("a.json", "[]"),
            Example::new("A mistake is named with its line.", json!({ "path": "a.json" })).file("a.json", "[{\"a\":1},\n{\"a\":}]").refused("a.json:2"),
        ]
    }
}

/// The most text a file may hold that is read at once, decompressed: 1 GiB.
pub(super) const LARGEST: u64 = 1 << 30;

/// The file's text, decompressed and without a byte order mark.
pub(crate) fn text(path: &std::path::Path) -> Result<String, String> {
    use std::io::Read;
    let said = |error: std::io::Error| format!("The file cannot be read: {error}.");
    let found = super::csv::reading::encoding(path).map_err(said)?;
    let mut text = String::new();
    let reader = super::csv::reading::text(path, found.encoding).map_err(said)?;
    let read = reader.take(LARGEST + 1).read_to_string(&mut text).map_err(said)?;
    if read as u64 > LARGEST {
        return Err("The file holds more than 1 GB of text, which is read at once.".into());
    }
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

impl JsonInput {
    /// The rows of a JSON text.
    pub(crate) fn table(&self, text: &str, notes: &mut Vec<Problem>) -> Result<arrow::array::RecordBatch, Vec<Problem>> {
        let file = &self.path.0;
        let broken = |error: serde_json::Error, before: usize| {
            let line = before + error.line().max(1);
            let what = format!("This is not JSON: {error}.");
            vec![Problem::error(what).on("path").in_file(file, Some(line as u64)).help("Correct the file, or export it again.")]
        };
        // A list, or values one after the other.
        let mut values: Vec<&RawValue> = Vec::new();
        for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
            values.push(value.map_err(|error| broken(error, 0))?);
        }
        let mut rows: Vec<&RawValue> = Vec::new();
        for value in values {
            let at = located(value, &self.rows).ok_or_else(|| {
                let what = format!("There is nothing at \"{}\".", self.rows);
                vec![Problem::error(what).on("rows").in_file(file, None).help("Give the way to the list, such as result.items.")]
            })?;
            match items(at) {
                Some(items) => rows.extend(items),
                None => rows.push(at),
            }
        }
        let mut table = Table::default();
        for row in rows {
            self.add(row, &mut table);
        }
        table.table(&self.columns, file, notes)
    }

    /// Adds a row, or one for each item of its list.
    fn add(&self, row: &RawValue, table: &mut Table) {
        let inner = if self.explode.is_empty() { None } else { located(row, &self.explode).and_then(items) };
        let items: Vec<Option<&RawValue>> = match inner {
            Some(items) if !items.is_empty() => items.into_iter().map(Some).collect(),
            _ => vec![None],
        };
        for item in items {
            table.start();
            self.flatten(row, "", item, table, 0);
        }
    }

    fn flatten(&self, value: &RawValue, name: &str, item: Option<&RawValue>, table: &mut Table, depth: usize) {
        if !self.explode.is_empty() && name == self.explode {
            if let Some(item) = item {
                inner(item, name, table, depth);
            }
            return;
        }
        match fields(value).filter(|_| depth < DEPTH) {
            Some(fields) => {
                for (key, inner) in fields {
                    let name = if name.is_empty() { key } else { format!("{name}.{key}") };
                    self.flatten(inner, &name, item, table, depth + 1);
                }
            }
            None => put(value, if name.is_empty() { "value" } else { name }, table),
        }
    }
}

/// Puts an item of the list that becomes rows into its row.
fn inner(value: &RawValue, name: &str, table: &mut Table, depth: usize) {
    match fields(value).filter(|_| depth < DEPTH) {
        Some(fields) => fields.into_iter().for_each(|(key, value)| inner(value, &format!("{name}.{key}"), table, depth + 1)),
        None => put(value, name, table),
    }
}

/// How deep objects may be nested; what lies deeper stays JSON.
const DEPTH: usize = 64;

fn put(value: &RawValue, name: &str, table: &mut Table) {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'n') => {
            table.column(name);
        }
        Some(b't' | b'f') => table.put(name, Cell::Boolean(text == "true")),
        Some(b'"') => table.put(name, Cell::Text(serde_json::from_str(text).unwrap_or_default())),
        Some(b'[' | b'{') => table.put(name, Cell::Text(text.to_owned())),
        _ => table.put(name, Cell::Number(text.to_owned())),
    }
}

/// The fields of an object, in their order.
fn fields(value: &RawValue) -> Option<Vec<(String, &RawValue)>> {
    struct Fields<'a>(Vec<(String, &'a RawValue)>);
    impl<'de> Deserialize<'de> for Fields<'de> {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Fields<'de>;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                    let mut fields = Vec::new();
                    while let Some(field) = map.next_entry::<String, &RawValue>()? {
                        fields.push(field);
                    }
                    Ok(Fields(fields))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }
    value.get().starts_with('{').then(|| serde_json::from_str::<Fields<'_>>(value.get()).ok()).flatten().map(|fields| fields.0)
}

/// The items of a list.
fn items(value: &RawValue) -> Option<Vec<&RawValue>> {
    value.get().starts_with('[').then(|| serde_json::from_str(value.get()).ok()).flatten()
}

/// What stands at a way such as `result.items`.
fn located<'a>(value: &'a RawValue, way: &str) -> Option<&'a RawValue> {
    way.split('.')
        .filter(|part| !part.is_empty())
        .try_fold(value, |at, part| fields(at)?.into_iter().find(|(name, _)| name == part).map(|(_, inner)| inner))
}
