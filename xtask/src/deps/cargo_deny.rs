//! cargo-deny, for those who have it: the same policy, judged by a second program, and new advisories.

use std::path::PathBuf;

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

/// Runs cargo-deny without a network; says so where it, or its database of advisories, is missing.
pub(super) fn run(workspace: &Workspace) -> Result<()> {
    if !process::succeeds(&mut workspace.cargo(&["deny", "--version"])) {
        println!(
            "cargo-deny: not installed, skipped (`cargo install --locked cargo-deny` adds it)"
        );
        return Ok(());
    }
    let mut arguments = vec!["deny", "--offline", "check", "bans", "licenses", "sources"];
    if has_advisories() {
        arguments.push("advisories");
    } else {
        println!(
            "cargo-deny: no advisory database, advisories skipped (`cargo deny fetch` adds it)"
        );
    }
    process::run(&mut workspace.cargo(&arguments))
}

/// Whether cargo-deny's default folder holds a database.
fn has_advisories() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let databases = home.and_then(|home| std::fs::read_dir(home.join("advisory-dbs")).ok());
    databases.is_some_and(|mut entries| entries.next().is_some())
}
