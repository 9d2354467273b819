//! The guided page that binds a person's files to the inputs of a package: which file, which columns, what the contract says.

use egui::{Button, Color32, Grid, RichText, ScrollArea, TextEdit, Ui};
use weir_engine::package::bind::{Judgement, Suggestion, Why};
use weir_engine::preview::cell::cell;

use super::gallery::local;
use super::{named, page, shortened};
use crate::desk::Ask;
use crate::gallery::Binding;
use crate::icons;
use crate::text;
use crate::theme::{self, Colours};

/// The page. Whether it stays.
pub(super) fn show(ctx: &egui::Context, binding: &mut Binding) -> (bool, Vec<Ask>) {
    let mut asks = Vec::new();
    let wanted = (binding.input.clone(), binding.file.clone(), binding.columns.clone());
    let there = std::path::Path::new(weir_nodes::suggest::part(&binding.file).0).is_file();
    if there && binding.asked.as_ref() != Some(&wanted) {
        binding.asked = Some(wanted);
        binding.busy = true;
        asks.push(Ask::Suggest);
    }
    let stays = page(ctx, "bind", text::BIND.get(), |ui| {
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(230.0);
                inputs(ui, binding);
            });
            ui.separator();
            ui.vertical(|ui| {
                ui.set_width(ui.available_width());
                one(ui, binding, &mut asks);
            });
        });
    });
    (stays, asks)
}

fn inputs(ui: &mut Ui, page: &mut Binding) {
    let colours = theme::colours(ui);
    let mut turned = None;
    ScrollArea::vertical().id_salt("inputs").auto_shrink([false, false]).show(ui, |ui| {
        for (name, contract) in &page.contracts.inputs {
            let bound = page.bound.get(name).cloned().flatten();
            ui.horizontal(|ui| {
                let (icon, colour) =
                    if bound.is_some() { ("check_circle", colours.good) } else { ("radio_button_unchecked", colours.soft) };
                ui.label(icons::text(icon, 16.0).color(colour));
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    if ui.selectable_label(page.input == *name, local(&contract.title)).clicked() {
                        turned = Some(name.clone());
                    }
                    let state = bound.as_deref().map_or_else(|| text::READS_SAMPLE.get().to_owned(), |file| shortened(file, 34));
                    ui.label(RichText::new(state).small().color(colours.soft));
                });
            });
        }
    });
    if let Some(input) = turned {
        page.turn(&input);
    }
}

fn one(ui: &mut Ui, page: &mut Binding, asks: &mut Vec<Ask>) {
    let colours = theme::colours(ui);
    let Some(contract) = page.contracts.inputs.get(&page.input).cloned() else { return };
    ui.label(RichText::new(local(&contract.title)).family(theme::strong_family()).size(16.0));
    ui.label(RichText::new(local(&contract.about)).color(colours.soft));
    ui.add_space(6.0);
    ui.horizontal(|ui| {
        let hint = text::either("Your file", "Votre fichier");
        let field = ui.add(TextEdit::singleline(&mut page.file).hint_text(hint).desired_width((ui.available_width() - 160.0).max(160.0)));
        field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, hint));
        if ui.button(text::CHOOSE_FILE.get()).clicked() {
            asks.push(Ask::BindFile);
        }
        if page.busy {
            ui.spinner();
        }
    });
    ui.add_space(6.0);
    let bottom = 40.0;
    let height = ui.available_height() - bottom;
    ScrollArea::vertical().id_salt("binding").max_height(height).auto_shrink([false, false]).show(ui, |ui| match &page.answer {
        None => {
            for column in &contract.columns {
                ui.horizontal_wrapped(|ui| {
                    ui.label(RichText::new(&column.name).family(theme::strong_family()));
                    ui.label(RichText::new(column.column_type.to_string()).monospace().color(colours.soft));
                    ui.label(RichText::new(local(&column.about)).color(colours.soft));
                    if column.optional {
                        ui.weak(text::either("may be missing", "facultative"));
                    }
                });
            }
        }
        Some(Err(problem)) => {
            ui.colored_label(colours.bad, problem.to_string());
        }
        Some(Ok(answer)) => {
            let (suggestion, judgement) = answer.as_ref();
            columns(ui, suggestion, &mut page.columns, colours);
            ui.add_space(8.0);
            match judgement {
                Ok(judgement) => judged(ui, judgement, colours),
                Err(problem) => {
                    ui.colored_label(colours.bad, problem.to_string());
                }
            }
        }
    });
    ui.with_layout(egui::Layout::bottom_up(egui::Align::Min), |ui| {
        ui.horizontal(|ui| {
            let ready = match &page.answer {
                Some(Ok(answer)) => answer.1.as_ref().is_ok_and(|judgement| !judgement.refuses()),
                _ => false,
            };
            let words = RichText::new(text::BIND_THIS.get()).color(Color32::WHITE);
            let button = Button::new((icons::text("link", 17.0).color(Color32::WHITE), words)).fill(Color32::from_rgb(0x0b, 0x6b, 0xcb));
            let bind = ui.add_enabled(ready && !page.busy, button);
            named(&bind, text::BIND_THIS.get());
            if bind.clicked() {
                asks.push(Ask::Bind);
            }
            if let Some(Ok(answer)) = &page.answer {
                let (suggestion, judgement) = answer.as_ref();
                if suggestion.lacking().next().is_some() {
                    ui.weak(text::either("Choose the columns that are missing.", "Choisissez les colonnes manquantes."));
                } else if judgement.as_ref().is_ok_and(Judgement::refuses) {
                    ui.weak(text::either(
                        "The contract refuses some rows: correct them in your file.",
                        "Le contrat refuse des lignes : corrigez-les dans votre fichier.",
                    ));
                } else if suggestion.is_brought() {
                    ui.weak(text::either("The file is copied into the project.", "Le fichier est copié dans le projet."));
                }
            }
            if page.bound.get(&page.input).is_some_and(Option::is_some)
                && ui.button(text::either("Back to the sample", "Revenir à l'exemple")).clicked()
            {
                asks.push(Ask::Unbind);
            }
        });
    });
}

