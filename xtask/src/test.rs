//! `test`: everything that must hold before a change may land, in order, up to the first failure.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::rocksdb_cache::RocksDb;
use crate::workspace::Workspace;
use crate::{arch, deps, prerequisites, process};

/// How a step ended. A failure is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Skipped(&'static str),
}

/// A step: its heading and what it does.
type Step = (&'static str, fn(&Workspace) -> Result<Outcome>);

/// Cheap steps that need no compiler first. The runner of all tests is last, so that its own count closes
/// the output.
const STEPS: &[Step] = &[
    ("format", format),
    ("system tools and RocksDB", |workspace| {
        prerequisites::ensure()?;
        RocksDb::ensure(workspace).map(|_| Outcome::Passed)
    }),
    ("lints", lints),
    ("dependency checks", |workspace| deps::run(workspace).map(|()| Outcome::Passed)),
    ("architecture check", |workspace| arch::run(workspace).map(|()| Outcome::Passed)),
    ("ledger for wasm32", wasm32),
    ("examples in the documentation", documentation),
    ("bugs planted on purpose are caught", planted_bugs),
    ("every test", every_test),
];

/// Runs all steps.
///
/// # Errors
/// The first step that fails; the summary before it says which ones passed.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let start = Instant::now();
    let mut done = Vec::new();
    for (at, (heading, step)) in STEPS.iter().enumerate() {
        println!("\n==> {}/{} {heading}", at + 1, STEPS.len());
        let begin = Instant::now();
        let outcome = step(workspace);
        let took = begin.elapsed();
        match outcome {
            Ok(outcome) => done.push((*heading, outcome, took)),
            Err(error) => {
                println!("{}", summary(&done, Some((heading, took)), start.elapsed()));
                bail!("{heading}: {error:#}");
            }
        }
    }
    println!("{}", summary(&done, None, start.elapsed()));
    Ok(())
}

fn format(workspace: &Workspace) -> Result<Outcome> {
    process::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))?;
    Ok(Outcome::Passed)
}

fn lints(workspace: &Workspace) -> Result<Outcome> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    with_rocksdb(workspace, &arguments)
}

fn documentation(workspace: &Workspace) -> Result<Outcome> {
    with_rocksdb(workspace, &["test", "--doc", "--workspace", "--locked"])
}

fn every_test(workspace: &Workspace) -> Result<Outcome> {
    if process::succeeds(&mut workspace.cargo(&["nextest", "--version"])) {
        return with_rocksdb(
            workspace,
            &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"],
        );
    }
    println!("cargo-nextest is not installed: using cargo's own runner");
    let arguments = ["test", "--workspace", "--lib", "--bins", "--tests", "--examples", "--locked"];
    with_rocksdb(workspace, &arguments)
}

/// Shows that the simulators' tests can fail: each planted bug must be caught. A build of its own, so
/// that no other test runs with the bugs compiled in.
fn planted_bugs(workspace: &Workspace) -> Result<Outcome> {
    let arguments = [
        "test",
        "--locked",
        "--package",
        "musubi-consensus",
        "--package",
        "musubi-testnet",
        "--features",
        "musubi-consensus/planted-bugs,musubi-testnet/planted-bugs",
        "--test",
        "planted",
        "--test",
        "sim_planted",
    ];
    with_rocksdb(workspace, &arguments)
}

fn with_rocksdb(workspace: &Workspace, arguments: &[&str]) -> Result<Outcome> {
    let rocksdb = RocksDb::ensure(workspace)?;
    process::run(rocksdb.apply(&mut workspace.cargo(arguments)))?;
    Ok(Outcome::Passed)
}

/// Checks that the ledger's rules compile for browsers. Without rustup or a network the target cannot be
/// had, and then this is no reason to fail.
fn wasm32(workspace: &Workspace) -> Result<Outcome> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let rustup = |arguments: &[&str]| {
        let mut command = std::process::Command::new("rustup");
        command.args(arguments).current_dir(workspace.root());
        command
    };
    let is_there = || {
        process::output(&mut rustup(&["target", "list", "--installed"]))
            .is_ok_and(|list| list.lines().any(|line| line == TARGET))
    };
    if !is_there() {
        println!("adding the target {TARGET}");
        let _ = rustup(&["target", "add", TARGET]).status();
    }
    if !is_there() {
        println!("{TARGET} is not installed; `rustup target add {TARGET}` enables this check");
        return Ok(Outcome::Skipped("the target is not installed"));
    }
    let arguments = ["build", "-p", "musubi-ledger", "--target", TARGET, "--locked"];
    process::run(&mut workspace.cargo(&arguments))?;
    proof_in_wasm32(workspace, TARGET)?;
    Ok(Outcome::Passed)
}

/// Runs the verifier of proofs as WebAssembly, where Node.js is there to run it.
fn proof_in_wasm32(workspace: &Workspace, target: &str) -> Result<()> {
    let mut node = std::process::Command::new("node");
    if !process::succeeds(node.arg("--version")) {
        println!("Node.js is not installed: the verifier was built for {target}, but not run");
        return Ok(());
    }
    let built = workspace.target_dir()?.join(target).join("debug/musubi-proof-check.wasm");
    let mut node = std::process::Command::new("node");
    node.arg("ledger/wasm/verify.mjs").arg(built).current_dir(workspace.root());
    process::run(&mut node)
}

/// The closing table, and one line of counts that a CI can read.
fn summary(
    done: &[(&str, Outcome, Duration)],
    failed: Option<(&str, Duration)>,
    total: Duration,
) -> String {
    let mut text = String::from("\n");
    let mut line = |heading: &str, took: Duration, outcome: &str| {
        text += &format!("  {heading:<32} {:>12}  {outcome}\n", process::duration(took));
    };
    let mut skipped = 0;
    for (heading, outcome, took) in done {
        match outcome {
            Outcome::Passed => line(heading, *took, "passed"),
            Outcome::Skipped(why) => {
                skipped += 1;
                line(heading, *took, &format!("skipped: {why}"));
            }
        }
    }
    if let Some((heading, took)) = failed {
        line(heading, took, "FAILED");
    }
    line("all", total, "");
    let (passed, failed) = (done.len() - skipped, usize::from(failed.is_some()));
    text + &format!("steps: {passed} passed, {failed} failed, {skipped} skipped")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_every_kind() {
        let second = Duration::from_secs(1);
        let done = [
            ("format", Outcome::Passed, second),
            ("ledger for wasm32", Outcome::Skipped("the target is not installed"), second),
        ];
        let good = summary(&done, None, second);
        assert!(good.ends_with("\nsteps: 1 passed, 0 failed, 1 skipped"), "{good}");
        assert!(good.contains("skipped: the target is not installed"), "{good}");
        let bad = summary(&done, Some(("lints", second)), second);
        assert!(bad.contains("FAILED"), "{bad}");
        assert!(bad.ends_with("\nsteps: 1 passed, 1 failed, 1 skipped"), "{bad}");
    }

    #[test]
    fn the_test_runner_is_the_last_step() {
        assert_eq!(STEPS.last().map(|(heading, _)| *heading), Some("every test"));
    }
}
