//! What the ledger's code may not say.

use super::rules::{IMPURE, PURE};
use super::source::SourceFile;
use super::tokens::{self, Token};

/// Places in pure code that name what could differ from node to node.
pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let pure = files.iter().filter(|file| file.path.starts_with(PURE));
    let test_files = test_files(files);
    let pure = pure.filter(|file| !test_files.iter().any(|test| is_part(&file.path, test)));
    pure.flat_map(in_file).collect()
}

fn in_file(file: &SourceFile) -> Vec<String> {
    let tokens = tokens::without_tests(&tokens::of(&file.text));
    let mut breaches = Vec::new();
    for at in 0..tokens.len() {
        let here = format!("{}:{}", file.path, tokens[at].line);
        for (pattern, why) in IMPURE {
            if matches(&tokens[at..], pattern) {
                breaches.push(format!("{here} says {pattern}: {why}"));
            }
        }
        if is_float(tokens[at]) {
            breaches.push(format!("{here} says {}: value is integers", tokens[at].text));
        }
    }
    breaches
}

fn matches(tokens: &[Token], pattern: &str) -> bool {
    let pattern = tokens::of(pattern);
    let texts: Vec<&str> = pattern.iter().map(|token| token.text).collect();
    tokens::starts_with(tokens, &texts)
}

/// `1.5`, `1f64`, `1_f32`; not `0x1f64`, which is a whole number.
fn is_float(token: Token) -> bool {
    let text = token.text;
    let is_number = text.starts_with(|c: char| c.is_ascii_digit());
    let is_suffixed = text.ends_with("f32") || text.ends_with("f64");
    is_number && !text.starts_with("0x") && (text.contains('.') || is_suffixed)
}

/// The paths, without `.rs`, of modules that exist only for tests.
pub(super) fn test_files(files: &[SourceFile]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let tokens = tokens::of(&file.text);
        let folder = folder_of_modules(&file.path);
        found.extend(tokens::test_modules(&tokens).iter().map(|name| format!("{folder}/{name}")));
    }
    found
}

/// Where the modules are that a file declares: beside `lib.rs` and `mod.rs`, otherwise in `name/`.
fn folder_of_modules(path: &str) -> &str {
    let own = path.strip_suffix(".rs").unwrap_or(path);
    ["/lib", "/mod", "/main"].iter().find_map(|root| own.strip_suffix(root)).unwrap_or(own)
}

fn is_part(path: &str, module: &str) -> bool {
    let below = path.strip_prefix(module).unwrap_or_default();
    below == ".rs" || below.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::source::sample;

    #[test]
    fn each_rule_finds_its_breach() {
        for (pattern, why) in IMPURE {
            let text = format!("fn a() {{\n    let x = {pattern}y;\n}}");
            let separated = text.replace("y;", " y;");
            let found = check(&sample(&[("ledger/src/rules.rs", &separated)]));
            let expected = format!("ledger/src/rules.rs:2 says {pattern}: {why}");
            assert!(found.contains(&expected), "{pattern}: {found:?}");
        }
    }

    #[test]
    fn floating_point_literals_are_found() {
        for literal in ["1.5", "0.1", "2f64", "1_000_f32"] {
            let text = format!("const A: X = {literal};");
            assert_eq!(check(&sample(&[("ledger/src/a.rs", &text)])).len(), 1, "{literal}");
        }
        let fine = "let a = x.0.1 + 0x1f64 + 7; for i in 0..9 {}";
        assert!(check(&sample(&[("ledger/src/a.rs", fine)])).is_empty());
    }

    #[test]
    fn words_that_only_look_alike_pass() {
        let fine =
            "// HashMap\nlet hash_map = my_rand::x(); let thread = MyHashMap::new(); \"f64\";";
        assert!(check(&sample(&[("ledger/src/a.rs", fine)])).is_empty());
    }

    #[test]
    fn tests_and_other_rooms_are_free() {
        let clock = "use std::time::SystemTime;";
        let inline = format!("#[cfg(test)] mod tests {{ {clock} }}");
        assert!(check(&sample(&[("ledger/src/a.rs", &inline)])).is_empty());
        assert!(check(&sample(&[("node/src/clock.rs", clock)])).is_empty());
        assert!(check(&sample(&[("ledger/tests/a.rs", clock)])).is_empty());
    }

    #[test]
    fn a_test_module_in_its_own_file_is_free_and_its_namesake_is_not() {
        let clock = "use std::time::SystemTime;";
        let files = sample(&[
            ("ledger/src/lib.rs", "#[cfg(test)] mod model; mod rules;"),
            ("ledger/src/model.rs", clock),
            ("ledger/src/model/more.rs", clock),
            ("ledger/src/rules.rs", "#[cfg(test)] mod tests;"),
            ("ledger/src/rules/tests.rs", clock),
            ("ledger/src/tests.rs", clock),
        ]);
        assert_eq!(check(&files), ["ledger/src/tests.rs:1 says SystemTime: time is the block's"]);
    }
}
