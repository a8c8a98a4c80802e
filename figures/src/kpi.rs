//! The key figures. ②, ③, ④ and ❷ are about posts, threads, members without a wallet and a survey: no ledger knows them.
//!
//! ⑦ is Σ of payments to merchants less what of them was undone. ❶ is Σ over moves m of
//! amount(m) × ([payer is a group] + [payee is a group]), less what was undone: 500 of dues in and 500 of costs out are
//! 1,000. Where the definition leaves a choice, it is in [`FLAGS`].

use std::collections::BTreeMap;

use musubi_ledger::{
    group::GroupLife,
    id::{InstrumentId, PartyId, TxId},
    party::{Party, PartyKind, PartyStatus},
    transaction::Purpose,
};

use crate::moves::{Moved, Undone};

/// What the definitions leave open, as it is chosen here.
pub const FLAGS: [(&str, &str); 10] = [
    ("group_to_group", "counts on both sides: twice the amount"),
    ("top_ups", "not counted"),
    (
        "imports",
        "not counted: balances taken over from another system are neither payments nor top-ups",
    ),
    ("points", "counted at the face of their instrument; counters are not"),
    (
        "grants",
        "not counted: moves for purpose grant, and moves of issuers, registrars, operators and external systems",
    ),
    ("rewards_shares_fees", "not counted: what rules post beside a move"),
    ("expiry", "not counted"),
    ("redemption", "not counted"),
    ("reversals", "taken off in the period of the reversal, so that published figures stay"),
    ("between_merchants", "counted in the settlement figure"),
];

/// ⑤ and ⑥: parties of a kind that are registered and active.
pub fn active<'p>(parties: impl Iterator<Item = &'p Party>, kind: PartyKind) -> u64 {
    parties.filter(|party| party.kind == kind && party.status != PartyStatus::Closed).count() as u64
}

/// ①: group accounts that have not begun to close; `life` says where a group stands.
pub fn groups<'p>(
    parties: impl Iterator<Item = (PartyId, &'p Party)>,
    life: impl Fn(PartyId) -> Option<GroupLife>,
) -> u64 {
    let lives = |(id, _): &(PartyId, &Party)| life(*id) != Some(GroupLife::Closing);
    active(parties.filter(lives).map(|(_, party)| party), PartyKind::Group)
}

/// Whether a party takes part as one of the people: not as an office.
fn is_public(kind: Option<PartyKind>) -> bool {
    matches!(kind, Some(PartyKind::Person | PartyKind::Group | PartyKind::Merchant))
}

/// ⑦: how often a move from one kind of party to another counts as settlement.
#[must_use]
pub fn settles(from: Option<PartyKind>, to: Option<PartyKind>) -> i128 {
    i128::from(to == Some(PartyKind::Merchant) && is_public(from))
}

/// ❶: how often a move counts as one of groups: once for each side that is a group.
#[must_use]
pub fn sides(from: Option<PartyKind>, to: Option<PartyKind>, purpose: Purpose) -> i128 {
    let kinds = [from, to];
    if purpose == Purpose::GRANT || !kinds.into_iter().all(is_public) {
        return 0;
    }
    kinds.into_iter().map(|kind| i128::from(kind == Some(PartyKind::Group))).sum()
}

/// What a sum of an instrument is in yen, by its face and decimal places; fractions of a yen are cut off towards zero.
///
/// # Panics
/// Never: amounts are of 64 bits, faces of 32.
#[must_use]
pub fn yen(sum: i128, face: u32, decimals: u8) -> i128 {
    sum * i128::from(face) / 10_i128.pow(decimals.into())
}

/// A sum in an instrument's smallest unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counted {
    /// What was counted inside the period.
    pub period: i128,
    /// What was counted at all.
    pub cumulative: i128,
}

/// Adds moves up, and takes off what is undone of those that it has added.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    times: BTreeMap<TxId, i128>,
    sums: BTreeMap<InstrumentId, Counted>,
    moves: u64,
}

