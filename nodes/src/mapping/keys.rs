//! The lines of a mapping table: how keys are written, which comes first, and how they are found.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, Int64Array, StringViewArray, UInt64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::cast::{as_int64_array, as_string_view_array};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, cast, lit,
};
use datafusion::scalar::ScalarValue;

use super::mapping::{Line, Mapping};
use crate::kind::Planning;
use crate::problem::Problem;

/// A key of one column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Exact(String),
    /// From, to; both included. Whole numbers compare as numbers, other texts as texts.
    Range(Option<String>, Option<String>),
    /// With `*` for anything and `?` for one character.
    Wildcard(String),
}

impl Key {
    fn parse(text: &str) -> Self {
        if let Some((from, to)) = text.split_once("..")
            && (!from.is_empty() || !to.is_empty())
        {
            let side = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            return Self::Range(side(from), side(to));
        }
        if text.contains(['*', '?']) { Self::Wildcard(text.to_owned()) } else { Self::Exact(text.to_owned()) }
    }

    fn folded(self) -> Self {
        match self {
            Self::Exact(text) => Self::Exact(text.to_lowercase()),
            Self::Range(from, to) => Self::Range(from.map(|t| t.to_lowercase()), to.map(|t| t.to_lowercase())),
            Self::Wildcard(text) => Self::Wildcard(text.to_lowercase()),
        }
    }

    /// How specific it is: exact keys first, then ranges, then wildcards by the characters they name.
    fn rank(&self) -> (u8, Reverse<usize>) {
        match self {
            Self::Exact(_) => (0, Reverse(0)),
            Self::Range(_, _) => (1, Reverse(0)),
            Self::Wildcard(text) => (2, Reverse(text.chars().filter(|c| !matches!(c, '*' | '?')).count())),
        }
    }

    /// Whether a text fits, as an expression.
    pub(super) fn fits(&self, subject: &Expr) -> Expr {
        let text = |text: &str| lit(ScalarValue::Utf8View(Some(text.to_owned())));
        match self {
            Self::Exact(wanted) => subject.clone().eq(text(wanted)),
            Self::Wildcard(pattern) if pattern == "*" => subject.clone().is_not_null(),
            Self::Wildcard(pattern) => {
                let mut like = String::new();
                for c in pattern.chars() {
                    match c {
                        '*' => like.push('%'),
                        '?' => like.push('_'),
                        '%' | '_' | '\\' => {
                            like.push('\\');
                            like.push(c);
                        }
                        other => like.push(other),
                    }
                }
                subject.clone().like(text(&like))
            }
            Self::Range(from, to) => {
                IN_RANGE.call(vec![subject.clone(), lit(ScalarValue::Utf8(from.clone())), lit(ScalarValue::Utf8(to.clone()))])
            }
        }
    }
}

/// A line that was understood.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) keys: Vec<Key>,
    pub(super) values: Vec<Option<String>>,
    /// Its place in the table, from 0.
    pub(super) place: i64,
    /// The line of the file, when it comes from one.
    line: Option<u64>,
    priority: i64,
}

impl Entry {
    pub(super) fn is_exact(&self) -> bool {
        self.keys.iter().all(|key| matches!(key, Key::Exact(_)))
    }

    /// A problem at the place this entry was written.
    pub(super) fn locate(&self, problem: Problem, mapping: &Mapping) -> Problem {
        match (&mapping.file, self.line) {
            (Some(file), Some(line)) => problem.on("file").in_file(&file.0, Some(line)),
            _ => problem.on(format!("table[{}]", self.place)),
        }
    }
}

/// The lines of the table, from the workflow or from its file.
pub(super) fn lines(mapping: &Mapping, cx: &mut Planning<'_>) -> Option<Vec<(Line, Option<u64>)>> {
    let Some(file) = &mapping.file else {
        return Some(mapping.table.iter().map(|line| (line.clone(), None)).collect());
    };
    if !mapping.table.is_empty() {
        cx.problem(Problem::error("A mapping has a table or a file, not both.").on("file").help("Remove one of them."));
        return None;
    }
    let path = cx.source_file(&file.0, "file")?;
    let wrong = |message: String, line: Option<u64>, help: &str| Problem::error(message).on("file").in_file(&file.0, line).help(help);
    let text = match std::fs::read(&path).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => {
            let at = error.utf8_error().valid_up_to();
            cx.problem(wrong(format!("The file is not UTF-8 at byte {at}."), None, "Save it as UTF-8."));
            return None;
        }
        Err(error) => {
            cx.problem(wrong(format!("The file cannot be read: {error}."), None, "Check its permissions."));
            return None;
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let header = text.lines().next().unwrap_or_default();
    let separator = [b';', b'\t', b','].into_iter().max_by_key(|mark| header.bytes().filter(|byte| byte == mark).count()).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(|name| name.trim().to_owned()).collect(),
        Err(error) => {
            cx.problem(wrong(format!("The header cannot be read: {error}."), Some(1), "Correct the file."));
            return None;
        }
    };
    let mut places = Vec::new();
    let wanted = mapping.from.0.iter().map(|from| from.0.as_str()).chain(mapping.to.iter().map(|made| made.name.0.as_str()));
    for name in wanted {
        match names.iter().position(|known| known == name) {
            Some(place) => places.push(place),
            None => {
                let help = crate::problem::did_you_mean(name, names.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("Its columns are: {}.", names.join(", ")));
                cx.problem(wrong(format!("The file has no column \"{name}\"."), Some(1), &help));
            }
        }
    }
    if cx.failed() {
        return None;
    }
    let (keys, values) = places.split_at(mapping.from.0.len());
    let priority = names.iter().position(|name| name == "priority");
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map(csv::Position::line);
                cx.problem(wrong(format!("A line cannot be read: {error}."), line, "Correct the file."));
                return None;
            }
        };
        let line = record.position().map(csv::Position::line);
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != names.len() {
            cx.problem(wrong(format!("This line has {} fields instead of {}.", record.len(), names.len()), line, "Correct the line."));
            continue;
        }
        let priority = match priority.and_then(|place| record.get(place)).map(str::trim).filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => match text.parse() {
                Ok(priority) => Some(priority),
                Err(_) => {
                    cx.problem(wrong(format!("\"{text}\" is not a priority."), line, "Use a whole number."));
                    None
                }
            },
        };
        let cell = |place: &usize| record.get(*place).unwrap_or_default().to_owned();
        let value = |place: &usize| Some(cell(place)).filter(|text| !text.is_empty());
        lines.push((Line { keys: keys.iter().map(cell).collect(), values: values.iter().map(value).collect(), priority }, line));
    }
    (!cx.failed()).then_some(lines)
}

