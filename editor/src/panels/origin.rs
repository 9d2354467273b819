//! Where a figure comes from: the rows of the sources, the values at each step, the rule and the people behind it.

use arrow::array::RecordBatch;
use egui::{RichText, ScrollArea, Ui};
use weir_engine::preview::cell::cell;

use super::{empty, shortened};
use crate::desk::{Ask, Desk};
use crate::text;
use crate::theme::{self, Colours};
use crate::worker::Port;

/// How many rows of a step are shown.
const MOST: usize = 12;

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let mut asks = Vec::new();
    let Some(tab) = desk.tabs.get(desk.current) else { return };
    let Some(origin) = &tab.origin else {
        let words = text::either(
            "Right-click a cell of the data and ask where it comes from.",
            "Clic droit sur une cellule des données : « D'où vient cette valeur ? »",
        );
        return empty(ui, "route", words);
    };
    let (column, value) = &origin.figure;
    ui.horizontal(|ui| {
        ui.label(RichText::new(format!("{column} = {value}")).family(theme::strong_family()));
        ui.weak(format!("{}.{}", origin.port.node, origin.port.port));
        if ui.button(text::CLOSE.get()).clicked() {
            asks.push(Ask::StopTracing);
        }
    });
    match &origin.trace {
        None => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.weak(text::either("Followed back to its sources…", "Remonte aux sources…"));
            });
        }
        Some(Err(problem)) => {
            ui.colored_label(colours.bad, problem.to_string());
        }
        Some(Ok(trace)) => {
            ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
                let rule = &trace.rule;
                let saved = rule.saved.as_ref().map_or_else(
                    || text::either("never saved as a version", "jamais enregistré comme version").to_owned(),
                    |(number, author, message)| format!("#{number} · {author} · {message}"),
                );
                let approved = rule.approved.as_ref().map_or_else(
                    || text::either("approved by nobody", "approuvé par personne").to_owned(),
                    |(by, _)| format!("{} {by}", text::either("approved by", "approuvé par")),
                );
                ui.label(RichText::new(format!("{} {saved} · {approved}", text::either("Rule:", "Règle :"))).color(colours.soft));
                let (words, colour) = if trace.reproduced {
                    (text::either("These rows alone give the figure again.", "Ces lignes seules redonnent le chiffre."), colours.good)
                } else {
                    (
                        text::either(
                            "Other rows play a part too, such as those a position depends on.",
                            "D'autres lignes jouent aussi un rôle.",
                        ),
                        colours.warn,
                    )
                };
                ui.label(RichText::new(words).color(colour));
                for source in &trace.sources {
                    let places: Vec<String> = source.positions.iter().take(20).map(ToString::to_string).collect();
                    let more = if source.positions.len() > 20 { ", …" } else { "" };
                    let head = format!("{} · {} {}{more}", text::rows(source.rows.num_rows() as u64), source.label, places.join(", "));
                    step(ui, &source.node, &head, &source.rows, colours, &mut asks, None);
                }
                for passed in &trace.steps {
                    let port = Port { node: passed.node.clone(), port: passed.port.clone() };
                    let head = format!("{} · {}", passed.port, text::rows(passed.rows.num_rows() as u64));
                    step(ui, &passed.node, &head, &passed.rows, colours, &mut asks, Some(port));
                }
            });
        }
    }
    desk.asks.extend(asks);
}

fn step(ui: &mut Ui, node: &str, head: &str, rows: &RecordBatch, colours: Colours, asks: &mut Vec<Ask>, port: Option<Port>) {
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        if ui.link(RichText::new(text::spoken(node)).family(theme::strong_family())).clicked() {
            asks.push(Ask::Go(node.to_owned(), None));
        }
        ui.label(RichText::new(head).color(colours.soft));
    });
    let salt = port.map_or_else(|| format!("source {node}"), |port| format!("{}.{}", port.node, port.port));
    ScrollArea::horizontal().id_salt(&salt).auto_shrink([false, true]).show(ui, |ui| {
        egui::Grid::new(&salt).striped(true).spacing([16.0, 2.0]).show(ui, |ui| {
            for field in rows.schema().fields() {
                ui.label(RichText::new(shortened(field.name(), 32)).size(11.5).color(colours.soft));
            }
            ui.end_row();
            for row in 0..rows.num_rows().min(MOST) {
                for array in rows.columns() {
                    let number = array.data_type().is_numeric();
                    let words = cell(array, row)
                        .map_or_else(|| "∅".to_owned(), |value| if number { text::number(&value) } else { shortened(&value, 48) });
                    ui.label(RichText::new(words).size(12.0));
                }
                ui.end_row();
            }
        });
    });
    if rows.num_rows() > MOST {
        ui.weak(format!("… {}", text::rows((rows.num_rows() - MOST) as u64)));
    }
}
