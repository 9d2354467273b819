//! A column as a contract wants it: cleaned, read in the ways people write, of the contract's type. What is no value of
//! that type becomes empty, and is told apart.
//!
//! One function does all of it, so that a plan stays as small as the contract is.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::ColumnType;
use crate::contract::{Clean, ContractColumn};
use crate::example::typed_array;
use crate::filter::retype::changed;
use crate::formula::dates;
use crate::number::{parse_written, written};

/// The function's name in plans.
const NAME: &str = "weir_accept";
/// Formats of dates that are always tried.
const DATES: [&str; 4] = ["yyyy-mm-dd", "dd/mm/yyyy", "dd.mm.yyyy", "dd-mm-yyyy"];
/// And of moments.
const MOMENTS: [&str; 4] = ["yyyy-mm-dd hh:mm:ss", "yyyy-mm-ddThh:mm:ss", "dd/mm/yyyy hh:mm:ss", "dd/mm/yyyy hh:mm"];

/// How a column is accepted.
#[derive(Debug, Serialize, Deserialize)]
struct How {
    to: ColumnType,
    clean: Vec<Clean>,
    default: Option<String>,
    dates: Vec<String>,
    misfits: bool,
}

/// The function `weir_accept(value, how)`; `how` is a constant.
pub(crate) fn function() -> ScalarUDF {
    ScalarUDF::from(Accept { signature: Signature::any(2, Volatility::Immutable) })
}

fn call(column: Expr, asked: &ContractColumn, misfits: bool) -> Expr {
    let ContractColumn { column_type, clean, default, dates, .. } = asked;
    let how = How { to: *column_type, clean: clean.clone(), default: default.clone(), dates: dates.clone(), misfits };
    function().call(vec![column, lit(serde_json::to_string(&how).unwrap_or_default())])
}

/// A column's values as the contract wants them; empty where they are no values of its type.
pub(crate) fn accepted(column: Expr, asked: &ContractColumn) -> Expr {
    call(column, asked, false)
}

