//! The client against a network that loses, delays, refuses and repeats, in front of a real chain.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{
    http::{Act, Request, Server, serve},
    routes::{SharedTown, events, node, problem},
    town::{ALICE, BOB, a_day, key},
};
use musubi_sdk::{
    Client, ClientConfig, ClientError, Code, EventId, GatherConfig, Gatherer, Slot, Wait,
    api::Stage,
    audit::{self, Options, Source},
    ledger::{
        state::{ReadState, Row, RowKey},
        time::Time,
        transaction::Transaction,
    },
    retry::Policy,
};

fn shared() -> SharedTown {
    Arc::new(Mutex::new(a_day()))
}

/// A node in front of `town` that does what `mischief` says, where it says something. It is told how
/// many requests came before.
async fn server(
    town: &SharedTown,
    mischief: impl Fn(usize, &Request) -> Option<Act> + Send + Sync + 'static,
) -> Server {
    let town = Arc::clone(town);
    let count = AtomicUsize::new(0);
    serve(move |request| {
        let before = count.fetch_add(1, Ordering::SeqCst);
        mischief(before, &request).unwrap_or_else(|| node(&town, &request))
    })
    .await
}

fn client(servers: &[&Server]) -> Client {
    let mut config = ClientConfig::new(servers.iter().map(|s| s.url.clone())).with_token("t");
    config.read_timeout_ms = 2_000;
    // The client gives a node this long and 3 s more.
    config.commit_timeout_ms = 100;
    config.policy =
        Policy { wait_ms: 5, wait_ms_max: 20, rounds_unreachable: 3, give_up_ms: Some(20_000) };
    Client::new(config).unwrap()
}

fn payment(town: &SharedTown) -> Transaction {
    town.lock().unwrap().pay(ALICE, BOB, 100)
}

fn spendable(town: &SharedTown) -> u64 {
    town.lock().unwrap().spendable(BOB)
}

#[tokio::test]
async fn a_payment_gets_its_verdict_and_asking_again_gives_the_same() {
    let town = shared();
    let server = server(&town, |_, _| None).await;
    let client = client(&[&server]);
    let (payment, before) = (payment(&town), spendable(&town));
    let first = client.submit(&payment, Wait::Committed).await.unwrap();
    assert_eq!((first.stage, first.code), (Stage::Judged, Some(Code::Applied)));
    let again = client.submit(&payment, Wait::Committed).await.unwrap();
    assert_eq!((again.leaf, again.height), (first.leaf, first.height));
    assert_eq!(spendable(&town), before + 100);
    assert_eq!(client.status(first.id).await.unwrap().code, Some(Code::Applied));
}

#[tokio::test]
async fn an_answer_lost_after_the_commit_is_fetched_from_another_node() {
    let town = shared();
    let executed = Arc::clone(&town);
    // This node applies the payment and dies before it answers.
    let dying = server(&town, move |_, request| {
        drop(node(&executed, request));
        Some(Act::Drop)
    })
    .await;
    let other = server(&town, |_, _| None).await;
    let (payment, before) = (payment(&town), spendable(&town));
    let client = client(&[&dying, &other]);
    let status = client.submit(&payment, Wait::Committed).await.unwrap();
    assert_eq!(status.code, Some(Code::Applied));
    assert_eq!(spendable(&town), before + 100, "applied once, though sent twice");
}

#[tokio::test]
async fn busy_silent_and_slow_nodes_are_outlasted() {
    let town = shared();
    let busy = server(&town, |n, _| (n < 3).then(|| problem(503, "no_leader"))).await;
    let slow = server(&town, |n, request| {
        assert_eq!(request.query, "wait=committed&timeout_ms=100");
        (n == 0).then_some(Act::Silence)
    })
    .await;
    let gone = {
        let server = server(&town, |_, _| None).await;
        server.url.clone()
    };
    let mut config = client(&[&busy, &slow]).config().clone();
    config.nodes.insert(0, gone);
    let client = Client::new(config).unwrap();
    let payment = payment(&town);
    let status = client.submit(&payment, Wait::Committed).await.unwrap();
    assert_eq!(status.code, Some(Code::Applied));
}

