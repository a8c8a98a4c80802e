//! Verifier keys, signed notes, checkpoints and cosignatures.

use doubleentry::{
    LedgerId,
    transparency::{self as de, KeyName, KeyType, LogKey, SignedCheckpoint, Verified, Vkey},
};
use musubi_ledger::tlog::{
    Checkpoint, CheckpointError, OpenedCheckpoint, SignedNote, VerifierKey, base64,
};
use proptest::prelude::*;
use signed_note::{Signer, StandardSigner, StandardVerifier, VerifierList};

use crate::{
    log::{Key, Log, ORIGIN, flip},
    trees::head,
};

fn list(key: &VerifierKey) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(&key.to_string()).unwrap())])
}

/// Whether `signed_note` accepts these bytes under the key.
fn signed_note_accepts(bytes: &[u8], key: &VerifierKey) -> bool {
    signed_note::Note::from_bytes(bytes).is_ok_and(|note| note.verify(&list(key)).is_ok())
}

fn accepts(bytes: &[u8], key: &VerifierKey) -> bool {
    let trusted = std::slice::from_ref(key);
    SignedNote::parse(bytes).is_ok_and(|note| note.verify(trusted).is_ok())
}

fn open<'k>(bytes: &[u8], keys: &'k [VerifierKey]) -> Option<OpenedCheckpoint<'k>> {
    Checkpoint::open(bytes, ORIGIN, keys).ok()
}

/// Whether `doubleentry` accepts a checkpoint as signed by all of the keys.
fn doubleentry_accepts(bytes: &[u8], keys: &[VerifierKey]) -> bool {
    let keys: Vec<Vkey> = keys.iter().map(|key| key.to_string().parse().unwrap()).collect();
    let verified = SignedCheckpoint::parse(bytes).and_then(|signed| signed.verify(&keys));
    verified.is_ok_and(|verified| verified.len() == keys.len())
}

/// The private key line that `signed_note` reads, for our key.
fn signer(key: &Key) -> StandardSigner {
    let typed = [&[1][..], &key.secret.seed()].concat();
    let secret = base64::encode(&typed);
    let (name, id) = (key.public.name(), key.public.id());
    StandardSigner::new(&format!("PRIVATE+KEY+{name}+{id:08x}+{secret}")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn verifier_keys_are_one_text(name in "[a-z0-9./é—_-]{1,60}", seed in any::<u8>(), at in any::<usize>()) {
        for key in [Key::log(&name, seed), Key::cosigner(&name, seed)] {
            let line = key.public.to_string();
            let theirs: Vkey = line.parse().unwrap();
            prop_assert_eq!(theirs.to_string(), line.clone());
            prop_assert_eq!(u32::from_be_bytes(theirs.key_id()), key.public.id());
            let typed = Vkey::new(KeyName::new(&*name).unwrap(), theirs.key_type(), *key.public.public_key());
            prop_assert_eq!(typed.unwrap().to_string(), line.clone());
            if theirs.key_type() == KeyType::Ed25519 {
                let standard = StandardVerifier::new(&line).unwrap();
                prop_assert_eq!(signed_note::Verifier::key_id(&standard), key.public.id());
            }
            let mut bytes = line.into_bytes();
            flip(&mut bytes, at);
            if let Ok(line) = str::from_utf8(&bytes) {
                prop_assert!(line.parse::<VerifierKey>().is_err() && line.parse::<Vkey>().is_err(), "{}", line);
            }
        }
    }

    #[test]
    fn notes_both_ways(text in "[ -~é\n]{0,200}", seed in any::<u8>(), at in any::<usize>()) {
        let text = format!("{text}\n");
        let key = Key::log("log.example/notes", seed);
        let ours = key.note(&text).to_string().into_bytes();
        prop_assert!(signed_note_accepts(&ours, &key.public));
        let mut theirs = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
        theirs.add_sigs(&[&signer(&key) as &dyn Signer]).unwrap();
        prop_assert_eq!(theirs.to_bytes(), ours.clone());
        prop_assert!(accepts(&theirs.to_bytes(), &key.public));
        let mut tampered = ours;
        flip(&mut tampered, at);
        prop_assert!(!accepts(&tampered, &key.public));
        prop_assert!(!signed_note_accepts(&tampered, &key.public));
    }

    #[test]
    fn checkpoints_and_cosignatures(size in 0..400u64, time in 1..u64::MAX / 2, at in any::<usize>()) {
        let log = Log::numbered(size, 9);
        let (key, city, bank) = (Key::log(ORIGIN, 1), Key::cosigner("ledger.example/node/1", 2), Key::cosigner("ledger.example/node/2", 3));
        let mut note = log.note(size, &key);
        let plain = note.to_string();
        city.cosign(&mut note, time);
        bank.cosign(&mut note, 1_792_108_800);
        let keys = [key.public.clone(), city.public.clone(), bank.public.clone()];
        let bytes = note.to_string().into_bytes();
        prop_assert!(doubleentry_accepts(&bytes, &keys));
        prop_assert!(signed_note_accepts(&bytes, &key.public), "lines of unknown keys are ignored");
        prop_assert_eq!(open(&bytes, &keys).map(|it| it.verified.len()), Some(3));

        // The same checkpoint by them, byte for byte, and ours reads it.
        let theirs = de::Checkpoint::new(KeyName::new(ORIGIN).unwrap(), head(size, log.root_at(size)));
        prop_assert_eq!(theirs.text(), note.text());
        let signed = LogKey::from_seed(&LedgerId::new(ORIGIN).unwrap(), [1; 32]).sign(&theirs).unwrap();
        prop_assert_eq!(signed.to_bytes(), plain.clone().into_bytes());
        prop_assert!(open(&signed.to_bytes(), &keys).is_some());
        let parsed = tlog_tiles::checkpoint::Checkpoint::from_bytes(note.text().as_bytes()).unwrap();
        prop_assert_eq!((parsed.origin(), parsed.size(), parsed.hash().0), (ORIGIN, size, log.root_at(size)));
        prop_assert_eq!(parsed.to_bytes(), note.text().as_bytes());

        // They read the time that we stated, and give back the line that we wrote.
        let trusted: Vkey = city.public.to_string().parse().unwrap();
        let verified = SignedCheckpoint::parse(&bytes).unwrap().verify(&[trusted]).unwrap();
        let Verified::Cosigner(cosignature) = &verified[0] else { panic!("{verified:?}") };
        prop_assert_eq!(cosignature.timestamp(), time);
        prop_assert_eq!(cosignature.to_line(), format!("{}\n", note.signatures()[1]));

        let mut tampered = bytes;
        flip(&mut tampered, at);
        prop_assert!(!doubleentry_accepts(&tampered, &keys));
        prop_assert!(open(&tampered, &keys).is_none_or(|it| it.verified.len() < 3));
    }

    #[test]
    fn texts_that_are_no_checkpoint(
        head in "[a-z./]{0,9}\n(0|[0-9]{1,21})\n",
        root in prop_oneof!["[A-Za-z0-9+/=]{42,45}", any::<[u8; 32]>().prop_map(|root| base64::encode(&root))],
        tail in "\n([a-z]{0,3}\n){0,2}",
    ) {
        let text = format!("{head}{root}{tail}");
        let ours = text.parse::<Checkpoint>();
        // Ours refuses an impossible empty tree where it reads it; a witness has to say so later.
        prop_assume!(ours != Err(CheckpointError::BadEmptyRoot));
        prop_assert_eq!(ours.is_ok(), de::Checkpoint::parse_text(&text).is_ok(), "{:?} {:?}", text, ours);
    }
}
