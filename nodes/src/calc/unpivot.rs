//! `unpivot`: columns become rows of names and values.

use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::cast;
use datafusion::scalar::ScalarValue;

use crate::join::keys::unify;
use crate::prelude::*;
use crate::spread::spread;

/// Turns columns into rows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Unpivot {
    /// The columns that stay and are repeated on every row.
    #[serde(default)]
    pub keep: Columns,
    /// The columns that become rows. None means all that do not stay.
    #[serde(default)]
    pub columns: Columns,
    /// The name of the column with the names.
    #[serde(default = "name", rename = "name_as")]
    pub name: NewColumn,
    /// The name of the column with the values.
    #[serde(default = "value", rename = "value_as")]
    pub value: NewColumn,
    /// Leaves out rows whose value is empty.
    #[serde(default)]
    pub skip_empty: bool,
}

fn name() -> NewColumn {
    NewColumn("name".into())
}

fn value() -> NewColumn {
    NewColumn("value".into())
}

impl NodeKind for Unpivot {
    fn identity() -> Identity {
        Identity {
            id: "unpivot",
            version: 1,
            category: Category::Calc,
            icon: "view_agenda",
            title: Words { en: "Unpivot", fr: "Dépivoter" },
            summary: Words {
                en: "Turns columns into rows: one row for each name and value.",
                fr: "Transforme des colonnes en lignes : une ligne par nom et valeur.",
            },
            synonyms: &["transpose", "columns to rows", "melt", "unpivot columns", "dépivoter les colonnes", "décroiser", "transposer"],
            order: Words {
                en: "The rows' own; within each row, the order of its columns.",
                fr: "Celui des lignes ; dans chacune, celui de ses colonnes.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports::through()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let table = cx.input("in")?;
        let keep = cx.columns(&self.keep, &table, "keep");
        let mut turned = cx.columns(&self.columns, &table, "columns");
        if self.columns.0.is_empty() {
            turned = table.names().filter(|name| !keep.iter().any(|kept| kept == name)).map(str::to_owned).collect();
        }
        cx.new_name(&self.name, keep.contains(&self.name.0), "name_as");
        cx.new_name(&self.value, keep.contains(&self.value.0) || self.value == self.name, "value_as");
        if turned.is_empty() && !cx.failed() {
            cx.problem(Problem::error("No column becomes rows.").on("columns").help("Choose columns, or let fewer of them stay."));
        }
        let mut common = DataType::Null;
        for (i, name) in turned.iter().enumerate() {
            let Some(data_type) = table.type_of(name) else { continue };
            match unify(&common, data_type) {
                Some(wider) => common = wider,
                None => cx.problem(
                    Problem::error(format!("\"{name}\" is {} and the columns before it are {}.", type_name(data_type), type_name(&common)))
                        .on(format!("columns[{i}]"))
                        .help("Give the columns one type with a \"Select columns\" step before this one."),
                ),
            }
        }
        if cx.failed() {
            return None;
        }
        let text = |name: &String| lit(ScalarValue::Utf8View(Some(name.clone())));
        let names = make_array(turned.iter().map(text).collect());
        let values = make_array(turned.iter().map(|name| cast(column(name), common.clone())).collect());
        let hide = |what: &str| hidden(&format!("{}.{what}", cx.node()));
        let (name_at, value_at) = (hide("name"), hide("value"));
        let lists = vec![(name_at.clone(), names), (value_at.clone(), values)];
        let mut spread_out = cx.planned(spread(cx.node(), &table, lists, false))?;
        if self.skip_empty {
            spread_out = cx.planned(spread_out.filter(column(&value_at).is_not_null()))?;
        }
        let mut columns: Vec<(String, Expr)> = keep.iter().map(|name| (name.clone(), column(name))).collect();
        columns.extend([(self.name.0.clone(), column(&name_at)), (self.value.0.clone(), column(&value_at))]);
        Some(Planned::table(cx.planned(spread_out.project(columns))?))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("Months become rows.", json!({ "keep": ["region"], "name_as": "month", "value_as": "amount" }))
                .input("in", "region,jan:integer,feb:decimal(2)\nNord,10,7.50\nSud,5,")
                .output("out", "region,month,amount:decimal(2)\nNord,jan,10.00\nNord,feb,7.50\nSud,jan,5.00\nSud,feb,"),
            Example::new(
                "Empty values are left out; columns that are not named disappear.",
                json!({ "columns": ["b", "a"], "skip_empty": true }),
            )
            .input("in", "a,b,c\n1,2,3\n,4,5")
            .output("out", "name,value\nb,2\na,1\nb,4"),
            Example::new("A table without rows.", json!({ "keep": ["k"] })).input("in", "k,a,b").output("out", "k,name,value"),
            Example::new("A date and a number have no type in common.", json!({}))
                .input("in", "a:date,b:integer\n2026-01-01,1")
                .refused("\"b\" is integer and the columns before it are date"),
        ]
    }
}
