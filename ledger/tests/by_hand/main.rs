//! A second verifier, written from `docs/PROOFS.md` alone: SHA-256, Ed25519 and slices, nothing of the ledger's own
//! code. It must accept what the vectors call good, say the same of it, and refuse everything else. The worked example
//! of that document is what this verifier computes, so it cannot drift from the bytes. `snapshot` does the same for a
//! snapshot, from `docs/FORMAT.md` alone.
#![allow(clippy::unwrap_used)]

mod example;
mod note;
mod opening;
mod snapshot;

use std::{fs, path::PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Why a proof is refused: which step of the document, in words.
type Refusal = String;

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// `T(tag, parts)` of FORMAT.md, section 2.
fn tagged(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    let head = [&[tag.len() as u8], tag.as_bytes()].concat();
    hash(&[&[&head[..]], parts].concat())
}

fn require(holds: bool, what: &str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(what.into()) }
}

/// Standard base64 with padding; the one spelling only.
fn base64(text: &str) -> Result<Vec<u8>, Refusal> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bare = text.trim_end_matches('=');
    require(text.len().is_multiple_of(4) && text.len() - bare.len() < 3, "base64")?;
    let mut bits = String::new();
    for letter in bare.chars() {
        let value = LETTERS.find(letter).ok_or("base64")?;
        bits += &format!("{value:06b}");
    }
    let whole = bits.len() / 8 * 8;
    require(bits[whole..].bytes().all(|bit| bit == b'0') && bits.len() - whole < 6, "base64")?;
    let bytes = (0..whole).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).unwrap());
    Ok(bytes.collect())
}

fn decimal(text: &str) -> Result<u64, Refusal> {
    let number: u64 = text.parse().map_err(|_| "a decimal number")?;
    require(number.to_string() == text, "a decimal number")?;
    Ok(number)
}

/// The parts of a proof file (step 1).
struct File {
    extra: Vec<u8>,
    index: u64,
    path: Vec<[u8; 32]>,
    checkpoint: String,
}

fn parts(file: &str) -> Result<File, Refusal> {
    let (head, checkpoint) = file.split_once("\n\n").ok_or("no empty line")?;
    let mut lines = head.split('\n');
    let mut line = || lines.next().ok_or("a line is missing");
    require(line()? == "c2sp.org/tlog-proof@v1", "the first line")?;
    let extra = base64(line()?.strip_prefix("extra ").ok_or("extra")?)?;
    let index = decimal(line()?.strip_prefix("index ").ok_or("index")?)?;
    let hash = |line: &str| base64(line)?.try_into().map_err(|_| "a hash of the path".to_owned());
    let path = lines.map(hash).collect::<Result<_, Refusal>>()?;
    Ok(File { extra, index, path, checkpoint: checkpoint.into() })
}

/// The root to which a path leads (step 4).
fn climb(leaf: &[u8], index: u64, size: u64, path: &[[u8; 32]]) -> Result<[u8; 32], Refusal> {
    require(index < size, "the index is beyond the log")?;
    let mut path = path.iter();
    let mut node = hash(&[&[0], leaf]);
    let (mut index, mut last) = (index, size - 1);
    while last > 0 {
        if index % 2 == 1 {
            node = hash(&[&[1], path.next().ok_or("the path is too short")?, &node]);
        } else if index < last {
            node = hash(&[&[1], &node, path.next().ok_or("the path is too short")?]);
        }
        (index, last) = (index / 2, last / 2);
    }
    require(path.next().is_none(), "the path is too long")?;
    Ok(node)
}

/// All steps of the document.
fn verify(
    file: &str,
    policy: &str,
    chain: &[u8],
) -> Result<(note::Final, opening::Opened), Refusal> {
    let file = parts(file)?;
    let cosigned = note::check(&file.checkpoint, policy)?;
    let leaf = file.extra.get(..119).ok_or("extra is too short for a leaf")?;
    let root = climb(leaf, file.index, cosigned.size, &file.path)?;
    require(root == cosigned.root, "the path does not lead to the root")?;
    let opened = opening::check(&file.extra, chain, &void_codes())?;
    Ok((cosigned, opened))
}

