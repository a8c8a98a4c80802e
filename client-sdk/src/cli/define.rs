//! `musubi instrument define`: a new instrument's rules, as they are typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use musubi_sdk::{
    InstrumentId,
    ledger::instrument::{OnAccept, Regime, Shortfall, Terms, TransferRule, UseExpiry},
};

use super::{
    args::Signing, bounds::attribute_test, error::CliError, finish::Plan, party::evidence,
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
    /// Smallest step of every amount
    #[arg(long, value_name = "DECIMAL", default_value = "1")]
    step: String,
    /// Between whom holders may move it, besides spending it
    #[arg(long, value_enum, default_value = "none")]
    transfer: TransferArg,
    /// What a merchant that accepts it holds afterwards
    #[arg(long, value_enum, default_value = "claim")]
    on_accept: AcceptArg,
    /// Until when it can be spent: none, 180d after issue, or a last day such as 2027-03-31
    #[arg(long, value_name = "WHEN", default_value = "none", value_parser = parse_expiry)]
    expiry: UseExpiry,
    /// Days after that in which claims can still be redeemed
    #[arg(long, default_value_t = 60)]
    redemption_days: u16,
    /// What happens when a correction finds less than it must take
    #[arg(long, value_enum, default_value = "refuse")]
    shortfall: ShortfallArg,
    /// Most that one wallet may hold
    #[arg(long, value_name = "DECIMAL")]
    wallet_max: Option<String>,
    /// Most that one transfer between holders may move
    #[arg(long, value_name = "DECIMAL")]
    transfer_max: Option<String>,
    /// Who may hold it: resident=yes
    #[arg(long, value_name = "NAME=VALUES")]
    holders: Option<String>,
    /// Which merchants accept it: member=yes
    #[arg(long, value_name = "NAME=VALUES")]
    acceptors: Option<String>,
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

fn parse_expiry(text: &str) -> Result<UseExpiry, String> {
    if text == "none" {
        return Ok(UseExpiry::None);
    }
    match text.parse::<When>()? {
        When::At(end) => Ok(UseExpiry::At(end)),
        When::In(ms) => {
            let whole = ms % 86_400_000 == 0;
            let days = u16::try_from(ms / 86_400_000).ok().filter(|_| whole);
            days.map(UseExpiry::Days).ok_or_else(|| "expected whole days, at most 65535d".into())
        }
    }
}

pub(crate) async fn run(args: Define, session: &mut Session) -> Result<Report, CliError> {
    let (actor, officer) = session.actor_contact()?;
    let amount = |text: &String| parse_amount(text, args.decimals);
    let terms = Terms {
        issuer: session.party(&args.issuer).await?,
        regime: args.regime.into(),
        decimals: args.decimals,
        step: amount(&args.step)?,
        transfer: args.transfer.into(),
        on_accept: args.on_accept.into(),
        use_expiry: args.expiry,
        redemption_days: args.redemption_days,
        shortfall: args.shortfall.into(),
        wallet_max: args.wallet_max.as_ref().map(amount).transpose()?,
        transfer_max: args.transfer_max.as_ref().map(amount).transpose()?,
        holders: args.holders.as_deref().map(attribute_test).transpose()?,
        acceptors: args.acceptors.as_deref().map(attribute_test).transpose()?,
        document: evidence(&args.document)?,
    };
    let composer = session.composer().await?;
    let draft = composer.define_instrument(officer.party, args.instrument, terms);
    let done = format!("Opened {}.", args.instrument);
    Plan::new(draft, Some(&actor), done).run(session, &args.signing).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiries_are_days_or_a_date() {
        assert_eq!(parse_expiry("none"), Ok(UseExpiry::None));
        assert_eq!(parse_expiry("180d"), Ok(UseExpiry::Days(180)));
        assert!(matches!(parse_expiry("2027-03-31"), Ok(UseExpiry::At(_))));
        assert!(parse_expiry("12h").is_err());
        assert!(parse_expiry("99999d").is_err());
    }
}
