//! tlog-witness: every refusal and its status, what must be stored, and the submitter's steps. The same
//! against other implementations: `ledger/tests/interop/witness.rs`.

use super::super::{
    Algorithm, Checkpoint, NoteSignature, SignedNote, VerifierKey,
    merkle::EMPTY_ROOT,
    proof::prove_consistency,
    witness::{
        AddCheckpoint, KnownLog, Pending, Record, Refusal, Step, Submission, SubmissionError,
        Witness, monitoring_name, origin_hash,
    },
};
use super::{Hash, Store, grow, leaves};
use crate::keys::SecretKey;

const ORIGIN: &str = "log.example/w/1";

struct Key(VerifierKey, SecretKey);

fn key(name: &str, algorithm: Algorithm, seed: u8) -> Key {
    let secret = SecretKey::from_seed(&[seed; 32]);
    Key(VerifierKey::new(name, algorithm, &secret.public().0).unwrap(), secret)
}

/// Two validators' keys and the witness's.
fn log_keys() -> [Key; 2] {
    [1, 2].map(|seed| key(ORIGIN, Algorithm::Ed25519, seed))
}

fn own() -> Key {
    key("univ.example/w", Algorithm::CosignatureV1, 9)
}

fn witness() -> Witness {
    let log = KnownLog::new(ORIGIN, log_keys().map(|key| key.0).to_vec()).unwrap();
    Witness::new(own().0, vec![log]).unwrap()
}

/// A log of `size` leaves; another `salt`, another log.
fn tree(size: u64, salt: u64) -> (Store, Hash) {
    let leaves: Vec<Hash> = leaves(size + salt)[salt as usize..].to_vec();
    let (frontier, store) = grow(&leaves);
    (store, frontier.root())
}

fn note(text: &str, signer: &Key) -> SignedNote {
    let mut note = SignedNote::new(text.to_owned()).unwrap();
    note.add(NoteSignature::sign(text, &signer.0, |m| signer.1.sign(m).0)).unwrap();
    note
}

/// Asks to go from `old` to `new` leaves of the log with this salt.
fn request(old: u64, new: u64, salt: u64) -> AddCheckpoint {
    let (store, root) = tree(new, salt);
    let text = Checkpoint::new(ORIGIN, new, root).unwrap().to_string();
    let proof = prove_consistency(&store, old.min(new), new).unwrap();
    AddCheckpoint::new(old, proof, note(&text, &log_keys()[0])).unwrap()
}

fn ask<'w>(
    witness: &'w mut Witness,
    request: &AddCheckpoint,
    time: u64,
) -> Result<Pending<'w>, Refusal> {
    witness.add_checkpoint(request, time, |message| own().1.sign(message).0)
}

fn cosign(witness: &mut Witness, old: u64, new: u64) -> String {
    let answer = ask(witness, &request(old, new, 0), 100).unwrap().persisted();
    assert_eq!(answer.status, 200);
    answer.body
}

/// Code and status of what is refused, and nothing has changed.
fn refused(witness: &mut Witness, request: &AddCheckpoint) -> (&'static str, u16) {
    let before = witness.clone();
    let refusal = ask(witness, request, 100).unwrap_err();
    let told = (refusal.code(), refusal.status());
    let answer = refusal.answer();
    assert_eq!(answer.status, told.1);
    assert!(told.1 == 409 || answer.body.starts_with(told.0));
    assert_eq!(*witness, before);
    told
}

