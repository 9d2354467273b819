//! The panels around the canvas. Each reads the desk and asks for what it wants done.

mod bind;
pub mod bottom;
mod controls;
mod data;
mod gallery;
mod origin;
pub mod overlays;
pub mod palette;
mod problems;
pub mod properties;
mod runs;
pub mod start;
pub mod top;
mod versions;
mod workflow;

use egui::{Response, RichText, Role, Ui, WidgetInfo};

use crate::command::{self, Command};
use crate::icons;
use crate::text;
use crate::theme;

/// Gives a widget the name that screen readers say.
pub fn named(response: &Response, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
}

/// A command in a menu, with its icon and its key; perhaps with a longer name.
pub fn menu_item(ui: &mut Ui, wanted: Command, name: Option<&str>) -> Response {
    let entry = command::of(wanted);
    let name = name.unwrap_or_else(|| entry.name.get());
    let mut button = egui::Button::new((icons::text(entry.icon, 16.0), RichText::new(name)));
    if let Some(key) = &entry.key {
        button = button.shortcut_text(ui.ctx().format_shortcut(key));
    }
    ui.set_min_width(230.0);
    let response = ui.add(button.frame_when_inactive(false));
    named(&response, name);
    response
}

/// A command as an icon.
pub fn icon_button(ui: &mut Ui, wanted: Command, enabled: bool, hint: Option<&str>) -> Response {
    let entry = command::of(wanted);
    let name = hint.unwrap_or_else(|| entry.name.get());
    let response = ui.add_enabled(enabled, egui::Button::new(icons::text(entry.icon, 18.0)).frame_when_inactive(false));
    named(&response, name);
    let key = entry.key.map_or_else(String::new, |key| format!("  {}", ui.ctx().format_shortcut(&key)));
    response.on_hover_text(format!("{name}{key}"))
}

/// A text of at most so many characters.
pub fn shortened(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// A page above the window, with a title. Whether it stays.
pub fn page(ctx: &egui::Context, id: &str, title: &str, content: impl FnOnce(&mut Ui)) -> bool {
    let room = ctx.content_rect().size() - egui::vec2(80.0, 80.0);
    let size = egui::vec2(room.x.min(1120.0), room.y.min(760.0));
    let mut stays = true;
    let frame = egui::Frame::window(&ctx.global_style()).inner_margin(16.0);
    let shown = egui::Modal::new(egui::Id::unique(id)).frame(frame).show(ctx, |ui| {
        ui.set_width(size.x);
        ui.set_height(size.y);
        ui.horizontal(|ui| {
            ui.label(RichText::new(title).family(theme::strong_family()).size(18.0));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let close = ui.add(egui::Button::new(icons::text("close", 18.0)).frame_when_inactive(false));
                named(&close, text::CLOSE.get());
                stays = !close.clicked();
            });
        });
        ui.add_space(4.0);
        content(ui);
    });
    stays && !shown.should_close()
}

/// An empty panel says what to do next.
pub fn empty(ui: &mut Ui, icon: &str, words: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.3).clamp(8.0, 80.0));
        ui.label(icons::text(icon, 28.0).weak());
        ui.weak(words);
    });
}
