//! Mandates: standing acceptance, static shop QR, event budgets, and every bound (INV-6).

use crate::common::*;
use musubi_ledger::party::AttributeTest;

fn world() -> World {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 10_000);
    w.fund("bob", "MEBUKU", 10_000);
    w.fund("club", "MEBUKU", 500_000);
    w
}

fn standing(w: &mut World, payee: &str, terms: MandateTerms) -> TxId {
    w.apply(payee, mandate(payee, terms), &[credit(payee)])
}

/// An event budget of the club: 10,000 in all, spent by eve and frank at shops.
fn budget(w: &World) -> MandateTerms {
    MandateTerms {
        counterparty: Counterparty::Kind(PartyKind::Merchant),
        purpose: Some(Purpose::EXPENSE),
        total: Some(Amount(10_000)),
        per_counterparty: Some(Amount(6_000)),
        staff: ids(&["eve", "frank"]),
        until: Some(w.now.plus(2 * DAY)),
        ..terms(Direction::Debit, 5_000)
    }
}

fn spend(w: &mut World, budget: TxId, shop: &str, amount: u64, by: &[By]) -> Transaction {
    let mut body = w.body(&by[0].party, pay_by_mandate("club", shop, amount, budget));
    body.purpose = Purpose::EXPENSE;
    sign(body, by)
}

#[test]
fn a_standing_acceptance_lets_the_payer_alone_pay() {
    let mut w = world();
    let to_shop = standing(&mut w, "shop", terms(Direction::Credit, 5_000));
    w.apply("alice", pay_to_mandate("alice", "shop", 5_000, to_shop), &[debit("alice")]);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Live, Form::Mandate));
    assert_eq!(outcome.cites, [to_shop]);
    assert_eq!(w.holds("shop", "MEBUKU", Holding::Claim), 5_000);
    let op = |amount, to: &str, mandate| pay_to_mandate("alice", to, amount, mandate);
    let signer = [debit("alice")];
    w.reject(Code::OverMandate, "alice", op(5_001, "shop", to_shop), &signer);
    w.reject(Code::MandateMismatch, "alice", op(1, "mart", to_shop), &signer);
    w.reject(Code::UnknownMandate, "alice", op(1, "shop", TxId([0; 32])), &signer);
    // The payer's own consent is not replaced by it.
    w.void(Code::MissingConsent, "eve", op(1, "shop", to_shop), &[own("eve")]);
    let wrong_way = pay_by_mandate("shop", "alice", 1, to_shop);
    w.reject(Code::TransferNotAllowed, "alice", wrong_way, &[credit("alice")]);
}

#[test]
fn only_the_grantor_grants_and_revokes() {
    let mut w = world();
    let op = || mandate("shop", terms(Direction::Credit, 5_000));
    w.void(Code::MissingConsent, "alice", op(), &[credit("alice")]);
    w.void(Code::MissingConsent, "shop", op(), &[own("shop")]);
    w.reject(Code::KeyUnknown, "alice", op(), &[credit("shop").key("alice")]);
    let granted = w.apply("shop", op(), &[credit("shop")]);
    let end = || Operation::RevokeMandate { mandate: granted };
    w.void(Code::MissingConsent, "alice", end(), &[own("alice")]);
    w.reject(Code::KeyUnknown, "alice", end(), &[own("shop").key("alice")]);
    w.apply("shop", end(), &[own("shop")]);
    w.reject(Code::MandateNotActive, "shop", end(), &[own("shop")]);
    let op = pay_to_mandate("alice", "shop", 1, granted);
    w.reject(Code::MandateNotActive, "alice", op, &[debit("alice")]);
    let unknown = Operation::RevokeMandate { mandate: TxId([0; 32]) };
    w.reject(Code::UnknownMandate, "shop", unknown, &[own("shop")]);
}

#[test]
fn terms_are_well_formed() {
    let mut w = world();
    let good = terms(Direction::Credit, 5_000);
    let coin = instrument("COIN");
    let mebuku = instrument("MEBUKU");
    let bad = [
        MandateTerms { per_use: Amount(0), ..good.clone() },
        MandateTerms { instruments: vec![], ..good.clone() },
        MandateTerms { instruments: vec![mebuku, coin], ..good.clone() },
        MandateTerms { from: Time(5), until: Some(Time(5)), ..good.clone() },
        MandateTerms { staff: vec![id("eve"), id("eve")], ..good.clone() },
    ];
    for terms in bad {
        w.reject(Code::NotWellFormed, "shop", mandate("shop", terms), &[credit("shop")]);
    }
    let none = MandateTerms { instruments: vec![instrument("NONE")], ..good };
    w.reject(Code::UnknownInstrument, "shop", mandate("shop", none), &[credit("shop")]);
}

