//! Tokens → tree, by precedence climbing. Excel's precedence: a minus sign in front binds tighter than `^`, so
//! `-2^2` is 4.

use std::ops::Range;

use super::lexer::{Entry, Spanned, Token, lex};
use super::tree::{BINARIES, Kind, Node};
use super::{Mistake, functions};

/// How deeply a formula may be nested.
const DEPTH: usize = 100;

/// How many signs a formula may have: a chain of them is as deep a tree as brackets are.
const SIGNS: usize = 150;

pub(super) fn parse(text: &str, entry: Entry) -> Result<Node, Vec<Mistake>> {
    let tokens = lex(text, entry)?;
    let mut parser = Parser { tokens, at: 0, entry, signs: 0 };
    let tree = parser.expression(0, 0).and_then(|tree| match parser.peek() {
        (Token::End, _) => Ok(tree),
        (_, span) => Err(mistake(
            span.clone(),
            "This is left over after the end of the formula.",
            "Remove it, or join it with an operator such as + or &.",
        )),
    });
    tree.map_err(|mistake| vec![mistake])
}

fn mistake(span: Range<usize>, message: &str, help: &str) -> Mistake {
    Mistake { span, message: message.into(), help: Some(help.into()) }
}

struct Parser {
    tokens: Vec<Spanned>,
    at: usize,
    entry: Entry,
    signs: usize,
}

impl Parser {
    fn peek(&self) -> &Spanned {
        // The last token is the end, and nothing moves past it.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Spanned {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    /// Takes the sign that comes next.
    fn sign(&mut self) -> Result<Range<usize>, Mistake> {
        let (_, span) = self.next();
        self.signs += 1;
        if self.signs > SIGNS {
            return Err(mistake(span, "This formula has too many operators.", "Split it into several columns."));
        }
        Ok(span)
    }

    fn expression(&mut self, weakest: u8, depth: usize) -> Result<Node, Mistake> {
        if depth > DEPTH {
            return Err(mistake(self.peek().1.clone(), "This formula is nested too deeply.", "Split it into several columns."));
        }
        let mut left = self.operand(depth)?;
        loop {
            let Token::Sign(sign) = self.peek().0 else { return Ok(left) };
            let Some(binary) = BINARIES.into_iter().find(|binary| binary.sign() == sign) else { return Ok(left) };
            if binary.strength() <= weakest {
                return Ok(left);
            }
            self.sign()?;
            let right = self.expression(binary.strength(), depth + 1)?;
            let span = left.span.start..right.span.end;
            left = Node { kind: Kind::Binary(binary, Box::new(left), Box::new(right)), span };
        }
    }

    fn operand(&mut self, depth: usize) -> Result<Node, Mistake> {
        let (token, span) = self.next();
        let mut node = match token {
            Token::Number(digits) => Node { kind: Kind::Number(digits), span },
            Token::Text(text) => Node { kind: Kind::Text(text), span },
            Token::Column(name) => Node { kind: Kind::Column(name), span },
            Token::Parameter(name) => Node { kind: Kind::Parameter(name), span },
            Token::Name(name) => self.name(&name, span, depth)?,
            Token::Sign("-") => {
                if depth > DEPTH {
                    return Err(mistake(span, "This formula is nested too deeply.", "Split it into several columns."));
                }
                let operand = self.operand(depth + 1)?;
                let span = span.start..operand.span.end;
                return Ok(Node { kind: Kind::Negate(Box::new(operand)), span });
            }
            Token::Sign("+") if depth <= DEPTH => return self.operand(depth + 1),
            Token::Sign("(") => {
                let inner = self.expression(0, depth + 1)?;
                let end = self.close(&span)?;
                Node { kind: inner.kind, span: span.start..end }
            }
            Token::End => return Err(mistake(span, "The formula ends where a value should stand.", "Add a column, a number or a text.")),
            Token::Sign(_) | Token::Separator => {
                return Err(mistake(span, "A value should stand here.", "Add a column, a number or a text before it."));
            }
        };
        while self.peek().0 == Token::Sign("%") {
            let sign = self.sign()?;
            let span = node.span.start..sign.end;
            node = Node { kind: Kind::Percent(Box::new(node)), span };
        }
        Ok(node)
    }

    fn close(&mut self, open: &Range<usize>) -> Result<usize, Mistake> {
        match self.next() {
            (Token::Sign(")"), span) => Ok(span.end),
            (Token::End, _) => Err(mistake(open.clone(), "This parenthesis is never closed.", "Add a ) where it ends.")),
            (_, span) => Err(mistake(span, "A ) or an operator should stand here.", "Close the parenthesis, or separate the arguments.")),
        }
    }

    fn name(&mut self, name: &str, span: Range<usize>, depth: usize) -> Result<Node, Mistake> {
        let upper = name.to_uppercase();
        if self.peek().0 != Token::Sign("(") {
            let kind = match upper.as_str() {
                "TRUE" => Kind::Boolean(true),
                "FALSE" => Kind::Boolean(false),
                "VRAI" if self.entry == Entry::French => Kind::Boolean(true),
                "FAUX" if self.entry == Entry::French => Kind::Boolean(false),
                "NULL" => Kind::Null,
                _ => Kind::Column(name.to_owned()),
            };
            return Ok(Node { kind, span });
        }
        let (_, open) = self.next();
        let mut arguments = Vec::new();
        if self.peek().0 == Token::Sign(")") {
            self.next();
        } else {
            loop {
                arguments.push(self.expression(0, depth + 1)?);
                if self.peek().0 == Token::Separator {
                    self.next();
                } else {
                    break;
                }
            }
            self.close(&open)?;
        }
        let end = self.tokens[self.at - 1].1.end;
        let name = functions::find(&upper).map_or(upper, |function| function.name.to_owned());
        Ok(Node { kind: Kind::Call(name, arguments), span: span.start..end })
    }
}
