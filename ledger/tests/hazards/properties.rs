//! What must hold of rules whatever they say: undoing all of it leaves nothing, caps hold in any order, and who has nothing to
//! do with each other does not notice the order. And what must hold of expiry and lapse, whether it is swept or not.

use super::gift;
use crate::common::*;
use musubi_ledger::{
    calendar::Span,
    instrument::{LateRefund, Terms, Validity},
    rule::{
        Base, Giver, RuleTerms, Trigger,
        cap::{Cap, CapOf, Over, Period, Scope},
        formula::{Formula, Rate, Rounding, Steps},
    },
};
use proptest::prelude::*;

fn formulas() -> impl Strategy<Value = Formula> {
    let rounding = prop_oneof![Just(Rounding::Floor), Just(Rounding::Ceil), Just(Rounding::HalfUp)];
    prop_oneof![
        (1..60_u32, 1..400_u32, rounding).prop_map(|(num, den, rounding)| Formula::Rate(Rate {
            num,
            den,
            rounding,
            carry: false
        })),
        (1..60_u32, 1..400_u32).prop_map(|(num, den)| {
            Formula::Rate(Rate { carry: true, ..Rate::floor(num, den) })
        }),
        (1..300_u64, 1..20_u64).prop_map(|(every, give)| Formula::Steps(Steps {
            every: Amount(every),
            give: Amount(give)
        })),
        (1..50_u64).prop_map(|amount| Formula::Fixed(Amount(amount))),
    ]
}

fn caps() -> impl Strategy<Value = Vec<Cap>> {
    let all = [
        (Scope::Event, Period::Ever, CapOf::Given),
        (Scope::Payer, Period::Day, CapOf::Given),
        (Scope::Payer, Period::Month, CapOf::Times),
        (Scope::Payee, Period::Month, CapOf::Given),
        (Scope::All, Period::Ever, CapOf::Given),
    ];
    let one = |(scope, per, of)| {
        let most = if of == CapOf::Times { 0..4_u64 } else { 0..120_u64 };
        prop::option::of(most)
            .prop_map(move |most| most.map(|most| Cap { scope, per, of, most: Amount(most) }))
    };
    all.map(one).to_vec().prop_map(|caps| caps.into_iter().flatten().collect())
}

fn rules() -> impl Strategy<Value = Vec<RuleTerms>> {
    let rule =
        (formulas(), caps(), 0..4_u8, prop::bool::ANY).prop_map(|(formula, caps, kind, skips)| {
            let carries = formula.carries();
            let over = if skips { Over::Skip } else { Over::Truncate };
            let given = RuleTerms {
                caps: caps.clone(),
                over,
                base: if kind == 1 { Base::AfterDiscount } else { Base::Tender },
                ..rewards(
                    Trigger::Purchase,
                    formula.clone(),
                    ["POINT", "COIN"][usize::from(kind % 2)],
                )
            };
            if kind < 3 || carries {
                return given;
            }
            let legs = split(&[("mart", 2), ("club", 3), ("operator", 1)], 1);
            RuleTerms { caps, over, ..shares(Giver::Payee, formula, legs) }
        });
    prop::collection::vec(rule, 1..5)
}

fn world(rules: &[RuleTerms]) -> World {
    let mut w = World::new();
    for name in ["alice", "bob"] {
        w.fund(name, "MEBUKU", 20_000);
    }
    for (number, terms) in (1..).zip(rules) {
        w.rule("MEBUKU", number, terms.clone());
    }
    w
}

const EVERYBODY: [&str; 6] = ["alice", "bob", "shop", "mart", "club", "operator"];

