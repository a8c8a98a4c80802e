//! `musubi pay`: to a name, an address, or what a shop's code says.

use std::path::PathBuf;

use clap::Args;
use musubi_sdk::{
    Composer, Draft, Leg, PartyId, Purpose, SecretKey, ShopCode, TxId,
    operation::{self, Citation, Movement},
};

use super::{
    args::{Signing, Sum, parse_purpose},
    coupon,
    error::CliError,
    files,
    finish::Plan,
    session::Session,
    sums::parse_amount,
    table::Report,
};

/// A shop's code is far shorter.
const CODE_MAX: u64 = 4_096;

#[derive(Debug, Args)]
pub(crate) struct Pay {
    /// Whom to pay
    #[arg(long, value_name = "NAME|ADDRESS", required_unless_present_any = ["qr", "qr_file"])]
    to: Option<String>,
    /// What a shop's code says
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["to", "qr_file"])]
    qr: Option<String>,
    /// A file with what a shop's code says
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    qr_file: Option<PathBuf>,
    /// How much, in the instrument's own unit; a code with an amount needs none
    #[arg(long, value_name = "DECIMAL", required_unless_present_any = ["qr", "qr_file"])]
    amount: Option<String>,
    /// Of which instrument [default: the profile's, or the only one there is]
    #[arg(long, value_name = "CODE")]
    instrument: Option<String>,
    /// In whichever of these instruments expires first, in place of one
    #[arg(long, value_name = "CODE,CODE", value_delimiter = ',', conflicts_with_all = ["instrument", "qr", "qr_file"])]
    any_of: Vec<String>,
    /// What for: purchase, dues, reward, expense, participation, grant, donation, or a number
    #[arg(long, value_parser = parse_purpose)]
    purpose: Option<Purpose>,
    /// A text of up to 1024 bytes beside the log, which only the keys of both parties can read
    #[arg(long, value_name = "TEXT")]
    memo: Option<String>,
    /// For whom you pay: a line of the group's roster, by name (drawn at first use) or in hex
    #[arg(long, value_name = "NAME|HEX")]
    on_behalf_of: Option<String>,
    /// The payee's standing consent, in place of their signature
    #[arg(long, value_name = "NAME|ID", conflicts_with_all = ["qr", "qr_file"])]
    mandate: Option<String>,
    /// Spend from a group's event budget: its mandate, which names you as staff
    #[arg(long, value_name = "NAME|ID", requires = "from")]
    budget: Option<String>,
    /// A coupon that you use: its offer, with what you show behind a colon (event=REFERENCE, code=CODE, right=ID). The
    /// amount is then the price, of which you pay what coupons leave
    #[arg(long = "coupon", value_name = "NAME|ID[:SHOWN]", conflicts_with = "budget")]
    coupons: Vec<String>,
    /// The party whose wallet pays, if it is not your own
    #[arg(long, value_name = "NAME|ADDRESS")]
    from: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(args: Pay, session: &mut Session) -> Result<Report, CliError> {
    let (actor, contact) = session.actor_contact()?;
    let from = session.party_or(args.from.as_deref(), contact.party).await?;
    let code = read_code(&args, session).await?;
    let composer = session.composer().await?;
    let (payer, payee) = (from, target(&args, code.as_ref(), session).await?);
    let mut codes = Vec::new();
    let mut draft = match (&code, &args.budget) {
        _ if !args.coupons.is_empty() => {
            let sides = (contact.party, payer, payee);
            let (draft, shown) = with_coupons(&args, code.as_ref(), sides, session).await?;
            codes = shown;
            draft
        }
        _ if !args.any_of.is_empty() => {
            any_of(&args, (contact.party, payer, payee), session).await?
        }
        (Some(code), None) => {
            let legs = legs(&args, Some(code), session).await?;
            composer.pay_shop(payer, code, &legs)
        }
        (code, _) => {
            let legs = legs(&args, code.as_ref(), session).await?;
            let ways = ways(&args, code.as_ref(), session)?;
            transfer(&composer, contact.party, (payer, payee), &legs, ways)
        }
    };
    if let Some(purpose) = args.purpose {
        draft = draft.purpose(purpose);
    }
    if let Some(text) = &args.on_behalf_of {
        let line = session.book_mut().roster_line(text)?;
        draft = draft.on_behalf_of(line);
    }
    let done = format!("Paid {}.", session.name(&payee));
    let mut plan = Plan::new(draft, Some(&actor), done).memo(args.memo.clone());
    for key in codes {
        plan = plan.code(payer, Some(key));
    }
    plan.run(session, &args.signing).await
}

