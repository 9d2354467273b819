//! Reads a CSV file in chunks: cut under a lock, parsed in parallel.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringViewBuilder};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use memchr::{memchr, memchr_iter};

use super::reading;
use super::sniff::{Sniffed, is_blank};
use super::tokens::{self, Dialect, Field};
use super::values::{Column, Format};
use crate::problem::Problem;
use crate::source::{Batches, Chunks, Source};
use crate::table::hidden;

/// How much is read at once.
const BLOCK: usize = 2 * 1024 * 1024;
/// The longest record: beyond it a quote was surely left open.
const LONGEST: usize = 256 * 1024 * 1024;

/// What happens to rows with too few or too many fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ragged {
    Refuse,
    Pad,
    Reject,
}

/// A CSV file whose shape is known.
pub(super) struct CsvSource {
    pub(super) path: PathBuf,
    pub(super) shown: String,
    pub(super) sniffed: Sniffed,
    pub(super) ragged: Ragged,
    pub(super) keep_blank: bool,
    pub(super) trim: bool,
    pub(super) nulls: Vec<String>,
    /// Only the rows that do not fit, as line, reason and text.
    pub(super) rejects: bool,
    pub(super) block: usize,
}

impl CsvSource {
    pub(super) const BLOCK: usize = BLOCK;
}

impl fmt::Debug for CsvSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvSource").field("path", &self.path).field("rejects", &self.rejects).finish_non_exhaustive()
    }
}

impl Source for CsvSource {
    fn schema(&self) -> SchemaRef {
        let fields: Vec<ArrowField> = if self.rejects {
            [("line", DataType::Int64), ("reason", DataType::Utf8View), ("text", DataType::Utf8View)]
                .map(|(name, data_type)| ArrowField::new(name, data_type, true))
                .to_vec()
        } else {
            self.sniffed.columns.iter().map(|(name, column_type)| ArrowField::new(name, column_type.arrow(), true)).collect()
        };
        Arc::new(Schema::new(fields))
    }

    fn rows_estimate(&self) -> Option<usize> {
        (!self.rejects).then_some(self.sniffed.rows)
    }

    fn open(&self, columns: &[usize], identity: bool, batch_rows: usize) -> Result<Arc<dyn Chunks>> {
        self.opened(columns, identity, batch_rows, None)
    }

    fn open_at(&self, columns: &[usize], identity: bool, batch_rows: usize, positions: &Arc<BTreeSet<i64>>) -> Result<Arc<dyn Chunks>> {
        self.opened(columns, identity, batch_rows, Some(Arc::clone(positions)))
    }
}

impl CsvSource {
    fn opened(&self, columns: &[usize], identity: bool, batch_rows: usize, only: Option<Arc<BTreeSet<i64>>>) -> Result<Arc<dyn Chunks>> {
        let schema = self.schema();
        let mut fields: Vec<ArrowField> = columns.iter().map(|i| schema.field(*i).clone()).collect();
        if identity {
            fields.push(ArrowField::new(hidden("row"), DataType::Int64, false));
        }
        let text = reading::text(&self.path, self.sniffed.encoding).map_err(|error| unreadable(&error, &self.shown))?;
        let (skip, lines) = self.sniffed.skip;
        let shape = Shape {
            shown: self.shown.clone(),
            dialect: self.sniffed.dialect,
            formats: self.sniffed.formats.clone(),
            names: self.sniffed.columns.iter().map(|(name, _)| name.clone()).collect(),
            ragged: self.ragged,
            keep_blank: self.keep_blank,
            trim: self.trim,
            nulls: self.nulls.clone(),
            rejects: self.rejects,
            columns: columns.to_vec(),
            identity,
            schema: Arc::new(Schema::new(fields)),
            batch_rows: batch_rows.max(1),
            only,
        };
        let cutter = Cutter { text, rest: Vec::new(), skip, line: lines + 1, ended: false };
        Ok(Arc::new(CsvChunks { cutter: Mutex::new(cutter), shape: Arc::new(shape), block: self.block }))
    }
}

fn unreadable(error: &std::io::Error, shown: &str) -> DataFusionError {
    let problem = Problem::error(format!("The file cannot be read as text: {error}.")).in_file(shown, None);
    DataFusionError::External(Box::new(problem.help("Choose its encoding by hand.")))
}

struct CsvChunks {
    cutter: Mutex<Cutter>,
    shape: Arc<Shape>,
    block: usize,
}

/// Cuts a file where records end.
struct Cutter {
    text: Box<dyn Read + Send>,
    rest: Vec<u8>,
    skip: usize,
    /// The line on which `rest` begins.
    line: u64,
    ended: bool,
}

