//! Plans and proofs against a tree made as RFC 6962 says it.

use sha2::{Digest, Sha256};

use super::{RunLine, is_set, plan::RunPlan, set};
use crate::{
    amount::Amount,
    codec,
    hash::Hash,
    id::{MerkleHash, PartyId, Salt, TxId},
    lot::OriginKind,
    operation::{OpenRun, RunChunk},
    time::Time,
};

fn lines(count: u32) -> Vec<RunLine> {
    let line = |at: u32| {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&at.to_le_bytes());
        RunLine {
            to: PartyId(bytes),
            amount: Amount(u64::from(at) + 1),
            salt: Salt([7; 16]),
            old: None,
        }
    };
    (0..count).map(line).collect()
}

/// MTH of RFC 6962 section 2.1, word for word.
fn mth(entries: &[Vec<u8>]) -> Hash {
    match entries {
        [] => Sha256::digest([]).into(),
        [entry] => Sha256::digest([&[0][..], entry].concat()).into(),
        _ => {
            let mut half = 1;
            while half * 2 < entries.len() {
                half *= 2;
            }
            let (left, right) = (mth(&entries[..half]), mth(&entries[half..]));
            Sha256::digest([&[1][..], &left, &right].concat()).into()
        }
    }
}

fn manifest(plan: &RunPlan) -> OpenRun {
    OpenRun {
        instrument: "POINT".parse().expect("a code"),
        origin: OriginKind::Grant,
        funder: PartyId([1; 16]),
        campaign: 0,
        root: plan.root(),
        count: plan.count(),
        total: plan.total(),
        until: Time(1),
        import: None,
    }
}

#[test]
fn roots_are_those_of_rfc_6962_and_every_chunk_proves_itself() {
    for count in [1, 2, 3, 5, 63, 64, 65, 127, 128, 129, 200, 1_000] {
        let lines = lines(count);
        let plan = RunPlan::new(lines.clone()).expect("a plan");
        let entries: Vec<Vec<u8>> = lines.iter().map(codec::encode).collect();
        assert_eq!(plan.root().0, mth(&entries), "{count}");
        let manifest = manifest(&plan);
        for level in 0..=6 {
            for place in 0..manifest.parts(level).min(40) {
                let chunk = plan.chunk(TxId([0; 32]), level, place).expect("a chunk");
                assert!(chunk.well_formed() && chunk.proves(&manifest), "{count} {level} {place}");
                let first = chunk.first().expect("in range") as usize;
                assert_eq!(chunk.lines, lines[first..first + chunk.lines.len()]);
            }
            assert_eq!(plan.chunk(TxId([0; 32]), level, manifest.parts(level)), None);
        }
        assert_eq!(plan.chunk(TxId([0; 32]), 7, 0), None);
        let sent: usize = plan.chunks(TxId([0; 32])).map(|chunk| chunk.lines.len()).sum();
        assert_eq!(sent, count as usize);
    }
}

#[test]
fn whatever_is_changed_proves_nothing() {
    let plan = RunPlan::new(lines(200)).expect("a plan");
    let manifest = manifest(&plan);
    for (level, place) in [(6, 0), (6, 3), (0, 199), (3, 24)] {
        let good = plan.chunk(TxId([0; 32]), level, place).expect("a chunk");
        let change = |change: &dyn Fn(&mut RunChunk)| {
            let mut chunk = good.clone();
            change(&mut chunk);
            assert!(!chunk.proves(&manifest), "{chunk:?}");
        };
        change(&|chunk| chunk.place += 1);
        change(&|chunk| chunk.place = u32::MAX);
        change(&|chunk| chunk.level ^= 1);
        change(&|chunk| chunk.lines[0].amount = Amount(999));
        change(&|chunk| chunk.lines[0].to = PartyId([9; 16]));
        change(&|chunk| chunk.lines[0].salt = Salt([9; 16]));
        change(&|chunk| chunk.lines.truncate(chunk.lines.len() - 1));
        change(&|chunk| chunk.lines.push(chunk.lines[0]));
        change(&|chunk| chunk.proof.truncate(chunk.proof.len() - 1));
        change(&|chunk| chunk.proof.push(MerkleHash([0; 32])));
        change(&|chunk| chunk.proof[0].0[0] ^= 1);
    }
    let other = OpenRun { count: 201, ..manifest };
    assert!(!plan.chunk(TxId([0; 32]), 6, 3).expect("a chunk").proves(&other));
}

#[test]
fn plans_are_bounded_and_bits_stand_alone() {
    assert!(RunPlan::new(Vec::new()).is_err());
    assert!(RunPlan::new(lines(100_001)).is_err());
    let huge = RunLine { amount: Amount(u64::MAX), ..lines(1)[0] };
    assert!(RunPlan::new(vec![huge, huge]).is_err());
    let mut words = vec![0; 16];
    for at in [0, 63, 64, 1_023] {
        set(&mut words, at, true);
        assert!(is_set(&words, at) && !is_set(&words, at ^ 1));
    }
    set(&mut words, 63, false);
    assert!(!is_set(&words, 63) && is_set(&words, 64));
}
