//! Two roots at one size, and rewritten histories.

use musubi_ledger::{
    batch::NodeId,
    evidence::{Evidence, EvidenceError, Place, Rewritten, Signs, Suspect, TwoRoots, verify},
    hash::Hash,
    keys::SecretKey,
    tlog::{
        ProofError,
        checkpoint::{Checkpoint, CheckpointError},
        note::SignedNote,
        signature::NoteSignature,
    },
};

use crate::{common::key, scene::*};

const A: Hash = [1; 32];
const B: Hash = [2; 32];

fn error(evidence: &Evidence) -> EvidenceError {
    verify(&evidence.encode(), &suspects()).unwrap_err()
}

fn two(first: &str, second: &str) -> EvidenceError {
    error(&Evidence::TwoRoots(TwoRoots { first: first.into(), second: second.into() }))
}

#[test]
fn two_roots_at_one_size_name_the_key_that_signed_both() {
    for cosigner in [false, true] {
        let who = suspect(2, cosigner);
        // Whoever else signed the notes is not in the file.
        let (one, other) = (note(2, 9, B, Some(100)), note(2, 9, A, Some(7)));
        let evidence = Evidence::two_roots(&who, &one, &other).unwrap();
        assert_eq!(Some(&evidence), Evidence::two_roots(&who, &other, &one).as_ref());
        let finding = verify(&evidence.encode(), &suspects()).unwrap();
        names(&finding, 2, cosigner);
        let place = Place::Log { origin: ORIGIN.into(), size: 9, later: None };
        assert_eq!(finding.place, place);
        assert!(finding.to_string().contains("two different roots"));
        let Evidence::TwoRoots(inner) = evidence else { panic!("another kind") };
        assert_eq!(inner.first.matches("\u{2014} ").count(), 1);
    }
}

#[test]
fn one_signature_equal_roots_or_another_log_accuse_nobody() {
    let (a, b) = (note(2, 9, A, None), note(2, 9, B, None));
    let who = suspect(2, false);
    assert_eq!(Evidence::two_roots(&who, &a, &a), None);
    assert_eq!(Evidence::two_roots(&who, &a, &note(2, 10, B, None)), None);
    assert_eq!(Evidence::two_roots(&who, &a, &note(1, 9, B, None)), None, "another signed it");
    assert_eq!(Evidence::two_roots(&suspect(1, false), &a, &b), None);

    assert_eq!(two(&a, &a), EvidenceError::Same);
    assert_eq!(two(&b, &a), EvidenceError::NotCanonical);
    assert_eq!(two(&a, &note(2, 10, B, None)), EvidenceError::OtherPlace);
    assert_eq!(two(&a, &note(1, 9, B, None)), EvidenceError::NotSigned);
    // The same time stamped twice over one root is no contradiction.
    let cosigned = |seconds, root| {
        let whole: SignedNote = note(2, 9, root, Some(seconds)).parse().unwrap();
        let mut alone = SignedNote::new(whole.text().to_owned()).unwrap();
        alone.add(whole.signatures()[1].clone()).unwrap();
        alone.to_string()
    };
    assert_eq!(two(&cosigned(1, A), &cosigned(2, A)), EvidenceError::Same);
    // A node's two keys are two signers: of one key each there is one signature.
    assert_eq!(two(&a, &cosigned(1, B)), EvidenceError::NotSigned);
    assert_eq!(two(&note(2, 9, A, Some(1)), &note(2, 9, B, Some(1))), EvidenceError::NotCanonical);
    assert_eq!(
        two("", &b),
        EvidenceError::Checkpoint(CheckpointError::Note(musubi_ledger::tlog::NoteError::BadFormat))
    );
    // Epochs are logs of their own; a stranger's log is none of ours.
    let of = |origin: &str, root| note_of(origin, 2, 9, root, None);
    assert_eq!(two(&a, &of("ledger.example/city/2", B)), EvidenceError::OtherPlace);
    for origin in ["ledger.example/other/1", "ledger.example/city/01", "ledger.example/city/0"] {
        assert_eq!(two(&of(origin, A), &of(origin, B)), EvidenceError::OtherLog(origin.into()));
    }
    let second = "ledger.example/city/2";
    let evidence = Evidence::two_roots(&who, &of(second, A), &of(second, B)).unwrap();
    names(&verify(&evidence.encode(), &suspects()).unwrap(), 2, false);
}

