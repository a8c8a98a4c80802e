//! What rules cost who does not meet them: blocks of plain purchases on a ledger without rules and on ledgers with thirty, in
//! turns within one run, as ratios of CPU time. Medians of all rounds: of what rules can change (judging, leaves, digests),
//! and of a whole transfer with its signatures' checks.
#![allow(missing_docs)]

use musubi_benches::town::{Payment, Town};
use musubi_ledger::{
    execute::check_items,
    genesis::RULES_VERSION,
    predicate::Predicate,
    rule::{
        Base, Give, Post, Recipient, RuleTerms, Trigger,
        cap::Over,
        formula::{Formula, Rate},
        when::When,
    },
    time::Time,
};
use rustix::time::{ClockId, clock_gettime};

const BLOCK: usize = 500;
const ROUNDS: usize = 60;
const RULES: u16 = 30;

fn cpu_ns() -> i64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// A reward that asks for an attribute which nobody has: one of `kinds`.
fn rule(town: &Town, on: Trigger, number: u16, kinds: u16) -> RuleTerms {
    let asks = Predicate::is(&format!("kind-{}", number % kinds), &["yes"]);
    RuleTerms {
        on,
        when: When { payer: Some(asks), ..When::always(Time(0)) },
        base: Base::Tender,
        formula: Formula::Rate(Rate::floor(1, 100)),
        post: Post::Give(Give {
            instrument: town.genesis.instruments[0].instrument,
            origin: musubi_ledger::lot::OriginKind::Free,
            funder: town.genesis.instruments[0].terms.issuer,
            campaign: 0,
            to: Recipient::Payer,
        }),
        caps: Vec::new(),
        over: Over::Truncate,
    }
}

/// CPU nanoseconds of one block of payments: with the checks of signatures, and without.
fn block(town: &mut Town) -> (i64, i64) {
    let items = town.payments(BLOCK, Payment::BothSign);
    let batch = town.batch(items);
    let start = cpu_ns();
    let checked = check_items(&batch.chain, RULES_VERSION, &batch.items, &|_| false);
    let judged = cpu_ns();
    let executed = town.chain.execute(&town.state, &batch, [0; 32], &checked);
    let end = cpu_ns();
    assert!(executed.items.iter().all(|item| item.code.name() == "applied"));
    town.state.apply(&executed.changes);
    (end - start, end - judged)
}

fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values[values.len() / 2]
}

fn main() {
    let with = |on: Trigger, kinds: u16| {
        let mut town = Town::new(1_000, 100);
        let rules = (0..RULES).map(|number| rule(&town, on, number, kinds)).collect();
        town.put_rules(rules);
        town
    };
    let mut towns = [
        ("no rules", Town::new(1_000, 100)),
        ("30 on top-ups", with(Trigger::TopUp, 30)),
        ("30 on purchases, 5 conditions", with(Trigger::Purchase, 5)),
        ("30 on purchases, 30 conditions", with(Trigger::Purchase, 30)),
    ];
    let mut took: [Vec<(i64, i64)>; 4] = Default::default();
    for round in 0..ROUNDS + 2 {
        for (at, (_, town)) in towns.iter_mut().enumerate() {
            let times = block(town);
            // The first ones warm up.
            if round >= 2 {
                took[at].push(times);
            }
        }
    }
    let of = |at: usize| {
        let (whole, judged) = took[at].iter().copied().unzip();
        (median(whole), median(judged))
    };
    let per = |ns: i64| ns / i64::try_from(BLOCK).unwrap_or(1);
    let plain = of(0);
    for (at, (name, _)) in towns.iter().enumerate() {
        let (whole, judged) = of(at);
        let ratio = |a: i64, b: i64| format!("{}.{:03}", a / b, a % b * 1_000 / b);
        println!(
            "{name}: {} ns judged ({}x), {} ns with signatures ({}x) a transfer",
            per(judged),
            ratio(judged, plain.1),
            per(whole),
            ratio(whole, plain.0),
        );
    }
}
