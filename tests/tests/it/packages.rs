//! Template packages: made, signed, published, installed, bound, upgraded and refused, with the real binary.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use weir_tests::weir::{Folder, checkout};

/// A folder with a publisher's key in it.
struct Desk(Folder);

impl Desk {
    fn new() -> Self {
        let desk = Self(Folder::empty().unwrap());
        desk.good("", &["key", "new"]);
        desk
    }

    fn path(&self, inner: &str) -> PathBuf {
        self.0.path().join(inner)
    }

    fn try_as(&self, who: &str, inner: &str, arguments: &[&str]) -> Output {
        let mut command = self.0.command(arguments);
        std::fs::create_dir_all(self.path(inner)).unwrap();
        command.current_dir(self.path(inner));
        command.env("WEIR_USER", who).env("WEIR_KEYS", self.path("keys")).env("WEIR_PASSPHRASE", "a long sentence");
        command.output().unwrap()
    }

    fn tries(&self, inner: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.try_as("Integrator", inner, arguments);
        (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    }

    /// Does something that must succeed.
    #[track_caller]
    fn good(&self, inner: &str, arguments: &[&str]) -> String {
        let (code, said) = self.tries(inner, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        said
    }

    /// Does something that must be refused, in these words.
    #[track_caller]
    fn refused(&self, inner: &str, arguments: &[&str], words: &str) -> String {
        let (code, said) = self.tries(inner, arguments);
        assert!(code != Some(0) && said.contains(words), "{arguments:?}: exit {code:?}, without \"{words}\": {said}");
        said
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.path(path)).unwrap()).unwrap()
    }

    fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        let mut value = self.json(path);
        change(&mut value);
        std::fs::write(self.path(path), serde_json::to_string_pretty(&value).unwrap()).unwrap();
    }

    /// A package `totals` in a registry, in these versions.
    fn published(&self) -> &Self {
        self.good("", &["template", "new", "totals", "--publisher", "Integrator"]);
        self.good("", &["template", "sign", "totals"]);
        self.good("", &["template", "publish", "totals", "--to", "registry"]);
        self
    }

    /// Publishes the folder `totals` as another version.
    fn publish(&self, version: &str) {
        self.change("totals/package.json", |manifest| manifest["version"] = json!(version));
        self.good("", &["template", "sign", "totals"]);
        self.good("", &["template", "publish", "totals", "--to", "registry"]);
    }
}

/// Every file below a folder but Weir's own, with its bytes.
fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                if entry.file_name() != ".weir" {
                    waiting.push(entry.path());
                }
            } else {
                found.push((entry.path(), std::fs::read(entry.path()).unwrap()));
            }
        }
    }
    found.sort();
    found
}

const SALES: &str = "Montant;Zone;Commentaire;N° commande\n\"1 012,50\";Nord;x;0001\n7;Sud;;0002\n3,25;Nord;y;0003\n";
const MAIN: &str = "packages/totals/workflows/main.json";

