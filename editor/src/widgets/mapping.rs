//! How far a table of keys and values covers what arrives: what is unmapped, how much of the rows that is, and ways to
//! fill the table.

use std::sync::Arc;

use egui::{Frame, RichText, ScrollArea, Ui};
use serde_json::{Map, Value, json};
use weir_engine::workflow::Edit;
use weir_nodes::registry::Kind;

use super::Form;
use crate::desk::Ask;
use crate::document::Label;
use crate::text;

/// The coverage of a step whose schema asks for it.
pub(super) fn coverage(ui: &mut Ui, form: &mut Form<'_>, kind: &'static Kind, params: &Map<String, Value>) {
    let columns: Vec<String> =
        params.get("from").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(String::from).collect();
    let left_over = kind.schema.get("x-weir-left-over").and_then(Value::as_str).unwrap_or_default();
    let Some(input) = form.tab.ports(&form.node).inputs.first().map(|port| port.name) else { return };
    let Some(from) = form.tab.sources(&form.node, input).into_iter().next() else { return };
    let Some(facts) = form.tab.facts.clone() else { return };
    let known = form.tab.incoming(&form.node, input).is_some_and(|schema| columns.iter().all(|name| schema.field_with_name(name).is_ok()));
    if columns.is_empty() || !known {
        return;
    }
    let about = format!("{} {} {}", form.node, form.tab.document.revision(), facts.revision);
    if form.tab.coverage_asked.as_ref() != Some(&about) && form.tab.is_current() {
        form.tab.coverage_asked = Some(about);
        form.worker.cover(form.tab.id, form.node.clone(), left_over.to_owned(), from, columns.clone(), Arc::clone(&facts.checked));
    }
    let Some((node, Ok(found))) = form.tab.coverage.clone() else { return };
    if node != form.node {
        return;
    }
    let missing = found.unmapped.as_ref().unwrap_or(&found.arriving);
    let colours = form.colours;
    Frame::NONE.fill(colours.canvas).corner_radius(6.0).inner_margin(10.0).show(ui, |ui| {
        ui.set_width(ui.available_width());
        if missing.values.is_empty() {
            ui.label(RichText::new(text::MAPPED_ALL.get()).color(colours.good).family(crate::theme::strong_family()));
            return;
        }
        let values = text::several(missing.values.len(), text::VALUE_UNMAPPED, text::VALUES_UNMAPPED);
        let share = if found.arriving.rows == 0 { 0.0 } else { missing.rows as f64 * 100.0 / found.arriving.rows as f64 };
        let share = text::number(&format!("{share:.1}"));
        let amount = missing.amount.as_ref().map_or_else(|| text::rows(missing.rows), |(_, total)| text::number(total));
        let line = format!("{values}, {share} % {}, {amount}", text::OF_ROWS.get());
        let about = missing.amount.as_ref().map_or_else(String::new, |(column, _)| format!("{column} · "));
        ui.label(RichText::new(line).color(colours.warn).family(crate::theme::strong_family()))
            .on_hover_text(format!("{about}{}", text::rows(missing.rows)));
        let lines = table(params);
        ui.horizontal_wrapped(|ui| {
            if ui.button(text::FILL_FROM_DATA.get()).clicked() {
                let mut lines = lines.clone();
                lines.extend(missing.values.iter().map(|(keys, _)| line_of(keys, params)));
                set(form, lines, "fill the table from data", "remplir la table depuis les données");
            }
            if ui
                .button(text::PASTE_EXCEL.get())
                .on_hover_text(text::either(
                    "Copy cells in your spreadsheet first: keys, then values.",
                    "Copiez d'abord les cellules de votre tableur : les clés, puis les valeurs.",
                ))
                .clicked()
            {
                ui.ctx().data_mut(|data| data.insert_temp(egui::Id::unique("paste-table"), form.node.clone()));
                ui.ctx().send_viewport_cmd(egui::ViewportCommand::RequestPaste);
            }
        });
        ScrollArea::vertical().id_salt("unmapped").max_height(150.0).auto_shrink([false, true]).show(ui, |ui| {
            for (keys, rows) in missing.values.iter().take(200) {
                let shown: Vec<&str> = keys.iter().map(|key| key.as_deref().unwrap_or("∅")).collect();
                ui.horizontal(|ui| {
                    ui.label(RichText::new(shown.join(" · ")).monospace());
                    ui.label(RichText::new(text::rows(*rows)).small().color(colours.soft));
                    if let Some((near, values)) = nearest(&shown.join(" "), &lines) {
                        let accept = ui.small_button(format!("≈ {near}"));
                        if accept.on_hover_text(format!("{}: {}", text::SUGGESTION.get(), values.join(", "))).clicked() {
                            let mut lines = lines.clone();
                            let mut line = line_of(keys, params);
                            line["values"] = json!(values);
                            lines.push(line);
                            set(form, lines, "accept a suggestion", "accepter une suggestion");
                        }
                    }
                });
            }
        });
    });
    ui.add_space(8.0);
}

