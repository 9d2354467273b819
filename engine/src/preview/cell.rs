//! One value as people read it.

use arrow::array::Array;
use arrow::datatypes::DataType;

/// The value of an array in a row, in canonical form; `None` for an empty one.
pub fn cell(array: &dyn Array, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    let text = arrow::util::display::array_value_to_string(array, row).unwrap_or_else(|error| format!("<{error}>"));
    Some(match array.data_type() {
        DataType::Timestamp(_, _) => text.replace('T', " "),
        _ => text,
    })
}
