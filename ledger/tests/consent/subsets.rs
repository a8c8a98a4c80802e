//! INV-5, row by row: a transaction that lacks any of the signatures it needs is void, whoever sends it,
//! and applies once they are all there. So nobody can burn what somebody else has begun to sign.

use crate::common::*;
use musubi_ledger::{
    offer::{Access, OfferTerms},
    state::derived_id,
};

/// Whose key it is.
fn owner(by: &By) -> &str {
    by.key.split('/').next().unwrap()
}

/// Submits every proper subset of `needed`, with each of the signers as sender, and then all of it.
#[track_caller]
fn row(w: &mut World, operation: &Operation, needed: &[By]) -> TxId {
    row_of(w, operation, needed, |_| {})
}

#[track_caller]
fn row_of(w: &mut World, operation: &Operation, needed: &[By], more: impl Fn(&mut Body)) -> TxId {
    let mut senders: Vec<&str> = needed.iter().map(owner).collect();
    senders.dedup();
    for sender in &senders {
        let mut body = w.body(sender, operation.clone());
        more(&mut body);
        for mask in 0..(1_u32 << needed.len()) - 1 {
            let some = needed.iter().enumerate().filter(|(at, _)| mask & (1 << at) != 0);
            let some: Vec<By> = some.map(|(_, by)| by.clone()).collect();
            let code = w.block(&[sign(body.clone(), &some)])[0];
            assert_eq!(w.last.items[0].leaf, None, "{code} for {some:?}, sent by {sender}");
        }
    }
    let mut body = w.body(senders[0], operation.clone());
    more(&mut body);
    w.applies(&sign(body, needed))
}

fn world() -> World {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 10_000);
    w.fund("club", "MEBUKU", 500_000);
    w
}

fn two(party: &str, one: &str, other: &str) -> [By; 2] {
    [officer(party, one), officer(party, other)]
}

#[test]
fn transfers() {
    let mut w = world();
    row(&mut w, &pay("alice", "bob", 100), &[debit("alice"), credit("bob")]);
    let payout = [drafts("club", "alice"), approves("club", "bob"), credit("eve")];
    row(&mut w, &pay("club", "eve", 100), &payout);
    let large = [&payout[..], &[approves("club", "carol")]].concat();
    row(&mut w, &pay("club", "eve", 100_000), &large);
    row(
        &mut w,
        &pay("alice", "club", 100),
        &[debit("alice"), receives("club", "bob").key("carol")],
    );
    // One who drafts and is paid, and another who approves.
    let own_payout = [drafts("club", "carol"), approves("club", "bob"), credit("carol")];
    row(&mut w, &pay("club", "carol", 100), &own_payout);
}

#[test]
fn budgets_and_media() {
    let mut w = world();
    let budget = MandateTerms {
        total: Some(Amount(100_000)),
        staff: ids(&["eve", "frank"]),
        until: Some(w.now.plus(DAY)),
        ..terms(Direction::Debit, 500)
    };
    let payout = [drafts("club", "alice"), approves("club", "bob"), approves("club", "carol")];
    let budget = row(&mut w, &mandate("club", budget), &payout);
    let op = pay_by_mandate("club", "shop", 5, budget);
    row(&mut w, &op, &[debit("eve"), credit("shop")]);
    let op = RegisterParty { keys: vec![], ..register("grandmother", PartyKind::Person) };
    w.apply("r1", Operation::RegisterParty(op), &[officer("registrar", "r1")]);
    let card = |w: &World, name: &str, party: &str| {
        Operation::EnrolMedium(EnrolMedium {
            medium: medium(name),
            party: id(party),
            registrar: id("registrar"),
            debit: Some(MandateTerms {
                per_day: Some(Amount(2_000)),
                until: Some(w.now.plus(DAY)),
                ..terms(Direction::Debit, 1_000)
            }),
            credit: Some(terms(Direction::Credit, 50_000)),
            evidence: document("application"),
        })
    };
    let officers = two("registrar", "r1", "r2");
    let op = card(&w, "card", "grandmother");
    let enrolled = row(&mut w, &op, &officers);
    let op = card(&w, "alice's card", "alice");
    row(&mut w, &op, &[&officers[..], &[own("alice")]].concat());
    let mut op = top_up(w.allowance("MEBUKU"), "grandmother", 500, "counter");
    op.credit = Citation::Mandate(derived_id(&enrolled, 1));
    w.apply("issuer", Operation::TopUp(op), &[issues()]);
    let shown = Citation::Medium { medium: medium("card"), mandate: derived_id(&enrolled, 0) };
    let op = Operation::Transfer(Movement { debit: shown, ..movement("grandmother", "shop", 5) });
    row(&mut w, &op, &[terminal("shop"), credit("shop")]);
}

