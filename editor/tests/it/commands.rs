//! Whatever is done in whatever order leaves a sound document, and undo takes all of it back.

use std::sync::Arc;

use egui::{Key, Modifiers};
use proptest::prelude::*;
use weir_editor::command::{COMMANDS, Command};
use weir_editor::desk::{Ask, Attach, Overlay};
use weir_engine::workflow::Workflow;
use weir_nodes::registry::registry;

use crate::person::Person;

/// Something a person might do next; the numbers pick among what there is.
#[derive(Debug, Clone)]
enum Act {
    Command(usize),
    Add(usize, usize),
    Select(usize),
    AlsoSelect(usize),
    Wire(usize, usize),
    Paste,
    Undo,
    Redo,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => any::<usize>().prop_map(Act::Command),
        4 => (any::<usize>(), any::<usize>()).prop_map(|(kind, attach)| Act::Add(kind, attach)),
        2 => any::<usize>().prop_map(Act::Select),
        1 => any::<usize>().prop_map(Act::AlsoSelect),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Act::Wire(from, to)),
        1 => Just(Act::Paste),
        1 => Just(Act::Undo),
        1 => Just(Act::Redo),
    ]
}

fn pick(me: &mut Person, number: usize) -> Option<String> {
    let workflow = Arc::clone(me.tab().workflow());
    workflow.nodes.keys().nth(number.checked_rem(workflow.nodes.len())?).cloned()
}

fn perform(me: &mut Person, act: &Act) {
    match act {
        Act::Command(number) => {
            let command = COMMANDS[number % COMMANDS.len()].command;
            // Dialogs of the system, files and other tabs have tests of their own.
            let apart = [
                Command::Open,
                Command::Save,
                Command::SaveAs,
                Command::ExportSvg,
                Command::CloseTab,
                Command::New,
                Command::Run,
                Command::Larger,
                Command::Smaller,
                Command::Paste,
            ];
            if !apart.contains(&command) {
                me.desk().ask(Ask::Do(command));
            }
        }
        Act::Add(kind, attach) => {
            let kind = registry()[kind % registry().len()].identity.id;
            let edges = me.tab().workflow().edges.len();
            let attach = match attach % 3 {
                0 => Attach::Nothing,
                1 if edges > 0 => Attach::Into(attach % edges),
                _ => Attach::Selected,
            };
            me.desk().ask(Ask::AddStep(kind, None, attach));
        }
        Act::Select(number) => {
            if let Some(id) = pick(me, *number) {
                me.tab().selection.select(&id);
            }
        }
        Act::AlsoSelect(number) => {
            if let Some(id) = pick(me, *number) {
                me.tab().selection.toggle(&id);
            }
        }
        Act::Wire(from, to) => {
            if let (Some(from), Some(to)) = (pick(me, *from), pick(me, *to)) {
                let edits = weir_editor::edits::connect(me.tab().workflow(), from.as_str().into(), to.as_str().into());
                me.desk().ask(Ask::Change(None, edits));
            }
        }
        Act::Paste => {
            let chosen = me.tab().selection.nodes.clone();
            let part = weir_editor::edits::excerpt(me.tab().workflow(), &chosen);
            let text = part.to_canonical_json().expect("an excerpt can be written");
            me.harness.event(egui::Event::Paste(text));
        }
        Act::Undo => me.harness.key_press_modifiers(Modifiers::COMMAND, Key::Z),
        Act::Redo => me.harness.key_press_modifiers(Modifiers::COMMAND, Key::Y),
    }
    me.harness.step();
    me.desk().overlay = Overlay::None;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_commands_leaves_a_sound_document(acts in prop::collection::vec(act(), 1..40)) {
        let config = tempfile::tempdir().expect("a folder");
        let mut me = Person::opens(&[], config.path());
        me.clicks("New workflow");
        let empty = Arc::clone(me.tab().workflow());
        for act in &acts {
            perform(&mut me, act);
            let workflow = Arc::clone(me.tab().workflow());
            let text = workflow.to_canonical_json().expect("it can be written");
            let read = Workflow::parse(&text, "property").expect("it can be read");
            prop_assert_eq!(&read, &*workflow);
            prop_assert_eq!(read.to_canonical_json().expect("it can be written"), text);
        }
        let last = Arc::clone(me.tab().workflow());
        while me.tab().document.undo_label().is_some() {
            me.tab().document.undo();
        }
        prop_assert_eq!(me.tab().workflow(), &empty);
        while me.tab().document.redo_label().is_some() {
            me.tab().document.redo();
        }
        // What was undone before the end may be redone beyond it.
        prop_assert!(me.tab().document.redo_label().is_none());
        let _ = last;
    }
}

