//! What a column holds, at a glance: empty values, different values, the most frequent ones, how numbers spread.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, Float64Array, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use datafusion::scalar::ScalarValue;

use super::cell::cell;

/// Different values are counted up to here; a column with more is said to have more.
const DISTINCT: usize = 1000;
/// How many values the spread of a column is drawn from.
const SPREAD: usize = 20_000;
/// How many bars it has.
const BARS: usize = 12;

/// What a column holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// Rows looked at.
    pub rows: u64,
    /// Empty values among them.
    pub nulls: u64,
    /// Different values; `None` when there are more than a thousand.
    pub distinct: Option<usize>,
    /// The most frequent values with their counts, most frequent first; none when there are too many different ones.
    pub top: Vec<(String, u64)>,
    /// The smallest value of a number or date.
    pub min: Option<String>,
    /// The largest value of a number or date.
    pub max: Option<String>,
    /// How numbers and dates spread from the smallest to the largest, as heights from 0 to 1; from the first rows.
    pub bars: Vec<f32>,
}

/// Looks at a column as its batches pass.
#[derive(Debug)]
pub(super) struct Profiler {
    columns: Vec<Column>,
}

#[derive(Debug, Default)]
struct Column {
    rows: u64,
    nulls: u64,
    /// Counts by value; `None` once there are too many.
    values: Option<HashMap<String, u64>>,
    range: Option<(ScalarValue, ScalarValue)>,
    spread: Vec<f64>,
}

impl Profiler {
    pub(super) fn new(columns: usize) -> Self {
        Self { columns: (0..columns).map(|_| Column { values: Some(HashMap::new()), ..Column::default() }).collect() }
    }

    /// Looks at the first columns of a batch.
    pub(super) fn update(&mut self, batch: &RecordBatch) {
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            column.update(array);
        }
    }

    pub(super) fn finish(self) -> Vec<Profile> {
        self.columns.into_iter().map(Column::finish).collect()
    }
}

impl Column {
    fn update(&mut self, array: &ArrayRef) {
        self.rows += array.len() as u64;
        self.nulls += array.null_count() as u64;
        if let Some(values) = &mut self.values {
            for row in 0..array.len() {
                if let Some(value) = cell(array, row) {
                    *values.entry(value).or_default() += 1;
                }
                if values.len() > DISTINCT {
                    self.values = None;
                    break;
                }
            }
        }
        if !measurable(array.data_type()) {
            return;
        }
        if let Some((least, most)) = range(array) {
            self.range = Some(match self.range.take() {
                None => (least, most),
                Some((a, b)) => (if least < a { least } else { a }, if most > b { most } else { b }),
            });
        }
        if self.spread.len() < SPREAD {
            self.spread.extend(numbers(array).into_iter().flat_map(|numbers| numbers.iter().flatten().collect::<Vec<_>>()));
        }
    }

    fn finish(self) -> Profile {
        let distinct = self.values.as_ref().map(HashMap::len);
        let mut top: Vec<(String, u64)> = self.values.into_iter().flatten().collect();
        top.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let (min, max) = self.range.map_or((None, None), |(least, most)| (shown(&least), shown(&most)));
        Profile { rows: self.rows, nulls: self.nulls, distinct, top, min, max, bars: bars(&self.spread) }
    }
}

/// Whether values have a smallest and a largest that say something.
fn measurable(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int64 | DataType::Decimal128(_, _) | DataType::Float64 | DataType::Date32 | DataType::Timestamp(_, _))
}

fn range(array: &ArrayRef) -> Option<(ScalarValue, ScalarValue)> {
    let mut found: Option<(usize, usize)> = None;
    let compare = arrow::array::make_comparator(array, array, arrow::compute::SortOptions::default()).ok()?;
    for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
        found = Some(match found {
            None => (row, row),
            Some((least, most)) => {
                (if compare(row, least).is_lt() { row } else { least }, if compare(row, most).is_gt() { row } else { most })
            }
        });
    }
    let (least, most) = found?;
    Some((ScalarValue::try_from_array(array, least).ok()?, ScalarValue::try_from_array(array, most).ok()?))
}

fn shown(value: &ScalarValue) -> Option<String> {
    cell(value.to_array().ok()?.as_ref(), 0)
}

/// The values as floats, only to draw them.
fn numbers(array: &ArrayRef) -> Option<Float64Array> {
    let lenient = CastOptions { safe: true, ..CastOptions::default() };
    let whole = match array.data_type() {
        DataType::Date32 => cast_with_options(array, &DataType::Int32, &lenient).ok()?,
        DataType::Timestamp(_, _) => cast_with_options(array, &DataType::Int64, &lenient).ok()?,
        _ => ArrayRef::clone(array),
    };
    let floats = cast_with_options(&whole, &DataType::Float64, &lenient).ok()?;
    floats.as_any().downcast_ref::<Float64Array>().cloned()
}

fn bars(values: &[f64]) -> Vec<f32> {
    let (least, most) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
    if !(least.is_finite() && most.is_finite()) || least >= most {
        return vec![];
    }
    let mut counts = [0_u32; BARS];
    for value in values {
        let place = ((value - least) / (most - least) * BARS as f64) as usize;
        counts[place.min(BARS - 1)] += 1;
    }
    let highest = counts.iter().copied().max().unwrap_or(1).max(1) as f32;
    counts.iter().map(|count| *count as f32 / highest).collect()
}