#[test]
fn every_bound_binds() {
    let mut w = world();
    let open = terms(Direction::Credit, 1_000);
    let later = w.now.plus(DAY);
    let cases: Vec<(MandateTerms, Vec<u64>)> = vec![
        (MandateTerms { per_day: Some(Amount(1_500)), ..open.clone() }, vec![1_000, 500]),
        (MandateTerms { total: Some(Amount(1_200)), ..open.clone() }, vec![1_000, 200]),
        (MandateTerms { uses: Some(2), ..open.clone() }, vec![1, 1]),
        (MandateTerms { per_counterparty: Some(Amount(700)), ..open.clone() }, vec![600, 100]),
    ];
    for (terms, uses) in cases {
        let granted = standing(&mut w, "shop", terms);
        for amount in uses {
            w.apply("alice", pay_to_mandate("alice", "shop", amount, granted), &[debit("alice")]);
        }
        let one_more = pay_to_mandate("alice", "shop", 1, granted);
        w.reject(Code::OverMandate, "alice", one_more, &[debit("alice")]);
    }
    let begun = MandateTerms { from: later, ..open.clone() };
    let granted = standing(&mut w, "shop", begun);
    let op = || pay_to_mandate("alice", "shop", 1, granted);
    w.reject(Code::MandateNotActive, "alice", op(), &[debit("alice")]);
    w.wait(DAY);
    w.apply("alice", op(), &[debit("alice")]);
    let over = MandateTerms { until: Some(w.now.plus(3 * SECOND)), ..open };
    let granted = standing(&mut w, "shop", over);
    let op = || pay_to_mandate("alice", "shop", 1, granted);
    w.apply("alice", op(), &[debit("alice")]);
    w.reject(Code::MandateNotActive, "alice", op(), &[debit("alice")]);
}

#[test]
fn a_day_is_a_japanese_day_and_counterparties_count_apart() {
    let mut w = world();
    let daily = MandateTerms {
        per_day: Some(Amount(1_000)),
        per_counterparty: Some(Amount(1_500)),
        ..terms(Direction::Credit, 1_000)
    };
    let granted = standing(&mut w, "shop", daily);
    let op = |from: &str, amount| pay_to_mandate(from, "shop", amount, granted);
    w.apply("alice", op("alice", 1_000), &[debit("alice")]);
    w.reject(Code::OverMandate, "bob", op("bob", 1), &[debit("bob")]);
    // The chain begins at 09:00 in Japan: fifteen hours to midnight.
    w.now = Time(BEGIN.0 + 15 * 3_600_000 - SECOND - 1);
    w.reject(Code::OverMandate, "bob", op("bob", 1), &[debit("bob")]);
    w.now = Time(BEGIN.0 + 15 * 3_600_000 - SECOND);
    w.apply("alice", op("alice", 500), &[debit("alice")]);
    w.reject(Code::OverMandate, "alice", op("alice", 1), &[debit("alice")]);
    w.apply("bob", op("bob", 500), &[debit("bob")]);
}

#[test]
fn instrument_purpose_and_counterparty_match() {
    let mut w = world();
    w.fund("alice", "COIN", 1_000);
    let narrow = MandateTerms {
        purpose: Some(Purpose::DUES),
        counterparty: Counterparty::Attribute(
            PartyKind::Person,
            AttributeTest { name: "resident".into(), any_of: vec!["yes".into()] },
        ),
        ..terms(Direction::Credit, 1_000)
    };
    let granted = w.apply("alice", mandate("club", narrow), &[receives("club", "alice")]);
    let try_as = |w: &mut World, code: Option<Code>, purpose, of: &str| {
        let op = Operation::Transfer(Movement {
            legs: legs(&[(of, 1)]),
            credit: Citation::Mandate(granted),
            ..movement("alice", "club", 1)
        });
        let mut body = w.body("alice", op);
        body.purpose = purpose;
        let tx = sign(body, &[debit("alice")]);
        match code {
            Some(code) => w.rejects(code, &tx),
            None => drop(w.applies(&tx)),
        }
    };
    try_as(&mut w, Some(Code::MandateMismatch), Purpose::DUES, "MEBUKU");
    let resident = Operation::Attest(Attest {
        party: id("alice"),
        registrar: id("registrar"),
        attributes: vec![attribute("resident", "yes")],
    });
    w.apply("r1", resident, &[officer("registrar", "r1")]);
    try_as(&mut w, Some(Code::MandateMismatch), Purpose::DUES, "COIN");
    try_as(&mut w, Some(Code::MandateMismatch), Purpose::REWARD, "MEBUKU");
    try_as(&mut w, None, Purpose::DUES, "MEBUKU");
}

