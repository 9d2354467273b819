//! The formula editor: colours, completion, mistakes under the characters, and the first results beside it.

use std::ops::Range;
use std::sync::Arc;

use egui::text::{CCursor, CCursorRange, LayoutJob, TextFormat};
use egui::{Color32, FontId, Id, Key, Modifiers, Popup, RichText, Stroke, TextEdit, Ui};
use weir_nodes::formula::{self, Entry, Function};

use super::Form;
use crate::text::{self, Language};
use crate::theme::Colours;

/// What a person types while the field has the focus; the document holds the canonical form.
#[derive(Debug, Clone, Default)]
struct Typing {
    text: String,
    stored: String,
    line: usize,
}

fn entry() -> Entry {
    match text::language() {
        Language::En => Entry::Canonical,
        Language::Fr => Entry::French,
    }
}

/// The widget. Gives the formula in canonical form; as typed where it cannot be understood.
pub(super) fn edit(ui: &mut Ui, form: &mut Form<'_>, path: &str, schema: &serde_json::Value, stored: &str, label: Id) -> Option<String> {
    let id = Id::unique(("formula", form.tab.id, &form.node, path));
    let focused = ui.memory(|memory| memory.has_focus(id));
    let mut typing: Typing = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    if !focused || typing.stored != stored {
        typing =
            Typing { text: formula::localized(stored, entry()).unwrap_or_else(|_| stored.to_owned()), stored: stored.to_owned(), line: 0 };
    }
    let columns = form.columns(schema);
    let colours = form.colours;
    let mistakes: Vec<Range<usize>> =
        if typing.text == stored { form.problems(path).iter().filter_map(|problem| problem.span.clone()).collect() } else { vec![] };

    // Keys of the completion list come before those of the text.
    let offered = ui.data(|data| data.get_temp::<Vec<Offer>>(id.with("offers"))).unwrap_or_default();
    let mut accept = None;
    if focused && !offered.is_empty() {
        ui.input_mut(|input| {
            if input.consume_key(Modifiers::NONE, Key::ArrowDown) {
                typing.line = (typing.line + 1).min(offered.len() - 1);
            }
            if input.consume_key(Modifiers::NONE, Key::ArrowUp) {
                typing.line = typing.line.saturating_sub(1);
            }
            if input.consume_key(Modifiers::NONE, Key::Tab) {
                accept = offered.get(typing.line).cloned();
            }
            if input.consume_key(Modifiers::NONE, Key::Escape) {
                accept = None;
                typing.line = usize::MAX;
            }
        });
    }

    let mut layouter = |ui: &Ui, buffer: &dyn egui::TextBuffer, width: f32| {
        let mut job = highlight(buffer.as_str(), &mistakes, colours, ui.visuals().dark_mode);
        job.wrap.max_width = width;
        ui.painter().layout_job(job)
    };
    let before = typing.text.clone();
    let output = TextEdit::multiline(&mut typing.text)
        .id(id)
        .font(egui::TextStyle::Monospace)
        .desired_rows(1)
        .desired_width(f32::INFINITY)
        .hint_text(text::either("[Amount] > 0", "[Montant] > 0"))
        .layouter(&mut layouter)
        .show(ui);
    output.response.response.clone().labelled_by(label);
    if form.tab.selection.field.as_deref() == Some(path) {
        output.response.request_focus();
    }
    let cursor = output.cursor_range.map(|range| range.primary.index.0);
    let offers = match (focused, cursor) {
        (true, Some(cursor)) if typing.line != usize::MAX => offers(&typing.text, cursor, &columns),
        _ => vec![],
    };
    if typing.text != before {
        typing.line = 0;
    }
    if let Some(clicked) = popup(&output.response.response, &offers, typing.line, colours) {
        accept = Some(clicked);
    }
    if let Some(offer) = accept {
        let end = offer.replace(&mut typing.text);
        let mut state = output.state.clone();
        state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(end))));
        state.store(ui.ctx(), id);
        output.response.request_focus();
    }
    let canonical = formula::canonical(&typing.text, entry()).unwrap_or_else(|_| typing.text.clone());
    // A lone mistake of typing stays as it was typed: the check says what is wrong with it.
    let changed = (typing.text != before).then_some(canonical);
    if let Some(changed) = &changed {
        typing.stored.clone_from(changed);
    }
    ui.data_mut(|data| {
        data.insert_temp(id.with("offers"), offers);
        data.insert_temp(id, typing);
    });
    results(ui, form, path, stored);
    changed
}

