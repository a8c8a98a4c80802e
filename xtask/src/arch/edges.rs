//! Which workspace crate depends on which.

use serde_json::Value;

use super::rules::{EDGES, MayKnow};

/// A workspace crate and the workspace crates that its manifest names, for building or testing.
pub(super) struct Crate {
    name: String,
    knows: Vec<String>,
}

/// Reads the edges from `cargo metadata --no-deps`: a dependency with a path is one of ours.
pub(super) fn read(metadata: &Value) -> Vec<Crate> {
    let own = |dependency: &&Value| dependency["path"].is_string();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let one = |package: &Value| Crate {
        name: name(package),
        knows: list(&package["dependencies"]).iter().filter(own).map(name).collect(),
    };
    list(&metadata["packages"]).iter().map(one).collect()
}

/// Crates that know someone whom they may not, or that have no row in the table.
pub(super) fn check(crates: &[Crate]) -> Vec<String> {
    let mut breaches = Vec::new();
    for Crate { name, knows } in crates {
        match EDGES.iter().find(|(known, _)| known == name) {
            None => breaches.push(format!("{name} is new: say in rules.rs whom it may know")),
            Some((_, MayKnow::Anyone)) => {}
            Some((_, MayKnow::Only(allowed))) => {
                let foreign = knows.iter().filter(|other| !allowed.contains(&other.as_str()));
                breaches.extend(foreign.map(|other| format!("{name} may not depend on {other}")));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(name: &str, knows: &[&str]) -> Vec<String> {
        let foreign = serde_json::json!({"name": "serde", "path": null});
        let own = knows.iter().map(|other| serde_json::json!({"name": other, "path": "/x"}));
        let dependencies: Vec<Value> = own.chain([foreign]).collect();
        let package = serde_json::json!({"name": name, "dependencies": dependencies});
        check(&read(&serde_json::json!({"packages": [package]})))
    }

    #[test]
    fn allowed_edges_pass() {
        assert!(breaches("musubi-ledger", &[]).is_empty());
        assert!(breaches("musubi-storage", &["musubi-ledger", "musubi-consensus"]).is_empty());
        assert!(breaches("musubi-testnet", &["musubi-node", "musubi-sdk"]).is_empty());
    }

    #[test]
    fn forbidden_edges_are_named() {
        let up = breaches("musubi-ledger", &["musubi-storage"]);
        assert_eq!(up, ["musubi-ledger may not depend on musubi-storage"]);
        let across = breaches("musubi-sdk", &["musubi-ledger", "musubi-node"]);
        assert_eq!(across, ["musubi-sdk may not depend on musubi-node"]);
        assert_eq!(breaches("musubi-consensus", &["musubi-storage"]).len(), 1);
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        assert_eq!(
            breaches("musubi-new", &[]),
            ["musubi-new is new: say in rules.rs whom it may know"]
        );
    }
}
