//! `build`, `demo` and `bench`: what is run from the workspace's own crates.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::rocksdb_cache::RocksDb;
use crate::workspace::Workspace;
use crate::{prerequisites, process};

/// Builds all binaries against the cached RocksDB and returns the folder that holds them.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    prerequisites::ensure()?;
    let rocksdb = RocksDb::ensure(workspace)?;
    let start = Instant::now();
    println!(
        "building musubi-node, musubi, musubi-report, musubi-testnet, musubi-witness and musubi-bench"
    );
    let mut cargo = workspace.cargo(&["build", "--workspace", "--bins", "--locked"]);
    process::run(rocksdb.apply(&mut cargo))?;
    let folder = workspace.target_dir()?.join("debug");
    println!("built in {}: {}", process::duration(start.elapsed()), folder.display());
    Ok(folder)
}

/// Builds, then becomes the demo.
pub(crate) fn demo(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let mut demo = Command::new(build(workspace)?.join("musubi-testnet"));
    demo.arg("demo").args(arguments);
    become_program(demo)
}

/// Builds, then becomes the end-to-end benchmark; with `--audit`, that of an audit; with `--micro`, runs the
/// criterion benches.
pub(crate) fn bench(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    if let Some((first, rest)) = arguments.split_first()
        && first == "--micro"
    {
        return micro(workspace, rest);
    }
    let mut bench = Command::new(build(workspace)?.join("musubi-bench"));
    match arguments.split_first() {
        Some((first, rest)) if first == "--audit" => bench.arg("audit").args(rest),
        _ => bench.args(arguments),
    };
    become_program(bench)
}

/// Its signals, its output and its exit code are ours.
fn become_program(mut command: Command) -> Result<()> {
    process::forget_cargo(&mut command);
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// The criterion benches. They use the one build profile: every dependency is shared with the
/// binaries and the tests (`docs/adr/0002`).
fn micro(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    prerequisites::ensure()?;
    let rocksdb = RocksDb::ensure(workspace)?;
    let mut cargo = workspace.cargo(&["bench", "--locked", "-p", "musubi-benches"]);
    // Bench targets only: a library's unit tests would be run too, and do not know criterion's options.
    cargo.args(["--profile", "dev", "--bench", "*", "--"]).args(arguments);
    process::run(rocksdb.apply(&mut cargo))
}
