//! What a memo must and must not do, and the vectors of `ledger/vectors/memos.json`.
//! `UPDATE_VECTORS=1 cargo test -p musubi-sdk --lib memo` rewrites them after a deliberate change of the format.
#![allow(clippy::unwrap_used)]

use std::{env, fs, path::PathBuf};

use musubi_ledger::{
    hash::{sha256, tagged},
    id::{ChainId, PartyId, TxId},
    operation::Operation,
    time::Time,
};
use serde_json::{Value, json};

use super::*;
use crate::draft::Composer;

fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(&tagged("memo-tests", &[name.as_bytes()]))
}

fn draft(reference: &str) -> Draft {
    let composer = Composer::new(ChainId([1; 32]), Time(1_000));
    let nothing = Operation::RevokeMandate { mandate: TxId([2; 32]) };
    composer.draft(PartyId([3; 16]), nothing).reference(reference.parse().unwrap())
}

/// A body and its memo, for payer and payee.
fn memo(text: &str) -> (Body, MemoBlob) {
    let readers = [key("payer").public(), key("payee").public()];
    let (draft, blob) = attach(draft("order-1"), text, &readers).unwrap();
    (draft.into_body(), blob)
}

/// A body that cites `blob`, whatever that is.
fn citing(body: &Body, blob: &MemoBlob) -> Body {
    Body { memo: Some(blob.hash()), ..body.clone() }
}

#[test]
fn both_parties_read_it_and_nobody_else() {
    let (body, blob) = memo("茶葉 200 g、急須");
    let blob = MemoBlob::decode(&blob.encode()).unwrap();
    for reader in ["payer", "payee"] {
        let opened = open(&blob, &body, &key(reader)).unwrap();
        assert_eq!(opened.text, "茶葉 200 g、急須");
        let file = opened.reveal.to_string();
        assert_eq!(verify(&Reveal::parse(file.as_bytes()).unwrap(), &body).unwrap(), opened.text);
        assert!(!format!("{opened:?}").contains('茶'));
    }
    assert_eq!(open(&blob, &body, &key("third")).unwrap_err(), MemoError::NotAddressed);
    // Nor with what was wrapped for somebody else under its own name.
    let mut claimed = blob.clone();
    claimed.wraps[0].reader = key("third").public();
    claimed.wraps.sort_by_key(|wrap| wrap.reader);
    let body = citing(&body, &claimed);
    assert_eq!(open(&claimed, &body, &key("third")).unwrap_err(), MemoError::BrokenWrap);
}

#[test]
fn equal_texts_have_nothing_in_common() {
    let ((_, one), (_, two)) = (memo("same"), memo("same"));
    assert_ne!(one.commitment, two.commitment);
    assert_ne!(one.sealed, two.sealed);
    assert_ne!(one.hash(), two.hash());
    assert_eq!(one.encode().len(), memo("a longer text").1.encode().len());
    assert!(one.encode().len() < memo(&"x".repeat(65)).1.encode().len());
}

#[test]
fn another_blob_and_an_altered_one_are_not_what_is_cited() {
    let (body, blob) = memo("one");
    assert_eq!(open(&memo("two").1, &body, &key("payer")).unwrap_err(), MemoError::OtherBlob);
    let bytes = blob.encode();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        match MemoBlob::decode(&altered) {
            Ok(altered) => {
                let error = open(&altered, &body, &key("payer")).unwrap_err();
                assert_eq!(error, MemoError::OtherBlob, "{at}");
            }
            Err(error) => assert_eq!(error.code(), "malformed_memo", "{at}"),
        }
    }
    let none = Body { memo: None, ..body };
    assert_eq!(open(&blob, &none, &key("payer")).unwrap_err(), MemoError::NotCited);
}

#[test]
fn a_blob_has_one_key_and_a_key_one_text() {
    let (body, blob) = memo("one");
    let mut reveal = open(&blob, &body, &key("payer")).unwrap().reveal;
    // The writer turns what stands in the blob as it likes, and has it cited: each part gives it away.
    reveal.blob.commitment[0] ^= 1;
    assert_eq!(verify(&reveal, &citing(&body, &reveal.blob)), Err(MemoError::OtherKey));
    reveal.blob.commitment[0] ^= 1;
    reveal.key[0] ^= 1;
    assert_eq!(verify(&reveal, &body), Err(MemoError::OtherKey));
    // A commitment forged to fit the other key: then the text does not open.
    reveal.blob.commitment = commitment(&reveal.key, &context(&body));
    assert_eq!(verify(&reveal, &citing(&body, &reveal.blob)), Err(MemoError::BrokenText));
    reveal.key[0] ^= 1;
    reveal.blob.commitment = blob.commitment;
    reveal.blob.sealed[7] ^= 1;
    assert_eq!(verify(&reveal, &citing(&body, &reveal.blob)), Err(MemoError::BrokenText));
}

#[test]
fn both_readers_get_one_key_or_notice() {
    let (body, mut blob) = memo("for the payer");
    let other = [9; 32];
    let at = (&context(&body), &blob.commitment);
    let wrapped =
        wrap::wrap(&other, at, &key("payee").public(), &mut crate::entropy::fill).unwrap();
    let place = blob.wraps.iter().position(|wrap| wrap.reader == wrapped.reader).unwrap();
    blob.wraps[place] = wrapped;
    let body = citing(&body, &blob);
    assert_eq!(open(&blob, &body, &key("payer")).unwrap().text, "for the payer");
    assert_eq!(open(&blob, &body, &key("payee")).unwrap_err(), MemoError::OtherKey);
}

