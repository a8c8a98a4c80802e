//! A generated day: what people, groups and shops do, wave by wave, each item with the code that it
//! must get.
//!
//! Good items of a wave rest only on what is at least two waves older, bad ones are bad whatever else
//! happens: so two waves may be under way at a time, over all nodes, in any order.

mod bad;
mod groups;
mod persons;
mod shops;

pub use bad::Bad;

use std::collections::{BTreeMap, VecDeque};

use musubi_ledger::{
    amount::Amount,
    id::{PartyId, Reference, TxId},
    operation::{Citation, Leg, Movement},
};

use crate::{
    books::Books,
    city::{City, institutions, setup::Allowances},
    item::{Scribe, Task},
};

/// Kinds of good items, as in tables and JSON.
pub mod kinds {
    /// A purchase by the shop's printed code: the payer alone signs.
    pub const STATIC_QR: &str = "purchase_static_qr";
    /// A purchase that both sides sign.
    pub const LIVE: &str = "purchase_live";
    /// A purchase by a card at the shop's terminal.
    pub const CARD: &str = "purchase_card";
    /// A shop's request: the code on its screen.
    pub const REQUEST: &str = "payment_request";
    /// A purchase that answers a request.
    pub const DYNAMIC_QR: &str = "purchase_dynamic_qr";
    /// A top-up (チャージ).
    pub const TOP_UP: &str = "top_up";
    /// Dues (会費).
    pub const DUES: &str = "dues";
    /// Dues that somebody else pays.
    pub const DUES_FOR_ANOTHER: &str = "dues_for_another";
    /// Points given.
    pub const REWARD: &str = "reward_points";
    /// A gift that both sides sign.
    pub const GIFT: &str = "person_to_person";
    /// A group's payout that drafter and approver sign at once.
    pub const PAYOUT: &str = "payout_live";
    /// A group's payout, proposed.
    pub const PROPOSAL: &str = "payout_proposal";
    /// The approval that completes a proposed payout.
    pub const APPROVAL: &str = "payout_approval";
    /// A shop gives back.
    pub const REFUND: &str = "refund";
    /// A shop asks for its money.
    pub const REDEMPTION: &str = "redemption_request";
    /// The issuer's answer.
    pub const REDEMPTION_ANSWER: &str = "redemption_answer";
}

/// So many waves later an item has its verdict, and others may refer to it.
const WAVES_TO_AGE: usize = 2;

/// Good items that follow: what was begun two waves ago is finished.
#[derive(Clone, Copy, Debug)]
enum Later {
    Answer { request: TxId, merchant: usize, person: usize, amount: u64 },
    Approve { proposal: TxId, group: usize, payee: PartyId, amount: u64 },
    Redeemed { redemption: TxId, merchant: usize, amount: u64 },
}

/// A purchase of an earlier wave, for refunds, replays and reused references.
#[derive(Clone, Debug)]
struct Past {
    id: TxId,
    at: (usize, usize),
    sender: PartyId,
    reference: Reference,
    merchant: usize,
    person: usize,
    /// In money alone; what was paid with points is not refunded here.
    money: Option<u64>,
}

/// A finished day.
#[derive(Debug)]
pub struct Day {
    /// What is to be submitted.
    pub waves: Vec<Vec<Task>>,
    /// What everybody holds afterwards.
    pub books: Books,
    /// Good items.
    pub good: u64,
    /// Bad attempts.
    pub bad: u64,
}

/// Writes a day of about `payments` good items and 3 % bad attempts on top, but every kind of them that the good
/// items give occasion for: a handful of payments may have no purchase that could be abused.
#[must_use]
pub fn compose(
    city: &City,
    allowances: Allowances,
    books: Books,
    scribe: Scribe,
    payments: u64,
) -> Day {
    let bad_total = (payments * 3 / 100).max(Bad::ALL.len() as u64);
    let mut generator = Generator {
        city,
        allowances,
        books,
        scribe,
        waves: Vec::new(),
        later: VecDeque::from([Vec::new(), Vec::new(), Vec::new()]),
        past: VecDeque::new(),
        card_spent: BTreeMap::new(),
        bad: (0..bad_total).map(|n| Bad::ALL[n as usize % Bad::ALL.len()]).collect(),
    };
    let wave_size = (payments / 16).clamp(25, 640);
    let (mut good, mut bad) = (0, 0);
    let mut barren = 0;
    while good < payments || !generator.bad.is_empty() || generator.unfinished() {
        let wanted = wave_size.min(payments - good.min(payments));
        let made = generator
            .wave(wanted, bad_total * (good + wanted) / payments.max(1) - bad.min(bad_total));
        good += made.0;
        bad += made.1;
        barren = if made == (0, 0) { barren + 1 } else { 0 };
        if barren > WAVES_TO_AGE {
            // Nothing is left to wait for that could give the remaining kinds an occasion.
            generator.bad.clear();
        }
    }
    Day { waves: generator.waves, books: generator.books, good, bad }
}

