//! Changes gathered over a base state: per item until it is judged, per block until it is recorded.

use std::{cell::RefCell, collections::BTreeMap};

use super::{
    Allowance, Epoch, Held, Judged, LimitUse, Medium, Meta, NumberedPolicy, Proposal, ReadState,
    Redemption, Request, Row, RowKey, Shared, Supply, UsedCoupons,
};
use crate::{
    amount::Amount,
    document::Document,
    group::Group,
    id::{DocumentHash, InstrumentId, MediumId, PartyId, PersonTag, Reference, RuleId, TxId},
    instrument::{Instrument, LimitOf, Totals},
    keys::PublicKey,
    lot::Lot,
    mandate::Mandate,
    offer::{Entitlement, Offer, draw::Draw},
    party::{KeyRecord, Party},
    rule::{
        Rule, RuleBook, Trigger,
        cap::{RuleUse, Scope, Subject},
    },
    run::{Run, RunLines},
    settlement::Settlement,
    wallet::Wallet,
};

/// What a block changes: new rows, or `None` for a row that goes; in key order.
pub type Changes = BTreeMap<RowKey, Option<Row>>;

/// So many rows that an item has read are looked through before the others: more than nearly any reads.
const SEEN: usize = 32;

/// A base state with a block's changes on top, and above those the changes of the item being judged.
pub struct Overlay<'a> {
    base: &'a dyn ReadState,
    block: Changes,
    /// A few rows, each once.
    item: Vec<(RowKey, Option<Row>)>,
    /// What the item has read below its own changes, a few rows, each once: rules ask for the same ones again
    /// and again, and finding a row costs more than looking through these.
    seen: RefCell<Vec<(RowKey, Option<Row>)>>,
}

fn find<'r>(rows: &'r [(RowKey, Option<Row>)], key: &RowKey) -> Option<&'r Option<Row>> {
    rows.iter().find(|(of, _)| of == key).map(|(_, row)| row)
}

/// Methods that read and write the rows of a table.
macro_rules! rows {
    ($($(#[$doc:meta])* $get:ident, $put:ident, $row:ident: $type:ty, ($($part:ident: $part_type:ty),*) => $key:expr;)+) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $get(&self, $($part: $part_type),*) -> Option<$type> {
                match self.get(&$key)? {
                    Row::$row(value) => Some(value),
                    other => panic!("table {:?} holds {other:?}", $key.table()),
                }
            }

            /// Writes the row that the method above reads.
            pub fn $put(&mut self, $($part: $part_type,)* value: impl Into<$type>) {
                self.put($key, Row::$row(value.into()));
            }
        )+
    };
}

impl<'a> Overlay<'a> {
    /// Nothing changed yet.
    #[must_use]
    pub fn new(base: &'a dyn ReadState) -> Self {
        Self { base, block: Changes::new(), item: Vec::new(), seen: RefCell::default() }
    }

    /// The row under `key`, as changed so far.
    #[must_use]
    pub fn get(&self, key: &RowKey) -> Option<Row> {
        if let Some(row) = find(&self.item, key) {
            return row.clone();
        }
        let mut seen = self.seen.borrow_mut();
        if let Some(row) = find(&seen, key) {
            return row.clone();
        }
        let row = self.block.get(key).cloned().unwrap_or_else(|| self.base.row(key));
        if seen.len() < SEEN {
            seen.push((key.clone(), row.clone()));
        }
        row
    }

    /// Writes a row for the item being judged.
    pub fn put(&mut self, key: RowKey, row: Row) {
        self.write(key, Some(row));
    }

    /// Removes a row for the item being judged.
    pub fn remove(&mut self, key: RowKey) {
        self.write(key, None);
    }

    fn write(&mut self, key: RowKey, row: Option<Row>) {
        match self.item.iter_mut().find(|(written, _)| *written == key) {
            Some((_, place)) => *place = row,
            None => self.item.push((key, row)),
        }
    }

    /// A row that kept items of this block have written, to be changed where it lies.
    ///
    /// # Panics
    /// If none has, or the last one removed it.
    pub fn written(&mut self, key: &RowKey) -> &mut Row {
        self.seen.get_mut().clear();
        let row = self.block.get_mut(key).and_then(Option::as_mut);
        row.unwrap_or_else(|| panic!("no item of this block has written {key:?}"))
    }

