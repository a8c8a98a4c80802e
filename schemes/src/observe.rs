//! What is seen of a scenario: entries as they were executed, and the state behind them. Expectations ask nothing else.

use std::collections::BTreeMap;

use musubi_ledger::{
    code::Code,
    execute::Entry,
    id::{InstrumentId, PartyId},
    instrument::{Flows, Totals},
    leaf::LeafKind,
    lot::OriginKind,
    outcome::Account,
    party::Party,
    state::{ReadState, Row, RowKey},
    time::Time,
    wallet::{Holding, Wallet},
};

use crate::{
    expr::{Ask, Flow, Has, NoValue},
    report::StepLine,
    scheme::Scheme,
    stage::Actor,
};

/// What was seen so far.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Between whom how much went, gross.
    moved: BTreeMap<(PartyId, PartyId, InstrumentId), i128>,
    codes: BTreeMap<Code, i128>,
    applied: BTreeMap<String, i128>,
}

/// What was seen, and where the ledger stands now.
pub struct World<'w> {
    observed: &'w Observed,
    scheme: &'w Scheme,
    actors: &'w [Actor],
    state: &'w dyn ReadState,
    now: Time,
}

impl Observed {
    /// Takes what was executed for a step, and what the step's transactions came to.
    pub(crate) fn watch(&mut self, entries: &[Entry], line: &StepLine) {
        for entry in entries.iter().filter(|entry| entry.leaf.kind == LeafKind::Transaction) {
            self.watch_entry(entry);
        }
        for (code, count) in &line.codes {
            *self.codes.entry(*code).or_default() += i128::from(*count);
        }
    }

    pub(crate) fn applied(&mut self, step: &str, count: u64) {
        self.applied.insert(step.to_owned(), i128::from(count));
    }

    /// A wallet that gave and one that got, of one instrument: what is issued, burnt, held or renewed goes between nobody.
    fn watch_entry(&mut self, entry: &Entry) {
        let mut nets: BTreeMap<InstrumentId, BTreeMap<PartyId, i128>> = BTreeMap::new();
        for posting in &entry.outcome.postings {
            if let Account::Wallet(party) = posting.account {
                let of = nets.entry(posting.lot.instrument).or_default();
                *of.entry(party).or_default() += posting.signed();
            }
        }
        for (instrument, nets) in nets {
            let gave: Vec<_> = nets.iter().filter(|(_, net)| **net < 0).collect();
            let got: Vec<_> = nets.iter().filter(|(_, net)| **net > 0).collect();
            // With several on both sides nobody could say who paid whom: rules' shares count for who gave alone.
            if let ([(from, _)], _) = (&gave[..], &got) {
                for (to, net) in got {
                    *self.moved.entry((**from, *to, instrument)).or_default() += net;
                }
            }
        }
    }

    /// With where the ledger stands.
    pub(crate) fn world<'w>(
        &'w self,
        scheme: &'w Scheme,
        actors: &'w [Actor],
        state: &'w dyn ReadState,
        now: Time,
    ) -> World<'w> {
        World { observed: self, scheme, actors, state, now }
    }
}

