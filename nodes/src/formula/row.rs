//! Functions of ours that work row by row, as `DataFusion` functions; and the form of any of them that gives an empty
//! value where it fails, for `IFERROR`.

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::Site;
use super::cells::{Cell, array};
use super::functions::{Build, functions};
use crate::number::{Place, site_arguments};

/// What a function makes of the values of a row. An error is a sentence without its period.
pub(super) type RowFunction = fn(&[Cell<'_>]) -> Result<Cell<'static>, String>;

static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    functions()
        .iter()
        .filter_map(|function| match &function.build {
            Build::Row { returns, run, strict, .. } => {
                Some(Arc::new(ScalarUDF::from(Row::new(function.name, returns.clone(), *run, *strict))))
            }
            Build::Special(_) => None,
        })
        .collect()
});

static TRIES: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    FUNCTIONS
        .iter()
        .cloned()
        .chain(crate::number::scalar_functions().into_iter().map(Arc::new))
        .map(|inner| Arc::new(ScalarUDF::from(Try::new(inner))))
        .collect()
});

/// Every function this module adds, for registration by name.
pub(crate) fn scalar_functions() -> Vec<ScalarUDF> {
    FUNCTIONS.iter().chain(TRIES.iter()).map(|function| ScalarUDF::clone(function)).collect()
}

/// A call of the row function of this name, which exists for every entry of the table that is one.
pub(super) fn call(name: &str, mut arguments: Vec<Expr>, site: &Site) -> Option<Expr> {
    let wanted = udf_name(name);
    let function = FUNCTIONS.iter().find(|function| function.name() == wanted)?;
    arguments.extend(site_arguments(site));
    Some(function.call(arguments))
}

/// The form of a function that gives an empty value where it fails; `None` for functions that cannot fail.
pub(super) fn forgiving(name: &str) -> Option<Arc<ScalarUDF>> {
    let wanted = format!("{name}_try");
    TRIES.iter().find(|function| function.name() == wanted).cloned()
}

fn udf_name(name: &str) -> String {
    format!("weir_fn_{}", name.to_lowercase())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Row {
    name: String,
    returns: DataType,
    run: Run,
    strict: bool,
    signature: Signature,
}

#[derive(Debug, Clone, Copy)]
struct Run(RowFunction);

// Which code runs follows from the name, so two of them are the same when their names are.
impl PartialEq for Run {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Run {}

impl std::hash::Hash for Run {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl Row {
    fn new(name: &str, returns: DataType, run: RowFunction, strict: bool) -> Self {
        Self { name: udf_name(name), returns, run: Run(run), strict, signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Row {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let place = Place::of(&args.args)?;
        let operands = &args.args[..args.args.len() - 2];
        let arrays: Vec<(ArrayRef, bool)> = operands
            .iter()
            .map(|operand| match operand {
                ColumnarValue::Array(array) => Ok((Arc::clone(array), false)),
                ColumnarValue::Scalar(scalar) => Ok((scalar.to_array_of_size(1)?, true)),
            })
            .collect::<Result<_>>()?;
        let mut results = Vec::with_capacity(args.number_rows);
        let mut cells = Vec::with_capacity(arrays.len());
        for row in 0..args.number_rows {
            cells.clear();
            for (array, constant) in &arrays {
                cells.push(Cell::of(array, if *constant { 0 } else { row })?);
            }
            if self.strict && cells.contains(&Cell::Null) {
                results.push(Cell::Null);
                continue;
            }
            results.push((self.run.0)(&cells).map_err(|what| place.error(row, &what))?);
        }
        Ok(ColumnarValue::Array(array(results, &self.returns)?))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Try {
    name: String,
    inner: Arc<ScalarUDF>,
}

impl Try {
    fn new(inner: Arc<ScalarUDF>) -> Self {
        Self { name: format!("{}_try", inner.name()), inner }
    }
}

impl ScalarUDFImpl for Try {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let inner = self.inner.return_field_from_args(args)?;
        Ok(Arc::new(Field::new(&self.name, inner.data_type().clone(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if let Ok(value) = self.inner.invoke_with_args(args.clone()) {
            return Ok(value);
        }
        // Some row failed: take them one by one.
        let empty = arrow::array::new_null_array(args.return_field.data_type(), 1);
        let mut rows: Vec<ArrayRef> = Vec::with_capacity(args.number_rows);
        for row in 0..args.number_rows {
            let one = ScalarFunctionArgs {
                args: args
                    .args
                    .iter()
                    .map(|arg| match arg {
                        ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(row, 1)),
                        ColumnarValue::Scalar(scalar) => ColumnarValue::Scalar(scalar.clone()),
                    })
                    .collect(),
                number_rows: 1,
                ..args.clone()
            };
            rows.push(match self.inner.invoke_with_args(one) {
                Ok(value) => value.to_array(1)?,
                Err(_) => Arc::clone(&empty),
            });
        }
        let rows: Vec<&dyn arrow::array::Array> = rows.iter().map(AsRef::as_ref).collect();
        if rows.is_empty() {
            return Ok(ColumnarValue::Array(arrow::array::new_empty_array(args.return_field.data_type())));
        }
        Ok(ColumnarValue::Array(arrow::compute::concat(&rows)?))
    }
}
