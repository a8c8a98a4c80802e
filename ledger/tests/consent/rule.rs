//! Rules: who puts and ends them, what they may say, and that they bind nobody who did not consent.

use crate::common::*;
use musubi_ledger::{
    fact::Fact,
    instrument::{Regime, Shortfall, Terms},
    rule::{
        Base, Give, Giver, Post, Recipient, RuleTerms, Trigger,
        cap::{Period, Scope},
        formula::{Formula, Steps},
        when::{Reached, When},
    },
};

fn points() -> RuleTerms {
    rewards(Trigger::Purchase, percent(1), "POINT")
}

/// A reward in what it rewards, so that its funder can owe it.
fn funded(by: &str) -> RuleTerms {
    let given = Give { funder: id(by), ..give("MEBUKU") };
    RuleTerms { post: Post::Give(given), ..rewards(Trigger::Purchase, percent(1), "MEBUKU") }
}

fn funded_with_budget(by: &str) -> RuleTerms {
    RuleTerms { caps: vec![cap(Scope::All, Period::Ever, 150_000)], ..funded(by) }
}

#[test]
fn two_officers_of_the_issuer_put_and_end_a_rule() {
    let mut w = World::new();
    let one = [officer("issuer", "i1")];
    w.void(Code::ApproversMissing, "i1", put("MEBUKU", 1, points()), &one);
    let others = [officer("issuer", "c1"), officer("issuer", "p1")];
    w.void(Code::RoleMissing, "c1", put("MEBUKU", 1, points()), &others);
    w.void(Code::MissingConsent, "alice", put("MEBUKU", 1, points()), &[own("alice")]);
    w.rule("MEBUKU", 1, points());
    let at = w.now.plus(2 * SECOND);
    w.void(Code::ApproversMissing, "i1", end_rule("MEBUKU", 1, at), &one);
    w.void(Code::MissingConsent, "alice", end_rule("MEBUKU", 1, at), &[own("alice")]);
    w.apply("i1", end_rule("MEBUKU", 1, w.now.plus(3 * SECOND)), &issuers());
}

#[test]
fn who_funds_it_and_is_not_the_issuer_consents_too_and_ends_it_alone() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 50_000);
    w.void(Code::MissingConsent, "i1", put("MEBUKU", 1, funded("shop")), &issuers());
    let with = |more: &[By]| [&issuers()[..], more].concat();
    w.apply("i1", put("MEBUKU", 1, funded("shop")), &with(&[debit("shop")]));
    w.sale("alice", "mart", "MEBUKU", 10_000);
    assert_eq!((w.owes("shop", "MEBUKU"), w.spendable("alice", "MEBUKU")), (100, 40_100));
    let stranger = [debit("mart")];
    w.void(Code::MissingConsent, "mart", end_rule("MEBUKU", 1, w.now.plus(DAY)), &stranger);
    w.apply("shop", end_rule("MEBUKU", 1, w.now.plus(2 * SECOND)), &[debit("shop")]);
    w.wait(2 * SECOND);
    w.sale("alice", "mart", "MEBUKU", 10_000);
    assert_eq!(w.owes("shop", "MEBUKU"), 100);
    // A group: as for a payout of all that it may cost, which must be said.
    let payout = [drafts("club", "alice"), approves("club", "bob")];
    w.reject(Code::NotWellFormed, "i1", put("MEBUKU", 2, funded("club")), &with(&payout));
    let op = put("MEBUKU", 3, funded_with_budget("club"));
    w.void(Code::ApproversMissing, "i1", op.clone(), &with(&payout));
    let three = [&payout[..], &[approves("club", "carol")]].concat();
    w.apply("i1", op, &with(&three));
}

