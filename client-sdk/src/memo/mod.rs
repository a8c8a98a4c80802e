//! Memos: written for the keys of both parties, read by either, revealed to anybody by one of them
//! (`docs/adr/0016-memos.md`; the forms are [`ledger`](musubi_ledger::memo)'s).
//!
//! This folder is the one place that names the cipher and HPKE: [`wrap`](mod@self) turns a party's signing key into
//! one that a memo's key can be wrapped for. Randomness comes from [`entropy`] alone.

mod wrap;

#[cfg(test)]
mod tests;

use std::fmt;

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit,
    aead::{Aead, Nonce},
};
use musubi_ledger::{
    hash::Hash,
    keys::{PublicKey, SecretKey},
    limits,
    memo::{MemoBlob, MemoError, MemoKey, Reveal, Wrap, commitment, context, pad, text_key, unpad},
    transaction::Body,
};
use zeroize::Zeroizing;

use crate::{draft::Draft, entropy};

/// Fills a buffer with randomness. [`entropy::fill`] in earnest; fixed bytes for vectors.
pub type Random<'r> = &'r mut dyn FnMut(&mut [u8]);

/// A memo that was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// What it says: as somebody else wrote it, see [`visible`] before it is printed.
    pub text: String,
    /// The file that shows it to anybody.
    pub reveal: Reveal,
}

impl fmt::Debug for Opened {
    /// Neither text nor key: debug output ends in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened(memo {})", self.reveal.blob.hash())
    }
}

/// Writes a memo for `readers` and cites it in the draft, whose sender and reference may not change any more.
/// The keys are those of both parties: a repeated one counts once.
///
/// # Errors
/// [`MemoError::Length`], [`MemoError::Readers`] or [`MemoError::WeakKey`].
pub fn attach(
    draft: Draft,
    text: &str,
    readers: &[PublicKey],
) -> Result<(Draft, MemoBlob), MemoError> {
    let blob = seal(draft.body(), text, readers, &mut entropy::fill)?;
    Ok((draft.memo(blob.hash()), blob))
}

/// The blob of a memo for the transaction that `body` will be: of the body only chain, sender and reference count.
///
/// # Errors
/// As [`attach`].
pub fn seal(
    body: &Body,
    text: &str,
    readers: &[PublicKey],
    random: Random<'_>,
) -> Result<MemoBlob, MemoError> {
    let padded = Zeroizing::new(pad(text)?);
    let mut readers = readers.to_vec();
    readers.sort_unstable();
    readers.dedup();
    if readers.is_empty() || readers.len() > limits::MEMO_READERS_MAX {
        return Err(MemoError::Readers(readers.len()));
    }
    let context = context(body);
    let mut key: Zeroizing<MemoKey> = Zeroizing::new([0; 32]);
    random(&mut *key);
    let commitment = commitment(&key, &context);
    let sealed = cipher(&key, &context).encrypt(&Nonce::<ChaCha20Poly1305>::default(), &padded[..]);
    let sealed = sealed.expect("a kilobyte is far below what the cipher takes");
    let wrapped = |reader: &PublicKey| wrap::wrap(&key, (&context, &commitment), reader, random);
    let wraps: Result<Vec<Wrap>, _> = readers.iter().map(wrapped).collect();
    Ok(MemoBlob { commitment, wraps: wraps?, sealed })
}

/// Reads a memo with the key of one of its readers. `body` is the transaction's, as signed: read it before
/// signing, and what opens is what the other party reads too.
///
/// # Errors
/// [`MemoError`]: of [`MemoBlob::check_cited`], `NotAddressed` or `BrokenWrap`, and those of [`verify`].
pub fn open(blob: &MemoBlob, body: &Body, key: &SecretKey) -> Result<Opened, MemoError> {
    blob.check_cited(body)?;
    let wrap = blob.wrap_for(&key.public()).ok_or(MemoError::NotAddressed)?;
    let key = wrap::unwrap(wrap, (&context(body), &blob.commitment), key)?;
    let reveal = Reveal { key: *key, blob: blob.clone() };
    Ok(Opened { text: verify(&reveal, body)?, reveal })
}

/// What a revealed memo says, if it is the one that `body` cites. Whoever made blob and key, it opens as one text
/// alone; that `body` is in the log is for its proof to show.
///
/// # Errors
/// [`MemoError`]: of [`Reveal::check`], `BrokenText`, `Padding` or `NotText`.
pub fn verify(reveal: &Reveal, body: &Body) -> Result<String, MemoError> {
    let context = reveal.check(body)?;
    let nonce = Nonce::<ChaCha20Poly1305>::default();
    let padded = cipher(&reveal.key, &context).decrypt(&nonce, &reveal.blob.sealed[..]);
    unpad(&Zeroizing::new(padded.map_err(|_| MemoError::BrokenText)?))
}

/// The text's cipher. Its key serves this one text, so that the nonce may be zeros.
fn cipher(key: &MemoKey, context: &Hash) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(Zeroizing::new(text_key(key, context)).as_slice().try_into().expect("32"))
}

/// A text as a terminal may show it: what would move the cursor, turn the direction of reading or hide (controls,
/// bidirectional marks, zero-width characters) stands there as `\u{…}`. Line feeds stay.
#[must_use]
pub fn visible(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match hidden(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown
}