#[tokio::test]
async fn a_body_that_did_not_arrive_in_time_is_sent_again() {
    let town = shared();
    let slow = server(&town, |n, _| (n == 0).then(|| problem(408, "request_timeout"))).await;
    let status = client(&[&slow]).submit(&payment(&town), Wait::Committed).await.unwrap();
    assert_eq!(status.code, Some(Code::Applied));
}

#[tokio::test]
async fn a_void_of_somebodys_stripped_copy_is_outlasted() {
    let town = shared();
    let other = Arc::clone(&town);
    // The node tells the first attempt what became of a copy without the payee's signature.
    let confused = server(&town, move |n, request| {
        (n == 0).then(|| {
            let mut stripped = Transaction::decode(&request.body).unwrap();
            stripped.signatures.truncate(1);
            let request = Request { body: stripped.encode(), ..request.clone() };
            node(&other, &request)
        })
    })
    .await;
    let status = client(&[&confused]).submit(&payment(&town), Wait::Committed).await.unwrap();
    assert_eq!((status.stage, status.code), (Stage::Judged, Some(Code::Applied)));
}

#[tokio::test]
async fn a_key_that_is_seconds_old_is_not_refused_for_good() {
    let town = shared();
    let behind = server(&town, |n, _| (n < 2).then(|| problem(400, "sender_not_signer"))).await;
    let status = client(&[&behind]).submit(&payment(&town), Wait::Committed).await.unwrap();
    assert_eq!(status.code, Some(Code::Applied));
}

#[tokio::test]
async fn the_node_that_took_a_submission_is_asked_first_from_then_on() {
    let town = shared();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let dead = server(&town, move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        Some(Act::Drop)
    })
    .await;
    let alive = server(&town, |_, _| None).await;
    let client = client(&[&dead, &alive]);
    for _ in 0..3 {
        client.submit(&payment(&town), Wait::Committed).await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "one loss is enough to know");
}

#[tokio::test]
async fn turned_away_all_the_time_is_told_as_busy() {
    let town = shared();
    let full = server(&town, |_, _| Some(problem(429, "rate_limited"))).await;
    let mut config = client(&[&full]).config().clone();
    config.policy.give_up_ms = Some(100);
    let client = Client::new(config).unwrap();
    let error = client.submit(&payment(&town), Wait::Committed).await.unwrap_err();
    assert_eq!(error.code(), "busy");
    assert!(error.to_string().contains("rate_limited"), "{error}");
}

#[tokio::test]
async fn another_transaction_than_the_one_asked_for_is_no_answer() {
    let town = shared();
    let shown = payment(&town);
    let wanted = shown.body.id();
    let other = payment(&town);
    let lying = server(&town, move |_, request| {
        let id = request.path.strip_prefix("/v1/transactions/")?.strip_suffix("/full")?;
        let mut status = serde_json::json!({
            "id": id, "stage": "judged", "verdict": "applied", "code": "applied",
        });
        for (name, value) in [("node_height", 1), ("node_time", 1)] {
            status[name] = value.into();
        }
        let outcome = musubi_sdk::ledger::outcome::Outcome::default();
        let which = if id == wanted.to_string() { &shown } else { &other };
        let full =
            serde_json::json!({ "status": status, "transaction": which, "outcome": outcome });
        Some(common::http::json(200, &full))
    })
    .await;
    let client = client(&[&lying]);
    assert_eq!(client.transaction(wanted).await.unwrap().transaction.body.id(), wanted);
    let asked = payment(&town).body.id();
    let error = client.transaction(asked).await.unwrap_err();
    assert_eq!(error.code(), "bad_answer", "{error}");
}

