//! One transaction before its judge: the state it is judged against, who signed, what it did so far.

use super::{Clock, consent::Scene, supply};
use crate::{
    amount::Amount,
    code::Code,
    genesis::Parameters,
    group::{Group, GroupLife},
    id::{InstrumentId, PartyId, TxId},
    instrument::{Came, Instrument, Went},
    keys::{PublicKey, check_party_key},
    lot::Lot,
    operation::Leg,
    outcome::{Account, Outcome, Owed, Posting, Sign},
    party::{KeyStatus, Party, PartyKind, PartyStatus},
    state::{DueKind, Overlay, Row, RowKey, Settled, Shared, padded},
    time::Time,
    transaction::{Body, Role, Side, Transaction},
    wallet::{Holding, Wallet},
};

/// A signature seen in the light of the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signer {
    pub(super) side: Side,
    pub(super) role: Role,
    /// The party acted for.
    pub(super) party: PartyId,
    pub(super) key: PublicKey,
    /// The party that the key belongs to, if it signs at all now; or why it does not.
    pub(super) owner: Result<PartyId, Code>,
}

/// A transaction being judged.
pub(super) struct Case<'c, 'a> {
    pub(super) state: &'c mut Overlay<'a>,
    pub(super) transaction: &'c Transaction,
    pub(super) id: TxId,
    /// Keys of which is known that they may be registered.
    fit: &'c [PublicKey],
    pub(super) now: Time,
    /// The block that it stands in.
    pub(super) clock: Clock,
    pub(super) parameters: Parameters,
    pub(super) signers: Vec<Signer>,
    pub(super) outcome: Outcome,
    pub(super) settled: Option<Settled>,
}

impl<'c, 'a> Case<'c, 'a> {
    pub(super) fn open(
        state: &'c mut Overlay<'a>,
        transaction: &'c Transaction,
        (id, fit): (TxId, &'c [PublicKey]),
        clock: Clock,
    ) -> Self {
        let now = clock.time;
        let parameters = state.meta().parameters;
        let signers = transaction
            .signatures
            .iter()
            .map(|s| Signer {
                side: s.side,
                role: s.role,
                party: s.party,
                key: s.signer,
                owner: owner_of(state, s.signer, now),
            })
            .collect();
        let outcome = Outcome::default();
        let settled = None;
        Self { state, transaction, id, fit, now, clock, parameters, signers, outcome, settled }
    }

    pub(super) fn close(self) -> (Outcome, Option<Settled>) {
        (self.outcome, self.settled)
    }

    pub(super) fn body(&self) -> &'c Body {
        &self.transaction.body
    }

    /// Whether a key of the sender's that signs now is among the signers, or (so that a frozen party
    /// can still cancel a recovery, and be told that it is frozen) one of a frozen sender.
    pub(super) fn sender_signs(&self) -> bool {
        self.signers.iter().any(|signer| self.is_senders(signer))
    }

    /// Whether a party may register this key, apart from whether somebody has.
    pub(super) fn is_fit(&self, key: &PublicKey) -> bool {
        self.fit.contains(key) || check_party_key(key).is_ok()
    }

    /// Whether nobody but the sender can have attached the signatures.
    pub(super) fn sender_signs_alone(&self) -> bool {
        self.signers.iter().all(|signer| self.is_senders(signer))
    }

    fn is_senders(&self, signer: &Signer) -> bool {
        let sender = self.body().sender;
        match signer.owner {
            Ok(owner) => owner == sender,
            Err(Code::PartyFrozen) => {
                self.state.key(signer.key).is_some_and(|record| record.party == sender)
            }
            Err(_) => false,
        }
    }

    /// A party that must exist.
    pub(super) fn party(&self, id: PartyId) -> Result<Shared<Party>, Code> {
        self.state.party(id).ok_or(Code::UnknownParty)
    }

    /// A party that must exist and act.
    pub(super) fn active_party(&self, id: PartyId) -> Result<Shared<Party>, Code> {
        let party = self.party(id)?;
        match status_at(&party, self.now) {
            PartyStatus::Active => Ok(party),
            PartyStatus::Frozen => Err(Code::PartyFrozen),
            PartyStatus::Closed => Err(Code::PartyClosed),
        }
    }

