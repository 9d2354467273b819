//! Plans that carry, with every row, the rows of the sources that it was made of; or a mark, whether it was made of some.
//!
//! A plan is rewritten from its leaves up, operator by operator, whatever steps it stands for: rows of a source carry
//! their position, joins carry both sides', aggregates those of their group. A row of a window carries its own: what
//! arrives there was kept, and stands for its partition ([`crate::plan::pieces`]). What is asked of the result is a filter
//! on top; the optimizer pushes it down to the sources, keys of groups and joins included, so that only what matters is
//! computed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::catalog::default_table_source::DefaultTableSource;
use datafusion::common::{Column, JoinType, Result, ScalarValue, internal_datafusion_err, plan_err};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{array_agg, max};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::functions_aggregate::min_max::max_udaf;
use datafusion::functions_nested::expr_fn::{flatten, make_array};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprFunctionExt, ExprSchemable, Join, LogicalPlan, LogicalPlanBuilder, TableScan, Window,
    WindowFunctionDefinition, cast, lit, when,
};
use weir_nodes::source::{SOURCE, identity};
use weir_nodes::table::hidden;

use crate::plan::groups::{Counted, Group, partitions};
use crate::plan::spool;

/// A place where a plan reads a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The name of the table that is scanned.
    pub(super) table: String,
    /// The step that reads it.
    pub(super) node: String,
    /// The column with the rows' positions; none where they are counted.
    pub(super) position: Option<String>,
    /// What a position is called: `deals.csv line`.
    pub(super) label: String,
    /// The columns of it that are read.
    pub(super) columns: BTreeSet<String>,
    /// The rows that one of its rows stands for.
    pub(super) group: Group,
}

/// A plan that carries lineage.
pub(super) struct Traced {
    pub(super) plan: LogicalPlan,
    /// The leaves whose rows it carries, by number; the column is [`carrier`].
    pub(super) leaves: BTreeMap<usize, Leaf>,
}

/// The column that carries the positions in a leaf.
pub(super) fn carrier(leaf: usize) -> String {
    hidden(&format!("trace.{leaf}"))
}

/// The type of a list of positions.
fn list() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))
}

/// The source, or the kept table, that a scan reads.
fn leaf_of(scan: &TableScan) -> Leaf {
    let table = scan.table_name.table().to_owned();
    let part = table.strip_suffix(SOURCE).unwrap_or(&table);
    let node = part.split('.').next().unwrap_or(part).to_owned();
    let provider = (scan.source.as_ref() as &dyn std::any::Any).downcast_ref::<DefaultTableSource>();
    let known = provider.and_then(|source| {
        let provider = source.table_provider.as_ref();
        identity(provider).or_else(|| Some((spool::position(provider)?, String::new())))
    });
    let columns = scan.projected_schema.fields().iter().map(|field| field.name().clone()).collect();
    match known {
        Some((position, label)) => Leaf { table, node, position: Some(position), label, columns, group: Group::Own },
        None => Leaf { label: format!("{node} row"), table, node, position: None, columns, group: Group::Own },
    }
}

/// The plan with its lineage.
pub(super) fn traced(plan: &LogicalPlan) -> Result<Traced> {
    let mut rewriting = Rewriting { leaves: BTreeMap::new(), carry: Carry::Positions };
    let (plan, carriers) = rewriting.go(plan)?;
    let mut leaves = rewriting.leaves;
    // What only keeps rows out, as in an anti join, leaves no trace in those that stay.
    leaves.retain(|leaf, _| carriers.contains(leaf));
    Ok(Traced { plan, leaves })
}

/// The plan with marks, and whether a row of it is made of rows of the leaves that are followed: of those of them that
/// have a position.
pub(super) fn followed(plan: &LogicalPlan, leaves: &dyn Fn(&Leaf) -> bool) -> Result<(LogicalPlan, Expr)> {
    let (plan, carriers) = Rewriting { leaves: BTreeMap::new(), carry: Carry::Marks(leaves) }.go(plan)?;
    let any = carriers.iter().map(|leaf| Ok(found(&plan, *leaf)?.is_not_null())).collect::<Result<Vec<_>>>()?;
    Ok((plan, any.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false))))
}

/// What rows carry.
enum Carry<'a> {
    /// A list of positions.
    Positions,
    /// A mark, where a row is made of those of these leaves.
    Marks(&'a dyn Fn(&Leaf) -> bool),
}

struct Rewriting<'a> {
    leaves: BTreeMap<usize, Leaf>,
    carry: Carry<'a>,
}

/// The columns of a plan as expressions.
fn columns(plan: &LogicalPlan) -> Vec<Expr> {
    plan.schema().columns().into_iter().map(Expr::Column).collect()
}

