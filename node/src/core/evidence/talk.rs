//! What nodes tell each other so that lies come out, in canonical bytes behind a version byte.

use musubi_consensus::Told;
use musubi_ledger::{
    codec::{self, CodecError},
    evidence::SignedBatch,
    limits,
};
use serde::{Deserialize, Serialize};

/// One frame's content. Nothing in it is believed because of who sent it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Talk {
    /// Entries that the sender has executed.
    Entries(Vec<Told>),
    /// What a leader signed, where the receiver executed something else.
    Batch(SignedBatch),
    /// A signed checkpoint that is not the root of the sender's log.
    Note(String),
    /// An evidence file.
    File(#[serde(with = "musubi_ledger::bytes")] Vec<u8>),
}

/// A frame's content at most: a file, and what wraps it.
const TALK_BYTES_MAX: usize = limits::EVIDENCE_BYTES_MAX + 64;

const _: () = assert!(TALK_BYTES_MAX < limits::FRAME_BYTES_MAX);

impl Talk {
    /// Canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode_versioned(self)
    }

    /// Reads a frame's content.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode_versioned(bytes, TALK_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use musubi_consensus::Position;

    use super::*;

    #[test]
    fn talk_survives_the_wire_and_the_rest_is_refused() {
        let told = Told { entry: Position { index: 7, term: 3 }, hash: [9; 32] };
        for talk in [
            Talk::Entries(vec![told; 300]),
            Talk::Note("a note\n".into()),
            Talk::File(vec![5; limits::EVIDENCE_BYTES_MAX]),
        ] {
            let bytes = talk.encode();
            assert_eq!(Talk::decode(&bytes).unwrap(), talk);
            assert!(Talk::decode(&bytes[..bytes.len() - 1]).is_err());
        }
        assert!(Talk::decode(&[1, 9, 0, 0, 0]).is_err());
        assert!(Talk::decode(&vec![1; TALK_BYTES_MAX + 1]).is_err());
    }
}
