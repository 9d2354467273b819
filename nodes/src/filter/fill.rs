//! `fill`: empty values take one from the rows around them, a figure of the column or a constant.

use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_window::expr_fn::{first_value, last_value};

use crate::prelude::*;
use crate::window::{self, Frame};

/// Fills empty values.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Fill {
    /// The columns to fill.
    pub columns: Columns,
    /// With what.
    #[serde(default)]
    pub how: How,
    /// For `value`: what fills them, as in a formula.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Formula>,
    /// The columns whose groups are filled each on their own. None means the whole table.
    #[serde(default)]
    pub per: Columns,
}

/// What fills an empty value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The last value above it.
    #[default]
    Down,
    /// The next value below it.
    Up,
    /// A constant or any formula.
    Value,
    /// The average of the group, rounded to the places of the column.
    Average,
    /// The middle value of the group, rounded to the places of the column.
    Median,
}

impl NodeKind for Fill {
    fn identity() -> Identity {
        Identity {
            id: "fill",
            version: 1,
            category: Category::Filter,
            icon: "vertical_align_bottom",
            title: Words { en: "Fill empty values", fr: "Remplir les vides" },
            summary: Words {
                en: "Fills empty values from above, from below, with a constant, the average or the median.",
                fr: "Remplit les valeurs vides par le haut, par le bas, une constante, la moyenne ou la médiane.",
            },
            synonyms: &[
                "fill down",
                "fill up",
                "imputation",
                "missing value",
                "forward fill",
                "remplissage",
                "recopier vers le bas",
                "valeurs manquantes",
            ],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let names = cx.columns(&self.columns, &table, "columns");
        let per = cx.columns(&self.per, &table, "per");
        if self.columns.0.is_empty() {
            cx.problem(Problem::error("There is no column to fill.").on("columns").help("Choose the columns."));
        }
        let figured = matches!(self.how, How::Average | How::Median);
        if figured {
            cx.fitting(&self.columns, &table, "columns", "a number", ColumnType::is_number);
        }
        if cx.failed() {
            return None;
        }
        let (mut figures, mut filled) = (Vec::new(), Vec::new());
        for (i, name) in names.iter().enumerate() {
            let own = column(name);
            let site = crate::formula::Site::new(name, &table);
            if self.how == How::Value {
                let text = self.value.as_ref().map_or("", |value| &value.0);
                let typed = cx.derived(&format!("IFBLANK({}, {text})", reference(name)), &table, name, "value")?;
                filled.push((name.clone(), typed.expr));
                continue;
            }
            let figure = match self.how {
                How::Down => window::over_filled(last_value(own.clone()), &per, &table.order, Frame::SoFar),
                How::Up => window::over_filled(first_value(own.clone()), &per, &table.order, Frame::Ahead),
                How::Average => window::over(number::average(own.clone(), name), &per, &[], Frame::Group),
                How::Median | How::Value => window::over(number::median(own.clone(), name), &per, &[], Frame::Group),
            };
            let hidden_name = hidden(&format!("{}.filled.{i}", cx.node()));
            figures.push((hidden_name.clone(), cx.planned(figure)?));
            // A money column stays one: a figure is rounded to its places.
            let round = |places: u8| number::round(column(&hidden_name), i32::from(places), number::Rounding::HalfAwayFromZero, &site);
            let by = match table.type_of(name).and_then(ColumnType::of) {
                Some(ColumnType::Decimal(places)) if figured => round(places),
                Some(ColumnType::Integer) if figured => number::to_integer(round(0), &site),
                _ => column(&hidden_name),
            };
            filled.push((name.clone(), coalesce(vec![own, by])));
        }
        let out = cx.planned(window::with(&table, figures).and_then(|table| table.with_columns(filled)))?;
        Some(Planned::table(out))
    }

    fn examples() -> Vec<Example> {
        let rows = "g,n:decimal(2)\na,\na,1.00\nb,\na,\nb,4.00\na,2.01";
        vec![
            Example::new("From above, whatever the group; what has nothing above stays empty.", json!({ "columns": ["n"] }))
                .input("in", rows)
                .output("out", "g,n:decimal(2)\na,\na,1.00\nb,1.00\na,1.00\nb,4.00\na,2.01"),
            Example::new("From below, in each group.", json!({ "columns": ["n"], "how": "up", "per": ["g"] }))
                .input("in", rows)
                .output("out", "g,n:decimal(2)\na,1.00\na,1.00\nb,4.00\na,2.01\nb,4.00\na,2.01"),
            Example::new("With a constant.", json!({ "columns": ["n"], "how": "value", "value": "0" }))
                .input("in", "n:integer\n\n5")
                .output("out", "n:integer\n0\n5"),
            Example::new("With the average of the group, to the cent.", json!({ "columns": ["n"], "how": "average", "per": ["g"] }))
                .input("in", rows)
                .output("out", "g,n:decimal(2)\na,1.51\na,1.00\nb,4.00\na,1.51\nb,4.00\na,2.01"),
            Example::new("The median of whole numbers stays whole.", json!({ "columns": ["n"], "how": "median" }))
                .input("in", "g,n:integer\na,1\na,\na,4\na,9")
                .output("out", "g,n:integer\na,1\na,4\na,4\na,9"),
            Example::new("All values are empty.", json!({ "columns": ["n"], "how": "average" }))
                .input("in", "g,n:integer\na,\nb,")
                .output("out", "g,n:integer\na,\nb,"),
            Example::new("A text has no average.", json!({ "columns": ["g"], "how": "average" }))
                .input("in", rows)
                .refused("is text, not a number"),
        ]
    }
}
