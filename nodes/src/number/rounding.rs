//! Rounding, to places and to multiples, in every direction people ask for.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::scalar::ScalarValue;

use super::decimal::{Floats, Numbers, Place, rescale, ten, within, written};
use super::site_arguments;
use crate::formula::Site;
use crate::types::MAX_DIGITS;

/// A direction of rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearest; halves away from zero, as Excel's ROUND.
    HalfAwayFromZero,
    /// To the nearest; halves to the even digit, as bankers do.
    HalfEven,
    /// Away from zero, as Excel's ROUNDUP.
    Up,
    /// Towards zero, as Excel's ROUNDDOWN.
    Down,
    /// Towards the larger.
    Ceiling,
    /// Towards the smaller.
    Floor,
}

const ALL: [Rounding; 6] =
    [Rounding::HalfAwayFromZero, Rounding::HalfEven, Rounding::Up, Rounding::Down, Rounding::Ceiling, Rounding::Floor];

impl Rounding {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::HalfAwayFromZero => ("weir_round", "weir_round_multiple"),
            Self::HalfEven => ("weir_round_even", "weir_round_even_multiple"),
            Self::Up => ("weir_round_up", "weir_round_up_multiple"),
            Self::Down => ("weir_round_down", "weir_round_down_multiple"),
            Self::Ceiling => ("weir_ceiling", "weir_ceiling_multiple"),
            Self::Floor => ("weir_floor", "weir_floor_multiple"),
        }
    }

    /// `value` in whole units, rounded in this direction. The unit is positive.
    pub(super) fn units(self, value: i128, unit: i128) -> i128 {
        let (quotient, rest) = (value / unit, value % unit);
        if rest == 0 {
            return quotient;
        }
        let away = if value < 0 { -1 } else { 1 };
        let half = rest.unsigned_abs().cmp(&(unit.unsigned_abs() - rest.unsigned_abs()));
        let step = match self {
            Self::HalfAwayFromZero => half.is_ge(),
            Self::HalfEven => half.is_gt() || (half.is_eq() && quotient % 2 != 0),
            Self::Up => true,
            Self::Down => false,
            Self::Ceiling => value > 0,
            Self::Floor => value < 0,
        };
        quotient + if step { away } else { 0 }
    }

    fn float(self, value: f64) -> f64 {
        match self {
            Self::HalfAwayFromZero => value.round(),
            Self::HalfEven => value.round_ties_even(),
            Self::Up => value.abs().ceil().copysign(value),
            Self::Down => value.trunc(),
            Self::Ceiling => value.ceil(),
            Self::Floor => value.floor(),
        }
    }
}

static FUNCTIONS: LazyLock<Vec<(Rounding, bool, Arc<ScalarUDF>)>> = LazyLock::new(|| {
    ALL.into_iter()
        .flat_map(|rounding| [false, true].map(|multiple| (rounding, multiple, Arc::new(ScalarUDF::from(Round::new(rounding, multiple))))))
        .collect()
});

pub(super) fn functions() -> Vec<ScalarUDF> {
    FUNCTIONS.iter().map(|(.., function)| function.as_ref().clone()).collect()
}

fn call(rounding: Rounding, multiple: bool, x: Expr, by: Expr, site: &Site) -> Expr {
    let [label, key] = site_arguments(site);
    let known =
        FUNCTIONS.iter().find(|(known, kind, _)| (*known, *kind) == (rounding, multiple)).map(|(.., function)| Arc::clone(function));
    known.unwrap_or_else(|| Arc::new(ScalarUDF::from(Round::new(rounding, multiple)))).call(vec![x, by, label, key])
}

/// `x` rounded to a number of decimal places; negative places round to tens, hundreds, …
pub fn round(x: Expr, places: i32, rounding: Rounding, site: &Site) -> Expr {
    call(rounding, false, x, lit(i64::from(places)), site)
}

