//! Strict changes of type: a value either becomes one of the new type or stops the run, naming its column and its row.
//! Never an empty value, never a digit cut off.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};

use crate::ColumnType;
use crate::example::typed_array;
use crate::table::{Table, column};
use crate::types::MAX_DIGITS;

/// The function's name in plans.
const NAME: &str = "weir_retype";

/// The function `weir_retype(value, row, type, column, row label)`; the last three are constants.
pub fn function() -> ScalarUDF {
    ScalarUDF::from(Retype { signature: Signature::any(5, Volatility::Immutable) })
}

/// Whether there is a way from one type to the other.
pub fn possible(from: &DataType, to: ColumnType) -> bool {
    let Some(from_type) = ColumnType::of(from) else { return false };
    match (from_type, to) {
        _ if *from == DataType::Null => true,
        (a, b) if a == b => true,
        (ColumnType::Text, _)
        | (_, ColumnType::Text)
        | (ColumnType::Date, ColumnType::DateTime)
        | (ColumnType::DateTime, ColumnType::Date) => true,
        (a, b) if a.is_number() && b.is_number() => true,
        (ColumnType::Boolean, ColumnType::Integer) => true,
        _ => false,
    }
}

/// A column of a table as another type.
pub fn retype(table: &Table, name: &str, to: ColumnType) -> Expr {
    let (label, row) = match table.order.first() {
        Some(key) => (key.label.as_str(), column(&key.column)),
        None => ("", lit(ScalarValue::Null)),
    };
    function().call(vec![column(name), row, lit(to.to_string()), lit(name), lit(label)])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Retype {
    signature: Signature,
}

impl ScalarUDFImpl for Retype {
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
        let to = wanted(args.scalar_arguments.get(2).copied().flatten())?;
        Ok(Arc::new(Field::new(NAME, to.arrow(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [values, row, to, name, label] = args.args.as_slice() else { return exec_err!("{NAME} takes five arguments") };
        let to = match to {
            ColumnarValue::Scalar(scalar) => wanted(Some(scalar))?,
            ColumnarValue::Array(_) => return exec_err!("{NAME} needs a constant type"),
        };
        let values = values.to_array(args.number_rows)?;
        match changed(&values, to) {
            Ok(array) => Ok(ColumnarValue::Array(array)),
            Err((at, what)) => {
                let rows = row.to_array(args.number_rows)?;
                let place = match text(label) {
                    label if label.is_empty() || rows.is_null(at) => String::new(),
                    label => format!(", {label} {}", arrow::util::display::array_value_to_string(&rows, at)?),
                };
                exec_err!("Column \"{}\"{place}: {what}. Correct the value, or let a formula say what it becomes.", text(name))
            }
        }
    }
}

fn text(value: &ColumnarValue) -> String {
    match value {
        ColumnarValue::Scalar(scalar) => scalar.try_as_str().flatten().unwrap_or_default().to_owned(),
        ColumnarValue::Array(_) => String::new(),
    }
}

fn wanted(constant: Option<&ScalarValue>) -> Result<ColumnType> {
    match constant.and_then(|scalar| scalar.try_as_str().flatten()).map(str::parse::<ColumnType>) {
        Some(Ok(to)) => Ok(to),
        _ => plan_err!("{NAME} needs a constant type"),
    }
}

/// The values as another type, or the first row that does not fit and why.
pub(crate) fn changed(values: &ArrayRef, to: ColumnType) -> std::result::Result<ArrayRef, (usize, String)> {
    let target = to.arrow();
    let (from, from_type) = (values.data_type(), ColumnType::of(values.data_type()));
    if *from == target {
        return Ok(Arc::clone(values));
    }
    match (from_type, to) {
        _ if *from == DataType::Null => cast(values, &target, to),
        (Some(ColumnType::Text), ColumnType::Text) => cast(values, &target, to),
        (Some(ColumnType::Text), _) => parsed(values, to),
        // To the nearest whole number first: a plain cast would cut.
        (Some(ColumnType::Decimal(_) | ColumnType::Float), ColumnType::Integer) => {
            let whole = cast(values, &DataType::Decimal128(MAX_DIGITS, 0), to)?;
            cast(&whole, &target, to)
        }
        (Some(ColumnType::DateTime), ColumnType::Text) => {
            let texts = cast(values, &DataType::Utf8View, to)?;
            let spaced: arrow::array::StringViewArray =
                texts.as_string_view().iter().map(|value| value.map(|text| text.replacen('T', " ", 1))).collect();
            Ok(Arc::new(spaced))
        }
        _ => cast(values, &target, to),
    }
}

/// Arrow's cast, with a value that has no place in the new type found and named.
fn cast(values: &ArrayRef, target: &DataType, to: ColumnType) -> std::result::Result<ArrayRef, (usize, String)> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let result = cast_with_options(values, target, &options).map_err(|error| (0, error.to_string()))?;
    match (0..values.len()).find(|row| result.is_null(*row) && values.is_valid(*row) && *values.data_type() != DataType::Null) {
        None => Ok(result),
        Some(row) => {
            let value = arrow::util::display::array_value_to_string(values, row).unwrap_or_default();
            Err((row, format!("{value} does not fit into {to}")))
        }
    }
}

/// Texts in canonical form as values.
fn parsed(values: &ArrayRef, to: ColumnType) -> std::result::Result<ArrayRef, (usize, String)> {
    let texts = cast(values, &DataType::Utf8View, ColumnType::Text)?;
    let texts: Vec<Option<&str>> = texts.as_string_view().iter().map(|value| value.map(str::trim)).collect();
    typed_array(&texts, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(text: &str, from: ColumnType, to: ColumnType) -> std::result::Result<String, String> {
        let values = typed_array(&[None, Some(text)], from).map_err(|(_, what)| what)?;
        let result = changed(&values, to).map_err(|(row, what)| format!("{row}: {what}"))?;
        assert_eq!(*result.data_type(), to.arrow());
        assert!(result.is_null(0));
        arrow::util::display::array_value_to_string(&result, 1).map_err(|e| e.to_string())
    }

    #[test]
    fn values_change_type_or_say_why_not() {
        use ColumnType::{Boolean, Date, DateTime, Decimal, Float, Integer, Text};
        for (value, from, to, expected) in [
            (" 12.50 ", Text, Decimal(2), Ok("12.50")),
            ("12.505", Text, Decimal(2), Err("1: \"12.505\" is not a number with at most 2 decimals")),
            ("", Text, Integer, Err("1: \"\" is not a whole number")),
            ("2026-09-30", Text, Date, Ok("2026-09-30")),
            ("30/09/2026", Text, Date, Err("1: \"30/09/2026\" is not a date like 2026-09-30")),
            ("1.005", Decimal(3), Decimal(2), Ok("1.01")),
            ("-1.005", Decimal(3), Decimal(2), Ok("-1.01")),
            ("2.5", Decimal(1), Integer, Ok("3")),
            ("-2.5", Float, Integer, Ok("-3")),
            ("7", Integer, Decimal(2), Ok("7.00")),
            ("7.10", Decimal(2), Text, Ok("7.10")),
            ("99999999999999999999.0", Decimal(1), Integer, Err("1: 99999999999999999999 does not fit into integer")),
            ("2026-09-30 12:30:00", DateTime, Text, Ok("2026-09-30 12:30:00")),
            ("2026-09-30 12:30:00", DateTime, Date, Ok("2026-09-30")),
            ("1969-12-31 12:30:00", DateTime, Date, Ok("1969-12-31")),
            ("true", Boolean, Integer, Ok("1")),
            ("NaN", Float, Decimal(2), Err("1: NaN does not fit into decimal(2)")),
        ] {
            assert_eq!(change(value, from, to), expected.map(str::to_owned).map_err(str::to_owned), "{value} from {from} to {to}");
        }
    }
}