#[test]
fn a_package_is_made_signed_published_installed_bound_and_run() {
    let desk = Desk::new();
    desk.published();
    assert!(desk.good("", &["template", "test", "totals"]).contains("1 tests, 0 failed"));
    desk.good("", &["template", "verify", "totals"]);
    assert!(desk.good("", &["template", "search", "ventes", "--registry", "registry"]).contains("totals 0.1.0"));
    assert!(desk.good("", &["template", "show", "totals", "--registry", "registry"]).contains("The sum of the sales' amounts."));
    let packed = desk.good("", &["template", "pack", "totals", "--into", "one"]);
    assert!(packed.contains("totals-0.1.0.weirpkg"), "{packed}");
    let first = std::fs::read(desk.path("one/totals-0.1.0.weirpkg")).unwrap();
    desk.good("", &["template", "pack", "totals", "--into", "two"]);
    assert_eq!(first, std::fs::read(desk.path("two/totals-0.1.0.weirpkg")).unwrap(), "the same files make the same package");

    // Three commands from an empty folder, on a file with other names, another order, French figures.
    std::fs::write(desk.path("ventes.csv"), SALES).unwrap();
    desk.good("home", &["template", "install", "totals", "--registry", "../registry"]);
    let said = desk.good("home", &["template", "bind", "sales=../ventes.csv"]);
    assert!(said.contains("← N° commande") && said.contains("not taken: Commentaire") && said.contains("3 rows accepted"), "{said}");
    desk.good("home", &["run", MAIN]);
    let out = std::fs::read_to_string(desk.path("home/packages/totals/out/regions.csv")).unwrap();
    assert_eq!(out, "region,amount\nNord,1015.75\nSud,7.00\n");
    let listed = desk.good("home", &["template", "list", "--installed"]);
    assert_eq!(listed.trim(), "totals 0.1.0", "a binding is no change of the package");
    let audit = desk.good("home", &["audit", "log"]);
    assert!(audit.contains("install") && audit.contains("bind"), "{audit}");
    desk.good("home", &["audit", "verify"]);
    desk.good("home", &["template", "unbind", "sales"]);
    desk.good("home", &["template", "uninstall", "totals"]);
    assert!(!desk.path("home/packages/totals/package.json").exists());
}

#[test]
fn a_file_that_breaks_the_contract_is_refused_with_column_rule_and_rows() {
    let desk = Desk::new();
    desk.published();
    desk.good("home", &["template", "install", "totals", "--registry", "../registry"]);
    std::fs::write(desk.path("bad.csv"), "sale,region,amount\nS1,North,10.00\nS2,North,ten\nS1,South,1.00\nS4,,2.00\n").unwrap();
    let before = everything(&desk.path("home"));
    let said = desk.refused("home", &["template", "bind", "sales=../bad.csv"], "nothing was bound");
    for part in
        ["amount is decimal(2): not so for 1 rows", "sale is there once: not so for 1 rows", "region is filled: not so for 1 rows", "ten"]
    {
        assert!(said.contains(part), "without \"{part}\": {said}");
    }
    std::fs::write(desk.path("none.csv"), "region,amount\nNorth,1.00\n").unwrap();
    desk.refused("home", &["template", "bind", "sales=../none.csv"], "No column of ../../data/none.csv is known to be: sale (text)");
    assert_eq!(before, everything(&desk.path("home")), "everything is as it was");
    // Bound all the same, nothing is loaded.
    desk.good("home", &["template", "bind", "sales=../bad.csv", "--anyway"]);
    let said = desk.refused("home", &["run", MAIN], "Nothing was loaded");
    assert!(said.contains("sale is there once: 1 rows are exceptions") && said.contains("S2"), "{said}");
    assert!(!desk.path("home/packages/totals/out").exists());
    // The column is named by hand.
    std::fs::write(desk.path("home/odd.csv"), "zzz,region,amount\nS1,North,10.00\n").unwrap();
    desk.good("home", &["template", "bind", "sales=odd.csv", "--column", "sales.sale=zzz"]);
    desk.refused("home", &["template", "bind", "sales=odd.csv", "--column", "sales.sale=zz"], "The file has no column \"zz\"");
}