#[test]
fn issuing_undoing_and_settling() {
    let mut w = world();
    let mut op = top_up(w.allowance("MEBUKU"), "alice", 500, "bank");
    row(&mut w, &Operation::TopUp(op.clone()), &[issues(), credit("alice")]);
    op.funder = id("eve");
    op.funding = document("eve's bank");
    let issued = row(&mut w, &Operation::TopUp(op), &[issues(), credit("alice"), funds("eve")]);
    let correct = Operation::Correct(Correct {
        original: issued,
        legs: legs(&[("MEBUKU", 5)]),
        reason: CorrectionReason::Chargeback,
        evidence: document("letter"),
    });
    let other = officer("city", "c1");
    row(
        &mut w,
        &correct,
        &[&two("issuer", "i1", "i2")[..], core::slice::from_ref(&other)].concat(),
    );
    let dues = [debit("alice"), receives("club", "alice")];
    let dues = w.apply("alice", pay("alice", "club", 100), &dues);
    row(&mut w, &refund(dues, 10), &[drafts("club", "carol"), approves("club", "bob")]);
    w.register("airline", PartyKind::External);
    let waits = Hold {
        from: id("club"),
        to: id("airline"),
        leg: legs(&[("MEBUKU", 100_000)])[0],
        deadline: w.now.plus(DAY),
        order: document("order"),
    };
    let large = [drafts("club", "alice"), approves("club", "bob"), approves("club", "carol")];
    let waits = row(&mut w, &Operation::Hold(waits), &large);
    let answer = HoldAnswer::Settled { reference: document("PNR") };
    let answer = Operation::AnswerHold(AnswerHold { hold: waits, answer });
    row(&mut w, &answer, &[credit("airline"), settles()]);
    let list = RequestMany {
        payee: id("club"),
        lines: vec![DuesLine { member: Member::Party(id("eve")), amount: Amount(100_000) }],
        instrument: instrument("MEBUKU"),
        tender: Vec::new(),
        due: w.now.plus(DAY),
    };
    let list = row(&mut w, &Operation::RequestMany(list), &[receives("club", "bob").key("carol")]);
    let cash = RecordCash {
        request: derived_id(&list, 0),
        received: true,
        evidence: document("cash book"),
    };
    let two_members = [member("club", "alice"), checker("club", "bob")];
    row(&mut w, &Operation::RecordCash(cash), &two_members);
    let invoiced = issues_document("club", "I-1", invoice(Some(dues), vec![tax_line(0, 90, 0)]));
    row(&mut w, &invoiced, &[member("club", "carol")]);
    let end = w.now.plus(DAY);
    let grant = allowance("MEBUKU", 10, 10, 10, end);
    row(&mut w, &grant, &[officer("issuer", "i1"), other]);
    let give = musubi_ledger::rule::Give { funder: id("shop"), ..give("MEBUKU") };
    let post = musubi_ledger::rule::Post::Give(give);
    let on = musubi_ledger::rule::Trigger::Purchase;
    let reward = musubi_ledger::rule::RuleTerms { post, ..rewards(on, percent(1), "MEBUKU") };
    let three = [&issuers()[..], &[debit("shop")]].concat();
    row(&mut w, &put("MEBUKU", 1, reward), &three);
    let later = w.now.plus(DAY);
    row(&mut w, &end_rule("MEBUKU", 1, later), &issuers());
    let right = OfferTerms { access: entitled(2), ..offers(5) };
    let offer = row(&mut w, &put_offer(right), &issuers());
    row(&mut w, &end_offer(offer, later.plus(DAY)), &issuers());
    let causes = [event("alice", "birth"), by_code("K7QM")];
    let registrars = two("registrar", "r1", "r2");
    row(&mut w, &entitle(offer, &causes, later), &registrars);
    let taken = |to, showing| Operation::Take(takes_of(offer, to, showing));
    let code = Showing::Code(code_key("K7QM").public());
    // Whoever knows the code has one signature of two; the taker's alone sends.
    let by_alice = w.transaction("alice", taken("alice", code), &[credit("alice")]);
    w.voids(Code::MissingConsent, &by_alice);
    let both =
        w.transaction("alice", taken("alice", code), &[credit("alice"), shows("alice", "K7QM")]);
    w.applies(&both);
    let bonus = coupons(borne("shop", off(50)));
    let shown = OfferTerms { access: entitled(1), ..bonus };
    let coupon = row(&mut w, &put_offer(shown), &three);
    row(&mut w, &entitle(coupon, &[by_code("BONUS")], later), &registrars[..1]);
    let uses = UseCoupon { offer: coupon, showing: Showing::Code(code_key("BONUS").public()) };
    let op = Operation::PayWithCoupons(pay_with("alice", "mart", (60, 10), &[uses]));
    row(&mut w, &op, &[debit("alice"), credit("mart"), shows("alice", "BONUS")]);
    let gives = sold(500, &[paid("MEBUKU", 500)]);
    let terms = OfferTerms { gives, stock: Some(5), ..offers(1) };
    let sale = row(&mut w, &put_offer(terms), &across());
    row(&mut w, &buys(sale, "alice", 1, "sale"), &[issues(), credit("alice")]);
    let entitlement = right_of(offer, "birth");
    row(&mut w, &Operation::WithdrawEntitlement { entitlement }, &registrars);
    let access = Access::Lottery(lottery(w.now));
    let terms = OfferTerms { access, stock: Some(1), ..offers(5) };
    let draw = row(&mut w, &put_offer(terms), &issuers());
    let application = row(&mut w, &applies_for(draw, "alice", 2), &[own("alice")]);
    w.wait(10 * DAY);
    row(&mut w, &reveal(draw, "town"), &[officer("issuer", "i1")]);
    row(&mut w, &count_draw(draw, application), &[officer("issuer", "i1")]);
    let plan = run_plan("two", &[("alice", 5), ("zoe", 6)]);
    let until = w.now.plus(DAY);
    let op = OpenRun { funder: id("shop"), ..manifest("MEBUKU", &plan, until) };
    let opened = row(&mut w, &Operation::OpenRun(op), &three);
    row(&mut w, &chunk(&plan, opened, 6, 0), &[own("bob")]);
    row(&mut w, &end_run(opened), &issuers()[..1]);
    w.sale("alice", "shop", "MEBUKU", 500);
    let op = settlement("MEBUKU", &[("shop", 400)], w.now);
    row(&mut w, &Operation::Settle(op), &issuers());
    let cards = old_plan("two", &[("alice", 5)], |_| None);
    let op = OpenRun { funder: id("shop"), ..import("MEBUKU", &cards, until, "paper") };
    let four = [&across()[..], &[debit("shop")]].concat();
    row(&mut w, &Operation::OpenRun(op), &four);
    let terms = match w.state.row(&RowKey::Instrument(instrument("MEBUKU"))) {
        Some(Row::Instrument(kept)) => kept.terms.clone(),
        other => panic!("{other:?}"),
    };
    let op = DefineInstrument { instrument: instrument("MILES"), terms, open: true };
    row(&mut w, &Operation::DefineInstrument(op), &two("issuer", "i1", "i2"));
}

