//! The kinds of steps: searched in both languages, dragged onto the canvas or added by a click.

use egui::{RichText, ScrollArea, Sense, TextEdit, Ui};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use weir_nodes::kind::Category;
use weir_nodes::registry::{self, Kind};

use super::named;
use crate::desk::{Ask, Attach, Desk};
use crate::icons;
use crate::text;
use crate::theme;

/// The kinds that fit what a person types, best first; all of them for nothing typed. Names in both languages and
/// synonyms count.
pub fn search(wanted: &str) -> Vec<&'static Kind> {
    let kinds = registry::registry().iter();
    if wanted.trim().is_empty() {
        return kinds.collect();
    }
    let pattern = Pattern::parse(wanted.trim(), CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found: Vec<(u32, &Kind)> = kinds
        .filter_map(|kind| {
            let identity = &kind.identity;
            let names = [(identity.title.en, 40), (identity.title.fr, 40), (identity.id, 10)];
            let others = identity.synonyms.iter().map(|synonym| (*synonym, 0));
            let mut score = |(name, bonus): (&str, u32)| {
                let score = pattern.score(Utf32Str::new(name, &mut buffer), &mut matcher)?;
                // A whole name counts more than a part of a longer one.
                let whole = if name.eq_ignore_ascii_case(wanted.trim()) { 200 } else { 0 };
                Some(score + bonus + whole)
            };
            Some((names.into_iter().chain(others).filter_map(&mut score).max()?, kind))
        })
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, kind)| kind).collect()
}

/// The name of a family.
pub fn family(category: Category) -> &'static str {
    match category {
        Category::Input => text::either("Input", "Entrée"),
        Category::Filter => text::either("Filter", "Filtre"),
        Category::Join => text::either("Join", "Jointure"),
        Category::Mapping => text::either("Mapping", "Correspondance"),
        Category::Control => text::either("Control", "Contrôle"),
        Category::Calc => text::either("Calc", "Calcul"),
        Category::Load => text::either("Load", "Chargement"),
    }
}

/// The panel.
pub fn show(ui: &mut Ui, desk: &mut Desk) {
    let search_field = TextEdit::singleline(&mut desk.palette).hint_text(text::SEARCH.get()).desired_width(f32::INFINITY);
    let response = ui.add(search_field);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, text::SEARCH.get()));
    ui.add_space(4.0);
    let found = search(&desk.palette);
    let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if entered && let Some(first) = found.first() {
        desk.asks.push(Ask::AddStep(first.identity.id, None, Attach::Selected));
        desk.palette.clear();
    }
    let searching = !desk.palette.trim().is_empty();
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        let mut last = None;
        for kind in &found {
            let category = kind.identity.category;
            if !searching && last != Some(category) {
                if last.is_some() {
                    ui.add_space(6.0);
                }
                ui.label(RichText::new(family(category)).small().color(theme::colours(ui).soft));
                last = Some(category);
            }
            if let Some(ask) = row(ui, kind) {
                desk.asks.push(ask);
            }
        }
        if found.is_empty() {
            ui.weak(text::NOTHING_FITS.get());
        }
    });
}

fn row(ui: &mut Ui, kind: &'static Kind) -> Option<Ask> {
    let colours = theme::colours(ui);
    let identity = &kind.identity;
    let name = text::words(identity.title);
    let (rect, response) = ui.allocate_exact_size(egui::vec2(ui.available_width(), 28.0), Sense::click_and_drag());
    named(&response, name);
    if ui.is_rect_visible(rect) {
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, 6.0, ui.visuals().widgets.inactive.bg_fill);
        }
        let colour = theme::category(identity.category);
        let tile = egui::Rect::from_min_size(rect.min + egui::vec2(4.0, 3.0), egui::Vec2::splat(22.0));
        ui.painter().rect_filled(tile, 5.0, colour.gamma_multiply(if ui.visuals().dark_mode { 0.28 } else { 0.16 }));
        ui.painter().text(tile.center(), egui::Align2::CENTER_CENTER, icons::icon(identity.icon), icons::font(16.0), colours.text);
        let left = tile.right() + 8.0;
        let font = egui::TextFormat::simple(egui::FontId::proportional(13.0), colours.text);
        let mut job = egui::text::LayoutJob::single_section(name.to_owned(), font);
        job.wrap = egui::text::TextWrapping::truncate_at_width(rect.right() - left);
        let galley = ui.painter().layout_job(job);
        ui.painter().galley(egui::pos2(left, rect.center().y - galley.size().y / 2.0), galley, colours.text);
    }
    response.dnd_set_drag_payload(identity.id);
    if response.dragged() {
        ui.ctx().set_cursor_icon(egui::CursorIcon::Grabbing);
        if let Some(at) = ui.ctx().pointer_interact_pos() {
            let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Tooltip, egui::Id::unique("dragged kind")));
            let card = egui::Rect::from_center_size(at, egui::vec2(150.0, 36.0));
            painter.rect(card, 8.0, colours.card, egui::Stroke::new(1.5, colours.accent), egui::StrokeKind::Inside);
            painter.text(card.center(), egui::Align2::CENTER_CENTER, name, egui::FontId::proportional(13.0), colours.text);
        }
    }
    let clicked = response.clicked();
    response.on_hover_text(text::words(identity.summary));
    clicked.then_some(Ask::AddStep(identity.id, None, Attach::Selected))
}

#[cfg(test)]
mod tests {
    use super::search;

    #[test]
    fn kinds_are_found_by_either_language_and_by_other_tools_names() {
        for (wanted, id) in [
            ("filter", "filter"),
            ("filtre", "filter"),
            ("VLOOKUP", "lookup"),
            ("jointure", "join"),
            ("tri", "sort"),
            ("group by", "aggregate"),
        ] {
            let found = search(wanted);
            assert!(
                found.iter().take(3).any(|kind| kind.identity.id == id),
                "{wanted}: {:?}",
                found.iter().map(|k| k.identity.id).collect::<Vec<_>>()
            );
        }
        assert!(search("zzzzqq").is_empty());
    }
}
