//! Keys of the state's rows, and the bytes under which storage keeps them.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    codec,
    id::{DocumentHash, InstrumentId, MediumId, PartyId, PersonTag, Reference, RuleId, TxId},
    instrument::LimitOf,
    keys::PublicKey,
    limits::INSTRUMENT_CODE_BYTES,
    lot::Lot,
    rule::{
        Trigger,
        cap::{Scope, Subject},
    },
    time::Time,
};

/// What becomes due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum DueKind {
    /// A proposal expires.
    Proposal = 0,
    /// A payment request expires.
    Request = 1,
    /// A redemption's hold times out.
    Redemption = 2,
    /// A recovery takes effect.
    Recovery = 3,
    /// A group's successors take office.
    Successors = 4,
    /// Lots of a wallet expire.
    Lots = 5,
    /// A hold times out.
    Hold = 6,
    /// Claims of a wallet lapse.
    Claims = 7,
}

/// A table of the state: the first byte of a row's storage key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "one table per variant of RowKey, documented there")]
pub enum Table {
    Meta = 0,
    Party = 1,
    Key = 2,
    Person = 3,
    Wallet = 4,
    Group = 5,
    Medium = 6,
    Instrument = 7,
    Supply = 8,
    Allowance = 9,
    AllowanceUse = 10,
    Mandate = 11,
    MandateUse = 12,
    Request = 13,
    Proposal = 14,
    Redemption = 15,
    Receivable = 16,
    Funding = 17,
    Reference = 18,
    Judged = 19,
    Due = 20,
    Policy = 21,
    Epoch = 22,
    Totals = 23,
    LimitUse = 24,
    Rule = 25,
    RuleBook = 26,
    RuleUse = 27,
    Run = 28,
    RunLines = 29,
    RunWaiting = 30,
    Offer = 34,
    OfferUse = 35,
    Entitlement = 36,
    Draw = 37,
    Document = 40,
    Documented = 41,
    Hold = 43,
    Settlement = 44,
    Coupons = 48,
    Child = 60,
}

impl Table {
    /// Every table, by number.
    pub const ALL: [Self; 41] = [
        Self::Meta,
        Self::Party,
        Self::Key,
        Self::Person,
        Self::Wallet,
        Self::Group,
        Self::Medium,
        Self::Instrument,
        Self::Supply,
        Self::Allowance,
        Self::AllowanceUse,
        Self::Mandate,
        Self::MandateUse,
        Self::Request,
        Self::Proposal,
        Self::Redemption,
        Self::Receivable,
        Self::Funding,
        Self::Reference,
        Self::Judged,
        Self::Due,
        Self::Policy,
        Self::Epoch,
        Self::Totals,
        Self::LimitUse,
        Self::Rule,
        Self::RuleBook,
        Self::RuleUse,
        Self::Run,
        Self::RunLines,
        Self::RunWaiting,
        Self::Offer,
        Self::OfferUse,
        Self::Entitlement,
        Self::Draw,
        Self::Document,
        Self::Documented,
        Self::Hold,
        Self::Settlement,
        Self::Coupons,
        Self::Child,
    ];
}

