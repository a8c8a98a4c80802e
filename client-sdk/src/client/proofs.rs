//! Proofs and policies: what is fetched once and checked without any node ever after.

use musubi_ledger::{id::TxId, proof::TransactionProof};

use super::Client;
use crate::error::ClientError;

/// How long a node may wait for a checkpoint to become final before it answers `not_final`.
const FINAL_TIMEOUT_MS: u64 = 10_000;

impl Client {
    /// The proof of a judged transaction under a final checkpoint. With `wait`, the node answers as soon as
    /// there is one. Nothing in it is verified yet: see [`TransactionProof::verify`].
    ///
    /// # Errors
    /// [`ClientError::Problem`] with code `not_final` if no final checkpoint covers it yet;
    /// [`ClientError::BadAnswer`] if what came is no proof, or another transaction's.
    pub async fn proof(&self, id: TxId, wait: bool) -> Result<TransactionProof, ClientError> {
        let proof = self.proof_at(&format!("/v1/proofs/{id}"), wait).await?;
        if proof.claimed_id() != id {
            return Err(self.not_asked(format!("the proof of {}", proof.claimed_id())));
        }
        Ok(proof)
    }

    /// The proof of a leaf by its index: the way to a system action's, which has no transaction.
    ///
    /// # Errors
    /// As [`Client::proof`].
    pub async fn leaf_proof(&self, leaf: u64, wait: bool) -> Result<TransactionProof, ClientError> {
        let proof = self.proof_at(&format!("/v1/leaves/{leaf}/proof"), wait).await?;
        if proof.file().index() != leaf {
            return Err(self.not_asked(format!("the proof of leaf {}", proof.file().index())));
        }
        Ok(proof)
    }

    /// The bytes of the ledger's policy bundle: what proofs are verified against. Pin its chain id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn policies(&self) -> Result<Vec<u8>, ClientError> {
        Ok(self.http().get("/v1/policies").await?.body)
    }

    async fn proof_at(&self, path: &str, wait: bool) -> Result<TransactionProof, ClientError> {
        let timeout = FINAL_TIMEOUT_MS.min(self.config().read_timeout_ms / 2).max(1);
        let query = match wait {
            true => format!("?wait=final&timeout_ms={timeout}"),
            false => String::new(),
        };
        let body = self.http().get(&format!("{path}{query}")).await?.body;
        TransactionProof::parse(&body).map_err(|cause| self.not_asked(cause.to_string()))
    }

    fn not_asked(&self, what: String) -> ClientError {
        ClientError::BadAnswer { node: self.http().name(self.http().preferred()), what }
    }
}
