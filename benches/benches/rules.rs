//! What rules cost who does not meet them: blocks of plain purchases on a ledger without rules and on ledgers with thirty, in
//! turns within one run, as ratios of CPU time. Medians of all rounds: of what rules can change (judging, leaves, digests),
//! and of a whole transfer with its signatures' checks.
#![allow(missing_docs)]

use musubi_benches::{
    cpu::{Blocks, ratio},
    town::{Payment, Town},
};
use musubi_ledger::{
    predicate::Predicate,
    rule::{
        Base, Give, Post, Recipient, RuleTerms, Trigger,
        cap::Over,
        formula::{Formula, Rate},
        when::When,
    },
    time::Time,
};

const BLOCK: usize = 500;
const ROUNDS: usize = 60;
const RULES: u16 = 30;

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
    let mut took: [Blocks; 4] = Default::default();
    for round in 0..ROUNDS + 2 {
        // The first ones warm up.
        if round == 2 {
            took = Default::default();
        }
        for (blocks, (_, town)) in took.iter_mut().zip(&mut towns) {
            let payments = town.payments(BLOCK, Payment::BothSign);
            blocks.measure(town, payments);
        }
    }
    let plain = took[0].median(BLOCK);
    for (blocks, (name, _)) in took.iter().zip(&towns) {
        let of = blocks.median(BLOCK);
        println!(
            "{name}: {} ns judged ({}x), {} ns with signatures ({}x) a transfer",
            of.judged,
            ratio(of.judged, plain.judged),
            of.whole,
            ratio(of.whole, plain.whole),
        );
    }
}
