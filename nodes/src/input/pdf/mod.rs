//! `input.pdf`: the table of a text PDF, found by where its words stand.

mod page;

use std::collections::BTreeSet;
use std::sync::{Arc, Once};

use page::Line;

use super::texts::{Cell, Rows as Table, TypedColumn};
use crate::param::FilePath;
use crate::prelude::*;
use crate::source::{MemorySource, scan};

/// Reads the table of a PDF: an invoice, a statement, a report. Scanned pages have no text and need OCR first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PdfInput {
    /// The file.
    pub path: FilePath,
    /// The pages to read, such as `2` or `1-3,5`; all unless given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pages: String,
    /// A text in the first line of the table; found out unless given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub begin: String,
    /// A text in the first line below the table; found out unless given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub end: String,
    /// Whether the first line names the columns. Where it comes again on another page it is left out.
    #[serde(default = "yes")]
    pub header: bool,
    /// Lines that begin with this text are totals and leave by their own port, where a control can compare them.
    #[serde(default = "total")]
    pub total: String,
    /// The mark before decimals, `.` or `,`; found out unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_mark: Option<String>,
    /// Types given by hand; the other columns' types are found out.
    #[serde(default)]
    pub columns: Vec<TypedColumn>,
    /// Whether to add the page of each row and its box: left, top, right and bottom in points from the top left corner.
    #[serde(default)]
    pub origin: bool,
}

fn yes() -> bool {
    true
}

fn total() -> String {
    "Total".into()
}

/// The lines of totals.
const TOTALS: OutPort = OutPort { name: "totals", title: Words { en: "totals", fr: "totaux" } };
/// The columns that say where a row was.
const PAGE: &str = "page";
const BOX: &str = "box";

impl NodeKind for PdfInput {
    fn identity() -> Identity {
        Identity {
            id: "input.pdf",
            version: 1,
            category: Category::Input,
            icon: "picture_as_pdf",
            title: Words { en: "PDF table", fr: "Tableau PDF" },
            summary: Words {
                en: "Reads the table of a text PDF by where its words stand; its totals leave by their own port.",
                fr: "Lit le tableau d'un PDF texte d'après la position des mots ; ses totaux sortent par leur propre port.",
            },
            synonyms: &["invoice", "statement", "facture", "relevé", "pdf input", "extract table", "tabula", "pdf.tables"],
            order: Words { en: "As on the pages.", fr: "Celui des pages." },
        }
    }

    fn ports(&self) -> Ports {
        Ports { inputs: vec![], outputs: vec![OUT, TOTALS] }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let Some(wanted) = pages(&self.pages) else {
            let what = format!("\"{}\" does not name pages.", self.pages);
            cx.problem(Problem::error(what).on("pages").help("Write them like 2 or 1-3,5."));
            return None;
        };
        let path = cx.source_file(&self.path.0, "path")?;
        let shown = self.path.0.clone();
        let wrong = |what: String, field: &str, help: &str| {
            vec![Problem::error(format!("The table cannot be read: {what}.")).on(field).in_file(&shown, None).help(help)]
        };
        let mut notes = Vec::new();
        let read = std::fs::read(&path)
            .map_err(|error| error.to_string())
            .and_then(|bytes| contained(move || page::lines(&bytes, &wanted)))
            .map_err(|what| wrong(what, "path", "Open the file with a reader to see whether it is whole."));
        let found = read.and_then(|lines| {
            if lines.is_empty() {
                return Err(wrong(
                    "there is no text on these pages".into(),
                    "pages",
                    "A scanned page is a picture: run it through OCR first.",
                ));
            }
            let table =
                self.between(&lines).map_err(|(what, field)| wrong(what, field, "Look at the page and name a text that stands there."))?;
            self.tables(&table, &mut notes)
        });
        notes.into_iter().for_each(|note| cx.problem(note));
        match found {
            Ok([rows, totals]) => {
                let node = cx.node().to_owned();
                let rows = cx.planned(scan(&node, Arc::new(MemorySource::counted(rows)), format!("{shown} row")))?;
                let totals = cx.planned(scan(&node, Arc::new(MemorySource::counted(totals)), format!("{shown} total")))?;
                let flows = vec![Flow::all("out", rows), Flow::all("totals", totals)];
                Some(Planned { flows, ..Planned::default() })
            }
            Err(problems) => {
                problems.into_iter().for_each(|problem| cx.problem(problem));
                None
            }
        }
    }

