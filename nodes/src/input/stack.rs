//! Several files or sheets as one table: columns by name, in the order of the first that has them.

use datafusion::logical_expr::cast;
use datafusion::scalar::ScalarValue;

use crate::join::keys::unify;
use crate::prelude::*;

/// What happens when the columns differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// Missing columns are empty, and named in a warning.
    #[default]
    Report,
    /// They are a problem.
    Refuse,
}

/// The tables, each with its name, one after the other; `source` is the column for the name.
pub(crate) fn stacked(cx: &mut Planning<'_>, tables: &[(String, Table)], source: Option<&NewColumn>, drift: Drift) -> Option<Table> {
    let columns = columns(cx, tables, source, drift)?;
    let stacked = union(cx, tables, &columns, source);
    cx.planned(stacked)
}

/// The columns of all of them together. Reports what differs.
fn columns(cx: &mut Planning<'_>, tables: &[(String, Table)], source: Option<&NewColumn>, drift: Drift) -> Option<Vec<(String, DataType)>> {
    let mut columns: Vec<(String, DataType)> = Vec::new();
    for (shown, table) in tables {
        for field in table.fields() {
            match columns.iter_mut().find(|(name, _)| name == field.name()) {
                None => columns.push((field.name().clone(), field.data_type().clone())),
                Some((name, common)) => match unify(common, field.data_type()) {
                    Some(wider) => *common = wider,
                    None => {
                        let what = format!(
                            "Column \"{name}\" is {} in {shown} and {} before it.",
                            type_name(field.data_type()),
                            type_name(common)
                        );
                        let help = "Declare its type in the options, for example {\"columns\": [{\"name\": \"…\", \"type\": \"text\"}]}.";
                        cx.problem(Problem::error(what).on("options").in_file(shown, None).help(help));
                    }
                },
            }
        }
    }
    for (shown, table) in tables {
        let lacking: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).filter(|name| !table.has(name)).collect();
        if !lacking.is_empty() {
            let what =
                format!("It has no column {}; others do.", lacking.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", "));
            let problem = if drift == Drift::Refuse { Problem::error(what) } else { Problem::warning(what) };
            cx.problem(problem.on("drift").in_file(shown, None).help("Rename the columns in the file, or read it apart."));
        }
    }
    if let Some(source) = source {
        cx.new_name(source, columns.iter().any(|(name, _)| *name == source.0), "source");
    }
    (!cx.failed()).then_some(columns)
}

/// One after the other, with these columns.
fn union(
    cx: &Planning<'_>,
    tables: &[(String, Table)],
    columns: &[(String, DataType)],
    source: Option<&NewColumn>,
) -> datafusion::common::Result<Table> {
    let (file, row) = (hidden(&format!("{}.file", cx.node())), hidden(&format!("{}.row", cx.node())));
    let mut all: Option<LogicalPlanBuilder> = None;
    for (i, (shown, table)) in tables.iter().enumerate() {
        let mut exprs = Vec::new();
        for (name, data_type) in columns {
            let expr = match table.type_of(name) {
                None => lit(ScalarValue::try_from(data_type)?),
                Some(found) if found == data_type => column(name),
                Some(_) => cast(column(name), data_type.clone()),
            };
            exprs.push(expr.alias(name));
        }
        if let Some(source) = source {
            exprs.push(lit(ScalarValue::Utf8View(Some(shown.clone()))).alias(&source.0));
        }
        exprs.push(lit(i as i64).alias(&file));
        let key = table.order.first().map_or_else(|| lit(0_i64), |key| column(&key.column));
        exprs.push(key.alias(&row));
        let part = LogicalPlanBuilder::from(table.plan.clone()).project(exprs)?;
        all = Some(match all {
            None => part,
            Some(all) => all.union(part.build()?)?,
        });
    }
    let all = all.ok_or_else(|| datafusion::common::internal_datafusion_err!("a folder without files"))?;
    Ok(Table::new(all.build()?, vec![OrderKey::ascending(file, "file"), OrderKey::ascending(row, "row")]))
}
