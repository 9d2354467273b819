//! A person at the editor.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui::{Key, Modifiers, Pos2, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::{By, NodeT, Queryable};
use weir_editor::app::App;
use weir_editor::desk::{Desk, Tab};
use weir_editor::settings::Settings;
use weir_editor::text::Language;

/// The editor, and the folder it works in.
pub struct Person {
    pub harness: Harness<'static, Option<App>>,
}

impl Person {
    /// Opens the editor with these files, in English, with a folder of its own for settings.
    pub fn opens(files: &[PathBuf], config: &Path) -> Self {
        let settings = Settings { language: Some(Language::En), ..Settings::load(config) };
        settings.save(config);
        let (files, config) = (files.to_vec(), config.to_owned());
        let harness = Harness::builder().with_size(egui::vec2(1600.0, 1800.0)).with_max_steps(40).build_ui_state(
            move |ui, app: &mut Option<App>| {
                let app = app.get_or_insert_with(|| App::new(ui.ctx(), &files, Some(config.clone())).expect("the engine starts"));
                app.frame(ui);
            },
            None,
        );
        let mut person = Self { harness };
        person.look();
        person
    }

    /// Lets some frames pass.
    pub fn look(&mut self) {
        self.harness.run_steps(3);
    }

    pub fn desk(&mut self) -> &mut Desk {
        &mut self.harness.state_mut().as_mut().expect("the editor is open").desk
    }

    pub fn tab(&mut self) -> &mut Tab {
        self.desk().tab_mut().expect("a workflow is open")
    }

