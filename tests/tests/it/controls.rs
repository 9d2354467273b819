//! Controls whose verdict the engine gives: volume against the last run, budgets, multiplied rows.

use serde_json::{Value, json};
use weir_tests::weir::{Folder, Ran};

fn run(project: &Folder, nodes: &Value, edges: &[(&str, &str)]) -> Ran {
    let edges: Vec<Value> = edges.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect();
    project.write("w.json", json!({ "weir": 1, "name": "controls", "nodes": nodes, "edges": edges }).to_string()).unwrap();
    project.weir(&["run", "w.json"]).unwrap()
}

fn guarded(kind: &str, params: Value) -> Value {
    json!({
        "read": { "kind": "input.csv", "params": { "path": "a.csv" } },
        "guard": { "kind": kind, "params": params },
        "write": { "kind": "load.csv", "params": { "path": "out.csv" } }
    })
}

const CHAIN: [(&str, &str); 2] = [("read", "guard"), ("guard", "write")];

#[test]
fn volume_is_compared_with_the_last_published_run() {
    let project = Folder::empty().unwrap();
    let nodes = guarded("control.volume", json!({ "percent": "20" }));
    let of = |rows: usize| (0..rows).fold("a,b\n".to_owned(), |text, row| format!("{text}{row},x\n"));
    // The first time there is nothing to compare with.
    for (rows, code) in [(10, 0), (11, 0), (5, 1), (12, 0), (20, 1)] {
        project.write("a.csv", of(rows)).unwrap();
        let ran = run(&project, &nodes, &CHAIN);
        assert_eq!(ran.code, Some(code), "{rows} rows: {}{}", ran.out, ran.err);
    }
    // What was blocked is not what the next run is compared with, nor was it loaded.
    assert_eq!(project.read("out.csv").unwrap().lines().count(), 13);
}

#[test]
fn a_total_above_its_budget_blocks() {
    let project = Folder::empty().unwrap();
    let nodes = guarded("control.budget", json!({ "value": "[n]", "limit": "10.00" }));
    for (text, code) in [("n,b\n9.99,x\n0.01,y\n", 0), ("n,b\n9.99,x\n0.02,y\n", 1), ("n,b\n-5.00,x\n1.00,y\n", 0)] {
        project.write("a.csv", text).unwrap();
        let ran = run(&project, &nodes, &CHAIN);
        assert_eq!(ran.code, Some(code), "{text}: {}{}", ran.out, ran.err);
        assert_eq!(code == 1, ran.out.contains("0.01 above what is allowed"), "{}", ran.out);
    }
}

#[test]
fn a_join_that_multiplies_rows_warns_and_goes_on() {
    let project = Folder::empty().unwrap();
    let nodes = json!({
        "left": { "kind": "input.csv", "params": { "path": "l.csv" } }, "right": { "kind": "input.csv", "params": { "path": "r.csv" } },
        "join": { "kind": "join", "params": { "on": [{ "left": "k", "right": "k" }] } },
        "write": { "kind": "load.csv", "params": { "path": "out.csv" } }
    });
    let edges = [("left", "join.left"), ("right", "join.right"), ("join", "write")];
    project.write("l.csv", "k,a\n1,x\n1,y\n1,z\n").unwrap();
    project.write("r.csv", "k,b\n1,p\n1,q\n1,r\n").unwrap();
    let ran = run(&project, &nodes, &edges);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("! join: The join does not multiply rows") && ran.out.contains("rows out 9"), "{}", ran.out);
    project.write("r.csv", "k,b\n1,p\n").unwrap();
    assert!(run(&project, &nodes, &edges).out.contains("✓ join"));
}
