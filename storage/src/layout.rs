//! Keys and records as they lie on disk. Changing anything here changes [`STORAGE_FORMAT`].
//!
//! | family | key | value |
//! |---|---|---|
//! | meta | a word | framed record |
//! | meta | `base` | framed [`Base`], in a directory that began with a snapshot; older software finds that its log does not begin at 1, and refuses |
//! | meta | `step`, number | framed `PolicyStep`: a change of policy from before the base |
//! | meta | `pledge`, member | framed [`SignedPledge`]: the newest kept of that member |
//! | raft_log | index, 0 | term, running hash |
//! | raft_log | index, 1 | the entry's data |
//! | state | `RowKey::to_bytes` | `Row::encode` |
//! | leaves | index of a run's first leaf | leaves, each `LEAF_BYTES`; no run crosses a bundle |
//! | entries | index of a run's first entry | framed entries; no run crosses [`ENTRIES_PER_RUN`] |
//! | blocks | height, 0 | framed [`BlockRecord`] |
//! | blocks | height, 1 | framed results of the items |
//! | parties | party, index of its first leaf in a block | its leaves in that block |
//! | tiles | tile level, index of a run's first hash | hashes; no run crosses a tile |
//! | checkpoints | size | framed signed note |
//! | archive | party, day as u32 | framed `KeptWallet`: the wallet at the end of that day |
//! | memos | 1, hash of the blob | framed `MemoStanding` |
//! | memos | 2, hash of the blob | framed blob, as long as it waits or is kept |
//! | memos | 3 or 4, hash of the blob | the standing again, of memos that wait (3) or are looked for (4) |
//!
//! Numbers in keys are big-endian, so that byte order is their order. A *framed* value carries eight
//! bytes of BLAKE3 over key and value in front; state, log, leaves and tiles are covered by digests of
//! their own.

use musubi_consensus::{HardState, Position, pledge::SignedPledge};
use musubi_ledger::{
    batch::NodeId,
    codec,
    execute::Head,
    hash::Hash,
    id::{ChainId, PartyId},
    leaf::SealBody,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    backend::{Backend, Family, WriteSet},
    error::StoreError,
};

/// The form in which this software keeps a directory.
pub const STORAGE_FORMAT: u32 = 2;
/// Entries are kept in runs of at most so many, to spare the database single inserts.
pub(crate) const ENTRIES_PER_RUN: u64 = 16;
/// Longest framed record: the results of a full batch, or a genesis document.
const RECORD_BYTES_MAX: usize = 2 << 20;
const FRAME_BYTES: usize = 8;
/// Room for most records with their frames: growing a buffer step by step costs more than filling it.
const RECORD_BYTES_USUAL: usize = 512;

/// Whose directory this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) format: u32,
    pub(crate) directory: [u8; 16],
    pub(crate) chain: ChainId,
}

/// Where execution stands: written with every block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Tip {
    /// The last Raft entry that was executed and recorded.
    pub(crate) applied: Position,
    /// The last block.
    pub(crate) head: Head,
    /// Root of the log of proof after it.
    pub(crate) root: Hash,
    /// The set digest's lanes.
    #[serde(with = "musubi_ledger::bytes")]
    pub(crate) rows: Vec<u8>,
}

/// What is kept of a block besides its leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlockRecord {
    /// The chain after it.
    pub head: Head,
    /// Index of its first leaf.
    pub first_leaf: u64,
    /// Its seal's public body; the seal's leaf is the last, `head.size - 1`.
    pub seal: SealBody,
    /// Root of the log of proof after it.
    pub root: Hash,
    /// The Raft entry that it executed; (0, 0) for block 0.
    pub entry: Position,
}

/// Where a log begins that was not executed from genesis: with a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Base {
    /// The chain at the snapshot's seal.
    pub head: Head,
    /// The Raft entry of the seal's block: the first that is kept.
    pub entry: Position,
}

/// Names of the records in [`Family::Meta`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    Identity,
    Genesis,
    HardState,
    Mark,
    Tip,
    Following,
    /// A snapshot is being taken: what is here is nobody's ledger yet.
    Incoming,
    /// Where the log begins. Absent where that is genesis.
    Base,
    /// A change of the witness policy from before the base, with its proof.
    Step(u32),
    /// The newest final checkpoint.
    Final,
    /// The final checkpoint that confirmed a witness policy.
    Settled(u32),
    /// The node that promises in this directory. Absent in one that no node has run on.
    Node,
}

impl Word {
    pub(crate) fn key(self) -> Vec<u8> {
        let word: &str = match self {
            Self::Identity => "identity",
            Self::Genesis => "genesis",
            Self::HardState => "hard_state",
            Self::Mark => "mark",
            Self::Tip => "tip",
            Self::Following => "following",
            Self::Incoming => "incoming",
            Self::Base => "base",
            Self::Step(number) => return [&b"step"[..], &number.to_be_bytes()].concat(),
            Self::Final => "final",
            Self::Settled(number) => return [&b"settled"[..], &number.to_be_bytes()].concat(),
            Self::Node => "node",
        };
        word.as_bytes().to_vec()
    }
}

