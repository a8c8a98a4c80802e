//! Memos: fetched from whichever node has them, erased on each.

use musubi_ledger::id::DocumentHash;
use serde::Deserialize;

use super::Client;
use crate::error::ClientError;

#[derive(Deserialize)]
struct Erased {
    was_here: bool,
}

impl Client {
    /// The bytes of a memo's blob, from the first node that has them. Nothing in them is believed:
    /// [`crate::memo::open`] compares them with the body that cites them.
    ///
    /// # Errors
    /// [`ClientError`] of the last node asked.
    pub async fn memo(&self, memo: DocumentHash) -> Result<Vec<u8>, ClientError> {
        let http = self.http();
        let mut last = ClientError::NoNodes;
        for attempt in 0..http.nodes() {
            let node = (http.preferred() + attempt) % http.nodes();
            last = match http.get_from(node, &format!("/v1/memos/{memo}")).await {
                Ok(reply) if reply.status == 200 => return Ok(reply.body),
                Ok(reply) => http.refusal(&reply),
                Err(transport) => {
                    ClientError::Unreachable { node: http.name(node), cause: transport.cause() }
                }
            };
        }
        Err(last)
    }

    /// Erases a memo on every node of the configuration, whose token must be an operator's; whether its blob was
    /// there, for each by its address.
    pub async fn erase_memo(&self, memo: DocumentHash) -> Vec<(String, Result<bool, ClientError>)> {
        let http = self.http();
        let mut told = Vec::new();
        for node in 0..http.nodes() {
            let erased = match http.delete_at(node, &format!("/v1/memos/{memo}")).await {
                Ok(reply) if reply.status == 200 => {
                    http.json::<Erased>(&reply).map(|erased| erased.was_here)
                }
                Ok(reply) => Err(http.refusal(&reply)),
                Err(transport) => Err(ClientError::Unreachable {
                    node: http.name(node),
                    cause: transport.cause(),
                }),
            };
            told.push((http.name(node), erased));
        }
        told
    }
}
