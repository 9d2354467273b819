//! Versions: who changed what and why, what it does to the figures, and a second person's word.

use egui::{Button, Frame, RichText, ScrollArea, Stroke, TextEdit, Ui};
use weir_engine::approval::State;
use weir_engine::history::{Change, Mark, StepChange};

use super::{empty, named};
use crate::desk::{Ask, Desk};
use crate::icons;
use crate::text;
use crate::theme::{self, Colours};
use crate::versions::{Act, Comparison};

/// The panel.
pub(super) fn show(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let mut asks = Vec::new();
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    if tab.document.path().is_none() {
        return empty(
            ui,
            "history",
            text::either("Save the workflow into a file first: versions belong to files.", "Enregistrez d'abord le flux dans un fichier."),
        );
    }
    if !tab.versions_asked {
        tab.versions_asked = true;
        asks.push(Ask::Versions);
    }
    let wide = ui.available_width();
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            ui.set_width((wide * 0.5).max(420.0));
            saving(ui, &mut tab.reason, &mut asks);
            list(ui, tab, colours, &mut asks);
        });
        ui.separator();
        ui.vertical(|ui| match &tab.comparison {
            Some(comparison) => compared(ui, comparison, tab.selection.only(), colours, &mut asks),
            None => decision(ui, tab, colours, &mut asks),
        });
    });
    desk.asks.extend(asks);
}

fn field(ui: &mut Ui, value: &mut String, name: &str, width: f32) -> egui::Response {
    let response = ui.add(TextEdit::singleline(value).hint_text(name).desired_width(width));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, name));
    response
}

fn saving(ui: &mut Ui, reason: &mut String, asks: &mut Vec<Ask>) {
    ui.horizontal(|ui| {
        field(ui, reason, text::either("Why did it change?", "Pourquoi ce changement ?"), 280.0);
        let save = ui.add_enabled(!reason.trim().is_empty(), Button::new(text::either("Save version", "Enregistrer la version")));
        if save.clicked() {
            asks.push(Ask::Version(Act::Save(std::mem::take(reason))));
        }
    });
    ui.add_space(4.0);
}

fn state_words(state: State) -> &'static str {
    match state {
        State::Draft => text::either("draft", "brouillon"),
        State::Proposed => text::either("proposed", "proposée"),
        State::Approved => text::either("approved", "approuvée"),
        State::Rejected => text::either("rejected", "rejetée"),
    }
}

fn list(ui: &mut Ui, tab: &crate::desk::Tab, colours: Colours, asks: &mut Vec<Ask>) {
    let Some(versions) = &tab.versions else {
        ui.weak(text::either("Reading…", "Lecture…"));
        return;
    };
    let versions = match versions {
        Ok(versions) => versions,
        Err(problem) => {
            ui.colored_label(colours.bad, problem.to_string());
            return;
        }
    };
    if versions.list.is_empty() {
        ui.weak(text::either("Nothing was saved yet.", "Rien n'est encore enregistré."));
    }
    ScrollArea::vertical().id_salt("versions").auto_shrink([false, false]).show(ui, |ui| {
        for (saved, state) in &versions.list {
            let chosen = tab.comparison.as_ref().is_some_and(|comparison| comparison.version.id == saved.id);
            let now = versions.approved.as_ref() == Some(&saved.id);
            ui.horizontal(|ui| {
                let number = ui.selectable_label(chosen, RichText::new(format!("#{}", saved.commit.number)).monospace());
                named(&number, &format!("{} #{}", text::either("Compare with version", "Comparer à la version"), saved.commit.number));
                if number.on_hover_text(text::either("Lay this version over the canvas", "Superposer cette version au dessin")).clicked() {
                    asks.push(if chosen { Ask::StopComparing } else { Ask::Compare(Box::new(saved.clone())) });
                }
                let (icon, colour) = match state {
                    _ if now => ("verified", colours.good),
                    State::Approved => ("check", colours.good),
                    State::Proposed => ("pending", colours.warn),
                    State::Rejected => ("cancel", colours.bad),
                    State::Draft => ("edit", colours.soft),
                };
                ui.label(icons::text(icon, 15.0).color(colour)).on_hover_text(if now {
                    text::either("approved now", "approuvée actuellement")
                } else {
                    state_words(*state)
                });
                let when = saved.commit.time.get(..16).unwrap_or_default().replace('T', " ");
                ui.label(RichText::new(when).monospace().color(colours.soft));
                ui.label(RichText::new(&saved.commit.author).color(colours.soft));
                ui.add(egui::Label::new(&saved.commit.message).truncate()).on_hover_text(&saved.commit.message);
            });
        }
    });
}

