//! The traps of the layers below, each with a test that fails if it is let through.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use weir_nodes::formula::{Scope, Site, compile};
use weir_nodes::number;
use weir_nodes::table::column;

fn session(threads: usize) -> SessionContext {
    let context = SessionContext::new_with_config(weir_nodes::session::config(threads));
    weir_nodes::session::register(&context);
    context
}

fn batch(array: Arc<dyn Array>) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("x", array.data_type().clone(), true)]);
    RecordBatch::try_new(Arc::new(schema), vec![array]).unwrap()
}

fn decimals(values: Vec<i128>, places: i8) -> Arc<dyn Array> {
    Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, places).unwrap())
}

/// Aggregates the column `x` of some partitions.
async fn figure(parts: Vec<RecordBatch>, expr: datafusion::logical_expr::Expr, threads: usize) -> Result<String, String> {
    let schema = parts[0].schema();
    let table = MemTable::try_new(schema, parts.into_iter().map(|part| vec![part]).collect()).unwrap();
    let frame =
        session(threads).read_table(Arc::new(table)).unwrap().aggregate(vec![], vec![expr.alias("y")]).map_err(|e| e.to_string())?;
    let batches = frame.collect().await.map_err(|e| e.strip_backtrace())?;
    Ok(array_value_to_string(batches[0].column(0), 0).unwrap())
}

/// A formula over the column `x`.
async fn formula(part: RecordBatch, text: &str) -> Result<Vec<String>, String> {
    let columns = vec![("x".to_owned(), part.schema().field(0).data_type().clone())];
    let parameters = BTreeMap::new();
    let site = Site { output: "result".into(), row: Some(("row".into(), column("x"))) };
    let typed = compile(text, &Scope { columns: &columns, parameters: &parameters, site: &site }).map_err(|m| m[0].message.clone())?;
    let frame = session(1).read_batch(part).unwrap().select(vec![typed.expr.alias("y")]).map_err(|e| e.to_string())?;
    let batches = frame.collect().await.map_err(|e| e.strip_backtrace())?;
    Ok((0..batches[0].num_rows()).map(|row| array_value_to_string(batches[0].column(0), row).unwrap()).collect())
}

#[tokio::test]
async fn more_than_38_digits_is_an_error_that_names_column_and_row() {
    let largest = 10_i128.pow(38) - 1;
    let error = formula(batch(decimals(vec![5, largest], 0)), "[x] + 1").await.unwrap_err();
    assert!(error.contains("result") && error.contains("row 999") && error.contains("38 digits"), "{error}");
    let error = formula(batch(decimals(vec![largest], 0)), "[x] * 10").await.unwrap_err();
    assert!(error.contains("38 digits"), "{error}");
    let error = formula(batch(Arc::new(Int64Array::from(vec![i64::MAX]))), "[x] + 1").await.unwrap_err();
    assert!(error.contains("64 bits"), "{error}");
}

#[tokio::test]
async fn division_is_rounded_and_not_cut() {
    assert_eq!(formula(batch(decimals(vec![10_000], 2)), "ROUND([x] / 3 * 3, 6)").await.unwrap(), ["100.000000"]);
    assert_eq!(formula(batch(Arc::new(Int64Array::from(vec![1, 2]))), "[x] / 3").await.unwrap(), ["0.333333333333", "0.666666666667"]);
    let wide = batch(decimals(vec![11 * 10_i128.pow(17)], 18));
    assert_eq!(formula(wide, "[x] / 3").await.unwrap(), ["0.366666666666666667"]);
}

#[tokio::test]
async fn sums_are_checked_and_never_wrap() {
    for threads in [1, 3] {
        let big = 10_i128.pow(38) - 1;
        let error = figure(vec![batch(decimals(vec![big, big], 0))], number::sum(column("x"), "x"), threads).await.unwrap_err();
        assert!(error.contains("\"x\"") && error.contains("digits"), "{error}");
        let ints = vec![batch(Arc::new(Int64Array::from(vec![i64::MAX, 1])))];
        let error = figure(ints, number::sum(column("x"), "x"), threads).await.unwrap_err();
        assert!(error.contains("\"x\""), "{error}");
    }
}

#[tokio::test]
async fn ten_million_cents_sum_exactly() {
    let part = batch(decimals(vec![1; 1_000_000], 2));
    let sum = figure(vec![part; 10], number::sum(column("x"), "x"), 3).await.unwrap();
    assert_eq!(sum, "100000.00");
}