/// Whether a value is there and is none of the contract's type.
pub(crate) fn misfit(column: Expr, asked: &ContractColumn) -> Expr {
    call(column, asked, true)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Accept {
    signature: Signature,
}

fn how(constant: Option<&ScalarValue>) -> Result<How> {
    match constant.and_then(|scalar| scalar.try_as_str().flatten()).map(serde_json::from_str) {
        Some(Ok(how)) => Ok(how),
        _ => plan_err!("{NAME} needs a constant"),
    }
}

impl ScalarUDFImpl for Accept {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("the type depends on a constant")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let how = how(args.scalar_arguments.get(1).copied().flatten())?;
        let data_type = if how.misfits { DataType::Boolean } else { how.to.arrow() };
        Ok(Arc::new(Field::new(NAME, data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [values, constant] = args.args.as_slice() else { return exec_err!("{NAME} takes two arguments") };
        let how = match constant {
            ColumnarValue::Scalar(scalar) => how(Some(scalar))?,
            ColumnarValue::Array(_) => return exec_err!("{NAME} needs a constant"),
        };
        let values = values.to_array(args.number_rows)?;
        let (typed, misfits) = how.read(&values)?;
        Ok(ColumnarValue::Array(if how.misfits { Arc::new(misfits) } else { typed }))
    }
}

/// A text with only what a contract leaves of it.
fn cleaned(text: &str, how: &[Clean]) -> String {
    let mut text = text.trim().to_owned();
    for clean in how {
        text = match clean {
            Clean::Trim => text,
            Clean::SingleSpaces => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Clean::Upper => text.to_uppercase(),
            Clean::Lower => text.to_lowercase(),
            Clean::Title => titled(&text),
            Clean::Code => text.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect(),
        };
    }
    text
}

/// A capital at the start of every word, as `PROPER` has it.
fn titled(text: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

/// How people write numbers: a comma that could stand before decimals or between thousands is no number.
struct Numbers([(Regex, char, Option<char>); 4]);

impl Numbers {
    fn new() -> Result<Self> {
        let regex = |pattern: &str| Regex::new(pattern).map_err(|error| datafusion::common::DataFusionError::Internal(error.to_string()));
        Ok(Self([
            (regex(r"^[+-]?\d+(\.\d+)?$")?, '.', None),
            (regex(r"^[+-]?\d{1,3}(,\d{3})+\.\d+$")?, '.', Some(',')),
            (regex(r"^[+-]?\d{1,3}(\.\d{3})+,\d+$")?, ',', Some('.')),
            (regex(r"^[+-]?(\d+,\d{1,2}|\d+,\d{4,}|0,\d+|\d{4,},\d+)$")?, ',', None),
        ]))
    }

    /// The number a text stands for, written plainly, with at most so many decimals that count.
    fn read(&self, text: &str, places: u8) -> Option<String> {
        let bare: String = text.chars().filter(|c| !c.is_whitespace() && *c != '\'').collect();
        let (_, decimal_mark, group_mark) = self.0.iter().find(|(pattern, ..)| pattern.is_match(&bare))?;
        let (mut value, mut found) = parse_written(&bare, *decimal_mark, *group_mark)?;
        while found > places && value % 10 == 0 {
            (value, found) = (value / 10, found - 1);
        }
        (found <= places).then(|| written(value, found))
    }
}

impl How {
    /// The values of the contract's type, and which of those that are there are none of it.
    fn read(&self, values: &ArrayRef) -> Result<(ArrayRef, BooleanArray)> {
        let from = ColumnType::of(values.data_type()).unwrap_or(ColumnType::Text);
        let as_read = from == ColumnType::Text || from != self.to && (self.to.is_number() || self.to == ColumnType::Boolean);
        if !as_read {
            // A way without choices: days and moments, anything as text.
            let typed = changed(values, self.to).map_err(|(_, what)| datafusion::common::DataFusionError::Execution(what))?;
            let typed = self.filled(typed)?;
            return Ok((typed, BooleanArray::from(vec![false; values.len()])));
        }
        let texts = changed(values, ColumnType::Text).map_err(|(_, what)| datafusion::common::DataFusionError::Execution(what))?;
        let numbers = Numbers::new()?;
        let mut read: Vec<Option<String>> = Vec::with_capacity(texts.len());
        let mut misfits = vec![false; texts.len()];
        for (row, text) in texts.as_string_view().iter().enumerate() {
            let text = text.map(|text| cleaned(text, &self.clean)).filter(|text| !text.is_empty());
            read.push(match text {
                None => self.default.clone(),
                Some(text) => {
                    let value = self.value(&text, &numbers);
                    misfits[row] = value.is_none();
                    value
                }
            });
        }
        // What is written like a value and still is none: too many digits, a thirteenth month.
        loop {
            let borrowed: Vec<Option<&str>> = read.iter().map(Option::as_deref).collect();
            match typed_array(&borrowed, self.to) {
                Ok(typed) => return Ok((typed, BooleanArray::from(misfits))),
                Err((row, _)) => (read[row], misfits[row]) = (None, true),
            }
        }
    }

    /// A text in the plain form of the contract's type.
    fn value(&self, text: &str, numbers: &Numbers) -> Option<String> {
        let formats = || DATES.iter().copied().chain(self.dates.iter().map(String::as_str));
        match self.to {
            ColumnType::Text => Some(text.to_owned()),
            ColumnType::Integer => numbers.read(text, 0),
            ColumnType::Decimal(places) => numbers.read(text, places),
            ColumnType::Float => numbers.read(text, 18),
            ColumnType::Boolean => match text.to_lowercase().as_str() {
                "true" | "yes" | "oui" | "vrai" | "1" => Some("true".into()),
                "false" | "no" | "non" | "faux" | "0" => Some("false".into()),
                _ => None,
            },
            ColumnType::Date => formats().find_map(|format| dates::parse(text, format)).map(|day| day.format("%Y-%m-%d").to_string()),
            ColumnType::DateTime => {
                let all = MOMENTS.into_iter().chain(formats());
                all.into_iter().find_map(|format| dates::parse(text, format)).map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string())
            }
        }
    }

    /// The default in place of empty values.
    fn filled(&self, typed: ArrayRef) -> Result<ArrayRef> {
        let Some(default) = self.default.as_deref().filter(|_| typed.null_count() > 0) else { return Ok(typed) };
        let default = typed_array(&[Some(default)], self.to);
        let default =
            default.map_err(|(_, what)| datafusion::common::DataFusionError::Execution(format!("the default does not fit: {what}")))?;
        let mask = arrow::compute::is_null(&typed)?;
        Ok(arrow::compute::kernels::zip::zip(&mask, &arrow::array::Scalar::new(default), &typed)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(to: ColumnType, default: Option<&str>) -> How {
        How { to, clean: vec![], default: default.map(str::to_owned), dates: vec!["yyyymmdd".into()], misfits: false }
    }

    fn reads(how: &How, texts: &[Option<&str>], from: ColumnType) -> Vec<String> {
        let values = typed_array(texts, from).unwrap_or_else(|(row, what)| unreachable!("{row}: {what}"));
        let (typed, misfits) = how.read(&values).unwrap_or_else(|error| unreachable!("{error}"));
        let shown = |row: usize| match (misfits.value(row), typed.is_null(row)) {
            (true, _) => "✕".to_owned(),
            (false, true) => String::new(),
            (false, false) => arrow::util::display::array_value_to_string(&typed, row).unwrap_or_default(),
        };
        (0..values.len()).map(shown).collect()
    }

    #[test]
    fn values_are_read_as_people_write_them_and_nothing_is_guessed() {
        use ColumnType::{Boolean, Date, DateTime, Decimal, Integer, Text};
        for (to, text, expected) in [
            (Decimal(2), "1234.50", "1234.50"),
            (Decimal(2), " 1 234,5 ", "1234.50"),
            (Decimal(2), "1\u{202f}234,50", "1234.50"),
            (Decimal(2), "1,234.50", "1234.50"),
            (Decimal(2), "1.234,50", "1234.50"),
            (Decimal(2), "-0,05", "-0.05"),
            (Decimal(2), "2.5000", "2.50"),
            (Decimal(2), "2.505", "✕"),
            (Decimal(2), "1,234", "✕"),
            (Decimal(3), "0,655", "0.655"),
            (Decimal(2), "12 €", "✕"),
            (Decimal(2), "99999999999999999999999999999", "✕"),
            (Integer, "7,00", "7"),
            (Integer, "7.5", "✕"),
            (Date, "30/09/2026", "2026-09-30"),
            (Date, "30.09.2026", "2026-09-30"),
            (Date, "20260930", "2026-09-30"),
            (Date, "31/02/2026", "✕"),
            (DateTime, "2026-09-30 07:05:00", "2026-09-30T07:05:00"),
            (DateTime, "30/09/2026", "2026-09-30T00:00:00"),
            (Boolean, "Oui", "true"),
            (Boolean, "maybe", "✕"),
            (Text, "  x  ", "x"),
            (Text, "   ", ""),
        ] {
            assert_eq!(reads(&asked(to, None), &[Some(text), None], Text), [expected, ""], "{text} as {to}");
        }
        assert_eq!(reads(&asked(Decimal(2), Some("0")), &[Some(""), None, Some("1")], Text), ["0.00", "0.00", "1.00"]);
        assert_eq!(reads(&asked(Integer, Some("9")), &[None, Some("1")], Integer), ["9", "1"]);
        assert_eq!(reads(&asked(Decimal(2), None), &[Some("7.125"), Some("7.120")], Decimal(3)), ["✕", "7.12"]);
        assert_eq!(reads(&asked(Text, None), &[Some("0012")], Integer), ["12"]);
        assert_eq!(reads(&asked(Date, None), &[Some("2026-09-30 12:00:00")], DateTime), ["2026-09-30"]);
    }

    #[test]
    fn texts_are_cleaned_in_order() {
        assert_eq!(cleaned("  ab  c* ", &[Clean::SingleSpaces, Clean::Upper]), "AB C*");
        assert_eq!(cleaned(" ab-1*_é ", &[Clean::Code, Clean::Upper]), "AB-1_É");
        assert_eq!(cleaned("jean PETIT-dupont", &[Clean::Title]), "Jean Petit-Dupont");
    }
}
