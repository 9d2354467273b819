//! The workflow itself, shown while no step is selected: its name, what it is for, its parameters.

use egui::{ComboBox, RichText, ScrollArea, TextEdit, Ui};
use serde_json::Value;
use weir_engine::workflow::{Edit, Parameter, ParameterType, Workflow};

use super::named;
use crate::desk::{Ask, slug};
use crate::icons;
use crate::text;
use crate::theme::{self, Colours};

const TYPES: [(ParameterType, &str, &str); 7] = [
    (ParameterType::Text, "text", "texte"),
    (ParameterType::Integer, "integer", "entier"),
    (ParameterType::Decimal, "decimal", "décimal"),
    (ParameterType::Date, "date", "date"),
    (ParameterType::Month, "month", "mois"),
    (ParameterType::Boolean, "boolean", "vrai/faux"),
    (ParameterType::File, "file", "fichier"),
];

/// The form; gives what is asked for.
pub(super) fn show(ui: &mut Ui, workflow: &Workflow, colours: Colours) -> Vec<Ask> {
    let mut asks = Vec::new();
    ui.add_space(4.0);
    ui.label(RichText::new(text::either("Workflow", "Flux")).heading());
    ui.label(RichText::new(text::NOTHING_SELECTED.get()).small().color(colours.soft));
    ui.separator();
    ScrollArea::vertical().id_salt("workflow").auto_shrink([false, false]).show(ui, |ui| {
        let (mut name, mut description) = (workflow.name.clone(), workflow.description.clone().unwrap_or_default());
        let label = strong(ui, text::NAME.get());
        let mut changed = ui.add(TextEdit::singleline(&mut name).desired_width(f32::INFINITY)).labelled_by(label).changed();
        let label = strong(ui, text::either("Description", "Description"));
        let field = TextEdit::multiline(&mut description).desired_rows(2).desired_width(f32::INFINITY);
        changed |= ui.add(field).labelled_by(label).changed();
        if changed {
            let description = (!description.is_empty()).then_some(description);
            asks.push(Ask::Type("workflow".into(), vec![Edit::Describe { name, description }]));
        }
        ui.add_space(12.0);
        strong(ui, text::either("Parameters", "Paramètres"));
        let hint = text::either(
            "Used as {{name}} in settings and $name in formulas.",
            "S'utilisent {{nom}} dans les réglages, $nom dans les formules.",
        );
        ui.label(RichText::new(hint).small().color(colours.soft));
        for (name, parameter) in &workflow.parameters {
            ui.push_id(name, |ui| parameter_row(ui, name, parameter, &mut asks));
        }
        let id = ui.scope_id().with("new parameter");
        let mut new: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
        ui.horizontal(|ui| {
            let hint = text::either("New parameter", "Nouveau paramètre");
            let field = ui.add(TextEdit::singleline(&mut new).hint_text(hint).desired_width(160.0));
            field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, hint));
            let add = ui.button(format!("+ {}", text::ADD.get()));
            named(&add, text::either("Add the parameter", "Ajouter le paramètre"));
            if add.clicked() && !new.trim().is_empty() && !workflow.parameters.contains_key(&slug(&new)) {
                let parameter = Parameter {
                    kind: ParameterType::Text,
                    default: None,
                    title: None,
                    doc: None,
                    choices: None,
                    other: std::collections::BTreeMap::new(),
                };
                asks.push(Ask::Change(None, vec![Edit::SetParameter { name: slug(&new), parameter: Some(parameter) }]));
                new.clear();
            }
        });
        ui.data_mut(|data| data.insert_temp(id, new));
    });
    asks
}

fn strong(ui: &mut Ui, words: &str) -> egui::Id {
    ui.label(RichText::new(words).size(12.5).family(theme::strong_family())).id
}

fn parameter_row(ui: &mut Ui, name: &str, parameter: &Parameter, asks: &mut Vec<Ask>) {
    let mut set = |parameter: Option<Parameter>| {
        asks.push(Ask::Type(format!("parameter {name}"), vec![Edit::SetParameter { name: name.to_owned(), parameter }]));
    };
    ui.horizontal(|ui| {
        let label = strong(ui, name);
        let shown = TYPES.iter().find(|(kind, ..)| *kind == parameter.kind).map_or("", |(_, en, fr)| text::either(en, fr));
        let combo = ComboBox::from_id_salt("type").width(90.0).selected_text(shown).show_ui(ui, |ui| {
            for (kind, en, fr) in TYPES {
                if ui.selectable_label(parameter.kind == kind, text::either(en, fr)).clicked() {
                    set(Some(Parameter { kind, ..parameter.clone() }));
                }
            }
        });
        combo.response.labelled_by(label);
        let mut default = match &parameter.default {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let field = ui.add(TextEdit::singleline(&mut default).desired_width(ui.available_width() - 32.0));
        field.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::TextInput, true, format!("{} {name}", text::either("Default of", "Défaut de")))
        });
        if field.changed() {
            // Whole numbers and truth are themselves in the document; everything else is text.
            let value = match parameter.kind {
                ParameterType::Integer | ParameterType::Boolean => serde_json::from_str(&default).unwrap_or(Value::String(default)),
                _ => Value::String(default),
            };
            let default = (value != Value::String(String::new())).then_some(value);
            set(Some(Parameter { default, ..parameter.clone() }));
        }
        let remove = ui.add(egui::Button::new(icons::text("close", 14.0)).frame(false));
        named(&remove, &format!("{} {name}", text::REMOVE.get()));
        if remove.clicked() {
            set(None);
        }
    });
}