impl Chunks for CsvChunks {
    fn next(&self) -> Result<Option<Batches>> {
        let mut cutter = self.cutter.lock().unwrap_or_else(PoisonError::into_inner);
        let dialect = self.shape.dialect;
        let shown = &self.shape.shown;
        while !cutter.ended {
            let mut buffer = std::mem::take(&mut cutter.rest);
            let before = buffer.len();
            buffer.resize(before + self.block.max(16), 0);
            let mut filled = before;
            while filled < buffer.len() {
                if buffer.len() - filled < 16 && filled > before {
                    break;
                }
                match cutter.text.read(&mut buffer[filled..]).map_err(|error| unreadable(&error, shown))? {
                    0 => {
                        cutter.ended = true;
                        break;
                    }
                    read => filled += read,
                }
            }
            buffer.truncate(filled);
            if cutter.skip > 0 {
                let skipped = cutter.skip.min(buffer.len());
                buffer.drain(..skipped);
                cutter.skip -= skipped;
                if cutter.skip > 0 {
                    continue;
                }
            }
            if !cutter.ended {
                match tokens::last_end(&buffer, dialect) {
                    Some(end) => cutter.rest = buffer.split_off(end),
                    None if buffer.len() > LONGEST => {
                        let problem = Problem::error("A row here is longer than 256 MB.").in_file(shown, Some(cutter.line));
                        return Err(DataFusionError::External(Box::new(
                            problem.help("A quote is probably left open: choose another quote character."),
                        )));
                    }
                    None => {
                        cutter.rest = buffer;
                        continue;
                    }
                }
            }
            if buffer.is_empty() {
                continue;
            }
            let line = cutter.line;
            cutter.line += memchr_iter(dialect.end, &buffer).count() as u64;
            // Nothing that is wanted begins here.
            if self.shape.only.as_ref().is_some_and(|only| only.range(line as i64..=cutter.line as i64).next().is_none()) {
                continue;
            }
            let shape = Arc::clone(&self.shape);
            return Ok(Some(Box::new(std::iter::once_with(move || shape.parse(&buffer, line)).flat_map(|result| {
                let (batches, error) = match result {
                    Ok(batches) => (batches, None),
                    Err(error) => (vec![], Some(error)),
                };
                batches.into_iter().map(Ok).chain(error.map(Err))
            }))));
        }
        Ok(None)
    }
}

/// All that is needed to parse a chunk.
struct Shape {
    shown: String,
    dialect: Dialect,
    formats: Vec<Format>,
    names: Vec<String>,
    ragged: Ragged,
    keep_blank: bool,
    trim: bool,
    nulls: Vec<String>,
    rejects: bool,
    columns: Vec<usize>,
    identity: bool,
    schema: SchemaRef,
    batch_rows: usize,
    /// The only lines that are wanted, where that is known.
    only: Option<Arc<BTreeSet<i64>>>,
}

/// Rows on their way into batches.
struct Building<'a> {
    shape: &'a Shape,
    columns: Vec<Column>,
    lines: Vec<i64>,
    reasons: StringViewBuilder,
    texts: StringViewBuilder,
    batches: Vec<RecordBatch>,
}

impl Shape {
    fn parse(&self, buffer: &[u8], first: u64) -> Result<Vec<RecordBatch>> {
        if let Err(error) = std::str::from_utf8(buffer) {
            let line = first + memchr_iter(self.dialect.end, &buffer[..error.valid_up_to()]).count() as u64;
            let problem = Problem::error("A character here is not UTF-8.").in_file(&self.shown, Some(line));
            return Err(DataFusionError::External(Box::new(problem.help("Choose the file's encoding by hand, for example windows-1252."))));
        }
        let mut building = Building::new(self);
        let quote = self.dialect.quote;
        if memchr(quote, buffer).is_none() {
            tokens::plain_records(buffer, self.dialect, |fields, line| building.record(fields, buffer, first + line))?;
        } else {
            let (mut at, mut line, mut fields) = (0, first, Vec::new());
            loop {
                match tokens::record(buffer, at, self.dialect, true, &mut fields) {
                    tokens::Read::Record(next) => {
                        building.record(&fields, buffer, line)?;
                        line += memchr_iter(self.dialect.end, &buffer[at..next]).count() as u64;
                        at = next;
                    }
                    tokens::Read::Unclosed(open) => {
                        let line = first + memchr_iter(self.dialect.end, &buffer[..open]).count() as u64;
                        let problem = Problem::error("A quote is opened here and never closed.").in_file(&self.shown, Some(line));
                        return Err(DataFusionError::External(Box::new(problem.help("Close it, or choose another quote character."))));
                    }
                    tokens::Read::End | tokens::Read::Partial => break,
                }
            }
        }
        building.flush()?;
        Ok(building.batches)
    }
}

impl<'a> Building<'a> {
    fn new(shape: &'a Shape) -> Self {
        let mut building = Self {
            shape,
            columns: vec![],
            lines: vec![],
            reasons: StringViewBuilder::new(),
            texts: StringViewBuilder::new(),
            batches: vec![],
        };
        building.fresh();
        building
    }

    fn fresh(&mut self) {
        if !self.shape.rejects {
            self.columns = self.shape.columns.iter().map(|i| Column::new(&self.shape.formats[*i], self.shape.batch_rows)).collect();
        }
    }

