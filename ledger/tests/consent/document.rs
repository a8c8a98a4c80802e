//! Documents: who issues one about what, and whose figures are right.

use crate::common::*;
use musubi_ledger::{
    document::{DocumentKind, Invoice, Report, ReportKind, tax::TaxLine},
    lot::OriginKind,
    rule::Giver,
    time::Day,
};

fn world() -> World {
    let mut w = World::new();
    w.fund("alice", "MEBUKU", 10_000);
    w.fund("club", "MEBUKU", 500_000);
    w
}

fn sale(w: &mut World) -> TxId {
    w.sale("alice", "shop", "MEBUKU", 346)
}

#[test]
fn the_payee_gives_a_receipt() {
    let mut w = world();
    let paid = sale(&mut w);
    let op = IssueDocument { addressee: Some(id("alice")), ..issue("shop", "R-1", receipt(paid)) };
    let op = Operation::IssueDocument(op);
    w.void(Code::MissingConsent, "alice", op.clone(), &[own("alice")]);
    let given = w.apply("shop", op, &[own("shop")]);
    assert_eq!((w.outcome().cites, w.outcome().postings.len()), (vec![paid], 0));
    let kept = w.paper("shop", "R-1").unwrap();
    assert_eq!((kept.issued_by, kept.addressee), (given, Some(id("alice"))));
    assert_eq!((kept.body, kept.issued), (document("R-1"), w.now));
    let entry = w.last.entries.last().unwrap();
    assert_eq!(entry.parties, ids(&["alice", "shop"]), "both see it in their history");
}

#[test]
fn nobody_but_a_payee_does() {
    let mut w = world();
    let paid = sale(&mut w);
    let by = |name: &str| issues_document(name, "R-1", receipt(paid));
    w.reject(Code::NotPayee, "mart", by("mart"), &[own("mart")]);
    w.reject(Code::NotPayee, "alice", by("alice"), &[own("alice")]);
    w.reject(
        Code::UnknownOriginal,
        "shop",
        issues_document("shop", "R-1", receipt(TxId([3; 32]))),
        &[own("shop")],
    );
    w.reject(
        Code::UnknownParty,
        "shop",
        issues_document("nobody", "R-1", receipt(paid)),
        &[own("shop")],
    );
    let strange =
        IssueDocument { addressee: Some(id("nobody")), ..issue("shop", "R-1", receipt(paid)) };
    w.reject(Code::UnknownParty, "shop", Operation::IssueDocument(strange), &[own("shop")]);
    // A rejected payment paid nobody.
    let missed =
        w.transaction("alice", pay("alice", "shop", 90_000), &[debit("alice"), credit("shop")]);
    w.rejects(Code::InsufficientFunds, &missed);
    let of = issues_document("shop", "R-2", receipt(missed.body.id()));
    w.reject(Code::UnknownOriginal, "shop", of, &[own("shop")]);
}

#[test]
fn a_group_gives_receipts_by_any_of_its_roles_and_an_issuer_for_top_ups() {
    let mut w = world();
    let dues =
        w.apply("alice", pay("alice", "club", 500), &[debit("alice"), receives("club", "alice")]);
    let op = issues_document("club", "2026-1", receipt(dues));
    w.reject(Code::RoleMissing, "eve", op.clone(), &[member("club", "eve")]);
    w.apply("carol", op, &[member("club", "carol")]);
    let charged = w.fund("alice", "MEBUKU", 5_000);
    let op = issues_document("issuer", "T-1", receipt(charged));
    w.apply("i1", op, &[officer("issuer", "i1")]);
    let op = issues_document("alice", "T-1", receipt(charged));
    w.reject(Code::NotPayee, "alice", op, &[own("alice")]);
}

#[test]
fn whoever_gets_a_share_was_paid_and_whoever_gets_a_reward_was_not() {
    let mut w = world();
    w.rule("MEBUKU", 1, shares(Giver::Payee, percent(10), split(&[("mart", 1)], 0)));
    w.rule("MEBUKU", 2, rewards(musubi_ledger::rule::Trigger::Purchase, percent(1), "POINT"));
    let paid = sale(&mut w);
    w.apply("mart", issues_document("mart", "D-1", receipt(paid)), &[own("mart")]);
    let op = issues_document("alice", "D-1", receipt(paid));
    w.reject(Code::NotPayee, "alice", op, &[own("alice")]);
}

