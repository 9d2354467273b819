//! `forecast`: the next values of a series, with bounds.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, UInt64Array};
use arrow::datatypes::{Field, Schema};
use augurs_core::{Fit, Predict};
use augurs_ets::AutoETS;
use chrono::NaiveDate;
use datafusion::logical_expr::cast;

use crate::input::sequence::Step;
use crate::prelude::*;
use crate::types::MAX_DIGITS;
use crate::whole::whole;

/// Forecasts a series.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// The figure.
    pub figure: Column,
    /// The column that puts the series in order: dates or whole numbers.
    pub at: Column,
    /// The columns whose groups are series of their own.
    #[serde(default)]
    pub per: Columns,
    /// How it is forecast.
    #[serde(default)]
    pub method: Method,
    /// How many values are forecast.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 1000))]
    pub horizon: u32,
    /// For dates: from one to the next.
    #[serde(default = "month")]
    pub step: Step,
    /// The chance, in percent, that a value lies between `low` and `high`.
    #[serde(default = "ninety_five")]
    #[schemars(range(min = 50, max = 99))]
    pub confidence: u8,
}

fn three() -> u32 {
    3
}

fn month() -> Step {
    Step::Month
}

fn ninety_five() -> u8 {
    95
}

/// How a series is forecast.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Method {
    /// The average of the last values, for all to come.
    MovingAverage {
        /// How many.
        #[schemars(range(min = 1))]
        last: u32,
    },
    /// The straight line that fits best (least squares).
    #[default]
    Trend,
    /// Level, trend and season (Holt–Winters, additive).
    Seasonal {
        /// How many values a season has: 12 for months of a year.
        #[schemars(range(min = 2))]
        season: u32,
    },
}

/// A value that is forecast: itself, and its bounds.
type Guess = (f64, f64, f64);

