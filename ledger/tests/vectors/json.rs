//! Hostile inputs 5 and 7, as JSON: one spelling is taken, everything else is an error, nothing
//! panics.

use crate::common::*;

fn good() -> String {
    let chain = World::bare().chain.id();
    let body = super::operations::body(chain, 0, pay("alice", "bob", 500));
    let tx = sign(body, &[debit("alice"), credit("bob")]);
    serde_json::to_string(&tx).unwrap()
}

fn read(text: &str) -> Result<Transaction, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn only_canonical_amounts_pass() {
    let with = |amount: &str| good().replacen("\"500\"", amount, 1);
    for amount in [
        "500",
        "-1",
        "\"-1\"",
        "\"+1\"",
        "1e3",
        "\"1e3\"",
        "1.0",
        "\"1.0\"",
        "\"01\"",
        "\" 1\"",
        "\"1 \"",
        "\"\"",
        "null",
        "9007199254740993",
        "\"18446744073709551616\"",
        "\"０\"",
        "[1]",
    ] {
        assert!(read(&with(amount)).is_err(), "{amount}");
    }
    for amount in ["\"0\"", "\"1\"", "\"9007199254740993\"", "\"18446744073709551615\""] {
        let tx = read(&with(amount)).unwrap();
        let Operation::Transfer(m) = &tx.body.operation else {
            panic!("a transfer");
        };
        assert_eq!(format!("\"{}\"", m.legs[0].amount), amount, "never rounded");
    }
}

#[test]
fn objects_have_exactly_their_fields_once() {
    let good = good();
    assert!(read(&good).is_ok());
    let doubled = good.replacen("\"purpose\":0", "\"purpose\":0,\"purpose\":1", 1);
    let unknown = good.replacen("\"purpose\":0", "\"purpose\":0,\"fee\":1", 1);
    let nested = good.replacen("\"amount\":", "\"note\":1,\"amount\":", 1);
    let missing = good.replacen("\"purpose\":0,", "", 1);
    for bad in [doubled, unknown, nested, missing] {
        assert_ne!(bad, good);
        assert!(read(&bad).is_err());
    }
}

#[test]
fn broken_texts_are_errors() {
    let good = good();
    let surrogate = good.replacen("vector-0", "\\ud800", 1);
    let cases = [
        format!("\u{feff}{good}"),
        format!("{good}x"),
        format!("{good}{good}"),
        good[..good.len() - 1].to_owned(),
        surrogate,
        "[".repeat(10_000),
        "{\"body\":".repeat(10_000),
        good.replacen("party1", "PARTY1", 1),
        good.replacen("\"live\"", "\"LIVE\"", 1),
        good.replacen("MEBUKU", "mebuku", 1),
        good.replacen("MEBUKU", "MEBUKU-MEBUKU-MEBUKU", 1),
        good.replacen("vector-0", &"x".repeat(65), 1),
        good.replacen("vector-0", "two words", 1),
    ];
    for bad in cases {
        assert!(read(&bad).is_err(), "{}", &bad[..bad.len().min(80)]);
    }
    let mut bytes = good.into_bytes();
    bytes[20] = 0xff;
    assert!(serde_json::from_slice::<Transaction>(&bytes).is_err(), "invalid UTF-8");
}
