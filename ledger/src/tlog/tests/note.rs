use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;

use crate::tlog::base64;
use crate::tlog::note::{MAX_NOTE_BYTES, MAX_SIGNATURES, NoteError, SignedNote};
use crate::tlog::signature::NoteSignature;
use crate::tlog::vkey::{Algorithm, VerifierKey};

/// Key and note of the example in C2SP signed-note.
pub(super) const SPEC_KEY: &str =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const SPEC_NOTE: &str = "This is an example message.\n\n— example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// A key pair of `seed`, as a log key and as a cosigner key.
pub(super) fn key(name: &str, algorithm: Algorithm, seed: u8) -> (VerifierKey, SigningKey) {
    let secret = SigningKey::from_bytes(&[seed; 32]);
    (VerifierKey::new(name, algorithm, secret.verifying_key().as_bytes()).unwrap(), secret)
}

pub(super) fn signed(text: &str, (public, secret): &(VerifierKey, SigningKey)) -> NoteSignature {
    let sign = |message: &[u8]| secret.sign(message).to_bytes();
    match public.algorithm() {
        Algorithm::Ed25519 => NoteSignature::sign(text, public, sign),
        Algorithm::CosignatureV1 => NoteSignature::cosign(text, public, 1_700_000_000, sign),
    }
}

fn note(text: &str, keys: &[&(VerifierKey, SigningKey)]) -> SignedNote {
    let mut note = SignedNote::new(text.to_owned()).unwrap();
    for key in keys {
        note.add(signed(text, key)).unwrap();
    }
    note
}

#[test]
fn the_specification_s_example_verifies() {
    let key: VerifierKey = SPEC_KEY.parse().unwrap();
    assert_eq!(
        (key.name(), key.id(), key.algorithm()),
        ("example.com/foo", 0x530d_903a, Algorithm::Ed25519)
    );
    assert_eq!(key.to_string(), SPEC_KEY);
    let note = SignedNote::parse(SPEC_NOTE.as_bytes()).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(
        (note.signatures()[0].name(), note.signatures()[0].key_id()),
        (key.name(), key.id())
    );
    assert_eq!(note.to_string(), SPEC_NOTE);
    let trusted = [key];
    let verified = note.verify(&trusted).unwrap();
    assert_eq!((verified.len(), verified[0].key, verified[0].unix_seconds), (1, &trusted[0], None));
}