#[test]
fn a_memo_says_nothing_in_another_transaction() {
    let (body, blob) = memo("cited by somebody else too");
    let copied = citing(draft("order-2").body(), &blob);
    assert_eq!(open(&blob, &copied, &key("payee")).unwrap_err(), MemoError::BrokenWrap);
    let reveal = open(&blob, &body, &key("payee")).unwrap().reveal;
    assert_eq!(verify(&reveal, &copied), Err(MemoError::OtherKey));
    let elsewhere = Body { chain: ChainId([7; 32]), ..body.clone() };
    assert_eq!(verify(&reveal, &elsewhere), Err(MemoError::OtherKey));
    let another = Body { sender: PartyId([7; 16]), ..body };
    assert_eq!(verify(&reveal, &another), Err(MemoError::OtherKey));
}

#[test]
fn a_text_that_is_no_text_or_hides_something_is_refused() {
    let (body, blob) = memo("good");
    let key = open(&blob, &body, &key("payer")).unwrap().reveal.key;
    let mut hiding = pad("good").unwrap();
    *hiding.last_mut().unwrap() = 1;
    let mut broken = pad("good").unwrap();
    broken[2] = 0xff;
    for (padded, expected) in [(hiding, MemoError::Padding), (broken, MemoError::NotText)] {
        let sealed = cipher(&key, &context(&body)).encrypt(&Default::default(), &padded[..]);
        let blob = MemoBlob { sealed: sealed.unwrap(), ..blob.clone() };
        let body = citing(&body, &blob);
        assert_eq!(verify(&Reveal { key, blob }, &body), Err(expected));
    }
}

#[test]
fn who_cannot_be_written_for_is_refused() {
    let refused = |readers: &[PublicKey]| attach(draft("a"), "text", readers).unwrap_err();
    assert_eq!(refused(&[]), MemoError::Readers(0));
    let many: Vec<_> = (0..=32).map(|n| key(&n.to_string()).public()).collect();
    assert_eq!(refused(&many), MemoError::Readers(33));
    assert_eq!(attach(draft("a"), "text", &many[1..]).unwrap().1.wraps.len(), 32);
    // The neutral element, and a point with torsion.
    let mut weak = [0; 32];
    weak[0] = 1;
    assert_eq!(refused(&[PublicKey(weak)]), MemoError::WeakKey);
    let once = key("payer").public();
    assert_eq!(attach(draft("a"), "text", &[once, once]).unwrap().1.wraps.len(), 1);
    assert_eq!(attach(draft("a"), "", &[once]).unwrap_err(), MemoError::Length(0));
}

#[test]
fn terminals_are_not_at_a_strangers_command() {
    assert_eq!(visible("会費\n2026年"), "会費\n2026年");
    assert_eq!(visible("a\u{1b}[2Jb\rc"), "a\\u{1b}[2Jb\\u{d}c");
    assert_eq!(visible("1\u{202e}000\u{200b}"), "1\\u{202e}000\\u{200b}");
}

/// Randomness for vectors: SHA-256 over a counter.
fn fixed() -> impl FnMut(&mut [u8]) {
    let mut count = 0_u64;
    move |buffer: &mut [u8]| {
        for chunk in buffer.chunks_mut(32) {
            chunk.copy_from_slice(&sha256(&count.to_le_bytes())[..chunk.len()]);
            count += 1;
        }
    }
}

fn vector(text: &str, names: &[&str]) -> Value {
    let readers: Vec<_> = names.iter().map(|name| key(name).public()).collect();
    let draft = draft(&format!("vector-{}", text.len()));
    let blob = seal(draft.body(), text, &readers, &mut fixed()).unwrap();
    let body = Body {
        salt: musubi_ledger::id::Salt([4; 16]),
        memo: Some(blob.hash()),
        ..draft.into_body()
    };
    let opened: Vec<_> = names.iter().map(|name| open(&blob, &body, &key(name)).unwrap()).collect();
    assert!(opened.iter().all(|one| one.text == text));
    let readers = names.iter().map(|name| {
        let secret = key(name);
        json!({ "seed": hex::encode(secret.seed()), "public": secret.public() })
    });
    let context = context(&body);
    let reveal = &opened[0].reveal;
    json!({
        "text": text,
        "chain": body.chain,
        "sender": body.sender,
        "reference": body.reference,
        "context": hex::encode(context),
        "readers": readers.collect::<Vec<_>>(),
        "key": hex::encode(reveal.key),
        "commitment": hex::encode(blob.commitment),
        "text_key": hex::encode(text_key(&reveal.key, &context)),
        "blob": hex::encode(blob.encode()),
        "hash": blob.hash(),
        "reveal": reveal.to_string(),
    })
}

#[test]
fn the_vectors_are_what_the_code_makes() {
    let all = json!([
        vector("お茶代", &["payer", "payee"]),
        vector(&"six bytes, ".repeat(12), &["one", "two", "three"]),
        vector(&"会費".repeat(170), &["alone"]),
    ]);
    let text = serde_json::to_string_pretty(&all).unwrap() + "\n";
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "../ledger/vectors/memos.json"].iter().collect();
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == text, "the format of memos changed");
}
