//! Workflows whose results another engine computed: `tests/reference/make.py` says how.

use std::path::Path;

use rust_decimal::Decimal;
use weir_tests::weir::{Folder, checkout};

/// A table's cells; numbers by their value, so that `1.50` is `1.5`.
fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let plain = |cell: &str| match cell.parse::<Decimal>() {
        Ok(number) => number.normalize().to_string(),
        Err(_) => cell.to_owned(),
    };
    reader.records().map(|record| record.unwrap().iter().map(plain).collect()).collect()
}

fn first_difference(found: &[Vec<String>], expected: &[Vec<String>]) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!("{} rows instead of {}", found.len(), expected.len()));
    }
    let differing = found.iter().zip(expected).position(|(found, expected)| found != expected)?;
    Some(format!("line {}:\n  {:?}\ninstead of\n  {:?}", differing + 1, found[differing], expected[differing]))
}

fn run(case: &Path, threads: &str) -> Result<(), String> {
    let project = Folder::empty().map_err(|error| error.to_string())?;
    for file in std::fs::read_dir(case.with_file_name("data")).unwrap() {
        let file = file.unwrap();
        project.write(&format!("data/{}", file.file_name().to_string_lossy()), std::fs::read(file.path()).unwrap()).unwrap();
    }
    project.write("workflow.json", std::fs::read(case.join("workflow.json")).unwrap()).unwrap();
    let ran = project.weir(&["run", "workflow.json", "--threads", threads]).map_err(|error| error.to_string())?;
    if ran.code != Some(0) {
        return Err(format!("{}{}", ran.out, ran.err));
    }
    let expected = std::fs::read_to_string(case.join("expected.csv")).unwrap();
    first_difference(&cells(&project.read("out.csv").unwrap()), &cells(&expected)).map_or(Ok(()), Err)
}

#[test]
fn every_case_gives_what_another_engine_gives() {
    let folder = checkout().join("tests/reference");
    let mut cases: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.join("workflow.json").is_file());
    cases.sort();
    assert!(cases.len() >= 25, "{} cases", cases.len());
    let failed: Vec<String> = std::thread::scope(|scope| {
        let halves = cases.chunks(cases.len().div_ceil(2)).map(|cases| {
            scope.spawn(move || {
                let tried = cases.iter().flat_map(|case| ["1", "3"].map(|threads| (case, threads, run(case, threads))));
                tried
                    .filter_map(|(case, threads, ran)| Some(format!("{} ({threads} threads): {}", case.display(), ran.err()?)))
                    .collect::<Vec<_>>()
            })
        });
        halves.collect::<Vec<_>>().into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
