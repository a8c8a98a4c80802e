//! A transaction on its way between signers: a file of canonical bytes, or a text that fits a QR code.
//!
//! Whoever receives one sees what it does ([`HalfSigned::describe`]), who signed
//! ([`HalfSigned::signatures`]) and, as far as the body alone tells, who is missing
//! ([`HalfSigned::missing`]); signs, and passes it on or submits it. Copies that went different ways
//! are merged. What arrives with a signature that does not verify is refused: nobody signs beside it.

mod slot;
mod wanted;

#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use musubi_ledger::{
    hash::tagged,
    id::{PartyId, TxId},
    keys::SecretKey,
    limits,
    memo::{MemoBlob, MemoError, join, split},
    party::PartyKind,
    transaction::{Body, FormError, Signature, Transaction},
    verify::verify_all,
};
use thiserror::Error;

use crate::{
    base32::{self, Base32Error},
    describe::{self, Glossary},
};

pub use slot::Slot;
pub use wanted::Wanted;

/// What the text form begins with; the digit is its version.
pub const TEXT_PREFIX: &str = "MUSUBI1:";
/// The longest text that one QR code holds (version 40, level L, alphanumeric mode: ISO/IEC 18004).
pub const QR_CHARACTERS_MAX: usize = 4_296;
const CHECKSUM_BYTES: usize = 4;

/// A body with the signatures that it has so far, all of which verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HalfSigned {
    transaction: Transaction,
    /// The memo that the body cites, where it came along.
    memo: Option<MemoBlob>,
}

/// Why something is no half-signed transaction, or cannot be joined with another.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HalfSignedError {
    /// A text that does not begin like one.
    #[error("not a Musubi transaction: the text does not begin with {TEXT_PREFIX}")]
    Prefix,
    /// A character that the text form does not have.
    #[error("character {position} does not belong there: the text was mistyped or cut off")]
    Character {
        /// Position in the text, without white space, from 1.
        position: usize,
    },
    /// The checksum does not fit.
    #[error("the checksum does not fit: the text was mistyped or cut off")]
    Checksum,
    /// The bytes are no transaction's.
    #[error("{0}: the file was damaged or is something else")]
    Form(#[from] FormError),
    /// The memo that came along is none, or is not the one that the body cites.
    #[error("{0}")]
    Memo(#[from] MemoError),
    /// A signature in it does not verify.
    #[error("the signature by key {signer} does not verify: do not sign, ask for a new copy")]
    BadSignature {
        /// The key that is said to have signed.
        signer: String,
    },
    /// Two copies are of different bodies.
    #[error("these are two different transactions, {ours} and {theirs}: copies of one are joined")]
    OtherBody {
        /// The id here.
        ours: TxId,
        /// The id there.
        theirs: TxId,
    },
    /// More signatures than a transaction carries.
    #[error("a transaction carries at most {} signatures", limits::SIGNATURES_MAX)]
    TooManySignatures,
    /// Too much for a QR code.
    #[error("{characters} characters do not fit one QR code: pass it on as a file")]
    TooLongForQr {
        /// How many there are.
        characters: usize,
    },
}

impl HalfSignedError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Prefix => "not_a_transaction_text",
            Self::Character { .. } | Self::Checksum => "damaged_transaction_text",
            Self::Form(_) => "not_a_transaction",
            Self::Memo(error) => error.code(),
            Self::BadSignature { .. } => "bad_signature",
            Self::OtherBody { .. } => "other_body",
            Self::TooManySignatures => "too_many_signatures",
            Self::TooLongForQr { .. } => "too_long_for_qr",
        }
    }
}

impl HalfSigned {
    /// Nobody has signed yet.
    #[must_use]
    pub fn new(body: Body) -> Self {
        let transaction = Transaction::new(body, Vec::new());
        Self { transaction, memo: None }
    }

    /// The sender's own signature right away.
    pub(crate) fn signed_once(body: Body, slot: Slot, key: &SecretKey) -> Self {
        let signature = body.sign(slot.side, slot.role, slot.party, key);
        let transaction = Transaction::new(body, vec![signature]);
        Self { transaction, memo: None }
    }

    /// Takes a transaction from elsewhere.
    ///
    /// # Errors
    /// [`HalfSignedError::Form`] or [`HalfSignedError::BadSignature`].
    pub fn from_transaction(transaction: Transaction) -> Result<Self, HalfSignedError> {
        transaction.check_form()?;
        let preimages = transaction.preimages(&transaction.body.id());
        let checks: Vec<_> = transaction.checks(&preimages).collect();
        let verdicts = verify_all(&checks);
        match verdicts.iter().position(|holds| !holds) {
            Some(at) => Err(HalfSignedError::BadSignature {
                signer: transaction.signatures[at].signer.to_string(),
            }),
            None => Ok(Self { transaction, memo: None }),
        }
    }

    /// Reads what a file or a scanner gave: canonical bytes, or the text form.
    ///
    /// # Errors
    /// [`HalfSignedError`].
    pub fn read(content: &[u8]) -> Result<Self, HalfSignedError> {
        match str::from_utf8(content) {
            Ok(text) if text.trim_start().starts_with("MUSUBI") => text.parse(),
            _ => Self::decode(content),
        }
    }

    /// With the memo that its body cites, so that whoever signs next can read it first.
    ///
    /// # Errors
    /// [`HalfSignedError::Memo`].
    pub fn with_memo(mut self, memo: MemoBlob) -> Result<Self, HalfSignedError> {
        memo.check_cited(self.body())?;
        self.memo = Some(memo);
        Ok(self)
    }

