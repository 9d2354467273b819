//! Layered layout from left to right (after Sugiyama): layers by longest path, long wires through places of their own,
//! crossings reduced by medians, heights by the neighbours' ports. Its work grows with the wires alone, so that
//! thousands of steps are arranged within a frame or two; that is why it is not a library's.

/// A card to place: its size in points.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Card {
    pub(crate) size: [f32; 2],
}

/// A wire between two cards, by their places; a port is a part of its card's height, from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wire {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) from_port: f32,
    pub(crate) to_port: f32,
}

/// Between two layers.
const ACROSS: f32 = 72.0;
/// Between two cards of a layer.
const DOWN: f32 = 32.0;
/// The height that a wire takes where it passes a layer.
const PASS: f32 = 8.0;
const SWEEPS: usize = 12;

/// A card, or the place where a wire passes a layer.
struct Spot {
    layer: usize,
    height: f32,
    /// The top.
    y: f32,
    card: Option<usize>,
}

/// A piece of a wire between neighbouring layers: spots, and the heights of its ends above their tops.
struct Piece {
    from: usize,
    to: usize,
    from_y: f32,
    to_y: f32,
}

/// The top left corner of each card, in points. The same cards and wires give the same places; a wire that closes a circle
/// does not count.
pub(crate) fn arrange(cards: &[Card], wires: &[Wire]) -> Vec<[f32; 2]> {
    let forward = without_circles(cards.len(), wires);
    let mut places = vec![[0.0; 2]; cards.len()];
    let mut top = 0.0;
    for part in parts(cards.len(), wires) {
        let height = place_part(cards, wires, &forward, &part, top, &mut places);
        top += height + 2.0 * DOWN;
    }
    places.iter().map(|[x, y]| [(x / 8.0).round() * 8.0, (y / 8.0).round() * 8.0]).collect()
}

/// The wires that go forward: a depth-first walk leaves out those that return to a card it is still inside of.
fn without_circles(cards: usize, wires: &[Wire]) -> Vec<usize> {
    let mut leaving: Vec<Vec<usize>> = vec![vec![]; cards];
    for (place, wire) in wires.iter().enumerate() {
        leaving[wire.from].push(place);
    }
    // 0: not seen, 1: inside, 2: done.
    let mut state = vec![0_u8; cards];
    let mut forward = Vec::new();
    for start in 0..cards {
        let mut stack = vec![(start, 0)];
        if state[start] != 0 {
            continue;
        }
        state[start] = 1;
        while let Some((card, next)) = stack.pop() {
            let Some(place) = leaving[card].get(next) else {
                state[card] = 2;
                continue;
            };
            stack.push((card, next + 1));
            let to = wires[*place].to;
            if state[to] == 1 {
                continue;
            }
            forward.push(*place);
            if state[to] == 0 {
                state[to] = 1;
                stack.push((to, 0));
            }
        }
    }
    forward
}

/// Cards that hang together.
fn parts(cards: usize, wires: &[Wire]) -> Vec<Vec<usize>> {
    let mut near: Vec<Vec<usize>> = vec![vec![]; cards];
    for wire in wires {
        near[wire.from].push(wire.to);
        near[wire.to].push(wire.from);
    }
    let mut seen = vec![false; cards];
    let mut parts = Vec::new();
    for start in 0..cards {
        let mut open = vec![start];
        let mut part = Vec::new();
        while let Some(card) = open.pop() {
            if !std::mem::replace(&mut seen[card], true) {
                part.push(card);
                open.extend(&near[card]);
            }
        }
        if !part.is_empty() {
            part.sort_unstable();
            parts.push(part);
        }
    }
    parts
}