/// The entries in the order in which they count. Two lines with equal keys and the same priority are a problem: which
/// of them counts would be chance.
pub(super) fn entries(mapping: &Mapping, lines: &[(Line, Option<u64>)], cx: &mut Planning<'_>) -> Option<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut seen: HashMap<(Vec<Key>, i64), usize> = HashMap::new();
    for (place, (line, number)) in lines.iter().enumerate() {
        let keys: Vec<Key> = line
            .keys
            .iter()
            .map(|key| {
                let key = Key::parse(if mapping.trim || mapping.file.is_some() { key.trim() } else { key });
                if mapping.ignore_case { key.folded() } else { key }
            })
            .collect();
        let entry = Entry { keys, values: line.values.clone(), place: place as i64, line: *number, priority: line.priority.unwrap_or(0) };
        for (found, wanted, what) in [(entry.keys.len(), mapping.from.0.len(), "keys"), (entry.values.len(), mapping.to.len(), "values")] {
            if found != wanted {
                let problem = Problem::error(format!("This line has {found} {what} instead of {wanted}."));
                cx.problem(entry.locate(problem, mapping).help("Give one for each column."));
            }
        }
        if let Some(other) = seen.insert((entry.keys.clone(), entry.priority), place) {
            let shown = line.keys.join(", ");
            let place_of = |i: usize| lines[i].1.map_or_else(|| format!("entry {}", i + 1), |line| format!("line {line}"));
            let problem = Problem::error(format!("The key \"{shown}\" stands in {} and in {}.", place_of(other), place_of(place)));
            cx.problem(entry.locate(problem, mapping).help("Remove one of them, or give them different priorities."));
        }
        entries.push(entry);
    }
    if cx.failed() {
        return None;
    }
    entries.sort_by_key(|entry| {
        // The least exact key of a line tells, then the next.
        let mut ranks: Vec<_> = entry.keys.iter().map(Key::rank).collect();
        ranks.sort_unstable_by(|a, b| b.cmp(a));
        (entry.priority, ranks, entry.place)
    });
    Some(entries)
}

/// A value as the text that keys are compared with.
pub(super) fn as_text(value: Expr, trim: bool, fold: bool) -> Expr {
    let mut text = cast(value, DataType::Utf8View);
    if trim {
        text = datafusion::functions::string::expr_fn::btrim(vec![text]);
    }
    if fold {
        text = datafusion::functions::string::expr_fn::lower(text);
    }
    cast(text, DataType::Utf8View)
}

/// Between the parts of a key of several columns: no text of a table contains it.
const JOINT: char = '\u{1f}';

/// The place of the entry whose exact keys are a row's values.
pub(super) fn exact_place(subjects: &[Expr], run: &[Entry]) -> Expr {
    let keys = run.iter().map(|entry| {
        let parts: Vec<&str> = entry
            .keys
            .iter()
            .map(|key| match key {
                Key::Exact(text) => text.as_str(),
                _ => "",
            })
            .collect();
        Some(parts.join(&JOINT.to_string()))
    });
    let keys: ArrayRef = Arc::new(keys.collect::<StringViewArray>());
    let places: ArrayRef = Arc::new(Int64Array::from_iter_values(run.iter().map(|entry| entry.place)));
    let mut arguments = vec![list(keys), list(places)];
    arguments.extend(subjects.iter().cloned());
    FIND.call(arguments)
}

/// The value at a place of a column of values.
pub(super) fn by_place(place: Expr, values: ArrayRef) -> Expr {
    PICK.call(vec![list(values), place])
}

