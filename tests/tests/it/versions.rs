//! Versions, differences, branches and approvals, by the real program on real files.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_tests::weir::{Folder, Ran};

const FILE: &str = "workflows/w.json";
const CONFIG: &str = r#"
name = "versions"
[people.ada]
role = "administrator"
[people.jean]
role = "preparer"
[people.vera]
role = "validator"
[people.max]
role = "validator"
[people.rita]
role = "reader"
"#;

fn workflow(rate: &str, table: &str) -> String {
    json!({
        "weir": 1, "name": "W",
        "nodes": {
            "deals": { "kind": "input.csv", "params": { "path": "data/deals.csv" } },
            "won": { "kind": "filter", "params": { "condition": "[stage] = \"won\"" } },
            "rate": { "kind": "formula", "params": { "columns": [{ "name": "commission", "formula": format!("ROUND([arr] * {rate}, 2)") }] } },
            "tie": { "kind": "control.budget", "params": { "value": "[commission]", "limit": "1000" } },
            "load": { "kind": "load.ledger", "params": { "table": table, "mode": "upsert", "keys": ["id"], "governed": true } },
            "csv": { "kind": "load.csv", "params": { "path": "out/out.csv" } }
        },
        "edges": [
            { "from": "deals", "to": "won" }, { "from": "won", "to": "rate" }, { "from": "rate", "to": "tie" },
            { "from": "tie", "to": "load" }, { "from": "tie", "to": "csv" }
        ],
        "layout": { "nodes": { "deals": [0.0, 0.0] }, "groups": [], "comments": [] }
    })
    .to_string()
}

fn project() -> Folder {
    let project = Folder::empty().unwrap();
    project.write("weir.toml", CONFIG).unwrap();
    project.write("data/deals.csv", "id,stage,arr\n1,won,1000.00\n2,lost,50.00\n3,won,0.10\n").unwrap();
    project.write(FILE, workflow("12%", "commissions")).unwrap();
    project
}

