//! The seed's pipeline (seed 000, B.4.1) on the example's files, against a computation that shares no code with Weir.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use calamine::{Data, Reader, Xlsx, open_workbook_from_rs};
use rust_decimal::{Decimal, RoundingStrategy};
use weir_tests::commissions;
use weir_tests::weir::{Folder, checkout};

const WORKFLOW: &str = "workflows/commissions.json";

fn project() -> Folder {
    Folder::copy_of(&checkout().join("examples/commissions")).unwrap()
}

fn money(text: &str) -> Decimal {
    Decimal::from_str(&text.replace(',', ".")).unwrap()
}

/// Owner and month → deals, ARR, weighted ARR, quota, commission; and the ARR without a plan.
type Expected = BTreeMap<(String, u32), (u32, Decimal, Decimal, Decimal, Decimal)>;

fn expected(deals: &[u8]) -> (Expected, Decimal, u32) {
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(deals.strip_prefix(b"\xef\xbb\xbf").unwrap());
    let mut seen = BTreeSet::new();
    let mut groups: BTreeMap<(String, u32), (u32, Decimal, Decimal)> = BTreeMap::new();
    let (mut without_plan, mut without_plan_rows) = (Decimal::ZERO, 0);
    for record in reader.records() {
        let record = record.unwrap();
        let (id, owner, product, stage, arr, date) =
            (&record[0], &record[1], &record[3], record[4].trim().to_lowercase(), money(&record[5]), &record[7]);
        if !seen.insert(id.to_owned()) || stage != "closed won" {
            continue;
        }
        let weight = match product {
            "ANA-Temps réel" => "1.25",
            "MNT-Annuelle" => "0.25",
            p if p.starts_with("CRM-") || p.starts_with("ANA-") => "1.00",
            p if p.starts_with("INT-") => "0.80",
            p if p.starts_with("SRV-") => "0.50",
            _ => {
                without_plan += arr;
                without_plan_rows += 1;
                continue;
            }
        };
        let weighted = (arr * money(weight)).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        // 2026-09-03, 03/09/2026, 03.09.2026: the month is the middle part of all three.
        let month = date.split(['-', '/', '.']).nth(1).unwrap().parse().unwrap();
        let group = groups.entry((owner.to_owned(), month)).or_default();
        *group = (group.0 + 1, group.1 + arr, group.2 + weighted);
    }
    let quotas = quotas();
    let groups = groups
        .into_iter()
        .map(|(key, (deals, arr, weighted))| {
            let quota = quotas[&key];
            let below = weighted.min(quota) * money("0.10");
            let above = (weighted - quota).max(Decimal::ZERO) * money("0.15");
            let commission = (below + above).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            (key, (deals, arr, weighted, quota, commission))
        })
        .collect();
    (groups, without_plan, without_plan_rows)
}

fn quotas() -> BTreeMap<(String, u32), Decimal> {
    let bytes = commissions::quotas_xlsx().unwrap();
    let mut workbook: Xlsx<_> = open_workbook_from_rs(std::io::Cursor::new(bytes)).unwrap();
    let mut quotas = BTreeMap::new();
    for sheet in ["Europe", "Afrique"] {
        for row in workbook.worksheet_range(sheet).unwrap().rows().skip(1) {
            let [Data::String(owner), Data::Float(month), Data::Float(quota)] = row else { panic!("{row:?}") };
            quotas.insert((owner.clone(), *month as u32), Decimal::from(*quota as i64));
        }
    }
    quotas
}

#[test]
fn the_data_in_the_repository_is_what_the_generator_makes() {
    let data = checkout().join("examples/commissions/data");
    assert_eq!(std::fs::read(data.join("deals.csv")).unwrap(), commissions::deals_csv(false));
    assert_eq!(std::fs::read(data.join("deals_altered.csv")).unwrap(), commissions::deals_csv(true));
    assert_eq!(std::fs::read(data.join("crm_totals.csv")).unwrap(), commissions::totals_csv());
}

