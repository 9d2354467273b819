//! What nearly every kind uses.

pub(crate) use arrow::datatypes::DataType;
pub(crate) use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
pub(crate) use schemars::JsonSchema;
pub(crate) use serde::{Deserialize, Serialize};
pub(crate) use serde_json::json;

pub(crate) use crate::ColumnType;
pub(crate) use crate::example::Example;
pub(crate) use crate::kind::{
    Arity, Category, Check, EXCEPTIONS, Flow, IN, Identity, InPort, NodeKind, OUT, OutPort, Outlet, PASS, Planned, Planning, Ports, REASON,
    Rows, Severity, Words,
};
pub(crate) use crate::number;
pub(crate) use crate::param::{Column, Columns, Formula, NewColumn, quoted, reference};
pub(crate) use crate::problem::Problem;
pub(crate) use crate::table::{OrderKey, Table, column, hidden};
pub(crate) use crate::types::type_name;
