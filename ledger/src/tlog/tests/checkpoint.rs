use super::note::{key, signed};
use crate::tlog::checkpoint::{Checkpoint, CheckpointError};
use crate::tlog::merkle::EMPTY_ROOT;
use crate::tlog::note::{NoteError, SignedNote};
use crate::tlog::vkey::{Algorithm, VerifierKey};

/// The text of the example in C2SP tlog-checkpoint.
const SPEC_TEXT: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

/// A checkpoint of a public staging log as it was served, with its plain Ed25519 and its RFC 6962
/// signature (a type we do not know) and cosignatures of independent witnesses.
const PUBLIC_LOG: &str = "arche2025h1.staging.ct.transparency.dev";
const PUBLIC_NOTE: &str = "arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
";
const PUBLIC_LOG_KEY: &str =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
const PUBLIC_WITNESS_KEY: &str =
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";

#[test]
fn the_specification_s_text_prints_and_parses() {
    let checkpoint: Checkpoint = SPEC_TEXT.parse().unwrap();
    assert_eq!(
        (checkpoint.origin(), checkpoint.size()),
        ("example.com/behind-the-sofa", 20_852_163)
    );
    assert_eq!(
        hex::encode(checkpoint.root()),
        "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    );
    assert_eq!(checkpoint.to_string(), SPEC_TEXT);
    let extended: Checkpoint = format!("{SPEC_TEXT}one\ntwo \n").parse().unwrap();
    assert_eq!(extended.extensions(), ["one", "two "]);
    assert_eq!(extended.to_string(), format!("{SPEC_TEXT}one\ntwo \n"));
}

#[test]
fn a_public_log_s_checkpoint_opens() {
    let trusted: [VerifierKey; 2] =
        [PUBLIC_LOG_KEY, PUBLIC_WITNESS_KEY].map(|key| key.parse().unwrap());
    let opened = Checkpoint::open(PUBLIC_NOTE.as_bytes(), PUBLIC_LOG, &trusted).unwrap();
    assert_eq!(opened.checkpoint.size(), 1_432_088_532);
    assert_eq!(opened.note.to_string(), PUBLIC_NOTE);
    let signers: Vec<_> = opened.verified.iter().map(|v| (v.key, v.unix_seconds)).collect();
    assert_eq!(signers, [(&trusted[0], None), (&trusted[1], Some(0x6a12_2120))]);

    let altered = PUBLIC_NOTE.replace("1432088532", "1432088533");
    let error = Checkpoint::open(altered.as_bytes(), PUBLIC_LOG, &trusted[1..]).unwrap_err();
    assert_eq!(
        error,
        CheckpointError::Note(NoteError::BadSignature { name: "remora.n621.de".into() })
    );
}

#[test]
fn only_the_log_s_own_key_speaks_for_it() {
    let text = Checkpoint::new("log/1", 1, [7; 32]).unwrap().to_string();
    let log = key("log/1", Algorithm::Ed25519, 1);
    let cosigner = key("city", Algorithm::CosignatureV1, 2);
    let impostors = [key("city", Algorithm::Ed25519, 3), key("log/1", Algorithm::CosignatureV1, 4)];
    let mut note = SignedNote::new(text.clone()).unwrap();
    for signer in [&log, &cosigner, &impostors[0], &impostors[1]] {
        note.add(signed(&text, signer)).unwrap();
    }
    let bytes = note.to_string();
    let trusted = [log.0, cosigner.0.clone()];
    let opened = Checkpoint::open(bytes.as_bytes(), "log/1", &trusted).unwrap();
    assert_eq!((opened.checkpoint.root(), opened.verified.len()), (&[7; 32], 2));

    let code = |origin, keys: &[VerifierKey]| {
        Checkpoint::open(bytes.as_bytes(), origin, keys).unwrap_err().code()
    };
    assert_eq!(code("log/2", &trusted), "other_log");
    assert_eq!(code("log/1", &[cosigner.0]), "not_signed_by_log");
    assert_eq!(code("log/1", &impostors.map(|impostor| impostor.0)), "not_signed_by_log");
    assert_eq!(code("log/1", &[]), "no_trusted_signature");
}

#[test]
fn malformed_checkpoints_are_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let refused = [
        String::new(),
        "\n".into(),
        "log\n1\n".into(),
        format!("log\n1\n{root}"),
        format!("\n1\n{root}\n"),
        format!("log\n01\n{root}\n"),
        format!("log\n+1\n{root}\n"),
        format!("log\n-1\n{root}\n"),
        format!("log\n\n{root}\n"),
        format!("log\n1 \n{root}\n"),
        format!("log\n0x1\n{root}\n"),
        format!("log\n18446744073709551616\n{root}\n"),
        format!("log\n1\n{root}\n\n"),
        format!("log\n1\n{root}\n\nx\n"),
        format!("log\n1\n{}\n", &root[4..]),
        format!("log\n1\n{root} \n"),
        format!("log\n1\nAAAA{root}\n"),
        format!("log\n1\n{}\n", root.trim_end_matches('=')),
        format!("lo\tg\n1\n{root}\n"),
        format!("log\n1\n{root}\nx\ty\n"),
    ];
    for text in refused {
        assert_eq!(text.parse::<Checkpoint>(), Err(CheckpointError::BadFormat), "{text:?}");
    }
    assert_eq!(
        format!("log\n0\n{root}\n").parse::<Checkpoint>(),
        Err(CheckpointError::BadEmptyRoot)
    );
    assert_eq!(Checkpoint::new("a\nb", 1, [0; 32]), Err(CheckpointError::BadFormat));
    let largest = Checkpoint::new("log", u64::MAX, [0; 32]).unwrap();
    assert_eq!(largest.to_string().parse(), Ok(largest));
    let empty = Checkpoint::new("log", 0, EMPTY_ROOT).unwrap();
    assert_eq!(empty.to_string(), "log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
    assert_eq!(empty.clone().with_extension(""), Err(CheckpointError::BadFormat));
}
