//! From what the taps saw to what the controls say.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use weir_nodes::Problem;
use weir_nodes::kind::{Must, Total, Totals};

use super::certificate::{Exceptions, Figures, Verdict};
use crate::check::Checked;
use crate::plan::WireId;
use crate::plan::assemble::{Demand, total_wire};
use crate::plan::tap::{Amount, Observed};

/// The verdict of every control, in the order of the steps.
pub(crate) fn verdicts(checked: &Checked, demand: &Demand, observed: &BTreeMap<WireId, Observed>) -> Result<Vec<Verdict>, Problem> {
    let mut verdicts = Vec::new();
    for node in &checked.order {
        let step = &checked.steps[node];
        for check in &step.planned.checks {
            // A control over what leaves its own step is judged when something took that.
            let wires: Vec<_> = check.parts().filter_map(|total| total_wire(checked, node, total)).collect();
            if wires.iter().any(|(_, own)| *own) && wires.iter().any(|(wire, _)| !observed.contains_key(wire)) {
                continue;
            }
            let figures = match &check.totals {
                None => None,
                Some(totals) => Some(figures(checked, demand, node, totals, observed).map_err(|error| {
                    Problem::error(format!("The control \"{}\" cannot be judged: {error}.", check.title)).at_node(node)
                })?),
            };
            let exceptions = match check.exceptions {
                None => None,
                Some(port) => {
                    let seen = step.outlet(port).and_then(|(flow, outlet)| observed.get(&WireId { node: node.clone(), flow, outlet }));
                    let counted = |total: &Total| {
                        let amount = demand.amount(total_wire(checked, node, total).map(|(wire, _)| wire), total, observed)?;
                        amount.decimal().ok().and_then(|rows| rows.to_u64())
                    };
                    let rows = check.counted.as_ref().map_or(seen.map(|seen| seen.rows), counted).ok_or_else(|| {
                        Problem::error(format!("The control \"{}\" cannot be judged: its exceptions were not counted.", check.title))
                            .at_node(node)
                    })?;
                    Some(Exceptions { port: format!("{node}.{port}"), rows, allowed: check.allowed })
                }
            };
            let agree = figures.as_ref().is_none_or(Figures::hold);
            let clean = exceptions.as_ref().is_none_or(|e| e.rows <= e.allowed);
            verdicts.push(Verdict {
                node: node.clone(),
                title: check.title.clone(),
                severity: check.severity,
                holds: agree && clean,
                figures,
                exceptions,
                waived: None,
            });
        }
    }
    Ok(verdicts)
}

fn figures(
    checked: &Checked,
    demand: &Demand,
    node: &str,
    totals: &Totals,
    observed: &BTreeMap<WireId, Observed>,
) -> Result<Figures, String> {
    let add = |parts: &[Total]| {
        parts.iter().try_fold(Decimal::ZERO, |sum, part| {
            let amount =
                demand.amount(total_wire(checked, node, part).map(|(wire, _)| wire), part, observed).ok_or("a total was not taken")?;
            sum.checked_add(amount.decimal()?).ok_or_else(|| "a total has more than 28 digits".to_owned())
        })
    };
    let right = add(&totals.right)?.checked_add(totals.right_constant).ok_or("a total has more than 28 digits")?.normalize();
    let left = add(&totals.left)?.normalize();
    let difference = left.checked_sub(right).ok_or("the difference has more than 28 digits")?;
    Ok(Figures {
        left_label: totals.left_label.clone(),
        left,
        right_label: totals.right_label.clone(),
        right,
        difference,
        tolerance: (totals.must != Must::Show).then_some(totals.tolerance),
        at_most: totals.must == Must::NotExceed,
    })
}

impl Demand {
    fn amount(&self, wire: Option<WireId>, total: &Total, observed: &BTreeMap<WireId, Observed>) -> Option<Amount> {
        let wire = wire?;
        observed.get(&wire)?.totals.get(self.total_position(&wire, &total.value)?).copied()
    }
}
