//! `share`: what part of the total each row is, the cumulative part from the largest down, and ABC classes.

use datafusion::functions::core::expr_fn::nullif;
use datafusion::logical_expr::{cast, when};
use datafusion::scalar::ScalarValue;

use crate::filter::keys;
use crate::formula::Site;
use crate::prelude::*;
use crate::types::{DIVISION_PLACES, MAX_DIGITS};
use crate::window::{self, Frame};

/// Computes shares of a total.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// The figure.
    pub column: Column,
    /// The columns whose groups have totals of their own. None means the whole table.
    #[serde(default)]
    pub per: Columns,
    /// The name of the column with the share: 0.25 is a quarter.
    #[serde(default = "share", rename = "as")]
    pub name: NewColumn,
    /// The name of the column with the cumulative share, from the largest figure down. None unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cumulative: Option<NewColumn>,
    /// The name of the column with the class. None unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<NewColumn>,
    /// The classes, in order: each up to a cumulative share. What is above all of them gets the last one.
    #[serde(default = "abc")]
    pub classes: Vec<Class>,
}

/// A class.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// The cumulative share up to which it reaches, such as `0.8`.
    pub up_to: String,
}

fn share() -> NewColumn {
    NewColumn("share".into())
}

/// The usual classes (seed 002, 8: A up to 80 % of the revenue, B up to 95 %, C the rest).
fn abc() -> Vec<Class> {
    let class = |name: &str, up_to: &str| Class { name: name.into(), up_to: up_to.into() };
    vec![class("A", "0.8"), class("B", "0.95"), class("C", "1")]
}

impl NodeKind for Share {
    fn identity() -> Identity {
        Identity {
            id: "share",
            version: 1,
            category: Category::Calc,
            icon: "pie_chart",
            title: Words { en: "Share of total", fr: "Part du total" },
            summary: Words {
                en: "Computes each row's part of the total, the cumulative part, and ABC classes.",
                fr: "Calcule la part de chaque ligne dans le total, la part cumulée et les classes ABC.",
            },
            synonyms: &["percent of total", "pareto", "abc analysis", "80/20", "pourcentage du total", "analyse abc", "poids"],
            order: Words { en: "Rows stay in their order.", fr: "Les lignes restent dans leur ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let per = cx.columns(&self.per, &table, "per");
        cx.fitting(&Columns(vec![self.column.clone()]), &table, "column", "a number", ColumnType::is_number);
        let mut names: Vec<&NewColumn> = Vec::new();
        for (name, field) in [(Some(&self.name), "as"), (self.cumulative.as_ref(), "cumulative"), (self.class.as_ref(), "class")] {
            if let Some(name) = name {
                cx.new_name(name, table.has(&name.0) || names.contains(&name), field);
                names.push(name);
            }
        }
        let mut bounds = Vec::new();
        for (i, class) in self.classes.iter().enumerate() {
            match number::parse(&class.up_to).and_then(|(value, places)| number::rescaled(value, places, DIVISION_PLACES)) {
                Some(bound) if bounds.last().is_none_or(|last| bound > *last) => bounds.push(bound),
                _ => cx.problem(
                    Problem::error(format!("\"{}\" is not a share above the one before.", class.up_to))
                        .on(format!("classes[{i}].up_to"))
                        .help("Give rising numbers such as 0.8, 0.95 and 1."),
                ),
            }
        }
        if cx.failed() {
            return None;
        }
        let data_type = table.type_of(&self.column.0)?.clone();
        let (value, name) = (column(&self.column.0), self.name.0.as_str());
        let hide = |what: &str| hidden(&format!("{}.{what}", cx.node()));
        let (total, so_far) = (hide("total"), hide("so far"));
        let largest = OrderKey { column: self.column.0.clone(), descending: true, nulls_first: false, label: self.column.0.clone() };
        let down = keys::then(vec![largest], &table.order);
        let figures = window::over(number::sum(value.clone(), name), &per, &[], Frame::Group).and_then(|all| {
            let cumulated = window::over(number::sum(value.clone(), name), &per, &down, Frame::SoFar)?;
            window::with(&table, vec![(total.clone(), all), (so_far.clone(), cumulated)])
        });
        let figures = cx.planned(figures)?;
        // A share of nothing is no number.
        let base = || nullif(column(&total), cast(lit(0_i64), figures.type_of(&total).cloned().unwrap_or(data_type.clone())));
        let part = |of: Expr, output: &str| number::divide(of, base(), &Site::new(output, &table));
        let mut made = vec![(self.name.0.clone(), part(value.clone(), name))];
        let cumulated = part(column(&so_far), "cumulative share");
        if let Some(cumulative) = &self.cumulative {
            made.push((cumulative.0.clone(), cumulated.clone()));
        }
        if let Some(class) = &self.class {
            let text = |name: &str| lit(ScalarValue::Utf8View(Some(name.to_owned())));
            let places = DIVISION_PLACES as i8;
            let mut cases = when(value.clone().is_null().or(base().is_null()), lit(ScalarValue::Utf8View(None)));
            let bound = |value: i128| lit(ScalarValue::Decimal128(Some(value), MAX_DIGITS, places));
            for (known, edge) in self.classes.iter().zip(&bounds).take(self.classes.len().saturating_sub(1)) {
                let reached = if data_type == DataType::Float64 {
                    cumulated.clone().lt_eq(cast(bound(*edge), DataType::Float64))
                } else {
                    cumulated.clone().lt_eq(bound(*edge))
                };
                cases = cases.when(reached, text(&known.name));
            }
            let last = self.classes.last().map_or_else(|| lit(ScalarValue::Utf8View(None)), |class| text(&class.name));
            let class_of = cases.otherwise(last);
            made.push((class.0.clone(), cx.planned(class_of)?));
        }
        Some(Planned::table(cx.planned(figures.with_columns(made))?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Shares, cumulative shares and ABC classes.", json!({ "column": "n", "cumulative": "cumulative", "class": "class" }))
                .input("in", "p,n:decimal(2)\nx,15.00\ny,80.00\nz,5.00\nw,")
                .output(
                    "out",
                    "p,n:decimal(2),share:decimal(12),cumulative:decimal(12),class\nx,15.00,0.150000000000,0.950000000000,B\ny,80.00,0.800000000000,0.800000000000,A\nz,5.00,0.050000000000,1.000000000000,C\nw,,,1.000000000000,",
                ),
            Example::new("In each group.", json!({ "column": "n", "per": ["g"], "as": "part" }))
                .input("in", "g,n:integer\na,1\nb,5\na,3")
                .output("out", "g,n:integer,part:decimal(12)\na,1,0.250000000000\nb,5,1.000000000000\na,3,0.750000000000"),
            Example::new("A total of nothing has no shares.", json!({ "column": "n", "class": "c" })).input("in", "n:integer\n0\n0").output("out", "n:integer,share:decimal(12),c\n0,,\n0,,"),
            Example::new("Classes rise.", json!({ "column": "n", "classes": [{ "name": "A", "up_to": "0.9" }, { "name": "B", "up_to": "0.5" }] }))
                .input("in", "n:integer\n1")
                .refused("not a share above the one before"),
        ]
    }
}