struct Generator<'c> {
    city: &'c City,
    allowances: Allowances,
    books: Books,
    scribe: Scribe,
    waves: Vec<Vec<Task>>,
    /// What the current wave finishes, the next, and the one after it.
    later: VecDeque<Vec<Later>>,
    /// Purchases that are old enough to be referred to, and younger ones behind them.
    past: VecDeque<Past>,
    card_spent: BTreeMap<usize, u64>,
    /// Bad attempts to come.
    bad: VecDeque<Bad>,
}

impl Generator<'_> {
    fn unfinished(&self) -> bool {
        self.later.iter().any(|wave| !wave.is_empty())
    }

    /// Makes one wave; returns how many good and bad items it has.
    fn wave(&mut self, wanted: u64, bad_wanted: u64) -> (u64, u64) {
        let due = self.later.pop_front().unwrap_or_default();
        self.later.push_back(Vec::new());
        let mut tasks: Vec<(Task, Option<Past>)> =
            due.into_iter().map(|later| (self.finish(later), None)).collect();
        while (tasks.len() as u64) < wanted {
            let made = self.good();
            tasks.push(made);
        }
        let good = tasks.len() as u64;
        // A kind that cannot be made yet waits behind the others.
        for _ in 0..self.bad.len().min(usize::try_from(bad_wanted).unwrap_or(usize::MAX)) {
            let Some(kind) = self.bad.pop_front() else { break };
            match self.bad_attempt(kind) {
                Some(task) => tasks.push((task, None)),
                None => self.bad.push_back(kind),
            }
        }
        let bad = tasks.len() as u64 - good;
        self.scribe.dice.shuffle(&mut tasks);
        let wave = self.waves.len();
        for (place, (_, past)) in tasks.iter().enumerate() {
            self.past.extend(past.clone().map(|past| Past { at: (wave, place), ..past }));
        }
        self.waves.push(tasks.into_iter().map(|(task, _)| task).collect());
        self.books.next_wave();
        (good, bad)
    }

    /// One good item of a random kind; a top-up where the kind drawn is not possible now.
    fn good(&mut self) -> (Task, Option<Past>) {
        let plain = |task: Option<Task>| task.map(|task| (task, None));
        let made = match self.scribe.dice.between(0, 999) {
            0..=79 => self.purchase_live(),
            80..=119 => plain(self.purchase_card()),
            120..=144 => plain(self.request()),
            145..=204 => plain(self.top_up()),
            205..=254 => plain(self.dues()),
            255..=299 => plain(self.reward()),
            300..=314 => plain(self.gift()),
            315..=320 => plain(self.payout()),
            321..=326 => plain(self.proposal()),
            327..=338 => plain(self.refund()),
            339..=344 => plain(self.redemption()),
            _ => self.purchase_static_qr(),
        };
        made.or_else(|| plain(self.top_up())).expect("somebody can always be topped up")
    }

    fn finish(&mut self, later: Later) -> Task {
        match later {
            Later::Answer { request, merchant, person, amount } => {
                self.answer(request, merchant, person, amount)
            }
            Later::Approve { proposal, group, payee, amount } => {
                self.approve(proposal, group, payee, amount)
            }
            Later::Redeemed { redemption, merchant, amount } => {
                self.redeemed(redemption, merchant, amount)
            }
        }
    }

    /// Leaves something to be finished two waves later.
    fn later(&mut self, later: Later) {
        self.later[1].push(later);
    }

    /// A purchase that is at least [`WAVES_TO_AGE`] old, drawn at random.
    fn settled_past(&mut self) -> Option<usize> {
        let wave = self.waves.len();
        let old = self.past.partition_point(|past| past.at.0 + WAVES_TO_AGE <= wave);
        (old > 0).then(|| self.scribe.dice.place(old))
    }
}

/// Legs in money, and in points where there are any.
fn legs(money: u64, points: u64) -> Vec<Leg> {
    let both = [(institutions::money(), money), (institutions::points(), points)];
    let some = both.into_iter().filter(|(_, amount)| *amount > 0);
    some.map(|(instrument, amount)| Leg { instrument, amount: Amount(amount) }).collect()
}

fn movement(from: PartyId, to: PartyId, legs: Vec<Leg>, credit: Citation) -> Movement {
    Movement { from, to, legs, debit: Citation::Live, credit }
}

#[cfg(test)]
mod tests;
