//! The rules: one transaction against the state, one judgement out.
//!
//! Checks come in stages, and the first that fails gives the code ([`crate::code`] lists them in this
//! order): already judged, reference, sender; expiry and form; parties; live consents; instruments;
//! grants cited; the money. One file per kind of operation; [`consent`] says who must have signed.

mod allowance;
mod case;
mod consent;
mod coupon;
mod document;
mod due;
mod dues;
mod epoch;
mod genesis;
mod gift;
mod grantor;
mod group;
mod hold;
mod instrument;
mod keys;
mod limit;
mod mandate;
mod medium;
mod movement;
mod offer;
mod parent;
mod party;
mod payout;
mod policy;
mod proposal;
mod reads;
mod redemption;
mod refund;
mod repay;
mod request;
mod rule;
mod run;
mod settlement;
mod supply;
mod topup;
mod touch;
mod way;

pub use consent::{Missing, missing_consents};
pub use coupon::{Quote, coupon_quote};
pub use due::act_on_due;
pub use genesis::open_state;
pub use reads::likely_reads;

use crate::{
    code::{Code, Standing},
    id::{PartyId, TxId},
    keys::PublicKey,
    limits,
    operation::{Cause, Citation, Member, Operation, PayWithCoupons},
    outcome::Outcome,
    state::{Overlay, Settled},
    time::Time,
    transaction::Transaction,
};
use case::Case;

/// Height, time and first leaf of the block being executed.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Its height.
    pub height: u64,
    /// Its time.
    pub time: Time,
    /// How many leaves the log had before it.
    pub first_leaf: u64,
}

/// What a transaction came to.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The verdict, or why it is void.
    pub code: Code,
    /// Which of the two.
    pub standing: Standing,
    /// What it did; empty unless applied.
    pub outcome: Outcome,
    /// What it moved, if it is a transfer or top-up.
    pub settled: Option<Settled>,
}

impl Judgement {
    /// A void item.
    #[must_use]
    pub fn void(code: Code) -> Self {
        Self { code, standing: Standing::Void, outcome: Outcome::default(), settled: None }
    }

    fn of(code: Code, by_sender_alone: bool) -> Self {
        let void = code.about_signatures() && (code.curable() || !by_sender_alone);
        let standing = if void { Standing::Void } else { code.standing() };
        Self { code, standing, outcome: Outcome::default(), settled: None }
    }
}

/// Judges a transaction whose form, chain, rules version and signatures were checked before. Changes
/// are left in `state` for the caller to keep or drop. With its id come keys of which is known that they are
/// fit to be registered.
pub fn judge(
    state: &mut Overlay<'_>,
    transaction: &Transaction,
    (id, fit): (TxId, &[PublicKey]),
    clock: Clock,
) -> Judgement {
    let body = &transaction.body;
    // An id covers sender and reference, and a verdict binds both: whoever is judged has its reference (INV-3).
    match state.reference(body.sender, body.reference.clone()) {
        Some(owner) if owner == id => return Judgement::void(Code::AlreadyJudged),
        Some(_) => return Judgement::void(Code::ReferenceTaken),
        None => {}
    }
    let mut case = Case::open(state, transaction, (id, fit), clock);
    if !case.sender_signs() {
        return Judgement::void(Code::SenderNotSigner);
    }
    let alone = case.sender_signs_alone();
    match decide(&mut case) {
        Ok(()) => {
            let (outcome, settled) = case.close();
            Judgement { code: Code::Applied, standing: Standing::Applied, outcome, settled }
        }
        Err(code) => Judgement::of(code, alone),
    }
}

