//! `allow`, `accept`, `budget`: consents in advance, each with its bounds.

use musubi_ledger::{
    amount::Amount,
    id::{InstrumentId, TxId},
    mandate::{Direction, MandateTerms},
    operation::{GrantAllowance, GrantMandate, Operation},
    time::Time,
};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};
use crate::{
    configuration::Allowed,
    play::{After, Budget, mandate},
};

/// More than any scheme issues, and far from what overflows.
pub(super) const UNLIMITED: Amount = Amount(1 << 60);

/// How much an issuer may issue, by the word of two organisations.
#[derive(Debug)]
pub(super) struct Allow {
    pub(super) instrument: InstrumentId,
    pub(super) total: Amount,
    pub(super) per_wallet: Amount,
    pub(super) per_day: Amount,
    pub(super) until: Option<Time>,
}

pub(super) fn allow(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let instrument = names.only(fields.may("instrument"), fields);
    let amount = |key| fields.may(key).map_or(Some(UNLIMITED), |node| node.amount());
    let (total, per_wallet, per_day) = (amount("total"), amount("per_wallet"), amount("per_day"));
    let until = fields.end();
    let (instrument, total, per_wallet) = (instrument?, total?, per_wallet?);
    Some(Box::new(Allow { instrument, total, per_wallet, per_day: per_day?, until }))
}

/// An allowance without a clause of its own lasts longer than any scenario.
const USUAL_MS: u64 = 20 * 366 * 86_400_000;

impl Allow {
    pub(super) fn act(&self, play: &mut Play<'_>) -> Act {
        let issued = play.scheme.instruments.iter().find(|issued| issued.id == self.instrument);
        let issuer = issued.expect("instruments of steps are declared").issuer;
        let key = play.actors[issuer].key.as_ref().expect("an issuer has a key").public();
        let end = self.until.unwrap_or_else(|| play.stage.now().plus(USUAL_MS));
        let Self { instrument, total, per_wallet, per_day, .. } = *self;
        let grant = GrantAllowance { instrument, key, total, per_wallet, per_day, end };
        let mut officers = play.officers("issuer", 1);
        officers.extend(play.officers("city", 1));
        let body = play.body(officers[0].3, Operation::GrantAllowance(grant));
        Act::new(body, officers).then(After::Allowance(instrument))
    }
}

impl Verb for Allow {}
impl Sealed for Allow {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        Ok(vec![self.act(play)])
    }

    fn allows(&self) -> Option<Allowed> {
        let Self { instrument, total, per_wallet, per_day, until } = *self;
        Some(Allowed { instrument, issuer: 0, total, per_wallet, per_day, until })
    }
}

#[derive(Debug)]
struct Accept {
    parties: Vec<usize>,
    instruments: Vec<InstrumentId>,
    per_use: Amount,
}

pub(super) fn accept(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let parties = fields.need("party").and_then(|node| names.parties(&node));
    let instruments = fields.need("instruments").and_then(|node| names.several(&node));
    let per_use = fields.need("per_use").and_then(|node| node.amount());
    let (parties, instruments) = (parties?, instruments?);
    Some(Box::new(Accept { parties, instruments, per_use: per_use? }))
}

impl Verb for Accept {}
impl Sealed for Accept {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let acts = self.parties.iter();
        Ok(acts.map(|at| play.accept(*at, self.instruments.clone(), self.per_use)).collect())
    }
}

#[derive(Debug)]
struct Budgeted {
    group: usize,
    instrument: InstrumentId,
    total: Amount,
    per_use: Amount,
    staff: Vec<usize>,
    until: Time,
}

pub(super) fn budget(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let node = fields.need("group");
    let group = node.as_ref().and_then(|node| names.party(node));
    let instrument = names.only(fields.may("instrument"), fields);
    let total = fields.need("total").and_then(|node| node.amount());
    let per_use = fields.may("per_use").map_or(total, |node| node.amount());
    let staff = fields.need("staff").and_then(|node| names.parties(&node));
    let until = fields.end();
    let group = group?;
    if names.cast.members[group].group.is_none() {
        return node?.wrong("a group stands here");
    }
    let Some(until) = until else {
        return fields.wrong("`until` or `last_day` is missing: a group's budget ends");
    };
    let (instrument, total, per_use) = (instrument?, total?, per_use?);
    Some(Box::new(Budgeted { group, instrument, total, per_use, staff: staff?, until }))
}

impl Verb for Budgeted {}
impl Sealed for Budgeted {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let mut staff: Vec<_> = self.staff.iter().map(|at| play.party(*at)).collect();
        staff.sort_unstable();
        let terms = MandateTerms {
            total: Some(self.total),
            until: Some(self.until),
            staff,
            ..mandate(Direction::Debit, vec![self.instrument], self.per_use)
        };
        let signers = play.debit(self.group, self.total, None)?;
        let grant = GrantMandate { grantor: play.party(self.group), terms };
        let body = play.body(play.sender(self.group), Operation::GrantMandate(grant));
        let budget = Budget { mandate: TxId([0; 32]), staff: self.staff.clone() };
        let after = After::Budget(self.group, self.instrument, budget);
        Ok(vec![Act::new(body, signers).then(after)])
    }
}
