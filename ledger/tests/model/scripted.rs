//! Days written by hand, for what random ones rarely meet; the model follows every step.

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
