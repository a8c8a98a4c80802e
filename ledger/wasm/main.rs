//! Proof that the ledger's verifier runs in a browser: built for wasm32, where there is no file, clock or network,
//! it verifies a proof of the test vectors, and refuses or sees through every alteration that it makes of it.
//!
//! `wasm/verify.mjs` runs it under Node.js. Natively it does the same. Ends with 0, or with a panic (in wasm32 a trap)
//! that says what did not hold.

use std::process::ExitCode;

use musubi_ledger::{
    policy::{PolicyBundle, PolicyChain},
    proof::{ProvenTransaction, TransactionProof},
};

const BUNDLE: &[u8] = include_bytes!("../vectors/policies.musubi");
const PROOF: &[u8] = include_bytes!("../vectors/purchase.tlog-proof");
/// Every so many bytes one is altered: a trap-free run of a few hundred verifications.
const STEP: usize = 7;

fn verify(file: &[u8], policies: &PolicyChain) -> Result<ProvenTransaction, &'static str> {
    let proof = TransactionProof::parse(file);
    proof.and_then(|proof| proof.verify(policies)).map_err(|error| error.code())
}

fn main() -> ExitCode {
    let bundle = PolicyBundle::decode(BUNDLE).expect("the vectors have a bundle");
    let chain = bundle.chain().expect("of a chain");
    let policies = bundle.verify(&chain).expect("that verifies");
    let shown = verify(PROOF, &policies).expect("the proof of the vectors verifies");
    let mut refused = 0;
    for at in (0..PROOF.len()).step_by(STEP) {
        let mut file = PROOF.to_vec();
        file[at] ^= 1;
        match verify(&file, &policies) {
            Err(_) => refused += 1,
            // A cosigner beyond the quorum made unreadable takes nothing away from the others.
            Ok(other) => {
                let same = other.index == shown.index
                    && other.leaf == shown.leaf
                    && other.subject == shown.subject
                    && other.outcome == shown.outcome;
                assert!(same, "byte {at} altered, and the proof shows something else");
            }
        }
    }
    assert!(refused > PROOF.len() / STEP * 9 / 10, "nearly everything in a proof counts");
    ExitCode::SUCCESS
}
