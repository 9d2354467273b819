//! The canvas: cards and wires on an [`egui::Scene`]. It reads the desk and asks for changes; it makes none itself.

mod arrange;
mod draw;
pub mod export;
pub mod geometry;
pub mod group;
mod minimap;

use std::sync::Arc;

use egui::{DragPanButtons, PointerButton, Pos2, Rect, Response, Role, Scene, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};
use weir_engine::workflow::{Edge, Edit, PortRef};

use crate::command::Command;
use crate::desk::{Ask, Attach, Desk, Overlay, Search, Tab};
use crate::document::Label;
use crate::text;
use crate::theme::{self, Colours};
use crate::worker::Port;
use geometry::{Card, Geometry, Wire, snapped};
use group::Comment;

/// How far the canvas can be looked at from.
const ZOOM: egui::Rangef = egui::Rangef { min: 0.04, max: 2.0 };
/// The scale at which a card's words can still be read.
const LEGIBLE: f32 = 0.62;
/// How near a port counts as hit.
const REACH: f32 = 20.0;

/// What should come into view.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fit {
    /// What is in view.
    #[default]
    Stay,
    /// Everything.
    All,
    /// Everything where it stays legible, else its beginning.
    Opening,
    /// What is selected.
    Selection,
}

/// What is being dragged.
#[derive(Debug, Clone, Default)]
enum Drag {
    #[default]
    Nothing,
    /// The selected steps, by this far.
    Steps(Vec2),
    /// A comment, by this far.
    Comment(usize, Vec2),
    /// A rubber band from here.
    Band(Pos2),
    /// A wire that leaves an output.
    From(usize, usize),
    /// A wire that enters an input.
    To(usize, usize),
}

/// How a canvas is looked at.
#[derive(Debug)]
pub struct View {
    rect: Rect,
    outer: Rect,
    /// What should come into view in the next frame.
    pub fit: Fit,
    drag: Drag,
    /// Whether what scrolled last was a wheel.
    wheeled: bool,
    geometry: Option<(u64, Arc<Geometry>)>,
}

impl Default for View {
    fn default() -> Self {
        Self { rect: Rect::ZERO, outer: Rect::ZERO, fit: Fit::Opening, drag: Drag::Nothing, wheeled: false, geometry: None }
    }
}

impl View {
    /// Where everything stands in a revision of the document.
    pub fn geometry(&mut self, tab_revision: u64, workflow: &weir_engine::workflow::Workflow) -> Arc<Geometry> {
        if let Some((revision, geometry)) = &self.geometry
            && *revision == tab_revision
        {
            return Arc::clone(geometry);
        }
        let geometry = Arc::new(Geometry::of(workflow));
        self.geometry = Some((tab_revision, Arc::clone(&geometry)));
        geometry
    }

    /// Forgets what was computed: the words changed.
    pub fn refresh(&mut self) {
        self.geometry = None;
    }

    fn scale(&self) -> f32 {
        (self.outer.width() / self.rect.width()).min(self.outer.height() / self.rect.height())
    }

    /// A point of the canvas on the screen.
    pub fn to_screen(&self, at: Pos2) -> Pos2 {
        self.outer.center() + (at - self.rect.center()) * self.scale()
    }

    /// A point of the screen on the canvas.
    pub fn to_canvas(&self, at: Pos2) -> Pos2 {
        self.rect.center() + (at - self.outer.center()) / self.scale()
    }

    /// The middle of what is in view.
    pub fn middle(&self) -> Pos2 {
        self.rect.center()
    }

    /// Moves as little as brings a box into view.
    pub fn reveal(&mut self, rect: Rect) {
        if self.fit != Fit::Stay || !self.rect.is_positive() {
            return;
        }
        let room = rect.expand(24.0);
        let shift = |low: f32, high: f32, from: f32, to: f32| if from < low { from - low } else { (to - high).max(0.0) };
        let by = vec2(
            shift(self.rect.left(), self.rect.right(), room.left(), room.right()),
            shift(self.rect.top(), self.rect.bottom(), room.top(), room.bottom()),
        );
        self.rect = self.rect.translate(by);
    }

    /// Brings a box into the middle at its natural size.
    pub fn center_on(&mut self, rect: Rect) {
        self.rect = Rect::from_center_size(rect.center(), self.outer.size());
        self.fit = Fit::Stay;
    }
}

