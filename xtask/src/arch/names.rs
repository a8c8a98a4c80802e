//! No scheme stands in the code: what holds for one town belongs into its scheme's file, or the next town cannot have it.
//!
//! Tests and documents may name schemes. The names are in `xtask/scheme-names.txt`; those of files in `docs/schemes` count
//! by themselves.

use std::{fs, ops::RangeInclusive, path::Path};

use super::purity::test_files;
use super::source::SourceFile;
use super::tokens;

const NAMES: &str = include_str!("../../scheme-names.txt");
/// Shorter ones are parts of too many words.
const LETTERS_MIN: usize = 5;

/// Places outside tests that name a scheme.
pub(super) fn check(root: &Path, files: &[SourceFile]) -> Vec<String> {
    find(files, &names(NAMES, &stems(&root.join("docs/schemes"))))
}

/// Names of scheme files, without their ends.
fn stems(folder: &Path) -> Vec<String> {
    // Without any scheme there is no folder.
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let schemes = paths.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    schemes.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect()
}

fn names(list: &str, stems: &[String]) -> Vec<String> {
    let listed = list.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let parts = stems.iter().flat_map(|stem| stem.split('-'));
    let long = |name: &&str| !name.is_ascii() || name.len() >= LETTERS_MIN;
    let mut names: Vec<String> = listed.chain(parts).filter(long).map(str::to_lowercase).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn find(files: &[SourceFile], names: &[String]) -> Vec<String> {
    let tests = test_files(files);
    let is_test = |path: &str| {
        let own = path.strip_suffix(".rs").unwrap_or(path);
        let beside = own.ends_with("/tests") || own.ends_with("_tests");
        beside || tests.iter().any(|test| own == test || own.starts_with(&format!("{test}/")))
    };
    let sources = files.iter().filter(|file| file.path.contains("/src/") && !is_test(&file.path));
    sources.flat_map(|file| in_file(file, names)).collect()
}

fn in_file(file: &SourceFile, names: &[String]) -> Vec<String> {
    let tests = test_lines(&file.text);
    let lines = (1..).zip(file.text.lines());
    let lines = lines.filter(|(number, _)| !tests.iter().any(|range| range.contains(number)));
    let said = |(number, line): (usize, &str)| {
        let said = names.iter().filter(|name| says(line, name));
        let breach = |name: &String| {
            format!("{}:{number} says {name}: a scheme is named in tests and documents", file.path)
        };
        said.map(breach).collect::<Vec<_>>()
    };
    lines.flat_map(said).collect()
}

/// Whether a line has a word that begins with `name`, in whatever case; also within a `CamelCase` one.
fn says(line: &str, name: &str) -> bool {
    // Of the same length in bytes: names and what is alike are ASCII, or without case.
    let lower = line.to_ascii_lowercase();
    lower.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let is_within = before.is_some_and(|c| c.is_ascii_alphabetic()) && name.is_ascii();
        !is_within || line[at..].starts_with(|c: char| c.is_ascii_uppercase())
    })
}

/// The lines of items that exist only for tests.
fn test_lines(text: &str) -> Vec<RangeInclusive<usize>> {
    let all = tokens::of(text);
    let kept = tokens::without_tests(&all);
    let mut kept = kept.iter().peekable();
    let mut ranges: Vec<RangeInclusive<usize>> = Vec::new();
    let mut inside = false;
    for token in &all {
        if kept.next_if(|next| *next == token).is_some() {
            inside = false;
            continue;
        }
        match ranges.last_mut().filter(|_| inside) {
            Some(range) => *range = *range.start()..=token.line,
            None => ranges.push(token.line..=token.line),
        }
        inside = true;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::source::sample;

    fn found(path: &str, text: &str) -> Vec<String> {
        find(
            &sample(&[(path, text)]),
            &names("# towns\nlongtown\nabc\n長い町", &["other-place".into()]),
        )
    }

    #[test]
    fn a_name_is_found_wherever_it_stands() {
        for text in [
            "// as in Longtown",
            "const A: &str = \"longtown1\";",
            "fn of_longtown() {}",
            "struct OfLongtown;",
            "LONGTOWN",
            "/// 長い町の",
            "other",
            "let place = 1;",
        ] {
            let text = format!("mod a;\n{text}\n");
            let found = found("x/src/a.rs", &text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].starts_with("x/src/a.rs:2 says "), "{found:?}");
        }
    }

    #[test]
    fn parts_of_words_short_names_tests_and_documents_are_free() {
        assert!(found("x/src/a.rs", "// prolongtown, another, replace, abc\n").is_empty());
        let inside = "fn a() {}\n#[cfg(test)]\nmod tests {\n    // Longtown\n    fn b() { \"longtown\" }\n}\n";
        assert!(found("x/src/a.rs", inside).is_empty());
        assert_eq!(found("x/src/a.rs", &format!("{inside}// longtown\n")).len(), 1);
        for path in ["x/tests/a.rs", "x/examples/a.rs", "x/src/a/tests.rs", "x/src/a_tests.rs"] {
            assert!(found(path, "// Longtown\n").is_empty(), "{path}");
        }
        let files = [
            ("x/src/lib.rs", "#[cfg(test)]\nmod model;\nmod b;\n"),
            ("x/src/model.rs", "// longtown"),
        ];
        assert!(find(&sample(&files), &["longtown".into()]).is_empty());
    }

    #[test]
    fn the_list_has_names() {
        let names = names(NAMES, &[]);
        assert!(names.len() >= 30 && names.iter().all(|name| !name.contains(' ')), "{names:?}");
    }
}