/// Runs a command as a person, who has a passphrase and keys of their own.
fn by(project: &Folder, person: &str, args: &[&str]) -> Ran {
    let output = command(project, person, args).output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn command(project: &Folder, person: &str, args: &[&str]) -> Command {
    let mut command = project.command(args);
    let keys = project.path().join("keys-of-people");
    command.env("WEIR_USER", person).env("WEIR_KEYS", keys).env("WEIR_PASSPHRASE", format!("the secret of {person}"));
    command
}

fn done(ran: Ran) -> String {
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    ran.out
}

fn refused(ran: &Ran, words: &str) {
    assert!(ran.code != Some(0) && ran.err.contains(words), "{words}: {:?} {}{}", ran.code, ran.out, ran.err);
}

/// Gives everybody a key and enters the keys into `weir.toml`, as an administrator does.
fn keys(project: &Folder) {
    let mut config = CONFIG.to_owned();
    for person in ["ada", "jean", "vera", "max", "rita"] {
        let out = done(by(project, person, &["key", "new"]));
        let key = out.lines().find(|line| line.starts_with("key")).unwrap();
        config = config.replace(&format!("[people.{person}]"), &format!("[people.{person}]\n{key}"));
    }
    project.write("weir.toml", config).unwrap();
}

fn head(project: &Folder) -> String {
    let log: Value = serde_json::from_str(&by(project, "rita", &["history", FILE, "--json"]).out).unwrap();
    log["versions"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_version_is_saved_shown_compared_and_brought_back() {
    let project = project();
    done(by(&project, "jean", &["save", FILE, "-m", "first"]));
    assert!(done(by(&project, "jean", &["save", FILE, "-m", "again"])).contains("Nothing has changed"));
    let first = project.read(FILE).unwrap();
    project.write(FILE, workflow("15%", "commissions").replace("\"won\\\"", "\"Won\\\"")).unwrap();
    let diff = done(by(&project, "rita", &["diff", FILE]));
    assert!(diff.contains("ROUND([arr] * [-12-]{+15+}%, 2)"), "{diff}");
    assert!(diff.contains("[stage] = [-\"won\"-]{+\"Won\"+}"), "{diff}");
    project.write(FILE, workflow("15%", "commissions")).unwrap();
    let data = done(by(&project, "rita", &["diff", FILE, "--data"]));
    // 120.00 + 0.01 before, 150.00 + 0.02 after: 0.015 is rounded half away from zero.
    assert!(data.contains("commission: 120.01 → 150.02 (difference 30.01)") && data.contains("2 changed (by id)"), "{data}");
    done(by(&project, "jean", &["save", FILE, "-m", "15 %"]));
    let second = head(&project);
    let shown = done(by(&project, "rita", &["show", &second[..8]]));
    assert!(shown.contains("jean") && shown.contains("15 %") && shown.contains("draft"), "{shown}");
    // Moving a box is no new rule, and is told apart.
    project.write(FILE, workflow("15%", "commissions").replace("[0.0,0.0]", "[50.0,0.0]")).unwrap();
    let moved = done(by(&project, "rita", &["diff", FILE]));
    assert!(moved.contains("The drawing differs") && !moved.contains("rate"), "{moved}");
    refused(&by(&project, "jean", &["rollback", FILE, "#1"]), "not saved as a version");
    done(by(&project, "jean", &["save", FILE, "-m", "moved"]));
    let start = Instant::now();
    done(by(&project, "jean", &["rollback", FILE, "#1", "-m", "12 % it is"]));
    println!("rollback: {:?}", start.elapsed());
    let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(value(&project.read(FILE).unwrap()), value(&first));
    let log = done(by(&project, "rita", &["history", FILE]));
    assert!(log.contains("#4") && log.contains("12 % it is (rollback)"), "{log}");

    for (args, words) in [
        (vec!["show", "ffffffff"], "no version \"ffffffff\""),
        (vec!["diff", FILE, "#9"], "The newest is #4"),
        (vec!["diff", FILE, "approvd"], "approved"),
        (vec!["rollback", FILE, "approved"], "None is approved yet"),
        (vec!["save", FILE, "-m", "x", "--base", "#2"], "saved version #4"),
    ] {
        refused(&by(&project, "jean", &args), words);
    }
    refused(&by(&project, "rita", &["save", FILE, "-m", "x"]), "is a reader and may not save versions");
    refused(&by(&project, "nobody", &["save", FILE, "-m", "x"]), "not among the people");
    assert!(done(by(&project, "rita", &["audit", "verify"])).contains("whole"));
}

#[test]
fn a_variant_is_merged_setting_by_setting() {
    let project = project();
    done(by(&project, "jean", &["save", FILE, "-m", "first"]));
    done(by(&project, "jean", &["branch", FILE, "what-if"]));
    project.write(FILE, workflow("20%", "commissions")).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "20 %"]));
    done(by(&project, "jean", &["branch", FILE, "--switch", "main"]));
    assert!(project.read(FILE).unwrap().contains("12%"));
    project.write(FILE, workflow("12%", "bonus")).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "another table"]));
    done(by(&project, "jean", &["merge", FILE, "what-if"]));
    let merged = project.read(FILE).unwrap();
    assert!(merged.contains("20%") && merged.contains("bonus"), "{merged}");
    refused(&by(&project, "jean", &["merge", FILE, "what-if"]), "nothing that this branch has not");

    done(by(&project, "jean", &["branch", FILE, "--switch", "what-if"]));
    project.write(FILE, workflow("25%", "commissions")).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "25 %"]));
    done(by(&project, "jean", &["branch", FILE, "--switch", "main"]));
    project.write(FILE, workflow("22%", "bonus")).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "22 %"]));
    let before = project.read(FILE).unwrap();
    let conflict = by(&project, "jean", &["merge", FILE, "what-if"]);
    assert_eq!(conflict.code, Some(1), "{}{}", conflict.out, conflict.err);
    assert!(
        conflict.err.contains("step rate, columns") && conflict.err.contains("22%") && conflict.err.contains("25%"),
        "{}",
        conflict.err
    );
    assert_eq!(project.read(FILE).unwrap(), before, "nothing was merged");
    done(by(&project, "jean", &["merge", FILE, "what-if", "--prefer", "theirs"]));
    assert!(project.read(FILE).unwrap().contains("25%"));
}

