//! Setting the clocks of a test's chain, one whose genesis document says `driven_time`. No real chain has that route.

use std::time::Duration;

use musubi_ledger::time::Time;
use serde::Deserialize;

use super::{Client, http::Post};
use crate::error::ClientError;

#[derive(Deserialize)]
struct NodeTime {
    time: Time,
}

impl Client {
    /// Sets the clock of one node, by its place in the configuration, forward; what it says then. The token must be an
    /// operator's.
    ///
    /// # Errors
    /// [`ClientError::Problem`] `time_past` if it is later there already, `not_found` if the chain's clocks are not driven;
    /// [`ClientError::Unreachable`] if the node does not answer: then it may be set or not.
    pub async fn set_time(&self, node: usize, to: Time) -> Result<Time, ClientError> {
        let http = self.http();
        let post = Post {
            path: "/v1/test/time",
            query: String::new(),
            media: "application/json",
            body: serde_json::json!({ "to": to }).to_string().into_bytes(),
            timeout: Duration::from_millis(self.config().read_timeout_ms),
        };
        match http.post(node, post).await {
            Ok(reply) if reply.status == 200 => {
                http.json::<NodeTime>(&reply).map(|answer| answer.time)
            }
            Ok(reply) => Err(http.refusal(&reply)),
            Err(transport) => {
                Err(ClientError::Unreachable { node: http.name(node), cause: transport.cause() })
            }
        }
    }
}
