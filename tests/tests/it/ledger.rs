//! The Universal Ledger from the command line: looking back, named states, reversals, other readers.

use std::process::Command;

use serde_json::{Value, json};
use weir_tests::weir::{Folder, Ran};

fn project() -> Folder {
    let project = Folder::empty().unwrap();
    project.write("weir.toml", "name = \"ledger\"\n").unwrap();
    project
}

fn load(project: &Folder, rows: &str, params: Value, more: &[&str]) -> Ran {
    project.write("rows.csv", rows).unwrap();
    let workflow = json!({
        "weir": 1, "name": "load",
        "nodes": {
            "rows": { "kind": "input.csv", "params": { "path": "rows.csv", "columns": [{ "name": "month", "type": "text" }] } },
            "load": { "kind": "load.ledger", "params": params }
        },
        "edges": [{ "from": "rows", "to": "load" }]
    });
    project.write("w.json", workflow.to_string()).unwrap();
    let args: Vec<&str> = ["run", "w.json", "--json"].iter().chain(more).copied().collect();
    project.weir(&args).unwrap()
}

fn run_of(ran: &Ran) -> String {
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    ran.json().unwrap()["run"].as_str().unwrap().to_owned()
}

fn done(project: &Folder, args: &[&str]) -> String {
    let ran = project.weir(args).unwrap();
    assert_eq!(ran.code, Some(0), "{args:?}: {}{}", ran.out, ran.err);
    ran.out
}

/// The rows of a table without where they come from.
fn shown(project: &Folder, args: &[&str]) -> Vec<String> {
    let args: Vec<&str> = ["ledger"].iter().chain(args).chain(&["--csv"]).copied().collect();
    let out = done(project, &args);
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let names = reader.headers().unwrap().clone();
    let own = |record: &csv::StringRecord| {
        let cells = record.iter().zip(&names).filter(|(_, name)| !name.starts_with('_'));
        cells.map(|(cell, _)| cell.to_owned()).collect::<Vec<_>>().join(",")
    };
    let mut rows: Vec<String> = reader.records().map(|record| own(&record.unwrap())).collect();
    rows.sort();
    rows
}

fn sum(project: &Folder) -> f64 {
    shown(project, &["show", "sales"]).iter().map(|row| row.split(',').nth(2).unwrap().parse::<f64>().unwrap()).sum()
}

#[test]
fn a_table_is_looked_back_at_named_and_given_out() {
    let project = project();
    let append = json!({ "table": "sales" });
    load(&project, "id,month,amount\n1,2026-08,10.00\n2,2026-08,5.50\n", append.clone(), &[]);
    done(&project, &["ledger", "snapshot", "August close", "-m", "approved"]);
    // A dimension on the fly: what was loaded before has nothing there.
    load(&project, "id,month,amount,region\n3,2026-09,1.00,Nord\n", append.clone(), &[]);
    assert_eq!(shown(&project, &["show", "sales"]), ["1,2026-08,10.00,", "2,2026-08,5.50,", "3,2026-09,1.00,Nord"]);
    assert_eq!(shown(&project, &["as-of", "sales", "August close"]), ["1,2026-08,10.00", "2,2026-08,5.50"]);
    assert_eq!(shown(&project, &["show", "sales", "--as-of", "0"]), ["1,2026-08,10.00", "2,2026-08,5.50"]);
    let history: Value = serde_json::from_str(&done(&project, &["ledger", "history", "sales", "--json"])).unwrap();
    assert_eq!(
        (history[0]["mode"].as_str(), history[0]["rows_added"].as_u64(), history.as_array().unwrap().len()),
        (Some("append"), Some(1), 2)
    );
    let first = history[1]["time"].as_str().unwrap();
    assert_eq!(shown(&project, &["show", "sales", "--as-of", first]).len(), 2, "the table as it was at {first}");
    for (args, words) in [
        (vec!["ledger", "snapshot", "August close"], "never changes"),
        (vec!["ledger", "snapshot", "X", "--table", "nothing"], "no table \"nothing\""),
        (vec!["ledger", "show", "sales", "--as-of", "2001-01-01"], "was not there yet"),
        (vec!["ledger", "show", "sales", "--as-of", "9"], "no version 9"),
        (vec!["ledger", "show", "sales", "--as-of", "yesterday"], "no version, no snapshot and no day"),
        (vec!["ledger", "export", "sales", "out.pdf"], "which format"),
    ] {
        let ran = project.weir(&args).unwrap();
        assert!(ran.code != Some(0) && ran.err.contains(words), "{words}: {}{}", ran.out, ran.err);
    }
    done(&project, &["ledger", "export", "sales", "sales.csv", "--as-of", "August close"]);
    assert_eq!(project.read("sales.csv").unwrap(), "id,month,amount\n1,2026-08,10.00\n2,2026-08,5.50\n");
    done(&project, &["ledger", "export", "sales", "sales.xlsx"]);
    assert!(project.has("sales.xlsx"));
    // Old files go, those of the snapshot stay.
    load(&project, "id,month,amount\n9,2026-10,2.00\n", json!({ "table": "sales", "mode": "upsert", "keys": ["id"] }), &[]);
    done(&project, &["ledger", "vacuum", "--days", "1"]);
    assert_eq!(shown(&project, &["as-of", "sales", "August close"]).len(), 2);
    let log = done(&project, &["audit", "log"]);
    assert!(["snapshot", "export", "vacuum"].iter().all(|event| log.contains(event)), "{log}");
    assert!(done(&project, &["audit", "verify"]).contains("whole"));
}