#[test]
fn every_refusal_has_its_status() {
    let mut witness = witness();
    cosign(&mut witness, 0, 5);
    let with = |old, proof, text: &str, signer: &Key| {
        AddCheckpoint::new(old, proof, note(text, signer)).unwrap()
    };
    let signer = &log_keys()[1];
    let good = request(5, 8, 0);
    let text = good.note().text().to_owned();
    let proof = good.proof().to_vec();
    let cases = [
        (with(5, proof.clone(), &text.replace("/1", "/2"), signer), ("unknown_log", 404)),
        (
            with(5, proof.clone(), &text, &key(ORIGIN, Algorithm::Ed25519, 7)),
            ("no_trusted_signature", 403),
        ),
        (with(5, proof.clone(), &format!("{ORIGIN}\n8\n"), signer), ("bad_checkpoint", 400)),
        (with(9, proof.clone(), &text, signer), ("old_beyond_size", 400)),
        (with(0, vec![], &text, signer), ("old_size_conflict", 409)),
        (with(4, proof.clone(), &text, signer), ("old_size_conflict", 409)),
        (request(5, 5, 1), ("other_root", 422)),
        (request(5, 8, 1), ("root_mismatch", 422)),
        (with(5, vec![], &text, signer), ("wrong_proof_length", 422)),
        (with(5, [&proof[..], &[[1; 32]]].concat(), &text, signer), ("wrong_proof_length", 422)),
    ];
    for (request, expected) in cases {
        assert_eq!(refused(&mut witness, &request), expected, "{request}");
    }
    let forged = good.to_string().replace("\n8\n", "\n9\n");
    let forged = AddCheckpoint::parse(forged.as_bytes()).unwrap();
    assert_eq!(refused(&mut witness, &forged), ("bad_note_signature", 403));
    assert_eq!(ask(&mut witness, &good, 100).unwrap().persisted().status, 200);
    // A log does not shrink, whatever `old` says.
    assert_eq!(refused(&mut witness, &request(5, 5, 0)), ("old_size_conflict", 409));
    assert_eq!(refused(&mut witness, &request(8, 5, 0)), ("old_beyond_size", 400));
}

#[test]
fn the_empty_tree_has_one_root_and_needs_no_proof() {
    let mut fresh = witness();
    let empty = |root: Hash, proof: Vec<Hash>| {
        let text = format!("{ORIGIN}\n0\n{}\n", super::super::base64::encode(&root));
        AddCheckpoint::new(0, proof, note(&text, &log_keys()[0])).unwrap()
    };
    assert_eq!(refused(&mut fresh, &empty([1; 32], vec![])), ("bad_empty_root", 422));
    assert_eq!(refused(&mut fresh, &empty(EMPTY_ROOT, vec![[1; 32]])), ("wrong_proof_length", 422));
    let with_proof = AddCheckpoint::new(0, vec![[1; 32]], request(0, 3, 0).note().clone()).unwrap();
    assert_eq!(refused(&mut fresh, &with_proof), ("wrong_proof_length", 422));
    assert_eq!(ask(&mut fresh, &empty(EMPTY_ROOT, vec![]), 1).unwrap().persisted().status, 200);
    cosign(&mut fresh, 0, 3);
    // A stale size comes before an impossible tree.
    assert_eq!(refused(&mut fresh, &empty([1; 32], vec![])), ("old_size_conflict", 409));
}

#[test]
fn what_is_not_stored_was_never_decided() {
    let mut witness = witness();
    drop(ask(&mut witness, &request(0, 5, 0), 100).unwrap());
    assert!(witness.latest(ORIGIN).is_none());
    // Another history may still come first.
    let pending = ask(&mut witness, &request(0, 5, 1), 100).unwrap();
    let stored = pending.record().note().to_string();
    assert_eq!(pending.records().count(), 1);
    assert_eq!(pending.persisted().status, 200);
    assert_eq!(witness.latest(ORIGIN).unwrap().note().to_string(), stored);
    assert_eq!(refused(&mut witness, &request(5, 5, 0)), ("other_root", 422));
}

#[test]
fn a_restored_witness_goes_on_where_it_was() {
    let mut before = witness();
    cosign(&mut before, 0, 5);
    let stored = before.latest(ORIGIN).unwrap().note().to_string();
    let mut after = witness();
    after.restore(stored.as_bytes()).unwrap();
    assert_eq!(after, before);
    assert_eq!(refused(&mut after, &request(0, 5, 1)), ("old_size_conflict", 409));
    cosign(&mut after, 5, 8);
    let code = after.restore(stored.as_bytes()).unwrap_err().code();
    assert_eq!(code, "record_twice");
    // Of logs that it does not know any more, it remembers all the same.
    let mut without = Witness::new(own().0, vec![]).unwrap();
    without.restore(stored.as_bytes()).unwrap();
    assert_eq!(without.records().count(), 1);
    let hash = origin_hash(ORIGIN);
    assert_eq!(hex::encode(hash), monitoring_name(ORIGIN));
    assert_eq!(without.monitored(&hash).unwrap().note().to_string(), stored);
    for strange in ["", "x\n\n— w AAAAAAA=\n", request(0, 5, 0).note().to_string().as_str()] {
        assert_eq!(without.restore(strange.as_bytes()).unwrap_err().code(), "record_not_ours");
    }
}

