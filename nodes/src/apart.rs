//! A copy of a column that the planner does not know to be one.
//!
//! Where a union's tables are ordered by copies of visible columns, the layer below mixes up which of the equal columns
//! carries the order, and refuses its own plan. A copy it cannot see through is left alone.

use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// The function's name in plans.
const NAME: &str = "weir_apart";

/// The function `weir_apart(value)`, which gives its value.
pub(crate) fn function() -> ScalarUDF {
    ScalarUDF::from(Apart { signature: Signature::any(1, Volatility::Immutable) })
}

/// The value of an expression.
pub(crate) fn apart(expr: Expr) -> Expr {
    function().call(vec![expr])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Apart {
    signature: Signature,
}

impl ScalarUDFImpl for Apart {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [data_type] => Ok(data_type.clone()),
            _ => exec_err!("{NAME} takes one argument"),
        }
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        args.args.pop().map_or_else(|| exec_err!("{NAME} takes one argument"), Ok)
    }
}