#[test]
fn an_upgrade_keeps_what_was_changed_here_or_says_the_conflict() {
    let desk = Desk::new();
    desk.published();
    desk.good("home", &["template", "install", "totals", "--registry", "../registry"]);
    // Here: the file goes elsewhere, and a step is added.
    let main = format!("home/{MAIN}");
    desk.change(&main, |workflow| {
        workflow["nodes"]["regions"]["params"]["path"] = json!("out/mine.csv");
        workflow["nodes"]["regions"]["note"] = json!("mine");
    });
    // There: another note, another step.
    desk.change("totals/workflows/main.json", |workflow| {
        workflow["nodes"]["per_region"]["note"] = json!("The sum, from 0.2 on");
        workflow["nodes"]["copy"] = json!({ "kind": "load.json", "params": { "path": "out/regions.json" } });
        workflow["edges"].as_array_mut().unwrap().push(json!({ "from": "nothing_lost", "to": "copy" }));
    });
    desk.publish("0.2.0");
    assert!(
        desk.good("home", &["template", "list", "--installed", "--registry", "../registry"])
            .contains("0.2.0 is out · changed here: workflows/main.json")
    );
    let said = desk.good("home", &["template", "upgrade", "totals", "--registry", "../registry"]);
    assert!(said.contains("From 0.1.0 to 0.2.0") && said.contains("Has the changes of both: workflows/main.json"), "{said}");
    let merged = desk.json(&main);
    assert_eq!(merged["nodes"]["regions"]["params"]["path"], "out/mine.csv");
    assert_eq!(merged["nodes"]["per_region"]["note"], "The sum, from 0.2 on");
    assert_eq!(merged["nodes"]["copy"]["kind"], "load.json");
    desk.good("home", &["run", MAIN]);
    assert!(desk.path("home/packages/totals/out/mine.csv").exists() && desk.path("home/packages/totals/out/regions.json").exists());
    // Both change the same: said in words, nothing changed, and a side can be preferred.
    desk.change("totals/workflows/main.json", |workflow| workflow["nodes"]["regions"]["params"]["path"] = json!("out/theirs.csv"));
    desk.publish("0.3.0");
    let before = everything(&desk.path("home"));
    let said = desk.refused("home", &["template", "upgrade", "totals", "--registry", "../registry"], "nothing was upgraded");
    assert!(said.contains("step regions, path: here somebody made it \"out/mine.csv\", there made it \"out/theirs.csv\""), "{said}");
    assert_eq!(before, everything(&desk.path("home")), "everything is as it was");
    desk.good("home", &["template", "upgrade", "totals", "--registry", "../registry", "--prefer", "ours"]);
    assert_eq!(desk.json(&main)["nodes"]["regions"]["params"]["path"], "out/mine.csv");
    assert_eq!(desk.json("home/packages/totals/package.json")["version"], "0.3.0");
    // What is mine stays when the package goes.
    let said = desk.good("home", &["template", "uninstall", "totals"]);
    assert!(said.contains("What is yours stays") && said.contains("workflows/main.json"), "{said}");
}

