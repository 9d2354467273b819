//! `date_parts`: years, quarters, months and more of a date, each a column.

use crate::prelude::*;

/// Takes dates apart.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct DateParts {
    /// The column with the dates.
    pub column: Column,
    /// The parts, each a column named after the date's column and the part: `day_year`.
    pub parts: Vec<Part>,
}

/// A part of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The year, as a number.
    Year,
    /// The quarter, 1 to 4.
    Quarter,
    /// The month, 1 to 12.
    Month,
    /// The week of ISO 8601, 1 to 53.
    Week,
    /// The day of the month.
    Day,
    /// The day of the week, 1 for Monday.
    Weekday,
    /// The day of the year, 1 to 366.
    DayOfYear,
    /// The month as a text: `2026-09`.
    YearMonth,
    /// The quarter as a text: `2026-Q3`.
    YearQuarter,
    /// The first day of the month.
    MonthStart,
    /// The last day of the month.
    MonthEnd,
    /// The Monday of the week.
    WeekStart,
}

impl Part {
    fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }

    fn formula(self, x: &str) -> String {
        match self {
            Self::Year => format!("YEAR({x})"),
            Self::Quarter => format!("QUARTER({x})"),
            Self::Month => format!("MONTH({x})"),
            Self::Week => format!("ISOWEEKNUM({x})"),
            Self::Day => format!("DAY({x})"),
            Self::Weekday => format!("WEEKDAY({x}, 2)"),
            Self::DayOfYear => format!("DAYS(TODATE({x}), STARTOFYEAR({x})) + 1"),
            Self::YearMonth => format!("TEXT({x}, \"yyyy-mm\")"),
            Self::YearQuarter => format!("IF(ISBLANK({x}), NULL, TEXT(YEAR({x}), \"0000\") & \"-Q\" & QUARTER({x}))"),
            Self::MonthStart => format!("STARTOFMONTH({x})"),
            Self::MonthEnd => format!("EOMONTH({x}, 0)"),
            Self::WeekStart => format!("STARTOFWEEK({x})"),
        }
    }
}

impl NodeKind for DateParts {
    fn identity() -> Identity {
        Identity {
            id: "date_parts",
            version: 1,
            category: Category::Calc,
            icon: "calendar_month",
            title: Words { en: "Date parts", fr: "Parties de date" },
            summary: Words {
                en: "Adds the year, quarter, month, week and other parts of a date as columns.",
                fr: "Ajoute l'année, le trimestre, le mois, la semaine et d'autres parties d'une date en colonnes.",
            },
            synonyms: &["year", "month", "quarter", "week number", "extract date", "année", "mois", "trimestre", "semaine"],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let dates = |kind| matches!(kind, ColumnType::Date | ColumnType::DateTime);
        cx.fitting(&Columns(vec![self.column.clone()]), &table, "column", "a date", dates);
        let name = |part: Part| format!("{}_{}", self.column.0, part.name());
        for (i, part) in self.parts.iter().enumerate() {
            cx.new_name(&NewColumn(name(*part)), table.has(&name(*part)) || self.parts[..i].contains(part), &format!("parts[{i}]"));
        }
        if cx.failed() {
            return None;
        }
        let mut made = Vec::new();
        for (i, part) in self.parts.iter().enumerate() {
            let typed = cx.derived(&part.formula(&reference(&self.column.0)), &table, &name(*part), &format!("parts[{i}]"))?;
            made.push((name(*part), typed.expr));
        }
        Some(Planned::table(cx.planned(table.with_columns(made))?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "Numbers for sorting and texts for reading.",
                json!({ "column": "d", "parts": ["year", "quarter", "month", "week", "day", "weekday", "day_of_year", "year_month", "year_quarter"] }),
            )
            .input("in", "d:date,b\n2026-09-30,x\n2027-01-01,y")
            .output(
                "out",
                "d:date,b,d_year:integer,d_quarter:integer,d_month:integer,d_week:integer,d_day:integer,d_weekday:integer,d_day_of_year:integer,d_year_month,d_year_quarter\n2026-09-30,x,2026,3,9,40,30,3,273,2026-09,2026-Q3\n2027-01-01,y,2027,1,1,53,1,5,1,2027-01,2027-Q1",
            ),
            Example::new("First and last days.", json!({ "column": "d", "parts": ["month_start", "month_end", "week_start"] }))
                .input("in", "d:date,b\n2028-02-10,x")
                .output("out", "d:date,b,d_month_start:date,d_month_end:date,d_week_start:date\n2028-02-10,x,2028-02-01,2028-02-29,2028-02-07"),
            Example::new("An empty date has empty parts.", json!({ "column": "d", "parts": ["year", "year_quarter"] }))
                .input("in", "d:date,b\n,x")
                .output("out", "d:date,b,d_year:integer,d_year_quarter\n,x,,"),
            Example::new("A text is not a date.", json!({ "column": "b", "parts": ["year"] })).input("in", "b\n2026").refused("is text, not a date"),
        ]
    }
}
