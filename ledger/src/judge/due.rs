//! What happens by itself when its time has come. Nobody signs: block time acts, by the terms.

use super::{case, hold, redemption, supply};
use crate::{
    amount::Amount,
    id::{PartyId, TxId},
    instrument::Went,
    lot::Lot,
    outcome::{Account, Form, Outcome, Owed, Posting, Sign},
    party::{KeyRecord, KeyStatus, PartyStatus},
    state::{DueKind, Overlay, ProposalStatus, Redemption, RequestStatus},
    time::Time,
    wallet::Holding,
};

/// Acts on one due row and tells what it did and whom it concerns. Whatever became of its cause since,
/// this is total: a cause that was settled otherwise is left alone.
pub fn act_on_due(
    state: &mut Overlay<'_>,
    kind: DueKind,
    cause: [u8; 32],
    now: Time,
) -> (Outcome, Vec<PartyId>) {
    let mut outcome = Outcome { debit: Form::Time, credit: Form::Time, ..Outcome::default() };
    let id = TxId(cause);
    let mut short = [0; 16];
    short.copy_from_slice(&cause[..16]);
    let party = PartyId(short);
    let parties = match kind {
        DueKind::Proposal => expire_proposal(state, id),
        DueKind::Request => expire_request(state, id),
        DueKind::Redemption => return_claim(state, id, now, &mut outcome),
        DueKind::Hold => hold::time_out(state, id, now, &mut outcome),
        DueKind::Recovery => complete_recovery(state, party, now),
        DueKind::Successors => install(state, party, now),
        DueKind::Lots => expire(state, (party, Holding::Spendable), now, &mut outcome),
        DueKind::Claims => expire(state, (party, Holding::Claim), now, &mut outcome),
    };
    (outcome, parties)
}

fn expire_proposal(state: &mut Overlay<'_>, id: TxId) -> Vec<PartyId> {
    let mut proposal = state.proposal(id).expect("a due proposal exists");
    let mut parties = vec![proposal.movement.from, proposal.movement.to, proposal.proposer];
    if proposal.status == ProposalStatus::Open {
        proposal.status = ProposalStatus::Expired;
        state.put_proposal(id, proposal);
    }
    parties.sort_unstable();
    parties.dedup();
    parties
}

fn expire_request(state: &mut Overlay<'_>, id: TxId) -> Vec<PartyId> {
    let mut request = state.request(id).expect("a due request exists");
    let payee = request.payee;
    if request.status == RequestStatus::Open {
        request.status = RequestStatus::Expired;
        state.put_request(id, request);
    }
    vec![payee]
}

fn return_claim(
    state: &mut Overlay<'_>,
    id: TxId,
    now: Time,
    outcome: &mut Outcome,
) -> Vec<PartyId> {
    let Some(redemption) = redemption::time_out(state, id) else {
        return Vec::new();
    };
    let (merchant, lots) = (redemption.merchant, redemption.lots.clone());
    owe_again(state, &redemption, outcome);
    let mut wallet = state.wallet(merchant).expect("a merchant has a wallet");
    let account = Account::Wallet(merchant);
    let mut lapsed = Vec::new();
    for (lot, amount) in lots {
        let since = wallet.since(&lot).unwrap_or(now);
        wallet.take(lot, Holding::Held, amount).expect("INV-2: a hold is in its wallet");
        let held = Posting { account, lot, holding: Holding::Held, sign: Sign::Minus, amount };
        outcome.postings.push(held);
        if !lasts(state, &lot, Holding::Claim, now) {
            lapsed.push((lot, amount));
            continue;
        }
        wallet.add(lot, Holding::Claim, amount, since).expect("the sum over states is unchanged");
        outcome.postings.push(Posting { holding: Holding::Claim, sign: Sign::Plus, ..held });
    }
    state.put_wallet(merchant, wallet);
    for (lot, amount) in lapsed {
        burn_gone(state, (lot, amount), Went::Lapsed, outcome);
    }
    vec![merchant]
}

