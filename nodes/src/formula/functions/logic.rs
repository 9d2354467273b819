//! Choosing between values.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, ScalarUDF, lit, when};

use super::super::lower::{Call, Value, cast};
use super::super::row::forgiving;
use super::{Function, special};

const FAMILY: &str = "Logic";
const MANY: usize = 200;

pub(super) fn functions() -> Vec<Function> {
    let f = |words, arguments, examples, build| special(FAMILY, words, arguments, examples, build);
    vec![
        f(
            (
                "IF",
                "SI",
                "IF(condition, then, [otherwise])",
                "Gives one value when a condition is true, another when it is not; the other is not computed.",
            ),
            (2, 3),
            &[("IF(2 > 1, \"yes\", \"no\")", "yes"), ("IF(FALSE, 1)", ""), ("IF(0 = 0, 0, 1 / 0)", "0")],
            |call, mut values| {
                let condition = call.condition(&values[0])?;
                let (branches, data_type) = call.same(values.split_off(1))?;
                let mut branches = branches.into_iter();
                let (then, otherwise) = (branches.next()?, branches.next());
                choose(call, vec![(condition, then)], otherwise, data_type)
            },
        ),
        f(
            (
                "IFS",
                "SI.CONDITIONS",
                "IFS(condition1, value1, [condition2, value2], …)",
                "Gives the value of the first condition that is true, and an empty value when none is.",
            ),
            (2, MANY),
            &[("IFS(1 > 2, \"a\", 2 > 1, \"b\")", "b"), ("IFS(FALSE, 1)", "")],
            |call, values| {
                if values.len() % 2 == 1 {
                    call.lowering.fail(
                        call.span.clone(),
                        "IFS takes its arguments in pairs.",
                        "Add TRUE before the last value to make it the default.",
                    );
                    return None;
                }
                let mut conditions = Vec::new();
                let mut results = Vec::new();
                for (i, value) in values.into_iter().enumerate() {
                    if i % 2 == 0 {
                        conditions.push(call.condition(&value)?);
                    } else {
                        results.push(value);
                    }
                }
                let (results, data_type) = call.same(results)?;
                choose(call, conditions.into_iter().zip(results).collect(), None, data_type)
            },
        ),
        f(
            (
                "SWITCH",
                "SI.MULTIPLE",
                "SWITCH(value, match1, result1, …, [default])",
                "Gives the result beside the first match that equals the value.",
            ),
            (3, MANY),
            &[("SWITCH(2, 1, \"one\", 2, \"two\", \"many\")", "two"), ("SWITCH(\"x\", \"a\", 1, 9)", "9")],
            |call, mut values| {
                let default = if values.len().is_multiple_of(2) { values.pop() } else { None };
                let mut rest = values.into_iter();
                let subject = rest.next()?;
                let (mut conditions, mut results) = (Vec::new(), Vec::new());
                while let (Some(candidate), Some(result)) = (rest.next(), rest.next()) {
                    let span = candidate.span.clone();
                    let (a, b) = call.lowering.comparable(subject.clone(), candidate, &span)?;
                    conditions.push(a.eq(b));
                    results.push(result);
                }
                let has_default = default.is_some();
                results.extend(default);
                let (mut results, data_type) = call.same(results)?;
                let default = if has_default { results.pop() } else { None };
                choose(call, conditions.into_iter().zip(results).collect(), default, data_type)
            },
        ),
        f(
            ("AND", "ET", "AND(condition1, [condition2], …)", "True when every condition is true."),
            (1, MANY),
            &[("AND(TRUE, 1 < 2)", "true"), ("AND(TRUE, FALSE)", "false")],
            |call, values| fold(call, values, Expr::and),
        ),
        f(
            ("OR", "OU", "OR(condition1, [condition2], …)", "True when any condition is true."),
            (1, MANY),
            &[("OR(FALSE, 1 < 2)", "true"), ("OR(FALSE, FALSE)", "false")],
            |call, values| fold(call, values, Expr::or),
        ),
        f(
            ("XOR", "OUX", "XOR(condition1, [condition2], …)", "True when an odd number of conditions are true."),
            (1, MANY),
            &[("XOR(TRUE, FALSE)", "true"), ("XOR(TRUE, TRUE)", "false")],
            |call, values| fold(call, values, Expr::not_eq),
        ),
        f(("NOT", "NON", "NOT(condition)", "True when a condition is false."), (1, 1), &[("NOT(1 > 2)", "true")], |call, values| {
            let condition = call.condition(&values[0])?;
            call.value(datafusion::logical_expr::not(condition), DataType::Boolean)
        }),
        f(
            ("ISBLANK", "ESTVIDE", "ISBLANK(value)", "True when a value is empty; an empty text counts as empty."),
            (1, 1),
            &[("ISBLANK(NULL)", "true"), ("ISBLANK(\"\")", "true"), ("ISBLANK(0)", "false")],
            |call, mut values| {
                let value = values.pop()?;
                let blank = match value.data_type {
                    DataType::Utf8View => value.expr.clone().is_null().or(value.expr.eq(super::super::lower::text(""))),
                    _ => value.expr.is_null(),
                };
                call.value(blank, DataType::Boolean)
            },
        )
        .also(&["ISEMPTY", "ISNULL"]),
        f(
            ("COALESCE", "PREMIER.NON.VIDE", "COALESCE(value1, value2, …)", "The first value that is not empty."),
            (1, MANY),
            &[("COALESCE(NULL, 2, 3)", "2")],
            |call, values| {
                let (values, data_type) = call.same(values)?;
                call.value(coalesce(values), data_type)
            },
        ),
        f(
            ("IFBLANK", "SI.VIDE", "IFBLANK(value, alternative)", "A value, or an alternative where it is empty or an empty text."),
            (2, 2),
            &[("IFBLANK(NULL, 5)", "5"), ("IFBLANK(\"\", \"none\")", "none"), ("IFBLANK(1, 5)", "1")],
            |call, values| {
                let text = values[0].data_type == DataType::Utf8View;
                let (mut values, data_type) = call.same(values)?;
                let (alternative, value) = (values.pop()?, values.pop()?);
                let blank = if text {
                    value.clone().is_null().or(value.clone().eq(super::super::lower::text("")))
                } else {
                    value.clone().is_null()
                };
                choose(call, vec![(blank, alternative)], Some(value), data_type)
            },
        ),
        f(
            (
                "IFERROR",
                "SIERREUR",
                "IFERROR(value, alternative)",
                "A value, or an alternative where computing it fails, for example by dividing by zero.",
            ),
            (2, 2),
            &[
                ("IFERROR(1 / 0, 0)", "0"),
                ("IFERROR(6 / 3, 0)", "2"),
                ("IFERROR(VALUE(\"abc\"), -1)", "-1"),
                ("IFERROR(NULL, 1)", ""),
                ("IFERROR(SUM(1 / 0, 5), -1)", "-1"),
                ("IFERROR(MAX(1 / 0, 5), -1)", "-1"),
                ("IFERROR(\"a\" & 1 / 0, \"-\")", "-"),
                ("IFERROR(IF(1 / 0 > 1, 2, 3), -1)", "-1"),
                ("IFERROR(IF(TRUE, NULL, 1 / 0), 5)", ""),
                ("IFERROR(IFERROR(1 / 0, 5), -1)", "5"),
                ("IFERROR(COALESCE(1 / 0, 5), -1)", "-1"),
                ("IFERROR(COALESCE(5, 1 / 0), -1)", "5"),
                ("IFERROR(ISBLANK(1 / 0), FALSE)", "false"),
            ],
            |call, mut values| {
                let alternative = values.pop()?;
                let mut value = values.pop()?;
                let Some(failed) = failure(&value.expr).ok()? else { return Some(value) };
                value.expr = forgiven(&value.expr)?;
                let (mut values, data_type) = call.same(vec![value, alternative])?;
                let (alternative, value) = (values.pop()?, values.pop()?);
                choose(call, vec![(failed, alternative)], Some(value), data_type)
            },
        ),
        f(
            ("BETWEEN", "ENTRE", "BETWEEN(value, low, high)", "True when a value lies between two others or equals one of them."),
            (3, 3),
            &[("BETWEEN(5, 1, 5)", "true"), ("BETWEEN(0.99, 1, 5)", "false")],
            |call, values| {
                let span = call.span.clone();
                let (above, low) = call.lowering.comparable(values[0].clone(), values[1].clone(), &span)?;
                let (below, high) = call.lowering.comparable(values[0].clone(), values[2].clone(), &span)?;
                call.value(above.gt_eq(low).and(below.lt_eq(high)), DataType::Boolean)
            },
        ),
        f(
            ("ISIN", "EST.DANS", "ISIN(value, candidate1, [candidate2], …)", "True when a value equals one of the candidates."),
            (2, MANY),
            &[("ISIN(\"b\", \"a\", \"b\")", "true"), ("ISIN(3, 1, 2)", "false")],
            |call, mut values| {
                let candidates = values.split_off(1);
                let subject = values.pop()?;
                let span = call.span.clone();
                let tests = candidates
                    .into_iter()
                    .map(|candidate| call.lowering.comparable(subject.clone(), candidate, &span).map(|(a, b)| a.eq(b)))
                    .collect::<Option<Vec<_>>>()?;
                call.value(tests.into_iter().reduce(Expr::or)?, DataType::Boolean)
            },
        )
        .also(&["ONEOF"]),
        f(
            (
                "CHOOSE",
                "CHOISIR",
                "CHOOSE(index, value1, [value2], …)",
                "The value at a position, counted from 1; empty when there is none.",
            ),
            (2, MANY),
            &[("CHOOSE(2, \"a\", \"b\")", "b"), ("CHOOSE(9, 1, 2)", "")],
            |call, mut values| {
                let choices = values.split_off(1);
                let index = values.pop()?;
                if !matches!(index.data_type, DataType::Int64 | DataType::Null) {
                    call.wrong(&index, "a whole number");
                    return None;
                }
                let (choices, data_type) = call.same(choices)?;
                let branches =
                    choices.into_iter().enumerate().map(|(i, choice)| (index.expr.clone().eq(lit(i as i64 + 1)), choice)).collect();
                choose(call, branches, None, data_type)
            },
        ),
        f(("TRUE", "VRAI", "TRUE()", "The value true."), (0, 0), &[("TRUE()", "true")], |call, _| call.value(lit(true), DataType::Boolean)),
        f(("FALSE", "FAUX", "FALSE()", "The value false."), (0, 0), &[("FALSE()", "false")], |call, _| {
            call.value(lit(false), DataType::Boolean)
        }),
        f(("BLANK", "VIDE", "BLANK()", "An empty value."), (0, 0), &[("BLANK()", "")], |call, _| {
            call.value(lit(datafusion::scalar::ScalarValue::Null), DataType::Null)
        })
        .also(&["NA"]),
    ]
}