#[test]
fn packages_that_cannot_be_trusted_or_used_are_refused_and_leave_nothing() {
    let desk = Desk::new();
    desk.published();
    let refuse = |package: &str, words: &str| {
        desk.refused("home", &["template", "install", package, "--registry", "../registry"], words);
        assert_eq!(everything(&desk.path("home")), vec![], "{words}: nothing is installed");
        assert!(!desk.path("home/.weir").exists());
    };
    refuse("total", "No registry has a package \"total\"");
    refuse("totals@^3", "There is no version ^3 of \"totals\"");
    refuse("../nowhere", "There is no such package");
    // Any byte of any file counts.
    let changed = |path: &str, change: &dyn Fn(&str) -> String, words: &str| {
        let file = desk.path("totals").join(path);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, change(&text)).unwrap();
        refuse("../totals", words);
        std::fs::write(&file, text).unwrap();
    };
    changed("sample/sales.csv", &|text| text.replace("80.00", "80.01"), "\"sample/sales.csv\" was changed after the package was signed");
    changed("signature.json", &|text| text.replace("\"signature\": \"", "\"signature\": \"00"), "does not belong to this package");
    std::fs::write(desk.path("totals/extra.txt"), "x").unwrap();
    refuse("../totals", "was added after the package was signed");
    std::fs::remove_file(desk.path("totals/extra.txt")).unwrap();
    std::fs::rename(desk.path("totals/signature.json"), desk.path("kept.json")).unwrap();
    refuse("../totals", "The package is not signed");
    std::fs::rename(desk.path("kept.json"), desk.path("totals/signature.json")).unwrap();
    // Signed, and still of no use.
    let signed = |path: &str, change: &dyn Fn(&mut Value), words: &str| {
        let kept = std::fs::read(desk.path(path)).unwrap();
        desk.change(path, |value| change(value));
        let (code, _) = desk.tries("", &["template", "sign", "totals"]);
        if code == Some(0) {
            refuse("../totals", words);
        } else {
            desk.refused("", &["template", "sign", "totals"], words);
            refuse("../totals", "");
        }
        std::fs::write(desk.path(path), kept).unwrap();
    };
    signed("totals/package.json", &|package| package["weir_package"] = json!(9), "newer format");
    signed("totals/package.json", &|package| package["weir"] = json!(">=9"), "works with Weir >=9");
    signed(
        "totals/package.json",
        &|package| package["needs"] = json!({ "rates": "^1" }),
        "needs rates ^1: No registry has a package \"rates\"",
    );
    signed("totals/package.json", &|package| package["id"] = json!("../evil"), "is no name of a package");
    signed(
        "totals/workflows/main.json",
        &|workflow| workflow["nodes"]["per_region"]["kind"] = json!("telepathy"),
        "\"telepathy\" is not a kind of step",
    );
    signed("totals/workflows/main.json", &|workflow| workflow["weir"] = json!(99), "has format version 99");
    signed("totals/inputs.json", &|inputs| inputs["weir_inputs"] = json!(99), "newer Weir");
    desk.good("", &["template", "sign", "totals"]);
    // An archive that climbs out.
    for name in ["../evil.txt", "/tmp/evil.txt", "a/../../evil.txt"] {
        let mut archive = zip::ZipWriter::new(std::fs::File::create(desk.path("evil.weirpkg")).unwrap());
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"evil").unwrap();
        archive.finish().unwrap();
        refuse("../evil.weirpkg", "leads out of it");
    }
    std::fs::write(desk.path("evil.weirpkg"), "no archive").unwrap();
    refuse("../evil.weirpkg", "This is no packed package");
    // The same publisher, another key.
    desk.good("home", &["template", "install", "totals", "--registry", "../registry"]);
    let other = Desk::new();
    other.published();
    other.publish("0.2.0");
    let registry = other.path("registry").display().to_string();
    let said = desk.refused(
        "home",
        &["template", "upgrade", "totals", "--registry", &registry],
        "but the key of \"Integrator\" that is known here is",
    );
    let key = said.split("signed with the key ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    desk.good("home", &["template", "upgrade", "totals", "--registry", &registry, "--trust", &key]);
    desk.refused("home", &["template", "install", "totals", "--registry", &registry], "There is totals 0.2.0");
}

#[test]
fn packages_use_the_workflows_of_those_they_need() {
    let desk = Desk::new();
    desk.published();
    desk.good("", &["template", "new", "report", "--publisher", "Integrator"]);
    desk.change("report/package.json", |package| package["needs"] = json!({ "totals": ">=0.1, <1" }));
    // A step of the needed package's workflow reads that package's own files.
    desk.change("totals/workflows/main.json", |workflow| {
        workflow["nodes"]["regions_out"] = json!({ "kind": "port.out", "params": { "name": "regions" } });
        workflow["edges"].as_array_mut().unwrap().push(json!({ "from": "nothing_lost", "to": "regions_out" }));
    });
    desk.publish("0.2.0");
    let inner = json!({
        "weir": 1, "name": "report", "nodes": {
            "regions": { "kind": "workflow", "params": { "path": "../totals/workflows/main.json", "outputs": ["regions"] } },
            "report": { "kind": "load.csv", "params": { "path": "out/report.csv" } }
        }, "edges": [{ "from": "regions", "to": "report" }]
    });
    std::fs::write(desk.path("report/workflows/main.json"), inner.to_string()).unwrap();
    let test = json!({ "about": "Of the other package's sample.", "workflow": "workflows/main.json", "expect": { "file:out/report.csv": "tests/sample/regions.csv" } });
    std::fs::write(desk.path("report/tests/sample.json"), test.to_string()).unwrap();
    desk.good("", &["template", "test", "report", "--registry", "registry"]);
    desk.good("", &["template", "sign", "report"]);
    desk.good("", &["template", "publish", "report", "--to", "registry"]);
    let said = desk.good("home", &["template", "install", "report", "--registry", "../registry"]);
    assert!(said.contains("Installed totals 0.2.0") && said.contains("Installed report 0.1.0"), "{said}");
    desk.good("home", &["run", "packages/report/workflows/main.json"]);
    let out = std::fs::read_to_string(desk.path("home/packages/report/out/report.csv")).unwrap();
    assert_eq!(out, "region,amount\nNorth,200.00\nSouth,80.00\n");
    desk.refused("home", &["template", "uninstall", "totals"], "report 0.1.0 needs \"totals\"");
    // Two that need each other.
    desk.change("totals/package.json", |package| package["needs"] = json!({ "report": "*" }));
    desk.publish("0.3.0");
    desk.refused("circle", &["template", "install", "report", "--registry", "../registry"], "in a circle: report → totals → report");
    assert_eq!(everything(&desk.path("circle")), vec![]);
}