#[test]
fn steps_are_copied_pasted_inserted_and_healed() {
    let config = tempfile::tempdir().expect("a folder");
    let mut me = Person::opens(&[], config.path());
    me.clicks("New workflow");
    me.adds("typed table", "rows");
    me.adds("filter", "won");
    me.adds("sort", "sorted");
    let edges = |me: &mut Person| me.tab().workflow().edges.iter().map(|edge| format!("{}>{}", edge.from, edge.to)).collect::<Vec<_>>();
    assert_eq!(edges(&mut me), ["rows>won", "won>sorted"]);
    // Deleting the middle heals the flow; undo brings it back under one name.
    me.selects("won");
    me.unfocus();
    me.key(Modifiers::NONE, Key::Delete);
    assert_eq!(edges(&mut me), ["rows>sorted"]);
    assert_eq!(me.tab().document.undo_label(), Some("remove won"));
    me.key(Modifiers::COMMAND, Key::Z);
    assert_eq!(edges(&mut me), ["rows>won", "won>sorted"]);
    // A copy is the document's own JSON.
    me.key(Modifiers::COMMAND, Key::A);
    me.harness.event(egui::Event::Copy);
    me.harness.step();
    let copied = me.harness.output().platform_output.commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let copied = copied.expect("a copy");
    assert!(Workflow::parse(&copied, "clipboard").is_ok());
    me.harness.event(egui::Event::Paste(copied));
    me.look();
    assert_eq!(edges(&mut me), ["rows>won", "won>sorted", "rows_2>won_2", "won_2>sorted_2"]);
    assert_eq!(me.tab().selection.nodes.len(), 3);
    // Bypass leaves the step where it is, without wires.
    me.selects("won_2");
    me.unfocus();
    me.key(Modifiers::COMMAND, Key::B);
    assert_eq!(edges(&mut me), ["rows>won", "won>sorted", "rows_2>sorted_2"]);
}

#[test]
fn a_pivot_takes_its_columns_from_the_data_and_a_nested_workflow_shows_its_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = r#"{"weir":1,"name":"Inner","nodes":{
        "rows":{"kind":"port.in","params":{"name":"rows","columns":[{"name":"month"},{"name":"n","type":"integer"}]}},
        "out":{"kind":"port.out","params":{"name":"clean"}}},"edges":[{"from":"rows","to":"out"}]}"#;
    let outer = r#"{"weir":1,"name":"Outer","nodes":{
        "rows":{"kind":"input.inline","params":{"columns":[{"name":"month"},{"name":"n","type":"integer"}],"rows":[["02","1"],["01","2"],["02","5"]]}},
        "inner":{"kind":"workflow","params":{"path":"inner.json","inputs":["rows"],"outputs":["clean"]}},
        "pivot":{"kind":"pivot","params":{"column":"month","values":["02"],"figure":"n"}}},
        "edges":[{"from":"rows","to":"inner"},{"from":"inner","to":"pivot"}]}"#;
    std::fs::write(folder.path().join("inner.json"), inner).expect("a file");
    let file = folder.path().join("outer.json");
    std::fs::write(&file, outer).expect("a file");
    let mut me = Person::opens(std::slice::from_ref(&file), &folder.path().join("config"));
    me.wait_checked();
    me.selects("inner");
    assert_eq!(me.wait_rows(), 3);
    me.selects("pivot");
    me.wait("the values that arrive", |desk| desk.tabs[desk.current].coverage.is_some());
    me.look();
    me.clicks("Fill from data");
    me.wait_checked();
    assert_eq!(me.tab().workflow().nodes["pivot"].params["values"], serde_json::json!(["02", "01"]));
    assert_eq!(me.wait_rows(), 1);
}
