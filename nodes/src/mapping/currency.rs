//! `currency`: amounts in another currency, by a table of rates.

use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{cast, when};
use datafusion::scalar::ScalarValue;

use crate::calc::aggregate::{Aggregate, Function, Measure};
use crate::formula::Site;
use crate::join::keys::{Keyed, Pair};
use crate::join::nearest::{Places, Rule, found};
use crate::number::Rounding;
use crate::prelude::*;

/// Converts amounts.
///
/// The table has a row for each currency and day: how many units of the currency one unit of the base is worth, as the
/// European Central Bank publishes them. Between two currencies the way leads over the base.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Currency {
    /// The column with the amounts.
    pub amount: Column,
    /// The column with their currencies.
    pub from: Column,
    /// The currency to convert to: a column, or one for all.
    pub to: Target,
    /// The column with the dates.
    pub date: Column,
    /// Which rate counts.
    #[serde(default)]
    pub rate: Rate,
    /// The currency whose unit the rates are for.
    #[serde(default = "euro")]
    pub base: String,
    /// The columns of the table of rates.
    #[serde(default)]
    pub rates: RateColumns,
    /// The name of the column with the converted amount.
    #[serde(rename = "as")]
    pub name: NewColumn,
    /// How many decimals it has.
    #[serde(default = "two")]
    #[schemars(range(max = 12))]
    pub places: u8,
    /// How it is rounded.
    #[serde(default)]
    pub rounding: HowToRound,
    /// What happens when a rate is missing. Such rows leave apart.
    #[serde(default)]
    pub severity: Severity,
}

/// The currency to convert to.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Target {
    /// One for all rows.
    Fixed {
        /// Its code, such as `EUR`.
        currency: String,
    },
    /// A column that names it.
    Column {
        /// The column.
        column: Column,
    },
}

impl Default for Target {
    fn default() -> Self {
        Self::Fixed { currency: "EUR".into() }
    }
}

/// Which rate counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rate {
    /// That of the day, or the last one before it.
    #[default]
    Daily,
    /// The last one of the month.
    Closing,
    /// The average of the month.
    Average,
}

/// The columns of the table of rates.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RateColumns {
    /// The currency.
    #[schemars(extend("x-weir-input" = "rates"))]
    pub currency: Column,
    /// The day.
    #[schemars(extend("x-weir-input" = "rates"))]
    pub date: Column,
    /// The rate: units of the currency for one unit of the base.
    #[schemars(extend("x-weir-input" = "rates"))]
    pub rate: Column,
}

impl Default for RateColumns {
    fn default() -> Self {
        Self { currency: "currency".into(), date: "date".into(), rate: "rate".into() }
    }
}

/// How a converted amount is rounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HowToRound {
    /// To the nearest; halves away from zero.
    #[default]
    HalfUp,
    /// To the nearest; halves to the even digit.
    HalfEven,
    /// Towards zero.
    Down,
}

fn euro() -> String {
    "EUR".into()
}

fn two() -> u8 {
    2
}

