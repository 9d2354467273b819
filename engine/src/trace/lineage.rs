//! Plans that carry, with every row, the rows of the sources that it was made of.
//!
//! A plan is rewritten from its leaves up, operator by operator, whatever steps it stands for: rows of a source carry
//! their position, joins carry both sides', aggregates those of their group, windows those of their partition. What is
//! asked of the result is a filter on top; the optimizer pushes it down to the sources, keys of groups and joins
//! included, so that only what matters is computed.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::catalog::default_table_source::DefaultTableSource;
use datafusion::common::{Column, JoinType, NullEquality, Result, ScalarValue, internal_datafusion_err};
use datafusion::functions_aggregate::expr_fn::array_agg;
use datafusion::functions_nested::expr_fn::{array_concat, flatten, make_array};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder, TableScan, Window, cast, lit, when,
};
use weir_nodes::source::{SOURCE, identity};
use weir_nodes::table::hidden;

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

fn positions() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)))
}

/// The source that a scan reads.
fn leaf_of(scan: &TableScan) -> Leaf {
    let table = scan.table_name.table().to_owned();
    let part = table.strip_suffix(SOURCE).unwrap_or(&table);
    let node = part.split('.').next().unwrap_or(part).to_owned();
    let provider = (scan.source.as_ref() as &dyn std::any::Any).downcast_ref::<DefaultTableSource>();
    match provider.and_then(|source| identity(source.table_provider.as_ref())) {
        Some((position, label)) => Leaf { table, node, position: Some(position), label },
        None => Leaf { label: format!("{node} row"), table, node, position: None },
    }
}

/// The plan with its lineage.
pub(super) fn traced(plan: &LogicalPlan) -> Result<Traced> {
    let mut leaves = BTreeMap::new();
    let (plan, carriers) = Rewriting { leaves: &mut leaves }.go(plan)?;
    // What only keeps rows out, as in an anti join, leaves no trace in those that stay.
    leaves.retain(|leaf, _| carriers.contains(leaf));
    Ok(Traced { plan, leaves })
}

struct Rewriting<'a> {
    leaves: &'a mut BTreeMap<usize, Leaf>,
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

/// All positions of a group, each carrier by itself.
fn gathered(plan: &LogicalPlan, carriers: &[usize]) -> Result<Vec<Expr>> {
    let one = |leaf: &usize| {
        let column = found(plan, *leaf)?;
        array_agg(column.clone()).filter(column.is_not_null()).build().map(|all| all.alias(carrier(*leaf)))
    };
    carriers.iter().map(one).collect()
}

/// The positions that [`gathered`] gave, as one list.
fn flat(plan: &LogicalPlan, carriers: &[usize]) -> Result<Vec<Expr>> {
    carriers.iter().map(|leaf| Ok(cast(flatten(found(plan, *leaf)?), positions()).alias(carrier(*leaf)))).collect()
}

