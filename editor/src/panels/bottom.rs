//! The panel at the bottom: rows, problems, controls, runs.

use egui::{RichText, Ui};

use super::{controls, data, origin, problems, runs, versions};
use crate::desk::{Bottom, Desk};
use crate::text;
use crate::theme;

/// The panel.
pub fn show(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let mut chosen = desk.bottom;
    let Some(tab) = desk.tab() else { return };
    let wrong = tab.problems().iter().filter(|problem| problem.is_error()).count();
    let (count, past) = (tab.problems().len(), tab.runs.len());
    let failed = tab.run.certificate.as_ref().map(|c| (c.verdicts.len(), c.verdicts.iter().filter(|v| !v.holds).count()));
    ui.horizontal(|ui| {
        let problems = format!("{} {}", text::PROBLEMS.get(), count);
        let controls = match failed {
            Some((all, 0)) => format!("{} {all} ✓", text::CONTROLS.get()),
            Some((_, bad)) => format!("{} {bad} ✕", text::CONTROLS.get()),
            None => text::CONTROLS.get().to_owned(),
        };
        let runs = format!("{} {}", text::RUNS.get(), past);
        for (panel, name, alarm) in [
            (Bottom::Data, text::DATA.get().to_owned(), false),
            (Bottom::Problems, problems, wrong > 0),
            (Bottom::Controls, controls, failed.is_some_and(|(_, bad)| bad > 0)),
            (Bottom::Runs, runs, false),
            (Bottom::Versions, text::either("Versions", "Versions").to_owned(), false),
            (Bottom::Origin, text::either("Origin", "Origine").to_owned(), false),
        ] {
            let mut words = RichText::new(name);
            if alarm {
                words = words.color(colours.bad);
            }
            if ui.selectable_label(chosen == panel, words).clicked() {
                chosen = panel;
            }
        }
        if chosen == Bottom::Data {
            data::bar(ui, desk);
        }
    });
    desk.bottom = chosen;
    ui.add_space(2.0);
    match chosen {
        Bottom::Data => data::show(ui, desk),
        Bottom::Problems => problems::show(ui, desk),
        Bottom::Controls => controls::show(ui, desk),
        Bottom::Runs => runs::show(ui, desk),
        Bottom::Versions => versions::show(ui, desk),
        Bottom::Origin => origin::show(ui, desk),
    }
}
