//! The window: where panels stand, and in what order a frame does its work.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use egui::{CentralPanel, Context, Frame, Margin, Panel, Ui};
use weir_engine::Problem;

use crate::command::{self, Command};
use crate::desk::{Ask, Bottom, Desk, Overlay};
use crate::panels::{bottom, overlays, palette, properties, start, top};
use crate::settings::{Appearance, Settings};
use crate::text;
use crate::theme;
use crate::worker::Worker;
use crate::{actions, answers, autosave, canvas};

/// The application.
#[derive(Debug)]
pub struct App {
    /// What it shows.
    pub desk: Desk,
    last_saved: Settings,
    last_autosave: Instant,
}

impl App {
    /// Starts with these files open. `folder` is where settings and unsaved work are kept; none keeps nothing.
    pub fn new(ctx: &Context, files: &[PathBuf], folder: Option<PathBuf>) -> Result<Self, Problem> {
        theme::install(ctx);
        let settings = folder.as_deref().map(Settings::load).unwrap_or_default();
        let mut desk = Desk {
            tabs: vec![],
            current: 0,
            settings: settings.clone(),
            folder,
            worker: Worker::new(ctx)?,
            asks: vec![],
            overlay: Overlay::None,
            message: None,
            bottom: Bottom::Data,
            palette: String::new(),
            next: 0,
            quitting: false,
        };
        autosave::recover(&mut desk);
        for file in files {
            desk.open(file);
        }
        Ok(Self { desk, last_saved: settings, last_autosave: Instant::now() })
    }

    /// One frame.
    pub fn frame(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx().clone();
        let desk = &mut self.desk;
        text::speak(desk.settings.speaks());
        ctx.set_theme(match desk.settings.appearance {
            Appearance::System => egui::ThemePreference::System,
            Appearance::Light => egui::ThemePreference::Light,
            Appearance::Dark => egui::ThemePreference::Dark,
        });
        if (ctx.zoom_factor() - desk.settings.scale).abs() > 0.001 {
            ctx.set_zoom_factor(desk.settings.scale);
        }
        answers::take(desk);
        actions::dropped(&ctx, desk);
        if matches!(desk.overlay, Overlay::None) {
            for command in command::pressed(&ctx) {
                desk.ask(Ask::Do(command));
            }
            actions::walk(&ctx, desk);
            actions::pasted(&ctx, desk);
        }
        draw(ui, desk);
        overlays::show(&ctx, desk);
        message(&ctx, desk);
        actions::perform(&ctx, desk);
        answers::follow(desk);
        self.closing(&ctx);
        self.remember();
    }

    fn closing(&mut self, ctx: &Context) {
        let desk = &mut self.desk;
        if !ctx.input(|input| input.viewport().close_requested()) {
            return;
        }
        if !desk.quitting && desk.tabs.iter().any(|tab| tab.document.is_dirty()) {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            desk.overlay = Overlay::Unsaved(None);
        } else {
            autosave::clear(desk);
        }
    }

    fn remember(&mut self) {
        if self.last_autosave.elapsed() > Duration::from_secs(2) {
            self.last_autosave = Instant::now();
            autosave::save(&mut self.desk);
        }
        if self.last_saved != self.desk.settings {
            self.last_saved = self.desk.settings.clone();
            if let Some(folder) = &self.desk.folder {
                self.last_saved.save(folder);
            }
        }
    }
}

fn panel(fill: egui::Color32, margin: i8) -> Frame {
    Frame::NONE.fill(fill).inner_margin(Margin::same(margin))
}

fn draw(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    Panel::top("tabs").frame(panel(colours.canvas, 6)).resizable(false).show(ui, |ui| top::tabs(ui, desk));
    if desk.tab().is_none() {
        CentralPanel::no_frame().show(ui, |ui| start::show(ui, desk));
        return;
    }
    Panel::top("tools").frame(panel(colours.card, 6)).resizable(false).show(ui, |ui| top::tools(ui, desk));
    if desk.settings.bottom {
        let height = (ui.available_height() * 0.36).clamp(160.0, 360.0);
        Panel::bottom("bottom").frame(panel(colours.card, 8)).resizable(true).default_size(height).min_size(120.0).show(ui, |ui| {
            // A panel without much in it keeps its size all the same.
            ui.set_min_size(ui.available_size());
            bottom::show(ui, desk);
        });
    }
    if desk.settings.palette {
        Panel::left("palette").frame(panel(colours.card, 8)).resizable(true).default_size(204.0).size_range(140.0..=320.0).show(ui, |ui| {
            palette::show(ui, desk);
        });
    }
    if desk.settings.properties {
        Panel::right("properties").frame(panel(colours.card, 10)).resizable(true).default_size(312.0).size_range(260.0..=640.0).show(
            ui,
            |ui| {
                ui.set_max_width(ui.available_width());
                properties::show(ui, desk);
            },
        );
    }
    CentralPanel::no_frame().show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        overlays::banner(ui, desk);
        canvas::show(ui, desk);
    });
}

/// A few words at the foot of the window, for a few seconds.
fn message(ctx: &Context, desk: &mut Desk) {
    let Some((words, since, bad)) = &desk.message else { return };
    let stays = Duration::from_secs(if *bad { 10 } else { 3 });
    if since.elapsed() > stays {
        desk.message = None;
        return;
    }
    let area = egui::Area::new(egui::Id::unique("message")).order(egui::Order::Tooltip).anchor(egui::Align2::CENTER_BOTTOM, [0.0, -24.0]);
    area.show(ctx, |ui| {
        let colours = theme::colours(ui);
        let edge = if *bad { colours.bad } else { colours.good };
        Frame::window(ui.style()).stroke(egui::Stroke::new(1.5, edge)).show(ui, |ui| {
            ui.set_max_width(560.0);
            ui.label(words);
        });
    });
    ctx.request_repaint_after(stays.saturating_sub(since.elapsed()));
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.frame(ui);
    }
}

/// Whether a command can be done now; those that cannot are said to be so instead.
pub fn available(desk: &Desk, command: Command) -> bool {
    desk.tab().is_some()
        || matches!(
            command,
            Command::New
                | Command::Open
                | Command::Gallery
                | Command::ToggleTheme
                | Command::SwitchLanguage
                | Command::Larger
                | Command::Smaller
                | Command::Palette
        )
}
