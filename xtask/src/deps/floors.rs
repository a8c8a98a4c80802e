//! Minimum and exact versions in Cargo.lock, optional dependencies included: what is only locked today
//! is one feature away from being built.

use super::lockfile::Locked;
use super::policy::{Floor, Security};
use super::version::Version;

/// Crates below the first safe version of their line, and crates that left their pin.
pub(super) fn check(locked: &[Locked], security: &Security) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in locked {
        let Some(version) = Version::parse(&package.version) else {
            breaches.push(format!("{} {} is no version", package.name, package.version));
            continue;
        };
        for floor in security.floors.iter().filter(|floor| floor.name == package.name) {
            if !is_safe(&version, floor) {
                let (name, version) = (&package.name, &package.version);
                breaches.push(format!("{name} {version} is too old: {}", floor.reason));
            }
        }
        for pin in security.exact.iter().filter(|pin| pin.name == package.name) {
            if pin.version != package.version {
                let (name, version) = (&package.name, &package.version);
                breaches.push(format!("{name} {version} must be {}: {}", pin.version, pin.reason));
            }
        }
    }
    breaches
}

/// At or above the safe version of its own line; in a line without one, newer than all that have one.
fn is_safe(version: &Version, floor: &Floor) -> bool {
    let same_line = floor.safe.iter().find(|safe| safe.line() == version.line());
    same_line.or(floor.safe.iter().max()).is_some_and(|safe| version >= safe)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::deps::lockfile;

    const RULES: &str = r#"
[[floor]]
crate = "rand"
safe = ["0.8.6", "0.9.3"]
reason = "RUSTSEC-2026-0097"
[[exact]]
crate = "bincode"
version = "2.0.1"
reason = "3.0.0 is a tombstone"
"#;

    fn breaches(name: &str, version: &str) -> Vec<String> {
        let lock = format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"");
        let security = Security::parse(RULES, "ignored = []").unwrap();
        check(&lockfile::parse(&lock).unwrap(), &security)
    }

    #[test]
    fn each_line_of_releases_has_its_own_floor() {
        for version in ["0.8.6", "0.8.10", "0.9.3", "0.10.0", "1.0.0"] {
            assert!(breaches("rand", version).is_empty(), "{version}");
        }
        for version in ["0.7.9", "0.8.5", "0.9.2", "0.9.3-alpha"] {
            let expected = format!("rand {version} is too old: RUSTSEC-2026-0097");
            assert_eq!(breaches("rand", version), [expected]);
        }
    }

    #[test]
    fn a_pin_holds_upwards_too() {
        assert!(breaches("bincode", "2.0.1").is_empty());
        let expected = "bincode 3.0.0 must be 2.0.1: 3.0.0 is a tombstone";
        assert_eq!(breaches("bincode", "3.0.0"), [expected]);
    }

    #[test]
    fn other_crates_are_free() {
        assert!(breaches("serde", "0.0.1").is_empty());
    }
}