#[tokio::test]
async fn averages_and_medians_are_not_cut() {
    let part = || vec![batch(decimals(vec![105, 106], 2))];
    assert_eq!(figure(part(), number::average(column("x"), "x"), 2).await.unwrap(), "1.055000000000");
    assert_eq!(figure(part(), number::median(column("x"), "x"), 2).await.unwrap(), "1.055000000000");
    let thirds = vec![batch(Arc::new(Int64Array::from(vec![1, 0, 1])))];
    assert_eq!(figure(thirds, number::average(column("x"), "x"), 2).await.unwrap(), "0.666666666667");
}

#[tokio::test]
async fn float_sums_do_not_depend_on_partitions() {
    let values: Vec<f64> = (0..3000).map(|i| f64::from(i) * 0.1 + if i % 7 == 0 { 1e15 } else { -1e-7 }).collect();
    let part = |values: &[f64]| batch(Arc::new(Float64Array::from(values.to_vec())));
    let whole = figure(vec![part(&values)], number::sum(column("x"), "x"), 1).await.unwrap();
    for cut in [1, 7, 900, 2999] {
        let parts = vec![part(&values[cut..]), part(&values[..cut])];
        assert_eq!(figure(parts, number::sum(column("x"), "x"), 3).await.unwrap(), whole, "cut at {cut}");
    }
}

#[tokio::test]
async fn decimals_and_floats_do_not_mix_unseen() {
    let floats = batch(Arc::new(Float64Array::from(vec![1.5])));
    for text in ["[x] + 0.1", "[x] > 0.1", "IF([x] = [x], [x], 0.1)", "MAX([x], 0.1)"] {
        assert!(formula(floats.clone(), text).await.is_err(), "{text}");
    }
    assert_eq!(formula(floats, "DECIMAL([x], 2) + 0.1").await.unwrap(), ["1.60"]);
}

#[tokio::test]
async fn comparing_scales_is_exact() {
    let part = batch(decimals(vec![100_000_000_000_000_001], 17));
    assert_eq!(formula(part, "[x] > 1").await.unwrap(), ["true"]);
}

/// Rows without end, that count how often they were asked for.
#[derive(Debug, Clone, Default)]
struct Endless(Arc<AtomicU64>);

impl weir_nodes::source::Source for Endless {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]))
    }

    fn open(&self, _: &[usize], _: bool, _: usize) -> datafusion::common::Result<Arc<dyn weir_nodes::source::Chunks>> {
        Ok(Arc::new(self.clone()))
    }
}

impl weir_nodes::source::Chunks for Endless {
    fn next(&self) -> datafusion::common::Result<Option<weir_nodes::source::Batches>> {
        let n = self.0.fetch_add(1, Ordering::SeqCst) as i64;
        let array: ArrayRef = Arc::new(Int64Array::from(vec![n; 64]));
        let row: ArrayRef = Arc::new(Int64Array::from_iter_values((0..64).map(|i| n * 64 + i)));
        let batch = RecordBatch::try_from_iter([("n", array), ("row", row)])?;
        Ok(Some(Box::new(std::iter::once(Ok(batch)))))
    }
}

/// FACTS 14: whoever drops a stream stops its work.
#[test]
fn a_dropped_stream_reads_no_further() {
    let source = Endless::default();
    let asked = Arc::clone(&source.0);
    let now = move || asked.load(Ordering::SeqCst);
    let table = weir_nodes::source::scan("endless", Arc::new(source), "row").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let context = weir_nodes::session::context(2);
        let plan = context.state().create_physical_plan(&table.plan).await.unwrap();
        let mut stream = datafusion::physical_plan::execute_stream(plan, context.task_ctx()).unwrap();
        assert!(futures::StreamExt::next(&mut stream).await.unwrap().unwrap().num_rows() > 0);
        drop(stream);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let stopped = now();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(now(), stopped, "nothing reads on");
    });
}

/// FACTS 15: a file that is put into a folder is seen, in the same process too.
#[test]
fn a_new_file_of_a_folder_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let rows = || {
        let example = weir_nodes::example::Example::new("folder", serde_json::json!({ "path": ".", "pattern": "*.csv" }));
        let planned = weir_nodes::example::plan(weir_nodes::registry::find("input.folder").unwrap(), &example, folder.path()).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let context = weir_nodes::session::context(2);
        runtime.block_on(weir_nodes::example::rows(&planned.flows[0].table, &context)).unwrap().num_rows()
    };
    std::fs::write(folder.path().join("a.csv"), "a,b\n1,2\n").unwrap();
    assert_eq!(rows(), 1);
    std::fs::write(folder.path().join("b.csv"), "a,b\n3,4\n5,6\n").unwrap();
    assert_eq!(rows(), 3);
}
