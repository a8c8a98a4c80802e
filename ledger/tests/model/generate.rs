//! Random transactions over the small city: mostly sensible, often slightly wrong.

mod group;
mod issuer;
mod keys;
mod medium;
mod party;
mod ring;

use musubi_ledger::{execute::ItemResult, lot::OriginKind, operation::*};

use super::common::*;
pub(crate) use medium::register_keyless;
use party::{NEWCOMERS, newcomer, residents};
use ring::Ring;

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
    cards: Vec<medium::Card>,
    allowances: Vec<(TxId, &'static str)>,
    issued: Vec<(TxId, &'static str, u64)>,
    sent: Vec<(Transaction, Vec<By>)>,
    fundings: u32,
}

fn pick<T: Copy>(from: &[T], choice: u16) -> Option<T> {
    from.get(usize::from(choice) % from.len().max(1)).copied()
}

fn name_of(party: PartyId) -> &'static str {
    let newcomers = NEWCOMERS.map(|new| new.0);
    PARTIES.into_iter().chain(newcomers).find(|name| id(name) == party).unwrap_or("dave")
}

fn gives(party: &'static str, choice: u16) -> Vec<By> {
    match (party, choice % 4) {
        ("club", 0) => vec![drafts("club", "carol"), approves("club", "bob")],
        ("club", 1) => vec![drafts("club", "alice"), approves("club", "carol")],
        ("club", 2) => {
            vec![drafts("club", "alice"), approves("club", "bob"), approves("club", "carol")]
        }
        ("club", _) => vec![drafts("club", "alice"), approves("club", "bob")],
        _ => vec![debit(party)],
    }
}

fn takes(party: &'static str) -> By {
    match party {
        "club" => receives("club", "alice"),
        _ => credit(party),
    }
}

