//! The model's rules.

mod grants;
mod group;
mod issuer;
mod keys;
mod medium;
mod money;
mod movement;
mod party;
mod policy;
mod proposals;
mod register;

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::{
    code::Code,
    id::{InstrumentId, MediumId, PartyId, Reference, TxId},
    instrument::{OnAccept, Shortfall, Terms, TransferRule, UseExpiry},
    keys::PublicKey,
    mandate::{Counterparty, Direction, MandateTerms},
    operation::*,
    party::PartyKind,
    state::{Allowance as Allowed, ReadState, Row, RowKey, derived_id},
    time::Time,
    transaction::{Body, Purpose, Role, Side, Transaction},
};

pub(crate) use group::Group;
use issuer::Allowance;
use medium::Medium;
use money::undo;

use super::{
    book::{Book, CLAIM, HELD, Lot, SPENDABLE, demand},
    common::{DAY, World, id},
    consent::{Signatures, Signed},
};
use register::Register;

#[derive(Clone)]
struct Mandate {
    grantor: PartyId,
    terms: MandateTerms,
    medium: Option<MediumId>,
    granted: u64,
    revoked: bool,
    used: u64,
    uses: u32,
    day: u64,
    today: u64,
    with: BTreeMap<PartyId, u64>,
    /// Who consented, where a group gives.
    granted_by: Vec<PartyId>,
}

#[derive(Clone)]
struct Proposal {
    movement: Movement,
    proposer: PartyId,
    purpose: Purpose,
    answers: Option<TxId>,
    drafter: Option<PartyId>,
    opened: u64,
    deadline: u64,
    consents: Vec<Signed>,
    open: bool,
}

#[derive(Clone)]
struct Original {
    from: PartyId,
    to: PartyId,
    issued: bool,
    /// Lot, moved, undone since, as a claim.
    lots: Vec<(Lot, u64, u64, bool)>,
}

#[derive(Clone)]
struct Redemption {
    merchant: PartyId,
    lots: Vec<(Lot, u64)>,
    deadline: u64,
    open: bool,
}

/// The whole ledger, as simply as it can be said.
#[derive(Clone)]
pub(crate) struct Model {
    now: u64,
    /// The number of the witness policy.
    policy: u32,
    kinds: BTreeMap<PartyId, PartyKind>,
    register: Register,
    frozen: BTreeSet<PartyId>,
    closed: BTreeSet<PartyId>,
    groups: BTreeMap<PartyId, Group>,
    book: Book,
    owed: BTreeMap<(PartyId, InstrumentId), u64>,
    media: BTreeMap<MediumId, Medium>,
    terms: BTreeMap<InstrumentId, Terms>,
    allowances: BTreeMap<TxId, Allowance>,
    fundings: BTreeSet<[u8; 32]>,
    mandates: BTreeMap<TxId, Mandate>,
    requests: BTreeMap<TxId, (RequestPayment, bool)>,
    proposals: BTreeMap<TxId, Proposal>,
    originals: BTreeMap<TxId, Original>,
    redemptions: BTreeMap<TxId, Redemption>,
    judged: BTreeSet<TxId>,
    references: BTreeSet<(PartyId, Reference)>,
}

const HOLDERS: [PartyKind; 2] = [PartyKind::Person, PartyKind::Group];

impl Model {
    /// The city as [`World::new`] leaves it.
    pub(crate) fn new(world: &World) -> Self {
        let mut kinds = BTreeMap::new();
        let mut groups = BTreeMap::new();
        let mut terms = BTreeMap::new();
        for (key, row) in world.state.rows() {
            match (key, row) {
                (RowKey::Party(id), Row::Party(party)) => drop(kinds.insert(*id, party.kind)),
                (RowKey::Group(id), Row::Group(g)) => {
                    groups.insert(*id, Group::new(g.representative, &g.roles, &g.policy));
                }
                (RowKey::Instrument(id), Row::Instrument(of)) => {
                    terms.insert(*id, of.terms.clone());
                }
                _ => {}
            }
        }
        Self {
            now: world.now.0,
            policy: 1,
            kinds,
            register: Register::new(world),
            frozen: BTreeSet::new(),
            closed: BTreeSet::new(),
            groups,
            book: Book::default(),
            owed: BTreeMap::new(),
            media: BTreeMap::new(),
            terms,
            allowances: first_allowances(world),
            fundings: BTreeSet::new(),
            mandates: BTreeMap::new(),
            requests: BTreeMap::new(),
            proposals: BTreeMap::new(),
            originals: BTreeMap::new(),
            redemptions: BTreeMap::new(),
            judged: BTreeSet::new(),
            references: BTreeSet::new(),
        }
    }

