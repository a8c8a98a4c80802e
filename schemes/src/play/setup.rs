//! Who and what comes onto the ledger before the first step: instruments, parties, groups, standing acceptances of shops.

use musubi_ledger::{
    amount::Amount,
    code::Code,
    hash::tagged,
    id::{InstrumentId, PartyId, PersonTag},
    instrument::Terms,
    keys::SecretKey,
    mandate::{Counterparty, Direction, MandateTerms},
    operation::{CreateGroup, DefineInstrument, GrantMandate, Operation, RegisterParty},
    party::{Party, PartyKind},
    state::{Row, RowKey},
    time::Time,
    transaction::{Role, Side},
};

use super::{Act, After, Fault, Play, Signer};
use crate::{
    cast::Member,
    scheme::Scheme,
    stage::{Actor, Stage},
};

/// Ids and keys of everybody: the institutions' from the stage, the others' from the names of scheme and member.
pub(super) fn actors(scheme: &Scheme, stage: &dyn Stage) -> Vec<Actor> {
    let mut actors = stage.institutions();
    let given = actors.len();
    assert_eq!(
        given,
        scheme.cast.members.iter().filter(|member| member.institution).count(),
        "a stage has every institution"
    );
    actors.extend(scheme.cast.members[given..].iter().map(|member| {
        let parts: [&[u8]; 3] = [scheme.head.name.as_bytes(), &[0], member.name.as_bytes()];
        let id = tagged("musubi/v1/scheme-party", &parts);
        let key = SecretKey::from_seed(&tagged("musubi/v1/scheme-key", &parts));
        Actor {
            party: PartyId(std::array::from_fn(|at| id[at])),
            key: (!member.keyless).then_some(key),
        }
    }));
    actors
}

