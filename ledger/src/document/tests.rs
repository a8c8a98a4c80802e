#![allow(clippy::unwrap_used)]

use super::{
    RegistrationNumber,
    tax::{Basis, TaxLine, TaxRule, lines_well_formed},
};
use crate::{amount::Amount, codec, rule::formula::Rounding};

fn rule(basis: Basis, rounding: Rounding) -> TaxRule {
    TaxRule { basis, rounding }
}

fn line(rate: u16, total: u64, tax: u64) -> TaxLine {
    TaxLine { rate, reduced: false, total: Amount(total), tax: Amount(tax) }
}

/// The tax agency's own example (Q57): three articles of 105 yen at 10 %.
#[test]
fn tax_is_rounded_once_for_a_rate_and_not_for_each_article() {
    let down = rule(Basis::Net, Rounding::Floor);
    let once = down.tax(100, Amount(3 * 105));
    let each = (0..3).map(|_| down.tax(100, Amount(105)).0).sum::<u64>();
    assert_eq!((once, each), (Amount(31), 30));
    assert!(down.is_right(&line(100, 315, 31)) && !down.is_right(&line(100, 315, 30)));
    assert_eq!(rule(Basis::Net, Rounding::Ceil).tax(100, Amount(315)), Amount(32));
    assert_eq!(rule(Basis::Net, Rounding::HalfUp).tax(100, Amount(315)), Amount(32));
    assert_eq!(rule(Basis::Net, Rounding::HalfUp).tax(100, Amount(314)), Amount(31));
}

#[test]
fn tax_that_is_inside_is_taken_from_the_whole() {
    for (rate, gross, floor, ceil, half_up) in [
        (100, 1_100, 100, 100, 100),
        (80, 1_000, 74, 75, 74),
        (100, 346, 31, 32, 31),
        (0, 9, 0, 0, 0),
    ] {
        let tax = |rounding| rule(Basis::Gross, rounding).tax(rate, Amount(gross)).0;
        let all = [Rounding::Floor, Rounding::Ceil, Rounding::HalfUp].map(tax);
        assert_eq!(all, [floor, ceil, half_up], "{rate} of {gross}");
    }
    let largest = rule(Basis::Net, Rounding::Ceil).tax(1_000, Amount(u64::MAX));
    assert_eq!(largest, Amount(u64::MAX));
}

#[test]
fn lines_ascend_by_rate_and_mark() {
    let reduced = TaxLine { reduced: true, ..line(80, 1, 0) };
    assert!(lines_well_formed(&[line(80, 1, 0), reduced, line(100, 1, 0)]));
    assert!(!lines_well_formed(&[reduced, line(80, 1, 0)]));
    assert!(!lines_well_formed(&[line(80, 1, 0), line(80, 1, 0)]));
    assert!(!lines_well_formed(&[]));
    assert!(!lines_well_formed(&[line(80, 0, 0)]));
    assert!(!lines_well_formed(&[line(1_001, 1, 0)]));
}

#[test]
fn notes_in_parts_take_back_as_much_as_one_note() {
    let down = rule(Basis::Net, Rounding::Floor);
    let invoiced = line(100, 105, 10);
    let takes = |credited: (u64, u64), total, tax| {
        down.takes_back(&invoiced, &line(100, credited.0, credited.1), &line(100, total, tax))
    };
    assert!(takes((0, 0), 35, 3) && !takes((0, 0), 35, 4) && !takes((0, 0), 35, 2));
    assert!(takes((35, 3), 35, 4) && takes((35, 3), 35, 3));
    assert!(takes((70, 7), 35, 3));
    assert!(takes((70, 6), 35, 4), "the last one takes the yen that rounding left");
    let up = rule(Basis::Net, Rounding::Ceil);
    let (invoiced, before) = (line(100, 102, 11), line(100, 51, 6));
    assert!(up.takes_back(&invoiced, &before, &line(100, 51, 5)), "no more than is left");
    assert!(!up.takes_back(&invoiced, &before, &line(100, 51, 6)));
}

#[test]
fn a_registration_number_has_one_spelling() {
    let number: RegistrationNumber = "T0000000000001".parse().unwrap();
    assert_eq!(number.to_string(), "T0000000000001");
    for bad in [
        "T123",
        "1234567890123",
        "T12345678901234",
        "T123456789012a",
        "t1234567890123",
        "T+123456789012",
    ] {
        assert!(bad.parse::<RegistrationNumber>().is_err(), "{bad}");
    }
    let bytes = codec::encode(&number);
    assert_eq!(codec::decode::<RegistrationNumber>(&bytes, 8).unwrap(), number);
    let beyond = codec::encode(&10_000_000_000_000_u64);
    assert!(codec::decode::<RegistrationNumber>(&beyond, 8).is_err());
}