#[tokio::test]
async fn absence_behind_the_expiry_is_conclusive() {
    let town = shared();
    // The submission never arrives; meanwhile the town goes on past the expiry.
    let lossy = server(&town, |_, request| (request.method == "POST").then_some(Act::Drop)).await;
    let expiry = Arc::clone(&town);
    let late = server(&town, move |_, request| {
        if request.method != "POST" {
            return None;
        }
        let mut town = expiry.lock().unwrap();
        town.block_after(7_200_000, Vec::new());
        Some(problem(422, "expired"))
    })
    .await;
    let payment = payment(&town);
    let client = client(&[&lossy, &late]);
    let error = client.submit(&payment, Wait::Committed).await.unwrap_err();
    let ClientError::NeverApplied { id, expires, at } = error else {
        panic!("{error}");
    };
    assert_eq!((id, expires), (payment.body.id(), payment.body.expires));
    assert!(at >= expires);
    let row = RowKey::Judged(id);
    assert!(town.lock().unwrap().state.row(&row).is_none());
}

#[tokio::test]
async fn refusals_and_emptiness_are_told_apart() {
    let town = shared();
    let strict = server(&town, |_, _| Some(problem(422, "insufficient_funds"))).await;
    let error = client(&[&strict]).submit(&payment(&town), Wait::Committed).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), "insufficient_funds");
    assert_eq!(error.problem().unwrap().status, 422);
    let url = { server(&town, |_, _| None).await.url.clone() };
    let config =
        ClientConfig { policy: client(&[&strict]).config().policy, ..ClientConfig::new([url]) };
    let client = Client::new(config).unwrap();
    let error = client.submit(&payment(&town), Wait::Committed).await;
    assert_eq!(error.unwrap_err().code(), "unreachable");
    assert_eq!(client.info().await.unwrap_err().code(), "unreachable");
}

#[tokio::test]
async fn reads_fail_over_and_carry_the_token() {
    let town = shared();
    let broken = server(&town, |_, _| Some(Act::Reply(500, String::new(), b"oops".to_vec()))).await;
    let checked = server(&town, |_, request| {
        assert!(request.head.contains("authorization: bearer t"), "{}", request.head);
        None
    })
    .await;
    let client = client(&[&broken, &checked]);
    let info = client.info().await.unwrap();
    assert_eq!(info.chain, client.genesis().await.unwrap().chain());
    let none = client.wallet(ALICE).await.unwrap_err();
    assert_eq!(none.code(), "not_found");
}

#[tokio::test]
async fn configurations_that_cannot_work_are_refused() {
    let code = |nodes: &[&str]| {
        let config = ClientConfig::new(nodes.iter().copied());
        Client::new(config).unwrap_err().code().to_owned()
    };
    assert_eq!(code(&[]), "no_nodes");
    for url in ["nonsense", "https://node.example", "http://node/?x=1"] {
        assert_eq!(code(&[url]), "bad_node_url", "{url}");
    }
    let token = ClientConfig::new(["http://127.0.0.1:1"]).with_token("two\nlines");
    assert!(Client::new(token).is_err());
}

#[tokio::test]
async fn single_calls_are_gathered_and_each_gets_its_own_verdict() {
    let town = shared();
    let posts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&posts);
    let first = server(&town, move |n, request| {
        counted.fetch_add(1, Ordering::SeqCst);
        assert_eq!(request.path, "/v1/transactions/bulk");
        (n == 0).then_some(Act::Drop)
    })
    .await;
    let second = server(&town, |_, _| None).await;
    let config = GatherConfig {
        window: Duration::from_millis(30),
        items: 40,
        queue: 64,
        ..GatherConfig::default()
    };
    let gatherer = Gatherer::new(client(&[&first, &second]), config);
    let before = spendable(&town);
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..100 {
        // Every tenth asks for more than there is.
        let amount = if n % 10 == 0 { 1_000_000 } else { 1 };
        let payment = town.lock().unwrap().pay(ALICE, BOB, amount);
        let gatherer = gatherer.clone();
        calls.spawn(async move { (amount, gatherer.submit(&payment).await.unwrap()) });
    }
    let mut applied = 0;
    while let Some(call) = calls.join_next().await {
        let (amount, status) = call.unwrap();
        let expected = if amount == 1 { Code::Applied } else { Code::InsufficientFunds };
        assert_eq!(status.code, Some(expected));
        applied += u64::from(amount == 1);
    }
    assert_eq!(spendable(&town), before + applied);
    assert!(posts.load(Ordering::SeqCst) < 20, "far fewer requests than payments");
}

