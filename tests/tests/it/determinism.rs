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