impl NodeKind for Currency {
    fn identity() -> Identity {
        Identity {
            id: "currency",
            version: 1,
            category: Category::Mapping,
            icon: "currency_exchange",
            title: Words { en: "Currency", fr: "Devises" },
            summary: Words {
                en: "Converts amounts by a table of rates: daily, closing or average, cross rates over the base, rounded once.",
                fr: "Convertit des montants par une table de cours : du jour, de clôture ou moyen, croisés par la base, arrondis une fois.",
            },
            synonyms: &["exchange rate", "fx", "convert currency", "cross rate", "taux de change", "cours", "conversion"],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        let rates = InPort { name: "rates", arity: Arity::One, title: Words { en: "rates", fr: "cours" } };
        Ports { inputs: vec![IN, rates], outputs: vec![OUT, EXCEPTIONS] }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let (rows, rates) = (cx.input("in")?, cx.input("rates")?);
        let exact = |kind| matches!(kind, ColumnType::Integer | ColumnType::Decimal(_));
        let text = |kind| kind == ColumnType::Text;
        let date = |kind| matches!(kind, ColumnType::Date | ColumnType::DateTime);
        let one = |column: &Column| Columns(vec![column.clone()]);
        cx.fitting(&one(&self.amount), &rows, "amount", "an exact number", exact);
        cx.fitting(&one(&self.from), &rows, "from", "text", text);
        if let Target::Column { column } = &self.to {
            cx.fitting(&one(column), &rows, "to.column", "text", text);
        }
        cx.fitting(&one(&self.date), &rows, "date", "a date", date);
        cx.fitting(&one(&self.rates.currency), &rates, "rates.currency", "text", text);
        cx.fitting(&one(&self.rates.date), &rates, "rates.date", "a date", date);
        cx.fitting(&one(&self.rates.rate), &rates, "rates.rate", "an exact number", exact);
        cx.new_name(&self.name, rows.has(&self.name.0), "as");
        if self.places > 12 {
            cx.problem(Problem::error("An amount has 12 decimals at most.").on("places").help("Give 2 for cents."));
        }
        if cx.failed() {
            return None;
        }
        let rates = self.prepared(cx, &rates)?;
        let (converted, fine) = self.converted(cx, &rows, &rates)?;
        let original = rows.columns();
        let mut shown = original.clone();
        shown.push((self.name.0.clone(), column(&self.name.0)));
        let mut flow = Flow::split(converted, fine, "out", EXCEPTIONS.name);
        flow.outlets[0].columns = Some(shown);
        flow.outlets[1].columns = Some(original);
        Some(Planned::flow(flow).check(Check::empty(format!("Every {} has a rate", self.amount.0), self.severity, EXCEPTIONS.name)))
    }

    fn examples() -> Vec<Example> {
        let rates = "currency,date:date,rate:decimal(4)\nUSD,2026-01-02,1.1000\nUSD,2026-01-30,1.2000\nJPY,2026-01-02,160.0000";
        let sales = "id,amount:decimal(2),currency,day:date\na,110.00,USD,2026-01-05\nb,100.00,EUR,2026-01-05\nc,1600.00,JPY,2026-01-31\nd,5.00,CHF,2026-01-05\ne,1.00,USD,2025-12-31\nf,,USD,2026-01-05";
        let params = |rate: &str, to: serde_json::Value| json!({ "amount": "amount", "from": "currency", "to": to, "date": "day", "rate": rate, "as": "converted" });
        vec![
            Example::new("In euros, by the rate of the day or the last one before.", params("daily", json!({ "is": "fixed", "currency": "EUR" })))
                .input("in", sales)
                .input("rates", rates)
                .output(
                    "out",
                    "id,amount:decimal(2),currency,day:date,converted:decimal(2)\na,110.00,USD,2026-01-05,100.00\nb,100.00,EUR,2026-01-05,100.00\nc,1600.00,JPY,2026-01-31,10.00\nf,,USD,2026-01-05,",
                )
                .output("exceptions", "id,amount:decimal(2),currency,day:date\nd,5.00,CHF,2026-01-05\ne,1.00,USD,2025-12-31"),
            Example::new("From yen to dollars over the euro, at the rate that closes the month.", params("closing", json!({ "is": "fixed", "currency": "USD" })))
                .input("in", "id,amount:decimal(2),currency,day:date\nc,1600.00,JPY,2026-01-03")
                .input("rates", rates)
                .output("out", "id,amount:decimal(2),currency,day:date,converted:decimal(2)\nc,1600.00,JPY,2026-01-03,12.00"),
            Example::new("To a currency named in a column, at the average of the month.", params("average", json!({ "is": "column", "column": "to" })))
                .input("in", "amount:decimal(2),currency,day:date,to\n100.00,EUR,2026-01-20,USD\n100.00,EUR,2026-02-20,USD")
                .input("rates", rates)
                .output("out", "amount:decimal(2),currency,day:date,to,converted:decimal(2)\n100.00,EUR,2026-01-20,USD,115.00")
                .output("exceptions", "amount:decimal(2),currency,day:date,to\n100.00,EUR,2026-02-20,USD"),
            Example::new("An amount is a number.", json!({ "amount": "currency", "from": "currency", "to": { "is": "fixed", "currency": "EUR" }, "date": "day", "as": "e" }))
                .input("in", sales)
                .input("rates", rates)
                .refused("is text, not an exact number"),
        ]
    }
}

impl Currency {
    /// The rates by currency and day: of each day, or averaged by month.
    fn prepared(&self, cx: &mut Planning<'_>, rates: &Table) -> Option<Table> {
        let named = rates.project(vec![
            ("currency".into(), column(&self.rates.currency.0)),
            ("date".into(), cast(column(&self.rates.date.0), DataType::Date32)),
            ("rate".into(), column(&self.rates.rate.0)),
        ]);
        let named = cx.planned(named.and_then(|table| table.filter(column("rate").is_not_null())))?;
        if self.rate != Rate::Average {
            return Some(named);
        }
        let month = cx.derived("STARTOFMONTH([date])", &named, "month", "rate")?;
        let monthly = cx.planned(named.with_columns(vec![("date".into(), month.expr)]))?;
        let average =
            Measure { name: NewColumn("rate".into()), function: Function::Average, column: Some("rate".into()), ..Measure::default() };
        let by = Columns(vec!["currency".into(), "date".into()]);
        Aggregate { by, measures: vec![average], ..Aggregate::default() }.table(cx, &monthly, &|_, _| "rate".to_owned())
    }