fn vector(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "vectors", name].iter().collect();
    fs::read_to_string(path).unwrap()
}

fn vectors() -> Value {
    serde_json::from_str(&vector("proofs.json")).unwrap()
}

/// Numbers of codes that no leaf can have.
fn void_codes() -> Vec<u64> {
    let codes: Value = serde_json::from_str(&vector("codes.json")).unwrap();
    let void = codes.as_array().unwrap().iter().filter(|code| code["standing"] == "void");
    void.map(|code| code["number"].as_u64().unwrap()).collect()
}

fn verdict(vectors: &Value, case: &Value) -> Result<(note::Final, opening::Opened), Refusal> {
    let chain = hex::decode(vectors["chain"].as_str().unwrap()).unwrap();
    verify(case["file"].as_str().unwrap(), vectors["policy"].as_str().unwrap(), &chain)
}

#[test]
fn good_proofs_verify_and_say_the_same() {
    let vectors = vectors();
    for case in vectors["proofs"].as_array().unwrap() {
        let name = &case["name"];
        let (last, opened) = verdict(&vectors, case).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(case["id"], hex::encode(opened.id), "{name}");
        assert_eq!((&case["height"], &case["time"]), (&opened.height.into(), &opened.time.into()));
        assert_eq!(case["code"] == "applied", opened.code == 0, "{name}");
        assert_eq!(
            (&case["size"], &case["root"]),
            (&last.size.into(), &hex::encode(last.root).into())
        );
        let cosigned = case["cosigned"].as_array().unwrap().iter();
        let cosigned: Vec<(&str, u64)> = cosigned
            .map(|c| (c["name"].as_str().unwrap(), c["unix_seconds"].as_u64().unwrap()))
            .collect();
        let found: Vec<(&str, u64)> =
            last.cosigned.iter().map(|(name, at)| (name.as_str(), *at)).collect();
        assert_eq!(found, cosigned, "{name}");
        let postings = case["outcome"]["postings"].as_array().unwrap();
        assert_eq!(opened.postings.len(), postings.len(), "{name}");
        for (posting, told) in opened.postings.iter().zip(postings) {
            assert_eq!(told["amount"], posting.amount.to_string(), "{name}");
            assert_eq!(told["sign"] == "plus", posting.plus, "{name}");
            assert_eq!(told["lot"]["instrument"], posting.instrument, "{name}");
        }
        let signers: Vec<Value> =
            opened.signers.iter().map(|key| hex::encode(key).into()).collect();
        assert_eq!(case["signers"], Value::Array(signers), "{name}");
    }
}

#[test]
fn altered_proofs_and_lies_are_refused() {
    let vectors = vectors();
    for list in ["altered", "lies"] {
        let cases = vectors[list].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            assert!(verdict(&vectors, case).is_err(), "{list}: {} passes", case["name"]);
        }
    }
    assert!(vectors["altered"].as_array().unwrap().len() >= 80);
}

#[test]
fn another_ledger_s_policy_or_chain_verifies_nothing() {
    let vectors = vectors();
    let file = vectors["proofs"][0]["file"].as_str().unwrap();
    let (policy, chain) = (vectors["policy"].as_str().unwrap(), vectors["chain"].as_str().unwrap());
    let chain = hex::decode(chain).unwrap();
    verify(file, policy, &chain).unwrap();
    assert!(verify(file, policy, &[0; 32]).is_err());
    assert!(verify(file, &policy.replace("group final 2", "group final 4"), &chain).is_err());
    let strangers = policy.replace("log ", "log x");
    assert!(verify(file, &strangers, &chain).is_err());
}
