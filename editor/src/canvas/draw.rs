//! How cards and wires look. Nothing here knows what they mean.

use std::sync::Arc;

use egui::epaint::{CubicBezierShape, PathShape, PathStroke};
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align2, Color32, CornerRadius, FontId, Galley, Pos2, Rect, Shape, Stroke, StrokeKind, Ui, Vec2, pos2, vec2};
use weir_nodes::problem::Level;

use super::geometry::Card;
use super::group::Group;
use crate::icons;
use crate::text;
use crate::theme::{self, Colours};

/// What a card shows of its step.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct State {
    pub(super) selected: bool,
    pub(super) hovered: bool,
    pub(super) problem: Option<Level>,
    pub(super) running: bool,
    /// Whether a control of it failed in the last run; `None` where it has none.
    pub(super) blocked: Option<bool>,
    pub(super) fresh: bool,
    pub(super) rows: Option<u64>,
    pub(super) sample: bool,
}

/// The dots behind everything; none where they would be a haze.
pub(super) fn dots(ui: &Ui, visible: Rect, scale: f32, colours: Colours) {
    if scale < 0.6 {
        return;
    }
    let step = 32.0;
    let painter = ui.painter();
    let (left, top) = ((visible.left() / step).floor() as i32, (visible.top() / step).floor() as i32);
    let (right, bottom) = ((visible.right() / step).ceil() as i32, (visible.bottom() / step).ceil() as i32);
    for x in left..=right {
        for y in top..=bottom {
            let at = pos2(x as f32 * step, y as f32 * step);
            painter.rect_filled(Rect::from_center_size(at, Vec2::splat(1.5)), 0.0, colours.dots);
        }
    }
}

/// A line of text that ends with an ellipsis where there is no room.
fn line(ui: &Ui, content: &str, font: FontId, colour: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::single_section(content.to_owned(), TextFormat::simple(font, colour));
    job.wrap = TextWrapping::truncate_at_width(width);
    ui.painter().layout_job(job)
}

/// A card at a level of detail that its size on the screen allows.
pub(super) fn card(ui: &Ui, card: &Card, rect: Rect, scale: f32, state: &State, colours: Colours) {
    let painter = ui.painter();
    let colour = card.category.map_or(colours.bad, theme::category);
    if scale < 0.22 {
        painter.rect_filled(rect, 0.0, if state.selected { colours.accent } else { colour });
        return;
    }
    let edge = match (state.selected, state.problem, state.hovered) {
        (true, ..) => Stroke::new(2.0, colours.accent),
        (_, Some(Level::Error), _) => Stroke::new(1.5, colours.bad),
        (_, _, true) => Stroke::new(1.5, colours.wire),
        _ => Stroke::new(1.0, colours.edge),
    };
    painter.rect(rect, 8.0, colours.card, edge, StrokeKind::Inside);
    let stripe = Rect::from_min_size(rect.min + vec2(1.0, 1.0), vec2(5.0, rect.height() - 2.0));
    painter.rect_filled(stripe, CornerRadius { nw: 7, sw: 7, ne: 0, se: 0 }, colour);
    if state.running {
        let phase = (ui.input(|input| input.time) * 1.2).fract() as f32;
        let at = stripe.top() + phase * (stripe.height() - 16.0);
        painter.rect_filled(Rect::from_min_size(pos2(stripe.left(), at), vec2(5.0, 16.0)), 2.0, colours.text);
        ui.ctx().request_repaint();
    }
    if scale < 0.42 {
        painter.text(rect.center(), Align2::CENTER_CENTER, icons::icon(card.icon), icons::font(36.0), colour);
        return;
    }
    let tile = Rect::from_min_size(rect.min + vec2(14.0, 14.0), Vec2::splat(30.0));
    painter.rect_filled(tile, 6.0, colour.gamma_multiply(if ui.visuals().dark_mode { 0.28 } else { 0.16 }));
    painter.text(tile.center(), Align2::CENTER_CENTER, icons::icon(card.icon), icons::font(20.0), colours.text);
    let left = tile.right() + 10.0;
    let width = rect.right() - left - 26.0;
    let title = line(ui, &card.title, FontId::new(13.5, theme::strong_family()), colours.text, width);
    painter.galley(pos2(left, rect.top() + 12.0), title, colours.text);
    let (second, tint) = match state.rows {
        Some(rows) => {
            let about = if state.sample { "≈ " } else { "" };
            (format!("{about}{}", text::rows(rows)), colours.soft)
        }
        None => (card.gist.clone(), colours.soft),
    };
    let second = line(ui, &second, FontId::proportional(12.0), tint, rect.right() - left - 12.0);
    painter.galley(pos2(left, rect.top() + 33.0), second, tint);
    // One sign for the state: shape and colour.
    let (sign, tint) = match (state.problem, state.blocked, state.fresh, state.sample) {
        (Some(Level::Error), ..) => ("priority_high", colours.bad),
        (_, Some(true), ..) => ("close", colours.bad),
        (Some(Level::Warning), ..) => ("warning", colours.warn),
        (_, _, true, true) => ("hourglass_empty", colours.warn),
        (_, Some(false), ..) | (_, _, true, _) => ("check", colours.good),
        _ => ("radio_button_unchecked", colours.edge),
    };
    painter.text(pos2(rect.right() - 8.0, rect.top() + 20.0), Align2::RIGHT_CENTER, icons::icon(sign), icons::font(16.0), tint);
}

