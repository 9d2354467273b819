//! Documents with problems, files that are none, unsaved work.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use weir_editor::desk::Overlay;

use crate::person::Person;

const BROKEN: &str = r#"{"weir":1,"name":"Broken","nodes":{
    "rows":{"kind":"input.inline","params":{"columns":[{"name":"Stage","type":"text"}],"rows":[["Won"],["Lost"]]}},
    "won":{"kind":"filter","params":{"condition":"[Stge] = \"Won\""}},
    "odd":{"kind":"no.such.kind","params":{}}},
    "edges":[{"from":"rows","to":"won"}]}"#;

#[test]
fn a_document_with_problems_opens_and_is_mended_by_an_offer() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("broken.json");
    std::fs::write(&file, BROKEN).expect("a file");
    let mut me = Person::opens(std::slice::from_ref(&file), &folder.path().join("config"));
    me.wait_checked();
    me.clicks_like("Problems");
    // The problem is named, leads to its field, and what was meant is one click away.
    me.clicks("→ Stage");
    me.wait_checked();
    assert_eq!(me.tab().workflow().nodes["won"].params["condition"], "[Stage] = \"Won\"");
    me.clicks_like("\"no.such.kind\" is not a kind");
    assert_eq!(me.tab().selection.only(), Some("odd"));
    me.selects("won");
    assert_eq!(me.wait_rows(), 1);
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), BROKEN, "nothing was saved unasked");
}

#[test]
fn a_file_that_is_no_workflow_is_explained_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("torn.json");
    std::fs::write(&file, "{\n  \"weir\": 1,\n  \"nodes\": {").expect("a file");
    let mut me = Person::opens(std::slice::from_ref(&file), &folder.path().join("config"));
    assert!(matches!(&me.desk().overlay, Overlay::Unreadable(_, problems) if problems[0].line == Some(3)));
    me.clicks("Close");
    assert!(me.desk().tabs.is_empty());
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "{\n  \"weir\": 1,\n  \"nodes\": {");
}

#[test]
fn unsaved_work_is_found_after_a_crash_and_asked_about_when_closing() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config");
    let mut me = Person::opens(&[], &config);
    me.clicks("New workflow");
    me.clicks("Filter");
    assert_eq!(me.tab().workflow().nodes.len(), 1);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    me.look();
    let unsaved = config.join("unsaved");
    assert_eq!(std::fs::read_dir(&unsaved).expect("the folder").count(), 1);
    // The process dies without a word; the next one has another number.
    drop(me);
    let left = std::fs::read_dir(&unsaved).expect("the folder").next().expect("a file").expect("an entry").path();
    std::fs::rename(&left, unsaved.join("999999999-1.json")).expect("a rename");

    let mut me = Person::opens(&[], &config);
    assert_eq!(me.tab().workflow().nodes.len(), 1);
    assert!(me.tab().document.is_dirty());
    me.key(Modifiers::COMMAND, Key::W);
    assert!(me.harness.query_by_label("Discard changes").is_some());
    me.clicks("Cancel");
    assert_eq!(me.desk().tabs.len(), 1);
    me.key(Modifiers::COMMAND, Key::W);
    me.clicks("Discard changes");
    assert!(me.desk().tabs.is_empty());
}

#[test]
fn a_save_that_fails_keeps_the_old_file_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("gone");
    std::fs::create_dir(&inside).expect("a folder");
    let file = inside.join("flow.json");
    std::fs::write(&file, r#"{"weir":1}"#).expect("a file");
    let mut me = Person::opens(&[file], &folder.path().join("config"));
    me.clicks("Sort");
    std::fs::remove_dir_all(&inside).expect("the folder goes");
    me.key(Modifiers::COMMAND, Key::S);
    assert!(me.tab().document.is_dirty());
    let message = me.desk().message.clone().expect("a message");
    assert!(message.2 && message.0.contains("cannot be saved"), "{message:?}");
}
