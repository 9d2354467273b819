//! `bin`: numbers in bands.

use datafusion::functions_window::expr_fn::ntile;
use datafusion::logical_expr::cast;

use crate::filter::keys;
use crate::prelude::*;
use crate::window::{self, Frame};

/// Puts numbers into bands.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Bin {
    /// The column with the numbers.
    pub column: Column,
    /// The name of the column with the band.
    #[serde(rename = "as")]
    pub name: NewColumn,
    /// How the bands are made.
    pub bands: Bands,
}

/// How bands are made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Bands {
    /// All of one width, named by the number at which they start.
    Width {
        /// The width, such as `10`.
        width: String,
    },
    /// Between given bounds; a band holds its lower bound.
    Bounds {
        /// The bounds, rising.
        bounds: Vec<String>,
        /// Names for the bands, one more than bounds; made of the bounds when none are given.
        #[serde(default)]
        names: Vec<String>,
    },
    /// So many bands with the same number of rows, 1 for the smallest numbers.
    Tiles {
        /// How many.
        #[schemars(range(min = 1))]
        count: u32,
    },
}

impl Default for Bands {
    fn default() -> Self {
        Self::Width { width: String::new() }
    }
}

impl NodeKind for Bin {
    fn identity() -> Identity {
        Identity {
            id: "bin",
            version: 1,
            category: Category::Calc,
            icon: "bar_chart",
            title: Words { en: "Bin", fr: "Tranches" },
            summary: Words {
                en: "Puts numbers into bands: of one width, between bounds, or of equal size.",
                fr: "Range des nombres en tranches : de même largeur, entre bornes, ou de même effectif.",
            },
            synonyms: &["tile", "binning", "bucket", "auto-binner", "quantile", "decile", "ntile", "classes", "quartile"],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        cx.fitting(&Columns(vec![self.column.clone()]), &table, "column", "a number", ColumnType::is_number);
        cx.new_name(&self.name, table.has(&self.name.0), "as");
        if cx.failed() {
            return None;
        }
        let x = reference(&self.column.0);
        let formula = match &self.bands {
            Bands::Width { width } => {
                if number::parse(width).is_none_or(|(value, _)| value <= 0) {
                    cx.problem(Problem::error(format!("\"{width}\" is not a width.")).on("bands.width").help("Give a number above 0."));
                    return None;
                }
                // FLOOR rounds towards zero for some; the quotient's floor is meant for negative numbers too.
                format!("{x} - MOD({x}, {width})")
            }
            Bands::Bounds { bounds, names } => banded(cx, &x, bounds, names)?,
            Bands::Tiles { count } => {
                if *count == 0 {
                    cx.problem(Problem::error("There must be one band at least.").on("bands.count").help("Give a number above 0."));
                    return None;
                }
                let order = keys::then(vec![OrderKey::ascending(&self.column.0, &self.column.0)], &table.order);
                let tile = hidden(&format!("{}.tile", cx.node()));
                let tiled = window::over(ntile(lit(i64::from(*count))), &[], &order, Frame::Group)
                    .and_then(|call| window::with(&table, vec![(tile.clone(), call)]))
                    .and_then(|table| table.with_columns(vec![(self.name.0.clone(), cast(column(&tile), DataType::Int64))]));
                return Some(Planned::table(cx.planned(tiled)?));
            }
        };
        let typed = cx.derived(&formula, &table, &self.name.0, "bands")?;
        Some(Planned::table(cx.planned(table.with_columns(vec![(self.name.0.clone(), typed.expr)]))?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Bands of ten.", json!({ "column": "n", "as": "from", "bands": { "how": "width", "width": "10" } }))
                .input("in", "n:integer,b\n7,x\n10,y\n-3,z\n,w")
                .output("out", "n:integer,b,from:integer\n7,x,0\n10,y,10\n-3,z,-10\n,w,"),
            Example::new("Between bounds.", json!({ "column": "n", "as": "age", "bands": { "how": "bounds", "bounds": ["30", "60"] } }))
                .input("in", "n:decimal(1),b\n29.9,x\n30.0,y\n60.0,z\n,w")
                .output("out", "n:decimal(1),b,age\n29.9,x,< 30\n30.0,y,30 – < 60\n60.0,z,≥ 60\n,w,"),
            Example::new("Halves of the rows.", json!({ "column": "n", "as": "half", "bands": { "how": "tiles", "count": 2 } }))
                .input("in", "n:integer\n5\n1\n9\n3")
                .output("out", "n:integer,half:integer\n5,2\n1,1\n9,2\n3,1"),
            Example::new(
                "Names that do not fit the bounds.",
                json!({ "column": "n", "as": "b", "bands": { "how": "bounds", "bounds": ["1"], "names": ["low"] } }),
            )
            .input("in", "n:integer\n5")
            .refused("1 bound makes 2 bands"),
        ]
    }
}

/// The formula that names the band of a number.
fn banded(cx: &mut Planning<'_>, x: &str, bounds: &[String], names: &[String]) -> Option<String> {
    if bounds.is_empty() || !names.is_empty() && names.len() != bounds.len() + 1 {
        let plural = if bounds.len() == 1 { "" } else { "s" };
        let what = format!("{} bound{plural} makes {} bands, and there are {} names.", bounds.len(), bounds.len() + 1, names.len());
        cx.problem(Problem::error(what).on("bands.names").help("Give one name more than bounds, or none."));
    }
    let mut last: Option<rust_decimal::Decimal> = None;
    for (i, bound) in bounds.iter().enumerate() {
        let number = bound.parse::<rust_decimal::Decimal>().ok();
        if number.is_none() || last.is_some() && number <= last {
            let what = format!("\"{bound}\" is not a number above the one before.");
            cx.problem(Problem::error(what).on(format!("bands.bounds[{i}]")).help("Give rising numbers."));
        }
        last = number.or(last);
    }
    if cx.failed() {
        return None;
    }
    let name = |i: usize| match names.get(i) {
        Some(name) => name.clone(),
        None if i == 0 => format!("< {}", bounds[0]),
        None if i == bounds.len() => format!("≥ {}", bounds[i - 1]),
        None => format!("{} – < {}", bounds[i - 1], bounds[i]),
    };
    let cases: Vec<String> = bounds.iter().enumerate().map(|(i, bound)| format!("{x} < {bound}, {}", quoted(&name(i)))).collect();
    Some(format!("IF(ISBLANK({x}), NULL, IFS({}, TRUE, {}))", cases.join(", "), quoted(&name(bounds.len()))))
}
