//! tlog-witness, both sides, each against the counterpart of another implementation.

use doubleentry::{
    log::ConsistencyProof,
    testing::TestWitness,
    transparency::{
        AddCheckpoint as TheirRequest, Error, Next, SignedCheckpoint, Vkey, WitnessSession,
    },
};
use musubi_ledger::tlog::{
    Hash, SignedNote,
    proof::prove_consistency,
    witness::{AddCheckpoint, Answer, KnownLog, Step, Submission, Witness},
};
use proptest::prelude::*;

use crate::{
    log::{Key, Log, ORIGIN, flip},
    trees::doubleentry_of,
};

const NAME: &str = "univ.example/w1";
const SEED: u8 = 77;

/// Our witness and theirs with one key, knowing one log.
fn witnesses() -> (Witness, TestWitness) {
    let key = Key::log(ORIGIN, 1).public;
    let theirs = TestWitness::new(NAME, [SEED; 32]).unwrap().log(key.to_string().parse().unwrap());
    let log = KnownLog::new(ORIGIN, vec![key]).unwrap();
    let ours = Witness::new(Key::cosigner(NAME, SEED).public, vec![log]).unwrap();
    assert_eq!(ours.key().to_string(), theirs.vkey().to_string());
    (ours, theirs)
}

/// Posts to ours, at the time that theirs would state.
fn post(witness: &mut Witness, clock: &mut u64, body: &[u8]) -> Answer {
    let secret = Key::cosigner(NAME, SEED).secret;
    let refused = |refusal: musubi_ledger::tlog::witness::Refusal| refusal.answer();
    let request = match AddCheckpoint::parse(body) {
        Ok(request) => request,
        Err(error) => return refused(error.into()),
    };
    match witness.add_checkpoint(&request, *clock + 1, |message| secret.sign(message).0) {
        Ok(pending) => {
            *clock += 1;
            pending.persisted()
        }
        Err(refusal) => refused(refusal),
    }
}

/// One thing that a submitter does.
#[derive(Clone, Debug)]
struct Attempt {
    /// Which history: 0 is the log, 1 another from the beginning, 2 one that forks half-way.
    history: usize,
    size: u64,
    old: Old,
    key: u8,
    damage: Option<(Place, usize)>,
}

#[derive(Clone, Debug)]
enum Old {
    Cosigned,
    Any(u64),
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Proof,
    Body,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let old = prop_oneof![4 => Just(Old::Cosigned), 1 => (0..40u64).prop_map(Old::Any)];
    let place = prop_oneof![Just(Place::Proof), Just(Place::Body)];
    let damage = prop_oneof![3 => Just(None), 1 => (place, any::<usize>()).prop_map(Some)];
    let (history, key) =
        (prop_oneof![4 => Just(0), 1 => 1..3usize], prop_oneof![9 => Just(1u8), 1 => Just(2u8)]);
    (history, 0..40u64, old, key, damage).prop_map(|(history, size, old, key, damage)| Attempt {
        history,
        size,
        old,
        key,
        damage,
    })
}