/// The key of one row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RowKey {
    /// The one row about the state as a whole.
    Meta,
    /// A party.
    Party(PartyId),
    /// A key, to whom it belongs.
    Key(PublicKey),
    /// A person tag, to whom it belongs.
    Person(PersonTag),
    /// A party's wallet.
    Wallet(PartyId),
    /// A group, beside its party.
    Group(PartyId),
    /// A medium.
    Medium(MediumId),
    /// An instrument.
    Instrument(InstrumentId),
    /// How much of a lot was issued and burnt.
    Supply(Lot),
    /// An allowance.
    Allowance(TxId),
    /// How much of an allowance one wallet got.
    AllowanceUse(TxId, PartyId),
    /// A mandate.
    Mandate(TxId),
    /// How much of a mandate one counterparty took part in.
    MandateUse(TxId, PartyId),
    /// A payment request.
    Request(TxId),
    /// A proposal.
    Proposal(TxId),
    /// A redemption.
    Redemption(TxId),
    /// What a party owes the issuer of an instrument.
    Receivable(PartyId, InstrumentId),
    /// An outside payment that an issuer has used.
    Funding(PartyId, DocumentHash),
    /// What id a sender's reference is bound to.
    Reference(PartyId, Reference),
    /// The verdict on an id.
    Judged(TxId),
    /// Something that becomes due.
    Due(Time, DueKind, [u8; 32]),
    /// A witness policy by its number.
    Policy(u32),
    /// An epoch that a recovery began, by its number.
    Epoch(u32),
    /// What came and went of an instrument.
    Totals(InstrumentId),
    /// What a party has used of a limit that counts by period.
    LimitUse(PartyId, LimitOf, InstrumentId),
    /// A rule.
    Rule(RuleId),
    /// An instrument's rules for one trigger that may still give.
    RuleBook(InstrumentId, Trigger),
    /// What one subject has got by a rule.
    RuleUse(RuleId, Scope, Subject),
    /// A run.
    Run(TxId),
    /// What became of some of a run's lines, by their number divided by how many stand in a row.
    RunLines(TxId, u32),
    /// A line's entitlement, whose party is not on the ledger yet.
    RunWaiting(PartyId, TxId, u32),
    /// An offer.
    Offer(TxId),
    /// How many units of an offer one subject has taken.
    OfferUse(TxId, Scope, Subject),
    /// A right to take of an offer.
    Entitlement(TxId),
    /// Where a lottery stands, by its offer.
    Draw(TxId),
    /// A document, by its issuer and number.
    Document(PartyId, Reference),
    /// The number of the document that counts for a payment, by its issuer.
    Documented(TxId, PartyId),
    /// Value that waits.
    Hold(TxId),
    /// A settlement.
    Settlement(TxId),
    /// The coupons that a payment used.
    Coupons(TxId),
    /// A body's group, by both: says no more than the group's own row, from the other side.
    Child(PartyId, PartyId),
}

impl RowKey {
    /// The table this key is in.
    #[must_use]
    pub fn table(&self) -> Table {
        match self {
            Self::Meta => Table::Meta,
            Self::Party(_) => Table::Party,
            Self::Key(_) => Table::Key,
            Self::Person(_) => Table::Person,
            Self::Wallet(_) => Table::Wallet,
            Self::Group(_) => Table::Group,
            Self::Medium(_) => Table::Medium,
            Self::Instrument(_) => Table::Instrument,
            Self::Supply(_) => Table::Supply,
            Self::Allowance(_) => Table::Allowance,
            Self::AllowanceUse(..) => Table::AllowanceUse,
            Self::Mandate(_) => Table::Mandate,
            Self::MandateUse(..) => Table::MandateUse,
            Self::Request(_) => Table::Request,
            Self::Proposal(_) => Table::Proposal,
            Self::Redemption(_) => Table::Redemption,
            Self::Receivable(..) => Table::Receivable,
            Self::Funding(..) => Table::Funding,
            Self::Reference(..) => Table::Reference,
            Self::Judged(_) => Table::Judged,
            Self::Due(..) => Table::Due,
            Self::Policy(_) => Table::Policy,
            Self::Epoch(_) => Table::Epoch,
            Self::Totals(_) => Table::Totals,
            Self::LimitUse(..) => Table::LimitUse,
            Self::Rule(_) => Table::Rule,
            Self::RuleBook(..) => Table::RuleBook,
            Self::RuleUse(..) => Table::RuleUse,
            Self::Run(_) => Table::Run,
            Self::RunLines(..) => Table::RunLines,
            Self::RunWaiting(..) => Table::RunWaiting,
            Self::Offer(_) => Table::Offer,
            Self::OfferUse(..) => Table::OfferUse,
            Self::Entitlement(_) => Table::Entitlement,
            Self::Draw(_) => Table::Draw,
            Self::Document(..) => Table::Document,
            Self::Documented(..) => Table::Documented,
            Self::Hold(_) => Table::Hold,
            Self::Settlement(_) => Table::Settlement,
            Self::Coupons(_) => Table::Coupons,
            Self::Child(..) => Table::Child,
        }
    }

