//! What a file looks like: encoding, separator, header, and the type of each column. Every guess is visible, and each
//! can be overruled.

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

use encoding_rs::Encoding;
use memchr::memchr;

use super::CsvInput;
use super::reading;
use super::tokens::{self, Dialect, Field};
use super::values::{self, Format};
use crate::ColumnType;
use crate::formula::dates;
use crate::problem::Problem;
use crate::types::{INPUT_DIGITS, INPUT_PLACES};

/// Files up to this size are looked at whole.
const WHOLE: usize = 32 * 1024 * 1024;
/// Of larger ones this much of the beginning is looked at; a value behind it that does not fit is an error with its line.
const HEAD: usize = 4 * 1024 * 1024;
/// The longest name a column may have: beyond it, the file is hardly a table.
const NAME: usize = 1000;

/// What was found.
#[derive(Debug, Clone)]
pub struct Sniffed {
    /// The encoding.
    pub encoding: &'static Encoding,
    /// Between fields.
    pub separator: char,
    /// The columns with their types.
    pub columns: Vec<(String, ColumnType)>,
    /// What a person should know about the guesses.
    pub notes: Vec<Problem>,
    pub(super) dialect: Dialect,
    pub(super) formats: Vec<Format>,
    /// Bytes of decoded text before the first row of data, and the lines they take.
    pub(super) skip: (usize, u64),
    /// About how many rows there are.
    pub(super) rows: usize,
}

impl Sniffed {
    /// What was found out, by the names of the parameters that would say otherwise.
    pub(super) fn found(&self) -> Vec<(&'static str, String)> {
        let separator = match self.separator {
            '\t' => "\\t".to_owned(),
            // One column: nothing separates.
            '\u{1f}' => String::new(),
            other => other.to_string(),
        };
        let mark =
            self.formats.iter().find(|format| matches!(format.column_type, ColumnType::Decimal(_))).map(|format| format.decimal_mark);
        let mut patterns: Vec<&str> = self.formats.iter().flat_map(|format| &format.patterns).map(String::as_str).collect();
        patterns.sort_unstable();
        patterns.dedup();
        let mut found = vec![
            ("encoding", self.encoding.name().to_lowercase()),
            ("separator", separator),
            ("quote", (self.dialect.quote as char).to_string()),
        ];
        found.extend(mark.map(|mark| ("decimal_mark", (mark as char).to_string())));
        if !patterns.is_empty() {
            found.push(("date_formats", patterns.join(", ")));
        }
        found
    }
}

/// Looks at a file. `shown` is its name in messages.
pub fn sniff(params: &CsvInput, path: &Path, shown: &str) -> Result<Sniffed, Vec<Problem>> {
    let trouble = |error: &std::io::Error| {
        let problem = Problem::error(format!("The file cannot be read as text: {error}.")).in_file(shown, None);
        vec![problem.help("Choose its encoding by hand: utf-8, windows-1252, utf-16le, …")]
    };
    let mut notes = Vec::new();
    let encoding = match params.encoding.as_deref() {
        None | Some("auto") => {
            let found = reading::encoding(path).map_err(|error| trouble(&error))?;
            if found.guessed {
                notes.push(
                    Problem::info(format!("The file is not UTF-8; it is read as {}.", found.encoding.name()))
                        .on("encoding")
                        .in_file(shown, None)
                        .help("If accents look wrong, choose another encoding."),
                );
            }
            found.encoding
        }
        Some(label) => Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            let problem = Problem::error(format!("\"{label}\" is not an encoding.")).on("encoding");
            vec![problem.help("Use utf-8, windows-1252, iso-8859-15, utf-16le, or auto.")]
        })?,
    };
    let mut sample = Vec::new();
    let mut text = reading::text(path, encoding).map_err(|error| trouble(&error))?;
    let mut block = vec![0; 1024 * 1024];
    let most = if size(path) > WHOLE as u64 { HEAD } else { WHOLE };
    while sample.len() < most {
        match text.read(&mut block) {
            Ok(0) => break,
            Ok(read) => sample.extend_from_slice(&block[..read]),
            Err(error) => return Err(trouble(&error)),
        }
    }
    let whole = sample.len() < most;
    if sample.iter().all(u8::is_ascii_whitespace) {
        let problem = Problem::error("The file is empty.").on("path").in_file(shown, None);
        return Err(vec![problem.help("Choose a file with at least a header.")]);
    }
    look(params, &sample, whole, shown, notes, encoding, path)
}

