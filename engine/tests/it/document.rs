//! The document: canonical text, edits and differences, the version, the schema.

use proptest::prelude::*;
use serde_json::{Value, json};
use weir_engine::graph::Graph;
use weir_engine::workflow::{Edge, Edit, Layout, Node, Workflow, parameters, schema};

const EXAMPLE: &str = include_str!("../../../examples/commissions/workflows/commissions.json");

fn node(kind: &str) -> Node {
    serde_json::from_value(json!({ "kind": kind })).unwrap()
}

fn edge(from: &str, to: &str) -> Edge {
    serde_json::from_value(json!({ "from": from, "to": to })).unwrap()
}

fn id() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![Just(json!(null)), any::<i32>().prop_map(|n| json!(n)), ".{0,4}".prop_map(|t| json!(t)), Just(json!([1, { "x": "y" }]))]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (id(), "[a-z.]{1,6}").prop_map(|(id, kind)| Edit::AddNode { id, node: node(&kind) }),
        id().prop_map(|id| Edit::RemoveNode { id }),
        (id(), id()).prop_map(|(id, to)| Edit::RenameNode { id, to }),
        (id(), "[a-c]", value()).prop_map(|(id, name, value)| Edit::SetParam { id, name, value }),
        (id(), ".{0,3}").prop_map(|(id, note)| Edit::SetNode { id, node: Node { note: Some(note), ..node("filter") } }),
        (id(), id(), 0..4_usize).prop_map(|(from, to, at)| Edit::Connect { edge: edge(&from, &to), at }),
        (0..4_usize).prop_map(|at| Edit::Disconnect { at }),
        (id(), prop::option::of((-9..9_i32, -9..9_i32)))
            .prop_map(|(id, place)| Edit::Move { places: vec![(id, place.map(|(x, y)| [f64::from(x), f64::from(y)]))] }),
        (".{0,4}", prop::option::of(".{0,4}")).prop_map(|(name, description)| Edit::Describe { name, description }),
        ("[x-z]", value()).prop_map(|(name, value)| Edit::SetOther { name, value }),
        prop::collection::vec(value(), 0..2).prop_map(|groups| Edit::SetLayout { layout: Layout { groups, ..Layout::default() } }),
        ("[p-q]", prop::option::of(any::<i32>())).prop_map(|(name, default)| Edit::SetParameter {
            name,
            parameter: default.map(|n| serde_json::from_value(json!({ "type": "integer", "default": n })).unwrap())
        }),
    ]
}

/// A document after those of the edits that can be applied.
fn document(edits: &[Edit]) -> Workflow {
    edits.iter().fold(Workflow::new("w"), |workflow, edit| workflow.apply(edit).unwrap_or(workflow))
}

proptest! {
    #[test]
    fn any_edits_leave_a_document_that_loads_to_itself(edits in prop::collection::vec(edit(), 0..20)) {
        let workflow = document(&edits);
        let text = workflow.to_canonical_json().unwrap();
        let loaded = Workflow::parse(&text, "w.json").unwrap();
        prop_assert_eq!(&loaded, &workflow);
        prop_assert_eq!(loaded.to_canonical_json().unwrap(), text);
        prop_assert_eq!(loaded.version(), workflow.version());
    }

    #[test]
    fn the_difference_makes_one_document_of_the_other(a in prop::collection::vec(edit(), 0..15), b in prop::collection::vec(edit(), 0..15)) {
        let (a, b) = (document(&a), document(&b));
        let difference = a.difference(&b);
        let made = difference.iter().try_fold(a, |workflow, edit| workflow.apply(edit)).unwrap();
        prop_assert_eq!(made.to_canonical_json().unwrap(), b.to_canonical_json().unwrap());
        let told: Vec<Edit> = serde_json::from_str(&serde_json::to_string(&difference).unwrap()).unwrap();
        prop_assert_eq!(told, difference);
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let _ = Workflow::parse(&text, "w.json");
    }
}

#[test]
fn moving_a_box_is_not_a_new_rule() {
    let workflow = Workflow::parse(EXAMPLE, "example").unwrap();
    let version = workflow.version();
    let mut drawn = workflow.clone();
    drawn.layout.nodes.insert("won".into(), [1.0, 2.0]);
    drawn.name = "Other".into();
    drawn.nodes.get_mut("won").unwrap().note = None;
    drawn.nodes.get_mut("won").unwrap().title = Some("Won deals".into());
    assert_eq!(drawn.version(), version);
    let changed = workflow.apply(&Edit::SetParam { id: "won".into(), name: "condition".into(), value: json!("TRUE") }).unwrap();
    assert_ne!(changed.version(), version);
    let wired = workflow.apply(&Edit::Disconnect { at: 0 }).unwrap();
    assert_ne!(wired.version(), version);
}

#[test]
fn a_new_id_makes_no_wire_twice() {
    let edits = [
        Edit::AddNode { id: "d".into(), node: node("a") },
        Edit::Connect { edge: edge("b", "b"), at: 0 },
        Edit::Connect { edge: edge("d", "b"), at: 1 },
        Edit::RenameNode { id: "d".into(), to: "b".into() },
    ];
    assert_eq!(document(&edits).edges, [edge("b", "b")]);
}

#[test]
fn unknown_fields_are_kept() {
    let text = r#"{ "weir": 1, "future": [1], "nodes": { "a": { "kind": "no.such.kind", "params": { "x": 1 }, "colour": "red" } } }"#;
    let saved = Workflow::parse(text, "w.json").unwrap().to_canonical_json().unwrap();
    for kept in ["\"future\"", "\"no.such.kind\"", "\"colour\": \"red\"", "\"x\": 1"] {
        assert!(saved.contains(kept), "{kept} is lost in {saved}");
    }
}

