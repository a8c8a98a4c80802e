//! The catalogue page is made from the files as they are.

use std::{fs, path::PathBuf};

use musubi_schemes::catalogue;

use super::common;

fn made() -> String {
    let all: Vec<_> = common::files()
        .iter()
        .map(|(name, text)| {
            let scheme = common::sound(name, text);
            let report = common::play(&scheme).unwrap();
            (scheme, report)
        })
        .collect();
    catalogue::page(&all)
}

/// `UPDATE_CATALOGUE=1` writes it anew instead; so does `musubi scheme catalogue docs/schemes --write`.
#[test]
fn the_page_is_that_of_the_files() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/schemes/README.md");
    let made = made();
    if std::env::var_os("UPDATE_CATALOGUE").is_some() {
        return fs::write(path, made).unwrap();
    }
    let page = fs::read_to_string(path).unwrap_or_default();
    let old = page.lines().zip(made.lines()).position(|(page, made)| page != made);
    assert!(
        page == made,
        "docs/schemes/README.md is old (line {}): write it anew with UPDATE_CATALOGUE=1 cargo test -p musubi-schemes --test files, or with musubi scheme catalogue docs/schemes --write",
        old.map_or(page.lines().count(), |at| at) + 1
    );
}

#[test]
fn the_page_has_every_scheme_choice_and_figure() {
    let page = made();
    for (name, text) in common::files() {
        let scheme = common::sound(&name, &text);
        assert!(page.contains(&format!("({name}.toml)")) && page.contains(&scheme.head.title));
        for choice in &scheme.choices {
            assert!(page.contains(&format!("| `{}` |", choice.name)), "{name}: {}", choice.name);
        }
        for expect in &scheme.expects {
            assert!(page.contains(&format!("「{}」", expect.text)), "{name}: {}", expect.text);
        }
        for issued in scheme.instruments.iter().filter(|issued| issued.stands) {
            assert!(page.contains(&format!("| `{}` |", issued.id)), "{name}: {}", issued.id);
        }
    }
    assert!(!page.contains("not as the file says"));
}
