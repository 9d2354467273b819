//! Older formats become the current one, step by step, on the raw document.

use serde_json::Value;

use super::CURRENT;

/// Makes a document of one version of the format a document of the next.
pub(super) type Step = fn(&mut Value);

/// The steps, the first from version 1 to 2. None yet: version 1 is the first format.
const STEPS: &[Step] = &[];

/// Brings a document to the current format.
pub(super) fn migrate(document: &mut Value) {
    run(document, STEPS, CURRENT);
}

fn run(document: &mut Value, steps: &[Step], current: u32) {
    let version = document.get("weir").and_then(Value::as_u64).unwrap_or(u64::from(current));
    for step in steps.iter().skip((version.max(1) - 1) as usize) {
        step(document);
    }
    if version < u64::from(current)
        && version > 0
        && let Some(map) = document.as_object_mut()
    {
        map.insert("weir".into(), current.into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn steps_run_from_the_documents_version_on() {
        let steps: [Step; 2] = [|document| document["b"] = document["a"].take(), |document| document["c"] = json!([document["b"]])];
        let mut oldest = json!({ "weir": 1, "a": 5 });
        run(&mut oldest, &steps, 3);
        assert_eq!(oldest, json!({ "weir": 3, "a": null, "b": 5, "c": [5] }));
        let mut newer = json!({ "weir": 2, "b": 7 });
        run(&mut newer, &steps, 3);
        assert_eq!(newer, json!({ "weir": 3, "b": 7, "c": [7] }));
        let mut current = json!({ "weir": 3 });
        run(&mut current, &steps, 3);
        assert_eq!(current, json!({ "weir": 3 }));
    }
}
