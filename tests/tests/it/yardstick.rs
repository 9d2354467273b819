//! The yardsticks, drawn as workflows, give the digests that reference engines agree on.

use serde_json::{Value, json};
use weir_tests::weir::Folder;
use weir_tests::yardstick::{EXPECTED, digest_of_parquet, generate};

fn edge(from: &str, to: &str) -> Value {
    json!({ "from": from, "to": to })
}

fn flow(nodes: Value, edges: &[(&str, &str)]) -> String {
    let edges: Vec<Value> = edges.iter().map(|(from, to)| edge(from, to)).collect();
    json!({ "weir": 1, "name": "yardstick", "nodes": nodes, "edges": edges }).to_string()
}

fn deals() -> Value {
    let types = [
        ("deal_id", "integer"),
        ("owner", "text"),
        ("product", "text"),
        ("region", "text"),
        ("stage", "text"),
        ("close_date", "date"),
        ("arr", "decimal(2)"),
        ("currency", "text"),
        ("account_id", "integer"),
    ];
    let columns: Vec<Value> = types.iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
    json!({ "kind": "input.csv", "params": { "path": "deals.csv", "columns": columns } })
}

fn load() -> Value {
    json!({ "kind": "load.parquet", "params": { "path": "out.parquet" } })
}

/// Commissions: won deals, plans by product, the control of the total, quotas, ten per cent up to the quota and
/// fifteen above.
fn w1() -> String {
    flow(
        json!({
            "deals": deals(),
            "won": { "kind": "filter", "params": { "condition": "[stage] = \"Closed Won\"" } },
            "plan": { "kind": "mapping", "params": { "from": ["product"], "to": [{ "name": "plan" }], "file": "plans.csv", "unmapped": "port" } },
            "total": { "kind": "control.reconcile", "params": { "value": "[arr]" } },
            "month": { "kind": "formula", "params": { "columns": [{ "name": "month", "formula": "MONTH([close_date])" }] } },
            "sum": { "kind": "aggregate", "params": { "by": ["owner", "month"], "measures": [{ "as": "arr", "function": "sum", "column": "arr" }] } },
            "quotas": { "kind": "input.csv", "params": { "path": "quotas.csv" } },
            "quota": { "kind": "lookup", "params": {
                "on": [{ "column": "owner", "in": "owner" }, { "column": "month", "in": "month" }], "take": [{ "column": "quota" }], "missing": "block"
            } },
            "commission": { "kind": "tiers", "params": {
                "value": "[arr]", "bands": [{ "up_to": "[quota]", "rate": "10%" }, { "rate": "15%" }], "as": "commission"
            } },
            "load": load()
        }),
        &[
            ("deals", "won"),
            ("won", "plan"),
            ("plan", "total"),
            ("plan.unmapped", "total.plus"),
            ("won", "total.reference"),
            ("total", "month"),
            ("month", "sum"),
            ("sum", "quota"),
            ("quotas", "quota.table"),
            ("quota", "commission"),
            ("commission", "load"),
        ],
    )
}

/// Journal: the documents whose debit and credit differ.
fn w2() -> String {
    flow(
        json!({
            "gl": { "kind": "input.csv", "params": { "path": "gl.csv" } },
            "balance": { "kind": "control.balance", "params": { "debit": "debit", "credit": "credit", "by": ["doc_id"], "severity": "warn" } },
            "columns": { "kind": "select", "params": { "columns": [
                { "column": "doc_id" }, { "column": "debit" }, { "column": "credit" }, { "column": "difference" }
            ] } },
            "load": load()
        }),
        &[("gl", "balance"), ("balance.exceptions", "columns"), ("columns", "load")],
    )
}

/// Pivot: won amounts by owner and month.
fn w4() -> String {
    let measures: Vec<Value> = (1..=12)
        .map(|month| json!({ "as": month.to_string(), "function": "sum", "column": "arr", "where": format!("MONTH([close_date]) = {month}") }))
        .collect();
    flow(
        json!({
            "deals": { "kind": "input.parquet", "params": { "path": "deals.parquet" } },
            "won": { "kind": "filter", "params": { "condition": "[stage] = \"Closed Won\"" } },
            "pivot": { "kind": "aggregate", "params": { "by": ["owner"], "measures": measures } },
            "load": load()
        }),
        &[("deals", "won"), ("won", "pivot"), ("pivot", "load")],
    )
}