/// What waits for a decision, or what could be proposed.
fn decision(ui: &mut Ui, tab: &mut crate::desk::Tab, colours: Colours, asks: &mut Vec<Ask>) {
    let waiting = tab.versions.as_ref().and_then(|versions| versions.as_ref().ok()).and_then(|versions| versions.waiting.clone());
    ScrollArea::vertical().id_salt("decision").auto_shrink([false, false]).show(ui, |ui| {
        match &waiting {
            Some(proposed) => {
                let proposal = &proposed.proposal;
                ui.label(
                    RichText::new(format!("{} {}: {}", proposal.by, text::either("proposes", "propose"), proposal.reason))
                        .family(theme::strong_family()),
                );
                for verdict in &proposal.dry_run.verdicts {
                    let (icon, colour) = if verdict.holds { ("check_circle", colours.good) } else { ("warning", colours.warn) };
                    ui.horizontal(|ui| {
                        ui.label(icons::text(icon, 15.0).color(colour));
                        ui.label(&verdict.title);
                    });
                }
                match &proposal.dry_run.effect {
                    Some(effect) => effect_rows(ui, effect, colours),
                    None => {
                        for output in &proposal.dry_run.outputs {
                            ui.label(format!("{} · {}", output.target, text::rows(output.rows)));
                        }
                    }
                }
            }
            None => {
                ui.weak(text::either(
                    "Choose a version on the left to lay it over the canvas, or propose the newest one for approval.",
                    "Choisissez une version à gauche pour la superposer au dessin, ou proposez la plus récente.",
                ));
            }
        }
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            field(ui, &mut tab.decision.0, text::either("Reason", "Motif"), 220.0);
            let secret = ui.add(
                TextEdit::singleline(&mut tab.decision.1)
                    .password(true)
                    .hint_text(text::either("Passphrase of your key", "Phrase de votre clé"))
                    .desired_width(180.0),
            );
            secret.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::TextInput, true, text::either("Passphrase of your key", "Phrase de votre clé"))
            });
        });
        let ready = !tab.decision.0.trim().is_empty() && !tab.decision.1.is_empty();
        ui.horizontal(|ui| {
            let mut act = None;
            let (reason, secret) = tab.decision.clone();
            if waiting.is_some() {
                for (yes, name) in [(true, text::either("Approve", "Approuver")), (false, text::either("Reject", "Rejeter"))] {
                    if ui.add_enabled(ready, Button::new(name)).clicked() {
                        act = Some(Act::Decide(yes, reason.clone(), secret.clone()));
                    }
                }
            } else if ui.add_enabled(ready, Button::new(text::either("Propose", "Proposer"))).clicked() {
                act = Some(Act::Propose(reason, secret));
            }
            if let Some(act) = act {
                tab.decision = (String::new(), String::new());
                asks.push(Ask::Version(act));
            }
        });
    });
}

fn compared(ui: &mut Ui, comparison: &Comparison, selected: Option<&str>, colours: Colours, asks: &mut Vec<Ask>) {
    let difference = &comparison.difference.1;
    ui.horizontal(|ui| {
        let title = format!("{} #{}", text::either("Since version", "Depuis la version"), comparison.version.commit.number);
        ui.label(RichText::new(title).family(theme::strong_family()));
        if ui.button(text::either("Effect on the figures", "Effet sur les chiffres")).clicked() {
            asks.push(Ask::Effect);
        }
        if ui.button(text::either("Go back to it", "Y revenir")).clicked() {
            asks.push(Ask::Version(Act::Rollback(comparison.version.id.clone())));
        }
        if ui.button(text::CLOSE.get()).clicked() {
            asks.push(Ask::StopComparing);
        }
    });
    ScrollArea::vertical().id_salt("compared").auto_shrink([false, false]).show(ui, |ui| {
        if difference.is_empty() {
            ui.weak(text::either("Nothing differs.", "Aucune différence."));
        } else if difference.is_only_drawing() {
            ui.weak(text::either(
                "Only names, notes or the drawing differ: the meaning is the same.",
                "Seuls les noms, les notes ou le dessin diffèrent : le sens est le même.",
            ));
        }
        for (id, change) in &difference.steps {
            let (sign, colour) = match change {
                StepChange::Added(_) => ("+", colours.good),
                StepChange::Removed(_) => ("−", colours.bad),
                StepChange::Renamed { .. } | StepChange::Changed(_) => ("~", colours.warn),
            };
            let stroke = if selected == Some(id) { Stroke::new(1.5, colours.accent) } else { Stroke::new(1.0, colours.edge) };
            Frame::NONE.stroke(stroke).corner_radius(6.0).inner_margin(6.0).show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.horizontal(|ui| {
                    ui.label(RichText::new(sign).monospace().color(colour));
                    if ui.link(RichText::new(id).family(theme::strong_family())).clicked() {
                        asks.push(Ask::Go(id.clone(), None));
                    }
                    match change {
                        StepChange::Added(node) | StepChange::Removed(node) => {
                            ui.weak(&node.kind);
                        }
                        StepChange::Renamed { from } => {
                            ui.weak(format!("{} {from}", text::either("was", "s'appelait")));
                        }
                        StepChange::Changed(_) => {}
                    }
                });
                if let StepChange::Changed(changes) = change {
                    changes.iter().for_each(|change| setting(ui, change, colours));
                }
            });
        }
        for (wires, sign, colour) in [(&difference.wires_added, "+", colours.good), (&difference.wires_removed, "−", colours.bad)] {
            for wire in wires {
                ui.label(RichText::new(format!("{sign} {wire}")).color(colour));
            }
        }
        difference.parameters.iter().for_each(|change| setting(ui, change, colours));
        ui.add_space(6.0);
        match &comparison.effect {
            Some(Ok(effect)) => effect_rows(ui, effect, colours),
            Some(Err(problem)) => {
                ui.colored_label(colours.bad, problem.to_string());
            }
            None if comparison.computing => {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.weak(text::either("Both versions run on the same inputs…", "Les deux versions s'exécutent sur les mêmes entrées…"));
                });
            }
            None => {}
        }
    });
}

