//! Tree → text: the one canonical form, or the form of a language.

use super::functions;
use super::lexer::Entry;
use super::tree::{Kind, Node};

pub(super) fn print(node: &Node, entry: Entry) -> String {
    let french = entry == Entry::French;
    match &node.kind {
        Kind::Number(digits) if french => digits.replace('.', ","),
        Kind::Number(digits) => digits.clone(),
        Kind::Text(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        Kind::Boolean(value) => match (french, value) {
            (true, true) => "VRAI",
            (true, false) => "FAUX",
            (false, true) => "TRUE",
            (false, false) => "FALSE",
        }
        .to_owned(),
        Kind::Null => "NULL".to_owned(),
        Kind::Column(name) => format!("[{}]", name.replace(']', "]]")),
        Kind::Parameter(name) => format!("${name}"),
        Kind::Negate(operand) => format!("-{}", tight(operand, entry)),
        Kind::Percent(operand) => format!("{}%", tight(operand, entry)),
        Kind::Binary(binary, left, right) => {
            let side = |node: &Node, parenthesised: bool| {
                let text = print(node, entry);
                if parenthesised { format!("({text})") } else { text }
            };
            let left_weak = matches!(&left.kind, Kind::Binary(inner, ..) if inner.strength() < binary.strength());
            let right_weak = matches!(&right.kind, Kind::Binary(inner, ..) if inner.strength() <= binary.strength());
            format!("{} {} {}", side(left, left_weak), binary.sign(), side(right, right_weak))
        }
        Kind::Call(name, arguments) => {
            let shown = match functions::find(name) {
                Some(function) if french => function.french,
                _ => name,
            };
            let arguments: Vec<String> = arguments.iter().map(|argument| print(argument, entry)).collect();
            format!("{shown}({})", arguments.join(if french { "; " } else { ", " }))
        }
    }
}

/// An operand of a sign that binds tightest.
fn tight(node: &Node, entry: Entry) -> String {
    let text = print(node, entry);
    if matches!(node.kind, Kind::Binary(..) | Kind::Negate(_)) { format!("({text})") } else { text }
}