#[test]
fn governed_tables_take_approved_versions_only() {
    let project = project();
    done(by(&project, "jean", &["save", FILE, "-m", "first"]));
    refused(&by(&project, "jean", &["run", FILE]), "no version is approved");
    let draft = done(by(&project, "jean", &["run", FILE, "--draft"]));
    assert!(draft.contains("left alone") && project.has("out/out.csv"), "{draft}");
    refused(&by(&project, "jean", &["propose", FILE, "-m", "q4"]), "has no key");
    keys(&project);
    let proposal = done(by(&project, "jean", &["propose", FILE, "-m", "q4"]));
    assert!(proposal.contains("commission: 120.01") && proposal.contains("✓ tie"), "{proposal}");
    refused(&by(&project, "jean", &["approve", FILE, "-m", "mine"]), "is a preparer and may not");
    refused(&by(&project, "rita", &["approve", FILE, "-m", "fine"]), "is a reader and may not");
    let wrong = command(&project, "vera", &["approve", FILE, "-m", "ok"]).env("WEIR_PASSPHRASE", "something else").output().unwrap();
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("does not open the key"));
    // Somebody else's key in vera's place.
    let place = |person: &str| project.path().join(format!("keys-of-people/{person}.key"));
    let own = fs::read(place("vera")).unwrap();
    fs::copy(place("max"), place("vera")).unwrap();
    let stolen = command(&project, "vera", &["approve", FILE, "-m", "ok"]).env("WEIR_PASSPHRASE", "the secret of max").output().unwrap();
    assert!(String::from_utf8_lossy(&stolen.stderr).contains("not the key of \"vera\""), "{}", String::from_utf8_lossy(&stolen.stderr));
    fs::write(place("vera"), own).unwrap();
    done(by(&project, "vera", &["approve", FILE, "-m", "checked"]));
    assert!(done(by(&project, "rita", &["history", FILE])).contains("approved ←"));

    let ran = done(by(&project, "jean", &["run", FILE, "--json"]));
    let certificate: Value = serde_json::from_str(&ran).unwrap();
    assert_eq!((certificate["approval"]["by"].as_str(), certificate["approval"]["same_inputs"].as_bool()), (Some("vera"), Some(true)));
    // The same once more is noticed.
    refused(&by(&project, "jean", &["run", FILE]), "loaded exactly this");
    done(by(&project, "jean", &["run", FILE, "--again"]));
    // A changed rule is not what was approved; a moved box is.
    project.write(FILE, workflow("13%", "commissions")).unwrap();
    refused(&by(&project, "jean", &["run", FILE]), "not the one that was approved (#1)");
    project.write(FILE, workflow("12%", "commissions").replace("[0.0,0.0]", "[9.0,0.0]")).unwrap();
    done(by(&project, "jean", &["run", FILE, "--again"]));
    // The administrator may approve, but not what they made.
    project.write(FILE, workflow("14%", "commissions")).unwrap();
    done(by(&project, "ada", &["save", FILE, "-m", "14 %"]));
    let second = done(by(&project, "jean", &["propose", FILE, "-m", "14"]));
    assert!(second.contains("commission: 120.01 → 140.01 (difference 20.00)"), "{second}");
    refused(&by(&project, "ada", &["approve", FILE, "-m", "mine"]), "separation of duties");
    done(by(&project, "max", &["reject", FILE, "-m", "not agreed"]));
    refused(&by(&project, "jean", &["run", FILE]), "not the one that was approved");
    let log = done(by(&project, "rita", &["audit", "log", "--event", "approve", "--event", "reject", "--json"]));
    let log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log.as_array().unwrap().iter().map(|entry| entry["user"].as_str().unwrap()).collect::<Vec<_>>(), ["vera", "max"]);
    assert!(done(by(&project, "rita", &["audit", "verify"])).contains("whole"));
    let csv = done(by(&project, "rita", &["audit", "log", "--csv", "--user", "jean"]));
    assert!(csv.lines().skip(1).all(|line| line.contains("jean")) && csv.lines().count() > 4, "{csv}");
}