fn decide(case: &mut Case<'_, '_>) -> Result<(), Code> {
    let body = case.body();
    if body.expires <= case.now {
        return Err(Code::Expired);
    }
    if body.expires > case.now.plus(limits::SUBMISSION_WINDOW_MS) {
        return Err(Code::WindowTooLong);
    }
    match &body.operation {
        Operation::Transfer(op) => movement::transfer(case, op),
        Operation::TopUp(op) => topup::top_up(case, op),
        Operation::Propose(op) => proposal::propose(case, op),
        Operation::Decide(op) => proposal::decide(case, op),
        Operation::RequestPayment(op) => request::open(case, op),
        Operation::CancelRequest { request } => request::cancel(case, *request),
        Operation::Refund(op) => refund::refund(case, op),
        Operation::Correct(op) => refund::correct(case, op),
        Operation::RequestRedemption(op) => redemption::request(case, op),
        Operation::AnswerRedemption(op) => redemption::answer(case, op),
        Operation::GrantMandate(op) => mandate::grant(case, op),
        Operation::RevokeMandate { mandate } => mandate::revoke(case, *mandate),
        Operation::GrantAllowance(op) => allowance::grant(case, op),
        Operation::RevokeAllowance { allowance } => allowance::revoke(case, *allowance),
        Operation::DefineInstrument(op) => instrument::define(case, op),
        Operation::RegisterParty(op) => party::register(case, op),
        Operation::Attest(op) => party::attest(case, op),
        Operation::SetOfficers(op) => party::set_officers(case, op),
        Operation::AddKey(op) => keys::add(case, op),
        Operation::RotateKey(op) => keys::rotate(case, op),
        Operation::RevokeKey(op) => keys::revoke(case, op),
        Operation::Freeze(op) => keys::freeze(case, op),
        Operation::Unfreeze { party } => keys::unfreeze(case, *party),
        Operation::Recover(op) => keys::recover(case, op),
        Operation::CancelRecovery { party } => keys::cancel_recovery(case, *party),
        Operation::EnrolMedium(op) => medium::enrol(case, op),
        Operation::RevokeMedium { medium } => medium::revoke(case, *medium),
        Operation::CreateGroup(op) => group::create(case, op),
        Operation::ChangeGroup(op) => group::change(case, op),
        Operation::InstallSuccessors(op) => group::install_successors(case, op),
        Operation::CloseGroup { group } => group::close(case, *group),
        Operation::ChangeWitnessPolicy(policy) => policy::change(case, policy),
        Operation::BeginEpoch(op) => epoch::begin(case, op),
        Operation::Pay(op) => movement::pay(case, op),
        Operation::Touch(op) => touch::touch(case, op),
        Operation::ChangeInstrument(op) => instrument::change(case, op),
        Operation::PutRule(op) => rule::put(case, op),
        Operation::EndRule(op) => rule::end(case, op),
        Operation::IssueDocument(op) => document::issue(case, op),
        Operation::PutOffer(op) => offer::put(case, op),
        Operation::EndOffer(op) => offer::end(case, op),
        Operation::Entitle(op) => offer::entitle(case, op),
        Operation::WithdrawEntitlement { entitlement } => offer::withdraw(case, *entitlement),
        Operation::Take(op) => offer::take(case, op),
        Operation::RequestMany(op) => dues::request_many(case, op),
        Operation::RecordCash(op) => dues::record_cash(case, op),
        Operation::Hold(op) => hold::hold(case, op),
        Operation::AnswerHold(op) => hold::answer(case, op),
        Operation::SetParent(op) => parent::set(case, op),
        Operation::Repay(op) => repay::repay(case, op),
        Operation::Apply(op) => offer::apply(case, op),
        Operation::RevealDraw(op) => offer::reveal(case, op),
        Operation::CountDraw(op) => offer::count(case, op),
        Operation::OpenRun(op) => run::open(case, op),
        Operation::RunChunk(op) => run::chunk(case, op),
        Operation::EndRun(op) => run::end(case, op),
        Operation::PayWithCoupons(op) => coupon::pay(case, op),
        Operation::Settle(op) => settlement::settle(case, op),
        Operation::AnswerSettlement(op) => settlement::answer(case, op),
    }
}

/// Parties whose feeds and statements an entry belongs to, ascending: the sender, everyone whom the body
/// names as taking part or as the one acted on, every wallet touched and every new debtor. Signatures add
/// the parties acted for only where the body leaves to the state who these are: whoever passes a
/// transaction on can attach one for anybody.
#[must_use]
pub fn parties_of(transaction: &Transaction, outcome: &Outcome) -> Vec<PartyId> {
    let mut parties = outcome.wallets();
    parties.push(transaction.body.sender);
    parties.extend(outcome.receivables.iter().map(|owed| owed.party));
    if name_parties(&transaction.body.operation, &mut parties) == Others::Signed {
        parties.extend(transaction.signatures.iter().map(|signature| signature.party));
    }
    parties.sort_unstable();
    parties.dedup();
    parties
}

