use super::note::SPEC_KEY;
use crate::tlog::base64;
use crate::tlog::note::NoteError;
use crate::tlog::signature::NoteSignature;
use crate::tlog::vkey::{KeyError, VerifierKey};

#[test]
fn malformed_signature_lines_are_refused() {
    let refused = [
        "",
        "—",
        "— ",
        "— log",
        "— log ",
        "—  AAAAAAE=",
        "- log AAAAAAE=",
        "—log AAAAAAE=",
        "— l+g AAAAAAE=",
        "— l\u{a0}g AAAAAAE=",
        "— log AAAAAAE",
        "— log AAAAAAE= ",
        "— log AAAAAAE= x",
        "— log AAAAAA==",
        "— log AAAA",
        "— log  AAAAAAE=",
        "— log AAAAAAF=",
    ];
    for line in refused {
        let parsed = line.parse::<NoteSignature>();
        assert_eq!(parsed, Err(NoteError::BadSignatureLine), "{line:?}");
    }
}

#[test]
fn malformed_verifier_keys_are_refused() {
    let typed = |signature_type: u8, key: &[u8]| base64::encode(&[&[signature_type], key].concat());
    let line =
        |name: &str, id: &str, typed: &str| format!("{name}+{id}+{typed}").parse::<VerifierKey>();
    let good = &SPEC_KEY["example.com/foo+530d903a+".len()..];
    let cases = [
        (line("example.com/foo", "530d903b", good), KeyError::WrongKeyId),
        (line("example.com/fop", "530d903a", good), KeyError::WrongKeyId),
        (line("example.com/foo", "530D903A", good), KeyError::BadFormat),
        (line("example.com/foo", "+30d903a", good), KeyError::BadFormat),
        (line("example.com/foo", "530d903", good), KeyError::BadFormat),
        (line("example.com/foo", "530d903a", &good[1..]), KeyError::BadFormat),
        (line("example.com/foo", "530d903a", &typed(1, &[0; 31])), KeyError::BadFormat),
        (line("example.com/foo", "530d903a", ""), KeyError::BadFormat),
        (line("", "530d903a", good), KeyError::BadName),
        (line("a b", "530d903a", good), KeyError::BadName),
        (line(&"x".repeat(256), "530d903a", good), KeyError::BadName),
        (line("x", "530d903a", &typed(2, &[0; 32])), KeyError::UnknownAlgorithm(2)),
        // The neutral element: of order 1, it would "sign" anything.
        (line("x", "530d903a", &typed(1, &[&[1][..], &[0; 31]].concat())), KeyError::BadPublicKey),
        ("x+530d903a".parse(), KeyError::BadFormat),
        (String::new().parse(), KeyError::BadFormat),
    ];
    for (number, (parsed, expected)) in cases.into_iter().enumerate() {
        assert_eq!(parsed, Err(expected), "case {number}");
    }
}