#[test]
fn what_a_rule_may_not_say() {
    let mut w = World::new();
    let mut refused = |code, of: &str, terms: RuleTerms| {
        w.reject(code, "i1", put(of, 1, terms), &issuers());
    };
    refused(Code::UnknownInstrument, "NONE", points());
    refused(Code::UnknownInstrument, "MEBUKU", rewards(Trigger::TopUp, percent(1), "NONE"));
    let tier = Reached { instrument: instrument("NONE"), from: Amount(1) };
    let when = When { tier: Some(tier), ..When::always(Time(0)) };
    refused(Code::UnknownInstrument, "MEBUKU", RuleTerms { when, ..points() });
    let paid = Give { origin: musubi_ledger::lot::OriginKind::Paid, ..give("POINT") };
    refused(Code::NotWellFormed, "MEBUKU", RuleTerms { post: Post::Give(paid), ..points() });
    refused(Code::NotWellFormed, "MEBUKU", RuleTerms { on: Trigger::Redeem, ..points() });
    refused(Code::NotWellFormed, "MEBUKU", RuleTerms { base: Base::RunTotal, ..points() });
    let to_alice = shares(Giver::Payee, percent(1), split(&[("alice", 1)], 0));
    refused(Code::WrongKind, "MEBUKU", to_alice);
    refused(Code::UnknownParty, "MEBUKU", funded("nobody"));
    refused(Code::WrongKind, "MEBUKU", funded("alice"));
    let before = When { until: Some(Time(1)), ..When::always(Time(0)) };
    refused(Code::DeadlineInvalid, "MEBUKU", RuleTerms { when: before, ..points() });
    let caps = vec![cap(Scope::All, Period::Ever, 5), cap(Scope::Payer, Period::Day, 1)];
    refused(Code::NotWellFormed, "MEBUKU", RuleTerms { caps, ..points() });
    let carry = musubi_ledger::rule::formula::Rate::floor(1, 100);
    let carry = Formula::Rate(musubi_ledger::rule::formula::Rate { carry: true, ..carry });
    refused(Code::NotWellFormed, "MEBUKU", rewards(Trigger::Purchase, carry, "VOUCHER"));
}

#[test]
fn a_funder_owes_in_an_equal_unit() {
    let mut w = World::new();
    let plain = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    w.open("CENT", Terms { decimals: 2, ..plain });
    let given = Give { funder: id("shop"), ..give("CENT") };
    let terms = RuleTerms { post: Post::Give(given), ..points() };
    let signers = [&issuers()[..], &[debit("shop")]].concat();
    w.reject(Code::TenderMismatch, "i1", put("MEBUKU", 1, terms), &signers);
}

#[test]
fn numbers_are_never_reused_and_books_are_bounded() {
    let mut w = World::new();
    w.rule("MEBUKU", 1, points());
    w.reject(Code::RuleExists, "i1", put("MEBUKU", 1, points()), &issuers());
    w.apply("i1", end_rule("MEBUKU", 1, w.now.plus(SECOND)), &issuers());
    w.wait(SECOND);
    w.reject(Code::RuleExists, "i1", put("MEBUKU", 1, points()), &issuers());
    w.reject(Code::DeadlineInvalid, "i1", end_rule("MEBUKU", 1, w.now.plus(DAY)), &issuers());
    w.reject(Code::UnknownRule, "i1", end_rule("MEBUKU", 9, w.now.plus(DAY)), &issuers());
    for number in 100..164 {
        w.rule("MEBUKU", number, points());
    }
    w.reject(Code::RuleExists, "i1", put("MEBUKU", 200, points()), &issuers());
    w.rule("MEBUKU", 201, rewards(Trigger::TopUp, percent(1), "POINT"));
    w.apply("i1", end_rule("MEBUKU", 120, w.now.plus(SECOND)), &issuers());
    w.rule("MEBUKU", 202, points());
}

#[test]
fn only_an_instrument_with_rules_for_it_looks_for_them() {
    let mut w = World::new();
    let triggers = |w: &World| match w.state.row(&RowKey::Instrument(instrument("MEBUKU"))) {
        Some(Row::Instrument(instrument)) => instrument.triggers,
        other => panic!("{other:?}"),
    };
    assert_eq!(triggers(&w), 0);
    w.rule("MEBUKU", 1, points());
    w.rule("MEBUKU", 2, rewards(Trigger::TopUp, percent(1), "POINT"));
    assert_eq!(triggers(&w), Trigger::Purchase.bit() | Trigger::TopUp.bit());
    w.apply("i1", end_rule("MEBUKU", 1, w.now.plus(SECOND)), &issuers());
    assert_eq!(triggers(&w), Trigger::TopUp.bit());
    let book = RowKey::RuleBook(instrument("MEBUKU"), Trigger::Purchase);
    assert_eq!(w.state.row(&book), None);
}

