//! Every scheme file runs as it says, and no figure of it could be another: changed by one unit, it fails.

use musubi_schemes::{
    file::Plain,
    scheme::{ChoiceKind, Refusal},
};

use super::common;

/// Choices that may be one more or one less without any figure or step noticing, and why.
const SURVIVORS: [(&str, &str, &str); 1] =
    [("amakusa", "everyday", "an amount of the scenario; its figure is not measured then")];

#[test]
fn every_scheme_runs_as_its_file_says() {
    for (name, text) in common::files() {
        let scheme = common::sound(&name, &text);
        assert_eq!(scheme.head.name, name, "a scheme is called like its file");
        let report = common::play(&scheme).unwrap();
        assert!(report.ok(), "{report}");
        assert_eq!(report.checks.len(), scheme.expects.len(), "{name}: every figure is measured");
        assert!(!report.checks.is_empty(), "{name} has figures");
        for refusal in &scheme.head.refusals {
            assert!(report.refusals[refusal.name()] > 0, "{name}: no refusal for {refusal:?}");
        }
        let again = common::play(&scheme).unwrap();
        assert_eq!(again.to_json(), report.to_json(), "{name}: one file, one outcome");
    }
}

#[test]
fn a_figure_changed_by_one_unit_fails() {
    for (name, text) in common::files() {
        let scheme = common::sound(&name, &text);
        let report = common::play(&scheme).unwrap();
        for (expect, change) in scheme.expects.iter().flat_map(|e| [(e, -1), (e, 1)]) {
            let figure = expect.figure + change;
            let mut measured = report.checks.iter().filter(|c| c.of == expect.of_text);
            let holds = |c: &&musubi_schemes::report::CheckLine| c.figure == expect.figure;
            let check = measured.find(holds).unwrap();
            assert!(
                check.holds_for(expect.figure) && !check.holds_for(figure),
                "{name}: {expect:?}"
            );
            // And so does the file, at the check of its source or when it is played.
            let mut changed = text.clone();
            changed.replace_range(expect.figure_at.clone(), &figure.to_string());
            let fails = match common::read(&name, &changed, &[]) {
                Err(_) => true,
                Ok(scheme) => !common::play(&scheme).unwrap().ok(),
            };
            assert!(fails, "{name}: {} could be {figure}: {}", expect.figure, expect.text);
        }
    }
}

#[test]
fn a_choice_moved_by_one_unit_is_noticed() {
    for (name, text) in common::files() {
        let scheme = common::sound(&name, &text);
        for choice in &scheme.choices {
            let Plain::Int(value) = choice.value else { continue };
            for moved in [value - 1, value + 1].into_iter().filter(|moved| *moved > 0) {
                let set = [(choice.name.clone(), moved.to_string())];
                let noticed = match common::read(&name, &text, &set) {
                    Err(_) => true,
                    Ok(scheme) => common::play(&scheme).map_or(true, |report| !report.ok()),
                };
                let known = SURVIVORS
                    .iter()
                    .any(|(scheme, of, _)| (*scheme, *of) == (&*name, &*choice.name));
                assert!(noticed != known, "{name}: {} = {moved}", choice.name);
            }
        }
    }
}

#[test]
fn choices_about_the_source_quote_it() {
    for (name, text) in common::files() {
        let scheme = common::sound(&name, &text);
        for choice in scheme.choices.iter().filter(|choice| choice.kind != ChoiceKind::Ours) {
            assert!(!choice.quote.is_empty() && !choice.why.is_empty(), "{name}: {}", choice.name);
        }
        assert_eq!(scheme.head.refusals, Refusal::ALL, "{name} meets all refusals");
    }
}

#[test]
fn whatever_a_choice_allows_runs() {
    for (name, text) in common::files() {
        for choice in common::sound(&name, &text).choices {
            for value in &choice.among {
                let set = [(choice.name.clone(), value.to_string())];
                let scheme = common::read(&name, &text, &set);
                let scheme = scheme.unwrap_or_else(|wrong| panic!("{value}: {wrong}"));
                let report = common::play(&scheme).unwrap();
                assert!(report.ok(), "{name}: {} = {value}: {report}", choice.name);
            }
        }
    }
}