    /// The item took effect: its changes become the block's.
    pub fn keep(&mut self) {
        // Not `append`, which rebuilds the whole map: a block has thousands of items of a few rows each.
        self.block.extend(self.item.drain(..));
        self.seen.get_mut().clear();
    }

    /// The item took none: its changes are forgotten.
    pub fn drop_item(&mut self) {
        self.item.clear();
        self.seen.get_mut().clear();
    }

    /// The block's changes.
    ///
    /// # Panics
    /// If an item was neither kept nor dropped.
    #[must_use]
    pub fn finish(self) -> Changes {
        assert!(self.item.is_empty(), "every item is kept or dropped before its block ends");
        self.block
    }

    /// The state below.
    #[must_use]
    pub fn base(&self) -> &'a dyn ReadState {
        self.base
    }

    /// The row about the state as a whole.
    ///
    /// # Panics
    /// If the state was never opened by a genesis document.
    #[must_use]
    pub fn meta(&self) -> Shared<Meta> {
        match self.get(&RowKey::Meta) {
            Some(Row::Meta(meta)) => meta,
            other => panic!("a state begins with its meta row, found {other:?}"),
        }
    }

    rows! {
        /// A party.
        party, put_party, Party: Shared<Party>, (id: PartyId) => RowKey::Party(id);
        /// A key's record.
        key, put_key, Key: KeyRecord, (key: PublicKey) => RowKey::Key(key);
        /// The party of a person tag.
        person, put_person, Person: PartyId, (tag: PersonTag) => RowKey::Person(tag);
        /// A wallet.
        wallet, put_wallet, Wallet: Shared<Wallet>, (id: PartyId) => RowKey::Wallet(id);
        /// A group.
        group, put_group, Group: Shared<Group>, (id: PartyId) => RowKey::Group(id);
        /// A medium.
        medium, put_medium, Medium: Shared<Medium>, (id: MediumId) => RowKey::Medium(id);
        /// An instrument.
        instrument, put_instrument, Instrument: Shared<Instrument>, (id: InstrumentId) => RowKey::Instrument(id);
        /// What came and went of an instrument.
        totals, put_totals, Totals: Shared<Totals>, (id: InstrumentId) => RowKey::Totals(id);
        /// What a party has used of a limit.
        limit_use, put_limit_use, LimitUse: LimitUse, (party: PartyId, of: LimitOf, id: InstrumentId) => RowKey::LimitUse(party, of, id);
        /// A rule.
        rule, put_rule, Rule: Shared<Rule>, (id: RuleId) => RowKey::Rule(id);
        /// An instrument's rules for one trigger.
        rule_book, put_rule_book, RuleBook: Shared<RuleBook>, (id: InstrumentId, on: Trigger) => RowKey::RuleBook(id, on);
        /// What a subject has got by a rule.
        rule_use, put_rule_use, RuleUse: Shared<RuleUse>, (id: RuleId, scope: Scope, subject: Subject) => RowKey::RuleUse(id, scope, subject);
        /// An offer.
        offer, put_offer, Offer: Shared<Offer>, (id: TxId) => RowKey::Offer(id);
        /// How many units of an offer a subject has taken.
        offer_use, put_offer_use, OfferUse: Shared<RuleUse>, (id: TxId, scope: Scope, subject: Subject) => RowKey::OfferUse(id, scope, subject);
        /// A right to take of an offer.
        entitlement, put_entitlement, Entitlement: Shared<Entitlement>, (id: TxId) => RowKey::Entitlement(id);
        /// Where a lottery stands.
        draw, put_draw, Draw: Shared<Draw>, (offer: TxId) => RowKey::Draw(offer);
        /// A lot's supply.
        supply, put_supply, Supply: Supply, (lot: Lot) => RowKey::Supply(lot);
        /// An allowance.
        allowance, put_allowance, Allowance: Shared<Allowance>, (id: TxId) => RowKey::Allowance(id);
        /// A wallet's part of an allowance.
        allowance_use, put_allowance_use, AllowanceUse: Amount, (id: TxId, party: PartyId) => RowKey::AllowanceUse(id, party);
        /// A mandate.
        mandate, put_mandate, Mandate: Shared<Mandate>, (id: TxId) => RowKey::Mandate(id);
        /// A counterparty's part of a mandate.
        mandate_use, put_mandate_use, MandateUse: Amount, (id: TxId, party: PartyId) => RowKey::MandateUse(id, party);
        /// A payment request.
        request, put_request, Request: Shared<Request>, (id: TxId) => RowKey::Request(id);
        /// A proposal.
        proposal, put_proposal, Proposal: Shared<Proposal>, (id: TxId) => RowKey::Proposal(id);
        /// A redemption.
        redemption, put_redemption, Redemption: Shared<Redemption>, (id: TxId) => RowKey::Redemption(id);
        /// A settlement.
        settlement, put_settlement, Settlement: Shared<Settlement>, (id: TxId) => RowKey::Settlement(id);
        /// Value that waits.
        hold, put_hold, Hold: Shared<Held>, (id: TxId) => RowKey::Hold(id);
        /// The coupons that a payment used.
        coupons, put_coupons, Coupons: Shared<UsedCoupons>, (payment: TxId) => RowKey::Coupons(payment);
        /// What a party owes an instrument's issuer.
        receivable, put_receivable, Receivable: Amount, (party: PartyId, id: InstrumentId) => RowKey::Receivable(party, id);
        /// The top-up that used an outside payment.
        funding, put_funding, Funding: TxId, (issuer: PartyId, hash: DocumentHash) => RowKey::Funding(issuer, hash);
        /// A document.
        document, put_document, Document: Shared<Document>, (issuer: PartyId, number: &Reference) => RowKey::Document(issuer, number.clone());
        /// The number of the document that counts for a payment.
        documented, put_documented, Documented: Reference, (payment: TxId, issuer: PartyId) => RowKey::Documented(payment, issuer);
        /// The id bound to a sender's reference.
        reference, put_reference, Reference: TxId, (sender: PartyId, reference: Reference) => RowKey::Reference(sender, reference.clone());
        /// The verdict on an id.
        judged, put_judged, Judged: Shared<Judged>, (id: TxId) => RowKey::Judged(id);
        /// A witness policy.
        policy, put_policy, Policy: Shared<NumberedPolicy>, (number: u32) => RowKey::Policy(number);
        /// A run.
        run, put_run, Run: Shared<Run>, (id: TxId) => RowKey::Run(id);
        /// What became of some of a run's lines.
        run_lines, put_run_lines, RunLines: Shared<RunLines>, (run: TxId, part: u32) => RowKey::RunLines(run, part);
        /// A line's entitlement.
        run_waiting, put_run_waiting, RunWaiting: Amount, (party: PartyId, run: TxId, index: u32) => RowKey::RunWaiting(party, run, index);
        /// An epoch that a recovery began.
        epoch, put_epoch, Epoch: Shared<Epoch>, (number: u32) => RowKey::Epoch(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{execute::MemoryState, time::Time};

    /// A row of which can be told which one it is.
    fn row(n: u64) -> Row {
        Row::Receivable(Amount(n))
    }

    fn key(n: u8) -> RowKey {
        RowKey::Due(Time(0), super::super::DueKind::Lots, [n; 32])
    }

    #[test]
    fn what_was_read_before_never_hides_a_change() {
        let mut base = MemoryState::default();
        base.apply(&(0..100).map(|n| (key(n), Some(row(u64::from(n))))).collect());
        let mut overlay = Overlay::new(&base);
        // More rows than are remembered, all of them read.
        let read = |overlay: &Overlay<'_>, n: u8| overlay.get(&key(n));
        for n in 0..100 {
            assert_eq!(read(&overlay, n), Some(row(u64::from(n))));
        }
        overlay.put(key(1), row(1_001));
        overlay.remove(key(99));
        assert_eq!((read(&overlay, 1), read(&overlay, 99)), (Some(row(1_001)), None));
        overlay.drop_item();
        assert_eq!((read(&overlay, 1), read(&overlay, 99)), (Some(row(1)), Some(row(99))));
        overlay.put(key(1), row(1_002));
        overlay.keep();
        assert_eq!(read(&overlay, 1), Some(row(1_002)));
        overlay.remove(key(1));
        overlay.keep();
        assert_eq!((read(&overlay, 1), read(&overlay, 2)), (None, Some(row(2))));
        overlay.put(key(2), row(1_003));
        overlay.keep();
        assert_eq!(read(&overlay, 2), Some(row(1_003)));
        *overlay.written(&key(2)) = row(1_004);
        assert_eq!(read(&overlay, 2), Some(row(1_004)));
    }
}
