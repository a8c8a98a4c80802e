//! The tutorial is a test: every command block of `docs/TUTORIAL.md` runs, in order, in one shell.
#![allow(clippy::unwrap_used)]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

const TUTORIAL: &str = include_str!("../../docs/TUTORIAL.md");
/// Most that all of it may take; "ten minutes" are a reader's, not a machine's.
const SECONDS_MAX: &str = "300";

/// The ```sh blocks, in order.
fn blocks(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("```sh\n") {
        let (block, tail) = after.split_once("```").expect("a block is closed");
        found.push(block);
        rest = tail;
    }
    found
}

/// Where this build's programs are.
fn programs() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_musubi-testnet")).parent().unwrap().to_path_buf();
    for program in ["musubi", "musubi-node"] {
        let there = folder.join(program).exists();
        assert!(there, "{program} is not built: run `cargo xtask build` first");
    }
    folder
}

#[test]
fn every_command_of_the_tutorial_works() {
    let folder = tempfile::tempdir().unwrap();
    let programs = programs();
    // Whatever happens, the network that the tutorial starts is stopped.
    let mut script = String::from(
        "set -euo pipefail\n\
         trap '[ ! -f tutorial.pid ] || kill $(cat tutorial.pid)' EXIT\n",
    );
    let mut commands = 0;
    for block in blocks(TUTORIAL) {
        if block.contains("cargo xtask") {
            continue;
        }
        script.push_str(&block.replace("$PWD/target/debug", programs.to_str().unwrap()));
        commands += block.lines().count();
    }
    assert!(commands > 40, "the tutorial has its commands: {commands}");
    // A command that waits for ever (a network that never gets ready) is a failure, not a hanging test.
    // The signal goes to everything that the script started.
    let run = Command::new("timeout")
        .args(["--kill-after=10", SECONDS_MAX, "bash", "-c", &script])
        .current_dir(&folder)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert_ne!(run.status.code(), Some(124), "not done within {SECONDS_MAX} s:\n{out}\n{err}");
    assert!(run.status.success(), "{}\n--- output\n{out}\n--- errors\n{err}", run.status);
    assert!(out.contains("Everything agrees."), "the audit at the end agrees:\n{out}");
}
