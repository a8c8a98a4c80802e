//! Musubi's client SDK: build, sign (on one device or several), submit exactly once, watch, audit.
//!
//! A reader's way in:
//! - [`keystore`]: keys at rest, encrypted; [`durable_file`]: how such files are written; [`entropy`]: the one door to the system's randomness;
//! - [`draft`]: a [`Composer`] knows chain and time and writes a [`Draft`] for each operation;
//! - [`halfsigned`]: a [`HalfSigned`] transaction collects signatures, travels as file or QR text,
//!   and says in words what it does ([`describe`]);
//! - [`client`]: every HTTP route, and [`Client::submit`], which sends the same bytes until there is
//!   a verdict or proof that there never will be one ([`retry`] decides, without I/O);
//! - [`gather`]: single submissions gathered into bulk ones; [`watch`]: the feed, resumed for ever;
//! - [`run_file`]: bulk grants, from a list to a plan that is kept until all of it is applied;
//! - [`qr`]: what a shop's code says; [`image`]: drawing codes;
//! - [`memo`]: texts beside the log, for both parties' keys;
//! - [`proof`]: what a verified proof shows, in words and in JSON;
//! - [`audit`]: re-verifies and re-executes the whole log, and names the first bad entry.
//!
//! The rules themselves are [`ledger`]'s; this crate adds I/O, entropy and comfort, never a rule.

pub mod audit;
pub mod client;
pub mod describe;
mod describe_document;
mod describe_offer;
mod describe_rule;
pub mod draft;
pub mod durable_file;
pub mod entropy;
pub mod error;
pub mod gather;
pub mod halfsigned;
pub mod image;
pub mod keystore;
pub mod memo;
pub mod proof;
pub mod qr;
pub mod retry;
pub mod run_file;
pub mod sse;
pub mod watch;

mod base32;

pub use musubi_ledger as ledger;

pub use client::{BulkResult, Client, ClientConfig, Stored, Wait};
pub use describe::Glossary;
pub use draft::{Composer, Draft, Funding};
pub use entropy::offer_code;
pub use error::ClientError;
pub use gather::{GatherConfig, Gatherer};
pub use halfsigned::{HalfSigned, HalfSignedError, Slot, Wanted};
pub use keystore::{Hardness, KeystoreError};
pub use qr::{ShopCode, short_code};
pub use watch::{EventId, Watch, WatchEvent};

pub use musubi_ledger::{
    address::SchemePrefix,
    amount::Amount,
    api,
    code::Code,
    genesis::Genesis,
    id::{
        ChainId, DocumentHash, InstrumentId, MediumId, PartyId, PersonTag, Reference, RosterLine,
        Salt, TxId,
    },
    keys::{PublicKey, SecretKey},
    lot::OriginKind,
    mandate::{Counterparty, Direction, MandateTerms},
    operation::{self, Citation, Decision, Leg, Movement, Operation},
    party::PartyKind,
    time::{Day, Time},
    transaction::{Body, Purpose, Role, Side, Signature, Transaction},
};
