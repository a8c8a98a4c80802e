//! The dependency checks. They need no network beyond what the build has fetched already.
//!
//! One policy, two readers: `deny.toml` says which licences, sources and crates are allowed, for these
//! checks and for cargo-deny; `security/` adds what cargo-deny cannot know: minimum versions from
//! advisories that RustSec does not carry, exact pins, and until when an advisory may be ignored.

mod advisories;
mod cargo_deny;
mod floors;
mod licences;
mod lockfile;
mod policy;
mod version;

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;
use policy::{Deny, Security};

/// Checks all dependencies and prints one line per check.
///
/// # Errors
/// Some rule is broken (each breach is printed), or a policy file cannot be read.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let deny = Deny::parse(&workspace.read("deny.toml")?)?;
    let security = Security::parse(
        &workspace.read("security/ghsa-floor.toml")?,
        &workspace.read("security/advisories.toml")?,
    )?;
    let locked = lockfile::parse(&workspace.read("Cargo.lock")?)?;
    let used = used(workspace)?;
    let mut breaches = 0;
    let mut report = |check: &str, found: Vec<String>| {
        println!("{check}: {}", if found.is_empty() { "ok" } else { "broken" });
        found.iter().for_each(|breach| println!("  {breach}"));
        breaches += found.len();
    };
    report(
        &format!("sources of {} locked crates", locked.len()),
        lockfile::sources(&locked, &deny),
    );
    report("minimum and exact versions", floors::check(&locked, &security));
    report("advisory ledger", advisories::check(&locked, &security, &deny, &advisories::today()));
    report(&format!("bans among {} crates in use", used.len()), licences::bans(&used, &deny));
    report("licences", licences::check(&used, &deny));
    if breaches > 0 {
        bail!("{breaches} dependency rule(s) broken; the policy is in deny.toml and security/");
    }
    cargo_deny::run(workspace)
}

/// A crate that is really compiled into something, on any platform. Cargo.lock holds more: optional
/// dependencies that nobody switched on.
struct Used {
    name: String,
    version: String,
    licence: String,
}

fn used(workspace: &Workspace) -> Result<Vec<Used>> {
    let mut arguments = vec!["tree", "--workspace", "--locked", "--target", "all"];
    arguments.extend(["--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}|{l}"]);
    let tree = process::output(&mut workspace.cargo(&arguments))?;
    let mut lines: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines.into_iter().filter_map(used_line).collect())
}

/// Reads `ring v0.17.14|Apache-2.0 AND ISC`, also with ` (proc-macro)` or a path after the version.
fn used_line(line: &str) -> Option<Used> {
    let (package, licence) = line.split_once('|')?;
    let mut words = package.split_whitespace();
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    Some(Used { name, version, licence: licence.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_cargo_tree_are_read() {
        let used = used_line("paste v1.0.15 (proc-macro)|MIT OR Apache-2.0");
        assert!(used.is_some_and(|it| it.name == "paste" && it.version == "1.0.15"));
        let own = used_line("musubi-node v0.1.0 (/home/a/musubi/node)|Apache-2.0");
        assert!(own.is_some_and(|it| it.licence == "Apache-2.0"));
        assert!(used_line("").is_none());
    }
}
