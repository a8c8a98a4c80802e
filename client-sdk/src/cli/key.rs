//! `musubi key`: signing keys of this device, encrypted at rest.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use musubi_sdk::{Hardness, PartyId, SecretKey, durable_file, entropy, image::QrImage, keystore};
use serde_json::{Value, json};

use super::{
    args::KindArg,
    contacts::{Book, Contact},
    error::{CliError, file_error},
    files, secret,
    session::Session,
    table::{self, Align, Report},
};

/// A PEM file is far smaller.
const KEY_FILE_MAX: u64 = 64 * 1024;

/// Keys on this device
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key, and with it a new identity (or one more key for a known party)
    New(New),
    /// List the keys on this device
    List,
    /// Show a key's address, public half and, for others to scan, a QR code
    Show(Show),
    /// Copy an encrypted key file, for a backup or another device
    Export(Export),
    /// Take over an encrypted key file
    Import(Import),
    /// Encrypt a key under another passphrase
    ChangePassphrase(ChangePassphrase),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// A name for the identity on this device
    name: String,
    /// What it will be on the ledger
    #[arg(long, value_enum, default_value = "person")]
    kind: KindArg,
    /// A party that exists: the key becomes one more of it
    #[arg(long, value_name = "NAME|ADDRESS")]
    party: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Whose key
    name: String,
    /// Draw the address as a QR code
    #[arg(long)]
    qr: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Whose key
    name: String,
    /// Where to; a file that exists is never overwritten
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// A name for the identity on this device
    name: String,
    /// The encrypted PKCS#8 file
    file: PathBuf,
    /// Whose key it is [default: a new party]
    #[arg(long, value_name = "NAME|ADDRESS")]
    party: Option<String>,
    /// What the party is, if it is new here
    #[arg(long, value_enum, default_value = "person")]
    kind: KindArg,
}

#[derive(Debug, Args)]
pub(crate) struct ChangePassphrase {
    /// Whose key
    name: String,
    /// Read the new passphrase from a file's first line; else it is asked
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
}

pub(crate) async fn run(command: KeyCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        KeyCommand::New(args) => {
            let contact = identity(session, args.party.as_deref(), args.kind).await?;
            let key = entropy::secret_key();
            store(session, &args.name, contact, &key, "Made")
        }
        KeyCommand::List => list(session),
        KeyCommand::Show(args) => show(session, &args),
        KeyCommand::Export(args) => export(session, &args),
        KeyCommand::Import(args) => {
            let contact = identity(session, args.party.as_deref(), args.kind).await?;
            let content = files::read_input(&args.file, KEY_FILE_MAX)?;
            let pem =
                String::from_utf8(content).map_err(|_| file_error(&args.file, "not a PEM file"))?;
            let what = args.file.display().to_string();
            let passphrase = session.passphrase(&args.file, &what, false)?;
            let key = keystore::open(&pem, &passphrase)?;
            let path = session.home().join(key_file(&args.name));
            session.same_passphrase(&path, passphrase);
            store(session, &args.name, contact, &key, "Imported")
        }
        KeyCommand::ChangePassphrase(args) => change_passphrase(session, &args),
    }
}

async fn identity(
    session: &mut Session,
    party: Option<&str>,
    kind: KindArg,
) -> Result<Contact, CliError> {
    let Some(text) = party else {
        let kind = Some(kind.into());
        return Ok(Contact { kind, ..Contact::of(entropy::party_id()) });
    };
    let party = session.party(text).await?;
    let kind = session.kind_here(&party).or(Some(kind.into()));
    Ok(Contact { kind, ..Contact::of(party) })
}

/// Where a key lies inside a home.
fn key_file(name: &str) -> PathBuf {
    Path::new("keys").join(format!("{name}.pem"))
}