#[test]
fn a_debit_mandate_is_used_by_its_payee() {
    let mut w = world();
    let monthly = MandateTerms {
        counterparty: Counterparty::Party(id("club")),
        uses: Some(12),
        ..terms(Direction::Debit, 500)
    };
    let granted = w.apply("alice", mandate("alice", monthly), &[debit("alice")]);
    let op = || pay_by_mandate("alice", "club", 500, granted);
    w.apply("carol", op(), &[receives("club", "carol")]);
    assert_eq!(w.outcome().debit, Form::Mandate);
    w.void(Code::MissingConsent, "eve", op(), &[own("eve")]);
    // Neither side takes part: two mandates alone move nothing without staff.
    let accepts = terms(Direction::Credit, 500);
    let accepts = w.apply("carol", mandate("club", accepts), &[receives("club", "carol")]);
    let both = Operation::Transfer(Movement {
        debit: Citation::Mandate(granted),
        credit: Citation::Mandate(accepts),
        ..movement("alice", "club", 500)
    });
    w.void(Code::MissingConsent, "eve", both, &[own("eve")]);
    // Another payee, or the payer's own debit of a group without bounds.
    let other = pay_by_mandate("alice", "bob", 1, granted);
    w.reject(Code::MandateMismatch, "bob", other, &[credit("bob")]);
}

#[test]
fn an_event_budget_needs_the_consents_of_a_payout_of_its_cap() {
    let mut w = world();
    let terms = budget(&w);
    let op = |terms: &MandateTerms| mandate("club", terms.clone());
    let two = [drafts("club", "alice"), approves("club", "bob")];
    for unbounded in [
        MandateTerms { total: None, ..terms.clone() },
        MandateTerms { until: None, ..terms.clone() },
    ] {
        w.reject(Code::NotWellFormed, "alice", op(&unbounded), &two);
    }
    w.void(Code::MissingConsent, "alice", op(&terms), &[drafts("club", "alice")]);
    let same = [drafts("club", "carol"), approves("club", "carol")];
    w.reject(Code::SamePerson, "carol", op(&terms), &same);
    let large = MandateTerms { total: Some(Amount(100_000)), ..terms.clone() };
    w.void(Code::ApproversMissing, "alice", op(&large), &two);
    let to_bob = MandateTerms { counterparty: Counterparty::Party(id("bob")), ..terms.clone() };
    w.void(Code::PayeeApproves, "alice", op(&to_bob), &two);
    w.apply("alice", op(&terms), &two);
}

#[test]
fn staff_spend_an_event_budget() {
    let mut w = world();
    let terms = budget(&w);
    let two = [drafts("club", "alice"), approves("club", "bob")];
    let granted = w.apply("alice", mandate("club", terms), &two);
    let tx = spend(&mut w, granted, "shop", 5_000, &[debit("eve"), credit("shop")]);
    w.applies(&tx);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Mandate, Form::Live));
    // Not staff, although of the group; staff in the wrong slot; the shop alone.
    let tx = spend(&mut w, granted, "shop", 1, &[debit("alice"), credit("shop")]);
    w.voids(Code::MissingConsent, &tx);
    let tx = spend(&mut w, granted, "shop", 1, &[own("eve"), credit("shop")]);
    w.voids(Code::MissingConsent, &tx);
    let tx = spend(&mut w, granted, "shop", 1, &[credit("shop")]);
    w.voids(Code::MissingConsent, &tx);
    // Per counterparty 6,000; in all 10,000.
    let tx = spend(&mut w, granted, "shop", 1_001, &[debit("eve"), credit("shop")]);
    w.rejects(Code::OverMandate, &tx);
    let tx = spend(&mut w, granted, "mart", 5_000, &[debit("frank"), credit("mart")]);
    w.applies(&tx);
    let tx = spend(&mut w, granted, "mart", 1, &[debit("frank"), credit("mart")]);
    w.rejects(Code::OverMandate, &tx);
    assert_eq!(w.spendable("club", "MEBUKU"), 490_000);
}