/// Who takes part besides those whom the body names.
#[derive(PartialEq, Eq)]
enum Others {
    Nobody,
    /// Whom the signatures act for: a grant's staff, a party's registrar, the organisations.
    Signed,
}

fn name_parties(operation: &Operation, parties: &mut Vec<PartyId>) -> Others {
    let movement = match operation {
        Operation::Transfer(movement) => Some(movement),
        Operation::Propose(op) => Some(&op.movement),
        _ => None,
    };
    let sides = match operation {
        Operation::Pay(pay) | Operation::PayWithCoupons(PayWithCoupons { pay, .. }) => {
            Some((pay.from, pay.to, pay.debit))
        }
        _ => movement.map(|movement| (movement.from, movement.to, movement.debit)),
    };
    if let Some((from, to, debit)) = sides {
        parties.extend([from, to]);
        let by_staff = matches!(debit, Citation::Mandate(_));
        return if by_staff { Others::Signed } else { Others::Nobody };
    }
    match operation {
        Operation::RequestPayment(op) => {
            parties.push(op.payee);
            parties.extend(op.payer);
        }
        Operation::RequestMany(op) => {
            parties.push(op.payee);
            parties.extend(op.lines.iter().filter_map(|line| match line.member {
                Member::Party(member) => Some(member),
                Member::Roster(_) => None,
            }));
        }
        Operation::RequestRedemption(op) => parties.push(op.merchant),
        Operation::Hold(op) => parties.extend([op.from, op.to]),
        Operation::SetParent(op) => {
            parties.push(op.group);
            parties.extend(op.parent);
        }
        Operation::Repay(op) => parties.push(op.party),
        Operation::GrantMandate(op) => parties.push(op.grantor),
        Operation::IssueDocument(op) => {
            parties.push(op.issuer);
            parties.extend(op.addressee);
        }
        Operation::DefineInstrument(op) => parties.push(op.terms.issuer),
        Operation::Take(op) => parties.push(op.to),
        Operation::Attest(op) => parties.extend([op.party, op.registrar]),
        Operation::EnrolMedium(op) => parties.extend([op.party, op.registrar]),
        Operation::CreateGroup(op) => {
            parties.extend([op.group, op.registrar, op.representative]);
        }
        Operation::Entitle(op) => {
            let named = |cause: &Cause| match cause {
                Cause::Event(event) => Some(event.party),
                Cause::Code(_) => None,
            };
            parties.extend(op.causes.iter().filter_map(named));
            return Others::Signed;
        }
        Operation::ChangeGroup(op) => {
            parties.push(op.group);
            parties.extend(op.representative);
        }
        Operation::CloseGroup { group } => parties.push(*group),
        // Whoever is granted something is in the postings.
        Operation::RunChunk(_) => {}
        _ => {
            parties.extend(acted_on(operation));
            return Others::Signed;
        }
    }
    Others::Nobody
}

/// The party that an operation acts on, where others may act on it.
fn acted_on(operation: &Operation) -> Option<PartyId> {
    match operation {
        Operation::TopUp(op) => Some(op.to),
        Operation::RegisterParty(op) => Some(op.party),
        Operation::SetOfficers(op) => Some(op.party),
        Operation::AddKey(op) => Some(op.party),
        Operation::RotateKey(op) => Some(op.party),
        Operation::RevokeKey(op) => Some(op.party),
        Operation::Freeze(op) => Some(op.party),
        Operation::Recover(op) => Some(op.party),
        Operation::Touch(op) => Some(op.party),
        Operation::Apply(op) => Some(op.to),
        Operation::Unfreeze { party } | Operation::CancelRecovery { party } => Some(*party),
        Operation::InstallSuccessors(op) => Some(op.group),
        _ => None,
    }
}
