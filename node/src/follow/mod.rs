//! A replica that trusts nobody: it pulls blocks from upstreams (validators, or replicas of them), checks
//! and executes each by itself, and serves what came out. Its root of trust is the genesis document.
//!
//! ```text
//!  upstreams ─▶ pull: page ─▶ check (signatures) ─▶ judge: execute, compare ─▶ record ─▶ readers, replicas
//!                 ▲                                       │ refused
//!                 └──────────── another upstream ◀────────┘ (evidence kept)
//! ```
//!
//! - [`page`]: what upstreams answer with; [`refused`]: what can be wrong with it;
//! - [`check`]: what can be said of a block before it is executed; [`judge`]: executing, comparing, recording;
//! - [`upstreams`]: whom to ask, when; [`evidence`]: what is kept of a block that was refused;
//! - [`finals`]: final checkpoints as they are offered; [`finality`]: the task that keeps the newest;
//! - [`snapshot`]: beginning with the state under a final seal instead of the genesis block;
//! - [`pull`]: the loop; [`ask`]: one question of it; [`recorder`]: taking the answers; [`standing`]: where it stands; [`start`]: putting the node together.
//!
//! Nothing of a block is recorded before all of it adds up. A block that does not is tried at the other
//! upstreams; if none has one that adds up, the replica halts and keeps what it has. It halts, too, when it is shown a final
//! checkpoint that contradicts what it executed.

pub mod ask;
pub mod check;
pub mod evidence;
pub mod finality;
pub mod finals;
pub mod judge;
pub mod page;
pub mod pull;
pub mod recorder;
pub mod refused;
pub mod snapshot;
pub mod standing;
pub mod start;
pub mod upstreams;