/// A setting with its words before and after.
fn setting(ui: &mut Ui, change: &Change, colours: Colours) {
    let value = |value: Option<&serde_json::Value>| match value {
        None => "—".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let mut job = egui::text::LayoutJob::default();
    let font = egui::FontId::monospace(12.0);
    let mut put = |words: &str, colour: egui::Color32, struck: bool| {
        let mut format = egui::text::TextFormat::simple(font.clone(), colour);
        if struck {
            format.strikethrough = Stroke::new(1.0, colour);
        }
        job.append(words, 0.0, format);
    };
    put(&format!("{}: ", change.path), colours.soft, false);
    let kept = change.words.iter().any(|word| word.mark == Mark::Same && !word.text.trim().is_empty());
    if !change.rows.is_empty() {
        for row in &change.rows {
            put(&format!("\n  {} ", row.row), colours.soft, false);
            if let Some(before) = &row.before {
                put(&value(Some(before)), colours.bad, true);
                put(" ", colours.soft, false);
            }
            if let Some(after) = &row.after {
                put(&value(Some(after)), colours.good, false);
            }
        }
    } else if kept {
        for word in &change.words {
            match word.mark {
                Mark::Same => put(&word.text, colours.text, false),
                Mark::Removed => put(&word.text, colours.bad, true),
                Mark::Added => put(&word.text, colours.good, false),
            }
        }
    } else {
        put(&value(change.before.as_ref()), colours.bad, true);
        put(" → ", colours.soft, false);
        put(&value(change.after.as_ref()), colours.good, false);
    }
    ui.label(job);
}

/// Rows and totals before and after.
fn effect_rows(ui: &mut Ui, effect: &weir_engine::effect::Effect, colours: Colours) {
    for output in &effect.outputs {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(&output.target).family(theme::strong_family()));
            if output.is_none() {
                ui.weak(text::either("the same", "identique"));
                return;
            }
            for (count, sign, colour) in
                [(output.added, "+", colours.good), (output.removed, "−", colours.bad), (output.changed, "~", colours.warn)]
            {
                if count > 0 {
                    ui.label(RichText::new(format!("{sign}{}", text::rows(count))).color(colour));
                }
            }
        });
        egui::Grid::new(("effect", &output.target)).num_columns(3).spacing([18.0, 2.0]).show(ui, |ui| {
            for total in output.totals.iter().filter(|total| total.before != total.after) {
                let words = |figure: &Option<String>| figure.as_deref().map_or_else(|| "—".to_owned(), text::number);
                ui.label(RichText::new(&total.column).color(colours.soft));
                ui.label(RichText::new(format!("{} → {}", words(&total.before), words(&total.after))).monospace());
                let sign = if total.difference.as_deref().is_some_and(|difference| !difference.starts_with('-')) { "+" } else { "" };
                ui.label(RichText::new(format!("{sign}{}", words(&total.difference))).monospace().color(colours.warn));
                ui.end_row();
            }
        });
        ui.add_space(4.0);
    }
}
