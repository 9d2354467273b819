//! Slowly changing dimensions of type 2: what changed ends, and begins anew.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, RecordBatch};
use arrow::compute::{concat, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::row::{OwnedRow, RowConverter, SortField};
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use datafusion::common::{Result, exec_datafusion_err};
use weir_nodes::kind::{VALID_FROM, VALID_TO};

/// How a history goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule<'a> {
    pub(super) keys: &'a [String],
    /// From when the rows hold, as `2026-09-30`.
    pub(super) from: &'a str,
    /// Whether keys that are not loaded end too.
    pub(super) end_missing: bool,
}

/// The columns of a history: the rows' own, and from when to when they hold.
pub(super) fn schema(rows: &Schema) -> SchemaRef {
    let own = rows.fields().iter().filter(|field| field.name() != VALID_FROM && field.name() != VALID_TO).cloned();
    let dates = [VALID_FROM, VALID_TO].map(|name| Arc::new(Field::new(name, DataType::Date32, true)));
    Arc::new(Schema::new(own.chain(dates).collect::<Vec<_>>()))
}

/// What a load does to a history.
struct Change {
    old: RecordBatch,
    fresh: RecordBatch,
    day: i32,
    /// The rows that end.
    ended: Vec<usize>,
    /// The rows of the load that begin.
    begins: Vec<u64>,
}

fn change(old: &[RecordBatch], fresh: &[RecordBatch], schema: &SchemaRef, rule: &Rule<'_>) -> Result<Change> {
    let day = NaiveDate::parse_from_str(rule.from, "%Y-%m-%d").map_err(|_| exec_datafusion_err!("\"{}\" is not a date", rule.from))?;
    let day = (day - NaiveDate::default()).num_days() as i32;
    let old = all(old, schema)?;
    let fresh = all(fresh, schema)?;
    let (old_keys, fresh_keys) = (rows_of(&old, rule.keys)?, rows_of(&fresh, rule.keys)?);
    let compared: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .filter(|name| !name.starts_with('_') && name != VALID_FROM && name != VALID_TO && !rule.keys.contains(name))
        .collect();
    let (old_values, fresh_values) = (rows_of(&old, &compared)?, rows_of(&fresh, &compared)?);
    let ends = dates(&old, VALID_TO)?;
    let now: HashMap<&OwnedRow, usize> =
        old_keys.iter().enumerate().filter(|(row, _)| ends.is_null(*row)).map(|(row, key)| (key, row)).collect();
    let (mut ended, mut begins): (Vec<usize>, Vec<u64>) = (Vec::new(), Vec::new());
    for (row, key) in fresh_keys.iter().enumerate() {
        match now.get(key) {
            Some(before) if old_values[*before] == fresh_values[row] => {}
            Some(before) => {
                ended.push(*before);
                begins.push(row as u64);
            }
            None => begins.push(row as u64),
        }
    }
    if rule.end_missing {
        let loaded: HashSet<&OwnedRow> = fresh_keys.iter().collect();
        ended.extend(now.iter().filter(|(key, _)| !loaded.contains(*key)).map(|(_, row)| *row));
    }
    ended.sort_unstable();
    Ok(Change { old, fresh, day, ended, begins })
}

/// What speaks against a load: a key that would change before the last day of which the history speaks, with that day. Time
/// in a history goes one way.
pub(super) fn clash(
    old: &[RecordBatch],
    fresh: &[RecordBatch],
    schema: &SchemaRef,
    rule: &Rule<'_>,
) -> Result<Option<(String, NaiveDate)>> {
    let change = change(old, fresh, schema, rule)?;
    let keys = rows_of(&change.old, rule.keys)?;
    let begun = rows_of(&change.fresh, rule.keys)?;
    let touched: HashSet<&OwnedRow> =
        change.ended.iter().map(|row| &keys[*row]).chain(change.begins.iter().map(|row| &begun[*row as usize])).collect();
    let (starts, ends) = (dates(&change.old, VALID_FROM)?, dates(&change.old, VALID_TO)?);
    let last = |row: usize| [starts, ends].into_iter().filter(|days| days.is_valid(row)).map(|days| days.value(row)).max();
    let later = (0..keys.len()).filter(|row| touched.contains(&keys[*row])).filter_map(|row| Some((last(row)?, row)));
    let Some((day, row)) = later.filter(|(day, _)| *day > change.day).max() else { return Ok(None) };
    let named = rule.keys.iter().map(|name| {
        let value = change.old.column_by_name(name).map(|column| array_value_to_string(column, row)).transpose()?;
        Ok(format!("{name} {}", value.unwrap_or_default()))
    });
    let named = named.collect::<Result<Vec<_>>>()?.join(", ");
    Ok(Some((named, NaiveDate::default() + chrono::Days::new(u64::try_from(day).unwrap_or_default()))))
}

