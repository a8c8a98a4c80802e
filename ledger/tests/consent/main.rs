//! The consent table, walked row by row: for every operation the allowed case and each denied one.
//! `docs/CONSENT.md` is the table; one file here per topic.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod binding;
mod codes;
mod correction;
mod coupon;
mod document;
mod dues;
mod epoch;
mod group;
mod group_life;
mod hold;
mod hostile;
mod import;
mod keys;
mod life;
mod limits;
mod lots;
mod lottery;
mod mandate;
mod medium;
mod offer;
mod parent;
mod party;
mod policy;
mod proposal;
mod redemption;
mod refund;
mod repay;
mod request;
mod rule;
mod run;
mod sale;
mod settlement;
mod subsets;
mod tender;
mod topup;
mod transfer;
mod validity;
