//! Text → tokens, each with its characters.

use std::ops::Range;

use super::Mistake;

/// How a formula is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// The stored form: English names, `,` between arguments, `.` in numbers.
    Canonical,
    /// French names, `;` between arguments, `,` in numbers.
    French,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Digits with `.` as the mark.
    Number(String),
    Text(String),
    /// `[Column]`
    Column(String),
    /// `$parameter`
    Parameter(String),
    Name(String),
    Sign(&'static str),
    /// Between arguments.
    Separator,
    End,
}

pub(super) type Spanned = (Token, Range<usize>);

const SIGNS: [&str; 16] = ["<>", "<=", ">=", "!=", "==", "+", "-", "*", "/", "^", "&", "=", "<", ">", "(", ")"];

pub(super) fn lex(text: &str, entry: Entry) -> Result<Vec<Spanned>, Vec<Mistake>> {
    let mut tokens = Vec::new();
    let mut mistakes = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        let rest = &text[at..];
        let mut fail = |end: usize, message: String, help: &str| {
            mistakes.push(Mistake { span: start..end, message, help: Some(help.to_owned()) });
        };
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        if c == '"' || c == '[' {
            let close = if c == '"' { '"' } else { ']' };
            match delimited(&rest[1..], close) {
                Some((content, length)) => {
                    at += 1 + length;
                    tokens.push((if c == '"' { Token::Text(content) } else { Token::Column(content) }, start..at));
                }
                None if c == '"' => {
                    fail(text.len(), "This text has no closing quote.".into(), "Add a \" at its end.");
                    break;
                }
                None => {
                    fail(text.len(), "This column has no closing bracket.".into(), "Add a ] after its name.");
                    break;
                }
            }
        } else if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) {
            let mark = if entry == Entry::French { ',' } else { '.' };
            let (number, length) = number(rest, mark);
            at += length;
            tokens.push((Token::Number(number), start..at));
        } else if c == '$' {
            let length = word(&rest[1..]);
            at += 1 + length;
            if length == 0 {
                fail(at, "A $ is followed by a parameter's name.".into(), "Write $name, or put the text in quotes.");
            }
            tokens.push((Token::Parameter(text[start + 1..at].to_owned()), start..at));
        } else if c.is_alphabetic() || c == '_' {
            at += word(rest);
            tokens.push((Token::Name(text[start..at].to_owned()), start..at));
        } else if c == '%' {
            at += 1;
            tokens.push((Token::Sign("%"), start..at));
        } else if c == if entry == Entry::French { ';' } else { ',' } {
            at += 1;
            tokens.push((Token::Separator, start..at));
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            at += sign.len();
            let sign = match *sign {
                "!=" => "<>",
                "==" => "=",
                other => other,
            };
            tokens.push((Token::Sign(sign), start..at));
        } else {
            at += c.len_utf8();
            let help = match c {
                ';' => "Arguments are separated by a comma here.",
                '\'' | '’' | '“' | '”' | '«' => "Text stands between straight double quotes: \"…\".",
                _ => "Remove it, or put it in quotes if it is text.",
            };
            fail(at, format!("\"{c}\" means nothing here."), help);
        }
    }
    tokens.push((Token::End, text.len()..text.len()));
    if mistakes.is_empty() { Ok(tokens) } else { Err(mistakes) }
}

/// The content up to `close`, with doubled `close` meaning one, and how many bytes were read.
fn delimited(text: &str, close: char) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        if c != close {
            content.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == close) {
            chars.next();
            content.push(close);
        } else {
            return Some((content, i + 1));
        }
    }
    None
}

fn number(text: &str, mark: char) -> (String, usize) {
    let mut digits = String::new();
    let mut marked = false;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let c = bytes[at] as char;
        if c.is_ascii_digit() {
            digits.push(c);
        } else if (c == mark || (c == '.' && mark == ',')) && !marked && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            marked = true;
            if digits.is_empty() {
                digits.push('0');
            }
            digits.push('.');
        } else {
            break;
        }
        at += 1;
    }
    (digits, at)
}

fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(text.len())
}
