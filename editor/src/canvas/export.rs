//! The drawing as SVG, for documentation.

use std::fmt::Write;

use egui::{Rect, Vec2};
use weir_engine::workflow::Workflow;

use super::geometry::Geometry;
use super::group::Comment;
use crate::theme;

/// The drawing as SVG text: the same for the same workflow.
pub fn svg(title: &str, geometry: &Geometry, workflow: &Workflow) -> String {
    let mut all = geometry.cards.iter().map(|card| card.rect).chain(geometry.groups.iter().map(|(_, frame, _)| *frame)).reduce(Rect::union);
    let comments: Vec<(Rect, Comment)> = workflow
        .layout
        .comments
        .iter()
        .filter_map(Comment::read)
        .map(|comment| {
            let lines = comment.text.lines().count().max(1) as f32;
            let at = egui::pos2(comment.at[0] as f32, comment.at[1] as f32);
            (Rect::from_min_size(at, egui::vec2(256.0, 16.0 + 17.0 * lines)), comment)
        })
        .collect();
    for (rect, _) in &comments {
        all = Some(all.map_or(*rect, |all| all.union(*rect)));
    }
    let view = all.unwrap_or(Rect::from_min_size(egui::Pos2::ZERO, Vec2::splat(64.0))).expand(24.0);
    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        // Writing into a String does not fail.
        let _ = out.write_fmt(text);
        out.push('\n');
    };
    line(format_args!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="{} {} {} {}" width="{}" height="{}" font-family="Inter, system-ui, sans-serif" role="img">"#,
        view.left(),
        view.top(),
        view.width(),
        view.height(),
        view.width(),
        view.height()
    ));
    line(format_args!("<title>{}</title>", escaped(title)));
    let names: Vec<&str> = geometry.cards.iter().map(|card| card.title.as_str()).collect();
    line(format_args!("<desc>{}</desc>", escaped(&names.join(", "))));
    line(format_args!(
        r#"<rect x="{}" y="{}" width="{}" height="{}" fill="white"/>"#,
        view.left(),
        view.top(),
        view.width(),
        view.height()
    ));
    for (group, frame, _) in &geometry.groups {
        let [r, g, b] = group.colour;
        line(format_args!(
            r#"<rect x="{}" y="{}" width="{}" height="{}" rx="12" fill="rgb({r},{g},{b})" fill-opacity="0.1" stroke="rgb({r},{g},{b})"/>"#,
            frame.left(),
            frame.top(),
            frame.width(),
            frame.height()
        ));
        line(format_args!(
            r##"<text x="{}" y="{}" font-size="13" font-weight="600" fill="#1c222b">{}</text>"##,
            frame.left() + 14.0,
            frame.top() + 22.0,
            escaped(&fitted(&group.title, frame.width() - 28.0))
        ));
    }
    for wire in &geometry.wires {
        let Some([a, b, c, d]) = geometry.curve(wire, |_| Vec2::ZERO) else { continue };
        line(format_args!(
            r##"<path d="M{} {} C{} {} {} {} {} {}" fill="none" stroke="#8b95a3" stroke-width="1.5"/>"##,
            a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y
        ));
    }
    for card in geometry.cards.iter().filter(|card| card.folded.is_none()) {
        let rect = card.rect;
        let colour = card.category.map_or(egui::Color32::RED, theme::category);
        let (r, g, b) = (colour.r(), colour.g(), colour.b());
        line(format_args!(
            r##"<rect x="{}" y="{}" width="{}" height="{}" rx="8" fill="white" stroke="#c9ced6"/>"##,
            rect.left(),
            rect.top(),
            rect.width(),
            rect.height()
        ));
        line(format_args!(
            r#"<rect x="{}" y="{}" width="5" height="{}" rx="2" fill="rgb({r},{g},{b})"/>"#,
            rect.left() + 1.0,
            rect.top() + 4.0,
            rect.height() - 8.0
        ));
        let room = rect.width() - 28.0;
        line(format_args!(
            r##"<text x="{}" y="{}" font-size="13.5" font-weight="600" fill="#1c222b">{}</text>"##,
            rect.left() + 16.0,
            rect.top() + 26.0,
            escaped(&fitted(&card.title, room))
        ));
        line(format_args!(
            r##"<text x="{}" y="{}" font-size="12" fill="#596370">{}</text>"##,
            rect.left() + 16.0,
            rect.top() + 45.0,
            escaped(&fitted(&card.gist, room))
        ));
    }
    for (rect, comment) in &comments {
        line(format_args!(
            r##"<rect x="{}" y="{}" width="{}" height="{}" rx="4" fill="#fff6d6" stroke="#c9ced6"/>"##,
            rect.left(),
            rect.top(),
            rect.width(),
            rect.height()
        ));
        for (number, words) in comment.text.lines().enumerate() {
            line(format_args!(
                r##"<text x="{}" y="{}" font-size="13" fill="#1c222b">{}</text>"##,
                rect.left() + 8.0,
                rect.top() + 20.0 + 17.0 * number as f32,
                escaped(&fitted(words, rect.width() - 16.0))
            ));
        }
    }
    line(format_args!("</svg>"));
    out
}

/// A text cut where it would leave its room, at some seven points for a character.
fn fitted(text: &str, room: f32) -> String {
    crate::panels::shortened(text, (room / 7.0).max(2.0) as usize)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_escapes_what_people_write() {
        let text = r#"{"weir":1,"nodes":{"a":{"kind":"filter","params":{"condition":"[A] < 1 & \"x\""},"title":"<b>"}}}"#;
        let workflow = Workflow::parse(text, "test").expect("a workflow");
        let drawing = svg("A & B", &Geometry::of(&workflow), &workflow);
        assert!(drawing.contains("<title>A &amp; B</title>") && drawing.contains("&lt;b&gt;"));
        assert_eq!(drawing, svg("A & B", &Geometry::of(&workflow), &workflow));
        assert!(svg("", &Geometry::default(), &Workflow::new("")).contains("</svg>"));
    }
}