    fn examples() -> Vec<Example> {
        let invoice = [
            (50, 60, "Société Générique"),
            (400, 60, "Invoice 2026-117"),
            (50, 120, "Item"),
            (250, 120, "Quantity"),
            (400, 120, "Amount"),
            (50, 140, "Flour, 25 kg"),
            (265, 140, "12"),
            (395, 140, "1 234,50"),
            (50, 160, "Sugar"),
            (265, 160, "3"),
            (405, 160, "99,00"),
            (50, 180, "Total"),
            (395, 180, "1 333,50"),
            (50, 700, "Page 1"),
        ];
        vec![
            Example::new("The lines of an invoice, and its total beside them.", json!({ "path": "a.pdf" }))
                .file("a.pdf", document(&[&invoice]))
                .output("out", "Item,Quantity:integer,Amount:decimal(2)\n\"Flour, 25 kg\",12,1234.50\nSugar,3,99.00")
                .output("totals", "Item,Quantity:integer,Amount:decimal(2)\nTotal,,1333.50"),
            Example::new(
                "A table over two pages; its header comes once.",
                json!({ "path": "a.pdf", "begin": "Day", "end": "Page", "origin": true }),
            )
            .file(
                "a.pdf",
                document(&[
                    &[(50, 50, "Statement"), (50, 80, "Day"), (200, 80, "In"), (50, 100, "2026-09-01"), (200, 100, "5.00"), (50, 700, "Page 1")],
                    &[(50, 80, "Day"), (200, 80, "In"), (50, 100, "2026-09-02"), (200, 100, "-7.25"), (50, 700, "Page 2")],
                ]),
            )
            .output(
                "out",
                "Day:date,In:decimal(2),page:integer,box\n2026-09-01,5.00,1,50.0 90.0 219.5 100.0\n2026-09-02,-7.25,2,50.0 90.0 222.8 100.0",
            ),
            Example::new("A page without a table's lines below the header.", json!({ "path": "a.pdf", "begin": "Name" }))
                .file("a.pdf", document(&[&[(50, 50, "Name"), (200, 50, "City")]]))
                .output("out", "Name,City\n"),
            Example::new("A text that is not there is named.", json!({ "path": "a.pdf", "begin": "Betrag" }))
                .file("a.pdf", document(&[&invoice]))
                .refused("\"Betrag\""),
            Example::new("A file that is none.", json!({ "path": "a.pdf" })).file("a.pdf", "hello").refused("not a PDF"),
        ]
    }
}

/// The pages that a text names; none named are all.
fn pages(text: &str) -> Option<BTreeSet<u32>> {
    let mut pages = BTreeSet::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if first == 0 || last < first || last - first > 100_000 {
            return None;
        }
        pages.extend(first..=last);
    }
    Some(pages)
}

/// Runs what may panic on a broken file: the library below trusts what it reads.
fn contained<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    const NAME: &str = "weir-pdf";
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(NAME) {
                usual(panic);
            }
        }));
    });
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(NAME.into()).stack_size(16 << 20).spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err("the file is damaged, or uses something that is not understood".into()),
            Err(error) => Err(error.to_string()),
        }
    })
}

