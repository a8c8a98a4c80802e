//! The file's lines, the path, the checkpoint and its signatures.

use super::{Case, named};
use crate::common::*;
use musubi_ledger::{
    proof::TransactionProof,
    tlog::{Hash, ProofFile, base64, checkpoint::Checkpoint, proof::prove_inclusion},
};

pub(super) fn all(world: &World, proof: &TransactionProof) -> Vec<Case> {
    [file(proof), path(proof), note(world, proof)].concat()
}

/// The lines of the file.
fn file(proof: &TransactionProof) -> Vec<Case> {
    let text = proof.to_string();
    let change = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let extra = format!("extra {}\n", base64::encode(proof.file().extra().unwrap()));
    let index = format!("index {}\n", proof.file().index());
    vec![
        named("another version", change("@v1", "@v2"), "bad_proof_header"),
        named("carriage returns", text.replace('\n', "\r\n"), "bad_proof_header"),
        named("extra data that is no base64", change("extra ", "extra !"), "bad_proof_extra"),
        named("no extra data", change(&extra, ""), "no_proof_extra"),
        named("no index", change(&index, ""), "bad_proof_index"),
        named("an index with a leading zero", change("index ", "index 0"), "bad_proof_index"),
        named(
            "cut off in front of the checkpoint",
            &text[..text.find("\n\n").unwrap()],
            "no_proof_checkpoint",
        ),
        named("cut off in the checkpoint", &text[..text.len() - 1], "bad_note"),
        named("a line behind the last", format!("{text}more\n"), "bad_signature_line"),
    ]
}

/// The same opening and note with another index or path.
fn rebuilt(proof: &TransactionProof, index: u64, hashes: Vec<Hash>) -> Vec<u8> {
    let file = proof.file();
    let extra = file.extra().map(<[u8]>::to_vec);
    let file = ProofFile::new(extra, index, hashes, file.checkpoint().into()).unwrap();
    file.to_string().into_bytes()
}

fn path(proof: &TransactionProof) -> Vec<Case> {
    let (index, hashes) = (proof.file().index(), proof.file().hashes());
    let size = proof.file().unchecked_checkpoint().unwrap().size();
    let with = |change: &dyn Fn(&mut Vec<Hash>)| {
        let mut hashes = hashes.to_vec();
        change(&mut hashes);
        rebuilt(proof, index, hashes)
    };
    let mut cases = vec![
        named(
            "the index of a neighbour",
            rebuilt(proof, index ^ 1, hashes.to_vec()),
            "root_mismatch",
        ),
        named(
            "an index beyond the log",
            rebuilt(proof, size, hashes.to_vec()),
            "index_beyond_size",
        ),
        named("a hash too few", with(&|h| h.truncate(h.len() - 1)), "wrong_proof_length"),
        named("a hash too many", with(&|h| h.push([0; 32])), "wrong_proof_length"),
        named("two hashes swapped", with(&|h| h.swap(0, 1)), "root_mismatch"),
    ];
    for at in 0..hashes.len() {
        let bytes = with(&|h| h[at][31] ^= 1);
        cases.push(named(&format!("hash {at} altered"), bytes, "root_mismatch"));
    }
    cases
}

/// The checkpoint and its signatures.
fn note(world: &World, proof: &TransactionProof) -> Vec<Case> {
    let with = |note: String| {
        let file = proof.file();
        let extra = file.extra().map(<[u8]>::to_vec);
        let file = ProofFile::new(extra, file.index(), file.hashes().to_vec(), note).unwrap();
        file.to_string().into_bytes()
    };
    let note = proof.file().checkpoint();
    let checkpoint = world.checkpoint();
    let origin = checkpoint.origin();
    let size = checkpoint.size().to_string();
    let lines: Vec<&str> = note.lines().collect();
    let logs = format!("— {origin} ");
    let without = |dropped: &dyn Fn(&str) -> bool| {
        let kept = lines.iter().filter(|line| !dropped(line));
        with(kept.map(|line| format!("{line}\n")).collect())
    };
    let is_cosigner = |line: &str| line.starts_with("— ") && !line.starts_with(&logs);
    let cosigner = |line: &str, node: u64| line.contains(&format!("/node/{node} "));
    let other =
        Checkpoint::new("elsewhere.example/1", checkpoint.size(), *checkpoint.root()).unwrap();
    let root = Checkpoint::new(origin, checkpoint.size(), [7; 32]).unwrap();
    let older = world.checkpoint_at(proof.file().index());
    let older_path = |size| prove_inclusion(&world.archive, 0, size).unwrap();
    let too_old = ProofFile::new(
        proof.file().extra().map(<[u8]>::to_vec),
        proof.file().index(),
        older_path(older.size()),
        signed_by(&older, &VALIDATORS),
    );
    vec![
        named(
            "another size",
            with(note.replacen(&size, &(checkpoint.size() + 1).to_string(), 1)),
            "bad_note_signature",
        ),
        named(
            "another root",
            with(note.replacen(lines[2], &base64::encode(&[7; 32]), 1)),
            "bad_note_signature",
        ),
        named(
            "another origin",
            with(note.replacen(origin, "elsewhere.example/1", 1)),
            "bad_note_signature",
        ),
        named("a line more", with(note.replacen("\n\n", "\nmore\n\n", 1)), "bad_note_signature"),
        named("a byte of a signature", altered_signature(with, note), "bad_note_signature"),
        named("one cosigner of three", without(&|l| cosigner(l, 1) || cosigner(l, 2)), "no_quorum"),
        named("no cosigner", without(&is_cosigner), "no_quorum"),
        named("no log's signature", without(&|l| l.starts_with(&logs)), "not_signed_by_log"),
        named(
            "no signature of anybody known",
            with(format!("{checkpoint}\n— x AAAAAAAA\n")),
            "no_trusted_signature",
        ),
        named("signed as another log", with(signed_by(&other, &VALIDATORS)), "other_log"),
        named("final, with another root", with(signed_by(&root, &VALIDATORS)), "root_mismatch"),
        named("final, older than the leaf", too_old.unwrap().to_string(), "index_beyond_size"),
    ]
}

/// Flips a bit in the last byte of the first signature line.
fn altered_signature(with: impl Fn(String) -> Vec<u8>, note: &str) -> Vec<u8> {
    let line = note.lines().find(|line| line.starts_with("— ")).unwrap();
    let (name, encoded) = line.rsplit_once(' ').unwrap();
    let mut bytes = base64::decode(encoded).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    with(note.replacen(line, &format!("{name} {}", base64::encode(&bytes)), 1))
}