#[test]
fn no_byte_of_a_note_can_change() {
    let trusted = [SPEC_KEY.parse().unwrap()];
    for at in 0..SPEC_NOTE.len() {
        for bit in 0..8 {
            let mut bytes = SPEC_NOTE.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let opened =
                SignedNote::parse(&bytes).and_then(|note| note.verify(&trusted).map(|_| ()));
            assert!(opened.is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn unknown_keys_are_ignored_even_if_name_or_id_match() {
    let (log, other) = (key("log", Algorithm::Ed25519, 1), key("other", Algorithm::Ed25519, 2));
    let same_name = key("log", Algorithm::Ed25519, 3);
    let signed = note("text\n", &[&other, &same_name, &log]);
    assert_eq!(signed.verify(std::slice::from_ref(&log.0)).unwrap().len(), 1);
    // A line with the trusted id under another name is a stranger's too, however it was made.
    let line = signed.signatures()[2].to_string().replace("— log ", "— gol ");
    let mut forged = note("text\n", &[&log]);
    forged.add(line.parse().unwrap()).unwrap();
    assert_eq!(forged.verify(std::slice::from_ref(&log.0)).unwrap().len(), 1);

    let strangers = note("text\n", &[&other, &same_name]);
    assert_eq!(strangers.verify(&[log.0]), Err(NoteError::NoTrustedSignature));
    assert_eq!(strangers.verify(&[]), Err(NoteError::NoTrustedSignature));
}

#[test]
fn a_failing_trusted_key_rejects_the_whole_note() {
    let (log, witness) = (key("log", Algorithm::Ed25519, 1), key("w", Algorithm::CosignatureV1, 2));
    for bad in [&log, &witness] {
        let mut forged = note("text\n", &[&log, &witness]);
        forged.add(signed("other text\n", bad)).unwrap();
        let trusted = [log.0.clone(), witness.0.clone()];
        let name = bad.0.name().to_owned();
        assert_eq!(forged.verify(&trusted), Err(NoteError::BadSignature { name }));
        let without: Vec<_> = trusted.into_iter().filter(|key| key != &bad.0).collect();
        assert_eq!(forged.verify(&without).unwrap().len(), 1);
    }
}

#[test]
fn each_key_counts_once_and_the_two_algorithms_are_apart() {
    let log = key("log", Algorithm::Ed25519, 1);
    let cosigner = key("log", Algorithm::CosignatureV1, 1);
    assert_ne!(log.0.id(), cosigner.0.id());
    let mut twice = note("text\n", &[&log, &cosigner]);
    let later = |message: &[u8]| cosigner.1.sign(message).to_bytes();
    twice.add(NoteSignature::cosign("text\n", &cosigner.0, 1_800_000_000, later)).unwrap();
    twice.add(signed("text\n", &log)).unwrap();
    assert_eq!(twice.signatures().len(), 3, "a line that is there already is not repeated");
    let trusted = [log.0.clone(), cosigner.0.clone()];
    let times: Vec<_> = twice.verify(&trusted).unwrap().iter().map(|v| v.unix_seconds).collect();
    assert_eq!(times, [None, Some(1_700_000_000)]);
    // One secret key under both types: neither signature passes for the other.
    let swapped = NoteSignature::sign("text\n", &log.0, |_| {
        let message = b"cosignature/v1\ntime 0\ntext\n";
        log.1.sign(message).to_bytes()
    });
    let mut forged = SignedNote::new("text\n".into()).unwrap();
    forged.add(swapped).unwrap();
    assert_eq!(forged.verify(&trusted).unwrap_err().code(), "bad_note_signature");
}

#[test]
fn a_cosignature_s_time_is_signed() {
    let witness = key("w", Algorithm::CosignatureV1, 2);
    let line = signed("text\n", &witness).to_string();
    let (start, encoded) = line.rsplit_once(' ').unwrap();
    let mut bytes = base64::decode(encoded).unwrap();
    bytes[11] ^= 1; // the last byte of the time
    let mut forged = SignedNote::new("text\n".into()).unwrap();
    forged.add(format!("{start} {}", base64::encode(&bytes)).parse().unwrap()).unwrap();
    assert_eq!(forged.verify(&[witness.0]).unwrap_err().code(), "bad_note_signature");
}

#[test]
fn signatures_of_another_length_fail() {
    for algorithm in [Algorithm::Ed25519, Algorithm::CosignatureV1] {
        let signer = key("k", algorithm, 9);
        let line = signed("text\n", &signer).to_string();
        let (start, encoded) = line.rsplit_once(' ').unwrap();
        let bytes = base64::decode(encoded).unwrap();
        for changed in [&bytes[..bytes.len() - 1], &bytes[..5], &[&bytes[..], &[0]].concat()] {
            let mut forged = SignedNote::new("text\n".into()).unwrap();
            forged.add(format!("{start} {}", base64::encode(changed)).parse().unwrap()).unwrap();
            let trusted = [signer.0.clone()];
            assert_eq!(forged.verify(&trusted).unwrap_err().code(), "bad_note_signature");
        }
    }
}

#[test]
fn the_last_empty_line_separates_text_from_signatures() {
    let log = key("log", Algorithm::Ed25519, 1);
    for text in
        ["a\n\nb\n", "\n", "\n\n\n", "a\n\n", "— log AAAAAAA=\n\n— log x\n", "ed è subito sera.\n"]
    {
        let signed = note(text, &[&log]);
        let parsed = SignedNote::parse(signed.to_string().as_bytes()).unwrap();
        assert_eq!((parsed.text(), &parsed), (text, &signed));
        parsed.verify(std::slice::from_ref(&log.0)).unwrap();
    }
}

#[test]
fn malformed_notes_are_refused() {
    let line = "— log AAAAAAE=\n";
    let cases = [
        (String::new(), "bad_note"),
        ("text\n".into(), "bad_note"),
        ("text\n\n".into(), "bad_note"),
        (format!("text\n{line}"), "bad_note"),
        (format!("text\n\n{}", line.trim_end()), "bad_note"),
        (format!("text\n\n{line}more\n"), "bad_signature_line"),
        (format!("text\n\n{line}\n"), "bad_note"),
        (format!("te\txt\n\n{line}"), "bad_note_text"),
        (format!("text\r\n\r\n{line}"), "bad_note_text"),
        (format!("text\n\n{}", line.repeat(MAX_SIGNATURES + 1)), "too_many_signatures"),
        (format!("{}\n\n{line}", "x".repeat(MAX_NOTE_BYTES)), "note_too_long"),
    ];
    for (text, code) in cases {
        assert_eq!(SignedNote::parse(text.as_bytes()).unwrap_err().code(), code, "{text:.60?}");
    }
    assert_eq!(SignedNote::parse(b"te\xffxt\n\n").unwrap_err(), NoteError::BadText);
    assert_eq!(SignedNote::new("no line end".into()).unwrap_err(), NoteError::BadText);
    assert_eq!(SignedNote::new(String::new()).unwrap_err(), NoteError::BadText);
    let full = format!("text\n\n{}", line.repeat(MAX_SIGNATURES));
    let mut full = SignedNote::parse(full.as_bytes()).unwrap();
    assert_eq!(full.signatures().len(), MAX_SIGNATURES);
    let one_more = signed("text\n", &key("log", Algorithm::Ed25519, 1));
    assert_eq!(full.add(one_more), Err(NoteError::TooManySignatures));
}

proptest! {
    #[test]
    fn notes_round_trip(text in "([ -~é]{0,20}\n){1,5}", seeds in prop::collection::vec(any::<u8>(), 1..4)) {
        let keys: Vec<_> = seeds.iter().enumerate().map(|(at, &seed)| {
            let algorithm = if seed % 2 == 0 { Algorithm::Ed25519 } else { Algorithm::CosignatureV1 };
            key(&format!("k{at}"), algorithm, seed)
        }).collect();
        let signed = note(&text, &keys.iter().collect::<Vec<_>>());
        let parsed = SignedNote::parse(signed.to_string().as_bytes()).unwrap();
        prop_assert_eq!(&parsed, &signed);
        let trusted: Vec<_> = keys.iter().map(|(public, _)| public.to_string().parse().unwrap()).collect();
        prop_assert_eq!(parsed.verify(&trusted).unwrap().len(), keys.len());
    }

    #[test]
    fn whatever_parses_prints_the_same(note in "[a\n]{0,6}\n\n(— [a+ ]{1,2} [A-D]{6,7}[AE]=\n){0,2}") {
        if let Ok(parsed) = note.parse::<SignedNote>() {
            prop_assert_eq!(parsed.to_string(), note);
        }
    }

    #[test]
    fn stray_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = SignedNote::parse(&bytes);
    }
}