impl PdfInput {
    /// The lines of the table: between the texts that were given, or what looks like one.
    fn between(&self, lines: &[Line]) -> Result<Vec<Line>, (String, &'static str)> {
        let has = |line: &Line, text: &str| line.text().contains(text);
        if self.begin.is_empty() && self.end.is_empty() {
            return Ok(page::region(lines));
        }
        if let Some((text, field)) = [(&self.begin, "begin"), (&self.end, "end")]
            .into_iter()
            .find(|(text, _)| !text.is_empty() && !lines.iter().any(|line| has(line, text)))
        {
            return Err((format!("no line has the text \"{text}\""), field));
        }
        // On each page anew: a table that goes on is between the same texts.
        let (mut kept, mut page, mut inside) = (Vec::new(), 0, false);
        for line in lines {
            if line.page != page {
                (page, inside) = (line.page, self.begin.is_empty());
            }
            inside |= !self.begin.is_empty() && has(line, &self.begin);
            inside &= self.end.is_empty() || !has(line, &self.end);
            if inside {
                kept.push(line.clone());
            }
        }
        Ok(kept)
    }

    /// The rows and the totals.
    fn tables(&self, lines: &[Line], notes: &mut Vec<Problem>) -> Result<[arrow::array::RecordBatch; 2], Vec<Problem>> {
        let file = &self.path.0;
        let bands = page::bands(lines);
        let mut rows: Vec<(Vec<String>, &Line)> = lines.iter().map(|line| (page::row(line, &bands), line)).collect();
        let mut names: Vec<String> = (1..=bands.len()).map(|i| format!("column_{i}")).collect();
        if self.header && !rows.is_empty() {
            let (header, _) = rows.remove(0);
            rows.retain(|(row, _)| *row != header);
            for (name, found) in names.iter_mut().zip(header) {
                if !found.is_empty() {
                    *name = found;
                }
            }
        }
        let names = super::csv::sniff::clean_names(names, file, notes)?;
        if let Some(name) = [PAGE, BOX].into_iter().find(|name| self.origin && names.iter().any(|column| column == name)) {
            let what = format!("The table has a column \"{name}\" already.");
            return Err(vec![Problem::error(what).on("origin").in_file(file, None).help("Read it without its origin.")]);
        }
        let mark = self.mark(rows.iter().flat_map(|(row, _)| row));
        let (mut details, mut totals) = (Table::default(), Table::default());
        for table in [&mut details, &mut totals] {
            names.iter().for_each(|name| {
                table.column(name);
            });
        }
        let mut above: Option<Vec<String>> = None;
        let mut merged: Vec<(bool, Vec<String>, &Line)> = Vec::new();
        for (row, line) in rows {
            let is_total = !self.total.is_empty() && line.text().to_lowercase().starts_with(&self.total.to_lowercase());
            if let (Some(before), Some((false, last, _))) = (&above, merged.last_mut())
                && goes_on(&row, before, mark)
            {
                for (cell, more) in last.iter_mut().zip(&row).filter(|(_, more)| !more.is_empty()) {
                    *cell = format!("{cell} {more}");
                }
                continue;
            }
            above = (!is_total).then(|| row.clone());
            merged.push((is_total, row, line));
        }
        let numeric: Vec<bool> = (0..names.len())
            .map(|i| {
                let filled = merged.iter().filter(|(is_total, row, _)| !is_total && !row[i].is_empty());
                filled.clone().next().is_some() && filled.clone().all(|(_, row, _)| number(&row[i], mark).is_some())
            })
            .collect();
        for (is_total, row, line) in merged {
            let table = if is_total { &mut totals } else { &mut details };
            table.start();
            for ((name, text), numeric) in names.iter().zip(row).zip(&numeric).filter(|((_, text), _)| !text.is_empty()) {
                let written = if *numeric { number(&text, mark) } else { None };
                table.put(name, Cell::Plain(written.unwrap_or(text)));
            }
            if self.origin {
                table.put(PAGE, Cell::Number(line.page.to_string()));
                table.put(BOX, Cell::Text(line.bounds()));
            }
        }
        let details = details.table(&self.columns, file, notes)?;
        // The totals have the types of what they add up, so that a control can compare them.
        let schema = details.schema();
        let typed = schema.fields().iter().zip(&names).skip(1).map(|(field, name)| TypedColumn {
            name: name.clone(),
            column_type: ColumnType::of(field.data_type()).unwrap_or(ColumnType::Text),
        });
        let totals = totals.table(&typed.collect::<Vec<_>>(), file, notes)?;
        Ok([details, totals])
    }

