//! The architecture check: which room may know which, and what may never be in one.
//!
//! All rules stand in `rules.rs`, as tables. Each check is a function from text to breaches, so that the
//! tests can show it failing on a bad sample.

mod edges;
mod names;
mod purity;
mod rooms;
mod rules;
mod size;
mod source;
mod tokens;
mod trees;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// Checks the whole workspace and prints one line per check.
///
/// # Errors
/// Some rule is broken: each breach is printed, with file and line where it has one.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let metadata = workspace.metadata()?;
    let files = source::load(workspace, &metadata)?;
    let lines: Vec<usize> = files.iter().map(|file| file.text.lines().count()).collect();
    let checks = [
        ("crates know only whom they may", edges::check(&edges::read(&metadata))),
        ("pure crates stay pure, with all they depend on", trees::check(workspace)?),
        ("each big foreign crate has one room", rooms::check(&files)),
        ("ledger has no I/O, clock, chance, threads or floats", purity::check(&files)),
        ("no scheme stands in the code", names::check(workspace.root(), &files)),
        ("no file is too long", size::check(&files)),
    ];
    let mut breaches = 0;
    for (check, found) in checks {
        println!("{check}: {}", if found.is_empty() { "ok" } else { "broken" });
        found.iter().for_each(|breach| println!("  {breach}"));
        breaches += found.len();
    }
    println!("{} files, {}", files.len(), size::summary(lines));
    if breaches > 0 {
        bail!("{breaches} architecture rule(s) broken; the rules are in xtask/src/arch/rules.rs");
    }
    Ok(())
}
