//! Tree → typed `DataFusion` expression.

use std::collections::BTreeSet;
use std::ops::Range;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::logical_expr::{Expr, lit};
use datafusion::scalar::ScalarValue;

use super::functions::{self, Build, Function, Kind as Takes};
use super::tree::{Binary, Kind, Node};
use super::{Mistake, Scope, Typed, row};
use crate::number::{self, Operation};
use crate::problem::did_you_mean;
use crate::table::column;
use crate::types::{MAX_DIGITS, type_name};

pub(super) fn lower(tree: &Node, scope: &Scope<'_>) -> Result<Typed, Vec<Mistake>> {
    let mut lowering = Lowering { scope, mistakes: Vec::new(), columns: BTreeSet::new() };
    let value = lowering.node(tree);
    match value {
        Some(value) if lowering.mistakes.is_empty() => {
            Ok(Typed { expr: value.expr, data_type: value.data_type, columns: lowering.columns })
        }
        _ => {
            if lowering.mistakes.is_empty() {
                lowering.fail(tree.span.clone(), "This formula has no result.", "Check its parts.");
            }
            Err(lowering.mistakes)
        }
    }
}

/// A piece that was lowered.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) expr: Expr,
    pub(super) data_type: DataType,
    pub(super) span: Range<usize>,
}

impl Value {
    pub(super) fn is_null(&self) -> bool {
        self.data_type == DataType::Null
    }

    /// The text, when it is a constant one.
    pub(super) fn constant_text(&self) -> Option<&str> {
        match &self.expr {
            Expr::Literal(ScalarValue::Utf8View(Some(text)), _) => Some(text),
            _ => None,
        }
    }

    /// The whole number, when it is a constant one.
    pub(super) fn constant_integer(&self) -> Option<i64> {
        match &self.expr {
            Expr::Literal(ScalarValue::Int64(Some(value)), _) => Some(*value),
            _ => None,
        }
    }
}

/// A text constant.
pub(super) fn text(value: &str) -> Expr {
    lit(ScalarValue::Utf8View(Some(value.to_owned())))
}

pub(super) struct Lowering<'a> {
    pub(super) scope: &'a Scope<'a>,
    mistakes: Vec<Mistake>,
    columns: BTreeSet<String>,
}

