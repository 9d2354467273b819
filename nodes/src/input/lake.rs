//! `input.ledger` and `input.delta`: tables of the Universal Ledger, and Delta tables of others.

use datafusion::datasource::provider_as_source;
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::cast;
use datafusion::scalar::ScalarValue;

use super::parquet::carried;
use crate::example::typed_array;
use crate::kind::Lake;
use crate::param::FolderPath;
use crate::prelude::*;

/// Reads a table of the Universal Ledger.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct LedgerInput {
    /// The table.
    pub table: String,
    /// The version to read; the newest unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Whether the run, the workflow's version and the place of each row come along.
    #[serde(default)]
    pub origin: bool,
    /// What stands where a column has nothing, as in rows that were loaded before the column came.
    #[serde(default)]
    pub defaults: Vec<ColumnDefault>,
}

/// What stands where a column has nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ColumnDefault {
    /// The column.
    pub column: Column,
    /// The value.
    pub value: String,
}

/// Reads a Delta table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct DeltaInput {
    /// The table's folder.
    pub path: FolderPath,
    /// The version to read; the newest unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// The rows of a Delta table, in the order of `keys` where it has them, then of all its columns.
fn read(cx: &mut Planning<'_>, lake: Lake<'_>, version: Option<u64>, field: &str, keys: &[&str], without: &[&str]) -> Option<Planned> {
    if let Lake::Folder(path) = lake {
        cx.place(path, field)?;
    }
    let found = match cx.host().lake(lake, version) {
        Ok(found) => found,
        Err(problem) => {
            cx.problem(problem.on(field));
            return None;
        }
    };
    cx.source(found.proof);
    let scanned = || {
        let scan = LogicalPlanBuilder::scan(format!("{}.source", cx.node()), provider_as_source(found.rows), None)?;
        let (mut columns, mut order, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for (qualifier, field) in scan.schema().iter() {
            let source = Expr::Column(datafusion::common::Column::new(qualifier.cloned(), field.name()));
            let Some(data_type) = carried(field.data_type()) else { continue };
            let expr = if data_type == *field.data_type() { source } else { cast(source, data_type) };
            let kept = !without.contains(&field.name().as_str());
            let name = if kept { field.name().clone() } else { hidden(field.name()) };
            if keys.contains(&field.name().as_str()) {
                order.push(OrderKey::ascending(&name, field.name()));
            } else if kept {
                rest.push(OrderKey::ascending(&name, field.name()));
            }
            if kept || keys.contains(&field.name().as_str()) {
                columns.push(expr.alias(name));
            }
        }
        if order.len() < keys.len() || keys.is_empty() {
            order.extend(rest);
        }
        Ok(Table::new(scan.project(columns)?.build()?, order))
    };
    let scanned = scanned();
    Some(Planned::table(cx.planned(scanned)?))
}

impl NodeKind for LedgerInput {
    fn identity() -> Identity {
        Identity {
            id: "input.ledger",
            version: 1,
            category: Category::Input,
            icon: "account_balance",
            title: Words { en: "Ledger table", fr: "Table du registre" },
            summary: Words {
                en: "Reads a table of the Universal Ledger, now or at an earlier version.",
                fr: "Lit une table du registre universel, maintenant ou à une version antérieure.",
            },
            synonyms: &["universal ledger", "time travel", "history", "registre universel", "historique"],
            order: Words { en: "Load by load, each in its own order.", fr: "Chargement par chargement, chacun dans son ordre." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        if self.table.is_empty() {
            cx.problem(Problem::error("The table has no name.").on("table").help("`weir ledger tables` lists them."));
            return None;
        }
        let stamps = ["_run", "_version", "_row"];
        let mut planned =
            read(cx, Lake::Ledger(&self.table), self.version, "table", &["_run", "_row"], if self.origin { &[] } else { &stamps })?;
        let flow = planned.flows.first_mut()?;
        let mut filled = Vec::new();
        for (i, default) in self.defaults.iter().enumerate() {
            cx.column(&default.column, &flow.table, &format!("defaults[{i}].column"))?;
            let name = &default.column.0;
            let data_type = flow.table.type_of(name)?.clone();
            let column_type = ColumnType::of(&data_type)?;
            match typed_array(&[Some(&default.value)], column_type).map(|array| ScalarValue::try_from_array(&array, 0)) {
                Ok(Ok(value)) => filled.push((name.clone(), coalesce(vec![column(name), cast(lit(value), data_type)]))),
                _ => {
                    let what = format!("\"{}\" is no {column_type}, as \"{name}\" is.", default.value);
                    cx.problem(Problem::error(what).on(format!("defaults[{i}].value")).help("Write a value of the column's type."));
                }
            }
        }
        if !filled.is_empty() {
            let table = flow.table.with_columns(filled);
            flow.table = cx.planned(table)?;
        }
        Some(planned)
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("The newest version of a table.", json!({ "table": "commissions" })).elsewhere(),
            Example::new("The table as it first was.", json!({ "table": "commissions", "version": 0 })).elsewhere(),
            Example::new(
                "A column that came later, filled for the rows of before.",
                json!({ "table": "commissions", "defaults": [{ "column": "region", "value": "unknown" }] }),
            )
            .elsewhere(),
            Example::new("With the run of each row.", json!({ "table": "commissions", "origin": true })).elsewhere(),
            Example::new("A table has a name.", json!({ "table": "" })).refused("The table has no name"),
        ]
    }
}

impl NodeKind for DeltaInput {
    fn identity() -> Identity {
        Identity {
            id: "input.delta",
            version: 1,
            category: Category::Input,
            icon: "change_history",
            title: Words { en: "Delta table", fr: "Table Delta" },
            summary: Words {
                en: "Reads a Delta Lake table, now or at an earlier version.",
                fr: "Lit une table Delta Lake, maintenant ou à une version antérieure.",
            },
            synonyms: &["delta lake", "lakehouse", "databricks", "time travel", "input data"],
            order: Words { en: "By its columns, the first one first.", fr: "Par ses colonnes, la première d'abord." },
        }
    }

    fn ports(&self) -> Ports {
        Ports::source()
    }

    fn plan(&self, cx: &mut Planning<'_>) -> Option<Planned> {
        if self.path.0.is_empty() {
            cx.problem(Problem::error("The table has no folder.").on("path").help("Choose the folder that holds _delta_log."));
            return None;
        }
        read(cx, Lake::Folder(&self.path.0), self.version, "path", &[], &[])
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::new("The newest version.", json!({ "path": "lake/sales" })).elsewhere(),
            Example::new("An earlier version.", json!({ "path": "lake/sales", "version": 3 })).elsewhere(),
            Example::new("A folder of the project.", json!({ "path": "sales" })).elsewhere(),
            Example::new("A table has a folder.", json!({ "path": "" })).refused("The table has no folder"),
        ]
    }
}
