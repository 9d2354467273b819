//! `fiscal`: the fiscal year, period, quarter and week of a date.

use crate::prelude::*;

/// Finds fiscal periods.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Fiscal {
    /// The column with the dates.
    pub column: Column,
    /// The month in which the fiscal year begins: 4 for April.
    #[serde(default = "january")]
    #[schemars(range(min = 1, max = 12))]
    pub first_month: u8,
    /// Which calendar year a fiscal year is named after.
    #[serde(default)]
    pub named_after: NamedAfter,
    /// What goes before the names of the new columns: `fiscal_year`, `fiscal_quarter`, `fiscal_period`, `fiscal_week`.
    #[serde(default = "prefix")]
    pub prefix: String,
}

fn january() -> u8 {
    1
}

fn prefix() -> String {
    "fiscal_".into()
}

/// Which calendar year a fiscal year is named after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NamedAfter {
    /// The one in which it ends.
    #[default]
    End,
    /// The one in which it begins.
    Start,
}

impl NodeKind for Fiscal {
    fn identity() -> Identity {
        Identity {
            id: "fiscal",
            version: 1,
            category: Category::Mapping,
            icon: "event",
            title: Words { en: "Fiscal calendar", fr: "Calendrier fiscal" },
            summary: Words {
                en: "Adds the fiscal year, quarter, period and week of a date.",
                fr: "Ajoute l'exercice, le trimestre, la période et la semaine comptables d'une date.",
            },
            synonyms: &["fiscal year", "financial year", "period", "accounting period", "exercice comptable", "période", "décalé"],
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
        if !(1..=12).contains(&self.first_month) {
            cx.problem(Problem::error("There are twelve months.").on("first_month").help("Give a number from 1 to 12."));
        }
        let x = reference(&self.column.0);
        let before = i32::from(self.first_month) - 1;
        let named = match self.named_after {
            NamedAfter::End => (12 - before) % 12,
            NamedAfter::Start => -before,
        };
        let period = format!("MONTH(EDATE(STARTOFMONTH({x}), {}))", -before);
        let start = format!("EDATE(STARTOFMONTH({x}), 1 - {period})");
        let parts = [
            ("year", format!("YEAR(EDATE(STARTOFMONTH({x}), {named}))")),
            ("quarter", format!("QUOTIENT({period} + 2, 3)")),
            ("period", period.clone()),
            ("week", format!("QUOTIENT(DAYS(TODATE({x}), {start}), 7) + 1")),
        ];
        for (part, _) in &parts {
            let name = format!("{}{part}", self.prefix);
            cx.new_name(&NewColumn(name.clone()), table.has(&name), "prefix");
        }
        if cx.failed() {
            return None;
        }
        let mut made = Vec::new();
        for (part, formula) in &parts {
            let name = format!("{}{part}", self.prefix);
            made.push((name.clone(), cx.derived(formula, &table, &name, "column")?.expr));
        }
        Some(Planned::table(cx.planned(table.with_columns(made))?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A year that begins in April is named after its end.", json!({ "column": "d", "first_month": 4 }))
                .input("in", "d:date,b\n2026-03-31,x\n2026-04-01,y\n2026-12-31,z")
                .output("out", "d:date,b,fiscal_year:integer,fiscal_quarter:integer,fiscal_period:integer,fiscal_week:integer\n2026-03-31,x,2026,4,12,53\n2026-04-01,y,2027,1,1,1\n2026-12-31,z,2027,3,9,40"),
            Example::new("Named after its beginning.", json!({ "column": "d", "first_month": 10, "named_after": "start" }))
                .input("in", "d:date,b\n2026-09-30,x\n2026-10-08,y")
                .output("out", "d:date,b,fiscal_year:integer,fiscal_quarter:integer,fiscal_period:integer,fiscal_week:integer\n2026-09-30,x,2025,4,12,53\n2026-10-08,y,2026,1,1,2"),
            Example::new("The calendar year; an empty date has no period.", json!({ "column": "d" }))
                .input("in", "d:date,b\n2026-02-28,x\n,y")
                .output("out", "d:date,b,fiscal_year:integer,fiscal_quarter:integer,fiscal_period:integer,fiscal_week:integer\n2026-02-28,x,2026,1,2,9\n,y,,,,"),
            Example::new("There are twelve months.", json!({ "column": "d", "first_month": 13 })).input("in", "d:date\n2026-02-28").refused("twelve months"),
        ]
    }
}
