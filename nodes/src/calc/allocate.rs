//! `allocate`: an amount split by keys so that the parts add up to the last cent.

use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::logical_expr::{cast, when};
use datafusion::scalar::ScalarValue;

use crate::filter::keys;
use crate::formula::Site;
use crate::prelude::*;
use crate::types::MAX_DIGITS;
use crate::window::{self, Frame};

/// Splits amounts by weights.
///
/// Each group has one amount, written on all of its rows. Parts are rounded down to whole cents; the cents that are
/// left go to the rows with the largest remainders, the earlier row first.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Allocate {
    /// The column with the amount to split: the same on all rows of a group.
    pub amount: Column,
    /// The column with the weights, such as head counts or square metres.
    pub weight: Column,
    /// The columns whose groups each have an amount. None means one amount over all rows.
    #[serde(default)]
    pub per: Columns,
    /// The name of the column with the parts.
    #[serde(rename = "as")]
    pub name: NewColumn,
    /// How many decimals the parts have.
    #[serde(default = "two")]
    #[schemars(range(max = 6))]
    pub places: u8,
    /// What happens when a group cannot be split: no weights, a negative one, or several amounts. Its rows leave apart.
    #[serde(default)]
    pub severity: Severity,
}

fn two() -> u8 {
    2
}

impl NodeKind for Allocate {
    fn identity() -> Identity {
        Identity {
            id: "allocate",
            version: 1,
            category: Category::Calc,
            icon: "splitscreen",
            title: Words { en: "Allocate", fr: "Répartir" },
            summary: Words {
                en: "Splits an amount by weights so that the parts add up to it exactly.",
                fr: "Répartit un montant selon des clés, de sorte que les parts redonnent exactement le total.",
            },
            synonyms: &["split amount", "apportion", "distribute", "largest remainder", "prorata", "ventiler", "clé de répartition"],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, EXCEPTIONS])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let per = cx.columns(&self.per, &table, "per");
        let exact = |kind| matches!(kind, ColumnType::Integer | ColumnType::Decimal(_));
        cx.fitting(&Columns(vec![self.amount.clone()]), &table, "amount", "an exact number", exact);
        cx.fitting(&Columns(vec![self.weight.clone()]), &table, "weight", "an exact number", exact);
        cx.new_name(&self.name, table.has(&self.name.0), "as");
        if self.places > 6 {
            cx.problem(Problem::error("Parts have 6 decimals at most.").on("places").help("Give 2 for cents."));
        }
        if cx.failed() {
            return None;
        }
        let split = self.split(cx, &table, &per);
        let (split, fine) = cx.planned(split)?;
        let mut flow = Flow::split(split, fine, "out", EXCEPTIONS.name);
        flow.outlets[1].columns = Some(table.columns());
        let check = Check::empty(format!("Every {} can be split by {}", self.amount.0, self.weight.0), self.severity, EXCEPTIONS.name);
        Some(Planned::flow(flow).check(check))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "Three equal parts of 100: the first row gets the odd cent.",
                json!({ "amount": "total", "weight": "w", "as": "part" }),
            )
            .input("in", "k,total:decimal(2),w:integer\na,100.00,1\nb,100.00,1\nc,100.00,1")
            .output("out", "k,total:decimal(2),w:integer,part:decimal(2)\na,100.00,1,33.34\nb,100.00,1,33.33\nc,100.00,1,33.33"),
            Example::new(
                "In each group; the largest remainders get the cents; negative amounts too.",
                json!({ "amount": "total", "weight": "w", "per": ["g"], "as": "part" }),
            )
            .input("in", "g,total:decimal(2),w:decimal(1)\nx,-10.00,1.0\ny,0.05,1.0\nx,-10.00,2.0\ny,0.05,3.0\ny,0.05,")
            .output(
                "out",
                "g,total:decimal(2),w:decimal(1),part:decimal(2)\nx,-10.00,1.0,-3.33\ny,0.05,1.0,0.01\nx,-10.00,2.0,-6.67\ny,0.05,3.0,0.04\ny,0.05,,0.00",
            ),
            Example::new("Without weights nothing can be split.", json!({ "amount": "t", "weight": "w", "per": ["g"], "as": "part" }))
                .input("in", "g,t:integer,w:integer\na,5,0\nb,5,2\nc,5,-1\nd,5,1\nd,6,1")
                .output("out", "g,t:integer,w:integer,part:decimal(2)\nb,5,2,5.00")
                .output("exceptions", "g,t:integer,w:integer\na,5,0\nc,5,-1\nd,5,1\nd,6,1"),
            Example::new("A float is not exact.", json!({ "amount": "t", "weight": "w", "as": "p" }))
                .input("in", "t:float,w:integer\n1.5,1")
                .refused("is float, not an exact number"),
        ]
    }
}