fn decides(party: &'static str) -> By {
    match party {
        "club" => checker("club", "bob"),
        _ => own(party),
    }
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
            cards: Vec::new(),
            allowances: Vec::new(),
            issued: Vec::new(),
            sent: Vec::new(),
            fundings: 0,
        }
    }

    /// Everybody begins with something.
    pub(crate) fn opening(&mut self, world: &mut World) -> Vec<Transaction> {
        let mut all = self.many_keys(world, "frank");
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
            _ => {}
        }
        match step[0] % 16 {
            0..=4 => self.transfer(step, from, to, legs),
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

    fn movement(
        &self,
        step: &Step,
        from: &'static str,
        to: &'static str,
        legs: Vec<Leg>,
    ) -> (Movement, Vec<By>, Option<TxId>) {
        let mut m = Movement { legs, ..movement(from, to, 1) };
        let mut signers = gives(from, step[5]);
        let mut answers = None;
        let fits = |wanted, party: &str| {
            let good = self.mandates.iter().filter(|g| g.2 == wanted && g.1 == party);
            let good: Vec<TxId> = good.map(|g| g.0).collect();
            pick(&good, step[3]).or(pick(&self.mandates, step[3]).map(|g| g.0))
        };
        match (step[5] / 4 % 6, pick(&self.moves, 0)) {
            (0 | 1, _) => {
                if let Some(cited) = fits(Direction::Credit, to) {
                    m.credit = Citation::Mandate(cited);
                    return (m, signers, None);
                }
            }
            (2, _) => {
                if let Some(cited) = fits(Direction::Debit, from) {
                    m.debit = Citation::Mandate(cited);
                    let staff = ["eve", "frank", "bob"][usize::from(step[4] % 3)];
                    signers = vec![debit(staff)];
                    if let (0, Some(accepts)) = (step[4] % 4, fits(Direction::Credit, to)) {
                        m.credit = Citation::Mandate(accepts);
                        return (m, signers, None);
                    }
                }
            }
            (3, _) => {
                let at = usize::from(step[3]) % self.requests.len().max(1);
                if let Some((asked, request)) = self.requests.get(at) {
                    m.credit = Citation::Request;
                    if !step[4].is_multiple_of(5) {
                        m.legs.clone_from(&request.legs);
                        m.to = request.payee;
                    }
                    answers = (!step[4].is_multiple_of(9)).then_some(*asked);
                    return (m, signers, answers);
                }
            }
            _ => {}
        }
        signers.push(takes(to));
        (m, signers, answers)
    }

    fn transfer(
        &self,
        step: &Step,
        from: &'static str,
        to: &'static str,
        legs: Vec<Leg>,
    ) -> (Operation, Vec<By>, Option<TxId>) {
        let (movement, signers, answers) = self.movement(step, from, to, legs);
        (Operation::Transfer(movement), signers, answers)
    }

    fn top_up(
        &mut self,
        world: &World,
        step: &Step,
        to: &'static str,
        money: &'static str,
        amount: u64,
    ) -> (Operation, Vec<By>, Option<TxId>) {
        self.fundings += u32::from(!step[5].is_multiple_of(8));
        let funding = format!("bank {}", self.fundings);
        let allowance = self.allowance_of(world, step, money);
        let mut op = top_up(allowance, to, amount, &funding);
        let mut signers = vec![issues(), takes(to)];
        if step[5].is_multiple_of(3) {
            op.origin = OriginKind::Free;
            op.campaign = u32::from(step[4] % 3);
            op.funder = id("eve");
            signers.push(funds("eve"));
        }
        if let (0, Some((cited, ..))) = (step[5] % 5, pick(&self.mandates, step[3])) {
            op.credit = Citation::Mandate(cited);
            signers.remove(1);
        }
        (Operation::TopUp(op), signers, None)
    }

    fn decide(&self, step: &Step) -> (Operation, Vec<By>, Option<TxId>) {
        let latest = self.proposals.len().saturating_sub(3);
        let proposal = pick(&self.proposals[latest..], step[1]).unwrap_or(TxId([0; 32]));
        let decision = match step[3] % 12 {
            0 => Decision::Decline,
            1 => Decision::Withdraw,
            _ => Decision::Consent,
        };
        let person = pick(&PERSONS, step[2]).unwrap();
        let party = pick(&PARTIES, step[2]).unwrap();
        let signer = match step[4] % 8 {
            0..=2 => approves("club", person),
            3 => drafts("club", person),
            4 => receives("club", person),
            5 => debit(party),
            _ => credit(party),
        };
        (decide(proposal, decision), vec![signer], None)
    }

    fn ask(
        &self,
        world: &World,
        step: &Step,
        payee: &'static str,
        legs: Vec<Leg>,
    ) -> (Operation, Vec<By>, Option<TxId>) {
        if let (0, Some((request, asked))) = (step[5] % 5, self.requests.last()) {
            let signer = decides(name_of(asked.payee));
            return (Operation::CancelRequest { request: *request }, vec![signer], None);
        }
        let days = [0, 1, 5, 89, 91][usize::from(step[5] % 5)];
        let payer = pick(&PARTIES, step[1]).filter(|_| step[5].is_multiple_of(2));
        let op = RequestPayment {
            payee: id(payee),
            payer: payer.map(id),
            legs,
            due: world.now.plus(days * DAY),
        };
        (Operation::RequestPayment(op), vec![takes(payee)], None)
    }

    fn undo(&self, step: &Step, legs: Vec<Leg>) -> (Operation, Vec<By>, Option<TxId>) {
        let (original, payee) = pick(&self.moves, step[1]).unwrap_or((TxId([0; 32]), "shop"));
        let signers = gives(payee, step[5]);
        (Operation::Refund(Refund { original, legs }), signers, None)
    }

    fn redemption(
        &self,
        world: &World,
        step: &Step,
        amount: u64,
        money: &'static str,
    ) -> (Operation, Vec<By>, Option<TxId>) {
        if let (0 | 1, Some(redemption)) = (step[5] % 4, pick(&self.redemptions, step[1])) {
            let answer = match step[5] % 8 < 4 {
                true => RedemptionAnswer::Paid { payout: document("p") },
                false => RedemptionAnswer::Returned { notice: document("n") },
            };
            let op = AnswerRedemption { redemption, answer };
            return (Operation::AnswerRedemption(op), vec![settles()], None);
        }
        let merchant = pick(&["shop", "mart", "shop", "alice"], step[2]).unwrap();
        let days = [6, 8, 30, 91][usize::from(step[1] % 4)];
        let leg = legs(&[(money, amount)])[0];
        let op =
            RequestRedemption { merchant: id(merchant), leg, deadline: world.now.plus(days * DAY) };
        (Operation::RequestRedemption(op), vec![debit(merchant)], None)
    }

    fn mandate(
        &self,
        world: &World,
        step: &Step,
        grantor: &'static str,
    ) -> (Operation, Vec<By>, Option<TxId>) {
        if let (0, Some((cited, by, _))) = (step[5] % 8, pick(&self.mandates, step[2])) {
            return (Operation::RevokeMandate { mandate: cited }, vec![decides(by)], None);
        }
        let bit = |n: u16| step[4] & n != 0;
        let direction = if bit(1) { Direction::Debit } else { Direction::Credit };
        let per_use = pick(&[50, 500, 20_000, 300_000], step[3]).unwrap();
        let mut terms = terms(direction, per_use);
        terms.instruments = vec![instrument("COIN"), instrument("MEBUKU"), instrument("POINT")];
        terms.counterparty = match step[2] % 5 {
            0 => Counterparty::Party(id(pick(&PARTIES, step[3]).unwrap())),
            1 => Counterparty::Kind(PartyKind::Merchant),
            2 => residents(),
            _ => Counterparty::Any,
        };
        terms.purpose = bit(2).then_some(Purpose::DUES);
        terms.per_day = bit(4).then_some(Amount(per_use));
        terms.per_counterparty = bit(8).then_some(Amount(2 * per_use));
        terms.total = (bit(16) || grantor == "club").then_some(Amount(3 * per_use));
        terms.uses = bit(32).then_some(2);
        if bit(64) {
            terms.staff = ids(&["eve", "frank"]);
        }
        terms.until = (bit(128) || !step[5].is_multiple_of(16)).then_some(world.now.plus(4 * DAY));
        let signers = match direction {
            Direction::Debit => gives(grantor, step[5]),
            Direction::Credit => vec![takes(grantor)],
        };
        (mandate(grantor, terms), signers, None)
    }

    /// Remembers what took effect, to refer to it.
    pub(crate) fn learn(&mut self, transactions: &[Transaction], world: &World) {
        let results: &[ItemResult] = &world.last.items;
        for (tx, result) in transactions.iter().zip(results) {
            if result.code != Code::Applied {
                continue;
            }
            let id = result.id;
            match &tx.body.operation {
                Operation::Transfer(m) => self.moves.push((id, name_of(m.to))),
                Operation::TopUp(op) => {
                    self.moves.push((id, name_of(op.to)));
                    let granted = self.allowances.iter().find(|found| found.0 == op.allowance);
                    let first = world.allowances.iter().find(|found| *found.1 == op.allowance);
                    if let Some(of) = granted.map(|g| g.1).or(first.map(|f| *f.0)) {
                        self.issued.push((id, of, op.amount.0));
                    }
                }
                Operation::EnrolMedium(op) => {
                    let card = medium::card(op, id);
                    self.cards.push(card);
                    if op.credit.is_some() {
                        let accepts = musubi_ledger::state::derived_id(&id, 1);
                        self.mandates.push((accepts, card.1, Direction::Credit));
                    }
                }
                Operation::GrantAllowance(op) => {
                    let mut known = MONEY.into_iter();
                    if let Some(of) = known.find(|of| instrument(of) == op.instrument) {
                        self.allowances.push((id, of));
                    }
                }
                Operation::Propose(op) => {
                    self.proposals.push(id);
                    self.moves.push((id, name_of(op.movement.to)));
                }
                Operation::RequestPayment(op) => self.requests.push((id, op.clone())),
                Operation::RequestRedemption(_) => self.redemptions.push(id),
                Operation::GrantMandate(op) => {
                    self.mandates.push((id, name_of(op.grantor), op.terms.direction));
                }
                _ => {}
            }
        }
    }
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

/// Whose key it is.
fn owner(key: &str) -> String {
    key.split('/').next().unwrap_or(key).to_owned()
}

/// Leaves signers alone, drops one, gives one another's key, another role or side, or adds one.
fn disturb(signers: &mut Vec<By>, how: u16, which: u16) {
    if signers.is_empty() {
        return;
    }
    let at = usize::from(which) % signers.len();
    let person = pick(&PERSONS, which / 8).unwrap();
    match how % 24 {
        0 => drop(signers.remove(at)),
        1 => signers[at].key = person.into(),
        2 => signers[at].key = "nobody".into(),
        3 => signers.push(credit(person)),
        4 => signers.push(approves("club", person)),
        5 => signers.push(drafts("club", person)),
        6 => signers[at].side = Side::Authority,
        7 => signers[at].role = Role::Approver,
        8 => signers[at].party = id_name(which),
        9 => signers[at].key = "issuer/spare".into(),
        _ => {}
    }
}

fn id_name(which: u16) -> String {
    pick(&PARTIES, which / 3).unwrap().to_owned()
}
