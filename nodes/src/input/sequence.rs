//! `sequence` and `calendar`: numbers and dates in a row.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch};
use arrow::datatypes::{Field, Schema};
use chrono::{Days, Months, NaiveDate};

use crate::prelude::*;
use crate::source::{MemorySource, scan};

/// The most rows that are made.
const MOST: usize = 10_000_000;

/// Makes numbers in a row.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Sequence {
    /// The first number.
    #[serde(default = "one")]
    pub from: i64,
    /// The last one, if the steps reach it.
    pub to: i64,
    /// The step; negative to count down.
    #[serde(default = "one")]
    pub step: i64,
    /// The name of the column.
    #[serde(default = "number", rename = "as")]
    pub name: NewColumn,
}

fn one() -> i64 {
    1
}

fn number() -> NewColumn {
    NewColumn("number".into())
}

/// A table of one column.
fn table(cx: &mut Planning<'_>, name: &NewColumn, values: ArrayRef) -> Option<Planned> {
    let schema = Arc::new(Schema::new(vec![Field::new(&name.0, values.data_type().clone(), true)]));
    let batch = cx.planned(RecordBatch::try_new(schema, vec![values]).map_err(Into::into))?;
    let node = cx.node().to_owned();
    let table = cx.planned(scan(&node, Arc::new(MemorySource::counted(batch)), format!("{node} row")))?;
    Some(Planned::table(table))
}

fn too_many(cx: &mut Planning<'_>) -> Option<Planned> {
    cx.problem(Problem::error(format!("This makes more than {MOST} rows.")).on("to").help("Take larger steps, or end earlier."));
    None
}

impl NodeKind for Sequence {
    fn identity() -> Identity {
        Identity {
            id: "sequence",
            version: 1,
            category: Category::Input,
            icon: "format_list_numbered",
            title: Words { en: "Sequence", fr: "Suite de nombres" },
            summary: Words { en: "Makes numbers in a row.", fr: "Fabrique une suite de nombres." },
            synonyms: &["generate rows", "number series", "counter", "générer des lignes", "compteur"],
            order: Words { en: "As counted.", fr: "Celui du compte." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        cx.new_name(&self.name, false, "as");
        if self.step == 0 {
            cx.problem(Problem::error("A step of 0 leads nowhere.").on("step").help("Give 1 to count up, -1 to count down."));
        }
        if cx.failed() {
            return None;
        }
        let mut values = Vec::new();
        let mut at = Some(self.from);
        while let Some(value) = at.filter(|at| if self.step > 0 { *at <= self.to } else { *at >= self.to }) {
            if values.len() == MOST {
                return too_many(cx);
            }
            values.push(value);
            at = value.checked_add(self.step);
        }
        table(cx, &self.name, Arc::new(Int64Array::from(values)))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("From 1 to 3.", json!({ "to": 3 })).output("out", "number:integer\n1\n2\n3"),
            Example::new("Down by twos; the end need not be reached.", json!({ "from": 5, "to": 0, "step": -2, "as": "n" }))
                .output("out", "n:integer\n5\n3\n1"),
            Example::new("An end before the beginning makes no rows.", json!({ "to": 0 })).output("out", "number:integer"),
            Example::new("A step of zero.", json!({ "to": 3, "step": 0 })).refused("leads nowhere"),
        ]
    }
}

/// Makes dates in a row.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Calendar {
    /// The first date, such as `2026-01-01`.
    pub from: String,
    /// The last one, if the steps reach it.
    pub to: String,
    /// The step.
    #[serde(default)]
    pub step: Step,
    /// Leaves out Saturdays and Sundays.
    #[serde(default)]
    pub workdays: bool,
    /// The name of the column.
    #[serde(default = "date", rename = "as")]
    pub name: NewColumn,
}

fn date() -> NewColumn {
    NewColumn("date".into())
}

/// From one date to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A day.
    #[default]
    Day,
    /// A week.
    Week,
    /// A month. From the 31st, shorter months give their last day.
    Month,
    /// A quarter.
    Quarter,
    /// A year.
    Year,
}

impl Step {
    /// The date so many steps later.
    pub(crate) fn after(self, date: NaiveDate, steps: u32) -> Option<NaiveDate> {
        let months = |each: u32| date.checked_add_months(Months::new(steps.checked_mul(each)?));
        match self {
            Self::Day => date.checked_add_days(Days::new(u64::from(steps))),
            Self::Week => date.checked_add_days(Days::new(u64::from(steps) * 7)),
            Self::Month => months(1),
            Self::Quarter => months(3),
            Self::Year => months(12),
        }
    }
}

impl NodeKind for Calendar {
    fn identity() -> Identity {
        Identity {
            id: "calendar",
            version: 1,
            category: Category::Input,
            icon: "date_range",
            title: Words { en: "Calendar", fr: "Calendrier" },
            summary: Words {
                en: "Makes dates in a row: days, workdays, weeks, months, quarters or years.",
                fr: "Fabrique une suite de dates : jours, jours ouvrés, semaines, mois, trimestres ou années.",
            },
            synonyms: &["date table", "generate dates", "date dimension", "time dimension", "table de dates", "générer des dates"],
            order: Words { en: "By date.", fr: "Par date." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        cx.new_name(&self.name, false, "as");
        let mut read = |text: &str, field: &str| {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
            if date.is_none() {
                cx.problem(Problem::error(format!("\"{text}\" is not a date.")).on(field).help("Write it like 2026-09-30."));
            }
            date
        };
        let (from, to) = (read(&self.from, "from"), read(&self.to, "to"));
        if cx.failed() {
            return None;
        }
        let (from, to) = (from?, to?);
        let mut dates = Vec::new();
        for steps in 0.. {
            let Some(date) = self.step.after(from, steps).filter(|date| *date <= to) else { break };
            if dates.len() == MOST {
                return too_many(cx);
            }
            let weekend = chrono::Datelike::weekday(&date).number_from_monday() > 5;
            if !(self.workdays && weekend) {
                dates.push((date - NaiveDate::default()).num_days() as i32);
            }
        }
        table(cx, &self.name, Arc::new(Date32Array::from(dates)))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Month ends from the 31st.", json!({ "from": "2026-01-31", "to": "2026-04-30", "step": "month" }))
                .output("out", "date:date\n2026-01-31\n2026-02-28\n2026-03-31\n2026-04-30"),
            Example::new("Workdays.", json!({ "from": "2026-10-02", "to": "2026-10-06", "workdays": true, "as": "day" }))
                .output("out", "day:date\n2026-10-02\n2026-10-05\n2026-10-06"),
            Example::new("An end before the beginning makes no rows.", json!({ "from": "2026-02-01", "to": "2026-01-01" }))
                .output("out", "date:date"),
            Example::new("A date is a date.", json!({ "from": "soon", "to": "2026-01-01" })).refused("\"soon\" is not a date"),
        ]
    }
}
