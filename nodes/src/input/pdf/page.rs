//! From the letters on a page to the lines and columns of a table.

use std::collections::BTreeSet;

use pdf_extract::{Document, MediaBox, OutputDev, OutputError, Transform, output_doc_page};

/// A gap this wide, in heights of a letter, separates two cells.
const CELL_GAP: f64 = 0.8;
/// A gap this wide separates two words.
const WORD_GAP: f64 = 0.15;
/// Files above this size are not read.
const LARGEST: usize = 1 << 30;

/// A word or several, with where they stand: points from the page's left edge.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) text: String,
}

/// A line of a page: its words, and where it stands in points from the page's top left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) page: u32,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) words: Vec<Word>,
}

impl Line {
    /// All its words.
    pub(super) fn text(&self) -> String {
        self.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// Words with no wide gap between them, together: what looks like a cell.
    fn cells(&self) -> Vec<Word> {
        let wide = (self.bottom - self.top) * CELL_GAP;
        let mut cells: Vec<Word> = Vec::new();
        for word in &self.words {
            match cells.last_mut() {
                Some(cell) if word.left - cell.right < wide => {
                    cell.right = cell.right.max(word.right);
                    cell.text = format!("{} {}", cell.text, word.text);
                }
                _ => cells.push(word.clone()),
            }
        }
        cells
    }

    /// Its box: left, top, right, bottom.
    pub(super) fn bounds(&self) -> String {
        let (left, right) = (self.words.first().map_or(0.0, |w| w.left), self.words.last().map_or(0.0, |w| w.right));
        format!("{left:.1} {:.1} {right:.1} {:.1}", self.top, self.bottom)
    }
}

struct Letter {
    left: f64,
    right: f64,
    base: f64,
    height: f64,
    text: String,
}

/// Collects the letters of one page.
#[derive(Default)]
struct Letters {
    page_top: f64,
    found: Vec<Letter>,
}

impl OutputDev for Letters {
    fn begin_page(&mut self, _: u32, media: &MediaBox, _: Option<(f64, f64, f64, f64)>) -> Result<(), OutputError> {
        self.page_top = media.ury;
        Ok(())
    }