#[test]
fn a_rule_dies_with_a_key_that_put_it() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 50_000);
    w.rule("MEBUKU", 1, points());
    w.sale("alice", "shop", "MEBUKU", 1_000);
    let add = AddKey { party: id("i1"), key: key("i1/2").public() };
    w.apply("i1", Operation::AddKey(add), &[own("i1"), proves("i1", "i1/2")]);
    let op = RevokeKey { party: id("i1"), key: key("i1").public(), compromised: true };
    let by = [own("i1").key("i1/2")];
    let tx = w.transaction("i1", Operation::RevokeKey(op), &by);
    w.applies(&tx);
    w.sale("alice", "shop", "MEBUKU", 1_000);
    assert_eq!(w.spendable("alice", "POINT"), 10);
}

#[test]
fn a_reward_never_stops_a_payment() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 50_000);
    let ceiling = musubi_ledger::instrument::LimitOf::Wallet;
    let limits = vec![musubi_ledger::instrument::Limit::for_all(ceiling, Amount(150))];
    let plain = Terms::plain(id("issuer"), Regime::Free, document("terms"));
    w.open("GIFT", Terms { limits, ..plain });
    w.rule("MEBUKU", 1, rewards(Trigger::Purchase, percent(1), "GIFT"));
    w.sale("alice", "shop", "MEBUKU", 10_000);
    w.sale("alice", "shop", "MEBUKU", 10_000);
    assert_eq!(w.spendable("alice", "GIFT"), 100, "the second would be over the ceiling");
    let told = Fact::Rule {
        id: rule_id("MEBUKU", 1),
        base: Amount(10_000),
        given: Amount(0),
        capped: true,
    };
    assert_eq!(w.outcome().facts, [told]);
    let freeze = Operation::Freeze(Freeze { party: id("club"), evidence: document("report") });
    let given = Give { to: Recipient::Party(id("club")), ..give("POINT") };
    w.rule("MEBUKU", 2, RuleTerms { post: Post::Give(given), ..points() });
    w.apply("r1", freeze, &[officer("registrar", "r1")]);
    w.sale("alice", "shop", "MEBUKU", 1_000);
    assert_eq!(w.holds("club", "POINT", Holding::Spendable), 0);
}

#[test]
fn rules_act_in_the_order_of_their_numbers_and_not_on_each_other() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 50_000);
    // Put the other way round; a reward in the money itself, and one that asks for points.
    let asks = When {
        tier: Some(Reached { instrument: instrument("POINT"), from: Amount(1) }),
        ..When::always(Time(0))
    };
    w.rule("MEBUKU", 9, RuleTerms { when: asks, ..rewards(Trigger::Purchase, percent(1), "COIN") });
    w.rule("MEBUKU", 3, rewards(Trigger::Purchase, percent(2), "MEBUKU"));
    w.rule("MEBUKU", 2, points());
    w.sale("alice", "shop", "MEBUKU", 1_000);
    let numbers = |w: &World| -> Vec<(u16, u64)> {
        let of = |fact: &Fact| match fact {
            Fact::Rule { id, given, .. } => (id.number, given.0),
            other => panic!("{other:?}"),
        };
        w.outcome().facts.iter().map(of).collect()
    };
    assert_eq!(numbers(&w), [(2, 10), (3, 20)], "the points came too late for rule 9");
    w.sale("alice", "shop", "MEBUKU", 1_000);
    assert_eq!(numbers(&w), [(2, 10), (3, 20), (9, 10)]);
}

#[test]
fn a_share_on_top_needs_the_payers_own_signature() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 1_025);
    w.rule("MEBUKU", 1, shares(Giver::Payer, percent(2), split(&[("club", 1)], 0)));
    let bounded = MandateTerms {
        counterparty: Counterparty::Party(id("shop")),
        per_day: Some(Amount(500)),
        until: Some(w.now.plus(DAY)),
        ..terms(Direction::Debit, 500)
    };
    let bounded = w.apply("alice", mandate("alice", bounded), &[debit("alice")]);
    w.apply("shop", pay_by_mandate("alice", "shop", 500, bounded), &[credit("shop")]);
    assert_eq!(w.spendable("alice", "MEBUKU"), 525, "never more than the mandate says");
    let sale = w.sale("alice", "shop", "MEBUKU", 500);
    assert_eq!(w.spendable("alice", "MEBUKU"), 15);
    assert_eq!(w.holds("club", "MEBUKU", Holding::Claim), 10);
    w.gives_back(sale, "shop", "MEBUKU", 250);
    assert_eq!(w.spendable("alice", "MEBUKU"), 270);
    // Who has no more for the share pays without it.
    w.sale("alice", "shop", "MEBUKU", 270);
    assert_eq!(w.holds("club", "MEBUKU", Holding::Claim), 5);
}

