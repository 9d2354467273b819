//! Versions and origins, as a person meets them.

use std::path::{Path, PathBuf};

use crate::person::Person;

const FLOW: &str = r#"{"weir":1,"name":"Flow","nodes":{
    "deals":{"kind":"input.csv","params":{"path":"deals.csv"}},
    "won":{"kind":"filter","params":{"condition":"[stage] = \"won\""}},
    "sum":{"kind":"aggregate","params":{"by":["owner"],"measures":[{"as":"total","function":"sum","column":"amount"}]}},
    "out":{"kind":"load.csv","params":{"path":"out.csv"}}},
    "edges":[{"from":"deals","to":"won"},{"from":"won","to":"sum"},{"from":"sum","to":"out"}]}"#;

fn project(folder: &Path) -> PathBuf {
    std::fs::write(folder.join("deals.csv"), "id,owner,stage,amount\n1,Ann,won,10.00\n2,Bob,lost,5.00\n3,Ann,won,0.50\n4,Bob,won,7.00\n")
        .unwrap();
    let file = folder.join("flow.json");
    std::fs::write(&file, FLOW).unwrap();
    file
}

#[test]
fn a_version_is_saved_compared_and_brought_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = project(folder.path());
    let mut me = Person::opens(std::slice::from_ref(&file), &folder.path().join("config"));
    me.wait_checked();
    me.clicks("Versions");
    me.wait("the versions are read", |desk| desk.tab().is_some_and(|tab| tab.versions.is_some()));
    me.fills("Why did it change?", "first");
    me.clicks("Save version");
    me.wait("the version is listed", |desk| {
        desk.tab().is_some_and(|tab| matches!(&tab.versions, Some(Ok(versions)) if versions.list.len() == 1))
    });
    me.selects("won");
    me.fills("Condition", "[stage] = \"lost\"");
    me.wait_checked();
    me.clicks("Versions");
    me.clicks("Compare with version #1");
    me.wait("the version lies over the canvas", |desk| desk.tab().is_some_and(|tab| tab.comparison.is_some()));
    let changed: Vec<String> = me.tab().comparison.as_ref().unwrap().difference.1.steps.keys().cloned().collect();
    assert_eq!(changed, ["won"]);
    me.clicks("Effect on the figures");
    me.wait("both versions ran", |desk| {
        desk.tab().is_some_and(|tab| tab.comparison.as_ref().is_some_and(|comparison| comparison.effect.is_some()))
    });
    let effect = me.tab().comparison.as_ref().unwrap().effect.clone().unwrap().unwrap();
    let total = &effect.outputs[0].totals[0];
    assert_eq!(
        (total.before.as_deref(), total.after.as_deref(), total.difference.as_deref()),
        (Some("17.50"), Some("5.00"), Some("-12.50"))
    );
    // What is on the screen is not saved: going back would lose it, and says so.
    me.clicks("Go back to it");
    me.wait("it is refused", |desk| desk.message.as_ref().is_some_and(|(_, _, bad)| *bad));
    me.fills("Why did it change?", "only the lost ones");
    me.clicks("Save version");
    me.wait("the second version is listed", |desk| {
        desk.tab().is_some_and(|tab| matches!(&tab.versions, Some(Ok(versions)) if versions.list.len() == 2))
    });
    me.clicks("Compare with version #1");
    me.wait("the version lies over the canvas", |desk| desk.tab().is_some_and(|tab| tab.comparison.is_some()));
    me.clicks("Go back to it");
    me.wait("the rule is that of the first version", |desk| {
        desk.tab().is_some_and(|tab| tab.workflow().nodes["won"].params["condition"] == "[stage] = \"won\"")
    });
    assert!(std::fs::read_to_string(&file).unwrap().contains("\\\"won\\\""));
}

#[test]
fn a_cell_says_where_it_comes_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = project(folder.path());
    let mut me = Person::opens(std::slice::from_ref(&file), &folder.path().join("config"));
    me.wait_checked();
    me.selects("sum");
    assert_eq!(me.wait_rows(), 2);
    me.opens_menu_below("column: total", 0.0);
    me.clicks("Where does this come from?");
    me.wait("it was followed back", |desk| desk.tab().is_some_and(|tab| tab.origin.as_ref().is_some_and(|origin| origin.trace.is_some())));
    let tab = me.tab();
    let origin = tab.origin.as_ref().unwrap();
    let trace = origin.trace.as_ref().unwrap().as_ref().unwrap();
    assert_eq!((origin.figure.0.as_str(), origin.figure.1.as_str()), ("total", "10.50"));
    assert_eq!((trace.sources[0].label.as_str(), trace.sources[0].positions.as_slice()), ("deals.csv line", &[2, 4][..]));
    assert!(trace.reproduced && origin.passes("won") && !origin.passes("out"));
}
