//! `musubi instrument define`: a new instrument's rules, as they are typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use musubi_sdk::{
    InstrumentId,
    ledger::{
        calendar::Span,
        instrument::{
            LateRefund, Limit, LimitOf, OnAccept, Priority, Regime, Shortfall, Terms, Tier,
            TransferRule, Validity,
        },
        time::Day,
    },
};

use super::{
    args::Signing, bounds::predicate, error::CliError, finish::Plan, party::evidence,
    session::Session, sums::parse_amount, table::Report, when::When,
};

#[derive(Debug, Args)]
pub(crate) struct Define {
    /// Its code: 1 to 16 of A-Z, 0-9 and -
    #[arg(value_name = "CODE")]
    instrument: InstrumentId,
    /// Who issues and redeems it
    #[arg(long, value_name = "NAME|ADDRESS")]
    issuer: String,
    /// Under which law it stands
    #[arg(long, value_enum)]
    regime: RegimeArg,
    /// Decimal places of its unit
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=8))]
    decimals: u8,
    /// Yen that one whole unit stands for; 0 for a counter
    #[arg(long, default_value_t = 1)]
    face: u32,
    /// Smallest step of every amount
    #[arg(long, value_name = "DECIMAL", default_value = "1")]
    step: String,
    /// Between whom holders may move it, besides spending it
    #[arg(long, value_enum, default_value = "none")]
    transfer: TransferArg,
    /// What a merchant that accepts it holds afterwards
    #[arg(long, value_enum, default_value = "claim")]
    on_accept: AcceptArg,
    /// Until when it can be spent: none, 180d or 6mo after issue, sliding:730d after its holder last used any, or a last
    /// day such as 2027-03-31
    #[arg(long, value_name = "WHEN", default_value = "none", value_parser = parse_validity)]
    expiry: Validity,
    /// The first day on which it can be spent [default: at once]
    #[arg(long, value_name = "DATE")]
    begins: Option<Day>,
    /// Days after that in which claims can still be redeemed
    #[arg(long, default_value_t = 60)]
    redemption_days: u16,
    /// What a refund gives back of value that expired meanwhile: nothing, or the same for so many days
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=60))]
    late_refund_days: u16,
    /// What happens when a correction finds less than it must take
    #[arg(long, value_enum, default_value = "refuse")]
    shortfall: ShortfallArg,
    /// A limit, as often as needed: wallet, transfer, transfers-per-month, purchase or purchases-per-day, and the most; for
    /// some alone with their condition behind it, as in transfer=100000@identity=phone
    #[arg(long, value_name = "KIND=DECIMAL[@CONDITION]")]
    limit: Vec<String>,
    /// Most that may be issued in all
    #[arg(long, value_name = "DECIMAL")]
    supply_max: Option<String>,
    /// What is spent first of what expires together, the smaller first: of free value, of grants, of paid value
    #[arg(long, value_name = "FREE,GRANT,PAID", default_value = "10,20,30", value_parser = parse_priority)]
    priority: Priority,
    /// Who may hold it: resident=yes, lives=here|works=here, area=north,south&!barred=yes
    #[arg(long, value_name = "CONDITION")]
    holders: Option<String>,
    /// Which merchants accept it: member=yes
    #[arg(long, value_name = "CONDITION")]
    acceptors: Option<String>,
    /// A named threshold of a balance, as often as needed: silver=1000
    #[arg(long, value_name = "NAME=DECIMAL")]
    tier: Vec<String>,
    /// Define it as a draft, to be opened by `musubi instrument change`
    #[arg(long)]
    draft: bool,
    /// The published terms, of which the hash is recorded
    #[arg(long, value_name = "FILE")]
    document: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