    /// The rows with their converted amounts, and the condition that both rates were found.
    fn converted(&self, cx: &mut Planning<'_>, rows: &Table, rates: &Table) -> Option<(Table, Expr)> {
        let (from, to, day) = ("\u{1e}from", "\u{1e}to", "\u{1e}day");
        let code = |text: &str| lit(ScalarValue::Utf8View(Some(text.to_owned())));
        let target = match &self.to {
            Target::Fixed { currency } => code(currency),
            Target::Column { column: name } => column(&name.0),
        };
        let date = cast(column(&self.date.0), DataType::Date32);
        let noted = rows.with_columns(vec![(from.into(), column(&self.from.0)), (to.into(), target), (day.into(), date)]);
        let mut table = cx.planned(noted)?;
        let moved = match self.rate {
            Rate::Daily => reference(day),
            Rate::Closing => format!("EOMONTH({}, 0)", reference(day)),
            Rate::Average => format!("STARTOFMONTH({})", reference(day)),
        };
        let moved = cx.derived(&moved, &table, "date", "date")?;
        table = cx.planned(table.with_columns(vec![(day.into(), moved.expr)]))?;
        let divisor = self.rated(cx, &mut table, rates, from, day)?;
        let factor = self.rated(cx, &mut table, rates, to, day)?;
        let site = Site::new(&self.name.0, rows);
        let crossed = number::divide(number::multiply(column(&self.amount.0), factor.clone(), &site), divisor.clone(), &site);
        let rounding = match self.rounding {
            HowToRound::HalfUp => Rounding::HalfAwayFromZero,
            HowToRound::HalfEven => Rounding::HalfEven,
            HowToRound::Down => Rounding::Down,
        };
        let rounded = number::to_decimal(number::round(crossed, i32::from(self.places), rounding, &site), self.places, &site);
        let fine = hidden(&format!("{}.fine", cx.node()));
        let known = coalesce(vec![divisor.is_not_null().and(factor.is_not_null()), lit(false)]);
        let table = cx.planned(table.with_columns(vec![(self.name.0.clone(), rounded), (fine.clone(), known)]))?;
        Some((table, column(&fine)))
    }

    /// Adds the rate of the currency in a column, and gives it.
    fn rated(&self, cx: &mut Planning<'_>, table: &mut Table, rates: &Table, currency: &str, day: &str) -> Option<Expr> {
        let node = format!("{}{currency}", cx.node());
        let (fetched, at) = (hidden(&format!("{node}.fetched.0")), hidden(&format!("{node}.fetched.1")));
        let pair = Pair { left: currency.to_owned(), right: "currency".into(), common: DataType::Utf8View };
        let places = Places { rows: column(day), table: column("date") };
        let rule = Rule { forward: false, strict: false, open: false };
        let fetch = vec![(fetched.clone(), column("rate")), (at.clone(), column("date"))];
        let matched = found(&node, (table, rates), &Keyed::of(&node, vec![pair]), places, rule, fetch);
        let (matched, _) = cx.planned(matched)?;
        let rate = hidden(&format!("{node}.rate"));
        let one = cast(lit(1_i64), matched.type_of(&fetched)?.clone());
        let base = lit(ScalarValue::Utf8View(Some(self.base.clone())));
        // An average counts in its own month only.
        let fresh =
            if self.rate == Rate::Average { when(column(&at).eq(column(day)), column(&fetched)).end() } else { Ok(column(&fetched)) };
        let fresh = cx.planned(fresh)?;
        let rate_or_one = when(column(currency).eq(base), one).otherwise(fresh);
        let mut columns: Vec<(String, Expr)> =
            table.schema().fields().iter().map(|field| (field.name().clone(), column(field.name()))).collect();
        columns.push((rate.clone(), cx.planned(rate_or_one)?));
        *table = cx.planned(matched.project(columns))?;
        Some(column(&rate))
    }
}
