//! Where everything stands on a canvas: computed once for each revision of the document, not for each frame.

use std::collections::{BTreeMap, HashMap};

use egui::{Pos2, Rect, Vec2, pos2, vec2};
use weir_engine::workflow::{PortRef, Workflow};
use weir_nodes::kind::{Category, Ports};
use weir_nodes::registry;

use super::arrange;
use super::group::Group;
use crate::desk::{gist, ports_of, title};

/// The width of a card.
pub const WIDTH: f32 = 192.0;
/// The height of a card with up to two ports on a side.
pub const HEIGHT: f32 = 64.0;
/// The grid that cards snap to.
pub const GRID: f32 = 8.0;

/// A card.
#[derive(Debug, Clone)]
pub struct Card {
    /// The step.
    pub id: String,
    /// Where it stands.
    pub rect: Rect,
    /// Its first line.
    pub title: String,
    /// Its second line.
    pub gist: String,
    /// Its icon's name.
    pub icon: &'static str,
    /// Its family; none for a kind that is not known.
    pub category: Option<Category>,
    /// Its ports.
    pub ports: Ports,
    /// The folded group it is hidden in.
    pub folded: Option<usize>,
}

impl Card {
    /// The point of an input port.
    pub fn input(&self, port: usize) -> Pos2 {
        pos2(self.rect.left(), self.rect.top() + fraction(port, self.ports.inputs.len()) * self.rect.height())
    }

    /// The point of an output port.
    pub fn output(&self, port: usize) -> Pos2 {
        pos2(self.rect.right(), self.rect.top() + fraction(port, self.ports.outputs.len()) * self.rect.height())
    }
}

fn fraction(port: usize, ports: usize) -> f32 {
    (port as f32 + 1.0) / (ports as f32 + 1.0)
}

/// A wire between two cards, by their places.
#[derive(Debug, Clone, Copy)]
pub struct Wire {
    /// Its place among the document's edges.
    pub edge: usize,
    /// The card it leaves, and by which port.
    pub from: (usize, usize),
    /// The card it enters, and by which port.
    pub to: (usize, usize),
}

/// Everything on a canvas.
#[derive(Debug, Default)]
pub struct Geometry {
    /// The cards, by id.
    pub cards: Vec<Card>,
    /// The place of each id.
    pub places: HashMap<String, usize>,
    /// The wires.
    pub wires: Vec<Wire>,
    /// Groups, with the frames around their steps and their places in the document.
    pub groups: Vec<(Group, Rect, usize)>,
}

impl Geometry {
    /// Where everything of a workflow stands.
    pub fn of(workflow: &Workflow) -> Self {
        let mut cards: Vec<Card> = workflow
            .nodes
            .iter()
            .map(|(id, node)| {
                let kind = registry::find(&node.kind);
                let ports = ports_of(workflow, id);
                let rows = ports.inputs.len().max(ports.outputs.len()).max(2) as f32;
                Card {
                    id: id.clone(),
                    rect: Rect::from_min_size(Pos2::ZERO, vec2(WIDTH, (HEIGHT + (rows - 2.0) * 24.0).max(HEIGHT))),
                    title: title(id, node, kind),
                    gist: kind.map_or_else(|| node.kind.clone(), |kind| gist(node, kind)),
                    icon: kind.map_or("help", |kind| kind.identity.icon),
                    category: kind.map(|kind| kind.identity.category),
                    ports,
                    folded: None,
                }
            })
            .collect();
        let places: HashMap<String, usize> = cards.iter().enumerate().map(|(place, card)| (card.id.clone(), place)).collect();
        let wires: Vec<Wire> = workflow
            .edges
            .iter()
            .enumerate()
            .filter_map(|(edge, wire)| {
                let (from, to) = (*places.get(&wire.from.node)?, *places.get(&wire.to.node)?);
                let out = port_place(&wire.from, cards[from].ports.outputs.iter().map(|port| port.name))?;
                let into = port_place(&wire.to, cards[to].ports.inputs.iter().map(|port| port.name))?;
                Some(Wire { edge, from: (from, out), to: (to, into) })
            })
            .collect();
        stand(workflow, &mut cards, &wires);
        let mut groups = Vec::new();
        for (number, value) in workflow.layout.groups.iter().enumerate() {
            let Some(group) = Group::read(value) else { continue };
            let inside: Vec<usize> = group.nodes.iter().filter_map(|id| places.get(id).copied()).collect();
            let frame = inside.iter().map(|place| cards[*place].rect).reduce(Rect::union);
            let Some(frame) = frame else { continue };
            let frame = Rect::from_min_max(frame.min - vec2(16.0, 40.0), frame.max + vec2(16.0, 16.0));
            if group.folded {
                for place in inside {
                    cards[place].folded = Some(number);
                }
                let small = Rect::from_min_size(frame.min, vec2(WIDTH + 32.0, 72.0));
                groups.push((group, small, number));
            } else {
                groups.push((group, frame, number));
            }
        }
        Self { cards, places, wires, groups }
    }

    /// The card of a step.
    pub fn card(&self, id: &str) -> Option<&Card> {
        self.places.get(id).map(|place| &self.cards[*place])
    }

