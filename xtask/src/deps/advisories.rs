//! The ledger of advisories that are ignored on purpose, each with a reason and an end.
//!
//! The ledger cannot find new advisories; cargo-deny with its database does. It keeps the known ones from
//! being forgotten: an entry past its day, or for a version that is gone, breaks the build.

use std::time::{SystemTime, UNIX_EPOCH};

use super::lockfile::Locked;
use super::policy::{Deny, Security};

/// Entries that ended, entries without their crate, and differences to what cargo-deny ignores.
pub(super) fn check(
    locked: &[Locked],
    security: &Security,
    deny: &Deny,
    today: &str,
) -> Vec<String> {
    let mut breaches = Vec::new();
    for entry in &security.ledger {
        let (id, name, version) = (&entry.id, &entry.name, &entry.version);
        if entry.until.as_str() < today {
            breaches.push(format!(
                "{id} ({name}) was to be ignored until {}: decide anew",
                entry.until
            ));
        }
        if !locked.iter().any(|it| it.name == *name && it.version == *version) {
            breaches.push(format!("{id}: {name} {version} is not in Cargo.lock: remove the entry"));
        }
        if !deny.ignored.iter().any(|it| it.name == *id) {
            breaches.push(format!("{id} is in security/advisories.toml, but not in deny.toml"));
        }
    }
    for ignored in &deny.ignored {
        if !security.ledger.iter().any(|entry| entry.id == ignored.name) {
            let id = &ignored.name;
            breaches.push(format!("{id} is in deny.toml, but not in security/advisories.toml"));
        }
    }
    breaches
}

/// Today's date in UTC, as `2026-11-22`.
pub(super) fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    civil_date(since.as_secs() / 86_400)
}

/// The Gregorian date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-compatible low-level
/// date algorithms", `civil_from_days`): years begin in March, so that the leap day comes last.
fn civil_date(days: u64) -> String {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::deps::{lockfile, policy};

    const LEDGER: &str = r#"
[[ignored]]
id = "RUSTSEC-2000-0001"
crate = "fxhash"
version = "0.2.1"
until = "2027-05-31"
reason = "unmaintained, no untrusted keys"
"#;

    fn breaches(ledger: &str, version: &str, today: &str) -> Vec<String> {
        let lock = format!("[[package]]\nname = \"fxhash\"\nversion = \"{version}\"");
        let security = Security::parse("floor = []\nexact = []", ledger).unwrap();
        let deny = Deny::parse(policy::SAMPLE_DENY).unwrap();
        check(&lockfile::parse(&lock).unwrap(), &security, &deny, today)
    }

    #[test]
    fn an_entry_holds_through_its_last_day() {
        assert!(breaches(LEDGER, "0.2.1", "2027-05-31").is_empty());
        let late = breaches(LEDGER, "0.2.1", "2027-06-01");
        let expected = "RUSTSEC-2000-0001 (fxhash) was to be ignored until 2027-05-31: decide anew";
        assert_eq!(late, [expected]);
    }

    #[test]
    fn an_entry_dies_with_its_version() {
        let gone = breaches(LEDGER, "0.2.2", "2027-01-01");
        let expected = "RUSTSEC-2000-0001: fxhash 0.2.1 is not in Cargo.lock: remove the entry";
        assert_eq!(gone, [expected]);
    }

    #[test]
    fn both_files_name_the_same_advisories() {
        let other = LEDGER.replace("2000-0001", "2000-0002");
        assert_eq!(breaches(&other, "0.2.1", "2027-01-01").len(), 2);
    }

    #[test]
    fn dates_are_gregorian() {
        let cases = [(0, "1970-01-01"), (11_016, "2000-02-29"), (20_779, "2026-11-22")];
        for (days, date) in cases {
            assert_eq!(civil_date(days), date);
        }
    }
}
