//! Steps that a gesture stands for: the input that reads a dropped file, the step that does what a view showed.

use std::path::Path;

use serde_json::{Value, json};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn suggestions_are_steps_that_can_be_read() {
        for (kind, params) in
            [reading("a.CSV.gz"), reading("b.xlsx"), reading("c.parquet"), filtering("TRUE"), sorting(&[("a".into(), true)])]
        {
            let read = registry::find(kind).map(|kind| kind.step(&params));
            assert!(matches!(&read, Some((Some(_), problems)) if problems.is_empty()), "{kind}: {read:?}");
        }
        assert_eq!(reading("b.xlsx").0, "input.excel");
        assert_eq!(reading("c.csv.gz").0, "input.csv");
    }
}
