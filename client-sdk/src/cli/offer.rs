//! `musubi offer`: gifts, benefits, points for coming; who may take them, and by which right.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use musubi_sdk::{
    DocumentHash, PartyId, Role, SecretKey, Side, TxId,
    api::OfferView,
    describe::{offer_state, offer_text},
    ledger::{
        hash::sha256,
        limits::TRANSACTION_BYTES_MAX,
        offer::{OfferTerms, Price, code_seed, entitlement_id},
        operation::{Cause, Citation, Happening, Payment, Showing, Take},
    },
    offer_code,
};
use serde_json::json;

use super::{
    args::{Signing, Units},
    coupon::{self, QuoteArgs},
    draw::{self, ApplyArgs, CountArgs, RevealArgs},
    error::CliError,
    files::read_input,
    finish::Plan,
    session::Session,
    slots,
    table::{self, Align, Report},
    when::When,
};

/// What may be taken: gifts, benefits, points for coming
#[derive(Debug, Subcommand)]
pub(crate) enum OfferCommand {
    /// List offers
    List,
    /// Show an offer; with --json in the form that `offer put` reads
    Show {
        /// Which
        #[arg(value_name = "NAME|ID")]
        offer: String,
    },
    /// Put an offer: two officers of the issuer sign, and whoever else funds it
    Put {
        /// The offer as JSON, in the fields of docs/OFFERS.md; - for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        signing: Signing,
    },
    /// End an offer: two officers of the issuer sign, or who funds it
    End {
        /// Which
        #[arg(value_name = "NAME|ID")]
        offer: String,
        /// From when on: 1d, or the day whose end it is [default: at once]
        #[arg(long, value_name = "WHEN")]
        at: Option<When>,
        #[command(flatten)]
        signing: Signing,
    },
    /// Give rights to take of an offer: the officers that it names sign
    Entitle(EntitleArgs),
    /// Take back a right of which nothing was used
    Withdraw {
        /// The entitlement
        #[arg(value_name = "ID")]
        entitlement: TxId,
        #[command(flatten)]
        signing: Signing,
    },
    /// Take of an offer
    Take(TakeArgs),
    /// Make the seed of a lottery, and what to commit to
    Seed {
        /// Where to keep it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Apply to a lottery
    Apply(ApplyArgs),
    /// Show a lottery's seed, once applications have closed
    Reveal(RevealArgs),
    /// Count who has won, a step at a time
    Count(CountArgs),
    /// Replay a lottery: who has won, and whether the ledger says the same
    Draw {
        /// The offer
        #[arg(value_name = "NAME|ID")]
        offer: String,
    },
    /// Ask what a coupon would take off a price at a shop
    Quote(QuoteArgs),
    /// Make codes for an issuer's offers, or print the key of a code
    Codes {
        /// Whose offers they are for
        #[arg(value_name = "NAME|ADDRESS")]
        issuer: String,
        /// This code, rather than new ones
        #[arg(long)]
        code: Option<String>,
        /// How many new ones
        #[arg(long, default_value_t = 1)]
        count: u16,
    },
}

/// Rights to an offer.
#[derive(Debug, Args)]
pub(crate) struct EntitleArgs {
    /// The offer
    #[arg(value_name = "NAME|ID")]
    offer: String,
    /// Somebody, and the reference of what happened to them; it gives cause once. Only its hash is written down: let it
    /// hold something that nobody can guess
    #[arg(long = "event", value_name = "WHO=REFERENCE")]
    events: Vec<String>,
    /// Whoever has this code
    #[arg(long = "code")]
    codes: Vec<String>,
    /// Units of each
    #[arg(long, default_value_t = 1)]
    units: u32,
    /// How long: 90d, or a last day
    #[arg(long, value_name = "WHEN")]
    until: When,
    #[command(flatten)]
    signing: Signing,
}

/// What is taken, and what is shown.
#[derive(Debug, Args)]
pub(crate) struct TakeArgs {
    #[command(flatten)]
    of: Units,
    /// What was paid outside: its reference. The issuer's key sends then, or signs
    #[arg(long, value_name = "REFERENCE")]
    funding: Option<String>,
    /// By the right that an event gave: its reference
    #[arg(long, conflicts_with_all = ["right", "code"])]
    event: Option<String>,
    /// By a right, or an application that has won
    #[arg(long, value_name = "NAME|ID", conflicts_with = "code")]
    right: Option<String>,
    /// By a code
    #[arg(long)]
    code: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(command: OfferCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        OfferCommand::List => list(session).await,
        OfferCommand::Show { offer } => show(&offer, session).await,
        OfferCommand::Put { file, signing } => {
            let terms = read(&file)?;
            let (actor, contact) = session.actor_contact()?;
            let draft = session.composer().await?.put_offer(contact.party, terms);
            Plan::new(draft, Some(&actor), "The offer stands.").run(session, &signing).await
        }
        OfferCommand::End { offer, at, signing } => {
            let id = session.book().transaction(&offer)?;
            let (actor, contact) = session.actor_contact()?;
            let composer = session.composer().await?;
            // Ordered a little later, an end that is to hold at once must not lie in the past.
            let soon = composer.now.plus(60_000);
            let at = at.map_or(soon, |when| when.from(composer.now));
            let draft = composer.end_offer(contact.party, id, at);
            Plan::new(draft, Some(&actor), "The offer is ended.").run(session, &signing).await
        }
        OfferCommand::Entitle(args) => entitle(args, session).await,
        OfferCommand::Withdraw { entitlement, signing } => {
            let (actor, contact) = session.actor_contact()?;
            let draft = session.composer().await?.withdraw_entitlement(contact.party, entitlement);
            Plan::new(draft, Some(&actor), "Taken back.").run(session, &signing).await
        }
        OfferCommand::Take(args) => take(args, session).await,
        OfferCommand::Seed { out } => draw::seed(&out),
        OfferCommand::Apply(args) => draw::apply(args, session).await,
        OfferCommand::Reveal(args) => draw::reveal(args, session).await,
        OfferCommand::Count(args) => draw::count(args, session).await,
        OfferCommand::Quote(args) => coupon::quote(args, session).await,
        OfferCommand::Draw { offer } => draw::check(&offer, session).await,
        OfferCommand::Codes { issuer, code, count } => codes(&issuer, code, count, session).await,
    }
}

/// Reads an offer, and says where it is none.
fn read(file: &Path) -> Result<OfferTerms, CliError> {
    let bytes = read_input(file, TRANSACTION_BYTES_MAX as u64)?;
    let terms: OfferTerms = serde_json::from_slice(&bytes).map_err(|error| {
        CliError::usage("bad_offer", format!("{} is no offer: {error}", file.display()))
            .next("`musubi offer show --json` prints one; docs/OFFERS.md says what the fields mean")
    })?;
    if !terms.well_formed() {
        let what = format!("the parts of the offer in {} do not go together", file.display());
        return Err(
            CliError::usage("bad_offer", what).next("docs/OFFERS.md says what goes together")
        );
    }
    Ok(terms)
}

async fn list(session: &mut Session) -> Result<Report, CliError> {
    let views = session.client()?.offers().await?;
    let glossary = session.words().await;
    let row = |view: &OfferView| {
        let text = offer_text(&view.offer.terms, &glossary).join("; ");
        vec![view.id.to_string(), offer_state(&view.offer), text]
    };
    let columns = [("Offer", Align::Left), ("Stands", Align::Left), ("What it gives", Align::Left)];
    let rows = views.iter().map(row).collect();
    Report::new(&views, table::table(&columns, rows, "There is no offer."))
}

async fn show(text: &str, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(text)?;
    let view = session.client()?.offer(id).await?;
    let glossary = session.words().await;
    let text = table::fields(&[
        ("Offer", view.id.to_string()),
        ("Stands", offer_state(&view.offer)),
        ("What it gives", offer_text(&view.offer.terms, &glossary).join("; ")),
    ]);
    Report::new(&view.offer.terms, text)
}

pub(crate) fn reference(text: &str) -> DocumentHash {
    DocumentHash(sha256(text.as_bytes()))
}

pub(crate) fn code_key(issuer: &PartyId, code: &str) -> SecretKey {
    SecretKey::from_seed(&code_seed(issuer, code))
}

/// What who takes or pays shows of an offer, as it is written.
pub(crate) enum Shows<'a> {
    /// The reference of the event that gave a right.
    Event(&'a str),
    /// A right, or an application that has won, by name or id.
    Right(&'a str),
    /// A code.
    Code(&'a str),
}

/// What the transaction says of it, and the key of a code, which signs too.
pub(crate) fn showing(
    shows: Option<Shows<'_>>,
    (offer, issuer): (&TxId, &PartyId),
    session: &Session,
) -> Result<(Showing, Option<SecretKey>), CliError> {
    Ok(match shows {
        None => (Showing::Nothing, None),
        Some(Shows::Event(event)) => {
            (Showing::Entitlement(entitlement_id(offer, &reference(event).0)), None)
        }
        Some(Shows::Right(right)) => {
            (Showing::Entitlement(session.book().transaction(right)?), None)
        }
        Some(Shows::Code(code)) => {
            let key = code_key(issuer, code);
            (Showing::Code(key.public()), Some(key))
        }
    })
}

async fn entitle(args: EntitleArgs, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(&args.offer)?;
    let terms = session.client()?.offer(id).await?.offer.terms;
    let mut causes = Vec::new();
    for event in &args.events {
        let Some((who, what)) = event.split_once('=') else {
            let what = format!("`{event}` names no reference");
            return Err(CliError::usage("bad_event", what).next("say --event WHO=REFERENCE"));
        };
        let party = session.party(who).await?;
        causes.push(Cause::Event(Happening { party, reference: reference(what) }));
    }
    let keys = args.codes.iter().map(|code| code_key(&terms.issuer, code).public());
    causes.extend(keys.map(Cause::Code));
    let (actor, contact) = session.actor_contact()?;
    let composer = session.composer().await?;
    let until = args.until.from(composer.now);
    let done = format!("Gave {} entitlements.", causes.len());
    let draft = composer.entitle(contact.party, id, causes, args.units, until);
    let mut plan = Plan::new(draft, Some(&actor), done);
    if let musubi_sdk::ledger::offer::Access::Entitled(given) = terms.access {
        let mut wanted = slots::want(Side::Authority, &[Role::Officer], given.party);
        wanted.count = usize::from(given.officers);
        plan = plan.wanting([wanted]);
    }
    plan.run(session, &args.signing).await
}

async fn take(args: TakeArgs, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let (offer, to) = args.of.find(session, contact.party).await?;
    let terms = session.client()?.offer(offer).await?.offer.terms;
    let shows = match (&args.code, &args.right, &args.event) {
        (Some(code), ..) => Some(Shows::Code(code)),
        (_, Some(right), _) => Some(Shows::Right(right)),
        (.., Some(event)) => Some(Shows::Event(event)),
        _ => None,
    };
    let (showing, code) = showing(shows, (&offer, &terms.issuer), session)?;
    let payment = match (terms.gives.price(), &args.funding) {
        (None, _) => Payment::Nothing,
        (Some(Price::Exchange(_)), _) => Payment::Value,
        (Some(Price::Outside(_)), Some(text)) => Payment::Outside(reference(text)),
        (Some(Price::Outside(_)), None) => {
            let what = "this offer is paid for outside, and nothing says by which payment";
            return Err(CliError::usage("funding_missing", what).next("say --funding REFERENCE"));
        }
    };
    let credit = Citation::Live;
    let take = Take { offer, to, units: args.of.units, showing, payment, credit };
    let draft = session.composer().await?.take(contact.party, take);
    let mut plan = Plan::new(draft, Some(&actor), "Taken.").code(to, code);
    if let Payment::Outside(_) = payment {
        plan = plan.wanting([slots::want(Side::Debit, &[Role::Issuer], terms.issuer)]);
    }
    plan.run(session, &args.signing).await
}

async fn codes(
    issuer: &str,
    code: Option<String>,
    count: u16,
    session: &mut Session,
) -> Result<Report, CliError> {
    let issuer = session.party(issuer).await?;
    let codes: Vec<String> = match code {
        Some(code) => vec![code],
        None => (0..count).map(|_| offer_code()).collect(),
    };
    let keys: Vec<_> = codes.iter().map(|code| code_key(&issuer, code).public()).collect();
    let rows = codes.iter().zip(&keys).map(|(code, key)| vec![code.clone(), key.to_string()]);
    let columns = [("Code", Align::Left), ("Key", Align::Left)];
    let text = table::table(&columns, rows.collect(), "No code.");
    let list: Vec<_> =
        codes.iter().zip(&keys).map(|(code, key)| json!({ "code": code, "key": key })).collect();
    Report::new(&list, text)
}
