//! What a pure crate links, by any detour.

use anyhow::Result;

use super::rules::TREES;
use crate::process;
use crate::workspace::Workspace;

/// Asks Cargo for each pure crate's tree, as built by itself and for every platform, and looks for what
/// may not be in it. Build scripts and tests are no part of the crate.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for (name, banned) in TREES {
        let mut arguments = vec!["tree", "--locked", "-p", name, "--edges", "normal"];
        arguments.extend(["--target", "all", "--prefix", "none", "--format", "{p}"]);
        let tree = process::output(&mut workspace.cargo(&arguments))?;
        breaches.extend(found(name, &tree, banned));
    }
    Ok(breaches)
}

fn found(name: &str, tree: &str, banned: &[&str]) -> Vec<String> {
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let linked = banned.iter().filter(|banned| crates.contains(banned));
    linked
        .map(|banned| format!("{name} links {banned}: see `cargo tree -p {name} -i {banned}`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_crate_is_found_however_deep() {
        let tree = "musubi-ledger v0.1.0 (/x/ledger)\nbech32 v0.12.0\nrand_core v0.10.1\n";
        assert!(found("musubi-ledger", tree, &["rand", "tokio"]).is_empty());
        let bad = format!("{tree}rand v0.8.8 (*)\n");
        let expected = "musubi-ledger links rand: see `cargo tree -p musubi-ledger -i rand`";
        assert_eq!(found("musubi-ledger", &bad, &["rand", "tokio"]), [expected]);
    }
}