#[test]
fn an_approval_counts_as_far_as_its_maker_could_give_it_and_covers_nested_workflows() {
    let project = project();
    keys(&project);
    let inner = json!({
        "weir": 1, "name": "inner",
        "nodes": { "in": { "kind": "port.in", "params": { "name": "rows", "columns": [{ "name": "id", "type": "integer" }] } }, "out": { "kind": "port.out", "params": { "name": "rows" } } },
        "edges": [{ "from": "in", "to": "out" }]
    });
    project.write("workflows/inner.json", inner.to_string()).unwrap();
    let mut text: Value = serde_json::from_str(&workflow("12%", "commissions")).unwrap();
    text["nodes"]["inner"] =
        json!({ "kind": "workflow", "params": { "path": "workflows/inner.json", "inputs": ["rows"], "outputs": ["rows"] } });
    text["nodes"]["more"] = json!({ "kind": "load.csv", "params": { "path": "out/more.csv" } });
    text["edges"].as_array_mut().unwrap().extend([json!({ "from": "rate", "to": "inner" }), json!({ "from": "inner", "to": "more" })]);
    project.write(FILE, text.to_string()).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "first"]));
    done(by(&project, "jean", &["propose", FILE, "-m", "first"]));
    done(by(&project, "ada", &["approve", FILE, "-m", "fine"]));
    done(by(&project, "jean", &["run", FILE]));
    let config = project.read("weir.toml").unwrap();
    project.write("weir.toml", config.replace("role = \"administrator\"", "role = \"preparer\"")).unwrap();
    refused(&by(&project, "jean", &["run", FILE, "--again"]), "\"ada\" is a preparer and may not approve");
    project.write("weir.toml", config).unwrap();
    let changed = inner.to_string().replace("\"edges\"", "\"description\":\"changed\",\"edges\"");
    project.write("workflows/inner.json", changed).unwrap();
    refused(&by(&project, "jean", &["run", FILE, "--again"]), "nested workflow is not the one that was approved");
}

#[test]
fn variance_and_budget_keep_a_version_from_being_proposed() {
    let project = project();
    keys(&project);
    let config = project.read("weir.toml").unwrap();
    project.write("weir.toml", format!("{config}\n[approval]\nvariance = \"10\"\n")).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "first"]));
    done(by(&project, "jean", &["propose", FILE, "-m", "first"]));
    done(by(&project, "vera", &["approve", FILE, "-m", "first"]));
    project.write(FILE, workflow("13.5%", "commissions")).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "more"]));
    refused(&by(&project, "jean", &["propose", FILE, "-m", "more"]), "moves by 12.50 %, and 10 % are allowed");
    project.write(FILE, workflow("200%", "commissions")).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "much more"]));
    refused(&by(&project, "jean", &["propose", FILE, "-m", "much more"]), "fails on its inputs");
}

#[test]
fn a_failed_control_is_waived_by_a_validator_with_a_reason() {
    let project = project();
    let text = workflow("200%", "commissions").replace("\"governed\":true", "\"governed\":false");
    project.write(FILE, text).unwrap();
    assert_eq!(by(&project, "vera", &["run", FILE]).code, Some(1));
    let waive = ["run", FILE, "--waive", "tie", "--reason", "bonus year, agreed by the board"];
    refused(&by(&project, "jean", &waive), "is a preparer and may not waive a control");
    refused(&by(&project, "vera", &["run", FILE, "--waive", "tei", "--reason", "x"]), "\"tie\"");
    let ran = done(by(&project, "vera", &waive));
    assert!(ran.contains("waived by vera: bonus year"), "{ran}");
    let log = done(by(&project, "rita", &["audit", "log", "--event", "waive"]));
    assert!(log.contains("vera") && log.contains("bonus year"), "{log}");
    // Once: the next run is blocked again.
    assert_eq!(by(&project, "vera", &["run", FILE, "--again"]).code, Some(1));
}