/// What a settlement had netted is owed as before.
fn owe_again(state: &mut Overlay<'_>, redemption: &Redemption, outcome: &mut Outcome) {
    let Redemption { merchant: party, instrument, netted: amount, .. } = *redemption;
    if amount.is_zero() {
        return;
    }
    let before = state.receivable(party, instrument).unwrap_or_default();
    // What is owed stays within the range of amounts by far: time cannot reject.
    let after = before.checked_add(amount).unwrap_or(Amount(u64::MAX));
    state.put_receivable(party, instrument, after);
    outcome.receivables.push(Owed { party, instrument, sign: Sign::Plus, amount });
}

/// The new key is the only one from now on. Does nothing before its time, or a second time.
pub(super) fn complete_recovery(state: &mut Overlay<'_>, id: PartyId, now: Time) -> Vec<PartyId> {
    let mut party = state.party(id).expect("a recovering party exists");
    let Some(recovery) = party.recovery.filter(|recovery| recovery.effective <= now) else {
        return Vec::new();
    };
    for key in &party.keys {
        let record = state.key(*key).expect("a party's key is registered");
        let status = match record.status {
            KeyStatus::Waiting if *key == recovery.key => KeyStatus::Active,
            KeyStatus::Active => KeyStatus::Revoked,
            other => other,
        };
        if status != record.status {
            state.put_key(*key, KeyRecord { party: id, status, since: recovery.effective });
        }
    }
    party.recovery = None;
    if case::lifts_freeze(&party) {
        party.status = PartyStatus::Active;
    }
    state.put_party(id, party);
    vec![id]
}

fn install(state: &mut Overlay<'_>, id: PartyId, now: Time) -> Vec<PartyId> {
    let mut group = state.group(id).expect("a group with successors exists");
    group.seat_successors(now);
    state.put_group(id, group);
    vec![id]
}

/// Whether value in this state is still worth something: spendable until its use ends, a claim until its redemption does.
pub(super) fn lasts(state: &Overlay<'_>, lot: &Lot, holding: Holding, now: Time) -> bool {
    match holding {
        Holding::Spendable => lot.usable(now),
        Holding::Claim => {
            let instrument = state.instrument(lot.instrument).expect("a lot's instrument exists");
            instrument.terms.redeemable(lot.use_expiry, now)
        }
        Holding::Held => true,
    }
}

/// Burns what of a wallet can no longer be spent, or redeemed.
fn expire(
    state: &mut Overlay<'_>,
    (id, holding): (PartyId, Holding),
    now: Time,
    outcome: &mut Outcome,
) -> Vec<PartyId> {
    let mut wallet = state.wallet(id).expect("a wallet, once opened, stays");
    let there = wallet.lots.iter().filter(|b| !b.amount(holding).is_zero());
    let gone = there.filter(|b| !lasts(state, &b.lot, holding, now));
    let expired: Vec<(Lot, Amount)> = gone.map(|b| (b.lot, b.amount(holding))).collect();
    for (lot, amount) in &expired {
        wallet.take(*lot, holding, *amount).expect("just read");
    }
    state.put_wallet(id, wallet);
    for (lot, amount) in expired {
        let account = Account::Wallet(id);
        outcome.postings.push(Posting { account, lot, holding, sign: Sign::Minus, amount });
        burn_gone(state, (lot, amount), Went::in_time(holding), outcome);
    }
    vec![id]
}

/// Lets value whose time is over go to its issuer.
fn burn_gone(
    state: &mut Overlay<'_>,
    (lot, amount): (Lot, Amount),
    went: Went,
    outcome: &mut Outcome,
) {
    supply::went(state, lot, amount, went).expect("no more than was issued");
    let issuer = state.instrument(lot.instrument).expect("a lot's instrument exists").terms.issuer;
    let (account, holding) = (Account::Issuance(issuer), Holding::Spendable);
    outcome.postings.push(Posting { account, lot, holding, sign: Sign::Plus, amount });
}
