//! The audit against a real chain: a clean record passes, a byte changed anywhere is named.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{fs, path::Path};

use common::town::{Town, a_day};
use musubi_sdk::{
    ChainId,
    audit::{
        AuditError, Auditor, Closing, Covered, Demands, FILES, Finding, Options, Part, Report,
        Source, run,
    },
    ledger::time::Time,
};

async fn audit(directory: &Path) -> Result<Report, AuditError> {
    let source = Source::directory(directory)?;
    run(source, Options::default(), |_| {}).await
}

/// Feeds everything, against these notes.
fn feed(
    town: &Town,
    notes: &[(u64, String)],
    expected: Option<ChainId>,
    demands: &Demands,
) -> Result<Report, Finding> {
    let mut auditor = Auditor::new(&town.genesis.encode(), expected)?;
    let mut leaves = town.leaves.iter();
    let mut seals = town.seals.iter();
    auditor.open(&mut leaves, seals.next().map(Vec::as_slice));
    for entry in &town.entries {
        auditor.feed(entry, &mut leaves, seals.next().map(Vec::as_slice));
    }
    let closing = Closing { notes: notes.to_vec(), demands: *demands, ..Closing::default() };
    auditor.finish(&closing).map_err(|findings| findings.first)
}

fn feed_all(town: &Town) -> Result<Report, Finding> {
    feed(town, &town.notes(), None, &Demands::default())
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn a_clean_record_passes_and_counts_add_up() {
    let town = a_day();
    let report = feed_all(&town).unwrap();
    assert_eq!(report.height, town.chain.head().height);
    assert_eq!(report.size, town.leaves.len() as u64);
    assert_eq!(report.root, hex::encode(town.chain.root()));
    assert_eq!(report.kinds["transfer"], 3);
    assert_eq!(report.kinds["top_up"], 2);
    assert_eq!(report.rejected["insufficient_funds"], 1);
    for code in ["already_judged", "bad_signature", "malformed"] {
        assert_eq!(report.void[code], 1, "{code}");
    }
    assert_eq!(report.system, 1);
    assert!(report.signatures >= 20);
    assert_eq!(report.supply[0].issued.0, 40_000);
    assert_eq!(report.supply[0].outstanding.0, 40_000);
    assert_eq!(report.validators.len(), 3);
    assert_eq!(report.validators[2].height, report.height - 1);
    assert!(report.consent_forms["live"] > report.consent_forms["mandate"]);
}

#[tokio::test]
async fn a_directory_gives_the_same_report() {
    let town = a_day();
    let folder = tempfile::tempdir().unwrap();
    town.write(folder.path());
    let mut seen = 0;
    let source = Source::directory(folder.path()).unwrap();
    let report = run(source, Options::default(), |progress| seen = progress.height).await.unwrap();
    assert_eq!(report, feed_all(&town).unwrap());
    assert_eq!(seen, report.height);
}

#[tokio::test]
async fn many_blocks_are_read_in_pages() {
    let mut town = a_day();
    for _ in 0..300 {
        town.block(Vec::new());
    }
    let folder = tempfile::tempdir().unwrap();
    town.write(folder.path());
    let report = audit(folder.path()).await.unwrap();
    assert_eq!(report.height, town.chain.head().height);
}

/// Flips one bit of a file, audits, restores. Returns what the audit said.
async fn with_flip(folder: &Path, name: &str, at: usize, bit: u8) -> AuditError {
    let path = folder.join(name);
    let whole = fs::read(&path).unwrap();
    let mut changed = whole.clone();
    changed[at] ^= 1 << bit;
    fs::write(&path, changed).unwrap();
    let result = audit(folder).await;
    fs::write(&path, whole).unwrap();
    match result {
        Err(error) => error,
        Ok(_) => panic!("bit {bit} of byte {at} of {name} was changed, and the audit passed"),
    }
}

#[tokio::test]
async fn one_bit_changed_in_any_file_is_found() {
    let town = a_day();
    let folder = tempfile::tempdir().unwrap();
    town.write(folder.path());
    for name in FILES {
        let length = fs::metadata(folder.path().join(name)).unwrap().len();
        let length = usize::try_from(length).unwrap();
        // Every byte of the checkpoints, which are text and tolerate most; a sample of the others.
        let samples = if name == "checkpoints.json" { length } else { 150 };
        let step = (length / samples).max(1);
        for (n, at) in (0..length).step_by(step).enumerate() {
            let bit = u8::try_from(n % 8).unwrap();
            let error = with_flip(folder.path(), name, at, bit).await;
            assert!(error.finding().is_some(), "{name} byte {at}: {error}");
        }
    }
}

/// Byte offsets of the records in a length-prefixed file.
fn offsets(records: &[Vec<u8>], prefix: usize) -> Vec<usize> {
    let mut at = 0;
    let places = records.iter().map(|record| {
        let place = at + prefix;
        at = place + record.len();
        place
    });
    places.collect()
}

#[tokio::test]
async fn the_finding_names_the_very_entry() {
    let town = a_day();
    let folder = tempfile::tempdir().unwrap();
    town.write(folder.path());
    for (n, at) in offsets(&town.entries, 4).into_iter().enumerate() {
        // The last byte of an entry: its leader's signature.
        let end = at + town.entries[n].len() - 1;
        let error = with_flip(folder.path(), "entries.bin", end, 0).await;
        let finding = error.finding().unwrap();
        assert_eq!(finding.height, Some(n as u64 + 1), "{finding}");
    }
    for (n, at) in offsets(&town.leaves, 2).into_iter().enumerate() {
        let error = with_flip(folder.path(), "leaves.bin", at + 60, 3).await;
        let finding = error.finding().unwrap();
        assert_eq!((finding.part, finding.leaf), (Part::Leaf, Some(n as u64)), "{finding}");
    }
    for (n, at) in offsets(&town.seals, 2).into_iter().enumerate() {
        let error = with_flip(folder.path(), "seals.bin", at + 20, 3).await;
        let finding = error.finding().unwrap();
        assert_eq!((finding.part, finding.height), (Part::Seal, Some(n as u64)), "{finding}");
    }
}

#[test]
fn a_changed_item_is_named_by_its_position() {
    let mut town = a_day();
    // Block 3 has the payments; its second item is a gift. Change a byte of that item's salt.
    let entry = &mut town.entries[2];
    let gift = town.blocks[3].entries[1].salt.0;
    let at = entry.windows(16).position(|w| w == gift).unwrap();
    entry[at] ^= 1;
    let finding = feed_all(&town).unwrap_err();
    assert_eq!(finding.height, Some(3));
    let text = finding.to_string();
    // With its salt changed, the item's signatures no longer verify: void, so the next leaf moves up.
    assert!(
        finding.part == Part::Leaf && finding.leaf == Some(town.blocks[3].first_leaf + 1),
        "{text}"
    );
    assert!(text.contains("the entry itself: not signed by the leader"), "{text}");
}

#[test]
fn a_leader_who_rewrites_and_signs_again_is_caught_by_leaves_and_validators() {
    let honest = a_day();
    let mut forged = a_day();
    // The same day happened differently (other salts), all re-signed by the leader: consistent in
    // itself, but not what the validators signed.
    let notes = honest.notes();
    let report = feed_all(&forged).unwrap();
    assert_ne!(report.root, hex::encode(honest.chain.root()));
    let finding = feed(&forged, &notes, None, &Demands::default()).unwrap_err();
    assert_eq!(finding.fault.code(), "other_root");
    // Published with the honest leaves, it differs at the first transaction.
    forged.leaves = honest.leaves;
    let finding = feed_all(&forged).unwrap_err();
    assert_eq!((finding.height, finding.leaf), (Some(1), Some(2)));
}

#[test]
fn checkpoints_must_be_there_and_be_the_validators_own() {
    let town = a_day();
    let code = |notes: &[(u64, String)]| {
        let report = feed(&town, notes, None, &Demands::default());
        report.map(drop).map_err(|f| f.fault.code())
    };
    let notes = town.notes();
    assert_eq!(code(&notes), Ok(()));
    let swapped = vec![notes[0].clone(), (2, notes[2].1.clone()), notes[2].clone()];
    assert_eq!(code(&swapped), Err("no_trusted_signature"));
    let stranger = [notes.clone(), vec![(4, notes[0].1.clone())]].concat();
    assert_eq!(code(&stranger), Err("unknown_validator"));
    let mut longer = a_day();
    longer.block(Vec::new());
    let ahead = vec![notes[0].clone(), notes[1].clone(), longer.note(3, longer.blocks.len() - 1)];
    assert_eq!(code(&ahead), Err("other_size"));
}

#[tokio::test]
async fn a_record_of_another_chain_is_no_answer_about_this_one() {
    let town = a_day();
    let (own, other) = (town.chain.id(), ChainId([7; 32]));
    let demands = Demands::default();
    let report = feed(&town, &town.notes(), Some(own), &demands).unwrap();
    assert!(report.pinned && report.warnings.is_empty(), "{:?}", report.warnings);
    let loose = feed(&town, &town.notes(), None, &demands).unwrap();
    assert!(!loose.pinned);
    assert_eq!(codes(&loose), ["chain_not_pinned"]);
    let finding = feed(&town, &town.notes(), Some(other), &demands).unwrap_err();
    assert_eq!((finding.part, finding.fault.code()), (Part::Genesis, "wrong_chain"));
    // The same through the whole machinery.
    let folder = tempfile::tempdir().unwrap();
    town.write(folder.path());
    let source = Source::directory(folder.path()).unwrap();
    let options = Options { expected: Some(other), ..Options::default() };
    let error = run(source, options, |_| {}).await.unwrap_err();
    assert_eq!(error.code(), "wrong_chain");
}

#[test]
fn a_silent_validator_is_told_and_a_silent_majority_is_a_finding() {
    let town = a_day();
    let own = Some(town.chain.id());
    let notes = town.notes();
    let strict = Demands { all_validators: true, ..Demands::default() };
    let report = feed(&town, &notes[1..], own, &Demands::default()).unwrap();
    assert_eq!(codes(&report), ["validator_silent"]);
    assert!(report.warnings[0].detail.contains("node 1"), "{:?}", report.warnings);
    assert_eq!((report.validators.len(), report.covered_by_all), (2, None));
    let finding = feed(&town, &notes[1..], own, &strict).unwrap_err();
    assert_eq!(finding.fault.code(), "validator_silent");
    assert!(feed(&town, &notes, own, &strict).is_ok());
    for few in [&notes[..1], &[]] {
        let finding = feed(&town, few, own, &Demands::default()).unwrap_err();
        assert_eq!((finding.part, finding.fault.code()), (Part::Checkpoint, "not_covered"));
    }
    // The same validator twice is one validator.
    let twice = [town.note(1, 2), town.note(1, 5)];
    let finding = feed(&town, &twice, own, &Demands::default()).unwrap_err();
    assert_eq!(finding.fault.code(), "not_covered");
}

#[test]
fn a_record_cut_off_with_old_notes_does_not_reach_far_enough() {
    let town = a_day();
    let own = Some(town.chain.id());
    // Somebody shows the first six blocks only, with notes that the validators signed back then.
    let blocks = 6;
    let mut old = Town::open();
    old.entries = town.entries[..blocks].to_vec();
    old.seals = town.seals[..=blocks].to_vec();
    let leaves = usize::try_from(town.blocks[blocks].head.size).unwrap();
    old.leaves = town.leaves[..leaves].to_vec();
    let notes = [town.note(1, blocks), town.note(2, blocks), town.note(3, blocks - 2)];
    let audit = |demands: Demands| feed(&old, &notes, own, &demands);
    let end = town.blocks[blocks].head;
    let report = audit(Demands::default()).unwrap();
    let whole = Covered { size: end.size, height: end.height, time: end.time, blocks_beyond: 0 };
    assert_eq!(report.covered_by_majority, whole);
    let all = report.covered_by_all.unwrap();
    assert_eq!((all.height, all.blocks_beyond), (end.height - 2, 2));

    let code = |demands: Demands| audit(demands).map(drop).map_err(|f| f.fault.code());
    let height = |height| Demands { min_height: Some(height), ..Demands::default() };
    assert_eq!(code(height(end.height)), Ok(()));
    assert_eq!(code(height(end.height + 1)), Err("not_covered"));
    let since = |time: Time| Demands { not_before: Some(time), ..Demands::default() };
    assert_eq!(code(since(end.time)), Ok(()));
    assert_eq!(code(since(end.time.plus(1))), Err("not_covered"));
    // All of them have signed two blocks less.
    for demands in [height(end.height), since(end.time)] {
        let strict = Demands { all_validators: true, ..demands };
        assert_eq!(code(strict), Err("not_covered"));
    }
}

#[test]
fn a_tail_that_one_node_signed_alone_is_told_from_the_rest() {
    let mut town = a_day();
    let own = Some(town.chain.id());
    let agreed = town.blocks.len() - 1;
    let signed = town.blocks[agreed].head;
    // Node 1 goes on by itself: batches under its own key, and a checkpoint of its own.
    let alone = town.pay(common::town::ALICE, common::town::BOB, 1);
    town.block(vec![alone.encode()]);
    town.block_after(120_000, Vec::new());
    let end = town.blocks.len() - 1;
    let notes = [town.note(1, end), town.note(2, agreed), town.note(3, agreed)];
    let report = feed(&town, &notes, own, &Demands::default()).unwrap();
    assert_eq!(report.height, end as u64);
    let covered = report.covered_by_majority;
    assert_eq!((covered.height, covered.size), (signed.height, signed.size));
    assert_eq!((covered.time, covered.blocks_beyond), (signed.time, 2));
    assert_eq!(report.covered_by_all, Some(covered));
    assert_eq!(codes(&report), ["unsigned_tail"]);
    let demands = Demands { min_height: Some(end as u64), ..Demands::default() };
    let finding = feed(&town, &notes, own, &demands).unwrap_err();
    assert_eq!(finding.fault.code(), "not_covered");
    // A second one makes it a majority; who stays behind is told.
    let notes = [town.note(1, end), town.note(2, end), town.note(3, agreed)];
    let report = feed(&town, &notes, own, &demands).unwrap();
    assert_eq!(report.covered_by_majority.blocks_beyond, 0);
    assert_eq!(codes(&report), ["validator_behind"]);
}

#[tokio::test]
async fn what_is_cut_off_or_too_much_is_named() {
    let town = a_day();
    let folder = tempfile::tempdir().unwrap();
    town.write(folder.path());
    for name in ["entries.bin", "seals.bin", "leaves.bin"] {
        let path = folder.path().join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(audit(folder.path()).await.unwrap_err().finding().is_some());
        let more = [whole.clone(), whole[whole.len() - 20..].to_vec()].concat();
        fs::write(&path, more).unwrap();
        assert!(audit(folder.path()).await.unwrap_err().finding().is_some());
        fs::write(&path, &whole).unwrap();
    }
    // Whole blocks cut off: the validators know more.
    let cut = town.entries.len() - 3;
    let mut shorter = Town::open();
    shorter.entries = town.entries[..cut].to_vec();
    shorter.seals = town.seals[..=cut].to_vec();
    let leaves = usize::try_from(town.blocks[cut].head.size).unwrap();
    shorter.leaves = town.leaves[..leaves].to_vec();
    shorter.blocks.clone_from(&town.blocks);
    shorter.write(folder.path());
    let error = audit(folder.path()).await.unwrap_err();
    assert_eq!(error.code(), "other_size");
    let missing = audit(&folder.path().join("nowhere")).await.unwrap_err();
    assert_eq!(missing.code(), "file");
}
