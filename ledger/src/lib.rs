//! The rules of money and proof. Pure: no I/O, clock, entropy, threads; the same bytes give the same
//! verdicts on every machine, for ever.
//!
//! A reader's way in: a [`transaction::Transaction`] carries an [`operation::Operation`] and
//! signatures; [`judge`] decides it against the [`state`]; [`execute`] does so for a whole
//! [`batch::Batch`] and derives [`leaf`] leaves and the seal; [`tlog`] and [`digest`] turn those into
//! roots that others can check.

pub mod address;
pub mod amount;
pub mod api;
pub mod batch;
pub mod bytes;
pub mod calendar;
pub mod code;
pub mod codec;
pub mod cutoff;
pub mod digest;
pub mod document;
pub mod epoch;
pub mod evidence;
pub mod execute;
pub mod fact;
pub mod genesis;
pub mod group;
pub mod hash;
pub mod id;
pub mod instrument;
pub mod judge;
pub mod keys;
pub mod leaf;
pub mod limits;
pub mod lot;
pub mod mandate;
pub mod memo;
pub mod offer;
pub mod operation;
pub mod outcome;
pub mod party;
pub mod policy;
pub mod predicate;
pub mod proof;
pub mod rule;
pub mod run;
pub mod settlement;
pub mod snapshot;
pub mod spend;
pub mod state;
mod subgroup;
pub mod time;
pub mod tlog;
pub mod transaction;
pub mod verify;
pub mod wallet;