/// The table after a load: rows that hold no longer end on its day, those that are new or differ begin on it.
///
/// What two loads say of one day is kept: the earlier word holds for no time, from that day to that day.
pub(super) fn merged(old: &[RecordBatch], fresh: &[RecordBatch], schema: &SchemaRef, rule: &Rule<'_>) -> Result<RecordBatch> {
    let Change { old, fresh, day, ended, begins } = change(old, fresh, schema, rule)?;
    let mut end: Vec<Option<i32>> = dates(&old, VALID_TO)?.iter().collect();
    ended.iter().for_each(|row| end[*row] = Some(day));
    let begun = take_record_batch(&fresh, &arrow::array::UInt64Array::from(begins))?;
    let froms: ArrayRef = Arc::new(Date32Array::from(vec![day; begun.num_rows()]));
    let open: ArrayRef = Arc::new(Date32Array::from(vec![None; begun.num_rows()]));
    let columns = schema.fields().iter().enumerate().map(|(i, field)| {
        let (before, after): (ArrayRef, ArrayRef) = match field.name().as_str() {
            VALID_TO => (Arc::new(Date32Array::from(end.clone())), Arc::clone(&open)),
            VALID_FROM => (Arc::clone(old.column(i)), Arc::clone(&froms)),
            _ => (Arc::clone(old.column(i)), Arc::clone(begun.column(i))),
        };
        Ok(concat(&[before.as_ref(), after.as_ref()])?)
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<Vec<_>>>()?)?)
}

/// The batches as one, with the columns of a schema; those they lack are empty.
fn all(batches: &[RecordBatch], schema: &SchemaRef) -> Result<RecordBatch> {
    let fitted = batches.iter().map(|batch| {
        let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
            Some(column) => arrow::compute::cast(column, field.data_type()),
            None => Ok(arrow::array::new_null_array(field.data_type(), batch.num_rows())),
        });
        RecordBatch::try_new(Arc::clone(schema), columns.collect::<std::result::Result<Vec<_>, _>>()?)
    });
    let fitted = fitted.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(concat_batches(schema, &fitted)?)
}

fn dates<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Date32Array> {
    let column = batch.column_by_name(name).and_then(|column| column.as_any().downcast_ref());
    column.ok_or_else(|| exec_datafusion_err!("the history has no column {name}"))
}

/// Some columns of each row as one comparable value.
fn rows_of(batch: &RecordBatch, names: &[String]) -> Result<Vec<OwnedRow>> {
    let columns: Vec<ArrayRef> = names.iter().filter_map(|name| batch.column_by_name(name).cloned()).collect();
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let converter = RowConverter::new(fields)?;
    if columns.is_empty() {
        let empty = converter.convert_columns(&[])?;
        return Ok((0..batch.num_rows())
            .map(|_| empty.iter().next().map_or_else(|| converter.parser().parse(&[]).owned(), |row| row.owned()))
            .collect());
    }
    Ok(converter.convert_columns(&columns)?.iter().map(|row| row.owned()).collect())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use weir_nodes::example::{parse_table, print_table};

    use super::*;

    #[test]
    fn what_changed_ends_and_begins_anew() {
        let keys = ["id".to_owned()];
        let first = parse_table("id,city\n1,Lyon\n2,Lille\n3,Nice").unwrap();
        let schema = schema(&first.schema());
        let rule = |from| Rule { keys: &keys, from, end_missing: true };
        let one = merged(&[], &[first], &schema, &rule("2026-01-01")).unwrap();
        let second = parse_table("id,city\n1,Lyon\n2,Paris\n4,Metz").unwrap();
        let two = merged(&[one], &[second], &schema, &rule("2026-02-01")).unwrap();
        assert_eq!(
            print_table(&two),
            "id,city,valid_from:date,valid_to:date\n1,Lyon,2026-01-01,\n2,Lille,2026-01-01,2026-02-01\n3,Nice,2026-01-01,2026-02-01\n2,Paris,2026-02-01,\n4,Metz,2026-02-01,"
        );
    }
    #[test]
    fn a_history_goes_one_way() {
        let keys = ["id".to_owned()];
        let first = parse_table("id,city\n1,Lyon").unwrap();
        let schema = schema(&first.schema());
        let rule = |from| Rule { keys: &keys, from, end_missing: false };
        let one = merged(&[], &[first], &schema, &rule("2026-03-01")).unwrap();
        let moved = [parse_table("id,city\n1,Nice").unwrap()];
        let what = |old: &RecordBatch, from| {
            clash(std::slice::from_ref(old), &moved, &schema, &rule(from)).unwrap().map(|(key, day)| format!("{key}, {day}"))
        };
        assert_eq!(what(&one, "2026-02-01").as_deref(), Some("id 1, 2026-03-01"));
        assert_eq!((what(&one, "2026-03-01"), what(&one, "2026-04-01")), (None, None));
        // Neither before the day on which it ended.
        let ended = merged(std::slice::from_ref(&one), &[], &schema, &Rule { end_missing: true, ..rule("2026-05-01") }).unwrap();
        assert_eq!(what(&ended, "2026-04-01").as_deref(), Some("id 1, 2026-05-01"));
        let corrected = merged(&[one], &moved, &schema, &rule("2026-03-01")).unwrap();
        assert_eq!(print_table(&corrected), "id,city,valid_from:date,valid_to:date\n1,Lyon,2026-03-01,2026-03-01\n1,Nice,2026-03-01,");
    }
}
