//! `units`: quantities in another unit of measure.

use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{cast, when};
use datafusion::scalar::ScalarValue;

use crate::formula::Site;
use crate::prelude::*;
use crate::types::MAX_DIGITS;

/// Converts quantities.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Units {
    /// The column with the quantities.
    pub column: Column,
    /// The column with their units.
    pub unit: Column,
    /// The unit to convert to: `kg`, `l`, `m`.
    pub to: String,
    /// The name of the column with the converted quantity.
    #[serde(rename = "as")]
    pub name: NewColumn,
    /// How many decimals it has.
    #[serde(default = "six")]
    #[schemars(range(max = 12))]
    pub places: u8,
    /// Units of one's own: how many of another one each is, such as a `box` of 12 `pcs`.
    #[serde(default)]
    pub own: Vec<Own>,
    /// What happens when a unit is not known, or measures something else. Such rows leave apart.
    #[serde(default)]
    pub severity: Severity,
}

/// A unit of one's own.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Own {
    /// Its name.
    pub name: String,
    /// How many of the other unit it is.
    pub equals: String,
    /// The other unit.
    pub of: String,
}

fn six() -> u8 {
    6
}

/// What is measured, the names of the unit, and how many of the first unit of its kind it is. The factors are exact by
/// definition (international yard and pound, 1959; litre and hectare, BIPM).
const UNITS: &[(&str, &[&str], &str)] = &[
    ("mass", &["g", "gr", "gram", "gramme"], "1"),
    ("mass", &["kg", "kilo", "kilogram", "kilogramme"], "1000"),
    ("mass", &["mg"], "0.001"),
    ("mass", &["t", "tonne", "ton"], "1000000"),
    ("mass", &["q", "quintal"], "100000"),
    ("mass", &["lb", "lbs", "pound"], "453.59237"),
    ("mass", &["oz", "ounce"], "28.349523125"),
    ("length", &["m", "metre", "meter", "mètre"], "1"),
    ("length", &["mm"], "0.001"),
    ("length", &["cm"], "0.01"),
    ("length", &["km"], "1000"),
    ("length", &["in", "inch", "pouce"], "0.0254"),
    ("length", &["ft", "foot", "pied"], "0.3048"),
    ("length", &["yd", "yard"], "0.9144"),
    ("length", &["mi", "mile"], "1609.344"),
    ("volume", &["l", "litre", "liter"], "1"),
    ("volume", &["ml"], "0.001"),
    ("volume", &["cl"], "0.01"),
    ("volume", &["hl"], "100"),
    ("volume", &["m3", "m³"], "1000"),
    ("volume", &["gal", "gallon"], "3.785411784"),
    ("area", &["m2", "m²"], "1"),
    ("area", &["ha", "hectare"], "10000"),
    ("area", &["km2", "km²"], "1000000"),
    ("area", &["sqft", "ft2"], "0.09290304"),
    ("time", &["s", "sec", "second", "seconde"], "1"),
    ("time", &["min", "minute"], "60"),
    ("time", &["h", "hour", "heure"], "3600"),
    ("time", &["d", "day", "j", "jour"], "86400"),
    ("energy", &["kwh"], "1"),
    ("energy", &["wh"], "0.001"),
    ("energy", &["mwh"], "1000"),
    ("count", &["pcs", "pc", "piece", "pièce", "unit", "unité", "u", "ea"], "1"),
    ("count", &["dozen", "dz", "douzaine"], "12"),
    ("count", &["k", "thousand", "millier"], "1000"),
];

