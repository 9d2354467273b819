//! Forms, derived from the schemas of the kinds' parameters: one widget for each parameter type, none for a kind.

pub mod file;
pub mod formula;
mod list;
pub mod mapping;
mod scalar;
mod values;

pub use scalar::type_name;

use egui::{RichText, Ui};
use serde_json::{Map, Value};
use weir_engine::Problem;
use weir_engine::workflow::Edit;
use weir_nodes::registry::Kind;

use crate::desk::{Ask, Tab};
use crate::text;
use crate::theme::{self, Colours};
use crate::worker::Worker;

/// What a widget sees: the step it belongs to, and a way to ask for things.
pub struct Form<'a> {
    /// The tab.
    pub tab: &'a mut Tab,
    /// The engine.
    pub worker: &'a Worker,
    /// The step.
    pub node: String,
    /// What is asked for.
    pub asks: Vec<Ask>,
    /// The theme's colours.
    pub colours: Colours,
}

impl Form<'_> {
    /// The names of the columns that arrive on a port, or on the first one.
    pub fn columns(&self, schema: &Value) -> Vec<(String, String)> {
        let ports = self.tab.ports(&self.node);
        let port = schema.get("x-weir-input").and_then(Value::as_str).or(ports.inputs.first().map(|port| port.name));
        let Some(schema) = port.and_then(|port| self.tab.incoming(&self.node, port)) else { return vec![] };
        let named = |field: &std::sync::Arc<arrow::datatypes::Field>| {
            let kind = weir_nodes::ColumnType::of(field.data_type()).map_or_else(String::new, |kind| kind.to_string());
            (field.name().clone(), kind)
        };
        schema.fields().iter().map(named).collect()
    }

    /// What the step found out where a parameter says nothing.
    fn found(&self, name: &str) -> Option<String> {
        let step = self.tab.facts.as_ref()?.checked.steps.get(&self.node)?;
        step.planned.found.iter().find(|(known, _)| *known == name).map(|(_, found)| found.clone())
    }

    /// The problems of a field, and of what is inside it when it is the innermost one drawn.
    fn problems(&self, path: &str) -> Vec<Problem> {
        let here = |problem: &&Problem| problem.node.as_deref() == Some(&self.node) && problem.field.as_deref() == Some(path);
        self.tab.problems().iter().filter(here).cloned().collect()
    }
}

/// The whole form of a step.
pub fn form(ui: &mut Ui, form: &mut Form<'_>, kind: &'static Kind) {
    let Some(node) = form.tab.workflow().nodes.get(&form.node) else { return };
    let params = node.params.clone();
    if kind.schema.get("x-weir-widget").and_then(Value::as_str) == Some("key-table") {
        mapping::coverage(ui, form, kind, &params);
    }
    let required: Vec<&str> =
        kind.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(properties) = kind.schema.get("properties").and_then(Value::as_object) else { return };
    // What must be given comes first, in the order of the kind's own fields; then what says what the step does; the rest
    // is folded where there is much of it.
    let (mut first, rest): (Vec<_>, Vec<_>) =
        properties.iter().partition(|(name, schema)| required.contains(&name.as_str()) || is_main(schema));
    first.sort_by_key(|(name, _)| required.iter().position(|required| required == name).unwrap_or(required.len()));
    for (name, schema) in &first {
        property(ui, form, &params, name, schema);
    }
    if rest.len() > 3 && !first.is_empty() {
        let set = rest.iter().filter(|(name, _)| params.contains_key(*name)).count();
        let title = match set {
            0 => text::either("More settings", "Autres réglages").to_owned(),
            n => format!("{} ({n})", text::either("More settings", "Autres réglages")),
        };
        let pointed = form.tab.selection.field.as_ref().is_some_and(|field| rest.iter().any(|(name, _)| field.starts_with(name.as_str())));
        egui::CollapsingHeader::new(title).id_salt((&form.node, "more")).default_open(false).open(pointed.then_some(true)).show(ui, |ui| {
            for (name, schema) in &rest {
                property(ui, form, &params, name, schema);
            }
        });
    } else {
        for (name, schema) in &rest {
            property(ui, form, &params, name, schema);
        }
    }
}

/// Whether a parameter says what the step does: a list, a widget of its own, or what its kind calls so.
fn is_main(schema: &Value) -> bool {
    schema.get("x-weir-main").is_some()
        || schema.get("type").and_then(Value::as_str) == Some("array")
        || schema
            .get("x-weir-widget")
            .is_some_and(|widget| widget != "file" && widget != "folder" || schema.get("type") == Some(&Value::from("string")))
}

/// A part of a form whose widgets keep their ids whatever is drawn before it. A problem that appears above a button must
/// not make it another button between press and release.
fn apart<R>(ui: &mut Ui, salt: impl egui::AsIdSalt, add: impl FnOnce(&mut Ui) -> R) -> R {
    let id = ui.scope_id().with(salt);
    ui.scope_builder(egui::UiBuilder::new().scope_id(id), add).inner
}

fn property(ui: &mut Ui, form: &mut Form<'_>, params: &Map<String, Value>, name: &str, schema: &Value) {
    let value = params.get(name).cloned();
    let salt = (form.node.clone(), name.to_owned());
    let new = apart(ui, salt, |ui| field(ui, form, name, name, schema, value.as_ref()));
    if let Some(new) = new {
        let edit = Edit::SetParam { id: form.node.clone(), name: name.to_owned(), value: new };
        form.asks.push(Ask::Type(format!("{}.{name}", form.node), vec![edit]));
    }
    ui.add_space(6.0);
}