impl Lowering<'_> {
    pub(super) fn fail(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Mistake { span, message: message.into(), help: Some(help.into()) });
    }

    fn node(&mut self, node: &Node) -> Option<Value> {
        let span = node.span.clone();
        let (expr, data_type) = match &node.kind {
            Kind::Number(digits) => self.number(digits, &span)?,
            Kind::Text(value) => (text(value), DataType::Utf8View),
            Kind::Boolean(value) => (lit(*value), DataType::Boolean),
            Kind::Null => (lit(ScalarValue::Null), DataType::Null),
            Kind::Column(name) => self.column(name, &span)?,
            Kind::Parameter(name) => self.parameter(name, &span)?,
            Kind::Negate(operand) => {
                if let Kind::Number(digits) = &operand.kind {
                    // A negative constant is a constant.
                    self.number(&format!("-{digits}"), &span)?
                } else {
                    let zero = Value { expr: lit(0_i64), data_type: DataType::Int64, span: span.clone() };
                    let operand = self.node(operand)?;
                    return self.arithmetic(Operation::Subtract, zero, operand, span);
                }
            }
            Kind::Percent(operand) => {
                if let Kind::Number(digits) = &operand.kind {
                    self.number(&hundredth(digits), &span)?
                } else {
                    let percent = Value {
                        expr: lit(ScalarValue::Decimal128(Some(1), 2, 2)),
                        data_type: DataType::Decimal128(2, 2),
                        span: span.clone(),
                    };
                    let operand = self.node(operand)?;
                    return self.arithmetic(Operation::Multiply, operand, percent, span);
                }
            }
            Kind::Binary(binary, left, right) => {
                let (left, right) = (self.node(left), self.node(right));
                let (left, right) = (left?, right?);
                return self.binary(*binary, left, right, span);
            }
            Kind::Call(name, arguments) => return self.call(name, arguments, span),
        };
        Some(Value { expr, data_type, span })
    }

    fn number(&mut self, digits: &str, span: &Range<usize>) -> Option<(Expr, DataType)> {
        if !digits.contains('.')
            && let Ok(whole) = digits.parse::<i64>()
        {
            return Some((lit(whole), DataType::Int64));
        }
        let Some((value, scale)) = number::parse(digits).filter(|(_, scale)| *scale <= crate::types::MAX_PLACES) else {
            self.fail(span.clone(), "This number has too many digits.", "A number has at most 38 digits, 18 of them decimals.");
            return None;
        };
        let digits = value.unsigned_abs().checked_ilog10().map_or(1, |log| log as u8 + 1).max(scale).max(1);
        let data_type = DataType::Decimal128(digits, scale as i8);
        Some((lit(ScalarValue::Decimal128(Some(value), digits, scale as i8)), data_type))
    }

    fn column(&mut self, name: &str, span: &Range<usize>) -> Option<(Expr, DataType)> {
        if let Some((_, data_type)) = self.scope.columns.iter().find(|(known, _)| known == name) {
            self.columns.insert(name.to_owned());
            return Some((column(name), data_type.clone()));
        }
        let names = || self.scope.columns.iter().map(|(known, _)| known.as_str());
        let help = did_you_mean(name, names()).unwrap_or_else(|| match self.scope.columns.len() {
            0 => "There are no columns here.".to_owned(),
            _ => format!("Its columns are: {}.", names().take(12).collect::<Vec<_>>().join(", ")),
        });
        self.fail(span.clone(), format!("Column \"{name}\" is not in this table."), help);
        None
    }

    fn parameter(&mut self, name: &str, span: &Range<usize>) -> Option<(Expr, DataType)> {
        if let Some(value) = self.scope.parameters.get(name) {
            let value = match value {
                ScalarValue::Utf8(text) => ScalarValue::Utf8View(text.clone()),
                other => other.clone(),
            };
            let data_type = value.data_type();
            return Some((lit(value), data_type));
        }
        let help = did_you_mean(name, self.scope.parameters.keys().map(String::as_str))
            .unwrap_or_else(|| "Add it to the workflow's parameters.".into());
        self.fail(span.clone(), format!("The workflow has no parameter \"{name}\"."), help);
        None
    }

    pub(super) fn arithmetic(&mut self, operation: Operation, left: Value, right: Value, span: Range<usize>) -> Option<Value> {
        let moves_date = |data_type: &DataType| matches!(data_type, DataType::Date32);
        let days = match (operation, &left.data_type, &right.data_type) {
            (Operation::Add | Operation::Subtract, date, DataType::Int64) if moves_date(date) => Some("DATEADD"),
            (Operation::Subtract, a, b) if moves_date(a) && moves_date(b) => Some("DAYS"),
            _ => None,
        };
        if let Some(name) = days {
            let (arguments, data_type) = if name == "DAYS" {
                (vec![left.expr, right.expr], DataType::Int64)
            } else {
                let step = if operation == Operation::Subtract { number::negate(right.expr, self.scope.site) } else { right.expr };
                (vec![left.expr, step], DataType::Date32)
            };
            return Some(Value { expr: row::call(name, arguments, self.scope.site)?, data_type, span });
        }
        match number::result_type(operation, &left.data_type, &right.data_type) {
            Ok(data_type) => {
                let expr = number::operate(operation, left.expr, right.expr, self.scope.site);
                Some(Value { expr, data_type, span })
            }
            Err(reason) => {
                let help = self.number_help(&left, &right);
                self.fail(span, format!("These two cannot be calculated with: {reason}."), help);
                None
            }
        }
    }

    fn number_help(&self, left: &Value, right: &Value) -> &'static str {
        match (&left.data_type, &right.data_type) {
            (DataType::Decimal128(_, _), DataType::Float64) | (DataType::Float64, DataType::Decimal128(_, _)) => {
                "Convert one of them: DECIMAL([column], 2) makes the float exact, FLOAT([column]) makes the decimal a float."
            }
            (DataType::Utf8View, _) | (_, DataType::Utf8View) => "VALUE([column]) turns text into a number; & joins texts.",
            _ => "Use numbers on both sides.",
        }
    }

    fn binary(&mut self, binary: Binary, left: Value, right: Value, span: Range<usize>) -> Option<Value> {
        let operation = match binary {
            Binary::Add => Operation::Add,
            Binary::Subtract => Operation::Subtract,
            Binary::Multiply => Operation::Multiply,
            Binary::Divide => Operation::Divide,
            Binary::Power => Operation::Power,
            Binary::Join => {
                let expr = row::call("CONCAT", vec![left.expr, right.expr], self.scope.site)?;
                return Some(Value { expr, data_type: DataType::Utf8View, span });
            }
            _ => {
                let (left, right) = self.comparable(left, right, &span)?;
                let expr = match binary {
                    Binary::Equal => left.eq(right),
                    Binary::NotEqual => left.not_eq(right),
                    Binary::Less => left.lt(right),
                    Binary::LessOrEqual => left.lt_eq(right),
                    Binary::Greater => left.gt(right),
                    _ => left.gt_eq(right),
                };
                debug_assert!(binary.compares());
                return Some(Value { expr, data_type: DataType::Boolean, span });
            }
        };
        self.arithmetic(operation, left, right, span)
    }

    /// Two values as they can be compared, exactly.
    pub(super) fn comparable(&mut self, left: Value, right: Value, span: &Range<usize>) -> Option<(Expr, Expr)> {
        let help = match (&left.data_type, &right.data_type) {
            (DataType::Decimal128(_, _), DataType::Float64) | (DataType::Float64, DataType::Decimal128(_, _)) => {
                self.number_help(&left, &right).to_owned()
            }
            (DataType::Date32 | DataType::Timestamp(_, _), DataType::Utf8View)
            | (DataType::Utf8View, DataType::Date32 | DataType::Timestamp(_, _)) => {
                "Write a date as DATE(2026, 9, 30), or turn the text into one with DATEVALUE.".to_owned()
            }
            (DataType::Utf8View, _) => "Put the other value in quotes if it is text, or turn the text into a number with VALUE.".to_owned(),
            (_, DataType::Utf8View) => "Remove the quotes if it is a number, or turn the text into a number with VALUE.".to_owned(),
            _ => "Compare values of the same type.".to_owned(),
        };
        match unify(&left.data_type, &right.data_type) {
            Some(DataType::Decimal128(_, places)) if outgrows(&left.data_type, places) || outgrows(&right.data_type, places) => {
                let wide = DataType::Decimal256(76, places);
                let widened = |value: Value| datafusion::logical_expr::cast(value.expr, wide.clone());
                Some((widened(left), widened(right)))
            }
            Some(DataType::Decimal128(_, _)) => Some((left.expr, right.expr)),
            Some(data_type) => Some((cast(left, &data_type), cast(right, &data_type))),
            None => {
                let (a, b) = (type_name(&left.data_type), type_name(&right.data_type));
                self.fail(span.clone(), format!("A value of type {a} cannot be compared with one of type {b}."), help);
                None
            }
        }
    }

    fn call(&mut self, name: &str, arguments: &[Node], span: Range<usize>) -> Option<Value> {
        let values: Vec<Option<Value>> = arguments.iter().map(|argument| self.node(argument)).collect();
        let Some(function) = functions::find(name) else {
            let help = match name {
                "TODAY" | "NOW" | "RAND" | "AUJOURDHUI" | "MAINTENANT" => {
                    "The same run must give the same result on any day: use a parameter of the workflow, such as $period.".to_owned()
                }
                "VLOOKUP" | "XLOOKUP" | "RECHERCHEV" | "RECHERCHEX" => "Use a lookup step: it shows what was not found.".to_owned(),
                "SUMIF" | "SUMIFS" | "COUNTIF" => "Use an aggregate step: it groups and adds up.".to_owned(),
                _ => did_you_mean(name, functions::functions().iter().flat_map(|f| [f.name, f.french]))
                    .unwrap_or_else(|| "`weir functions` lists them all.".into()),
            };
            let end = span.start + name.len().min(span.len());
            self.fail(span.start..end, format!("There is no function \"{name}\"."), help);
            return None;
        };
        let count = arguments.len();
        if count < function.arguments.0 || count > function.arguments.1 {
            let s = if count == 1 { "" } else { "s" };
            self.fail(
                span,
                format!("{} does not take {count} argument{s}.", function.name),
                format!("It is written {}.", function.signature),
            );
            return None;
        }
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        match &function.build {
            Build::Special(build) => build(&mut Call { lowering: self, function, span }, values),
            Build::Row { takes, returns, .. } => {
                let mut expressions = Vec::new();
                let mut whole = true;
                for (i, value) in values.into_iter().enumerate() {
                    let kind = takes.get(i).or(takes.last()).copied().unwrap_or(Takes::Any);
                    match self.taken(function, value, kind) {
                        Some(expr) => expressions.push(expr),
                        None => whole = false,
                    }
                }
                if !whole {
                    return None;
                }
                Some(Value { expr: row::call(function.name, expressions, self.scope.site)?, data_type: returns.clone(), span })
            }
        }
    }

    fn taken(&mut self, function: &Function, value: Value, kind: Takes) -> Option<Expr> {
        use DataType::{Boolean, Date32, Decimal128, Float64, Int64, Null, Timestamp};
        let fits = match kind {
            Takes::Any | Takes::Text => true,
            Takes::Integer => matches!(value.data_type, Int64 | Null),
            Takes::Number => matches!(value.data_type, Int64 | Decimal128(_, _) | Float64 | Null),
            Takes::Boolean => matches!(value.data_type, Boolean | Null),
            Takes::Date => matches!(value.data_type, Date32 | Timestamp(_, _) | Null),
        };
        if fits {
            return Some(value.expr);
        }
        let (wanted, help) = match kind {
            Takes::Integer => ("a whole number", "INT or ROUND(…, 0) and INTEGER make one."),
            Takes::Number => ("a number", "VALUE turns text into a number."),
            Takes::Boolean => ("true or false", "Compare it with something."),
            _ => ("a date", "DATEVALUE turns text into a date; DATE(2026, 9, 30) is one."),
        };
        let found = type_name(&value.data_type);
        self.fail(
            value.span,
            format!("{} takes {wanted} here, not {found}.", function.name),
            format!("{help} It is written {}.", function.signature),
        );
        None
    }
}

