//! The first screen: begin something new, go on with something old, look at an example.

use std::path::PathBuf;

use egui::{RichText, Ui};

use crate::command::Command;
use crate::desk::{Ask, Desk};
use crate::icons;
use crate::text;
use crate::theme;

/// The screen.
pub fn show(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    ui.painter().rect_filled(ui.max_rect(), 0.0, colours.canvas);
    let mut asks = Vec::new();
    let width = 620.0_f32.min(ui.available_width() - 48.0);
    let left = (ui.available_width() - width) / 2.0;
    ui.horizontal_top(|ui| {
        ui.add_space(left);
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.add_space((ui.available_height() * 0.14).min(120.0));
            ui.label(RichText::new("Weir").family(theme::strong_family()).size(40.0));
            ui.label(RichText::new(text::START_TITLE.get()).size(15.0).color(colours.soft));
            ui.add_space(24.0);
            ui.horizontal(|ui| {
                for (command, strong) in [(Command::New, true), (Command::Open, false), (Command::Gallery, false)] {
                    let entry = crate::command::of(command);
                    let colour = if strong { egui::Color32::WHITE } else { colours.text };
                    let words = RichText::new(entry.name.get()).size(14.0).color(colour);
                    let mut button =
                        egui::Button::new((icons::text(entry.icon, 18.0).color(colour), words)).min_size(egui::vec2(150.0, 36.0));
                    if strong {
                        button = button.fill(egui::Color32::from_rgb(0x0b, 0x6b, 0xcb));
                    }
                    let response = ui.add(button);
                    super::named(&response, entry.name.get());
                    if response.clicked() {
                        asks.push(Ask::Do(command));
                    }
                }
            });
            for (title, files) in [(text::RECENT, recent(desk)), (text::EXAMPLES, examples())] {
                if files.is_empty() {
                    continue;
                }
                ui.add_space(24.0);
                ui.label(RichText::new(title.get()).family(theme::strong_family()));
                for path in files.into_iter().take(8) {
                    let name = path.file_stem().map(|stem| text::spoken(&stem.to_string_lossy())).unwrap_or_default();
                    ui.horizontal(|ui| {
                        ui.label(icons::text("account_tree", 16.0).color(colours.soft));
                        if ui.link(RichText::new(name).size(14.0)).clicked() {
                            asks.push(Ask::OpenPath(path.clone()));
                        }
                        let folder = path.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
                        ui.add(egui::Label::new(RichText::new(folder).small().color(colours.soft)).truncate());
                    });
                }
            }
            ui.add_space(24.0);
            ui.label(RichText::new(text::DROP_HINT.get()).color(colours.soft));
        });
    });
    desk.asks.append(&mut asks);
}

fn recent(desk: &Desk) -> Vec<PathBuf> {
    desk.settings.recent.iter().filter(|path| path.is_file()).cloned().collect()
}

/// The workflows of the examples: beside the program's source, or in an `examples` folder where it was started.
fn examples() -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("../../examples")));
    let here = std::env::current_dir().ok().map(|folder| folder.join("examples"));
    let folder = [here, beside].into_iter().flatten().find(|folder| folder.is_dir());
    let Some(projects) = folder.and_then(|folder| std::fs::read_dir(folder).ok()) else { return vec![] };
    let mut found: Vec<PathBuf> = projects
        .filter_map(|project| std::fs::read_dir(project.ok()?.path().join("workflows")).ok())
        .flatten()
        .filter_map(|file| file.ok().map(|file| file.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    found.sort();
    found
}
