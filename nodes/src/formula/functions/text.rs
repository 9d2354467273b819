//! Working with text. Positions and lengths count characters.

use std::borrow::Cow;
use std::sync::{LazyLock, Mutex, PoisonError};

use arrow::datatypes::DataType;
use regex::Regex;

use super::super::cells::Cell;
use super::Kind::{Any, Integer, Text};
use super::{Examples, Function, Kind, Words, row};

const FAMILY: &str = "Text";
const MANY: usize = 200;
const TEXT: DataType = DataType::Utf8View;

type Out = Result<Cell<'static>, String>;

fn owned(text: impl Into<String>) -> Out {
    Ok(Cell::Text(Cow::Owned(text.into())))
}

fn f(
    words: Words,
    arguments: (usize, usize),
    takes: &'static [Kind],
    returns: DataType,
    examples: Examples,
    run: fn(&[Cell<'_>]) -> Out,
) -> Function {
    row(FAMILY, words, arguments, takes, returns, examples, run)
}

fn count(cell: Option<&Cell<'_>>, default: i64) -> Result<usize, String> {
    let count = cell.map_or(default, Cell::integer);
    usize::try_from(count).map_err(|_| format!("{count} is not a number of characters"))
}

/// The byte at which a character begins; the end when there are fewer.
fn byte(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

fn find(cells: &[Cell<'_>], fold: bool) -> Out {
    let (wanted, text) = (cells[0].text(), cells[1].text());
    let (wanted, text) = if fold { (wanted.to_lowercase(), text.to_lowercase()) } else { (wanted.into_owned(), text.into_owned()) };
    let start = count(cells.get(2), 1)?.max(1) - 1;
    let from = byte(&text, start);
    match text[from..].find(&wanted) {
        Some(at) => Ok(Cell::Integer(text[..from + at].chars().count() as i64 + 1)),
        None => Err(format!("\"{wanted}\" is not in \"{text}\"; IFERROR or CONTAINS deal with that")),
    }
}

/// Compiled patterns, by their text: a column has one pattern and many rows.
static PATTERNS: LazyLock<Mutex<Vec<(String, Regex)>>> = LazyLock::new(|| Mutex::new(Vec::new()));

fn regex(pattern: &str) -> Result<Regex, String> {
    let mut known = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, regex)) = known.iter().find(|(text, _)| text == pattern) {
        return Ok(regex.clone());
    }
    let regex = Regex::new(pattern).map_err(|error| format!("\"{pattern}\" is not a regular expression: {error}"))?;
    if known.len() >= 64 {
        known.remove(0);
    }
    known.push((pattern.to_owned(), regex.clone()));
    Ok(regex)
}

/// Letters without their accents.
pub fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let plain: &str = match c {
                'à' | 'á' | 'â' | 'ä' | 'ã' | 'å' => "a",
                'À' | 'Á' | 'Â' | 'Ä' | 'Ã' | 'Å' => "A",
                'ç' => "c",
                'Ç' => "C",
                'è' | 'é' | 'ê' | 'ë' => "e",
                'È' | 'É' | 'Ê' | 'Ë' => "E",
                'ì' | 'í' | 'î' | 'ï' => "i",
                'Ì' | 'Í' | 'Î' | 'Ï' => "I",
                'ñ' => "n",
                'Ñ' => "N",
                'ò' | 'ó' | 'ô' | 'ö' | 'õ' | 'ø' => "o",
                'Ò' | 'Ó' | 'Ô' | 'Ö' | 'Õ' | 'Ø' => "O",
                'ù' | 'ú' | 'û' | 'ü' => "u",
                'Ù' | 'Ú' | 'Û' | 'Ü' => "U",
                'ý' | 'ÿ' => "y",
                'Ý' | 'Ÿ' => "Y",
                'œ' => "oe",
                'Œ' => "OE",
                'æ' => "ae",
                'Æ' => "AE",
                'ß' => "ss",
                'ł' => "l",
                'Ł' => "L",
                _ => "",
            };
            let keep = plain.is_empty().then_some(c);
            plain.chars().chain(keep).collect::<Vec<_>>()
        })
        .collect()
}