#[test]
fn a_payout_by_proposal_has_a_receipt_once_it_is_complete() {
    let mut w = world();
    let until = w.now.plus(DAY);
    let proposed = w.apply("alice", propose("club", "eve", 700, until), &[drafts("club", "alice")]);
    let op = || issues_document("eve", "1", receipt(proposed));
    w.reject(Code::UnknownOriginal, "eve", op(), &[own("eve")]);
    w.apply("bob", decide(proposed, Decision::Consent), &[approves("club", "bob")]);
    w.apply("eve", decide(proposed, Decision::Consent), &[credit("eve")]);
    w.apply("eve", op(), &[own("eve")]);
}

#[test]
fn a_number_is_used_once_and_a_payment_has_one_document() {
    let mut w = world();
    let (one, two) = (sale(&mut w), sale(&mut w));
    let shop = [own("shop")];
    w.apply("shop", issues_document("shop", "R-1", receipt(one)), &shop);
    let other = IssueDocument { body: document("another"), ..issue("shop", "R-1", receipt(two)) };
    w.reject(Code::DocumentExists, "shop", Operation::IssueDocument(other), &shop);
    w.reject(Code::DocumentExists, "shop", issues_document("shop", "R-1", receipt(one)), &shop);
    w.reject(Code::DocumentExists, "shop", issues_document("shop", "R-2", receipt(one)), &shop);
    let lines = vec![tax_line(100, 315, 31)];
    w.reject(
        Code::DocumentExists,
        "shop",
        issues_document("shop", "R-2", invoice(Some(one), lines)),
        &shop,
    );
    // Another issuer's numbers are its own.
    w.apply("alice", pay("alice", "mart", 5), &[debit("alice"), credit("mart")]);
    let at_mart = w.last.entries.last().unwrap().leaf.id;
    w.apply("mart", issues_document("mart", "R-1", receipt(at_mart)), &[own("mart")]);
}

#[test]
fn a_wrong_document_is_replaced_by_its_like() {
    let mut w = world();
    let paid = sale(&mut w);
    let shop = [own("shop")];
    w.apply("shop", issues_document("shop", "R-1", receipt(paid)), &shop);
    let with = |number: &str, old: &str, kind| {
        let replaces = Some(old.parse().unwrap());
        Operation::IssueDocument(IssueDocument { replaces, ..issue("shop", number, kind) })
    };
    w.reject(Code::UnknownDocument, "shop", with("R-2", "R-9", receipt(paid)), &shop);
    let other = sale(&mut w);
    w.reject(Code::NotWellFormed, "shop", with("R-2", "R-1", receipt(other)), &shop);
    let lines = || vec![tax_line(100, 315, 31)];
    w.reject(Code::NotWellFormed, "shop", with("R-2", "R-1", invoice(Some(paid), lines())), &shop);
    w.apply("shop", with("R-2", "R-1", receipt(paid)), &shop);
    assert_eq!(w.paper("shop", "R-1").unwrap().replaced_by, Some("R-2".parse().unwrap()));
    w.reject(Code::UnknownDocument, "shop", with("R-3", "R-1", receipt(paid)), &shop);
    w.apply("shop", with("R-3", "R-2", receipt(paid)), &shop);
}

/// 105 yen three times at 10 %: 31 yen of tax, not three times 10.
#[test]
fn an_invoice_rounds_once_for_each_rate() {
    let mut w = world();
    let paid = sale(&mut w);
    let shop = [own("shop")];
    let with = |lines: Vec<TaxLine>| issues_document("shop", "I-1", invoice(Some(paid), lines));
    w.reject(Code::TaxWrong, "shop", with(vec![tax_line(100, 315, 30)]), &shop);
    w.reject(Code::TaxWrong, "shop", with(vec![tax_line(100, 315, 32)]), &shop);
    w.reject(Code::NotWellFormed, "shop", with(vec![]), &shop);
    let twice = vec![tax_line(100, 105, 10), tax_line(100, 210, 21)];
    w.reject(Code::NotWellFormed, "shop", with(twice), &shop);
    w.apply("shop", with(vec![tax_line(80, 99, 7), tax_line(100, 315, 31)]), &shop);
    // Without a payment it is a bill; nothing but its number is bound then.
    let bill = || vec![tax_line(100, 1_000, 100)];
    w.apply("shop", issues_document("shop", "I-2", invoice(None, bill())), &shop);
    w.apply("shop", issues_document("shop", "I-3", invoice(None, bill())), &shop);
}