#[test]
fn a_saved_file_is_loaded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.json");
    let workflow = Workflow::parse(EXAMPLE, "example").unwrap();
    workflow.save(&path).unwrap();
    let first = std::fs::read_to_string(&path).unwrap();
    Workflow::load(&path).unwrap().save(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), first, "saving twice changed something");
}

#[test]
fn broken_documents_name_their_place() {
    let problem = |text: &str| Workflow::parse(text, "w.json").unwrap_err().remove(0);
    let twice = problem("{\n \"weir\": 1,\n \"nodes\": { \"a\": { \"kind\": \"filter\" },\n \"a\": { \"kind\": \"sort\" } } }");
    assert!(twice.message.contains("appears twice") && twice.line == Some(4), "{twice:?}");
    let newer = problem("{ \"weir\": 7, \"nodes\": [] }");
    assert!(newer.message.contains('7') && newer.help.is_some(), "{newer:?}");
    assert!(problem("{ \"weir\": 1, \"nodes\": { \"a b\": { \"kind\": \"x\" } } }").message.contains("a b"));
}

#[test]
fn parameters_are_typed_and_named() {
    let text = r#"{ "weir": 1, "nodes": {}, "parameters": {
        "period": { "type": "month", "default": "2026-09" }, "rate": { "type": "decimal" }, "kind": { "type": "text", "default": "a", "choices": ["a", "b"] } } }"#;
    let workflow = Workflow::parse(text, "w.json").unwrap();
    let set = |pairs: &[(&str, &str)]| {
        let pairs: Vec<(String, String)> = pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        parameters::resolve(&workflow, &pairs)
    };
    let (values, problems) = set(&[("rate", "0.15")]);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(values["rate"].to_string(), "0.15");
    for (pairs, word) in [
        (&[][..], "no value"),
        (&[("rate", "x")][..], "not a number"),
        (&[("rate", "1"), ("perid", "2026-01")][..], "perid"),
        (&[("rate", "1"), ("period", "2026-13")][..], "month"),
        (&[("rate", "1"), ("kind", "c")][..], "no choice"),
    ] {
        let (_, problems) = set(pairs);
        assert!(problems.iter().any(|p| p.message.contains(word) && p.help.is_some()), "{pairs:?}: {problems:?}");
    }
    let params = json!({ "path": "data/{{period}}.csv", "list": ["{{ rate }}", 5, "{{nope}}"] });
    let (filled, problems) = parameters::substitute(&workflow, "in", &Value::Null, params.as_object().unwrap(), &values);
    assert_eq!(filled["path"], "data/2026-09.csv");
    assert_eq!(filled["list"][0], "0.15");
    assert_eq!((problems[0].node.as_deref(), problems[0].field.as_deref()), (Some("in"), Some("list[2]")));
}

#[test]
fn a_parameter_alone_in_a_field_has_the_type_of_the_field() {
    let text = r#"{ "weir": 1, "parameters": { "n": { "type": "integer", "default": 2 }, "shown": { "type": "boolean", "default": true } },
        "nodes": { "rows": { "kind": "input.inline", "params": { "columns": [{ "name": "n", "type": "integer" }], "rows": [["1"], ["2"], ["3"]] } },
                   "some": { "kind": "sample", "params": { "how": "first", "size": "{{n}}" } },
                   "named": { "kind": "formula", "params": { "columns": [{ "name": "m", "formula": "\"{{n}}\"" }] } } },
        "edges": [{ "from": "rows", "to": "some" }, { "from": "some", "to": "named" }] }"#;
    let workflow = Workflow::parse(text, "w.json").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let project = weir_engine::project::Project::around(folder.path()).unwrap();
    let checked = weir_engine::check::check(&workflow, &project, &[]);
    assert!(checked.is_runnable(), "{:?}", checked.problems);
    assert_eq!(checked.steps["some"].params["size"], json!(2));
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let document: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn the_schema_accepts_what_runs_and_refuses_what_does_not() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let example: Value = serde_json::from_str(EXAMPLE).unwrap();
    let errors: Vec<String> = validator.iter_errors(&example).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut wrong = example.clone();
    wrong["nodes"]["won"]["params"]["condition"] = json!(5);
    assert!(!validator.is_valid(&wrong));
    let mut unknown = example;
    unknown["nodes"]["won"]["kind"] = json!("no.such.kind");
    assert!(validator.is_valid(&unknown), "an unknown kind is a problem of the check, not of the format");
}

#[test]
fn cycles_are_named_and_order_is_stable() {
    let mut workflow = Workflow::new("w");
    for id in ["c", "a", "b", "z"] {
        workflow.nodes.insert(id.into(), node("filter"));
    }
    workflow.edges = vec![edge("c", "a"), edge("z", "b")];
    assert_eq!(Graph::of(&workflow).order(), ["c", "z", "a", "b"]);
    workflow.edges.push(edge("a", "c"));
    let graph = Graph::of(&workflow);
    assert!(graph.problems()[0].message.contains("a, c"));
    assert_eq!(graph.order(), ["z", "b"]);
}

#[test]
fn examples_and_defaults_fit_the_schemas_of_their_kinds() {
    for kind in weir_nodes::registry() {
        let id = kind.identity.id;
        let validator = jsonschema::validator_for(&kind.schema).unwrap();
        for example in (kind.examples)().into_iter().filter(|example| example.refused.is_none()) {
            let errors: Vec<String> = validator.iter_errors(&example.params).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{id} · {}: {errors:?}", example.title);
        }
        for (name, property) in kind.schema["properties"].as_object().unwrap() {
            if let Some(default) = property.get("default") {
                let fits = jsonschema::validator_for(property).unwrap().is_valid(default);
                assert!(fits, "{id}: the default {default} of {name} does not fit its schema");
            }
        }
    }
}