impl Counter {
    /// Takes a move that counts so many times; `inside` the period, or before it. What was issued counts for nothing.
    pub fn add(&mut self, moved: &Moved, inside: bool, times: i128) {
        if moved.issued || times == 0 {
            return;
        }
        self.times.insert(moved.id, times);
        self.moves += u64::from(inside);
        for (lot, amount) in &moved.lots {
            self.sum(lot.instrument, times * i128::from(amount.0), inside);
        }
    }

    /// Takes off what is undone of a move that was counted.
    pub fn undo(&mut self, undone: &Undone, inside: bool) {
        let times = self.times.get(&undone.original).copied().unwrap_or_default();
        for leg in &undone.legs {
            self.sum(leg.instrument, -times * i128::from(leg.amount.0), inside);
        }
    }

    fn sum(&mut self, instrument: InstrumentId, sum: i128, inside: bool) {
        if sum != 0 {
            let counted = self.sums.entry(instrument).or_default();
            counted.period += if inside { sum } else { 0 };
            counted.cumulative += sum;
        }
    }

    /// How many moves were counted inside the period.
    #[must_use]
    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// The sums by instrument.
    pub fn sums(&self) -> impl Iterator<Item = (InstrumentId, Counted)> {
        self.sums.iter().map(|(instrument, counted)| (*instrument, *counted))
    }
}

#[cfg(test)]
mod tests {
    use musubi_ledger::{
        amount::Amount,
        lot::{Lot, OriginKind},
        operation::Leg,
    };

    use super::*;

    const KINDS: [PartyKind; 7] = [
        PartyKind::Person,
        PartyKind::Group,
        PartyKind::Merchant,
        PartyKind::Issuer,
        PartyKind::Registrar,
        PartyKind::Operator,
        PartyKind::External,
    ];

    #[test]
    fn a_group_on_either_side_counts_once_and_offices_never() {
        let sides = |from, to, purpose| sides(Some(from), Some(to), purpose);
        assert_eq!(sides(PartyKind::Person, PartyKind::Group, Purpose::DUES), 1);
        assert_eq!(sides(PartyKind::Group, PartyKind::Merchant, Purpose::EXPENSE), 1);
        assert_eq!(sides(PartyKind::Group, PartyKind::Group, Purpose::NONE), 2);
        assert_eq!(sides(PartyKind::Group, PartyKind::Group, Purpose::GRANT), 0);
        assert_eq!(sides(PartyKind::Person, PartyKind::Merchant, Purpose::PURCHASE), 0);
        for office in &KINDS[3..] {
            assert_eq!(sides(*office, PartyKind::Group, Purpose::NONE), 0);
            assert_eq!(settles(Some(*office), Some(PartyKind::Merchant)), 0);
        }
        assert_eq!(settles(None, Some(PartyKind::Merchant)), 0);
    }

    #[test]
    fn what_is_undone_is_taken_off_as_often_as_it_counted() {
        let instrument: InstrumentId = "TOWN".parse().expect("a code");
        let lot = Lot {
            instrument,
            origin: OriginKind::Paid,
            funder: PartyId([1; 16]),
            campaign: 0,
            use_expiry: None,
        };
        let [from, to] = [PartyId([2; 16]), PartyId([3; 16])];
        let id = TxId([9; 32]);
        let moved = Moved { id, from, to, issued: false, lots: vec![(lot, Amount(500))] };
        let legs = vec![Leg { instrument, amount: Amount(200) }];
        let undone = Undone { original: id, from, to, issued: false, legs };
        let mut counter = Counter::default();
        counter.undo(&undone, true);
        counter.add(&moved, false, 2);
        counter.undo(&undone, true);
        counter.add(&Moved { issued: true, ..moved.clone() }, true, 2);
        let sums: Vec<_> = counter.sums().collect();
        assert_eq!(sums, [(instrument, Counted { period: -400, cumulative: 600 })]);
        assert_eq!(counter.moves(), 0, "it was before the period");
    }

    #[test]
    fn yen_are_whole() {
        assert_eq!(yen(1_234, 1, 0), 1_234);
        assert_eq!(yen(1_999, 1, 3), 1);
        assert_eq!(yen(-1_999, 1, 3), -1);
        assert_eq!(yen(7, 500, 0), 3_500);
        assert_eq!(yen(7, 0, 0), 0, "counters are worth nothing");
    }
}