    /// The storage key: table byte, then the parts as they are; times big-endian, so that byte order
    /// is (deadline, kind, id) order. At most one part per key varies in length, and it comes last.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + 32 + 16);
        bytes.push(self.table() as u8);
        match self {
            Self::Meta => {}
            Self::Policy(number) | Self::Epoch(number) => bytes.extend(number.to_be_bytes()),
            Self::Party(id) | Self::Wallet(id) | Self::Group(id) => bytes.extend(id.0),
            Self::Key(key) => bytes.extend(key.0),
            Self::Person(tag) => bytes.extend(tag.0),
            Self::Medium(id) => bytes.extend(id.0),
            Self::Instrument(id) | Self::Totals(id) => bytes.extend(id.bytes()),
            Self::Supply(lot) => bytes.extend(codec::encode(lot)),
            Self::Allowance(id)
            | Self::Mandate(id)
            | Self::Request(id)
            | Self::Proposal(id)
            | Self::Redemption(id)
            | Self::Hold(id)
            | Self::Settlement(id)
            | Self::Coupons(id)
            | Self::Judged(id)
            | Self::Offer(id)
            | Self::Entitlement(id)
            | Self::Draw(id)
            | Self::Run(id) => bytes.extend(id.0),
            Self::RunLines(run, part) => {
                bytes.extend(run.0);
                bytes.extend(part.to_be_bytes());
            }
            Self::RunWaiting(party, run, index) => {
                bytes.extend(party.0);
                bytes.extend(run.0);
                bytes.extend(index.to_be_bytes());
            }
            Self::AllowanceUse(id, party)
            | Self::MandateUse(id, party)
            | Self::Documented(id, party) => {
                bytes.extend(id.0);
                bytes.extend(party.0);
            }
            Self::Child(body, group) => {
                bytes.extend(body.0);
                bytes.extend(group.0);
            }
            Self::Receivable(party, instrument) => {
                bytes.extend(party.0);
                bytes.extend(instrument.bytes());
            }
            Self::LimitUse(party, of, instrument) => {
                bytes.extend(party.0);
                bytes.push(*of as u8);
                bytes.extend(instrument.bytes());
            }
            Self::Rule(id) => {
                bytes.extend(id.instrument.bytes());
                bytes.extend(id.number.to_be_bytes());
            }
            Self::RuleBook(instrument, trigger) => {
                bytes.extend(instrument.bytes());
                bytes.push(*trigger as u8);
            }
            Self::RuleUse(id, scope, subject) => {
                bytes.extend(id.instrument.bytes());
                bytes.extend(id.number.to_be_bytes());
                bytes.push(*scope as u8);
                bytes.extend(subject.0);
            }
            Self::OfferUse(id, scope, subject) => {
                bytes.extend(id.0);
                bytes.push(*scope as u8);
                bytes.extend(subject.0);
            }
            Self::Funding(party, hash) => {
                bytes.extend(party.0);
                bytes.extend(hash.0);
            }
            Self::Reference(party, reference) | Self::Document(party, reference) => {
                bytes.extend(party.0);
                bytes.extend(reference.as_str().as_bytes());
            }
            Self::Due(time, kind, id) => {
                bytes.extend(time.0.to_be_bytes());
                bytes.push(*kind as u8);
                bytes.extend(id);
            }
        }
        bytes
    }

    /// Reads a key back from what [`RowKey::to_bytes`] gave; `None` if they are no such bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&table, rest) = bytes.split_first()?;
        let key = match table {
            0 => Self::Meta,
            1 => Self::Party(part(rest)?),
            2 => Self::Key(part(rest)?),
            3 => Self::Person(part(rest)?),
            4 => Self::Wallet(part(rest)?),
            5 => Self::Group(part(rest)?),
            6 => Self::Medium(part(rest)?),
            7 => Self::Instrument(part(rest)?),
            8 => Self::Supply(part(rest)?),
            9 => Self::Allowance(part(rest)?),
            10 => pair(rest, 32, Self::AllowanceUse)?,
            11 => Self::Mandate(part(rest)?),
            12 => pair(rest, 32, Self::MandateUse)?,
            13 => Self::Request(part(rest)?),
            14 => Self::Proposal(part(rest)?),
            15 => Self::Redemption(part(rest)?),
            16 => pair(rest, 16, Self::Receivable)?,
            17 => pair(rest, 16, Self::Funding)?,
            18 => named(rest, Self::Reference)?,
            19 => Self::Judged(part(rest)?),
            21 => Self::Policy(u32::from_be_bytes(rest.try_into().ok()?)),
            22 => Self::Epoch(u32::from_be_bytes(rest.try_into().ok()?)),
            23 => Self::Totals(part(rest)?),
            24 => {
                let (party, rest) = rest.split_at_checked(16)?;
                let (&of, instrument) = rest.split_first()?;
                let of = LimitOf::ALL.into_iter().find(|limit| *limit as u8 == of)?;
                Self::LimitUse(part(party)?, of, part(instrument)?)
            }
            25 => Self::Rule(rule(rest)?),
            26 => {
                let (instrument, trigger) = rest.split_at_checked(INSTRUMENT_CODE_BYTES)?;
                let of = |t: &Trigger| trigger == [*t as u8];
                Self::RuleBook(part(instrument)?, Trigger::ALL.into_iter().find(of)?)
            }
            27 => {
                let (id, rest) = rest.split_at_checked(INSTRUMENT_CODE_BYTES + 2)?;
                let (&scope, subject) = rest.split_first()?;
                let scope = Scope::ALL.into_iter().find(|s| *s as u8 == scope)?;
                Self::RuleUse(rule(id)?, scope, Subject(subject.try_into().ok()?))
            }
            28 => Self::Run(part(rest)?),
            29 => {
                let (run, row) = rest.split_at_checked(32)?;
                Self::RunLines(part(run)?, u32::from_be_bytes(row.try_into().ok()?))
            }
            30 => {
                let (party, rest) = rest.split_at_checked(16)?;
                let (run, index) = rest.split_at_checked(32)?;
                let index = u32::from_be_bytes(index.try_into().ok()?);
                Self::RunWaiting(part(party)?, part(run)?, index)
            }
            34 => Self::Offer(part(rest)?),
            35 => {
                let (id, rest) = rest.split_at_checked(32)?;
                let (&scope, subject) = rest.split_first()?;
                let scope = Scope::ALL.into_iter().find(|s| *s as u8 == scope)?;
                Self::OfferUse(part(id)?, scope, Subject(subject.try_into().ok()?))
            }
            36 => Self::Entitlement(part(rest)?),
            37 => Self::Draw(part(rest)?),
            40 => named(rest, Self::Document)?,
            41 => pair(rest, 32, Self::Documented)?,
            43 => Self::Hold(part(rest)?),
            44 => Self::Settlement(part(rest)?),
            48 => Self::Coupons(part(rest)?),
            60 => pair(rest, 16, Self::Child)?,
            _ => Self::due_from_bytes(bytes)?,
        };
        // One key, one spelling.
        (key.to_bytes() == bytes).then_some(key)
    }

    /// Reads the key of a due row back from its storage bytes; `None` if they are none.
    #[must_use]
    pub fn due_from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&table, rest) = bytes.split_first()?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let (&kind, id) = rest.split_first()?;
        let kind = match kind {
            0 => DueKind::Proposal,
            1 => DueKind::Request,
            2 => DueKind::Redemption,
            3 => DueKind::Recovery,
            4 => DueKind::Successors,
            5 => DueKind::Lots,
            6 => DueKind::Hold,
            7 => DueKind::Claims,
            _ => return None,
        };
        let id = id.try_into().ok()?;
        (table == Table::Due as u8).then(|| Self::Due(Time(u64::from_be_bytes(*time)), kind, id))
    }
}

