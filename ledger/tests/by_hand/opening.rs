//! Steps 5 to 7 of `docs/PROOFS.md`: what the leaf's hashes stand for, who signed, what it says.

use std::collections::BTreeMap;

use ed25519_dalek::{Signature, VerifyingKey};

use super::{Refusal, require, tagged};

/// What a proof shows.
pub(super) struct Opened {
    pub(super) id: [u8; 32],
    pub(super) height: u64,
    pub(super) time: u64,
    pub(super) code: u64,
    /// Lengths and hashes on the way, for the worked example.
    pub(super) body: Vec<u8>,
    pub(super) signers: Vec<[u8; 32]>,
    pub(super) outcome: Vec<u8>,
    pub(super) salt: Vec<u8>,
    pub(super) postings: Vec<Posting>,
}

pub(super) struct Posting {
    pub(super) plus: bool,
    pub(super) amount: u64,
    pub(super) instrument: String,
    pub(super) account: Vec<u8>,
    lot: Vec<u8>,
}

/// Takes bytes off the front.
pub(super) struct Cursor<'b>(pub(super) &'b [u8]);

impl<'b> Cursor<'b> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'b [u8], Refusal> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    /// A little-endian number of `count` bytes.
    pub(super) fn number(&mut self, count: usize) -> Result<u64, Refusal> {
        let bytes = self.take(count)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        Ok(self.take(N)?.try_into().unwrap())
    }
}

pub(super) fn check(extra: &[u8], chain: &[u8], void: &[u64]) -> Result<Opened, Refusal> {
    let (leaf, rest) = extra.split_at(119);
    let mut fields = Cursor(leaf);
    require(fields.number(1)? == 1, "the version")?;
    let (kind, height, time) = (fields.number(4)?, fields.number(8)?, fields.number(8)?);
    let (id, code) = (fields.array::<32>()?, fields.number(2)?);
    let (signatures_hash, outcome_hash) = (fields.array::<32>()?, fields.array::<32>()?);
    let mut rest = Cursor(rest);
    let mut body: &[u8] = &[];
    let mut signers = Vec::new();
    let salt = match rest.number(4)? {
        0 => {
            require(kind == 1, "a transaction under a leaf of another kind")?;
            let length = rest.number(8)? as usize;
            body = rest.take(length)?;
            require(tagged("musubi/v1/transaction", &[body]) == id, "the id")?;
            let list = rest.0;
            let count = rest.number(8)? as usize;
            require(count <= 16, "more than 16 signatures")?;
            let signatures = rest.take(120 * count)?;
            let hash = tagged("musubi/v1/signatures", &[&list[..8 + 120 * count]]);
            require(hash == signatures_hash, "the signatures' hash")?;
            require(body.get(1..33) == Some(chain), "another ledger's transaction")?;
            for signature in signatures.chunks_exact(120) {
                signers.push(signed(signature, body, &id)?);
            }
            let reference = Cursor(body.get(51..).ok_or("the body")?).number(8)? as usize;
            body.get(59 + reference..75 + reference).ok_or("the body")?.to_vec()
        }
        1 => {
            require(kind == 2, "a system action under a leaf of another kind")?;
            let (due, cause, deadline) = (rest.number(4)?, rest.take(32)?, rest.take(8)?);
            let computed = tagged("musubi/v1/system", &[&[due as u8], cause, deadline]);
            require(computed == id, "the id")?;
            require(signatures_hash == [0; 32], "a system leaf with signatures")?;
            tagged("musubi/v1/system-salt", &[cause])[..16].to_vec()
        }
        _ => return Err("an unknown subject".into()),
    };
    let outcome = rest.0;
    require(tagged("musubi/v1/outcome", &[&salt, outcome]) == outcome_hash, "the outcome's hash")?;
    require(!void.contains(&code) && (kind == 1 || code == 0), "a verdict that no leaf has")?;
    require(code == 0 || outcome == [0; 40], "rejected, yet it did something")?;
    let postings = postings(outcome)?;
    let (body, outcome) = (body.to_vec(), outcome.to_vec());
    Ok(Opened { id, height, time, code, body, signers, outcome, salt, postings })
}

/// Checks one signature over the 131 bytes of FORMAT.md, section 5, and returns its key.
fn signed(signature: &[u8], body: &[u8], id: &[u8; 32]) -> Result<[u8; 32], Refusal> {
    let mut fields = Cursor(signature);
    let (side, role) = (fields.number(4)? as u8, fields.number(4)? as u8);
    let (party, signer, bytes) = (fields.take(16)?, fields.array::<32>()?, fields.take(64)?);
    let mut message = b"musubi/v1/sign\0\0\x01".to_vec();
    for part in [&body[1..33], &[side, role], party, &signer, id] {
        message.extend_from_slice(part);
    }
    let key = VerifyingKey::from_bytes(&signer).map_err(|_| "a signer's key")?;
    let signature = Signature::from_slice(bytes).map_err(|_| "a signature")?;
    require(key.verify_strict(&message, &signature).is_ok(), "a signature does not verify")?;
    Ok(signer)
}

/// The postings of an outcome; per lot they sum to zero.
fn postings(outcome: &[u8]) -> Result<Vec<Posting>, Refusal> {
    let mut rest = Cursor(outcome);
    let mut postings = Vec::new();
    for _ in 0..rest.number(8)? {
        let account = rest.take(20)?.to_vec();
        let lot = rest.0;
        let instrument = rest.take(16)?;
        let expires = rest.number(1)? == 1;
        rest.take(if expires { 8 } else { 0 } + 4 + 16 + 4)?;
        let lot = lot[..lot.len() - rest.0.len()].to_vec();
        let _holding = rest.number(4)?;
        let (plus, amount) = (rest.number(4)? == 1, rest.number(8)?);
        let instrument = String::from_utf8_lossy(instrument).trim_end_matches('\0').into();
        postings.push(Posting { plus, amount, instrument, account, lot });
    }
    let mut sums: BTreeMap<&[u8], i128> = BTreeMap::new();
    for Posting { plus, amount, lot, .. } in &postings {
        let amount = i128::from(*amount);
        *sums.entry(lot).or_default() += if *plus { amount } else { -amount };
    }
    require(sums.values().all(|sum| *sum == 0), "value was invented")?;
    Ok(postings)
}