/// Places one part below `top`; gives its height.
fn place_part(cards: &[Card], wires: &[Wire], forward: &[usize], part: &[usize], top: f32, places: &mut [[f32; 2]]) -> f32 {
    let inside = |card: usize| part.binary_search(&card).is_ok();
    let own: Vec<&Wire> = forward.iter().map(|place| &wires[*place]).filter(|wire| inside(wire.from)).collect();
    let layers = layers(cards.len(), part, &own);
    let mut spots: Vec<Spot> = Vec::new();
    let mut spot_of = vec![usize::MAX; cards.len()];
    for card in part {
        spot_of[*card] = spots.len();
        spots.push(Spot { layer: layers[*card], height: cards[*card].size[1], y: 0.0, card: Some(*card) });
    }
    let mut pieces = Vec::new();
    for wire in &own {
        let mut from = (spot_of[wire.from], wire.from_port * cards[wire.from].size[1]);
        for layer in layers[wire.from] + 1..layers[wire.to] {
            spots.push(Spot { layer, height: PASS, y: 0.0, card: None });
            let here = (spots.len() - 1, PASS / 2.0);
            pieces.push(Piece { from: from.0, to: here.0, from_y: from.1, to_y: here.1 });
            from = here;
        }
        pieces.push(Piece { from: from.0, to: spot_of[wire.to], from_y: from.1, to_y: wire.to_port * cards[wire.to].size[1] });
    }
    let count = spots.iter().map(|spot| spot.layer + 1).max().unwrap_or(0);
    let mut rows: Vec<Vec<usize>> = vec![vec![]; count];
    for (place, spot) in spots.iter().enumerate() {
        rows[spot.layer].push(place);
    }
    let (mut before, mut after): (Vec<Vec<usize>>, Vec<Vec<usize>>) = (vec![vec![]; spots.len()], vec![vec![]; spots.len()]);
    for (place, piece) in pieces.iter().enumerate() {
        before[piece.to].push(place);
        after[piece.from].push(place);
    }
    order(&mut rows, &spots, &pieces, &before, &after);
    heights(&rows, &mut spots, &pieces, &before, &after);

    let mut left = 0.0;
    let lowest = spots.iter().map(|spot| spot.y).fold(f32::INFINITY, f32::min);
    let mut bottom: f32 = 0.0;
    for row in &rows {
        let mut width: f32 = 0.0;
        for spot in row.iter().map(|place| &spots[*place]) {
            bottom = bottom.max(spot.y - lowest + spot.height);
            if let Some(card) = spot.card {
                places[card] = [left, top + spot.y - lowest];
                width = width.max(cards[card].size[0]);
            }
        }
        left += width + ACROSS;
    }
    bottom
}

/// The layer of each card: behind all that feed it; what feeds others stands right before the first of them.
fn layers(cards: usize, part: &[usize], wires: &[&Wire]) -> Vec<usize> {
    let mut leaving: Vec<Vec<usize>> = vec![vec![]; cards];
    let mut missing = vec![0_usize; cards];
    for wire in wires {
        leaving[wire.from].push(wire.to);
        missing[wire.to] += 1;
    }
    let mut layers = vec![0; cards];
    let mut ready: std::collections::VecDeque<usize> = part.iter().copied().filter(|card| missing[*card] == 0).collect();
    let mut sequence = Vec::new();
    while let Some(card) = ready.pop_front() {
        sequence.push(card);
        for to in &leaving[card] {
            layers[*to] = layers[*to].max(layers[card] + 1);
            missing[*to] -= 1;
            if missing[*to] == 0 {
                ready.push_back(*to);
            }
        }
    }
    let fed: std::collections::HashSet<usize> = wires.iter().map(|wire| wire.to).collect();
    for card in sequence.into_iter().rev().filter(|card| !fed.contains(card)) {
        if let Some(first) = leaving[card].iter().map(|to| layers[*to]).min() {
            layers[card] = first - 1;
        }
    }
    layers
}

