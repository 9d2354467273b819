//! Real data made by others, with the accepted answers: `../shared/cases`. Skipped, and said so, where it is not.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rust_decimal::prelude::*;
use serde_json::{Value, json};
use weir_tests::weir::{Folder, checkout};

fn cases(name: &str) -> Option<PathBuf> {
    let folder = checkout().join("../shared/cases").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is not there", folder.display());
    None
}

fn step(kind: &str, params: Value) -> Value {
    json!({ "kind": kind, "params": params })
}

/// Runs a workflow beside a folder of files and gives the rows it writes.
fn run(files: &std::path::Path, nodes: &Value, edges: &[(&str, &str)]) -> Vec<Vec<String>> {
    let project = Folder::empty().unwrap();
    for file in std::fs::read_dir(files).unwrap() {
        let file = file.unwrap();
        project.write(&file.file_name().to_string_lossy(), std::fs::read(file.path()).unwrap()).unwrap();
    }
    let edges: Vec<Value> = edges.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect();
    project.write("w.json", json!({ "weir": 1, "name": "case", "nodes": nodes, "edges": edges }).to_string()).unwrap();
    let ran = project.weir(&["run", "w.json"]).unwrap();
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    table(&project.read("out.csv").unwrap())
}

fn table(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The same rows; numbers may differ in the last digits that a float of the reference engine has.
fn same(found: &[Vec<String>], expected: &[Vec<String>], name: &str) {
    assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
    for (line, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (found, expected) in found.iter().zip(expected) {
            let number = |text: &str| Decimal::from_str(text).or_else(|_| Decimal::from_scientific(text)).ok();
            let near = match (number(found), number(expected)) {
                (Some(a), Some(b)) => (a - b).abs() <= (b.abs() * Decimal::new(1, 10)).max(Decimal::new(1, 9)),
                _ => found == expected,
            };
            assert!(near, "{name}, line {}: {found} instead of {expected}", line + 1);
        }
    }
}

fn measure(name: &str, function: &str, of: &str) -> Value {
    if of.starts_with('[') {
        json!({ "as": name, "function": function, "formula": of })
    } else {
        json!({ "as": name, "function": function, "column": of })
    }
}

fn on(left: &str, right: &str) -> Value {
    json!({ "on": [{ "left": left, "right": right }] })
}

#[test]
fn the_tpc_h_queries_are_drawn_from_ordinary_steps() {
    let Some(files) = cases("tpch") else { return };
    let read = |table: &str| step("input.parquet", json!({ "path": format!("{table}.parquet") }));
    let filter = |condition: &str| step("filter", json!({ "condition": condition }));
    let aggregate = |by: &[&str], measures: Vec<Value>| step("aggregate", json!({ "by": by, "measures": measures }));
    let formula = |columns: &[(&str, &str)]| {
        step(
            "formula",
            json!({ "columns": columns.iter().map(|(name, formula)| json!({ "name": name, "formula": formula })).collect::<Vec<_>>() }),
        )
    };
    let select =
        |columns: &[&str]| step("select", json!({ "columns": columns.iter().map(|name| json!({ "column": name })).collect::<Vec<_>>() }));
    let out = || step("load.csv", json!({ "path": "out.csv" }));
    let revenue = "[l_extendedprice] * (1 - [l_discount])";
    let expected = |name: &str| table(&std::fs::read_to_string(files.join(format!("{name}.expected.csv"))).unwrap());

    let nodes = json!({
        "lineitem": read("lineitem"), "early": filter("[l_shipdate] <= DATE(1998, 9, 2)"),
        "sum": aggregate(&["l_returnflag", "l_linestatus"], vec![
            measure("sum_qty", "sum", "l_quantity"), measure("sum_base_price", "sum", "l_extendedprice"),
            measure("sum_disc_price", "sum", revenue), measure("sum_charge", "sum", &format!("{revenue} * (1 + [l_tax])")),
            measure("avg_qty", "average", "l_quantity"), measure("avg_price", "average", "l_extendedprice"),
            measure("avg_disc", "average", "l_discount"), json!({ "as": "count_order", "function": "count_rows" }),
        ]),
        "out": out()
    });
    same(&run(&files, &nodes, &[("lineitem", "early"), ("early", "sum"), ("sum", "out")]), &expected("q01-pricing-summary"), "q01");

    let nodes = json!({
        "region": read("region"), "asia": filter("[r_name] = \"ASIA\""), "nation": read("nation"), "supplier": read("supplier"),
        "customer": read("customer"), "orders": read("orders"), "lineitem": read("lineitem"),
        "year": filter("AND([o_orderdate] >= DATE(1994, 1, 1), [o_orderdate] < DATE(1995, 1, 1))"),
        "nations": step("join", on("n_regionkey", "r_regionkey")), "suppliers": step("join", on("s_nationkey", "n_nationkey")),
        "buyers": step("join", on("o_custkey", "c_custkey")), "lines": step("join", on("l_orderkey", "o_orderkey")),
        "sold": step("join", json!({ "on": [{ "left": "l_suppkey", "right": "s_suppkey" }, { "left": "c_nationkey", "right": "s_nationkey" }] })),
        "sum": aggregate(&["n_name"], vec![measure("revenue", "sum", revenue)]),
        "sort": step("sort", json!({ "by": [{ "column": "revenue", "descending": true }] })), "out": out()
    });
    let edges = [
        ("region", "asia"),
        ("nation", "nations.left"),
        ("asia", "nations.right"),
        ("supplier", "suppliers.left"),
        ("nations", "suppliers.right"),
        ("orders", "year"),
        ("year", "buyers.left"),
        ("customer", "buyers.right"),
        ("lineitem", "lines.left"),
        ("buyers", "lines.right"),
        ("lines", "sold.left"),
        ("suppliers", "sold.right"),
        ("sold", "sum"),
        ("sum", "sort"),
        ("sort", "out"),
    ];
    same(&run(&files, &nodes, &edges), &expected("q05-six-table-join"), "q05");

    let nodes = json!({
        "part": read("part"), "steel": filter("[p_type] = \"ECONOMY ANODIZED STEEL\""), "lineitem": read("lineitem"), "orders": read("orders"),
        "years": filter("BETWEEN([o_orderdate], DATE(1995, 1, 1), DATE(1996, 12, 31))"), "customer": read("customer"), "nation": read("nation"),
        "region": read("region"), "america": filter("[r_name] = \"AMERICA\""), "supplier": read("supplier"), "nation2": read("nation"),
        "nations": step("join", on("n_regionkey", "r_regionkey")), "customers": step("join", on("c_nationkey", "n_nationkey")),
        "bought": step("join", on("o_custkey", "c_custkey")), "lines": step("join", on("l_partkey", "p_partkey")), "sold": step("join", on("l_orderkey", "o_orderkey")),
        "sellers": step("lookup", json!({ "on": [{ "column": "l_suppkey", "in": "s_suppkey" }], "take": [{ "column": "s_nationkey" }] })),
        "names": step("lookup", json!({ "on": [{ "column": "s_nationkey", "in": "n_nationkey" }], "take": [{ "column": "n_name", "as": "seller" }] })),
        "volume": formula(&[("o_year", "YEAR([o_orderdate])"), ("volume", revenue)]),
        "sum": aggregate(&["o_year"], vec![
            json!({ "as": "brazil", "function": "sum", "column": "volume", "where": "[seller] = \"BRAZIL\"" }), measure("all", "sum", "volume"),
        ]),
        "share": formula(&[("mkt_share", "IFBLANK([brazil], 0) / [all]")]), "pick": select(&["o_year", "mkt_share"]), "out": out()
    });
    let edges = [
        ("part", "steel"),
        ("lineitem", "lines.left"),
        ("steel", "lines.right"),
        ("region", "america"),
        ("nation", "nations.left"),
        ("america", "nations.right"),
        ("customer", "customers.left"),
        ("nations", "customers.right"),
        ("orders", "years"),
        ("years", "bought.left"),
        ("customers", "bought.right"),
        ("lines", "sold.left"),
        ("bought", "sold.right"),
        ("sold", "sellers"),
        ("supplier", "sellers.table"),
        ("sellers", "names"),
        ("nation2", "names.table"),
        ("names", "volume"),
        ("volume", "sum"),
        ("sum", "share"),
        ("share", "pick"),
        ("pick", "out"),
    ];
    same(&run(&files, &nodes, &edges), &expected("q08-market-share"), "q08");

    let nodes = json!({
        "lineitem": read("lineitem"), "part": read("part"), "month": filter("AND([l_shipdate] >= DATE(1995, 9, 1), [l_shipdate] < DATE(1995, 10, 1))"),
        "join": step("join", on("l_partkey", "p_partkey")), "revenue": formula(&[("revenue", revenue)]),
        "sum": aggregate(&[], vec![json!({ "as": "promo", "function": "sum", "column": "revenue", "where": "STARTSWITH([p_type], \"PROMO\")" }), measure("all", "sum", "revenue")]),
        "share": formula(&[("promo_revenue", "100 * [promo] / [all]")]), "pick": select(&["promo_revenue"]), "out": out()
    });
    let edges = [
        ("lineitem", "month"),
        ("month", "join.left"),
        ("part", "join.right"),
        ("join", "revenue"),
        ("revenue", "sum"),
        ("sum", "share"),
        ("share", "pick"),
        ("pick", "out"),
    ];
    same(&run(&files, &nodes, &edges), &expected("q14-promo-percentage"), "q14");

    let nodes = json!({
        "part": read("part"), "partsupp": read("partsupp"), "supplier": read("supplier"), "complained": filter("LIKE([s_comment], \"%Customer%Complaints%\")"),
        "wanted": filter("AND([p_brand] <> \"Brand#45\", NOT(STARTSWITH([p_type], \"MEDIUM POLISHED\")), ISIN([p_size], 49, 14, 23, 45, 19, 3, 36, 9))"),
        "join": step("join", on("ps_partkey", "p_partkey")), "fine": step("join", json!({ "how": "anti", "on": [{ "left": "ps_suppkey", "right": "s_suppkey" }] })),
        "sum": aggregate(&["p_brand", "p_type", "p_size"], vec![measure("supplier_cnt", "count_distinct", "ps_suppkey")]),
        "sort": step("sort", json!({ "by": [{ "column": "supplier_cnt", "descending": true }, { "column": "p_brand" }, { "column": "p_type" }, { "column": "p_size" }] })), "out": out()
    });
    let edges = [
        ("part", "wanted"),
        ("partsupp", "join.left"),
        ("wanted", "join.right"),
        ("supplier", "complained"),
        ("join", "fine.left"),
        ("complained", "fine.right"),
        ("fine", "sum"),
        ("sum", "sort"),
        ("sort", "out"),
    ];
    same(&run(&files, &nodes, &edges), &expected("q16-distinct-anti-join"), "q16");

    let nodes = json!({
        "customer": read("customer"), "orders": read("orders"), "code": formula(&[("cntrycode", "LEFT([c_phone], 2)")]),
        "country": filter("ISIN([cntrycode], \"13\", \"31\", \"23\", \"29\", \"30\", \"18\", \"17\")"), "positive": filter("[c_acctbal] > 0"),
        "mean": aggregate(&[], vec![measure("mean", "average", "c_acctbal")]), "with_mean": step("append", json!({})), "rich": filter("[c_acctbal] > [mean]"),
        "never": step("join", json!({ "how": "anti", "on": [{ "left": "c_custkey", "right": "o_custkey" }] })),
        "sum": aggregate(&["cntrycode"], vec![json!({ "as": "numcust", "function": "count_rows" }), measure("totacctbal", "sum", "c_acctbal")]), "out": out()
    });
    let edges = [
        ("customer", "code"),
        ("code", "country"),
        ("country", "positive"),
        ("positive", "mean"),
        ("country", "with_mean"),
        ("mean", "with_mean.table"),
        ("with_mean", "rich"),
        ("rich", "never.left"),
        ("orders", "never.right"),
        ("never", "sum"),
        ("sum", "out"),
    ];
    same(&run(&files, &nodes, &edges), &expected("q22-prefix-anti-join"), "q22");
}

#[test]
fn the_french_ledger_gives_its_tax_boxes() {
    let Some(files) = cases("fec-2033") else { return };
    let nodes = json!({
        "fec": step("input.csv", json!({ "path": "000000000FEC20231231.txt", "columns": [{ "name": "CompteNum", "type": "text" }] })),
        "boxes": step("input.csv", json!({ "path": "mapping.csv", "columns": [{ "name": "AccountPrefix", "type": "text" }, { "name": "Box", "type": "text" }] })),
        "balanced": step("control.balance", json!({ "debit": "Debit", "credit": "Credit" })),
        "net": step("aggregate", json!({ "by": ["CompteNum"], "measures": [{ "as": "net", "function": "sum", "formula": "[Credit] - [Debit]" }] })),
        "pairs": step("join", json!({ "how": "cross" })),
        "fits": step("filter", json!({ "condition": "STARTSWITH([CompteNum], [AccountPrefix])" })),
        "part": step("rules", json!({ "to": ["part"], "rules": [
            { "when": "[Mode] = \"SLD\"", "gives": ["[net]"] },
            { "when": "[Mode] = \"CRD\"", "gives": ["MAX([net], 0.00)"] },
            { "when": "[Mode] = \"DEB\"", "gives": ["0 - MIN([net], 0.00)"] }
        ] })),
        "sum": step("aggregate", json!({ "by": ["Box"], "measures": [{ "as": "Amount", "function": "sum", "formula": "[part] * [Sign]" }] })),
        "whole": step("formula", json!({ "columns": [{ "name": "Amount", "formula": "ROUND([Amount], 0)" }] })),
        "out": step("load.csv", json!({ "path": "out.csv" }))
    });
    let edges = [
        ("fec", "balanced"),
        ("balanced", "net"),
        ("net", "pairs.left"),
        ("boxes", "pairs.right"),
        ("pairs", "fits"),
        ("fits", "part"),
        ("part", "sum"),
        ("sum", "whole"),
        ("whole", "out"),
    ];
    let found: BTreeMap<String, Decimal> =
        run(&files.join("input"), &nodes, &edges).into_iter().skip(1).map(|row| (row[0].clone(), row[1].parse().unwrap())).collect();
    for row in table(&std::fs::read_to_string(files.join("expected/boxes.csv")).unwrap()).into_iter().skip(1) {
        let expected: Decimal = row[1].parse().unwrap();
        assert_eq!(found.get(&row[0]).copied().unwrap_or_default(), expected, "box {}", row[0]);
    }
}

#[test]
fn the_central_bank_s_rates_convert_as_asked() {
    let Some(files) = cases("ecb-rates") else { return };
    let nodes = json!({
        "wide": step("input.csv", json!({ "path": "eurofxref-hist.csv", "null_texts": ["N/A"] })),
        "named": step("select", json!({ "drop": ["Column43"] })),
        "rates": step("unpivot", json!({ "keep": ["Date"], "name_as": "currency", "value_as": "rate", "skip_empty": true })),
        "asked": step("input.csv", json!({ "path": "conversions.csv" })),
        "convert": step("currency", json!({
            "amount": "Amount", "from": "From", "to": { "is": "column", "column": "To" }, "date": "Date",
            "rates": { "currency": "currency", "date": "Date", "rate": "rate" }, "as": "Converted", "places": 6
        })),
        "pick": step("select", json!({ "columns": [{ "column": "Id" }, { "column": "Converted" }] })),
        "out": step("load.csv", json!({ "path": "out.csv" }))
    });
    let edges =
        [("wide", "named"), ("named", "rates"), ("asked", "convert"), ("rates", "convert.rates"), ("convert", "pick"), ("pick", "out")];
    let found = run(&files.join("input"), &nodes, &edges);
    let expected = table(&std::fs::read_to_string(files.join("expected/converted.csv")).unwrap());
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected).skip(1) {
        let (a, b): (Decimal, Decimal) = (found[1].parse().unwrap(), expected[1].parse().unwrap());
        assert!(found[0] == expected[0] && (a - b).abs() <= Decimal::new(2, 5), "{found:?} instead of {expected:?}");
    }
}
