//! Into exact numbers: from text, strictly; from floats, by the digits people see.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, Decimal128Array, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::cast::{as_float64_array, as_string_view_array};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::scalar::ScalarValue;

use super::decimal::{Numbers, Place, rescale, written};
use super::site_arguments;
use crate::formula::Site;
use crate::types::{MAX_DIGITS, MAX_PLACES};

static TO_DECIMAL: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Convert::new(Target::Decimal))));
static TO_INTEGER: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Convert::new(Target::Integer))));
static PARSE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Convert::new(Target::Parse))));

pub(super) fn functions() -> Vec<ScalarUDF> {
    [&TO_DECIMAL, &TO_INTEGER, &PARSE].into_iter().map(|function| ScalarUDF::clone(function)).collect()
}

/// A number with this many decimal places, rounded half away from zero. A float counts by its shortest decimal text.
pub fn to_decimal(x: Expr, places: u8, site: &Site) -> Expr {
    let [label, key] = site_arguments(site);
    TO_DECIMAL.call(vec![x, lit(i64::from(places.min(MAX_PLACES))), label, key])
}

/// The whole part of a number, towards zero.
pub fn to_integer(x: Expr, site: &Site) -> Expr {
    let [label, key] = site_arguments(site);
    TO_INTEGER.call(vec![x, lit(0_i64), label, key])
}

/// The number a text stands for, with at most `places` decimals. Strict: a sign, digits, one decimal mark; groups of
/// thousands only when a group mark is given. Anything else is an error.
pub fn parse_number(text: Expr, places: u8, decimal_mark: char, group_mark: Option<char>, site: &Site) -> Expr {
    let [label, key] = site_arguments(site);
    let marks = format!("{decimal_mark}{}", group_mark.map(String::from).unwrap_or_default());
    PARSE.call(vec![text, lit(i64::from(places.min(MAX_PLACES))), lit(marks), label, key])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Decimal,
    Integer,
    Parse,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Convert {
    target: Target,
    signature: Signature,
}

impl Convert {
    fn new(target: Target) -> Self {
        let arguments = if target == Target::Parse { 5 } else { 4 };
        Self { target, signature: Signature::any(arguments, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Convert {
    fn name(&self) -> &'static str {
        match self.target {
            Target::Decimal => "weir_to_decimal",
            Target::Integer => "weir_to_integer",
            Target::Parse => "weir_parse_number",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("the type of a converted number depends on its places")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let data_type = match (self.target, args.scalar_arguments[1]) {
            (Target::Integer, _) => DataType::Int64,
            (_, Some(ScalarValue::Int64(Some(places)))) => {
                DataType::Decimal128(MAX_DIGITS, (*places).clamp(0, i64::from(MAX_PLACES)) as i8)
            }
            _ => return plan_err!("the number of places must be a whole number that is known before the data is read"),
        };
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let place = Place::of(&args.args)?;
        let scale = match args.return_field.data_type() {
            DataType::Decimal128(_, scale) => *scale as u8,
            _ => 0,
        };
        let too_long = |row, shown: &str| place.error(row, &format!("{shown} has more than 38 digits"));
        let values: Vec<Option<i128>> = match args.args[0].data_type() {
            DataType::Float64 => {
                let array = args.args[0].to_array(rows)?;
                let array = as_float64_array(&array)?;
                (0..rows)
                    .map(|row| {
                        if array.is_null(row) {
                            return Ok(None);
                        }
                        let text = array.value(row).to_string();
                        let (value, places) = parse(&text, '.', None).ok_or_else(|| too_long(row, &text))?;
                        Ok(Some(self.places(value, places, scale).ok_or_else(|| too_long(row, &text))?))
                    })
                    .collect::<Result<_>>()?
            }
            DataType::Utf8View | DataType::Utf8 => {
                let array = arrow::compute::cast(&args.args[0].to_array(rows)?, &DataType::Utf8View)?;
                let array = as_string_view_array(&array)?;
                let marks = match args.args.get(2) {
                    Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(marks)))) if self.target == Target::Parse => marks.clone(),
                    _ => ".".to_owned(),
                };
                let mut marks = marks.chars();
                let (decimal_mark, group_mark) = (marks.next().unwrap_or('.'), marks.next());
                (0..rows)
                    .map(|row| {
                        if array.is_null(row) {
                            return Ok(None);
                        }
                        let text = array.value(row);
                        let wrong = |what: &str| place.error(row, &format!("\"{text}\" {what}"));
                        let (value, places) =
                            parse(text.trim(), decimal_mark, group_mark).ok_or_else(|| wrong("is not a number of at most 38 digits"))?;
                        if self.target == Target::Parse && places > scale {
                            let digits = written(value, places);
                            if digits.trim_end_matches('0').len() > digits.len() - usize::from(places - scale) {
                                return Err(wrong(&format!("has more than {scale} decimals")));
                            }
                        }
                        Ok(Some(self.places(value, places, scale).ok_or_else(|| wrong("has more than 38 digits"))?))
                    })
                    .collect::<Result<_>>()?
            }
            _ => {
                let numbers = Numbers::of(&args.args[0], rows)?;
                (0..rows)
                    .map(|row| {
                        if numbers.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                            return Ok(None);
                        }
                        let value = numbers.get(row);
                        let rescaled = self.places(value, numbers.scale, scale);
                        Ok(Some(rescaled.ok_or_else(|| too_long(row, &written(value, numbers.scale)))?))
                    })
                    .collect::<Result<_>>()?
            }
        };
        let array: ArrayRef = if self.target == Target::Integer {
            let whole = values
                .into_iter()
                .enumerate()
                .map(|(row, value)| {
                    let whole = value.map(i64::try_from).transpose();
                    whole.map_err(|_| place.error(row, "the result does not fit a whole number of 64 bits"))
                })
                .collect::<Result<Vec<_>>>()?;
            Arc::new(Int64Array::from(whole))
        } else {
            Arc::new(Decimal128Array::from(values).with_data_type(args.return_field.data_type().clone()))
        };
        Ok(ColumnarValue::Array(array))
    }
}

impl Convert {
    fn places(&self, value: i128, from: u8, to: u8) -> Option<i128> {
        if self.target == Target::Integer {
            return Some(value / super::decimal::ten(from));
        }
        rescale(value, from, to)
    }
}

/// The unscaled value and the places of a text, or `None` when it is not a plain number of at most 38 digits.
pub(crate) fn parse(text: &str, decimal_mark: char, group_mark: Option<char>) -> Option<(i128, u8)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = match digits.split_once(decimal_mark) {
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    let whole = match group_mark {
        Some(mark) if whole.contains(mark) => {
            let mut groups = whole.split(mark);
            let first = groups.next()?;
            let regular = !first.is_empty() && first.len() <= 3 && groups.all(|group| group.len() == 3);
            if !regular {
                return None;
            }
            whole.replace(mark, "")
        }
        _ => whole.to_owned(),
    };
    if whole.is_empty() && fraction.is_empty() || digits.ends_with(decimal_mark) {
        return None;
    }
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    let places = u8::try_from(fraction.len()).ok().filter(|places| *places <= 38)?;
    super::decimal::within(if negative { -value } else { value }).map(|value| (value, places))
}
