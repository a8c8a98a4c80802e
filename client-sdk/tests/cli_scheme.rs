//! `musubi scheme check`: what a person sees, and the exit code.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, process::Command};

/// Exit code, standard output, standard error.
fn musubi(home: &Path, line: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_musubi"))
        .env("MUSUBI_HOME", home)
        .args(line)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_scheme_is_checked_played_and_its_mistakes_are_told() {
    let home = tempfile::tempdir().unwrap();
    let manual = include_str!("../../docs/SCHEMES.md");
    let (_, example) = manual.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let file = home.path().join("town.toml");
    let path = file.to_str().unwrap();

    fs::write(&file, example).unwrap();
    let (code, out, err) = musubi(home.path(), &["scheme", "check", path]);
    assert_eq!((code, &*err), (0, ""), "{out}");
    assert!(out.contains("days = 30 (silent): no period is given"), "{out}");
    assert!(out.contains("example: 8 of 8 steps, 2 of 2 figures"), "{out}");

    let (code, out, _) = musubi(home.path(), &["--json", "scheme", "check", path]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["ok"]), (0, &serde_json::json!(true)), "{out}");
    assert_eq!(report["checks"].as_array().unwrap().len(), 2);

    let (code, _, err) = musubi(home.path(), &["scheme", "check", path, "--set", "days=31"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("code: scheme_failed") && err.contains("expired(TOWN) is 0"), "{err}");

    fs::write(&file, example.replace("expired(TOWN)", "expired(TWON)")).unwrap();
    let (code, _, err) = musubi(home.path(), &["scheme", "check", path, "--no-run"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("has a mistake") && err.contains("| of = \"expired(TWON)\"\n"), "{err}");
    assert!(err.contains(":6: no instrument TWON; declared: TOWN"), "{err}");
}