fn look(
    params: &CsvInput,
    sample: &[u8],
    whole: bool,
    shown: &str,
    mut notes: Vec<Problem>,
    encoding: &'static Encoding,
    path: &Path,
) -> Result<Sniffed, Vec<Problem>> {
    let end = if memchr(b'\n', sample).is_none() && memchr(b'\r', sample).is_some() { b'\r' } else { b'\n' };
    let quote = one_byte(params.quote.as_deref(), "quote")?.unwrap_or(b'"');
    let declared = one_byte(params.separator.as_deref(), "separator")?;
    let start = beginning(params, sample, end);
    let separator = declared.unwrap_or_else(|| separator(&sample[start..], quote, end));
    let dialect = Dialect { separator, quote, end };
    let unclosed = |at: usize| {
        let line = line_of(sample, at, end);
        let problem = Problem::error("A quote is opened here and never closed.").in_file(shown, Some(line));
        vec![problem.help("Close it, or choose another quote character if quotes are ordinary text in this file.")]
    };

    if let Some(at) = memchr::memmem::find(sample, "\u{fffd}".as_bytes()) {
        notes.push(
            Problem::warning(format!(
                "Characters were lost before this file was written: {} stands in their place, first at byte {at}.",
                '\u{fffd}'
            ))
            .in_file(shown, Some(line_of(sample, at, end)))
            .help("Export it again, or choose another encoding if they look wrong throughout."),
        );
    }
    let mut fields = Vec::new();
    let (names, data) = match tokens::record(sample, start, dialect, true, &mut fields) {
        tokens::Read::Record(next) => {
            let cells: Vec<String> = fields.iter().map(|field| text_of(*field, sample, quote)).collect();
            if params.header { (cells, next) } else { ((1..=cells.len()).map(|i| format!("Column{i}")).collect(), start) }
        }
        tokens::Read::Unclosed(at) => return Err(unclosed(at)),
        tokens::Read::End | tokens::Read::Partial => {
            let problem = Problem::error("The file has no header.").in_file(shown, None);
            return Err(vec![problem.help("Check skip_lines and comment.")]);
        }
    };
    let names = clean_names(names, shown, &mut notes)?;

    let declared: Vec<bool> = names.iter().map(|name| params.columns.iter().any(|column| column.name == *name)).collect();
    let mut columns: Vec<Guess> = names.iter().map(|_| Guess::default()).collect();
    let (mut at, mut rows, mut blank) = (data, 0_usize, 0_u64);
    let last_whole = if whole { sample.len() } else { tokens::last_end(sample, dialect).unwrap_or(sample.len()) };
    let buffer = &sample[..last_whole];
    loop {
        match tokens::record(buffer, at, dialect, true, &mut fields) {
            tokens::Read::Record(next) => {
                if is_blank(&fields, buffer, quote) {
                    blank += u64::from(fields.len() > 1);
                } else {
                    rows += 1;
                    for ((field, guess), declared) in fields.iter().zip(&mut columns).zip(&declared) {
                        if !declared && let Some(text) = field.bytes(buffer, quote) {
                            let text = text.trim_ascii();
                            if !params.null_texts.iter().any(|null| null.as_bytes() == text) {
                                guess.see(text, rows, &params.date_formats);
                            }
                        }
                    }
                }
                at = next;
            }
            tokens::Read::Unclosed(at) => return Err(unclosed(at)),
            tokens::Read::End | tokens::Read::Partial => break,
        }
    }
    if blank > 0 {
        notes.push(Problem::info(format!("{blank} rows hold nothing but separators and are left out.")).in_file(shown, None));
    }
    let mut problems = Vec::new();
    for declared in &params.columns {
        if !names.contains(&declared.name) {
            problems.push(
                Problem::error(format!("Column \"{}\" is not in this file.", declared.name)).on("columns").in_file(shown, None).help(
                    crate::problem::did_you_mean(&declared.name, names.iter().map(String::as_str))
                        .unwrap_or_else(|| format!("Its columns are: {}.", names.iter().take(20).cloned().collect::<Vec<_>>().join(", "))),
                ),
            );
        }
    }
    for pattern in params.date_formats.iter().filter(|pattern| !dates::is_pattern(pattern)) {
        let problem = Problem::error(format!("\"{pattern}\" is not a format of dates.")).on("date_formats");
        problems.push(problem.help("Write it like dd/mm/yyyy or yyyy-mm-dd."));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let decimal_mark = one_byte(params.decimal_mark.as_deref(), "decimal_mark")?;
    let group_mark = one_byte(params.group_mark.as_deref(), "group_mark")?;
    let mut formats = Vec::new();
    for (name, guess) in names.iter().zip(&columns) {
        let declared = params.columns.iter().find(|column| column.name == *name).map(|column| column.column_type);
        let mut format = guess.format(declared, decimal_mark, separator, &params.date_formats);
        format.group_mark = group_mark;
        if let (None, Some(note)) = (declared, guess.note(&format)) {
            notes.push(Problem::info(format!("Column \"{name}\" {note}.")).on("columns").in_file(shown, None));
        }
        formats.push(format);
    }
    let rows = if whole { rows } else { (rows as u128 * u128::from(size(path)) / sample.len().max(1) as u128) as usize };
    let lines = sample[..data].iter().filter(|byte| **byte == end).count() as u64;
    let columns = names.into_iter().zip(formats.iter().map(|format| format.column_type)).collect();
    Ok(Sniffed { encoding, separator: separator as char, columns, notes, dialect, formats, skip: (data, lines), rows })
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn line_of(sample: &[u8], at: usize, end: u8) -> u64 {
    sample[..at].iter().filter(|byte| **byte == end).count() as u64 + 1
}

fn one_byte(text: Option<&str>, field: &str) -> Result<Option<u8>, Vec<Problem>> {
    match text {
        None | Some("auto" | "") => Ok(None),
        Some("\\t") => Ok(Some(b'\t')),
        Some(text) if text.len() == 1 && text.is_ascii() => Ok(Some(text.as_bytes()[0])),
        Some(text) => {
            let problem = Problem::error(format!("\"{text}\" is not one plain character.")).on(field);
            Err(vec![problem.help("Use a single character such as , ; | or \\t, or auto.")])
        }
    }
}

/// Where the header begins: after the lines to skip, blank lines and leading comments.
fn beginning(params: &CsvInput, sample: &[u8], end: u8) -> usize {
    let mut at = 0;
    let next = |at: usize| memchr(end, &sample[at..]).map_or(sample.len(), |found| at + found + 1);
    for _ in 0..params.skip_lines {
        at = next(at);
    }
    let comment = params.comment.as_deref().unwrap_or("#");
    while at < sample.len() {
        let line = &sample[at..next(at)];
        if line.iter().all(u8::is_ascii_whitespace) || (!comment.is_empty() && line.starts_with(comment.as_bytes())) {
            at = next(at);
        } else {
            break;
        }
    }
    at
}

/// The separator under which the header has several fields and nearly every row too, most of them as many.
fn separator(sample: &[u8], quote: u8, end: u8) -> u8 {
    let sample = &sample[..sample.len().min(256 * 1024)];
    // Where nothing separates, there is one column: a character that no text holds stands for that.
    let mut best = (0.0, 0x1f);
    for candidate in [b',', b';', b'\t', b'|'] {
        let dialect = Dialect { separator: candidate, quote, end };
        let (mut at, mut fields, mut counts) = (0, Vec::new(), Vec::new());
        while let tokens::Read::Record(next) = tokens::record(sample, at, dialect, true, &mut fields) {
            if !is_blank(&fields, sample, quote) {
                counts.push(fields.len());
            }
            at = next;
            if counts.len() >= 200 {
                break;
            }
        }
        let Some((header, rows)) = counts.split_first() else { continue };
        if *header < 2 {
            continue;
        }
        let share = |test: &dyn Fn(usize) -> bool| rows.iter().filter(|count| test(**count)).count() as f64 / rows.len().max(1) as f64;
        if !rows.is_empty() && share(&|count| count >= 2) < 0.5 {
            continue;
        }
        let score = 1.0 + share(&|count| count == *header) + 0.001 * (*header).min(100) as f64;
        if score > best.0 {
            best = (score, candidate);
        }
    }
    best.1
}

pub(super) fn is_blank(fields: &[Field], buffer: &[u8], quote: u8) -> bool {
    fields.iter().all(|field| field.bytes(buffer, quote).is_none_or(|text| text.trim_ascii().is_empty() && !text.is_empty()))
}

fn text_of(field: Field, buffer: &[u8], quote: u8) -> String {
    field.bytes(buffer, quote).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}

/// Names that are there, without control characters, and each once.
pub(crate) fn clean_names(names: Vec<String>, shown: &str, notes: &mut Vec<Problem>) -> Result<Vec<String>, Vec<Problem>> {
    let trimmed: Vec<String> =
        names.iter().map(|name| name.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()).collect();
    if let Some(long) = trimmed.iter().find(|name| name.chars().count() > NAME) {
        let start: String = long.chars().take(30).collect();
        let problem = Problem::error(format!("A column's name has {} characters: \"{start}…\".", long.chars().count()));
        return Err(vec![problem.in_file(shown, None).help("This hardly is a table of rows: check the separator and the line ends.")]);
    }
    // A name belongs to the first column that has it; later ones, and made-up ones, give way to every name written.
    let written: HashSet<&str> = trimmed.iter().map(String::as_str).collect();
    let mut clean: Vec<String> = Vec::with_capacity(trimmed.len());
    let mut used: HashSet<String> = HashSet::new();
    for (i, name) in trimmed.iter().enumerate() {
        let base = if name.is_empty() { format!("Column{}", i + 1) } else { name.clone() };
        let own = !name.is_empty() && !used.contains(name);
        let mut unique = base.clone();
        let mut number = 2;
        while !own && (used.contains(&unique) || written.contains(unique.as_str())) {
            unique = format!("{base}_{number}");
            number += 1;
        }
        if unique != *name {
            let what = if name.is_empty() { "has no name".to_owned() } else { format!("repeats the name \"{name}\"") };
            notes.push(Problem::info(format!("Column {} {what}; it is called \"{unique}\".", i + 1)).in_file(shown, None));
        }
        used.insert(unique.clone());
        clean.push(unique);
    }
    Ok(clean)
}

/// The numbers that tell a date's order.
const ORDERS: [(&str, char); 6] =
    [("dd/mm/yyyy", '/'), ("mm/dd/yyyy", '/'), ("dd-mm-yyyy", '-'), ("mm-dd-yyyy", '-'), ("dd.mm.yyyy", '.'), ("mm.dd.yyyy", '.')];

/// What the values of a column allow.
#[derive(Debug)]
struct Guess {
    values: usize,
    integer: bool,
    /// With `.` and with `,` before the decimals.
    decimal: [bool; 2],
    places: u8,
    digits: u8,
    iso: bool,
    moment: bool,
    boolean: bool,
    orders: [bool; 6],
    /// Whether every value has one of the formats given.
    given: bool,
    /// The row that first broke what had looked like something other than text.
    broken: Option<(usize, &'static str)>,
}

impl Default for Guess {
    fn default() -> Self {
        Self {
            values: 0,
            integer: true,
            decimal: [true; 2],
            places: 0,
            digits: 0,
            iso: true,
            moment: true,
            boolean: true,
            orders: [true; 6],
            given: true,
            broken: None,
        }
    }
}

impl Guess {
    fn see(&mut self, text: &[u8], row: usize, given: &[String]) {
        if text.is_empty() {
            return;
        }
        let before = self.kind();
        self.values += 1;
        let unsigned = text.strip_prefix(b"-").unwrap_or(text);
        let code = unsigned.len() > 1 && unsigned[0] == b'0' && unsigned[1].is_ascii_digit() || text.starts_with(b"+");
        if self.integer {
            self.integer = !code && values::integer(text).is_some();
        }
        for (mark, allowed) in [b'.', b','].into_iter().zip(&mut self.decimal) {
            if !*allowed {
                continue;
            }
            let (whole, fraction) = match memchr(mark, unsigned) {
                Some(at) => (&unsigned[..at], &unsigned[at + 1..]),
                None => (unsigned, &b""[..]),
            };
            let plain = !code && !whole.is_empty() && !unsigned.ends_with(&[mark]) && whole.iter().chain(fraction).all(u8::is_ascii_digit);
            *allowed = plain && fraction.len() <= usize::from(INPUT_PLACES) && whole.len() <= usize::from(INPUT_DIGITS);
            if *allowed {
                self.places = self.places.max(fraction.len() as u8);
                self.digits = self.digits.max(whole.len() as u8);
            }
        }
        if self.iso {
            self.iso = values::iso_date(text).is_some();
        }
        let utf8 = std::str::from_utf8(text).unwrap_or_default();
        if self.moment {
            let spaced = utf8.replace('T', " ");
            let (whole, _) = values::parts_of_second(&spaced);
            let usual = ["yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd hh:mm", "yyyy-mm-dd"];
            self.moment = usual.iter().any(|pattern| dates::parse(whole, pattern).is_some());
        }
        if self.boolean {
            self.boolean = values::boolean(utf8).is_some();
        }
        for ((pattern, _), allowed) in ORDERS.iter().zip(&mut self.orders) {
            if *allowed {
                *allowed = text.len() == 10 && dates::parse(utf8, pattern).is_some();
            }
        }
        if self.given {
            self.given = given.iter().any(|pattern| dates::parse(utf8, pattern).is_some());
        }
        if self.values > 1 && self.broken.is_none() && self.kind() == "text" && before != "text" {
            self.broken = Some((row, before));
        }
    }

    fn kind(&self) -> &'static str {
        if self.integer || self.decimal.contains(&true) {
            "a number"
        } else if self.iso || self.given || self.orders.contains(&true) {
            "a date"
        } else if self.moment {
            "a time"
        } else if self.boolean {
            "true or false"
        } else {
            "text"
        }
    }

    /// The one order of day and month that all values allow, when there is just one.
    fn order(&self) -> Option<&'static str> {
        let mut allowed = ORDERS.iter().zip(self.orders).filter(|(_, allowed)| *allowed).map(|((pattern, _), _)| *pattern);
        let first = allowed.next()?;
        // 01/02/2026 could be either: it stays text until someone says which.
        allowed.next().is_none().then_some(first)
    }

    fn format(&self, declared: Option<ColumnType>, decimal_mark: Option<u8>, separator: u8, given: &[String]) -> Format {
        let given = if self.given && self.values > 0 && !self.iso { given } else { &[] };
        let timed = given.iter().any(|pattern| pattern.to_lowercase().contains('h'));
        let mark = decimal_mark.unwrap_or_else(|| if self.decimal[1] && !self.decimal[0] && separator != b',' { b',' } else { b'.' });
        let column_type = declared.unwrap_or_else(|| {
            let marked = if mark == b',' { self.decimal[1] } else { self.decimal[0] };
            if self.values == 0 {
                ColumnType::Text
            } else if self.integer {
                ColumnType::Integer
            } else if marked && self.digits + self.places <= INPUT_DIGITS {
                ColumnType::Decimal(self.places)
            } else if !given.is_empty() {
                if timed { ColumnType::DateTime } else { ColumnType::Date }
            } else if self.iso || self.order().is_some() {
                ColumnType::Date
            } else if self.moment {
                ColumnType::DateTime
            } else if self.boolean {
                ColumnType::Boolean
            } else {
                ColumnType::Text
            }
        });
        let patterns = match (column_type, self.order()) {
            // What was given is meant for these; a column that is all ISO needs no format.
            (ColumnType::Date | ColumnType::DateTime, _) if !given.is_empty() => given.to_vec(),
            (ColumnType::Date, Some(order)) if !self.iso => vec![order.to_owned()],
            _ => vec![],
        };
        Format { column_type, decimal_mark: mark, group_mark: None, patterns }
    }

    fn note(&self, format: &Format) -> Option<String> {
        if format.column_type == ColumnType::Boolean && self.values > 0 {
            return Some("is read as true or false; declare it as text to keep its words".into());
        }
        if format.column_type != ColumnType::Text || self.values == 0 {
            return None;
        }
        if self.orders.contains(&true) {
            return Some("holds dates whose day and month cannot be told apart; it is read as text until date_formats says which".into());
        }
        let (row, kind) = self.broken?;
        Some(format!("looks like {kind} until row {row}, which is something else; it is read as text"))
    }
}