fn fold(call: &mut Call<'_, '_>, values: Vec<Value>, join: fn(Expr, Expr) -> Expr) -> Option<Value> {
    let conditions = values.iter().map(|value| call.condition(value)).collect::<Option<Vec<_>>>()?;
    call.value(conditions.into_iter().reduce(join)?, DataType::Boolean)
}

fn choose(call: &mut Call<'_, '_>, branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>, data_type: DataType) -> Option<Value> {
    let mut branches = branches.into_iter();
    let (condition, then) = branches.next()?;
    let mut builder = when(condition, then);
    for (condition, then) in branches {
        builder = builder.when(condition, then);
    }
    let expr = match otherwise {
        Some(otherwise) => builder.otherwise(otherwise),
        None => builder.end(),
    };
    let expr = expr.ok()?;
    let value = Value { expr, data_type: data_type.clone(), span: call.span.clone() };
    let expr = if data_type == DataType::Null { value.expr } else { cast(value, &data_type) };
    call.value(expr, data_type)
}

/// The expression with every part that can fail giving an empty value instead.
fn forgiven(expr: &Expr) -> Option<Expr> {
    let forgive = |expr: Expr| match &expr {
        Expr::ScalarFunction(call) => match forgiving(call.func.name()) {
            Some(function) => Ok(Transformed::yes(ScalarUDF::call(&function, call.args.clone()))),
            None => Ok(Transformed::no(expr)),
        },
        _ => Ok(Transformed::no(expr)),
    };
    Some(expr.clone().transform_up(forgive).ok()?.data)
}

