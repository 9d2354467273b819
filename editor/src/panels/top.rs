//! The line at the top: tabs, what one does most, the workflow's parameters, and where everything else is.

use egui::{RichText, TextEdit, Ui};
use weir_engine::workflow::ParameterType;

use super::{icon_button, menu_item, named};
use crate::command::Command;
use crate::desk::{Ask, Desk};
use crate::icons;
use crate::text;
use crate::theme;

/// Tabs, and the menu.
pub fn tabs(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let mut asks = Vec::new();
    ui.horizontal(|ui| {
        ui.set_min_height(28.0);
        ui.label(RichText::new("Weir").family(theme::strong_family()).size(15.0));
        ui.add_space(8.0);
        let right = 220.0;
        egui::ScrollArea::horizontal().max_width((ui.available_width() - right).max(80.0)).show(ui, |ui| {
            for (place, tab) in desk.tabs.iter().enumerate() {
                let dirty = if tab.document.is_dirty() { " ●" } else { "" };
                let title = RichText::new(format!("{}{dirty}", tab.document.title()));
                let response = ui.selectable_label(place == desk.current, title);
                if let Some(path) = tab.document.path() {
                    response.clone().on_hover_text(path.display().to_string());
                }
                if response.clicked() {
                    asks.push(Ask::Tab(place));
                }
                if response.middle_clicked() {
                    asks.push(Ask::Tab(place));
                    asks.push(Ask::Do(Command::CloseTab));
                }
                let close = ui.add(egui::Button::new(icons::text("close", 13.0).color(colours.soft)).frame(false));
                named(&close, &format!("{} {}", text::CLOSE.get(), tab.document.title()));
                if close.clicked() {
                    asks.push(Ask::Tab(place));
                    asks.push(Ask::Do(Command::CloseTab));
                }
                ui.add_space(4.0);
            }
            let new = ui.add(egui::Button::new(icons::text("add", 16.0)).frame(false));
            named(&new, text::NEW.get());
            if new.on_hover_text(text::NEW.get()).clicked() {
                asks.push(Ask::Do(Command::New));
            }
        });
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let menu = ui.add(egui::Button::new(icons::text("menu", 18.0)).frame_when_inactive(false));
            named(&menu, text::either("Menu", "Menu"));
            egui::Popup::menu(&menu).show(|ui| {
                for group in [
                    &[Command::New, Command::Open, Command::Save, Command::SaveAs, Command::ExportSvg][..],
                    &[Command::Gallery, Command::BindFiles],
                    &[Command::TogglePalette, Command::ToggleProperties, Command::ToggleBottom, Command::ToggleMinimap],
                    &[Command::ToggleTheme, Command::SwitchLanguage, Command::Larger, Command::Smaller],
                    &[Command::Palette],
                ] {
                    for command in group {
                        if menu_item(ui, *command, None).clicked() {
                            asks.push(Ask::Do(*command));
                        }
                    }
                    ui.separator();
                }
            });
            if icon_button(ui, Command::ToggleTheme, true, None).clicked() {
                asks.push(Ask::Do(Command::ToggleTheme));
            }
            let language = ui.add(egui::Button::new(text::either("FR", "EN")).frame_when_inactive(false));
            if language.on_hover_text(text::SWITCH_LANGUAGE.get()).clicked() {
                asks.push(Ask::Do(Command::SwitchLanguage));
            }
            let commands = ui.add(
                egui::Button::new(RichText::new(format!("Ctrl+P  {}", text::COMMANDS.get())).color(colours.soft))
                    .frame_when_inactive(false),
            );
            if commands.clicked() {
                asks.push(Ask::Do(Command::Palette));
            }
        });
    });
    desk.asks.append(&mut asks);
}

/// Run, undo, redo, parameters, version.
pub fn tools(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let mut asks = Vec::new();
    let busy = desk.worker.is_busy();
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    ui.horizontal(|ui| {
        let running = tab.run.since.is_some();
        if running {
            let done = tab.run.done.len();
            let all = tab.workflow().nodes.len();
            ui.add(egui::ProgressBar::new(done as f32 / all.max(1) as f32).desired_width(120.0).text(format!("{done}/{all}")));
            if ui.button((icons::text("stop", 16.0), text::CANCEL.get())).clicked() {
                asks.push(Ask::Do(Command::Cancel));
            }
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(100));
        } else {
            let label = RichText::new(text::RUN.get()).color(egui::Color32::WHITE).family(theme::strong_family());
            let blue = egui::Color32::from_rgb(0x0b, 0x6b, 0xcb);
            let run = ui.add(egui::Button::new((icons::text("play_arrow", 16.0).color(egui::Color32::WHITE), label)).fill(blue));
            named(&run, text::RUN.get());
            if run.on_hover_text("F5").clicked() {
                asks.push(Ask::Do(Command::Run));
            }
            let more = ui.add(egui::Button::new(icons::text("expand_more", 16.0)).frame_when_inactive(false));
            named(&more, text::either("Other ways to run", "Autres façons d'exécuter"));
            egui::Popup::menu(&more).show(|ui| {
                for command in [Command::RunAgain, Command::RunDraft, Command::RunShadow] {
                    if menu_item(ui, command, None).clicked() {
                        asks.push(Ask::Do(command));
                        ui.close();
                    }
                }
            });
        }
        ui.separator();
        let undo = tab.document.undo_label().map(|label| format!("{}: {label}", text::UNDO.get()));
        if icon_button(ui, Command::Undo, undo.is_some(), undo.as_deref()).clicked() {
            asks.push(Ask::Do(Command::Undo));
        }
        let redo = tab.document.redo_label().map(|label| format!("{}: {label}", text::REDO.get()));
        if icon_button(ui, Command::Redo, redo.is_some(), redo.as_deref()).clicked() {
            asks.push(Ask::Do(Command::Redo));
        }
        if icon_button(ui, Command::Save, tab.document.is_dirty(), None).clicked() {
            asks.push(Ask::Do(Command::Save));
        }
        ui.separator();
        for command in [Command::AddStep, Command::LayOut, Command::FitAll] {
            if icon_button(ui, command, true, None).clicked() {
                asks.push(Ask::Do(command));
            }
        }
        if !tab.workflow().parameters.is_empty() {
            ui.separator();
        }
        let workflow = std::sync::Arc::clone(tab.workflow());
        for (name, parameter) in &workflow.parameters {
            let title = parameter.title.clone().unwrap_or_else(|| text::spoken(name));
            let label = ui.label(RichText::new(title).color(colours.soft));
            let default =
                parameter.default.as_ref().map(|value| value.as_str().map_or_else(|| value.to_string(), String::from)).unwrap_or_default();
            let mut value = tab.set.get(name).cloned().unwrap_or_else(|| default.clone());
            let width = if parameter.kind == ParameterType::File { 150.0 } else { 80.0 };
            let field = ui.add(TextEdit::singleline(&mut value).id_salt(("parameter", name)).desired_width(width)).labelled_by(label.id);
            if field.changed() {
                if value == default {
                    tab.set.remove(name);
                } else {
                    tab.set.insert(name.clone(), value);
                }
                tab.sent = 0;
            }
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if let Some(version) = tab.facts.as_ref().and_then(|facts| facts.version.as_ref()) {
                let words = ui.label(RichText::new(format!("v {}", version.short())).color(colours.soft).monospace().size(11.5));
                words.on_hover_text(version.as_str());
            }
            if busy && !running {
                ui.add(egui::Spinner::new().size(14.0));
            }
        });
    });
    desk.asks.append(&mut asks);
}
