//! The second verifier: the `doubleentry` crate's C2SP formats (notes, cosignatures, tlog-proof, tlog-policy), written
//! by others and without any of this repository's code, and the two fields that `docs/PROOFS.md` reads from a leaf.

use anyhow::Context;
use doubleentry::{
    log::{InclusionProof, leaf_hash},
    transparency::{Policy, ProofBundle},
};
use musubi_ledger::id::TxId;

/// Bytes of a leaf, and where id and code stand in it (`docs/FORMAT.md`).
const LEAF: usize = 119;
const ID: std::ops::Range<usize> = 21..53;
const CODE: std::ops::Range<usize> = 53..55;

/// The policy, as it reads it.
pub(super) struct Second(Policy);

impl Second {
    /// From a policy's text.
    ///
    /// # Errors
    /// If the text is no tlog-policy to it.
    pub(super) fn new(policy: &str) -> anyhow::Result<Self> {
        let policy = policy.parse().context("the second verifier does not read the policy")?;
        Ok(Self(policy))
    }

    /// The verdict's number that a proof file proves of a transaction.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub(super) fn verify(&self, file: &[u8], id: &TxId) -> Result<u16, String> {
        let refused = |what| move |error| format!("the second verifier: {what}: {error}");
        let bundle = ProofBundle::parse(file).map_err(refused("the file"))?;
        self.0.verify(bundle.checkpoint()).map_err(refused("the checkpoint"))?;
        let leaf = bundle.extra().and_then(|extra| extra.get(..LEAF));
        let leaf = leaf.ok_or("the second verifier finds no leaf")?;
        let head = bundle.checkpoint().checkpoint().head();
        let path = bundle.path().to_vec();
        let proof = InclusionProof { index: bundle.index(), size: head.size, path };
        let included = proof.verify(&leaf_hash(leaf), &head);
        included.map_err(|error| format!("the second verifier: the path: {error}"))?;
        if leaf[ID] != id.0 {
            return Err("the second verifier reads another id".into());
        }
        let code = leaf[CODE].iter().rev().fold(0, |code, byte| code << 8 | u16::from(*byte));
        Ok(code)
    }
}
