//! The witness: a state machine without clock, disk, or secret key of its own.
//!
//! The rule that everything hangs on: *what a cosignature says must be on disk before the cosignature
//! leaves, and nothing may be decided in between.* [`Witness::add_checkpoint`] therefore gives no answer but
//! a [`Pending`], which borrows the witness: until it is stored and [`Pending::persisted`] is called,
//! nothing else can be asked of it.

use std::collections::BTreeMap;

use super::record::{Record, RecordError, only_signatures_of};
use super::refusal::{Answer, Refusal, TEXT};
use super::request::AddCheckpoint;
use super::setup::{KnownLog, SetupError};
use crate::tlog::{
    Hash,
    checkpoint::{Checkpoint, CheckpointError},
    merkle::EMPTY_ROOT,
    note::{MAX_NOTE_BYTES, MAX_SIGNATURES, SignedNote},
    proof::verify_consistency,
    signature::NoteSignature,
    vkey::{Algorithm, MAX_NAME_BYTES, VerifierKey},
};

/// Longest checkpoint text that is cosigned, extension lines and all, so that what is stored is always a
/// note that can be read again.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Longest line of an Ed25519 signature: em dash, name, key id and signature in base64.
const LINE_BYTES: usize = 4 + MAX_NAME_BYTES + 1 + (4 + 8 + 64usize).div_ceil(3) * 4 + 1;

const _: () = assert!(MAX_TEXT_BYTES + 1 + MAX_SIGNATURES * LINE_BYTES <= MAX_NOTE_BYTES);

/// A witness: its key, the logs it knows, and what it has cosigned last of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    key: VerifierKey,
    logs: BTreeMap<String, Vec<VerifierKey>>,
    /// By origin. Logs that are no longer known keep theirs: known again, they must not start anew.
    records: BTreeMap<String, Record>,
}

/// A decision to cosign that is not on disk yet. Dropping it takes the decision back: nobody has seen it.
#[derive(Debug)]
#[must_use = "store the record, then call `persisted`: only that gives the answer"]
pub struct Pending<'w> {
    witness: &'w mut Witness,
    record: Record,
    cosignature: NoteSignature,
}

