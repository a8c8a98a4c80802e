//! Every part of a proof, altered: whoever alters one cannot also make the signatures and hashes that cover it.

mod inside;
mod outside;

use crate::common::*;
use musubi_ledger::proof::TransactionProof;

/// Its name, the altered file, and the code that refuses it.
type Case = (String, Vec<u8>, &'static str);

pub(super) fn all(world: &World, proofs: &[(&'static str, TransactionProof)]) -> Vec<Case> {
    let purchase = &proofs[0].1;
    let [.., (_, system)] = proofs else { unreachable!() };
    let mut cases = outside::all(world, purchase);
    cases.extend(inside::all(purchase));
    cases.extend(inside::others(purchase, &proofs[1].1, system));
    cases
}

fn named(name: &str, file: impl Into<Vec<u8>>, code: &'static str) -> Case {
    (name.into(), file.into(), code)
}
