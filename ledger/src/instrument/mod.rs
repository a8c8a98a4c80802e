//! Instruments: divisible things held, with their legal regime and rules.
//!
//! - [`terms`]: the rules that its holders accepted;
//! - [`validity`]: until when it can be spent; [`limits`]: how much may be held, moved and spent;
//! - [`life`]: from draft to an orderly end; [`totals`]: what came and went of it.

pub mod life;
pub mod limits;
pub mod terms;
pub mod totals;
pub mod validity;

pub use self::{
    life::{Instrument, InstrumentChange, Life, LifeStep},
    limits::{Limit, LimitOf},
    terms::{LateRefund, OnAccept, Priority, Regime, Shortfall, Terms, Tier, TransferRule},
    totals::{Came, Flows, Totals, Went},
    validity::Validity,
};
