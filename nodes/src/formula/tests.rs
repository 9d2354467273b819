//! The language: every documented example, the laws of printing, and mistakes with their characters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::Array;
use arrow::datatypes::DataType;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::prelude::SessionContext;
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::cells::Cell;
use super::lexer::Entry;
use super::print::print;
use super::tree::{BINARIES, Kind, Node};
use super::{Scope, Site, canonical, compile, functions, localized, parser};

fn columns() -> Vec<(String, DataType)> {
    [
        ("Amount", DataType::Decimal128(28, 2)),
        ("Rate", DataType::Float64),
        ("Stage", DataType::Utf8View),
        ("Count", DataType::Int64),
        ("Closed on", DataType::Date32),
    ]
    .map(|(name, data_type)| (name.to_owned(), data_type))
    .to_vec()
}

fn check(text: &str) -> Result<DataType, Vec<super::Mistake>> {
    let (columns, parameters) = (columns(), BTreeMap::new());
    let site = Site { output: "result".into(), row: None };
    compile(text, &Scope { columns: &columns, parameters: &parameters, site: &site }).map(|typed| typed.data_type)
}

/// A formula of constants, computed by a session.
async fn result(text: &str) -> Result<String, String> {
    let (columns, parameters) = (columns(), BTreeMap::new());
    let site = Site { output: "result".into(), row: None };
    let typed = compile(text, &Scope { columns: &columns, parameters: &parameters, site: &site }).map_err(|m| format!("{m:?}"))?;
    let context = SessionContext::new_with_config(crate::session::config(1));
    crate::session::register(&context);
    let plan = LogicalPlanBuilder::empty(true).project([typed.expr.alias("result")]).unwrap().build().unwrap();
    let batches = context.execute_logical_plan(plan).await.map_err(|e| e.to_string())?.collect().await.map_err(|e| e.to_string())?;
    let array = batches[0].column(0);
    assert!(
        array.data_type() == &typed.data_type || typed.data_type == DataType::Null,
        "{text}: typed {:?}, computed {:?}",
        typed.data_type,
        array.data_type()
    );
    Ok(match Cell::of(array, 0).unwrap() {
        Cell::Boolean(value) => value.to_string(),
        other => other.text().into_owned(),
    })
}

