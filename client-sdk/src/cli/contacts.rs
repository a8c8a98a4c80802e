//! `contacts.toml`: the address book. Names stand for parties, say which key file on this device signs
//! for them and in which office, and remember ids of things (`--save-as payout1`).
//!
//! ```toml
//! [contacts.hanako]
//! party = "party1…"
//! kind = "person"
//! public = "…hex…"
//! key = "keys/hanako.pem"       # relative to this file; absent if the key is elsewhere
//!
//! [contacts.registrar-officer-1]
//! party = "party1…"             # the officer's own party, a person
//! kind = "person"
//! officer_of = ["registrar"]    # names in this book, or party ids
//! key = "registrar-officer-1.pem"
//!
//! [saved]
//! payout1 = "…hex…"             # a transaction, and what it created
//!
//! [roster]
//! taro = "…hex…"                # the opaque line for whom somebody else pays
//! ```

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use musubi_sdk::{
    MediumId, PartyId, PartyKind, PublicKey, RosterLine, SchemePrefix, TxId, entropy,
};
use serde::{Deserialize, Serialize};

use super::{error::CliError, files};

/// The file's name inside a home.
pub(crate) const FILE: &str = "contacts.toml";
/// The longest name.
const NAME_MAX: usize = 40;

/// Somebody with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contact {
    /// Their party. Several contacts may share one: two keys of one shop.
    pub(crate) party: PartyId,
    /// What the party is, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<PartyKind>,
    /// The public half of the key, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) public: Option<PublicKey>,
    /// The encrypted key file, if this device signs for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
    /// The registrars, issuers or organisations for which this person is an officer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) officer_of: Vec<String>,
}

impl Contact {
    /// A party without a key here.
    pub(crate) fn of(party: PartyId) -> Self {
        Self { party, kind: None, public: None, key: None, officer_of: Vec::new() }
    }
}

/// The address book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Book {
    /// People and parties by name.
    #[serde(default)]
    pub(crate) contacts: BTreeMap<String, Contact>,
    /// Transactions by name, and with them what they created.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) saved: BTreeMap<String, TxId>,
    /// Media by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) media: BTreeMap<String, MediumId>,
    /// Lines of a group's roster by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) roster: BTreeMap<String, RosterLine>,
}

impl Book {
    /// Reads a home's book; an empty one if it has none yet.
    pub(crate) fn load(home: &Path) -> Result<Self, CliError> {
        files::load_toml(&home.join(FILE))
    }

    /// Writes it.
    pub(crate) fn save(&self, home: &Path) -> Result<(), CliError> {
        files::save_toml(&home.join(FILE), self)
    }

    /// Somebody by name.
    pub(crate) fn get(&self, name: &str) -> Result<&Contact, CliError> {
        self.contacts.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.contacts.keys().map(String::as_str).collect();
            let next = if known.is_empty() {
                "make one with `musubi key new NAME`, or `musubi contact add NAME ADDRESS`".into()
            } else {
                format!("known here: {}", known.join(", "))
            };
            CliError::usage("unknown_name", format!("nobody is called `{name}` here")).next(next)
        })
    }

    /// A new name.
    pub(crate) fn add(&mut self, name: &str, contact: Contact) -> Result<(), CliError> {
        check_name(name)?;
        match self.contacts.get(name) {
            Some(old) if *old != contact => {
                let what = format!("`{name}` is already somebody in this address book");
                Err(CliError::usage("name_taken", what).next("choose another name"))
            }
            _ => {
                self.contacts.insert(name.into(), contact);
                Ok(())
            }
        }
    }

    /// A party: by name, in its machine form, or as an address of `scheme`.
    pub(crate) fn party(
        &self,
        text: &str,
        scheme: Option<&SchemePrefix>,
    ) -> Result<PartyId, CliError> {
        if let Some(contact) = self.contacts.get(text) {
            return Ok(contact.party);
        }
        if !looks_like_address(text) {
            return self.get(text).map(|contact| contact.party);
        }
        let read = match scheme {
            Some(scheme) => scheme.party(text),
            None => text.parse(),
        };
        read.map_err(|cause| {
            CliError::usage("bad_address", format!("`{text}`: {cause}"))
                .next("check it against where it came from; never pay to a corrected guess")
        })
    }

    /// The name under which a party is known here: the shortest, so that `issuer` stands for the
    /// party whose second key is `issuer-auto`.
    pub(crate) fn name_of(&self, party: &PartyId) -> Option<&str> {
        let named = self.contacts.iter().filter(|(_, c)| c.party == *party);
        let names = named.map(|(name, _)| name.as_str());
        names.min_by_key(|name| name.chars().count())
    }

    /// What a party is, where the book knows.
    pub(crate) fn kind_of(&self, party: &PartyId) -> Option<PartyKind> {
        let mut of = self.contacts.values().filter(|c| c.party == *party);
        of.find_map(|contact| contact.kind)
    }

    /// The parties for which somebody is an officer.
    pub(crate) fn offices(&self, contact: &Contact) -> Vec<PartyId> {
        let office = |text: &String| match self.contacts.get(text) {
            Some(office) => Some(office.party),
            None => text.parse().ok(),
        };
        contact.officer_of.iter().filter_map(office).collect()
    }

    /// A transaction: by saved name, or its id in hex.
    pub(crate) fn transaction(&self, text: &str) -> Result<TxId, CliError> {
        if let Some(id) = self.saved.get(text) {
            return Ok(*id);
        }
        text.parse().map_err(|_| {
            let known: Vec<&str> = self.saved.keys().map(String::as_str).collect();
            let what = format!("`{text}` is neither a saved name nor an id of 64 hex digits");
            let error = CliError::usage("unknown_transaction_name", what);
            match known.is_empty() {
                true => error.next("save one with `--save-as NAME`"),
                false => error.next(format!("saved here: {}", known.join(", "))),
            }
        })
    }

    /// Remembers a transaction under a name; the newest of a name wins.
    pub(crate) fn remember(&mut self, name: &str, id: TxId) -> Result<(), CliError> {
        check_name(name)?;
        self.saved.insert(name.into(), id);
        Ok(())
    }

    /// A medium: by name, or in its machine form.
    pub(crate) fn medium(&self, text: &str) -> Result<MediumId, CliError> {
        match self.media.get(text) {
            Some(medium) => Ok(*medium),
            None => Ok(text.parse()?),
        }
    }

    /// A roster line: hex, or a name, for which a line is drawn at first use.
    pub(crate) fn roster_line(&mut self, text: &str) -> Result<RosterLine, CliError> {
        if let Some(line) = self.roster.get(text) {
            return Ok(*line);
        }
        if let Ok(line) = text.parse() {
            return Ok(line);
        }
        check_name(text)?;
        let line = entropy::roster_line();
        self.roster.insert(text.into(), line);
        Ok(line)
    }
}

/// Bech32m texts have a `1` behind their prefix and are longer than any sensible name.
fn looks_like_address(text: &str) -> bool {
    text.len() >= 30 && text.contains('1')
}

/// Names are what one types: letters of any script, digits, `-` and `_`.
pub(crate) fn check_name(name: &str) -> Result<(), CliError> {
    let letters = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let well_formed = (1..=NAME_MAX).contains(&name.chars().count())
        && name.chars().all(letters)
        && !name.starts_with('-');
    if well_formed {
        Ok(())
    } else {
        let what = format!("`{name}` cannot be a name");
        let next = format!("take 1 to {NAME_MAX} letters, digits, - or _");
        Err(CliError::usage("bad_name", what).next(next))
    }
}

#[cfg(test)]
#[path = "contacts_tests.rs"]
mod tests;
