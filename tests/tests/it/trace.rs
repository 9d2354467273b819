//! Figures followed back: the rows that are found, alone, give the figure again.

use std::path::Path;

use serde_json::{Value, json};
use weir_tests::weir::{Folder, checkout};

fn traced(project: &Folder, args: &[&str]) -> Value {
    let args: Vec<&str> = ["trace"].iter().chain(args).chain(&["--json"]).copied().collect();
    let ran = project.weir(&args).unwrap();
    assert_eq!(ran.code, Some(0), "{args:?}: {}{}", ran.out, ran.err);
    ran.json().unwrap()
}

/// The step whose rows the load step `out` takes.
fn before_out(workflow: &Value) -> String {
    let edge = workflow["edges"].as_array().unwrap().iter().find(|edge| edge["to"] == "out").unwrap();
    edge["from"].as_str().unwrap().to_owned()
}

fn literal(text: &str, number: bool) -> String {
    if number { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// Traces some rows of a case and says which do not come out again.
fn failures(case: &Path) -> Vec<String> {
    let project = Folder::empty().unwrap();
    for file in std::fs::read_dir(case.with_file_name("data")).unwrap() {
        let file = file.unwrap();
        project.write(&format!("data/{}", file.file_name().to_string_lossy()), std::fs::read(file.path()).unwrap()).unwrap();
    }
    let text = std::fs::read_to_string(case.join("workflow.json")).unwrap();
    project.write("workflow.json", &text).unwrap();
    let port = before_out(&serde_json::from_str(&text).unwrap());
    let mut reader = csv::Reader::from_path(case.join("expected.csv")).unwrap();
    let names = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let preview = project.weir(&["preview", "workflow.json", &port, "--rows", "1"]).unwrap().out;
    let types: Vec<String> = preview.lines().nth(2).unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let is_date = |place: usize| types.get(place).is_some_and(|word| word == "date");
    let is_number = |place: usize| types.get(place).is_some_and(|word| word == "integer" || word.starts_with("decimal"));
    let mut failures = Vec::new();
    for row in [0, rows.len() / 2, rows.len().saturating_sub(1)] {
        let Some(record) = rows.get(row) else { continue };
        let parts: Vec<String> = (0..names.len())
            .filter(|place| !record[*place].is_empty() && types.get(*place).is_some_and(|word| word != "float"))
            .map(|place| {
                let value = if is_date(place) {
                    format!("DATEVALUE({})", literal(&record[place], false))
                } else {
                    literal(&record[place], is_number(place))
                };
                format!("[{}] = {value}", &names[place])
            })
            .collect();
        let condition = if parts.len() > 1 { format!("AND({})", parts.join(", ")) } else { parts.concat() };
        let ran = project.weir(&["trace", "workflow.json", &port, "--where", &condition, "--json"]).unwrap();
        let found = ran.json().unwrap_or_default();
        if ran.code != Some(0) || found["reproduced"] != true {
            failures.push(format!("{} {condition}: {}", case.file_name().unwrap().to_string_lossy(), ran.err));
        }
    }
    failures
}

#[test]
fn every_reference_figure_comes_out_again_from_its_sources_alone() {
    let folder = checkout().join("tests/reference");
    let mut cases: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("workflow.json").is_file())
        .collect();
    cases.sort();
    let failed: Vec<String> = std::thread::scope(|scope| {
        let halves = cases
            .chunks(cases.len().div_ceil(2))
            .map(|cases| scope.spawn(move || cases.iter().flat_map(|case| failures(case)).collect::<Vec<_>>()));
        halves.collect::<Vec<_>>().into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_commission_is_followed_back_to_its_deals_its_quota_and_its_rule() {
    let project = Folder::copy_of(&checkout().join("examples/commissions")).unwrap();
    let file = "workflows/commissions.json";
    assert_eq!(project.weir(&["save", file, "-m", "first plan"]).unwrap().code, Some(0));
    assert_eq!(project.weir(&["run", file]).unwrap().code, Some(0));
    let trace = traced(&project, &["ledger.commissions", "--where", "Vendeur = 'Anaïs Guérin' AND Mois = 3", "--column", "Commission"]);
    assert_eq!(trace["reproduced"], true);
    assert_eq!(trace["rule"]["saved"], json!([1, "tester", "first plan"]));
    let deals = trace["sources"].as_array().unwrap().iter().find(|source| source["node"] == "deals").unwrap();
    assert_eq!(deals["label"], "data/deals.csv line");
    // The lines that are named are the lines of the file.
    let text = project.read("data/deals.csv").unwrap();
    for (line, row) in deals["positions"].as_array().unwrap().iter().zip(deals["rows"].as_array().unwrap()) {
        let line = text.lines().nth(line.as_u64().unwrap() as usize - 1).unwrap();
        assert!(line.contains(row["N° affaire"].as_str().unwrap()) && line.contains("Anaïs Guérin"), "{line}");
    }
    // Why a deal is not there: it was never won.
    let ran = project.weir(&["trace", "ledger.commissions", "--missing", "[N° affaire] = \"00001\""]).unwrap();
    assert!(ran.out.contains("The step \"won\" lets it out by \"false\", which leads nowhere"), "{}{}", ran.out, ran.err);

    for (args, words) in [
        (vec!["trace", "ledger.nothing", "--where", "x = 1"], "no table \"nothing\""),
        (vec!["trace", "ledger.commissions", "--where", "[Vendor] = \"x\""], "Vendeur"),
        (vec!["trace", "ledger.commissions", "--where", "Vendeur = 'Nobody'"], "No row fits"),
        (vec!["trace", "ledger.commissions", "--where", "Mois = 3", "--column", "Bonus"], "no column \"Bonus\""),
    ] {
        let ran = project.weir(&args).unwrap();
        assert!(ran.code != Some(0) && ran.err.contains(words), "{words}: {}{}", ran.out, ran.err);
    }
    // What changed since cannot be followed back, and says so.
    project.write("data/deals.csv", text.replacen("EUR", "USD", 1)).unwrap();
    let ran = project.weir(&["trace", "ledger.commissions", "--where", "Mois = 3"]).unwrap();
    assert!(ran.code != Some(0) && ran.err.contains("data/deals.csv"), "{}", ran.err);
}
