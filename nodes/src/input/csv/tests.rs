//! Reading, against another reader and at every cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::tokens::{Dialect, Read, plain_records, record};
use super::values::{decimal, integer, iso_date};

const COMMA: Dialect = Dialect { separator: b',', quote: b'"', end: b'\n' };

fn records(bytes: &[u8]) -> Vec<Vec<String>> {
    let (mut at, mut fields, mut all) = (0, Vec::new(), Vec::new());
    while let Read::Record(next) = record(bytes, at, COMMA, true, &mut fields) {
        all.push(
            fields.iter().map(|f| f.bytes(bytes, b'"').map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()).collect(),
        );
        at = next;
    }
    all
}

proptest! {
    #[test]
    fn what_the_csv_crate_writes_is_read_back(rows in prop::collection::vec(prop::collection::vec("[a-c\",;\r\n é]{0,5}", 1..5), 1..8)) {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(vec![]);
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        prop_assert_eq!(records(&bytes), rows);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(b"a,\"\n\r;".to_vec()), 0..40)) {
        let _ = records(&bytes);
        for last in [true, false] {
            let mut fields = Vec::new();
            let _ = record(&bytes, 0, COMMA, last, &mut fields);
        }
    }

    #[test]
    fn the_fast_way_finds_the_same_fields(text in "[ab,\n\r]{0,40}") {
        let bytes = text.as_bytes();
        let mut fast: Vec<Vec<String>> = Vec::new();
        plain_records::<()>(bytes, COMMA, |fields, _| {
            fast.push(fields.iter().map(|f| f.bytes(bytes, b'"').map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()).collect());
            Ok(())
        }).unwrap();
        prop_assert_eq!(fast, records(bytes));
    }

    #[test]
    fn decimals_are_exact(value in -10_i64.pow(15)..10_i64.pow(15), places in 0_u8..7) {
        let mut number = rust_decimal::Decimal::new(value, u32::from(places));
        let text = number.to_string();
        number.rescale(6);
        prop_assert_eq!(decimal(text.as_bytes(), 6, b'.', None), Some(number.mantissa()));
    }

    #[test]
    fn dates_are_those_of_the_calendar(days in -200_000_i32..200_000) {
        let date = crate::formula::dates::date(days).unwrap();
        prop_assert_eq!(iso_date(date.format("%Y-%m-%d").to_string().as_bytes()), if date.to_string().len() == 10 { Some(days) } else { None });
    }
}

#[test]
fn numbers_are_strict() {
    assert_eq!(decimal(b"1.999", 2, b'.', None), None, "digits are never cut off");
    assert_eq!(decimal(b"1.990", 2, b'.', None), Some(199));
    assert_eq!(decimal(b"1e2", 2, b'.', None), None);
    assert_eq!(decimal(b"-0,05", 2, b',', None), Some(-5));
    assert_eq!(decimal(b"1 234,5", 2, b',', Some(b' ')), Some(123_450));
    assert_eq!(decimal(b"1234567890123456789.12", 2, b'.', None), Some(123_456_789_012_345_678_912));
    assert_eq!(decimal(b".", 2, b'.', None), None);
    assert_eq!(decimal(b"5.", 2, b'.', None), None);
    assert_eq!(integer(b"1e2"), None);
    assert_eq!(integer(b"-17"), Some(-17));
    assert_eq!(iso_date(b"2026-02-29"), None);
}
