//! What a step hands to the engine: tables and where they leave, controls, sinks.

use datafusion::common::DataFusionError;
use datafusion::logical_expr::Expr;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Sink;
use crate::table::{OrderKey, Table};

/// Which rows of a [`Flow`] leave by a port.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// All of them.
    All,
    /// Those for which a column or expression of the flow's table is true.
    Where(Expr),
    /// Those that no other port of the flow takes.
    Rest,
}

/// A port that a flow leaves by.
#[derive(Debug, Clone)]
pub struct Outlet {
    /// The port's name.
    pub port: &'static str,
    /// Which rows.
    pub rows: Rows,
    /// The visible columns it shows, over the flow's table; `None` shows all.
    pub columns: Option<Vec<(String, Expr)>>,
    /// The order of these rows, when it differs from the flow's.
    pub order: Option<Vec<OrderKey>>,
}

/// One table that a step computes, and the ports by which its rows leave. It is computed once, however many of its
/// ports are used.
#[derive(Debug, Clone)]
pub struct Flow {
    /// The rows.
    pub table: Table,
    /// Where they leave.
    pub outlets: Vec<Outlet>,
}

impl Flow {
    /// All rows leave by one port.
    pub fn all(port: &'static str, table: Table) -> Self {
        Self { table, outlets: vec![Outlet { port, rows: Rows::All, columns: None, order: None }] }
    }

    /// Rows that meet a condition leave by one port, the others by another.
    pub fn split(table: Table, condition: Expr, then: &'static str, otherwise: &'static str) -> Self {
        Self {
            table,
            outlets: vec![
                Outlet { port: then, rows: Rows::Where(condition), columns: None, order: None },
                Outlet { port: otherwise, rows: Rows::Rest, columns: None, order: None },
            ],
        }
    }

    /// The condition under which a row leaves by this outlet; `None` for all rows.
    pub fn condition(&self, outlet: &Outlet) -> Option<Expr> {
        match &outlet.rows {
            Rows::All => None,
            Rows::Where(condition) => Some(condition.clone()),
            Rows::Rest => self
                .outlets
                .iter()
                .filter_map(|other| match &other.rows {
                    Rows::Where(condition) => Some(condition.clone().is_not_true()),
                    _ => None,
                })
                .reduce(Expr::and),
        }
    }

    /// What leaves by an outlet, over `base`: this flow's table, or a table with the same columns that stands for it
    /// (a tapped or a stored copy).
    pub fn outlet_table(&self, outlet: &Outlet, base: &Table) -> Result<Table, DataFusionError> {
        let mut table = base.clone();
        if let Some(order) = &outlet.order {
            table.order.clone_from(order);
        }
        if let Some(condition) = self.condition(outlet) {
            table = table.filter(condition)?;
        }
        // Projecting also drops the hidden columns that tag rows for the ports; those that carry the order stay.
        let columns = match &outlet.columns {
            Some(columns) => columns.clone(),
            None => table.columns(),
        };
        table.project(columns)
    }
}

/// How much a failed control matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is noted in the certificate.
    Info,
    /// It is shown as a warning; the run is published.
    Warn,
    /// Nothing is published, anywhere.
    #[default]
    Block,
}

/// A sum over what arrives on an input port or leaves by an output port, taken while the rows stream past.
#[derive(Debug, Clone)]
pub struct Total {
    /// The port.
    pub port: &'static str,
    /// Which of the port's wires, for input ports that take several.
    pub wire: usize,
    /// A numeric expression over that table's columns.
    pub value: Expr,
}

/// Two totals side by side.
#[derive(Debug, Clone)]
pub struct Totals {
    /// What the first figure is called.
    pub left_label: String,
    /// Its parts, added up.
    pub left: Vec<Total>,
    /// What the second figure is called.
    pub right_label: String,
    /// Its parts, added up.
    pub right: Vec<Total>,
    /// A figure that is known, added to the second.
    pub right_constant: Decimal,
    /// When the control fails.
    pub must: Must,
    /// The largest difference allowed, in the columns' own unit.
    pub tolerance: Decimal,
}

/// What must hold between two figures, within the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Must {
    /// Nothing: they are only shown.
    Show,
    /// They are equal.
    Agree,
    /// The first is not above the second.
    NotExceed,
}

/// A control that a step declares; the engine takes the figures and gives the verdict.
#[derive(Debug, Clone)]
pub struct Check {
    /// What must hold, as a sentence.
    pub title: String,
    /// What happens when it does not.
    pub severity: Severity,
    /// Figures to show, and perhaps to compare.
    pub totals: Option<Totals>,
    /// An output port of the step that must stay empty.
    pub exceptions: Option<&'static str>,
    /// Of that port's rows, how many count: a number for each row; none counts all of them.
    pub counted: Option<Total>,
    /// How many rows that port may have all the same.
    pub allowed: u64,
}

impl Check {
    /// A port that must stay empty.
    pub fn empty(title: impl Into<String>, severity: Severity, exceptions: &'static str) -> Self {
        Self { title: title.into(), severity, totals: None, exceptions: Some(exceptions), counted: None, allowed: 0 }
    }

    /// Every total that is taken for it.
    pub fn parts(&self) -> impl Iterator<Item = &Total> {
        let sides = self.totals.iter().flat_map(|totals| totals.left.iter().chain(&totals.right));
        sides.chain(&self.counted)
    }
}

/// What a step makes of its inputs.
#[derive(Debug, Clone, Default)]
pub struct Planned {
    /// The tables it computes. Every output port is an outlet of exactly one of them.
    pub flows: Vec<Flow>,
    /// The controls it declares.
    pub checks: Vec<Check>,
    /// The sinks it declares.
    pub sinks: Vec<Sink>,
    /// What was found out where a parameter says nothing, by the parameter's name: a file's encoding, its separator.
    pub found: Vec<(&'static str, String)>,
    /// Whether its rows are an example, nobody's own: what is made of them goes into files, and nowhere else.
    pub is_example: bool,
}

impl Planned {
    /// One table on the port `out`.
    pub fn table(table: Table) -> Self {
        Self::flow(Flow::all("out", table))
    }

    /// One flow.
    pub fn flow(flow: Flow) -> Self {
        Self { flows: vec![flow], ..Self::default() }
    }

    /// One sink.
    pub fn sink(sink: Sink) -> Self {
        Self { sinks: vec![sink], ..Self::default() }
    }

    /// The same with a control.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }
}