    /// Waits for something to be so.
    pub fn wait(&mut self, what: &str, mut so: impl FnMut(&mut Desk) -> bool) {
        let start = Instant::now();
        loop {
            self.harness.step();
            if so(self.desk()) {
                return self.look();
            }
            assert!(start.elapsed() < Duration::from_mins(2), "waited too long for {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the engine has looked at the present workflow.
    pub fn wait_checked(&mut self) {
        self.wait("the check", |desk| desk.tab().is_some_and(Tab::is_current));
    }

    /// Waits until the rows of the selected step are shown, all of them; gives their number.
    pub fn wait_rows(&mut self) -> u64 {
        self.wait("the rows", |desk| {
            let tab = desk.tab().expect("a workflow is open");
            let shown = tab.showing.is_some() && tab.showing == tab.wanted() && tab.is_current();
            assert!(tab.main.problem.is_none(), "{:?}", tab.main.problem);
            shown && !tab.main.fading && tab.main.grid.as_ref().is_some_and(|grid| grid.is_complete())
        });
        self.tab().main.grid.as_ref().expect("rows").rows()
    }

    pub fn key(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.look();
    }

    pub fn types(&mut self, text: &str) {
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.look();
    }

    /// Lets the engine's answer to the last change come: nobody is so quick that what is clicked moves in between.
    fn settles(&mut self) {
        self.wait("the engine's answer", |desk| desk.tab().is_none_or(Tab::is_current));
    }

    /// Clicks what has this name; the last one where there are several.
    pub fn clicks(&mut self, name: &str) {
        self.settles();
        let node = self.harness.query_all_by_label(name).last();
        node.unwrap_or_else(|| panic!("nothing is called \"{name}\" among {:?}", self.names_there())).click_accesskit();
        self.look();
    }

    /// Clicks what changes the workflow, again where it moved away under the hand: rows that arrive move a form's parts.
    pub fn changes_by(&mut self, name: &str) {
        let before = self.tab().document.revision();
        for _ in 0..20 {
            self.clicks(name);
            if self.tab().document.revision() != before {
                return;
            }
        }
        panic!("\"{name}\" changes nothing");
    }

    /// Everything that has a name: what a screen reader can find.
    fn names_there(&self) -> Vec<String> {
        let named = self.harness.query_all(By::new().predicate(|node| node.label().is_some()));
        named.filter_map(|node| node.accesskit_node().label()).collect()
    }

    /// Clicks the last thing whose name begins like this.
    pub fn clicks_like(&mut self, name: &str) {
        self.settles();
        let begins = |node: &egui_kittest::kittest::AccessKitNode<'_>| node.label().is_some_and(|label| label.starts_with(name));
        let node = self.harness.query_all(By::new().predicate(begins)).last();
        node.unwrap_or_else(|| panic!("nothing is called \"{name}…\" among {:?}", self.names_there())).click_accesskit();
        self.look();
    }

    /// Fills the last field with this name.
    pub fn fills(&mut self, field: &str, text: &str) {
        self.fills_alone(field, text);
        // What is typed counts at once; leaving the field closes its completion.
        self.harness.get_by_label("Run").focus();
        self.look();
    }

    /// The same where nothing else can take the focus: on a page above the window.
    pub fn fills_alone(&mut self, field: &str, text: &str) {
        let text_field =
            |node: &egui_kittest::kittest::AccessKitNode<'_>| matches!(node.role(), Role::TextInput | Role::MultilineTextInput);
        let node = self.harness.query_all(By::new().label(field).predicate(text_field)).last();
        node.unwrap_or_else(|| panic!("no field is called \"{field}\"")).focus();
        self.look();
        self.key(Modifiers::COMMAND, Key::A);
        self.types(text);
    }

    /// Opens the last list with this name and takes an entry.
    pub fn chooses(&mut self, field: &str, entry: &str) {
        let combo = |node: &egui_kittest::kittest::AccessKitNode<'_>| node.role() == Role::ComboBox;
        let node = self.harness.query_all(By::new().label(field).predicate(combo)).last();
        node.unwrap_or_else(|| panic!("no list is called \"{field}\" among {:?}", self.names_there())).click_accesskit();
        self.look();
        self.clicks_like(entry);
        // A pointer's click closes the list; a screen reader's leaves that to the person.
        self.closes_popups();
    }

    /// Closes an open list with Escape.
    fn closes_popups(&mut self) {
        if egui::Popup::is_any_open(&self.harness.ctx) {
            self.key(Modifiers::NONE, Key::Escape);
        }
    }

    /// Ticks columns in the last list of columns with this name.
    pub fn ticks(&mut self, field: &str, columns: &[&str]) {
        let button = |node: &egui_kittest::kittest::AccessKitNode<'_>| node.role() == Role::Button;
        let node = self.harness.query_all(By::new().label(field).predicate(button)).last();
        node.unwrap_or_else(|| panic!("no columns are called \"{field}\"")).click_accesskit();
        self.look();
        for column in columns {
            let named = |node: &egui_kittest::kittest::AccessKitNode<'_>| {
                node.role() == Role::CheckBox && node.label().is_some_and(|label| label.starts_with(&format!("{column}   ")))
            };
            let node = self.harness.query_all(By::new().predicate(named)).last();
            node.unwrap_or_else(|| panic!("no column \"{column}\" is offered among {:?}", self.names_there())).click_accesskit();
            self.look();
        }
        self.closes_popups();
    }

    /// Adds a step by search and gives it a name.
    pub fn adds(&mut self, search: &str, name: &str) {
        self.harness.get_by_label("Run").focus();
        self.look();
        self.unfocus();
        self.key(Modifiers::NONE, Key::Space);
        self.types(search);
        self.key(Modifiers::NONE, Key::Enter);
        self.names(name);
        self.wait_checked();
    }

    /// Gives the selected step a name.
    pub fn names(&mut self, name: &str) {
        self.key(Modifiers::NONE, Key::F2);
        self.key(Modifiers::COMMAND, Key::A);
        self.types(name);
        self.clicks("Rename");
        assert_eq!(self.tab().selection.only(), Some(name), "the step is selected under its name");
    }

    /// Takes the focus away from every widget, as a click on the canvas does.
    pub fn unfocus(&mut self) {
        self.harness.ctx.memory_mut(|memory| {
            if let Some(id) = memory.focused() {
                memory.surrender_focus(id);
            }
        });
        self.look();
    }

    /// Selects a step by a click on its card.
    pub fn selects(&mut self, step: &str) {
        let at = self.tab_point(step, |card| card.rect.center());
        self.harness.hover_at(at);
        self.harness.drag_at(at);
        self.harness.step();
        self.harness.drop_at(at);
        self.look();
        assert_eq!(self.tab().selection.only(), Some(step));
    }

    fn tab_point(&mut self, step: &str, point: impl Fn(&weir_editor::canvas::geometry::Card) -> Pos2) -> Pos2 {
        self.key(Modifiers::COMMAND, Key::Num0);
        let tab = self.tab();
        let workflow = std::sync::Arc::clone(tab.document.workflow());
        let geometry = tab.canvas.geometry(tab.document.revision(), &workflow);
        let card = geometry.card(step).unwrap_or_else(|| panic!("there is no step {step}"));
        tab.canvas.to_screen(point(card))
    }

    /// Opens the menu of a cell by a right click: so many rows below the header of a column.
    pub fn opens_menu_below(&mut self, header: &str, rows: f32) {
        let at = self.harness.get_by_label(header).rect().center_bottom() + egui::vec2(0.0, 12.0 + rows * 22.0);
        self.harness.hover_at(at);
        self.harness.step();
        for pressed in [true, false] {
            self.harness.event(egui::Event::PointerButton {
                pos: at,
                button: egui::PointerButton::Secondary,
                pressed,
                modifiers: Modifiers::NONE,
            });
            self.harness.step();
        }
        self.look();
    }

    /// Drags a wire from an output port to an input port, by their places.
    pub fn wires(&mut self, from: &str, out: usize, to: &str, into: usize) {
        self.unfocus();
        let start = self.tab_point(from, |card| card.output(out));
        let end = self.tab_point(to, |card| card.input(into));
        let before = self.tab().workflow().edges.len();
        self.harness.hover_at(start);
        self.harness.step();
        self.harness.drag_at(start);
        self.harness.step();
        for part in 1..=4_u8 {
            self.harness.hover_at(start + (end - start) * (f32::from(part) / 4.0));
            self.harness.step();
        }
        self.harness.drop_at(end);
        self.look();
        assert_eq!(self.tab().workflow().edges.len(), before + 1, "a wire from {from} to {to}");
        self.wait_checked();
    }
}
