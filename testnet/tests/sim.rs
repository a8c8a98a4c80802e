//! The simulator as a test: seeds hold, faults take place, and a seed is the same run every time.

#![allow(clippy::unwrap_used)]

use std::io::Write;

use musubi_testnet::sim::{STEPS, Simulator, Stats};

#[test]
fn twenty_seeds_hold_and_meet_every_fault() {
    let simulator = Simulator::new();
    let mut total = Stats::default();
    for seed in 1..=20 {
        let run = simulator.run(seed, STEPS, None, None).unwrap();
        assert_eq!(run.violation, None, "seed {seed}\n{}", run.options);
        total.add(&run.stats);
    }
    println!("{}", total.table());
    assert_eq!(total.missing(), Vec::<&str>::new());
    assert!(total.noticed >= total.put_back + total.wiped + total.swapped, "each was noticed");
    for (what, count) in [
        ("crash behind a step", total.seam_crashes),
        ("failing disk", total.disk_failures),
        ("hung disk", total.disk_hangs),
        ("replaced tail", total.truncations),
        ("partition", total.partitions),
        ("lost frame", total.dropped),
        ("repeated frame", total.duplicated),
        ("jump of a clock", total.clock_jumps),
        ("leader not believed", total.distrusts),
        ("backup put back", total.put_back),
        ("wiped disk", total.wiped),
        ("swapped disk", total.swapped),
        ("rejected transaction", total.rejected),
        ("void item", total.void),
        ("cosignature", total.cosignatures),
        ("change of policy that is final", total.policies),
    ] {
        assert!(count > 0, "no {what} in 20 seeds");
    }
}

#[test]
fn a_seed_is_the_same_run_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    let traced = |seed: u64, name: &str| {
        let path = directory.path().join(name);
        let file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        let sink: Box<dyn Write> = Box::new(file);
        // A simulator of its own: nothing may be left over from another run.
        let run = Simulator::new().run(seed, 3_000, None, Some(sink)).unwrap();
        (run.trace_hash, run.stats, std::fs::read(path).unwrap())
    };
    let (first, again) = (traced(42, "first"), traced(42, "again"));
    assert!(first.2.len() > 10_000);
    assert_eq!(first, again);
    // Writing the trace down changes nothing, and another seed is another run.
    let simulator = Simulator::new();
    assert_eq!(simulator.run(42, 3_000, None, None).unwrap().trace_hash, first.0);
    assert_ne!(simulator.run(43, 3_000, None, None).unwrap().trace_hash, first.0);
}