/// A carrier as it is called in a plan.
fn found(plan: &LogicalPlan, leaf: usize) -> Result<Expr> {
    let name = carrier(leaf);
    let column = plan.schema().columns().into_iter().find(|column| column.name == name);
    column.map(Expr::Column).ok_or_else(|| internal_datafusion_err!("the lineage of {leaf} got lost"))
}

fn carried(plan: &LogicalPlan, carriers: &[usize]) -> Result<Vec<Expr>> {
    carriers.iter().map(|leaf| Ok(found(plan, *leaf)?.alias(carrier(*leaf)))).collect()
}

/// Values under the names of their carriers.
fn named(carriers: &[usize], mut value: impl FnMut(usize) -> Result<Expr>) -> Result<Vec<Expr>> {
    carriers.iter().map(|leaf| value(*leaf).map(|value| value.alias(carrier(*leaf)))).collect()
}

impl Rewriting<'_> {
    /// The type of what is carried.
    fn carried_type(&self) -> DataType {
        match self.carry {
            Carry::Positions => list(),
            Carry::Marks(_) => DataType::Int64,
        }
    }

    /// What a group carries, each carrier by itself.
    fn gathered(&self, plan: &LogicalPlan, carriers: &[usize]) -> Result<Vec<Expr>> {
        named(carriers, |leaf| {
            let column = found(plan, leaf)?;
            match self.carry {
                Carry::Positions => array_agg(column.clone()).filter(column.is_not_null()).build(),
                Carry::Marks(_) => Ok(max(column)),
            }
        })
    }

    /// What [`Self::gathered`] gave, as it is carried on.
    fn flat(&self, plan: &LogicalPlan, carriers: &[usize]) -> Result<Vec<Expr>> {
        named(carriers, |leaf| {
            let column = found(plan, leaf)?;
            Ok(match self.carry {
                Carry::Positions => cast(flatten(column), list()),
                Carry::Marks(_) => column,
            })
        })
    }

    /// The plan with carriers added at the end of its columns, and which.
    fn go(&mut self, plan: &LogicalPlan) -> Result<(LogicalPlan, Vec<usize>)> {
        match plan {
            LogicalPlan::TableScan(scan) => self.leaf(columns(plan), scan),
            LogicalPlan::Projection(projection) => {
                let (input, carriers) = self.go(&projection.input)?;
                let exprs = projection.expr.iter().cloned().chain(carried(&input, &carriers)?).collect::<Vec<_>>();
                Ok((LogicalPlanBuilder::from(input).project(exprs)?.build()?, carriers))
            }
            LogicalPlan::Filter(_) | LogicalPlan::Sort(_) | LogicalPlan::Limit(_) | LogicalPlan::SubqueryAlias(_) => {
                let (input, carriers) = self.go(plan.inputs()[0])?;
                Ok((plan.with_new_exprs(plan.expressions(), vec![input])?, carriers))
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregate(plan, aggregate),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let own = columns(input);
                let (input, carriers) = self.go(input)?;
                let gathered = self.gathered(&input, &carriers)?;
                let grouped = LogicalPlanBuilder::from(input).aggregate(own, gathered)?.build()?;
                let exprs = columns(plan).into_iter().chain(self.flat(&grouped, &carriers)?).collect::<Vec<_>>();
                Ok((LogicalPlanBuilder::from(grouped).project(exprs)?.build()?, carriers))
            }
            LogicalPlan::Window(window) => self.window(plan, window),
            LogicalPlan::Join(join) => self.join(plan, join),
            LogicalPlan::Union(union) => {
                let parts = union.inputs.iter().map(|input| self.go(input)).collect::<Result<Vec<_>>>()?;
                let mut all: Vec<usize> = parts.iter().flat_map(|(_, carriers)| carriers.clone()).collect();
                all.sort_unstable();
                let own = plan.schema().fields().len();
                let mut stacked: Option<LogicalPlanBuilder> = None;
                for (part, carriers) in parts {
                    let nothing = cast(lit(ScalarValue::Null), self.carried_type());
                    let carrier_of = |leaf: &usize| {
                        if carriers.contains(leaf) {
                            Ok(found(&part, *leaf)?.alias(carrier(*leaf)))
                        } else {
                            Ok(nothing.clone().alias(carrier(*leaf)))
                        }
                    };
                    let names = plan.schema().fields().iter().map(|field| field.name());
                    let exprs = columns(&part).into_iter().take(own).zip(names).map(|(expr, name)| Ok(expr.alias(name)));
                    let exprs = exprs.chain(all.iter().map(carrier_of)).collect::<Result<Vec<_>>>()?;
                    let part = LogicalPlanBuilder::from(part).project(exprs)?;
                    stacked = Some(match stacked {
                        None => part,
                        Some(stacked) => stacked.union(part.build()?)?,
                    });
                }
                let stacked = stacked.ok_or_else(|| internal_datafusion_err!("a union of nothing"))?.build()?;
                Ok((stacked, all))
            }
            LogicalPlan::Unnest(unnest) => {
                let (input, carriers) = self.go(&unnest.input)?;
                let names = unnest.exec_columns.clone();
                let spread = LogicalPlanBuilder::from(input).unnest_columns_with_options(names, unnest.options.clone())?.build()?;
                let exprs = columns(plan).into_iter().chain(carried(&spread, &carriers)?).collect::<Vec<_>>();
                Ok((LogicalPlanBuilder::from(spread).project(exprs)?.build()?, carriers))
            }
            LogicalPlan::RecursiveQuery(_) => {
                plan_err!("a query that repeats itself (WITH RECURSIVE) cannot be followed back: ask about a step before it")
            }
            _ => self.opaque(plan),
        }
    }

    fn leaf(&mut self, own: Vec<Expr>, scan: &TableScan) -> Result<(LogicalPlan, Vec<usize>)> {
        let number = self.leaves.keys().next_back().map_or(0, |last| last + 1);
        let leaf = leaf_of(scan);
        if matches!(self.carry, Carry::Marks(followed) if !followed(&leaf)) {
            return Ok((LogicalPlan::TableScan(scan.clone()), vec![]));
        }
        // All columns, also those that a pruned scan leaves out: positions are among them, or counted over all.
        let mut plan = LogicalPlanBuilder::scan(scan.table_name.clone(), Arc::clone(&scan.source), None)?;
        for filter in &scan.filters {
            plan = plan.filter(filter.clone())?;
        }
        let plan = plan.build()?;
        let (input, position) = match &leaf.position {
            Some(position) => (plan, Expr::Column(Column::new(Some(scan.table_name.clone()), position))),
            // A table without positions is counted in an order that does not change.
            None => {
                let order = columns(&plan).into_iter().map(|column| column.sort(true, false)).collect();
                let count = row_number().order_by(order).build()?.alias(hidden("trace.position"));
                let counted = LogicalPlanBuilder::from(plan).window([count])?.build()?;
                (counted, weir_nodes::table::column(&hidden("trace.position")))
            }
        };
        let sparse = position.nullable(input.schema())?;
        let there = position.clone().is_not_null();
        let carried = match self.carry {
            Carry::Positions => cast(make_array(vec![cast(position, DataType::Int64)]), list()),
            Carry::Marks(_) => lit(1_i64),
        };
        let carried = if sparse { when(there, carried).end()? } else { carried };
        self.leaves.insert(number, leaf);
        let exprs = own.into_iter().chain([carried.alias(carrier(number))]).collect::<Vec<_>>();
        Ok((LogicalPlanBuilder::from(input).project(exprs)?.build()?, vec![number]))
    }

    fn aggregate(&mut self, plan: &LogicalPlan, aggregate: &Aggregate) -> Result<(LogicalPlan, Vec<usize>)> {
        let (input, carriers) = self.go(&aggregate.input)?;
        let exprs = aggregate.aggr_expr.iter().cloned().chain(self.gathered(&input, &carriers)?).collect::<Vec<_>>();
        let grouped = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), aggregate.group_expr.clone(), exprs)?);
        let exprs = columns(plan).into_iter().chain(self.flat(&grouped, &carriers)?).collect::<Vec<_>>();
        Ok((LogicalPlanBuilder::from(grouped).project(exprs)?.build()?, carriers))
    }

    /// A row of a window is made of those of its partitions. Positions are those of what was kept below it, which stand
    /// for their partitions already.
    fn window(&mut self, plan: &LogicalPlan, window: &Window) -> Result<(LogicalPlan, Vec<usize>)> {
        let (input, carriers) = self.go(&window.input)?;
        let mut seen = LogicalPlanBuilder::from(input).window(window.window_expr.clone())?.build()?;
        let mut values: BTreeMap<usize, Vec<Expr>> = BTreeMap::new();
        let sets = partitions(window, Counted::Aside);
        for leaf in carriers.iter().filter(|_| !sets.is_empty()) {
            self.leaves.entry(*leaf).and_modify(|leaf| leaf.group.widen(&sets));
        }
        if matches!(self.carry, Carry::Marks(_)) {
            for (turn, keys) in sets.into_iter().enumerate() {
                let name = |leaf: usize| hidden(&format!("trace.all.{turn}.{leaf}"));
                let all = carriers.iter().map(|leaf| {
                    values.entry(*leaf).or_default().push(weir_nodes::table::column(&name(*leaf)));
                    let over = WindowFunction::new(WindowFunctionDefinition::AggregateUDF(max_udaf()), vec![found(&seen, *leaf)?]);
                    Ok(Expr::from(over).partition_by(keys.clone()).build()?.alias(name(*leaf)))
                });
                let all = all.collect::<Result<Vec<_>>>()?;
                seen = LogicalPlanBuilder::from(seen).window(all)?.build()?;
            }
        }
        let carried = named(&carriers, |leaf| {
            let own = found(&seen, leaf)?;
            Ok(values.remove(&leaf).map_or(own.clone(), |mut all| {
                all.push(own);
                coalesce(all)
            }))
        })?;
        let exprs = columns(plan).into_iter().chain(carried).collect::<Vec<_>>();
        Ok((LogicalPlanBuilder::from(seen).project(exprs)?.build()?, carriers))
    }

    fn join(&mut self, plan: &LogicalPlan, join: &Join) -> Result<(LogicalPlan, Vec<usize>)> {
        let (left, mut carriers) = self.go(&join.left)?;
        let (right, others) = self.go(&join.right)?;
        let semi = match join.join_type {
            JoinType::LeftSemi => Some(true),
            JoinType::RightSemi => Some(false),
            _ => None,
        };
        let plain = matches!(join.join_type, JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full);
        let rebuilt = |left: LogicalPlan, right: LogicalPlan, on: Vec<(Expr, Expr)>, kind: JoinType| {
            let (filter, constraint) = (join.filter.clone(), join.join_constraint);
            Join::try_new(Arc::new(left), Arc::new(right), on, filter, kind, constraint, join.null_equality, join.null_aware)
                .map(LogicalPlan::Join)
        };
        if plain {
            let joined = rebuilt(left, right, join.on.clone(), join.join_type)?;
            carriers.extend(others);
            let exprs = columns(plan).into_iter().chain(carried(&joined, &carriers)?).collect::<Vec<_>>();
            return Ok((LogicalPlanBuilder::from(joined).project(exprs)?.build()?, carriers));
        }
        if let Some(kept_left) = semi.filter(|_| join.filter.is_none()) {
            // A row that stays because others are there is made of them too.
            let names: Vec<String> = (0..join.on.len()).map(|i| hidden(&format!("trace.semi.{i}"))).collect();
            let (kept, there, mut carriers, others) =
                if kept_left { (left, right, carriers, others) } else { (right, left, others, carriers) };
            let pairs: Vec<(Expr, Expr)> =
                join.on.iter().map(|(l, r)| if kept_left { (l.clone(), r.clone()) } else { (r.clone(), l.clone()) }).collect();
            let keys = pairs.iter().zip(&names).map(|((_, key), name)| key.clone().alias(name)).collect::<Vec<_>>();
            let gathered = self.gathered(&there, &others)?;
            let grouped = LogicalPlanBuilder::from(there).aggregate(keys, gathered)?.build()?;
            let on = pairs.into_iter().zip(&names).map(|((key, _), name)| (key, weir_nodes::table::column(name))).collect();
            let joined = rebuilt(kept, grouped, on, JoinType::Inner)?;
            let own = carried(&joined, &carriers)?;
            let exprs = columns(plan).into_iter().chain(own).chain(self.flat(&joined, &others)?).collect::<Vec<_>>();
            carriers.extend(others);
            return Ok((LogicalPlanBuilder::from(joined).project(exprs)?.build()?, carriers));
        }
        match join.join_type {
            // What has no partner is made of its own side alone.
            JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                Ok((rebuilt(left, join.right.as_ref().clone(), join.on.clone(), join.join_type)?, carriers))
            }
            _ => {
                let joined = rebuilt(join.left.as_ref().clone(), right, join.on.clone(), join.join_type)?;
                Ok((joined, others))
            }
        }
    }

    /// What cannot be looked into is made of all it reads, for which any row of that stands: it was kept.
    fn opaque(&mut self, plan: &LogicalPlan) -> Result<(LogicalPlan, Vec<usize>)> {
        let mut result = plan.clone();
        let mut all = Vec::new();
        for input in plan.inputs() {
            let (input, carriers) = self.go(input)?;
            if carriers.is_empty() {
                continue;
            }
            for leaf in &carriers {
                self.leaves.entry(*leaf).and_modify(|leaf| leaf.group = Group::All);
            }
            let none: Vec<Expr> = vec![];
            let any = named(&carriers, |leaf| {
                let column = found(&input, leaf)?;
                match self.carry {
                    Carry::Positions => first_value_udaf().call(vec![column.clone()]).filter(column.is_not_null()).build(),
                    Carry::Marks(_) => Ok(max(column)),
                }
            })?;
            let whole = LogicalPlanBuilder::from(input).aggregate(none, any)?.build()?;
            result = LogicalPlanBuilder::from(result).cross_join(whole)?.build()?;
            all.extend(carriers);
        }
        Ok((result, all))
    }
}
