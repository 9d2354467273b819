//! `tiers`: a bracket table, as commission plans and tax scales use (seed 000, B.6: *10% on ARR, 15% if > quota*).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::example::Example;
use crate::kind::{Category, Identity, NodeKind, Planned, Planning, Ports, Words};
use crate::param::{Formula, NewColumn};
use crate::problem::Problem;

/// Applies a table of bands to an amount.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Tiers {
    /// The amount.
    pub value: Formula,
    /// The bands, from the lowest up.
    pub bands: Vec<Band>,
    /// What a band's rate applies to.
    #[serde(default)]
    pub how: How,
    /// The name of the result's column.
    #[serde(rename = "as")]
    pub name: NewColumn,
    /// To how many decimals the result is rounded, half away from zero; null leaves it as it is.
    #[serde(default = "two")]
    pub round: Option<u8>,
}

/// A band of the table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Band {
    /// The largest amount that belongs to the band; only the last one may leave it out, and then has no end. Above the
    /// end of the last band nothing is earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Formula>,
    /// The band's rate, such as `10%`.
    pub rate: Formula,
}

/// What a band's rate applies to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// To the part of the amount that lies in the band, as tax scales do. A negative amount has the first band's rate.
    #[default]
    Marginal,
    /// To the whole amount, by the band it falls in.
    Whole,
}

fn two() -> Option<u8> {
    Some(2)
}

impl NodeKind for Tiers {
    fn identity() -> Identity {
        Identity {
            id: "tiers",
            version: 1,
            category: Category::Calc,
            icon: "stairs",
            title: Words { en: "Tiers", fr: "Paliers" },
            summary: Words {
                en: "Applies a table of bands and rates to an amount, band by band or as a whole.",
                fr: "Applique un barème de tranches et de taux à un montant, par tranche ou en totalité.",
            },
            synonyms: &["brackets", "bands", "commission", "tax scale", "slab", "barème", "tranches", "accelerator"],
            order: Words { en: "As they arrive.", fr: "Celui de l'arrivée." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let name = self.name.0.as_str();
        if name.is_empty() {
            cx.problem(Problem::error("The result has no name.").on("as").help("Name the column it goes into."));
        }
        if self.bands.is_empty() {
            cx.problem(Problem::error("There are no bands.").on("bands").help("Add at least one rate."));
        }
        // Each part on its own first, so that a mistake is shown where it was made.
        cx.formula(&self.value, &table, name, "value");
        let mut before: Option<rust_decimal::Decimal> = None;
        for (i, band) in self.bands.iter().enumerate() {
            cx.formula(&band.rate, &table, name, &format!("bands[{i}].rate"));
            match &band.up_to {
                Some(up_to) => {
                    cx.formula(up_to, &table, name, &format!("bands[{i}].up_to"));
                    let limit = up_to.0.trim().parse().ok();
                    if let (Some(before), Some(limit)) = (before, limit)
                        && limit <= before
                    {
                        let problem = Problem::error(format!("The bands do not ascend: {limit} comes after {before}."));
                        cx.problem(problem.on(format!("bands[{i}].up_to")).help("Put them in order, the lowest first."));
                    }
                    before = limit.or(before);
                }
                None if i + 1 < self.bands.len() => {
                    cx.problem(
                        Problem::error("This band has no end, but another one follows.")
                            .on(format!("bands[{i}].up_to"))
                            .help("Only the last band may go on for ever."),
                    );
                }
                None => {}
            }
        }
        if cx.failed() {
            return None;
        }
        let text = match self.how {
            How::Marginal => self.marginal(),
            How::Whole => self.whole(),
        };
        let text = match self.round {
            Some(places) => format!("ROUND({text}, {places})"),
            None => text,
        };
        let typed = cx.formula(&Formula(text), &table, name, "value")?;
        let table = cx.planned(table.with_columns(vec![(name.to_owned(), typed.expr)]))?;
        Some(Planned::table(table))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "Ten per cent up to the quota, fifteen above it.",
                json!({ "value": "[arr]", "bands": [{ "up_to": "[quota]", "rate": "10%" }, { "rate": "15%" }], "as": "commission" }),
            )
            .input("in", "arr:decimal(2),quota:decimal(2)\n80.00,100.00\n100.00,100.00\n150.05,100.00\n-20.00,100.00\n,100.00")
            .output("out", "arr:decimal(2),quota:decimal(2),commission:decimal(2)\n80.00,100.00,8.00\n100.00,100.00,10.00\n150.05,100.00,17.51\n-20.00,100.00,-2.00\n,100.00,"),
            Example::new(
                "The band an amount falls in gives the rate of the whole amount.",
                json!({ "value": "[n]", "how": "whole", "bands": [{ "up_to": "100", "rate": "1%" }, { "up_to": "200", "rate": "2%" }], "as": "fee", "round": 1 }),
            )
            .input("in", "n:integer\n100\n101\n200\n201")
            .output("out", "n:integer,fee:decimal(1)\n100,1.0\n101,2.0\n200,4.0\n201,0.0"),
            Example::new("A table without rows.", json!({ "value": "[n]", "bands": [{ "rate": "1%" }], "as": "fee" })).input("in", "n:integer").output("out", "n:integer,fee:decimal(2)"),
            Example::new("A rate that is not a number is refused.", json!({ "value": "[n]", "bands": [{ "rate": "ten" }], "as": "fee" })).input("in", "n:integer\n1").refused("ten"),
        ]
    }
}

impl Tiers {
    fn marginal(&self) -> String {
        let value = &self.value.0;
        let mut parts = Vec::new();
        let mut from: Option<&str> = None;
        for band in &self.bands {
            let rate = &band.rate.0;
            // MIN and MAX pass over empty values; the amount itself makes an empty result of an empty amount.
            let part = match (from, &band.up_to) {
                (None, None) => format!("({value})"),
                (None, Some(up_to)) => format!("IF(({value}) < ({up}), ({value}), ({up}))", up = up_to.0),
                (Some(from), None) => format!("IF(({value}) > ({from}), ({value}) - ({from}), ({value}) * 0)"),
                (Some(from), Some(up_to)) => {
                    format!("IF(({value}) > ({from}), IF(({value}) < ({up}), ({value}), ({up})) - ({from}), ({value}) * 0)", up = up_to.0)
                }
            };
            parts.push(format!("{part} * ({rate})"));
            from = band.up_to.as_ref().map(|up_to| up_to.0.as_str());
        }
        format!("IF(ISBLANK({value}), NULL, {})", parts.join(" + "))
    }

    fn whole(&self) -> String {
        let value = &self.value.0;
        let mut rates = String::new();
        let mut ended = false;
        for band in &self.bands {
            match &band.up_to {
                Some(up_to) => rates.push_str(&format!("({value}) <= ({}), ({}), ", up_to.0, band.rate.0)),
                None => {
                    rates.push_str(&format!("TRUE, ({})", band.rate.0));
                    ended = true;
                }
            }
        }
        if !ended {
            rates.push_str("TRUE, 0");
        }
        format!("({value}) * IFS({rates})")
    }
}
