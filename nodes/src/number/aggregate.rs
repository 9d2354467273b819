//! Sums, averages and medians that are exact, checked, and the same in any order.

use std::fmt::Debug;
use std::hash::Hash;
use std::mem::size_of;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Float64Type};
use datafusion::common::cast::{as_decimal128_array, as_float64_array, as_int64_array};
use datafusion::common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, internal_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, Expr, GroupsAccumulator, Signature, Volatility, lit};
use datafusion::physical_expr::expressions::Literal;

use super::decimal::{divide, divide_rounded, within};
use super::float_sum::FloatSum;
use crate::types::{DIVISION_PLACES, MAX_DIGITS, MAX_PLACES};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Figure {
    Sum,
    Average,
    Percentile,
    Deviation,
}

static SUM: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Arc::new(AggregateUDF::from(Exact::new(Figure::Sum))));
static AVERAGE: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Arc::new(AggregateUDF::from(Exact::new(Figure::Average))));
static PERCENTILE: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Arc::new(AggregateUDF::from(Exact::new(Figure::Percentile))));
static DEVIATION: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| Arc::new(AggregateUDF::from(Exact::new(Figure::Deviation))));

pub(super) fn functions() -> Vec<AggregateUDF> {
    [&SUM, &AVERAGE, &PERCENTILE, &DEVIATION].into_iter().map(|function| AggregateUDF::clone(function)).collect()
}

/// The sum of the values that are not empty; empty when there are none. `label` names the column in an error.
pub fn sum(x: Expr, label: &str) -> Expr {
    SUM.call(vec![x, lit(label)])
}

/// The average of the values that are not empty, with at least 12 places, rounded half away from zero.
pub fn average(x: Expr, label: &str) -> Expr {
    AVERAGE.call(vec![x, lit(label)])
}

/// The median of the values that are not empty, rounded as an average is.
pub fn median(x: Expr, label: &str) -> Expr {
    percentile(x, HALF, label)
}

/// The value below which this part of the values lies, in thousandths (500 is the median): between two values by their
/// distance, as Excel's PERCENTILE.INC; rounded as an average is.
pub fn percentile(x: Expr, thousandths: i64, label: &str) -> Expr {
    PERCENTILE.call(vec![x, lit(label), lit(thousandths)])
}

/// The standard deviation of the values that are not empty, taken as a sample (n − 1); a float. Empty for fewer than two.
pub fn deviation(x: Expr, label: &str) -> Expr {
    DEVIATION.call(vec![datafusion::logical_expr::cast(x, DataType::Float64), lit(label)])
}

/// The part, in thousandths, that makes a percentile a median.
const HALF: i64 = 500;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Exact {
    figure: Figure,
    signature: Signature,
}

impl Exact {
    fn new(figure: Figure) -> Self {
        Self { figure, signature: Signature::any(if figure == Figure::Percentile { 3 } else { 2 }, Volatility::Immutable) }
    }
}

fn scale_of(data_type: &DataType) -> u8 {
    match data_type {
        DataType::Decimal128(_, scale) => (*scale).max(0) as u8,
        _ => 0,
    }
}

fn average_places(data_type: &DataType) -> u8 {
    (scale_of(data_type) + 4).clamp(DIVISION_PLACES, MAX_PLACES)
}

fn overflow(label: &str) -> DataFusionError {
    exec_datafusion_err!("The sum of \"{label}\" has too many digits: 38 for decimals, 64 bits for whole numbers.")
}

fn label_of(args: &AccumulatorArgs<'_>) -> String {
    match args.exprs.get(1).and_then(|expr| expr.downcast_ref::<Literal>()).map(Literal::value) {
        Some(ScalarValue::Utf8(Some(label))) => label.clone(),
        _ => args.name.to_owned(),
    }
}

fn thousandths_of(args: &AccumulatorArgs<'_>) -> i64 {
    match args.exprs.get(2).and_then(|expr| expr.downcast_ref::<Literal>()).map(Literal::value) {
        Some(ScalarValue::Int64(Some(part))) => (*part).clamp(0, 1000),
        _ => HALF,
    }
}