/// One part of a key, which stands there as it is encoded.
fn part<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    codec::decode(bytes, bytes.len()).ok()
}

/// A rule's id, its number in order.
fn rule(bytes: &[u8]) -> Option<RuleId> {
    let (instrument, number) = bytes.split_at_checked(INSTRUMENT_CODE_BYTES)?;
    let number = u16::from_be_bytes(number.try_into().ok()?);
    Some(RuleId { instrument: part(instrument)?, number })
}

/// A key of a party and a name of its own.
fn named(bytes: &[u8], key: impl FnOnce(PartyId, Reference) -> RowKey) -> Option<RowKey> {
    let (party, name) = bytes.split_at_checked(16)?;
    Some(key(part(party)?, str::from_utf8(name).ok()?.parse().ok()?))
}

/// A key of two parts, of which the first takes so many bytes.
fn pair<A, B>(bytes: &[u8], first: usize, key: impl FnOnce(A, B) -> RowKey) -> Option<RowKey>
where
    A: Serialize + DeserializeOwned,
    B: Serialize + DeserializeOwned,
{
    let (first, second) = bytes.split_at_checked(first)?;
    Some(key(part(first)?, part(second)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::lot::OriginKind;

    #[test]
    fn every_key_is_read_back_and_nothing_else() {
        let (party, id, hash) = (PartyId([1; 16]), TxId([2; 32]), DocumentHash([3; 32]));
        let instrument: InstrumentId = "MEBUKU".parse().unwrap();
        let lot = Lot {
            instrument,
            use_expiry: Some(Time(7)),
            origin: OriginKind::Paid,
            funder: party,
            campaign: 9,
        };
        let keys = [
            RowKey::Meta,
            RowKey::Party(party),
            RowKey::Key(PublicKey([4; 32])),
            RowKey::Person(PersonTag([5; 32])),
            RowKey::Wallet(party),
            RowKey::Group(party),
            RowKey::Medium(MediumId([6; 16])),
            RowKey::Instrument(instrument),
            RowKey::Supply(lot),
            RowKey::Allowance(id),
            RowKey::AllowanceUse(id, party),
            RowKey::Mandate(id),
            RowKey::MandateUse(id, party),
            RowKey::Request(id),
            RowKey::Proposal(id),
            RowKey::Redemption(id),
            RowKey::Receivable(party, instrument),
            RowKey::Funding(party, hash),
            RowKey::Reference(party, "a-reference".parse().unwrap()),
            RowKey::Judged(id),
            RowKey::Due(Time(1 << 40), DueKind::Lots, [8; 32]),
            RowKey::Policy(3),
            RowKey::Epoch(2),
            RowKey::Totals(instrument),
            RowKey::LimitUse(party, LimitOf::PurchasesPerDay, instrument),
            RowKey::Rule(RuleId { instrument, number: 258 }),
            RowKey::RuleBook(instrument, Trigger::Take),
            RowKey::RuleUse(RuleId { instrument, number: 7 }, Scope::All, Subject(party.0)),
            RowKey::Run(id),
            RowKey::RunLines(id, 258),
            RowKey::RunWaiting(party, id, 259),
            RowKey::Offer(id),
            RowKey::OfferUse(id, Scope::Household, Subject(party.0)),
            RowKey::Entitlement(id),
            RowKey::Draw(id),
            RowKey::Document(party, "R-2026/1".parse().unwrap()),
            RowKey::Documented(id, party),
            RowKey::Hold(id),
            RowKey::Settlement(id),
            RowKey::Coupons(id),
            RowKey::Child(party, PartyId([8; 16])),
        ];
        let tables = keys.each_ref().map(|key| key.to_bytes()[0]);
        assert_eq!(tables, Table::ALL.map(|table| table as u8), "every table has its key here");
        for key in keys {
            let bytes = key.to_bytes();
            assert_eq!(RowKey::from_bytes(&bytes), Some(key.clone()), "{key:?}");
            assert_ne!(RowKey::from_bytes(&[&bytes[..], b" "].concat()), Some(key.clone()));
            assert_ne!(RowKey::from_bytes(&bytes[..bytes.len() - 1]), Some(key));
        }
        assert_eq!(RowKey::from_bytes(&[]), None);
        assert_eq!(RowKey::from_bytes(&[255; 33]), None);
    }
}
