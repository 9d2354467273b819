//! `pivot`: the values of one column become columns.

use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::cast;
use datafusion::scalar::ScalarValue;

use super::aggregate::{Aggregate, Function, Measure, Totals};
use crate::prelude::*;

/// Turns the values of one column into columns.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Pivot {
    /// The columns that make the rows. None makes one row of everything.
    #[serde(default)]
    pub by: Columns,
    /// The column whose values become columns.
    pub column: Column,
    /// Its values, in the order of the new columns. They are part of the workflow, so that the table keeps its columns
    /// when the data changes.
    #[schemars(extend("x-weir-values-of" = "column", "x-weir-left-over" = "exceptions"))]
    pub values: Vec<String>,
    /// The column with the figures.
    pub figure: Column,
    /// How several figures of one cell become one.
    #[serde(default)]
    pub function: Function,
    /// What goes before the names of the new columns.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// What happens when a row has a value that is not in the list. Such rows leave apart.
    #[serde(default)]
    pub severity: Severity,
}

impl NodeKind for Pivot {
    fn identity() -> Identity {
        Identity {
            id: "pivot",
            version: 1,
            category: Category::Calc,
            icon: "pivot_table_chart",
            title: Words { en: "Pivot", fr: "Pivoter" },
            summary: Words {
                en: "Turns the values of one column into columns, with a figure in each cell.",
                fr: "Transforme les valeurs d'une colonne en colonnes, avec un chiffre par case.",
            },
            synonyms: &["crosstab", "cross tab", "pivot table", "rows to columns", "tableau croisé", "tableau croisé dynamique", "tcd"],
            order: Words { en: "By the columns that make the rows.", fr: "Par les colonnes qui font les lignes." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::split([OUT, EXCEPTIONS])
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        cx.columns(&self.by, &table, "by");
        cx.column(&self.column, &table, "column");
        cx.column(&self.figure, &table, "figure");
        if self.values.is_empty() {
            cx.problem(Problem::error("No values become columns.").on("values").help("List the values, in the order of the columns."));
        }
        let name = |value: &String| format!("{}{value}", self.prefix);
        for (i, value) in self.values.iter().enumerate() {
            let taken = self.values[..i].contains(value) || self.by.0.iter().any(|key| key.0 == name(value));
            cx.new_name(&NewColumn(name(value)), taken, &format!("values[{i}]"));
        }
        if cx.failed() {
            return None;
        }
        let found = || cast(column(&self.column.0), DataType::Utf8View);
        let text = |value: &str| lit(ScalarValue::Utf8View(Some(value.to_owned())));
        let known = coalesce(vec![found().in_list(self.values.iter().map(|value| text(value)).collect(), false), lit(false)]);
        let measures = self.values.iter().map(|value| Measure {
            name: NewColumn(name(value)),
            function: self.function,
            column: Some(self.figure.clone()),
            condition: Some(Formula(format!("({} & \"\") = {}", reference(&self.column.0), quoted(value)))),
            ..Measure::default()
        });
        let grouped = Aggregate { by: self.by.clone(), measures: measures.collect(), totals: Totals::None, level: NewColumn::default() };
        let kept = cx.planned(table.filter(known.clone()))?;
        let out = grouped.table(cx, &kept, &|_, _| "figure".to_owned())?;
        let others = cx.planned(table.filter(known.is_false()))?;
        let check = Check::empty(format!("Every value of {} has a column", self.column.0), self.severity, EXCEPTIONS.name);
        let planned = Planned { flows: vec![Flow::all("out", out), Flow::all(EXCEPTIONS.name, others)], ..Planned::default() };
        Some(planned.check(check))
    }

    fn examples() -> Vec<Example> {
        let sales = "region,month,amount:decimal(2)\nNord,01,10.00\nSud,01,5.00\nNord,02,7.50\nNord,01,1.25\nSud,03,2.00";
        vec![
            Example::new(
                "Months become columns; a month that is not in the list leaves apart.",
                json!({ "by": ["region"], "column": "month", "values": ["01", "02"], "figure": "amount" }),
            )
            .input("in", sales)
            .output("out", "region,01:decimal(2),02:decimal(2)\nNord,11.25,7.50\nSud,5.00,")
            .output("exceptions", "region,month,amount:decimal(2)\nSud,03,2.00"),
            Example::new(
                "Counts of everything in one row.",
                json!({ "column": "region", "values": ["Sud", "Nord", "Est"], "figure": "amount", "function": "count", "prefix": "n " }),
            )
            .input("in", sales)
            .output("out", "n Sud:integer,n Nord:integer,n Est:integer\n2,3,0"),
            Example::new("A table without rows.", json!({ "by": ["region"], "column": "month", "values": ["01"], "figure": "amount" }))
                .input("in", "region,month,amount:decimal(2)")
                .output("out", "region,01:decimal(2)"),
            Example::new("Two columns cannot have one name.", json!({ "column": "month", "values": ["01", "01"], "figure": "amount" }))
                .input("in", sales)
                .refused("already a column \"01\""),
        ]
    }
}