fn pad(cells: &[Cell<'_>], left: bool) -> Out {
    let text = cells[0].text();
    let width = count(cells.get(1), 0)?;
    if width > 1_000_000 {
        return Err(format!("{width} is too long for a text"));
    }
    let fill = cells.get(2).map_or(Cow::Borrowed(" "), Cell::text);
    let missing = width.saturating_sub(text.chars().count());
    if fill.is_empty() && missing > 0 {
        return Err("there is nothing to fill with".into());
    }
    let filling: String = fill.chars().cycle().take(missing).collect();
    owned(if left { format!("{filling}{text}") } else { format!("{text}{filling}") })
}

fn around(cells: &[Cell<'_>], before: bool) -> Out {
    let (text, mark) = (cells[0].text(), cells[1].text());
    let nth = count(cells.get(2), 1)?.max(1);
    match text.match_indices(mark.as_ref()).nth(nth - 1) {
        Some((at, _)) if before => owned(&text[..at]),
        Some((at, _)) => owned(&text[at + mark.len()..]),
        None => Err(format!("\"{mark}\" is not in \"{text}\"; IFERROR deals with that")),
    }
}

fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p, mut star, mut mark) = (0, 0, None, 0);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some(p);
            mark = t;
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            t += 1;
            p += 1;
        } else if let Some(at) = star {
            p = at + 1;
            mark += 1;
            t = mark;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

fn proper(text: &str) -> String {
    let mut inside = false;
    text.chars()
        .flat_map(|c| {
            let cased: String = if inside { c.to_lowercase().collect() } else { c.to_uppercase().collect() };
            inside = c.is_alphanumeric() || c == '\'' || c == '’';
            cased.chars().collect::<Vec<_>>()
        })
        .collect()
}

pub(super) fn functions() -> Vec<Function> {
    vec![
        f(
            ("LEFT", "GAUCHE", "LEFT(text, [count])", "The first characters of a text."),
            (1, 2),
            &[Text, Integer],
            TEXT,
            &[("LEFT(\"Weir\", 2)", "We"), ("LEFT(\"é\", 5)", "é")],
            |a| {
                let text = a[0].text();
                owned(&text[..byte(&text, count(a.get(1), 1)?)])
            },
        ),
        f(
            ("RIGHT", "DROITE", "RIGHT(text, [count])", "The last characters of a text."),
            (1, 2),
            &[Text, Integer],
            TEXT,
            &[("RIGHT(\"Weir\", 2)", "ir")],
            |a| {
                let text = a[0].text();
                let skip = text.chars().count().saturating_sub(count(a.get(1), 1)?);
                owned(&text[byte(&text, skip)..])
            },
        ),
        f(
            ("MID", "STXT", "MID(text, start, count)", "Characters from the middle of a text; the first is number 1."),
            (3, 3),
            &[Text, Integer, Integer],
            TEXT,
            &[("MID(\"2026-09\", 6, 2)", "09")],
            |a| {
                let text = a[0].text();
                let start = byte(&text, count(a.get(1), 1)?.max(1) - 1);
                let rest = &text[start..];
                owned(&rest[..byte(rest, count(a.get(2), 0)?)])
            },
        ),
        f(
            ("LEN", "NBCAR", "LEN(text)", "The number of characters of a text."),
            (1, 1),
            &[Text],
            DataType::Int64,
            &[("LEN(\"Zoë\")", "3")],
            |a| Ok(Cell::Integer(a[0].text().chars().count() as i64)),
        ),
        f(("UPPER", "MAJUSCULE", "UPPER(text)", "A text in capitals."), (1, 1), &[Text], TEXT, &[("UPPER(\"été\")", "ÉTÉ")], |a| {
            owned(a[0].text().to_uppercase())
        }),
        f(
            ("LOWER", "MINUSCULE", "LOWER(text)", "A text in small letters."),
            (1, 1),
            &[Text],
            TEXT,
            &[("LOWER(\"ÉTÉ\")", "été")],
            |a| owned(a[0].text().to_lowercase()),
        ),
        f(
            ("PROPER", "NOMPROPRE", "PROPER(text)", "A text with a capital at the start of each word."),
            (1, 1),
            &[Text],
            TEXT,
            &[("PROPER(\"closed WON\")", "Closed Won")],
            |a| owned(proper(&a[0].text())),
        ),
        f(
            ("TRIM", "SUPPRESPACE", "TRIM(text)", "A text without spaces at its ends, and with single ones inside."),
            (1, 1),
            &[Text],
            TEXT,
            &[("TRIM(\"  a   b \")", "a b")],
            |a| owned(a[0].text().split_whitespace().collect::<Vec<_>>().join(" ")),
        ),
        f(
            ("LTRIM", "SUPPRESPACE.GAUCHE", "LTRIM(text)", "A text without spaces at its start."),
            (1, 1),
            &[Text],
            TEXT,
            &[("LTRIM(\"  a\")", "a")],
            |a| owned(a[0].text().trim_start()),
        ),
        f(
            ("RTRIM", "SUPPRESPACE.DROITE", "RTRIM(text)", "A text without spaces at its end."),
            (1, 1),
            &[Text],
            TEXT,
            &[("RTRIM(\"a  \")", "a")],
            |a| owned(a[0].text().trim_end()),
        ),
        f(
            ("CLEAN", "EPURAGE", "CLEAN(text)", "A text without control characters."),
            (1, 1),
            &[Text],
            TEXT,
            &[("CLEAN(\"a\" & CHAR(7) & \"b\")", "ab")],
            |a| owned(a[0].text().chars().filter(|c| !c.is_control()).collect::<String>()),
        ),
        f(
            (
                "SUBSTITUTE",
                "SUBSTITUE",
                "SUBSTITUTE(text, old, new, [nth])",
                "Replaces a piece of text by another: everywhere, or where it stands for the nth time.",
            ),
            (3, 4),
            &[Text, Text, Text, Integer],
            TEXT,
            &[("SUBSTITUTE(\"a-b-c\", \"-\", \"\")", "abc"), ("SUBSTITUTE(\"a-b-c\", \"-\", \"+\", 2)", "a-b+c")],
            |a| {
                let (text, old, new) = (a[0].text(), a[1].text(), a[2].text());
                if old.is_empty() {
                    return owned(text);
                }
                match a.get(3) {
                    None => owned(text.replace(old.as_ref(), &new)),
                    Some(nth) => match text.match_indices(old.as_ref()).nth(count(Some(nth), 1)?.max(1) - 1) {
                        Some((at, _)) => owned(format!("{}{new}{}", &text[..at], &text[at + old.len()..])),
                        None => owned(text),
                    },
                }
            },
        ),
        f(
            ("REPLACE", "REMPLACER", "REPLACE(text, start, count, new)", "Replaces characters by their position."),
            (4, 4),
            &[Text, Integer, Integer, Text],
            TEXT,
            &[("REPLACE(\"2025-09\", 4, 1, \"6\")", "2026-09")],
            |a| {
                let text = a[0].text();
                let start = count(a.get(1), 1)?.max(1) - 1;
                let (from, to) = (byte(&text, start), byte(&text, start.saturating_add(count(a.get(2), 0)?)));
                owned(format!("{}{}{}", &text[..from], a[3].text(), &text[to..]))
            },
        ),
        f(
            ("FIND", "TROUVE", "FIND(wanted, text, [start])", "The position of a piece of text; capitals count."),
            (2, 3),
            &[Text, Text, Integer],
            DataType::Int64,
            &[("FIND(\"i\", \"Weir\")", "3"), ("IFERROR(FIND(\"x\", \"Weir\"), 0)", "0")],
            |a| find(a, false),
        ),
        f(
            ("SEARCH", "CHERCHE", "SEARCH(wanted, text, [start])", "The position of a piece of text; capitals do not count."),
            (2, 3),
            &[Text, Text, Integer],
            DataType::Int64,
            &[("SEARCH(\"w\", \"Weir\")", "1")],
            |a| find(a, true),
        ),
        f(
            ("CONTAINS", "CONTIENT", "CONTAINS(text, wanted)", "True when a text contains another; capitals count."),
            (2, 2),
            &[Text],
            DataType::Boolean,
            &[("CONTAINS(\"Closed Won\", \"Won\")", "true")],
            |a| Ok(Cell::Boolean(a[0].text().contains(a[1].text().as_ref()))),
        ),
        f(
            ("STARTSWITH", "COMMENCE.PAR", "STARTSWITH(text, start)", "True when a text starts with another."),
            (2, 2),
            &[Text],
            DataType::Boolean,
            &[("STARTSWITH(\"601000\", \"601\")", "true")],
            |a| Ok(Cell::Boolean(a[0].text().starts_with(a[1].text().as_ref()))),
        ),
        f(
            ("ENDSWITH", "FINIT.PAR", "ENDSWITH(text, end)", "True when a text ends with another."),
            (2, 2),
            &[Text],
            DataType::Boolean,
            &[("ENDSWITH(\"a.csv\", \".csv\")", "true")],
            |a| Ok(Cell::Boolean(a[0].text().ends_with(a[1].text().as_ref()))),
        ),
        f(
            ("LIKE", "COMME", "LIKE(text, pattern)", "True when a text fits a pattern with * for anything and ? for one character."),
            (2, 2),
            &[Text],
            DataType::Boolean,
            &[("LIKE(\"CRM-Pro\", \"CRM-*\")", "true"), ("LIKE(\"ab\", \"a?c\")", "false")],
            |a| Ok(Cell::Boolean(like(&a[0].text(), &a[1].text()))),
        ),
        f(
            ("EXACT", "EXACT", "EXACT(text1, text2)", "True when two texts are the same to the letter, as = does."),
            (2, 2),
            &[Text],
            DataType::Boolean,
            &[("EXACT(\"a\", \"A\")", "false")],
            |a| Ok(Cell::Boolean(a[0].text() == a[1].text())),
        ),
        f(
            (
                "EQUALS_IGNORE_CASE",
                "EGAL.SANS.CASSE",
                "EQUALS_IGNORE_CASE(text1, text2)",
                "True when two texts are the same but for capitals.",
            ),
            (2, 2),
            &[Text],
            DataType::Boolean,
            &[("EQUALS_IGNORE_CASE(\"WON\", \"won\")", "true")],
            |a| Ok(Cell::Boolean(a[0].text().to_lowercase() == a[1].text().to_lowercase())),
        ),
        f(
            ("REPT", "REPT", "REPT(text, count)", "A text several times over."),
            (2, 2),
            &[Text, Integer],
            TEXT,
            &[("REPT(\"ab\", 3)", "ababab")],
            |a| {
                let (text, times) = (a[0].text(), count(a.get(1), 0)?);
                if text.len().saturating_mul(times) > 1_000_000 {
                    return Err("the result would be too long for a text".into());
                }
                owned(text.repeat(times))
            },
        ),
        f(
            ("CONCAT", "CONCAT", "CONCAT(value1, [value2], …)", "Values joined as text; empty ones add nothing."),
            (1, MANY),
            &[Any],
            TEXT,
            &[("CONCAT(\"Q\", 3)", "Q3"), ("\"a\" & NULL & 1.50", "a1.5")],
            |a| owned(a.iter().map(Cell::text).collect::<String>()),
        )
        .lenient()
        .also(&["CONCATENATE", "CONCATENER"]),
        f(
            (
                "TEXTJOIN",
                "JOINDRE.TEXTE",
                "TEXTJOIN(separator, skip_empty, value1, …)",
                "Values joined as text with a separator between them.",
            ),
            (3, MANY),
            &[Text, Kind::Boolean, Any],
            TEXT,
            &[("TEXTJOIN(\"-\", TRUE, \"a\", NULL, \"b\")", "a-b"), ("TEXTJOIN(\"-\", FALSE, \"a\", NULL, \"b\")", "a--b")],
            |a| {
                let skip = a[1] == Cell::Boolean(true);
                let parts: Vec<Cow<'_, str>> = a[2..].iter().map(Cell::text).filter(|text| !skip || !text.is_empty()).collect();
                owned(parts.join(&a[0].text()))
            },
        )
        .lenient(),
        f(
            ("TEXTBEFORE", "TEXTE.AVANT", "TEXTBEFORE(text, mark, [nth])", "What stands before a mark."),
            (2, 3),
            &[Text, Text, Integer],
            TEXT,
            &[("TEXTBEFORE(\"jean@weir.io\", \"@\")", "jean")],
            |a| around(a, true),
        ),
        f(
            ("TEXTAFTER", "TEXTE.APRES", "TEXTAFTER(text, mark, [nth])", "What stands after a mark."),
            (2, 3),
            &[Text, Text, Integer],
            TEXT,
            &[("TEXTAFTER(\"jean@weir.io\", \"@\")", "weir.io")],
            |a| around(a, false),
        ),
        f(
            (
                "SPLITPART",
                "PARTIE.TEXTE",
                "SPLITPART(text, separator, index)",
                "One part of a text cut at a separator, counted from 1; empty text when there are fewer.",
            ),
            (3, 3),
            &[Text, Text, Integer],
            TEXT,
            &[("SPLITPART(\"a;b;c\", \";\", 2)", "b")],
            |a| {
                let (text, separator) = (a[0].text(), a[1].text());
                if separator.is_empty() {
                    return Err("the separator is empty".into());
                }
                let index = count(a.get(2), 1)?.max(1) - 1;
                owned(text.split(separator.as_ref()).nth(index).unwrap_or_default())
            },
        ),
        f(
            ("PADLEFT", "COMPLETER.GAUCHE", "PADLEFT(text, width, [fill])", "A text made as long as wanted by filling on its left."),
            (2, 3),
            &[Text, Integer, Text],
            TEXT,
            &[("PADLEFT(17, 5, \"0\")", "00017")],
            |a| pad(a, true),
        )
        .also(&["LPAD"]),
        f(
            ("PADRIGHT", "COMPLETER.DROITE", "PADRIGHT(text, width, [fill])", "A text made as long as wanted by filling on its right."),
            (2, 3),
            &[Text, Integer, Text],
            TEXT,
            &[("PADRIGHT(\"a\", 3, \".\")", "a..")],
            |a| pad(a, false),
        )
        .also(&["RPAD"]),
        f(("CHAR", "CAR", "CHAR(code)", "The character with a Unicode number."), (1, 1), &[Integer], TEXT, &[("CHAR(65)", "A")], |a| {
            let code = a[0].integer();
            match u32::try_from(code).ok().and_then(char::from_u32) {
                Some(c) => owned(c),
                None => Err(format!("{code} is not the number of a character")),
            }
        })
        .also(&["UNICHAR"]),
        f(
            ("CODE", "CODE", "CODE(text)", "The Unicode number of the first character."),
            (1, 1),
            &[Text],
            DataType::Int64,
            &[("CODE(\"A\")", "65")],
            |a| a[0].text().chars().next().map(|c| Cell::Integer(i64::from(u32::from(c)))).ok_or_else(|| "the text is empty".to_owned()),
        )
        .also(&["UNICODE"]),
        f(("REVERSE", "INVERSER", "REVERSE(text)", "A text backwards."), (1, 1), &[Text], TEXT, &[("REVERSE(\"abc\")", "cba")], |a| {
            owned(a[0].text().chars().rev().collect::<String>())
        }),
        f(
            ("REMOVEACCENTS", "SANS.ACCENTS", "REMOVEACCENTS(text)", "A text with plain letters in place of accented ones."),
            (1, 1),
            &[Text],
            TEXT,
            &[("REMOVEACCENTS(\"Étape où\")", "Etape ou")],
            |a| owned(plain(&a[0].text())),
        ),
        f(
            ("DIGITS", "CHIFFRES", "DIGITS(text)", "Only the digits of a text."),
            (1, 1),
            &[Text],
            TEXT,
            &[("DIGITS(\"N° 0-17\")", "017")],
            |a| owned(a[0].text().chars().filter(char::is_ascii_digit).collect::<String>()),
        ),
        f(
            ("LETTERS", "LETTRES", "LETTERS(text)", "Only the letters of a text."),
            (1, 1),
            &[Text],
            TEXT,
            &[("LETTERS(\"A1-é\")", "Aé")],
            |a| owned(a[0].text().chars().filter(|c| c.is_alphabetic()).collect::<String>()),
        ),
        f(
            ("REGEXMATCH", "REGEX.TEST", "REGEXMATCH(text, pattern)", "True when a regular expression is found in a text."),
            (2, 2),
            &[Text],
            DataType::Boolean,
            &[("REGEXMATCH(\"AB-12\", \"^[A-Z]+-[0-9]+$\")", "true")],
            |a| Ok(Cell::Boolean(regex(&a[1].text())?.is_match(&a[0].text()))),
        )
        .also(&["REGEXTEST"]),
        f(
            (
                "REGEXEXTRACT",
                "REGEX.EXTRAIRE",
                "REGEXEXTRACT(text, pattern, [group])",
                "What a regular expression finds in a text: the group of that number; else its first group, or all of it.",
            ),
            (2, 3),
            &[Text, Text, Integer],
            TEXT,
            &[
                ("REGEXEXTRACT(\"Order 17 of 9\", \"[0-9]+\")", "17"),
                ("REGEXEXTRACT(\"a=5\", \"a=(.)\")", "5"),
                ("REGEXEXTRACT(\"2026-09\", \"(\\d+)-(\\d+)\", 2)", "09"),
            ],
            |a| {
                let text = a[0].text();
                let Some(found) = regex(&a[1].text())?.captures(&text) else {
                    return Err(format!("the pattern is not found in \"{text}\"; IFERROR deals with that"));
                };
                match a.get(2).map(Cell::integer) {
                    None => owned(found.get(1).or_else(|| found.get(0)).map_or("", |group| group.as_str())),
                    Some(group) => match usize::try_from(group).ok().filter(|group| *group < found.len()) {
                        Some(group) => owned(found.get(group).map_or("", |group| group.as_str())),
                        None => Err(format!("the pattern has {} groups and not {group}", found.len() - 1)),
                    },
                }
            },
        ),
        f(
            (
                "REGEXREPLACE",
                "REGEX.REMPLACER",
                "REGEXREPLACE(text, pattern, new)",
                "Replaces everything a regular expression finds; $1 stands for its first group.",
            ),
            (3, 3),
            &[Text],
            TEXT,
            &[("REGEXREPLACE(\"a1b22\", \"[0-9]+\", \"#\")", "a#b#")],
            |a| owned(regex(&a[1].text())?.replace_all(&a[0].text(), a[2].text().as_ref())),
        ),
        f(
            (
                "JSONVALUE",
                "JSON.VALEUR",
                "JSONVALUE(text, path)",
                "The value at a path of a JSON text, as text; empty where there is none.",
            ),
            (2, 2),
            &[Text],
            TEXT,
            &[
                ("JSONVALUE(\"{\"\"a\"\":{\"\"b\"\":[1,2]}}\", \"a.b[1]\")", "2"),
                ("JSONVALUE(\"[5]\", \"[0]\")", "5"),
                ("JSONVALUE(\"{}\", \"a\")", ""),
            ],
            |a| {
                let document: serde_json::Value =
                    serde_json::from_str(&a[0].text()).map_err(|error| format!("\"{}\" is not JSON: {error}", a[0].text()))?;
                match json_at(&document, &a[1].text()) {
                    None | Some(serde_json::Value::Null) => Ok(Cell::Null),
                    Some(serde_json::Value::String(text)) => owned(text.as_str()),
                    Some(other) => owned(other.to_string()),
                }
            },
        ),
    ]
}

/// What stands at a path such as `a.b[1]` in a JSON document.
pub fn json_at<'a>(document: &'a serde_json::Value, path: &str) -> Option<&'a serde_json::Value> {
    path.split(['.', '[']).filter(|part| !part.is_empty()).try_fold(document, |at, part| match part.strip_suffix(']') {
        Some(index) => at.get(index.parse::<usize>().ok()?),
        None => at.get(part),
    })
}
