//! The institutions' keys as a home of the `musubi` command: encrypted key files, an address book that
//! names them, and a profile that points at the network.

use std::{
    collections::BTreeMap,
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use musubi_ledger::{id::PartyId, keys::PublicKey, party::PartyKind};
use musubi_sdk::keystore::{self, Hardness};
use serde::Serialize;

use super::Network;
use crate::city::institutions::{Institutions, Key, Keyed};

/// What opens the key files of a test network.
pub const PASSPHRASE: &str = "testnet";

/// A name in the address book.
#[derive(Serialize)]
struct Contact {
    party: PartyId,
    kind: PartyKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    public: Option<PublicKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    officer_of: Vec<String>,
}

#[derive(Serialize)]
struct Book {
    contacts: BTreeMap<String, Contact>,
}

#[derive(Serialize)]
struct Profile<'p> {
    nodes: Vec<String>,
    token: &'p str,
    scheme: &'p str,
    chain: String,
    /// What is meant where none is named; none on a network that began without.
    #[serde(skip_serializing_if = "Option::is_none")]
    instrument: Option<String>,
}

/// Where they are.
pub(super) fn folder(dir: &Path) -> PathBuf {
    dir.join("officers")
}

/// Writes keys and address book once, and the profile at every start: addresses may be new.
pub(super) fn write(network: &Network) -> anyhow::Result<()> {
    let folder = folder(&network.dir);
    std::fs::create_dir_all(&folder)?;
    let profile = Profile {
        nodes: network.urls(),
        token: &network.reader_token,
        scheme: &network.genesis.scheme,
        chain: network.genesis.chain().to_string(),
        instrument: network.genesis.instruments.first().map(|first| first.instrument.to_string()),
    };
    let path = folder.join("profile.toml");
    std::fs::write(&path, toml::to_string_pretty(&profile)?)?;
    // It holds a token.
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    let book = folder.join("contacts.toml");
    if book.exists() {
        return Ok(());
    }
    let mut contacts = BTreeMap::new();
    for (name, contact, key) in everybody(&network.institutions) {
        if let (Some(key), Some(file)) = (key, &contact.key) {
            keystore::write(&folder.join(file), &key, PASSPHRASE, Hardness::TEST_ONLY)
                .with_context(|| format!("cannot write the key of {name}"))?;
        }
        contacts.insert(name, contact);
    }
    std::fs::write(book, toml::to_string_pretty(&Book { contacts })?)?;
    Ok(())
}

fn contact(party: PartyId, kind: PartyKind) -> Contact {
    Contact { party, kind, public: None, key: None, officer_of: Vec::new() }
}

fn with_key(
    name: &str,
    keyed: &Keyed,
    kind: PartyKind,
    office: &[&str],
) -> (String, Contact, Option<Key>) {
    let contact = Contact {
        public: Some(keyed.key.public()),
        key: Some(format!("{name}.pem")),
        officer_of: office.iter().map(|office| (*office).into()).collect(),
        ..contact(keyed.party, kind)
    };
    (name.into(), contact, Some(Key::clone(&keyed.key)))
}

fn everybody(at: &Institutions) -> Vec<(String, Contact, Option<Key>)> {
    let person = PartyKind::Person;
    let mut all = vec![
        ("registrar".into(), contact(at.registrar, PartyKind::Registrar), None),
        ("issuer".into(), contact(at.issuer.party, PartyKind::Issuer), None),
        with_key("issuer-auto", &at.issuer, PartyKind::Issuer, &[]),
        with_key("city-officer", &at.city_officer, person, &["city"]),
        with_key("partner-officer", &at.partner_officer, person, &["partner"]),
    ];
    for (number, officer) in (1..).zip(&at.registrar_officers) {
        all.push(with_key(&format!("registrar-officer-{number}"), officer, person, &["registrar"]));
    }
    for (number, officer) in (1..).zip(&at.issuer_officers) {
        all.push(with_key(&format!("issuer-officer-{number}"), officer, person, &["issuer"]));
    }
    for organisation in &at.organisations {
        all.push(with_key(&organisation.name, &organisation.governance, PartyKind::Operator, &[]));
    }
    all
}
