//! What a workflow does to real figures, without publishing anything; and what another version of it changes there.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use arrow::array::{Array, ArrayRef, Float64Array, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, DecimalType, Schema};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::cast::{as_decimal128_array, as_int64_array};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use weir_nodes::Problem;

use crate::check;
use crate::plan::Limits;
use crate::project::Project;
use crate::run::certificate::{OutputProof, Verdict};
use crate::run::{SourceProof, Trial, trial};
use crate::workflow::Workflow;

/// How many columns may make a key that is found out.
const KEY: usize = 4;

/// What a workflow gave when nothing was published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DryRun {
    /// The values of its parameters.
    pub parameters: std::collections::BTreeMap<String, String>,
    /// The files it read.
    pub sources: Vec<SourceProof>,
    /// What its controls said.
    pub verdicts: Vec<Verdict>,
    /// What it would have published.
    pub outputs: Vec<OutputProof>,
    /// The totals of the outputs' columns.
    pub totals: Vec<Total>,
    /// What it changes against the version that was approved before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
}

/// The total of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// Where the rows would have gone.
    pub target: String,
    /// The column.
    pub column: String,
    /// Its total; exact for whole numbers and decimals.
    pub total: String,
}

/// What one version changes against another, output by output.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The outputs.
    pub outputs: Vec<OutputEffect>,
}

/// What changes in one output.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputEffect {
    /// Where the rows go.
    pub target: String,
    /// Rows before; none when it is new.
    pub rows_before: Option<u64>,
    /// Rows after; none when it is gone.
    pub rows_after: Option<u64>,
    /// Rows that are new.
    pub added: u64,
    /// Rows that are gone.
    pub removed: u64,
    /// Rows with the same key and other values.
    pub changed: u64,
    /// The columns that tell rows apart; none where no few columns do, and then nothing counts as changed.
    pub key: Vec<String>,
    /// Columns that are new.
    pub columns_added: Vec<String>,
    /// Columns that are gone.
    pub columns_removed: Vec<String>,
    /// The totals of columns of numbers.
    pub totals: Vec<TotalEffect>,
}

/// The total of a column before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TotalEffect {
    /// The column.
    pub column: String,
    /// Its total before; none when it is new.
    pub before: Option<String>,
    /// Its total after; none when it is gone.
    pub after: Option<String>,
    /// After less before.
    pub difference: Option<String>,
}

impl OutputEffect {
    /// Whether nothing changes there.
    pub fn is_none(&self) -> bool {
        let Self { added, removed, changed, columns_added, columns_removed, rows_before, rows_after, .. } = self;
        added + removed + changed == 0 && columns_added.is_empty() && columns_removed.is_empty() && rows_before == rows_after
    }
}

impl Effect {
    /// The first total that moves by more than so many percent: output, column, and by how many.
    pub(crate) fn beyond(&self, limit: &Decimal) -> Option<(String, String, Decimal)> {
        for output in &self.outputs {
            for total in &output.totals {
                let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Decimal>().ok());
                let (Some(before), Some(difference)) = (number(&total.before), number(&total.difference)) else { continue };
                if difference.is_zero() {
                    continue;
                }
                let percent =
                    if before.is_zero() { Decimal::from(100) } else { (difference / before * Decimal::from(100)).abs().round_dp(2) };
                if percent > *limit {
                    return Some((output.target.clone(), total.column.clone(), percent));
                }
            }
        }
        None
    }
}

/// A table that a workflow would load.
pub(crate) struct Output {
    pub(crate) proof: OutputProof,
    pub(crate) rows: RecordBatch,
}

/// Computes a workflow without publishing anything; gives what its controls say, and the rows it would load.
pub(crate) async fn tried(
    workflow: &Workflow,
    project: &Project,
    set: &[(String, String)],
    limits: &Limits,
) -> Result<(Trial, Vec<Output>), Problem> {
    let scratch = project.scratch()?;
    let checked = check::check(workflow, project, set);
    if !checked.is_runnable() {
        let first = checked.problems.into_iter().find(Problem::is_error);
        return Err(first.unwrap_or_else(|| Problem::error("The workflow cannot run.")));
    }
    let trial = trial(workflow, &checked, project, limits, scratch.path()).await?;
    let mut outputs = Vec::new();
    for (proof, path) in trial.outputs.iter().zip(&trial.tables) {
        let rows = first_rows(path, &proof.target, usize::MAX)?;
        outputs.push(Output { proof: proof.clone(), rows });
    }
    Ok((trial, outputs))
}

/// The first rows of what would be loaded into a target, from the file where a trial left them.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn first_rows(path: &Path, target: &str, rows: usize) -> Result<RecordBatch, Problem> {
    let read = || -> Result<RecordBatch, Box<dyn std::error::Error>> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.with_limit(rows);
        let schema = reader.schema().clone();
        Ok(concat_batches(&schema, &reader.build()?.collect::<Result<Vec<_>, _>>()?)?)
    };
    read().map_err(|why| Problem::error(format!("The rows for {target} cannot be looked at: {why}.")))
}