impl NodeKind for Forecast {
    fn identity() -> Identity {
        Identity {
            id: "forecast",
            version: 1,
            category: Category::Calc,
            icon: "insights",
            title: Words { en: "Forecast", fr: "Prévision" },
            summary: Words {
                en: "Forecasts the next values of a series by moving average, trend or season, with bounds.",
                fr: "Prévoit les prochaines valeurs d'une série par moyenne mobile, tendance ou saison, avec bornes.",
            },
            synonyms: &["ets", "holt winters", "time series", "trend", "predict", "tendance", "prévoir", "prévision.ets"],
            order: Words { en: "By group, then in time.", fr: "Par groupe, puis dans le temps." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let per = cx.columns(&self.per, &table, "per");
        cx.fitting(&Columns(vec![self.figure.clone()]), &table, "figure", "a number", ColumnType::is_number);
        let counts = |kind| matches!(kind, ColumnType::Date | ColumnType::Integer);
        cx.fitting(&Columns(vec![self.at.clone()]), &table, "at", "a date or a whole number", counts);
        if !(1..=1000).contains(&self.horizon) {
            cx.problem(Problem::error("1 to 1000 values can be forecast.").on("horizon").help("Give a smaller number."));
        }
        match self.method {
            Method::MovingAverage { last: 0 } => {
                cx.problem(Problem::error("An average needs a value.").on("method.last").help("Give 1 or more."));
            }
            Method::Seasonal { season: 0 | 1 } => {
                cx.problem(Problem::error("A season has two values at least.").on("method.season").help("Give 12 for months of a year."));
            }
            _ => {}
        }
        if cx.failed() {
            return None;
        }
        // In order of group and time, whatever order the rows are in.
        let mut order: Vec<OrderKey> = per.iter().map(|name| OrderKey::ascending(name, name)).collect();
        order.push(OrderKey::ascending(&self.at.0, &self.at.0));
        let sorted = Table::new(table.plan.clone(), crate::filter::keys::then(order, &table.order));
        let wanted = per.iter().chain([&self.at.0]).map(|name| (name.clone(), column(name)));
        let figure = ("\u{1e}figure".to_owned(), cast(column(&self.figure.0), DataType::Float64));
        let narrow = cx.planned(sorted.project(wanted.chain([figure]).collect()))?;
        let figure_type = match table.type_of(&self.figure.0)? {
            DataType::Decimal128(_, places) => DataType::Decimal128(MAX_DIGITS, *places),
            DataType::Int64 => DataType::Decimal128(MAX_DIGITS, 2),
            _ => DataType::Float64,
        };
        let field = |name: &str, data_type: &DataType| Field::new(name, data_type.clone(), true);
        let mut fields: Vec<Field> = per.iter().filter_map(|name| Some(field(name, table.type_of(name)?))).collect();
        fields.push(field(&self.at.0, table.type_of(&self.at.0)?));
        fields.extend(["forecast", "low", "high"].map(|name| field(name, &figure_type)));
        for (i, one) in fields.iter().enumerate() {
            cx.new_name(&NewColumn(one.name().clone()), fields[..i].iter().any(|other| other.name() == one.name()), "at");
        }
        if cx.failed() {
            return None;
        }
        let schema = Arc::new(Schema::new(fields.clone()));
        let step = self.clone();
        let made = whole(cx.node(), &[&narrow], fields, move |tables| {
            let [rows] = tables else { return Err("a table is missing".into()) };
            step.forecast(rows, per.len(), &schema)
        });
        Some(Planned::table(cx.planned(made)?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("A straight line goes on.", json!({ "figure": "n", "at": "m", "horizon": 2 }))
                .input("in", "m:date,n:decimal(1)\n2026-01-01,10.0\n2026-03-01,14.0\n2026-02-01,12.0")
                .output(
                    "out",
                    "m:date,forecast:decimal(1),low:decimal(1),high:decimal(1)\n2026-04-01,16.0,16.0,16.0\n2026-05-01,18.0,18.0,18.0",
                ),
            Example::new(
                "The average of the last two, in each group.",
                json!({
                    "figure": "n", "at": "k", "per": ["g"], "horizon": 1, "method": { "is": "moving_average", "last": 2 }
                }),
            )
            .input("in", "g,k:integer,n:integer\na,1,0\na,2,4\na,3,6\nb,7,9")
            .output("out", "g,k:integer,forecast:decimal(2),low:decimal(2),high:decimal(2)\na,4,5.00,3.04,6.96\nb,8,9.00,9.00,9.00"),
            Example::new("Of no rows nothing is forecast.", json!({ "figure": "n", "at": "k" }))
                .input("in", "k:integer,n:integer")
                .output("out", "k:integer,forecast:decimal(2),low:decimal(2),high:decimal(2)"),
            Example::new("A season has values.", json!({ "figure": "n", "at": "k", "method": { "is": "seasonal", "season": 1 } }))
                .input("in", "k:integer,n:integer\n1,1")
                .refused("two values at least"),
        ]
    }
}

/// So many standard deviations hold so much of a normal distribution.
fn deviations(percent: u8) -> f64 {
    // The normal distribution's inverse, by bisection of its error function.
    let target = f64::from(percent) / 100.0;
    let (mut low, mut high) = (0.0_f64, 6.0_f64);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if within(middle) < target { low = middle } else { high = middle }
    }
    low
}

/// How much of a normal distribution lies within so many standard deviations.
fn within(deviations: f64) -> f64 {
    // Simpson's rule over the bell curve.
    let steps = 400;
    let width = deviations / f64::from(steps);
    let bell = |x: f64| (-x * x / 2.0).exp();
    let sum: f64 = (0..=steps)
        .map(|i| {
            let weight = if i == 0 || i == steps {
                1.0
            } else if i % 2 == 1 {
                4.0
            } else {
                2.0
            };
            weight * bell(f64::from(i) * width)
        })
        .sum();
    2.0 * sum * width / 3.0 / (2.0 * std::f64::consts::PI).sqrt()
}

impl Forecast {
    /// The values to come of one series.
    fn guesses(&self, values: &[f64]) -> Result<Vec<Guess>, String> {
        let (count, horizon) = (values.len() as f64, self.horizon as usize);
        let spread = deviations(self.confidence);
        let average = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        Ok(match self.method {
            Method::MovingAverage { last } => {
                let recent = &values[values.len().saturating_sub(last as usize)..];
                let middle = average(recent);
                let variance = recent.iter().map(|value| (value - middle).powi(2)).sum::<f64>() / recent.len() as f64;
                let distance = spread * variance.sqrt();
                vec![(middle, middle - distance, middle + distance); horizon]
            }
            Method::Trend => {
                let (mid_x, mid_y) = ((count - 1.0) / 2.0, average(values));
                let square: f64 = (0..values.len()).map(|x| (x as f64 - mid_x).powi(2)).sum();
                let together: f64 = values.iter().enumerate().map(|(x, y)| (x as f64 - mid_x) * (y - mid_y)).sum();
                let slope = if square == 0.0 { 0.0 } else { together / square };
                let line = |x: f64| mid_y + slope * (x - mid_x);
                let errors: f64 = values.iter().enumerate().map(|(x, y)| (y - line(x as f64)).powi(2)).sum();
                let error = if count > 2.0 { (errors / (count - 2.0)).sqrt() } else { 0.0 };
                let guess = |ahead: usize| {
                    let x = count - 1.0 + ahead as f64;
                    let wide = (1.0 + 1.0 / count + if square == 0.0 { 0.0 } else { (x - mid_x).powi(2) / square }).sqrt();
                    let distance = spread * error * wide;
                    (line(x), line(x) - distance, line(x) + distance)
                };
                (1..=horizon).map(guess).collect()
            }
            Method::Seasonal { season } => {
                let season = season as usize;
                if values.len() < 2 * season {
                    return Err(format!("a season of {season} needs {} values at least, and a series has {}", 2 * season, values.len()));
                }
                let said = |error: &dyn std::fmt::Display| format!("the series cannot be fitted: {error}");
                let model = AutoETS::new(season, "AAA").map_err(|error| said(&error))?;
                let fitted = model.fit(values).map_err(|error| said(&error))?;
                let forecast = fitted.predict(horizon, f64::from(self.confidence) / 100.0).map_err(|error| said(&error))?;
                let bounds = forecast.intervals.ok_or("the series has no bounds")?;
                forecast.point.into_iter().zip(bounds.lower).zip(bounds.upper).map(|((point, low), high)| (point, low, high)).collect()
            }
        })
    }

    /// The forecasts of every group of the rows, which are in order.
    fn forecast(&self, rows: &RecordBatch, groups: usize, schema: &Arc<Schema>) -> Result<RecordBatch, String> {
        let said = |error: arrow::error::ArrowError| error.to_string();
        let numbers = arrow::compute::cast(rows.column(groups + 1), &DataType::Float64).map_err(said)?;
        let numbers = numbers.as_any().downcast_ref::<Float64Array>().ok_or("the figure is not a number")?;
        let keys: Vec<ArrayRef> = rows.columns()[..groups].to_vec();
        let partitions = if groups == 0 {
            std::iter::once(0..rows.num_rows()).filter(|all| !all.is_empty()).collect()
        } else {
            arrow::compute::partition(&keys).map_err(said)?.ranges()
        };
        let at = arrow::compute::cast(
            rows.column(groups),
            &if matches!(rows.column(groups).data_type(), DataType::Date32) { DataType::Int32 } else { DataType::Int64 },
        )
        .map_err(said)?;
        let at = arrow::compute::cast(&at, &DataType::Int64).map_err(said)?;
        let at = at.as_any().downcast_ref::<Int64Array>().ok_or("the place is not a number")?;
        let is_date = rows.column(groups).data_type() == &DataType::Date32;
        let (mut first, mut places, mut guesses) = (Vec::new(), Vec::new(), Vec::new());
        for range in partitions {
            let known: Vec<usize> = range.clone().filter(|row| numbers.is_valid(*row) && at.is_valid(*row)).collect();
            let Some(last) = known.last() else { continue };
            let values: Vec<f64> = known.iter().map(|row| numbers.value(*row)).collect();
            for (ahead, guess) in self.guesses(&values)?.into_iter().enumerate() {
                first.push(range.start as u64);
                places.push(self.later(at.value(*last), is_date, ahead as u32 + 1)?);
                guesses.push(guess);
            }
        }
        let first = UInt64Array::from(first);
        let mut columns = keys.iter().map(|key| arrow::compute::take(key, &first, None)).collect::<Result<Vec<_>, _>>().map_err(said)?;
        columns.push(if is_date {
            Arc::new(places.into_iter().map(|day| Some(day as i32)).collect::<Date32Array>())
        } else {
            Arc::new(Int64Array::from(places))
        });
        for part in [|guess: &Guess| guess.0, |guess: &Guess| guess.1, |guess: &Guess| guess.2] {
            let values = guesses.iter().map(part);
            columns.push(match schema.field(groups + 1).data_type() {
                DataType::Decimal128(digits, places) => {
                    let power = 10_f64.powi(i32::from(*places));
                    let units = values.map(|value| Some((value * power).round() as i128));
                    Arc::new(units.collect::<Decimal128Array>().with_data_type(DataType::Decimal128(*digits, *places))) as ArrayRef
                }
                _ => Arc::new(values.map(Some).collect::<Float64Array>()),
            });
        }
        RecordBatch::try_new(Arc::clone(schema), columns).map_err(said)
    }

    /// The place so many steps after another.
    fn later(&self, at: i64, is_date: bool, steps: u32) -> Result<i64, String> {
        if !is_date {
            return Ok(at + i64::from(steps));
        }
        let epoch = NaiveDate::default();
        let date = epoch.checked_add_signed(chrono::Duration::days(at)).and_then(|date| self.step.after(date, steps));
        date.map(|date| (date - epoch).num_days()).ok_or_else(|| "a date is too far".to_owned())
    }
}
