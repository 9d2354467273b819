//! The whole drawing in a corner: where one is, and a way to be elsewhere.

use egui::{Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use super::View;
use super::geometry::Geometry;
use crate::text;
use crate::theme::{self, Colours};

/// Draws the minimap in the lower right corner of the canvas.
pub(super) fn show(ui: &mut Ui, view: &mut View, geometry: &Geometry, outer: Rect, colours: Colours) {
    let Some(bounds) = geometry.bounds([]) else { return };
    // It would only repeat what is in view.
    if view.rect.contains_rect(bounds) || outer.width() < 400.0 || outer.height() < 260.0 {
        return;
    }
    let all = bounds.expand(64.0).union(view.rect);
    let scale = (168.0 / all.width()).min(104.0 / all.height());
    let size = all.size() * scale;
    let frame = Rect::from_min_size(outer.max - size - vec2(16.0, 16.0), size);
    let place = |rect: Rect| Rect::from_min_size(frame.min + (rect.min - all.min) * scale, rect.size() * scale);
    // The cards stand in a layer of their own, above the canvas: the minimap needs one above them.
    egui::Area::new(ui.scope_id().with("minimap")).order(egui::Order::Middle).fixed_pos(frame.min).movable(false).show(ui.ctx(), |ui| {
        let (frame, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let painter = ui.painter().with_clip_rect(frame);
        painter.rect(frame, 4.0, colours.card, Stroke::new(1.0, colours.edge), StrokeKind::Inside);
        for card in &geometry.cards {
            let colour = card.category.map_or(colours.bad, theme::category);
            painter.rect_filled(place(card.rect), 0.0, colour);
        }
        painter.rect_stroke(place(view.rect).intersect(frame), 2.0, Stroke::new(1.5, colours.accent), StrokeKind::Inside);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, text::MINIMAP.get()));
        if (response.dragged() || response.clicked())
            && let Some(at) = response.interact_pointer_pos()
        {
            let to = all.min + (at - frame.min) / scale;
            view.rect = Rect::from_center_size(to, view.rect.size());
        }
    });
}