/// Which column of the file each of the contract's is.
fn columns(ui: &mut Ui, suggestion: &Suggestion, chosen: &mut std::collections::BTreeMap<String, Option<String>>, colours: Colours) {
    Grid::new("matches").num_columns(4).spacing([16.0, 6.0]).striped(true).show(ui, |ui| {
        for head in
            [text::either("Contract", "Contrat"), text::either("Your column", "Votre colonne"), "", text::either("Values", "Valeurs")]
        {
            ui.label(RichText::new(head).small().color(colours.soft));
        }
        ui.end_row();
        for found in &suggestion.matches {
            ui.horizontal(|ui| {
                ui.label(&found.column);
                ui.label(RichText::new(&found.column_type).small().monospace().color(colours.soft));
            });
            let none = if found.optional { text::either("— none", "— aucune") } else { text::either("— choose", "— choisir") };
            let combo =
                egui::ComboBox::from_id_salt(("match", &found.column)).width(220.0).selected_text(found.from.as_deref().unwrap_or(none));
            let response = combo.show_ui(ui, |ui| {
                let mut take = |ui: &mut Ui, from: Option<&String>, words: &str| {
                    if ui.selectable_label(found.from.as_ref() == from, words).clicked() {
                        chosen.insert(found.column.clone(), from.cloned());
                    }
                };
                take(ui, None, none);
                suggestion.columns.iter().for_each(|column| take(ui, Some(column), column));
            });
            let label = format!("{} {}", text::either("Column for", "Colonne pour"), found.column);
            response.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, &label));
            let (icon, colour, why) = match found.why {
                Why::Chosen => ("edit", colours.good, text::either("chosen", "choisie")),
                Why::Name => ("check_circle", colours.good, text::either("same name", "même nom")),
                Why::Synonym => ("check_circle", colours.good, text::either("known name", "nom connu")),
                Why::Alike => ("check", colours.warn, text::either("similar name", "nom proche")),
                Why::Content => ("check", colours.warn, text::either("by its content", "par son contenu")),
                Why::Nothing if found.optional => ("remove", colours.soft, text::either("left out", "omise")),
                Why::Nothing => ("error", colours.bad, text::either("missing", "manquante")),
            };
            ui.horizontal(|ui| {
                ui.label(icons::text(icon, 15.0).color(colour));
                ui.label(RichText::new(why).small().color(colour));
            });
            ui.add(egui::Label::new(RichText::new(found.samples.join(" · ")).small().color(colours.soft)).truncate());
            ui.end_row();
        }
    });
}

/// What the contract says of the rows.
fn judged(ui: &mut Ui, judgement: &Judgement, colours: Colours) {
    ui.horizontal(|ui| {
        ui.label(icons::text("check_circle", 16.0).color(colours.good));
        ui.label(format!("{} {}", text::rows(judgement.accepted), text::either("accepted", "acceptées")));
    });
    for verdict in &judgement.broken {
        let (icon, colour) = if verdict.blocks() { ("cancel", colours.bad) } else { ("warning", colours.warn) };
        ui.horizontal(|ui| {
            ui.label(icons::text(icon, 16.0).color(colour));
            ui.label(&verdict.title);
            if let Some(rows) = &verdict.exceptions {
                ui.label(RichText::new(format!("{} {}", text::either("not so for", "faux pour"), text::rows(rows.rows))).color(colour));
            }
        });
    }
    for (port, rows) in &judgement.first {
        ui.add_space(4.0);
        ui.label(RichText::new(format!("{} ({port})", text::either("The first of them", "Les premières"))).small().color(colours.soft));
        ScrollArea::horizontal().id_salt(*port).show(ui, |ui| {
            Grid::new(("first", *port)).striped(true).spacing([14.0, 4.0]).show(ui, |ui| {
                for field in rows.schema().fields() {
                    ui.label(RichText::new(field.name()).small().color(colours.soft));
                }
                ui.end_row();
                for row in 0..rows.num_rows() {
                    for column in rows.columns() {
                        ui.label(shortened(&cell(column, row).unwrap_or_default(), 60));
                    }
                    ui.end_row();
                }
            });
        });
    }
}
