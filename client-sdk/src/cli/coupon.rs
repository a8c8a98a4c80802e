//! Coupons: what `musubi pay --coupon` uses, and `musubi offer quote`.

use clap::Args;
use musubi_sdk::{
    Amount, PartyId, SecretKey, TxId,
    ledger::{
        offer::Gives,
        operation::{Pay, PayWithCoupons, UseCoupon},
    },
};

use super::{
    error::CliError,
    offer::{Shows, showing},
    session::Session,
    sums::parse_amount,
    table::{self, Report},
};

/// What a coupon would take off.
#[derive(Debug, Args)]
pub(crate) struct QuoteArgs {
    /// The offer that it is of
    #[arg(value_name = "NAME|ID")]
    offer: String,
    /// The shop
    #[arg(long, value_name = "NAME|ADDRESS")]
    at: String,
    /// Who would use it [default: the acting identity's party]
    #[arg(long = "for", value_name = "NAME|ADDRESS")]
    payer: Option<String>,
    /// The price before it, in the instrument's own unit
    #[arg(long, value_name = "DECIMAL")]
    price: String,
}

/// Asks a node.
pub(crate) async fn quote(args: QuoteArgs, session: &mut Session) -> Result<Report, CliError> {
    let offer = session.book().transaction(&args.offer)?;
    let payer = session.party_or_own(args.payer.as_deref()).await?;
    let shop = session.party(&args.at).await?;
    let (_, decimals, _) = coupon_of(offer, session).await?;
    let gross = parse_amount(&args.price, decimals)?;
    let quote = session.client()?.quote(offer, (payer, shop), gross).await?;
    let amount = |of| table::amount(of, decimals);
    let text = match (quote.code, quote.sponsor) {
        (Some(code), _) => format!("It cannot be used there: {}", code.sentence()),
        (None, None) => {
            format!("{} off, {} to pay", amount(quote.discount), amount(quote.pays))
        }
        (None, Some(by)) => format!(
            "{} off, {} to pay; {} adds the rest for the shop",
            amount(quote.discount),
            amount(quote.pays),
            session.name(&by)
        ),
    };
    Report::new(&quote, text)
}

/// A coupon's terms with the decimal places and the step of its unit.
async fn coupon_of(
    offer: TxId,
    session: &mut Session,
) -> Result<(musubi_sdk::ledger::offer::Coupon, u8, (Amount, PartyId)), CliError> {
    let terms = session.client()?.offer(offer).await?.offer.terms;
    let Gives::Coupon(coupon) = terms.gives else {
        let what = format!("offer {offer} is of no coupon");
        return Err(CliError::usage("no_coupon", what).next("`musubi offer list` shows which are"));
    };
    let unit = session.client()?.instrument(coupon.instrument).await?.instrument.terms;
    Ok((coupon, unit.decimals, (unit.step, terms.issuer)))
}

/// A payment of `pay.amount` less what coupons take off it, and the keys of codes that are shown. Each is an offer by name or id, with what is
/// shown behind a colon: `tenth`, `visit:event=2026-7`, `card:code=K7QM`, `prize:right=ID`.
pub(crate) async fn with_coupons(
    texts: &[String],
    pay: Pay,
    session: &mut Session,
) -> Result<(PayWithCoupons, Vec<SecretKey>), CliError> {
    let (gross, mut left) = (pay.amount, pay.amount);
    let (mut coupons, mut keys) = (Vec::new(), Vec::new());
    for text in texts {
        let (name, shown) =
            text.split_once(':').map_or((text.as_str(), None), |(name, shown)| (name, Some(shown)));
        let offer = session.book().transaction(name)?;
        let (coupon, _, (step, issuer)) = coupon_of(offer, session).await?;
        let shows = match shown.map(|shown| shown.split_once('=').unwrap_or((shown, ""))) {
            None => None,
            Some(("event", event)) => Some(Shows::Event(event)),
            Some(("right", right)) => Some(Shows::Right(right)),
            Some(("code", code)) => Some(Shows::Code(code)),
            Some(_) => {
                let what = format!("`{text}` does not say what is shown");
                let next = "behind the colon stands event=REFERENCE, code=CODE or right=ID";
                return Err(CliError::usage("bad_coupon", what).next(next));
            }
        };
        let (showing, key) = showing(shows, (&offer, &issuer), session)?;
        keys.extend(key);
        let discount = coupon.takes_off(gross, step).unwrap_or(gross);
        left = left.checked_sub(discount).unwrap_or_default();
        coupons.push(UseCoupon { offer, showing });
    }
    if left.is_zero() {
        let what = "these coupons leave nothing to pay";
        return Err(CliError::usage("nothing_left", what).next("use fewer of them"));
    }
    Ok((PayWithCoupons { pay: Pay { amount: left, ..pay }, gross, coupons }, keys))
}
