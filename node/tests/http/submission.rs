//! Submissions that are as they should be, and the answers they get; also when they come a thousand
//! times or under a reference that is taken: hostile inputs 8 and 9.

use std::time::{Duration, Instant};

use musubi_ledger::{
    api::{Durability, Stage, Status, Verdict, WalletView},
    code::Code,
    transaction::Transaction,
};
use musubi_node::http::Refusal;
use serde_json::Value;

use crate::{
    city::{self, credit, debit},
    client::{Client, problem},
};

fn framed(items: &[Vec<u8>]) -> Vec<u8> {
    items
        .iter()
        .flat_map(|item| [&(item.len() as u32).to_be_bytes(), item.as_slice()].concat())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_and_canonical_bytes_have_one_id_and_one_verdict() {
    let client = Client::start().await;
    let payment = client.payment(100);
    let text = serde_json::to_string(&payment).unwrap();
    let response = client.submit_text("?wait=committed", text.clone()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let status: Status = response.json().await.unwrap();
    assert_eq!((status.id, status.stage), (payment.body.id(), Stage::Judged));
    assert_eq!(status.code, Some(Code::Applied));
    assert!(status.leaf.is_some() && status.node_height >= status.height.unwrap());

    // The same again, as bytes and as JSON, with and without waiting: the same verdict, no effect.
    for query in ["", "?wait=committed"] {
        for again in [
            client.submit_bytes(query, payment.encode()).await,
            client.submit_text(query, text.clone()).await,
        ] {
            assert_eq!(again.status(), 200);
            let again: Status = again.json().await.unwrap();
            assert_eq!(
                (again.code, again.leaf, again.height),
                (status.code, status.leaf, status.height)
            );
        }
    }
    let wallet: WalletView = client.read(&format!("/v1/wallets/{}", city::id("alice"))).await;
    assert_eq!(wallet.balances[0].spendable.0, 9_900);
}

pub(crate) fn blocking<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_waiting_the_answer_is_pending_until_it_is_judged() {
    let client = Client::start().await;
    let payment = client.payment(1);
    let path = format!("/v1/transactions/{}", payment.body.id());
    let unknown: Status = client.read(&path).await;
    assert_eq!((unknown.stage, unknown.code), (Stage::Unknown, None));
    {
        // What follows runs on the runtime's other thread while this one holds execution back.
        let town = client.town.clone();
        let held = town.hold.lock().unwrap();
        let response = blocking(client.submit_bytes("", payment.encode()));
        assert_eq!(response.status(), 202);
        assert_eq!(blocking(client.read::<Status>(&path)).stage, Stage::Pending);
        let begun = Instant::now();
        let late = blocking(client.submit_bytes("?wait=committed&timeout_ms=50", payment.encode()));
        assert_eq!(late.status(), 202);
        assert!(begun.elapsed() >= Duration::from_millis(50));
        drop(held);
    }
    assert_eq!(client.committed(&payment).await.code, Some(Code::Applied));
    let judged: Status = client.read(&path).await;
    assert_eq!((judged.stage, judged.code), (Stage::Judged, Some(Code::Applied)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verdict_is_committed_and_then_final() {
    let client = Client::start().await;
    let payment = client.payment(1);
    let status = client.committed(&payment).await;
    let firm = |status: &Status| (status.verdict, status.durability);
    assert_eq!(firm(&status), (Verdict::Applied, Some(Durability::Committed)));
    // Nothing is final yet: who waits for that is told how far it is.
    let waits = "?wait=final&timeout_ms=50";
    let status: Status = client.submit_bytes(waits, payment.encode()).await.json().await.unwrap();
    assert_eq!(firm(&status), (Verdict::Applied, Some(Durability::Committed)));
    let town = client.town.clone();
    let later = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        town.finalise();
    });
    let status: Status =
        client.submit_bytes("?wait=final", payment.encode()).await.json().await.unwrap();
    later.await.unwrap();
    assert_eq!(firm(&status), (Verdict::Applied, Some(Durability::Final)));
    let rejected = client.committed(&client.payment(1_000_000_000)).await;
    assert_eq!(firm(&rejected), (Verdict::Rejected, Some(Durability::Committed)));
    let path = format!("/v1/transactions/{}", payment.body.id());
    assert_eq!(firm(&client.read(&path).await), (Verdict::Applied, Some(Durability::Final)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_absent_past_its_expiry_has_expired_for_ever() {
    let client = Client::start().await;
    let body = client.payment(1).body;
    let now = client.town.now();
    let ask = async |expires: u64| -> Status {
        client.read(&format!("/v1/transactions/{}?expires={expires}", body.id())).await
    };
    assert_eq!(ask(now.0 + 1).await.verdict, Verdict::Pending);
    assert_eq!(ask(now.0).await.verdict, Verdict::Expired);
    assert_eq!(ask(now.0).await.durability, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejection_is_a_verdict_and_a_missing_consent_is_void() {
    let client = Client::start().await;
    let status = client.committed(&client.payment(1_000_000_000)).await;
    assert_eq!(status.stage, Stage::Judged);
    assert!(status.leaf.is_some() && status.code != Some(Code::Applied));
    assert_eq!(status.detail.as_deref(), status.code.map(Code::sentence));

    let one_sided = client.signed("alice", city::pay("alice", "shop", 5), &[debit("alice")]);
    let status = client.committed(&one_sided).await;
    assert_eq!(
        (status.stage, status.code, status.leaf),
        (Stage::Void, Some(Code::MissingConsent), None)
    );
    // It bound nothing: completed by the other side, the same body applies.
    let complete = city::sign(one_sided.body, &[debit("alice"), credit("shop")]);
    assert_eq!(client.committed(&complete).await.code, Some(Code::Applied));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_copies_have_one_effect() {
    let client = std::sync::Arc::new(Client::start().await);
    let payment = client.payment(7);
    let copies = (0..100).map(|_| {
        let (client, bytes) = (client.clone(), framed(&vec![payment.encode(); 10]));
        tokio::spawn(async move {
            let request = client.post("/v1/transactions/bulk?wait=committed").body(bytes);
            let response =
                request.header("content-type", "application/octet-stream").send().await.unwrap();
            response.json::<Value>().await.unwrap()
        })
    });
    let mut leaves = std::collections::BTreeSet::new();
    for copy in copies.collect::<Vec<_>>() {
        for result in copy.await.unwrap()["results"].as_array().unwrap() {
            // Only so many may wait for one id at once; the others are told to come back.
            if result["problem"]["code"] == "busy" {
                continue;
            }
            assert_eq!(result["status"]["code"], "applied", "{result}");
            leaves.insert(result["status"]["leaf"].as_u64().unwrap());
        }
    }
    assert_eq!(leaves.len(), 1);
    assert_eq!(client.committed(&payment).await.leaf, leaves.pop_first());
    let wallet: WalletView = client.read(&format!("/v1/wallets/{}", city::id("alice"))).await;
    assert_eq!(wallet.balances[0].spendable.0, 9_993);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reference_is_bound_to_one_body_for_ever() {
    let client = Client::start().await;
    let first = client.payment(1);
    client.committed(&first).await;
    let mut other = client.payment(2).body;
    other.reference = first.body.reference.clone();
    let other = city::sign(other, &[debit("alice"), credit("shop")]);
    let refused = client.submit_bytes("?wait=committed", other.encode()).await;
    let refused = problem(refused, 409, "reference_taken").await;
    assert_eq!(refused.id, Some(first.body.id()), "the problem names who has it");
    let status: Status = client.read(&format!("/v1/transactions/{}", other.body.id())).await;
    assert_eq!(status.stage, Stage::Unknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_submission_answers_item_by_item() {
    let client = Client::start().await;
    let good: Vec<Transaction> = (1..=300).map(|amount| client.payment(amount % 7 + 1)).collect();
    let mut items: Vec<Vec<u8>> = good.iter().map(Transaction::encode).collect();
    let mut forged = client.payment(3);
    forged.signatures[1].bytes.0[5] ^= 1;
    items.insert(10, forged.encode());
    items.insert(20, b"no transaction".to_vec());
    items.push(good[0].encode());
    let request = client.post("/v1/transactions/bulk?wait=committed").body(framed(&items));
    let response = request.header("content-type", "application/octet-stream").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let answer: Value = response.json().await.unwrap();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), items.len());
    assert_eq!(results[10]["problem"]["code"], "bad_signature");
    assert_eq!(results[10]["problem"]["id"], forged.body.id().to_string());
    assert_eq!(results[20]["problem"]["code"], "malformed");
    let others = results.iter().enumerate().filter(|(at, _)| ![10, 20].contains(at));
    for (at, result) in others {
        assert_eq!(result["status"]["code"], "applied", "item {at}: {result}");
    }
    assert_eq!(results[0]["status"]["leaf"], results[items.len() - 1]["status"]["leaf"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_leader_refuses_may_be_sent_again() {
    let client = Client::start().await;
    let payment = client.payment(1);
    for (refusal, code) in
        [(Refusal::Busy, "busy"), (Refusal::NoLeader, "no_leader"), (Refusal::Stopping, "stopping")]
    {
        *client.town.refuses.lock().unwrap() = Some(refusal);
        let response = client.submit_bytes("?wait=committed", payment.encode()).await;
        assert_eq!(response.headers()["retry-after"], "1");
        let refused = problem(response, 503, code).await;
        assert_eq!(refused.id, Some(payment.body.id()));
    }
    *client.town.refuses.lock().unwrap() = Some(Refusal::OverShare);
    let response = client.submit_bytes("?wait=committed", payment.encode()).await;
    assert_eq!(response.headers()["retry-after"], "1");
    problem(response, 429, "rate_limited").await;
    *client.town.refuses.lock().unwrap() = None;
    assert_eq!(client.committed(&payment).await.code, Some(Code::Applied));
    let metrics = client.metrics.render();
    assert!(metrics.contains("musubi_refused_total{code=\"no_leader\"} 1"));
    assert!(metrics.contains("musubi_admitted_total 1"));
}