#[test]
fn the_example_agrees_to_the_cent_with_an_independent_computation() {
    let project = project();
    let ran = project.weir(&["run", WORKFLOW]).unwrap();
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);

    let (expected, without_plan, without_plan_rows) = expected(&commissions::deals_csv(false));
    let text = project.read("out/commissions.csv").unwrap();
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(header, ["Vendeur", "Mois", "Affaires", "ARR", "ARR pondéré", "Quota", "Commission"]);
    let rows: Expected = reader
        .records()
        .map(|record| {
            let r = record.unwrap();
            ((r[0].to_owned(), r[1].parse().unwrap()), (r[2].parse().unwrap(), money(&r[3]), money(&r[4]), money(&r[5]), money(&r[6])))
        })
        .collect();
    assert_eq!(rows, expected);
    assert!(without_plan_rows > 0 && without_plan > Decimal::ZERO, "the example should show products without a plan");

    // The ledger holds the same rows.
    let shown = project.weir(&["ledger", "show", "commissions", "--csv"]).unwrap();
    let total: Decimal = csv::Reader::from_reader(shown.out.as_bytes())
        .deserialize::<BTreeMap<String, String>>()
        .map(|row| money(&row.unwrap()["Commission"]))
        .sum();
    assert_eq!(total, expected.values().map(|(.., commission)| *commission).sum());
}

#[test]
fn an_altered_amount_blocks_the_run_and_is_named_to_the_cent() {
    let project = project();
    let ran = project.weir(&["run", WORKFLOW, "--set", "deals=data/deals_altered.csv"]).unwrap();
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("Nothing was loaded"), "{}", ran.out);
    assert!(ran.out.contains("totals differ by 0.01"), "{}", ran.out);
    assert!(!project.has("out"), "a blocked run wrote a file");
    assert!(!project.has(".weir/ledger/commissions"), "a blocked run wrote to the ledger");
}

#[test]
fn running_again_replaces_the_period_and_adds_nothing() {
    let project = project();
    let first = project.weir(&["run", WORKFLOW, "--json"]).unwrap();
    assert_eq!(first.code, Some(0), "{}{}", first.out, first.err);
    let before = project.weir(&["ledger", "tables", "--json"]).unwrap().json().unwrap();
    let noticed = project.weir(&["run", WORKFLOW]).unwrap();
    assert!(noticed.code == Some(2) && noticed.err.contains("loaded exactly this"), "{}{}", noticed.out, noticed.err);
    let second = project.weir(&["run", WORKFLOW, "--json", "--again"]).unwrap();
    assert_eq!(second.code, Some(0), "{}{}", second.out, second.err);
    let after = project.weir(&["ledger", "tables", "--json"]).unwrap().json().unwrap();
    assert_eq!(before[0]["rows"], after[0]["rows"]);
    assert_eq!(first.json().unwrap()["outputs"], second.json().unwrap()["outputs"], "the same inputs give the same digests");
    assert_eq!(project.weir(&["audit", "verify"]).unwrap().code, Some(0));
}

#[test]
fn the_certificate_names_sources_figures_and_its_place_in_the_chain() {
    let project = project();
    let certificate = project.weir(&["run", WORKFLOW, "--json"]).unwrap().json().unwrap();
    let deals = certificate["sources"].as_array().unwrap().iter().find(|s| s["path"] == "data/deals.csv").unwrap();
    let output = std::process::Command::new("sha256sum").arg(project.path().join("data/deals.csv")).output();
    match output {
        Ok(output) => assert!(String::from_utf8_lossy(&output.stdout).starts_with(deals["sha256"].as_str().unwrap())),
        Err(_) => println!("skipped: sha256sum is not on this machine"),
    }
    let verdict = certificate["verdicts"].as_array().unwrap().iter().find(|v| v["node"] == "source_total").unwrap();
    assert_eq!(verdict["figures"]["left"], verdict["figures"]["right"]);
    assert_eq!(verdict["holds"], true);
    assert_eq!(certificate["user"], "tester");
    assert!(certificate["audit"]["hash"].is_string());
}
