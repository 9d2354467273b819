//! The gallery: template packages to look at, to try on their samples, and to install.

use egui::{Button, Color32, Frame, Rect, RichText, ScrollArea, Sense, Stroke, TextEdit, Ui, Vec2, vec2};
use weir_engine::package::PackageKind;
use weir_nodes::contract::Local;

use super::{empty, named, page};
use crate::canvas::geometry::Geometry;
use crate::desk::Ask;
use crate::gallery::{Detail, Gallery};
use crate::icons;
use crate::text::{self, Language};
use crate::theme;

/// The words of a package in the current language.
pub(super) fn local(words: &Local) -> &str {
    words.of(text::language() == Language::Fr)
}

fn kind(kind: PackageKind) -> &'static str {
    match kind {
        PackageKind::Sector => text::either("sector", "secteur"),
        PackageKind::Functional => text::either("function", "fonction"),
        PackageKind::Compliance => text::either("compliance", "conformité"),
    }
}

/// The gallery as a page above the window. Whether it stays.
pub(super) fn show(ctx: &egui::Context, gallery: &mut Gallery) -> (bool, Vec<Ask>) {
    let mut asks = Vec::new();
    if gallery.asked.as_ref() != Some(&gallery.search) {
        gallery.asked = Some(gallery.search.clone());
        asks.push(Ask::Gallery);
    }
    let stays = page(ctx, "gallery", text::GALLERY.get(), |ui| {
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(300.0);
                list(ui, gallery, &mut asks);
            });
            ui.separator();
            ui.vertical(|ui| {
                ui.set_width(ui.available_width());
                match &gallery.detail {
                    None if gallery.chosen.is_some() => {
                        ui.spinner();
                    }
                    None => empty(
                        ui,
                        "extension",
                        text::either(
                            "Choose a template on the left to see what it does.",
                            "Choisissez un modèle à gauche pour voir ce qu'il fait.",
                        ),
                    ),
                    Some(Err(problem)) => {
                        ui.colored_label(theme::colours(ui).bad, problem.to_string());
                    }
                    Some(Ok(detail)) => {
                        let detail = std::sync::Arc::clone(detail);
                        about(ui, gallery, &detail, &mut asks);
                    }
                }
            });
        });
    });
    (stays, asks)
}

fn list(ui: &mut Ui, gallery: &mut Gallery, asks: &mut Vec<Ask>) {
    let colours = theme::colours(ui);
    let hint = text::either("Search templates", "Chercher un modèle");
    let field = ui.add(TextEdit::singleline(&mut gallery.search).hint_text(hint).desired_width(f32::INFINITY));
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, hint));
    ui.add_space(4.0);
    ScrollArea::vertical().id_salt("packages").auto_shrink([false, false]).show(ui, |ui| {
        for found in &gallery.found {
            let entry = &found.entry;
            let chosen = gallery.chosen.as_ref() == Some(&entry.id);
            let edge = if chosen { Stroke::new(1.5, colours.accent) } else { Stroke::new(1.0, colours.edge) };
            let frame = Frame::NONE.fill(colours.card).stroke(edge).corner_radius(8.0).inner_margin(10.0);
            let card = frame.show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.label(RichText::new(local(&entry.name)).family(theme::strong_family()).size(14.0));
                ui.label(RichText::new(local(&entry.summary)).color(colours.soft));
                let line = format!("{} {} · {} · {}", entry.id, entry.version, kind(entry.kind), entry.publisher);
                ui.add(egui::Label::new(RichText::new(line).small().color(colours.soft)).truncate());
            });
            let response = card.response.interact(Sense::click());
            named(&response, local(&entry.name));
            if response.clicked() {
                asks.push(Ask::Package(Box::new(found.clone())));
            }
        }
        if gallery.found.is_empty() && gallery.asked.is_some() {
            ui.weak(text::NOTHING_FITS.get());
        }
        for problem in &gallery.problems {
            ui.colored_label(colours.warn, problem.to_string());
        }
    });
}

