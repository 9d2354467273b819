//! Days and moments. Days count from 1970 inside; people never see that.

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{Datelike, Days, NaiveDate, Timelike, Weekday};

use super::super::cells::Cell;
use super::super::dates::{add_months, date, days, moment, month, month_end};
use super::Kind::{Date, Integer, Text};
use super::{Examples, Function, Kind, Words, row};

const FAMILY: &str = "Dates";
const DAY: DataType = DataType::Date32;
const WHOLE: DataType = DataType::Int64;

type Out = Result<Cell<'static>, String>;

fn f(
    words: Words,
    arguments: (usize, usize),
    takes: &'static [Kind],
    returns: DataType,
    examples: Examples,
    run: fn(&[Cell<'_>]) -> Out,
) -> Function {
    row(FAMILY, words, arguments, takes, returns, examples, run)
}

fn day(cell: &Cell<'_>) -> Result<NaiveDate, String> {
    date(cell.days()).ok_or_else(|| "this date is out of range".to_owned())
}

fn whole(value: impl Into<i64>) -> Out {
    Ok(Cell::Integer(value.into()))
}

fn given(date: Option<NaiveDate>) -> Out {
    date.map(|date| Cell::Date(days(date))).ok_or_else(|| "there is no such date".to_owned())
}

fn works(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

fn months_between(from: NaiveDate, to: NaiveDate) -> i64 {
    let months = i64::from(to.year() - from.year()) * 12 + i64::from(to.month()) - i64::from(from.month());
    months - i64::from(to.day() < from.day())
}

pub(super) fn functions() -> Vec<Function> {
    vec![
        f(
            ("DATE", "DATE", "DATE(year, month, day)", "A date from its parts; months and days that run over count on."),
            (3, 3),
            &[Integer],
            DAY,
            &[("DATE(2026, 9, 30)", "2026-09-30"), ("DATE(2026, 13, 1)", "2027-01-01"), ("DATE(2026, 3, 0)", "2026-02-28")],
            |a| {
                let start = i32::try_from(a[0].integer()).ok().and_then(|year| NaiveDate::from_ymd_opt(year, 1, 1));
                let month = start.and_then(|start| add_months(start, a[1].integer() - 1));
                let step = chrono::Duration::try_days(a[2].integer() - 1);
                given(month.zip(step).and_then(|(month, step)| month.checked_add_signed(step)))
            },
        ),
        f(("YEAR", "ANNEE", "YEAR(date)", "The year of a date."), (1, 1), &[Date], WHOLE, &[("YEAR(DATE(2026, 9, 30))", "2026")], |a| {
            whole(day(&a[0])?.year())
        }),
        f(
            ("MONTH", "MOIS", "MONTH(date)", "The month of a date, 1 to 12."),
            (1, 1),
            &[Date],
            WHOLE,
            &[("MONTH(DATE(2026, 9, 30))", "9")],
            |a| whole(day(&a[0])?.month()),
        ),
        f(
            ("DAY", "JOUR", "DAY(date)", "The day of the month, 1 to 31."),
            (1, 1),
            &[Date],
            WHOLE,
            &[("DAY(DATE(2026, 9, 30))", "30")],
            |a| whole(day(&a[0])?.day()),
        ),
        f(
            ("QUARTER", "TRIMESTRE", "QUARTER(date)", "The quarter of a date, 1 to 4."),
            (1, 1),
            &[Date],
            WHOLE,
            &[("QUARTER(DATE(2026, 9, 30))", "3")],
            |a| whole(day(&a[0])?.month0() / 3 + 1),
        ),
        f(
            (
                "WEEKDAY",
                "JOURSEM",
                "WEEKDAY(date, [type])",
                "The day of the week: 1 is Sunday, with type 2 1 is Monday, with type 3 0 is Monday.",
            ),
            (1, 2),
            &[Date, Integer],
            WHOLE,
            &[("WEEKDAY(DATE(2026, 11, 20))", "6"), ("WEEKDAY(DATE(2026, 11, 20), 2)", "5")],
            |a| {
                let weekday = day(&a[0])?.weekday();
                match a.get(1).map_or(1, Cell::integer) {
                    1 => whole(weekday.number_from_sunday()),
                    2 => whole(weekday.number_from_monday()),
                    3 => whole(weekday.num_days_from_monday()),
                    other => Err(format!("{other} is not a type of week: 1, 2 or 3")),
                }
            },
        ),
        f(
            (
                "WEEKNUM",
                "NO.SEMAINE",
                "WEEKNUM(date)",
                "The number of the week in the year; weeks start on Sunday and the first holds January 1.",
            ),
            (1, 1),
            &[Date],
            WHOLE,
            &[("WEEKNUM(DATE(2026, 1, 4))", "2")],
            |a| {
                let date = day(&a[0])?;
                let first = NaiveDate::from_ymd_opt(date.year(), 1, 1).map_or(0, |first| first.weekday().num_days_from_sunday());
                whole((date.ordinal0() + first) / 7 + 1)
            },
        ),
        f(
            (
                "ISOWEEKNUM",
                "NO.SEMAINE.ISO",
                "ISOWEEKNUM(date)",
                "The number of the ISO week: weeks start on Monday and the first holds the first Thursday.",
            ),
            (1, 1),
            &[Date],
            WHOLE,
            &[("ISOWEEKNUM(DATE(2027, 1, 1))", "53")],
            |a| whole(day(&a[0])?.iso_week().week()),
        ),
        f(
            ("EOMONTH", "FIN.MOIS", "EOMONTH(date, months)", "The last day of the month some months away."),
            (2, 2),
            &[Date, Integer],
            DAY,
            &[("EOMONTH(DATE(2026, 1, 31), 1)", "2026-02-28")],
            |a| given(add_months(day(&a[0])?, a[1].integer()).and_then(month_end)),
        ),
        f(
            ("EDATE", "MOIS.DECALER", "EDATE(date, months)", "The same day some months away, the last of the month where it is shorter."),
            (2, 2),
            &[Date, Integer],
            DAY,
            &[("EDATE(DATE(2026, 1, 31), 1)", "2026-02-28"), ("EDATE(DATE(2026, 1, 31), -1)", "2025-12-31")],
            |a| given(add_months(day(&a[0])?, a[1].integer())),
        ),
        f(
            ("DATEADD", "DATE.AJOUTER", "DATEADD(date, days)", "The day some days away, as + does."),
            (2, 2),
            &[Date, Integer],
            DAY,
            &[("DATEADD(DATE(2026, 9, 30), 1)", "2026-10-01"), ("DATE(2026, 9, 30) - 30", "2026-08-31")],
            |a| {
                let step = chrono::Duration::try_days(a[1].integer());
                given(day(&a[0])?.checked_add_signed(step.ok_or("this date is out of range")?))
            },
        ),
        f(
            ("DAYS", "JOURS", "DAYS(end, start)", "The number of days between two dates, as - does."),
            (2, 2),
            &[Date],
            WHOLE,
            &[("DAYS(DATE(2026, 10, 1), DATE(2026, 9, 1))", "30"), ("DATE(2026, 1, 1) - DATE(2025, 1, 1)", "365")],
            |a| whole(i64::from(a[0].days()) - i64::from(a[1].days())),
        ),
        f(
            ("DATEDIF", "DATEDIF", "DATEDIF(start, end, unit)", "Whole years (\"Y\"), months (\"M\") or days (\"D\") between two dates."),
            (3, 3),
            &[Date, Date, Text],
            WHOLE,
            &[("DATEDIF(DATE(2024, 2, 29), DATE(2026, 2, 28), \"Y\")", "1"), ("DATEDIF(DATE(2026, 1, 31), DATE(2026, 3, 30), \"M\")", "1")],
            |a| {
                let (from, to) = (day(&a[0])?, day(&a[1])?);
                match a[2].text().to_uppercase().as_str() {
                    "Y" => whole(months_between(from, to) / 12),
                    "M" => whole(months_between(from, to)),
                    "D" => whole((to - from).num_days()),
                    other => Err(format!("\"{other}\" is not a unit: Y, M or D")),
                }
            },
        ),
        f(
            (
                "NETWORKDAYS",
                "NB.JOURS.OUVRES",
                "NETWORKDAYS(start, end)",
                "The number of days from Monday to Friday between two dates, both counted.",
            ),
            (2, 2),
            &[Date],
            WHOLE,
            &[("NETWORKDAYS(DATE(2026, 11, 20), DATE(2026, 11, 23))", "2")],
            |a| {
                let (from, to) = (day(&a[0])?, day(&a[1])?);
                let (first, last, sign) = if from <= to { (from, to, 1) } else { (to, from, -1) };
                let span = (last - first).num_days() + 1;
                let rest = (span % 7) as u64;
                let extra = (0..rest).filter_map(|step| first.checked_add_days(Days::new(step))).filter(|date| works(*date)).count() as i64;
                whole(sign * (span / 7 * 5 + extra))
            },
        ),
        f(
            ("WORKDAY", "SERIE.JOUR.OUVRE", "WORKDAY(date, days)", "The day some working days away, Monday to Friday."),
            (2, 2),
            &[Date, Integer],
            DAY,
            &[("WORKDAY(DATE(2026, 11, 20), 1)", "2026-11-23"), ("WORKDAY(DATE(2026, 11, 23), -1)", "2026-11-20")],
            |a| {
                let (mut date, steps) = (day(&a[0])?, a[1].integer());
                if steps.unsigned_abs() > 1_000_000 {
                    return Err(format!("{steps} days are out of range"));
                }
                for _ in 0..steps.unsigned_abs() {
                    loop {
                        let next = if steps > 0 { date.succ_opt() } else { date.pred_opt() };
                        date = next.ok_or("this date is out of range")?;
                        if works(date) {
                            break;
                        }
                    }
                }
                given(Some(date))
            },
        ),
        f(
            ("STARTOFMONTH", "DEBUT.MOIS", "STARTOFMONTH(date)", "The first day of a date's month."),
            (1, 1),
            &[Date],
            DAY,
            &[("STARTOFMONTH(DATE(2026, 9, 30))", "2026-09-01")],
            |a| given(day(&a[0])?.with_day(1)),
        ),
        f(
            ("STARTOFQUARTER", "DEBUT.TRIMESTRE", "STARTOFQUARTER(date)", "The first day of a date's quarter."),
            (1, 1),
            &[Date],
            DAY,
            &[("STARTOFQUARTER(DATE(2026, 9, 30))", "2026-07-01")],
            |a| {
                let date = day(&a[0])?;
                given(NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1))
            },
        ),
        f(
            ("STARTOFYEAR", "DEBUT.ANNEE", "STARTOFYEAR(date)", "The first day of a date's year."),
            (1, 1),
            &[Date],
            DAY,
            &[("STARTOFYEAR(DATE(2026, 9, 30))", "2026-01-01")],
            |a| given(NaiveDate::from_ymd_opt(day(&a[0])?.year(), 1, 1)),
        ),
        f(
            ("STARTOFWEEK", "DEBUT.SEMAINE", "STARTOFWEEK(date)", "The Monday of a date's week."),
            (1, 1),
            &[Date],
            DAY,
            &[("STARTOFWEEK(DATE(2026, 11, 20))", "2026-11-16")],
            |a| {
                let date = day(&a[0])?;
                given(date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday()))))
            },
        ),
        f(
            ("MONTHNAME", "NOM.MOIS", "MONTHNAME(date)", "The English name of a date's month."),
            (1, 1),
            &[Date],
            DataType::Utf8View,
            &[("MONTHNAME(DATE(2026, 9, 30))", "September")],
            |a| Ok(Cell::Text(month(day(&a[0])?.month()).into())),
        ),
        f(
            ("HOUR", "HEURE", "HOUR(datetime)", "The hour of a moment, 0 to 23."),
            (1, 1),
            &[Date],
            WHOLE,
            &[("HOUR(DATETIMEVALUE(\"2026-09-30 14:05:09\"))", "14")],
            |a| whole(moment(a[0].micros()).ok_or("this moment is out of range")?.hour()),
        ),
        f(
            ("MINUTE", "MINUTE", "MINUTE(datetime)", "The minute of a moment, 0 to 59."),
            (1, 1),
            &[Date],
            WHOLE,
            &[("MINUTE(DATETIMEVALUE(\"2026-09-30 14:05:09\"))", "5")],
            |a| whole(moment(a[0].micros()).ok_or("this moment is out of range")?.minute()),
        ),
        f(
            ("SECOND", "SECONDE", "SECOND(datetime)", "The second of a moment, 0 to 59."),
            (1, 1),
            &[Date],
            WHOLE,
            &[("SECOND(DATETIMEVALUE(\"2026-09-30 14:05:09\"))", "9")],
            |a| whole(moment(a[0].micros()).ok_or("this moment is out of range")?.second()),
        ),
        f(
            ("TODATE", "EN.DATE", "TODATE(datetime)", "The day of a moment."),
            (1, 1),
            &[Date],
            DAY,
            &[("TODATE(DATETIMEVALUE(\"2026-09-30 14:05:09\"))", "2026-09-30")],
            |a| given(Some(day(&a[0])?)),
        ),
        f(
            ("DATETIME", "DATE.HEURE", "DATETIME(date, hour, minute, [second])", "A moment from a day and a time."),
            (3, 4),
            &[Date, Integer],
            DataType::Timestamp(TimeUnit::Microsecond, None),
            &[("DATETIME(DATE(2026, 9, 30), 14, 5)", "2026-09-30 14:05:00")],
            |a| {
                let part = |i: usize| u32::try_from(a.get(i).map_or(0, Cell::integer)).ok();
                let time = (|| day(&a[0]).ok()?.and_hms_opt(part(1)?, part(2)?, part(3)?))();
                time.map(|time| Cell::DateTime(time.and_utc().timestamp_micros())).ok_or_else(|| "there is no such time".to_owned())
            },
        ),
    ]
}
