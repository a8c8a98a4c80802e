//! Random transactions over the small city: mostly sensible, often slightly wrong.

mod agreement;
mod coupon;
mod dues;
mod group;
mod hold;
mod issuer;
mod keys;
mod learn;
mod medium;
mod offer;
mod paper;
mod party;
mod payment;
mod ring;
mod rule;
mod run;
mod settlement;
mod signers;

use musubi_ledger::{execute::ItemResult, lot::OriginKind, operation::*};

use super::common::*;
pub(crate) use medium::register_keyless;
use party::{NEWCOMERS, newcomer, residents};
use ring::Ring;
use signers::{decides, disturb, gives, owner, takes};

/// Eight numbers decide one transaction.
pub(crate) type Step = [u16; 8];

const PARTIES: [&str; 8] = ["alice", "bob", "carol", "eve", "shop", "mart", "club", "frank"];
const PERSONS: [&str; 6] = ["alice", "bob", "carol", "dave", "eve", "frank"];
const AMOUNTS: [u64; 12] = [0, 1, 7, 50, 100, 500, 900, 1_000, 20_000, 100_000, 250_000, 300_001];
const MONEY: [&str; 8] =
    ["MEBUKU", "POINT", "MEBUKU", "COIN", "GIFT", "MEBUKU", "POINT", "VOUCHER"];

/// An operation, who signs it, and the request that it answers.
type Made = (Operation, Vec<By>, Option<TxId>);