/// The table as a grid of keys and values: filtered by a text, line by line.
pub(super) fn lines(ui: &mut Ui, form: &mut Form<'_>, given: Option<&Value>) -> Option<Value> {
    let params = form.tab.workflow().nodes.get(&form.node).map(|node| node.params.clone()).unwrap_or_default();
    let named = |name: &str, inner: Option<&str>| -> Vec<String> {
        let items = params.get(name).and_then(Value::as_array).into_iter().flatten();
        items.map(|item| inner.map_or(item, |inner| &item[inner]).as_str().unwrap_or_default().to_owned()).collect()
    };
    let (keys, values) = (named("from", None), named("to", Some("name")));
    let mut lines: Vec<Value> = given.and_then(Value::as_array).cloned().unwrap_or_default();
    let id = egui::Id::unique(("lines", form.tab.id, &form.node));
    let mut filter: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let mut changed = false;
    if lines.len() > 8 {
        let hint = text::either("Filter the table", "Filtrer la table");
        let field = ui.add(egui::TextEdit::singleline(&mut filter).hint_text(hint).desired_width(f32::INFINITY));
        field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, hint));
        ui.data_mut(|data| data.insert_temp(id, filter.clone()));
    }
    let wanted = filter.to_lowercase();
    let fits = |line: &Value| wanted.is_empty() || line.to_string().to_lowercase().contains(&wanted);
    let shown: Vec<usize> = (0..lines.len()).filter(|place| fits(&lines[*place])).collect();
    let width = ((ui.available_width() - 36.0) / (keys.len() + values.len()).max(1) as f32 - 8.0).clamp(60.0, 220.0);
    let mut gone = None;
    ui.horizontal(|ui| {
        for name in keys.iter().chain(&values) {
            ui.add_sized([width, 18.0], egui::Label::new(RichText::new(name).size(11.5).color(form.colours.soft)).truncate());
        }
    });
    ScrollArea::vertical().id_salt("lines").max_height(260.0).auto_shrink([false, true]).show_rows(ui, 24.0, shown.len(), |ui, range| {
        for place in &shown[range] {
            ui.push_id(place, |ui| {
                ui.horizontal(|ui| {
                    let line = &mut lines[*place];
                    for (part, count) in [("keys", keys.len()), ("values", values.len())] {
                        for column in 0..count {
                            let mut cell = line[part].get(column).and_then(Value::as_str).unwrap_or_default().to_owned();
                            let empty = if part == "values" && line[part].get(column).is_none_or(Value::is_null) { "∅" } else { "" };
                            let field = ui.add(egui::TextEdit::singleline(&mut cell).hint_text(empty).desired_width(width - 8.0));
                            let name = if part == "keys" { &keys[column] } else { &values[column] };
                            field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, format!("{name} {}", place + 1)));
                            if field.changed() {
                                let mut cells: Vec<Value> = line[part].as_array().cloned().unwrap_or_default();
                                let none = if part == "keys" { Value::from("") } else { Value::Null };
                                cells.resize(count, none);
                                cells[column] = if part == "values" && cell.is_empty() { Value::Null } else { Value::from(cell) };
                                line[part] = Value::Array(cells);
                                changed = true;
                            }
                        }
                    }
                    let remove = ui.add(egui::Button::new(crate::icons::text("close", 14.0)).frame(false));
                    crate::panels::named(&remove, &format!("{} {}", text::REMOVE.get(), place + 1));
                    if remove.clicked() {
                        gone = Some(*place);
                    }
                });
            });
        }
    });
    if let Some(place) = gone {
        lines.remove(place);
        changed = true;
    }
    let add = ui.button(format!("+ {}", text::PLUS_RULE.get()));
    crate::panels::named(&add, &format!("{} table", text::ADD.get()));
    if add.clicked() {
        lines.push(line_of(&vec![Some(String::new()); keys.len()], &params));
        changed = true;
    }
    changed.then_some(Value::Array(lines))
}

