//! One run of the command: its home, its network, and the keys that it may unlock.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use musubi_sdk::{
    Client, ClientConfig, PartyId, PartyKind, SecretKey,
    api::{Info, InstrumentView, PartyView},
    keystore,
};
use zeroize::Zeroizing;

use super::{
    contacts::{Book, Contact},
    error::CliError,
    profile::Profile,
    secret::{self, Passphrases},
};

/// Options that every command takes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Global {
    /// A node's base URL; repeat for several, which are tried in turn [default: the profile's]
    #[arg(long, global = true, value_name = "URL", env = "MUSUBI_NODE", value_delimiter = ',')]
    pub(crate) node: Vec<String>,
    /// The reader token, for everything about parties [default: the profile's]
    #[arg(long, global = true, env = "MUSUBI_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// The folder with profile, address book and keys [default: ~/.musubi]
    #[arg(long, global = true, value_name = "DIR", env = "MUSUBI_HOME")]
    pub(crate) home: Option<PathBuf>,
    /// Which local identity acts [default: the profile's, or the only one with a key]
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub(crate) identity: Option<String>,
    /// One JSON document on standard output; errors as a problem document on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Read the passphrase from a file's first line; else MUSUBI_PASSPHRASE, else it is asked
    #[arg(long, global = true, value_name = "FILE", env = "MUSUBI_PASSPHRASE_FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// What one run of the command knows.
pub(crate) struct Session {
    global: Global,
    home: PathBuf,
    profile: Profile,
    book: Book,
    book_as_read: Book,
    client: Option<Client>,
    passphrases: Passphrases,
    pub(super) info: Option<Info>,
    pub(super) parties: BTreeMap<PartyId, Option<PartyView>>,
    pub(super) instruments: Option<Vec<InstrumentView>>,
}

impl Session {
    /// Reads the home; nothing is sent yet.
    pub(crate) fn open(global: Global) -> Result<Self, CliError> {
        let home = match &global.home {
            Some(home) => home.clone(),
            None => default_home()?,
        };
        let profile = Profile::load(&home)?;
        let book = Book::load(&home)?;
        Ok(Self {
            global,
            home,
            profile,
            book_as_read: book.clone(),
            book,
            client: None,
            passphrases: Passphrases::default(),
            info: None,
            parties: BTreeMap::new(),
            instruments: None,
        })
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn json(&self) -> bool {
        self.global.json
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    pub(crate) fn book(&self) -> &Book {
        &self.book
    }

    pub(crate) fn book_mut(&mut self) -> &mut Book {
        &mut self.book
    }

    /// Writes the address book if something was added.
    pub(crate) fn save_book(&mut self) -> Result<(), CliError> {
        if self.book != self.book_as_read {
            self.book.save(&self.home)?;
            self.book_as_read = self.book.clone();
        }
        Ok(())
    }

    /// Changes the profile, and writes it.
    pub(crate) fn update_profile(
        &mut self,
        change: impl FnOnce(&mut Profile),
    ) -> Result<(), CliError> {
        change(&mut self.profile);
        self.profile.save(&self.home)
    }

    /// The nodes that are asked, in order.
    pub(crate) fn nodes(&self) -> &[String] {
        match self.global.node.is_empty() {
            true => &self.profile.nodes,
            false => &self.global.node,
        }
    }

    /// The reader token, from the command line, the environment or the profile. The profile's opens
    /// the profile's nodes: any other that the command line names must not learn it.
    pub(crate) fn token(&self) -> Option<&String> {
        let given = self.global.token.as_ref();
        given.or(self.profile.token.as_ref().filter(|_| self.profile.has_all(self.nodes())))
    }

    /// Whether the profile's token is kept back, because nodes were named that it is not for.
    pub(crate) fn keeps_token_back(&self) -> bool {
        self.token().is_none() && self.profile.token.is_some()
    }

    /// How to reach these nodes.
    pub(crate) fn config<'n>(&self, nodes: impl IntoIterator<Item = &'n String>) -> ClientConfig {
        let mut config = ClientConfig::new(nodes);
        config.token = self.token().cloned();
        config
    }

    /// The client; connections are shared between its clones.
    pub(crate) fn client(&mut self) -> Result<Client, CliError> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = Client::new(self.config(self.nodes()))?;
        self.client = Some(client.clone());
        Ok(client)
    }

