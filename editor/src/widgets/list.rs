//! Widgets of several values: columns, rows of fields, rules.

use egui::{Frame, RichText, Stroke, Ui};
use serde_json::{Map, Value};
use weir_nodes::registry::empty_value;

use super::{Form, field, scalar};
use crate::icons;
use crate::text;

/// Some of the columns that arrive, in the order they were chosen.
pub(super) fn columns(
    ui: &mut Ui,
    form: &mut Form<'_>,
    path: &str,
    schema: &Value,
    given: Option<&Value>,
    label: egui::Id,
) -> Option<Value> {
    let mut names: Vec<String> =
        given.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(String::from).collect();
    let known = form.columns(schema);
    let mut changed = false;
    ui.horizontal_wrapped(|ui| {
        let mut gone = None;
        for (place, name) in names.iter().enumerate() {
            let colour = if known.iter().any(|(column, _)| column == name) { form.colours.text } else { form.colours.bad };
            let chip = ui.button(RichText::new(format!("{name}  ✕")).color(colour));
            if chip.on_hover_text(text::REMOVE.get()).clicked() {
                gone = Some(place);
            }
        }
        if let Some(place) = gone {
            names.remove(place);
            changed = true;
        }
        let button = ui.button(text::either("+ Column", "+ Colonne")).labelled_by(label);
        // An id of its own: the list stays open while chips come and go before the button.
        let id = egui::Id::unique(("columns", form.tab.id, &form.node, path));
        egui::Popup::menu(&button).id(id).close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
            ui.set_min_width(220.0);
            egui::ScrollArea::vertical().max_height(480.0).show(ui, |ui| {
                for (name, kind) in &known {
                    let mut on = names.contains(name);
                    if ui.checkbox(&mut on, format!("{name}   {kind}")).changed() {
                        changed = true;
                        if on {
                            names.push(name.clone());
                        } else {
                            names.retain(|other| other != name);
                        }
                    }
                }
                if known.is_empty() {
                    ui.weak(text::either("No columns arrive yet.", "Aucune colonne n'arrive encore."));
                }
            });
        });
    });
    changed.then(|| Value::from(names))
}

/// A list of values or of rows of fields.
pub(super) fn items(ui: &mut Ui, form: &mut Form<'_>, path: &str, schema: &Value, given: Option<&Value>, label: egui::Id) -> Option<Value> {
    let item = schema.get("items")?;
    let mut list: Vec<Value> = given.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut changed = false;
    let (mut gone, mut raise) = (None, None);
    let simple = item.get("properties").is_none() && variants(item).is_none();
    for (place, element) in list.iter_mut().enumerate() {
        let inside = format!("{path}[{place}]");
        super::apart(ui, place, |ui| {
            let frame = if simple {
                Frame::NONE
            } else {
                Frame::NONE.stroke(Stroke::new(1.0, form.colours.edge)).corner_radius(6.0).inner_margin(8.0)
            };
            frame.show(ui, |ui| {
                ui.horizontal_top(|ui| {
                    let room = ui.available_width() - 30.0;
                    ui.vertical(|ui| {
                        ui.set_width(room);
                        let new = if simple {
                            let spoken = element.as_str().unwrap_or_default().to_owned();
                            scalar::text(ui, &inside, &spoken, label).map(Value::String)
                        } else if let Some(variants) = variants(item) {
                            tagged(ui, form, &inside, &variants, Some(&*element))
                        } else {
                            object(ui, form, &inside, item, Some(&*element))
                        };
                        if let Some(new) = new {
                            *element = new;
                            changed = true;
                        }
                    });
                    ui.vertical(|ui| {
                        let remove = ui.add(egui::Button::new(icons::text("close", 14.0)).frame(false));
                        crate::panels::named(&remove, &format!("{} {}", text::REMOVE.get(), place + 1));
                        if remove.on_hover_text(text::REMOVE.get()).clicked() {
                            gone = Some(place);
                        }
                        if place > 0 && !simple {
                            let up = ui.add(egui::Button::new(icons::text("arrow_upward", 14.0)).frame(false));
                            crate::panels::named(&up, text::either("Move up", "Monter"));
                            if up.clicked() {
                                raise = Some(place);
                            }
                        }
                    });
                });
            });
        });
    }
    if let Some(place) = gone {
        list.remove(place);
        changed = true;
    }
    if let Some(place) = raise {
        list.swap(place, place - 1);
        changed = true;
    }
    let add = super::apart(ui, "add", |ui| ui.button(format!("+ {}", text::PLUS_RULE.get())));
    crate::panels::named(&add, &format!("{} {}", text::ADD.get(), path));
    if add.clicked() {
        list.push(match variants(item) {
            Some(variants) => variants.first().map(|(tag, name, schema)| fresh(tag, name, schema)).unwrap_or_default(),
            None => empty_value(item),
        });
        changed = true;
    }
    changed.then_some(Value::Array(list))
}

