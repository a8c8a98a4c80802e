//! Days written by hand, for what random ones rarely meet; the model follows every step.

use musubi_ledger::document::{DocumentKind, Report, ReportKind};

use super::{common::*, *};

struct Day(World, Model);

impl Day {
    fn begin() -> Self {
        let mut world = World::new();
        let mut model = Model::new(&world);
        let opening = Generator::new().opening(&mut world);
        check_block(&mut world, &mut model, &opening);
        Self(world, model)
    }

    fn submit(&mut self, tx: &Transaction) -> Code {
        check_block(&mut self.0, &mut self.1, core::slice::from_ref(tx));
        self.0.last.items[0].code
    }

    fn applies(&mut self, sender: &str, op: Operation, signers: &[By]) -> TxId {
        let tx = self.0.transaction(sender, op, signers);
        assert_eq!(self.submit(&tx), Code::Applied);
        tx.body.id()
    }

    fn add_key(&mut self, who: &str, new: &str) {
        let op = AddKey { party: id(who), key: key(new).public() };
        self.applies(who, Operation::AddKey(op), &[own(who), proves(who, new)]);
    }

    fn compromise(&mut self, who: &str, which: &str) {
        let key = key(which).public();
        let op = RevokeKey { party: id(who), key, compromised: true };
        self.applies(who, Operation::RevokeKey(op), &[own(who)]);
    }
}

#[test]
fn a_request_dies_with_the_key_that_signed_it() {
    let mut day = Day::begin();
    day.add_key("alice", "alice/2");
    let due = day.0.now.plus(DAY);
    let legs = legs(&[("MEBUKU", 5)]);
    let request = RequestPayment {
        payee: id("alice"),
        payer: None,
        legs: legs.clone(),
        tender: Vec::new(),
        due,
    };
    let by = [credit("alice").key("alice/2")];
    let asked = day.applies("alice", Operation::RequestPayment(request), &by);
    day.compromise("alice", "alice/2");
    let m = Movement { legs, credit: Citation::Request, ..movement("bob", "alice", 1) };
    let mut body = day.0.body("bob", Operation::Transfer(m));
    body.answers = Some(asked);
    assert_eq!(day.submit(&sign(body, &[debit("bob")])), Code::RequestNotOpen);
}

#[test]
fn a_compromised_drafter_drafts_again() {
    let mut day = Day::begin();
    day.add_key("alice", "alice/2");
    let op = propose("club", "eve", 500, day.0.now.plus(DAY));
    let proposal = day.applies("alice", op, &[drafts("club", "alice").key("alice/2")]);
    day.compromise("alice", "alice/2");
    let consent = || decide(proposal, Decision::Consent);
    day.applies("bob", consent(), &[approves("club", "bob"), credit("eve")]);
    assert_eq!(day.0.spendable("eve", "MEBUKU"), 0, "nobody drafts it any more");
    day.applies("alice", consent(), &[drafts("club", "alice")]);
    assert_eq!(day.0.spendable("eve", "MEBUKU"), 500);
}

#[test]
fn who_is_frozen_stops_a_recovery_and_nothing_else() {
    let mut day = Day::begin();
    let op = propose("alice", "bob", 1, day.0.now.plus(DAY));
    let proposal = day.applies("alice", op, &[debit("alice")]);
    let freeze = Freeze { party: id("alice"), evidence: document("report") };
    day.applies("r1", Operation::Freeze(freeze), &[officer("registrar", "r1")]);
    let withdraw = decide(proposal, Decision::Withdraw);
    let tx = day.0.transaction("alice", withdraw, &[own("alice")]);
    assert_eq!(day.submit(&tx), Code::PartyFrozen);
    let new = key("thief").public();
    let op = Recover { party: id("alice"), key: new, evidence: document("check") };
    let two = [officer("registrar", "r1"), officer("registrar", "r2"), proves("alice", "thief")];
    day.applies("r1", Operation::Recover(op), &two);
    day.applies("alice", Operation::CancelRecovery { party: id("alice") }, &[own("alice")]);
}

#[test]
fn reports_are_signed_by_two_when_their_days_are_over_and_replaced_by_their_like() {
    let mut day = Day::begin();
    let head = day.0.chain.head();
    let today = day.0.now.day();
    let yesterday = musubi_ledger::time::Day(today.0 - 1);
    let good = report(ReportKind::Unused, yesterday, (head.height, head.size));
    let two = [officer("issuer", "i1"), officer("issuer", "i2")];
    let says = |number: &str, of: Report| IssueDocument {
        replaces: (number != "1").then(|| "1".parse().unwrap()),
        ..issue("issuer", number, DocumentKind::Report(of))
    };
    let submit = |day: &mut Day, number: &str, of: Report, by: &[By]| {
        let tx = day.0.transaction("i1", Operation::IssueDocument(says(number, of)), by);
        day.submit(&tx)
    };
    assert_eq!(submit(&mut day, "1", good, &two[..1]), Code::ApproversMissing);
    for early in [
        Report { to: today, ..good },
        Report { height: head.height + 1_000, size: head.size + 9_000, ..good },
        Report { size: head.size + 9_000, ..good },
    ] {
        assert_eq!(submit(&mut day, "1", early, &two), Code::ReportTooEarly);
    }
    assert_eq!(submit(&mut day, "1", good, &two), Code::Applied);
    let other = Report { what: ReportKind::Kpi, ..good };
    assert_eq!(submit(&mut day, "2", other, &two), Code::NotWellFormed);
    assert_eq!(submit(&mut day, "2", good, &two), Code::Applied);
    assert_eq!(submit(&mut day, "3", good, &two), Code::UnknownDocument);
    let op = issues_document("club", "1", DocumentKind::Report(good));
    let tx = day.0.transaction("alice", op.clone(), &[member("club", "alice")]);
    assert_eq!(day.submit(&tx), Code::ApproversMissing);
    day.applies("alice", op, &[member("club", "alice"), checker("club", "bob")]);
}
