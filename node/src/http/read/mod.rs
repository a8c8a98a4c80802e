//! Routes that read. [`public`] and [`log`] are for everyone; [`transactions`], [`parties`], [`grants`] and
//! [`download`] are about parties and need a reader token.

pub(super) mod download;
pub(super) mod grants;
pub(super) mod log;
pub(super) mod parties;
pub(super) mod public;
pub(super) mod transactions;
