//! Delta tables outside the ledger, written and read by workflows.

use serde_json::{Value, json};
use weir_tests::weir::{Folder, Ran};

fn run(project: &Folder, steps: &[(&str, Value)]) -> Ran {
    let nodes: serde_json::Map<String, Value> = steps.iter().map(|(id, step)| ((*id).to_owned(), step.clone())).collect();
    let edges: Vec<Value> = steps.windows(2).map(|pair| json!({ "from": pair[0].0, "to": pair[1].0 })).collect();
    project.write("w.json", json!({ "weir": 1, "name": "lake", "nodes": nodes, "edges": edges }).to_string()).unwrap();
    project.weir(&["run", "w.json"]).unwrap()
}

fn load(project: &Folder, rows: &str, params: &Value) -> Ran {
    project.write("a.csv", rows).unwrap();
    let mut all = json!({ "path": "lake/sales" });
    all.as_object_mut().unwrap().extend(params.as_object().unwrap().clone());
    run(
        project,
        &[
            ("read", json!({ "kind": "input.csv", "params": { "path": "a.csv" } })),
            ("load", json!({ "kind": "load.delta", "params": all })),
        ],
    )
}

fn rows(project: &Folder, params: Value) -> String {
    let ran = run(
        project,
        &[
            ("read", json!({ "kind": "input.delta", "params": params })),
            ("write", json!({ "kind": "load.csv", "params": { "path": "out.csv" } })),
        ],
    );
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    project.read("out.csv").unwrap()
}

#[test]
fn a_delta_table_is_loaded_in_every_mode_and_keeps_its_versions() {
    let project = Folder::empty().unwrap();
    let now = || rows(&project, json!({ "path": "lake/sales" }));
    let done = |ran: Ran| assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    done(load(&project, "id,month,amount\n1,2026-08,10.00\n2,2026-09,5.00\n", &json!({})));
    assert_eq!(now(), "id,month,amount\n1,2026-08,10.00\n2,2026-09,5.00\n");
    done(load(&project, "id,month,amount,note\n3,2026-09,7.50,new\n", &json!({ "mode": "replace_period", "period": "month" })));
    assert_eq!(now(), "id,month,amount,note\n1,2026-08,10.00,\n3,2026-09,7.50,new\n");
    done(load(&project, "id,month,amount\n1,2026-08,11.00\n4,2026-10,1.00\n", &json!({ "mode": "upsert", "keys": ["id"] })));
    assert_eq!(now(), "id,month,amount,note\n1,2026-08,11.00,\n3,2026-09,7.50,new\n4,2026-10,1.00,\n");
    done(load(&project, "id,month,amount\n9,2026-12,0.01\n", &json!({ "mode": "replace" })));
    assert_eq!(now(), "id,month,amount,note\n9,2026-12,0.01,\n");
    assert_eq!(rows(&project, json!({ "path": "lake/sales", "version": 0 })), "id,month,amount\n1,2026-08,10.00\n2,2026-09,5.00\n");

    // What does not fit is refused, and the table is as it was; a folder outside the project is not allowed.
    let ran = load(&project, "id,month,amount\nx,2026-12,0.01\n", &json!({}));
    assert!(ran.code != Some(0) && ran.err.contains("\"id\""), "{}", ran.err);
    assert_eq!(now(), "id,month,amount,note\n9,2026-12,0.01,\n");
    let ran = load(&project, "id\n1\n", &json!({ "path": "../lake" }));
    assert!(ran.code == Some(2) && ran.err.contains("outside the project"), "{}", ran.err);
}