impl NodeKind for Units {
    fn identity() -> Identity {
        Identity {
            id: "units",
            version: 1,
            category: Category::Mapping,
            icon: "transform",
            title: Words { en: "Units", fr: "Unités" },
            summary: Words {
                en: "Converts quantities to one unit of measure, with units of one's own such as boxes and pallets.",
                fr: "Convertit des quantités en une unité de mesure, avec ses propres unités comme cartons et palettes.",
            },
            synonyms: &["convert units", "unit of measure", "uom", "kg to lb", "conversion", "unité de mesure", "conditionnement"],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, EXCEPTIONS])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let exact = |kind| matches!(kind, ColumnType::Integer | ColumnType::Decimal(_));
        cx.fitting(&Columns(vec![self.column.clone()]), &table, "column", "an exact number", exact);
        cx.fitting(&Columns(vec![self.unit.clone()]), &table, "unit", "text", |kind| kind == ColumnType::Text);
        cx.new_name(&self.name, table.has(&self.name.0), "as");
        if self.places > 12 {
            cx.problem(Problem::error("A quantity has 12 decimals at most.").on("places").help("Give a smaller number."));
        }
        let known = self.known(cx);
        let target = known.iter().find(|(_, name, ..)| *name == self.to.to_lowercase()).cloned();
        if target.is_none() {
            let what = format!("\"{}\" is not a unit that is known.", self.to);
            let names: Vec<&str> = known.iter().map(|(_, name, ..)| name.as_str()).collect();
            cx.problem(
                Problem::error(what).on("to").help(
                    crate::problem::did_you_mean(&self.to, names.iter().copied()).unwrap_or_else(|| "Add it to your own units.".into()),
                ),
            );
        }
        if cx.failed() {
            return None;
        }
        let (dimension, _, (to, to_places)) = target?;
        let exact = |value: i128, places: u8| lit(ScalarValue::Decimal128(Some(value), MAX_DIGITS, places as i8));
        let lower = datafusion::functions::string::expr_fn::lower(cast(column(&self.unit.0), DataType::Utf8View));
        let name = |name: &str| lit(ScalarValue::Utf8View(Some(name.to_owned())));
        // All factors with the same decimals, so that one column holds them.
        let same: Vec<(String, i128)> = known
            .iter()
            .filter(|(kind, ..)| *kind == dimension)
            .filter_map(|(_, name, (value, places))| Some((name.clone(), number::rescaled(*value, *places, 12)?)))
            .collect();
        let mut cases = same.iter();
        let (first, value) = cases.next()?;
        let mut factor = when(lower.clone().eq(name(first)), exact(*value, 12));
        for (unit, value) in cases {
            factor = factor.when(lower.clone().eq(name(unit)), exact(*value, 12));
        }
        let factor = factor.otherwise(lit(ScalarValue::Decimal128(None, MAX_DIGITS, 12)));
        let at = hidden(&format!("{}.factor", cx.node()));
        let factor = cx.planned(factor)?;
        let found = cx.planned(table.with_columns(vec![(at.clone(), factor)]))?;
        let site = Site::new(&self.name.0, &table);
        let times = number::multiply(column(&self.column.0), column(&at), &site);
        let converted = number::to_decimal(number::divide(times, exact(to, to_places), &site), self.places, &site);
        let converted = cx.planned(found.with_columns(vec![(self.name.0.clone(), converted)]))?;
        let fine = coalesce(vec![column(&at).is_not_null(), lit(false)]).or(column(&self.column.0).is_null());
        let mut flow = Flow::split(converted, fine, "out", EXCEPTIONS.name);
        flow.outlets[1].columns = Some(table.columns());
        Some(Planned::flow(flow).check(Check::empty(
            format!("Every {} converts to {}", self.unit.0, self.to),
            self.severity,
            EXCEPTIONS.name,
        )))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "Masses in kilograms; a length is no mass.",
                json!({ "column": "q", "unit": "u", "to": "kg", "as": "kg", "places": 3 }),
            )
            .input("in", "q:decimal(2),u\n2.00,T\n1.00,lb\n500.00,g\n3.00,m\n,kg")
            .output("out", "q:decimal(2),u,kg:decimal(3)\n2.00,T,2000.000\n1.00,lb,0.454\n500.00,g,0.500\n,kg,")
            .output("exceptions", "q:decimal(2),u\n3.00,m"),
            Example::new(
                "Boxes and pallets of one's own.",
                json!({
                    "column": "q", "unit": "u", "to": "pcs", "as": "pieces", "places": 0,
                    "own": [{ "name": "box", "equals": "12", "of": "pcs" }, { "name": "pallet", "equals": "40", "of": "box" }]
                }),
            )
            .input("in", "q:integer,u\n3,box\n2,Pallet\n5,u")
            .output("out", "q:integer,u,pieces:decimal(0)\n3,box,36\n2,Pallet,960\n5,u,5"),
            Example::new("A table without rows.", json!({ "column": "q", "unit": "u", "to": "m", "as": "m" }))
                .input("in", "q:integer,u")
                .output("out", "q:integer,u,m:decimal(6)"),
            Example::new("A unit that nobody knows.", json!({ "column": "q", "unit": "u", "to": "kgg", "as": "m" }))
                .input("in", "q:integer,u\n1,kg")
                .refused("\"kgg\" is not a unit"),
        ]
    }
}

impl Units {
    /// Every unit: what it measures, its name, its factor. Reports units of one's own that cannot be understood.
    fn known(&self, cx: &mut Planning<'_>) -> Vec<(String, String, (i128, u8))> {
        let mut known: Vec<(String, String, (i128, u8))> = Vec::new();
        for (kind, names, factor) in UNITS {
            let Some(factor) = number::parse(factor) else { continue };
            known.extend(names.iter().map(|name| ((*kind).to_owned(), (*name).to_owned(), factor)));
        }
        for (i, own) in self.own.iter().enumerate() {
            let of = known.iter().find(|(_, name, _)| *name == own.of.to_lowercase()).cloned();
            let factor = number::parse(&own.equals).filter(|(value, _)| *value > 0);
            let (Some((kind, _, (base, base_places))), Some((value, places))) = (of, factor) else {
                let what = format!("\"{}\" cannot be {} \"{}\".", own.name, own.equals, own.of);
                cx.problem(
                    Problem::error(what)
                        .on(format!("own[{i}]"))
                        .help("Give a number, and a unit that stands before it in the list or is known."),
                );
                continue;
            };
            if let Some(product) = value.checked_mul(base) {
                known.retain(|(_, name, _)| *name != own.name.to_lowercase());
                known.push((kind, own.name.to_lowercase(), (product, places + base_places)));
            }
        }
        known
    }
}
