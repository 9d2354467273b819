//! The form of the selected step.

use egui::{RichText, ScrollArea, TextEdit, Ui};
use weir_engine::workflow::Edit;

use super::named;
use crate::command::Command;
use crate::desk::{Ask, Desk};
use crate::icons;
use crate::text;
use crate::theme;
use crate::widgets::{self, Form};

/// The panel.
pub fn show(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    let Some(id) = tab.selection.only().map(str::to_owned) else {
        let several = tab.selection.nodes.len();
        if several > 1 {
            ui.add_space(8.0);
            ui.label(RichText::new(text::several(several, text::STEP_ONE, text::STEP_MANY)).heading());
            for command in [Command::Group, Command::LayOut, Command::AlignLeft, Command::AlignTop, Command::Duplicate, Command::Delete] {
                if super::menu_item(ui, command, None).clicked() {
                    desk.asks.push(Ask::Do(command));
                }
            }
        } else {
            let workflow = std::sync::Arc::clone(tab.workflow());
            let asks = super::workflow::show(ui, &workflow, colours);
            desk.asks.extend(asks);
        }
        return;
    };
    let Some(node) = tab.workflow().nodes.get(&id).cloned() else { return };
    let kind = tab.kind(&id);
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        if let Some(kind) = kind {
            ui.label(icons::text(kind.identity.icon, 20.0));
        }
        let title = crate::desk::title(&id, &node, kind);
        ui.label(RichText::new(title).heading());
        let rename = ui.add(egui::Button::new(icons::text("edit", 15.0).color(colours.soft)).frame(false));
        named(&rename, text::RENAME.get());
        if rename.on_hover_text(format!("{}  F2", text::RENAME.get())).clicked() {
            desk.asks.push(Ask::Do(Command::Rename));
        }
    });
    let Some(kind) = kind else {
        ui.colored_label(colours.bad, format!("{}: {}", text::either("Unknown kind", "Genre inconnu"), node.kind));
        return;
    };
    ui.label(RichText::new(format!("{} · {id}", text::words(kind.identity.title))).small().color(colours.soft));
    ui.label(RichText::new(text::words(kind.identity.summary)).small().color(colours.soft));
    ui.separator();
    let mut form = Form { tab, worker: &desk.worker, node: id.clone(), asks: Vec::new(), colours };
    ScrollArea::vertical().id_salt(("form", &id)).auto_shrink([false, false]).show(ui, |ui| {
        // What is wrong with the step as a whole, and with no field of it.
        let general: Vec<_> =
            form.tab.problems().iter().filter(|problem| problem.node.as_deref() == Some(&id) && problem.field.is_none()).cloned().collect();
        for problem in &general {
            widgets::show_problem(ui, problem, colours);
        }
        widgets::form(ui, &mut form, kind);
        ui.add_space(8.0);
        let label = ui.label(RichText::new(text::NOTE.get()).size(12.5).family(theme::strong_family()));
        let mut note = node.note.clone().unwrap_or_default();
        let field = TextEdit::multiline(&mut note).id_salt(("note", &id)).desired_rows(2).desired_width(f32::INFINITY);
        if ui.add(field).labelled_by(label.id).changed() {
            let node = weir_engine::workflow::Node { note: (!note.is_empty()).then_some(note), ..node.clone() };
            form.asks.push(Ask::Type(format!("{id} note"), vec![Edit::SetNode { id: id.clone(), node }]));
        }
        ui.add_space(16.0);
    });
    let asks = form.asks;
    desk.asks.extend(asks);
}