/// A field with its name, its help and its problems. Gives the new value when the person changed it; null removes it.
fn field(ui: &mut Ui, form: &mut Form<'_>, path: &str, name: &str, schema: &Value, value: Option<&Value>) -> Option<Value> {
    let (schema, optional) = unwrapped(schema);
    let help = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let mut changed = None;
    let wide = is_wide(schema);
    let label = |ui: &mut Ui| {
        let words = weir_nodes::param::label(name);
        let shown = words.map_or_else(|| text::spoken(name), |words| text::words(words).to_owned());
        let label = ui.label(RichText::new(shown).size(12.5).family(theme::strong_family()));
        if help.is_empty() { label } else { label.on_hover_text(help) }
    };
    let found = if value.is_none() { form.found(path) } else { None };
    if wide {
        let label = label(ui);
        changed = changed.or(input(ui, form, path, schema, value, optional, label.id));
    } else {
        ui.horizontal(|ui| {
            ui.set_min_width(ui.available_width());
            let label = label(ui);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                changed = changed.take().or(input(ui, form, path, schema, value, optional, label.id));
            });
        });
    }
    if let Some(found) = found {
        let words = format!("{}: {found}", text::either("found in the file", "trouvé dans le fichier"));
        ui.label(RichText::new(words).size(11.5).color(form.colours.soft));
    }
    for problem in form.problems(path) {
        show_problem(ui, &problem, form.colours);
    }
    changed
}

/// A problem below the field it is about.
pub fn show_problem(ui: &mut Ui, problem: &Problem, colours: Colours) {
    let colour = match problem.level {
        weir_nodes::problem::Level::Error => colours.bad,
        weir_nodes::problem::Level::Warning => colours.warn,
        weir_nodes::problem::Level::Info => colours.soft,
    };
    ui.label(RichText::new(&problem.message).color(colour).size(12.0));
    if let Some(help) = &problem.help {
        ui.label(RichText::new(help).color(colours.soft).size(12.0));
    }
}

/// A schema without the null it may allow.
fn unwrapped(schema: &Value) -> (&Value, bool) {
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array)
        && let Some(other) = choices.iter().find(|choice| choice.get("type") != Some(&Value::from("null")))
    {
        return (other, true);
    }
    let optional = matches!(schema.get("type"), Some(Value::Array(types)) if types.iter().any(|t| t == "null"));
    (schema, optional)
}

fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).find(|t| *t != "null").unwrap_or("string"),
        _ => "object",
    }
}

fn is_wide(schema: &Value) -> bool {
    let widget = schema.get("x-weir-widget").and_then(Value::as_str);
    matches!(widget, Some("expression" | "columns" | "file" | "folder" | "key-lines"))
        || (matches!(type_of(schema), "array" | "object") && scalar::choices(schema).is_none())
}

/// The widget of a parameter type.
fn input(
    ui: &mut Ui,
    form: &mut Form<'_>,
    path: &str,
    schema: &Value,
    value: Option<&Value>,
    optional: bool,
    label: egui::Id,
) -> Option<Value> {
    let given = value.or_else(|| schema.get("default")).filter(|value| !value.is_null());
    let text = given.and_then(Value::as_str).unwrap_or_default();
    let pointed = form.tab.selection.field.as_deref() == Some(path);
    if pointed {
        ui.scroll_to_cursor(Some(egui::Align::Center));
    }
    let changed = match schema.get("x-weir-widget").and_then(Value::as_str) {
        Some("expression") => formula::edit(ui, form, path, schema, text, label).map(|new| or_null(new, optional)),
        Some("column") => scalar::column(ui, form, schema, text, optional, label),
        Some("columns") => list::columns(ui, form, path, schema, given, label),
        Some("key-lines") => mapping::lines(ui, form, given),
        Some("type") => scalar::column_type(ui, text, optional, label),
        Some(kind @ ("file" | "folder")) => file::edit(ui, form, path, text, label, kind == "folder").map(|new| or_null(new, optional)),
        _ => {
            if let Some(choices) = scalar::choices(schema) {
                scalar::choice(ui, &choices, given, optional, label)
            } else if let Some(variants) = list::variants(schema) {
                list::tagged(ui, form, path, &variants, given)
            } else {
                match type_of(schema) {
                    "boolean" => {
                        let mut on = given.and_then(Value::as_bool).unwrap_or(false);
                        ui.checkbox(&mut on, "").labelled_by(label).changed().then_some(Value::Bool(on))
                    }
                    "integer" | "number" => scalar::integer(ui, schema, given, optional, label),
                    "array" => {
                        let filled = schema
                            .get("x-weir-values-of")
                            .and_then(Value::as_str)
                            .zip(schema.get("x-weir-left-over").and_then(Value::as_str))
                            .and_then(|(of, left_over)| values::fill(ui, form, of, left_over, given));
                        list::items(ui, form, path, schema, given, label).or(filled)
                    }
                    "string" => scalar::text(ui, path, text, label).map(|new| or_null(new, optional)),
                    _ => list::object(ui, form, path, schema, given),
                }
            }
        }
    };
    if pointed {
        form.tab.selection.field = None;
    }
    changed
}

fn or_null(text: String, optional: bool) -> Value {
    if optional && text.is_empty() { Value::Null } else { Value::String(text) }
}