#[test]
fn everything_is_computed_twice_and_again_later() {
    let project = project();
    let text = workflow("12%", "commissions").replace("\"governed\":true", "\"governed\":false");
    project.write(FILE, &text).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "first"]));
    let ran: Value = serde_json::from_str(&done(by(&project, "jean", &["run", FILE, "--shadow", "--json"]))).unwrap();
    assert!(ran["shadow"]["threads"].is_number() && ran["verdicts"].as_array().unwrap().len() == 3, "{ran}");
    let run = ran["run"].as_str().unwrap();
    project.write(FILE, text.replace("12%", "13%")).unwrap();
    assert!(done(by(&project, "rita", &["verify", run])).contains("✓ ledger:commissions"), "the saved version counts, not the file");
    project.write("data/deals.csv", "id,stage,arr\n1,won,1000.01\n").unwrap();
    refused(&by(&project, "rita", &["verify", run]), "data/deals.csv");
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

#[test]
fn whatever_is_altered_is_found_and_named() {
    let project = project();
    keys(&project);
    for rate in ["11%", "12%", "13%", "12%"] {
        project.write(FILE, workflow(rate, "commissions")).unwrap();
        done(by(&project, "jean", &["save", FILE, "-m", rate]));
    }
    done(by(&project, "jean", &["propose", FILE, "-m", "q4"]));
    done(by(&project, "vera", &["approve", FILE, "-m", "ok"]));
    done(by(&project, "jean", &["run", FILE]));
    let root = weir_engine::project::Project::around(project.path()).unwrap();
    let whole = || weir_engine::history::verify(&root);
    assert!(whole().is_ok());
    let mut targets: Vec<_> = files(&project.path().join(".weir/history/objects"));
    targets.push(project.path().join(".weir/audit.jsonl"));
    targets.push(project.path().join(".weir/audit.end"));
    targets.push(project.path().join(".weir/history/refs").join(FILE).join("heads/main"));
    targets.push(project.path().join(".weir/history/refs").join(FILE).join("approved"));
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for flip in 0..200 {
        let target = &targets[random(targets.len())];
        let before = fs::read(target).unwrap();
        let mut bytes = before.clone();
        let at = random(bytes.len());
        bytes[at] ^= 1 << random(8);
        fs::write(target, &bytes).unwrap();
        let problems = whole().expect_err(&format!("flip {flip} at {at} of {} was not found", target.display()));
        let said = problems.iter().map(ToString::to_string).collect::<String>();
        let name = target.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            said.contains(&name) || said.contains("audit chain") || said.contains("heads/main"),
            "flip {flip} of {}: {said}",
            target.display()
        );
        fs::write(target, before).unwrap();
    }
    assert!(whole().is_ok(), "all was put back");
    // Lines that are removed, doubled or change places; an object that is gone; a certificate that says something else.
    let chain = project.path().join(".weir/audit.jsonl");
    let text = fs::read_to_string(&chain).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let changed: [Vec<&str>; 4] = [
        lines.iter().enumerate().filter(|(i, _)| *i != 6).map(|(_, line)| *line).collect(),
        lines[..lines.len() - 1].to_vec(),
        {
            let mut lines = lines.clone();
            lines.swap(6, 7);
            lines
        },
        {
            let mut lines = lines.clone();
            lines.insert(5, lines[5]);
            lines
        },
    ];
    for (i, lines) in changed.iter().enumerate() {
        fs::write(&chain, lines.join("\n") + "\n").unwrap();
        assert!(whole().is_err(), "change {i} of the chain was not found");
    }
    fs::write(&chain, &text).unwrap();
    let object = &targets[1];
    let bytes = fs::read(object).unwrap();
    fs::remove_file(object).unwrap();
    assert!(whole().is_err(), "a removed object");
    fs::write(object, bytes).unwrap();
    let certificate = files(&project.path().join(".weir/runs")).into_iter().find(|path| path.ends_with("certificate.json")).unwrap();
    let said = fs::read_to_string(&certificate).unwrap();
    fs::write(&certificate, said.replace("\"rows\": 2", "\"rows\": 3")).unwrap();
    assert!(whole().is_err(), "an altered certificate");
    fs::write(&certificate, said).unwrap();
    assert!(whole().is_ok());
    // A signature that is not its person's does not count.
    let head = project.path().join(".weir/history/refs").join(FILE).join("approved");
    fs::write(&head, "0".repeat(64)).unwrap();
    let ran = by(&project, "jean", &["run", FILE, "--again"]);
    assert!(ran.code == Some(0) || ran.err.contains("has no object"), "{}", ran.err);
}

