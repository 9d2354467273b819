//! `rank`: the place of each row, by figures, overall or in its group; and the top of each group.

use datafusion::functions_window::expr_fn::{dense_rank, percent_rank, rank};
use datafusion::logical_expr::cast;

use crate::filter::keys::{self, SortKey};
use crate::prelude::*;
use crate::window::{self, Frame};

/// Ranks rows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Rank {
    /// What makes a row come first.
    pub by: Vec<SortKey>,
    /// The columns whose groups are ranked each on their own. None means the whole table.
    #[serde(default)]
    pub per: Columns,
    /// What equal rows get.
    #[serde(default)]
    pub ties: Ties,
    /// The name of the column with the rank.
    #[serde(default = "name", rename = "as")]
    pub name: NewColumn,
    /// Keeps the rows up to this rank; the others leave apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub top: Option<u32>,
}

fn name() -> NewColumn {
    NewColumn("rank".into())
}

/// What equal rows get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// The same rank, and a gap after it: 1, 2, 2, 4.
    #[default]
    Gap,
    /// The same rank, without a gap: 1, 2, 2, 3.
    Dense,
    /// Different ranks, in the order they arrive: 1, 2, 3, 4.
    Arrival,
    /// How much of the group is ahead, from 0 to 1 (a float).
    Percent,
}

impl NodeKind for Rank {
    fn identity() -> Identity {
        Identity {
            id: "rank",
            version: 1,
            category: Category::Calc,
            icon: "stairs",
            title: Words { en: "Rank", fr: "Classement" },
            summary: Words {
                en: "Ranks rows by figures, overall or in each group, and keeps the top ones if asked.",
                fr: "Classe les lignes par valeur, en tout ou par groupe, et garde les premières si demandé.",
            },
            synonyms: &["top n per group", "ranking", "percentile rank", "palmarès", "rang", "top n"],
            order: Words { en: "Rows stay in their order on both ports.", fr: "Les lignes restent dans leur ordre aux deux sorties." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, OutPort { name: "others", title: Words { en: "others", fr: "autres" } }])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let per = cx.columns(&self.per, &table, "per");
        let by = keys::order(&self.by, &table, "by", cx);
        cx.new_name(&self.name, table.has(&self.name.0), "as");
        if self.by.is_empty() {
            cx.problem(Problem::error("Nothing says what comes first.").on("by").help("Add a column to rank by."));
        }
        if cx.failed() {
            return None;
        }
        let by = by?;
        let call = match self.ties {
            Ties::Gap => window::over(rank(), &per, &by, Frame::SoFar),
            Ties::Dense => window::over(dense_rank(), &per, &by, Frame::SoFar),
            Ties::Percent => window::over(percent_rank(), &per, &by, Frame::Group),
            Ties::Arrival => window::place(&per, &keys::then(by, &table.order)),
        };
        let place = hidden(&format!("{}.rank", cx.node()));
        let ranked = call.and_then(|call| window::with(&table, vec![(place.clone(), call)])).and_then(|table| {
            let kind = if self.ties == Ties::Percent { DataType::Float64 } else { DataType::Int64 };
            table.with_columns(vec![(self.name.0.clone(), cast(column(&place), kind))])
        });
        let ranked = cx.planned(ranked)?;
        let kept = self.top.map_or_else(|| lit(true), |top| column(&self.name.0).lt_eq(lit(i64::from(top))));
        Some(Planned::flow(Flow::split(ranked, kept, "out", "others")))
    }

    fn examples() -> Vec<Example> {
        let rows = "g,n:integer\na,5\na,7\nb,7\na,7\nb,\na,1";
        vec![
            Example::new(
                "Largest first; equal rows share a rank, empty values come last.",
                json!({ "by": [{ "column": "n", "descending": true }] }),
            )
            .input("in", rows)
            .output("out", "g,n:integer,rank:integer\na,5,4\na,7,1\nb,7,1\na,7,1\nb,,6\na,1,5"),
            Example::new(
                "The two best of each group.",
                json!({ "by": [{ "column": "n", "descending": true }], "per": ["g"], "ties": "arrival", "top": 2 }),
            )
            .input("in", rows)
            .output("out", "g,n:integer,rank:integer\na,7,1\nb,7,1\na,7,2\nb,,2")
            .output("others", "g,n:integer,rank:integer\na,5,3\na,1,4"),
            Example::new("Without gaps.", json!({ "by": [{ "column": "n" }], "ties": "dense", "as": "place" }))
                .input("in", rows)
                .output("out", "g,n:integer,place:integer\na,5,2\na,7,3\nb,7,3\na,7,3\nb,,4\na,1,1"),
            Example::new("A table without rows.", json!({ "by": [{ "column": "n" }] }))
                .input("in", "n:integer")
                .output("out", "n:integer,rank:integer"),
            Example::new("Something must say what comes first.", json!({ "by": [] }))
                .input("in", rows)
                .refused("Nothing says what comes first"),
        ]
    }
}