#[tokio::test]
async fn items_that_fail_inside_a_bulk_are_sent_again() {
    let town = shared();
    let real = Arc::clone(&town);
    let flaky = server(&town, move |n, request| {
        let status = [500, 408, 429].get(n)?;
        if n == 0 {
            // It went through all the same: the second attempt must find it judged.
            drop(node(&real, request));
        }
        let problem = serde_json::json!({ "problem": {
            "type": "x", "title": "x", "status": status, "code": "internal", "detail": "a test's",
        }});
        Some(common::http::json(200, &serde_json::json!({ "results": [problem] })))
    })
    .await;
    let before = spendable(&town);
    let gatherer = Gatherer::new(client(&[&flaky]), GatherConfig::default());
    let begun = std::time::Instant::now();
    let status = gatherer.submit(&payment(&town)).await.unwrap();
    assert_eq!(status.code, Some(Code::Applied));
    assert_eq!(spendable(&town), before + 100, "applied once");
    assert!(begun.elapsed() >= Duration::from_secs(1), "a 429 is not answered at once");
}

#[tokio::test]
async fn the_feed_goes_on_behind_the_last_entry_whatever_breaks() {
    let town = shared();
    let feed = |town: &SharedTown, cut: usize| {
        let town = Arc::clone(town);
        move |n: usize, request: &Request| {
            if n == 1 {
                return Some(problem(503, "starting"));
            }
            let last = request.head.lines().find_map(|l| l.strip_prefix("last-event-id: 1."));
            // Resumes a little early: the client must not see an entry twice.
            let after = last.map(|leaf| leaf.parse::<u64>().unwrap().saturating_sub(2));
            let mut events = events(&town.lock().unwrap(), after);
            events.truncate(cut);
            events.insert(0, ": hello\n\n".into());
            // The last event is torn in two by the end of the connection.
            if let Some(torn) = events.last_mut() {
                torn.truncate(torn.len() - 3);
            }
            Some(Act::Stream(events))
        }
    };
    let one = server(&town, feed(&town, 6)).await;
    let two = server(&town, feed(&town, 9)).await;
    let all: Vec<u64> = {
        let town = town.lock().unwrap();
        let entries = town.blocks.iter().flat_map(|b| &b.entries);
        entries.map(|e| e.index).skip(1).collect()
    };
    let begin = EventId { epoch: 1, leaf: 0 };
    let mut watch = client(&[&one, &two]).watch(Some(ALICE), Some(begin));
    let mut seen = Vec::new();
    while seen.len() < all.len() - 1 {
        let next = tokio::time::timeout(Duration::from_secs(20), watch.next()).await;
        let event = next.unwrap().unwrap();
        assert_eq!(event.id.leaf, event.entry.leaf);
        seen.push(event.id.leaf);
    }
    assert_eq!(seen, all[..all.len() - 1]);
    let last = watch.last().unwrap();
    assert_eq!(last.to_string().parse(), Ok(last));
    for bad in ["1", "1.", "a.b", "01.2", "1.2.3", "+1.2"] {
        assert!(bad.parse::<EventId>().is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_feed_without_a_beginning_loses_nothing_between_connections() {
    let town = shared();
    let end = town.lock().unwrap().chain.head().size - 1;
    let growing = Arc::clone(&town);
    let server = server(&town, move |n, request| {
        if request.path != "/v1/feed" {
            return None;
        }
        let header = format!("last-event-id: 1.{end}");
        assert!(request.head.contains(&header), "{}", request.head);
        let mut town = growing.lock().unwrap();
        if n == 1 {
            // Before the first connection has brought anything, it breaks and something happens.
            let payment = town.pay(ALICE, BOB, 7);
            town.block(vec![payment.encode()]);
            return Some(Act::Drop);
        }
        Some(Act::Stream(events(&town, Some(end))))
    })
    .await;
    let mut watch = client(&[&server]).watch(None, None);
    assert_eq!(watch.next().await.unwrap().entry.code, Code::Applied);
}

#[tokio::test]
async fn a_row_is_read_from_under_its_kind() {
    let town = shared();
    let server = server(&town, |_, _| None).await;
    let client = client(&[&server]);
    let (id, mandate) = {
        let town = town.lock().unwrap();
        let rows = town.state.rows().find_map(|(key, row)| match (key, row) {
            (RowKey::Mandate(id), Row::Mandate(mandate)) => Some((*id, mandate.clone())),
            _ => None,
        });
        rows.unwrap()
    };
    let stored = client.mandate(id).await.unwrap();
    assert_eq!(stored.row, *mandate);
    assert_eq!(stored.height, client.info().await.unwrap().height);
    let missing = client.mandate(payment(&town).body.id()).await.unwrap_err();
    assert_eq!(missing.code(), "not_found");
}

#[tokio::test]
async fn a_feed_that_may_not_be_read_ends() {
    let town = shared();
    let closed = server(&town, |_, _| Some(problem(401, "unauthorized"))).await;
    let error = client(&[&closed]).watch(None, None).next().await.unwrap_err();
    assert_eq!(error.code(), "unauthorized");
}

#[tokio::test]
async fn a_node_is_audited_and_downloaded_with_one_result() {
    let town = shared();
    {
        let mut town = town.lock().unwrap();
        for _ in 0..300 {
            town.block(Vec::new());
        }
    }
    let server = server(&town, |_, _| None).await;
    let client = client(&[&server]);
    let online = audit::run(Source::node(client.clone()), Options::default(), |_| {}).await;
    let online = online.unwrap();
    assert!(online.covered_by_majority.height > 300);
    assert_eq!(online.root, hex::encode(town.lock().unwrap().chain.root()));
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("record");
    let end = audit::download(&client, &record, |_| {}).await.unwrap();
    assert_eq!((end.height, end.leaves), (online.height, online.size));
    let source = Source::directory(&record).unwrap();
    let offline = audit::run(source, Options::default(), |_| {}).await.unwrap();
    assert_eq!(offline, online);
    let again = audit::download(&client, &record, |_| {}).await.unwrap_err();
    assert_eq!(again.code(), "file", "a record is never overwritten");
}

#[tokio::test]
async fn a_node_that_serves_another_leaf_is_caught() {
    let town = shared();
    let lying = Arc::clone(&town);
    let server = server(&town, move |_, request| {
        if !request.path.starts_with("/log/tile/entries") {
            return None;
        }
        let mut forged = lying.lock().unwrap().leaves.clone();
        forged[4][30] ^= 1;
        let body = musubi_sdk::ledger::tlog::bundle::encode(&forged).unwrap();
        Some(common::http::bytes(body))
    })
    .await;
    let source = Source::node(client(&[&server]));
    let error = audit::run(source, Options::default(), |_| {}).await.unwrap_err();
    assert_eq!(error.finding().unwrap().leaf, Some(4), "{error}");
}

#[tokio::test]
async fn a_half_signed_payment_is_no_payment_yet() {
    let town = shared();
    let server = server(&town, |_, _| None).await;
    let composer = town.lock().unwrap().composer();
    let draft = composer.pay(ALICE, BOB, &[common::town::yen(5)]);
    let half = draft.sign(Slot::payer(ALICE), &key(ALICE));
    let client = client(&[&server]);
    let alone = client.submit(&half.clone().complete(), Wait::Committed).await;
    let alone = alone.unwrap();
    assert_eq!((alone.stage, alone.code), (Stage::Void, Some(Code::MissingConsent)));
    let whole = half.sign(Slot::payee(BOB), &key(BOB)).unwrap();
    let status = client.submit(&whole.complete(), Wait::Committed).await.unwrap();
    assert_eq!(status.code, Some(Code::Applied));
    assert!(status.time.unwrap() > Time::ZERO);
}
