//! Payment requests: the payee's signed, one-use credit consent.

use crate::common::*;

fn world() -> World {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 10_000);
    w.fund("bob", "MEBUKU", 10_000);
    w
}

fn request(w: &World, payer: Option<&str>, amount: u64) -> Operation {
    Operation::RequestPayment(RequestPayment {
        payee: id("shop"),
        payer: payer.map(id),
        legs: legs(&[("MEBUKU", amount)]),
        tender: Vec::new(),
        due: w.now.plus(DAY),
    })
}

fn answer(w: &mut World, request: TxId, from: &str, amount: u64) -> Transaction {
    let op = Operation::Transfer(Movement {
        credit: Citation::Request,
        ..movement(from, "shop", amount)
    });
    let mut body = w.body(from, op);
    body.answers = Some(request);
    sign(body, &[debit(from)])
}

#[test]
fn the_payer_answers_once() {
    let mut w = world();
    let op = request(&w, None, 700);
    let asked = w.apply("shop", op, &[credit("shop")]);
    let tx = answer(&mut w, asked, "alice", 700);
    w.applies(&tx);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Live, Form::Request));
    assert_eq!(outcome.cites, [asked]);
    let tx = answer(&mut w, asked, "bob", 700);
    w.rejects(Code::RequestNotOpen, &tx);
    assert_eq!(w.holds("shop", "MEBUKU", Holding::Claim), 700);
}

#[test]
fn exactly_what_was_asked_by_whom_it_was_asked() {
    let mut w = world();
    let op = request(&w, Some("alice"), 700);
    let asked = w.apply("shop", op, &[credit("shop")]);
    for amount in [699, 701] {
        let tx = answer(&mut w, asked, "alice", amount);
        w.rejects(Code::RequestMismatch, &tx);
    }
    let tx = answer(&mut w, asked, "bob", 700);
    w.rejects(Code::RequestMismatch, &tx);
    let tx = answer(&mut w, TxId([3; 32]), "alice", 700);
    w.rejects(Code::UnknownRequest, &tx);
    let other = Operation::Transfer(Movement {
        credit: Citation::Request,
        ..movement("alice", "mart", 700)
    });
    let mut body = w.body("alice", other);
    body.answers = Some(asked);
    w.rejects(Code::RequestMismatch, &sign(body, &[debit("alice")]));
    // Without naming it there is no consent to cite.
    let mut tx = answer(&mut w, asked, "alice", 700);
    tx.body.answers = None;
    w.voids(Code::MissingConsent, &sign(tx.body, &[debit("alice")]));
    let tx = answer(&mut w, asked, "alice", 700);
    w.applies(&tx);
}

#[test]
fn only_the_payee_asks_and_withdraws() {
    let mut w = world();
    let op = request(&w, None, 700);
    w.void(Code::MissingConsent, "alice", op.clone(), &[credit("alice")]);
    w.reject(Code::KeyUnknown, "alice", op.clone(), &[credit("shop").key("alice")]);
    let asked = w.apply("shop", op, &[credit("shop")]);
    let cancel = || Operation::CancelRequest { request: asked };
    w.void(Code::MissingConsent, "alice", cancel(), &[own("alice")]);
    w.apply("shop", cancel(), &[own("shop")]);
    w.reject(Code::RequestNotOpen, "shop", cancel(), &[own("shop")]);
    let tx = answer(&mut w, asked, "alice", 700);
    w.rejects(Code::RequestNotOpen, &tx);
    let unknown = Operation::CancelRequest { request: TxId([0; 32]) };
    w.reject(Code::UnknownRequest, "shop", unknown, &[own("shop")]);
}

#[test]
fn requests_are_well_formed_and_have_an_end() {
    let mut w = world();
    let Operation::RequestPayment(good) = request(&w, None, 700) else { unreachable!() };
    let signer = [credit("shop")];
    for (code, bad) in [
        (Code::NotWellFormed, RequestPayment { legs: vec![], tender: Vec::new(), ..good.clone() }),
        (Code::AmountInvalid, RequestPayment { legs: legs(&[("MEBUKU", 0)]), ..good.clone() }),
        (Code::AmountInvalid, RequestPayment { legs: legs(&[("VOUCHER", 501)]), ..good.clone() }),
        (Code::UnknownParty, RequestPayment { payer: Some(id("nobody")), ..good.clone() }),
        (Code::DeadlineInvalid, RequestPayment { due: w.now, ..good.clone() }),
        (Code::DeadlineInvalid, RequestPayment { due: w.now.plus(91 * DAY), ..good.clone() }),
    ] {
        w.reject(code, "shop", Operation::RequestPayment(bad), &signer);
    }
    let asked = w.apply("shop", Operation::RequestPayment(good.clone()), &signer);
    let tx = answer(&mut w, asked, "alice", 700);
    w.now = Time(good.due.0 - SECOND);
    let mut body = tx.body;
    body.expires = w.now.plus(DAY);
    w.rejects(Code::RequestNotOpen, &sign(body, &[debit("alice")]));
}

