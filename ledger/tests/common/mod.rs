//! A small city to test in: three organisations, a registrar, an issuer, a few persons, shops and a
//! group, all with keys and ids derived from their names. Every block that a [`World`] executes goes
//! the real way (encode, batch, check, execute), and its whole state is scanned afterwards.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::missing_panics_doc
)]

mod archive;
mod coupons;
mod documents;
mod epoch;
mod genesis;
mod groups;
mod names;
mod offers;
mod operations;
mod past;
mod rules;
mod runs;
mod scan;
mod settlements;
mod world;

pub use archive::{COSIGNED_AT, VALIDATORS, policies, signed_by};
pub use coupons::*;
pub use documents::*;
pub use epoch::*;
pub use genesis::{BEGIN, DELAY, NOTICE, genesis};
pub use names::*;
pub use offers::*;
pub use operations::*;
pub use past::{Closing, Past};
pub use rules::*;
pub use runs::*;
pub use scan::{scan, scan_rows};
pub use settlements::*;
pub use world::{World, sign};

pub use musubi_ledger::{
    amount::Amount,
    code::Code,
    id::{DocumentHash, InstrumentId, PartyId, TxId},
    keys::{PublicKey, SecretKey},
    lot::OriginKind,
    mandate::{Counterparty, Direction, MandateTerms},
    offer::{Access, GivenBy, OfferTerms, Part},
    operation::*,
    outcome::Form,
    party::PartyKind,
    state::{ReadState, Row, RowKey},
    time::Time,
    transaction::{Body, Purpose, Role, Side, Transaction},
    wallet::Holding,
};

/// A second, a day: in milliseconds.
pub const SECOND: u64 = 1_000;
pub const DAY: u64 = 86_400_000;
