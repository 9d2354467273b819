//! The number rules, against big integers and named cases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use arrow::datatypes::i256;
use proptest::prelude::*;

use super::convert::parse;
use super::decimal::{self, LIMIT, divide_rounded, multiply, written};
use super::float_sum::FloatSum;
use super::rounding::Rounding;

/// Half away from zero, in 256 bits and by comparing twice the remainder: another way than the code's.
fn oracle(dividend: i256, divisor: i256) -> i256 {
    let (q, r) = (dividend / divisor, dividend % divisor);
    let twice = r.wrapping_abs() + r.wrapping_abs();
    if twice < divisor.wrapping_abs() {
        q
    } else if (dividend < i256::ZERO) == (divisor < i256::ZERO) {
        q + i256::ONE
    } else {
        q - i256::ONE
    }
}

fn big(value: i128) -> i256 {
    i256::from_i128(value)
}

fn fits(value: i256) -> Option<i128> {
    value.to_i128().filter(|value| value.abs() < LIMIT)
}

fn number() -> impl Strategy<Value = i128> {
    prop_oneof![-1000_i128..1000, -10_i128.pow(15)..10_i128.pow(15), -(LIMIT - 1)..LIMIT]
}

proptest! {
    #[test]
    fn products_are_exact_or_refused(a in number(), b in number(), drop in 0_u8..10) {
        let wide = big(a).checked_mul(big(b)).unwrap();
        let expected = fits(oracle(wide, big(10_i128.pow(u32::from(drop)))));
        prop_assert_eq!(multiply(a, b, drop), expected);
    }

    #[test]
    fn quotients_are_rounded_half_away(a in number(), b in number().prop_filter("not zero", |b| *b != 0), shift in 0_i16..19) {
        let wide = big(a).checked_mul(big(10_i128.pow(shift as u32))).unwrap();
        prop_assert_eq!(decimal::divide(a, b, shift), fits(oracle(wide, big(b))));
    }

    #[test]
    fn rounding_half_away_is_division(a in number(), places in 1_u32..20) {
        let unit = 10_i128.pow(places);
        prop_assert_eq!(Rounding::HalfAwayFromZero.units(a, unit), divide_rounded(a, unit));
        let floor = Rounding::Floor.units(a, unit);
        prop_assert!(floor * unit <= a && a - floor * unit < unit);
        let even = Rounding::HalfEven.units(a, unit);
        prop_assert!((even * unit - a).abs() * 2 <= unit);
    }

    #[test]
    fn written_numbers_are_read_back(value in number(), scale in 0_u8..19) {
        prop_assert_eq!(parse(&written(value, scale), '.', None), Some((value, scale)));
    }

    #[test]
    fn float_sums_do_not_depend_on_order(mut values in prop::collection::vec(-1e300_f64..1e300, 1..50)) {
        let sum = |values: &[f64]| {
            let mut sum = FloatSum::default();
            values.iter().for_each(|value| sum.add(*value));
            sum.value()
        };
        let forward = sum(&values);
        values.reverse();
        prop_assert_eq!(sum(&values).to_bits(), forward.to_bits());
        values.sort_by(f64::total_cmp);
        prop_assert_eq!(sum(&values).to_bits(), forward.to_bits());
    }

    #[test]
    fn no_text_panics(text in ".*") {
        let _ = parse(&text, ',', Some(' '));
    }
}

#[test]
fn half_even_beside_half_away() {
    let cases = [(25, 2, 3), (35, 4, 4), (-25, -2, -3), (26, 3, 3), (-24, -2, -2)];
    for (value, even, away) in cases {
        assert_eq!(Rounding::HalfEven.units(value, 10), even, "{value}");
        assert_eq!(Rounding::HalfAwayFromZero.units(value, 10), away, "{value}");
    }
}

#[test]
fn strict_numbers() {
    assert_eq!(parse("1 234,5", ',', Some(' ')), Some((12_345, 1)));
    for wrong in ["", "-", "1e2", "1,2,3", "12 34", "1.", "abc", "--1", "1 2345", "０"] {
        assert_eq!(parse(wrong, ',', Some(' ')), None, "{wrong}");
    }
}
