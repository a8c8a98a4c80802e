//! The replicated state: typed rows under typed keys, and how rules read and change them.
//!
//! Rules never see a database. They read through [`ReadState`] and write into an [`Overlay`]; what an
//! overlay has gathered by the end of a block is the block's [`Changes`].

mod coupons;
mod derived;
mod key;
mod overlay;
mod row;
mod shared;

pub use coupons::{Sponsored, UsedCoupon, UsedCoupons};
pub use derived::{Derived, DerivedPart};
pub use key::{DueKind, RowKey, Table};
pub use overlay::{Changes, Overlay};
pub use row::*;
pub use shared::Shared;

use crate::time::Time;

/// Read access to the state after the last executed block.
///
/// Implementations answer from what is there or stop the process: a read that fails must never be
/// taken for an absent row, since that would let this node's state differ from the others'.
pub trait ReadState {
    /// The row under `key`.
    fn row(&self, key: &RowKey) -> Option<Row>;

    /// The rows under `keys`, in their order: for states to which one question for many is cheaper than many.
    fn rows(&self, keys: &[RowKey]) -> Vec<Option<Row>> {
        keys.iter().map(|key| self.row(key)).collect()
    }

    /// The keys of table [`Table::Due`] with a deadline at or before `until`, ascending by (deadline,
    /// kind, id), at most `limit`.
    fn due(&self, until: Time, limit: usize) -> Vec<RowKey>;
}
