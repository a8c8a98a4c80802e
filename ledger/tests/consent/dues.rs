//! Dues: a list of members asked at once, whoever pays for whom, and cash.

use crate::common::*;
use musubi_ledger::{
    id::RosterLine,
    state::{Request, RequestStatus, Shared, derived_id},
};

const SUZUKI: Member = Member::Roster(RosterLine([9; 16]));

fn world() -> World {
    let mut w = World::new();
    for party in ["alice", "bob", "eve"] {
        w.fund(party, "MEBUKU", 10_000);
    }
    w
}

fn member(name: &str) -> Member {
    Member::Party(id(name))
}

fn ask(w: &World, members: &[(Member, u64)]) -> RequestMany {
    let mut lines: Vec<DuesLine> = members
        .iter()
        .map(|(member, amount)| DuesLine { member: *member, amount: Amount(*amount) })
        .collect();
    lines.sort_by_key(|line| line.member);
    RequestMany {
        payee: id("club"),
        lines,
        instrument: instrument("MEBUKU"),
        tender: Vec::new(),
        due: w.now.plus(30 * DAY),
    }
}

/// Asks, and tells the request of each member.
fn asked(w: &mut World, members: &[(Member, u64)]) -> Vec<TxId> {
    let op = ask(w, members);
    let at = |wanted: &Member| op.lines.iter().position(|line| line.member == *wanted).unwrap();
    let places: Vec<usize> = members.iter().map(|(member, _)| at(member)).collect();
    let list = w.apply("alice", Operation::RequestMany(op), &[receives("club", "alice")]);
    places.into_iter().map(|at| derived_id(&list, u8::try_from(at).unwrap())).collect()
}

fn kept(w: &World, request: TxId) -> Request {
    match w.state.row(&RowKey::Request(request)) {
        Some(Row::Request(request)) => Shared::into_value(request),
        other => panic!("{other:?}"),
    }
}

fn pays(w: &mut World, from: &str, request: TxId, amount: u64) -> Transaction {
    let op = Operation::Transfer(Movement {
        credit: Citation::Request,
        ..movement(from, "club", amount)
    });
    let mut body = w.body(from, op);
    body.answers = Some(request);
    sign(body, &[debit(from)])
}

fn cash(request: TxId, received: bool) -> Operation {
    Operation::RecordCash(RecordCash { request, received, evidence: document("cash book 7") })
}

#[test]
fn a_group_asks_all_its_members_with_one_signature() {
    let mut w = world();
    let op = Operation::RequestMany(ask(&w, &[(member("bob"), 500)]));
    w.void(Code::MissingConsent, "bob", op.clone(), &[own("bob")]);
    w.reject(Code::RoleMissing, "eve", op, &[receives("club", "eve")]);
    let requests = asked(&mut w, &[(member("bob"), 500), (member("eve"), 300), (SUZUKI, 500)]);
    let parties = w.last.entries.last().unwrap().parties.clone();
    assert_eq!(parties, ids(&["alice", "bob", "club", "eve"]), "who is asked sees it");
    let line = kept(&w, requests[1]);
    assert_eq!((line.payee, line.payer, line.member), (id("club"), None, Some(member("eve"))));
    assert_eq!((line.legs, line.status), (legs(&[("MEBUKU", 300)]), RequestStatus::Open));
    for (from, request, amount) in [("bob", requests[0], 500), ("eve", requests[1], 300)] {
        let tx = pays(&mut w, from, request, amount);
        w.applies(&tx);
        assert_eq!(kept(&w, request).status, RequestStatus::Answered(tx.body.id()));
    }
    assert_eq!(kept(&w, requests[2]).status, RequestStatus::Open, "the unpaid list: Suzuki");
    assert_eq!(w.spendable("club", "MEBUKU"), 800);
}

