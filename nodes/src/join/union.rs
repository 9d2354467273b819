//! `union`: the rows of several tables, one table after the other.

use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit};
use datafusion::scalar::ScalarValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::apart::apart;
use crate::example::Example;
use crate::kind::{Arity, Category, IN, Identity, InPort, NodeKind, OUT, Planned, Planning, Ports, Words};
use crate::param::NewColumn;
use crate::problem::Problem;
use crate::table::{OrderKey, Table, column, hidden, is_hidden};
use crate::types::{MAX_DIGITS, type_name};

/// Puts the rows of several tables one after the other.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Union {
    /// How columns are matched.
    #[serde(default)]
    pub by: MatchBy,
    /// The name of a column that says which table a row is from, 1 for the first. None unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<NewColumn>,
}

/// How columns are matched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MatchBy {
    /// By their names; a table that lacks one gets empty values.
    #[default]
    Name,
    /// By their places; the first table gives the names.
    Position,
}

impl NodeKind for Union {
    fn identity() -> Identity {
        Identity {
            id: "union",
            version: 1,
            category: Category::Join,
            icon: "table_rows",
            title: Words { en: "Union", fr: "Union" },
            summary: Words {
                en: "Puts the rows of several tables one after the other, by column name or position.",
                fr: "Empile les lignes de plusieurs tables, par nom ou par position de colonne.",
            },
            synonyms: &["append", "concatenate", "stack", "combine", "ajouter des requêtes", "empiler"],
            order: Words {
                en: "Table by table in the order of the wires, each in its own order.",
                fr: "Table par table dans l'ordre des liens, chacune dans le sien.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports { inputs: vec![InPort { arity: Arity::Many, ..IN }], outputs: vec![OUT] }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let tables = cx.inputs("in").to_vec();
        let first = tables.first()?;
        // The columns of the result, with the column of each table that fills them.
        let mut columns: Vec<(String, DataType, Vec<Option<String>>)> = Vec::new();
        match self.by {
            MatchBy::Name => {
                for table in &tables {
                    for name in table.names().map(str::to_owned).collect::<Vec<_>>() {
                        if !columns.iter().any(|(known, ..)| *known == name) {
                            let sources = tables.iter().map(|table| table.has(&name).then(|| name.clone())).collect();
                            columns.push((name, DataType::Null, sources));
                        }
                    }
                }
                for (name, _, sources) in columns.iter().filter(|(.., sources)| sources.contains(&None)) {
                    let lacking: Vec<String> =
                        sources.iter().enumerate().filter(|(_, source)| source.is_none()).map(|(i, _)| (i + 1).to_string()).collect();
                    cx.problem(
                        Problem::info(format!("Column \"{name}\" is not in table {}; it is empty there.", lacking.join(", ")))
                            .help("Rename columns with a select step where they mean the same."),
                    );
                }
            }
            MatchBy::Position => {
                let width = first.names().count();
                for (i, table) in tables.iter().enumerate().filter(|(_, table)| table.names().count() != width) {
                    let found = table.names().count();
                    cx.problem(
                        Problem::error(format!("Table {} has {found} columns and the first has {width}.", i + 1))
                            .on("by")
                            .help("Match them by name, or select the same columns."),
                    );
                }
                if cx.failed() {
                    return None;
                }
                for (place, name) in first.names().enumerate() {
                    let sources = tables.iter().map(|table| table.names().nth(place).map(str::to_owned)).collect();
                    columns.push((name.to_owned(), DataType::Null, sources));
                }
            }
        }
        for (name, common, sources) in &mut columns {
            for (i, (table, source)) in tables.iter().zip(sources.iter()).enumerate() {
                let Some(found) = source.as_deref().and_then(|source| table.type_of(source)) else { continue };
                match unified(common, found) {
                    Some(data_type) => *common = data_type,
                    None => cx.problem(
                        Problem::error(format!(
                            "Column \"{name}\" is {} in table {} and {} before it.",
                            type_name(found),
                            i + 1,
                            type_name(common)
                        ))
                        .help("Give them the same type with a select step."),
                    ),
                }
            }
        }
        if let Some(source) = &self.source {
            cx.new_name(source, columns.iter().any(|(name, ..)| *name == source.0), "source");
        }
        if cx.failed() {
            return None;
        }
        let node = cx.node().to_owned();
        let stacked = stacked(&node, &tables, &columns);
        let mut table = cx.planned(stacked)?;
        if let Some(source) = &self.source {
            let number = column(&hidden(&format!("{node}.table"))) + lit(1_i64);
            table = cx.planned(table.with_columns(vec![(source.0.clone(), number)]))?;
        }
        Some(Planned::table(table))
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("By name; what a table lacks is empty, and whole numbers become decimals.", json!({}))
                .input("in", "a:integer,b\n2,x\n1,y")
                .input("in", "b,a:decimal(2),c\nz,1.50,new")
                .output("out", "a:decimal(2),b,c\n2.00,x,\n1.00,y,\n1.50,z,new"),
            Example::new("By position; the first table gives the names.", json!({ "by": "position" }))
                .input("in", "a:integer,b\n1,x")
                .input("in", "n:integer,m\n2,")
                .input("in", "a:integer,b")
                .output("out", "a:integer,b\n1,x\n2,"),
            Example::new("Each table keeps its own order.", json!({}))
                .input("in", "n:integer,a\n2,x\n1,y")
                .input("in", "b\nz")
                .output("out", "n:integer,a,b\n2,x,\n1,y,\n,,z"),
            Example::new("With the number of the table each row is from.", json!({ "source": "from" }))
                .input("in", "a,b\nx,1")
                .input("in", "a,b\ny,2")
                .output("out", "a,b,from:integer\nx,1,1\ny,2,2"),
            Example::new("Tables without rows.", json!({})).input("in", "a").input("in", "a,b").output("out", "a,b"),
            Example::new("A text and a number cannot share a column.", json!({}))
                .input("in", "a\nx")
                .input("in", "a:integer\n1")
                .refused("Column \"a\" is integer in table 2 and text before it"),
        ]
    }
}

fn unified(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Decimal128, Float64, Int64, Null};
    Some(match (a, b) {
        (Null, other) | (other, Null) => other.clone(),
        (Decimal128(_, x), Decimal128(_, y)) if a != b => Decimal128(MAX_DIGITS, *x.max(y)),
        (Int64, Decimal128(_, x)) | (Decimal128(_, x), Int64) => Decimal128(MAX_DIGITS, *x),
        (Int64, Float64) | (Float64, Int64) => Float64,
        (a, b) if a == b => a.clone(),
        _ => return None,
    })
}

