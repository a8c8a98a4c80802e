//! Many seeds of foul weather, then fair: agreement, durability, order, liveness, repeatability.

#![allow(clippy::unwrap_used)]

mod world;

use world::{Stats, World};

fn run(seed: u64, nodes: usize, foul_ms: u64) -> Stats {
    let outcome = World::new(seed, nodes, |_| ()).and_then(|mut world| world.run(foul_ms));
    outcome.unwrap_or_else(|violation| panic!("seed {seed}, {nodes} nodes: {violation}"))
}

/// How many seeds to run: a long run sets `MUSUBI_SEEDS`.
fn seeds(default: u64) -> u64 {
    std::env::var("MUSUBI_SEEDS").map_or(default, |count| count.parse().unwrap())
}

fn sum(stats: impl Iterator<Item = Stats>) -> Stats {
    stats.fold(Stats::default(), |a, b| Stats {
        crashes: a.crashes + b.crashes,
        lost_writes: a.lost_writes + b.lost_writes,
        partitions: a.partitions + b.partitions,
        leaders: a.leaders + b.leaders,
        committed: a.committed + b.committed,
        truncations: a.truncations + b.truncations,
        refused: a.refused + b.refused,
        digest: 0,
    })
}

fn assert_eventful(stats: Stats, seeds: u64) {
    println!("{stats:?}");
    assert!(stats.crashes > seeds && stats.partitions > seeds, "{stats:?}");
    assert!(stats.lost_writes > seeds / 2 && stats.truncations > 0, "{stats:?}");
    assert!(stats.leaders > seeds && stats.committed > 20 * seeds, "{stats:?}");
}

#[test]
fn three_nodes_hold_in_foul_weather() {
    let seeds = seeds(100);
    assert_eventful(sum((0..seeds).map(|seed| run(seed, 3, 12_000))), seeds);
}

#[test]
fn five_nodes_hold_in_foul_weather() {
    let seeds = seeds(40);
    assert_eventful(sum((1_000..1_000 + seeds).map(|seed| run(seed, 5, 12_000))), seeds);
}

#[test]
fn one_node_needs_nobody() {
    let stats = run(7, 1, 10_000);
    assert!(stats.committed > 5, "{stats:?}");
}

#[test]
fn the_same_seed_gives_the_same_run_byte_for_byte() {
    for seed in 2_000..2_005 {
        assert_eq!(run(seed, 3, 10_000), run(seed, 3, 10_000), "seed {seed}");
    }
    assert_ne!(run(2_000, 3, 10_000).digest, run(2_001, 3, 10_000).digest);
}