    /// What has become due happens first.
    pub(crate) fn begin_block(&mut self, now: Time) {
        self.now = now.0;
        for redemption in self.redemptions.values_mut() {
            if redemption.open && redemption.deadline <= now.0 {
                redemption.open = false;
                for (lot, amount) in &redemption.lots {
                    self.book.add(redemption.merchant, *lot, CLAIM, *amount);
                    self.book.take(redemption.merchant, *lot, HELD, *amount);
                }
            }
        }
        self.groups.values_mut().for_each(|group| group.seat(now.0));
        self.book.sweep(now.0);
        self.end_recoveries();
    }

    /// The code, and whether there is a leaf.
    pub(crate) fn judge(&mut self, tx: &Transaction) -> (Code, bool) {
        let (body, id) = (&tx.body, tx.body.id());
        let signed: Vec<Signed> = tx.signatures.iter().map(|s| self.seen(s)).collect();
        let senders = |s: &&Signed| self.register.signs(&s.key) == Some(body.sender);
        let by_sender = signed.iter().filter(senders).count();
        let reference = (body.sender, body.reference.clone());
        let void = match () {
            () if self.judged.contains(&id) => Some(Code::AlreadyJudged),
            () if self.references.contains(&reference) => Some(Code::ReferenceTaken),
            () if by_sender == 0 => Some(Code::SenderNotSigner),
            () => None,
        };
        if let Some(code) = void {
            return (code, false);
        }
        let alone = by_sender == signed.len();
        let before = self.clone();
        let code = match self.decide(body, id, &Signatures(signed)) {
            Ok(()) => Code::Applied,
            Err(code) => {
                *self = before;
                code
            }
        };
        let leaf = match code {
            Code::MissingConsent | Code::ApproversMissing | Code::OrganisationsMissing => false,
            Code::KeyUnknown
            | Code::KeyNotActive
            | Code::RoleMissing
            | Code::SamePerson
            | Code::PayeeApproves
            | Code::RolesSuspended
            | Code::ConsentNotNeeded => alone,
            _ => true,
        };
        if leaf {
            self.judged.insert(id);
            self.references.insert(reference);
        }
        (code, leaf)
    }

    /// Compares every balance, receivable and key.
    pub(crate) fn compare(&self, world: &World) {
        self.compare_register(world);
        for (key, row) in world.state.rows() {
            match (key, row) {
                (RowKey::Wallet(party), Row::Wallet(wallet)) => self.book.compare(*party, wallet),
                (RowKey::Receivable(party, of), Row::Receivable(amount)) => {
                    assert_eq!(self.owed.get(&(*party, *of)), Some(&amount.0));
                }
                _ => {}
            }
        }
        for (party, of) in self.owed.keys() {
            assert!(world.state.row(&RowKey::Receivable(*party, *of)).is_some());
        }
    }

    fn owner(&self, key: &PublicKey) -> Result<PartyId, Code> {
        demand(self.register.keys.contains_key(key), Code::KeyUnknown)?;
        let owner = self.register.signs(key).ok_or(Code::KeyNotActive)?;
        demand(!self.frozen.contains(&owner), Code::KeyNotActive)?;
        Ok(owner)
    }

    fn active(&self, party: PartyId) -> Result<PartyKind, Code> {
        let kind = *self.kinds.get(&party).ok_or(Code::UnknownParty)?;
        demand(!self.frozen.contains(&party), Code::PartyFrozen)?;
        demand(!self.closed.contains(&party), Code::PartyClosed)?;
        Ok(kind)
    }