impl Allocate {
    /// The rows with their parts, and the condition under which a row's group can be split.
    fn split(&self, cx: &Planning<'_>, table: &Table, per: &[String]) -> datafusion::common::Result<(Table, Expr)> {
        let site = Site::new(&self.name.0, table);
        let hide = |what: &str| hidden(&format!("{}.{what}", cx.node()));
        let names = ["weight", "amount", "weights", "lowest", "least", "most", "raw", "rest", "down", "downs", "rank"].map(hide);
        let [weight, amount, weights, lowest, least, most, raw, rest, down, downs, rank] = &names;
        let label = self.name.0.as_str();
        let power = 10_i128.pow(u32::from(self.places));
        let units = lit(ScalarValue::Decimal128(Some(power), MAX_DIGITS, 0));
        // Empty weights weigh nothing; an empty amount is no amount.
        let weight_type = table.type_of(&self.weight.0).cloned().unwrap_or(DataType::Int64);
        let prepared = table.with_columns(vec![
            (weight.clone(), coalesce(vec![column(&self.weight.0), cast(lit(0_i64), weight_type.clone())])),
            (
                amount.clone(),
                number::to_decimal(number::to_integer(number::multiply(column(&self.amount.0), units.clone(), &site), &site), 0, &site),
            ),
        ])?;
        let group = |call: Expr| window::over(call, per, &[], Frame::Group);
        let grouped = window::with(
            &prepared,
            vec![
                (weights.clone(), group(number::sum(column(weight), label))?),
                (lowest.clone(), group(min(column(weight)))?),
                (least.clone(), group(min(column(amount)))?),
                (most.clone(), group(max(column(amount)))?),
            ],
        )?;
        let zero = |data_type: &DataType| cast(lit(0_i64), data_type.clone());
        let weights_type = grouped.type_of(weights).cloned().unwrap_or(weight_type.clone());
        let fine =
            column(weights).gt(zero(&weights_type)).and(column(lowest).gt_eq(zero(&weight_type))).and(column(least).eq(column(most)));
        // Where a group cannot be split, dividing by one keeps the figures harmless.
        let over = when(column(weights).gt(zero(&weights_type)), column(weights)).otherwise(cast(lit(1_i64), weights_type))?;
        let raws = grouped.with_columns(vec![(raw.clone(), number::multiply(column(amount), column(weight), &site))])?;
        let rests = raws.with_columns(vec![(rest.clone(), number::modulo(column(raw), over.clone(), &site))])?;
        let floor = number::quotient(number::subtract(column(raw), column(rest), &site), over, &site);
        let floors = rests.with_columns(vec![(down.clone(), number::to_decimal(floor, 0, &site))])?;
        let largest = OrderKey { column: rest.clone(), descending: true, nulls_first: false, label: "remainder".into() };
        let order = keys::then(vec![largest], &table.order);
        let ranked = window::with(
            &floors,
            vec![(downs.clone(), group(number::sum(column(down), label))?), (rank.clone(), window::place(per, &order)?)],
        )?;
        let left = number::subtract(column(amount), column(downs), &site);
        let odd = when(cast(column(rank), DataType::Decimal128(MAX_DIGITS, 0)).lt_eq(left), lit(1_i64)).otherwise(lit(0_i64))?;
        let part = number::to_decimal(number::divide(number::add(column(down), odd, &site), units, &site), self.places, &site);
        let none = lit(ScalarValue::Null);
        let part = when(fine.clone(), part).otherwise(none)?;
        Ok((ranked.with_columns(vec![(self.name.0.clone(), part)])?, coalesce(vec![fine, lit(false)])))
    }
}