    fn end_page(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn output_character(&mut self, matrix: &Transform, width: f64, _: f64, size: f64, text: &str) -> Result<(), OutputError> {
        // Turned letters belong to no row.
        if matrix.m12.abs() > 0.01 * matrix.m11.abs() {
            return Ok(());
        }
        let height = (matrix.m22 * size).abs();
        let (left, right) = (matrix.m31, matrix.m31 + width * size * matrix.m11);
        self.found.push(Letter { left, right, base: self.page_top - matrix.m32, height, text: text.to_owned() });
        Ok(())
    }

    fn begin_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), OutputError> {
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

/// The lines of the pages that are asked for; of all when none is named. An error is a sentence without its period.
pub(super) fn lines(bytes: &[u8], wanted: &BTreeSet<u32>) -> Result<Vec<Line>, String> {
    if bytes.len() > LARGEST {
        return Err("the file is larger than 1 GB".into());
    }
    let mut document = Document::load_mem(bytes).map_err(|error| format!("this is not a PDF file: {error}"))?;
    if document.is_encrypted() {
        document.decrypt("").map_err(|_| "the file is protected by a password; save a copy without it")?;
    }
    let mut lines = Vec::new();
    for page in document.get_pages().into_keys().filter(|page| wanted.is_empty() || wanted.contains(page)) {
        let mut letters = Letters::default();
        output_doc_page(&document, &mut letters, page).map_err(|error| format!("page {page} cannot be read: {error}"))?;
        lines.extend(lines_of(page, letters.found));
    }
    Ok(lines)
}

fn lines_of(page: u32, mut letters: Vec<Letter>) -> Vec<Line> {
    letters.retain(|letter| letter.height > 0.0 && letter.left.is_finite() && letter.base.is_finite());
    letters.sort_by(|a, b| a.base.total_cmp(&b.base));
    let mut rows: Vec<Vec<Letter>> = Vec::new();
    for letter in letters {
        match rows.last_mut() {
            Some(row) if row.last().is_some_and(|last| letter.base - last.base < 0.4 * letter.height.min(last.height)) => row.push(letter),
            _ => rows.push(vec![letter]),
        }
    }
    let lines = rows.into_iter().filter_map(|mut row| {
        row.sort_by(|a, b| a.left.total_cmp(&b.left));
        let bottom = row.iter().map(|letter| letter.base).fold(f64::MIN, f64::max);
        let top = row.iter().map(|letter| letter.base - letter.height).fold(f64::MAX, f64::min);
        let words = words(&row);
        (!words.is_empty()).then_some(Line { page, top, bottom, words })
    });
    lines.collect()
}

fn words(row: &[Letter]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut apart = true;
    for letter in row {
        if letter.text.trim().is_empty() {
            apart = true;
            continue;
        }
        match words.last_mut() {
            Some(word) if !apart && letter.left - word.right < WORD_GAP * letter.height => {
                word.right = word.right.max(letter.right);
                word.text.push_str(&letter.text);
            }
            _ => words.push(Word { left: letter.left, right: letter.right, text: letter.text.clone() }),
        }
        apart = false;
    }
    words
}

/// A column: from where to where its words stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Band {
    left: f64,
    right: f64,
}

/// The lines that look like a table: on each page, from the first to the last line with as many cells as most have.
pub(super) fn region(lines: &[Line]) -> Vec<Line> {
    let counts: Vec<usize> = lines.iter().map(|line| line.cells().len()).collect();
    let widest = counts.iter().copied().filter(|count| *count > 1).fold((0, 0), |(best, most), count| {
        let lines = counts.iter().filter(|other| **other == count).count();
        // Where two counts come as often, the wider table.
        if lines > most || lines == most && count > best { (count, lines) } else { (best, most) }
    });
    let full = widest.0;
    let mut kept = Vec::new();
    let pages: BTreeSet<u32> = lines.iter().map(|line| line.page).collect();
    for page in pages {
        let on = |i: &usize| lines[*i].page == page;
        let first = (0..lines.len()).filter(on).find(|i| counts[*i] == full);
        let last = (0..lines.len()).rev().filter(on).find(|i| counts[*i] == full);
        let (Some(mut first), Some(mut last)) = (first, last) else { continue };
        // A header above and totals below may lack a cell.
        let near = |a: &Line, b: &Line| b.top - a.bottom < 3.0 * (a.bottom - a.top);
        if first > 0 && on(&(first - 1)) && counts[first - 1] > 1 && near(&lines[first - 1], &lines[first]) {
            first -= 1;
        }
        while last + 1 < lines.len() && on(&(last + 1)) && counts[last + 1] > 1 && near(&lines[last], &lines[last + 1]) {
            last += 1;
        }
        kept.extend_from_slice(&lines[first..=last]);
    }
    kept
}

/// The columns of a table: what lies between the gaps that run through its lines. A gap may be crossed by one line in
/// twenty, such as a title inside the table.
pub(super) fn bands(lines: &[Line]) -> Vec<Band> {
    let mut edges: Vec<(f64, i64)> = Vec::new();
    for cell in lines.iter().flat_map(Line::cells) {
        edges.extend([(cell.left, 1), (cell.right, -1)]);
    }
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
    let crossed = lines.len() as i64 / 20;
    let (mut depth, mut bands, mut open) = (0, Vec::new(), None);
    for (at, change) in edges {
        depth += change;
        match (open, depth > crossed) {
            (None, true) => open = Some(at),
            (Some(left), false) => {
                bands.push(Band { left, right: at });
                open = None;
            }
            _ => {}
        }
    }
    bands
}

/// The text of each column in a line; a word belongs to the column it overlaps most, or lies nearest to.
pub(super) fn row(line: &Line, bands: &[Band]) -> Vec<String> {
    let mut row = vec![String::new(); bands.len()];
    for word in &line.words {
        let overlap = |band: &Band| word.right.min(band.right) - word.left.max(band.left);
        let best = (0..bands.len()).max_by(|a, b| overlap(&bands[*a]).total_cmp(&overlap(&bands[*b])));
        if let Some(cell) = best.and_then(|best| row.get_mut(best)) {
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(&word.text);
        }
    }
    row
}