/// A call of a function that types and lowers itself.
pub(super) struct Call<'a, 'b> {
    pub(super) lowering: &'a mut Lowering<'b>,
    pub(super) function: &'static Function,
    pub(super) span: Range<usize>,
}

impl Call<'_, '_> {
    pub(super) fn site(&self) -> &super::Site {
        self.lowering.scope.site
    }

    pub(super) fn value(&self, expr: Expr, data_type: DataType) -> Option<Value> {
        Some(Value { expr, data_type, span: self.span.clone() })
    }

    pub(super) fn wrong(&mut self, value: &Value, wanted: &str) {
        let found = type_name(&value.data_type);
        let message = format!("{} takes {wanted} here, not {found}.", self.function.name);
        let help = format!("It is written {}.", self.function.signature);
        self.lowering.fail(value.span.clone(), message, help);
    }

    /// The value as a condition; an empty one counts as false.
    pub(super) fn condition(&mut self, value: &Value) -> Option<Expr> {
        if matches!(value.data_type, DataType::Boolean | DataType::Null) {
            return Some(cast(value.clone(), &DataType::Boolean));
        }
        self.wrong(value, "true or false");
        None
    }

    /// Values as they can stand in one column.
    pub(super) fn same(&mut self, values: Vec<Value>) -> Option<(Vec<Expr>, DataType)> {
        let mut common = DataType::Null;
        for value in &values {
            let Some(data_type) = unify(&common, &value.data_type) else {
                let (a, b) = (type_name(&common), type_name(&value.data_type));
                let message = format!("{} gives {a} in one case and {b} in another.", self.function.name);
                self.lowering.fail(value.span.clone(), message, "Make them the same type, for example with TEXT, VALUE, DECIMAL or FLOAT.");
                return None;
            };
            common = data_type;
        }
        let site = self.lowering.scope.site;
        let widened = |value: Value| match common {
            // It may not fit: the error then names the column and the row.
            DataType::Decimal128(_, places) if outgrows(&value.data_type, places) => {
                cast(Value { expr: number::to_decimal(value.expr, places.max(0) as u8, site), ..value }, &common)
            }
            _ => cast(value, &common),
        };
        let expressions = values.into_iter().map(widened).collect();
        Some((expressions, common))
    }
}