#[tokio::test]
async fn every_documented_example_gives_what_it_says() {
    let mut failures = Vec::new();
    for function in functions() {
        for (formula, expected) in function.examples {
            match result(formula).await {
                Ok(found) if found == *expected => {}
                other => failures.push(format!("{formula}: {other:?} instead of {expected}")),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn numbers_are_exact() {
    for (formula, expected) in [
        ("0.1 + 0.2 = 0.3", "true"),
        ("ROUND(1 / 3 * 3, 6)", "1"),
        ("ROUND(1 / 3 * 3, 0) = 1", "true"),
        ("ROUND(2.675, 2)", "2.68"),
        ("ROUND(32.62 * 475, 0)", "15495"),
        ("ROUND(-2.5, 0)", "-3"),
        ("100 / 3 * 3 > 99.999999999", "true"),
        ("12%", "0.12"),
        ("ROUND(1.05 ^ 360, 6)", "42476396.40868"),
        ("(-1) ^ 100001", "-1"),
        ("0.5 ^ 3", "0.125"),
        ("41300 * 12%", "4956"),
        ("-2 ^ 2", "4"),
        ("2 + 3 * 4 ^ 2", "50"),
        ("10 - 4 - 3", "3"),
        ("1.10 = 1.1", "true"),
        ("IF(0 = 0, 0, 1 / 0)", "0"),
        ("9223372036854775807 & \"\"", "9223372036854775807"),
    ] {
        assert_eq!(result(formula).await.as_deref(), Ok(expected), "{formula}");
    }
    for (formula, words) in [
        ("9223372036854775807 + 1", "64 bits"),
        ("99999999999999999999999999999999999999 + 1", "38 digits"),
        ("1 / 0", "zero"),
        ("2 ^ -1", "whole exponent"),
        ("VALUE(\"1e2\")", "not a number"),
        ("DATEVALUE(\"30/02/2026\", \"dd/mm/yyyy\")", "not a date"),
    ] {
        let error = result(formula).await.unwrap_err();
        assert!(error.contains(words) && error.contains("\"result\""), "{formula}: {error}");
    }
}

#[test]
fn the_table_is_sound() {
    assert!(functions().len() >= 80, "{} functions", functions().len());
    let mut names = BTreeSet::new();
    for function in functions() {
        for name in [function.name].iter().chain(function.aliases) {
            assert!(names.insert(*name), "two functions are called {name}");
        }
        assert!(function.doc.ends_with('.'), "{}: the sentence ends without a period", function.name);
        assert!(function.signature.starts_with(function.name), "{}: signature", function.name);
        assert!(!function.examples.is_empty(), "{}: no example", function.name);
    }
    for function in functions() {
        let found = functions::find(function.french).unwrap();
        assert!(found.name == function.name || found.name == function.french, "{} is ambiguous in French", function.french);
    }
}

#[test]
fn mistakes_name_their_characters_and_the_way_out() {
    for (formula, part, message, help) in [
        ("[Amuont] > 10", "[Amuont]", "not in this table", "Amount"),
        ("RUOND([Amount], 1)", "RUOND", "no function", "ROUND"),
        ("[Amount] * [Rate]", "[Amount] * [Rate]", "float", "DECIMAL"),
        ("[Stage] > 10", "[Stage] > 10", "cannot be compared", "VALUE"),
        ("LEFT([Stage], \"a\")", "\"a\"", "whole number", "LEFT(text"),
        ("IF([Amount] > 1, \"a\", 2)", "2", "in one case", "TEXT"),
        ("ROUND([Amount], [Count])", "[Count]", "places", "ROUND(number"),
        ("([Amount] + 1", "(", "never closed", ")"),
        ("\"abc", "\"abc", "closing quote", "\""),
        ("[Amount", "[Amount", "closing bracket", "]"),
        ("TODAY()", "TODAY", "no function", "parameter"),
        ("$period", "$period", "no parameter", "parameter"),
        ("1 2", "2", "left over", "&"),
        ("LEFT()", "LEFT()", "does not take 0", "LEFT(text"),
        ("[Closed on] > \"2026-01-01\"", "[Closed on] > \"2026-01-01\"", "cannot be compared", "DATE"),
    ] {
        let mistakes = check(formula).unwrap_err();
        let mistake = &mistakes[0];
        assert_eq!(&formula[mistake.span.clone()], part, "{formula}: {mistake:?}");
        assert!(mistake.message.contains(message), "{formula}: {mistake:?}");
        assert!(mistake.help.as_deref().unwrap().contains(help), "{formula}: {mistake:?}");
    }
    assert_eq!(check("[A] + [B]").unwrap_err().len(), 2, "all mistakes at once");
}

#[test]
fn french_is_accepted_and_stored_in_the_one_form() {
    let french = "SI([Stage]=\"Gagné\"; ARRONDI([Amount]*12,5%; 2); 0)";
    let stored = canonical(french, Entry::French).unwrap();
    assert_eq!(stored, "IF([Stage] = \"Gagné\", ROUND([Amount] * 12.5%, 2), 0)");
    assert_eq!(localized(&stored, Entry::French).unwrap(), "SI([Stage] = \"Gagné\"; ARRONDI([Amount] * 12,5%; 2); 0)");
    assert_eq!(canonical("ET(VRAI; NON(FAUX))", Entry::French).unwrap(), "AND(TRUE, NOT(FALSE))");
}

fn tree() -> impl Strategy<Value = Node> {
    let node = |kind| Node { kind, span: 0..0 };
    let leaf = prop_oneof![
        "[0-9]{1,5}(\\.[0-9]{1,4})?".prop_map(Kind::Number),
        ".{0,6}".prop_map(Kind::Text),
        any::<bool>().prop_map(Kind::Boolean),
        Just(Kind::Null),
        "[^\\x00]{1,6}".prop_map(Kind::Column),
        "[a-z]{1,5}".prop_map(Kind::Parameter),
    ]
    .prop_map(node);
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Kind::Negate),
            boxed.clone().prop_map(Kind::Percent),
            (0..BINARIES.len(), boxed.clone(), boxed).prop_map(|(i, a, b)| Kind::Binary(BINARIES[i], a, b)),
            (0..functions().len(), prop::collection::vec(inner, 0..4))
                .prop_map(|(i, args)| Kind::Call(functions()[i].name.to_owned(), args)),
        ]
        .prop_map(node)
    })
}

proptest! {
    #![proptest_config(Config { cases: 300, ..Config::default() })]

    #[test]
    fn what_is_printed_is_read_back(tree in tree()) {
        for entry in [Entry::Canonical, Entry::French] {
            let printed = print(&tree, entry);
            let parsed = parser::parse(&printed, entry);
            prop_assert!(parsed.is_ok(), "{}: {:?}", printed, parsed);
            prop_assert_eq!(print(&parsed.unwrap(), entry), printed);
        }
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let _ = check(&text);
        let _ = canonical(&text, Entry::French);
    }

    #[test]
    fn no_likely_text_panics(parts in prop::collection::vec(prop::sample::select(vec!["(", ")", "[", "]", "\"", "IF(", ",", "1", "[Amount]", "+", "%", "^", "-", "$", "ROUND", "é", " "]), 0..30)) {
        let _ = check(&parts.concat());
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep = "(".repeat(10_000) + &")".repeat(10_000);
    assert!(check(&deep).unwrap_err()[0].message.contains("too deeply"));
    assert!(check(&"-".repeat(10_000)).is_err());
    assert!(check(&("1".to_owned() + &"+1".repeat(10_000))).is_err());
    assert!(check(&("1".to_owned() + &"%".repeat(10_000))).is_err());
    assert!(check(&("1".to_owned() + &"+1".repeat(140))).is_ok());
}

#[tokio::test]
async fn decimals_too_wide_for_each_other_compare_exactly_and_fail_with_their_column() {
    let large = "9".repeat(38);
    assert_eq!(result(&format!("{large} > 1.5")).await, Ok("true".into()));
    let failed = result(&format!("IF(1 > 0, {large}, 1.5)")).await.expect_err("it does not fit");
    assert!(failed.contains("result"), "{failed}");
}