/// What everybody holds, lot by lot, and owes.
fn all(w: &World) -> Vec<String> {
    let of = |name: &str| {
        let lots = w.wallet(name).lots;
        let lots: Vec<_> = lots.iter().map(|b| (b.lot, b.spendable, b.held, b.claim)).collect();
        let owed = ["MEBUKU", "POINT", "COIN"].map(|of| w.owes(name, of));
        format!("{name} {lots:?} {owed:?}")
    };
    EVERYBODY.map(of).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn refund_of_all_is_identity_on_balances(
        rules in rules(),
        sales in prop::collection::vec((prop::bool::ANY, 1..900_u64, prop::collection::vec(1..400_u64, 0..3)), 1..6),
    ) {
        let mut w = world(&rules);
        let before = all(&w);
        let mut open = Vec::new();
        for (by_alice, amount, parts) in sales {
            let payer = if by_alice { "alice" } else { "bob" };
            open.push((w.sale(payer, "shop", "MEBUKU", amount), amount, parts));
        }
        for (sale, amount, parts) in open {
            let mut left = amount;
            for part in parts {
                let part = part.min(left);
                if part > 0 {
                    w.gives_back(sale, "shop", "MEBUKU", part);
                    left -= part;
                }
            }
            if left > 0 {
                w.gives_back(sale, "shop", "MEBUKU", left);
            }
        }
        prop_assert_eq!(before, all(&w));
    }

    /// The scan after each block holds every counter against every cap; here what was given is added up.
    #[test]
    fn caps_are_never_exceeded(
        rules in rules(), sales in prop::collection::vec((prop::bool::ANY, 1..3_000_u64, 0..3_u8), 1..10),
    ) {
        let mut w = world(&rules);
        let mut given = vec![0_u64; rules.len()];
        for (by_alice, amount, pause) in sales {
            w.wait(u64::from(pause) * DAY / 2);
            w.sale(if by_alice { "alice" } else { "bob" }, "shop", "MEBUKU", amount.min(1_500));
            for fact in w.outcome().facts {
                if let musubi_ledger::fact::Fact::Rule { id, given: one, .. } = fact {
                    let at = usize::from(id.number) - 1;
                    given[at] += one.0;
                    let event = rules[at].caps.iter().find(|cap| cap.scope == Scope::Event);
                    prop_assert!(event.is_none_or(|cap| one <= cap.most));
                }
            }
        }
        for (rule, given) in rules.iter().zip(given) {
            prop_assert!(rule.budget().is_none_or(|budget| given <= budget.0));
        }
    }

    #[test]
    fn independent_payments_commute(rules in rules(), amounts in [1..900_u64, 1..900_u64]) {
        // Who shares a payee's or everybody's cap is not independent.
        let own = |rule: &RuleTerms| {
            let caps = rule.caps.iter().filter(|cap| cap.scope <= Scope::Payer);
            RuleTerms { caps: caps.copied().collect(), ..rule.clone() }
        };
        let rules: Vec<RuleTerms> = rules.iter().map(own).collect();
        let end = |order: [usize; 2]| {
            let mut w = world(&rules);
            for at in order {
                w.sale(["alice", "bob"][at], "shop", "MEBUKU", amounts[at]);
            }
            all(&w)
        };
        prop_assert_eq!(end([0, 1]), end([1, 0]));
    }
}

/// What everybody holds that still lasts, and owes.
fn lasting(w: &World) -> Vec<String> {
    let of = |name: &str| {
        let lots = w.wallet(name).lots;
        let lots = lots.iter().filter_map(|b| {
            let spendable = if b.lot.usable(w.now) { b.spendable.0 } else { 0 };
            let terms = match w.state.row(&RowKey::Instrument(b.lot.instrument)) {
                Some(Row::Instrument(kept)) => kept.terms.clone(),
                other => panic!("{other:?}"),
            };
            let claim = if terms.redeemable(b.lot.use_expiry, w.now) { b.claim.0 } else { 0 };
            let all = [spendable, b.held.0, claim];
            (all != [0; 3]).then_some((b.lot, all))
        });
        format!("{name} {:?} {}", lots.collect::<Vec<_>>(), w.owes(name, "GIFT"))
    };
    EVERYBODY.map(of).to_vec()
}

