//! Laws of single kinds, over random tables.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use weir_nodes::example::{Example, parse_table, plan, print_table, rows};
use weir_nodes::kind::Sink;
use weir_nodes::registry::find;
use weir_nodes::session;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

/// What leaves by a port of a step, as text.
fn give(kind: &str, params: Value, inputs: &[(&'static str, &str)], port: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut example = Example::new("law", params);
    for (name, table) in inputs {
        example = example.input(name, Box::leak((*table).to_owned().into_boxed_str()));
    }
    let planned = plan(find(kind).unwrap(), &example, folder.path()).unwrap();
    let (flow, outlet) =
        planned.flows.iter().find_map(|flow| flow.outlets.iter().find(|outlet| outlet.port == port).map(|outlet| (flow, outlet))).unwrap();
    let table = flow.outlet_table(outlet, &flow.table).unwrap();
    print_table(&RUNTIME.block_on(rows(&table, &session::context(2))).unwrap())
}

/// A table as text in the form in which results are printed.
fn printed(text: &str) -> String {
    print_table(&parse_table(text).unwrap())
}

fn optional(value: Option<i64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// A table of two columns, a key and a number, both of which may be empty.
fn pairs() -> impl Strategy<Value = Vec<(Option<i64>, i64)>> {
    prop::collection::vec((prop::option::weighted(0.9, 0..6_i64), -50..50_i64), 0..12)
}

fn table(names: &str, rows: &[(Option<i64>, i64)]) -> String {
    rows.iter().fold(names.to_owned(), |mut text, (key, number)| {
        write!(text, "\n{},{number}", optional(*key)).unwrap();
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_is_unpivoted_and_pivoted_is_the_same(cells in prop::collection::vec(prop::array::uniform3(prop::option::of(-99..99_i64)), 1..8)) {
        let mut text = "k:integer,a:integer,b:integer,c:integer".to_owned();
        for (key, [a, b, c]) in cells.iter().enumerate() {
            write!(text, "\n{key},{},{},{}", optional(*a), optional(*b), optional(*c)).unwrap();
        }
        let long = give("unpivot", json!({ "keep": ["k"] }), &[("in", &text)], "out");
        let wide = give("pivot", json!({ "by": ["k"], "column": "name", "values": ["a", "b", "c"], "figure": "value" }), &[("in", &long)], "out");
        prop_assert_eq!(wide, printed(&text));
    }

    #[test]
    fn a_union_with_nothing_changes_nothing(rows in pairs()) {
        let (text, nothing) = (table("k:integer,n:integer", &rows), "k:integer,n:integer");
        prop_assert_eq!(give("union", json!({}), &[("in", &text), ("in", nothing)], "out"), printed(&text));
        prop_assert_eq!(give("union", json!({}), &[("in", nothing), ("in", &text)], "out"), printed(&text));
    }

    #[test]
    fn a_join_is_what_nested_loops_give(left in pairs(), right in pairs(), how in prop::sample::select(vec!["inner", "left", "right", "full"])) {
        let (l, r) = (table("k:integer,a:integer", &left), table("k:integer,b:integer", &right));
        let mut expected = "k:integer,a:integer,b:integer".to_owned();
        let mut met = vec![false; right.len()];
        for (key, a) in &left {
            let mut alone = true;
            for (place, (_, b)) in right.iter().enumerate().filter(|(_, (other, _))| key.is_some() && other == key) {
                write!(expected, "\n{},{a},{b}", optional(*key)).unwrap();
                (met[place], alone) = (true, false);
            }
            if alone && matches!(how, "left" | "full") {
                write!(expected, "\n{},{a},", optional(*key)).unwrap();
            }
        }
        if matches!(how, "right" | "full") {
            for (key, b) in right.iter().zip(&met).filter(|(_, met)| !**met).map(|(row, _)| row) {
                write!(expected, "\n{},,{b}", optional(*key)).unwrap();
            }
        }
        let on = json!([{ "left": "k", "right": "k" }]);
        let found = give("join", json!({ "how": how, "on": on }), &[("left", &l), ("right", &r)], "out");
        prop_assert_eq!(found, printed(&expected));
    }

    #[test]
    fn parts_add_up_to_the_cent(amount in -1_000_000..1_000_000_i64, weights in prop::collection::vec(0..1000_i64, 1..12)) {
        prop_assume!(weights.iter().sum::<i64>() > 0);
        let sign = if amount < 0 { "-" } else { "" };
        let money = format!("{sign}{}.{:02}", amount.abs() / 100, amount.abs() % 100);
        let text = weights.iter().fold("t:decimal(2),w:integer".to_owned(), |text, weight| format!("{text}\n{money},{weight}"));
        let split = give("allocate", json!({ "amount": "t", "weight": "w", "as": "p" }), &[("in", &text)], "out");
        let cents: Vec<i64> = split.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().replace('.', "").parse().unwrap()).collect();
        prop_assert_eq!(cents.iter().sum::<i64>(), amount);
        let total = weights.iter().sum::<i64>();
        for (part, weight) in cents.iter().zip(&weights) {
            // No part is a cent or more away from its exact share.
            prop_assert!((i128::from(*part) * i128::from(total) - i128::from(amount) * i128::from(*weight)).abs() < i128::from(total));
        }
    }

    #[test]
    fn once_duplicates_are_gone_they_are_gone(rows in pairs()) {
        let text = table("k:integer,n:integer", &rows);
        let once = give("unique", json!({ "by": ["k"] }), &[("in", &text)], "out");
        prop_assert_eq!(give("unique", json!({ "by": ["k"] }), &[("in", &once)], "out"), once.clone());
        prop_assert_eq!(give("unique", json!({ "by": ["k"] }), &[("in", &once)], "duplicates").lines().count(), 1);
        let keys: std::collections::BTreeSet<_> = rows.iter().map(|(key, _)| key).collect();
        prop_assert_eq!(once.lines().count() - 1, keys.len());
    }

    #[test]
    fn groups_add_up_to_the_whole(rows in pairs()) {
        let text = table("k:integer,n:integer", &rows);
        let mut sums: BTreeMap<(bool, Option<i64>), i64> = BTreeMap::new();
        rows.iter().for_each(|(key, n)| *sums.entry((key.is_none(), *key)).or_default() += n);
        let expected = sums.iter().fold("k:integer,n:integer".to_owned(), |text, ((_, key), n)| format!("{text}\n{},{n}", optional(*key)));
        let measures = json!([{ "as": "n", "function": "sum", "column": "n" }]);
        prop_assert_eq!(give("aggregate", json!({ "by": ["k"], "measures": measures }), &[("in", &text)], "out"), printed(&expected));
    }

    #[test]
    fn a_csv_file_gives_back_what_was_written(
        rows in prop::collection::vec((
            prop::option::of("[a-zé \",;'\n#-]{0,8}"), prop::option::of(any::<i64>()), prop::option::of(-10_i64.pow(14)..10_i64.pow(14)),
            prop::option::of(-1.0e6..1.0e6_f64), prop::option::of(any::<bool>()), prop::option::of(-40_000..40_000_i64), prop::option::of(0..4_000_000_000_000_000_i64),
        ), 0..10),
        separator in prop::sample::select(vec![",", ";", "\t", "|"]),
    ) {
        let quoted = |text: &Option<String>| text.as_ref().map_or_else(String::new, |text| format!("\"{}\"", text.replace('"', "\"\"")));
        let day = |days: i64| (chrono::NaiveDate::default() + chrono::Duration::days(days)).to_string();
        let moment = |micros: i64| chrono::DateTime::from_timestamp_micros(micros).unwrap().format("%Y-%m-%d %H:%M:%S%.f").to_string();
        let cents = |n: i64| format!("{}{}.{:02}", if n < 0 { "-" } else { "" }, n.abs() / 100, n.abs() % 100);
        let mut text = "t,i:integer,d:decimal(2),f:float,b:boolean,day:date,at:datetime".to_owned();
        for (t, i, d, f, b, days, at) in &rows {
            write!(
                text, "\n{},{},{},{},{},{},{}", quoted(t), optional(*i), d.map_or_else(String::new, cents), f.map_or_else(String::new, |f| f.to_string()),
                b.map_or_else(String::new, |b| b.to_string()), days.map_or_else(String::new, day), at.map_or_else(String::new, moment)
            ).unwrap();
        }
        let batch = parse_table(&text).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let leaked: &'static str = Box::leak(text.clone().into_boxed_str());
        let load = Example::new("law", json!({ "path": "a.csv", "separator": separator })).input("in", leaked);
        let planned = plan(find("load.csv").unwrap(), &load, folder.path()).unwrap();
        let Some(Sink::File { format, .. }) = planned.sinks.first() else { panic!("a file is written") };
        let mut writing = format.open(std::fs::File::create(folder.path().join("a.csv")).unwrap(), batch.schema()).unwrap();
        writing.write(&batch).unwrap();
        writing.finish().unwrap();
        let columns: Vec<Value> = ["t:text", "i:integer", "d:decimal(2)", "f:float", "b:boolean", "day:date", "at:datetime"]
            .iter().map(|column| { let (name, kind) = column.split_once(':').unwrap(); json!({ "name": name, "type": kind }) }).collect();
        let read = Example::new("law", json!({ "path": "a.csv", "separator": separator, "columns": columns, "keep_blank_rows": true }));
        let planned = plan(find("input.csv").unwrap(), &read, folder.path()).unwrap();
        let flow = &planned.flows[0];
        let table = flow.outlet_table(&flow.outlets[0], &flow.table).unwrap();
        let found = print_table(&RUNTIME.block_on(rows_of(&table)).unwrap());
        prop_assert_eq!(found, print_table(&batch));
    }
}

async fn rows_of(table: &weir_nodes::Table) -> Result<arrow::array::RecordBatch, String> {
    rows(table, &session::context(1)).await
}
