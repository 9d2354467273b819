//! The law of tracing: the rows of the sources that are found, alone, give the figure again. On random small workflows.

use proptest::prelude::*;
use serde_json::{Value, json};
use weir_engine::plan::Limits;
use weir_engine::project::Project;
use weir_engine::trace::{Question, back, row_condition};
use weir_engine::workflow::Workflow;

/// A step in the middle, which keeps the columns `k`, `g` and `n`.
fn step() -> impl Strategy<Value = Value> {
    let node = |kind: &'static str, params: Value| json!({ "kind": kind, "params": params });
    prop_oneof![
        (0..40_i64).prop_map(move |at| node("filter", json!({ "condition": format!("[n] > {at}") }))),
        Just(node("formula", json!({ "columns": [{ "name": "n", "formula": "[n] * 2 + 1" }] }))),
        Just(node("sort", json!({ "by": [{ "column": "n", "descending": true }] }))),
        Just(node("unique", json!({ "by": ["k"] }))),
        Just(node(
            "aggregate",
            json!({ "by": ["g"], "measures": [{ "as": "k", "function": "min", "column": "k" }, { "as": "n", "function": "sum", "column": "n" }] })
        )),
        Just(node("running", json!({ "figures": [{ "as": "total", "column": "n" }], "per": ["g"], "by": [{ "column": "n" }] }))),
        Just(node("rank", json!({ "by": [{ "column": "n" }], "per": ["g"], "as": "place" }))),
        Just(node("share", json!({ "column": "n", "as": "part" }))),
        Just(node("join", json!({ "on": [{ "left": "k", "right": "k" }] }))),
        Just(node("join", json!({ "how": "semi", "on": [{ "left": "k", "right": "k" }] }))),
        Just(node("join", json!({ "how": "anti", "on": [{ "left": "k", "right": "k" }] }))),
        Just(node("join", json!({ "how": "left", "on": [{ "left": "k", "right": "k" }] }))),
        Just(node("join", json!({ "how": "full", "on": [{ "left": "k", "right": "k" }] }))),
        Just(node("lookup", json!({ "on": [{ "column": "k", "in": "k" }], "take": [{ "column": "m" }], "missing": "keep" }))),
        Just(node(
            "aggregate",
            json!({ "by": ["g", "k"], "totals": "subtotals", "measures": [{ "as": "n", "function": "sum", "column": "n" }] })
        )),
        Just(node(
            "aggregate",
            json!({ "by": ["k"], "measures": [
                { "as": "n", "function": "max", "column": "n" }, { "as": "g", "function": "concatenate_distinct", "column": "g" }
            ] })
        )),
        Just(node("sample", json!({ "how": "skip", "size": 1 }))),
        Just(node("row_number", json!({ "as": "number" }))),
        Just(node("sql", json!({ "query": "SELECT a.*, SUM(a.n) OVER (PARTITION BY b.k) AS around FROM t1 a JOIN t1 b ON a.k = b.k" }))),
        Just(node("union", json!({}))),
    ]
}

/// The other table's wire, for steps that take two.
fn second(kind: &str) -> Option<&'static str> {
    match kind {
        "join" => Some("right"),
        "lookup" => Some("table"),
        "union" => Some(""),
        _ => None,
    }
}

fn csv(rows: &[(u8, u8, i16)], names: &str) -> String {
    rows.iter()
        .fold(format!("{names}\n"), |text, (k, g, n)| format!("{text}{k},{},{n}\n", if *g == 0 { String::new() } else { format!("G{g}") }))
}