/// Union: twelve files with differing column orders and dates in two spellings; the latest row of each order.
fn w5() -> String {
    let mut nodes = json!({
        "all": { "kind": "union", "params": {} },
        "clean": { "kind": "formula", "params": { "columns": [
            { "name": "city", "formula": "UPPER(TRIM([city]))" },
            { "name": "month", "formula": "MONTH(DATEVALUE([sold_on], \"yyyy-mm-dd\", \"dd/mm/yyyy\"))" }
        ] } },
        "latest": { "kind": "unique", "params": { "by": ["order_id"], "prefer": [{ "column": "seq", "descending": true }] } },
        "sum": { "kind": "aggregate", "params": { "by": ["city", "month"], "measures": [
            { "as": "orders", "function": "count_rows" }, { "as": "amount", "function": "sum", "column": "amount" }
        ] } },
        "load": load()
    });
    let mut edges = vec![];
    let names: Vec<String> = (1..=12).map(|month| format!("m{month:02}")).collect();
    for (name, month) in names.iter().zip(1..) {
        nodes[name] = json!({ "kind": "input.csv", "params": {
            "path": format!("months/{month:02}.csv"), "columns": [{ "name": "sold_on", "type": "text" }]
        } });
        edges.push((name.as_str(), "all"));
    }
    edges.extend([("all", "clean"), ("clean", "latest"), ("latest", "sum"), ("sum", "load")]);
    flow(nodes, &edges)
}

/// Top ten: the largest accounts of each segment.
fn w6() -> String {
    flow(
        json!({
            "deals": { "kind": "input.parquet", "params": { "path": "deals.parquet" } },
            "won": { "kind": "filter", "params": { "condition": "[stage] = \"Closed Won\"" } },
            "accounts": { "kind": "input.parquet", "params": { "path": "accounts.parquet" } },
            "join": { "kind": "join", "params": { "how": "inner", "on": [{ "left": "account_id", "right": "account_id" }] } },
            "sum": { "kind": "aggregate", "params": { "by": ["segment", "account_id"], "measures": [
                { "as": "name", "function": "min", "column": "name" }, { "as": "arr", "function": "sum", "column": "arr" }
            ] } },
            "rank": { "kind": "row_number", "params": {
                "as": "rank", "per": ["segment"], "by": [{ "column": "arr", "descending": true }, { "column": "account_id" }]
            } },
            "top": { "kind": "filter", "params": { "condition": "[rank] <= 10" } },
            "columns": { "kind": "select", "params": { "columns": [
                { "column": "segment" }, { "column": "account_id" }, { "column": "name" }, { "column": "arr" }, { "column": "rank" }
            ] } },
            "load": load()
        }),
        &[
            ("deals", "won"),
            ("won", "join.left"),
            ("accounts", "join.right"),
            ("join", "sum"),
            ("sum", "rank"),
            ("rank", "top"),
            ("top", "columns"),
            ("columns", "load"),
        ],
    )
}

#[test]
fn the_yardsticks_give_the_digests_of_the_reference_engines() {
    let folder = Folder::empty().unwrap();
    generate(folder.path(), 1).unwrap();
    let workflows = [("W1", w1()), ("W2", w2()), ("W4", w4()), ("W5", w5()), ("W6", w6())];
    for ((name, workflow), (expected_name, expected)) in workflows.into_iter().zip(EXPECTED) {
        assert_eq!(name, expected_name);
        folder.write(&format!("{name}.json"), workflow).unwrap();
        for args in [&["--threads", "2"][..], &["--threads", "1"], &["--threads", "7", "--batch-rows", "999"]] {
            let file = format!("{name}.json");
            let mut all = vec!["run", file.as_str()];
            all.extend(args);
            let ran = folder.weir(&all).unwrap();
            assert_eq!(ran.code, Some(0), "{name}: {}{}", ran.out, ran.err);
            assert_eq!(digest_of_parquet(&folder.path().join("out.parquet")).unwrap(), expected, "{name} {args:?}");
        }
    }
}

#[test]
fn a_join_larger_than_its_memory_goes_to_disk_and_gives_the_same_rows() {
    let folder = Folder::empty().unwrap();
    generate(folder.path(), 1).unwrap();
    // Every deal with every deal of the same account: the build side is the whole file.
    let workflow = flow(
        json!({
            "deals": { "kind": "input.parquet", "params": { "path": "deals.parquet" } },
            "again": { "kind": "input.parquet", "params": { "path": "deals.parquet" } },
            "join": { "kind": "join", "params": { "how": "inner", "on": [{ "left": "deal_id", "right": "deal_id" }] } },
            "load": load()
        }),
        &[("deals", "join.left"), ("again", "join.right"), ("join", "load")],
    );
    folder.write("w.json", workflow).unwrap();
    let digest = |args: &[&str]| {
        let mut all = vec!["run", "w.json", "--json"];
        all.extend(args);
        let ran = folder.weir(&all).unwrap();
        assert_eq!(ran.code, Some(0), "{args:?}: {}{}", ran.out, ran.err);
        ran.json().unwrap()["outputs"][0]["digest"].clone()
    };
    let roomy = digest(&[]);
    assert_eq!(digest(&["--memory", "64MB", "--threads", "2"]), roomy);
    assert_eq!(digest(&["--memory", "40MB", "--threads", "1"]), roomy);
}