/// The tables one after the other. Every table's own order is kept in hidden columns, which are empty for the others.
fn stacked(node: &str, tables: &[Table], columns: &[(String, DataType, Vec<Option<String>>)]) -> datafusion::common::Result<Table> {
    let branch = hidden(&format!("{node}.table"));
    let mut order = vec![OrderKey::ascending(&branch, "table")];
    let mut keys: Vec<(usize, String, DataType, String)> = Vec::new();
    for (i, table) in tables.iter().enumerate() {
        for (k, key) in table.order.iter().enumerate() {
            let name = hidden(&format!("{node}.{i}.{k}"));
            let data_type = table.type_of(&key.column).cloned().unwrap_or(DataType::Null);
            order.push(OrderKey { column: name.clone(), ..key.clone() });
            keys.push((i, key.column.clone(), data_type, name));
        }
    }
    // Errors name a row by the first key that is one.
    let mut builder: Option<LogicalPlanBuilder> = None;
    for (i, table) in tables.iter().enumerate() {
        let mut exprs: Vec<Expr> = Vec::new();
        for (name, data_type, sources) in columns {
            let expr = match &sources[i] {
                Some(source) if table.type_of(source) == Some(data_type) => column(source),
                Some(source) => cast(column(source), data_type.clone()),
                None => lit(ScalarValue::try_from(data_type)?),
            };
            exprs.push(expr.alias(name));
        }
        exprs.push(lit(i as i64).alias(&branch));
        for (owner, source, data_type, name) in &keys {
            let expr = match *owner == i {
                true if is_hidden(source) => column(source),
                true => apart(column(source)),
                false => lit(ScalarValue::try_from(data_type)?),
            };
            exprs.push(expr.alias(name));
        }
        let part = LogicalPlanBuilder::from(table.plan.clone()).project(exprs)?;
        builder = Some(match builder {
            None => part,
            Some(builder) => builder.union(part.build()?)?,
        });
    }
    let builder = builder.ok_or_else(|| datafusion::common::internal_datafusion_err!("a union of nothing"))?;
    Ok(Table::new(builder.build()?, order))
}