#[test]
fn a_load_is_reversed_by_rows_and_never_by_deletion() {
    let project = project();
    let period = json!({ "table": "sales", "mode": "replace_period", "period": "month" });
    load(&project, "id,month,amount\n1,2026-08,10.00\n2,2026-09,4.00\n", period.clone(), &[]);
    let second = run_of(&load(&project, "id,month,amount\n3,2026-09,6.25\n4,2026-09,-1.00\n", period.clone(), &[]));
    assert!((sum(&project) - 15.25).abs() < 1e-9);
    let out = done(&project, &["ledger", "reverse", &second, "-m", "wrong file"]);
    assert!(out.contains("2 rows compensated, 1 rows restored"), "{out}");
    assert!((sum(&project) - 14.0).abs() < 1e-9, "the sum is that of before");
    assert_eq!(shown(&project, &["show", "sales"]).len(), 6, "nothing was deleted");
    let again = project.weir(&["ledger", "reverse", &second, "-m", "twice"]).unwrap();
    assert!(again.err.contains("reversed before"), "{}", again.err);

    // The same load comes once; after it was reversed, once more.
    let rows = "id,month,amount\n7,2026-11,3.00\n";
    let third = run_of(&load(&project, rows, period.clone(), &[]));
    let ran = load(&project, rows, period.clone(), &[]);
    assert!(ran.code == Some(2) && ran.out.contains("loaded exactly this"), "{}{}", ran.out, ran.err);
    done(&project, &["ledger", "reverse", &third, "-m", "wrong again"]);
    run_of(&load(&project, rows, period, &[]));

    let keyed =
        run_of(&load(&project, "id,month,amount\n1,2026-08,2.00\n", json!({ "table": "other", "mode": "upsert", "keys": ["id"] }), &[]));
    let ran = project.weir(&["ledger", "reverse", &keyed, "-m", "no"]).unwrap();
    assert!(ran.code == Some(2) && ran.err.contains("by key"), "{}", ran.err);
    assert!(project.weir(&["ledger", "reverse", "nowhere", "-m", "no"]).unwrap().err.contains("no run \"nowhere\""));
    assert!(done(&project, &["audit", "verify"]).contains("whole"));
}

#[test]
fn loads_at_once_both_land() {
    let project = project();
    for (i, id) in ["a", "b", "c"].iter().enumerate() {
        project.write(&format!("{id}.csv"), format!("id,month,amount\n{i},2026-08,1.00\n")).unwrap();
        let workflow = json!({
            "weir": 1, "name": id,
            "nodes": { "rows": { "kind": "input.csv", "params": { "path": format!("{id}.csv") } }, "load": { "kind": "load.ledger", "params": { "table": "sales" } } },
            "edges": [{ "from": "rows", "to": "load" }]
        });
        project.write(&format!("{id}.json"), workflow.to_string()).unwrap();
    }
    let children: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|id| project.command(&["run", &format!("{id}.json"), "--json"]).stdout(std::process::Stdio::null()).spawn().unwrap())
        .collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert_eq!(shown(&project, &["show", "sales"]).len(), 3);
}

/// A Python that has a module, if there is one.
fn python(module: &str) -> Option<String> {
    let named = std::env::var("WEIR_TEST_PYTHON").ok();
    let found = named
        .into_iter()
        .chain(["python3".to_owned()])
        .find(|python| Command::new(python).args(["-c", &format!("import {module}")]).output().is_ok_and(|output| output.status.success()));
    if found.is_none() {
        eprintln!("skipped: there is no Python with the module {module} (name one in WEIR_TEST_PYTHON)");
    }
    found
}

#[test]
fn another_reader_finds_the_same_rows_and_types() {
    let project = project();
    let rows = "id,month,amount,ok,day,at,ratio\n1,2026-08,1234567890.25,true,2026-08-01,2026-08-01 12:00:00,0.5\n2,2026-09,,,,,\n";
    load(&project, rows, json!({ "table": "sales" }), &[]);
    load(&project, "id,month,amount,new\n3,2026-09,1.00,x\n", json!({ "table": "sales", "mode": "upsert", "keys": ["id"] }), &[]);
    let Some(python) = python("deltalake") else { return };
    let script = r#"
import sys, json
from deltalake import DeltaTable
table = DeltaTable(sys.argv[1])
rows = table.to_pyarrow_table().sort_by("id") if hasattr(table, "to_pyarrow_table") else None
print(json.dumps({"types": {f.name: str(f.type) for f in rows.schema}, "rows": [[None if v is None else str(v) for v in (r["id"], r["month"], r["amount"], r["ok"], r["day"], r["new"])] for r in rows.to_pylist()]}))
"#;
    let table = project.path().join(".weir/ledger/sales");
    let output = Command::new(python).args(["-c", script]).arg(table).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        found["rows"],
        json!([
            ["1", "2026-08", "1234567890.25", "True", "2026-08-01", null],
            ["2", "2026-09", null, null, null, null],
            ["3", "2026-09", "1.00", null, null, "x"]
        ])
    );
    assert_eq!(
        (found["types"]["amount"].as_str(), found["types"]["day"].as_str()),
        (Some("decimal128(28, 2)"), Some("date32[day]")),
        "{}",
        found["types"]
    );
}
