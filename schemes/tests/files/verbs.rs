//! One scheme that uses every verb and what sections can say besides: whatever is not in a town's file is played here.

use super::common;

const EVERYTHING: &str = include_str!("everything.toml");

#[test]
fn every_verb_does_what_it_says() {
    let scheme = common::sound("everything", EVERYTHING);
    let report = common::play(&scheme).unwrap();
    assert!(report.ok(), "{report}");
    // As many as the crate has verbs: a new one is played here too.
    let manual = include_str!("../../../docs/SCHEMES.md");
    let (_, steps) = manual.split_once("| `do` | Keys |").unwrap();
    let (steps, _) = steps.split_once("\n\n").unwrap();
    let named = steps.lines().filter_map(|row| row.split('|').nth(1));
    let named = named.flat_map(|cell| cell.split(',')).map(|verb| verb.trim().trim_matches('`'));
    let named: Vec<&str> = named.filter(|verb| verb.starts_with(char::is_alphabetic)).collect();
    assert!(named.len() >= 21, "{named:?}");
    for verb in named {
        assert!(EVERYTHING.contains(&format!("do = \"{verb}\"")), "{verb} is not played");
    }
}

#[test]
fn a_step_that_rests_on_nothing_says_so() {
    for (right, wrong, wanted) in [
        ("via = \"budget\"", "via = \"card\"", "circle has no card"),
        ("equals = 1_100", "equals = 1_101", "1100 can be spent, not 1101"),
        ("to = \"2027-04-01\"", "to = \"2026-04-01\"", "the stage cannot go on"),
    ] {
        assert_eq!(EVERYTHING.matches(right).count(), 1, "{right} stands once");
        let scheme = common::sound("everything", &EVERYTHING.replace(right, wrong));
        let said = common::play(&scheme).unwrap().to_string();
        assert!(said.contains(wanted), "{wrong}: {said}");
    }
}
