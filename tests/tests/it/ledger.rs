//! The Universal Ledger from the command line: looking back, named states, reversals, other readers.

use std::process::Command;

use rust_decimal::Decimal;
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

fn sum(project: &Folder) -> Decimal {
    shown(project, &["show", "sales"]).iter().map(|row| row.split(',').nth(2).unwrap().parse::<Decimal>().unwrap()).sum()
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
    // A default for what was loaded before the column came; one of another type is refused.
    let read = |default: &str| {
        let read =
            json!({ "table": "sales", "defaults": [{ "column": "region", "value": "none" }, { "column": "amount", "value": default }] });
        let back = json!({
            "weir": 1, "name": "back",
            "nodes": { "rows": { "kind": "input.ledger", "params": read }, "out": { "kind": "load.csv", "params": { "path": "back.csv" } } },
            "edges": [{ "from": "rows", "to": "out" }]
        });
        project.write("back.json", back.to_string()).unwrap();
        project.weir(&["run", "back.json"]).unwrap()
    };
    assert_eq!(read("0").code, Some(0));
    assert_eq!(
        project.read("back.csv").unwrap(),
        "id,month,amount,region\n1,2026-08,10.00,none\n2,2026-08,5.50,none\n3,2026-09,1.00,Nord\n"
    );
    assert!(read("much").err.contains("\"much\" is no decimal(2)"));
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
    assert_eq!(sum(&project).to_string(), "15.25");
    let out = done(&project, &["ledger", "reverse", &second, "-m", "wrong file"]);
    assert!(out.contains("2 rows compensated, 1 rows restored"), "{out}");
    assert_eq!(sum(&project).to_string(), "14.00", "the sum is that of before");
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

/// Refused before anything is promised: the project goes on as if nobody had asked.
#[test]
fn a_history_is_not_changed_before_what_it_says() {
    let project = project();
    let from = |day: &str| json!({ "table": "rates", "mode": "history", "keys": ["month"], "from": day });
    run_of(&load(&project, "month,rate\nmay,1\n", from("2026-03-01"), &[]));
    let before = shown(&project, &["show", "rates"]);
    let refused = load(&project, "month,rate\nmay,2\n", from("2026-02-01"), &[]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.out.contains("already of 2026-03-01 for month may"), "{}{}", refused.out, refused.err);
    assert_eq!(shown(&project, &["show", "rates"]), before);
    run_of(&load(&project, "month,rate\nmay,2\n", from("2026-04-01"), &[]));
    assert_eq!(shown(&project, &["show", "rates"]), ["may,1,2026-03-01,2026-04-01", "may,2,2026-04-01,"]);
}

#[test]
fn a_table_of_a_newer_format_is_left_alone() {
    let project = project();
    load(&project, "id,month,amount\n1,2026-08,10.00\n", json!({ "table": "sales" }), &[]);
    let log = project.path().join(".weir/ledger/sales/_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&log).unwrap();
    let newer =
        text.replace("\"minReaderVersion\":1", "\"minReaderVersion\":99").replace("\"minWriterVersion\":2", "\"minWriterVersion\":99");
    assert_ne!(newer, text);
    std::fs::write(&log, &newer).unwrap();
    let shown = project.weir(&["ledger", "show", "sales"]).unwrap();
    assert!(shown.code != Some(0) && shown.err.contains("sales"), "{}{}", shown.out, shown.err);
    let ran = load(&project, "id,month,amount\n2,2026-08,1.00\n", json!({ "table": "sales" }), &[]);
    assert!(ran.code != Some(0), "{}", ran.out);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), newer, "nothing was written");
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
import sys, json, os
from deltalake import DeltaTable
table = DeltaTable(sys.argv[1])
rows = table.to_pyarrow_table().sort_by("id") if hasattr(table, "to_pyarrow_table") else None
print(json.dumps({"types": {f.name: str(f.type) for f in rows.schema}, "rows": [[None if v is None else str(v) for v in (r["id"], r["month"], r["amount"], r["ok"], r["day"], r["new"])] for r in rows.to_pylist()]}), flush=True)
# The threads of the reader do not always survive the interpreter's own end.
os._exit(0)
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

/// An S3 server of our own, gone when dropped.
struct Storage {
    child: std::process::Child,
    endpoint: String,
}

impl Drop for Storage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn storage() -> Option<Storage> {
    let python = python("moto.server")?;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let null = std::process::Stdio::null;
    let child = Command::new(python)
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(null())
        .stderr(null())
        .spawn()
        .unwrap();
    let server = Storage { child, endpoint: format!("http://127.0.0.1:{port}") };
    for _ in 0..300 {
        // A bucket is made by a request without a body.
        use std::io::{Read, Write};
        if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
            let ask = format!(
                "PUT /books HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nAuthorization: AWS test:test\r\nConnection: close\r\n\r\n"
            );
            let mut answer = String::new();
            if stream.write_all(ask.as_bytes()).is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
            {
                return Some(server);
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the S3 server did not start");
}

#[test]
fn the_ledger_lies_in_a_bucket_when_it_is_told_to() {
    let Some(server) = storage() else { return };
    let project = Folder::empty().unwrap();
    let config =
        format!("name = \"bucket\"\n[ledger]\nurl = \"s3://books/ledger\"\nendpoint = \"{}\"\nregion = \"us-east-1\"\n", server.endpoint);
    project.write("weir.toml", config).unwrap();
    let weir = |args: &[&str]| {
        let output = project.command(args).env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let load = |rows: &str, mode: Value| {
        project.write("rows.csv", rows).unwrap();
        let workflow = json!({
            "weir": 1, "name": "load",
            "nodes": { "rows": { "kind": "input.csv", "params": { "path": "rows.csv" } }, "load": { "kind": "load.ledger", "params": mode } },
            "edges": [{ "from": "rows", "to": "load" }]
        });
        project.write("w.json", workflow.to_string()).unwrap();
        let ran = weir(&["run", "w.json"]);
        assert_eq!(ran.0, Some(0), "{}{}", ran.1, ran.2);
    };
    load("id,amount\n1,10.00\n2,5.50\n", json!({ "table": "sales" }));
    load("id,amount\n2,6.00\n3,1.00\n", json!({ "table": "sales", "mode": "upsert", "keys": ["id"] }));
    let shown = weir(&["ledger", "show", "sales", "--csv"]);
    let mut rows: Vec<String> = shown.1.lines().skip(1).map(|line| line.split(',').take(2).collect::<Vec<_>>().join(",")).collect();
    rows.sort();
    assert_eq!(rows, ["1,10.00", "2,6.00", "3,1.00"], "{}{}", shown.1, shown.2);
    let first = weir(&["ledger", "as-of", "sales", "0", "--csv"]);
    assert_eq!(first.1.lines().count(), 3, "{}{}", first.1, first.2);
    assert!(weir(&["ledger", "tables"]).1.contains("sales") && weir(&["ledger", "history", "sales"]).1.contains("upsert"));
    // It is read by a workflow like any other, and nothing of it lies in the project.
    let back = json!({
        "weir": 1, "name": "back",
        "nodes": { "rows": { "kind": "input.ledger", "params": { "table": "sales" } }, "out": { "kind": "load.csv", "params": { "path": "out.csv" } } },
        "edges": [{ "from": "rows", "to": "out" }]
    });
    project.write("back.json", back.to_string()).unwrap();
    let ran = weir(&["run", "back.json"]);
    assert_eq!(ran.0, Some(0), "{}{}", ran.1, ran.2);
    assert_eq!(project.read("out.csv").unwrap().lines().count(), 4);
    assert!(!project.has(".weir/ledger/sales"));
    // Two loads at once: both land.
    for id in ["a", "b"] {
        project.write(&format!("{id}.csv"), format!("id,amount\n{},1.00\n", if id == "a" { 8 } else { 9 })).unwrap();
        let workflow = json!({
            "weir": 1, "name": id,
            "nodes": { "rows": { "kind": "input.csv", "params": { "path": format!("{id}.csv") } }, "load": { "kind": "load.ledger", "params": { "table": "sales" } } },
            "edges": [{ "from": "rows", "to": "load" }]
        });
        project.write(&format!("{id}.json"), workflow.to_string()).unwrap();
    }
    std::thread::scope(|scope| {
        for id in ["a.json", "b.json"] {
            scope.spawn(move || assert_eq!(weir(&["run", id]).0, Some(0)));
        }
    });
    assert_eq!(weir(&["ledger", "show", "sales", "--csv"]).1.lines().count(), 6);
    drop(server);
    let gone = weir(&["ledger", "show", "sales"]);
    assert!(gone.0 != Some(0) && (gone.2.contains("reached") || gone.2.contains("cannot be used")), "{}{}", gone.1, gone.2);
}