    /// The box around some cards, or around all of them.
    pub fn bounds<'a>(&self, ids: impl IntoIterator<Item = &'a String>) -> Option<Rect> {
        let mut rects = ids.into_iter().filter_map(|id| self.card(id)).map(|card| card.rect).peekable();
        if rects.peek().is_some() {
            return rects.reduce(Rect::union);
        }
        self.cards.iter().map(|card| card.rect).reduce(Rect::union)
    }

    /// The points of a wire's curve; a wire into a folded group ends at its frame.
    pub fn curve(&self, wire: &Wire, moved: impl Fn(&str) -> Vec2) -> Option<[Pos2; 4]> {
        let (from, to) = (&self.cards[wire.from.0], &self.cards[wire.to.0]);
        if from.folded.is_some() && from.folded == to.folded {
            return None;
        }
        let folded = |group: Option<usize>| {
            group.and_then(|number| self.groups.iter().find(|(.., known)| *known == number)).map(|(_, frame, _)| *frame)
        };
        let start = folded(from.folded).map_or_else(|| from.output(wire.from.1) + moved(&from.id), |frame| frame.right_center());
        let end = folded(to.folded).map_or_else(|| to.input(wire.to.1) + moved(&to.id), |frame| frame.left_center());
        Some(bend(start, end))
    }
}

/// The curve from an output to an input.
pub fn bend(start: Pos2, end: Pos2) -> [Pos2; 4] {
    let reach = ((end.x - start.x).abs() * 0.5).clamp(24.0, 120.0);
    [start, start + vec2(reach, 0.0), end - vec2(reach, 0.0), end]
}

fn port_place(end: &PortRef, mut names: impl Iterator<Item = &'static str>) -> Option<usize> {
    match &end.port {
        None => Some(0),
        Some(port) => names.position(|name| name == port),
    }
}

/// Puts each card where the document says; those it does not place are arranged.
fn stand(workflow: &Workflow, cards: &mut [Card], wires: &[Wire]) {
    let known: BTreeMap<&str, Pos2> = workflow.layout.nodes.iter().map(|(id, [x, y])| (id.as_str(), pos2(*x as f32, *y as f32))).collect();
    let arranged = if cards.iter().any(|card| !known.contains_key(card.id.as_str())) { arranged(cards, wires) } else { vec![] };
    let below = known.values().map(|place| place.y + HEIGHT + 64.0).fold(0.0, f32::max);
    let some_known = cards.iter().any(|card| known.contains_key(card.id.as_str()));
    for (place, card) in cards.iter_mut().enumerate() {
        let at = match known.get(card.id.as_str()) {
            Some(at) => *at,
            None => arranged[place] + vec2(0.0, if some_known { below } else { 0.0 }),
        };
        card.rect = Rect::from_min_size(at, card.rect.size());
    }
}

/// Where the layered layout puts each card.
pub fn arranged(cards: &[Card], wires: &[Wire]) -> Vec<Pos2> {
    let sizes: Vec<arrange::Card> = cards.iter().map(|card| arrange::Card { size: card.rect.size().into() }).collect();
    let links: Vec<arrange::Wire> = wires
        .iter()
        .map(|wire| arrange::Wire {
            from: wire.from.0,
            to: wire.to.0,
            from_port: fraction(wire.from.1, cards[wire.from.0].ports.outputs.len()),
            to_port: fraction(wire.to.1, cards[wire.to.0].ports.inputs.len()),
        })
        .collect();
    arrange::arrange(&sizes, &links).into_iter().map(|[x, y]| pos2(x, y)).collect()
}

/// A place on the grid.
pub fn snapped(at: Pos2) -> Pos2 {
    pos2((at.x / GRID).round() * GRID, (at.y / GRID).round() * GRID)
}

/// Where the layered layout puts the cards: all of them, or the chosen ones where two or more are, around where they were.
pub fn laid_out(geometry: &Geometry, chosen: &[String]) -> Vec<(String, Option<[f64; 2]>)> {
    let all = chosen.len() < 2;
    let picked: Vec<usize> = (0..geometry.cards.len()).filter(|place| all || chosen.contains(&geometry.cards[*place].id)).collect();
    let cards: Vec<Card> = picked.iter().map(|place| geometry.cards[*place].clone()).collect();
    let at = |place: usize| picked.iter().position(|known| *known == place);
    let wires: Vec<Wire> = geometry
        .wires
        .iter()
        .filter_map(|wire| Some(Wire { edge: wire.edge, from: (at(wire.from.0)?, wire.from.1), to: (at(wire.to.0)?, wire.to.1) }))
        .collect();
    let places = arranged(&cards, &wires);
    let corner = if all { Vec2::ZERO } else { cards.iter().map(|card| card.rect.min).reduce(Pos2::min).unwrap_or_default().to_vec2() };
    cards
        .iter()
        .zip(places)
        .map(|(card, place)| (card.id.clone(), Some((place + corner).into()).map(|[x, y]: [f32; 2]| [f64::from(x), f64::from(y)])))
        .collect()
}