/// Runs a workflow without publishing anything.
pub async fn dry_run(workflow: &Workflow, project: &Project, set: &[(String, String)], limits: &Limits) -> Result<DryRun, Problem> {
    let (trial, outputs) = tried(workflow, project, set, limits).await?;
    let mut totals = Vec::new();
    for output in &outputs {
        for (field, column) in output.rows.schema().fields().iter().zip(output.rows.columns()) {
            if let Some(total) = total(column)? {
                totals.push(Total { target: output.proof.target.clone(), column: field.name().clone(), total: total.to_string() });
            }
        }
    }
    Ok(DryRun {
        parameters: trial.parameters,
        sources: trial.sources,
        verdicts: trial.verdicts,
        outputs: trial.outputs,
        totals,
        effect: None,
    })
}

/// Runs two versions on the same inputs and compares what they would load.
pub async fn effect(
    before: &Workflow,
    after: &Workflow,
    project: &Project,
    set: &[(String, String)],
    limits: &Limits,
) -> Result<Effect, Problem> {
    // A parameter that only one of the two has is set only there.
    let own = |workflow: &Workflow| set.iter().filter(|(name, _)| workflow.parameters.contains_key(name)).cloned().collect::<Vec<_>>();
    if let Some((name, _)) = set.iter().find(|(name, _)| !before.parameters.contains_key(name) && !after.parameters.contains_key(name)) {
        return Err(Problem::error(format!("Neither version has a parameter \"{name}\".")).help("Look at their names with: weir show."));
    }
    let (_, old) = tried(before, project, &own(before), limits).await?;
    let (_, new) = tried(after, project, &own(after), limits).await?;
    let mut outputs = Vec::new();
    for output in &old {
        let other = new.iter().find(|other| other.proof.target == output.proof.target);
        outputs.push(compare(&output.proof.target, Some(&output.rows), other.map(|other| &other.rows))?);
    }
    for output in new.iter().filter(|output| !old.iter().any(|other| other.proof.target == output.proof.target)) {
        outputs.push(compare(&output.proof.target, None, Some(&output.rows))?);
    }
    Ok(Effect { outputs })
}

fn compare(target: &str, before: Option<&RecordBatch>, after: Option<&RecordBatch>) -> Result<OutputEffect, Problem> {
    let trouble = |error: arrow::error::ArrowError| Problem::error(format!("The rows of {target} cannot be compared: {error}."));
    let rows = |batch: Option<&RecordBatch>| batch.map(|batch| batch.num_rows() as u64);
    let mut effect =
        OutputEffect { target: target.to_owned(), rows_before: rows(before), rows_after: rows(after), ..OutputEffect::default() };
    let empty = RecordBatch::new_empty(std::sync::Arc::new(Schema::empty()));
    let (old, new) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
    let names = |batch: &RecordBatch| batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    let (old_names, new_names) = (names(old), names(new));
    if before.is_some() && after.is_some() {
        effect.columns_added = new_names.iter().filter(|name| !old_names.contains(name)).cloned().collect();
        effect.columns_removed = old_names.iter().filter(|name| !new_names.contains(name)).cloned().collect();
    }
    for name in old_names.iter().chain(new_names.iter().filter(|name| !old_names.contains(name))) {
        let of = |batch: &RecordBatch| batch.column_by_name(name).map(total).transpose().map(Option::flatten);
        let (was, is) = (of(old)?, of(new)?);
        if was.is_none() && is.is_none() {
            continue;
        }
        let difference = match (was, is) {
            (Some(was), Some(is)) => is.minus(was),
            (Some(was), None) => Sum::ZERO.minus(was),
            (None, is) => is,
        };
        let text = |sum: Option<Sum>| sum.map(|sum| sum.to_string());
        effect.totals.push(TotalEffect { column: name.clone(), before: text(was), after: text(is), difference: text(difference) });
    }
    match (before, after) {
        (None, _) => effect.added = new.num_rows() as u64,
        (_, None) => effect.removed = old.num_rows() as u64,
        (Some(_), Some(_)) => {
            let common: Vec<String> = old_names.iter().filter(|name| new_names.contains(name)).cloned().collect();
            let (left, right) = (values(old, new, &common).map_err(trouble)?, values(new, old, &common).map_err(trouble)?);
            let [left, right] = encoded([left, right]).map_err(trouble)?;
            let mut counts: HashMap<&OwnedRow, i64> = HashMap::new();
            left.iter().for_each(|row| *counts.entry(row).or_default() -= 1);
            right.iter().for_each(|row| *counts.entry(row).or_default() += 1);
            let count = |sign: i64| counts.values().filter(|count| **count * sign > 0).map(|count| count.unsigned_abs()).sum::<u64>();
            (effect.added, effect.removed) = (count(1), count(-1));
            if effect.added > 0 && effect.removed > 0 {
                for width in 1..common.len().min(KEY + 1) {
                    let keys = [(old, new), (new, old)].map(|(batch, other)| values(batch, other, &common[..width]));
                    let [a, b] = keys;
                    let [a, b] = encoded([a.map_err(trouble)?, b.map_err(trouble)?]).map_err(trouble)?;
                    let unique = |rows: &[OwnedRow]| rows.iter().collect::<std::collections::HashSet<_>>().len() == rows.len();
                    if !unique(&a) || !unique(&b) {
                        continue;
                    }
                    let places: HashMap<&OwnedRow, usize> = a.iter().enumerate().map(|(at, key)| (key, at)).collect();
                    let changed =
                        b.iter().enumerate().filter(|(at, key)| places.get(key).is_some_and(|old| left[*old] != right[*at])).count() as u64;
                    effect.changed = changed;
                    effect.added -= changed;
                    effect.removed -= changed;
                    effect.key = common[..width].to_vec();
                    break;
                }
            }
        }
    }
    Ok(effect)
}