/// A sign for what an earlier version says of a card.
pub(super) fn mark(ui: &Ui, rect: Rect, sign: &str, colour: Color32) {
    let painter = ui.painter();
    painter.rect_stroke(rect.expand(3.0), 10.0, Stroke::new(2.0, colour), StrokeKind::Outside);
    let at = rect.left_top() + vec2(2.0, -2.0);
    painter.circle_filled(at, 9.0, colour);
    painter.text(at, Align2::CENTER_CENTER, sign, FontId::new(13.0, theme::strong_family()), Color32::WHITE);
}

/// A step that is gone since an earlier version, where it stood.
pub(super) fn gone(ui: &Ui, rect: Rect, title: &str, scale: f32, colours: Colours) {
    let painter = ui.painter();
    painter.rect(rect, 8.0, colours.bad.gamma_multiply(0.08), Stroke::new(1.0, colours.bad.gamma_multiply(0.7)), StrokeKind::Inside);
    if scale > 0.42 {
        painter.text(rect.center(), Align2::CENTER_CENTER, title, FontId::proportional(13.0), colours.bad);
        mark(ui, rect, "−", colours.bad);
    }
}

/// A card that the figure passes.
pub(super) fn lit(ui: &Ui, rect: Rect, colours: Colours) {
    ui.painter().rect_stroke(rect.expand(3.0), 10.0, Stroke::new(2.5, colours.accent), StrokeKind::Outside);
}

/// A card that it does not.
pub(super) fn dim(ui: &Ui, rect: Rect, colours: Colours) {
    ui.painter().rect_filled(rect, 8.0, colours.canvas.gamma_multiply(0.65));
}

/// A port.
pub(super) fn port(ui: &Ui, at: Pos2, hovered: bool, shown: bool, colours: Colours) {
    let (radius, fill) = match (hovered, shown) {
        (true, _) => (7.0, colours.accent),
        (_, true) => (5.5, colours.accent),
        _ => (5.0, colours.card),
    };
    ui.painter().circle(at, radius, fill, Stroke::new(1.5, if hovered || shown { colours.accent } else { colours.wire }));
}

/// The name of a port where a side has several.
pub(super) fn port_name(ui: &Ui, at: Pos2, name: &str, input: bool, colours: Colours) {
    let (at, align) = if input { (at - vec2(10.0, 8.0), Align2::RIGHT_CENTER) } else { (at + vec2(10.0, -8.0), Align2::LEFT_CENTER) };
    ui.painter().text(at, align, name, FontId::proportional(10.5), colours.soft);
}

/// A wire; few points where it is small.
pub(super) fn wire(ui: &Ui, curve: [Pos2; 4], scale: f32, selected: bool, on_path: bool, colours: Colours) {
    let colour = if selected || on_path { colours.accent } else { colours.wire };
    let width = if selected { 2.5 } else { 1.5 } / scale.clamp(0.25, 1.0);
    if scale < 0.22 {
        ui.painter().line_segment([curve[0], curve[3]], Stroke::new(width, colour));
        return;
    }
    if scale < 0.5 {
        let points = (0..=8).map(|i| point(curve, i as f32 / 8.0)).collect();
        ui.painter().add(Shape::Path(PathShape::line(points, Stroke::new(width, colour))));
        return;
    }
    let shape = CubicBezierShape::from_points_stroke(curve, false, Color32::TRANSPARENT, PathStroke::new(width, colour));
    ui.painter().add(shape);
}