/// Whether computing an expression fails, as a condition that itself never fails and is never empty; `Ok(None)` for an
/// expression that cannot fail. A branch that is not taken does not count. What an inner IFERROR forgave has been
/// replaced there, and does not count again. `Err` where the expression cannot be looked into.
fn failure(expr: &Expr) -> Result<Option<Expr>, ()> {
    let either = |parts: Vec<Expr>| parts.into_iter().reduce(Expr::or);
    match expr {
        Expr::Case(case) if case.expr.is_none() => {
            let mut branches = Vec::new();
            let mut can_fail = false;
            for (condition, then) in &case.when_then_expr {
                if let Some(failed) = failure(condition)? {
                    branches.push((failed, lit(true)));
                    can_fail = true;
                }
                let taken = failure(then)?;
                can_fail |= taken.is_some();
                branches.push((forgiven(condition).ok_or(())?, taken.unwrap_or_else(|| lit(false))));
            }
            let otherwise = case.else_expr.as_deref().map(failure).transpose()?.flatten();
            can_fail |= otherwise.is_some();
            let mut branches = branches.into_iter();
            let (true, Some((condition, then))) = (can_fail, branches.next()) else { return Ok(None) };
            let mut builder = when(condition, then);
            for (condition, then) in branches {
                builder = builder.when(condition, then);
            }
            builder.otherwise(otherwise.unwrap_or_else(|| lit(false))).map(Some).map_err(|_| ())
        }
        // The first value that is there: those behind it are not computed.
        Expr::ScalarFunction(call) if call.func.name() == "coalesce" => {
            let mut failed: Option<Expr> = None;
            for operand in call.args.iter().rev() {
                let behind = match failed {
                    Some(failed) => Some(forgiven(operand).ok_or(())?.is_null().and(failed)),
                    None => None,
                };
                failed = either(failure(operand)?.into_iter().chain(behind).collect());
            }
            Ok(failed)
        }
        _ => {
            let mut parts = Vec::new();
            let mut unknown = false;
            let walked = expr.apply_children(|child| {
                match failure(child) {
                    Ok(failed) => parts.extend(failed),
                    Err(()) => unknown = true,
                }
                Ok(TreeNodeRecursion::Continue)
            });
            if unknown || walked.is_err() {
                return Err(());
            }
            if let Expr::ScalarFunction(call) = expr
                && forgiving(call.func.name()).is_some()
            {
                // It failed where it gives nothing though each of its operands is there. The last two arguments only
                // name its place.
                let operands = &call.args[..call.args.len().saturating_sub(2)];
                let known = operands.iter().filter(|operand| !matches!(operand, Expr::Literal(..)));
                let own = forgiven(expr).ok_or(())?.is_null();
                let own =
                    known.map(forgiven).collect::<Option<Vec<_>>>().ok_or(())?.into_iter().map(Expr::is_not_null).fold(own, Expr::and);
                parts.push(own);
            }
            Ok(either(parts))
        }
    }
}