    /// A party that must exist, act, and be of one kind.
    pub(super) fn active_of_kind(
        &self,
        id: PartyId,
        kind: PartyKind,
    ) -> Result<Shared<Party>, Code> {
        let party = self.active_party(id)?;
        if party.kind == kind { Ok(party) } else { Err(Code::WrongKind) }
    }

    /// The state as it is now, for judging consents.
    pub(super) fn scene(&self) -> Scene<'_, 'a> {
        Scene { state: self.state, now: self.now }
    }

    /// A group, with successors in office if their notice is over.
    pub(super) fn group(&self, id: PartyId) -> Result<Shared<Group>, Code> {
        self.scene().group(id)
    }

    pub(super) fn instrument(&self, id: InstrumentId) -> Result<Shared<Instrument>, Code> {
        self.state.instrument(id).ok_or(Code::UnknownInstrument)
    }

    /// Whether one of these keys is compromised by now: what it granted and was not used is void.
    pub(super) fn any_compromised(&self, keys: &[PublicKey]) -> bool {
        any_compromised(self.state, keys)
    }

    /// The wallet of a party that exists.
    pub(super) fn wallet(&self, id: PartyId) -> Shared<Wallet> {
        self.state.wallet(id).expect("a party is registered with its wallet")
    }

    /// Opens a wallet for a new party.
    pub(super) fn open_wallet(&mut self, id: PartyId) {
        let salt = crate::state::wallet_salt(&self.body().salt, &id);
        open_wallet(self.state, id, salt);
    }

    /// Lets something become due.
    pub(super) fn due_at(&mut self, deadline: Time, kind: DueKind, cause: [u8; 32]) {
        self.state.put(RowKey::Due(deadline, kind, cause), Row::Due);
    }

    /// What would have become due is settled: nothing is left to do then.
    pub(super) fn settled_before(&mut self, deadline: Time, kind: DueKind, cause: TxId) {
        self.state.remove(RowKey::Due(deadline, kind, cause.0));
    }

    /// Writes down a recovery whose delay is over, where its own leaf is still to come: whoever changes a
    /// party's keys or status finds them as they are.
    pub(super) fn seat_recovery(&mut self, id: PartyId) {
        super::due::complete_recovery(self.state, id, self.now);
    }

    /// Takes from a wallet, which must hold that much.
    pub(super) fn debit(&mut self, from: PartyId, lot: Lot, holding: Holding, amount: Amount) {
        let mut wallet = self.wallet(from);
        wallet.take(lot, holding, amount).expect("INV-2: the caller looked before it took");
        self.state.put_wallet(from, wallet);
        self.post(Account::Wallet(from), lot, holding, Sign::Minus, amount);
    }

    /// Adds to a wallet what comes into it now.
    pub(super) fn credit(
        &mut self,
        to: PartyId,
        lot: Lot,
        holding: Holding,
        amount: Amount,
    ) -> Result<(), Code> {
        self.credit_since(to, lot, holding, amount, self.now)
    }

    /// Adds to a wallet what its holder has had since `since`. A claim whose redemption has ended lapses at once.
    pub(super) fn credit_since(
        &mut self,
        to: PartyId,
        lot: Lot,
        holding: Holding,
        amount: Amount,
        since: Time,
    ) -> Result<(), Code> {
        if holding == Holding::Claim {
            let instrument = self.instrument(lot.instrument)?;
            match instrument.terms.redemption_end(lot.use_expiry) {
                Some(end) if end <= self.now => {
                    return self.burn(instrument.terms.issuer, lot, amount, Went::Lapsed);
                }
                Some(end) => self.due_at(end, DueKind::Claims, padded(&to.0)),
                None => {}
            }
        }
        let mut wallet = self.wallet(to);
        wallet.add(lot, holding, amount, since).ok_or(Code::AmountOverflow)?;
        if !fits(&wallet, lot.instrument) {
            return Err(Code::TooManyLots);
        }
        self.state.put_wallet(to, wallet);
        if let (Some(end), Holding::Spendable) =
            (lot.use_expiry.filter(|end| *end > self.now), holding)
        {
            self.due_at(end, DueKind::Lots, padded(&to.0));
        }
        self.post(Account::Wallet(to), lot, holding, Sign::Plus, amount);
        Ok(())
    }

