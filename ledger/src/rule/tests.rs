#![allow(clippy::unwrap_used)]
//! The arithmetic of rules against arithmetic that is done otherwise.

use proptest::prelude::*;

use super::{
    cap::{Cap, CapOf, Period, RuleUse, Scope},
    formula::{Formula, Rate, Rounding, Steps, Threshold, Worth},
    split::{Leg, Split},
};
use crate::{amount::Amount, id::PartyId, time::Time};

fn carrying(num: u32, den: u32) -> Formula {
    Formula::Rate(Rate { carry: true, ..Rate::floor(num, den) })
}

fn given(formula: &Formula, base: u64) -> u64 {
    formula.worth(Amount(base), 0).unwrap().given.0
}

fn formulas() -> impl Strategy<Value = Formula> {
    let rounding = prop_oneof![Just(Rounding::Floor), Just(Rounding::Ceil), Just(Rounding::HalfUp)];
    let rate = (0..200_u32, 1..200_u32, rounding)
        .prop_map(|(num, den, rounding)| Formula::Rate(Rate { num, den, rounding, carry: false }));
    let steps = (1..500_u64, 0..500_u64).prop_map(|(every, give)| {
        Formula::Steps(Steps { every: Amount(every), give: Amount(give) })
    });
    let table = prop::collection::btree_map(0..5_000_u64, 0..900_u64, 1..16).prop_map(|lines| {
        let mut most = 0;
        let line = |(from, more): (u64, u64)| {
            most += more;
            Threshold { from: Amount(from), give: Amount(most) }
        };
        Formula::Table(lines.into_iter().map(line).collect())
    });
    let fixed = (0..900_u64).prop_map(|amount| Formula::Fixed(Amount(amount)));
    prop_oneof![rate, steps, table, fixed]
}

#[test]
fn roundings_are_as_declared() {
    for (rounding, expected) in [
        (Rounding::Floor, [0, 0, 0, 1, 9]),
        (Rounding::Ceil, [0, 1, 1, 1, 10]),
        (Rounding::HalfUp, [0, 0, 1, 1, 10]),
    ] {
        let formula = Formula::Rate(Rate { num: 1, den: 100, rounding, carry: false });
        let found = [0, 49, 50, 100, 950].map(|base| given(&formula, base));
        assert_eq!(found, expected, "{rounding:?}");
    }
}

#[test]
fn what_cannot_be_meant_is_not_well_formed() {
    let line = |from, give| Threshold { from: Amount(from), give: Amount(give) };
    let round_up_and_carry = Rate { num: 1, den: 2, rounding: Rounding::Ceil, carry: true };
    for bad in [
        Formula::Rate(Rate::floor(1, 0)),
        Formula::Rate(round_up_and_carry),
        Formula::Steps(Steps { every: Amount(0), give: Amount(1) }),
        Formula::Table(Vec::new()),
        Formula::Table(vec![line(1, 5), line(1, 6)]),
        Formula::Table(vec![line(1, 5), line(2, 4)]),
        Formula::Table((0..17).map(|n| line(n, n)).collect()),
    ] {
        assert!(!bad.well_formed(), "{bad:?}");
    }
    let leg = |party, weight| Leg { to: PartyId([party; 16]), weight };
    let split = |legs: &[Leg], remainder| Split { legs: legs.to_vec(), remainder };
    for bad in [
        split(&[], 0),
        split(&[leg(1, 1)], 1),
        split(&[leg(1, 0)], 0),
        split(&[leg(1, 1), leg(2, 1), leg(1, 1)], 0),
    ] {
        assert!(!bad.well_formed(), "{bad:?}");
    }
    let event = Cap { scope: Scope::Event, per: Period::Day, of: CapOf::Given, most: Amount(1) };
    assert!(!event.well_formed());
}

