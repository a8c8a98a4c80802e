//! Cargo.lock: every crate that could be built, with its version and source.

use anyhow::{Context, Result};

use super::policy::{Deny, text};

/// One crate of the lock file.
pub(super) struct Locked {
    pub(super) name: String,
    pub(super) version: String,
    /// `None` for the workspace's own crates.
    source: Option<String>,
}

pub(super) fn parse(lockfile: &str) -> Result<Vec<Locked>> {
    let table: toml::Table = lockfile.parse().context("Cargo.lock is not TOML")?;
    let packages = table.get("package").and_then(toml::Value::as_array);
    let packages = packages.context("Cargo.lock has no packages")?;
    packages.iter().map(locked).collect::<Result<_>>().context("Cargo.lock")
}

fn locked(package: &toml::Value) -> Result<Locked> {
    let source = package.get("source").and_then(toml::Value::as_str).map(str::to_owned);
    Ok(Locked { name: text(package, "name")?, version: text(package, "version")?, source })
}

/// Crates that come from elsewhere than the allowed registries.
pub(super) fn sources(locked: &[Locked], deny: &Deny) -> Vec<String> {
    let allowed = |source: &str| {
        let registry = source.strip_prefix("registry+");
        registry.is_some_and(|registry| deny.registries.iter().any(|it| it == registry))
    };
    let breach = |it: &Locked| {
        let source = it.source.as_deref()?;
        let foreign = !allowed(source);
        foreign.then(|| format!("{} {} comes from {source}", it.name, it.version))
    };
    locked.iter().filter_map(breach).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_git_dependency_is_a_breach() {
        let deny = Deny::parse(super::super::policy::SAMPLE_DENY).unwrap();
        let lock = |source: &str| {
            let text = format!("[[package]]\nname = \"raft\"\nversion = \"0.7.0\"\n{source}");
            sources(&parse(&text).unwrap(), &deny)
        };
        assert!(lock("").is_empty(), "our own crate");
        assert!(lock("source = \"registry+https://crates.example/index\"").is_empty());
        let git = lock("source = \"git+https://crates.example/raft#abc\"");
        assert_eq!(git, ["raft 0.7.0 comes from git+https://crates.example/raft#abc"]);
        assert_eq!(lock("source = \"registry+https://other.example/index\"").len(), 1);
    }
}
