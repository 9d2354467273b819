//! Bytes → records → fields, by RFC 4180 and as people really write it: quotes count only at the start of a field, a
//! doubled quote is one, a quote inside an unquoted field is a character like any other.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memrchr};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) separator: u8,
    pub(super) quote: u8,
    /// The last byte of a record's end: a line feed, or a carriage return where there are no line feeds.
    pub(super) end: u8,
}

/// A field's bytes in a buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Field {
    start: usize,
    end: usize,
    /// Where the closing quote stands, for a quoted field.
    close: usize,
    quoted: bool,
    /// Whether quotes inside must be undoubled.
    doubled: bool,
}

impl Field {
    /// The text's bytes, or `None` for a field that holds nothing at all: an empty value.
    #[inline]
    pub(super) fn bytes<'a>(&self, buffer: &'a [u8], quote: u8) -> Option<Cow<'a, [u8]>> {
        if !self.quoted {
            return (self.start < self.end).then(|| Cow::Borrowed(&buffer[self.start..self.end]));
        }
        let inside = &buffer[self.start..self.close];
        if !self.doubled && self.close + 1 == self.end {
            return Some(Cow::Borrowed(inside));
        }
        let mut text = Vec::with_capacity(self.end - self.start);
        let mut rest = inside;
        while let Some(at) = memchr(quote, rest) {
            text.extend_from_slice(&rest[..=at]);
            rest = &rest[(at + 2).min(rest.len())..];
        }
        text.extend_from_slice(rest);
        // What stands after the closing quote belongs to the field, too.
        text.extend_from_slice(&buffer[self.close + 1..self.end]);
        Some(Cow::Owned(text))
    }
}

/// What reading a record found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A record that ends before this byte.
    Record(usize),
    /// No record begins here: the buffer is at its end.
    End,
    /// The record goes on behind the buffer.
    Partial,
    /// A quote that opens at this byte is never closed.
    Unclosed(usize),
}

/// Reads the record at `start`. `last` says that nothing follows the buffer.
pub(super) fn record(buffer: &[u8], start: usize, dialect: Dialect, last: bool, fields: &mut Vec<Field>) -> Read {
    fields.clear();
    if start >= buffer.len() {
        return Read::End;
    }
    let Dialect { separator, quote, end } = dialect;
    let mut at = start;
    loop {
        let mut field = Field { start: at, end: at, close: at, quoted: false, doubled: false };
        let mut from = at;
        if buffer.get(at) == Some(&quote) {
            field.quoted = true;
            field.start = at + 1;
            from = at + 1;
            loop {
                let Some(found) = memchr(quote, &buffer[from..]) else {
                    return if last { Read::Unclosed(at) } else { Read::Partial };
                };
                let close = from + found;
                match buffer.get(close + 1) {
                    Some(next) if *next == quote => {
                        field.doubled = true;
                        from = close + 2;
                    }
                    None if !last => return Read::Partial,
                    _ => {
                        field.close = close;
                        from = close + 1;
                        break;
                    }
                }
            }
        }
        let (stop, ended, next) = match memchr2(separator, end, &buffer[from..]) {
            Some(found) => {
                let stop = from + found;
                (stop, buffer[stop] == end, stop + 1)
            }
            None if last => (buffer.len(), true, buffer.len()),
            None => return Read::Partial,
        };
        field.end = stop;
        if ended && end == b'\n' && stop > from && buffer[stop - 1] == b'\r' {
            field.end = stop - 1;
        }
        fields.push(field);
        if ended {
            return Read::Record(next);
        }
        at = next;
        if at >= buffer.len() && last {
            // A separator at the very end: one more, empty field.
            fields.push(Field { start: at, end: at, close: at, quoted: false, doubled: false });
            return Read::Record(at);
        }
    }
}

/// The fields of records without any quote in them: the fast way. Calls `each` with the fields of each record and the
/// number of its line within the buffer, from 0.
pub(super) fn plain_records<E>(buffer: &[u8], dialect: Dialect, mut each: impl FnMut(&[Field], u64) -> Result<(), E>) -> Result<(), E> {
    let Dialect { separator, end, .. } = dialect;
    let mut fields: Vec<Field> = Vec::new();
    let (mut start, mut line) = (0, 0);
    let push = |fields: &mut Vec<Field>, start: usize, stop: usize, ended: bool| {
        let cut = usize::from(ended && end == b'\n' && stop > start && buffer[stop - 1] == b'\r');
        fields.push(Field { start, end: stop - cut, close: start, quoted: false, doubled: false });
    };
    for stop in memchr::memchr2_iter(separator, end, buffer) {
        let ended = buffer[stop] == end;
        push(&mut fields, start, stop, ended);
        start = stop + 1;
        if ended {
            each(&fields, line)?;
            fields.clear();
            line += 1;
        }
    }
    if start < buffer.len() || !fields.is_empty() {
        push(&mut fields, start, buffer.len(), true);
        each(&fields, line)?;
    }
    Ok(())
}

/// The byte after the last whole record of a buffer that goes on; `None` when there is no whole record.
pub(super) fn last_end(buffer: &[u8], dialect: Dialect) -> Option<usize> {
    if memchr(dialect.quote, buffer).is_none() {
        return memrchr(dialect.end, buffer).map(|at| at + 1);
    }
    let (mut at, mut fields) = (0, Vec::new());
    while let Read::Record(next) = record(buffer, at, dialect, false, &mut fields) {
        at = next;
    }
    (at > 0).then_some(at)
}