impl Play<'_> {
    /// Everything that is there before the first step.
    pub(super) fn set_up(&mut self) -> Result<(), Fault> {
        let instruments: Vec<Act> = (0..self.scheme.instruments.len())
            .filter(|at| self.scheme.instruments[*at].stands)
            .map(|at| self.define(at))
            .collect();
        self.must("an instrument", instruments)?;
        let members = &self.scheme.cast.members;
        let here = |member: &Member| member.stands && !member.later && member.drawn.is_none();
        let there = |at: &usize| here(&members[*at]);
        let places: Vec<usize> = (0..members.len()).filter(there).collect();
        self.admit(&places)?;
        let offers = &self.scheme.offers;
        let first = |at: &usize| offers[*at].stands && !offers[*at].later;
        let offers: Vec<usize> = (0..offers.len()).filter(first).collect();
        let acts =
            offers.into_iter().map(|at| self.put_offer(at)).collect::<Result<Vec<_>, _>>()?;
        self.must("an offer", acts)?;
        let rules = &self.scheme.rules;
        let first = |at: &usize| rules[*at].stands && !rules[*at].later;
        let rules: Vec<usize> = (0..rules.len()).filter(first).collect();
        let acts = rules.into_iter().map(|at| self.put_rule(at)).collect::<Result<Vec<_>, _>>()?;
        self.must("a rule", acts)
    }

    /// Registers parties and groups, and gives shops their standing acceptance.
    pub(crate) fn admit(&mut self, places: &[usize]) -> Result<(), Fault> {
        let acts = self.registrations(places);
        self.must("a registration", acts)?;
        let groups = |play: &Self, at: &usize| play.scheme.cast.members[*at].group.is_some();
        let groups: Vec<usize> = places.iter().copied().filter(|at| groups(self, at)).collect();
        let acts: Vec<Act> = groups.into_iter().map(|at| self.group(at)).collect();
        self.must("a group", acts)?;
        let kind = |at: &usize| self.scheme.cast.members[*at].kind;
        let shops: Vec<usize> =
            places.iter().copied().filter(|at| kind(at) == PartyKind::Merchant).collect();
        let mut acts = Vec::new();
        for at in shops {
            let accepted = self.accepted(at);
            if !accepted.is_empty() {
                acts.push(self.accept(at, accepted, Amount(u64::MAX)));
            }
        }
        self.must("a shop's acceptance", acts)
    }

    fn must(&mut self, what: &str, acts: Vec<Act>) -> Result<(), Fault> {
        let results = self.submit(acts, &[])?;
        match results.iter().find(|(_, code)| *code != Code::Applied) {
            Some((_, code)) => Err(Fault::Setup(what.to_owned(), *code)),
            None => Ok(()),
        }
    }

    fn define(&mut self, at: usize) -> Act {
        let issued = &self.scheme.instruments[at];
        let terms = Terms { issuer: self.party(issued.issuer), ..issued.terms.clone() };
        let define = DefineInstrument { instrument: issued.id, terms, open: true };
        let officers = self.officers("issuer", 2);
        let body = self.body(officers[0].3, Operation::DefineInstrument(define));
        Act::new(body, officers)
    }

    /// Parties that are no groups and not there yet.
    fn registrations(&mut self, places: &[usize]) -> Vec<Act> {
        let mut acts = Vec::new();
        for at in places.iter().copied() {
            let member = &self.scheme.cast.members[at];
            if member.institution || member.group.is_some() {
                continue;
            }
            let party = self.party(at);
            let person = member.kind == PartyKind::Person;
            let officers = self.officers("registrar", 1);
            let register = RegisterParty {
                party,
                kind: member.kind,
                keys: self.actors[at].key.iter().map(SecretKey::public).collect(),
                tag: person.then(|| PersonTag(tagged("musubi/v1/scheme-tag", &[&party.0]))),
                registrar: self.party(self.institution("registrar")),
                organisation: None,
                attributes: member.attributes.clone(),
            };
            let own: Signer = (Side::Authority, Role::Holder, party, at);
            let signers = officers.iter().copied().chain([own]).collect();
            let body = self.body(officers[0].3, Operation::RegisterParty(register));
            acts.push(Act::new(body, signers));
        }
        acts
    }

    fn group(&mut self, at: usize) -> Act {
        let plan = self.scheme.cast.members[at].group.clone().expect("asked for groups alone");
        let group = self.party(at);
        let create = CreateGroup {
            group,
            registrar: self.party(self.institution("registrar")),
            representative: self.party(plan.representative),
            roles: plan.roles(|at| self.party(at)),
            policy: plan.policy.clone(),
        };
        let mut signers = self.officers("registrar", 1);
        signers.extend(self.persons_of_group(at, 2));
        let body = self.body(plan.representative, Operation::CreateGroup(create));
        Act::new(body, signers)
    }

    /// The instruments that a shop may accept now.
    fn accepted(&self, at: usize) -> Vec<InstrumentId> {
        let Some(party) = self.registered(at) else { return Vec::new() };
        let now = self.stage.now();
        let open = self.scheme.instruments.iter().filter(|issued| issued.stands);
        let fits = open.filter(|issued| {
            issued.terms.acceptors.as_ref().is_none_or(|test| test.holds(&party, now))
        });
        let mut accepted: Vec<InstrumentId> = fits.map(|issued| issued.id).collect();
        accepted.sort_unstable();
        accepted.truncate(musubi_ledger::limits::MANDATE_INSTRUMENTS_MAX);
        accepted
    }

    /// A party as the ledger has it.
    pub(crate) fn registered(&self, at: usize) -> Option<Party> {
        match self.stage.state().row(&RowKey::Party(self.party(at))) {
            Some(Row::Party(party)) => Some((*party).clone()),
            _ => None,
        }
    }

    /// A standing acceptance.
    pub(crate) fn accept(
        &mut self,
        at: usize,
        instruments: Vec<InstrumentId>,
        per_use: Amount,
    ) -> Act {
        let terms = mandate(Direction::Credit, instruments.clone(), per_use);
        let grant = GrantMandate { grantor: self.party(at), terms };
        let body = self.body(self.sender(at), Operation::GrantMandate(grant));
        Act::new(body, self.credit(at)).then(After::Acceptance(at, instruments))
    }
}

/// A mandate with anybody, from always on, without an end.
pub(crate) fn mandate(
    direction: Direction,
    instruments: Vec<InstrumentId>,
    per_use: Amount,
) -> MandateTerms {
    MandateTerms {
        direction,
        instruments,
        counterparty: Counterparty::Any,
        purpose: None,
        per_use,
        per_day: None,
        per_counterparty: None,
        total: None,
        uses: None,
        staff: Vec::new(),
        from: Time::ZERO,
        until: None,
    }
}
