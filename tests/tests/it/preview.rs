//! A preview reads what its rows need and no more.

use std::fmt::Write;

use serde_json::json;
use weir_tests::weir::Folder;

/// A long file whose last line cannot be read: whoever reads it to the end fails.
fn long_file() -> String {
    let mut text = String::from("id,plan,amount\n");
    for i in 0..400_000 {
        writeln!(text, "{i},P{},{}.50", i % 7, i % 1000).unwrap();
    }
    text.push_str("the end,P1,nothing\n");
    text
}

/// Joins and lookups keep the small table in memory and let the large one stream past, whatever their sizes look like.
/// With the sides the other way round, the first rows would cost the whole file.
#[test]
fn first_rows_of_a_join_do_not_read_the_large_side_to_its_end() {
    let project = Folder::empty().unwrap();
    project.write("deals.csv", long_file()).unwrap();
    project.write("plans.csv", "plan,rate\nP0,1\nP1,2\nP2,3\nP3,4\nP4,5\nP5,6\nP6,7\n").unwrap();
    let typed = json!([{ "name": "id", "type": "integer" }, { "name": "amount", "type": "decimal(2)" }]);
    let workflow = json!({
        "weir": 1, "name": "w",
        "nodes": {
            "deals": { "kind": "input.csv", "params": { "path": "deals.csv", "columns": typed } },
            "plans": { "kind": "input.csv", "params": { "path": "plans.csv" } },
            "found": { "kind": "lookup", "params": { "on": [{ "column": "plan", "in": "plan" }], "take": [{ "column": "rate" }] } },
            "joined": { "kind": "join", "params": { "on": [{ "left": "plan", "right": "plan" }] } },
            "load": { "kind": "load.csv", "params": { "path": "out.csv" } }
        },
        "edges": [
            { "from": "deals", "to": "found" }, { "from": "plans", "to": "found.table" },
            { "from": "deals", "to": "joined.left" }, { "from": "plans", "to": "joined.right" },
            { "from": "joined", "to": "load" }
        ]
    });
    project.write("w.json", workflow.to_string()).unwrap();
    for step in ["deals", "found", "joined"] {
        let ran = project.weir(&["preview", "w.json", step, "--rows", "100", "--csv"]).unwrap();
        assert_eq!(ran.code, Some(0), "{step}: {}", ran.err);
        assert_eq!(ran.out.lines().count(), 101, "{step}: {}", ran.out);
    }
    // The trap is real: a run does read to the end, and fails there.
    let ran = project.weir(&["run", "w.json"]).unwrap();
    assert_ne!(ran.code, Some(0));
    assert!(ran.err.contains("400002") && !project.has("out.csv"), "{}", ran.err);
}

/// The layers below go down a plan one call for each operator: a long workflow must not run out of stack.
#[test]
fn hundreds_of_steps_in_a_row_run_and_are_shown() {
    let project = Folder::empty().unwrap();
    let mut nodes = json!({
        "s0": { "kind": "input.inline", "params": { "columns": [{ "name": "n", "type": "integer" }], "rows": [["1"], ["2"]] } },
        "load": { "kind": "load.csv", "params": { "path": "out.csv" } }
    });
    let mut edges = Vec::new();
    for i in 1..=300 {
        nodes[format!("s{i}")] = json!({ "kind": "formula", "params": { "columns": [{ "name": "n", "formula": "[n] + 1" }] } });
        edges.push(json!({ "from": format!("s{}", i - 1), "to": format!("s{i}") }));
    }
    edges.push(json!({ "from": "s300", "to": "load" }));
    project.write("w.json", json!({ "weir": 1, "name": "w", "nodes": nodes, "edges": edges }).to_string()).unwrap();
    let shown = project.weir(&["preview", "w.json", "s300", "--csv"]).unwrap();
    assert_eq!(shown.out, "n\n301\n302\n", "{}", shown.err);
    let ran = project.weir(&["run", "w.json"]).unwrap();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(project.read("out.csv").unwrap(), "n\n301\n302\n");
}
