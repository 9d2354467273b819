//! `sql`: a SELECT over the incoming tables, for those who want it.

use std::sync::Arc;

use datafusion::catalog::MemTable;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::{TableScan, cast};
use datafusion::prelude::SessionContext;

use crate::prelude::*;

/// Runs a SELECT.
///
/// The incoming tables are called `t1`, `t2` and so on, in the order of their wires. Numbers follow the rules of SQL
/// and not those of formulas: a division of decimals is cut off at its places.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Sql {
    /// The SELECT. Names with capitals or spaces stand in double quotes.
    pub query: String,
}

impl NodeKind for Sql {
    fn identity() -> Identity {
        Identity {
            id: "sql",
            version: 1,
            category: Category::Calc,
            icon: "terminal",
            title: Words { en: "SQL", fr: "SQL" },
            summary: Words {
                en: "Runs a SELECT over the incoming tables t1, t2 and so on.",
                fr: "Exécute un SELECT sur les tables entrantes t1, t2, etc.",
            },
            synonyms: &["query", "select", "in-database", "requête"],
            order: Words {
                en: "By the columns of its ORDER BY, then by all columns.",
                fr: "Par les colonnes de son ORDER BY, puis par toutes les colonnes.",
            },
        }
    }

    fn ports(&self) -> Ports {
        Ports { inputs: vec![InPort { arity: Arity::Many, ..IN }], outputs: vec![OUT] }
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        let tables = cx.inputs("in").to_vec();
        match self.planned(&tables) {
            Ok(table) => Some(Planned::table(table)),
            Err(error) => {
                let what = format!("The query cannot be understood: {}.", error.strip_backtrace().trim_end_matches('.'));
                let names: Vec<String> = (1..=tables.len()).map(|i| format!("t{i}")).collect();
                cx.problem(Problem::error(what).on("query").help(format!("The tables are {}.", names.join(", "))));
                None
            }
        }
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new(
                "A join with totals, the largest first.",
                json!({
                    "query": "SELECT b.team, SUM(a.n) AS total FROM t1 a JOIN t2 b ON a.who = b.who GROUP BY b.team ORDER BY total DESC"
                }),
            )
            .input("in", "who,n:decimal(2)\nAnn,1.50\nBob,4.00\nAnn,1.00")
            .input("in", "who,team\nAnn,North\nBob,South")
            .output("out", "team,total:decimal(2)\nSouth,4.00\nNorth,2.50"),
            Example::new(
                "Without ORDER BY, rows come in the order of their columns.",
                json!({ "query": "SELECT \"My name\" AS n FROM t1" }),
            )
            .input("in", "My name,b\nz,1\na,2")
            .output("out", "n\na\nz"),
            Example::new("A table without rows.", json!({ "query": "SELECT COUNT(*) AS rows FROM t1" }))
                .input("in", "a")
                .output("out", "rows:integer\n0"),
            Example::new("Only questions are allowed.", json!({ "query": "DROP TABLE t1" })).input("in", "a\nx").refused("Only a SELECT"),
        ]
    }
}

impl Sql {
    fn planned(&self, tables: &[Table]) -> datafusion::common::Result<Table> {
        let context = SessionContext::new_with_config(crate::session::config(1));
        for (i, table) in tables.iter().enumerate() {
            // Stands for the table while the query is read; its rows come from the table's own plan.
            let provider = MemTable::try_new(Arc::new(table.visible()), vec![vec![]])?;
            context.register_table(format!("t{}", i + 1), Arc::new(provider))?;
        }
        let state = context.state();
        let plan = futures::executor::block_on(state.create_logical_plan(&self.query))?;
        if matches!(plan, LogicalPlan::Ddl(_) | LogicalPlan::Dml(_) | LogicalPlan::Statement(_) | LogicalPlan::Copy(_)) {
            return datafusion::common::plan_err!("Only a SELECT is allowed");
        }
        let order = match &plan {
            LogicalPlan::Sort(sort) => sort.expr.clone(),
            LogicalPlan::Limit(limit) => match limit.input.as_ref() {
                LogicalPlan::Sort(sort) => sort.expr.clone(),
                _ => vec![],
            },
            _ => vec![],
        };
        let plan = plan
            .transform_up(|node| {
                let LogicalPlan::TableScan(scan) = &node else { return Ok(Transformed::no(node)) };
                let Some(table) = meant(scan).and_then(|number| tables.get(number)) else { return Ok(Transformed::no(node)) };
                let columns: Vec<Expr> = scan.projected_schema.fields().iter().map(|field| column(field.name())).collect();
                let rows = LogicalPlanBuilder::from(table.plan.clone()).project(columns)?.alias(scan.table_name.clone())?.build()?;
                Ok(Transformed::yes(rows))
            })
            .data()?;
        // Subqueries inside expressions would still look at the stand-in.
        let subquery = |expr: &Expr| matches!(expr, Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_));
        let inner = |expr: &Expr| expr.exists(|part| Ok(subquery(part))).unwrap_or(true);
        if plan.exists(|node| Ok(node.expressions().iter().any(inner)))? {
            return datafusion::common::plan_err!("Subqueries are not supported here; use a join or a WITH clause");
        }
        let mut keys = Vec::new();
        let mut exprs: Vec<Expr> = Vec::new();
        for (qualifier, field) in plan.schema().iter() {
            let source = Expr::Column(datafusion::common::Column::new(qualifier.cloned(), field.name()));
            let typed = match field.data_type() {
                DataType::UInt64
                | DataType::Int32
                | DataType::Int16
                | DataType::Int8
                | DataType::UInt32
                | DataType::UInt16
                | DataType::UInt8 => cast(source.clone(), DataType::Int64),
                DataType::Utf8 | DataType::LargeUtf8 => cast(source.clone(), DataType::Utf8View),
                DataType::Float32 => cast(source.clone(), DataType::Float64),
                found if ColumnType::of(found).is_some() => source.clone(),
                found => return datafusion::common::plan_err!("Column \"{}\" is {found}, which has no place in a table", field.name()),
            };
            let sorted = order.iter().position(|key| key.expr == source);
            keys.push((sorted, field.name().clone(), sorted.map(|i| (!order[i].asc, order[i].nulls_first))));
            exprs.push(typed.alias(field.name()));
        }
        keys.sort_by_key(|(sorted, ..)| sorted.unwrap_or(usize::MAX));
        let order = keys.into_iter().map(|(_, name, how)| {
            let (descending, nulls_first) = how.unwrap_or((false, false));
            OrderKey { column: name.clone(), descending, nulls_first, label: name }
        });
        let plan = LogicalPlanBuilder::from(plan).project(exprs)?.build()?;
        Ok(Table::new(plan, order.collect()))
    }
}

/// The place, from 0, of the table that a scan of `t1`, `t2` and so on means.
fn meant(scan: &TableScan) -> Option<usize> {
    scan.table_name.table().strip_prefix('t')?.parse::<usize>().ok()?.checked_sub(1)
}
