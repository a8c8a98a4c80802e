//! The model's rules.

mod city;
mod coupon;
mod document;
mod dues;
mod grants;
mod group;
mod hold;
mod issuer;
mod keys;
mod legs;
mod lottery;
mod medium;
mod money;
mod movement;
mod offer;
mod party;
mod policy;
mod proposals;
mod register;
mod reward;
mod rule;
mod run;
mod sale;
mod settlement;
mod tender;
mod who;

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::{
    code::Code,
    execute::Block,
    id::{InstrumentId, MediumId, PartyId, Reference, RuleId, TxId},
    instrument::{
        InstrumentChange, LateRefund, Life, LifeStep, LimitOf, OnAccept, Regime, Shortfall, Terms,
        TransferRule, Validity,
    },
    keys::PublicKey,
    mandate::{Counterparty, Direction, MandateTerms},
    operation::*,
    party::PartyKind,
    state::{ReadState, Row, RowKey, derived_id},
    time::Time,
    transaction::{Body, Purpose, Role, Side, Transaction},
};

use document::Paper;
pub(crate) use group::Group;
use hold::Waits;
use issuer::Allowance;
use legs::{legs_well_formed, pay_well_formed, total, well_formed};
use medium::Medium;
use money::undo;

use super::{
    book::{Book, CLAIM, HELD, Lot, SPENDABLE, demand, redemption_end},
    common::{DAY, World, id},
    consent::{Signatures, Signed},
};
use offer::{Offered, Right, Taken};
use register::Register;
use rule::{Gift, Happened, Ruled};
use run::Ran;
use tender::Asked;
use who::staff;

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
    lots: Vec<Moved>,
    /// What rules gave for it.
    gifts: Vec<usize>,
    /// Whether an offer gave it.
    offered: bool,
    coupons: Vec<coupon::Used>,
}

#[derive(Clone)]
struct Moved {
    lot: Lot,
    amount: u64,
    undone: u64,
    claim: bool,
    /// Since when the giver had it.
    since: u64,
    /// What the receiver got.
    got: Lot,
}

#[derive(Clone)]
struct Redemption {
    merchant: PartyId,
    lots: Vec<(Lot, u64)>,
    fees: Vec<(PartyId, u64)>,
    netted: u64,
    of: InstrumentId,
    deadline: u64,
    open: bool,
}

/// The whole ledger, as simply as it can be said.
#[derive(Clone)]
pub(crate) struct Model {
    now: u64,
    /// How many blocks and leaves there were before this block.
    before: (u64, u64),
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
    lives: BTreeMap<InstrumentId, Vec<LifeStep>>,
    /// Issued and not corrected.
    issued: BTreeMap<InstrumentId, u64>,
    /// Used of a limit in a period.
    counted: BTreeMap<(PartyId, LimitOf, InstrumentId), (u32, u64)>,
    allowances: BTreeMap<TxId, Allowance>,
    fundings: BTreeSet<[u8; 32]>,
    mandates: BTreeMap<TxId, Mandate>,
    requests: BTreeMap<TxId, (RequestPayment, bool)>,
    proposals: BTreeMap<TxId, Proposal>,
    originals: BTreeMap<TxId, Original>,
    redemptions: BTreeMap<TxId, Redemption>,
    rules: BTreeMap<RuleId, Ruled>,
    /// Everything that rules ever gave.
    gifts: Vec<Gift>,
    /// Value that waits.
    waiting: BTreeMap<TxId, Waits>,
    /// References of others that were delivered for.
    delivered: BTreeSet<(PartyId, [u8; 32])>,
    /// Whose dues a request asks for.
    members: BTreeMap<TxId, Member>,
    /// Requests that were paid in cash.
    cash: BTreeSet<TxId>,
    /// Documents by issuer and number.
    papers: BTreeMap<(PartyId, Reference), Paper>,
    offers: BTreeMap<TxId, Offered>,
    rights: BTreeMap<TxId, Right>,
    /// Everything that was ever taken of offers.
    taken: Vec<Taken>,
    runs: BTreeMap<TxId, Ran>,
    judged: BTreeSet<TxId>,
    references: BTreeSet<(PartyId, Reference)>,
}

const HOLDERS: [PartyKind; 2] = [PartyKind::Person, PartyKind::Group];