#[test]
fn a_save_killed_at_any_moment_loses_nothing_that_was_acknowledged() {
    let project = project();
    done(by(&project, "jean", &["save", FILE, "-m", "0"]));
    let start = Instant::now();
    project.write(FILE, workflow("1%", "commissions")).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "whole"]));
    let whole = start.elapsed();
    let (mut acknowledged, mut killed) = (vec!["0".to_owned(), "whole".to_owned()], 0);
    for kill in 1..=200_u32 {
        project.write(FILE, workflow(&format!("{kill}%"), &format!("t{kill}"))).unwrap();
        let message = format!("kill {kill}");
        let mut child =
            command(&project, "jean", &["save", FILE, "-m", &message]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + whole.mul_f64(f64::from((kill * 37) % 170) / 100.0);
        let mut ended = None;
        while Instant::now() < deadline && ended.is_none() {
            ended = child.try_wait().unwrap();
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().unwrap();
        let ended = ended.unwrap_or(child.wait().unwrap());
        if ended.success() { acknowledged.push(message) } else { killed += 1 }
    }
    project.write(FILE, workflow("99%", "last")).unwrap();
    done(by(&project, "jean", &["save", FILE, "-m", "last"]));
    acknowledged.push("last".into());
    let log: Value = serde_json::from_str(&done(by(&project, "rita", &["history", FILE, "--most", "0", "--json"]))).unwrap();
    let versions = log["versions"].as_array().unwrap();
    let messages: Vec<&str> = versions.iter().rev().map(|version| version["message"].as_str().unwrap()).collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|message| !messages.contains(&message.as_str())).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    for (i, version) in versions.iter().rev().enumerate() {
        assert_eq!(version["number"].as_u64(), Some(i as u64 + 1), "versions are numbered without a gap");
    }
    assert!(killed > 20 && acknowledged.len() > 20, "kills should fall on both sides: {killed} killed, {} saved", acknowledged.len());
    println!("200 kills: {killed} before the end, {} acknowledged, {} versions", acknowledged.len(), versions.len());
    assert!(done(by(&project, "rita", &["audit", "verify"])).contains("whole"));
}

#[test]
fn people_who_save_at_once_lose_nothing() {
    let project = project();
    done(by(&project, "jean", &["save", FILE, "-m", "start"]));
    // Each saves a file of their own content through the engine: both land, one after the other.
    let root = weir_engine::project::Project::around(project.path()).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let root = &root;
            scope.spawn(move || {
                let history = weir_engine::history::History::of(root);
                let person = weir_engine::approval::Person::named(root, "jean");
                for turn in 0..10 {
                    let text = workflow(&format!("{writer}.{turn}%"), "commissions");
                    let document = weir_engine::workflow::Workflow::parse(&text, "w").unwrap();
                    history.save(&person, &root.path(FILE), &document, &format!("{writer}/{turn}"), None).unwrap();
                }
            });
        }
    });
    let log: Value = serde_json::from_str(&done(by(&project, "rita", &["history", FILE, "--most", "0", "--json"]))).unwrap();
    assert_eq!(log["versions"].as_array().unwrap().len(), 41);
    assert!(done(by(&project, "rita", &["audit", "verify"])).contains("whole"));
}