/// Writes the key file, then the address book. A crash in between leaves a key file that the next
/// `key new` of that name refuses to overwrite, and that `key import` can take over.
fn store(
    session: &mut Session,
    name: &str,
    contact: Contact,
    key: &SecretKey,
    done: &str,
) -> Result<Report, CliError> {
    let relative = key_file(name);
    let contact = Contact { public: Some(key.public()), key: Some(relative.clone()), ..contact };
    if session.book().contacts.contains_key(name) {
        let what = format!("`{name}` is already somebody in this address book");
        return Err(CliError::usage("name_taken", what).next("choose another name"));
    }
    let party = contact.party;
    let mut book: Book = session.book().clone();
    book.add(name, contact)?;
    let path = session.home().join(&relative);
    if let Some(folder) = path.parent() {
        durable_file::create_folder(folder).map_err(|cause| file_error(folder, cause))?;
    }
    let passphrase = session.passphrase(&path, &format!("the key of {name}"), true)?;
    keystore::write(&path, key, &passphrase, Hardness::STANDARD)?;
    *session.book_mut() = book;
    session.save_book()?;
    let text = format!("{done} a key for {name}.\n{}", shown(session, name, party, key));
    Report::new(&value(session, name)?, text)
}

fn shown(session: &Session, name: &str, party: PartyId, key: &SecretKey) -> String {
    table::fields(&[
        ("Name", name.into()),
        ("Address", address(session, party)),
        ("Public key", key.public().to_string()),
    ])
}

/// A party's address of the scheme, or its machine form while the scheme is unknown.
fn address(session: &Session, party: PartyId) -> String {
    match session.scheme_if_known() {
        Some(scheme) => scheme.address(party),
        None => party.to_string(),
    }
}

fn value(session: &Session, name: &str) -> Result<Value, CliError> {
    let contact = session.book().get(name)?;
    Ok(json!({
        "name": name,
        "party": contact.party,
        "address": address(session, contact.party),
        "kind": contact.kind,
        "public": contact.public,
        "key": contact.key,
    }))
}

fn list(session: &Session) -> Result<Report, CliError> {
    let contacts = session.book().contacts.iter();
    let own: Vec<_> = contacts.filter(|(_, contact)| contact.key.is_some()).collect();
    let row = |(name, contact): &(&String, &Contact)| {
        vec![
            (*name).clone(),
            contact.kind.map(|kind| table::word(&kind)).unwrap_or_default(),
            address(session, contact.party),
        ]
    };
    let columns = [("Name", Align::Left), ("Kind", Align::Left), ("Address", Align::Left)];
    let rows = own.iter().map(row).collect();
    let text = table::table(&columns, rows, "No key on this device yet: `musubi key new NAME`.");
    let values = own.iter().map(|(name, _)| value(session, name));
    Report::new(&values.collect::<Result<Vec<_>, _>>()?, text)
}

fn show(session: &Session, args: &Show) -> Result<Report, CliError> {
    let contact = session.book().get(&args.name)?;
    let address = address(session, contact.party);
    let mut text = table::fields(&[
        ("Name", args.name.clone()),
        ("Kind", contact.kind.map(|kind| table::word(&kind)).unwrap_or_default()),
        ("Address", address.clone()),
        ("Public key", contact.public.map(|key| key.to_string()).unwrap_or_default()),
        ("Key file", contact.key.as_ref().map(|p| p.display().to_string()).unwrap_or_default()),
    ]);
    if args.qr {
        let image = QrImage::new(&address.to_uppercase())
            .map_err(|error| CliError::new(error.code(), error.to_string()))?;
        text = format!("{text}\n{}", image.to_terminal());
    }
    Report::new(&value(session, &args.name)?, text)
}

fn export(session: &Session, args: &Export) -> Result<Report, CliError> {
    let path = session.key_path(&args.name)?;
    let content = files::read_input(&path, KEY_FILE_MAX)?;
    files::create(&args.to, &content)?;
    let text = format!("Copied to {}; it opens with the same passphrase.", args.to.display());
    Ok(Report::done(text))
}

fn change_passphrase(session: &mut Session, args: &ChangePassphrase) -> Result<Report, CliError> {
    let path = session.key_path(&args.name)?;
    let key = session.unlock(&args.name)?;
    let new = secret::new_passphrase(args.new_passphrase_file.as_deref(), &args.name)?;
    let pem = keystore::seal(&key, &new, Hardness::STANDARD)?;
    files::replace(&path, pem.as_bytes())?;
    Ok(Report::done(format!("The key of {} has a new passphrase.", args.name)))
}