#[test]
fn a_credit_note_takes_no_more_back_than_was_invoiced() {
    let mut w = world();
    let shop = [own("shop")];
    let lines = vec![tax_line(80, 99, 7), tax_line(100, 105, 10)];
    w.apply("shop", issues_document("shop", "I-1", invoice(None, lines)), &shop);
    let note = |number: &str, of: &str, lines: &[TaxLine]| {
        issues_document("shop", number, credit_note(of, lines.to_vec()))
    };
    let third = tax_line(100, 35, 3);
    w.reject(Code::UnknownDocument, "shop", note("C-1", "I-9", &[third]), &shop);
    w.reject(Code::TaxWrong, "shop", note("C-1", "I-1", &[tax_line(100, 35, 4)]), &shop);
    w.reject(Code::OverOriginal, "shop", note("C-1", "I-1", &[tax_line(50, 35, 1)]), &shop);
    w.apply("shop", note("C-1", "I-1", &[third]), &shop);
    w.apply("shop", note("C-2", "I-1", &[third]), &shop);
    w.reject(Code::OverOriginal, "shop", note("C-3", "I-1", &[tax_line(100, 36, 3)]), &shop);
    w.apply("shop", note("C-3", "I-1", &[tax_line(80, 99, 7), tax_line(100, 35, 4)]), &shop);
    w.reject(Code::OverOriginal, "shop", note("C-4", "I-1", &[tax_line(80, 1, 0)]), &shop);
    w.reject(Code::UnknownDocument, "shop", note("C-4", "C-1", &[third]), &shop);
    let kept = w.paper("shop", "I-1").unwrap().credited;
    assert_eq!(kept, [tax_line(80, 99, 7), tax_line(100, 105, 10)]);
    // From the invoice on, its notes are found, the newest first.
    let next = |number: &str| w.paper("shop", number).unwrap().last_note.map(|n| n.to_string());
    let found: Vec<_> = std::iter::successors(next("I-1"), |number| next(number)).collect();
    assert_eq!(found, ["C-3", "C-2", "C-1"]);
    // What was credited would be there again if its invoice were replaced.
    let replaces = Some("I-1".parse().unwrap());
    let again = invoice(None, vec![tax_line(100, 105, 10)]);
    let op = IssueDocument { replaces, ..issue("shop", "I-2", again) };
    w.reject(Code::OverOriginal, "shop", Operation::IssueDocument(op), &shop);
}

#[test]
fn what_was_given_back_whole_has_no_receipt() {
    let mut w = world();
    let paid = sale(&mut w);
    w.gives_back(paid, "shop", "MEBUKU", 340);
    let op = || issues_document("shop", "R-1", receipt(paid));
    let half = w.transaction("shop", op(), &[own("shop")]);
    w.gives_back(paid, "shop", "MEBUKU", 6);
    w.rejects(Code::OverOriginal, &half);
}

#[test]
fn free_value_is_as_good_a_payment_as_any_and_tender_says_nothing_about_tax() {
    let mut w = world();
    w.issue("bob", "POINT", 1_000, OriginKind::Free, 1);
    let op = pay_in("bob", "shop", &[("POINT", 346)]);
    let paid = w.apply("bob", op, &[debit("bob"), credit("shop")]);
    let kind = invoice(Some(paid), vec![tax_line(100, 315, 31)]);
    w.apply("shop", issues_document("shop", "P-1", kind.clone()), &[own("shop")]);
    let DocumentKind::Invoice(Invoice { registration, .. }) = kind else { panic!() };
    assert_eq!(registration.to_string(), "T1234567890123");
}

#[test]
fn a_frozen_shop_issues_nothing() {
    let mut w = world();
    let paid = sale(&mut w);
    let freeze = Operation::Freeze(Freeze { party: id("shop"), evidence: document("report") });
    w.apply("r1", freeze, &[officer("registrar", "r1")]);
    let op = issues_document("shop", "R-1", receipt(paid));
    w.reject(Code::PartyFrozen, "shop", op, &[own("shop")]);
}

/// A report of yesterday's end on the record as it is.
fn of_yesterday(w: &World) -> Report {
    let head = w.chain.head();
    report(ReportKind::Unused, Day(w.now.day().0 - 1), (head.height, head.size))
}