#[test]
fn anybody_pays_for_a_member_once() {
    let mut w = world();
    let requests = asked(&mut w, &[(member("eve"), 500), (SUZUKI, 500)]);
    // The husband pays the wife's dues.
    let tx = pays(&mut w, "bob", requests[0], 500);
    w.applies(&tx);
    let again = pays(&mut w, "eve", requests[0], 500);
    w.rejects(Code::RequestNotOpen, &again);
    let mut body = pays(&mut w, "bob", requests[1], 500).body;
    body.on_behalf_of = Some(RosterLine([8; 16]));
    w.rejects(Code::RequestMismatch, &sign(body.clone(), &[debit("bob")]));
    let mut body = pays(&mut w, "bob", requests[1], 500).body;
    body.on_behalf_of = Some(RosterLine([9; 16]));
    w.applies(&sign(body, &[debit("bob")]));
    let less = asked(&mut w, &[(member("eve"), 500)]);
    let tx = pays(&mut w, "bob", less[0], 499);
    w.rejects(Code::RequestMismatch, &tx);
}

#[test]
fn a_members_mandate_is_pulled_by_their_own_line_alone() {
    let mut w = world();
    let pulls = MandateTerms {
        counterparty: Counterparty::Party(id("club")),
        ..terms(Direction::Debit, 1_000)
    };
    let granted = w.apply("eve", mandate("eve", pulls), &[debit("eve")]);
    let requests = asked(&mut w, &[(member("eve"), 500), (member("bob"), 500)]);
    let pull = |w: &mut World, request: TxId| {
        let op = Operation::Transfer(Movement {
            debit: Citation::Mandate(granted),
            credit: Citation::Request,
            ..movement("eve", "club", 500)
        });
        let mut body = w.body("alice", op);
        body.answers = Some(request);
        sign(body, &[own("alice")])
    };
    let tx = pull(&mut w, requests[1]);
    w.voids(Code::MissingConsent, &tx);
    let tx = pull(&mut w, requests[0]);
    w.applies(&tx);
}

#[test]
fn cash_settles_a_line_without_postings() {
    let mut w = world();
    let requests = asked(&mut w, &[(member("eve"), 500), (SUZUKI, 500)]);
    w.void(Code::MissingConsent, "eve", cash(requests[0], true), &[own("eve")]);
    w.reject(
        Code::RoleMissing,
        "eve",
        cash(requests[0], true),
        &[super::common::member("club", "eve")],
    );
    let carol = [super::common::member("club", "carol")];
    let recorded = w.apply("carol", cash(requests[1], true), &carol);
    assert_eq!((w.outcome().postings.len(), w.outcome().cites), (0, vec![requests[1]]));
    assert_eq!(kept(&w, requests[1]).status, RequestStatus::Cash(recorded));
    // Cash and wallet both: the second is told.
    let tx = pays(&mut w, "bob", requests[1], 500);
    w.rejects(Code::RequestNotOpen, &tx);
    w.reject(Code::RequestNotOpen, "carol", cash(requests[1], true), &carol);
    let tx = pays(&mut w, "eve", requests[0], 500);
    w.applies(&tx);
    w.reject(Code::RequestNotOpen, "carol", cash(requests[0], true), &carol);
    w.reject(Code::RequestNotOpen, "carol", cash(requests[0], false), &carol);
    w.reject(Code::UnknownRequest, "carol", cash(TxId([1; 32]), true), &carol);
}

#[test]
fn a_mistaken_cash_record_is_taken_back_and_cash_may_come_late() {
    let mut w = world();
    let request = asked(&mut w, &[(member("eve"), 500)])[0];
    let carol = [super::common::member("club", "carol")];
    w.apply("carol", cash(request, true), &carol);
    w.apply("carol", cash(request, false), &carol);
    assert_eq!(kept(&w, request).status, RequestStatus::Open);
    w.wait(31 * DAY);
    assert_eq!(kept(&w, request).status, RequestStatus::Expired);
    let tx = pays(&mut w, "eve", request, 500);
    w.rejects(Code::RequestNotOpen, &tx);
    w.apply("carol", cash(request, true), &carol);
    w.apply("carol", cash(request, false), &carol);
    assert_eq!(kept(&w, request).status, RequestStatus::Expired);
    // What the group withdrew nobody owes.
    let other = asked(&mut w, &[(member("eve"), 500)])[0];
    w.apply("bob", Operation::CancelRequest { request: other }, &[checker("club", "bob")]);
    w.reject(Code::RequestNotOpen, "carol", cash(other, true), &carol);
}

