//! Argument types that several commands share.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum};
use musubi_sdk::{PartyId, PartyKind, Purpose, Reference, Role, TxId};

use super::{error::CliError, session::Session};

/// Everything about signing and sending, the same in every command that does.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Signing {
    /// Sign with this local identity too; repeat for several keys on this device
    #[arg(long = "sign", value_name = "NAME[:ROLE[:PARTY]]", help_heading = "Signing")]
    pub(crate) sign: Vec<SignSpec>,
    /// Sign without asking
    #[arg(long, short = 'y', help_heading = "Signing")]
    pub(crate) yes: bool,
    /// Do not submit, even if nobody is missing: hand over a half-signed file
    #[arg(long, help_heading = "Signing")]
    pub(crate) no_submit: bool,
    /// Where a half-signed transaction is written [default: ID.musubi in the home's outbox]
    #[arg(long, value_name = "FILE", help_heading = "Signing")]
    pub(crate) out: Option<PathBuf>,
    /// Remember the transaction, and what it creates, under this name
    #[arg(long, value_name = "NAME", help_heading = "Signing")]
    pub(crate) save_as: Option<String>,
    /// Your own name for this intent: a second transaction under it is refused
    #[arg(long, value_name = "TEXT", help_heading = "Signing")]
    pub(crate) reference: Option<Reference>,
}

/// Who signs, and in which capacity where that is not obvious.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SignSpec {
    /// A local identity.
    pub(crate) name: String,
    /// The role, if one can act in several.
    pub(crate) role: Option<Role>,
    /// The party acted for, if the operation does not tell.
    pub(crate) party: Option<String>,
}

impl SignSpec {
    /// Somebody in whatever role fits.
    pub(crate) fn plain(name: &str) -> Self {
        Self { name: name.into(), role: None, party: None }
    }
}

impl FromStr for SignSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let name = parts.next().filter(|name| !name.is_empty());
        let name = name.ok_or("expected NAME, NAME:ROLE or NAME:ROLE:PARTY")?;
        let role = parts.next().map(parse_role).transpose()?;
        let party = parts.next().map(ToOwned::to_owned);
        Ok(Self { name: name.into(), role, party })
    }
}

const ROLES: [(&str, Role); 10] = [
    ("holder", Role::Holder),
    ("drafter", Role::Drafter),
    ("approver", Role::Approver),
    ("representative", Role::Representative),
    ("officer", Role::Officer),
    ("issuer", Role::Issuer),
    ("terminal", Role::Terminal),
    ("funder", Role::Funder),
    ("governance", Role::Governance),
    ("code", Role::Code),
];

/// Reads a role's name.
pub(crate) fn parse_role(text: &str) -> Result<Role, String> {
    let found = ROLES.iter().find(|(name, _)| *name == text);
    found.map(|(_, role)| *role).ok_or_else(|| {
        let names = ROLES.map(|(name, _)| name).join(", ");
        format!("`{text}` is no role; there are {names}")
    })
}

/// A role's name.
pub(crate) fn role_name(role: Role) -> &'static str {
    let found = ROLES.iter().find(|(_, known)| *known == role);
    found.map_or("signer", |(name, _)| name)
}

/// How much of what.
#[derive(Clone, Debug, Args)]
pub(crate) struct Sum {
    /// How much, in the instrument's own unit: 500, or 12.50
    #[arg(long, value_name = "DECIMAL")]
    pub(crate) amount: String,
    /// Of which instrument [default: the profile's, or the only one there is]
    #[arg(long, value_name = "CODE")]
    pub(crate) instrument: Option<String>,
}

/// Units of an offer, and for whom.
#[derive(Clone, Debug, Args)]
pub(crate) struct Units {
    /// The offer
    #[arg(value_name = "NAME|ID")]
    offer: String,
    /// For whom, a group, say [default: the acting identity's party]
    #[arg(long = "for", value_name = "NAME|ADDRESS")]
    to: Option<String>,
    /// How many units
    #[arg(long, default_value_t = 1)]
    pub(crate) units: u32,
}

impl Units {
    /// The offer, and for whom, which is `own` unless another was said.
    pub(crate) async fn find(
        &self,
        session: &mut Session,
        own: PartyId,
    ) -> Result<(TxId, PartyId), CliError> {
        let offer = session.book().transaction(&self.offer)?;
        Ok((offer, session.party_or(self.to.as_deref(), own).await?))
    }
}

/// Kinds that a registrar can add.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum KindArg {
    /// One identified human
    Person,
    /// A group
    Group,
    /// A shop
    Merchant,
    /// Issues and redeems instruments
    Issuer,
    /// Attests who is who
    Registrar,
    /// An organisation that runs nodes
    Operator,
    /// A system outside
    External,
}

impl From<KindArg> for PartyKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Person => Self::Person,
            KindArg::Group => Self::Group,
            KindArg::Merchant => Self::Merchant,
            KindArg::Issuer => Self::Issuer,
            KindArg::Registrar => Self::Registrar,
            KindArg::Operator => Self::Operator,
            KindArg::External => Self::External,
        }
    }
}

/// What a payment is for: a name from the reports' vocabulary, or a scheme's own number.
pub(crate) fn parse_purpose(text: &str) -> Result<Purpose, String> {
    let named = [
        ("none", Purpose::NONE),
        ("purchase", Purpose::PURCHASE),
        ("dues", Purpose::DUES),
        ("reward", Purpose::REWARD),
        ("expense", Purpose::EXPENSE),
        ("participation", Purpose::PARTICIPATION),
        ("grant", Purpose::GRANT),
        ("donation", Purpose::DONATION),
    ];
    if let Some((_, purpose)) = named.iter().find(|(name, _)| *name == text) {
        return Ok(*purpose);
    }
    text.parse().map(Purpose).map_err(|_| {
        let names = named.map(|(name, _)| name).join(", ");
        format!("expected {names}, or a number of the scheme's own")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn signers_carry_role_and_party_where_needed() {
        let spec = |text: &str| text.parse::<SignSpec>();
        assert_eq!(spec("hanako"), Ok(SignSpec::plain("hanako")));
        let officer = spec("sato:officer:city").unwrap();
        assert_eq!(officer.role, Some(Role::Officer));
        assert_eq!(officer.party.as_deref(), Some("city"));
        assert!(spec(":officer").is_err());
        assert!(spec("sato:boss").unwrap_err().contains("representative"));
        assert_eq!(role_name(Role::Terminal), "terminal");
    }

    #[test]
    fn purposes_have_names_and_numbers() {
        assert_eq!(parse_purpose("dues"), Ok(Purpose::DUES));
        assert_eq!(parse_purpose("1004"), Ok(Purpose(1004)));
        assert!(parse_purpose("70000").is_err());
        assert!(parse_purpose("fun").is_err());
    }
}
