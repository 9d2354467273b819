//! Each control's verdict with both figures; its exceptions are one click away.

use egui::{Frame, RichText, ScrollArea, Stroke, Ui};
use weir_nodes::Severity;

use super::empty;
use crate::desk::{Ask, Desk};
use crate::icons;
use crate::text;
use crate::theme;
use crate::worker::Port;

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let Some(tab) = desk.tabs.get(desk.current) else { return };
    let Some(certificate) = &tab.run.certificate else {
        return empty(ui, "fact_check", text::CONTROLS_EMPTY.get());
    };
    let mut asks = Vec::new();
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        for (number, verdict) in certificate.verdicts.iter().enumerate() {
            let (icon, colour) = match (verdict.holds, verdict.severity) {
                (true, _) => ("check_circle", colours.good),
                (false, Severity::Block) => ("cancel", colours.bad),
                (false, Severity::Warn) => ("warning", colours.warn),
                (false, Severity::Info) => ("info", colours.soft),
            };
            ui.push_id(number, |ui| {
                Frame::NONE.stroke(Stroke::new(1.0, colours.edge)).corner_radius(6.0).inner_margin(8.0).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    ui.horizontal_wrapped(|ui| {
                        ui.label(icons::text(icon, 18.0).color(colour));
                        if ui.link(RichText::new(&verdict.node).family(theme::strong_family())).clicked() {
                            asks.push(Ask::Go(verdict.node.clone(), None));
                        }
                        ui.label(&verdict.title);
                    });
                    if let Some(figures) = &verdict.figures {
                        ui.horizontal_wrapped(|ui| {
                            ui.add_space(26.0);
                            for (label, value) in [(&figures.left_label, figures.left), (&figures.right_label, figures.right)] {
                                ui.label(RichText::new(label).color(colours.soft));
                                ui.label(RichText::new(text::amount(value)).monospace());
                                ui.add_space(12.0);
                            }
                            let tint = if figures.difference.is_zero() { colours.soft } else { colour };
                            ui.label(RichText::new(text::DIFFERENCE.get()).color(colours.soft));
                            ui.label(RichText::new(text::amount(figures.difference)).monospace().color(tint));
                        });
                    }
                    if let Some(exceptions) = verdict.exceptions.as_ref().filter(|exceptions| exceptions.rows > 0) {
                        ui.horizontal(|ui| {
                            ui.add_space(26.0);
                            ui.label(RichText::new(text::rows(exceptions.rows)).color(colour));
                            if ui.button(text::EXCEPTIONS.get()).clicked()
                                && let Some((node, port)) = exceptions.port.split_once('.')
                            {
                                asks.push(Ask::ShowPort(Port { node: node.to_owned(), port: port.to_owned() }));
                            }
                        });
                    }
                });
            });
        }
        if certificate.verdicts.is_empty() {
            ui.weak(text::either("This workflow has no controls yet.", "Ce flux n'a pas encore de contrôle."));
        }
    });
    desk.asks.extend(asks);
}
