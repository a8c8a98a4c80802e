//! The event feed: server-sent events that can be resumed at any leaf.
//!
//! The feed pulls. Each client has a cursor and at most one page of events in memory; the next page is
//! read when the client has taken this one. A client that reads slowly costs nothing but its
//! connection, and that is cut when it reads nothing for a while ([`super::stall`]).

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures::stream;
use musubi_ledger::{execute::Head, genesis::FIRST_EPOCH, id::PartyId};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::{
    Api,
    extract::QueryOf,
    problem::{ApiError, DoorCode},
    views,
};
use crate::metrics::Counted;

/// Leaves read at once for one client.
const PAGE: usize = 64;
/// A comment line goes out after this long without an event, so that both ends notice a dead peer.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Query of the feed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    party: Option<String>,
    after: Option<String>,
}

/// Events: every leaf with what it did, as it is executed
///
/// Event ids are `epoch.leaf`. A client resumes by sending the last id it saw as `Last-Event-ID`; nothing is
/// lost or repeated. Without one the feed begins with the next leaf. A node behind that leaf waits until
/// it has caught up. Data is an EntryView.
#[utoipa::path(get, path = "/v1/feed", operation_id = "feed", tag = "reader",
    params(
        ("party" = Option<String>, Query, description = "Only leaves of this party"),
        ("after" = Option<String>, Query, description = "As Last-Event-ID, for clients that cannot set it"),
        ("Last-Event-ID" = Option<String>, Header, description = "`epoch.leaf` of the last event seen"),
    ),
    responses((status = 200, description = "Server-sent events", body = ref("#/components/schemas/EntryView"), content_type = "text/event-stream")))]
pub(super) async fn feed(
    State(api): State<Api>,
    QueryOf(which): QueryOf<Which>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let bad = |why: String| ApiError::new(DoorCode::BadParameter).because(why);
    let party = which.party.as_deref().map(|text| api.scheme.party(text)).transpose();
    let party = party.map_err(|e| bad(e.to_string()))?;
    let last = match headers.get("last-event-id") {
        Some(value) => Some(value.to_str().map_err(|e| bad(e.to_string()))?.to_owned()),
        None => which.after,
    };
    let next = match last {
        Some(id) => parse_id(&id, &api.read(|ledger| Ok(ledger.epochs()?)).await?)?,
        None => api.head().size,
    };
    api.knows_leaf(next)?;
    let permit = std::sync::Arc::clone(&api.feeds).try_acquire_owned();
    let permit = permit.map_err(|_| ApiError::new(DoorCode::Busy).because("too many feeds"))?;
    let heads = api.ledger.heads();
    let counted = api.metrics.feed();
    let feed =
        Feed { api, party, next, page: VecDeque::new(), heads, _permit: permit, _counted: counted };
    let events = stream::unfold(feed, |mut feed| async move {
        let event = feed.next_event().await?;
        Some((Ok::<_, Infallible>(event), feed))
    });
    let alive = KeepAlive::new().interval(KEEP_ALIVE).text("alive");
    let no_cache = [(header::CACHE_CONTROL, "no-store")];
    Ok((no_cache, Sse::new(events).keep_alive(alive)).into_response())
}

/// The epoch of a leaf, if the epochs after the first begin with these.
fn epoch_of_leaf(leaf: u64, epochs: &[u64]) -> u32 {
    let begun = epochs.iter().filter(|first| **first <= leaf).count();
    FIRST_EPOCH + u32::try_from(begun).unwrap_or(u32::MAX - FIRST_EPOCH)
}

/// The leaf behind the one that an event id names.
fn parse_id(id: &str, epochs: &[u64]) -> Result<u64, ApiError> {
    let bad = || ApiError::new(DoorCode::BadParameter).because("an event id is `epoch.leaf`");
    let (epoch, leaf) = id.split_once('.').ok_or_else(bad)?;
    let epoch: u32 = epoch.parse().map_err(|_| bad())?;
    let leaf: u64 = leaf.parse().map_err(|_| bad())?;
    // What was read of an epoch before is good up to where the next began: a recovery dropped the rest.
    if epoch != epoch_of_leaf(leaf, epochs) {
        return Err(DoorCode::WrongEpoch.into());
    }
    leaf.checked_add(1).ok_or_else(bad)
}

struct Feed {
    api: Api,
    party: Option<PartyId>,
    /// The first leaf that was not looked at.
    next: u64,
    page: VecDeque<Event>,
    heads: watch::Receiver<Head>,
    _permit: OwnedSemaphorePermit,
    _counted: Counted,
}

impl Feed {
    /// The next event; `None` ends the feed: the node stops, or its store failed.
    async fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.page.pop_front() {
                return Some(event);
            }
            if self.next >= self.heads.borrow_and_update().size {
                let stop = self.api.stop.clone();
                stop.run_until_cancelled(self.heads.changed()).await?.ok()?;
                continue;
            }
            self.page = self.read_page().await.ok()?;
        }
    }

    async fn read_page(&mut self) -> Result<VecDeque<Event>, ApiError> {
        let (from, party) = (self.next, self.party);
        let (next, entries, epochs) = self
            .api
            .read(move |ledger| {
                let page = ledger.feed(from, party.as_ref(), PAGE)?;
                let entries = ledger.entries(&page.leaves)?.into_iter().map(views::entry);
                let epochs = if page.leaves.is_empty() { Vec::new() } else { ledger.epochs()? };
                Ok((page.next, entries.collect::<Result<Vec<_>, _>>()?, epochs))
            })
            .await?;
        assert!(next > from, "a feed page moves on while the log is longer");
        self.next = next;
        let event = |entry: &musubi_ledger::api::EntryView| {
            let id = format!("{}.{}", epoch_of_leaf(entry.leaf, &epochs), entry.leaf);
            Event::default().id(id).json_data(entry).expect("entries always serialise")
        };
        Ok(entries.iter().map(event).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn event_ids_name_epoch_and_leaf() {
        let first = |id: &str| parse_id(id, &[]);
        assert_eq!(first("1.0").unwrap(), 1);
        assert_eq!(first("1.41").unwrap(), 42);
        assert_eq!(first("2.41").unwrap_err().code(), "wrong_epoch");
        // Epoch 2 begins with leaf 41: what a client read of leaf 41 in epoch 1 was dropped.
        let second = |id: &str| parse_id(id, &[41]);
        assert_eq!(second("1.40").unwrap(), 41);
        assert_eq!(second("1.41").unwrap_err().code(), "wrong_epoch");
        assert_eq!(second("2.41").unwrap(), 42);
        assert_eq!(second("2.40").unwrap_err().code(), "wrong_epoch");
        for bad in ["", "41", "1.", ".1", "1.-1", "1.1.1", "x.1", "1.18446744073709551615"] {
            assert_eq!(first(bad).unwrap_err().code(), "bad_parameter", "{bad}");
        }
    }
}
