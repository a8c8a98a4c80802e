//! One transaction for every operation, with every variant that its fields have.

use crate::common::*;
use musubi_ledger::{
    calendar::Span,
    hash::sha256,
    id::{ChainId, RosterLine, Salt},
    instrument::{
        InstrumentChange, LateRefund, Life, LifeStep, Limit, LimitOf, OnAccept, Priority, Regime,
        Terms, Tier, Validity,
    },
    offer::{Access, Coupon, Gift, Gives, OfferTerms, draw::Lottery},
    party::AttributeTest,
    policy::{Member, Witness, WitnessPolicy},
    predicate::{Predicate, Test},
    rule::{
        Base, Give, Giver, Post, Recipient, RuleTerms, Trigger,
        cap::{Cap, CapOf, Over, Period, Scope},
        formula::{Formula, Rate, Rounding, Steps, Threshold},
        when::{Reached, When},
    },
};

pub(crate) fn tx(name: &str) -> TxId {
    TxId(sha256(format!("transaction {name}").as_bytes()))
}

/// The body of vector number `at`: the optional fields come and go with the number.
pub(crate) fn body(chain: ChainId, at: usize, operation: Operation) -> Body {
    let mut salt = [0; 16];
    salt.copy_from_slice(&sha256(&(at as u64).to_le_bytes())[..16]);
    let bit = |n: usize| at & n != 0;
    Body {
        chain,
        rules_version: 1,
        sender: id("alice"),
        reference: format!("vector-{at}").parse().unwrap(),
        salt: Salt(salt),
        expires: BEGIN.plus(3_600_000),
        purpose: Purpose(u16::try_from(at).unwrap()),
        memo: bit(1).then(|| document("memo")),
        answers: bit(2).then(|| tx("request")),
        on_behalf_of: bit(4).then_some(RosterLine([9; 16])),
        operation,
    }
}