fn table(params: &Map<String, Value>) -> Vec<Value> {
    params.get("table").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn line_of(keys: &[Option<String>], params: &Map<String, Value>) -> Value {
    let values = params.get("to").and_then(Value::as_array).map_or(1, Vec::len);
    let keys: Vec<&str> = keys.iter().map(|key| key.as_deref().unwrap_or_default()).collect();
    json!({ "keys": keys, "values": vec![Value::Null; values] })
}

fn set(form: &mut Form<'_>, lines: Vec<Value>, en: &str, fr: &str) {
    let edit = Edit::SetParam { id: form.node.clone(), name: "table".into(), value: Value::Array(lines) };
    form.asks.push(Ask::Change(Some(Label::new(en, fr)), vec![edit]));
}

/// The line whose key is nearest to a value, when it is near enough to be meant, with the values it gives.
fn nearest(value: &str, lines: &[Value]) -> Option<(String, Vec<String>)> {
    let wanted = value.to_lowercase();
    let near = |line: &Value| {
        let keys: Vec<&str> = line.get("keys")?.as_array()?.iter().filter_map(Value::as_str).collect();
        let values: Vec<String> = line.get("values")?.as_array()?.iter().map(|v| v.as_str().map(String::from)).collect::<Option<_>>()?;
        let key = keys.join(" ");
        let likeness = strsim::jaro_winkler(&wanted, &key.to_lowercase());
        (likeness > 0.85).then_some((likeness, key, values))
    };
    lines.iter().filter_map(near).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, key, values)| (key, values))
}

/// Lines of cells copied from a spreadsheet as lines of a table: as many keys as columns are looked up, then values.
pub fn pasted(cells: &str, keys: usize, values: usize) -> Vec<Value> {
    cells
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let mut parts = line.split('\t').map(|cell| cell.trim().to_owned());
            let own: Vec<String> = (0..keys).map(|_| parts.next().unwrap_or_default()).collect();
            let given: Vec<Option<String>> = (0..values).map(|_| parts.next().filter(|cell| !cell.is_empty())).collect();
            json!({ "keys": own, "values": given })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreadsheet_cells_become_lines() {
        let lines = pasted("CRM-1\tSoftware\t0.12\r\nSRV\t\t\n\n", 1, 2);
        assert_eq!(
            lines,
            vec![json!({ "keys": ["CRM-1"], "values": ["Software", "0.12"] }), json!({ "keys": ["SRV"], "values": [null, null] }),]
        );
    }

    #[test]
    fn a_near_key_is_suggested_with_its_values() {
        let lines = vec![json!({ "keys": ["Service Pro"], "values": ["Services"] })];
        assert_eq!(nearest("service  pro", &lines), Some(("Service Pro".into(), vec!["Services".into()])));
        assert_eq!(nearest("Licence", &lines), None);
    }
}