/// A point of a curve, from 0 to 1.
pub(super) fn point([a, b, c, d]: [Pos2; 4], t: f32) -> Pos2 {
    let s = 1.0 - t;
    let sum = a.to_vec2() * (s * s * s) + b.to_vec2() * (3.0 * s * s * t) + c.to_vec2() * (3.0 * s * t * t) + d.to_vec2() * (t * t * t);
    sum.to_pos2()
}

/// The middle of a curve.
pub(super) fn middle(curve: [Pos2; 4]) -> Pos2 {
    point(curve, 0.5)
}

/// How far a point is from a curve.
pub(super) fn distance(curve: [Pos2; 4], at: Pos2) -> f32 {
    if !Rect::from_points(&curve).expand(40.0).contains(at) {
        return f32::INFINITY;
    }
    (0..=24).map(|i| point(curve, i as f32 / 24.0).distance(at)).fold(f32::INFINITY, f32::min)
}

/// A figure on a wire.
pub(super) fn pill(ui: &Ui, at: Pos2, content: &str, fresh: bool, colours: Colours) {
    let colour = if fresh { colours.text } else { colours.soft };
    let galley = line(ui, content, FontId::proportional(11.0), colour, 80.0);
    let rect = Rect::from_center_size(at, galley.size() + vec2(12.0, 4.0));
    ui.painter().rect(rect, 8.0, colours.canvas, Stroke::new(1.0, colours.edge), StrokeKind::Inside);
    ui.painter().galley(rect.min + vec2(6.0, 2.0), galley, colour);
}

/// Rows that leave by a port no wire takes: `╰ 8 197 others`.
pub(super) fn left_behind(ui: &Ui, at: Pos2, words: &str, colours: Colours) {
    let end = at + vec2(14.0, 16.0);
    let points = vec![at + vec2(5.0, 0.0), pos2(at.x + 8.0, end.y - 2.0), end];
    ui.painter().add(Shape::Path(PathShape::line(points, Stroke::new(1.0, colours.wire))));
    let galley = line(ui, words, FontId::proportional(10.5), colours.soft, 150.0);
    ui.painter().galley(end + vec2(4.0, -galley.size().y / 2.0), galley, colours.soft);
}

/// The rubber band.
pub(super) fn band(ui: &Ui, rect: Rect, scale: f32, colours: Colours) {
    ui.painter().rect(rect, 0.0, colours.accent.gamma_multiply(0.12), Stroke::new(1.0 / scale, colours.accent), StrokeKind::Inside);
}

/// A frame around steps.
pub(super) fn group(ui: &Ui, group: &Group, frame: Rect, scale: f32, colours: Colours) {
    let [r, g, b] = group.colour;
    let colour = Color32::from_rgb(r, g, b);
    let fill = if group.folded { colours.card } else { colour.gamma_multiply(0.10) };
    ui.painter().rect(frame, 12.0, fill, Stroke::new(1.0 / scale.min(1.0), colour.gamma_multiply(0.7)), StrokeKind::Inside);
    if scale > 0.25 {
        let title = line(ui, &group.title, FontId::new(13.0, theme::strong_family()), colours.text, frame.width() - 24.0);
        ui.painter().galley(frame.min + vec2(14.0, 9.0), title, colours.text);
        if group.folded {
            let count = text::several(group.nodes.len(), text::STEP_ONE, text::STEP_MANY);
            let galley = line(ui, &count, FontId::proportional(12.0), colours.soft, frame.width() - 24.0);
            ui.painter().galley(frame.min + vec2(14.0, 34.0), galley, colours.soft);
        }
    }
}

/// A comment; gives the room it takes.
pub(super) fn comment(ui: &Ui, at: Pos2, content: &str, selected: bool, colours: Colours) -> Rect {
    let mut job = LayoutJob::single_section(content.to_owned(), TextFormat::simple(FontId::proportional(13.0), colours.text));
    job.wrap.max_width = 240.0;
    let galley = ui.painter().layout_job(job);
    let rect = Rect::from_min_size(at, galley.size().max(vec2(24.0, 16.0)) + vec2(16.0, 16.0));
    let paper = if ui.visuals().dark_mode { Color32::from_rgb(0x3b, 0x36, 0x24) } else { Color32::from_rgb(0xff, 0xf6, 0xd6) };
    let edge = if selected { Stroke::new(2.0, colours.accent) } else { Stroke::new(1.0, colours.edge) };
    ui.painter().rect(rect, 4.0, paper, edge, StrokeKind::Inside);
    ui.painter().galley(rect.min + vec2(8.0, 8.0), galley, colours.text);
    rect
}
