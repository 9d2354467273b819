//! Every problem; a click goes to its step and field.

use egui::{RichText, ScrollArea, Ui};
use weir_nodes::problem::Level;

use super::{empty, named};
use crate::desk::{Ask, Desk};
use crate::icons;
use crate::text;
use crate::theme;

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let Some(tab) = desk.tabs.get(desk.current) else { return };
    if tab.problems().is_empty() {
        return empty(ui, "task_alt", text::NO_PROBLEMS.get());
    }
    let mut asks = Vec::new();
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for problem in tab.problems() {
            let (icon, colour) = match problem.level {
                Level::Error => ("error", colours.bad),
                Level::Warning => ("warning", colours.warn),
                Level::Info => ("info", colours.soft),
            };
            let row = ui.horizontal_wrapped(|ui| {
                ui.label(icons::text(icon, 16.0).color(colour));
                if let Some(node) = &problem.node {
                    let place = problem.field.as_ref().map_or_else(|| node.clone(), |field| format!("{node} ▸ {field}"));
                    let link = ui.link(RichText::new(place).family(theme::strong_family()));
                    named(&link, &problem.message);
                    if link.clicked() {
                        asks.push(Ask::Go(node.clone(), problem.field.clone()));
                    }
                }
                if let Some(file) = &problem.file {
                    let line = problem.line.map_or_else(String::new, |line| format!(":{line}"));
                    ui.label(RichText::new(format!("{file}{line}")).monospace().color(colours.soft));
                }
                ui.label(&problem.message);
                if let Some(help) = &problem.help {
                    ui.label(RichText::new(help).color(colours.soft));
                    // "Did you mean …?" is an offer that can be taken.
                    if let (Some(node), Some(field), Some(meant)) = (&problem.node, &problem.field, meant(help))
                        && let Some(edit) = crate::fix::edit(tab.workflow(), node, field, problem.span.clone(), meant)
                        && ui.small_button(format!("→ {meant}")).clicked()
                    {
                        asks.push(Ask::Change(None, vec![edit]));
                    }
                }
            });
            row.response.on_hover_cursor(egui::CursorIcon::Default);
        }
    });
    desk.asks.extend(asks);
}

/// What a way out offers in its place.
fn meant(help: &str) -> Option<&str> {
    let rest = help.strip_prefix("Did you mean ")?;
    let rest = rest.split_once('?')?.0;
    Some(rest.trim_matches('"'))
}