#[test]
fn parties_and_keys() {
    let mut w = world();
    let officers = two("registrar", "r1", "r2");
    let op = Operation::RegisterParty(register("zoe", PartyKind::Person));
    row(&mut w, &op, &[officers[0].clone(), proves("zoe", "zoe")]);
    let together = |new: &str| [governs("city"), governs("partner"), proves("ward", new)];
    let op = RegisterParty {
        organisation: Some(id("partner")),
        ..register("ward", PartyKind::Registrar)
    };
    row(&mut w, &Operation::RegisterParty(op), &together("ward"));
    let named = |party: &str, officers: &[&str]| {
        Operation::SetOfficers(SetOfficers { party: id(party), officers: ids(officers) })
    };
    row(&mut w, &named("ward", &["eve", "frank"]), &together("ward")[..2]);
    row(&mut w, &named("ward", &["eve", "bob"]), &two("ward", "eve", "frank"));
    let add = |party: &str, new: &str| {
        Operation::AddKey(AddKey { party: id(party), key: key(new).public() })
    };
    row(&mut w, &add("ward", "ward/2"), &together("ward/2"));
    row(&mut w, &add("alice", "alice/2"), &[own("alice"), proves("alice", "alice/2")]);
    let turn =
        RotateKey { party: id("alice"), old: key("alice").public(), new: key("alice/3").public() };
    row(&mut w, &Operation::RotateKey(turn), &[own("alice"), proves("alice", "alice/3")]);
    let freeze = Operation::Freeze(Freeze { party: id("bob"), evidence: document("report") });
    w.apply("r1", freeze, &officers[..1]);
    row(&mut w, &Operation::Unfreeze { party: id("bob") }, &officers);
    let recover = |party: &str, new: &str| {
        Operation::Recover(Recover {
            party: id(party),
            key: key(new).public(),
            evidence: document("identity"),
        })
    };
    let signers = [&officers[..], &[proves("bob", "bob/new")]].concat();
    row(&mut w, &recover("bob", "bob/new"), &signers);
    row(&mut w, &Operation::CancelRecovery { party: id("bob") }, &officers);
    row(&mut w, &recover("ward", "ward/new"), &together("ward/new"));
    row(&mut w, &Operation::CancelRecovery { party: id("ward") }, &together("ward")[..2]);
}

