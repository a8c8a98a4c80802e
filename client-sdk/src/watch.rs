//! Watching the feed: every entry once and in order, across reconnections and from node to node.

use std::{collections::VecDeque, fmt, str::FromStr, time::Duration};

use futures::Stream;
use musubi_ledger::{api::EntryView, id::PartyId};

use crate::{
    client::{Client, parse_problem},
    entropy,
    error::ClientError,
    sse::{Event, Parser},
};

/// Silence after which a connection counts as dead; nodes send a comment more often than that.
const SILENCE: Duration = Duration::from_secs(45);
const WAIT_MS_MAX: u64 = 5_000;

/// Where an entry stands in the feed: `epoch.leaf`. Keep the last one to resume behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EventId {
    /// The log between two recoveries.
    pub epoch: u32,
    /// Leaf index.
    pub leaf: u64,
}

/// A text that is no event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event id is `epoch.leaf`, two whole numbers")]
pub struct BadEventId;

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.leaf)
    }
}

impl FromStr for EventId {
    type Err = BadEventId;

    fn from_str(text: &str) -> Result<Self, BadEventId> {
        let (epoch, leaf) = text.split_once('.').ok_or(BadEventId)?;
        let id = Self {
            epoch: epoch.parse().map_err(|_| BadEventId)?,
            leaf: leaf.parse().map_err(|_| BadEventId)?,
        };
        // One spelling: no signs, no leading zeros.
        if id.to_string() == text { Ok(id) } else { Err(BadEventId) }
    }
}

/// One entry of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchEvent {
    /// Where it stands.
    pub id: EventId,
    /// What happened.
    pub entry: EntryView,
}

/// A feed being watched.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    party: Option<PartyId>,
    last: Option<EventId>,
    node: usize,
    failures: u32,
    connection: Option<Connection>,
    ready: VecDeque<WatchEvent>,
}

#[derive(Debug)]
struct Connection {
    response: reqwest::Response,
    parser: Parser,
}

/// What interrupts a feed.
enum Interruption {
    /// Another try, perhaps with another node, may help.
    Passing,
    /// It will not.
    Lasting(ClientError),
}

impl Client {
    /// Watches the entries of `party` (of all, if the token allows that), behind `after` or from now on.
    #[must_use]
    pub fn watch(&self, party: Option<PartyId>, after: Option<EventId>) -> Watch {
        Watch {
            client: self.clone(),
            party,
            last: after,
            node: self.http().preferred(),
            failures: 0,
            connection: None,
            ready: VecDeque::new(),
        }
    }
}

impl Watch {
    /// What to resume behind: the last entry's id, or where the log ended when watching began.
    #[must_use]
    pub fn last(&self) -> Option<EventId> {
        self.last
    }

    /// The next entry. Lost connections are taken up again behind the last entry, at the next node if
    /// need be, without end; dropping the future loses nothing.
    ///
    /// # Errors
    /// [`ClientError::Problem`] where trying again would not help, such as a missing token;
    /// [`ClientError::BadAnswer`] for a feed that is not in the contract.
    pub async fn next(&mut self) -> Result<WatchEvent, ClientError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.last = Some(event.id);
                return Ok(event);
            }
            match self.read().await {
                Ok(()) => self.failures = 0,
                Err(Interruption::Lasting(error)) => return Err(error),
                Err(Interruption::Passing) => {
                    self.connection = None;
                    self.node = (self.node + 1) % self.client.http().nodes();
                    self.failures = self.failures.saturating_add(1);
                    tokio::time::sleep(self.pause()).await;
                }
            }
        }
    }

    /// The entries as a stream, which ends behind its first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<WatchEvent, ClientError>> {
        futures::stream::unfold(Some(self), |watch| async {
            let mut watch = watch?;
            match watch.next().await {
                Ok(event) => Some((Ok(event), Some(watch))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    fn pause(&self) -> Duration {
        let longest = (50u64 << self.failures.min(10)).min(WAIT_MS_MAX);
        Duration::from_millis(longest / 2 + u64::from(entropy::number()) % (longest / 2 + 1))
    }

    async fn read(&mut self) -> Result<(), Interruption> {
        if self.connection.is_none() {
            self.connection = Some(self.connect().await?);
        }
        let Some(connection) = &mut self.connection else {
            return Err(Interruption::Passing);
        };
        let chunk = tokio::time::timeout(SILENCE, connection.response.chunk()).await;
        let Ok(Ok(Some(bytes))) = chunk else {
            return Err(Interruption::Passing);
        };
        let mut events = Vec::new();
        let fed = connection.parser.feed(&bytes, &mut events);
        for event in events {
            self.take(&event)?;
        }
        fed.map_err(|_| Interruption::Passing)
    }

    /// Without a place to resume behind, what happens between two connections would be lost: the log's
    /// end at the first of them is that place.
    async fn anchor(&mut self) -> Result<(), Interruption> {
        if self.last.is_some() {
            return Ok(());
        }
        let info = match self.client.info().await {
            Ok(info) => info,
            Err(ClientError::Unreachable { .. }) => return Err(Interruption::Passing),
            Err(ClientError::Problem(problem)) if problem.status >= 429 => {
                return Err(Interruption::Passing);
            }
            Err(error) => return Err(Interruption::Lasting(error)),
        };
        let epoch = info.origin.rsplit('/').next().and_then(|n| n.parse().ok());
        let Some(epoch) = epoch else {
            let what = format!("an origin without epoch: {}", info.origin);
            return Err(Interruption::Lasting(self.odd(what)));
        };
        let leaf = info.size.saturating_sub(1);
        self.last = Some(EventId { epoch, leaf });
        Ok(())
    }

    async fn connect(&mut self) -> Result<Connection, Interruption> {
        self.anchor().await?;
        let path = match self.party {
            Some(party) => format!("/v1/feed?party={party}"),
            None => String::from("/v1/feed"),
        };
        let mut headers = vec![("accept", String::from("text/event-stream"))];
        headers.extend(self.last.map(|id| ("last-event-id", id.to_string())));
        let opening = self.client.http().open(self.node, &path, &headers);
        let response = match tokio::time::timeout(SILENCE, opening).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) | Err(_) => return Err(Interruption::Passing),
        };
        match response.status().as_u16() {
            200 => Ok(Connection { response, parser: Parser::default() }),
            429 | 500..=599 => Err(Interruption::Passing),
            status => {
                let body = response.bytes().await.unwrap_or_default();
                Err(Interruption::Lasting(match parse_problem(&body) {
                    Some(problem) => ClientError::Problem(Box::new(problem)),
                    None => self.odd(format!("HTTP status {status} for a feed")),
                }))
            }
        }
    }

    fn take(&mut self, event: &Event) -> Result<(), Interruption> {
        if !matches!(event.name.as_str(), "" | "message" | "entry") {
            return Ok(());
        }
        let lasting = |what: String| Interruption::Lasting(self.odd(what));
        let id: EventId = event.id.parse().map_err(|e: BadEventId| lasting(e.to_string()))?;
        let entry: EntryView =
            serde_json::from_str(&event.data).map_err(|e| lasting(e.to_string()))?;
        let newest = self.ready.back().map(|e| e.id).or(self.last);
        // A node that resumes a little early repeats itself: every entry is given once.
        if newest.is_none_or(|newest| id > newest) {
            self.ready.push_back(WatchEvent { id, entry });
        }
        Ok(())
    }

    fn odd(&self, what: String) -> ClientError {
        let node = self.client.http().name(self.node);
        ClientError::BadAnswer { node, what }
    }
}