/// The fields of an object.
pub(super) fn object(ui: &mut Ui, form: &mut Form<'_>, path: &str, schema: &Value, given: Option<&Value>) -> Option<Value> {
    let mut map: Map<String, Value> = given.and_then(Value::as_object).cloned().unwrap_or_default();
    let mut changed = false;
    let properties = schema.get("properties").and_then(Value::as_object)?;
    let required: Vec<&str> = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    // What must be given first, in the order of the kind's own fields.
    let (mut first, rest): (Vec<_>, Vec<_>) = properties.iter().partition(|(name, _)| required.contains(&name.as_str()));
    first.sort_by_key(|(name, _)| required.iter().position(|required| required == name));
    for (name, property) in first.into_iter().chain(rest).filter(|(_, property)| property.get("const").is_none()) {
        let inside = format!("{path}.{name}");
        let new = super::apart(ui, name, |ui| field(ui, form, &inside, name, property, map.get(name)));
        match new {
            Some(Value::Null) => changed |= map.remove(name).is_some(),
            Some(value) => {
                map.insert(name.clone(), value);
                changed = true;
            }
            None => {}
        }
    }
    changed.then_some(Value::Object(map))
}

/// The variants of an object with a tag: the tag's field, its value, the schema.
pub(super) fn variants(schema: &Value) -> Option<Vec<(String, String, &Value)>> {
    let choices = schema.get("oneOf").and_then(Value::as_array)?;
    choices
        .iter()
        .map(|variant| {
            let properties = variant.get("properties")?.as_object()?;
            let (tag, value) = properties.iter().find_map(|(name, property)| Some((name, property.get("const")?.as_str()?)))?;
            Some((tag.clone(), value.to_owned(), variant))
        })
        .collect()
}

fn fresh(tag: &str, name: &str, schema: &Value) -> Value {
    let mut value = empty_value(&serde_json::json!({
        "type": "object", "properties": schema.get("properties"), "required": schema.get("required"),
    }));
    value[tag] = Value::from(name);
    value
}

/// An object that is one of several: which one, and its fields.
pub(super) fn tagged(
    ui: &mut Ui,
    form: &mut Form<'_>,
    path: &str,
    variants: &[(String, String, &Value)],
    given: Option<&Value>,
) -> Option<Value> {
    let current = variants.iter().find(|(tag, name, _)| given.and_then(|value| value.get(tag)).and_then(Value::as_str) == Some(name));
    let mut changed = None;
    let shown = |name: &str| weir_nodes::param::label(name).map_or_else(|| text::spoken(name), |words| text::words(words).to_owned());
    let combo = egui::ComboBox::from_id_salt("variant")
        .selected_text(current.map_or_else(String::new, |(_, name, _)| shown(name)))
        .width(180.0)
        .show_ui(ui, |ui| {
            ui.set_min_width(260.0);
            for (tag, name, schema) in variants {
                let response = ui.selectable_label(current.is_some_and(|(_, now, _)| now == name), shown(name));
                if let Some(help) = schema.get("description").and_then(Value::as_str) {
                    ui.label(RichText::new(help).small().weak());
                }
                if response.clicked() {
                    changed = Some(fresh(tag, name, schema));
                }
            }
        });
    crate::panels::named(&combo.response, text::either("Rule", "Règle"));
    if changed.is_none()
        && let Some((_, _, schema)) = current
    {
        changed = object(ui, form, path, schema, given);
    }
    changed
}
