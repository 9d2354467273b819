//! Bad input: one clear message with a way out, exit 2, nothing written.

use serde_json::{Value, json};
use weir_tests::weir::Folder;

/// Runs a workflow over some files; it must be refused with every one of these words and write nothing.
fn refused(files: &[(&str, &[u8])], workflow: &Value, words: &[&str]) {
    refused_text(files, &workflow.to_string(), words);
}

fn refused_text(files: &[(&str, &[u8])], workflow: &str, words: &[&str]) {
    let project = Folder::empty().unwrap();
    for (path, bytes) in files {
        project.write(path, bytes).unwrap();
    }
    project.write("w.json", workflow).unwrap();
    let ran = project.weir(&["run", "w.json"]).unwrap();
    assert_eq!(ran.code, Some(2), "{words:?}\n{}{}", ran.out, ran.err);
    for word in words {
        assert!(ran.err.contains(word), "\"{word}\" is not in\n{}", ran.err);
    }
    assert!(ran.err.contains('→'), "no way out in\n{}", ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    assert!(!project.has("out.csv"), "{words:?}: something was written");
    assert!(!project.has(".weir/ledger"), "{words:?}: something was written");
}

fn csv_flow(params: Value) -> Value {
    json!({
        "weir": 1, "name": "w",
        "nodes": { "read": { "kind": "input.csv", "params": params }, "load": { "kind": "load.csv", "params": { "path": "out.csv" } } },
        "edges": [{ "from": "read", "to": "load" }]
    })
}

fn with_step(kind: &str, params: Value) -> Value {
    json!({
        "weir": 1, "name": "w",
        "nodes": {
            "read": { "kind": "input.csv", "params": { "path": "a.csv" } },
            "step": { "kind": kind, "params": params },
            "load": { "kind": "load.csv", "params": { "path": "out.csv" } }
        },
        "edges": [{ "from": "read", "to": "step" }, { "from": "step", "to": "load" }]
    })
}

const A: (&str, &[u8]) = ("a.csv", b"id,amount\n1,10.50\n2,11.00\n");

#[test]
fn missing_files_and_folders() {
    refused(&[("sales.csv", b"a\n1\n")], &csv_flow(json!({ "path": "sale.csv" })), &["read", "path", "sale.csv", "sales.csv"]);
    refused(&[("data/x.csv", b"a\n1\n")], &csv_flow(json!({ "path": "data" })), &["folder"]);
    refused(&[("a.csv", b"")], &csv_flow(json!({ "path": "a.csv" })), &["a.csv", "empty"]);
}

#[test]
fn rows_that_do_not_fit() {
    refused(&[("a.csv", b"a,b\n1,2\n1,2,3\n")], &csv_flow(json!({ "path": "a.csv" })), &["a.csv:3", "3", "2"]);
    let mut late = String::from("n\n");
    (0..1500).for_each(|n| late.push_str(&format!("{n}\n")));
    late.push_str("twelve\n");
    let declared = csv_flow(json!({ "path": "a.csv", "columns": [{ "name": "n", "type": "integer" }] }));
    refused(&[("a.csv", late.as_bytes())], &declared, &["a.csv:1502", "\"n\"", "twelve"]);
}

#[test]
fn unreadable_encodings() {
    let utf16 = csv_flow(json!({ "path": "a.csv" }));
    refused(&[("a.csv", b"\xff\xfea\x00\n\x00\x00\xd8\x00\xd8x")], &utf16, &["a.csv", "UTF-16"]);
}

#[test]
fn corrupt_workbooks() {
    let flow = json!({
        "weir": 1, "name": "w",
        "nodes": { "read": { "kind": "input.excel", "params": { "path": "a.xlsx" } }, "load": { "kind": "load.csv", "params": { "path": "out.csv" } } },
        "edges": [{ "from": "read", "to": "load" }]
    });
    refused(&[("a.xlsx", b"PK\x03\x04 not a workbook at all")], &flow, &["a.xlsx"]);
}

#[test]
fn formulas_with_typos() {
    let flow = with_step("filter", json!({ "condition": "[amuont] > 10" }));
    refused(&[A], &flow, &["step", "condition", "amuont", "amount"]);
    let flow = with_step("filter", json!({ "condition": "RUOND([amount], 1) > 10" }));
    refused(&[A], &flow, &["RUOND", "ROUND"]);
    let flow = with_step("formula", json!({ "columns": [{ "name": "x", "formula": "[amount] * FLOAT([amount])" }] }));
    refused(&[A], &flow, &["float"]);
}

#[test]
fn mappings_with_two_equal_keys() {
    let flow =
        with_step("mapping", json!({ "from": ["id"], "to": [{ "name": "x", "type": "text" }], "file": "m.csv", "unmapped": "keep" }));
    refused(&[A, ("m.csv", b"id,x\n1,a\n1,b\n")], &flow, &["m.csv", "2", "3"]);
}

#[test]
fn drawings_that_cannot_be() {
    let mut cycle = with_step("filter", json!({ "condition": "TRUE" }));
    cycle["nodes"]["other"] = json!({ "kind": "filter", "params": { "condition": "TRUE" } });
    cycle["edges"] = json!([{ "from": "step", "to": "other" }, { "from": "other", "to": "step" }, { "from": "step", "to": "load" }]);
    refused(&[A], &cycle, &["step", "other"]);
    refused(&[A], &with_step("fliter", json!({})), &["fliter", "filter", "step"]);
    let mut newer = with_step("filter", json!({ "condition": "TRUE" }));
    newer["weir"] = json!(99);
    refused(&[A], &newer, &["99", "w.json"]);
    let mut port = with_step("filter", json!({ "condition": "TRUE" }));
    port["edges"][1]["from"] = json!("step.ture");
    refused(&[A], &port, &["ture", "true"]);
    refused_text(&[A], "{ \"weir\": 1,\n \"nodes\": [ }", &["w.json:2"]);
    refused(&[A], &csv_flow(json!({ "path": "b.csv", "sparator": ";" })), &["sparator", "separator"]);
}

#[test]
fn a_load_never_overwrites_what_it_reads() {
    let flow = json!({
        "weir": 1, "name": "w",
        "nodes": { "read": { "kind": "input.csv", "params": { "path": "a.csv" } }, "load": { "kind": "load.csv", "params": { "path": "./a.csv" } } },
        "edges": [{ "from": "read", "to": "load" }]
    });
    refused(&[A], &flow, &["overwrite", "read"]);
}

#[test]
fn what_only_the_data_shows_fails_with_its_row() {
    let project = Folder::empty().unwrap();
    project.write("a.csv", "id,amount\n1,10.50\n2,0.00\n").unwrap();
    let flow = with_step("formula", json!({ "columns": [{ "name": "rate", "formula": "1 / [amount]" }] }));
    project.write("w.json", flow.to_string()).unwrap();
    let ran = project.weir(&["run", "w.json"]).unwrap();
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
    for word in ["step", "rate", "line 3", "zero"] {
        assert!(ran.err.contains(word), "\"{word}\" is not in\n{}", ran.err);
    }
    assert!(!project.has("out.csv"));
}
