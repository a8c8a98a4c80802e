//! `musubi contact`: the address book of this home.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use musubi_sdk::PublicKey;

use super::{
    args::KindArg,
    contacts::{Book, Contact},
    error::CliError,
    profile::Profile,
    session::Session,
    table::{self, Align, Report},
};

/// Names for parties
#[derive(Debug, Subcommand)]
pub(crate) enum ContactCommand {
    /// Give a party a name
    Add(Add),
    /// List everybody known here
    List,
    /// Forget a name; key files stay
    Remove {
        /// Whom
        name: String,
    },
    /// Take over another home's address book; its keys stay where they are
    Import {
        /// The other home
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The name
    name: String,
    /// The party
    address: String,
    /// What it is
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// The public key, where others must register it
    #[arg(long, value_name = "HEX")]
    public: Option<PublicKey>,
    /// A registrar, issuer or organisation for which this person is an officer
    #[arg(long, value_name = "NAME|ADDRESS")]
    officer_of: Vec<String>,
}

pub(crate) async fn run(
    command: ContactCommand,
    session: &mut Session,
) -> Result<Report, CliError> {
    match command {
        ContactCommand::Add(args) => add(session, args).await,
        ContactCommand::List => list(session),
        ContactCommand::Remove { name } => {
            session.book().get(&name)?;
            session.book_mut().contacts.remove(&name);
            session.save_book()?;
            Ok(Report::done(format!("Forgot {name}.")))
        }
        ContactCommand::Import { folder } => import(session, &folder),
    }
}

async fn add(session: &mut Session, args: Add) -> Result<Report, CliError> {
    let party = session.party(&args.address).await?;
    for office in &args.officer_of {
        session.party(office).await?;
    }
    let contact = Contact {
        kind: args.kind.map(Into::into),
        public: args.public,
        officer_of: args.officer_of,
        ..Contact::of(party)
    };
    session.book_mut().add(&args.name, contact)?;
    session.save_book()?;
    Ok(Report::done(format!("{} is now {}.", session.name(&party), party)))
}

fn list(session: &Session) -> Result<Report, CliError> {
    let book = session.book();
    let row = |(name, contact): (&String, &Contact)| {
        vec![
            name.clone(),
            contact.kind.map(|kind| table::word(&kind)).unwrap_or_default(),
            contact.officer_of.join(", "),
            if contact.key.is_some() { "yes".into() } else { String::new() },
            match session.scheme_if_known() {
                Some(scheme) => scheme.address(contact.party),
                None => contact.party.to_string(),
            },
        ]
    };
    let columns = [
        ("Name", Align::Left),
        ("Kind", Align::Left),
        ("Officer of", Align::Left),
        ("Key here", Align::Left),
        ("Address", Align::Left),
    ];
    let rows = book.contacts.iter().map(row).collect();
    Report::new(book, table::table(&columns, rows, "Nobody is known here yet."))
}

fn import(session: &mut Session, folder: &std::path::Path) -> Result<Report, CliError> {
    let folder =
        std::path::absolute(folder).map_err(|cause| super::error::file_error(folder, cause))?;
    let other = Book::load(&folder)?;
    if other.contacts.is_empty() {
        let what = format!("{} has no address book", folder.display());
        return Err(CliError::usage("no_contacts", what).next("name a folder with a contacts.toml"));
    }
    let count = other.contacts.len();
    for (name, mut contact) in other.contacts {
        contact.key = contact.key.map(|key| folder.join(key));
        session.book_mut().add(&name, contact)?;
    }
    let profile = Profile::load(&folder)?;
    session.update_profile(|own| own.fill_from(profile))?;
    session.save_book()?;
    Ok(Report::done(format!("{count} contacts from {} are known here now.", folder.display())))
}