/// What there is to refer to.
pub(crate) struct Generator {
    ring: Ring,
    mandates: Vec<(TxId, &'static str, Direction)>,
    requests: Vec<(TxId, RequestPayment)>,
    proposals: Vec<TxId>,
    moves: Vec<(TxId, &'static str)>,
    redemptions: Vec<TxId>,
    holds: Vec<(TxId, PartyId)>,
    cards: Vec<medium::Card>,
    allowances: Vec<(TxId, &'static str)>,
    issued: Vec<(TxId, &'static str, u64)>,
    settlements: Vec<(TxId, u32)>,
    sent: Vec<(Transaction, Vec<By>)>,
    fundings: u32,
    offers: Vec<TxId>,
    applications: Vec<TxId>,
    runs: Vec<(TxId, usize)>,
}

fn pick<T: Copy>(from: &[T], choice: u16) -> Option<T> {
    from.get(usize::from(choice) % from.len().max(1)).copied()
}

fn name_of(party: PartyId) -> &'static str {
    let newcomers = NEWCOMERS.map(|new| new.0);
    PARTIES.into_iter().chain(newcomers).find(|name| id(name) == party).unwrap_or("dave")
}

impl Generator {
    pub(crate) fn new() -> Self {
        Self {
            ring: Ring::new(),
            mandates: Vec::new(),
            requests: Vec::new(),
            proposals: Vec::new(),
            moves: Vec::new(),
            redemptions: Vec::new(),
            holds: Vec::new(),
            cards: Vec::new(),
            allowances: Vec::new(),
            issued: Vec::new(),
            settlements: Vec::new(),
            sent: Vec::new(),
            fundings: 0,
            offers: Vec::new(),
            applications: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// Everybody begins with something.
    pub(crate) fn opening(&mut self, world: &mut World) -> Vec<Transaction> {
        let mut all = self.many_keys(world, "frank");
        all.extend(rule::first_rules(world));
        for (at, party) in ["alice", "bob", "carol", "club"].into_iter().enumerate() {
            for (of, money) in ["MEBUKU", "POINT", "COIN"].into_iter().enumerate() {
                let amount = if party == "club" { 250_000 } else { 30_000 };
                let funding = format!("opening {at} {of}");
                let op = top_up(world.allowance(money), party, amount, &funding);
                let signers = [issues(), takes(party)];
                all.push(world.transaction("issuer", Operation::TopUp(op), &signers));
            }
        }
        all
    }

    /// The transaction that a step stands for.
    pub(crate) fn transaction(&mut self, world: &mut World, step: &Step) -> Transaction {
        if let (0..=3, Some(tx)) = (step[0] % 64, self.again(step)) {
            return tx;
        }
        let (operation, mut signers, answers) = self.operation(world, step);
        disturb(&mut signers, step[6], step[7]);
        self.ring.freshen(world, &mut signers, step);
        let sender = match (signers.first(), step[7] % 50) {
            (None, _) | (_, 0) => pick(&PARTIES, step[6]).unwrap().to_owned(),
            (Some(first), n) if n < 35 => owner(&first.key),
            _ => owner(&signers.last().unwrap().key),
        };
        let mut body = world.body(&sender, operation);
        body.answers = answers;
        body.on_behalf_of = step[2].is_multiple_of(31).then_some(dues::LINE);
        body.purpose = if step[5].is_multiple_of(2) { Purpose::NONE } else { Purpose::DUES };
        match step[7] % 97 {
            0 => body.expires = world.now.plus(SECOND),
            1 => body.expires = world.now.plus(2 * DAY),
            2 | 3 => {
                if let Some((earlier, _)) =
                    self.sent.get(usize::from(step[3]) % self.sent.len().max(1))
                {
                    body.reference = earlier.body.reference.clone();
                }
            }
            _ => {}
        }
        let tx = sign(body, &signers);
        self.sent.push((tx.clone(), signers));
        tx
    }

    /// An earlier body again: the same bytes, fewer signatures, or others.
    fn again(&self, step: &Step) -> Option<Transaction> {
        let (tx, signers) = self.sent.get(usize::from(step[1]) % self.sent.len().max(1))?;
        let mut signers = signers.clone();
        disturb(&mut signers, step[6], step[7]);
        Some(sign(tx.body.clone(), &signers))
    }

    fn operation(&mut self, world: &World, step: &Step) -> Made {
        if let Some((operation, signers)) = self.about_keys(world, step) {
            return (operation, signers, None);
        }
        if let Some((operation, signers)) = self.about_parties(world, step) {
            return (operation, signers, None);
        }
        let mut from = pick(&PARTIES, step[1]).unwrap();
        let mut to = pick(&PARTIES, step[2]).unwrap();
        match step[7] / 97 % 24 {
            0 | 1 => to = newcomer(step[2]),
            2 => from = newcomer(step[1]),
            _ => {}
        }
        let amount = pick(&AMOUNTS, step[3]).unwrap();
        let money = pick(&MONEY, step[4]).unwrap();
        let mut legs = legs(&[(money, amount)]);
        if step[4].is_multiple_of(11) {
            legs = super::common::legs(&[("COIN", 3), ("MEBUKU", amount)]);
        }
        match step[0] / 64 % 16 {
            0..=2 => return self.by_issuer(world, step),
            3..=5 => return self.by_medium(world, step),
            6..=8 => return group::by_group(world, step),
            9 => return rule::rule(world, step),
            13 if step[0] % 16 < 7 => return self.paper(step),
            13 if step[0] % 16 < 10 => return paper::report(world, step),
            13 => return self.dues(world, step),
            14 if step[0] % 16 < 12 => return self.hold(world, step),
            14 => return hold::repay(step),
            15 if step[0] % 16 < 6 => return group::parent(step),
            10 if step[0].is_multiple_of(4) => return self.coupons(world, step, from, amount),
            10 => return self.offer(world, step),
            11 => return self.run(world, step),
            15 => return self.settlement(world, step),
            _ => {}
        }
        match step[0] % 16 {
            0..=2 => self.transfer(step, from, to, legs),
            3 if step[5].is_multiple_of(3) => self.coupons(world, step, from, amount),
            3 => self.pay(step, from, to, amount),
            4 if step[5].is_multiple_of(3) => touch(step, from, money),
            4 => self.transfer(step, from, to, legs),
            5 => self.top_up(world, step, to, money, amount),
            6 | 7 => {
                let (movement, mut signers, answers) = self.movement(step, from, to, legs);
                signers.truncate(1 + usize::from(step[5] % 3));
                let days = [0, 1, 2, 3, 4, 100][usize::from(step[5] % 6)];
                let deadline = world.now.plus(days * DAY);
                (Operation::Propose(Propose { movement, deadline }), signers, answers)
            }
            8 | 9 => self.decide(step),
            10 => self.ask(world, step, to, legs),
            11 => self.undo(step, legs),
            12 => self.redemption(world, step, amount, money),
            13 | 14 => self.mandate(world, step, from),
            _ => freezing(step),
        }
    }
}

fn touch(step: &Step, holder: &'static str, money: &str) -> Made {
    let signer = if step[6].is_multiple_of(7) { "eve" } else { holder };
    let op = Touch { party: id(holder), instrument: instrument(money) };
    (Operation::Touch(op), vec![decides(signer)], None)
}

fn freezing(step: &Step) -> (Operation, Vec<By>, Option<TxId>) {
    let name = pick(&["bob", "carol", "eve", "shop", "frank"], step[1]).unwrap();
    let two = vec![officer("registrar", "r1"), officer("registrar", "r2")];
    match step[5] % 8 {
        0 => (freeze(name), vec![own(name)], None),
        1 => (freeze(name), vec![officer("registrar", "r3")], None),
        2 => (freeze(name), vec![officer("registrar", "bob")], None),
        _ => (Operation::Unfreeze { party: id(name) }, two, None),
    }
}

fn freeze(name: &str) -> Operation {
    Operation::Freeze(Freeze { party: id(name), evidence: document("report") })
}