#[test]
fn a_compromised_keys_request_is_dead() {
    let mut w = world();
    let op = Operation::AddKey(AddKey { party: id("shop"), key: key("shop/2").public() });
    w.apply("shop", op, &[own("shop"), proves("shop", "shop/2")]);
    let op = request(&w, None, 700);
    let asked = w.apply("shop", op, &[credit("shop").key("shop/2")]);
    let op = Operation::RevokeKey(RevokeKey {
        party: id("shop"),
        key: key("shop/2").public(),
        compromised: true,
    });
    w.apply("shop", op, &[own("shop")]);
    let tx = answer(&mut w, asked, "alice", 700);
    w.rejects(Code::RequestNotOpen, &tx);
}

#[test]
fn a_mandate_is_pulled_only_by_a_request_to_its_grantor() {
    let mut w = world();
    let pulls = MandateTerms {
        counterparty: Counterparty::Party(id("shop")),
        ..terms(Direction::Debit, 1_000)
    };
    let granted = w.apply("alice", mandate("alice", pulls), &[debit("alice")]);
    let pull = |w: &mut World, asked: TxId| {
        let op = Operation::Transfer(Movement {
            debit: Citation::Mandate(granted),
            credit: Citation::Request,
            ..movement("alice", "shop", 700)
        });
        let mut body = w.body("bob", op);
        body.answers = Some(asked);
        sign(body, &[own("bob")])
    };
    // Bob cannot let Alice's mandate answer a request that anyone may answer: his own bill, say.
    let op = request(&w, None, 700);
    let anyones = w.apply("shop", op, &[credit("shop")]);
    let tx = pull(&mut w, anyones);
    w.voids(Code::MissingConsent, &tx);
    let op = request(&w, Some("alice"), 700);
    let alices = w.apply("shop", op, &[credit("shop")]);
    let tx = pull(&mut w, alices);
    w.applies(&tx);
    let outcome = w.outcome();
    assert_eq!((outcome.debit, outcome.credit), (Form::Mandate, Form::Request));
}

#[test]
fn a_group_asks_by_any_of_its_roles() {
    let mut w = world();
    let op = || {
        Operation::RequestPayment(RequestPayment {
            payee: id("club"),
            payer: None,
            legs: legs(&[("MEBUKU", 500)]),
            tender: Vec::new(),
            due: Time(BEGIN.0 + DAY),
        })
    };
    w.void(Code::MissingConsent, "eve", op(), &[credit("eve")]);
    w.reject(Code::RoleMissing, "eve", op(), &[receives("club", "eve")]);
    let asked = w.apply("alice", op(), &[receives("club", "alice")]);
    let cancel = Operation::CancelRequest { request: asked };
    w.apply("bob", cancel, &[checker("club", "bob")]);
}

#[test]
fn a_strangers_key_is_no_part_of_a_request() {
    let mut w = world();
    let op = request(&w, None, 700);
    let useless = by(Side::Credit, Role::Funder, "shop", "eve");
    let asked = w.apply("shop", op, &[credit("shop"), useless]);
    let op = Operation::RevokeKey(RevokeKey {
        party: id("eve"),
        key: key("eve").public(),
        compromised: true,
    });
    w.apply("eve", op, &[own("eve")]);
    let tx = answer(&mut w, asked, "alice", 700);
    w.applies(&tx);
}

#[test]
fn what_is_answered_or_cancelled_is_due_no_more() {
    let mut w = world();
    let op = request(&w, None, 700);
    let asked = w.apply("shop", op.clone(), &[credit("shop")]);
    let other = w.apply("shop", op, &[credit("shop")]);
    let tx = answer(&mut w, asked, "alice", 700);
    w.applies(&tx);
    w.apply("shop", Operation::CancelRequest { request: other }, &[own("shop")]);
    w.wait(2 * DAY);
    assert_eq!(w.last.entries, [], "nothing is left to do");
}