fn about(ui: &mut Ui, gallery: &mut Gallery, detail: &std::sync::Arc<Detail>, asks: &mut Vec<Ask>) {
    let colours = theme::colours(ui);
    let manifest = &detail.manifest;
    ui.label(RichText::new(local(&manifest.name)).family(theme::strong_family()).size(20.0));
    ui.label(RichText::new(local(&manifest.summary)).size(14.0));
    ui.horizontal(|ui| {
        match &detail.found.entry.key {
            Some(key) => {
                ui.label(icons::text("verified", 16.0).color(colours.good));
                let words = format!("{} {} · {}", text::either("signed by", "signé par"), manifest.publisher, manifest.licence);
                ui.label(RichText::new(words).color(colours.soft)).on_hover_text(key);
            }
            None => {
                ui.label(icons::text("warning", 16.0).color(colours.warn));
                ui.label(RichText::new(text::either("not signed", "non signé")).color(colours.warn));
            }
        }
        ui.label(RichText::new(format!("{} {}", text::either("version", "version"), manifest.version)).color(colours.soft));
    });
    ui.add_space(6.0);
    ui.horizontal(|ui| {
        let words = RichText::new(text::TRY_SAMPLE.get()).color(Color32::WHITE);
        let run = Button::new((icons::text("play_arrow", 17.0).color(Color32::WHITE), words)).fill(Color32::from_rgb(0x0b, 0x6b, 0xcb));
        let run = ui.add_enabled(!gallery.busy, run);
        named(&run, text::TRY_SAMPLE.get());
        if run.clicked() {
            asks.push(Ask::Sample(std::sync::Arc::clone(detail)));
        }
        ui.add_space(12.0);
        let hint = text::either("Project folder", "Dossier du projet");
        let field =
            ui.add(TextEdit::singleline(&mut gallery.folder).hint_text(hint).desired_width((ui.available_width() - 170.0).max(120.0)));
        field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, hint));
        let choose = ui.add(Button::new(icons::text("folder_open", 17.0)));
        named(&choose, text::CHOOSE_FOLDER.get());
        if choose.on_hover_text(text::CHOOSE_FOLDER.get()).clicked() {
            asks.push(Ask::InstallFolder);
        }
        let install = ui.add_enabled(!gallery.busy && !gallery.folder.trim().is_empty(), Button::new(text::INSTALL.get()));
        if install.clicked() {
            asks.push(Ask::Install(std::sync::Arc::clone(detail)));
        }
    });
    if let Some(problem) = &gallery.refused {
        ui.colored_label(colours.bad, problem.to_string());
    }
    ui.add_space(6.0);
    ScrollArea::vertical().id_salt("package").auto_shrink([false, false]).show(ui, |ui| {
        if let Some(geometry) = &detail.drawing {
            drawing(ui, geometry);
            ui.add_space(8.0);
        }
        section(ui, text::either("What it takes", "Ce qu'il prend"));
        for (name, contract) in detail.inputs.iter().flat_map(|inputs| &inputs.inputs) {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(local(&contract.title)).family(theme::strong_family())).on_hover_text(name);
                ui.label(RichText::new(local(&contract.about)).color(colours.soft));
            });
            let columns: Vec<&str> = contract.columns.iter().map(|column| column.name.as_str()).collect();
            ui.label(RichText::new(columns.join(", ")).small().color(colours.soft));
        }
        section(ui, text::either("What it gives", "Ce qu'il donne"));
        for (target, words) in &manifest.gives {
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(target).monospace());
                ui.label(RichText::new(local(words)).color(colours.soft));
            });
            for figure in manifest.figures.iter().filter(|figure| figure.output == *target) {
                ui.horizontal_wrapped(|ui| {
                    ui.add_space(12.0);
                    ui.label(figure.columns.join(", "));
                    ui.label(RichText::new(local(&figure.rule)).color(colours.soft)).on_hover_text(&figure.source);
                });
            }
        }
        section(ui, text::either("Documentation", "Documentation"));
        read(ui, &detail.readme);
    });
}

fn section(ui: &mut Ui, title: &str) {
    ui.add_space(10.0);
    ui.label(RichText::new(title).family(theme::strong_family()).size(15.0));
}

