//! Key figures that a ledger can count, as functions of what was executed: reports print them, and scheme files hold the figures
//! of their sources against them. So each definition stands here once. No validator knows them: they decide nothing.
//!
//! - [`moves`]: what a transaction moved from whom to whom, and for what; what it undid of an earlier one;
//! - [`kpi`]: ① group accounts, ⑤ registrants, ⑥ merchants, ⑦ settlement, ❶ what groups moved.

pub mod kpi;
pub mod moves;

pub use self::moves::{Moved, Moves, Undone};