#[test]
fn debts_of_fractions_are_made_up_for_first() {
    let formula = carrying(1, 10);
    let worth = |base, carry| formula.worth(Amount(base), carry).unwrap();
    assert_eq!(worth(9, 0), Worth { given: Amount(0), carry: 9 });
    assert_eq!(worth(1, 9), Worth { given: Amount(1), carry: 0 });
    assert_eq!(worth(5, -9), Worth { given: Amount(0), carry: -4 });
    assert_eq!(worth(24, -4), Worth { given: Amount(2), carry: 0 });
}

#[test]
fn a_new_period_starts_anew_and_the_old_one_needs_nothing_back() {
    let cap = Cap { scope: Scope::Payer, per: Period::Month, of: CapOf::Given, most: Amount(10) };
    let (march, april) = ("2027-03-31", "2027-04-01");
    let [march, april] = [march, april].map(|day| day.parse::<crate::time::Day>().unwrap().begin());
    let mut used = RuleUse::default();
    used.count(Period::Month, march, Amount(7));
    assert_eq!(used.room(&cap, march), Amount(3));
    assert_eq!(used.room(&cap, april), Amount(10));
    used.count(Period::Month, april, Amount(4));
    assert_eq!(used.room(&cap, april), Amount(6));
    used.give_back(Period::Month, march, Amount(7), true);
    assert_eq!(used.room(&cap, april), Amount(6));
    used.give_back(Period::Month, april, Amount(3), false);
    assert_eq!((used.room(&cap, april), used.counts[0].times), (Amount(9), 1));
    used.give_back(Period::Month, april, Amount(1), true);
    assert_eq!((used.room(&cap, april), used.counts[0].times), (Amount(10), 0));
    assert_eq!(Period::FiscalYear.number(march) + 1, Period::FiscalYear.number(april));
    assert_eq!(Period::Ever.number(Time(0)), Period::Ever.number(april));
}