    /// The memo that came along. Its text is whatever its writer wrote: [`crate::memo::open`] reads it.
    #[must_use]
    pub fn memo(&self) -> Option<&MemoBlob> {
        self.memo.as_ref()
    }

    /// Reads canonical bytes, of the transaction alone or with its memo.
    ///
    /// # Errors
    /// [`HalfSignedError::Form`], [`HalfSignedError::BadSignature`] or [`HalfSignedError::Memo`].
    pub fn decode(bytes: &[u8]) -> Result<Self, HalfSignedError> {
        // A length of at most 32 KiB begins with zero, a transaction with its version.
        if bytes.first() != Some(&0) {
            return Self::from_transaction(Transaction::decode(bytes)?);
        }
        let (transaction, blob) = split(bytes)?;
        Self::from_transaction(Transaction::decode(transaction)?)?
            .with_memo(MemoBlob::decode(blob)?)
    }

    /// Canonical bytes: what is written to a file, and what is submitted, with the memo if there is one.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let transaction = self.transaction.encode();
        match &self.memo {
            Some(memo) => join(&transaction, &memo.encode()),
            None => transaction,
        }
    }

    /// The text for a QR code.
    ///
    /// # Errors
    /// [`HalfSignedError::TooLongForQr`].
    pub fn to_qr_text(&self) -> Result<String, HalfSignedError> {
        let text = self.to_string();
        if text.len() > QR_CHARACTERS_MAX {
            let characters = text.len();
            return Err(HalfSignedError::TooLongForQr { characters });
        }
        Ok(text)
    }

    /// The id, which signatures do not change.
    #[must_use]
    pub fn id(&self) -> TxId {
        self.transaction.body.id()
    }

    /// What it says.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.transaction.body
    }

    /// Who signed so far.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.transaction.signatures
    }

    /// Adds one more signature; one that is there already stays as it is.
    ///
    /// # Errors
    /// [`HalfSignedError::TooManySignatures`].
    pub fn sign(self, slot: Slot, key: &SecretKey) -> Result<Self, HalfSignedError> {
        let signature = self.body().sign(slot.side, slot.role, slot.party, key);
        self.with([signature])
    }

    fn with(self, more: impl IntoIterator<Item = Signature>) -> Result<Self, HalfSignedError> {
        let memo = self.memo;
        let Transaction { body, mut signatures } = self.transaction;
        signatures.extend(more);
        let transaction = Transaction::new(body, signatures);
        transaction.check_form().map_err(|_| HalfSignedError::TooManySignatures)?;
        Ok(Self { transaction, memo })
    }

    /// Joins two copies of one body: the result has both copies' signatures, and the memo if one of them has it.
    ///
    /// # Errors
    /// [`HalfSignedError::OtherBody`] or [`HalfSignedError::TooManySignatures`].
    pub fn merge(mut self, other: Self) -> Result<Self, HalfSignedError> {
        if self.transaction.body != other.transaction.body {
            return Err(HalfSignedError::OtherBody { ours: self.id(), theirs: other.id() });
        }
        self.memo = self.memo.or(other.memo);
        self.with(other.transaction.signatures)
    }

    /// The transaction, to be submitted. Whether its signatures suffice is the ledger's to judge.
    #[must_use]
    pub fn complete(self) -> Transaction {
        self.transaction
    }

    /// Whose signatures are still missing, as far as the body alone tells. `kind` says what a party is,
    /// where the caller knows; groups and offices need more persons than it may promise.
    #[must_use]
    pub fn missing(&self, kind: &dyn Fn(&PartyId) -> Option<PartyKind>) -> Vec<Wanted> {
        let wanted = wanted::of(&self.transaction.body, &self.transaction.signatures, kind);
        let lacking = |w: Wanted| w.less(&self.transaction.signatures);
        wanted.into_iter().filter_map(lacking).collect()
    }

    /// What it does, in lines of plain words: to be read before signing.
    #[must_use]
    pub fn describe(&self, glossary: &Glossary) -> Vec<String> {
        describe::body(&self.transaction.body, glossary)
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let [a, b, c, d, ..] = tagged("musubi/v1/half-signed", &[bytes]);
    [a, b, c, d]
}

impl fmt::Display for HalfSigned {
    /// The text form: prefix, then base32 of checksum and canonical bytes; for QR's alphanumeric mode.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.encode();
        let mut content = checksum(&bytes).to_vec();
        content.extend_from_slice(&bytes);
        write!(f, "{TEXT_PREFIX}{}", base32::encode(&content))
    }
}

impl FromStr for HalfSigned {
    type Err = HalfSignedError;

    /// Reads the text form; white space and line breaks, as terminals and mails add them, are ignored.
    fn from_str(text: &str) -> Result<Self, HalfSignedError> {
        let text: String = text.split_whitespace().collect();
        let content = text.strip_prefix(TEXT_PREFIX).ok_or(HalfSignedError::Prefix)?;
        let content = base32::decode(content).map_err(|error| match error {
            Base32Error::Character(at) => {
                HalfSignedError::Character { position: TEXT_PREFIX.len() + at + 1 }
            }
            Base32Error::Length => HalfSignedError::Checksum,
        })?;
        match content.split_first_chunk::<CHECKSUM_BYTES>() {
            Some((sum, bytes)) if *sum == checksum(bytes) => Self::decode(bytes),
            _ => Err(HalfSignedError::Checksum),
        }
    }
}