#[test]
fn the_stored_note_has_the_logs_lines_and_ours_alone() {
    let mut witness = witness();
    let request = request(0, 5, 0);
    let mut note = request.note().clone();
    for other in [&log_keys()[1], &key("stranger", Algorithm::Ed25519, 5)] {
        note.add(NoteSignature::sign(note.text(), &other.0, |m| other.1.sign(m).0)).unwrap();
    }
    let request = AddCheckpoint::new(0, vec![], note).unwrap();
    let answer = ask(&mut witness, &request, 100).unwrap().persisted();
    let stored = witness.latest(ORIGIN).unwrap();
    let names: Vec<&str> = stored.note().signatures().iter().map(NoteSignature::name).collect();
    assert_eq!(names, [ORIGIN, ORIGIN, "univ.example/w"]);
    assert!(stored.note().to_string().ends_with(&answer.body));
    let keys = [log_keys().map(|key| key.0).as_slice(), &[own().0]].concat();
    assert_eq!(stored.note().verify(&keys).unwrap().len(), 3);
}

#[test]
fn a_clock_that_goes_back_takes_no_statement_back() {
    let mut witness = witness();
    for (old, new, clock, stated) in [(0, 5, 100, 100), (5, 8, 40, 100), (8, 8, 101, 101)] {
        let body = ask(&mut witness, &request(old, new, 0), clock).unwrap().persisted().body;
        let mut note = request(old, new, 0).note().clone();
        note.add(body.trim_end().parse().unwrap()).unwrap();
        assert_eq!(note.verify(&[own().0]).unwrap()[0].unix_seconds, Some(stated));
        let record = witness.latest(ORIGIN).unwrap();
        let again = Record::parse(record.note().to_string().as_bytes(), &own().0).unwrap();
        assert_eq!(again.unix_seconds(), stated);
    }
}

#[test]
fn a_witness_is_set_up_with_keys_that_fit() {
    let [one, two] = log_keys().map(|key| key.0);
    let code = |keys| KnownLog::new(ORIGIN, keys).unwrap_err().code();
    assert_eq!(code(vec![]), "log_without_key");
    assert_eq!(code(vec![one.clone(), own().0]), "not_a_log_key");
    assert_eq!(code(vec![one.clone(), two.clone(), one.clone()]), "ambiguous_key");
    let many = (0..64).map(|seed| key(ORIGIN, Algorithm::Ed25519, seed).0).collect();
    assert_eq!(code(many), "too_many_keys");
    assert_eq!(KnownLog::new("a\nb", vec![one.clone()]).unwrap_err().code(), "bad_origin");
    let log = KnownLog::new(ORIGIN, vec![one.clone()]).unwrap();
    let code = |key, logs| Witness::new(key, logs).unwrap_err().code();
    assert_eq!(code(one, vec![]), "not_a_cosigner");
    assert_eq!(code(own().0, vec![log.clone(), log.clone()]), "log_twice");
    assert_eq!(code(key("w", Algorithm::CosignatureV1, 1).0, vec![log]), "shared_key");
}

#[test]
fn requests_are_one_text() {
    let good = request(5, 8, 0).to_string();
    assert_eq!(AddCheckpoint::parse(good.as_bytes()).unwrap().to_string(), good);
    let (head, note) = good.split_once("\n\n").unwrap();
    let code = |body: String| AddCheckpoint::parse(body.as_bytes()).unwrap_err().code();
    for old in [
        "",
        "old",
        "old ",
        "old 05",
        "old +5",
        "old -5",
        "old 5 ",
        "Old 5",
        "old 5\r",
        "old 18446744073709551616",
    ] {
        assert_eq!(code(format!("{old}\n\n{note}")), "bad_old_size", "{old:?}");
    }
    for line in ["A", "old 5", "AAAA", " ", &"A".repeat(44)] {
        assert_eq!(code(format!("{head}\n{line}\n\n{note}")), "bad_proof_line", "{line:?}");
    }
    let hash = super::super::base64::encode(&[7; 32]);
    let many = |count| format!("old 5\n{}\n{note}", format!("{hash}\n").repeat(count));
    assert_eq!(AddCheckpoint::parse(many(63).as_bytes()).unwrap().proof().len(), 63);
    assert_eq!(code(many(64)), "too_many_proof_lines");
    assert_eq!(code(format!("{head}\n{note}")), "bad_proof_line");
    assert_eq!(code(head.to_owned()), "no_checkpoint");
    assert_eq!(code(format!("{head}\n\n")), "bad_note");
    assert_eq!(code("x".repeat(300_000)), "request_too_long");
    assert_eq!(AddCheckpoint::parse(&[0xff]).unwrap_err().code(), "bad_note_text");
}