/// What comes of a question, asked on a thread as the product's are.
fn asked<T: Send>(question: impl Future<Output = T> + Send) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = || runtime.block_on(question);
    let thread = std::thread::Builder::new().stack_size(weir_engine::plan::STACK_BYTES);
    std::thread::scope(|scope| thread.spawn_scoped(scope, answer).unwrap().join().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_global_rejects: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_figure_is_made_of_makes_it(
        rows in prop::collection::vec((0..6_u8, 0..4_u8, -5..60_i16), 1..15),
        other in prop::collection::vec((0..6_u8, 0..4_u8, -5..60_i16), 1..6),
        steps in prop::collection::vec(step(), 1..5),
        forks in 0..5_usize,
        pick in any::<prop::sample::Index>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.csv"), csv(&rows, "k,g,n")).unwrap();
        std::fs::write(folder.path().join("b.csv"), csv(&other, "k,h,m")).unwrap();
        let columns = |names: [&str; 3]| json!([{ "name": names[0], "type": "integer" }, { "name": names[1], "type": "text" }, { "name": names[2], "type": "integer" }]);
        let mut nodes = json!({
            "a": { "kind": "input.csv", "params": { "path": "a.csv", "columns": columns(["k", "g", "n"]) } },
            "b": { "kind": "input.csv", "params": { "path": "b.csv", "columns": columns(["k", "h", "m"]) } }
        });
        let (mut edges, mut last) = (Vec::new(), "a".to_owned());
        for (i, step) in steps.iter().enumerate() {
            let id = format!("s{i}");
            nodes[&id] = step.clone();
            edges.push(json!({ "from": last, "to": id }));
            if let Some(port) = second(step["kind"].as_str().unwrap()) {
                edges.push(json!({ "from": "b", "to": if port.is_empty() { id.clone() } else { format!("{id}.{port}") } }));
            }
            last = id;
        }
        // Each fork takes all that came before twice: a plan in one piece would double with every one.
        for fork in 0..forks {
            let (small, large, both) = (format!("small{fork}"), format!("large{fork}"), format!("both{fork}"));
            nodes[&small] = json!({ "kind": "filter", "params": { "condition": format!("[n] < {}", 20 + fork) } });
            nodes[&large] = json!({ "kind": "formula", "params": { "columns": [{ "name": "n", "formula": "[n] - 3" }] } });
            nodes[&both] = json!({ "kind": "union", "params": {} });
            for (from, to) in [(&last, &small), (&last, &large), (&small, &both), (&large, &both)] {
                edges.push(json!({ "from": from, "to": to }));
            }
            last = both;
        }
        let text = json!({ "weir": 1, "name": "random", "nodes": nodes, "edges": edges }).to_string();
        let workflow = Workflow::parse(&text, "w").unwrap();
        let project = Project::around(folder.path()).unwrap();
        let checked = weir_engine::check::check(&workflow, &project, &[]);
        // Some chains have no sense, such as a column that is there already: those are passed over.
        prop_assume!(!checked.problems.iter().any(weir_engine::Problem::is_error));
        let page = asked(weir_engine::preview::preview(&checked, &last, 1000, &Limits::default())).unwrap();
        prop_assume!(page.rows.num_rows() > 0);
        let row = pick.index(page.rows.num_rows());
        let condition = row_condition(&page.rows, row);
        let question = Question { workflow: &workflow, file: "w.json".into(), port: last, condition: &condition, column: None, set: vec![], table: None, run: None };
        let trace = asked(back(&project, &question, &Limits::default()));
        let trace = trace.map_err(|problem| TestCaseError::fail(format!("{condition}: {problem}\n{text}")))?;
        prop_assert!(trace.target.num_rows() > 0, "{condition} of {text}");
        prop_assert!(trace.reproduced, "the sources of {condition} do not make it again: {text}");
        // As many rows of it as there were.
        let there = |batch: &arrow::array::RecordBatch| {
            (0..batch.num_rows()).filter(|at| (0..batch.num_columns()).all(|place| {
                let shown = |batch: &arrow::array::RecordBatch, row: usize| arrow::util::display::array_value_to_string(batch.column(place), row).unwrap();
                shown(batch, *at) == shown(&page.rows, row)
            })).count()
        };
        prop_assert_eq!(there(&trace.target), there(&page.rows), "{} of {}", condition, text);
    }
}

/// Rows that a column does not depend on are no source of it, also where groups lie between.
#[test]
fn a_column_leads_to_its_own_sources() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "k,g,n\n1,x,5\n2,x,6\n3,y,7\n").unwrap();
    let text = json!({ "weir": 1, "name": "columns", "nodes": {
        "a": { "kind": "input.csv", "params": { "path": "a.csv" } },
        "of_all": { "kind": "share", "params": { "column": "n", "as": "part" } },
        "so_far": { "kind": "running", "params": { "figures": [{ "as": "total", "column": "n" }], "per": ["g"], "by": [{ "column": "n" }] } }
    }, "edges": [{ "from": "a", "to": "of_all" }, { "from": "of_all", "to": "so_far" }] });
    let workflow = Workflow::parse(&text.to_string(), "w").unwrap();
    let project = Project::around(folder.path()).unwrap();
    let sources = |column: Option<&str>| {
        let question = Question {
            workflow: &workflow,
            file: "w.json".into(),
            port: "so_far".into(),
            condition: "[k] = 2",
            column,
            set: vec![],
            table: None,
            run: None,
        };
        let trace = asked(back(&project, &question, &Limits::default())).unwrap();
        assert!(trace.reproduced, "{column:?}");
        trace.sources[0].positions.clone()
    };
    assert_eq!(sources(Some("total")), [2, 3], "the lines of its group");
    assert_eq!(sources(Some("part")), [2, 3, 4], "all lines");
    assert_eq!(sources(None), [2, 3, 4]);
}