#[test]
fn what_a_leg_has_paid_out_is_owed_by_it_when_the_sale_is_undone() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 50_000);
    let legs = split(&[("mart", 1), ("issuer", 1), ("club", 2)], 2);
    w.rule("MEBUKU", 1, shares(Giver::Payee, percent(4), legs));
    let sale = w.sale("alice", "shop", "MEBUKU", 10_000);
    let claims = |w: &World| ["shop", "mart", "club"].map(|p| w.holds(p, "MEBUKU", Holding::Claim));
    assert_eq!(claims(&w), [9_600, 100, 200]);
    assert_eq!(w.totals("MEBUKU").paid.redeemed, Amount(100), "the issuer's own part");
    // A group redeems like a merchant, by its payout.
    let deadline = w.now.plus(8 * DAY);
    let leg = Leg { instrument: instrument("MEBUKU"), amount: Amount(200) };
    let ask = RequestRedemption { merchant: id("club"), leg, deadline };
    let payout = [drafts("club", "alice"), approves("club", "bob")];
    w.void(Code::MissingConsent, "alice", Operation::RequestRedemption(ask.clone()), &payout[..1]);
    let asked = w.apply("alice", Operation::RequestRedemption(ask), &payout);
    let paid = RedemptionAnswer::Paid { payout: document("bank") };
    let answer = AnswerRedemption { redemption: asked, answer: paid };
    w.apply("issuer", Operation::AnswerRedemption(answer), &[settles()]);
    w.gives_back(sale, "shop", "MEBUKU", 10_000);
    assert_eq!(w.spendable("alice", "MEBUKU"), 50_000);
    assert_eq!((claims(&w), w.owes("club", "MEBUKU")), ([0, 0, 0], 200));
}

#[test]
fn a_bonus_goes_with_the_top_up_that_is_corrected() {
    for (shortfall, code, owed) in [
        (Shortfall::Refuse, Code::InsufficientFunds, 0),
        (Shortfall::Receivable, Code::Applied, 60),
        (Shortfall::IssuerBears, Code::Applied, 0),
    ] {
        let mut w = World::new();
        let plain = Terms::plain(id("issuer"), Regime::Free, document("terms"));
        w.open("GIFT", Terms { shortfall, ..plain });
        w.rule("MEBUKU", 1, rewards(Trigger::TopUp, percent(1), "GIFT"));
        let charged = w.fund("alice", "MEBUKU", 10_000);
        w.sale("alice", "shop", "GIFT", 60);
        let op = Correct {
            original: charged,
            legs: legs(&[("MEBUKU", 10_000)]),
            reason: CorrectionReason::Chargeback,
            evidence: document("bank letter"),
        };
        let by = [&issuers()[..], &[officer("city", "c1")]].concat();
        let tx = w.transaction("i1", Operation::Correct(op), &by);
        assert_eq!(w.block(&[tx]), [code]);
        let left = if code == Code::Applied { 0 } else { 40 };
        assert_eq!((w.spendable("alice", "GIFT"), w.owes("alice", "GIFT")), (left, owed));
    }
}

#[test]
fn a_funder_owes_less_when_its_reward_is_taken_back() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 50_000);
    let signers = [&issuers()[..], &[debit("shop")]].concat();
    w.apply("i1", put("MEBUKU", 1, funded("shop")), &signers);
    let sale = w.sale("alice", "mart", "MEBUKU", 10_000);
    w.gives_back(sale, "mart", "MEBUKU", 4_000);
    assert_eq!(w.owes("shop", "MEBUKU"), 60);
    w.gives_back(sale, "mart", "MEBUKU", 6_000);
    let row = w.state.row(&RowKey::Receivable(id("shop"), instrument("MEBUKU")));
    assert_eq!((row, w.spendable("alice", "MEBUKU")), (None, 50_000));
}