/// `x` rounded to a multiple of `unit`, whose sign does not matter.
pub fn round_to_multiple(x: Expr, unit: Expr, rounding: Rounding, site: &Site) -> Expr {
    call(rounding, true, x, unit, site)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Round {
    rounding: Rounding,
    multiple: bool,
    signature: Signature,
}

impl Round {
    fn new(rounding: Rounding, multiple: bool) -> Self {
        Self { rounding, multiple, signature: Signature::any(4, Volatility::Immutable) }
    }
}

fn places(value: Option<&ScalarValue>) -> Result<i64> {
    match value {
        Some(ScalarValue::Int64(Some(places))) => Ok((*places).clamp(-38, 38)),
        _ => plan_err!("the number of places must be a whole number that is known before the data is read"),
    }
}

impl ScalarUDFImpl for Round {
    fn name(&self) -> &str {
        if self.multiple { self.rounding.names().1 } else { self.rounding.names().0 }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("the type of a rounded number depends on its places")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let (x, by) = (args.arg_fields[0].data_type(), args.arg_fields[1].data_type());
        let data_type = if self.multiple {
            super::result_type(super::Operation::Add, x, by).map_err(datafusion::common::DataFusionError::Plan)?
        } else {
            match x {
                DataType::Decimal128(_, scale) => {
                    let places = places(args.scalar_arguments[1])?.clamp(0, i64::from((*scale).max(0)));
                    DataType::Decimal128(MAX_DIGITS, places as i8)
                }
                DataType::Null => DataType::Int64,
                other => other.clone(),
            }
        };
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let result = args.return_field.data_type();
        let array: ArrayRef =
            if result == &DataType::Float64 { self.floats(&args.args, rows)? } else { self.exact(&args.args, rows, result)? };
        Ok(ColumnarValue::Array(array))
    }
}

impl Round {
    fn exact(&self, args: &[ColumnarValue], rows: usize, result: &DataType) -> Result<ArrayRef> {
        let x = Numbers::of(&args[0], rows)?;
        let scale = match result {
            DataType::Decimal128(_, scale) => *scale as u8,
            _ => 0,
        };
        let place = Place::of(args)?;
        let mut values = Vec::with_capacity(rows);
        let nulls;
        if self.multiple {
            let unit = Numbers::of(&args[1], rows)?;
            nulls = NullBuffer::union(x.nulls.as_ref(), unit.nulls.as_ref());
            for row in 0..rows {
                if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                    values.push(0);
                    continue;
                }
                let shown = || format!("{} to a multiple of {}", written(x.get(row), x.scale), written(unit.get(row), unit.scale));
                if unit.get(row) == 0 {
                    return Err(place.error(row, &format!("{} is not defined", shown())));
                }
                let rounded = rescale(x.get(row), x.scale, scale).zip(rescale(unit.get(row), unit.scale, scale)).and_then(|(x, unit)| {
                    let unit = unit.checked_abs().filter(|unit| *unit != 0)?;
                    self.rounding.units(x, unit).checked_mul(unit).and_then(within)
                });
                values.push(rounded.ok_or_else(|| place.error(row, &format!("{} has more than 38 digits", shown())))?);
            }
        } else {
            nulls = x.nulls.clone();
            let ColumnarValue::Scalar(by) = &args[1] else { return exec_err!("the places of a rounding are a constant") };
            let places = places(Some(by))?;
            // The unit of rounding, in units of the value's own last place; then to the places of the result.
            let drop = i64::from(x.scale) - places;
            for row in 0..rows {
                if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                    values.push(0);
                    continue;
                }
                let value = x.get(row);
                let rounded = if drop <= 0 {
                    Some(value)
                } else if drop > 38 {
                    // So large a unit has no multiple but zero.
                    (self.rounding.units(value, i128::MAX) == 0).then_some(0)
                } else {
                    let units = self.rounding.units(value, ten(drop as u8));
                    if places < 0 { units.checked_mul(ten((-places) as u8)).and_then(within) } else { Some(units) }
                };
                let from = if drop <= 0 { x.scale } else { places.max(0) as u8 };
                let value = rounded.and_then(|value| rescale(value, from, scale));
                values.push(
                    value.ok_or_else(|| place.error(row, &format!("{} rounded has more than 38 digits", written(x.get(row), x.scale))))?,
                );
            }
        }
        if result == &DataType::Int64 {
            let whole = values
                .into_iter()
                .enumerate()
                .map(|(row, value)| i64::try_from(value).map_err(|_| place.error(row, "the result does not fit a whole number of 64 bits")))
                .collect::<Result<Vec<_>>>()?;
            return Ok(Arc::new(Int64Array::new(whole.into(), nulls)));
        }
        Ok(Arc::new(Decimal128Array::new(values.into(), nulls).with_data_type(result.clone())))
    }

    fn floats(&self, args: &[ColumnarValue], rows: usize) -> Result<ArrayRef> {
        let (x, by) = (Floats::of(&args[0])?, Floats::of(&args[1])?);
        let values = (0..rows)
            .map(|row| {
                let (Some(x), Some(by)) = (x.get(row)?, by.get(row)?) else { return Ok(None) };
                let unit = if self.multiple { by.abs() } else { 10_f64.powf(-by) };
                Ok(Some(if self.multiple {
                    self.rounding.float(x / unit) * unit
                } else {
                    self.rounding.float(x * 10_f64.powf(by)) / 10_f64.powf(by)
                }))
            })
            .collect::<Result<Vec<Option<f64>>>>()?;
        Ok(Arc::new(Float64Array::from(values)))
    }
}