    fn decide(&mut self, body: &Body, id: TxId, by: &Signatures) -> Result<(), Code> {
        demand(self.now < body.expires.0, Code::Expired)?;
        demand(body.expires.0 <= self.now + DAY, Code::WindowTooLong)?;
        match &body.operation {
            Operation::Transfer(m) => {
                well_formed(m)?;
                let moved = self.movement(m, by, body.purpose, body.answers)?;
                self.originals.insert(id, moved);
                Ok(())
            }
            Operation::RegisterParty(op) => self.register_party(op, by),
            Operation::Attest(op) => self.attest(op, by),
            Operation::SetOfficers(op) => self.set_officers(op, by),
            Operation::AddKey(op) => self.add_key(op, by),
            Operation::RotateKey(op) => self.rotate_key(op, by),
            Operation::RevokeKey(op) => self.revoke_key(op, by),
            Operation::Recover(op) => self.recover(op, by),
            Operation::CancelRecovery { party } => self.cancel_recovery(*party, by),
            Operation::TopUp(op) => self.top_up(op, id, by, body.purpose),
            Operation::Propose(op) => self.propose(op, body, id, by),
            Operation::Decide(op) => self.decide_proposal(op, body, by),
            Operation::RequestPayment(op) => self.request(op, id, by),
            Operation::CancelRequest { request } => self.cancel_request(*request, by),
            Operation::Refund(op) => self.refund(op, by),
            Operation::RequestRedemption(op) => self.redeem(op, id, by),
            Operation::AnswerRedemption(op) => self.answer(op, by),
            Operation::GrantMandate(op) => self.grant(op, id, by),
            Operation::RevokeMandate { mandate } => self.revoke(*mandate, by),
            Operation::DefineInstrument(op) => self.define(op, by),
            Operation::GrantAllowance(op) => self.grant_allowance(op, id, by),
            Operation::RevokeAllowance { allowance } => self.revoke_allowance(*allowance, by),
            Operation::Correct(op) => self.correct(op, by),
            Operation::EnrolMedium(op) => self.enrol(op, id, by),
            Operation::RevokeMedium { medium } => self.revoke_medium(*medium, by),
            Operation::CreateGroup(op) => self.create_group(op, by),
            Operation::ChangeGroup(op) => self.change_group(op, by),
            Operation::InstallSuccessors(op) => self.install(op, by),
            Operation::CloseGroup { group } => self.close_group(*group, by),
            Operation::ChangeWitnessPolicy(policy) => self.change_policy(policy, by),
            Operation::Freeze(op) => self.freeze(op.party, by),
            Operation::Unfreeze { party } => self.unfreeze(*party, by),
        }
    }

    fn debit(
        &self,
        by: &Signatures,
        party: PartyId,
        amount: u64,
        payee: Option<PartyId>,
    ) -> Result<(), Code> {
        match self.kinds[&party] {
            PartyKind::Group => by.payout((party, &self.groups[&party]), amount, payee),
            _ => by.own(Side::Debit, Role::Holder, party),
        }
    }

    fn holder(&self, by: &Signatures, side: Side, party: PartyId) -> Result<(), Code> {
        match self.kinds[&party] {
            PartyKind::Group => by.members(side, (party, &self.groups[&party])).map(drop),
            _ => by.own(side, Role::Holder, party),
        }
    }
}

/// The allowances of [`World::new`].
fn first_allowances(world: &World) -> BTreeMap<TxId, Allowance> {
    let rows = world.state.rows().filter_map(|(key, row)| match (key, row) {
        (RowKey::Allowance(id), Row::Allowance(a)) => Some((*id, a)),
        _ => None,
    });
    let granted = rows.map(|(id, a)| {
        let Allowed { instrument, key, total, per_wallet, per_day, end, .. } = *a.clone();
        (id, Allowance::new(&GrantAllowance { instrument, key, total, per_wallet, per_day, end }))
    });
    granted.collect()
}

fn staff(terms: &MandateTerms, by: &Signatures) -> bool {
    by.0.iter().any(|s| {
        let itself = s.owner == Ok(s.party);
        itself && s.side == Side::Debit && s.role == Role::Holder && terms.staff.contains(&s.party)
    })
}

fn total(legs: &[Leg]) -> u64 {
    legs.iter().map(|leg| leg.amount.0).sum()
}

fn legs_well_formed(legs: &[Leg]) -> Result<(), Code> {
    let ascending = legs.windows(2).all(|w| w[0].instrument < w[1].instrument);
    demand(ascending && (1..=4).contains(&legs.len()), Code::NotWellFormed)?;
    demand(legs.iter().all(|leg| leg.amount.0 > 0), Code::AmountInvalid)
}

fn well_formed(m: &Movement) -> Result<(), Code> {
    legs_well_formed(&m.legs)?;
    let by_medium = matches!(m.credit, Citation::Medium { .. });
    demand(m.debit != Citation::Request && !by_medium, Code::NotWellFormed)
}
