//! Columns computed over other rows: of the same group, before or after, in a stated order.

use datafusion::common::{Result, ScalarValue};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlanBuilder, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};

use crate::table::{OrderKey, Table, column};

/// Which rows of the group count for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// All of them.
    Group,
    /// Those up to this one.
    SoFar,
    /// This one and those after it.
    Ahead,
    /// This one and so many before it.
    Before(u64),
}

impl Frame {
    fn bounds(self) -> WindowFrame {
        let far = || ScalarValue::UInt64(None);
        let (start, end) = match self {
            Self::Group => (WindowFrameBound::Preceding(far()), WindowFrameBound::Following(far())),
            Self::SoFar => (WindowFrameBound::Preceding(far()), WindowFrameBound::CurrentRow),
            Self::Ahead => (WindowFrameBound::CurrentRow, WindowFrameBound::Following(far())),
            Self::Before(rows) => (WindowFrameBound::Preceding(ScalarValue::UInt64(Some(rows))), WindowFrameBound::CurrentRow),
        };
        WindowFrame::new_bounds(WindowFrameUnits::Rows, start, end)
    }
}

/// A call of an aggregate or window function over rows of the group `per`, in an order.
pub(crate) fn over(call: Expr, per: &[String], order: &[OrderKey], frame: Frame) -> Result<Expr> {
    windowed(call, per, order, frame, NullTreatment::RespectNulls)
}

/// The same, passing over empty values: for the last or first value that is there.
pub(crate) fn over_filled(call: Expr, per: &[String], order: &[OrderKey], frame: Frame) -> Result<Expr> {
    windowed(call, per, order, frame, NullTreatment::IgnoreNulls)
}

fn windowed(call: Expr, per: &[String], order: &[OrderKey], frame: Frame, nulls: NullTreatment) -> Result<Expr> {
    let call = match call {
        Expr::AggregateFunction(call) => {
            Expr::from(WindowFunction::new(WindowFunctionDefinition::AggregateUDF(call.func), call.params.args))
        }
        other => other,
    };
    let call = call
        .partition_by(per.iter().map(|name| column(name)).collect())
        .order_by(order.iter().map(OrderKey::sort).collect())
        .window_frame(frame.bounds());
    if nulls == NullTreatment::IgnoreNulls { call.null_treatment(nulls).build() } else { call.build() }
}

/// The number of a row in its group, from 1 (an unsigned integer).
pub(crate) fn place(per: &[String], order: &[OrderKey]) -> Result<Expr> {
    let call = row_number().partition_by(per.iter().map(|name| column(name)).collect());
    // A table of one row has no order, and an empty one is refused.
    if order.is_empty() { call.build() } else { call.order_by(order.iter().map(OrderKey::sort).collect()).build() }
}

/// The same rows with such columns added at the end.
pub(crate) fn with(table: &Table, columns: Vec<(String, Expr)>) -> Result<Table> {
    // One at a time: those of one `window` must all have the same group and order.
    let plan = columns
        .into_iter()
        .try_fold(table.plan.clone(), |plan, (name, expr)| LogicalPlanBuilder::from(plan).window([expr.alias(name)])?.build())?;
    Ok(Table::new(plan, table.order.clone()))
}

/// The same order the other way round.
pub(crate) fn reversed(order: &[OrderKey]) -> Vec<OrderKey> {
    let turned = |key: &OrderKey| OrderKey { descending: !key.descending, nulls_first: !key.nulls_first, ..key.clone() };
    order.iter().map(turned).collect()
}