#[test]
fn a_static_site_is_a_registry() {
    let desk = Desk::new();
    desk.published();
    let root = desk.path("registry");
    let (site, _) = crate::services::serve_bytes(move |line, _| {
        let path = line.split_whitespace().nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
        std::fs::read(root.join(path)).map_or((404, vec![]), |bytes| (200, bytes))
    });
    assert!(desk.good("", &["template", "list", "--registry", &site]).contains("totals 0.1.0"));
    desk.good("home", &["template", "install", "totals", "--registry", &site]);
    desk.good("home", &["run", MAIN]);
    // A file that is not what the index says.
    let packed = desk.path("registry/totals-0.1.0.weirpkg");
    let mut bytes = std::fs::read(&packed).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&packed, bytes).unwrap();
    desk.refused("other", &["template", "install", "totals", "--registry", &site], "is not the file that the registry lists");
    desk.refused("other", &["template", "install", "totals", "--registry", "http://127.0.0.1:9"], "The registry cannot be used");
    assert_eq!(everything(&desk.path("other")), vec![]);
    // A version never changes once it is out.
    std::fs::write(desk.path("totals/README.md"), "other").unwrap();
    desk.good("", &["template", "sign", "totals"]);
    desk.refused("", &["template", "publish", "totals", "--to", "registry"], "is published already, with other content");
}

