//! A statement: a period of one wallet, from a proved state to a proved state, without a gap.
//!
//! A wallet's header counts the leaves that touched it and keeps a running hash over them, and the header is
//! under the state digest of every seal. So between two proved states the leaves are fixed: a list of lines
//! that leads from the first count and hash to the second is all of them, in their order, unaltered.
//! That nothing before the period's beginning or behind its end was moved out of sight follows from block
//! times: the opening state is at a seal before the period, the closing at one behind it, or the leaves
//! between the closing and a later header are listed too (bare: they say nothing but when).
//!
//! Who owns what: this file the statement and its bytes, [`line`](mod@line) one line, [`verify`](mod@verify)
//! the rules, [`error`](mod@error) what each failure is called.

pub mod error;
pub mod line;
pub mod verify;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use error::{LineError, StatementError, Which};
pub use line::{Cause, Line, ProvenLine};
pub use verify::ProvenStatement;

use super::wallet::WalletAtSeal;
use crate::{
    codec::{self, CodecError},
    id::PartyId,
    leaf::{LEAF_BYTES, Leaf},
    limits,
    time::Time,
};

/// A period of one wallet with everything that proves it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Whose.
    pub party: PartyId,
    /// The period's beginning: block times from this instant on.
    pub from: Time,
    /// The period's end, exclusive.
    pub to: Time,
    /// The signed note of the one final checkpoint under which everything is proved.
    pub checkpoint: String,
    /// The wallet before the first line, with its lots; none if no leaf had touched it.
    pub opening: Option<WalletAtSeal>,
    /// The leaves of the period that touched the wallet, in the log's order.
    pub lines: Vec<Line>,
    /// The wallet behind the last line, with its lots.
    pub closing: WalletAtSeal,
    /// Where the closing state's seal is before `to`: a later header, without lots.
    pub bound: Option<WalletAtSeal>,
    /// The leaves between closing and bound, none before `to`.
    pub after: Vec<Leaf>,
}

/// The first part of a statement's bytes.
#[derive(Serialize, Deserialize)]
struct Head {
    party: PartyId,
    from: Time,
    to: Time,
    checkpoint: String,
    opening: Option<WalletAtSeal>,
    closing: WalletAtSeal,
    bound: Option<WalletAtSeal>,
    lines: u32,
    after: u32,
}

impl Statement {
    /// Canonical bytes: the version byte, then the head, each line and each leaf behind the period as a part
    /// of its own behind its length (u32, little-endian).
    ///
    /// # Panics
    /// If there are more lines or leaves than a statement may have: whoever makes one counts them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (lines, after) = (self.lines.len(), self.after.len());
        assert!(lines <= limits::STATEMENT_LINES_MAX, "statements are bounded when they are made");
        assert!(after <= limits::STATEMENT_LEAVES_AFTER_MAX, "as their lines");
        let count = |n: usize| u32::try_from(n).expect("bounded just above");
        let head = Head {
            party: self.party,
            from: self.from,
            to: self.to,
            checkpoint: self.checkpoint.clone(),
            opening: self.opening.clone(),
            closing: self.closing.clone(),
            bound: self.bound.clone(),
            lines: count(lines),
            after: count(after),
        };
        let mut bytes = vec![codec::FORMAT_VERSION];
        push_part(&mut bytes, &codec::encode(&head));
        for line in &self.lines {
            push_part(&mut bytes, &codec::encode(line));
        }
        for leaf in &self.after {
            push_part(&mut bytes, &leaf.encode());
        }
        bytes
    }

    /// Reads a statement; nothing in it is believed yet.
    ///
    /// # Errors
    /// [`StatementError::Codec`], and [`StatementError::Line`] with [`LineError::Codec`] for a line.
    pub fn decode(bytes: &[u8]) -> Result<Self, StatementError> {
        let limit = limits::STATEMENT_BYTES_MAX;
        if bytes.len() > limit {
            return Err(CodecError::TooLong { got: bytes.len(), limit }.into());
        }
        let Some((&codec::FORMAT_VERSION, mut rest)) = bytes.split_first() else {
            return Err(CodecError::Version.into());
        };
        let head: Head = read_part(&mut rest)?;
        // Counts are bounded before anything is kept; a part that is missing ends the reading at once.
        if head.lines as usize > limits::STATEMENT_LINES_MAX
            || head.after as usize > limits::STATEMENT_LEAVES_AFTER_MAX
        {
            return Err(CodecError::Malformed.into());
        }
        let mut lines = Vec::new();
        for number in 1..=u64::from(head.lines) {
            let line = read_part(&mut rest).map_err(LineError::Codec);
            lines.push(line.map_err(|error| StatementError::Line(number, error))?);
        }
        let mut after = Vec::new();
        for _ in 0..head.after {
            let part = take_part(&mut rest).filter(|part| part.len() == LEAF_BYTES);
            after.push(Leaf::decode(part.ok_or(CodecError::Malformed)?)?);
        }
        if !rest.is_empty() {
            return Err(CodecError::Trailing.into());
        }
        let Head { party, from, to, checkpoint, opening, closing, bound, .. } = head;
        Ok(Self { party, from, to, checkpoint, opening, lines, closing, bound, after })
    }
}

fn push_part(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("parts are far smaller");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(part);
}

/// Takes the next part off `rest`; none if there is no whole one.
fn take_part<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (part, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(part)
}

fn read_part<T: Serialize + DeserializeOwned>(rest: &mut &[u8]) -> Result<T, CodecError> {
    let part = take_part(rest).ok_or(CodecError::Malformed)?;
    codec::decode(part, limits::STATEMENT_PART_BYTES_MAX)
}
