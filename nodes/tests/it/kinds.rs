//! Every example of every kind runs, and the laws every kind obeys hold.

use std::collections::BTreeSet;

use serde_json::Value;
use weir_nodes::{example, registry};

#[tokio::test]
async fn every_example_gives_what_it_says_with_any_number_of_threads() {
    let mut failures = vec![];
    for kind in registry() {
        for example in (kind.examples)() {
            for threads in [1, 3] {
                let folder = tempfile::tempdir().unwrap();
                if let Err(error) = example::run(kind, &example, folder.path(), threads).await {
                    failures.push(format!("{} · {} ({threads} threads)\n{error}", kind.identity.id, example.title));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn ids_and_names_are_unique() {
    let mut seen = BTreeSet::new();
    for kind in registry() {
        let identity = &kind.identity;
        for name in [format!("id {}", identity.id), format!("en {}", identity.title.en), format!("fr {}", identity.title.fr)] {
            assert!(seen.insert(name.clone()), "two kinds share {name}");
        }
    }
}

#[test]
fn words_are_written_in_both_languages() {
    for kind in registry() {
        let identity = &kind.identity;
        for words in [identity.title, identity.summary, identity.order] {
            assert!(!words.en.is_empty() && !words.fr.is_empty(), "{}: a text is missing", identity.id);
        }
        for sentence in [identity.summary.en, identity.summary.fr, identity.order.en, identity.order.fr] {
            assert!(sentence.ends_with('.'), "{}: \"{sentence}\" ends without a period", identity.id);
        }
        assert!(!identity.synonyms.is_empty(), "{}: nobody will find it without synonyms", identity.id);
        let (mistakes, works): (Vec<_>, Vec<_>) = (kind.examples)().into_iter().partition(|example| example.refused.is_some());
        assert!(works.len() >= 3, "{}: {} examples do not show enough, an edge among them", identity.id, works.len());
        assert!(!mistakes.is_empty(), "{}: no example of a mistake and of what is said of it", identity.id);
        for example in (kind.examples)() {
            assert!(example.title.ends_with('.'), "{}: \"{}\" ends without a period", identity.id, example.title);
        }
    }
}

/// Every property of a schema, at any depth, has a description or is described by what it holds.
fn undocumented(schema: &Value, path: &str, found: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            if property.get("description").and_then(Value::as_str).is_none_or(str::is_empty) && property.get("const").is_none() {
                found.push(format!("{path}.{name}"));
            }
            undocumented(property, &format!("{path}.{name}"), found);
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(key) {
            undocumented(inner, path, found);
        }
    }
    for key in ["oneOf", "anyOf"] {
        for inner in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
            undocumented(inner, path, found);
        }
    }
}

#[test]
fn every_parameter_is_documented() {
    let mut found = vec![];
    for kind in registry() {
        undocumented(&kind.schema, kind.identity.id, &mut found);
    }
    assert!(found.is_empty(), "without a doc comment: {}", found.join(", "));
}

#[test]
fn ports_have_unique_names_and_match_the_outlets() {
    for kind in registry() {
        for example in (kind.examples)().into_iter().filter(|example| example.refused.is_none() && !example.elsewhere) {
            let folder = tempfile::tempdir().unwrap();
            for (path, bytes) in &example.files {
                std::fs::write(folder.path().join(path), bytes).unwrap();
            }
            let (step, problems) = kind.step(&example.params);
            assert!(problems.is_empty(), "{} · {}: {problems:?}", kind.identity.id, example.title);
            let ports = step.unwrap().ports();
            let names: Vec<_> = ports.outputs.iter().map(|port| port.name).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{}: two ports share a name", kind.identity.id);
            let planned = example::plan(kind, &example, folder.path()).unwrap();
            let mut outlets: Vec<_> = planned.flows.iter().flat_map(|flow| flow.outlets.iter().map(|o| o.port)).collect();
            let mut expected = names.clone();
            outlets.sort_unstable();
            expected.sort_unstable();
            assert_eq!(outlets, expected, "{}: output ports and outlets differ", kind.identity.id);
        }
    }
}

#[test]
fn parameters_survive_a_round_trip() {
    for kind in registry() {
        for example in (kind.examples)() {
            let known: BTreeSet<_> = kind.parameters().collect();
            for name in example.params.as_object().into_iter().flat_map(|map| map.keys()) {
                assert!(known.contains(name.as_str()), "{}: example parameter {name} is not in the schema", kind.identity.id);
            }
        }
    }
}

#[test]
fn the_page_of_kinds_is_not_stale() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap_or_default();
    assert!(page == weir_nodes::document::as_markdown(), "write it again: cargo run -- nodes --markdown > nodes/README.md");
}