#[test]
fn altered_notes_and_strangers_keys_accuse_nobody() {
    let (a, b) = (note(2, 9, A, None), note(2, 9, B, None));
    // The line of one note under the text of another.
    let line = |note: &str| note.rsplit_once("\n\n").unwrap().1.to_owned();
    let moved = b.replace(&line(&b), &line(&a));
    assert_eq!(two(&a, &moved), EvidenceError::NotSigned);
    assert_eq!(two(&a.replace(&line(&a), &line(&b)), &b), EvidenceError::UnknownKey);
    // A key that signs under the log's name but is no node's.
    let stranger = Suspect { key: key("stranger").public(), ..suspect(2, false) };
    let sign = |root| {
        let text = Checkpoint::new(ORIGIN, 9, root).unwrap().to_string();
        let mut note = SignedNote::new(text).unwrap();
        let vkey = stranger.verifier_key(ORIGIN).unwrap();
        let secret: SecretKey = key("stranger");
        let line = NoteSignature::sign(note.text(), &vkey, |m| secret.sign(m).0);
        note.add(line).unwrap();
        note.to_string()
    };
    assert_eq!(two(&sign(A), &sign(B)), EvidenceError::UnknownKey);
    // Once a policy names it, it answers for what it signs: an independent witness, for one.
    let evidence = Evidence::two_roots(&stranger, &sign(A), &sign(B)).unwrap();
    let named = Suspect { node: None, organisation: None, name: "w.example".into(), ..stranger };
    let finding = evidence.verify(&suspects().with(named)).unwrap();
    assert!(finding.to_string().starts_with("The witness w.example ("), "{finding}");
    assert_eq!((finding.who.node, finding.who.signs), (None::<NodeId>, Signs::Log));
}

#[test]
fn a_rewritten_history_names_the_key_that_signed_both_ends() {
    let (told, kept) = (Log::grown(20, 11, 1), Log::grown(40, 0, 0));
    for cosigner in [false, true] {
        let (earlier, later) =
            (note(3, 13, told.root(13), Some(1)), note(3, 29, kept.root(29), Some(2)));
        let proof = kept.proof(13, 29);
        let evidence = Evidence::rewritten(&suspect(3, cosigner), &earlier, &later, proof).unwrap();
        let finding = verify(&evidence.encode(), &suspects()).unwrap();
        names(&finding, 3, cosigner);
        let place = Place::Log { origin: ORIGIN.into(), size: 13, later: Some(29) };
        assert_eq!(finding.place, place);
        assert!(finding.to_string().contains("whose first 13 leaves are others"), "{finding}");
    }
}

#[test]
fn consistent_growth_is_no_rewriting_at_any_sizes() {
    let log = Log::grown(40, 0, 0);
    let who = suspect(3, false);
    for old in 1..40 {
        for new in old + 1..=40 {
            let (earlier, later) =
                (note(3, old, log.root(old), None), note(3, new, log.root(new), None));
            assert_eq!(Evidence::rewritten(&who, &earlier, &later, log.proof(old, new)), None);
            let (root, proof) = log.proof(old, new);
            let forced = |root, proof| {
                let (earlier, later) = (earlier.clone(), later.clone());
                error(&Evidence::Rewritten(Rewritten { earlier, later, root, proof }))
            };
            assert_eq!(forced(root, proof.clone()), EvidenceError::Same);
            // No other root can be proved to be the beginning of the later tree.
            let fork = Log::grown(40, old - 1, 1);
            let other = (fork.root(old), fork.proof(old, new).1);
            for (root, proof) in [(other.0, proof), (other.0, other.1), (A, vec![A, B])] {
                assert!(matches!(forced(root, proof), EvidenceError::Proof(_)), "{old} {new}");
            }
        }
    }
}

#[test]
fn a_rewriting_that_does_not_hold_accuses_nobody() {
    let (told, kept) = (Log::grown(20, 11, 1), Log::grown(40, 0, 0));
    let (root, proof) = kept.proof(13, 29);
    let good = Rewritten {
        earlier: note(3, 13, told.root(13), None),
        later: note(3, 29, kept.root(29), None),
        root,
        proof,
    };
    let with = |change: &dyn Fn(&mut Rewritten)| {
        let mut changed = good.clone();
        change(&mut changed);
        error(&Evidence::Rewritten(changed))
    };
    let empty = musubi_ledger::tlog::merkle::EMPTY_ROOT;
    let swap = |e: &mut Rewritten| std::mem::swap(&mut e.earlier, &mut e.later);
    assert_eq!(with(&swap), EvidenceError::OtherPlace);
    assert_eq!(with(&|e| e.later = e.earlier.clone()), EvidenceError::OtherPlace);
    assert_eq!(with(&|e| e.earlier = note(3, 0, empty, None)), EvidenceError::OtherPlace);
    assert_eq!(with(&|e| e.earlier = note(2, 13, A, None)), EvidenceError::NotSigned);
    let wrong = EvidenceError::Proof(ProofError::RootMismatch);
    assert_eq!(with(&|e| e.proof[0][0] ^= 1), wrong);
    assert_eq!(with(&|e| e.proof.push(A)), EvidenceError::Proof(ProofError::WrongLength));
    assert_eq!(with(&|e| e.later = note(3, 29, A, None)), wrong);
}