#[test]
fn two_of_an_office_or_a_group_stand_by_a_report() {
    let mut w = world();
    let kind = DocumentKind::Report(of_yesterday(&w));
    let op = issues_document("issuer", "U-1", kind.clone());
    let (i1, i2) = (officer("issuer", "i1"), officer("issuer", "i2"));
    w.void(Code::ApproversMissing, "i1", op.clone(), core::slice::from_ref(&i1));
    let add = AddKey { party: id("i1"), key: key("i1/2").public() };
    w.apply("i1", Operation::AddKey(add), &[own("i1"), proves("i1", "i1/2")]);
    let twice = [i1.clone(), officer("issuer", "i1").key("i1/2")];
    w.reject(Code::SamePerson, "i1", op.clone(), &twice);
    w.reject(Code::RoleMissing, "c1", op.clone(), &[officer("issuer", "c1")]);
    let given = w.apply("i1", op, &[i1, i2]);
    let kept = w.paper("issuer", "U-1").unwrap();
    assert_eq!((kept.issued_by, kept.kind, kept.body), (given, kind.clone(), document("U-1")));
    let of_city = issues_document("city", "U-1", kind.clone());
    w.void(Code::ApproversMissing, "c1", of_city, &[officer("city", "c1")]);
    let op = issues_document("club", "A-1", kind.clone());
    w.void(Code::ApproversMissing, "alice", op.clone(), &[member("club", "alice")]);
    w.reject(Code::RoleMissing, "eve", op.clone(), &[member("club", "eve")]);
    w.apply("alice", op, &[member("club", "alice"), represents("club", "dave")]);
    // A shop is one party with its own key.
    w.apply("shop", issues_document("shop", "S-1", kind), &[own("shop")]);
}

#[test]
fn what_a_report_is_about_and_rests_on_lies_behind() {
    let mut w = world();
    let shop = [own("shop")];
    let says = |of: Report| issues_document("shop", "S-1", DocumentKind::Report(of));
    let good = of_yesterday(&w);
    let (today, tomorrow) = (Day(good.to.0 + 1), Day(good.to.0 + 2));
    let backwards = Report { from: Some(today), ..good };
    w.reject(Code::NotWellFormed, "shop", says(backwards), &shop);
    // A log has a seal for every block, the first one too.
    w.reject(Code::NotWellFormed, "shop", says(Report { size: good.height, ..good }), &shop);
    w.reject(Code::ReportTooEarly, "shop", says(Report { to: today, ..good }), &shop);
    let ahead = |w: &World| Report { height: w.chain.head().height + 1, ..of_yesterday(w) };
    let own_block = ahead(&w);
    w.reject(Code::ReportTooEarly, "shop", says(own_block), &shop);
    let longer = Report { size: w.chain.head().size + 1, ..good };
    w.reject(Code::ReportTooEarly, "shop", says(longer), &shop);
    // At 24:00 and not a millisecond before: the next block is a second later.
    w.now = musubi_ledger::time::Time(tomorrow.begin().0 - 1_001);
    w.reject(Code::ReportTooEarly, "shop", says(Report { to: today, ..good }), &shop);
    w.now = musubi_ledger::time::Time(tomorrow.begin().0 - 1_000);
    w.apply("shop", says(Report { from: Some(good.to), to: today, ..good }), &shop);
    assert_eq!(w.now, tomorrow.begin());
}

#[test]
fn a_report_is_replaced_by_one_about_the_same_days() {
    let mut w = world();
    let shop = [own("shop")];
    let first = of_yesterday(&w);
    w.apply("shop", issues_document("shop", "S-1", DocumentKind::Report(first)), &shop);
    let in_place = |number: &str, of: Report| {
        let replaces = Some("S-1".parse().unwrap());
        let kind = DocumentKind::Report(of);
        Operation::IssueDocument(IssueDocument { replaces, ..issue("shop", number, kind) })
    };
    for other in [
        Report { what: ReportKind::Kpi, ..first },
        Report { to: Day(first.to.0 - 1), ..first },
        Report { from: Some(first.to), ..first },
    ] {
        w.reject(Code::NotWellFormed, "shop", in_place("S-2", other), &shop);
    }
    let later = of_yesterday(&w);
    assert!(later.height > first.height, "another record, the same day");
    w.apply("shop", in_place("S-2", later), &shop);
    assert_eq!(w.paper("shop", "S-1").unwrap().replaced_by, Some("S-2".parse().unwrap()));
    w.reject(Code::UnknownDocument, "shop", in_place("S-3", later), &shop);
}
