//! A list of the values of a column, filled from the rows that arrive.

use std::sync::Arc;

use egui::{RichText, Ui};
use serde_json::{Value, json};

use super::Form;
use crate::text;

/// What arrives in the column that the parameter `of` names and is not in the list yet; the list with it, when asked
/// for. `left_over` is the port by which such rows leave.
pub(super) fn fill(ui: &mut Ui, form: &mut Form<'_>, of: &str, left_over: &str, given: Option<&Value>) -> Option<Value> {
    let params = form.tab.workflow().nodes.get(&form.node).map(|node| node.params.clone())?;
    let column = params.get(of).and_then(Value::as_str)?.to_owned();
    let input = form.tab.ports(&form.node).inputs.first().map(|port| port.name)?;
    let from = form.tab.sources(&form.node, input).into_iter().next()?;
    let facts = form.tab.facts.clone()?;
    if form.tab.incoming(&form.node, input).is_none_or(|schema| schema.field_with_name(&column).is_err()) {
        return None;
    }
    let about = format!("{} {} {}", form.node, form.tab.document.revision(), facts.revision);
    if form.tab.coverage_asked.as_ref() != Some(&about) && form.tab.is_current() {
        form.tab.coverage_asked = Some(about);
        form.worker.cover(form.tab.id, form.node.clone(), left_over.to_owned(), from, vec![column], Arc::clone(&facts.checked));
    }
    let (node, Ok(found)) = form.tab.coverage.clone()? else { return None };
    let mut listed: Vec<String> =
        given.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let arriving = found.arriving.values.iter().filter_map(|(keys, _)| keys.first()?.clone());
    let mut missing: Vec<String> = arriving.filter(|value| !listed.contains(value)).collect();
    if node != form.node || missing.is_empty() {
        return None;
    }
    missing.sort();
    let mut filled = None;
    ui.horizontal_wrapped(|ui| {
        let words = text::several(missing.len(), text::VALUE_UNLISTED, text::VALUES_UNLISTED);
        ui.label(RichText::new(words).small().color(form.colours.warn)).on_hover_text(missing.join("\n"));
        if ui.button(text::FILL_FROM_DATA.get()).clicked() {
            listed.append(&mut missing);
            filled = Some(json!(listed));
        }
    });
    filled
}