#[test]
fn an_expired_reward_is_not_asked_for_again_swept_or_not() {
    for swept in [false, true] {
        let mut w = World::new();
        w.fund("alice", "MEBUKU", 50_000);
        w.rule("MEBUKU", 1, points());
        let sale = w.sale("alice", "shop", "MEBUKU", 10_000);
        w.now = w.now.plus(12 * DAY);
        if swept {
            w.block(&[]);
        }
        w.gives_back(sale, "shop", "MEBUKU", 10_000);
        assert_eq!(w.owes("alice", "POINT"), 0);
        assert_eq!(w.spendable("alice", "MEBUKU"), 50_000);
    }
}

#[test]
fn a_cap_given_back_is_there_again_in_its_own_period() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 90_000);
    let caps = vec![cap(Scope::Payer, Period::Day, 100), cap(Scope::All, Period::Ever, 150)];
    w.rule("MEBUKU", 1, RuleTerms { caps, ..points() });
    let first = w.sale("alice", "shop", "MEBUKU", 10_000);
    w.sale("alice", "shop", "MEBUKU", 10_000);
    assert_eq!(w.spendable("alice", "POINT"), 100);
    w.gives_back(first, "shop", "MEBUKU", 10_000);
    assert_eq!(w.spendable("alice", "POINT"), 0);
    let again = w.sale("alice", "shop", "MEBUKU", 10_000);
    w.wait(DAY);
    w.sale("alice", "shop", "MEBUKU", 9_000);
    assert_eq!(w.spendable("alice", "POINT"), 150, "the budget binds");
    w.gives_back(again, "shop", "MEBUKU", 10_000);
    w.sale("alice", "shop", "MEBUKU", 10_000);
    assert_eq!(w.spendable("alice", "POINT"), 100, "today's 50 count, yesterday's do not");
}

#[test]
fn a_household_is_capped_together() {
    let mut w = World::new();
    for name in ["alice", "bob", "carol"] {
        w.fund(name, "MEBUKU", 50_000);
        let home = if name == "carol" { "b" } else { "a" };
        let op = Attest {
            party: id(name),
            registrar: id("registrar"),
            attributes: vec![attribute("household", home)],
        };
        w.apply("r1", Operation::Attest(op), &[officer("registrar", "r1")]);
    }
    let caps = vec![cap(Scope::Household, Period::Month, 150)];
    w.rule("MEBUKU", 1, RuleTerms { caps, ..points() });
    for name in ["alice", "bob", "carol", "bob"] {
        w.sale(name, "shop", "MEBUKU", 10_000);
    }
    assert_eq!(["alice", "bob", "carol"].map(|n| w.spendable(n, "POINT")), [100, 50, 100]);
}

#[test]
fn a_book_that_is_full_of_rewards_posts_sixteen_of_them() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 50_000);
    for number in 0..20 {
        let fixed = Formula::Steps(Steps { every: Amount(100), give: Amount(1) });
        let given = Give { campaign: u32::from(number), ..give("POINT") };
        let terms = rewards(Trigger::Purchase, fixed, "POINT");
        w.rule("MEBUKU", number, RuleTerms { post: Post::Give(given), ..terms });
    }
    w.sale("alice", "shop", "MEBUKU", 100);
    assert_eq!(w.spendable("alice", "POINT"), 16);
    assert_eq!(w.outcome().facts.len(), 20);
}

#[test]
fn a_rule_that_refuses_rejects_the_whole_payment_and_counts_nothing() {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 90_000);
    let caps = vec![cap(Scope::Payer, Period::Day, 100)];
    let over = musubi_ledger::rule::cap::Over::Refuse;
    w.rule("MEBUKU", 1, RuleTerms { caps, over, ..points() });
    w.sale("alice", "shop", "MEBUKU", 9_000);
    let op = pay("alice", "shop", 1_100);
    w.reject(Code::RuleCapReached, "alice", op, &[debit("alice"), credit("shop")]);
    w.sale("alice", "shop", "MEBUKU", 1_000);
    assert_eq!(w.spendable("alice", "POINT"), 100);
}