/// Gives an enum of the ledger its command-line face.
macro_rules! face {
    ($(#[$doc:meta])* $name:ident for $target:ident { $( $(#[$about:meta])* $variant:ident ),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
        pub(crate) enum $name {
            $( $(#[$about])* $variant, )+
        }

        impl From<$name> for $target {
            fn from(face: $name) -> Self {
                match face {
                    $( $name::$variant => Self::$variant, )+
                }
            }
        }
    };
}

face!(
    /// Regimes under the Payment Services Act (資金決済法).
    RegimeArg for Regime {
        /// Issued by a public body
        Public,
        /// Usable for less than six months
        SixMonth,
        /// Third-party prepaid instrument
        PrepaidThird,
        /// Own prepaid instrument
        PrepaidOwn,
        /// Given without consideration
        Free,
        /// Funds transfer
        FundsTransfer,
        /// A counter without value
        Counter,
    }
);
face!(
    /// Between whom it may move.
    TransferArg for TransferRule {
        /// Nobody
        None,
        /// Between groups and persons
        WithGroups,
        /// Between any persons and groups
        PeerToPeer,
    }
);
face!(
    /// What a merchant holds afterwards.
    AcceptArg for OnAccept {
        /// A claim, to be redeemed
        Claim,
        /// The same value, to spend again
        Keep,
        /// The same value, valid as if just issued
        Renew,
    }
);
face!(
    /// What a shortfall does.
    ShortfallArg for Shortfall {
        /// The correction is rejected
        Refuse,
        /// The holder owes it
        Receivable,
        /// The issuer bears it
        IssuerBears,
    }
);

/// Reads `180d` or `6mo`.
fn parse_span(text: &str) -> Option<Span> {
    let (digits, span): (&str, fn(u16) -> Span) = match text.strip_suffix("mo") {
        Some(digits) => (digits, Span::Months),
        None => (text.strip_suffix('d')?, Span::Days),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let span = span(plain.then(|| digits.parse().ok()).flatten()?);
    span.well_formed().then_some(span)
}

fn parse_validity(text: &str) -> Result<Validity, String> {
    let help = "expected none, 180d, 6mo, sliding:730d, or a last day such as 2027-03-31";
    if text == "none" {
        return Ok(Validity::None);
    }
    if let Some(span) = text.strip_prefix("sliding:") {
        return parse_span(span).map(Validity::Sliding).ok_or_else(|| help.into());
    }
    match (parse_span(text), text.parse::<When>()) {
        (Some(span), _) => Ok(Validity::After(span)),
        (None, Ok(When::At(end))) => Ok(Validity::At(end)),
        _ => Err(help.into()),
    }
}

fn parse_priority(text: &str) -> Result<Priority, String> {
    let numbers: Vec<u8> = text.split(',').filter_map(|part| part.parse().ok()).collect();
    match numbers.as_slice() {
        &[free, grant, paid] if text.split(',').count() == 3 => Ok(Priority { free, grant, paid }),
        _ => Err("expected three numbers up to 255: 10,20,30".into()),
    }
}

/// Reads `transfer=100000@identity=phone`.
fn parse_limit(text: &str, decimals: u8) -> Result<Limit, CliError> {
    let wrong = || {
        let what = format!("`{text}` is no limit");
        CliError::usage("bad_limit", what).next("write it like transfer=100000@identity=phone")
    };
    let (kind, rest) = text.split_once('=').ok_or_else(wrong)?;
    let of = match kind {
        "wallet" => LimitOf::Wallet,
        "transfer" => LimitOf::Transfer,
        "transfers-per-month" => LimitOf::TransfersPerMonth,
        "purchase" => LimitOf::Purchase,
        "purchases-per-day" => LimitOf::PurchasesPerDay,
        _ => return Err(wrong()),
    };
    let (most, who) = match rest.split_once('@') {
        Some((most, condition)) => (most, Some(predicate(condition)?)),
        None => (rest, None),
    };
    Ok(Limit { who, ..Limit::for_all(of, parse_amount(most, decimals)?) })
}

/// Reads `silver=1000`.
fn parse_tier(text: &str, decimals: u8) -> Result<Tier, CliError> {
    let wrong = || {
        CliError::usage("bad_tier", format!("`{text}` is no tier"))
            .next("write it like silver=1000")
    };
    let (name, from) = text.split_once('=').ok_or_else(wrong)?;
    Ok(Tier { from: parse_amount(from, decimals)?, name: name.into() })
}

pub(crate) async fn run(args: Define, session: &mut Session) -> Result<Report, CliError> {
    let (actor, officer) = session.actor_contact()?;
    let amount = |text: &String| parse_amount(text, args.decimals);
    let terms = Terms {
        issuer: session.party(&args.issuer).await?,
        regime: args.regime.into(),
        decimals: args.decimals,
        face: args.face,
        step: amount(&args.step)?,
        transfer: args.transfer.into(),
        on_accept: args.on_accept.into(),
        begins: args.begins.map(Day::begin),
        validity: args.expiry,
        redemption_days: args.redemption_days,
        limits: args
            .limit
            .iter()
            .map(|text| parse_limit(text, args.decimals))
            .collect::<Result<_, _>>()?,
        late_refund: match args.late_refund_days {
            0 => LateRefund::ExpireAtOnce,
            days => LateRefund::Grace(days),
        },
        shortfall: args.shortfall.into(),
        supply_max: args.supply_max.as_ref().map(amount).transpose()?,
        priority: args.priority,
        holders: args.holders.as_deref().map(predicate).transpose()?,
        acceptors: args.acceptors.as_deref().map(predicate).transpose()?,
        tiers: args
            .tier
            .iter()
            .map(|text| parse_tier(text, args.decimals))
            .collect::<Result<_, _>>()?,
        document: evidence(&args.document)?,
    };
    let composer = session.composer().await?;
    let draft = composer.define_instrument(officer.party, args.instrument, terms, !args.draft);
    let done = match args.draft {
        true => format!("Defined {} as a draft.", args.instrument),
        false => format!("Opened {}.", args.instrument),
    };
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validities_are_spans_or_a_date() {
        assert_eq!(parse_validity("none"), Ok(Validity::None));
        assert_eq!(parse_validity("180d"), Ok(Validity::After(Span::Days(180))));
        assert_eq!(parse_validity("6mo"), Ok(Validity::After(Span::Months(6))));
        assert_eq!(parse_validity("sliding:730d"), Ok(Validity::Sliding(Span::Days(730))));
        assert!(matches!(parse_validity("2027-03-31"), Ok(Validity::At(_))));
        for bad in ["12h", "99999d", "0d", "6m", "sliding:2027-03-31", "d", "+6mo"] {
            assert!(parse_validity(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_are_for_all_or_for_some() {
        let all = parse_limit("wallet=1000", 0).map_err(|error| error.to_string());
        assert_eq!(all, Ok(Limit::for_all(LimitOf::Wallet, musubi_sdk::Amount(1_000))));
        let some = parse_limit("transfers-per-month=300000@identity=phone", 0);
        let some = some.map_err(|error| error.to_string());
        assert!(some.is_ok_and(|limit| limit.who.is_some()));
        assert!(parse_limit("often=3", 0).is_err() && parse_limit("wallet", 0).is_err());
        assert!(parse_priority("1,2,3").is_ok() && parse_priority("1,2,x").is_err());
    }
}
