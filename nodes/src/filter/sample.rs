//! `sample`: a part of the rows, chosen by place or by chance; the others leave apart.

use datafusion::functions::crypto::expr_fn::md5;
use datafusion::functions::string::expr_fn::concat_ws;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::cast;

use crate::prelude::*;
use crate::window::{self, Frame};

/// Keeps a part of the rows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Which rows.
    #[serde(default)]
    pub how: How,
    /// How many rows; for `percent` and `random_percent`, how many of a hundred.
    #[serde(default = "hundred")]
    #[schemars(range(min = 0))]
    pub size: i64,
    /// The columns whose groups are sampled each on their own. None means the whole table.
    #[serde(default)]
    pub per: Columns,
    /// Another number gives another random choice; the same number always gives the same one.
    #[serde(default)]
    pub seed: i64,
}

/// Which rows are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The first ones.
    #[default]
    First,
    /// The last ones.
    Last,
    /// All but the first ones.
    Skip,
    /// The first of every so many.
    Every,
    /// The first so many of a hundred.
    Percent,
    /// So many, by chance.
    Random,
    /// So many of a hundred, by chance.
    RandomPercent,
}

fn hundred() -> i64 {
    100
}

impl Sample {
    /// The order in which rows are counted: that of chance is the digest of the seed and of the row's place.
    fn drawn(&self, cx: &Planning<'_>, table: Table) -> datafusion::common::Result<(Table, Vec<OrderKey>)> {
        let order = table.order.clone();
        match self.how {
            How::Last => Ok((table, window::reversed(&order))),
            How::Random | How::RandomPercent => {
                let place = hidden(&format!("{}.place", cx.node()));
                let table = window::with(&table, vec![(place.clone(), window::place(&[], &order)?)])?;
                let text = concat_ws(lit("/"), vec![lit(self.seed.to_string()), cast(column(&place), DataType::Utf8)]);
                let chance = hidden(&format!("{}.chance", cx.node()));
                let table = table.with_columns(vec![(chance.clone(), md5(text))])?;
                Ok((table, vec![OrderKey::ascending(chance, "chance"), OrderKey::ascending(place, "row")]))
            }
            _ => Ok((table, order)),
        }
    }
}

impl NodeKind for Sample {
    fn identity() -> Identity {
        Identity {
            id: "sample",
            version: 1,
            category: Category::Filter,
            icon: "casino",
            title: Words { en: "Sample", fr: "Échantillon" },
            summary: Words {
                en: "Keeps the first, last, every nth or random rows, overall or in each group.",
                fr: "Garde les premières, dernières, une sur n ou des lignes au hasard, en tout ou par groupe.",
            },
            synonyms: &[
                "top n",
                "limit",
                "head",
                "random sample",
                "skip rows",
                "keep first rows",
                "row sampling",
                "premières lignes",
                "tirage",
            ],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, OutPort { name: "others", title: Words { en: "others", fr: "autres" } }])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let per = cx.columns(&self.per, &table, "per");
        let percent = matches!(self.how, How::Percent | How::RandomPercent);
        if self.size < 0 || (percent && self.size > 100) || (self.how == How::Every && self.size == 0) {
            let most = if percent { " and at most 100" } else { "" };
            cx.problem(
                Problem::error(format!("A sample of {} cannot be taken.", self.size)).on("size").help(format!("Give at least 1{most}.")),
            );
        }
        if cx.failed() {
            return None;
        }
        let order = table.order.clone();
        let (rank, all) = (hidden(&format!("{}.rank", cx.node())), hidden(&format!("{}.all", cx.node())));
        let drawn = self.drawn(cx, table).and_then(|(table, by)| {
            let mut windows = vec![(rank.clone(), window::place(&per, &by)?)];
            if percent {
                windows.push((all.clone(), window::over(count(lit(1_i64)), &per, &[], Frame::Group)?));
            }
            let table = window::with(&table, windows)?;
            Ok(Table::new(table.plan, order))
        });
        let table = cx.planned(drawn)?;
        let rank = cast(column(&rank), DataType::Int64);
        let size = lit(self.size);
        let kept = match self.how {
            How::First | How::Last | How::Random => rank.lt_eq(size),
            How::Skip => rank.gt(size),
            How::Every => ((rank - lit(1_i64)) % size).eq(lit(0_i64)),
            // Half a row counts as one: ten percent of five rows is one row.
            How::Percent | How::RandomPercent => ((rank - lit(1_i64)) * lit(100_i64)).lt(column(&all) * size),
        };
        Some(Planned::flow(Flow::split(table, kept, "out", "others")))
    }

    fn examples() -> Vec<Example> {
        let rows = "g,n:integer\na,1\na,2\nb,3\na,4\nb,5";
        vec![
            Example::new("The first two rows.", json!({ "size": 2 }))
                .input("in", rows)
                .output("out", "g,n:integer\na,1\na,2")
                .output("others", "g,n:integer\nb,3\na,4\nb,5"),
            Example::new("The last row of each group.", json!({ "how": "last", "size": 1, "per": ["g"] }))
                .input("in", rows)
                .output("out", "g,n:integer\na,4\nb,5"),
            Example::new("Every second row, from the first.", json!({ "how": "every", "size": 2 }))
                .input("in", rows)
                .output("out", "g,n:integer\na,1\nb,3\nb,5"),
            Example::new("Forty percent, by chance, the same each time.", json!({ "how": "random_percent", "size": 40, "seed": 7 }))
                .input("in", rows)
                .output("out", "g,n:integer\nb,3\nb,5"),
            Example::new("A table without rows.", json!({ "how": "random", "size": 3 }))
                .input("in", "n:integer")
                .output("out", "n:integer"),
            Example::new("More than a hundred percent is refused.", json!({ "how": "percent", "size": 120 }))
                .input("in", rows)
                .refused("at most 100"),
        ]
    }
}