/// What a submission makes of an answer to a checkpoint of 8 leaves, when 5 are known.
fn answered(status: u16, content_type: Option<&str>, body: &str) -> Result<Step, SubmissionError> {
    let mut submission = Submission::new(own().0, 5);
    submission.answered(request(5, 8, 0).note(), status, content_type, body.as_bytes())
}

#[test]
fn the_submitter_believes_a_verified_line_alone() {
    let mut witness = witness();
    cosign(&mut witness, 0, 5);
    let line = cosign(&mut witness, 5, 8);
    assert!(matches!(answered(200, None, &line), Ok(Step::Cosigned(_))));
    let stranger = "— other.example/w AAAAAAAA\n";
    assert!(matches!(answered(200, None, &format!("{stranger}{line}")), Ok(Step::Cosigned(_))));
    let code = |body: &str| answered(200, None, body).unwrap_err().code();
    assert_eq!(code(stranger), "bad_witness_cosignature");
    let mut earlier = self::witness();
    assert_eq!(code(&cosign(&mut earlier, 0, 5)), "bad_witness_cosignature");
    for broken in
        ["", "\n", "nonsense\n", line.trim_end(), &format!("{line}\n"), &format!("\n\n{line}")]
    {
        assert_eq!(code(broken), "bad_witness_answer", "{broken:?}");
    }
    for (status, code) in [
        (400, "witness_bad_request"),
        (403, "witness_forbidden"),
        (404, "witness_unknown_log"),
        (422, "witness_unprocessable"),
        (429, "witness_busy"),
        (503, "witness_unavailable"),
    ] {
        let error = answered(status, None, "").unwrap_err();
        assert_eq!((error.code(), error.is_alarm()), (code, status == 422));
    }
}

#[test]
fn the_submitter_follows_the_witness_forward_only() {
    const SIZE: Option<&str> = Some("text/x.tlog.size");
    assert_eq!(answered(409, SIZE, "7\n"), Ok(Step::Again));
    assert_eq!(answered(409, SIZE, "8\n"), Ok(Step::Again));
    assert_eq!(answered(409, SIZE, "9\n"), Err(SubmissionError::Ahead { size: 9 }));
    let regressed = answered(409, SIZE, "3\n").unwrap_err();
    assert_eq!((regressed.code(), regressed.is_alarm()), ("witness_regressed", true));
    for (content_type, body) in [
        (SIZE, "5\n"),
        (SIZE, "07\n"),
        (SIZE, "7"),
        (SIZE, ""),
        (None, "7\n"),
        (Some("text/plain"), "7\n"),
    ] {
        assert_eq!(answered(409, content_type, body), Err(SubmissionError::BadAnswer), "{body:?}");
    }
    let mut submission = Submission::new(own().0, 0);
    let note = request(0, 8, 0);
    let steps: Vec<_> = ["1\n", "2\n", "3\n"]
        .map(|body| submission.answered(note.note(), 409, SIZE, body.as_bytes()))
        .into();
    assert_eq!(steps, [Ok(Step::Again), Ok(Step::Again), Err(SubmissionError::TooManyConflicts)]);
    let (store, _) = tree(8, 0);
    assert_eq!(submission.request(note.note(), &store).unwrap().old(), 3, "what it named is kept");
    let small = request(0, 2, 0);
    let ahead = submission.request(small.note(), &store).unwrap_err();
    assert_eq!(ahead, SubmissionError::Ahead { size: 3 });
}