impl AggregateUDFImpl for Exact {
    fn name(&self) -> &'static str {
        match self.figure {
            Figure::Sum => "weir_sum",
            Figure::Average => "weir_average",
            Figure::Percentile => "weir_percentile",
            Figure::Deviation => "weir_deviation",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match (&types[0], self.figure) {
            (DataType::Float64, _) => DataType::Float64,
            (DataType::Int64 | DataType::Null, Figure::Sum) => DataType::Int64,
            (DataType::Decimal128(_, _), Figure::Sum) => DataType::Decimal128(MAX_DIGITS, scale_of(&types[0]) as i8),
            (DataType::Int64 | DataType::Decimal128(_, _) | DataType::Null, _) => {
                DataType::Decimal128(MAX_DIGITS, average_places(&types[0]) as i8)
            }
            (other, _) => return plan_err!("{} is not a number", crate::types::type_name(other)),
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let input = args.input_fields[0].data_type();
        let field = |name: &str, data_type| Arc::new(Field::new(format_state_name(args.name, name), data_type, true));
        Ok(match (input, self.figure) {
            (DataType::Float64, _) => vec![field("parts", list_of(DataType::Float64))],
            (_, Figure::Percentile) => vec![field("values", list_of(wide(input)))],
            _ => vec![field("sum", wide(input)), field("count", DataType::Int64)],
        })
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let input = args.expr_fields[0].data_type().clone();
        let result = args.return_field.data_type().clone();
        let label = label_of(&args);
        let thousandths = thousandths_of(&args);
        Ok(match (&input, self.figure) {
            (DataType::Float64, figure) => Box::new(Floats { figure, thousandths, sum: FloatSum::default(), values: vec![], count: 0 }),
            (_, Figure::Percentile) => Box::new(Percentile { input, result, thousandths, values: vec![] }),
            (_, figure) => Box::new(Total { figure, input, result, label, sum: 0, count: 0 }),
        })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.figure != Figure::Percentile && args.expr_fields[0].data_type() != &DataType::Float64
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(GroupTotals {
            figure: self.figure,
            input: args.expr_fields[0].data_type().clone(),
            result: args.return_field.data_type().clone(),
            label: label_of(&args),
            sums: vec![],
            counts: vec![],
        }))
    }
}

fn list_of(data_type: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(data_type, true)))
}

/// The decimal type that carries sums of an input type.
fn wide(input: &DataType) -> DataType {
    DataType::Decimal128(MAX_DIGITS, scale_of(input) as i8)
}

/// The unscaled values of an integer or decimal array.
enum Values<'a> {
    Integers(&'a Int64Array),
    Decimals(&'a Decimal128Array),
    Nothing,
}

impl<'a> Values<'a> {
    fn of(array: &'a ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Int64 => Self::Integers(as_int64_array(array)?),
            DataType::Null => Self::Nothing,
            _ => Self::Decimals(as_decimal128_array(array)?),
        })
    }

    /// Calls `f` with the position and value of everything that is not empty.
    #[inline]
    fn each(&self, mut f: impl FnMut(usize, i128) -> Result<()>) -> Result<()> {
        match self {
            Self::Integers(array) if array.null_count() == 0 => {
                array.values().iter().enumerate().try_for_each(|(i, v)| f(i, i128::from(*v)))
            }
            Self::Decimals(array) if array.null_count() == 0 => array.values().iter().enumerate().try_for_each(|(i, v)| f(i, *v)),
            Self::Integers(array) => array.iter().enumerate().try_for_each(|(i, v)| v.map_or(Ok(()), |v| f(i, i128::from(v)))),
            Self::Decimals(array) => array.iter().enumerate().try_for_each(|(i, v)| v.map_or(Ok(()), |v| f(i, v))),
            Self::Nothing => Ok(()),
        }
    }
}

fn finish(figure: Figure, sum: i128, count: i64, input: &DataType, result: &DataType, label: &str) -> Result<Option<i128>> {
    if count == 0 {
        return Ok(None);
    }
    let value = match figure {
        Figure::Average => divide(sum, i128::from(count), i16::from(scale_of(result)) - i16::from(scale_of(input))),
        _ if result == &DataType::Int64 => i64::try_from(sum).ok().map(i128::from),
        _ => within(sum),
    };
    value.map(Some).ok_or_else(|| overflow(label))
}

fn scalar(value: Option<i128>, result: &DataType) -> ScalarValue {
    match result {
        DataType::Int64 => ScalarValue::Int64(value.map(|value| value as i64)),
        _ => ScalarValue::Decimal128(value, MAX_DIGITS, scale_of(result) as i8),
    }
}