impl World<'_> {
    /// The figure asked for.
    ///
    /// # Errors
    /// [`NoValue`], where nothing can be said.
    pub fn answer(&self, ask: &Ask) -> Result<i128, NoValue> {
        match ask {
            Ask::Flow(flow, instrument, origin) => self.flow(*flow, *instrument, *origin),
            Ask::Usable(instrument) => {
                let everybody: Vec<usize> = (0..self.actors.len()).collect();
                Ok(self.has(Has::Spendable, &everybody, Some(*instrument)))
            }
            Ask::Has(has, parties, instrument) => Ok(self.has(*has, parties, *instrument)),
            Ask::Paid(from, to, instrument) => Ok(self.moved(Some(from), to, *instrument)),
            Ask::Received(to, instrument) => Ok(self.moved(None, to, *instrument)),
            Ask::Refused(code) => Ok(self.observed.codes.get(code).copied().unwrap_or_default()),
            Ask::Applied(step) => {
                let count = self.observed.applied.get(step).copied();
                count.ok_or_else(|| NoValue::Absent(format!("the step {step} was not played yet")))
            }
            Ask::Count(kind, test) => {
                let counted = self.actors.iter().filter_map(|actor| self.party(actor.party));
                let counted = counted.filter(|party| party.kind == *kind);
                let counted = counted.filter(|party| match test {
                    None => true,
                    Some((name, value)) => party.attribute(name, self.now) == Some(value),
                });
                Ok(counted.count() as i128)
            }
            Ask::Declared(figure) => Ok(*figure),
        }
    }

    fn party(&self, party: PartyId) -> Option<Party> {
        match self.state.row(&RowKey::Party(party)) {
            Some(Row::Party(party)) => Some((*party).clone()),
            _ => None,
        }
    }

    fn wallet(&self, party: PartyId) -> Option<Wallet> {
        match self.state.row(&RowKey::Wallet(party)) {
            Some(Row::Wallet(wallet)) => Some((*wallet).clone()),
            _ => None,
        }
    }

    fn flow(
        &self,
        flow: Flow,
        instrument: InstrumentId,
        origin: Option<OriginKind>,
    ) -> Result<i128, NoValue> {
        let totals: Totals = match self.state.row(&RowKey::Totals(instrument)) {
            Some(Row::Totals(totals)) => *totals,
            _ => Totals::default(),
        };
        let flows: Vec<&Flows> = match origin {
            None => totals.flows().to_vec(),
            Some(OriginKind::Free) => vec![&totals.free],
            Some(OriginKind::Grant) => vec![&totals.grant],
            Some(OriginKind::Paid) => vec![&totals.paid],
        };
        let of = |flows: &Flows| {
            let [issued, restored, redeemed, expired, corrected] =
                [flows.issued, flows.restored, flows.redeemed, flows.expired, flows.corrected]
                    .map(|amount| i128::from(amount.0));
            match flow {
                Flow::Issued => issued,
                Flow::Redeemed => redeemed,
                Flow::Expired => expired,
                Flow::Corrected => corrected,
                Flow::Outstanding => issued + restored - redeemed - expired - corrected,
            }
        };
        Ok(flows.into_iter().map(of).sum())
    }

    fn has(&self, has: Has, parties: &[usize], instrument: Option<InstrumentId>) -> i128 {
        let all = self.scheme.instruments.iter().map(|issued| issued.id);
        let instruments: Vec<InstrumentId> =
            instrument.map_or_else(|| all.collect(), |one| vec![one]);
        let mut sum = 0;
        for party in parties.iter().map(|at| self.actors[*at].party) {
            let Some(wallet) = self.wallet(party) else { continue };
            for instrument in &instruments {
                let amount = match has {
                    Has::Spendable => wallet.spendable(*instrument, self.now),
                    Has::Held => wallet.total(*instrument, Holding::Held),
                    Has::Claim => wallet.total(*instrument, Holding::Claim),
                    Has::Receivable => {
                        match self.state.row(&RowKey::Receivable(party, *instrument)) {
                            Some(Row::Receivable(amount)) => amount,
                            _ => continue,
                        }
                    }
                };
                sum += i128::from(amount.0);
            }
        }
        sum
    }

    fn moved(&self, from: Option<&[usize]>, to: &[usize], of: Option<InstrumentId>) -> i128 {
        let ids = |places: &[usize]| -> Vec<PartyId> {
            places.iter().map(|at| self.actors[*at].party).collect()
        };
        let (from, to) = (from.map(ids), ids(to));
        let counts = |(giver, taker, instrument): &(PartyId, PartyId, InstrumentId)| {
            from.as_ref().is_none_or(|from| from.contains(giver))
                && to.contains(taker)
                && of.is_none_or(|of| of == *instrument)
        };
        self.observed.moved.iter().filter(|(key, _)| counts(key)).map(|(_, sum)| sum).sum()
    }
}