/// A payment of a price less what coupons take off it, and the keys of codes that are shown. A request is answered by its price.
async fn with_coupons(
    args: &Pay,
    code: Option<&ShopCode>,
    (sender, from, to): (PartyId, PartyId, PartyId),
    session: &mut Session,
) -> Result<(Draft, Vec<SecretKey>), CliError> {
    let pay = match args.any_of.is_empty() {
        true => {
            let leg = legs(args, code, session).await?[0];
            let (instruments, amount) = (vec![leg.instrument], leg.amount);
            let Ways { debit, credit, .. } = ways(args, code, session)?;
            operation::Pay { from, to, instruments, amount, debit, credit }
        }
        false => tender(args, (from, to), session).await?,
    };
    let (op, keys) = coupon::with_coupons(&args.coupons, pay, session).await?;
    let draft = session.composer().await?.pay_with_coupons(sender, op);
    let draft = match ways(args, code, session)?.request {
        Some(request) => draft.answers(request),
        None => draft,
    };
    Ok((draft, keys))
}

/// A payment in whatever of several instruments there is.
async fn any_of(
    args: &Pay,
    (sender, from, to): (PartyId, PartyId, PartyId),
    session: &mut Session,
) -> Result<Draft, CliError> {
    let pay = tender(args, (from, to), session).await?;
    Ok(session.composer().await?.pay_any(sender, pay))
}

async fn tender(
    args: &Pay,
    (from, to): (PartyId, PartyId),
    session: &mut Session,
) -> Result<operation::Pay, CliError> {
    let mut instruments = Vec::new();
    for code in &args.any_of {
        instruments.push(session.instrument(Some(code)).await?);
    }
    let decimals = instruments[0].1;
    if instruments.iter().any(|(_, places)| *places != decimals) {
        let what = "these instruments have different decimal places: one amount cannot fit both";
        return Err(CliError::usage("mixed_decimals", what));
    }
    let amount = parse_amount(args.amount.as_deref().unwrap_or_default(), decimals)?;
    let instruments = instruments.into_iter().map(|(id, _)| id).collect();
    let Ways { debit, credit, .. } = ways(args, None, session)?;
    Ok(operation::Pay { from, to, instruments, amount, debit, credit })
}

/// Both sides' citations, and the request that is answered.
struct Ways {
    debit: Citation,
    credit: Citation,
    request: Option<TxId>,
}

fn ways(args: &Pay, code: Option<&ShopCode>, session: &Session) -> Result<Ways, CliError> {
    let mandate = |text: &String| session.book().transaction(text).map(Citation::Mandate);
    let debit = args.budget.as_ref().map(mandate).transpose()?;
    let own = args.mandate.as_ref().map(mandate).transpose()?;
    let request = code.and_then(|code| code.request);
    let coded = match code {
        Some(code) if code.request.is_some() => Some(Citation::Request),
        Some(code) => code.mandate.map(Citation::Mandate),
        None => None,
    };
    Ok(Ways {
        debit: debit.unwrap_or(Citation::Live),
        credit: own.or(coded).unwrap_or(Citation::Live),
        request,
    })
}

fn transfer(
    composer: &Composer,
    sender: PartyId,
    (from, to): (PartyId, PartyId),
    legs: &[Leg],
    ways: Ways,
) -> Draft {
    let movement =
        Movement { from, to, legs: legs.to_vec(), debit: ways.debit, credit: ways.credit };
    let draft = composer.transfer(sender, movement);
    match ways.request {
        Some(request) => draft.answers(request),
        None => draft,
    }
}

async fn read_code(args: &Pay, session: &mut Session) -> Result<Option<ShopCode>, CliError> {
    let text = match (&args.qr, &args.qr_file) {
        (Some(text), _) => text.clone(),
        (None, Some(path)) => {
            let content = files::read_input(path, CODE_MAX)?;
            String::from_utf8_lossy(&content).into_owned()
        }
        (None, None) => return Ok(None),
    };
    let scheme = session.scheme().await?;
    ShopCode::parse(text.trim(), &scheme).map(Some).map_err(|error| {
        CliError::usage(error.code(), error.to_string()).next("scan the code again")
    })
}

async fn target(
    args: &Pay,
    code: Option<&ShopCode>,
    session: &mut Session,
) -> Result<PartyId, CliError> {
    match (code, &args.to) {
        (Some(code), _) => Ok(code.merchant),
        (None, Some(text)) => session.party(text).await,
        (None, None) => Err(CliError::usage("no_payee", "nobody to pay was named")),
    }
}

async fn legs(
    args: &Pay,
    code: Option<&ShopCode>,
    session: &mut Session,
) -> Result<Vec<Leg>, CliError> {
    let fixed = code.and_then(|code| code.leg);
    let (leg, amount) = match (fixed, &args.amount) {
        (Some(leg), None) => return Ok(vec![leg]),
        (None, None) => {
            let error = CliError::usage("no_amount", "this code names no amount");
            return Err(error.next("say how much with --amount"));
        }
        (leg, Some(amount)) => (leg, amount),
    };
    let Some(asked) = leg else {
        let sum = Sum { amount: amount.clone(), instrument: args.instrument.clone() };
        return Ok(vec![session.leg(&sum).await?]);
    };
    let (_, decimals) = session.instrument(Some(&asked.instrument.to_string())).await?;
    if parse_amount(amount, decimals)? == asked.amount {
        return Ok(vec![asked]);
    }
    let what = "the code asks for another amount than --amount says";
    Err(CliError::usage("amount_differs", what).next("leave --amount out to pay what it asks"))
}
