//! What the town's clients do: scripts of signed transactions, each sent when the one before has its
//! verdict. Good ones, bad ones, and ones whose verdict depends on what was ordered before.

use musubi_ledger::{
    amount::Amount,
    genesis::RULES_VERSION,
    id::{ChainId, Salt, TxId},
    lot::OriginKind,
    operation::{
        AnswerRedemption, Citation, Decide, Decision, Leg, Movement, Operation, Propose,
        RedemptionAnswer, Refund, RequestPayment, RequestRedemption,
    },
    time::Time,
    transaction::{Body, Purpose, Role, Side, Transaction},
};

use super::{
    opening::{Opening, top_up},
    town::{BEGIN, GROUPS, PERSONS, SHOPS, document, instrument, key, party},
};

/// Scripts prepared; no seed uses all of them.
const SCRIPTS: usize = 420;
pub(crate) const HOUR: u64 = 3_600_000;

/// A signed transaction, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) id: TxId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expires: Time,
}

/// Transactions that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
}

pub(crate) fn person(n: usize) -> String {
    format!("person {}", n % PERSONS)
}

pub(crate) fn shop(n: usize) -> String {
    format!("shop {}", n % SHOPS)
}

pub(crate) fn group(n: usize) -> String {
    format!("group {}", n % GROUPS)
}

/// Who signs: side, role, party acted for, key.
pub(crate) type By<'n> = (Side, Role, &'n str, &'n str);

fn gives(name: &str) -> By<'_> {
    (Side::Debit, Role::Holder, name, name)
}

pub(crate) fn receives(name: &str) -> By<'_> {
    (Side::Credit, Role::Holder, name, name)
}

/// Makes bodies with fresh references.
pub(crate) struct Pen {
    pub(crate) chain: ChainId,
    pub(crate) count: u64,
}

impl Pen {
    fn body(&mut self, sender: &str, operation: Operation) -> Body {
        self.count += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.count.to_le_bytes());
        Body {
            chain: self.chain,
            rules_version: RULES_VERSION,
            sender: party(sender),
            reference: format!("sim-{}", self.count).parse().expect("a valid reference"),
            salt: Salt(salt),
            expires: Time(BEGIN + HOUR),
            purpose: Purpose::NONE,
            memo: None,
            answers: None,
            on_behalf_of: None,
            operation,
        }
    }

    pub(crate) fn step(&mut self, sender: &str, operation: Operation, by: &[By<'_>]) -> Step {
        signed(self.body(sender, operation), by)
    }
}

fn signed(body: Body, by: &[By<'_>]) -> Step {
    let sign = |(side, role, acted_for, name): &By<'_>| {
        body.sign(*side, *role, party(acted_for), &key(name))
    };
    let signatures = by.iter().map(sign).collect();
    let (id, expires) = (body.id(), body.expires);
    Step { id, bytes: Transaction::new(body, signatures).encode(), expires }
}

fn legs(amount: u64) -> Vec<Leg> {
    vec![Leg { instrument: instrument("MONEY"), amount: Amount(amount) }]
}

fn movement(from: &str, to: &str, amount: u64) -> Movement {
    let (debit, credit) = (Citation::Live, Citation::Live);
    Movement { from: party(from), to: party(to), legs: legs(amount), debit, credit }
}

fn to_mandate(from: &str, to: &str, amount: u64, mandate: TxId) -> Operation {
    let credit = Citation::Mandate(mandate);
    Operation::Transfer(Movement { credit, ..movement(from, to, amount) })
}

/// All scripts: kinds in turn, so that any few of them are mixed.
pub(crate) fn scripts(chain: ChainId, opening: &Opening) -> Vec<Script> {
    let mut pen = Pen { chain, count: 0 };
    let script = |n| Script { steps: script(&mut pen, n, opening) };
    (0..SCRIPTS).map(script).collect()
}

fn script(pen: &mut Pen, n: usize, opening: &Opening) -> Vec<Step> {
    // Every kind meets every person, shop and group in time.
    let turn = n / KINDS;
    let (payer, other, seller) = (person(turn + n), person(turn * 7 + n + 1), shop(turn));
    let amount = 100 + 137 * (n as u64 % 60);
    let mandate = opening.mandates[turn % SHOPS];
    match n % KINDS {
        0 | 1 => {
            let pay = Operation::Transfer(movement(&payer, &seller, amount));
            vec![pen.step(&payer, pay, &[gives(&payer), receives(&seller)])]
        }
        2 | 3 => {
            let pay = to_mandate(&payer, &seller, amount, mandate);
            vec![pen.step(&payer, pay, &[gives(&payer)])]
        }
        4 => {
            // Large ones: whether there is enough depends on what was ordered before.
            let pay = Operation::Transfer(movement(&payer, &other, 9_000));
            vec![pen.step(&payer, pay, &[gives(&payer), receives(&other)])]
        }
        5 | 6 => payout(pen, turn, &other),
        7 => {
            let paid = (amount, OriginKind::Paid);
            vec![top_up(pen, opening.allowance, &payer, paid, receives(&payer))]
        }
        8 => {
            let pay = to_mandate(&payer, &seller, amount, mandate);
            let pay = pen.step(&payer, pay, &[gives(&payer)]);
            let refund = Operation::Refund(Refund { original: pay.id, legs: legs(amount / 2) });
            let refund = pen.step(&seller, refund, &[gives(&seller)]);
            vec![pay, refund]
        }
        9 => request(pen, &payer, &other, amount),
        10 => redemption(pen, &seller, amount),
        11 => vec![short_lived(pen, turn, to_mandate(&payer, &seller, amount, mandate), &payer)],
        12 => bad(pen, turn, &payer, &seller, mandate),
        _ => same_reference(pen, &payer, &seller, mandate),
    }
}

