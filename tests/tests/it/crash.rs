//! Killed at any moment, outputs and ledger are entirely old or entirely new, and the next run works.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use weir_tests::weir::{Folder, checkout};

const KILLS: u32 = 200;
const WORKFLOW: &str = "workflows/publish.json";

/// Loads two files and a ledger table whose rows all carry the value of `stamp`.
const PUBLISH: &str = r#"{
  "weir": 1,
  "name": "Publish",
  "parameters": { "stamp": { "type": "text", "default": "0" } },
  "nodes": {
    "rows": { "kind": "input.csv", "params": { "path": "data/rows.csv" } },
    "stamped": { "kind": "formula", "params": { "columns": [ { "name": "stamp", "formula": "$stamp" } ] } },
    "first": { "kind": "load.csv", "params": { "path": "out/first.csv" } },
    "second": { "kind": "load.csv", "params": { "path": "out/second.csv" } },
    "ledger": { "kind": "load.ledger", "params": { "table": "stamps", "mode": "upsert", "keys": ["id"] } }
  },
  "edges": [
    { "from": "rows", "to": "stamped" },
    { "from": "stamped", "to": "first" },
    { "from": "stamped", "to": "second" },
    { "from": "stamped", "to": "ledger" }
  ]
}"#;

/// The one stamp a CSV text carries, and how many rows it has.
fn stamp(text: &str) -> (String, usize) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let place = reader.headers().unwrap().iter().position(|name| name == "stamp").unwrap();
    let stamps: Vec<String> = reader.records().map(|record| record.unwrap()[place].to_owned()).collect();
    assert!(stamps.iter().all(|one| *one == stamps[0]), "old and new rows are mixed");
    (stamps[0].clone(), stamps.len())
}

#[test]
fn a_run_killed_at_any_moment_leaves_all_old_or_all_new() {
    let project = Folder::empty().unwrap();
    let mut rows = String::from("id,amount\n");
    for id in 0..500 {
        rows.push_str(&format!("{id},{id}.25\n"));
    }
    project.write("weir.toml", "name = \"crash\"\n").unwrap();
    project.write("data/rows.csv", rows).unwrap();
    project.write(WORKFLOW, PUBLISH).unwrap();

    let start = Instant::now();
    let ran = project.weir(&["run", WORKFLOW, "--set", "stamp=0"]).unwrap();
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let whole = start.elapsed();

    let mut current = "0".to_owned();
    let mut advanced = 0;
    for kill in 1..=KILLS {
        let wanted = kill.to_string();
        let set = format!("stamp={wanted}");
        let mut child = project.command(&["run", WORKFLOW, "--set", &set]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Moments spread over the whole run, most of them where it publishes.
        let fraction = f64::from((kill * 37) % 100) / 100.0;
        let moment = whole.mul_f64(if kill % 3 == 0 { fraction } else { 0.5 + fraction * 0.6 });
        let deadline = Instant::now() + moment;
        while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();

        // Before anything else is done, no single file is torn.
        for file in ["out/first.csv", "out/second.csv"] {
            let (found, count) = stamp(&project.read(file).unwrap());
            assert_eq!(count, 500, "kill {kill}: {file} is torn");
            assert!(found == current || found == wanted, "kill {kill}: {file} has the stamp {found}");
        }
        // Any command of Weir sees all old or all new.
        let shown = project.weir(&["ledger", "show", "stamps", "--csv"]).unwrap();
        assert_eq!(shown.code, Some(0), "kill {kill}: {}", shown.err);
        let (ledger, count) = stamp(&shown.out);
        assert_eq!(count, 500, "kill {kill}: the ledger is torn");
        for file in ["out/first.csv", "out/second.csv"] {
            assert_eq!(stamp(&project.read(file).unwrap()).0, ledger, "kill {kill}: {file} and the ledger differ");
        }
        assert!(ledger == current || ledger == wanted, "kill {kill}: neither old nor new, but {ledger}");
        advanced += u32::from(ledger == wanted);
        current = ledger;
    }
    println!("{KILLS} kills over {whole:?}: {advanced} runs were complete, {} were not", KILLS - advanced);
    assert!(advanced > 0 && advanced < KILLS, "the kills should fall on both sides of the publication: {advanced}");

    let ran = project.weir(&["run", WORKFLOW, "--set", "stamp=last"]).unwrap();
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert_eq!(stamp(&project.read("out/second.csv").unwrap()).0, "last");
    assert_eq!(project.weir(&["audit", "verify"]).unwrap().code, Some(0), "the audit chain is broken");
    let left: Vec<_> =
        fs::read_dir(project.path().join(".weir/runs")).unwrap().map(|run| run.unwrap().path().join("publish.json")).collect();
    assert!(left.iter().all(|intent| !intent.exists()), "an intent was left behind");
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let project = Folder::copy_of(&checkout().join("examples/commissions")).unwrap();
    let children: Vec<_> = (0..3)
        .map(|_| {
            project.command(&["run", "workflows/commissions.json", "--again"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(project.weir(&["audit", "verify"]).unwrap().code, Some(0));
}
