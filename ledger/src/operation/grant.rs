//! Operations that grant: mandates, allowances, instruments, media.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    id::{DocumentHash, InstrumentId, MediumId, PartyId},
    instrument::{InstrumentChange, Terms},
    keys::PublicKey,
    mandate::MandateTerms,
    time::Time,
};

/// A grantor's consent in advance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantMandate {
    /// Whose consent it is.
    pub grantor: PartyId,
    /// Its bounds.
    pub terms: MandateTerms,
}

/// An issuer's right to issue, granted by two persons of two organisations.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantAllowance {
    /// What may be issued; its issuer is the one allowed.
    pub instrument: InstrumentId,
    /// The issuer's automated key that acts.
    pub key: PublicKey,
    /// In all.
    pub total: Amount,
    /// Into one wallet, in all.
    pub per_wallet: Amount,
    /// On one JST day, over all wallets.
    pub per_day: Amount,
    /// Exclusive end.
    pub end: Time,
}

/// A new instrument.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefineInstrument {
    /// Its code.
    pub instrument: InstrumentId,
    /// Its rules.
    pub terms: Terms,
    /// Whether it is open from now on; a draft if not.
    pub open: bool,
}

/// A change of an instrument after it was defined.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeInstrument {
    /// Which.
    pub instrument: InstrumentId,
    /// What changes.
    pub change: InstrumentChange,
    /// Hash of the public notice or decision behind it.
    pub notice: DocumentHash,
}

/// A medium for a holder, with the consents that come with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolMedium {
    /// The medium.
    pub medium: MediumId,
    /// Whose it is.
    pub party: PartyId,
    /// The holder's registrar, whose officers attest.
    pub registrar: PartyId,
    /// What it may pay: becomes a debit mandate usable through this medium alone.
    pub debit: Option<MandateTerms>,
    /// What it may receive: becomes a credit mandate.
    pub credit: Option<MandateTerms>,
    /// Hash of the signed application or other evidence.
    pub evidence: DocumentHash,
}