/// A sum or an average over one group.
#[derive(Debug)]
struct Total {
    figure: Figure,
    input: DataType,
    result: DataType,
    label: String,
    sum: i128,
    count: i64,
}

impl Total {
    fn add(&mut self, array: &ArrayRef, sign: i64) -> Result<()> {
        let Self { sum, count, label, .. } = self;
        Values::of(array)?.each(|_, value| {
            *sum = sum.checked_add(value * i128::from(sign)).ok_or_else(|| overflow(label))?;
            *count += sign;
            Ok(())
        })
    }
}

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], 1)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], -1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let value = finish(self.figure, self.sum, self.count, &self.input, &self.result, &self.label)?;
        Ok(scalar(value, &self.result))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.label.len()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sum = within(self.sum).ok_or_else(|| overflow(&self.label))?;
        Ok(vec![scalar(Some(sum), &wide(&self.input)), ScalarValue::Int64(Some(self.count))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Self { sum, count, label, .. } = self;
        Values::of(&states[0])?.each(|_, value| {
            *sum = sum.checked_add(value).ok_or_else(|| overflow(label))?;
            Ok(())
        })?;
        *count += as_int64_array(&states[1])?.iter().flatten().sum::<i64>();
        Ok(())
    }
}

/// Sums or averages over many groups at once.
#[derive(Debug)]
struct GroupTotals {
    figure: Figure,
    input: DataType,
    result: DataType,
    label: String,
    sums: Vec<i128>,
    counts: Vec<i64>,
}

impl GroupTotals {
    fn resize(&mut self, groups: usize) {
        self.sums.resize(groups, 0);
        self.counts.resize(groups, 0);
    }

    fn take(&mut self, emit_to: EmitTo) -> (Vec<i128>, Vec<i64>) {
        (emit_to.take_needed(&mut self.sums), emit_to.take_needed(&mut self.counts))
    }
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl GroupsAccumulator for GroupTotals {
    fn update_batch(&mut self, values: &[ArrayRef], groups: &[usize], filter: Option<&BooleanArray>, total: usize) -> Result<()> {
        self.resize(total);
        let Self { sums, counts, label, .. } = self;
        Values::of(&values[0])?.each(|row, value| {
            if passes(filter, row) {
                let group = groups[row];
                sums[group] = sums[group].checked_add(value).ok_or_else(|| overflow(label))?;
                counts[group] += 1;
            }
            Ok(())
        })
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.resize(total);
        let Self { sums, counts, label, .. } = self;
        let more = as_int64_array(&states[1])?;
        Values::of(&states[0])?.each(|row, value| {
            let group = groups[row];
            sums[group] = sums[group].checked_add(value).ok_or_else(|| overflow(label))?;
            counts[group] += more.value(row);
            Ok(())
        })
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (sums, counts) = self.take(emit_to);
        let values = sums
            .into_iter()
            .zip(counts)
            .map(|(sum, count)| finish(self.figure, sum, count, &self.input, &self.result, &self.label))
            .collect::<Result<Vec<_>>>()?;
        Ok(match &self.result {
            DataType::Int64 => Arc::new(values.into_iter().map(|value| value.map(|value| value as i64)).collect::<Int64Array>()),
            other => Arc::new(Decimal128Array::from(values).with_data_type(other.clone())),
        })
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (sums, counts) = self.take(emit_to);
        if sums.iter().any(|sum| within(*sum).is_none()) {
            return Err(overflow(&self.label));
        }
        let sums = Decimal128Array::from(sums).with_data_type(wide(&self.input));
        Ok(vec![Arc::new(sums), Arc::new(Int64Array::from(counts))])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values[0].len();
        let (mut sums, mut counts) = (vec![0; rows], vec![0; rows]);
        Values::of(&values[0])?.each(|row, value| {
            if passes(filter, row) {
                (sums[row], counts[row]) = (value, 1);
            }
            Ok(())
        })?;
        let sums = Decimal128Array::from(sums).with_data_type(wide(&self.input));
        Ok(vec![Arc::new(sums), Arc::new(Int64Array::from(counts))])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i128>() + self.counts.capacity() * size_of::<i64>()
    }
}

/// A percentile of exact numbers.
#[derive(Debug)]
struct Percentile {
    input: DataType,
    result: DataType,
    thousandths: i64,
    values: Vec<i128>,
}

/// The value before a percentile, the one after it, and how far it lies between them, in thousandths.
fn neighbours<T: Copy>(sorted: &[T], thousandths: i64) -> Option<(T, T, i64)> {
    let steps = (sorted.len() as i64 - 1) * thousandths;
    let place = (steps / 1000) as usize;
    let (low, rest) = (*sorted.get(place)?, steps % 1000);
    Some((low, *sorted.get(place + 1).unwrap_or(&low), rest))
}

impl Accumulator for Percentile {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let kept = &mut self.values;
        Values::of(&values[0])?.each(|_, value| {
            kept.push(value);
            Ok(())
        })
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.values.sort_unstable();
        if self.values.is_empty() {
            return Ok(scalar(None, &self.result));
        }
        let Some((low, high, part)) = neighbours(&self.values, self.thousandths) else { return Ok(scalar(None, &self.result)) };
        let shift = i16::from(scale_of(&self.result)) - i16::from(scale_of(&self.input));
        let part = i128::from(part);
        let value = match low.checked_mul(1000 - part).zip(high.checked_mul(part)).and_then(|(low, high)| low.checked_add(high)) {
            Some(sum) => divide(sum, 1000, shift),
            None => divide(divide_rounded(low, 1000) * (1000 - part) + divide_rounded(high, 1000) * part, 1, shift),
        };
        let value = value.ok_or_else(|| exec_datafusion_err!("A percentile has more than 38 digits."))?;
        Ok(scalar(Some(value), &self.result))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.values.capacity() * size_of::<i128>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let data_type = wide(&self.input);
        let values: Vec<ScalarValue> = self.values.iter().map(|value| scalar(Some(*value), &data_type)).collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &data_type))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists: &ListArray = states[0].as_list();
        for list in lists.iter().flatten() {
            self.values.extend(list.as_primitive::<Decimal128Type>().iter().flatten());
        }
        Ok(())
    }
}