/// The drawing, as large as the page is wide.
fn drawing(ui: &mut Ui, geometry: &Geometry) {
    let colours = theme::colours(ui);
    let Some(all) = geometry.cards.iter().map(|card| card.rect).reduce(Rect::union) else { return };
    let all = all.expand(20.0);
    let wide = ui.available_width();
    let scale = (wide / all.width()).min(0.9).min(340.0 / all.height());
    let (area, response) = ui.allocate_exact_size(vec2(wide, all.height() * scale), Sense::hover());
    let words = text::either("Drawing of the workflow", "Dessin du flux");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, words));
    let painter = ui.painter().with_clip_rect(area);
    painter.rect_filled(area, 8.0, colours.canvas);
    let left = area.left() + (wide - all.width() * scale) / 2.0;
    let at = |point: egui::Pos2| egui::pos2(left, area.top()) + (point - all.min) * scale;
    for wire in &geometry.wires {
        if let Some(points) = geometry.curve(wire, |_| Vec2::ZERO) {
            let stroke = Stroke::new(1.2, colours.wire);
            painter.add(egui::epaint::CubicBezierShape::from_points_stroke(points.map(at), false, Color32::TRANSPARENT, stroke));
        }
    }
    for card in &geometry.cards {
        let rect = Rect::from_min_max(at(card.rect.min), at(card.rect.max));
        let family = card.category.map_or(colours.bad, theme::category);
        painter.rect(rect, 4.0, colours.card, Stroke::new(1.0, colours.edge), egui::StrokeKind::Inside);
        painter.rect_filled(Rect::from_min_size(rect.min, vec2(3.0, rect.height())), 2.0, family);
        let font = 12.0 * scale.max(0.35) / 0.9;
        if font >= 6.0 {
            let text = egui::text::TextFormat::simple(egui::FontId::proportional(font), colours.text);
            let mut job = egui::text::LayoutJob::single_section(card.title.clone(), text);
            job.wrap = egui::text::TextWrapping::truncate_at_width((rect.width() - 10.0).max(0.0));
            let galley = painter.layout_job(job);
            painter.galley(egui::pos2(rect.left() + 7.0, rect.center().y - galley.size().y / 2.0), galley, colours.text);
        }
        if ui.rect_contains_pointer(rect) {
            response.clone().on_hover_text_at_pointer(format!("{}\n{}", card.title, card.gist));
        }
    }
}

/// A text in Markdown, as far as documentation of packages uses it.
fn read(ui: &mut Ui, markdown: &str) {
    let mut code = false;
    let mut paragraph = String::new();
    let flush = |ui: &mut Ui, paragraph: &mut String| {
        if !paragraph.trim().is_empty() {
            ui.label(plain(paragraph.trim()));
        }
        paragraph.clear();
    };
    for line in markdown.lines() {
        if line.starts_with("```") {
            flush(ui, &mut paragraph);
            code = !code;
        } else if code || line.starts_with('|') || line.starts_with("    ") {
            flush(ui, &mut paragraph);
            let ruler = line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
            if !ruler || line.is_empty() {
                ui.label(RichText::new(plain(line)).monospace());
            }
        } else if let Some(title) = line.strip_prefix('#') {
            flush(ui, &mut paragraph);
            ui.add_space(6.0);
            ui.label(RichText::new(plain(title.trim_start_matches('#').trim())).family(theme::strong_family()));
        } else if line.trim().is_empty() || line.starts_with("![") {
            flush(ui, &mut paragraph);
        } else if let Some(item) = line.trim_start().strip_prefix("- ") {
            flush(ui, &mut paragraph);
            paragraph = format!("•  {item}");
        } else {
            paragraph.push(' ');
            paragraph.push_str(line.trim());
        }
    }
    flush(ui, &mut paragraph);
}

/// A text without the marks of Markdown.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    // Of a link, its words.
    while let Some((before, link)) = rest.split_once('[') {
        let Some((words, (_, after))) = link.split_once("](").and_then(|(words, tail)| Some((words, tail.split_once(')')?))) else { break };
        out.push_str(before);
        out.push_str(words);
        rest = after;
    }
    out.push_str(rest);
    out.replace("**", "").replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn marks_of_markdown_are_left_out() {
        assert_eq!(plain("Read **this** [page](a.md), then `run` it [x]"), "Read this page, then run it [x]");
    }
}
