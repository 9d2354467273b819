//! Days, and the patterns people write them in: `dd/mm/yyyy`, `yyyy-mm-dd hh:mm:ss`, `d mmm yyyy`.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// The day a number of days after 1970-01-01.
pub(crate) fn date(days: i32) -> Option<NaiveDate> {
    NaiveDate::default().checked_add_signed(chrono::Duration::days(i64::from(days)))
}

/// The number of days of a day after 1970-01-01.
pub(crate) fn days(date: NaiveDate) -> i32 {
    (date - NaiveDate::default()).num_days() as i32
}

/// The moment a number of microseconds after 1970-01-01.
pub(crate) fn moment(micros: i64) -> Option<NaiveDateTime> {
    chrono::DateTime::from_timestamp_micros(micros).map(|time| time.naive_utc())
}

/// A day some whole months later, the last of the month where it is shorter.
pub(super) fn add_months(date: NaiveDate, months: i64) -> Option<NaiveDate> {
    let step = chrono::Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { date.checked_sub_months(step) } else { date.checked_add_months(step) }
}

/// The last day of a day's month.
pub(super) fn month_end(date: NaiveDate) -> Option<NaiveDate> {
    date.with_day(1)?.checked_add_months(chrono::Months::new(1))?.checked_sub_days(Days::new(1))
}

/// English names, then French; the first three or more letters abbreviate them.
const MONTHS: [(&str, &str); 12] = [
    ("January", "janvier"),
    ("February", "février"),
    ("March", "mars"),
    ("April", "avril"),
    ("May", "mai"),
    ("June", "juin"),
    ("July", "juillet"),
    ("August", "août"),
    ("September", "septembre"),
    ("October", "octobre"),
    ("November", "novembre"),
    ("December", "décembre"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Year4,
    Year2,
    Month,
    Month2,
    MonthShort,
    MonthLong,
    Day,
    Day2,
    Hour,
    Minute,
    Second,
    Literal(&'a str),
}

/// The pieces of a pattern, or `None` when it names no part of a date or time.
fn pieces(pattern: &str) -> Option<Vec<Piece<'_>>> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    let mut after_hour = false;
    while let Some(first) = rest.chars().next() {
        let lower = first.to_ascii_lowercase();
        let run = rest.chars().take_while(|c| c.to_ascii_lowercase() == lower).count();
        let (piece, length) = match (lower, run) {
            ('y', 3..) => (Piece::Year4, run),
            ('y', _) => (Piece::Year2, run),
            ('m', 2) if after_hour => (Piece::Minute, 2),
            ('m', 1) => (Piece::Month, 1),
            ('m', 2) => (Piece::Month2, 2),
            ('m', 3) => (Piece::MonthShort, 3),
            ('m', _) => (Piece::MonthLong, run),
            ('d', 1) => (Piece::Day, 1),
            ('d', _) => (Piece::Day2, run),
            ('h', _) => (Piece::Hour, run),
            ('s', _) => (Piece::Second, run),
            _ => {
                let length = rest.find(|c: char| "ymdhsYMDHS".contains(c)).unwrap_or(rest.len()).max(first.len_utf8());
                (Piece::Literal(&rest[..length]), length)
            }
        };
        after_hour = matches!(piece, Piece::Hour) || (after_hour && matches!(piece, Piece::Literal(_)));
        pieces.push(piece);
        rest = &rest[length..];
    }
    pieces.iter().any(|piece| !matches!(piece, Piece::Literal(_))).then_some(pieces)
}

/// Whether a pattern can be used.
pub fn is_pattern(pattern: &str) -> bool {
    pieces(pattern).is_some()
}

fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    (length >= least).then(|| Some((text[..length].parse().ok()?, &text[length..])))?
}

fn month_name(text: &str) -> Option<(u32, &str)> {
    let length = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let word = text[..length].to_lowercase();
    if word.chars().count() < 3 {
        return None;
    }
    let mut found = MONTHS.iter().enumerate().filter(|(_, (en, fr))| en.to_lowercase().starts_with(&word) || fr.starts_with(&word));
    let (month, _) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let rest = &text[length..];
    Some((month as u32 + 1, rest.strip_prefix('.').unwrap_or(rest)))
}

/// The moment a text stands for, strictly in this pattern.
pub fn parse(text: &str, pattern: &str) -> Option<NaiveDateTime> {
    let (mut year, mut month, mut day, mut hour, mut minute, mut second) = (1970_i32, 1, 1, 0, 0, 0);
    let mut rest = text;
    for piece in pieces(pattern)? {
        let value;
        match piece {
            Piece::Literal(literal) => {
                rest = rest.strip_prefix(literal)?;
                continue;
            }
            Piece::Year4 => (value, rest) = digits(rest, 4, 4)?,
            Piece::MonthShort | Piece::MonthLong => (value, rest) = month_name(rest)?,
            Piece::Year2 | Piece::Month2 | Piece::Day2 => (value, rest) = digits(rest, 2, 2)?,
            Piece::Month | Piece::Day | Piece::Hour | Piece::Minute | Piece::Second => (value, rest) = digits(rest, 1, 2)?,
        }
        match piece {
            Piece::Year4 => year = value as i32,
            // As Excel: 00 to 29 are 2000 to 2029.
            Piece::Year2 => year = value as i32 + if value < 30 { 2000 } else { 1900 },
            Piece::Month | Piece::Month2 | Piece::MonthShort | Piece::MonthLong => month = value,
            Piece::Day | Piece::Day2 => day = value,
            Piece::Hour => hour = value,
            Piece::Minute => minute = value,
            Piece::Second => second = value,
            Piece::Literal(_) => {}
        }
    }
    if !rest.is_empty() {
        return None;
    }
    Some(NaiveDate::from_ymd_opt(year, month, day)?.and_time(NaiveTime::from_hms_opt(hour, minute, second)?))
}

/// A moment in a pattern.
pub fn print(time: NaiveDateTime, pattern: &str) -> Option<String> {
    let mut text = String::new();
    for piece in pieces(pattern)? {
        let (en, _) = MONTHS[time.month0() as usize];
        match piece {
            Piece::Year4 => text.push_str(&format!("{:04}", time.year())),
            Piece::Year2 => text.push_str(&format!("{:02}", time.year().rem_euclid(100))),
            Piece::Month => text.push_str(&time.month().to_string()),
            Piece::Month2 => text.push_str(&format!("{:02}", time.month())),
            Piece::MonthShort => text.push_str(&en[..3]),
            Piece::MonthLong => text.push_str(en),
            Piece::Day => text.push_str(&time.day().to_string()),
            Piece::Day2 => text.push_str(&format!("{:02}", time.day())),
            Piece::Hour => text.push_str(&format!("{:02}", time.hour())),
            Piece::Minute => text.push_str(&format!("{:02}", time.minute())),
            Piece::Second => text.push_str(&format!("{:02}", time.second())),
            Piece::Literal(literal) => text.push_str(literal),
        }
    }
    Some(text)
}

/// The English name of a month, from 1.
pub(super) fn month(number: u32) -> &'static str {
    MONTHS[(number.clamp(1, 12) - 1) as usize].0
}
