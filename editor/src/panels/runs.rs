//! Past runs with their certificates.

use egui::{RichText, ScrollArea, Ui};
use weir_engine::run::Outcome;

use super::empty;
use crate::desk::Desk;
use crate::icons;
use crate::text;
use crate::theme;

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    if tab.runs.is_empty() {
        return empty(ui, "history", text::NO_RUNS.get());
    }
    let mut chosen = None;
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for (place, run) in tab.runs.iter().enumerate() {
            let (icon, colour, outcome) = match run.outcome {
                Outcome::Published => ("check_circle", colours.good, text::PUBLISHED),
                Outcome::Blocked => ("cancel", colours.bad, text::BLOCKED),
            };
            ui.horizontal(|ui| {
                ui.label(icons::text(icon, 16.0).color(colour));
                let when = run.started.get(..19).unwrap_or(&run.started).replace('T', " ");
                ui.label(RichText::new(when).monospace());
                ui.label(outcome.get());
                let rows: u64 = run.outputs.iter().map(|output| output.rows).sum();
                ui.label(RichText::new(text::rows(rows)).color(colours.soft));
                ui.label(RichText::new(&run.user).color(colours.soft));
                ui.label(RichText::new(format!("v {}", run.workflow.version.get(..6).unwrap_or_default())).monospace().color(colours.soft));
                if ui.button(text::CERTIFICATE.get()).clicked() {
                    chosen = Some(place);
                }
                let copy = ui.button(icons::text("content_copy", 14.0));
                super::named(&copy, text::either("Copy the certificate", "Copier le certificat"));
                if copy.on_hover_text(text::either("Copy the certificate", "Copier le certificat")).clicked() {
                    ui.ctx().copy_text(serde_json::to_string_pretty(run).unwrap_or_default());
                }
            });
        }
    });
    if let Some(run) = chosen.and_then(|place| tab.runs.get(place)).cloned() {
        tab.run.certificate = Some(Box::new(run));
        tab.run.banner = true;
        desk.bottom = crate::desk::Bottom::Controls;
    }
}
