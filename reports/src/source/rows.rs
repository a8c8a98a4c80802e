//! The rows of a state that reports look at. Copying them copies handles.

use std::collections::BTreeMap;

use musubi_ledger::{
    group::Group,
    instrument::{Instrument, Totals},
    party::Party,
    settlement::Settlement,
    state::{Changes, Redemption, Request, RequestStatus, Row, RowKey},
    wallet::Wallet,
};
use musubi_sdk::{Amount, InstrumentId, PartyId, TxId};

/// Parties, groups, wallets, instruments, totals, redemptions, settlements, lists of dues and what is owed, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Rows(BTreeMap<RowKey, Row>);

impl Rows {
    /// Takes a block's changes.
    pub(super) fn apply(&mut self, changes: &Changes) {
        for (key, row) in changes.iter().filter(|(key, _)| is_kept(key)) {
            match row {
                // A shop's requests are many, and no report asks for them.
                Some(Row::Request(request)) if !self.0.contains_key(key) && !is_due(request) => {
                    None
                }
                Some(row) => self.0.insert(key.clone(), row.clone()),
                None => self.0.remove(key),
            };
        }
    }

    /// All parties.
    pub fn parties(&self) -> impl Iterator<Item = (PartyId, &Party)> {
        self.0.iter().filter_map(|(key, row)| match (key, row) {
            (RowKey::Party(id), Row::Party(party)) => Some((*id, &**party)),
            _ => None,
        })
    }

    /// All wallets.
    pub fn wallets(&self) -> impl Iterator<Item = (PartyId, &Wallet)> {
        self.0.iter().filter_map(|(key, row)| match (key, row) {
            (RowKey::Wallet(id), Row::Wallet(wallet)) => Some((*id, &**wallet)),
            _ => None,
        })
    }

    /// All instruments.
    pub fn instruments(&self) -> impl Iterator<Item = (InstrumentId, &Instrument)> {
        self.0.iter().filter_map(|(key, row)| match (key, row) {
            (RowKey::Instrument(id), Row::Instrument(instrument)) => Some((*id, &**instrument)),
            _ => None,
        })
    }

    /// All redemptions.
    pub fn redemptions(&self) -> impl Iterator<Item = (TxId, &Redemption)> {
        self.0.iter().filter_map(|(key, row)| match (key, row) {
            (RowKey::Redemption(id), Row::Redemption(redemption)) => Some((*id, &**redemption)),
            _ => None,
        })
    }

    /// A settlement.
    #[must_use]
    pub fn settlement(&self, id: TxId) -> Option<&Settlement> {
        match self.0.get(&RowKey::Settlement(id)) {
            Some(Row::Settlement(settlement)) => Some(settlement),
            _ => None,
        }
    }

    /// All settlements.
    pub fn settlements(&self) -> impl Iterator<Item = (TxId, &Settlement)> {
        self.0.iter().filter_map(|(key, row)| match (key, row) {
            (RowKey::Settlement(id), Row::Settlement(settlement)) => Some((*id, &**settlement)),
            _ => None,
        })
    }

    /// The lines of all lists of dues, and what else was paid in cash.
    pub fn dues(&self) -> impl Iterator<Item = (TxId, &Request)> {
        self.0.iter().filter_map(|(key, row)| match (key, row) {
            (RowKey::Request(id), Row::Request(request)) => Some((*id, &**request)),
            _ => None,
        })
    }

    /// A line of a list of dues, or what else was paid in cash.
    #[must_use]
    pub fn due(&self, id: TxId) -> Option<&Request> {
        match self.0.get(&RowKey::Request(id)) {
            Some(Row::Request(request)) => Some(request),
            _ => None,
        }
    }

    /// What a party owes, by instrument.
    pub fn receivables(&self, party: PartyId) -> impl Iterator<Item = (InstrumentId, Amount)> {
        self.0.iter().filter_map(move |(key, row)| match (key, row) {
            (RowKey::Receivable(owing, instrument), Row::Receivable(amount)) if *owing == party => {
                Some((*instrument, *amount))
            }
            _ => None,
        })
    }

    /// A party.
    #[must_use]
    pub fn party(&self, id: PartyId) -> Option<&Party> {
        match self.0.get(&RowKey::Party(id)) {
            Some(Row::Party(party)) => Some(party),
            _ => None,
        }
    }

    /// A group, beside its party.
    #[must_use]
    pub fn group(&self, id: PartyId) -> Option<&Group> {
        match self.0.get(&RowKey::Group(id)) {
            Some(Row::Group(group)) => Some(group),
            _ => None,
        }
    }

    /// A party's wallet.
    #[must_use]
    pub fn wallet(&self, id: PartyId) -> Option<&Wallet> {
        match self.0.get(&RowKey::Wallet(id)) {
            Some(Row::Wallet(wallet)) => Some(wallet),
            _ => None,
        }
    }

    /// An instrument.
    #[must_use]
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        match self.0.get(&RowKey::Instrument(id)) {
            Some(Row::Instrument(instrument)) => Some(instrument),
            _ => None,
        }
    }

    /// What came and went of an instrument.
    #[must_use]
    pub fn totals(&self, id: InstrumentId) -> Totals {
        match self.0.get(&RowKey::Totals(id)) {
            Some(Row::Totals(totals)) => **totals,
            _ => Totals::default(),
        }
    }
}

fn is_due(request: &Request) -> bool {
    request.list.is_some() || matches!(request.status, RequestStatus::Cash(_))
}

fn is_kept(key: &RowKey) -> bool {
    matches!(
        key,
        RowKey::Party(_)
            | RowKey::Group(_)
            | RowKey::Wallet(_)
            | RowKey::Instrument(_)
            | RowKey::Totals(_)
            | RowKey::Redemption(_)
            | RowKey::Settlement(_)
            | RowKey::Request(_)
            | RowKey::Receivable(..)
    )
}