    /// The mark before decimals: the one that two last digits follow most often.
    fn mark<'a>(&self, cells: impl Iterator<Item = &'a String>) -> char {
        if let Some(mark) = self.decimal_mark.as_ref().and_then(|mark| mark.chars().next()) {
            return mark;
        }
        let (mut points, mut commas) = (0, 0);
        for cell in cells {
            let digits = cell.trim_end_matches(|c: char| !c.is_ascii_digit());
            let mut last = digits.chars().rev();
            if last.by_ref().take(2).filter(char::is_ascii_digit).count() == 2 {
                match last.next() {
                    Some('.') => points += 1,
                    Some(',') => commas += 1,
                    _ => {}
                }
            }
        }
        if commas > points { ',' } else { '.' }
    }
}

/// Whether a line goes on with the texts of the one above: it begins with an empty cell and brings no number.
fn goes_on(row: &[String], above: &[String], mark: char) -> bool {
    let filled = || row.iter().zip(above).filter(|(cell, _)| !cell.is_empty());
    row.first().is_some_and(String::is_empty)
        && filled().all(|(cell, before)| !before.is_empty() && number(cell, mark).is_none())
        && filled().count() * 2 <= row.len()
}

/// A number as people print it, as the canonical text: `1 234,50 €`, `(12.00)`, `12.00-`.
fn number(text: &str, mark: char) -> Option<String> {
    let text = text.trim().trim_matches(['€', '$', '£', '\u{a0}', ' ']);
    let (minus, text) = match (text.strip_prefix('(').and_then(|text| text.strip_suffix(')')), text.strip_suffix('-')) {
        (Some(inner), _) | (None, Some(inner)) => (true, inner),
        _ => text.strip_prefix(['-', '−']).map_or((false, text), |rest| (true, rest)),
    };
    let text = text.trim_start_matches(['€', '$', '£', ' ']).trim_end();
    let (whole, places) = text.split_once(mark).map_or((text, None), |(whole, places)| (whole, Some(places)));
    let groups: Vec<&str> = whole.split([' ', '\u{a0}', '\u{202f}', '\'', if mark == ',' { '.' } else { ',' }]).collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = groups.len() == 1 || groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3);
    if !grouped || !groups.iter().all(|group| digits(group)) || places.is_some_and(|places| !digits(places)) {
        return None;
    }
    let whole = groups.concat();
    // A leading zero belongs to a code, not to a number.
    if whole.len() > 1 && whole.starts_with('0') {
        return None;
    }
    let number = places.map_or_else(|| whole.clone(), |places| format!("{whole}.{places}"));
    Some(if minus { format!("-{number}") } else { number })
}

/// A PDF file with these texts: points from the left and from the top of each page.
fn document(pages: &[&[(u32, u32, &str)]]) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Count {} /Kids [{}] >>",
            pages.len(),
            (0..pages.len()).map(|i| format!("{} 0 R", 4 + 2 * i)).collect::<Vec<_>>().join(" ")
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (i, texts) in pages.iter().enumerate() {
        let line = |(left, top, text): &(u32, u32, &str)| {
            let text: String = text.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\{:o}", c as u32) }).collect();
            format!("BT /F1 10 Tf {left} {} Td ({}) Tj ET\n", 842 - top, text.replace('(', "\\("))
        };
        let content: String = texts.iter().map(line).collect();
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * i
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}endstream", content.len()));
    }
    let (mut file, mut places) = ("%PDF-1.4\n".to_owned(), Vec::new());
    for (i, object) in objects.iter().enumerate() {
        places.push(file.len());
        file += &format!("{} 0 obj\n{object}\nendobj\n", i + 1);
    }
    let start = file.len();
    file += &format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    places.iter().for_each(|place| file += &format!("{place:010} 00000 n \n"));
    file += &format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    file.into_bytes()
}
