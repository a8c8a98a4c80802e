//! The event feed: complete, in order, resumable.

use std::time::Duration;

use musubi_ledger::api::EntryView;
use reqwest::Response;

use crate::{
    city,
    client::{Client, problem},
};

/// Reads events, comments left out.
struct Events {
    response: Response,
    buffer: String,
}

impl Events {
    async fn open(client: &Client, query: &str, last: Option<&str>) -> Self {
        let mut request = client.get(&format!("/v1/feed{query}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, buffer: String::new() }
    }

    /// The next event's id and data.
    async fn next(&mut self) -> (String, EntryView) {
        loop {
            if let Some((event, rest)) = self.buffer.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                if let (Some(id), Some(data)) = (field("id: "), field("data: ")) {
                    return (id.to_owned(), serde_json::from_str(data).unwrap());
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(5), self.response.chunk()).await;
            let chunk = chunk.expect("an event comes").unwrap().expect("the feed goes on");
            self.buffer.push_str(core::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn silent(&mut self) -> bool {
        self.buffer.is_empty()
            && tokio::time::timeout(Duration::from_millis(200), self.response.chunk())
                .await
                .is_err()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_resumes_at_any_leaf_without_gap_or_repetition() {
    let client = Client::start().await;
    for amount in 1..=100 {
        client.committed(&client.payment(amount)).await;
    }
    let mut all = Events::open(&client, "?after=1.0", None).await;
    let mut seen = Vec::new();
    while seen.len() < 106 {
        let (id, entry) = all.next().await;
        assert_eq!(id, format!("1.{}", entry.leaf));
        seen.push((id, entry));
    }
    assert!(seen.windows(2).all(|pair| pair[0].1.leaf < pair[1].1.leaf));
    let last = seen.last().unwrap().1.transaction.as_ref().unwrap();
    assert_eq!(last.body.operation, city::pay("alice", "shop", 100));
    assert!(all.silent().await, "seals are no events");

    for at in [0, 3, 50, 104] {
        let mut resumed = Events::open(&client, "", Some(&seen[at].0)).await;
        assert_eq!(resumed.next().await, seen[at + 1]);
    }
    // News comes as it is executed, to those who wait.
    let payment = client.payment(5);
    client.committed(&payment).await;
    assert_eq!(all.next().await.1.id, payment.body.id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feed_of_one_party_has_its_leaves_alone() {
    let client = Client::start().await;
    let party = city::id("bob");
    let mut bobs = Events::open(&client, &format!("?party={party}&after=1.0"), None).await;
    let mut fresh = Events::open(&client, &format!("?party={party}"), None).await;
    let mut before = Vec::new();
    client.committed(&client.payment(5)).await;
    let by = [city::debit("alice"), city::credit("bob")];
    let to_bob = client.signed("alice", city::pay("alice", "bob", 9), &by);
    client.committed(&to_bob).await;
    loop {
        let (_, entry) = bobs.next().await;
        before.push(entry.id);
        if entry.id == to_bob.body.id() {
            break;
        }
    }
    assert_eq!(before.len(), 3, "registered, founded the club, was paid");
    assert_eq!(fresh.next().await.1.id, to_bob.body.id(), "without an id, a feed begins now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_behind_the_client_waits_and_another_epoch_is_refused() {
    let client = Client::start().await;
    let ahead = client.town.execute(Vec::new()).head.size + 3;
    let mut feed = Events::open(&client, "", Some(&format!("1.{ahead}"))).await;
    let mut sent = Vec::new();
    for amount in 1..=6 {
        let payment = client.payment(amount);
        let leaf = client.committed(&payment).await.leaf.unwrap();
        sent.push((leaf, payment.body.id()));
    }
    let expected = sent.iter().find(|(leaf, _)| *leaf > ahead).unwrap();
    assert_eq!(feed.next().await.1.id, expected.1);
    let other = client.get("/v1/feed").header("last-event-id", "2.5").send().await.unwrap();
    problem(other, 409, "wrong_epoch").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feeds_are_limited_in_number() {
    let limits = musubi_node::http::HttpLimits { feeds: 1, ..Default::default() };
    let client = Client::with(limits).await;
    let first = Events::open(&client, "", None).await;
    assert!(client.metrics.render().contains("musubi_feeds 1"));
    problem(client.get("/v1/feed").send().await.unwrap(), 503, "busy").await;
    drop(first);
    for _ in 0..100 {
        client.town.execute(Vec::new());
        if client.get("/v1/feed").send().await.unwrap().status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a feed that was left gives its place back");
}