/// One step of a shop's days: pays, gives back, asks, is settled, is answered, repays.
fn step(
    (kind, amount, which): (u8, u64, usize),
    now: Time,
    (sales, payouts): (&[TxId], &[TxId]),
) -> (&'static str, Operation, Vec<By>) {
    let leg = legs(&[("GIFT", amount)])[0];
    let pick = |ids: &[TxId]| ids.get(which % ids.len().max(1)).copied().unwrap_or(TxId([0; 32]));
    match kind {
        0 | 1 => {
            let by = vec![debit("alice"), credit("shop")];
            ("alice", pay_in("alice", "shop", &[("GIFT", amount)]), by)
        }
        2 => {
            let back = Refund { original: pick(sales), legs: vec![leg] };
            ("shop", Operation::Refund(back), vec![debit("shop")])
        }
        3 => {
            let asked =
                RequestRedemption { merchant: id("shop"), leg, deadline: now.plus(8 * DAY) };
            ("shop", Operation::RequestRedemption(asked), vec![debit("shop")])
        }
        4 => {
            let settles = settlement("GIFT", &[("shop", amount)], now);
            ("i1", Operation::Settle(settles), issuers().to_vec())
        }
        5 => {
            let by = RepayBy::Wallet;
            let repay = Repay { party: id("shop"), leg, by };
            ("shop", Operation::Repay(repay), vec![debit("shop")])
        }
        _ => {
            let answer = match which % 2 {
                0 => RedemptionAnswer::Paid { payout: document("paid") },
                _ => RedemptionAnswer::Returned { notice: document("returned") },
            };
            let redemption = pick(payouts);
            let answer = AnswerRedemption { redemption, answer };
            ("issuer", Operation::AnswerRedemption(answer), vec![settles()])
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whether what has expired and lapsed is swept or only judged, every verdict and every balance is the same.
    #[test]
    fn claims_and_lots_lapse_alike_lazily_and_by_sweep(
        steps in prop::collection::vec((0..8_u8, 1..60_u64, 0..9_usize, 0..4_u64), 1..24),
    ) {
        let worlds = || {
            let mut w = World::new();
            let terms = Terms { redemption_days: 1, ..gift(Validity::After(Span::Days(2))) };
            w.open("GIFT", Terms { late_refund: LateRefund::Grace(1), ..terms });
            w.issue("alice", "GIFT", 300, OriginKind::Paid, 0);
            w.wait(DAY);
            w.issue("alice", "GIFT", 300, OriginKind::Free, 0);
            w
        };
        let (mut swept, mut lazy) = (worlds(), worlds());
        lazy.unswept = true;
        let (mut sales, mut payouts) = (Vec::new(), Vec::new());
        for (kind, amount, which, halves) in steps {
            let (sender, op, by) = step((kind, amount, which), swept.now, (&sales, &payouts));
            let tx = swept.transaction(sender, op, &by);
            let codes = swept.block(core::slice::from_ref(&tx));
            prop_assert_eq!(&codes, &lazy.block(core::slice::from_ref(&tx)));
            prop_assert_eq!(lasting(&swept), lasting(&lazy));
            if codes == [Code::Applied] {
                match kind {
                    0 | 1 => sales.push(tx.body.id()),
                    3 => payouts.push(tx.body.id()),
                    4 => payouts.push(settlement_line(&tx.body.id(), 0)),
                    _ => {}
                }
            }
            swept.wait(halves * DAY / 2);
            lazy.wait(halves * DAY / 2);
        }
        // All the sweeps at once leave what they left one by one.
        lazy.unswept = false;
        swept.wait(0);
        lazy.wait(0);
        prop_assert_eq!(all(&swept), all(&lazy));
        prop_assert_eq!(swept.totals("GIFT"), lazy.totals("GIFT"));
    }
}
