//! Steps that a gesture stands for: the input that reads a dropped file, the step that does what a view showed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde_json::{Value, json};

use crate::ColumnType;
use crate::example::FolderHost;
use crate::kind::{FileFormat, Planning, Sink, Words};
use crate::problem::Problem;
use crate::source::{MemorySource, scan};

/// A kind's id and the parameters of a new step.
pub type Suggestion = (&'static str, Value);

/// The step that reads a file, by its name; `path` is the file as the workflow names it.
pub fn reading(path: &str) -> Suggestion {
    let name = path.to_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let kind = match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("xlsx" | "xlsm" | "xlsb" | "xls" | "ods") => "input.excel",
        Some("parquet") => "input.parquet",
        Some("json" | "jsonl" | "ndjson") => "input.json",
        Some("xml") => "input.xml",
        Some("arrow" | "feather") => "input.arrow",
        _ => "input.csv",
    };
    (kind, json!({ "path": path }))
}

/// A file and the part of it that is meant, as in `book.xlsx#Sales`. A file that is called so is meant whole.
pub fn part(path: &str) -> (&str, Option<&str>) {
    match path.rsplit_once('#') {
        Some((file, part)) if takes(reading(file).0, "sheet") && !Path::new(path).exists() => (file, Some(part)),
        _ => (path, None),
    }
}

/// The step that reads a part of a file; the columns called `texts` as text, so that codes keep their zeros.
pub fn reading_part(path: &str, part: Option<&str>, texts: &[&str]) -> Suggestion {
    let (kind, mut params) = reading(path);
    if let Some(part) = part {
        params["sheet"] = part.into();
    }
    if takes(kind, "columns") && !texts.is_empty() {
        params["columns"] = texts.iter().map(|name| json!({ "name": name, "type": ColumnType::Text })).collect();
    }
    (kind, params)
}

fn takes(kind: &str, parameter: &str) -> bool {
    crate::registry::find(kind).is_some_and(|kind| kind.parameters().any(|name| name == parameter))
}

/// How a file is written, by its name, as the load step of that format does.
pub fn format(path: &str, schema: &SchemaRef) -> Result<Arc<dyn FileFormat>, Problem> {
    let name = path.to_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let kind = match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("csv" | "txt" | "tsv") => "load.csv",
        Some("xlsx") => "load.excel",
        Some("parquet") => "load.parquet",
        Some("json" | "jsonl" | "ndjson") => "load.json",
        Some("arrow" | "feather") => "load.arrow",
        _ => {
            let problem = Problem::error(format!("\"{path}\" does not say which format it has."));
            return Err(problem.help("Give it an ending: .csv, .xlsx, .parquet, .json or .arrow."));
        }
    };
    let trouble = |what: String| Problem::error(format!("\"{path}\" cannot be written: {what}."));
    let empty = MemorySource::counted(RecordBatch::new_empty(Arc::clone(schema)));
    let table = scan("rows", Arc::new(empty), "row".to_owned()).map_err(|error| trouble(error.to_string()))?;
    let kind = crate::registry::find(kind).ok_or_else(|| trouble("its format is not known".into()))?;
    let (step, mut problems) = kind.step(&json!({ "path": path }));
    let (host, parameters) = (FolderHost(Path::new("").to_owned()), BTreeMap::new());
    let mut cx = Planning::new(&host, "load", &parameters, vec![("in".into(), vec![table])]);
    let planned = step.and_then(|step| step.plan(&mut cx));
    problems.extend(cx.finish().0);
    match planned.and_then(|planned| planned.sinks.into_iter().next()) {
        Some(Sink::File { format, .. }) => Ok(format),
        _ => Err(problems.into_iter().next().unwrap_or_else(|| trouble("its format is not known".into()))),
    }
}

/// The step by which the rows of a nested workflow leave.
pub fn exit(name: &str) -> Value {
    json!({ "kind": "port.out", "params": { "name": name } })
}

/// The step that chooses columns, each as `{"column": …, "as": …}`.
pub fn choosing(columns: Vec<Value>) -> Suggestion {
    ("select", json!({ "columns": columns }))
}