impl Witness {
    /// A witness that has cosigned nothing yet.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(key: VerifierKey, logs: Vec<KnownLog>) -> Result<Self, SetupError> {
        if key.algorithm() != Algorithm::CosignatureV1 {
            return Err(SetupError::NotACosigner);
        }
        let mut known = BTreeMap::new();
        for (origin, keys) in logs.into_iter().map(KnownLog::into_parts) {
            if keys.iter().any(|log| log.public_key() == key.public_key()) {
                return Err(SetupError::SharedKey(origin));
            }
            if known.insert(origin.clone(), keys).is_some() {
                return Err(SetupError::LogTwice(origin));
            }
        }
        Ok(Self { key, logs: known, records: BTreeMap::new() })
    }

    /// Gives back what the witness had stored. Every stored record must be given back before the first
    /// request, also those of logs that are not known any more.
    ///
    /// # Errors
    /// [`RecordError`]: then the witness must not run.
    pub fn restore(&mut self, record: &[u8]) -> Result<(), RecordError> {
        let record = Record::parse(record, &self.key)?;
        let origin = record.checkpoint().origin().to_owned();
        if self.records.contains_key(&origin) {
            return Err(RecordError::Twice { origin });
        }
        self.records.insert(origin, record);
        Ok(())
    }

    /// The key that cosigns.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// All that must be remembered, by origin.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// What is served to a monitor that asks for a log by the SHA-256 of its origin.
    #[must_use]
    pub fn monitored(&self, hash: &Hash) -> Option<&Record> {
        self.records.values().find(|record| record.origin_hash() == *hash)
    }

    /// The latest record of a log.
    #[must_use]
    pub fn latest(&self, origin: &str) -> Option<&Record> {
        self.records.get(origin)
    }

    /// Judges a request in the order that tlog-witness prescribes, and cosigns with `sign`, which holds the
    /// secret half of the witness's key. `unix_seconds` is the caller's clock; a clock that went back
    /// does not take the stated time back, because a later statement may not be of an earlier time.
    ///
    /// # Errors
    /// [`Refusal`]; nothing was signed then, and nothing has changed.
    ///
    /// # Panics
    /// If `unix_seconds` is 0 or above 2^63 − 1, which cosignatures cannot state: check the clock first.
    pub fn add_checkpoint(
        &mut self,
        request: &AddCheckpoint,
        unix_seconds: u64,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Pending<'_>, Refusal> {
        let in_range = unix_seconds > 0 && unix_seconds <= i64::MAX as u64;
        assert!(in_range, "a cosignature states a time between 1 and 2^63 - 1 seconds");
        let (checkpoint, signatures) = self.judge(request)?;
        let text = request.note().text();
        let before = self.records.get(checkpoint.origin()).map_or(0, Record::unix_seconds);
        let time = unix_seconds.max(before);
        let cosignature = NoteSignature::cosign(text, &self.key, time, sign);
        let mut note = SignedNote::new(text.to_owned()).expect("the text came out of a note");
        for line in signatures.into_iter().chain([cosignature.clone()]) {
            note.add(line).expect("a known log has fewer keys than a note has lines");
        }
        let record = Record::new(checkpoint, time, note);
        Ok(Pending { witness: self, record, cosignature })
    }

    /// Whether the request may be cosigned: its checkpoint, and the lines of the log's keys.
    fn judge(&self, request: &AddCheckpoint) -> Result<(Checkpoint, Vec<NoteSignature>), Refusal> {
        let note = request.note();
        if note.text().len() > MAX_TEXT_BYTES {
            return Err(Refusal::BadCheckpoint);
        }
        let origin = note.text().split('\n').next().unwrap_or_default();
        let unknown = || Refusal::UnknownLog { origin: origin.to_owned() };
        let keys = self.logs.get(origin).ok_or_else(unknown)?;
        note.verify(keys).map_err(Refusal::NotSigned)?;
        let checkpoint = match note.text().parse::<Checkpoint>() {
            Ok(checkpoint) => Some(checkpoint),
            // Its turn comes: an impossible empty tree is refused after a stale old size.
            Err(CheckpointError::BadEmptyRoot) => None,
            Err(_) => return Err(Refusal::BadCheckpoint),
        };
        let size = checkpoint.as_ref().map_or(0, Checkpoint::size);
        if request.old() > size {
            return Err(Refusal::OldBeyondSize);
        }
        let latest = self.records.get(origin).map(Record::checkpoint);
        let (cosigned, root) = latest.map_or((0, EMPTY_ROOT), |it| (it.size(), *it.root()));
        if request.old() != cosigned {
            return Err(Refusal::Conflict { size: cosigned });
        }
        let checkpoint = checkpoint.ok_or(Refusal::BadEmptyRoot)?;
        if size == cosigned && *checkpoint.root() != root {
            return Err(Refusal::OtherRoot);
        }
        verify_consistency(cosigned, &root, size, checkpoint.root(), request.proof())
            .map_err(Refusal::Inconsistent)?;
        Ok((checkpoint, only_signatures_of(note, keys)))
    }
}

impl Pending<'_> {
    /// What must be on disk before [`Pending::persisted`]: it replaces the record of its log.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// All records of the witness as they must be on disk, for storing them in one piece.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        let origin = self.record.checkpoint().origin();
        let others = self.witness.records.iter().filter(move |(other, _)| *other != origin);
        others.map(|(_, record)| record).chain([&self.record])
    }

    /// The record is on disk and stays there: the witness moves on, and this is its answer.
    #[must_use]
    pub fn persisted(self) -> Answer {
        let origin = self.record.checkpoint().origin().to_owned();
        self.witness.records.insert(origin, self.record);
        Answer { status: 200, content_type: TEXT, body: format!("{}\n", self.cosignature) }
    }
}
