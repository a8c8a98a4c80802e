//! The policy files: `deny.toml` (shared with cargo-deny) and the two tables in `security/`.

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::version::Version;

/// What these checks read of `deny.toml`.
pub(super) struct Deny {
    pub(super) licences: Vec<String>,
    pub(super) registries: Vec<String>,
    pub(super) bans: Vec<Named>,
    pub(super) ignored: Vec<Named>,
}

/// A crate or an advisory, with the reason for its entry.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) reason: String,
}

/// `security/`: version rules and the ledger of ignored advisories.
pub(super) struct Security {
    pub(super) floors: Vec<Floor>,
    pub(super) exact: Vec<Exact>,
    pub(super) ledger: Vec<Ignored>,
}

/// The first safe versions of a crate, one for each line of releases that got a fix.
pub(super) struct Floor {
    pub(super) name: String,
    pub(super) safe: Vec<Version>,
    pub(super) reason: String,
}

/// A crate that must have this very version.
pub(super) struct Exact {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) reason: String,
}

/// An advisory that is ignored for a crate at one version, until a day.
pub(super) struct Ignored {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    /// The last day on which it may be ignored, as `2027-05-31`.
    pub(super) until: String,
}

impl Deny {
    pub(super) fn parse(file: &str) -> Result<Self> {
        let table: Table = file.parse().context("deny.toml is not TOML")?;
        let list = |section: &str, key: &str| {
            let value = table.get(section).and_then(|section| section.get(key));
            value
                .and_then(Value::as_array)
                .with_context(|| format!("deny.toml: no {section}.{key}"))
        };
        Ok(Self {
            licences: texts(list("licenses", "allow")?)?,
            registries: texts(list("sources", "allow-registry")?)?,
            bans: entries(list("bans", "deny")?, "crate")?,
            ignored: entries(list("advisories", "ignore")?, "id")?,
        })
    }
}

impl Security {
    pub(super) fn parse(floors: &str, ledger: &str) -> Result<Self> {
        let floors: Table = floors.parse().context("security/ghsa-floor.toml is not TOML")?;
        let ledger: Table = ledger.parse().context("security/advisories.toml is not TOML")?;
        Ok(Self {
            floors: each(&floors, "floor", floor).context("security/ghsa-floor.toml")?,
            exact: each(&floors, "exact", exact).context("security/ghsa-floor.toml")?,
            ledger: each(&ledger, "ignored", ignored).context("security/advisories.toml")?,
        })
    }
}

fn floor(entry: &Value) -> Result<Floor> {
    let name = text(entry, "crate")?;
    let safe = entry.get("safe").and_then(Value::as_array);
    let safe = texts(safe.with_context(|| format!("{name} has no list `safe`"))?)?;
    let safe = safe.iter().map(|version| {
        Version::parse(version).with_context(|| format!("{name}: `{version}` is no version"))
    });
    Ok(Floor { safe: safe.collect::<Result<_>>()?, reason: text(entry, "reason")?, name })
}

fn exact(entry: &Value) -> Result<Exact> {
    Ok(Exact {
        name: text(entry, "crate")?,
        version: text(entry, "version")?,
        reason: text(entry, "reason")?,
    })
}

fn ignored(entry: &Value) -> Result<Ignored> {
    text(entry, "reason").context("an ignored advisory needs a reason")?;
    Ok(Ignored {
        id: text(entry, "id")?,
        name: text(entry, "crate")?,
        version: text(entry, "version")?,
        until: text(entry, "until")?,
    })
}

fn each<T>(table: &Table, key: &str, read: fn(&Value) -> Result<T>) -> Result<Vec<T>> {
    let entries = table.get(key).and_then(Value::as_array);
    entries.with_context(|| format!("no [[{key}]]"))?.iter().map(read).collect()
}

fn entries(list: &[Value], key: &str) -> Result<Vec<Named>> {
    let named = |entry| Ok(Named { name: text(entry, key)?, reason: text(entry, "reason")? });
    list.iter().map(named).collect::<Result<_>>().context("deny.toml")
}

fn texts(list: &[Value]) -> Result<Vec<String>> {
    let one = |value: &Value| value.as_str().map(str::to_owned).context("a list holds no text");
    list.iter().map(one).collect()
}

/// The text under a key of a table.
pub(super) fn text(entry: &Value, key: &str) -> Result<String> {
    let value = entry.get(key).and_then(Value::as_str);
    value.map(str::to_owned).with_context(|| format!("`{key}` is missing in {entry}"))
}

/// A policy for the tests of the checks.
#[cfg(test)]
pub(super) const SAMPLE_DENY: &str = r#"
[advisories]
ignore = [{ id = "RUSTSEC-2000-0001", reason = "unreachable" }]
[licenses]
allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"]
[bans]
deny = [{ crate = "openssl-sys", reason = "one TLS library only" }]
[sources]
allow-registry = ["https://crates.example/index"]
"#;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let bad = SAMPLE_DENY.replace(", reason = \"one TLS library only\"", "");
        assert!(Deny::parse(SAMPLE_DENY).is_ok());
        let error = Deny::parse(&bad).err().map(|error| format!("{error:#}")).unwrap();
        assert!(error.contains("`reason` is missing"), "{error}");
    }

    #[test]
    fn an_ignored_advisory_needs_reason_and_end() {
        let floors = "floor = []\nexact = []";
        let ledger = |fields: &str| {
            let text =
                format!("[[ignored]]\nid = \"A\"\ncrate = \"b\"\nversion = \"1.0.0\"\n{fields}");
            Security::parse(floors, &text).is_ok()
        };
        assert!(ledger("until = \"2027-01-01\"\nreason = \"r\""));
        assert!(!ledger("until = \"2027-01-01\""));
        assert!(!ledger("reason = \"r\""));
    }
}
