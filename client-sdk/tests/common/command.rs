//! The `musubi` command as a process.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

pub fn musubi(home: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_musubi"));
    for name in ["MUSUBI_NODE", "MUSUBI_TOKEN", "MUSUBI_PASSPHRASE_FILE"] {
        command.env_remove(name);
    }
    command
        .args(line.split_whitespace())
        .env("MUSUBI_HOME", home)
        .env("MUSUBI_PASSPHRASE", "correct horse")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub fn ok(home: &Path, line: &str) -> String {
    let output = musubi(home, line);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "musubi {line}\n{error}");
    String::from_utf8(output.stdout).unwrap()
}

pub fn json(home: &Path, line: &str) -> Value {
    serde_json::from_str(&ok(home, &format!("{line} --json"))).unwrap()
}

/// The problem that a failing command prints with `--json`, and its exit code.
pub fn problem(home: &Path, line: &str) -> (Value, i32) {
    let output = musubi(home, &format!("{line} --json"));
    assert!(!output.status.success(), "musubi {line} must fail");
    assert!(output.stdout.is_empty(), "a failure prints nothing on standard output");
    let problem = serde_json::from_slice(&output.stderr).unwrap();
    (problem, output.status.code().unwrap())
}

pub fn code(home: &Path, line: &str) -> String {
    problem(home, line).0["code"].as_str().unwrap().to_owned()
}