/// Orders each layer so that few wires cross: sweeps by medians, the best order kept.
fn order(rows: &mut [Vec<usize>], spots: &[Spot], pieces: &[Piece], before: &[Vec<usize>], after: &[Vec<usize>]) {
    let mut rank = vec![0.0_f32; spots.len()];
    let number = |rows: &[Vec<usize>], rank: &mut Vec<f32>| {
        for row in rows {
            for (place, spot) in row.iter().enumerate() {
                rank[*spot] = place as f32;
            }
        }
    };
    number(rows, &mut rank);
    let mut best = (crossings(rows, pieces, after, &rank), rows.to_vec());
    for sweep in 0..SWEEPS {
        if best.0 == 0 {
            break;
        }
        let down = sweep % 2 == 0;
        let layers: Vec<usize> = if down { (1..rows.len()).collect() } else { (0..rows.len().saturating_sub(1)).rev().collect() };
        for layer in layers {
            let wanted = |spot: usize| {
                let links = if down { &before[spot] } else { &after[spot] };
                let mut near: Vec<f32> = links
                    .iter()
                    .map(|piece| {
                        let piece = &pieces[*piece];
                        // The port's height tells wires of one card apart.
                        let (far, y) = if down { (piece.from, piece.from_y) } else { (piece.to, piece.to_y) };
                        rank[far] + y / spots[far].height.max(1.0) * 0.9
                    })
                    .collect();
                near.sort_unstable_by(f32::total_cmp);
                match near.len() {
                    0 => rank[spot],
                    n if n % 2 == 1 => near[n / 2],
                    n => f32::midpoint(near[n / 2 - 1], near[n / 2]),
                }
            };
            let mut keyed: Vec<(f32, usize)> = rows[layer].iter().map(|spot| (wanted(*spot), *spot)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            rows[layer] = keyed.into_iter().map(|(_, spot)| spot).collect();
            for (place, spot) in rows[layer].iter().enumerate() {
                rank[*spot] = place as f32;
            }
        }
        let now = crossings(rows, pieces, after, &rank);
        if now < best.0 {
            best = (now, rows.to_vec());
        }
    }
    rows.clone_from_slice(&best.1);
}

/// How many wires cross between neighbouring layers: inversions, counted while merging.
fn crossings(rows: &[Vec<usize>], pieces: &[Piece], after: &[Vec<usize>], rank: &[f32]) -> usize {
    let mut count = 0;
    for row in rows {
        let mut ends: Vec<(f32, f32, f32)> = Vec::new();
        for spot in row {
            ends.extend(after[*spot].iter().map(|piece| &pieces[*piece]).map(|piece| (piece.from_y, rank[piece.to], piece.to_y)));
            let own = ends.len() - after[*spot].len();
            ends[own..].sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)));
        }
        let mut keys: Vec<f32> = ends.iter().map(|(_, rank, y)| rank * 4096.0 + y).collect();
        count += inversions(&mut keys);
    }
    count
}

fn inversions(keys: &mut [f32]) -> usize {
    if keys.len() < 2 {
        return 0;
    }
    let middle = keys.len() / 2;
    let (left, right) = keys.split_at_mut(middle);
    let mut count = inversions(left) + inversions(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        if left[i] <= right[j] {
            merged.push(left[i]);
            i += 1;
        } else {
            count += left.len() - i;
            merged.push(right[j]);
            j += 1;
        }
    }
    merged.extend_from_slice(&left[i..]);
    merged.extend_from_slice(&right[j..]);
    keys.copy_from_slice(&merged);
    count
}

/// Gives each spot a height: where its wires would be straight, moved apart where spots would touch.
fn heights(rows: &[Vec<usize>], spots: &mut [Spot], pieces: &[Piece], before: &[Vec<usize>], after: &[Vec<usize>]) {
    for row in rows {
        let mut y = 0.0;
        for spot in row {
            spots[*spot].y = y;
            y += spots[*spot].height + DOWN;
        }
    }
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let layers: Vec<usize> = if down { (0..rows.len()).collect() } else { (0..rows.len()).rev().collect() };
        for layer in layers {
            let row = &rows[layer];
            let wanted: Vec<f32> = row
                .iter()
                .map(|spot| {
                    let links = if down { &before[*spot] } else { &after[*spot] };
                    if links.is_empty() {
                        return spots[*spot].y;
                    }
                    let tops = links.iter().map(|piece| {
                        let piece = &pieces[*piece];
                        match down {
                            true => spots[piece.from].y + piece.from_y - piece.to_y,
                            false => spots[piece.to].y + piece.to_y - piece.from_y,
                        }
                    });
                    let mut tops: Vec<f32> = tops.collect();
                    tops.sort_unstable_by(f32::total_cmp);
                    f32::midpoint(tops[(tops.len() - 1) / 2], tops[tops.len() / 2])
                })
                .collect();
            let apart: Vec<f32> = row.iter().map(|spot| spots[*spot].height + DOWN).collect();
            for (spot, y) in row.iter().zip(settled(&wanted, &apart)) {
                spots[*spot].y = y;
            }
        }
    }
}