#[test]
fn groups() {
    let mut w = world();
    let op = CreateGroup {
        group: id("choir"),
        registrar: id("registrar"),
        representative: id("frank"),
        roles: roles(&[("eve", true, false), ("bob", false, true)]),
        policy: policy(&[]),
    };
    let all = [officer("registrar", "r1"), represents("choir", "frank"), member("choir", "eve")];
    row(&mut w, &Operation::CreateGroup(op), &all);
    let op = ChangeGroup {
        group: id("club"),
        roles: None,
        policy: Some(policy(&[(1, 2)])),
        representative: Some(id("eve")),
    };
    let three = [member("club", "alice"), checker("club", "bob"), checker("club", "carol")];
    row(&mut w, &Operation::ChangeGroup(op), &[&three[..], &[own("eve")]].concat());
    let op = SetParent { group: id("choir"), parent: Some(id("club")) };
    let three = [all[1].clone(), all[2].clone(), member("club", "alice")];
    row(&mut w, &Operation::SetParent(op), &three);
    row(&mut w, &Operation::CloseGroup { group: id("choir") }, &[all[1].clone(), all[2].clone()]);
    for person in ["alice", "carol"] {
        let freeze = Operation::Freeze(Freeze { party: id(person), evidence: document("gone") });
        w.apply("r1", freeze, &[officer("registrar", "r1")]);
    }
    let op = Operation::InstallSuccessors(InstallSuccessors {
        group: id("club"),
        representative: id("frank"),
        roles: roles(&[("eve", true, false), ("frank", false, true)]),
        effective: w.now.plus(NOTICE + DAY),
    });
    row(&mut w, &op, &two("registrar", "r1", "r2"));
}