impl Model {
    /// What has become due happens first.
    pub(crate) fn begin_block(&mut self, block: &Block) {
        let now = block.head.time;
        (self.now, self.before) = (now.0, (block.head.height, block.first_leaf));
        let late = |r: &&mut Redemption| r.open && r.deadline <= now.0;
        let late = self.redemptions.values_mut().filter(late).map(|redemption| {
            redemption.open = false;
            redemption.clone()
        });
        for redemption in late.collect::<Vec<_>>() {
            let Redemption { merchant, of, netted, lots, .. } = redemption;
            *self.owed.entry((merchant, of)).or_default() += netted;
            for (lot, amount) in lots {
                self.claims(merchant, lot, amount, u64::MAX);
                self.book.take(merchant, lot, HELD, amount);
            }
        }
        self.return_holds();
        self.groups.values_mut().for_each(|group| group.seat(now.0));
        self.book.sweep(now.0, &self.terms);
        self.end_recoveries();
    }

    /// A claim comes into a wallet, if it can still be redeemed.
    fn claims(&mut self, by: PartyId, lot: Lot, amount: u64, since: u64) {
        if self.now < redemption_end(&self.terms, &lot) {
            self.book.add(by, lot, CLAIM, amount, since);
        }
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
                self.on_behalf(body)?;
                let moved = self.movement(&Asked::of(m), by, body.purpose, body.answers)?;
                self.originals.insert(id, moved);
                Ok(())
            }
            Operation::Pay(op) => {
                pay_well_formed(op)?;
                self.on_behalf(body)?;
                let moved = self.movement(&Asked::any(op), by, body.purpose, body.answers)?;
                self.originals.insert(id, moved);
                Ok(())
            }
            Operation::PayWithCoupons(op) => {
                let ascending = op.coupons.windows(2).all(|w| w[0].offer < w[1].offer);
                let counted = (1..=4).contains(&op.coupons.len());
                demand(ascending && counted, Code::NotWellFormed)?;
                pay_well_formed(&op.pay)?;
                self.on_behalf(body)?;
                let asked = Asked::with_coupons(op);
                let moved = self.movement(&asked, by, body.purpose, body.answers)?;
                self.originals.insert(id, moved);
                Ok(())
            }
            Operation::Touch(op) => self.touch(op, by),
            Operation::ChangeInstrument(op) => self.change_instrument(op, by),
            Operation::PutRule(op) => self.put_rule(op, by),
            Operation::EndRule(op) => self.end_rule(op, by),
            Operation::SetParent(op) => self.set_parent(op, by),
            Operation::Repay(op) => self.repay(op, by),
            Operation::Hold(op) => self.hold(op, id, by),
            Operation::AnswerHold(op) => self.answer_hold(op, by),
            Operation::RequestMany(op) => self.request_many(op, id, by),
            Operation::RecordCash(op) => self.record_cash(op, by),
            Operation::Settle(op) => self.settle(op, id, by, body.purpose),
            Operation::AnswerSettlement(op) => self.answer_settlement(op, by),
            Operation::IssueDocument(op) => self.issue_document(op, by),
            Operation::PutOffer(op) => self.put_offer(op, id, by),
            Operation::EndOffer(op) => self.end_offer(op, by),
            Operation::Entitle(op) => self.entitle(op, by),
            Operation::WithdrawEntitlement { entitlement } => self.withdraw(*entitlement, by),
            Operation::Take(op) => self.take_of(op, id, by, body.purpose),
            Operation::Apply(op) => self.apply_for(op, id, by),
            Operation::RevealDraw(op) => self.reveal_draw(op, by),
            Operation::CountDraw(op) => self.count_draw(op, by),
            Operation::OpenRun(op) => self.open_run(op, id, by),
            Operation::RunChunk(op) => self.run_chunk(op),
            Operation::EndRun(op) => self.end_run(op, by),
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
            Operation::RequestRedemption(op) => self.redeem(op, id, by, body.purpose),
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
            Operation::BeginEpoch(_) => Err(Code::OutOfPlace),
            Operation::Freeze(op) => self.freeze(op.party, by),
            Operation::Unfreeze { party } => self.unfreeze(*party, by),
        }
    }
}