fn histories() -> [Log; 3] {
    let (log, other) = (Log::numbered(40, 1), Log::numbered(40, 2));
    let forked = Log::of(log.entries[..20].iter().chain(&other.entries[20..]).cloned());
    [log, other, forked]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The same requests, right and wrong, get the same status, size and signature from both; and of
    /// every size at most one root is ever cosigned.
    #[test]
    fn both_witnesses_answer_alike(attempts in proptest::collection::vec(attempt(), 1..40)) {
        let histories = histories();
        let (mut ours, mut theirs) = witnesses();
        let mut clock = 0;
        let mut cosigned: Vec<(u64, Hash)> = Vec::new();
        for attempt in attempts {
            let log = &histories[attempt.history];
            let last = cosigned.last().map_or(0, |last| last.0);
            let old = match attempt.old { Old::Cosigned => last, Old::Any(old) => old };
            let size = if matches!(attempt.old, Old::Cosigned) { attempt.size.max(last) } else { attempt.size };
            let mut proof = prove_consistency(log, old.min(size), size).unwrap();
            if let Some((Place::Proof, at)) = attempt.damage {
                match proof.len() { 0 => proof.push([7; 32]), count => flip(&mut proof[at % count], at) }
            }
            let note = log.note(size, &Key::log(ORIGIN, attempt.key));
            let mut body = AddCheckpoint::new(old, proof, note).unwrap().to_string().into_bytes();
            if let Some((Place::Body, at)) = attempt.damage {
                flip(&mut body, at);
            }
            let answer = post(&mut ours, &mut clock, &body);
            let reply = theirs.post(&body);
            // A request that is broken and wrongly signed has two faults, and either may be named.
            let unread = |status| matches!(status, 400 | 403 | 404);
            let both_unread = unread(answer.status) && unread(reply.status);
            let is_damaged = matches!(attempt.damage, Some((Place::Body, _)));
            prop_assert!(
                answer.status == reply.status || is_damaged && both_unread,
                "ours {}, theirs {}: {}", answer.status, reply.status, answer.body
            );
            if matches!(answer.status, 200 | 409) {
                prop_assert_eq!(answer.body.as_bytes(), &reply.body[..]);
            }
            if answer.status == 200 {
                let latest = ours.latest(ORIGIN).unwrap().checkpoint();
                let next = (latest.size(), *latest.root());
                prop_assert!(cosigned.iter().all(|it| it.0 < next.0 || *it == next));
                cosigned.push(next);
            }
        }
    }

    /// Our submitter and a witness of another project.
    #[test]
    fn our_submission_to_their_witness(sizes in proptest::collection::vec(0..60u64, 1..12), forget in any::<u16>()) {
        let log = Log::numbered(60, 1);
        let (ours, mut theirs) = witnesses();
        let mut submission = Submission::new(ours.key().clone(), 0);
        let mut newest = 0;
        let mut first = true;
        for (at, size) in sizes.into_iter().enumerate() {
            if forget >> (at % 16) & 1 == 1 {
                submission = Submission::new(ours.key().clone(), 0);
            }
            let mut note = log.note(size, &Key::log(ORIGIN, 1));
            let mut rounds = 0;
            let cosigned = loop {
                let request = match submission.request(&note, &log) {
                    Ok(request) => request,
                    Err(error) => { prop_assert_eq!(error.code(), "witness_ahead"); break None }
                };
                let theirs_read = TheirRequest::parse(request.to_string().as_bytes()).unwrap();
                prop_assert_eq!(theirs_read.to_bytes(), request.to_string().into_bytes());
                let reply = theirs.post(request.to_string().as_bytes());
                rounds += 1;
                match submission.answered(&note, reply.status, reply.content_type, &reply.body) {
                    Ok(Step::Cosigned(line)) => break Some(line),
                    Ok(Step::Again) => {}
                    Err(error) => { prop_assert_eq!(error.code(), "witness_ahead"); break None }
                }
            };
            prop_assert!(rounds <= 2);
            prop_assert_eq!(cosigned.is_some(), size >= newest || first);
            if let Some(line) = cosigned {
                (newest, first) = (size, false);
                prop_assert_eq!(submission.known(), size);
                note.add(line).unwrap();
                prop_assert_eq!(note.verify(&[ours.key().clone()]).unwrap().len(), 1);
            }
        }
    }

    /// Their submitter and our witness.
    #[test]
    fn their_session_with_our_witness(sizes in proptest::collection::vec(1..60u64, 1..12)) {
        let log = Log::numbered(60, 1);
        let tree = doubleentry_of(&log.entries);
        let (mut ours, _) = witnesses();
        let key: Vkey = ours.key().to_string().parse().unwrap();
        let (mut clock, mut newest) = (1_792_108_800, 0);
        for size in sizes {
            let note: SignedNote = log.note(size, &Key::log(ORIGIN, 1));
            let signed = SignedCheckpoint::parse(note.to_string().as_bytes()).unwrap();
            let mut session = WitnessSession::new(signed.clone(), key.clone(), 0).unwrap();
            let outcome = loop {
                let proof: Option<ConsistencyProof> =
                    session.needed_proof().map(|(old, new)| tree.consistency_proof(old, new).unwrap());
                let body = session.request(proof.as_ref()).unwrap();
                let answer = post(&mut ours, &mut clock, &body);
                match session.receive(answer.status, Some(answer.content_type), answer.body.as_bytes()) {
                    Ok(Next::Retry) => {}
                    Ok(Next::Cosigned { cosignature, .. }) => break Ok(cosignature),
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => break Err(error),
                }
            };
            match outcome {
                Ok(cosignature) => {
                    prop_assert!(size >= newest);
                    newest = size;
                    let cosigned = signed.with_cosignature(&cosignature).unwrap();
                    prop_assert_eq!(cosigned.verify(std::slice::from_ref(&key)).unwrap().len(), 1);
                    // And what monitors get is a checkpoint that both keys signed.
                    let monitored = ours.latest(ORIGIN).unwrap().note().to_string();
                    prop_assert_eq!(monitored.into_bytes(), cosigned.to_bytes());
                }
                Err(Error::Witness(error)) => prop_assert!(size < newest, "{error}"),
                Err(error) => panic!("{error}"),
            }
        }
    }
}