#[test]
fn two_persons_take_cash_where_the_policy_keeps_roles_apart_or_the_sum_is_large() {
    let mut w = world();
    let requests = asked(&mut w, &[(member("eve"), 500), (SUZUKI, 100_000)]);
    let carol = [super::common::member("club", "carol")];
    let two = [carol[0].clone(), checker("club", "bob")];
    w.void(Code::ApproversMissing, "carol", cash(requests[1], true), &carol);
    w.apply("carol", cash(requests[1], true), &two);
    let change = ChangeGroup {
        group: id("club"),
        roles: Some(roles(&[("alice", true, false), ("bob", false, true), ("carol", true, false)])),
        policy: Some(musubi_ledger::group::GroupPolicy { exclusive_roles: true, ..policy(&[]) }),
        representative: None,
    };
    let three = [&two[..], &[represents("club", "dave")]].concat();
    w.apply("carol", Operation::ChangeGroup(change), &three);
    w.void(Code::ApproversMissing, "carol", cash(requests[0], true), &carol);
    w.apply("carol", cash(requests[0], true), &two);
}

#[test]
fn cash_has_a_receipt_that_cannot_be_unsaid() {
    let mut w = world();
    let request = asked(&mut w, &[(SUZUKI, 500)])[0];
    let carol = [super::common::member("club", "carol")];
    let op = || issues_document("club", "R-1", receipt(request));
    w.reject(Code::UnknownOriginal, "carol", op(), &carol);
    w.apply("carol", cash(request, true), &carol);
    let op = issues_document("shop", "R-1", receipt(request));
    w.reject(Code::NotPayee, "shop", op, &[own("shop")]);
    w.apply("carol", issues_document("club", "R-1", receipt(request)), &carol);
    w.reject(Code::DocumentExists, "carol", cash(request, false), &carol);
}

#[test]
fn a_list_has_an_order_and_an_end() {
    let mut w = world();
    let signer = [receives("club", "alice")];
    let rejects = |w: &mut World, code, op: RequestMany| {
        w.reject(code, "alice", Operation::RequestMany(op), &signer);
    };
    let good = ask(&w, &[(member("bob"), 500), (SUZUKI, 500)]);
    rejects(&mut w, Code::NotWellFormed, RequestMany { lines: vec![], ..good.clone() });
    let twice = vec![good.lines[0]; 2];
    rejects(&mut w, Code::NotWellFormed, RequestMany { lines: twice, ..good.clone() });
    let many = (0..=200).map(|n| {
        let mut line = [0; 16];
        line[15] = n;
        DuesLine { member: Member::Roster(RosterLine(line)), amount: Amount(1) }
    });
    let many: Vec<DuesLine> = many.collect();
    rejects(&mut w, Code::NotWellFormed, RequestMany { lines: many.clone(), ..good.clone() });
    let op = ask(&w, &[(SUZUKI, 0)]);
    rejects(&mut w, Code::AmountInvalid, op);
    let op = ask(&w, &[(member("nobody"), 5)]);
    rejects(&mut w, Code::UnknownParty, op);
    let due = w.now;
    rejects(&mut w, Code::DeadlineInvalid, RequestMany { due, ..good.clone() });
    rejects(
        &mut w,
        Code::UnknownInstrument,
        RequestMany { instrument: instrument("NONE"), ..good.clone() },
    );
    let full = RequestMany { lines: many[..200].to_vec(), due: Time(w.now.0 + DAY), ..good };
    w.apply("alice", Operation::RequestMany(full), &signer);
    w.wait(2 * DAY);
    assert_eq!(w.last.entries.len(), 200, "each line runs out by itself");
}

#[test]
fn a_line_may_be_paid_in_whatever_its_tender_names() {
    let mut w = world();
    w.issue("eve", "POINT", 200, musubi_ledger::lot::OriginKind::Free, 1);
    let tender = vec![instrument("MEBUKU"), instrument("POINT")];
    let op = RequestMany { tender, ..ask(&w, &[(member("eve"), 500)]) };
    let list = w.apply("alice", Operation::RequestMany(op), &[receives("club", "alice")]);
    let op = Pay { credit: Citation::Request, ..pay_any("eve", "club", 500, &["MEBUKU", "POINT"]) };
    let mut body = w.body("eve", Operation::Pay(op));
    body.answers = Some(derived_id(&list, 0));
    w.applies(&sign(body, &[debit("eve")]));
    assert_eq!((w.spendable("club", "POINT"), w.spendable("club", "MEBUKU")), (200, 300));
}