/// The first results, or nothing while there is a mistake: that is shown with the field's problems.
fn results(ui: &mut Ui, form: &mut Form<'_>, path: &str, stored: &str) {
    let field = format!("{}.{path}", form.node);
    let ports = form.tab.ports(&form.node);
    let Some(first) = ports.inputs.first() else { return };
    let Some(from) = form.tab.sources(&form.node, first.name).into_iter().next() else { return };
    let Some(facts) = form.tab.facts.clone() else { return };
    if stored.trim().is_empty() || !facts.columns.contains_key(&from) {
        return;
    }
    if form.tab.evaluating.get(&field).map(String::as_str) != Some(stored) {
        form.tab.evaluating.insert(field.clone(), stored.to_owned());
        form.worker.evaluate(field.clone(), stored.to_owned(), Arc::clone(&facts.checked), from);
    }
    let Some(found) = form.tab.evaluated.get(&field) else { return };
    if let Ok(values) = &found.result {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(text::FORMULA_RESULT.get()).small().color(form.colours.soft));
            for value in values {
                let shown = value.as_deref().map_or_else(|| format!("({})", text::NULL.get()), localized_value);
                let colour = if found.formula == stored { form.colours.text } else { form.colours.soft };
                let words = RichText::new(format!(" {} ", crate::panels::shortened(&shown, 28)));
                ui.add(egui::Label::new(words.monospace().size(11.5).color(colour).background_color(form.colours.canvas)).extend());
            }
        });
    }
}

fn localized_value(value: &str) -> String {
    match value {
        "true" => text::either("true", "vrai").to_owned(),
        "false" => text::either("false", "faux").to_owned(),
        other => text::number(other),
    }
}

/// A completion: what it shows, and the characters it stands for.
#[derive(Debug, Clone)]
struct Offer {
    shown: String,
    about: String,
    insert: String,
    range: Range<usize>,
}

impl Offer {
    /// Puts it in the text; gives the place behind it, in characters.
    fn replace(&self, text: &mut String) -> usize {
        let chars: Vec<char> = text.chars().collect();
        let head: String = chars[..self.range.start.min(chars.len())].iter().collect();
        let tail: String = chars[self.range.end.min(chars.len())..].iter().collect();
        *text = format!("{head}{}{tail}", self.insert);
        head.chars().count() + self.insert.chars().count()
    }
}

/// What could be meant by the word before the cursor.
fn offers(content: &str, cursor: usize, columns: &[(String, String)]) -> Vec<Offer> {
    let chars: Vec<char> = content.chars().collect();
    let cursor = cursor.min(chars.len());
    // Inside a text nothing is offered.
    if chars[..cursor].iter().filter(|c| **c == '"').count() % 2 == 1 {
        return vec![];
    }
    let open = (0..cursor).rev().find(|at| matches!(chars[*at], '[' | ']')).filter(|at| chars[*at] == '[');
    let start = match open {
        Some(open) => open,
        None => (0..cursor)
            .rev()
            .take_while(|at| chars[*at].is_alphanumeric() || chars[*at] == '_' || chars[*at] == '.')
            .last()
            .unwrap_or(cursor),
    };
    let word: String = chars[start..cursor].iter().collect();
    let wanted = word.trim_start_matches('[').to_lowercase();
    if word.is_empty() || word.chars().next().is_some_and(|c| c.is_ascii_digit()) {
        return vec![];
    }
    let end = match open {
        Some(_) => chars[cursor..].iter().position(|c| *c == ']').map_or(cursor, |close| {
            let inside = &chars[cursor..cursor + close];
            if inside.contains(&'[') { cursor } else { cursor + close + 1 }
        }),
        None => cursor,
    };
    let mut found: Vec<(usize, Offer)> = Vec::new();
    for (name, kind) in columns {
        let folded = name.to_lowercase();
        if folded == wanted && end > cursor {
            return vec![];
        }
        if let Some(at) = folded.find(&wanted) {
            found.push((at, Offer { shown: name.clone(), about: kind.clone(), insert: format!("[{name}]"), range: start..end }));
        }
    }
    if open.is_none() {
        for function in formula::functions() {
            let name = name_of(function);
            if let Some(at) = name.to_lowercase().find(&wanted)
                && (at == 0 || wanted.chars().count() > 2)
            {
                let exact = name.to_lowercase() == wanted && chars.get(cursor) == Some(&'(');
                if exact {
                    return vec![];
                }
                let insert = if chars.get(cursor) == Some(&'(') { name.to_owned() } else { format!("{name}(") };
                found.push((
                    at + 1,
                    Offer { shown: function.signature.to_owned(), about: function.doc.to_owned(), insert, range: start..end },
                ));
            }
        }
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().take(8).map(|(_, offer)| offer).collect()
}

fn name_of(function: &Function) -> &'static str {
    match text::language() {
        Language::En => function.name,
        Language::Fr => function.french,
    }
}