pub(crate) type Vector = (&'static str, Operation, Vec<By>);

/// All vectors, in the order of the operations' tags.
pub(crate) fn all() -> Vec<Vector> {
    let mut all = money();
    all.extend(grants());
    all.extend(parties());
    all.extend(groups());
    all.extend(policies());
    all.extend(super::papers::documents());
    all.extend(settlements());
    all.extend(super::papers::reports());
    all
}

fn settlements() -> Vec<Vector> {
    let lines = [("shop", 10_000), ("mart", 7)];
    let op = settlement("MEBUKU", &lines, BEGIN);
    let answer = RedemptionAnswer::Paid { payout: document("payout") };
    vec![
        ("settle", Operation::Settle(op), issuers().to_vec()),
        ("answer_settlement", answer_lines(tx("settlement"), &[0, 63], answer), vec![settles()]),
    ]
}

fn policies() -> Vec<Vector> {
    let mut next = WitnessPolicy { number: 2, quorum: 3, ..WitnessPolicy::of_genesis(&genesis()) };
    next.witnesses.push(Witness {
        name: "witness.example/w1".into(),
        key: key("witness").public(),
        member: Member::Independent,
    });
    let signers = vec![governs("city"), governs("operator")];
    let validators = validators();
    let epoch = BeginEpoch {
        epoch: 2,
        last_index: 9,
        last_term: 3,
        size: 21,
        root: [5; 32],
        checkpoint: Some(note_of(1, (18, [4; 32]), "city/node", &OLD_VOICES)),
        policy: WitnessPolicy::of_nodes(&genesis(), 2, &validators, &[]),
        validators,
        opener: musubi_ledger::batch::NodeId(1),
        reason: "two data centres burnt".into(),
    };
    vec![
        ("change_witness_policy", Operation::ChangeWitnessPolicy(next), signers.clone()),
        ("begin_epoch", Operation::BeginEpoch(epoch), signers),
    ]
}

fn money() -> Vec<Vector> {
    let terms_end = BEGIN.plus(30 * DAY);
    let cited = |debit, credit| {
        Operation::Transfer(Movement {
            debit,
            credit,
            legs: legs(&[("MEBUKU", 1), ("POINT", u64::MAX)]),
            ..movement("alice", "shop", 1)
        })
    };
    let shown = Citation::Medium { medium: medium("card"), mandate: tx("mandate") };
    let two = || vec![debit("alice"), credit("bob")];
    let payout = RedemptionAnswer::Paid { payout: document("payout") };
    let notice = RedemptionAnswer::Returned { notice: document("notice") };
    let answer = |answer| {
        Operation::AnswerRedemption(AnswerRedemption { redemption: tx("redemption"), answer })
    };
    vec![
        ("transfer, live", pay("alice", "bob", 500), two()),
        (
            "transfer of a group, by two mandates",
            cited(Citation::Mandate(tx("budget")), Citation::Mandate(tx("standing"))),
            vec![debit("eve")],
        ),
        ("transfer by request", cited(Citation::Live, Citation::Request), vec![debit("alice")]),
        (
            "transfer by medium",
            cited(shown, Citation::Live),
            vec![terminal("shop"), credit("shop")],
        ),
        (
            "transfer of a group, live",
            pay("club", "eve", 500),
            vec![drafts("club", "alice"), approves("club", "bob"), credit("eve")],
        ),
        (
            "top_up",
            Operation::TopUp(TopUp {
                origin: OriginKind::Grant,
                funder: id("bob"),
                campaign: 7,
                ..top_up(tx("allowance"), "alice", 5_000, "bank")
            }),
            vec![issues(), credit("alice"), funds("bob")],
        ),
        ("propose", propose("club", "eve", 500, terms_end), vec![drafts("club", "alice")]),
        (
            "decide: consent",
            decide(tx("proposal"), Decision::Consent),
            vec![approves("club", "bob")],
        ),
        ("decide: decline", decide(tx("proposal"), Decision::Decline), vec![credit("eve")]),
        ("decide: withdraw", decide(tx("proposal"), Decision::Withdraw), vec![own("alice")]),
        (
            "request_payment",
            Operation::RequestPayment(RequestPayment {
                payee: id("shop"),
                payer: Some(id("alice")),
                legs: legs(&[("MEBUKU", 700)]),
                tender: Vec::new(),
                due: terms_end,
            }),
            vec![credit("shop")],
        ),
        (
            "request_payment: any of a tender",
            Operation::RequestPayment(RequestPayment {
                payee: id("shop"),
                payer: None,
                legs: legs(&[("MEBUKU", 700)]),
                tender: vec![instrument("MEBUKU"), instrument("POINT")],
                due: terms_end,
            }),
            vec![credit("shop")],
        ),
        (
            "pay",
            Operation::Pay(pay_any("alice", "shop", 700, &["MEBUKU", "POINT"])),
            vec![debit("alice"), credit("shop")],
        ),
        (
            "touch",
            Operation::Touch(Touch { party: id("alice"), instrument: instrument("POINT") }),
            vec![own("alice")],
        ),
        ("cancel_request", Operation::CancelRequest { request: tx("request") }, vec![own("shop")]),
        ("refund", refund(tx("sale"), 100), vec![debit("shop")]),
        (
            "correct",
            Operation::Correct(Correct {
                original: tx("issue"),
                legs: legs(&[("MEBUKU", 100)]),
                reason: CorrectionReason::CourtOrder,
                evidence: document("order"),
            }),
            vec![officer("issuer", "i1"), officer("issuer", "i2"), officer("city", "c1")],
        ),
        (
            "request_redemption",
            Operation::RequestRedemption(RequestRedemption {
                merchant: id("shop"),
                leg: legs(&[("MEBUKU", 700)])[0],
                deadline: terms_end,
            }),
            vec![debit("shop")],
        ),
        ("answer_redemption: paid", answer(payout), vec![settles()]),
        ("answer_redemption: returned", answer(notice), vec![settles()]),
    ]
}

/// Terms in which every part says something.
fn every_part() -> Terms {
    let named = Test { name: "identity".into(), any_of: vec!["card".into()], not: true };
    let who = Predicate { any: vec![vec![named]] };
    let limit = |of, most| Limit::for_all(of, Amount(most));
    let month = Limit {
        kinds: vec![PartyKind::Person, PartyKind::Group],
        who: Some(who),
        ..limit(LimitOf::TransfersPerMonth, 300_000)
    };
    Terms {
        begins: Some(BEGIN),
        validity: Validity::Sliding(Span::Months(24)),
        limits: vec![limit(LimitOf::Wallet, 100_000), month],
        on_accept: OnAccept::Renew,
        late_refund: LateRefund::Grace(30),
        supply_max: Some(Amount(91_000_000)),
        priority: Priority { free: 1, grant: 2, paid: 3 },
        holders: Some(Predicate::is("resident", &["yes"])),
        tiers: vec![Tier { from: Amount(1_000), name: "silver".into() }],
        ..Terms::plain(id("issuer"), Regime::FundsTransfer, document("terms"))
    }
}

/// A gift with every part of an offer.
fn every_offer() -> OfferTerms {
    let free = Part { origin: OriginKind::Free, campaign: 3, ..part("POINT", 20) };
    OfferTerms {
        issuer: id("issuer"),
        gives: Gives::Gift(Gift { funder: id("city"), ..gift(&[part("MEBUKU", 50_000), free]) }),
        who: Some(Predicate::is("resident", &["yes"])),
        access: entitled(2),
        stock: Some(14_000),
        caps: vec![units(Scope::Payer, Period::Day, 1), units(Scope::Household, Period::Ever, 5)],
        from: BEGIN,
        until: BEGIN.plus(90 * DAY),
        document: document("notice"),
    }
}

/// A reward with every part of a rule.
fn every_rule() -> RuleTerms {
    let cap = |scope, per, of, most| Cap { scope, per, of, most: Amount(most) };
    RuleTerms {
        on: Trigger::Purchase,
        when: When {
            from: BEGIN,
            until: Some(BEGIN.plus(90 * DAY)),
            purpose: Some(Purpose::PURCHASE),
            origins: vec![OriginKind::Free, OriginKind::Paid],
            campaign: Some(7),
            payer: Some(Predicate::is("resident", &["yes"])),
            payee: Some(Predicate::is("shop", &["large", "small"])),
            payee_is: Some(id("shop")),
            least: Amount(100),
            multiple: Some(Amount(50)),
            tier: Some(Reached { instrument: instrument("POINT"), from: Amount(1_000) }),
            offer: Some(tx("offer")),
        },
        base: Base::PaidLots,
        formula: Formula::Rate(Rate { num: 15, den: 100, rounding: Rounding::Floor, carry: true }),
        post: Post::Give(Give {
            instrument: instrument("POINT"),
            origin: OriginKind::Grant,
            funder: id("issuer"),
            campaign: 9,
            to: Recipient::Party(id("club")),
        }),
        caps: vec![
            cap(Scope::Event, Period::Ever, CapOf::Given, 30),
            cap(Scope::Household, Period::FiscalYear, CapOf::Times, 12),
            cap(Scope::All, Period::Ever, CapOf::Given, 1_000_000),
        ],
        over: Over::Refuse,
    }
}

fn donation() -> RuleTerms {
    let steps = Formula::Steps(Steps { every: Amount(100), give: Amount(2) });
    shares(Giver::Payer, steps, split(&[("club", 2), ("mart", 1)], 1))
}

fn fee() -> RuleTerms {
    let line = |from, give| Threshold { from: Amount(from), give: Amount(give) };
    RuleTerms {
        on: Trigger::Redeem,
        base: Base::RunTotal,
        formula: Formula::Table(vec![line(1_000, 10), line(50_000, 400)]),
        post: Post::Fee(split(&[("operator", 1), ("issuer", 1)], 0)),
        over: Over::Skip,
        ..shares(Giver::Payee, percent(2), split(&[("club", 1)], 0))
    }
}

fn grants() -> Vec<Vector> {
    let end = BEGIN.plus(30 * DAY);
    let many: Vec<(&str, u64)> = (0..67).map(|at| (["alice", "club", "zoe"][at % 3], 5)).collect();
    let plan = run_plan("vector", &many);
    let opened =
        OpenRun { origin: OriginKind::Free, funder: id("shop"), ..manifest("POINT", &plan, end) };
    let cards = old_plan("vector", &many[..3], |at| (at < 2).then_some(end));
    let taken_over = OpenRun {
        import: Some(Import { handover: document("handover"), owed: true }),
        funder: id("shop"),
        ..import("MEBUKU", &cards, end, "handover")
    };
    let funded = || [&issuers()[..], &[debit("shop")]].concat();
    let test = AttributeTest { name: "resident".into(), any_of: vec!["yes".into()] };
    let full = MandateTerms {
        instruments: vec![instrument("COIN"), instrument("MEBUKU")],
        counterparty: Counterparty::Attribute(PartyKind::Person, test),
        purpose: Some(Purpose::DUES),
        per_day: Some(Amount(2_000)),
        per_counterparty: Some(Amount(3_000)),
        total: Some(Amount(4_000)),
        uses: Some(12),
        staff: ids(&["eve", "frank"]),
        from: BEGIN,
        until: Some(end),
        ..terms(Direction::Debit, 1_000)
    };
    let party = MandateTerms {
        counterparty: Counterparty::Party(id("issuer")),
        ..terms(Direction::Credit, 1)
    };
    let kind = MandateTerms {
        counterparty: Counterparty::Kind(PartyKind::Merchant),
        per_day: Some(Amount(1)),
        until: Some(end),
        ..terms(Direction::Debit, 1)
    };
    let genesis = genesis();
    let voucher = genesis.instruments[3].terms.clone();
    let group = vec![drafts("club", "alice"), approves("club", "bob")];
    let issuer = || vec![officer("issuer", "i1"), officer("issuer", "i2")];
    let across = vec![officer("issuer", "i1"), officer("city", "c1")];
    vec![
        ("grant_mandate: debit, all bounds", mandate("club", full), group),
        ("grant_mandate: credit", mandate("alice", party.clone()), vec![credit("alice")]),
        ("revoke_mandate", Operation::RevokeMandate { mandate: tx("mandate") }, vec![own("alice")]),
        ("grant_allowance", allowance("MEBUKU", 9, 8, 7, end), across),
        ("revoke_allowance", Operation::RevokeAllowance { allowance: tx("allowance") }, issuer()),
        (
            "define_instrument",
            Operation::DefineInstrument(DefineInstrument {
                instrument: instrument("NEW"),
                terms: voucher,
                open: true,
            }),
            issuer(),
        ),
        (
            "define_instrument: a draft, every part",
            Operation::DefineInstrument(DefineInstrument {
                instrument: instrument("NEW"),
                terms: every_part(),
                open: false,
            }),
            issuer(),
        ),
        (
            "change_instrument: life",
            change("MEBUKU", InstrumentChange::Life(LifeStep { life: Life::IssueEnded, at: end })),
            [issuer(), vec![officer("city", "c1")]].concat(),
        ),
        (
            "change_instrument: supply",
            change("MEBUKU", InstrumentChange::SupplyMax(Some(Amount(91_000_000)))),
            [issuer(), vec![officer("city", "c1")]].concat(),
        ),
        (
            "change_instrument: document",
            change("MEBUKU", InstrumentChange::Document(document("terms, newly worded"))),
            issuer(),
        ),
        ("put_rule: give, every part", put("MEBUKU", 258, every_rule()), issuer()),
        ("put_rule: share, steps", put("MEBUKU", 3, donation()), issuer()),
        ("put_rule: fee, table", put("MEBUKU", 4, fee()), issuer()),
        ("end_rule", end_rule("MEBUKU", 258, end), issuer()),
        ("put_offer: every part", put_offer(every_offer()), issuer()),
        ("put_offer: open", put_offer(offers(500)), issuer()),
        (
            "put_offer: a code",
            put_offer(OfferTerms { access: Access::Code(code_key("K7QM").public()), ..offers(50) }),
            issuer(),
        ),
        (
            "put_offer: a sale",
            put_offer(OfferTerms {
                gives: sold(5_000, &[premium("MEBUKU", 1_500), paid("MEBUKU", 5_000)]),
                stock: Some(14_000),
                ..offers(1)
            }),
            crate::common::across(),
        ),
        (
            "put_offer: an exchange",
            put_offer(OfferTerms {
                gives: exchanged("POINT", 100, &[premium("MEBUKU", 90)]),
                ..offers(1)
            }),
            issuer(),
        ),
        (
            "put_offer: a lottery",
            put_offer(OfferTerms {
                access: Access::Lottery(Lottery {
                    tiers: vec![Predicate::is("family", &["yes"])],
                    ..lottery(BEGIN)
                }),
                stock: Some(5),
                ..offers(100)
            }),
            issuer(),
        ),
        ("apply", applies_for(tx("offer"), "alice", 2), vec![own("alice")]),
        ("reveal_draw", reveal(tx("offer"), "town"), vec![officer("issuer", "i1")]),
        ("count_draw", count_draw(tx("offer"), tx("application")), vec![officer("issuer", "i1")]),
        ("end_offer", end_offer(tx("offer"), end), issuer()),
        (
            "entitle",
            entitle(tx("offer"), &[event("alice", "birth"), by_code("K7QM")], end),
            vec![officer("registrar", "r1"), officer("registrar", "r2")],
        ),
        (
            "withdraw_entitlement",
            Operation::WithdrawEntitlement { entitlement: right_of(tx("offer"), "birth") },
            vec![officer("registrar", "r1"), officer("registrar", "r2")],
        ),
        (
            "take: nothing shown",
            Operation::Take(takes_of(tx("offer"), "alice", Showing::Nothing)),
            vec![credit("alice")],
        ),
        ("take: bought", buys(tx("offer"), "alice", 2, "bank"), vec![issues(), credit("alice")]),
        (
            "take: exchanged",
            Operation::Take(Take {
                payment: Payment::Value,
                ..takes_of(tx("offer"), "alice", Showing::Nothing)
            }),
            vec![debit("alice"), credit("alice")],
        ),
        (
            "take: by a right",
            Operation::Take(Take {
                units: 2,
                credit: Citation::Mandate(tx("mandate")),
                ..takes_of(
                    tx("offer"),
                    "alice",
                    Showing::Entitlement(right_of(tx("offer"), "birth")),
                )
            }),
            vec![own("alice")],
        ),
        (
            "take: by a code",
            Operation::Take(takes_of(
                tx("offer"),
                "alice",
                Showing::Code(code_key("K7QM").public()),
            )),
            vec![credit("alice"), shows("alice", "K7QM")],
        ),
        (
            "put_offer: a coupon that its shop bears, wherever it is used",
            put_offer(coupons(Coupon {
                most: Some(Amount(300)),
                least: Amount(1_000),
                at: vec![id("shop")],
                shops: Some(Predicate::is("area", &["town"])),
                alone: true,
                campaign: 7,
                ..borne("shop", tenth())
            })),
            [issuer(), vec![debit("shop")]].concat(),
        ),
        (
            "pay_with_coupons",
            Operation::PayWithCoupons(pay_with(
                "alice",
                "shop",
                (1_000, 850),
                &[
                    used(tx("offer")),
                    UseCoupon {
                        offer: tx("coupon"),
                        showing: Showing::Code(code_key("K7QM").public()),
                    },
                ],
            )),
            vec![debit("alice"), credit("shop"), shows("alice", "K7QM")],
        ),
        ("open_run: another funds it", Operation::OpenRun(opened), funded()),
        (
            "open_run: old balances, which another owes",
            Operation::OpenRun(taken_over),
            [&issuer()[..], &[officer("city", "c1"), debit("shop")]].concat(),
        ),
        ("run_chunk: old balances", chunk(&cards, tx("run"), 6, 0), vec![own("alice")]),
        ("run_chunk: the last, smaller one", chunk(&plan, tx("run"), 6, 1), vec![own("alice")]),
        ("run_chunk: one line", chunk(&plan, tx("run"), 0, 2), vec![own("alice")]),
        ("end_run", end_run(tx("run")), issuer()),
        (
            "enrol_medium",
            Operation::EnrolMedium(EnrolMedium {
                medium: medium("card"),
                party: id("alice"),
                registrar: id("registrar"),
                debit: Some(kind),
                credit: Some(party),
                evidence: document("application"),
            }),
            vec![officer("registrar", "r1"), officer("registrar", "r2")],
        ),
        ("revoke_medium", Operation::RevokeMedium { medium: medium("card") }, vec![own("alice")]),
    ]
}

fn parties() -> Vec<Vector> {
    let (party, evidence) = (id("alice"), document("report"));
    let (old, new) = (key("alice").public(), key("alice/2").public());
    let two = || vec![officer("registrar", "r1"), officer("registrar", "r2")];
    let with_key = || vec![own("alice"), proves("alice", "alice/2")];
    let attributes = vec![attribute("age-band", "60s"), attribute("resident", "yes")];
    let register =
        RegisterParty { attributes: attributes.clone(), ..register("alice", PartyKind::Person) };
    let attest = Attest { party, registrar: id("registrar"), attributes };
    let recovery = Operation::Recover(Recover { party, key: new, evidence });
    vec![
        (
            "register_party",
            Operation::RegisterParty(register),
            vec![officer("registrar", "r1"), own("alice")],
        ),
        ("attest", Operation::Attest(attest), vec![officer("registrar", "r1")]),
        ("set_officers", set_officers("registrar", &["r1", "alice"]), two()),
        ("add_key", Operation::AddKey(AddKey { party, key: new }), with_key()),
        ("rotate_key", Operation::RotateKey(RotateKey { party, old, new }), with_key()),
        (
            "revoke_key",
            Operation::RevokeKey(RevokeKey { party, key: old, compromised: true }),
            vec![own("alice")],
        ),
        ("freeze", Operation::Freeze(Freeze { party, evidence }), vec![own("alice")]),
        ("unfreeze", Operation::Unfreeze { party }, two()),
        ("recover", recovery, [two(), vec![proves("alice", "alice/2")]].concat()),
        ("cancel_recovery", Operation::CancelRecovery { party }, vec![own("alice")]),
    ]
}

fn groups() -> Vec<Vector> {
    let all = roles(&[("alice", true, false), ("bob", false, true), ("carol", true, true)]);
    let two = || vec![member("club", "alice"), checker("club", "bob")];
    let create = CreateGroup {
        group: id("club"),
        registrar: id("registrar"),
        representative: id("dave"),
        roles: all.clone(),
        policy: policy(&[(1, 1), (100_000, 2)]),
    };
    let change = ChangeGroup {
        group: id("club"),
        roles: Some(all.clone()),
        policy: Some(policy(&[])),
        representative: Some(id("eve")),
    };
    let install = InstallSuccessors {
        group: id("club"),
        representative: id("eve"),
        roles: all,
        effective: BEGIN.plus(NOTICE),
    };
    vec![
        (
            "create_group",
            Operation::CreateGroup(create),
            vec![officer("registrar", "r1"), represents("club", "dave"), member("club", "alice")],
        ),
        ("change_group", Operation::ChangeGroup(change), [two(), vec![own("eve")]].concat()),
        (
            "install_successors",
            Operation::InstallSuccessors(install),
            vec![officer("registrar", "r1"), officer("registrar", "r2")],
        ),
        ("close_group", Operation::CloseGroup { group: id("club") }, two()),
    ]
}