/// The tops nearest to those wanted that keep their order and their distance: neighbours that touch move as one block
/// to the mean of what they want.
fn settled(wanted: &[f32], apart: &[f32]) -> Vec<f32> {
    // Each block: the sum of what its members want of its first top, their number, and the room they take.
    let mut blocks: Vec<(f32, f32, f32)> = Vec::new();
    for (want, room) in wanted.iter().zip(apart) {
        let mut block = (*want, 1.0, *room);
        while let Some((sum, count, taken)) = blocks.last().copied() {
            if sum / count + taken <= block.0 / block.1 {
                break;
            }
            blocks.pop();
            block = (sum + block.0 - taken * block.1, count + block.1, taken + block.2);
        }
        blocks.push(block);
    }
    let mut tops = Vec::with_capacity(wanted.len());
    let mut members = apart.iter();
    for (sum, count, _) in blocks {
        let mut y = sum / count;
        for room in members.by_ref().take(count as usize) {
            tops.push(y);
            y += room;
        }
    }
    tops
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cards(count: usize) -> Vec<Card> {
        (0..count).map(|i| Card { size: [192.0, 64.0 + 24.0 * (i % 3) as f32] }).collect()
    }

    fn wire(from: usize, to: usize) -> Wire {
        Wire { from, to, from_port: 0.5, to_port: 0.5 }
    }

    fn random(count: usize, wires: usize, mut seed: u64) -> Vec<Wire> {
        let mut next = move |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        (0..wires)
            .map(|_| {
                let a = next(count);
                wire(a, next(count))
            })
            .collect()
    }

    #[test]
    fn no_two_cards_touch_and_the_same_comes_out_twice() {
        for seed in 0..20 {
            let (cards, wires) = (cards(60), random(60, 80, seed));
            let places = arrange(&cards, &wires);
            assert_eq!(places, arrange(&cards, &wires));
            for a in 0..cards.len() {
                for b in 0..a {
                    let apart = |axis: usize| {
                        places[a][axis] + cards[a].size[axis] <= places[b][axis] || places[b][axis] + cards[b].size[axis] <= places[a][axis]
                    };
                    assert!(apart(0) || apart(1), "{a} {:?} and {b} {:?} touch", places[a], places[b]);
                }
            }
        }
    }

    #[test]
    fn wires_go_right_and_a_chain_is_straight() {
        let all = vec![Card { size: [192.0, 64.0] }; 5];
        let places = arrange(&all, &[wire(3, 1), wire(1, 4), wire(4, 0), wire(0, 2)]);
        for (from, to) in [(3, 1), (1, 4), (4, 0), (0, 2)] {
            assert!(places[from][0] < places[to][0]);
            assert!((places[from][1] - places[to][1]).abs() < 0.5);
        }
    }

    #[test]
    fn a_diamond_is_symmetric() {
        let all = vec![Card { size: [192.0, 64.0] }; 4];
        let places = arrange(&all, &[wire(0, 1), wire(0, 2), wire(1, 3), wire(2, 3)]);
        assert!((places[0][1] - places[3][1]).abs() < 0.5);
        assert!((places[1][1] + places[2][1] - 2.0 * places[0][1]).abs() <= 8.0);
    }

    #[test]
    fn circles_and_nothing_at_all_do_no_harm() {
        assert!(arrange(&[], &[]).is_empty());
        assert_eq!(arrange(&cards(3), &[wire(0, 1), wire(1, 2), wire(2, 0), wire(1, 1)]).len(), 3);
    }
}
