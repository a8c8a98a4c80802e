//! State proofs and statements: random days, against a past that keeps everything; and everything that a liar
//! might try with one, each refused with its code.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod days;
mod lies;
mod wallet;

use common::*;
use musubi_ledger::{policy::PolicyChain, proof::statement::Statement};

/// The ledger's policies: the genesis document's.
fn policies() -> PolicyChain {
    PolicyChain::of_genesis(&genesis())
}

/// The code with which a statement is refused.
fn refused(statement: &Statement) -> &'static str {
    match statement.verify(&policies()) {
        Ok(proven) => panic!("believed: {proven:?}"),
        Err(error) => error.code(),
    }
}