    /// The passphrase of a key file, asked for once; for a new key, twice on the terminal.
    pub(crate) fn passphrase(
        &mut self,
        path: &Path,
        what: &str,
        new: bool,
    ) -> Result<Zeroizing<String>, CliError> {
        let file = self.global.passphrase_file.as_deref();
        self.passphrases.of(path, || secret::passphrase(file, what, new))
    }

    /// A key file opens with a passphrase that was given for another.
    pub(crate) fn same_passphrase(&mut self, path: &Path, passphrase: Zeroizing<String>) {
        self.passphrases.learn(path, passphrase);
    }

    /// The acting identity: `--as`, the profile's, or the only one with a key.
    pub(crate) fn actor(&self) -> Result<String, CliError> {
        let named = self.global.identity.as_ref().or(self.profile.identity.as_ref());
        if let Some(name) = named {
            self.book.get(name)?;
            return Ok(name.clone());
        }
        let contacts = self.book.contacts.iter();
        let mut own = contacts.filter(|(_, contact)| contact.key.is_some());
        match (own.next(), own.next()) {
            (Some((name, _)), None) => Ok(name.clone()),
            (None, _) => Err(CliError::usage("no_identity", "there is no key on this device yet")
                .next("make one with `musubi key new NAME`")),
            (Some(_), Some(_)) => {
                let what = "several identities live here, and none was chosen";
                Err(CliError::usage("which_identity", what).next("say which with `--as NAME`"))
            }
        }
    }

    /// The acting identity's contact.
    pub(crate) fn actor_contact(&self) -> Result<(String, Contact), CliError> {
        let name = self.actor()?;
        let contact = self.book.get(&name)?.clone();
        Ok((name, contact))
    }

    /// Where somebody's key file lies.
    pub(crate) fn key_path(&self, name: &str) -> Result<PathBuf, CliError> {
        let contact = self.book.get(name)?;
        let path = contact.key.as_ref().ok_or_else(|| {
            let what = format!("the key of `{name}` is not on this device");
            let next = "leave them out: a half-signed file is written for their device";
            CliError::usage("no_key_here", what).next(next)
        })?;
        Ok(self.home.join(path))
    }

    /// Somebody's signing key.
    pub(crate) fn unlock(&mut self, name: &str) -> Result<SecretKey, CliError> {
        let path = self.key_path(name)?;
        let passphrase = self.passphrase(&path, &format!("the key of {name}"), false)?;
        let key = keystore::read(&path, &passphrase)?;
        let public = self.book.get(name)?.public;
        if public.is_some_and(|public| public != key.public()) {
            let what = format!("{} holds another key than the address book says", path.display());
            return Err(CliError::new("key_mismatch", what).next("import the right key file"));
        }
        Ok(key)
    }

    /// A party as people know it here: name, or address.
    pub(crate) fn name(&self, party: &PartyId) -> String {
        match (self.book.name_of(party), self.scheme_if_known()) {
            (Some(name), _) => name.into(),
            (None, Some(scheme)) => scheme.address(*party),
            (None, None) => party.to_string(),
        }
    }

    /// What the address book says a party is.
    pub(crate) fn kind_here(&self, party: &PartyId) -> Option<PartyKind> {
        self.book.kind_of(party)
    }
}

fn default_home() -> Result<PathBuf, CliError> {
    std::env::home_dir().map(|home| home.join(".musubi")).ok_or_else(|| {
        CliError::usage("no_home", "this account has no home folder")
            .next("name one with --home DIR")
    })
}