    /// Turns value of a wallet from one state to another. Its holder has had it as long as before.
    pub(super) fn turn(
        &mut self,
        party: PartyId,
        lot: Lot,
        (from, to): (Holding, Holding),
        amount: Amount,
    ) -> Result<(), Code> {
        let since = self.wallet(party).since(&lot).unwrap_or(self.now);
        self.debit(party, lot, from, amount);
        self.credit_since(party, lot, to, amount, since)
    }

    /// Value comes: the issuer's liability grows.
    pub(super) fn issue(
        &mut self,
        issuer: PartyId,
        lot: Lot,
        amount: Amount,
        came: Came,
    ) -> Result<(), Code> {
        supply::came(self.state, lot, amount, came).ok_or(Code::AmountOverflow)?;
        self.post(Account::Issuance(issuer), lot, Holding::Spendable, Sign::Minus, amount);
        Ok(())
    }

    /// Value goes: the issuer's liability shrinks.
    pub(super) fn burn(
        &mut self,
        issuer: PartyId,
        lot: Lot,
        amount: Amount,
        went: Went,
    ) -> Result<(), Code> {
        supply::went(self.state, lot, amount, went).ok_or(Code::AmountOverflow)?;
        self.post(Account::Issuance(issuer), lot, Holding::Spendable, Sign::Plus, amount);
        Ok(())
    }

    /// Replaces value by equal value of another expiry: the issuer's liability stays. Does nothing where both are the
    /// same lot.
    pub(super) fn renew(
        &mut self,
        issuer: PartyId,
        old: Lot,
        new: Lot,
        amount: Amount,
    ) -> Result<(), Code> {
        if old == new {
            return Ok(());
        }
        supply::renewed(self.state, old, new, amount).ok_or(Code::AmountOverflow)?;
        let account = Account::Issuance(issuer);
        self.post(account, old, Holding::Spendable, Sign::Plus, amount);
        self.post(account, new, Holding::Spendable, Sign::Minus, amount);
        Ok(())
    }

    /// Adds to what a party owes an instrument's issuer.
    pub(super) fn owe(
        &mut self,
        party: PartyId,
        instrument: InstrumentId,
        amount: Amount,
    ) -> Result<(), Code> {
        let before = self.state.receivable(party, instrument).unwrap_or_default();
        let after = before.checked_add(amount).ok_or(Code::AmountOverflow)?;
        self.state.put_receivable(party, instrument, after);
        self.outcome.receivables.push(Owed { party, instrument, sign: Sign::Plus, amount });
        Ok(())
    }

    /// Whether a party may owe so much more.
    pub(super) fn may_owe(&self, party: PartyId, instrument: InstrumentId, amount: Amount) -> bool {
        let before = self.state.receivable(party, instrument).unwrap_or_default();
        before.checked_add(amount).is_some()
    }

    /// Takes off what a party owes an instrument's issuer, as far as it owes that much.
    pub(super) fn settle(&mut self, party: PartyId, instrument: InstrumentId, amount: Amount) {
        let before = self.state.receivable(party, instrument).unwrap_or_default();
        let amount = amount.min(before);
        let after = before.checked_sub(amount).expect("no more is settled than is owed");
        if amount.is_zero() {
            return;
        }
        if after.is_zero() {
            self.state.remove(RowKey::Receivable(party, instrument));
        } else {
            self.state.put_receivable(party, instrument, after);
        }
        self.outcome.receivables.push(Owed { party, instrument, sign: Sign::Minus, amount });
    }

    fn post(&mut self, account: Account, lot: Lot, holding: Holding, sign: Sign, amount: Amount) {
        self.outcome.postings.push(Posting { account, lot, holding, sign, amount });
    }