/// The type that holds values of both, without loss.
pub(super) fn unify(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Date32, Decimal128, Int64, Null, Timestamp};
    Some(match (a, b) {
        (Null, other) | (other, Null) => other.clone(),
        (Decimal128(_, x), Decimal128(_, y)) => Decimal128(MAX_DIGITS, *x.max(y)),
        (Int64, Decimal128(_, x)) | (Decimal128(_, x), Int64) => Decimal128(MAX_DIGITS, *x),
        (Int64, DataType::Float64) | (DataType::Float64, Int64) => DataType::Float64,
        (Date32, Timestamp(_, _)) | (Timestamp(_, _), Date32) => Timestamp(TimeUnit::Microsecond, None),
        (a, b) if a == b => a.clone(),
        _ => return None,
    })
}

/// Whether a decimal's digits before the mark may not leave room for this many behind it.
fn outgrows(data_type: &DataType, places: i8) -> bool {
    matches!(data_type, DataType::Decimal128(digits, own) if i16::from(*digits) - i16::from(*own) + i16::from(places) > i16::from(MAX_DIGITS))
}

/// The value in a type it fits without loss.
pub(super) fn cast(value: Value, data_type: &DataType) -> Expr {
    if &value.data_type == data_type {
        return value.expr;
    }
    datafusion::logical_expr::cast(value.expr, data_type.clone())
}

/// A hundredth of a number in digits.
fn hundredth(digits: &str) -> String {
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let padded = format!("{whole:0>3}");
    let (before, after) = padded.split_at(padded.len() - 2);
    let text = format!("{before}.{after}{places}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned() + if text.trim_end_matches('0').ends_with('.') { ".0" } else { "" }
}