/// The canvas of the current tab.
pub fn show(ui: &mut Ui, desk: &mut Desk) {
    let colours = theme::colours(ui);
    let outer = ui.available_rect_before_wrap();
    ui.painter().rect_filled(outer, 0.0, colours.canvas);
    let mut asks = Vec::new();
    let minimap = desk.settings.minimap;
    let mut overlay = None;
    let Some(tab) = desk.tabs.get_mut(desk.current) else { return };
    let geometry = tab.canvas.geometry(tab.document.revision(), &Arc::clone(tab.document.workflow()));
    tab.canvas.outer = outer;
    look(ui, tab, &geometry, outer);

    let mut rect = tab.canvas.rect;
    let space = ui.input(|input| input.key_down(egui::Key::Space)) && !ui.ctx().text_edit_focused();
    let mut buttons = DragPanButtons::MIDDLE | DragPanButtons::SECONDARY;
    if space {
        buttons |= DragPanButtons::PRIMARY;
        if ui.input(|input| input.pointer.is_decidedly_dragging()) {
            ui.ctx().data_mut(|data| data.insert_temp(egui::Id::unique("panned"), true));
        }
    }
    let scene = Scene::new().zoom_range(ZOOM).drag_pan_buttons(buttons).sense(Sense::click_and_drag()).max_inner_size(Vec2::splat(1.0));
    let response = scene.show(ui, &mut rect, |ui| {
        let mut canvas = Canvas { tab, geometry: &geometry, colours, asks: &mut asks, overlay: &mut overlay, scale: 1.0 };
        canvas.scale = canvas.tab.canvas.scale();
        canvas.show(ui);
    });
    let background = response.response;
    if background.changed() {
        tab.canvas.rect = rect;
    }
    let mut canvas = Canvas { tab, geometry: &geometry, colours, asks: &mut asks, overlay: &mut overlay, scale: 1.0 };
    canvas.background(ui, &background, space);
    if minimap && !geometry.cards.is_empty() {
        minimap::show(ui, &mut tab.canvas, &geometry, outer, colours);
    }
    if geometry.cards.is_empty() && tab.workflow().layout.comments.is_empty() {
        empty(ui, outer, colours);
    }
    desk.asks.append(&mut asks);
    if let Some(overlay) = overlay {
        desk.overlay = overlay;
    }
}

fn empty(ui: &Ui, outer: Rect, colours: Colours) {
    let middle = outer.center();
    let painter = ui.painter();
    painter.text(
        middle - vec2(0.0, 44.0),
        egui::Align2::CENTER_CENTER,
        crate::icons::icon("upload_file"),
        crate::icons::font(40.0),
        colours.soft,
    );
    let font = egui::FontId::new(17.0, theme::strong_family());
    painter.text(middle, egui::Align2::CENTER_CENTER, text::DROP_HERE.get(), font, colours.text);
    let font = egui::FontId::proportional(13.0);
    painter.text(middle + vec2(0.0, 26.0), egui::Align2::CENTER_CENTER, text::DROP_HINT.get(), font, colours.soft);
}

/// Fits what was asked for, zooms with the wheel, and keeps the view sound.
fn look(ui: &Ui, tab: &mut Tab, geometry: &Geometry, outer: Rect) {
    let view = &mut tab.canvas;
    if view.fit != Fit::Stay || !view.rect.is_positive() {
        let selected = if view.fit == Fit::Selection { tab.selection.nodes.iter().collect() } else { vec![] };
        let bounds = geometry.bounds(selected).unwrap_or(Rect::from_center_size(pos2(0.0, 0.0), outer.size()));
        let room = bounds.expand(48.0);
        // Never larger than life: a single card does not fill the screen.
        let size = room.size().max(outer.size());
        let scale = (outer.width() / size.x).min(outer.height() / size.y);
        view.rect = Rect::from_center_size(room.center(), outer.size() / scale);
        if view.fit == Fit::Opening && scale < LEGIBLE {
            let size = outer.size() / LEGIBLE;
            let middle = if room.height() > size.y { room.top() + size.y / 2.0 } else { room.center().y };
            view.rect = Rect::from_center_size(pos2(room.left() + size.x / 2.0, middle), size);
        }
        view.fit = Fit::Stay;
    } else {
        // The view keeps its scale when the window or a panel changes its size.
        let scale = view.scale();
        view.rect = Rect::from_center_size(view.rect.center(), outer.size() / scale.clamp(ZOOM.min, ZOOM.max));
    }
    let Some(pointer) = ui.input(|input| input.pointer.hover_pos()) else { return };
    if !outer.contains(pointer)
        || ui.ctx().layer_id_at(pointer).is_some_and(|layer| layer.order != egui::Order::Background && layer.order != egui::Order::Middle)
    {
        return;
    }
    // A wheel zooms, a trackpad pans; where the system does not say, a wheel turns in lines.
    let is_wheel = |unit: egui::MouseWheelUnit, source: egui::MouseWheelSource| match source {
        egui::MouseWheelSource::Wheel => true,
        egui::MouseWheelSource::Unknown => unit == egui::MouseWheelUnit::Line,
        _ => false,
    };
    let lines: f32 = ui.input(|input| {
        let turned = input.events.iter().filter_map(|event| match event {
            egui::Event::MouseWheel { unit, source, delta, modifiers, .. } if !modifiers.command && is_wheel(*unit, *source) => {
                Some(if *unit == egui::MouseWheelUnit::Line { delta.y } else { delta.y / 40.0 })
            }
            _ => None,
        });
        turned.sum()
    });
    if lines != 0.0 {
        let at = view.to_canvas(pointer);
        let before = view.scale();
        let after = (before * 1.15_f32.powf(lines)).clamp(ZOOM.min, ZOOM.max);
        let center = at + (view.rect.center() - at) * (before / after);
        view.rect = Rect::from_center_size(center, outer.size() / after);
        ui.input_mut(|input| input.smooth_scroll_delta = Vec2::ZERO);
        ui.ctx().request_repaint();
    }
    let moved = ui.input(|input| {
        input.events.iter().rev().find_map(|event| match event {
            egui::Event::MouseWheel { unit, source, .. } => Some(is_wheel(*unit, *source)),
            _ => None,
        })
    });
    view.wheeled = moved.unwrap_or(view.wheeled);
    if view.wheeled {
        // What is left of a turned wheel's smooth motion must not pan.
        ui.input_mut(|input| input.smooth_scroll_delta = Vec2::ZERO);
    }
}