proptest! {
    #[test]
    fn a_rate_is_what_fractions_say(base: u64, num: u32, den in 1..=u32::MAX) {
        let exact = |rounding| Rate { num, den, rounding, carry: false };
        let worth = |rounding| Formula::Rate(exact(rounding)).worth(Amount(base), 0);
        let (product, den) = (u128::from(base) * u128::from(num), u128::from(den));
        if let Some(down) = worth(Rounding::Floor) {
            let down = u128::from(down.given.0);
            prop_assert!(down * den <= product && product < (down + 1) * den);
        } else {
            prop_assert!(product / den > u128::from(u64::MAX));
        }
        if let Some(up) = worth(Rounding::Ceil) {
            let up = u128::from(up.given.0);
            prop_assert!(up * den >= product && (up == 0 || (up - 1) * den < product));
        }
        if let Some(near) = worth(Rounding::HalfUp) {
            let twice = 2 * u128::from(near.given.0) * den;
            prop_assert!(twice <= 2 * product + den && 2 * product + den < twice + 2 * den);
        }
    }

    #[test]
    fn more_is_never_given_for_less(formula in formulas(), a in 0..10_000_u64, b in 0..10_000_u64) {
        prop_assert!(formula.well_formed());
        prop_assert_eq!(given(&formula, 0), 0);
        prop_assert!(given(&formula, a.min(b)) <= given(&formula, a.max(b)));
    }

    #[test]
    fn refunds_in_parts_keep_what_one_refund_keeps(
        formula in formulas(), base in 1..10_000_u64, cuts in prop::collection::vec(0..3_000_u64, 0..6),
    ) {
        let all = formula.worth(Amount(base), 0).unwrap().given;
        let (mut left, mut kept) = (base, all);
        for cut in cuts {
            left = left.saturating_sub(cut);
            let now = formula.keeps(all, Amount(base), Amount(left));
            prop_assert!(now <= kept);
            kept = now;
        }
        prop_assert_eq!(kept.0, given(&formula, left).min(all.0));
        prop_assert_eq!(formula.keeps(all, Amount(base), Amount(0)), Amount(0));
    }

    #[test]
    fn carry_does_not_depend_on_the_partition(
        num in 0..1_000_u32, den in 1..1_000_u32, parts in prop::collection::vec(0..500_u64, 1..40),
    ) {
        let formula = carrying(num, den);
        let (mut sum, mut carry) = (0, 0);
        for part in &parts {
            let worth = formula.worth(Amount(*part), carry).unwrap();
            sum += worth.given.0;
            carry = worth.carry;
            prop_assert!((0..i64::from(den)).contains(&carry));
        }
        let whole = formula.worth(Amount(parts.iter().sum()), 0).unwrap();
        prop_assert_eq!((sum, carry), (whole.given.0, whole.carry));
    }

    /// Whoever pays and gives back, in whichever parts, gains no fraction by it.
    #[test]
    fn carried_fractions_come_back_with_what_made_them(
        num in 0..300_u32, den in 1..1_000_u32,
        events in prop::collection::vec((1..500_u64, prop::collection::vec(1..200_u64, 0..4)), 1..12),
    ) {
        let formula = carrying(num, den);
        let (mut carry, mut held) = (0_i64, 0_u64);
        let mut entitled = 0_u128;
        let mut done = Vec::new();
        for (base, cuts) in &events {
            let worth = formula.worth(Amount(*base), carry).unwrap();
            done.push((*base, worth.given, worth.carry - carry, cuts));
            carry = worth.carry;
            held += worth.given.0;
            let mut left = *base;
            let (_, given, carried, cuts) = *done.last().unwrap();
            let (mut kept, mut still) = (given, carried);
            for cut in cuts {
                left = left.saturating_sub(*cut);
                let keep = formula.keeps(given, Amount(*base), Amount(left));
                let stays = Formula::keeps_carried(carried, Amount(*base), Amount(left));
                held -= kept.0 - keep.0;
                carry -= still - stays;
                (kept, still) = (keep, stays);
            }
            entitled += u128::from(left) * u128::from(num);
            let has = i128::from(held) * i128::from(den) + i128::from(carry);
            prop_assert!(has <= i128::try_from(entitled).unwrap(), "never more than its due");
        }
        // All the rest goes back.
        let (mut all, mut rest) = (0, 0);
        for (_, given, carried, _) in &done {
            all += given.0;
            rest += carried;
        }
        let undone = done.iter().all(|(base, given, carried, _)| {
            formula.keeps(*given, Amount(*base), Amount(0)).is_zero()
                && Formula::keeps_carried(*carried, Amount(*base), Amount(0)) == 0
        });
        prop_assert!(undone);
        let exact: u128 = done.iter().map(|(base, ..)| u128::from(*base) * u128::from(num)).sum();
        let sum = i128::from(all) * i128::from(den) + i128::from(rest);
        prop_assert_eq!(sum, i128::try_from(exact).unwrap());
    }

    #[test]
    fn parts_of_a_split_sum_to_the_whole(
        weights in prop::collection::vec(1..50_u32, 1..=4), at in 0..4_u8,
        total in 0..100_000_u64, keep in 0..100_000_u64, step in prop_oneof![Just(1_u64), Just(10), Just(500)],
    ) {
        let leg = |(n, weight): (usize, &u32)| {
            Leg { to: PartyId([u8::try_from(n).unwrap(); 16]), weight: *weight }
        };
        let remainder = at % u8::try_from(weights.len()).unwrap();
        let split = Split { legs: weights.iter().enumerate().map(leg).collect(), remainder };
        prop_assert!(split.well_formed());
        let total = total - total % step;
        let parts = split.parts(Amount(total), Amount(step));
        prop_assert_eq!(parts.iter().map(|part| part.0).sum::<u64>(), total);
        let all: u64 = weights.iter().map(|w| u64::from(*w)).sum();
        for (n, part) in parts.iter().enumerate() {
            let floor = total / step * u64::from(weights[n]) / all * step;
            let named = n == usize::from(remainder);
            prop_assert!(part.0 == floor || (named && part.0 > floor));
        }
        let keep = keep.min(total) / step * step;
        let back = split.back(&parts, Amount(keep), Amount(step));
        prop_assert!(back.iter().zip(&parts).all(|(back, part)| back <= part));
        prop_assert_eq!(back.iter().map(|part| part.0).sum::<u64>(), total - keep);
    }
}
