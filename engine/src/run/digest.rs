//! The digest of an output: its columns, types and rows in order, independent of batches, threads and file formats.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::common::cast::{
    as_boolean_array, as_date32_array, as_decimal128_array, as_float64_array, as_int64_array, as_string_view_array,
    as_timestamp_microsecond_array,
};
use datafusion::common::{Result, exec_err};

/// A digest being taken.
#[derive(Debug)]
pub(crate) struct Digest {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
    rows: u64,
}

type Encoder<'a> = Box<dyn Fn(usize, &mut Vec<u8>) + 'a>;

impl Digest {
    /// A digest of a table with these columns.
    pub(crate) fn new(schema: &Schema) -> Self {
        let mut hasher = blake3::Hasher::new();
        for field in schema.fields() {
            hasher.update(format!("{}\u{1f}{}\u{1e}", field.name(), weir_nodes::types::type_name(field.data_type())).as_bytes());
        }
        Self { hasher, buffer: Vec::new(), rows: 0 }
    }

    /// Adds rows.
    pub(crate) fn update(&mut self, batch: &RecordBatch) -> Result<()> {
        let encoders = batch.columns().iter().map(encoder).collect::<Result<Vec<_>>>()?;
        self.rows += batch.num_rows() as u64;
        for row in 0..batch.num_rows() {
            for (encode, array) in encoders.iter().zip(batch.columns()) {
                if array.is_null(row) {
                    self.buffer.push(0);
                } else {
                    self.buffer.push(1);
                    encode(row, &mut self.buffer);
                }
            }
            if self.buffer.len() > 64 * 1024 {
                self.hasher.update(&self.buffer);
                self.buffer.clear();
            }
        }
        Ok(())
    }

    /// How many rows were added.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The digest as hexadecimal text.
    pub(crate) fn finish(mut self) -> String {
        self.hasher.update(&self.buffer);
        self.hasher.update(&self.rows.to_le_bytes());
        self.hasher.finalize().to_hex().to_string()
    }
}

fn encoder(array: &Arc<dyn Array>) -> Result<Encoder<'_>> {
    Ok(match array.data_type() {
        DataType::Utf8View => {
            let array = as_string_view_array(array)?;
            Box::new(move |row, out| {
                let text = array.value(row).as_bytes();
                out.extend_from_slice(&(text.len() as u64).to_le_bytes());
                out.extend_from_slice(text);
            })
        }
        DataType::Int64 => {
            let array = as_int64_array(array)?;
            Box::new(move |row, out| out.extend_from_slice(&array.value(row).to_le_bytes()))
        }
        DataType::Decimal128(_, _) => {
            let array = as_decimal128_array(array)?;
            Box::new(move |row, out| out.extend_from_slice(&array.value(row).to_le_bytes()))
        }
        DataType::Float64 => {
            let array = as_float64_array(array)?;
            Box::new(move |row, out| out.extend_from_slice(&array.value(row).to_bits().to_le_bytes()))
        }
        DataType::Boolean => {
            let array = as_boolean_array(array)?;
            Box::new(move |row, out| out.push(u8::from(array.value(row))))
        }
        DataType::Date32 => {
            let array = as_date32_array(array)?;
            Box::new(move |row, out| out.extend_from_slice(&array.value(row).to_le_bytes()))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let array = as_timestamp_microsecond_array(array)?;
            Box::new(move |row, out| out.extend_from_slice(&array.value(row).to_le_bytes()))
        }
        DataType::Null => Box::new(|_, _| {}),
        other => return exec_err!("A column of type {other} cannot be loaded."),
    })
}
