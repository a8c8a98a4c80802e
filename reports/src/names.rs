//! What parties are called. The ledger knows no names: they come from a file of whoever asks for the report.
//!
//! ```toml
//! [names]                       # what stands on paper
//! "party1…" = "本町自治会"
//!
//! [roster]                      # roster lines, for whom somebody else pays
//! "佐藤太郎" = "…hex…"
//!
//! [contacts.hanako]             # an address book of the `musubi` command does too
//! party = "party1…"
//! ```

use std::{collections::BTreeMap, path::Path};

use musubi_sdk::{PartyId, RosterLine, SchemePrefix};
use serde::{Deserialize, Serialize};

use crate::error::ReportError;

#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    names: BTreeMap<String, String>,
    #[serde(default)]
    contacts: BTreeMap<String, Contact>,
    #[serde(default)]
    roster: BTreeMap<String, RosterLine>,
}

#[derive(Debug, Deserialize)]
struct Contact {
    party: PartyId,
}

/// Names of parties and roster lines.
#[derive(Clone, Debug, Default)]
pub struct Names {
    parties: BTreeMap<PartyId, String>,
    roster: BTreeMap<RosterLine, String>,
    scheme: Option<SchemePrefix>,
}

/// A party with what it is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Named {
    /// The party.
    pub party: PartyId,
    /// Its name, or its address where it has none.
    pub name: String,
}

impl Names {
    /// Reads a file of names; addresses in it are of `scheme`. Written names win over an address book's.
    ///
    /// # Errors
    /// A file that is not of the form above.
    pub fn read(file: &Path, scheme: &str) -> Result<Self, ReportError> {
        let text = std::fs::read_to_string(file).map_err(|e| ReportError::file(file, e))?;
        Self::parse(&text, scheme).map_err(|cause| ReportError::file(file, cause))
    }

    /// Reads names.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str, scheme: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut names = Self::none(scheme);
        let book = file.contacts.into_iter();
        names.parties = book.map(|(name, contact)| (contact.party, name)).collect();
        for (party, name) in file.names {
            let id = match &names.scheme {
                Some(scheme) => scheme.party(&party).map_err(|e| format!("{party}: {e}"))?,
                None => party.parse().map_err(|e| format!("{party}: {e}"))?,
            };
            names.parties.insert(id, name);
        }
        names.roster = file.roster.into_iter().map(|(name, line)| (line, name)).collect();
        Ok(names)
    }

    /// No names: addresses of `scheme`.
    #[must_use]
    pub fn none(scheme: &str) -> Self {
        Self { scheme: SchemePrefix::new(scheme).ok(), ..Self::default() }
    }

    /// A party with its name.
    #[must_use]
    pub fn of(&self, party: PartyId) -> Named {
        let name = match (self.parties.get(&party), &self.scheme) {
            (Some(name), _) => name.clone(),
            (None, Some(scheme)) => scheme.address(party),
            (None, None) => party.to_string(),
        };
        Named { party, name }
    }

    /// A roster line's name, or the line.
    #[must_use]
    pub fn line(&self, line: RosterLine) -> String {
        self.roster.get(&line).cloned().unwrap_or_else(|| line.to_string())
    }

    /// The party that a text means: a name of the file, an address or an id.
    ///
    /// # Errors
    /// If nobody is called that, or several are.
    pub fn find(&self, text: &str) -> Result<PartyId, ReportError> {
        let mut called = self.parties.iter().filter(|(_, name)| *name == text).map(|(id, _)| *id);
        let address = || match &self.scheme {
            Some(scheme) => scheme.party(text).ok(),
            None => text.parse().ok(),
        };
        let next = "give a name of the --names file, an address, or a party's id";
        match (called.next().or_else(address), called.next()) {
            (Some(party), None) => Ok(party),
            (None, _) => Err(ReportError::asked("who", format!("nobody is called `{text}`"), next)),
            (_, Some(_)) => {
                Err(ReportError::asked("who", format!("several are called `{text}`"), next))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_come_from_both_tables_and_are_found_again() {
        let (one, two) = (PartyId([1; 16]), PartyId([2; 16]));
        let text = format!(
            "[names]\n\"{one}\" = \"本町自治会\"\n[contacts.bakery]\nparty = \"{two}\"\nkind = \"merchant\"\n"
        );
        let names = Names::parse(&text, "town").unwrap();
        assert_eq!(names.of(one).name, "本町自治会");
        assert_eq!(names.of(two).name, "bakery");
        assert!(names.of(PartyId([3; 16])).name.starts_with("town1"));
        assert_eq!(names.find("本町自治会").unwrap(), one);
        assert_eq!(names.find(&two.to_string()).unwrap(), two);
        assert_eq!(names.find("nobody").unwrap_err().code(), "who");
        assert!(Names::parse("[names]\n\"town1x\" = \"a\"", "town").is_err());
    }
}
