//! `musubi party register`: putting a party on the ledger.

use clap::Args;
use musubi_sdk::{
    PartyId, PersonTag, PublicKey, Time, entropy, ledger::party::Attribute,
    operation::RegisterParty,
};

use super::{
    args::{KindArg, SignSpec, Signing},
    error::CliError,
    finish::Plan,
    session::Session,
    table::Report,
};

#[derive(Debug, Args)]
pub(crate) struct Register {
    /// Whom: a name of this address book, made by `key new` or `contact add --public`
    name: String,
    /// What it is [default: what the address book says]
    #[arg(long, value_enum)]
    kind: Option<KindArg>,
    /// The registrar [default: the one whose officer acts]
    #[arg(long, value_name = "NAME|ADDRESS")]
    registrar: Option<String>,
    /// For a person: the pseudonym that the registrar derives from the attested identity
    #[arg(long, value_name = "HEX", conflicts_with = "new_tag")]
    tag: Option<PersonTag>,
    /// For a person on a test network: a random pseudonym, which does not keep humans unique
    #[arg(long)]
    new_tag: bool,
    /// For an issuer or registrar: the organisation behind it
    #[arg(long, value_name = "NAME|ADDRESS")]
    organisation: Option<String>,
    /// A first attribute; repeat for more
    #[arg(long, value_name = "NAME=VALUE")]
    attribute: Vec<AttributeArg>,
    /// A holder without a phone: no key at all, a medium follows
    #[arg(long)]
    without_key: bool,
    #[command(flatten)]
    signing: Signing,
}

/// An attribute as typed: `resident=yes`.
#[derive(Clone, Debug)]
pub(crate) struct AttributeArg(String, String);

impl std::str::FromStr for AttributeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
        Ok(Self(name.into(), value.into()))
    }
}

impl AttributeArg {
    pub(crate) fn attribute(&self, until: Option<Time>) -> Attribute {
        let Self(name, value) = self.clone();
        Attribute { name, value, until }
    }
}

/// The registrar named, or the one whose officer acts.
pub(crate) async fn registrar(
    session: &mut Session,
    named: Option<&str>,
) -> Result<PartyId, CliError> {
    if let Some(text) = named {
        return session.party(text).await;
    }
    let (name, contact) = session.actor_contact()?;
    match session.book().offices(&contact)[..] {
        [office] => Ok(office),
        _ => {
            let what = format!("{name} is not an officer of exactly one registrar");
            Err(CliError::usage("which_registrar", what)
                .next("act as one with `--as`, or name the registrar with --registrar"))
        }
    }
}

pub(crate) async fn run(args: Register, session: &mut Session) -> Result<Report, CliError> {
    let (actor, officer) = session.actor_contact()?;
    let contact = session.book().get(&args.name)?.clone();
    let kind = args.kind.map(Into::into).or(contact.kind).ok_or_else(|| {
        CliError::usage("which_kind", "it is not known what this party is").next("say --kind")
    })?;
    let registrar = registrar(session, args.registrar.as_deref()).await?;
    let organisation = match &args.organisation {
        Some(text) => Some(session.party(text).await?),
        None => None,
    };
    let party = RegisterParty {
        party: contact.party,
        kind,
        keys: first_keys(&args, contact.public)?,
        tag: if args.new_tag { Some(PersonTag(entropy::bytes())) } else { args.tag },
        registrar,
        organisation,
        attributes: args.attribute.iter().map(|a| a.attribute(None)).collect(),
    };
    let draft = session.composer().await?.register(officer.party, party);
    let mut signing = args.signing;
    let named = signing.sign.iter().any(|spec| spec.name == args.name);
    if contact.key.is_some() && !args.without_key && !named {
        signing.sign.push(SignSpec::plain(&args.name));
    }
    let done =
        format!("Registered {}: {}", args.name, session.scheme().await?.address(contact.party));
    Plan::new(draft, Some(&actor), done).run(session, &signing).await
}

fn first_keys(args: &Register, public: Option<PublicKey>) -> Result<Vec<PublicKey>, CliError> {
    match (args.without_key, public) {
        (true, _) => Ok(Vec::new()),
        (false, Some(key)) => Ok(vec![key]),
        (false, None) => {
            let what = format!("the public key of `{}` is not known here", args.name);
            let next =
                "add it with `musubi contact add NAME ADDRESS --public HEX`, or say --without-key";
            Err(CliError::usage("no_public_key", what).next(next))
        }
    }
}
