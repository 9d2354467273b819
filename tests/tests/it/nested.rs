//! Workflows inside workflows: once, for each file, and what is refused.

use serde_json::{Value, json};
use weir_tests::weir::Folder;

fn step(kind: &str, params: Value) -> Value {
    json!({ "kind": kind, "params": params })
}

fn flow(parameters: &Value, nodes: &Value, edges: &[(&str, &str)]) -> String {
    let edges: Vec<Value> = edges.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect();
    json!({ "weir": 1, "name": "flow", "parameters": parameters, "nodes": nodes, "edges": edges }).to_string()
}

/// A project whose `clean.json` doubles amounts by a parameter, and refuses negative ones.
fn project() -> Folder {
    let project = Folder::empty().unwrap();
    let columns = json!([{ "name": "id", "type": "integer" }, { "name": "amount", "type": "decimal(2)" }]);
    let inner = flow(
        &json!({ "times": { "type": "integer", "default": 2 } }),
        &json!({
            "rows": step("port.in", json!({ "name": "rows", "columns": columns, "rows": [["1", "5.00"]] })),
            "check": step("control.expect", json!({ "rules": [{ "rule": "true", "formula": "[amount] >= 0" }] })),
            "times": step("formula", json!({ "columns": [{ "name": "amount", "formula": "[amount] * $times" }] })),
            "clean": step("port.out", json!({ "name": "clean" }))
        }),
        &[("rows", "check"), ("check", "times"), ("times", "clean")],
    );
    project.write("clean.json", inner).unwrap();
    project.write("a.csv", "id,amount\n1,10.00\n2,0.25\n").unwrap();
    project.write("bad.csv", "id,amount\n1,10.00\n2,-0.25\n").unwrap();
    project
}

fn outer(file: &str) -> String {
    flow(
        &json!({ "factor": { "type": "integer", "default": 3 } }),
        &json!({
            "read": step("input.csv", json!({ "path": file, "columns": [{ "name": "amount", "type": "decimal(2)" }] })),
            "clean": step("workflow", json!({ "path": "clean.json", "set": [{ "name": "times", "value": "{{factor}}" }], "inputs": ["rows"], "outputs": ["clean"] })),
            "write": step("load.csv", json!({ "path": "out.csv" }))
        }),
        &[("read", "clean"), ("clean", "write")],
    )
}

#[test]
fn a_workflow_is_a_step_with_parameters_and_ports() {
    let project = project();
    project.write("w.json", outer("a.csv")).unwrap();
    let ran = project.weir(&["run", "w.json"]).unwrap();
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert_eq!(project.read("out.csv").unwrap(), "id,amount\n1,30.00\n2,0.75\n");
    assert!(ran.out.contains("clean~check"), "the inner control stands in the report: {}", ran.out);
    let certificate = ran.out.lines().find_map(|line| line.strip_prefix("Certificate ")).unwrap();
    assert!(project.read(certificate).unwrap().contains("clean.json"), "the inner file is proven like any other source");
    let shown = project.weir(&["preview", "w.json", "clean", "--csv", "--set", "factor=1"]).unwrap();
    assert_eq!(shown.out.lines().nth(2), Some("2,0.25"), "{}{}", shown.out, shown.err);
    // Alone, the inner workflow shows its sample rows.
    let alone = project.weir(&["preview", "clean.json", "clean", "--csv"]).unwrap();
    assert_eq!(alone.out.lines().nth(1), Some("1,10.00"), "{}{}", alone.out, alone.err);
}

#[test]
fn an_inner_control_blocks_the_whole_run() {
    let project = project();
    project.write("w.json", outer("bad.csv")).unwrap();
    let ran = project.weir(&["run", "w.json"]).unwrap();
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(!project.has("out.csv"));
}

#[test]
fn a_workflow_runs_for_each_file_of_a_folder() {
    let project = project();
    let inner = flow(
        &json!({ "file": { "type": "file", "default": "a.csv" } }),
        &json!({ "read": step("input.csv", json!({ "path": "{{file}}" })), "rows": step("port.out", json!({ "name": "rows" })) }),
        &[("read", "rows")],
    );
    project.write("read.json", inner).unwrap();
    project.write("data/s1.csv", "a,b\n1,x\n").unwrap();
    project.write("data/s2.csv", "b,a\ny,2\n").unwrap();
    let values = json!({ "each": "file", "folder": "data", "pattern": "s*.csv" });
    let each =
        step("for_each", json!({ "path": "read.json", "parameter": "file", "values": values, "outputs": ["rows"], "source": "from" }));
    let nodes = json!({ "each": each, "write": step("load.csv", json!({ "path": "out.csv" })) });
    project.write("w.json", flow(&json!({}), &nodes, &[("each", "write")])).unwrap();
    let ran = project.weir(&["run", "w.json"]).unwrap();
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert_eq!(project.read("out.csv").unwrap(), "a,b,from\n1,x,data/s1.csv\n2,y,data/s2.csv\n");
}

#[test]
fn a_workflow_runs_for_each_row_of_a_file() {
    let project = project();
    let inner = flow(
        &json!({ "file": { "type": "file", "default": "a.csv" }, "rate": { "type": "integer", "default": "1" } }),
        &json!({
            "read": step("input.csv", json!({ "path": "{{file}}" })),
            "times": step("formula", json!({ "columns": [{ "name": "c", "formula": "[a] * $rate" }] })),
            "rows": step("port.out", json!({ "name": "rows" }))
        }),
        &[("read", "times"), ("times", "rows")],
    );
    project.write("read.json", inner).unwrap();
    project.write("data/s1.csv", "a,b\n1,x\n").unwrap();
    project.write("data/s2.csv", "a,b\n2,y\n").unwrap();
    project.write("sites.csv", "file,rate\ndata/s2.csv,10\ndata/s1.csv,100\n").unwrap();
    let values = json!({ "each": "row", "table": "sites.csv" });
    let each = step("for_each", json!({ "path": "read.json", "values": values, "outputs": ["rows"], "source": "from" }));
    let nodes = json!({ "each": each, "write": step("load.csv", json!({ "path": "out.csv" })) });
    project.write("w.json", flow(&json!({}), &nodes, &[("each", "write")])).unwrap();
    let ran = project.weir(&["run", "w.json"]).unwrap();
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert_eq!(project.read("out.csv").unwrap(), "a,b,c,from\n2,y,20,data/s2.csv\n1,x,100,data/s1.csv\n");
}

#[test]
fn what_cannot_be_nested_says_why() {
    let project = project();
    let tries = [
        (json!({ "path": "nowhere.json", "outputs": ["clean"] }), "nowhere.json"),
        (json!({ "path": "w.json" }), "nested in itself"),
        (json!({ "path": "clean.json", "outputs": ["dirty"] }), "has no output \"dirty\""),
        (json!({ "path": "clean.json", "set": [{ "name": "tims", "value": "1" }], "outputs": ["clean"] }), "no parameter \"tims\""),
        (json!({ "path": "../clean.json", "outputs": ["clean"] }), "outside the project"),
    ];
    for (params, words) in tries {
        let nodes = json!({ "inner": step("workflow", params), "write": step("load.csv", json!({ "path": "out.csv" })) });
        project.write("w.json", flow(&json!({}), &nodes, &[("inner", "write")])).unwrap();
        let ran = project.weir(&["run", "w.json"]).unwrap();
        assert!(ran.code == Some(2) && ran.err.contains(words), "{words}: {}{}", ran.out, ran.err);
    }
}
