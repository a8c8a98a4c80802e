//! Proofs of state, as files: nothing of them is believed before it is verified
//! ([`crate::ledger::proof`]).

use musubi_ledger::{id::PartyId, policy::PolicyBundle, time::Day};

use super::Client;
use crate::error::ClientError;

impl Client {
    /// The proof of a wallet's present state, as the node made it. Waits until its seal is final.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn wallet_proof(&self, party: PartyId) -> Result<Vec<u8>, ClientError> {
        Ok(self.http().get(&format!("/v1/wallets/{party}/proof")).await?.body)
    }

    /// The statement of a wallet over days in Japan, the last one included, as the node made it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn statement(
        &self,
        party: PartyId,
        (from, to): (Day, Day),
    ) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/parties/{party}/statement?from={from}&to={to}");
        Ok(self.http().get(&path).await?.body)
    }

    /// The witness policies since genesis, to be verified against a known chain.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn policy_bundle(&self) -> Result<PolicyBundle, ClientError> {
        let bytes = self.http().get("/v1/policies").await?.body;
        PolicyBundle::decode(&bytes).map_err(|cause| ClientError::BadAnswer {
            node: self.http().name(self.http().preferred()),
            what: cause.to_string(),
        })
    }
}