#[test]
fn a_review_turns_red_and_says_which_when_anything_is_broken() {
    let desk = Desk::new();
    desk.published();
    let readme = format!(
        "# Totals\n\n![The workflow](picture.svg)\n\n{}\n\n## In\n\n## Out\n\n## En français\n",
        "What comes in, what comes out, and by which rules. ".repeat(30)
    );
    std::fs::write(desk.path("totals/README.md"), readme).unwrap();
    std::fs::write(desk.path("totals/picture.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    desk.good("", &["template", "sign", "totals"]);
    assert!(desk.good("", &["template", "review", "totals"]).contains("Green."));
    let red = |path: &str, change: &dyn Fn(&str) -> String, resign: bool, words: &[&str]| {
        let kept = std::fs::read_to_string(desk.path(path)).unwrap();
        std::fs::write(desk.path(path), change(&kept)).unwrap();
        if resign {
            desk.good("", &["template", "sign", "totals"]);
        }
        let (code, said) = desk.tries("", &["template", "review", "totals"]);
        assert_eq!(code, Some(1), "{path}: {said}");
        for word in words {
            assert!(said.contains(word), "{path}: without \"{word}\": {said}");
        }
        std::fs::write(desk.path(path), kept).unwrap();
        desk.good("", &["template", "sign", "totals"]);
    };
    let swap = |from: &'static str, to: &'static str| move |text: &str| text.replace(from, to);
    red(
        "totals/tests/sample/regions.csv",
        &swap("200.00", "200.01"),
        true,
        &["✕ tests", "row 1, amount: \"200.00\" instead of \"200.01\""],
    );
    red("totals/sample/sales.csv", &swap("80.00", "eighty"), true, &["✕ workflows", "sales blocks the sample"]);
    red(
        "totals/inputs.json",
        &|text: &str| text.replace("\"filled\": true", "\"filled\": false").replace("\"unique\": true", "\"unique\": false"),
        true,
        &["✕ contracts", "no column must be filled"],
    );
    red(
        "totals/inputs.json",
        &swap("Le numéro de la vente.", ""),
        true,
        &["✕ contracts", "sales.sale: what it holds is not said in English and French"],
    );
    red("totals/package.json", &swap("\"amount\"\n", "\"other\"\n"), true, &["✕ figures", "no rule stands behind the figure amount"]);
    red("totals/workflows/main.json", &swap("\"block\"", "\"warn\""), true, &["✕ controls", "no control of its own can block it"]);
    red("totals/README.md", &swap("picture.svg", "gone.svg"), true, &["✕ documentation", "\"gone.svg\", which is not in the package"]);
    red("totals/sample/sales.csv", &swap("S1", "S9"), false, &["✕ signature", "was changed after the package was signed"]);
}

/// A package that comes with the program is as it was signed, and its tests hold: what another engine computed from the
/// sample, the figures that the seeds state, each rule by hand. Its full review takes an optimised build:
/// `cargo run --release -- template review templates/NAME`.
#[track_caller]
fn shipped(name: &str) {
    let desk = Desk::new();
    let package = checkout().join("templates").join(name).display().to_string();
    desk.good("", &["template", "verify", &package]);
    let said = desk.good("", &["template", "test", &package]);
    assert!(said.contains(", 0 failed"), "{said}");
}

#[test]
fn the_package_sales_commissions_gives_what_another_engine_gives() {
    shipped("sales-commissions");
}

#[test]
fn the_package_subscription_kpis_gives_what_another_engine_gives() {
    shipped("subscription-kpis");
}

#[test]
fn the_package_supply_chain_gives_what_another_engine_gives() {
    shipped("supply-chain");
}

#[test]
fn three_commands_from_an_empty_folder_pay_commissions_right_to_the_cent() {
    let desk = Desk::new();
    let package = checkout().join("templates/sales-commissions");
    std::fs::copy(package.join("tests/export/deals.csv"), desk.path("crm.csv")).unwrap();
    let listed = desk.good("", &["template", "list"]);
    for name in ["sales-commissions", "subscription-kpis", "supply-chain"] {
        assert!(listed.contains(name), "{listed}");
    }
    desk.good("home", &["template", "install", "sales-commissions"]);
    desk.good("home", &["template", "bind", "deals=../crm.csv"]);
    let said = desk.good("home", &["run", "packages/sales-commissions/workflows/commissions.json"]);
    assert!(said.contains("ledger:commissions  left alone"), "people and quotas still read the sample: {said}");
    let cells = |text: &str| -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    };
    let number = |cell: &str| cell.parse::<rust_decimal::Decimal>().ok();
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(package.join("tests/export.json")).unwrap()).unwrap();
    for (target, file) in expected["expect"].as_object().unwrap().iter().filter(|(target, _)| target.starts_with("file:")) {
        let ours = desk.path("home/packages/sales-commissions").join(target.trim_start_matches("file:"));
        let ours = cells(&std::fs::read_to_string(ours).unwrap());
        let theirs = cells(&std::fs::read_to_string(package.join(file.as_str().unwrap())).unwrap());
        assert_eq!(ours.len(), theirs.len(), "{target}");
        for (at, (mine, other)) in ours.iter().zip(&theirs).enumerate() {
            for (a, b) in mine.iter().zip(other) {
                assert!(a == b || number(a).is_some() && number(a) == number(b), "{target}, line {}: {a} instead of {b}", at + 1);
            }
        }
    }
}