/// Some columns of a table, in types that both tables have.
fn values(batch: &RecordBatch, other: &RecordBatch, names: &[String]) -> Result<Vec<ArrayRef>, arrow::error::ArrowError> {
    let column = |name: &String| {
        let (Some(own), Some(theirs)) = (batch.column_by_name(name), other.column_by_name(name)) else {
            return Err(arrow::error::ArrowError::SchemaError(format!("no column {name}")));
        };
        if own.data_type() == theirs.data_type() { Ok(own.clone()) } else { cast(own, &DataType::Utf8) }
    };
    names.iter().map(column).collect()
}

/// The rows of two tables with the same columns as values that can be compared.
fn encoded(tables: [Vec<ArrayRef>; 2]) -> Result<[Vec<OwnedRow>; 2], arrow::error::ArrowError> {
    let fields = tables[0].iter().map(|array| SortField::new(array.data_type().clone())).collect();
    let converter = RowConverter::new(fields)?;
    let rows = |columns: &Vec<ArrayRef>| -> Result<Vec<OwnedRow>, arrow::error::ArrowError> {
        if columns.is_empty() {
            return Ok(vec![]);
        }
        Ok(converter.convert_columns(columns)?.iter().map(|row| row.owned()).collect())
    };
    Ok([rows(&tables[0])?, rows(&tables[1])?])
}

/// A sum of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sum {
    Exact { units: i128, places: u32 },
    Float(f64),
}

impl Sum {
    const ZERO: Self = Self::Exact { units: 0, places: 0 };

    /// This less another; none when it has more digits than there are.
    fn minus(self, other: Self) -> Option<Self> {
        let float = |sum: Self| match sum {
            Self::Exact { units, places } => units as f64 / 10_f64.powi(places as i32),
            Self::Float(value) => value,
        };
        match (self, other) {
            (Self::Exact { units: a, places: p }, Self::Exact { units: b, places: q }) => {
                let places = p.max(q);
                let raised = |units: i128, from: u32| units.checked_mul(10_i128.checked_pow(places - from)?);
                Some(Self::Exact { units: raised(a, p)?.checked_sub(raised(b, q)?)?, places })
            }
            (a, b) => Some(Self::Float(float(a) - float(b))),
        }
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Float(value) => write!(f, "{value}"),
            Self::Exact { units, places } => f.write_str(&Decimal128Type::format_decimal(*units, DECIMAL128_MAX_PRECISION, *places as i8)),
        }
    }
}

/// The total of a column of numbers.
fn total(column: &ArrayRef) -> Result<Option<Sum>, Problem> {
    let trouble = |error: datafusion::common::DataFusionError| Problem::error(format!("A total cannot be taken: {error}."));
    let exact = |mut values: Box<dyn Iterator<Item = i128> + '_>, places: u32| {
        let units = values.try_fold(0_i128, i128::checked_add);
        units
            .map(|units| Sum::Exact { units, places })
            .ok_or_else(|| Problem::error("A total has more than 38 digits.").help("Compare fewer rows."))
    };
    match column.data_type() {
        DataType::Int64 => exact(Box::new(as_int64_array(column).map_err(trouble)?.iter().flatten().map(i128::from)), 0).map(Some),
        DataType::Decimal128(_, places) => {
            exact(Box::new(as_decimal128_array(column).map_err(trouble)?.iter().flatten()), *places as u32).map(Some)
        }
        DataType::Float64 => {
            let floats: Option<&Float64Array> = column.as_any().downcast_ref();
            Ok(floats.map(|floats| Sum::Float(floats.iter().flatten().sum())))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_of_totals_are_exact() {
        let a = Sum::Exact { units: 12_345, places: 2 };
        let b = Sum::Exact { units: 5, places: 3 };
        assert_eq!(a.minus(b).map(|sum| sum.to_string()), Some("123.445".into()));
        assert_eq!(Sum::ZERO.minus(a).map(|sum| sum.to_string()), Some("-123.45".into()));
    }
}
