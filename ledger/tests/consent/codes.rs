//! That the suite meets every code that an ordered item can bear.

use std::{fs, path::PathBuf};

use crate::common::*;

/// Every code is named by some test here, and a name stands nowhere but in an assertion.
#[test]
fn every_code_is_met_by_some_test() {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "consent"].iter().collect();
    let mut text = String::new();
    for file in fs::read_dir(folder).unwrap() {
        text += &fs::read_to_string(file.unwrap().path()).unwrap();
    }
    let named = |code: &Code| {
        let name = format!("Code::{code:?}");
        text.match_indices(&name).any(|(at, _)| {
            let next = text[at + name.len()..].chars().next();
            next.is_none_or(|c| !c.is_ascii_alphanumeric())
        })
    };
    let unmet: Vec<&Code> = Code::ALL.iter().filter(|code| !named(code)).collect();
    assert!(unmet.is_empty(), "met by no test: {unmet:?}");
}