    /// Whole steps of instruments that exist.
    pub(super) fn check_legs(&self, legs: &[Leg]) -> Result<(), Code> {
        for leg in legs {
            let instrument = self.instrument(leg.instrument)?;
            whole_steps(leg, &instrument)?;
        }
        Ok(())
    }

    /// Whether a group may pay now.
    pub(super) fn check_can_pay(&self, group: &Group) -> Result<(), Code> {
        let able = group.life != GroupLife::Forming && Group::can_pay(&group.roles);
        if able { Ok(()) } else { Err(Code::GroupCannotPay) }
    }
}

/// Whether one of these keys is compromised.
pub(super) fn any_compromised(state: &Overlay<'_>, keys: &[PublicKey]) -> bool {
    let compromised = |key: &PublicKey| {
        state.key(*key).is_some_and(|record| record.status == KeyStatus::Compromised)
    };
    keys.iter().any(compromised)
}

/// Whether a wallet has no more lots of an instrument, and no more instruments, than it may have.
pub(super) fn fits(wallet: &Wallet, instrument: InstrumentId) -> bool {
    let kinds = wallet.lots.chunk_by(|a, b| a.lot.instrument == b.lot.instrument);
    wallet.of(instrument).count() <= crate::limits::LOTS_PER_INSTRUMENT_MAX
        && kinds.count() <= crate::limits::INSTRUMENTS_PER_WALLET_MAX
}

/// One to four legs, ascending by instrument, none zero.
pub(super) fn legs_well_formed(legs: &[Leg]) -> Result<(), Code> {
    let counted = (1..=crate::limits::LEGS_MAX).contains(&legs.len());
    if !counted || !legs.windows(2).all(|pair| pair[0].instrument < pair[1].instrument) {
        return Err(Code::NotWellFormed);
    }
    if legs.iter().any(|leg| leg.amount.is_zero()) {
        return Err(Code::AmountInvalid);
    }
    Ok(())
}

/// Whether a leg is whole steps of its instrument.
pub(super) fn whole_steps(leg: &Leg, instrument: &Instrument) -> Result<(), Code> {
    let whole = leg.amount.0.is_multiple_of(instrument.terms.step.0);
    if whole { Ok(()) } else { Err(Code::AmountInvalid) }
}

/// The sum over all legs, as policies and mandates count it.
pub(super) fn total(legs: &[Leg]) -> Result<Amount, Code> {
    legs.iter()
        .try_fold(Amount::ZERO, |sum, leg| sum.checked_add(leg.amount))
        .ok_or(Code::AmountOverflow)
}

/// A party's status, with a recovery whose delay is over taken as done.
pub(super) fn status_at(party: &Party, now: Time) -> PartyStatus {
    match party.recovery {
        Some(recovery) if recovery.effective <= now && lifts_freeze(party) => PartyStatus::Active,
        _ => party.status,
    }
}

/// Whether the recovery under way ends a freeze: the one that it found. A freeze that came later has its
/// evidence still, and stays.
pub(super) fn lifts_freeze(party: &Party) -> bool {
    party.status == PartyStatus::Frozen && party.freeze_evidence.is_none()
}

/// Whose key this is, if it signs at `now`.
pub(super) fn owner_of(state: &Overlay<'_>, key: PublicKey, now: Time) -> Result<PartyId, Code> {
    let record = state.key(key).ok_or(Code::KeyUnknown)?;
    let party = state.party(record.party).expect("a key's party exists");
    let signs = party.is_signed_by(&key, record.status, now);
    match (signs, status_at(&party, now)) {
        (false, _) => Err(Code::KeyNotActive),
        (true, PartyStatus::Active) => Ok(record.party),
        (true, PartyStatus::Frozen) => Err(Code::PartyFrozen),
        (true, PartyStatus::Closed) => Err(Code::PartyClosed),
    }
}

/// Opens the wallet with the next serial number.
pub(super) fn open_wallet(state: &mut Overlay<'_>, id: PartyId, salt: [u8; 32]) {
    let mut meta = state.meta();
    let wallet = Wallet::open(meta.wallets, salt);
    meta.wallets += 1;
    state.put(RowKey::Meta, Row::Meta(meta));
    state.put_wallet(id, wallet);
}
