#![allow(clippy::unwrap_used)]
use musubi_ledger::code::Code;

use super::*;
use crate::{
    item::{Expected, Item},
    load::Answer,
    network::Leader,
};

/// At so many milliseconds after `begun`.
fn at(begun: Instant, ms: u64) -> Instant {
    begun + Duration::from_millis(ms)
}

fn sightings(begun: Instant) -> Sightings {
    Sightings { found: vec![(10, at(begun, 100)), (20, at(begun, 900))], fault: None }
}

fn delivered(begun: Instant, n: u8, submitted: u64, acked: u64) -> Delivered {
    let expected = Expected::Code(Code::Applied);
    let item = Item { kind: "dues", id: TxId([n; 32]), bytes: Vec::new(), expected };
    let latency = Duration::from_millis(acked - submitted);
    let (place, acked) = (Place::Applied, at(begun, acked));
    Delivered { item, answer: Answer { code: "applied".into(), place, latency, acked } }
}

fn outage(begun: Instant) -> Outage {
    let leader = Leader { node: 1, term: 1 };
    let leaderless = Duration::from_millis(200);
    Outage {
        leader,
        successor: leader,
        killed: at(begun, 500),
        in_flight: 1,
        leaderless,
        caught_up: leaderless,
    }
}

#[test]
fn a_payment_waits_from_its_submission_to_the_first_checkpoint_above_it() {
    let begun = Instant::now();
    let all = [delivered(begun, 1, 40, 90), delivered(begun, 2, 600, 800)];
    let leaves = [(TxId([1; 32]), 9), (TxId([2; 32]), 10)].into();
    let sum = |end| sum_up(&all, &leaves, &sightings(begun), &outage(begun), end);
    let finality = sum(Ok(20));
    assert_eq!((finality.payments, finality.covered, finality.wrong), (2, 2, None));
    assert_eq!(
        finality.all,
        [60, 300].map(Duration::from_millis),
        "9 is under 10 leaves, 10 is not"
    );
    assert_eq!(finality.apart, [Duration::from_millis(60)], "the other one waited for a leader");
    // A node that is behind, or shows nothing that holds, is seen.
    assert_eq!(sum(Ok(10)).covered, 1);
    let none = sum(Err("node 2: no".into()));
    assert_eq!((none.covered, none.wrong.as_deref()), (0, Some("node 2: no")));
}

#[test]
fn what_cannot_be_is_wrong() {
    let begun = Instant::now();
    let wrong = |delivered: Delivered, leaf: Option<u64>| {
        let leaves = leaf.map(|leaf| (delivered.item.id, leaf)).into_iter().collect();
        sum_up(&[delivered], &leaves, &sightings(begun), &outage(begun), Ok(20)).wrong.unwrap()
    };
    let one = || delivered(begun, 1, 150, 200);
    assert!(wrong(one(), Some(3)).ends_with("before it was submitted"));
    assert!(wrong(one(), Some(20)).ends_with("at no time"));
    assert!(wrong(one(), None).ends_with("in no leaf"));
}

#[test]
fn what_a_node_calls_final_is_checked() {
    let (policies, vectors) = crate::demo::proofs::tests::vectors();
    let file = vectors["proofs"][0]["file"].as_str().unwrap();
    let (_, note) = file.split_once("\n\n").unwrap();
    let begun = Instant::now();
    let mut seen = Sightings::default();
    seen.take(1, note, begun, &policies);
    seen.take(2, note, at(begun, 5), &policies);
    assert_eq!(seen.found, [(51, begun)], "the second to show it tells no time");
    assert_eq!((seen.covered(50), seen.covered(51)), (Some(begun), None));
    assert_eq!(seen.fault, None);

    // The log's signatures without a quorum's cosignatures.
    let lines: Vec<&str> = note.lines().filter(|line| !line.contains("/node/")).collect();
    let mut bare = Sightings::default();
    bare.take(3, &format!("{}\n", lines.join("\n")), begun, &policies);
    assert!(bare.found.is_empty());
    assert!(
        bare.fault.as_ref().unwrap().starts_with("node 3 serves 51 leaves as final"),
        "{bare:?}"
    );
    let mut none = Sightings::default();
    none.take(1, "no note", begun, &policies);
    assert!(none.fault.is_some());
}
