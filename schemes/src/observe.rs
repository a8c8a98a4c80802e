//! What is seen of a scenario: entries as they were executed ([`watch`]), and the state behind them. Expectations ask
//! nothing else.

mod count;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::{
    group::Group,
    id::{InstrumentId, PartyId, TxId},
    instrument::{Flows, Totals},
    lot::OriginKind,
    party::Party,
    state::{ReadState, Row, RowKey},
    time::Time,
    wallet::{Holding, Wallet},
};

pub use self::watch::Observed;
use crate::{
    expr::{Ask, Did, Flow, Has, NoValue},
    scheme::Scheme,
    stage::Actor,
};

/// What was seen, and where the ledger stands now.
pub struct World<'w> {
    observed: &'w Observed,
    scheme: &'w Scheme,
    actors: &'w [Actor],
    offers: &'w BTreeMap<usize, TxId>,
    state: &'w dyn ReadState,
    now: Time,
}

impl Observed {
    /// With where the ledger stands.
    pub(crate) fn world<'w>(
        &'w self,
        scheme: &'w Scheme,
        (actors, offers): (&'w [Actor], &'w BTreeMap<usize, TxId>),
        state: &'w dyn ReadState,
        now: Time,
    ) -> World<'w> {
        World { observed: self, scheme, actors, offers, state, now }
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
                let counted = self.everybody().into_iter().filter_map(|party| self.party(party));
                let counted = counted.filter(|party| party.kind == *kind);
                let counted = counted.filter(|party| match test {
                    None => true,
                    Some((name, value)) => party.attribute(name, self.now) == Some(value),
                });
                Ok(counted.count() as i128)
            }
            Ask::Rule(did, rule) => {
                let done = self.observed.rules.get(rule).copied().unwrap_or_default();
                Ok(match did {
                    Did::Given => done.given,
                    Did::Fired => done.fired,
                    Did::Capped => done.capped,
                    Did::TakenBack => done.taken_back,
                })
            }
            Ask::Taken(offer) => {
                let id = self.offers.get(offer);
                Ok(id.and_then(|id| self.observed.taken.get(id)).copied().unwrap_or_default())
            }
            Ask::Dues(asked, payees, of) => Ok(self.dues(*asked, payees, *of)),
            Ask::Under(bodies) => Ok(self.under(bodies)),
            Ask::Key(key) => Ok(self.key_figure(*key)),
            Ask::Stage(party, instrument) => Ok(self.stage(*party, *instrument)),
            Ask::Declared(figure) => Ok(*figure),
        }
    }

    fn group(&self, group: PartyId) -> Option<Group> {
        match self.state.row(&RowKey::Group(group)) {
            Some(Row::Group(group)) => Some((*group).clone()),
            _ => None,
        }
    }

    /// Each once, whatever names they have.
    fn everybody(&self) -> BTreeSet<PartyId> {
        self.actors.iter().map(|actor| actor.party).collect()
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
            let counted = match flow {
                Flow::Issued => flows.issued,
                Flow::Imported => flows.imported,
                Flow::Redeemed => flows.redeemed,
                Flow::Expired => flows.expired,
                Flow::Lapsed => flows.lapsed,
                Flow::Corrected => flows.corrected,
                Flow::Outstanding => return flows.outstanding(),
            };
            i128::from(counted.0)
        };
        Ok(flows.into_iter().map(of).sum())
    }

    fn has(&self, has: Has, parties: &[usize], instrument: Option<InstrumentId>) -> i128 {
        let all = self.scheme.instruments.iter().map(|issued| issued.id);
        let instruments: Vec<InstrumentId> =
            instrument.map_or_else(|| all.collect(), |one| vec![one]);
        let mut sum = 0;
        // Who is drawn by a lottery has two names.
        let parties: BTreeSet<PartyId> = parties.iter().map(|at| self.actors[*at].party).collect();
        for party in parties {
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

    /// Which of an instrument's stages a party's balance has reached: 0 for none, 1 for the first.
    fn stage(&self, party: usize, instrument: InstrumentId) -> i128 {
        let balance = self.has(Has::Spendable, &[party], Some(instrument));
        match self.state.row(&RowKey::Instrument(instrument)) {
            Some(Row::Instrument(instrument)) => {
                let tiers = instrument.terms.tiers.iter();
                tiers.filter(|tier| i128::from(tier.from.0) <= balance).count() as i128
            }
            _ => 0,
        }
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