    fn record(&mut self, fields: &[Field], buffer: &[u8], line: u64) -> Result<()> {
        let shape = self.shape;
        if shape.only.as_ref().is_some_and(|only| !only.contains(&(line as i64))) {
            return Ok(());
        }
        let width = shape.formats.len();
        let quote = shape.dialect.quote;
        let alone = fields.len() == 1 && width > 1;
        let nothing_first = fields.first().is_none_or(|first| first.bytes(buffer, quote).is_none());
        if (alone || !shape.keep_blank && nothing_first) && is_blank(fields, buffer, quote) {
            return Ok(());
        }
        if fields.len() != width {
            let reason = || format!("{} fields instead of {width}", fields.len());
            match shape.ragged {
                Ragged::Pad if fields.len() < width => {}
                Ragged::Pad | Ragged::Refuse => {
                    let problem = Problem::error(format!("This row has {}.", reason())).in_file(&shape.shown, Some(line));
                    let help = "Correct the row; or set ragged to \"reject\" to send such rows to the port \"rejects\", or to \"pad\" to fill short ones with empty values.";
                    return Err(DataFusionError::External(Box::new(problem.help(help))));
                }
                Ragged::Reject => return self.reject(fields, buffer, line, &reason()),
            }
        }
        if shape.ragged == Ragged::Reject || shape.rejects {
            // A row is rejected whole, whichever columns are wanted: look at all of them first.
            for (i, field) in fields.iter().enumerate() {
                let mut probe = Column::new(&shape.formats[i], 1);
                if let Some(text) = field.bytes(buffer, quote)
                    && !self.is_null(&text)
                    && !probe.push(&text, &shape.formats[i])
                {
                    return self.reject(fields, buffer, line, &misfit(&text, &shape.formats[i], &shape.names[i]));
                }
            }
            if shape.rejects {
                return Ok(());
            }
        }
        for (slot, i) in shape.columns.iter().enumerate() {
            let format = &shape.formats[*i];
            let text = fields.get(*i).and_then(|field| field.bytes(buffer, quote));
            let Some(text) = text.filter(|text| shape.nulls.is_empty() || !self.is_null(text)) else {
                self.columns[slot].null();
                continue;
            };
            let text: &[u8] = if shape.trim { text.trim_ascii() } else { &text };
            if !self.columns[slot].push(text, format) {
                let problem = Problem::error(format!("{}.", misfit(text, format, &shape.names[*i]))).in_file(&shape.shown, Some(line));
                let help = "Correct the value; or declare the column as text under columns, or set ragged to \"reject\" to send such rows to the port \"rejects\".";
                return Err(DataFusionError::External(Box::new(problem.help(help))));
            }
        }
        self.lines.push(line as i64);
        if self.lines.len() >= shape.batch_rows {
            self.flush()?;
        }
        Ok(())
    }

    fn is_null(&self, text: &[u8]) -> bool {
        self.shape.nulls.iter().any(|null| null.as_bytes() == text)
    }

    fn reject(&mut self, fields: &[Field], buffer: &[u8], line: u64, reason: &str) -> Result<()> {
        if !self.shape.rejects {
            return Ok(());
        }
        let quote = self.shape.dialect.quote;
        let texts: Vec<String> = fields
            .iter()
            .map(|field| field.bytes(buffer, quote).map(|t| String::from_utf8_lossy(&t).into_owned()).unwrap_or_default())
            .collect();
        let separator = (self.shape.dialect.separator as char).to_string();
        self.reasons.append_value(reason);
        self.texts.append_value(texts.join(&separator));
        self.lines.push(line as i64);
        if self.lines.len() >= self.shape.batch_rows {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let lines: ArrayRef = Arc::new(Int64Array::from(std::mem::take(&mut self.lines)));
        let rows = lines.len();
        let mut arrays: Vec<ArrayRef> = if self.shape.rejects {
            let (reasons, texts): (ArrayRef, ArrayRef) = (Arc::new(self.reasons.finish()), Arc::new(self.texts.finish()));
            let all = [Arc::clone(&lines), reasons, texts];
            self.shape.columns.iter().map(|i| Arc::clone(&all[*i])).collect()
        } else {
            self.columns.iter_mut().map(Column::finish).collect()
        };
        if rows == 0 {
            return Ok(());
        }
        if self.shape.identity {
            arrays.push(lines);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        self.batches.push(RecordBatch::try_new_with_options(Arc::clone(&self.shape.schema), arrays, &options)?);
        self.fresh();
        Ok(())
    }
}

fn misfit(text: &[u8], format: &Format, name: &str) -> String {
    format!("\"{}\" in column \"{name}\" is not {}", String::from_utf8_lossy(text), article(format))
}

fn article(format: &Format) -> String {
    use crate::ColumnType::{Boolean, Date, DateTime, Decimal, Float, Integer, Text};
    match format.column_type {
        Text => "text".into(),
        Integer => "a whole number".into(),
        Decimal(places) => format!("a number with at most {places} decimals after \"{}\"", format.decimal_mark as char),
        Float => "a number".into(),
        Boolean => "true or false".into(),
        Date if format.patterns.is_empty() => "a date like 2026-09-30".into(),
        Date | DateTime if !format.patterns.is_empty() => format!("a date in the format {}", format.patterns.join(" or ")),
        Date | DateTime => "a time like 2026-09-30 14:00:00".into(),
    }
}