const KINDS: usize = 14;

/// Drafted, approved, accepted; every third time first approved by its own drafter, which is refused.
fn payout(pen: &mut Pen, turn: usize, payee: &str) -> Vec<Step> {
    let n = turn % GROUPS;
    let name = group(n);
    let (drafter, approver) = match turn % 3 {
        0 => (person(3 * n + 2), person(3 * n + 2)),
        _ => (person(3 * n), person(3 * n + 1)),
    };
    let deadline = match turn % 4 {
        3 => BEGIN + 4_000 + 500 * turn as u64,
        _ => BEGIN + HOUR,
    };
    let movement = movement(&name, payee, 700 + turn as u64);
    let propose = Operation::Propose(Propose { movement, deadline: Time(deadline) });
    let drafts = (Side::Debit, Role::Drafter, name.as_str(), drafter.as_str());
    let propose = pen.step(&drafter, propose, &[drafts]);
    let consent = || {
        let decision = Decision::Consent;
        Operation::Decide(Decide { proposal: propose.id, decision })
    };
    let approves = (Side::Debit, Role::Approver, name.as_str(), approver.as_str());
    let approve = pen.step(&approver, consent(), &[approves]);
    let accept = pen.step(payee, consent(), &[receives(payee)]);
    vec![propose, approve, accept]
}

fn request(pen: &mut Pen, payer: &str, payee: &str, amount: u64) -> Vec<Step> {
    let due = Time(BEGIN + 20_000);
    let (payee_id, tender) = (party(payee), Vec::new());
    let ask = RequestPayment { payee: payee_id, payer: None, legs: legs(amount), tender, due };
    let ask = pen.step(payee, Operation::RequestPayment(ask), &[receives(payee)]);
    let credit = Citation::Request;
    let pay = Operation::Transfer(Movement { credit, ..movement(payer, payee, amount) });
    let body = Body { answers: Some(ask.id), ..pen.body(payer, pay) };
    vec![ask, signed(body, &[gives(payer)])]
}

fn redemption(pen: &mut Pen, merchant: &str, amount: u64) -> Vec<Step> {
    let leg = legs(amount)[0];
    let deadline = Time(BEGIN + 10 * 24 * HOUR);
    let request = RequestRedemption { merchant: party(merchant), leg, deadline };
    let request = pen.step(merchant, Operation::RequestRedemption(request), &[gives(merchant)]);
    let paper = document(&format!("bank notice {}", pen.count));
    let answer = match amount % 2 {
        0 => RedemptionAnswer::Paid { payout: paper },
        _ => RedemptionAnswer::Returned { notice: paper },
    };
    let answer = AnswerRedemption { redemption: request.id, answer };
    let settles = (Side::Credit, Role::Issuer, "issuer", "issuer");
    vec![request, pen.step("issuer", Operation::AnswerRedemption(answer), &[settles])]
}

/// Expires while the simulation runs: a late one is rejected, or never ordered.
fn short_lived(pen: &mut Pen, turn: usize, operation: Operation, payer: &str) -> Step {
    let expires = Time(BEGIN + 2_000 + 700 * turn as u64);
    signed(Body { expires, ..pen.body(payer, operation) }, &[gives(payer)])
}

fn bad(pen: &mut Pen, turn: usize, payer: &str, seller: &str, mandate: TxId) -> Vec<Step> {
    let (operation, by) = match turn % 4 {
        0 => (to_mandate(payer, seller, 9_000_000, mandate), vec![gives(payer)]),
        1 => (to_mandate(payer, seller, 10, TxId([7; 32])), vec![gives(payer)]),
        // The payee's consent is missing: void, and void again, however often it is ordered.
        2 => (Operation::Transfer(movement(payer, seller, 10)), vec![gives(payer)]),
        _ => (to_mandate(payer, seller, 0, mandate), vec![gives(payer)]),
    };
    vec![pen.step(payer, operation, &by)]
}

/// Two intents under one reference: the second is void.
fn same_reference(pen: &mut Pen, payer: &str, seller: &str, mandate: TxId) -> Vec<Step> {
    let first = pen.body(payer, to_mandate(payer, seller, 11, mandate));
    let again = pen.body(payer, to_mandate(payer, seller, 12, mandate));
    let again = Body { reference: first.reference.clone(), ..again };
    vec![signed(first, &[gives(payer)]), signed(again, &[gives(payer)])]
}