fn popup(response: &egui::Response, offers: &[Offer], line: usize, colours: Colours) -> Option<Offer> {
    if offers.is_empty() {
        return None;
    }
    let mut clicked = None;
    let id = response.id.with("completion");
    Popup::from_response(response).id(id).open(true).gap(2.0).close_behavior(egui::PopupCloseBehavior::IgnoreClicks).show(|ui| {
        ui.set_width(300.0);
        for (place, offer) in offers.iter().enumerate() {
            let shown = RichText::new(&offer.shown).monospace();
            let row = ui.selectable_label(place == line, shown);
            if row.clicked() {
                clicked = Some(offer.clone());
            }
            if place == line && !offer.about.is_empty() {
                ui.label(RichText::new(&offer.about).small().color(colours.soft));
            }
        }
    });
    clicked
}

/// The text with its parts in colours and its mistakes underlined.
fn highlight(content: &str, mistakes: &[Range<usize>], colours: Colours, dark: bool) -> LayoutJob {
    let font = FontId::monospace(12.5);
    let (literal, number, function) = match dark {
        false => (Color32::from_rgb(0x1b, 0x6b, 0x3a), Color32::from_rgb(0x8a, 0x3f, 0x9e), Color32::from_rgb(0x0b, 0x5c, 0xad)),
        true => (Color32::from_rgb(0x8f, 0xd6, 0xa3), Color32::from_rgb(0xd4, 0xa5, 0xe6), Color32::from_rgb(0x84, 0xbd, 0xf7)),
    };
    let mut job = LayoutJob::default();
    let mut push = |range: Range<usize>, colour: Color32| {
        // A mistake's characters are cut out of their part.
        let mut at = range.start;
        while at < range.end {
            let wrong = mistakes.iter().any(|span| span.contains(&at));
            let rest = &content[at..range.end];
            let length = rest
                .char_indices()
                .map(|(i, _)| i)
                .skip(1)
                .find(|i| mistakes.iter().any(|span| span.contains(&(at + i))) != wrong)
                .unwrap_or(rest.len());
            let underline = if wrong { Stroke::new(2.0, colours.bad) } else { Stroke::NONE };
            let format = TextFormat { font_id: font.clone(), color: colour, underline, ..TextFormat::default() };
            job.append(&content[at..at + length], 0.0, format);
            at += length;
        }
    };
    let bytes = content.as_bytes();
    let mut at = 0;
    while at < content.len() {
        let rest = &content[at..];
        let (length, colour) = match bytes[at] {
            b'"' => (rest[1..].find('"').map_or(rest.len(), |end| end + 2), literal),
            b'[' => (rest.find(']').map_or(rest.len(), |end| end + 1), colours.accent),
            b'0'..=b'9' => (rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',' || c == '%')).unwrap_or(rest.len()), number),
            _ => {
                let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
                if word == 0 {
                    (rest.chars().next().map_or(1, char::len_utf8), colours.soft)
                } else if rest[word..].starts_with('(') {
                    (word, function)
                } else {
                    (word, colours.text)
                }
            }
        };
        push(at..at + length, colour);
        at += length;
    }
    if content.is_empty() {
        job.append("", 0.0, TextFormat::simple(font, colours.text));
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bracket_offers_columns_and_closes_itself() {
        let columns = vec![("Stage".to_owned(), "text".to_owned()), ("Amount".to_owned(), "decimal(2)".to_owned())];
        let found = offers("IF([St", 6, &columns);
        assert_eq!(found[0].insert, "[Stage]");
        let mut text = "IF([St".to_owned();
        assert_eq!(found[0].replace(&mut text), 10);
        assert_eq!(text, "IF([Stage]");
        assert!(offers("\"Sta", 4, &columns).is_empty());
    }

    #[test]
    fn every_byte_of_any_text_is_drawn() {
        for content in ["", "é[", "\"", "[Stage] = \"é\"", "ROUND(1,5;2)…", "12é%"] {
            for span in [0..0, 0..1, 2..5] {
                let job = highlight(content, &[span], crate::theme::colours_of(false), false);
                assert_eq!(job.text, content);
            }
        }
    }
}