/// A figure of floats.
#[derive(Debug)]
struct Floats {
    figure: Figure,
    thousandths: i64,
    sum: FloatSum,
    values: Vec<f64>,
    count: i64,
}

impl Floats {
    fn add(&mut self, value: f64) {
        self.count += 1;
        if self.figure == Figure::Sum { self.sum.add(value) } else { self.values.push(value) }
    }
}

impl Accumulator for Floats {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        as_float64_array(&values[0])?.iter().flatten().for_each(|value| self.add(value));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.count == 0 {
            return Ok(ScalarValue::Float64(None));
        }
        let value = match self.figure {
            Figure::Sum => self.sum.value(),
            Figure::Average => {
                let mut sum = FloatSum::default();
                self.values.iter().for_each(|value| sum.add(*value));
                sum.value() / self.values.len() as f64
            }
            Figure::Deviation => {
                if self.values.len() < 2 {
                    return Ok(ScalarValue::Float64(None));
                }
                let (mut sum, mut squares) = (FloatSum::default(), FloatSum::default());
                self.values.iter().for_each(|value| sum.add(*value));
                let middle = sum.value() / self.values.len() as f64;
                self.values.iter().for_each(|value| squares.add((value - middle) * (value - middle)));
                (squares.value() / (self.values.len() - 1) as f64).sqrt()
            }
            Figure::Percentile => {
                self.values.sort_unstable_by(f64::total_cmp);
                let Some((low, high, part)) = neighbours(&self.values, self.thousandths) else {
                    return internal_err!("a percentile of nothing");
                };
                low + (high - low) * (part as f64 / 1000.0)
            }
        };
        Ok(ScalarValue::Float64(Some(value)))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.values.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let parts: Vec<ScalarValue> = if self.figure == Figure::Sum {
            self.sum.parts().map(ScalarValue::from).collect()
        } else {
            self.values.iter().copied().map(ScalarValue::from).collect()
        };
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&parts, &DataType::Float64))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists: &ListArray = states[0].as_list();
        for list in lists.iter().flatten() {
            let parts: &Float64Array = list.as_primitive::<Float64Type>();
            parts.iter().flatten().for_each(|part| self.add(part));
        }
        Ok(())
    }
}