impl Rewriting<'_> {
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
                let gathered = gathered(&input, &carriers)?;
                let grouped = LogicalPlanBuilder::from(input).aggregate(own, gathered)?.build()?;
                let exprs = columns(plan).into_iter().chain(flat(&grouped, &carriers)?).collect::<Vec<_>>();
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
                    let nothing = cast(lit(ScalarValue::Null), positions());
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
            _ => self.opaque(plan),
        }
    }

    fn leaf(&mut self, own: Vec<Expr>, scan: &TableScan) -> Result<(LogicalPlan, Vec<usize>)> {
        let number = self.leaves.keys().next_back().map_or(0, |last| last + 1);
        let leaf = leaf_of(scan);
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
        let list = make_array(vec![cast(position, DataType::Int64)]);
        self.leaves.insert(number, leaf);
        let exprs = own.into_iter().chain([cast(list, positions()).alias(carrier(number))]).collect::<Vec<_>>();
        Ok((LogicalPlanBuilder::from(input).project(exprs)?.build()?, vec![number]))
    }

    fn aggregate(&mut self, plan: &LogicalPlan, aggregate: &Aggregate) -> Result<(LogicalPlan, Vec<usize>)> {
        let (input, carriers) = self.go(&aggregate.input)?;
        let exprs = aggregate.aggr_expr.iter().cloned().chain(gathered(&input, &carriers)?).collect::<Vec<_>>();
        let grouped = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input), aggregate.group_expr.clone(), exprs)?);
        let exprs = columns(plan).into_iter().chain(flat(&grouped, &carriers)?).collect::<Vec<_>>();
        Ok((LogicalPlanBuilder::from(grouped).project(exprs)?.build()?, carriers))
    }

    /// A row of a window is made of the rows of its partition: those come from the same input, grouped by the keys.
    fn window(&mut self, plan: &LogicalPlan, window: &Window) -> Result<(LogicalPlan, Vec<usize>)> {
        let (input, carriers) = self.go(&window.input)?;
        let mut traced = LogicalPlanBuilder::from(input.clone()).window(window.window_expr.clone())?.build()?;
        let mut partitions: Vec<Vec<Expr>> = Vec::new();
        let row_number = row_number_udwf();
        let counting = row_number.name();
        for expr in &window.window_expr {
            let Expr::WindowFunction(call) = expr.clone().unalias() else { continue };
            let keys = call.params.partition_by.clone();
            // A number that is only counted is made of no other row's values.
            let counted = keys.is_empty() && call.fun.name() == counting;
            if !counted && !partitions.contains(&keys) {
                partitions.push(keys);
            }
        }
        for (turn, keys) in partitions.into_iter().enumerate() {
            let name = |i: usize| hidden(&format!("trace.key.{turn}.{i}"));
            let group: Vec<Expr> = keys.iter().enumerate().map(|(i, key)| key.clone().alias(name(i))).collect();
            // Each set of partitions reads the input by itself, so that a filter on its keys reaches the sources.
            let grouped = LogicalPlanBuilder::from(input.clone()).aggregate(group, gathered(&input, &carriers)?)?.build()?;
            let both = |leaf: usize| hidden(&format!("trace.all.{turn}.{leaf}"));
            let all = carriers.iter().map(|leaf| Ok(cast(flatten(found(&grouped, *leaf)?), positions()).alias(both(*leaf))));
            let own = (0..keys.len()).map(|i| Ok(weir_nodes::table::column(&name(i))));
            let exprs = own.chain(all).collect::<Result<Vec<_>>>()?;
            let grouped = LogicalPlanBuilder::from(grouped).project(exprs)?.build()?;
            let before = columns(&traced);
            let joined = if keys.is_empty() {
                LogicalPlanBuilder::from(traced).cross_join(grouped)?.build()?
            } else {
                let left: Vec<Expr> = keys.clone();
                let right: Vec<Expr> = (0..keys.len()).map(|i| weir_nodes::table::column(&name(i))).collect();
                let on = left.into_iter().zip(right).collect::<Vec<_>>();

                LogicalPlan::Join(Join::try_new(
                    Arc::new(traced),
                    Arc::new(grouped),
                    on,
                    None,
                    JoinType::Inner,
                    datafusion::common::JoinConstraint::On,
                    NullEquality::NullEqualsNull,
                    false,
                )?)
            };
            let exprs = before.into_iter().map(|expr| match &expr {
                Expr::Column(column) => match carriers.iter().find(|leaf| carrier(**leaf) == column.name) {
                    Some(leaf) => array_concat(vec![expr.clone(), weir_nodes::table::column(&both(*leaf))]).alias(&column.name),
                    None => expr,
                },
                _ => expr,
            });
            traced = LogicalPlanBuilder::from(joined).project(exprs.collect::<Vec<_>>())?.build()?;
        }
        let exprs = columns(plan).into_iter().chain(carried(&traced, &carriers)?).collect::<Vec<_>>();
        Ok((LogicalPlanBuilder::from(traced).project(exprs)?.build()?, carriers))
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
            let gathered = gathered(&there, &others)?;
            let grouped = LogicalPlanBuilder::from(there).aggregate(keys, gathered)?.build()?;
            let on = pairs.into_iter().zip(&names).map(|((key, _), name)| (key, weir_nodes::table::column(name))).collect();
            let joined = rebuilt(kept, grouped, on, JoinType::Inner)?;
            let own = carried(&joined, &carriers)?;
            let exprs = columns(plan).into_iter().chain(own).chain(flat(&joined, &others)?).collect::<Vec<_>>();
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

    /// What cannot be looked into is made of all it reads.
    fn opaque(&mut self, plan: &LogicalPlan) -> Result<(LogicalPlan, Vec<usize>)> {
        let mut result = plan.clone();
        let mut all = Vec::new();
        for input in plan.inputs() {
            let (input, carriers) = self.go(input)?;
            if carriers.is_empty() {
                continue;
            }
            let none: Vec<Expr> = vec![];
            let gathered = gathered(&input, &carriers)?;
            let whole = LogicalPlanBuilder::from(input).aggregate(none, gathered)?.build()?;
            let flat = flat(&whole, &carriers)?;
            let whole = LogicalPlanBuilder::from(whole).project(flat)?.build()?;
            result = LogicalPlanBuilder::from(result).cross_join(whole)?.build()?;
            all.extend(carriers);
        }
        Ok((result, all))
    }
}

/// Whether a carrier holds anything.
pub(super) fn holds(leaf: usize) -> Result<Expr> {
    use datafusion::functions_nested::expr_fn::array_length;
    let length = cast(array_length(weir_nodes::table::column(&carrier(leaf))), DataType::Int64);
    when(length.clone().gt(lit(0_i64)), lit(true)).otherwise(lit(false))
}
