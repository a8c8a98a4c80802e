//! Where schemes are played: a chain that takes signed transactions, whose time can be driven, and whose state is
//! re-executed by who watches it, never asked of who keeps it.

mod memory;

use musubi_ledger::{
    code::Code,
    execute::{Block, CheckedItem},
    genesis::Parameters,
    id::{ChainId, PartyId},
    keys::SecretKey,
    state::ReadState,
    time::Time,
};

pub use self::memory::InProcess;

const DAY_MS: u64 = 86_400_000;

/// Constants of a chain that schemes are played on: waits as a town would have them. Whether its time is driven by a route
/// of its nodes is the stage's own.
pub const PARAMETERS: Parameters = Parameters {
    recovery_delay_ms: 3 * DAY_MS,
    successor_notice_ms: 14 * DAY_MS,
    driven_time: false,
};

/// Why a stage cannot go on: its machinery failed, not the scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stage cannot go on: {0}")]
pub struct StageError(pub String);

/// A block, executed here.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What came of it: verdicts, system leaves, outcomes, changed rows.
    pub block: Block,
    /// The items of its batch, in order, with the transactions that they are.
    pub items: Vec<CheckedItem>,
}

/// A party that signs.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who.
    pub party: PartyId,
    /// Its key; none for the registrar, whose officers act, for groups, and for who pays by a medium.
    pub key: Option<SecretKey>,
}

/// A chain to play on.
pub trait Stage {
    /// The chain.
    fn chain(&self) -> ChainId;

    /// The institutions with their keys, in the order of [`crate::cast::INSTITUTIONS`].
    fn institutions(&self) -> Vec<Actor>;

    /// The time near which the next block will be.
    fn now(&self) -> Time;

    /// Has items ordered, in this order, and returns what each came to.
    ///
    /// # Errors
    /// [`StageError`].
    fn submit(&mut self, items: Vec<Vec<u8>>) -> Result<Vec<Code>, StageError>;

    /// Drives time forward: afterwards a block at or after `to` has been executed and nothing that was due by then is left.
    ///
    /// # Errors
    /// [`StageError`].
    fn advance(&mut self, to: Time) -> Result<(), StageError>;

    /// What was executed since the last call.
    ///
    /// # Errors
    /// [`StageError`].
    fn seen(&mut self) -> Result<Vec<Seen>, StageError>;

    /// The state after what was executed, as this stage re-executed it.
    fn state(&self) -> &dyn ReadState;
}
