//! The same version on the same inputs: the same digests with any number of threads and any batch size.

use serde_json::Value;
use weir_tests::weir::{Folder, checkout};

fn digests(project: &Folder, args: &[&str]) -> Value {
    let mut all = vec!["run", "workflows/commissions.json", "--json", "--again"];
    all.extend(args);
    let ran = project.weir(&all).unwrap();
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    ran.json().unwrap()["outputs"].clone()
}

#[test]
fn threads_and_batches_never_change_a_digest() {
    let project = Folder::copy_of(&checkout().join("examples/commissions")).unwrap();
    let one = digests(&project, &["--threads", "1"]);
    for args in [
        &["--threads", "2"][..],
        &["--threads", "7"],
        &["--threads", "1", "--batch-rows", "100"],
        &["--threads", "7", "--batch-rows", "1013"],
        &["--threads", "2", "--memory", "64MB"],
    ] {
        assert_eq!(digests(&project, args), one, "{args:?}");
    }
}

#[test]
fn a_sorted_table_keeps_its_order_in_a_union_with_other_columns() {
    let project = Folder::empty().unwrap();
    project.write("a.csv", "k,n\n1,5\n2,9\n3,7\n").unwrap();
    project.write("b.csv", "k,m\n8,1\n4,2\n").unwrap();
    let text = r#"{"weir":1,"name":"u","nodes":{
        "a":{"kind":"input.csv","params":{"path":"a.csv"}}, "b":{"kind":"input.csv","params":{"path":"b.csv"}},
        "sort":{"kind":"sort","params":{"by":[{"column":"n","descending":true}]}}, "all":{"kind":"union","params":{}},
        "out":{"kind":"load.csv","params":{"path":"out.csv"}}},
        "edges":[{"from":"a","to":"sort"},{"from":"sort","to":"all"},{"from":"b","to":"all"},{"from":"all","to":"out"}]}"#;
    project.write("w.json", text).unwrap();
    for threads in ["1", "2", "3"] {
        let ran = project.weir(&["run", "w.json", "--threads", threads]).unwrap();
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert_eq!(project.read("out.csv").unwrap(), "k,n,m\n2,9,\n3,7,\n1,5,\n8,,1\n4,,2\n");
    }
}