/// In front of a member's number: where its newest pledge is kept.
pub(crate) const PLEDGE: &[u8] = b"pledge";

/// Where a member's newest pledge is kept.
pub(crate) fn pledge_key(node: NodeId) -> Vec<u8> {
    [PLEDGE, &node.0.to_be_bytes()].concat()
}

/// Puts a member's pledge in place of the one kept.
pub(crate) fn put_pledge(set: &mut WriteSet, pledge: &SignedPledge) {
    put(set, Family::Meta, pledge_key(pledge.pledge.node), pledge);
}

/// Puts a record under a framed value.
pub(crate) fn put<T: Serialize + ?Sized>(
    set: &mut WriteSet,
    family: Family,
    key: Vec<u8>,
    value: &T,
) {
    put_sized(set, family, key, value, RECORD_BYTES_USUAL - FRAME_BYTES);
}

/// As [`put`], for a value of some `bytes`.
pub(crate) fn put_sized<T: Serialize + ?Sized>(
    set: &mut WriteSet,
    family: Family,
    key: Vec<u8>,
    value: &T,
    bytes: usize,
) {
    let mut framed = Vec::with_capacity(FRAME_BYTES + bytes);
    framed.extend_from_slice(&[0; FRAME_BYTES]);
    let mut framed = codec::encode_behind(framed, value);
    let (frame, value) = framed.split_at_mut(FRAME_BYTES);
    frame.copy_from_slice(&checksum(&key, value));
    set.put(family, key, framed);
}

/// Reads a record back.
pub(crate) fn get<T: Serialize + DeserializeOwned>(
    backend: &dyn Backend,
    family: Family,
    key: &[u8],
) -> Result<Option<T>, StoreError> {
    let Some(bytes) = backend.get(family, key)? else {
        return Ok(None);
    };
    parse(family, key, &bytes).map(Some)
}

/// Reads a record of the meta family, which must be there.
pub(crate) fn meta<T: Serialize + DeserializeOwned>(
    backend: &dyn Backend,
    word: Word,
) -> Result<T, StoreError> {
    let record = get(backend, Family::Meta, &word.key())?;
    record.ok_or_else(|| StoreError::damaged(format!("the record {word:?} (missing)")))
}

/// Reads a record from a framed value.
pub(crate) fn parse<T: Serialize + DeserializeOwned>(
    family: Family,
    key: &[u8],
    bytes: &[u8],
) -> Result<T, StoreError> {
    let damaged = || StoreError::damaged(format!("a record of {}", family.name()));
    let value = unframe(key, bytes).ok_or_else(damaged)?;
    codec::decode(value, RECORD_BYTES_MAX).map_err(|_| damaged())
}

fn unframe<'a>(key: &[u8], bytes: &'a [u8]) -> Option<&'a [u8]> {
    let (sum, value) = bytes.split_first_chunk::<FRAME_BYTES>()?;
    (*sum == checksum(key, value)).then_some(value)
}

fn checksum(key: &[u8], value: &[u8]) -> [u8; FRAME_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    let mut sum = [0; FRAME_BYTES];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..FRAME_BYTES]);
    sum
}

/// A number as a key.
pub(crate) fn number(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// The number in front of, or in, a key.
pub(crate) fn leading(key: &[u8]) -> Option<u64> {
    key.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The number at the end of a key.
pub(crate) fn trailing(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The first or second record about a number.
pub(crate) fn part(of: u64, part: u8) -> Vec<u8> {
    let mut key = number(of);
    key.push(part);
    key
}

/// Key of a run of tile hashes.
pub(crate) fn tile_run(level: u8, first: u64) -> Vec<u8> {
    let mut key = vec![level];
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// Key of a party's leaves from `first` on.
pub(crate) fn party_run(party: &PartyId, first: u64) -> Vec<u8> {
    let mut key = party.0.to_vec();
    key.extend_from_slice(&first.to_be_bytes());
    key
}

/// The hard state as it is kept: term, vote (0 for none), commit.
pub(crate) type KeptHardState = (u64, u64, u64);

/// The hard state's form on disk.
pub(crate) fn keep_hard_state(state: &HardState) -> KeptHardState {
    (state.term, state.vote.map_or(0, |node| node.0), state.commit)
}

/// Reads the hard state's form on disk.
pub(crate) fn read_hard_state((term, vote, commit): KeptHardState) -> HardState {
    HardState { term, vote: (vote != 0).then_some(NodeId(vote)), commit }
}
