//! `card`: a printed code or an IC card for a holder without a phone, with what it may pay.

use musubi_ledger::{
    amount::Amount,
    id::{DocumentHash, InstrumentId, MediumId, TxId},
    mandate::{Counterparty, Direction, MandateTerms},
    operation::{EnrolMedium, Operation},
    party::PartyKind,
    state::derived_id,
    time::Time,
};

use super::{Act, Fault, Fields, Names, Play, Verb, grants::UNLIMITED, sealed::Sealed};
use crate::play::{After, Card, mandate};

/// How long a card is good where its step does not say.
const USUAL_MS: u64 = 5 * 366 * 86_400_000;

#[derive(Debug)]
struct Carded {
    parties: Vec<usize>,
    instruments: Vec<InstrumentId>,
    per_use: Amount,
    per_day: Amount,
    total: Option<Amount>,
    until: Option<Time>,
}

pub(super) fn card(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let node = fields.need("party")?;
    let parties = names.parties(&node);
    let instruments = match fields.may("instruments") {
        Some(node) => names.several(&node),
        None => {
            let mut all: Vec<_> = names.instruments.iter().map(|issued| issued.id).collect();
            all.sort_unstable();
            Some(all)
        }
    };
    let per_use = fields.need("per_use").and_then(|node| node.amount());
    let per_day = fields.may("per_day").map_or(Some(UNLIMITED), |node| node.amount());
    let total = fields.may("total").map(|node| node.amount());
    let until = fields.end();
    let parties = parties?;
    if parties.iter().any(|at| names.cast.members[*at].kind != PartyKind::Person) {
        return node.wrong("cards are for persons");
    }
    let total = match total {
        Some(total) => Some(total?),
        None => None,
    };
    let (instruments, per_use, per_day) = (instruments?, per_use?, per_day?);
    Some(Box::new(Carded { parties, instruments, per_use, per_day, total, until }))
}

impl Verb for Carded {}
impl Sealed for Carded {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let until = self.until.unwrap_or_else(|| play.stage.now().plus(USUAL_MS));
        let stands = |id: &InstrumentId| {
            play.scheme.instruments.iter().any(|issued| issued.stands && issued.id == *id)
        };
        let instruments: Vec<_> = self.instruments.iter().copied().filter(stands).collect();
        let mut acts = Vec::new();
        for at in &self.parties {
            let fresh = play.fresh_hash("medium");
            let medium = MediumId(std::array::from_fn(|at| fresh[at]));
            let debit = MandateTerms {
                counterparty: Counterparty::Kind(PartyKind::Merchant),
                per_day: Some(self.per_day),
                total: self.total,
                until: Some(until),
                ..mandate(Direction::Debit, instruments.clone(), self.per_use)
            };
            let credit = mandate(Direction::Credit, instruments.clone(), UNLIMITED);
            let enrol = EnrolMedium {
                medium,
                party: play.party(*at),
                registrar: play.party(play.institution("registrar")),
                debit: Some(debit),
                credit: Some(credit),
                evidence: DocumentHash(play.fresh_hash("application")),
            };
            let mut signers = play.officers("registrar", 2);
            if play.actors[*at].key.is_some() {
                signers.extend(play.authority(*at));
            }
            let body = play.body(signers[0].3, Operation::EnrolMedium(enrol));
            let id: TxId = body.id();
            let debit = derived_id(&id, 0);
            let card = Card { medium, debit, instruments: instruments.clone() };
            let after = After::Card(*at, card, derived_id(&id, 1));
            acts.push(Act::new(body, signers).then(after));
        }
        Ok(acts)
    }
}
