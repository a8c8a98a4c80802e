//! Lotteries on the command line: a seed, applying, showing the seed, counting, and checking it all.

use std::path::PathBuf;

use clap::Args;
use musubi_sdk::{
    TxId,
    api::DrawView,
    entropy,
    ledger::{
        id::Seed,
        offer::draw::{Draw, Won, commitment, list_with, winners},
        operation::Apply,
    },
};
use serde_json::json;

use super::{
    args::{Signing, Units},
    error::CliError,
    files,
    finish::Plan,
    session::Session,
    table::{self, Report},
};

/// Somebody applies.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    of: Units,
    #[command(flatten)]
    signing: Signing,
}

/// The issuer shows what it has committed to.
#[derive(Debug, Args)]
pub(crate) struct RevealArgs {
    /// The offer
    #[arg(value_name = "NAME|ID")]
    offer: String,
    /// The file that `musubi offer seed` wrote
    #[arg(long, value_name = "FILE")]
    seed: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

/// One step of the count.
#[derive(Debug, Args)]
pub(crate) struct CountArgs {
    /// The offer
    #[arg(value_name = "NAME|ID")]
    offer: String,
    #[command(flatten)]
    signing: Signing,
}

/// Writes a fresh seed, readable by its owner alone, and says what to commit to.
pub(crate) fn seed(out: &std::path::Path) -> Result<Report, CliError> {
    let seed = Seed(entropy::bytes());
    files::create(out, seed.to_string().as_bytes())?;
    let commitment = commitment(&seed);
    let text = format!(
        "Commit to {commitment}; keep {} secret until applications have closed.",
        out.display()
    );
    Report::new(&json!({ "commitment": commitment }), text)
}

pub(crate) async fn apply(args: ApplyArgs, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let (offer, to) = args.of.find(session, contact.party).await?;
    let apply = Apply { offer, to, units: args.of.units };
    let draft = session.composer().await?.apply(contact.party, apply);
    Plan::new(draft, Some(&actor), "Applied.").run(session, &args.signing).await
}

pub(crate) async fn reveal(args: RevealArgs, session: &mut Session) -> Result<Report, CliError> {
    let offer = session.book().transaction(&args.offer)?;
    let bytes = files::read_input(&args.seed, 256)?;
    let text = String::from_utf8_lossy(&bytes);
    let seed: Seed = text.trim().parse().map_err(|_| {
        CliError::usage("bad_seed", format!("{} holds no seed", args.seed.display()))
            .next("`musubi offer seed` writes one")
    })?;
    let (actor, contact) = session.actor_contact()?;
    let draft = session.composer().await?.reveal_draw(contact.party, offer, seed);
    Plan::new(draft, Some(&actor), "The seed is shown.").run(session, &args.signing).await
}

/// All applications in the order in which they were made, and where the lottery stands.
async fn replayable(
    offer: TxId,
    session: &mut Session,
) -> Result<(Draw, Vec<(TxId, u8, u32)>), CliError> {
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let page: DrawView = session.client()?.draw(offer, before).await?;
        all.extend(page.applications.iter().map(|a| (a.id, a.tier, a.units)));
        before = page.next;
        if before.is_none() {
            all.reverse();
            return Ok((page.draw, all));
        }
    }
}

fn not_shown() -> CliError {
    CliError::usage("seed_not_shown", "this lottery's seed is not shown yet")
        .next("an officer of the issuer shows it with `musubi offer reveal`")
}

pub(crate) async fn count(args: CountArgs, session: &mut Session) -> Result<Report, CliError> {
    let offer = session.book().transaction(&args.offer)?;
    let terms = session.client()?.offer(offer).await?.offer.terms;
    let (draw, all) = replayable(offer, session).await?;
    let seed = draw.seed.ok_or_else(not_shown)?;
    let (Won::UpTo(last), _) = winners(&seed, &all, terms.stock.unwrap_or_default()) else {
        let what = "there was enough for everybody: nothing is to be counted";
        return Err(CliError::usage("nothing_to_count", what));
    };
    let (actor, contact) = session.actor_contact()?;
    let last = last.place.application;
    let draft = session.composer().await?.count_draw(contact.party, offer, last);
    let done = "Counted on; `musubi offer draw` says whether it is decided.";
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

/// Computes the whole draw anew, and says whether the ledger holds the same.
pub(crate) async fn check(offer: &str, session: &mut Session) -> Result<Report, CliError> {
    let offer = session.book().transaction(offer)?;
    let terms = session.client()?.offer(offer).await?.offer.terms;
    let (draw, all) = replayable(offer, session).await?;
    let list = all.iter().fold([0; 32], |list, (id, ..)| list_with(&list, id));
    if list != draw.list {
        let what = "the applications that this node lists are not those of its list";
        return Err(CliError::usage("draw_differs", what).next("ask another node, then audit"));
    }
    let seed = draw.seed.ok_or_else(not_shown)?;
    let (won, places) = winners(&seed, &all, terms.stock.unwrap_or_default());
    if draw.result.is_some_and(|result| result != won) {
        let what = "the draw that the node tells is not the one that its seed gives";
        return Err(CliError::usage("draw_differs", what).next("ask another node, then audit"));
    }
    let row = |(place, units): &(_, u32)| {
        let place: &musubi_sdk::ledger::offer::draw::Place = place;
        json!({ "application": place.application, "tier": place.tier, "units": units })
    };
    let rows: Vec<_> = places.iter().map(row).collect();
    let winners = places.iter().filter(|(_, units)| *units > 0).count();
    let decided = if draw.result.is_some() { "decided" } else { "not counted to its end yet" };
    let text = table::fields(&[
        ("Applications", all.len().to_string()),
        ("Winners", winners.to_string()),
        ("Stands", decided.into()),
    ]);
    Report::new(&json!({ "decided": draw.result.is_some(), "places": rows }), text)
}