fn list(values: ArrayRef) -> Expr {
    let list = datafusion::common::utils::SingleRowListArrayBuilder::new(values).build_list_array();
    lit(ScalarValue::List(Arc::new(list)))
}

static FIND: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Table::new(Task::Find))));
static PICK: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Table::new(Task::Pick))));
static IN_RANGE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(Table::new(Task::InRange))));

/// The functions mappings add, for registration by name.
pub(crate) fn scalar_functions() -> Vec<ScalarUDF> {
    [&FIND, &PICK, &IN_RANGE].into_iter().map(|function| ScalarUDF::clone(function)).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Task {
    /// `find(keys, places, value, …)`: the place of the key that the values make.
    Find,
    /// `pick(values, place)`
    Pick,
    /// `in_range(text, from, to)`
    InRange,
}

/// A function over constant tables, which are its first arguments.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Table {
    task: Task,
    signature: Signature,
}

impl Table {
    fn new(task: Task) -> Self {
        Self { task, signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

fn table(value: &ColumnarValue) -> Result<ArrayRef> {
    match value {
        ColumnarValue::Scalar(ScalarValue::List(list)) => Ok(list.value(0)),
        ColumnarValue::Array(array) if !array.is_empty() => match array.as_any().downcast_ref::<arrow::array::ListArray>() {
            Some(list) => Ok(list.value(0)),
            None => exec_err!("a mapping's table is a list"),
        },
        _ => exec_err!("a mapping's table is a constant"),
    }
}

/// Whether a text lies in a range: as a number when all of them are whole numbers, else as text.
fn in_range(text: &str, from: Option<&str>, to: Option<&str>) -> bool {
    let number = |text: &str| text.parse::<i128>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit() || b == b'-'));
    let ends: Vec<&str> = from.into_iter().chain(to).collect();
    if let (Some(value), true) = (number(text), ends.iter().all(|end| number(end).is_some())) {
        return from.and_then(number).is_none_or(|from| from <= value) && to.and_then(number).is_none_or(|to| value <= to);
    }
    if ends.iter().all(|end| number(end).is_some()) {
        return false;
    }
    from.is_none_or(|from| from <= text) && to.is_none_or(|to| text <= to)
}

impl ScalarUDFImpl for Table {
    fn name(&self) -> &'static str {
        match self.task {
            Task::Find => "weir_mapping_find",
            Task::Pick => "weir_mapping_pick",
            Task::InRange => "weir_mapping_in_range",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("the type depends on the table")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let data_type = match (self.task, args.arg_fields[0].data_type()) {
            (Task::Find, _) => DataType::Int64,
            (Task::InRange, _) => DataType::Boolean,
            (Task::Pick, DataType::List(item)) => item.data_type().clone(),
            _ => return plan_err!("a mapping's table is a list"),
        };
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let text = |value: &ColumnarValue| {
            Ok::<_, datafusion::common::DataFusionError>(arrow::compute::cast(&value.to_array(rows)?, &DataType::Utf8View)?)
        };
        let result: ArrayRef = match self.task {
            Task::Find => {
                let (keys, places) = (table(&args.args[0])?, table(&args.args[1])?);
                let (keys, places) = (as_string_view_array(&keys)?, as_int64_array(&places)?);
                let known: HashMap<&str, i64> = keys.iter().flatten().zip(places.values().iter().copied()).collect();
                let subjects = args.args[2..].iter().map(text).collect::<Result<Vec<_>>>()?;
                let subjects = subjects.iter().map(|array| as_string_view_array(array)).collect::<Result<Vec<_>>>()?;
                let mut joined = String::new();
                let found: Int64Array = (0..rows)
                    .map(|row| {
                        if subjects.iter().any(|subject| subject.is_null(row)) {
                            return None;
                        }
                        if let [subject] = subjects[..] {
                            return known.get(subject.value(row)).copied();
                        }
                        joined.clear();
                        for (i, subject) in subjects.iter().enumerate() {
                            if i > 0 {
                                joined.push(JOINT);
                            }
                            joined.push_str(subject.value(row));
                        }
                        known.get(joined.as_str()).copied()
                    })
                    .collect();
                Arc::new(found)
            }
            Task::Pick => {
                let values = table(&args.args[0])?;
                let places = args.args[1].to_array(rows)?;
                let places = as_int64_array(&places)?;
                let places: UInt64Array = places.iter().map(|place| place.map(|place| place as u64)).collect();
                arrow::compute::take(&values, &places, None)?
            }
            Task::InRange => {
                let end = |value: &ColumnarValue| match value {
                    ColumnarValue::Scalar(ScalarValue::Utf8(text)) => Ok(text.clone()),
                    _ => exec_err!("the ends of a range are constants"),
                };
                let (from, to) = (end(&args.args[1])?, end(&args.args[2])?);
                let subject = text(&args.args[0])?;
                let subject = as_string_view_array(&subject)?;
                let fits = subject.iter().map(|text| text.map(|text| in_range(text, from.as_deref(), to.as_deref())));
                Arc::new(fits.collect::<arrow::array::BooleanArray>())
            }
        };
        Ok(ColumnarValue::Array(result))
    }
}