/// The step that reads an input under its contract.
pub fn contract(file: &str, input: &str) -> Suggestion {
    ("input.contract", json!({ "contract": file, "input": input }))
}

/// A step of a new workflow that adds up a column for each value of another.
pub fn total(by: &str, column: &str) -> Value {
    let measure = json!({ "as": column, "function": "sum", "column": column });
    json!({ "kind": "aggregate", "params": { "by": [by], "measures": [measure] }, "note": "The sum of every group" })
}

/// A step of a new workflow that lets rows through when a column adds up to what it does in other rows.
pub fn same_total(column: &str) -> Value {
    let value = format!("[{column}]");
    let params = json!({ "value": value, "reference_value": value, "tolerance": "0", "severity": "block" });
    json!({ "kind": "control.reconcile", "params": params, "note": "What comes out adds up to what came in" })
}

/// A step of a new workflow that writes a CSV file.
pub fn written(path: &str) -> Value {
    json!({ "kind": "load.csv", "params": { "path": path } })
}

/// The step that keeps the rows for which a condition is true.
pub fn filtering(condition: &str) -> Suggestion {
    ("filter", json!({ "condition": condition }))
}

/// The step that sorts by columns; `true` puts the largest first.
pub fn sorting(by: &[(String, bool)]) -> Suggestion {
    let keys: Vec<Value> = by
        .iter()
        .map(|(column, descending)| if *descending { json!({ "column": column, "descending": true }) } else { json!({ "column": column }) })
        .collect();
    ("sort", json!({ "by": keys }))
}

/// What people do about a column when they see it: what it is called, and the step.
pub fn about(column: &str, column_type: Option<ColumnType>) -> Vec<(Words, Suggestion)> {
    let mut steps = Vec::new();
    if column_type == Some(ColumnType::Text) {
        let words = Words { en: "Clean these texts", fr: "Nettoyer ces textes" };
        steps.push((words, ("cleanse", json!({ "columns": [column], "trim": true, "single_spaces": true, "empty": "to_null" }))));
        let words = Words { en: "Replace in these texts", fr: "Remplacer dans ces textes" };
        steps.push((words, ("replace", json!({ "columns": [column], "replacements": [{ "find": "", "with": "" }] }))));
        let words = Words { en: "Give spellings one", fr: "Unifier les graphies" };
        steps.push((words, ("standardise", json!({ "column": column, "as": format!("{column} standard") }))));
    }
    let words = Words { en: "Fill empty values from above", fr: "Remplir les vides par le haut" };
    steps.push((words, ("fill", json!({ "columns": [column], "how": "down" }))));
    let words = Words { en: "Keep one row for each value", fr: "Garder une ligne par valeur" };
    steps.push((words, ("unique", json!({ "by": [column] }))));
    let words = Words { en: "Count rows by value", fr: "Compter les lignes par valeur" };
    steps.push((words, ("aggregate", json!({ "by": [column], "measures": [{ "as": "rows", "function": "count_rows" }] }))));
    let words = Words { en: "Check that it is filled", fr: "Vérifier qu'elle est remplie" };
    steps.push((words, ("control.expect", json!({ "rules": [{ "rule": "not_empty", "columns": [column] }] }))));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn suggestions_are_steps_that_can_be_read() {
        for (kind, params) in about("a", Some(ColumnType::Text)).into_iter().map(|(_, suggestion)| suggestion).chain([
            reading("a.CSV.gz"),
            reading("b.xlsx"),
            reading("c.parquet"),
            filtering("TRUE"),
            sorting(&[("a".into(), true)]),
        ]) {
            let read = registry::find(kind).map(|kind| kind.step(&params));
            assert!(matches!(&read, Some((Some(_), problems)) if problems.is_empty()), "{kind}: {read:?}");
        }
        assert_eq!(reading("b.xlsx").0, "input.excel");
        assert_eq!(reading("c.csv.gz").0, "input.csv");
    }
}