#[test]
fn staff_pay_at_a_static_code() {
    let mut w = world();
    let terms = budget(&w);
    let two = [drafts("club", "alice"), approves("club", "bob")];
    let granted = w.apply("alice", mandate("club", terms), &two);
    let accepts = standing(&mut w, "shop", crate::common::terms(Direction::Credit, 9_000));
    let op = Operation::Transfer(Movement {
        debit: Citation::Mandate(granted),
        credit: Citation::Mandate(accepts),
        ..movement("club", "shop", 700)
    });
    let mut body = w.body("eve", op);
    body.purpose = Purpose::EXPENSE;
    w.voids(Code::SenderNotSigner, &sign(body.clone(), &[debit("alice")]));
    w.applies(&sign(body, &[debit("eve")]));
    assert_eq!(w.outcome().cites, [granted, accepts]);
}

#[test]
fn rotated_keys_mandates_stand_compromised_ones_die() {
    let mut w = world();
    let granted = standing(&mut w, "shop", terms(Direction::Credit, 1_000));
    let op = || pay_to_mandate("alice", "shop", 1, granted);
    let rotate = Operation::RotateKey(RotateKey {
        party: id("shop"),
        old: key("shop").public(),
        new: key("shop/2").public(),
    });
    w.apply("shop", rotate, &[own("shop"), proves("shop", "shop/2")]);
    w.apply("alice", op(), &[debit("alice")]);
    let compromised = Operation::RevokeKey(RevokeKey {
        party: id("shop"),
        key: key("shop").public(),
        compromised: true,
    });
    w.apply("shop", compromised, &[own("shop").key("shop/2")]);
    w.reject(Code::MandateNotActive, "alice", op(), &[debit("alice")]);
}

#[test]
fn a_closing_groups_mandates_die() {
    let mut w = world();
    let terms = budget(&w);
    let two = [drafts("club", "alice"), approves("club", "bob")];
    let granted = w.apply("alice", mandate("club", terms), &two);
    let close = Operation::CloseGroup { group: id("club") };
    w.apply("alice", close, &[member("club", "alice"), checker("club", "bob")]);
    let tx = spend(&mut w, granted, "shop", 1, &[debit("eve"), credit("shop")]);
    w.rejects(Code::MandateNotActive, &tx);
}

#[test]
fn an_event_budget_pays_neither_who_granted_it_nor_the_staff_that_uses_it() {
    let mut w = world();
    let terms = MandateTerms { counterparty: Counterparty::Any, purpose: None, ..budget(&w) };
    let two = [drafts("club", "alice"), approves("club", "bob")];
    let granted = w.apply("alice", mandate("club", terms), &two);
    let to = |payee: &str| pay_by_mandate("club", payee, 100, granted);
    w.reject(Code::MandateMismatch, "eve", to("bob"), &[debit("eve"), credit("bob")]);
    w.reject(Code::SamePerson, "eve", to("eve"), &[debit("eve"), credit("eve")]);
    w.apply("eve", to("eve"), &[debit("frank"), credit("eve")]);
    w.apply("eve", to("frank"), &[debit("eve"), credit("frank")]);
}

/// A stranger adds a signature that nobody needs, and then reports their own key as compromised.
#[test]
fn a_strangers_key_is_no_part_of_a_grant() {
    let mut w = world();
    let useless = by(Side::Credit, Role::Funder, "shop", "eve");
    let op = mandate("shop", terms(Direction::Credit, 5_000));
    let to_shop = w.apply("shop", op, &[credit("shop"), useless]);
    let useless = by(Side::Debit, Role::Terminal, "club", "eve");
    let op = mandate("club", MandateTerms { staff: vec![], ..budget(&w) });
    let signers = [drafts("club", "alice"), approves("club", "bob"), useless];
    let granted = w.apply("alice", op, &signers);
    let granted_by = |w: &World, id| match w.state.row(&RowKey::Mandate(id)) {
        Some(Row::Mandate(mandate)) => mandate.granted_by.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(granted_by(&w, to_shop), [key("shop").public()]);
    let mut two = [key("alice").public(), key("bob").public()];
    let mut recorded = granted_by(&w, granted);
    two.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(recorded, two);
    let op = Operation::RevokeKey(RevokeKey {
        party: id("eve"),
        key: key("eve").public(),
        compromised: true,
    });
    w.apply("eve", op, &[own("eve")]);
    w.apply("alice", pay_to_mandate("alice", "shop", 5_000, to_shop), &[debit("alice")]);
}