/// One frame of a canvas.
struct Canvas<'a> {
    tab: &'a mut Tab,
    geometry: &'a Arc<Geometry>,
    colours: Colours,
    asks: &'a mut Vec<Ask>,
    overlay: &'a mut Option<Overlay>,
    scale: f32,
}

impl Canvas<'_> {
    /// How far a card is from where it stands, while it is dragged.
    fn moved(&self, id: &str) -> Vec2 {
        match self.tab.canvas.drag {
            Drag::Steps(by) if self.tab.selection.nodes.contains(id) => by,
            _ => Vec2::ZERO,
        }
    }

    fn show(&mut self, ui: &mut Ui) {
        let visible = ui.clip_rect();
        draw::dots(ui, visible, self.scale, self.colours);
        self.groups(ui, visible);
        self.comments(ui, visible);
        let path = self.path();
        let curves: Vec<(usize, [Pos2; 4])> = {
            let moved = |id: &str| self.moved(id);
            let wires = self.geometry.wires.iter().enumerate();
            wires.filter_map(|(place, wire)| Some((place, self.geometry.curve(wire, moved)?))).collect()
        };
        for (place, curve) in curves {
            let bounds = Rect::from_points(&curve);
            if !bounds.expand(4.0).intersects(visible) {
                continue;
            }
            let wire = &self.geometry.wires[place];
            let selected = self.tab.selection.wire == Some(wire.edge);
            draw::wire(ui, curve, self.scale, selected, path.contains(&wire.edge), self.colours);
            if self.scale > 0.55 {
                self.count(ui, wire, curve);
            }
        }
        self.gone(ui, visible);
        for place in 0..self.geometry.cards.len() {
            let card = &self.geometry.cards[place];
            let rect = card.rect.translate(self.moved(&card.id));
            if card.folded.is_none() && rect.expand(16.0).intersects(visible) {
                self.card(ui, place, rect);
            }
        }
        self.dragged(ui);
    }

    /// The wires on the path of the selected step: all that leads to it and from it.
    fn path(&self) -> std::collections::BTreeSet<usize> {
        let mut found = std::collections::BTreeSet::new();
        let Some(start) = self.tab.selection.only().and_then(|id| self.geometry.places.get(id)) else { return found };
        for forward in [true, false] {
            let mut open = vec![*start];
            let mut seen = std::collections::BTreeSet::new();
            while let Some(card) = open.pop() {
                if !seen.insert(card) {
                    continue;
                }
                for wire in &self.geometry.wires {
                    let (near, far) = if forward { (wire.from.0, wire.to.0) } else { (wire.to.0, wire.from.0) };
                    if near == card {
                        found.insert(wire.edge);
                        open.push(far);
                    }
                }
            }
        }
        found
    }

    /// The rows on a wire, and whether it lost or multiplied them.
    fn count(&self, ui: &Ui, wire: &Wire, curve: [Pos2; 4]) {
        let card = &self.geometry.cards[wire.from.0];
        let Some(port) = card.ports.outputs.get(wire.from.1) else { return };
        let Some(rows) = self.tab.counts.get(&Port { node: card.id.clone(), port: port.name.to_owned() }) else { return };
        if curve[3].x - curve[0].x > 56.0 {
            let fresh = self.tab.fresh.contains(&card.id);
            let mut words = text::count(*rows);
            let arrived = self.arrived(card);
            // A step that is meant to keep its rows and multiplies them says so.
            if let Some(arrived) = arrived.filter(|arrived| *arrived > 0 && *rows > *arrived && card.ports.inputs.len() > 1) {
                let times = text::number(&format!("{:.1}", *rows as f64 / arrived as f64));
                words = format!("{words}  ×{times}");
            }
            draw::pill(ui, draw::middle(curve), &words, fresh, self.colours);
        }
    }

    /// The rows that arrive on a card's first input, where they are known.
    fn arrived(&self, card: &Card) -> Option<u64> {
        let own = self.geometry.places.get(&card.id)?;
        let wire = self.geometry.wires.iter().find(|wire| wire.to == (*own, 0))?;
        let from = &self.geometry.cards[wire.from.0];
        let port = from.ports.outputs.get(wire.from.1)?.name.to_owned();
        self.tab.counts.get(&Port { node: from.id.clone(), port }).copied()
    }

    /// Rows that leave by ports without a wire: what a person may not expect to be left behind.
    fn left_behind(&self, place: usize) -> Vec<(usize, u64)> {
        let card = &self.geometry.cards[place];
        let open = |port: usize| !self.geometry.wires.iter().any(|wire| wire.from == (place, port));
        let count = |port: usize| {
            let name = card.ports.outputs[port].name.to_owned();
            self.tab.counts.get(&Port { node: card.id.clone(), port: name }).copied().filter(|rows| *rows > 0)
        };
        (1..card.ports.outputs.len()).filter(|port| open(*port)).filter_map(|port| Some((port, count(port)?))).collect()
    }

    /// Steps of an earlier version that are gone, where they stood.
    fn gone(&self, ui: &Ui, visible: Rect) {
        let Some(comparison) = &self.tab.comparison else { return };
        for (id, change) in &comparison.difference.1.steps {
            let weir_engine::history::StepChange::Removed(node) = change else { continue };
            let Some([x, y]) = comparison.before.layout.nodes.get(id) else { continue };
            let rect = Rect::from_min_size(pos2(*x as f32, *y as f32), vec2(geometry::WIDTH, geometry::HEIGHT));
            if rect.intersects(visible) {
                let title = crate::desk::title(id, node, weir_nodes::registry::find(&node.kind));
                draw::gone(ui, rect, &title, self.scale, self.colours);
            }
        }
    }

    /// What an earlier version says of a step; and whether the figure that is followed back passes it.
    fn compared(&self, ui: &Ui, id: &str, rect: Rect) {
        if let Some(change) = self.tab.comparison.as_ref().and_then(|comparison| comparison.difference.1.steps.get(id)) {
            use weir_engine::history::StepChange;
            let (sign, colour) = match change {
                StepChange::Added(_) => ("+", self.colours.good),
                StepChange::Removed(_) => ("−", self.colours.bad),
                StepChange::Renamed { .. } | StepChange::Changed(_) => ("~", self.colours.warn),
            };
            draw::mark(ui, rect, sign, colour);
        }
        match &self.tab.origin {
            Some(origin) if matches!(origin.trace, Some(Ok(_))) && !origin.passes(id) => draw::dim(ui, rect, self.colours),
            Some(origin) if matches!(origin.trace, Some(Ok(_))) => draw::lit(ui, rect, self.colours),
            _ => {}
        }
    }

    fn card(&mut self, ui: &mut Ui, place: usize, rect: Rect) {
        let card = &self.geometry.cards[place];
        let response = ui.interact(rect, ui.scope_id().with(("card", &card.id)), Sense::click_and_drag());
        let selected = self.tab.selection.nodes.contains(&card.id);
        let kind = card.category.map(|_| &card.gist);
        response.widget_info(|| {
            let label = kind.map_or_else(|| card.title.clone(), |gist| format!("{}: {gist}", card.title));
            WidgetInfo::selected(Role::Button, true, selected, label)
        });
        let state = draw::State {
            selected,
            hovered: response.hovered(),
            problem: self
                .tab
                .problems()
                .iter()
                .filter(|problem| problem.node.as_deref() == Some(&card.id))
                .map(|problem| problem.level)
                .max(),
            running: self.tab.run.since.is_some() && !self.tab.run.done.contains(&card.id),
            blocked: self.blocked(&card.id),
            fresh: self.tab.fresh.contains(&card.id),
            rows: card
                .ports
                .outputs
                .first()
                .and_then(|port| self.tab.counts.get(&Port { node: card.id.clone(), port: port.name.to_owned() }).copied()),
            sample: self.tab.showing.as_ref().is_some_and(|port| port.node == card.id)
                && self.tab.main.grid.as_ref().is_some_and(|grid| grid.exactness == weir_engine::preview::Exactness::Sample),
        };
        draw::card(ui, card, rect, self.scale, &state, self.colours);
        self.compared(ui, &card.id, rect);
        self.card_input(ui, place, &response);
        if self.scale > 0.35 {
            self.ports(ui, place, rect);
        }
        if self.scale > 0.55 && state.fresh {
            for (port, rows) in self.left_behind(place) {
                let card = &self.geometry.cards[place];
                let at = card.output(port) + (rect.min - card.rect.min);
                let words = format!("{} {}", text::count(rows), text::words(card.ports.outputs[port].title));
                draw::left_behind(ui, at, &words, self.colours);
            }
        }
    }

    fn blocked(&self, id: &str) -> Option<bool> {
        let certificate = self.tab.run.certificate.as_ref()?;
        let mut verdicts = certificate.verdicts.iter().filter(|verdict| verdict.node == id).peekable();
        verdicts.peek()?;
        Some(verdicts.any(|verdict| !verdict.holds))
    }

    fn card_input(&mut self, ui: &Ui, place: usize, response: &Response) {
        let id = self.geometry.cards[place].id.clone();
        let modifiers = ui.input(|input| input.modifiers);
        if response.clicked() || response.secondary_clicked() {
            if modifiers.shift || modifiers.command {
                self.tab.selection.toggle(&id);
            } else if !(response.secondary_clicked() && self.tab.selection.nodes.contains(&id)) {
                self.tab.selection.select(&id);
            }
        }
        if response.double_clicked() {
            self.asks.push(Ask::Do(Command::Rename));
        }
        if response.drag_started_by(PointerButton::Primary) {
            if !self.tab.selection.nodes.contains(&id) {
                self.tab.selection.select(&id);
            }
            self.tab.canvas.drag = Drag::Steps(Vec2::ZERO);
            if modifiers.alt {
                self.detach(&id);
            }
        }
        if response.dragged_by(PointerButton::Primary)
            && let Drag::Steps(by) = &mut self.tab.canvas.drag
        {
            *by += response.drag_delta();
        }
        if response.drag_stopped()
            && let Drag::Steps(by) = std::mem::take(&mut self.tab.canvas.drag)
        {
            self.drop_steps(by);
        }
        response.context_menu(|ui| {
            for command in [
                Command::Rename,
                Command::Duplicate,
                Command::Copy,
                Command::Cut,
                Command::Bypass,
                Command::Delete,
                Command::Group,
                Command::LayOut,
                Command::AlignLeft,
                Command::AlignTop,
            ] {
                if crate::panels::menu_item(ui, command, None).clicked() {
                    self.asks.push(Ask::Do(command));
                    ui.close();
                }
            }
        });
    }

    /// Takes a step's wires away, as Alt does when it is dragged; what was before and behind it is connected.
    fn detach(&mut self, id: &str) {
        let edits = crate::edits::heal(self.tab.workflow(), &[id.to_owned()], false);
        self.asks.push(Ask::Change(Some(Label::new(format!("detach {id}"), format!("détacher {id}"))), edits));
    }

    fn drop_steps(&mut self, by: Vec2) {
        if by.length() < 1.0 {
            return;
        }
        let moved: Vec<&Card> = self.tab.selection.nodes.iter().filter_map(|id| self.geometry.card(id)).collect();
        let places: Vec<(String, Option<[f64; 2]>)> = moved
            .iter()
            .map(|card| {
                let at = snapped(card.rect.min + by);
                (card.id.clone(), Some([f64::from(at.x), f64::from(at.y)]))
            })
            .collect();
        let mut edits = vec![Edit::Move { places }];
        let mut label = None;
        if let [card] = moved.as_slice()
            && let Some(wire) = self.wire_under(card.rect.translate(by).center(), Some(&card.id))
        {
            let insert = crate::edits::insert(self.tab.workflow(), &card.id, self.geometry.wires[wire].edge);
            if !insert.is_empty() {
                label = Some(Label::new(format!("put {} into the wire", card.id), format!("insérer {} dans le lien", card.id)));
                edits.extend(insert);
            }
        }
        self.asks.push(Ask::Change(label, edits));
    }

    /// The wire near a point, none of a step's own.
    fn wire_under(&self, at: Pos2, except: Option<&str>) -> Option<usize> {
        let near = |wire: &Wire| {
            let curve = self.geometry.curve(wire, |_| Vec2::ZERO)?;
            let distance = draw::distance(curve, at);
            let reach = if except.is_some() { 28.0 } else { 7.0 / self.scale };
            (distance < reach).then_some(distance)
        };
        let wires = self.geometry.wires.iter().enumerate().filter(|(_, wire)| {
            let ends = [&self.geometry.cards[wire.from.0].id, &self.geometry.cards[wire.to.0].id];
            except.is_none_or(|id| ends.iter().all(|end| *end != id))
        });
        wires.filter_map(|(place, wire)| Some((place, near(wire)?))).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| place)
    }

    fn ports(&mut self, ui: &mut Ui, place: usize, rect: Rect) {
        let geometry = Arc::clone(self.geometry);
        let card = &geometry.cards[place];
        let by = rect.min - card.rect.min;
        for (side, count) in [(true, card.ports.inputs.len()), (false, card.ports.outputs.len())] {
            for port in 0..count {
                let at = by + if side { card.input(port) } else { card.output(port) }.to_vec2();
                let at = at.to_pos2();
                let id = ui.scope_id().with(("port", &card.id, side, port));
                let response = ui.interact(Rect::from_center_size(at, Vec2::splat(18.0)), id, Sense::click_and_drag());
                let (name, title) = match side {
                    true => (card.ports.inputs[port].name, text::words(card.ports.inputs[port].title)),
                    false => (card.ports.outputs[port].name, text::words(card.ports.outputs[port].title)),
                };
                let shown = !side && self.tab.showing.as_ref().is_some_and(|shown| shown.node == card.id && shown.port == name);
                draw::port(ui, at, response.hovered() || response.dragged(), shown, self.colours);
                if self.scale > 0.7 && count > 1 {
                    draw::port_name(ui, at, title, side, self.colours);
                }
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{}.{name}", card.id)));
                if response.hovered() {
                    let columns = match side {
                        true => self.tab.incoming(&card.id, name).map(|schema| schema.fields().len()),
                        false => {
                            let facts = self.tab.facts.as_ref();
                            facts
                                .and_then(|f| f.columns.get(&Port { node: card.id.clone(), port: name.to_owned() }))
                                .map(|s| s.fields().len())
                        }
                    };
                    let columns = columns.map_or(String::new(), |n| format!(" · {n} {}", text::either("columns", "colonnes")));
                    response.clone().on_hover_text(format!("{title}{columns}"));
                }
                if response.clicked() && !side {
                    self.tab.selection.select(&card.id);
                    self.tab.selection.port = Some(Port { node: card.id.clone(), port: name.to_owned() });
                }
                if response.drag_started_by(PointerButton::Primary) {
                    self.tab.canvas.drag = self.grip(place, port, side);
                }
                if response.drag_stopped() {
                    self.drop_wire(ui);
                }
            }
        }
    }

    /// What a drag from a port moves: a new wire, or the end of the one that is there.
    fn grip(&mut self, place: usize, port: usize, input: bool) -> Drag {
        if !input {
            return Drag::From(place, port);
        }
        let Some(wire) = self.geometry.wires.iter().rev().find(|wire| wire.to == (place, port)) else { return Drag::To(place, port) };
        // The wire is in the person's hand: where it is dropped says where it goes.
        self.asks.push(Ask::Change(None, vec![Edit::Disconnect { at: wire.edge }]));
        Drag::From(wire.from.0, wire.from.1)
    }

    fn port_under(&self, at: Pos2, input: bool, not: usize) -> Option<(usize, usize)> {
        let mut best: Option<(f32, usize, usize)> = None;
        for (place, card) in self.geometry.cards.iter().enumerate().filter(|(place, card)| *place != not && card.folded.is_none()) {
            if !card.rect.expand(REACH).contains(at) {
                continue;
            }
            let count = if input { card.ports.inputs.len() } else { card.ports.outputs.len() };
            for port in 0..count {
                let point = if input { card.input(port) } else { card.output(port) };
                let mut distance = point.distance(at);
                if distance > REACH && !card.rect.contains(at) {
                    continue;
                }
                // Dropped on the card itself, a free port comes first.
                let taken = input && self.geometry.wires.iter().any(|wire| wire.to == (place, port));
                if distance > REACH && taken {
                    distance += 1000.0;
                }
                if best.is_none_or(|(nearest, ..)| distance < nearest) {
                    best = Some((distance, place, port));
                }
            }
        }
        best.map(|(_, place, port)| (place, port))
    }

    fn drop_wire(&mut self, ui: &Ui) {
        let drag = std::mem::take(&mut self.tab.canvas.drag);
        let Some(at) = ui.input(|input| input.pointer.latest_pos()).map(|at| self.tab.canvas.to_canvas(at)) else { return };
        let (own, port, leaves) = match drag {
            Drag::From(place, port) => (place, port, true),
            Drag::To(place, port) => (place, port, false),
            _ => return,
        };
        let cards = &self.geometry.cards;
        let own_ref = PortRef {
            node: cards[own].id.clone(),
            port: (port > 0)
                .then(|| if leaves { cards[own].ports.outputs[port].name } else { cards[own].ports.inputs[port].name }.to_owned()),
        };
        if let Some((place, port)) = self.port_under(at, leaves, own) {
            let card = &cards[place];
            let name = if leaves { card.ports.inputs[port].name } else { card.ports.outputs[port].name };
            let other = PortRef { node: card.id.clone(), port: (port > 0).then(|| name.to_owned()) };
            let (from, to) = if leaves { (own_ref, other) } else { (other, own_ref) };
            let edits = crate::edits::connect(self.tab.workflow(), from, to);
            self.asks.push(Ask::Change(None, edits));
        } else if !cards[own].rect.expand(REACH).contains(at) {
            let attach = if leaves { Attach::From(own_ref) } else { Attach::To(own_ref) };
            *self.overlay = Some(Overlay::AddStep(Search::default(), Some([f64::from(at.x), f64::from(at.y)]), attach));
        }
    }

    /// What is in the person's hand: a wire, a rubber band.
    fn dragged(&self, ui: &Ui) {
        let Some(pointer) = ui.input(|input| input.pointer.latest_pos()).map(|at| self.tab.canvas.to_canvas(at)) else { return };
        match self.tab.canvas.drag {
            Drag::From(place, port) => {
                let start = self.geometry.cards[place].output(port);
                draw::wire(ui, geometry::bend(start, pointer), self.scale, true, true, self.colours);
            }
            Drag::To(place, port) => {
                let end = self.geometry.cards[place].input(port);
                draw::wire(ui, geometry::bend(pointer, end), self.scale, true, true, self.colours);
            }
            Drag::Band(start) => draw::band(ui, Rect::from_two_pos(start, pointer), self.scale, self.colours),
            _ => {}
        }
    }

    fn background(&mut self, ui: &Ui, response: &Response, panning: bool) {
        let Some(at) = ui.input(|input| input.pointer.latest_pos()).map(|at| self.tab.canvas.to_canvas(at)) else { return };
        if !panning && response.drag_started_by(PointerButton::Primary) {
            // The press was where the drag began, not where it was recognised.
            let from = ui.input(|input| input.pointer.press_origin()).map_or(at, |at| self.tab.canvas.to_canvas(at));
            self.tab.canvas.drag = Drag::Band(from);
        }
        if let (true, Drag::Band(start)) = (response.drag_stopped(), self.tab.canvas.drag.clone()) {
            self.tab.canvas.drag = Drag::Nothing;
            let band = Rect::from_two_pos(start, at);
            if !ui.input(|input| input.modifiers.shift) {
                self.tab.selection.clear();
            }
            let inside = self.geometry.cards.iter().filter(|card| card.folded.is_none() && band.intersects(card.rect));
            self.tab.selection.nodes.extend(inside.map(|card| card.id.clone()));
        }
        if response.double_clicked() {
            *self.overlay = Some(Overlay::AddStep(Search::default(), Some([f64::from(at.x), f64::from(at.y)]), Attach::Nothing));
        } else if response.clicked() {
            self.tab.selection.clear();
            self.tab.selection.wire = self.wire_under(at, None).map(|place| self.geometry.wires[place].edge);
        }
        let wire = self.tab.selection.wire;
        response.context_menu(|ui| {
            if let Some(wire) = wire
                && ui.button(text::either("Insert a step here", "Insérer une étape ici")).clicked()
            {
                *self.overlay = Some(Overlay::AddStep(Search::default(), Some([f64::from(at.x), f64::from(at.y)]), Attach::Into(wire)));
                ui.close();
            }
            for command in [Command::AddStep, Command::AddComment, Command::Paste, Command::SelectAll, Command::LayOut, Command::FitAll] {
                if crate::panels::menu_item(ui, command, None).clicked() {
                    self.asks.push(Ask::Do(command));
                    ui.close();
                }
            }
        });
        // A kind dragged from the palette is dropped here.
        if let Some(kind) = response.dnd_release_payload::<&'static str>() {
            let attach = self.wire_under(at, None).map_or(Attach::Nothing, |wire| Attach::Into(self.geometry.wires[wire].edge));
            self.asks.push(Ask::AddStep(*kind, Some([f64::from(at.x), f64::from(at.y)]), attach));
        }
    }

    fn groups(&mut self, ui: &mut Ui, visible: Rect) {
        let geometry = Arc::clone(self.geometry);
        for (group, frame, number) in &geometry.groups {
            let number = *number;
            if !frame.intersects(visible) {
                continue;
            }
            draw::group(ui, group, *frame, self.scale, self.colours);
            let bar = Rect::from_min_size(frame.min, vec2(frame.width(), if group.folded { frame.height() } else { 28.0 }));
            let response = ui.interact(bar, ui.scope_id().with(("group", number)), Sense::click_and_drag());
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, group.title.clone()));
            if response.clicked() || response.drag_started() {
                self.tab.selection.clear();
                self.tab.selection.nodes.extend(group.nodes.iter().filter(|id| geometry.places.contains_key(*id)).cloned());
            }
            if response.drag_started_by(PointerButton::Primary) {
                self.tab.canvas.drag = Drag::Steps(Vec2::ZERO);
            }
            if let (true, Drag::Steps(by)) = (response.dragged(), &mut self.tab.canvas.drag) {
                *by += response.drag_delta();
            }
            if let (true, Drag::Steps(by)) = (response.drag_stopped(), self.tab.canvas.drag.clone()) {
                self.tab.canvas.drag = Drag::Nothing;
                self.drop_steps(by);
            }
            if response.double_clicked() {
                self.asks.push(Ask::Do(Command::FoldGroup));
            }
            response.context_menu(|ui| {
                if ui.button(text::either("Name and colour…", "Nom et couleur…")).clicked() {
                    *self.overlay = Some(Overlay::Group(number, group.title.clone()));
                    ui.close();
                }
                if crate::panels::menu_item(ui, Command::FoldGroup, None).clicked() {
                    self.asks.push(Ask::Do(Command::FoldGroup));
                    ui.close();
                }
            });
        }
    }

    fn comments(&mut self, ui: &mut Ui, visible: Rect) {
        let comments: Vec<Option<Comment>> = self.tab.workflow().layout.comments.iter().map(Comment::read).collect();
        for (number, comment) in comments.into_iter().enumerate() {
            let Some(comment) = comment else { continue };
            let by = match self.tab.canvas.drag {
                Drag::Comment(dragged, by) if dragged == number => by,
                _ => Vec2::ZERO,
            };
            let at = pos2(comment.at[0] as f32, comment.at[1] as f32) + by;
            let selected = self.tab.selection.comment == Some(number);
            let rect = draw::comment(ui, at, &comment.text, selected, self.colours);
            if !rect.intersects(visible) {
                continue;
            }
            let response = ui.interact(rect, ui.scope_id().with(("comment", number)), Sense::click_and_drag());
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, comment.text.clone()));
            if response.clicked() || response.drag_started() {
                self.tab.selection.clear();
                self.tab.selection.comment = Some(number);
            }
            if response.double_clicked() {
                *self.overlay = Some(Overlay::Comment(number, comment.text.clone()));
            }
            if response.drag_started_by(PointerButton::Primary) {
                self.tab.canvas.drag = Drag::Comment(number, Vec2::ZERO);
            }
            if let (true, Drag::Comment(_, by)) = (response.dragged(), &mut self.tab.canvas.drag) {
                *by += response.drag_delta();
            }
            if response.drag_stopped() {
                self.tab.canvas.drag = Drag::Nothing;
                let to = snapped(at);
                let mut layout = self.tab.workflow().layout.clone();
                layout.comments[number] = Comment { at: [f64::from(to.x), f64::from(to.y)], ..comment }.write();
                let label = Label::new("move a comment", "déplacer un commentaire");
                self.asks.push(Ask::Change(Some(label), vec![Edit::SetLayout { layout }]));
            }
        }
    }
}

/// A wire as the document holds it.
pub fn edge(from: PortRef, to: PortRef) -> Edge {
    Edge { from, to, other: std::collections::BTreeMap::new() }
}
