//! Proofs of state, as files: nothing of them is believed before it is verified
//! ([`crate::ledger::proof`]).

use musubi_ledger::{id::PartyId, time::Day};

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
}
