//! Ten thousand versions of a workflow with two hundred steps: how long history, difference and rollback take, and how
//! much room they need.

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use weir_engine::approval::Person;
use weir_engine::history::{History, verify};
use weir_engine::project::Project;
use weir_engine::workflow::{Edit, Workflow};

const VERSIONS: usize = 10_000;
const STEPS: usize = 200;

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().map_or(0, |m| m.len()) }).sum()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let nodes: serde_json::Map<String, serde_json::Value> =
        (0..STEPS).map(|i| (format!("s{i}"), json!({ "kind": "filter", "params": { "condition": format!("[amount] > {i}") } }))).collect();
    let edges: Vec<_> = (1..STEPS).map(|i| json!({ "from": format!("s{}", i - 1), "to": format!("s{i}") })).collect();
    let mut workflow = Workflow::parse(&json!({ "weir": 1, "name": "Long", "nodes": nodes, "edges": edges }).to_string(), "w")
        .map_err(|p| p[0].to_string())?;
    let file = folder.path().join("w.json");
    let project = Project::around(folder.path())?;
    let (history, person) = (History::of(&project), Person::named(&project, "me"));
    let start = Instant::now();
    for i in 0..VERSIONS {
        let edit =
            Edit::SetParam { id: format!("s{}", i % STEPS), name: "condition".into(), value: format!("[amount] > {}", i * 7).into() };
        workflow = workflow.apply(&edit)?;
        history.save(&person, &file, &workflow, &format!("change {i}"), None)?;
    }
    println!("{VERSIONS} versions of {STEPS} steps saved in {:.1?}, {:.2?} each", start.elapsed(), start.elapsed() / VERSIONS as u32);
    workflow.save(&file)?;
    let whole = workflow.to_canonical_json()?.len() as u64;
    let store = size(&project.history());
    println!(
        "the store has {} kB: {} bytes for each version; one copy of the workflow has {} kB",
        store / 1024,
        store / VERSIONS as u64,
        whole / 1024
    );
    let start = Instant::now();
    let newest = history.log("w.json", 20)?;
    println!("history, the newest 20: {:.1?}", start.elapsed());
    let start = Instant::now();
    let all = history.log("w.json", usize::MAX)?;
    println!("history, all {}: {:.1?}", all.len(), start.elapsed());
    let start = Instant::now();
    let difference = history.difference(&all[all.len() - 50], &newest[0])?;
    println!("difference of the 50th and the newest, {} steps differ: {:.1?}", difference.steps.len(), start.elapsed());
    let start = Instant::now();
    let back = history.rollback(&person, &file, &all[VERSIONS / 2].id, "")?;
    println!("rollback by {} versions to #{}: {:.1?}", VERSIONS / 2, back.commit.number, start.elapsed());
    let start = Instant::now();
    let verified = verify(&project).map_err(|problems| problems[0].to_string())?;
    println!("verification of {} objects and {} lines: {:.1?}", verified.objects, verified.entries, start.elapsed());
    Ok(())
}
