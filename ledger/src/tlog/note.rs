//! The signed note: a text and the signatures under it (C2SP signed-note).
//!
//! A note is only worth what [`SignedNote::verify`] returns for keys that the caller trusts; until
//! then its text is a stranger's.

use std::fmt;
use std::str::FromStr;

use super::signature::{NoteSignature, Verified};
use super::vkey::VerifierKey;

/// Longest accepted note in bytes: 64 signatures of the largest kind in use, and their text.
pub const MAX_NOTE_BYTES: usize = 256 * 1024;
/// Most signature lines in an accepted note; signed-note asks for at least 16.
pub const MAX_SIGNATURES: usize = 64;

const SEPARATOR: &str = "\n\n";

const _: () = assert!(MAX_SIGNATURES >= 16);

/// Why a note was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The note exceeds [`MAX_NOTE_BYTES`].
    #[error("a signed note has at most 262144 bytes")]
    TooLong,
    /// The note has more than [`MAX_SIGNATURES`] signatures.
    #[error("a signed note has at most 64 signatures")]
    TooManySignatures,
    /// Not UTF-8, or a control character other than a line feed.
    #[error("a signed note is UTF-8 without control characters other than line feeds")]
    BadText,
    /// The structure of text, empty line and signature lines is broken.
    #[error("not a signed note: expected text lines, an empty line, and signature lines")]
    BadFormat,
    /// A signature line is malformed.
    #[error("not a signature line: expected an em dash, the key name and base64")]
    BadSignatureLine,
    /// Two of the caller's own keys have the same name and id.
    #[error("two trusted keys named {name} share one key id: remove one of them")]
    AmbiguousKey {
        /// The name they share.
        name: String,
    },
    /// A trusted key's signature does not verify.
    #[error("the signature of {name} is wrong: the note was altered")]
    BadSignature {
        /// The key's name.
        name: String,
    },
    /// No trusted key signed the note.
    #[error("no trusted key signed this note: check the policy, or ask the log for a newer note")]
    NoTrustedSignature,
}

impl NoteError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "note_too_long",
            Self::TooManySignatures => "too_many_signatures",
            Self::BadText => "bad_note_text",
            Self::BadFormat => "bad_note",
            Self::BadSignatureLine => "bad_signature_line",
            Self::AmbiguousKey { .. } => "ambiguous_key",
            Self::BadSignature { .. } => "bad_note_signature",
            Self::NoTrustedSignature => "no_trusted_signature",
        }
    }
}

/// A text with signatures, none of them trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// A note about `text`, to which signatures are then added.
    ///
    /// # Errors
    /// [`NoteError::BadText`] if the text is empty, does not end in a line feed, or has other
    /// control characters; [`NoteError::TooLong`].
    pub fn new(text: String) -> Result<Self, NoteError> {
        if text.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        if !text.ends_with('\n') || has_control(&text) {
            return Err(NoteError::BadText);
        }
        Ok(Self { text, signatures: Vec::new() })
    }

    /// Reads a note as it was served or stored.
    ///
    /// # Errors
    /// [`NoteError::BadText`] if it is not UTF-8, otherwise as [`SignedNote::from_str`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        str::from_utf8(bytes).map_err(|_| NoteError::BadText)?.parse()
    }

    /// The signed text, with its final line feed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in the order they stand.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line; one that is already there is not repeated.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`] if the note is full.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Checks the note against the keys the caller trusts. Returns each key that signed once, in the
    /// order of the lines (a second line of one key must verify too but adds nothing); lines of
    /// unknown keys are ignored, even if name or id alone match.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] if any line of a trusted key fails,
    /// [`NoteError::NoTrustedSignature`] if there is none, [`NoteError::AmbiguousKey`] if `trusted`
    /// itself is ambiguous.
    pub fn verify<'k>(&self, trusted: &'k [VerifierKey]) -> Result<Vec<Verified<'k>>, NoteError> {
        let mut verified: Vec<Verified<'k>> = Vec::new();
        for line in &self.signatures {
            let mut candidates = trusted.iter().filter(|key| line.matches(key));
            let Some(key) = candidates.next() else {
                continue;
            };
            let name = || line.name().to_owned();
            if candidates.any(|other| other != key) {
                return Err(NoteError::AmbiguousKey { name: name() });
            }
            let signature = line
                .verify(&self.text, key)
                .ok_or_else(|| NoteError::BadSignature { name: name() })?;
            if !verified.iter().any(|earlier| earlier.key == key) {
                verified.push(signature);
            }
        }
        if verified.is_empty() { Err(NoteError::NoTrustedSignature) } else { Ok(verified) }
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for SignedNote {
    type Err = NoteError;

    /// Reads a note. The last empty line separates the text, which may have empty lines of its own,
    /// from at least one signature.
    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        if has_control(note) {
            return Err(NoteError::BadText);
        }
        let (text, lines) = note.rsplit_once(SEPARATOR).ok_or(NoteError::BadFormat)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::BadFormat)?;
        if lines.split('\n').nth(MAX_SIGNATURES).is_some() {
            return Err(NoteError::TooManySignatures);
        }
        let signatures = lines.split('\n').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < 0x20 && byte != b'\n')
}
