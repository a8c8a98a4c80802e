//! Routes that read. [`public`], [`log`] and [`evidence`] are for everyone; [`transactions`], [`parties`], [`bodies`], [`grants`], [`documents`], [`rules`], [`offers`], [`runs`],
//! [`blocks`], [`snapshot`], [`statements`] and [`download`] are about parties and need a reader token.

pub(super) mod blocks;
pub(super) mod bodies;
pub(super) mod documents;
pub(super) mod download;
pub(super) mod evidence;
pub(super) mod grants;
pub(super) mod log;
pub(super) mod offers;
pub(super) mod parties;
pub(super) mod proofs;
pub(super) mod public;
pub(super) mod rules;
pub(super) mod runs;
pub(super) mod snapshot;
pub(super) mod statements;
pub(super) mod transactions;
