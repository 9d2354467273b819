//! Widgets of single values.

use egui::{ComboBox, RichText, TextEdit, Ui};
use serde_json::Value;

use super::Form;
use crate::text;

/// A line of text.
pub(super) fn text(ui: &mut Ui, path: &str, value: &str, label: egui::Id) -> Option<String> {
    let mut buffer = value.to_owned();
    let width = ui.available_width().clamp(60.0, 160.0);
    let response = ui.add(TextEdit::singleline(&mut buffer).id_salt(("text", path)).desired_width(width)).labelled_by(label);
    response.changed().then_some(buffer)
}

/// The values a schema allows, with what each means; none for a schema that is no choice.
pub(super) fn choices(schema: &Value) -> Option<Vec<(Value, String)>> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(values.iter().map(|value| (value.clone(), String::new())).collect());
    }
    let variants = schema.get("oneOf").and_then(Value::as_array)?;
    variants
        .iter()
        .map(|variant| {
            let help = variant.get("description").and_then(Value::as_str).unwrap_or_default();
            Some((variant.get("const")?.clone(), help.to_owned()))
        })
        .collect()
}

fn choice_name(value: &Value) -> String {
    let name = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    weir_nodes::param::label(&name).map_or_else(|| text::spoken(&name), |words| text::words(words).to_owned())
}

/// One of several values.
pub(super) fn choice(ui: &mut Ui, choices: &[(Value, String)], given: Option<&Value>, optional: bool, label: egui::Id) -> Option<Value> {
    let mut chosen = None;
    let shown = given.map_or_else(|| text::NONE.get().to_owned(), choice_name);
    let combo = ComboBox::from_id_salt("choice").selected_text(shown).width(160.0).show_ui(ui, |ui| {
        ui.set_min_width(260.0);
        if optional && ui.selectable_label(given.is_none(), text::NONE.get()).clicked() {
            chosen = Some(Value::Null);
        }
        for (value, help) in choices {
            let response = ui.selectable_label(given == Some(value), choice_name(value));
            if !help.is_empty() {
                ui.label(RichText::new(help).small().weak());
            }
            if response.clicked() {
                chosen = Some(value.clone());
            }
        }
    });
    combo.response.labelled_by(label);
    chosen
}

/// A whole number.
pub(super) fn integer(ui: &mut Ui, schema: &Value, given: Option<&Value>, optional: bool, label: egui::Id) -> Option<Value> {
    let limit = |name: &str, else_: i64| schema.get(name).and_then(Value::as_f64).map_or(else_, |limit| limit as i64);
    let mut chosen = None;
    if optional && given.is_none() {
        let button = ui.button(text::either("Set", "Définir")).labelled_by(label);
        return button.clicked().then(|| Value::from(limit("minimum", 0)));
    }
    let mut number = given.and_then(Value::as_i64).unwrap_or(0);
    let drag = egui::DragValue::new(&mut number).range(limit("minimum", i64::MIN)..=limit("maximum", i64::MAX));
    if ui.add(drag).labelled_by(label).changed() {
        chosen = Some(Value::from(number));
    }
    if optional && ui.small_button("✕").on_hover_text(text::REMOVE.get()).clicked() {
        chosen = Some(Value::Null);
    }
    chosen
}

/// A column of what arrives.
pub(super) fn column(ui: &mut Ui, form: &mut Form<'_>, schema: &Value, given: &str, optional: bool, label: egui::Id) -> Option<Value> {
    let columns = form.columns(schema);
    let mut chosen = None;
    let known = columns.iter().any(|(name, _)| name == given);
    let shown = if given.is_empty() { text::either("Choose a column", "Choisir une colonne") } else { given };
    let shown = if known || given.is_empty() { RichText::new(shown) } else { RichText::new(shown).color(form.colours.bad) };
    let combo = ComboBox::from_id_salt("column").selected_text(shown).width(ui.available_width().clamp(80.0, 180.0)).show_ui(ui, |ui| {
        ui.set_min_width(220.0);
        if optional && ui.selectable_label(given.is_empty(), text::NONE.get()).clicked() {
            chosen = Some(Value::Null);
        }
        for (name, kind) in &columns {
            if ui.selectable_label(name == given, format!("{name}   {kind}")).clicked() {
                chosen = Some(Value::from(name.as_str()));
            }
        }
        if columns.is_empty() {
            ui.weak(text::either("No columns arrive yet.", "Aucune colonne n'arrive encore."));
        }
    });
    combo.response.labelled_by(label);
    chosen
}

/// A column's type.
pub(super) fn column_type(ui: &mut Ui, given: &str, optional: bool, label: egui::Id) -> Option<Value> {
    const TYPES: [&str; 9] = ["text", "integer", "decimal", "decimal(2)", "decimal(4)", "float", "boolean", "date", "datetime"];
    let mut chosen = None;
    let shown = if given.is_empty() { text::either("as it is", "inchangé") } else { type_name(given) };
    let combo = ComboBox::from_id_salt("type").selected_text(shown).width(110.0).show_ui(ui, |ui| {
        if optional && ui.selectable_label(given.is_empty(), text::either("as it is", "inchangé")).clicked() {
            chosen = Some(Value::Null);
        }
        for name in TYPES {
            if ui.selectable_label(name == given, type_name(name)).clicked() {
                chosen = Some(Value::from(name));
            }
        }
    });
    combo.response.labelled_by(label);
    chosen
}

/// A type in the person's language.
pub fn type_name(name: &str) -> &str {
    let french = match name {
        "text" => "texte",
        "integer" => "entier",
        "decimal" => "décimal",
        "decimal(2)" => "décimal (2)",
        "decimal(4)" => "décimal (4)",
        "float" => "flottant",
        "boolean" => "vrai/faux",
        "date" => "date",
        "datetime" => "date et heure",
        other => other,
    };
    text::either(name, french)
}
