//! `describe`: a profile of a table, one row for each of its columns.

use datafusion::functions_aggregate::expr_fn::{count, count_distinct, max, min};
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::cast;
use datafusion::scalar::ScalarValue;

use crate::prelude::*;
use crate::spread::spread;

/// Describes columns.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Describe {
    /// The columns to describe. None means all.
    #[serde(default)]
    pub columns: Columns,
}

impl NodeKind for Describe {
    fn identity() -> Identity {
        Identity {
            id: "describe",
            version: 1,
            category: Category::Calc,
            icon: "query_stats",
            title: Words { en: "Describe", fr: "Décrire" },
            summary: Words {
                en: "Gives a profile as a table: type, empty and different values, smallest, largest, total and average of each column.",
                fr: "Donne un profil sous forme de table : type, valeurs vides et différentes, minimum, maximum, total et moyenne par colonne.",
            },
            synonyms: &["field summary", "profile", "statistics", "basic data profile", "profil", "statistiques"],
            order: Words { en: "The columns' own.", fr: "Celui des colonnes." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let columns = cx.fitting(&self.columns, &table, "columns", "a column", |_| true);
        if cx.failed() {
            return None;
        }
        let text = |text: String| lit(ScalarValue::Utf8View(Some(text)));
        let as_text = |expr: Expr| cast(expr, DataType::Utf8View);
        let rows = hidden("rows");
        let mut figures = vec![count(lit(1_i64)).alias(&rows)];
        let names = ["column", "type", "rows", "empty", "distinct", "min", "max", "total", "average"];
        let mut lists: Vec<Vec<Expr>> = vec![vec![]; names.len()];
        for (i, name) in columns.iter().enumerate() {
            let data_type = table.type_of(name).cloned().unwrap_or(DataType::Null);
            let mut figure = |what: &str, expr: Expr| {
                let alias = hidden(&format!("{i}.{what}"));
                figures.push(expr.alias(&alias));
                column(&alias)
            };
            let filled = figure("filled", count(column(name)));
            let distinct = figure("distinct", count_distinct(column(name)));
            let (low, high) = (figure("min", min(column(name))), figure("max", max(column(name))));
            let adds = ColumnType::of(&data_type).is_some_and(ColumnType::is_number);
            let (total, average) = if adds {
                let label = format!("total of {name}");
                (as_text(figure("sum", number::sum(column(name), &label))), as_text(figure("average", number::average(column(name), name))))
            } else {
                (lit(ScalarValue::Utf8View(None)), lit(ScalarValue::Utf8View(None)))
            };
            let cells = [
                text(name.clone()),
                text(type_name(&data_type)),
                column(&rows),
                column(&rows) - filled,
                distinct,
                as_text(low),
                as_text(high),
                total,
                average,
            ];
            for (list, cell) in lists.iter_mut().zip(cells) {
                list.push(cell);
            }
        }
        let plan = LogicalPlanBuilder::from(table.plan.clone()).aggregate(Vec::<Expr>::new(), figures).and_then(LogicalPlanBuilder::build);
        let one = Table::new(cx.planned(plan)?, vec![]);
        let lists = names.iter().map(|name| (*name).to_owned()).zip(lists.into_iter().map(make_array)).collect();
        let described = cx.planned(spread(cx.node(), &one, lists, false))?;
        let shown = names.iter().map(|name| ((*name).to_owned(), column(name))).collect();
        Some(Planned::table(cx.planned(described.project(shown))?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("One row for each column.", json!({}))
                .input("in", "name,n:decimal(2),day:date\nZoë,1.50,2026-01-02\n,2.25,2025-12-31\nZoë,,2026-01-02")
                .output(
                    "out",
                    "column,type,rows:integer,empty:integer,distinct:integer,min,max,total,average\nname,text,3,1,1,Zoë,Zoë,,\nn,decimal(2),3,1,2,1.50,2.25,3.75,1.875000000000\nday,date,3,0,2,2025-12-31,2026-01-02,,",
                ),
            Example::new("Only some columns.", json!({ "columns": ["n"] }))
                .input("in", "g,n:integer\na,4\nb,4")
                .output("out", "column,type,rows:integer,empty:integer,distinct:integer,min,max,total,average\nn,integer,2,0,1,4,4,8,4.000000000000"),
            Example::new("A table without rows.", json!({}))
                .input("in", "a")
                .output("out", "column,type,rows:integer,empty:integer,distinct:integer,min,max,total,average\na,text,0,0,0,,,,"),
            Example::new("A column that is not there.", json!({ "columns": ["b"] })).input("in", "a\nx").refused("\"b\" is not in this table"),
        ]
    }
}
