//! Submissions as attackers and broken clients send them. Each is refused at the door, in
//! milliseconds, with a problem document; none leaves a trace. Hostile inputs 1, 3, 5, 7 and 10.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use musubi_ledger::{
    api::{Stage, Status},
    code::Code,
    id::ChainId,
    limits,
    transaction::Transaction,
};
use serde_json::Value;

use crate::{
    city::{self, credit, debit},
    client::{Client, problem},
};

fn json(transaction: &Transaction) -> String {
    serde_json::to_string(transaction).unwrap()
}

/// Sends a JSON body and checks that it is refused so, quickly, and changed nothing.
async fn refused(client: &Client, body: Vec<u8>, status: u16, code: &str) {
    let head = client.town.now();
    let begun = Instant::now();
    let response = client.submit_text("?wait=committed", body).await;
    // The required 10 ms, with room for a machine that does other things beside.
    assert!(begun.elapsed() < Duration::from_millis(500), "{code} took {:?}", begun.elapsed());
    problem(response, status, code).await;
    assert_eq!(client.town.now(), head, "nothing was ordered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_that_is_not_exactly_a_transaction() {
    let client = Client::start().await;
    let good = json(&client.payment(100));
    let bad: Vec<(&str, String)> = vec![
        ("duplicate key", good.replacen("\"body\":{", "\"body\":{\"purpose\":0,", 1)),
        ("duplicate key outside", good.replacen('{', "{\"signatures\":[],", 1)),
        ("unknown field", good.replacen('{', "{\"note\":1,", 1)),
        ("unknown field in the body", good.replacen("\"body\":{", "\"body\":{\"fee\":\"1\",", 1)),
        ("trailing garbage", format!("{good}x")),
        ("two documents", format!("{good}{good}")),
        ("byte order mark", format!("\u{feff}{good}")),
        ("cut off", good[..good.len() - 1].to_owned()),
        ("empty", String::new()),
        ("null", "null".into()),
        ("deep lists", "[".repeat(10_000)),
        ("deep objects", "{\"body\":".repeat(5_000)),
        (
            "deep value",
            good.replacen("\"transfer\":", &format!("\"transfer\":{}", "[".repeat(10_000)), 1),
        ),
        ("lone surrogate", good.replacen("test-", "\\ud800", 1)),
        ("upper-case hex", good.replacen("\"chain\":\"", "\"chain\":\"A", 1)),
        ("number overflow", good.replacen("\"rules_version\":1", "\"rules_version\":65537", 1)),
        ("number with exponent", good.replacen("\"rules_version\":1", "\"rules_version\":1e0", 1)),
        ("number with fraction", good.replacen("\"rules_version\":1", "\"rules_version\":1.0", 1)),
        ("negative number", good.replacen("\"rules_version\":1", "\"rules_version\":-1", 1)),
    ];
    for (what, text) in bad {
        assert_ne!(text, good, "{what}");
        refused(&client, text.into_bytes(), 400, "malformed_json").await;
    }
    let mut not_utf8 = good.clone().into_bytes();
    let at = good.find("test-").unwrap();
    not_utf8[at] = 0xff;
    refused(&client, not_utf8, 400, "malformed_json").await;
    // White space is all that may surround it.
    let response = client.submit_text("?wait=committed", format!(" \n{good}\n ")).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amounts_are_strings_in_one_spelling() {
    let client = Client::start().await;
    let good = json(&client.payment(100));
    for amount in [
        "100",
        "9007199254740993",
        "1e3",
        "-1",
        "null",
        "\"-1\"",
        "\"+1\"",
        "\"1e3\"",
        "\"1.0\"",
        "\"01\"",
        "\" 1\"",
        "\"1 \"",
        "\"\"",
        "\"0x10\"",
        "\"18446744073709551616\"",
        "\"１\"",
    ] {
        let text = good.replacen("\"amount\":\"100\"", &format!("\"amount\":{amount}"), 1);
        assert_ne!(text, good);
        refused(&client, text.into_bytes(), 400, "malformed_json").await;
    }
    // In range but not what was signed: another body, whose signatures fail.
    for amount in ["\"0\"", "\"18446744073709551615\""] {
        let text = good.replacen("\"amount\":\"100\"", &format!("\"amount\":{amount}"), 1);
        refused(&client, text.into_bytes(), 400, "bad_signature").await;
    }
    // Signed like that, the rules judge it: an amount of nothing is rejected.
    let status = client.committed(&client.payment(0)).await;
    assert_eq!(status.code.map(|code| code.name()), Some("amount_invalid"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sizes_are_limited_before_anything_is_read() {
    let client = Client::start().await;
    let blank = |bytes: usize| vec![b' '; bytes];
    refused(&client, blank(limits::HTTP_BODY_BYTES_MAX), 400, "malformed_json").await;
    refused(&client, blank(limits::HTTP_BODY_BYTES_MAX + 1), 413, "body_too_large").await;
    let response = client.submit_bytes("", blank(limits::TRANSACTION_BYTES_MAX + 1)).await;
    assert_eq!(response.headers()["connection"], "close", "the rest of the body is never read");
    problem(response, 413, "body_too_large").await;
    let bulk =
        client.post("/v1/transactions/bulk").header("content-type", "application/octet-stream");
    let response = bulk.body(blank(600 * 1024)).send().await.unwrap();
    problem(response, 413, "body_too_large").await;
    // The same without a declared length.
    let chunks = (0..9).map(move |_| Ok::<_, std::io::Error>(blank(8 * 1024)));
    let chunked = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    let response = client.submit_text("", chunked).await;
    problem(response, 413, "body_too_large").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_declared_plain_media_types_are_read() {
    let client = Client::start().await;
    let text = json(&client.payment(1));
    for (header, value) in [
        ("content-type", "text/plain"),
        ("content-type", "application/jsonx"),
        ("content-type", "multipart/form-data; boundary=x"),
    ] {
        let request = client.post("/v1/transactions").header(header, value).body(text.clone());
        problem(request.send().await.unwrap(), 415, "unsupported_media_type").await;
    }
    let request = client.post("/v1/transactions").body(text.clone());
    problem(request.send().await.unwrap(), 415, "unsupported_media_type").await;
    for encoding in ["gzip", "br", "identity, gzip"] {
        let request = client.post("/v1/transactions").header("content-type", "application/json");
        let request = request.header("content-encoding", encoding).body(text.clone());
        problem(request.send().await.unwrap(), 415, "unsupported_media_type").await;
    }
    let request =
        client.post("/v1/transactions").header("content-type", "application/json; charset=utf-8");
    assert_eq!(request.body(text).send().await.unwrap().status(), 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signatures_that_do_not_hold() {
    let client = Client::start().await;
    let good = client.payment(100);
    let mut forged = good.clone();
    forged.signatures[0].bytes.0[0] ^= 1;
    let mut malleated = good.clone();
    add_group_order(&mut malleated.signatures[1].bytes.0);
    let mut swapped = good.clone();
    let first = swapped.signatures[0].bytes;
    swapped.signatures[0].bytes = swapped.signatures[1].bytes;
    swapped.signatures[1].bytes = first;
    for bad in [&forged, &malleated, &swapped] {
        let response = client.submit_bytes("?wait=committed", bad.encode()).await;
        let refused = problem(response, 400, "bad_signature").await;
        assert_eq!(refused.id, Some(good.body.id()));
    }
    let mut doubled = good.clone();
    doubled.signatures.push(doubled.signatures[1].clone());
    problem(client.submit_bytes("", doubled.encode()).await, 400, "malformed").await;
    problem(client.submit_text("", json(&doubled)).await, 400, "malformed").await;
    let none = Transaction { signatures: Vec::new(), ..good.clone() };
    problem(client.submit_bytes("", none.encode()).await, 400, "sender_not_signer").await;
    // None of it stands in the way of the real one.
    assert_eq!(client.committed(&good).await.stage, Stage::Judged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_keys_fill_no_log_and_learn_nothing() {
    let client = Client::start().await;
    let paid = client.payment(1);
    client.committed(&paid).await;
    let before = client.town.now();
    // Keys that nobody registered, or somebody else's: as void items they would stay for ever.
    for signers in [
        vec![debit("alice").key("stranger")],
        vec![debit("alice").key("bob"), credit("shop")],
        vec![debit("alice").key("stranger"), credit("shop").key("stranger/2")],
    ] {
        let fresh = client.signed("alice", city::pay("alice", "shop", 1), &signers);
        let response = client.submit_bytes("?wait=committed", fresh.encode()).await;
        problem(response, 400, "sender_not_signer").await;
        // The same under a reference that is taken: neither that nor by whom is told.
        let mut probe = client.body("alice", city::pay("alice", "shop", 2));
        probe.reference = paid.body.reference.clone();
        let probe = city::sign(probe, &signers);
        let response = client.submit_bytes("", probe.encode()).await;
        let refused = problem(response, 400, "sender_not_signer").await;
        assert_eq!(refused.id, Some(probe.body.id()));
        let mut forged = city::sign(probe.body, &[debit("alice"), credit("shop")]);
        forged.signatures.iter_mut().for_each(|signature| signature.bytes.0[3] ^= 1);
        problem(client.submit_bytes("", forged.encode()).await, 400, "bad_signature").await;
    }
    assert_eq!(client.town.now(), before, "nothing was ordered");
    // One key of the sender's is enough, and a new one counts as soon as it is registered.
    let pay = |key| {
        let by = [debit("alice").key(key), credit("shop")];
        client.signed("alice", city::pay("alice", "shop", 3), &by)
    };
    let refused = client.submit_bytes("", pay("alice/2").encode()).await;
    problem(refused, 400, "sender_not_signer").await;
    let add = city::AddKey { party: city::id("alice"), key: city::key("alice/2").public() };
    let by = [city::own("alice"), city::proves("alice", "alice/2")];
    let added = client.signed("alice", city::Operation::AddKey(add), &by);
    assert_eq!(client.committed(&added).await.code, Some(Code::Applied));
    assert_eq!(client.committed(&pay("alice/2")).await.code, Some(Code::Applied));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stripped_copy_does_not_answer_for_the_complete_one() {
    let client = Arc::new(Client::start().await);
    let complete = client.payment(100);
    // The payee takes its own signature off and is first.
    let stripped = city::sign(complete.body.clone(), &[debit("alice")]);
    let town = client.town.clone();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (holding, is_held) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let _held = town.hold.lock().unwrap();
        holding.send(()).unwrap();
        let _ = held.recv();
    });
    is_held.recv().unwrap();
    assert_eq!(client.submit_bytes("", stripped.encode()).await.status(), 202);
    let waits = |transaction: Transaction| {
        let client = Arc::clone(&client);
        tokio::spawn(async move { client.committed(&transaction).await })
    };
    let (of_stripped, of_complete) = (waits(stripped), waits(complete));
    while client.town.waiting() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    release.send(()).unwrap();
    holder.join().unwrap();
    let answer = of_complete.await.unwrap();
    assert_eq!(answer.code, Some(Code::Applied), "whoever sends all of it gets its verdict");
    let answer = of_stripped.await.unwrap();
    assert!(matches!(answer.code, Some(Code::Applied | Code::MissingConsent)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_for_elsewhere_or_another_time() {
    let client = Client::start().await;
    let by = [debit("alice"), credit("shop")];
    let now = client.town.now();
    let mut body = client.payment(1).body;
    body.chain = ChainId([1; 32]);
    problem(client.submit_bytes("", city::sign(body, &by).encode()).await, 400, "wrong_chain")
        .await;
    let mut body = client.payment(1).body;
    body.rules_version = 2;
    problem(client.submit_bytes("", city::sign(body, &by).encode()).await, 400, "inactive_rules")
        .await;
    // The far end is looked for from the clock, since the next block is stamped by one.
    let far = musubi_node::clock::machine().max(now).plus(limits::SUBMISSION_WINDOW_MS + 60_000);
    for (expires, code) in [(now, "expired"), (far, "window_too_long")] {
        let mut body = client.payment(1).body;
        body.expires = expires;
        let id = body.id();
        problem(client.submit_bytes("", city::sign(body, &by).encode()).await, 400, code).await;
        let status: Status = client.read(&format!("/v1/transactions/{id}")).await;
        assert_eq!(status.stage, Stage::Unknown);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_are_checked() {
    let client = Client::start().await;
    let bytes = client.payment(1).encode();
    for query in
        ["?wait=settled", "?wait=", "?timeout_ms=0", "?timeout_ms=30001", "?timeout_ms=x", "?foo=1"]
    {
        problem(client.submit_bytes(query, bytes.clone()).await, 400, "bad_parameter").await;
    }
    for path in [
        "/v1/transactions/xyz",
        "/v1/transactions/00",
        "/v1/wallets/party1qqqq",
        "/v1/wallets/kiryu1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5z5tpwxqergd3c8g7rusq7kxs5s",
        "/v1/media/x",
        "/v1/instruments/lower",
        "/v1/entries?from=0",
        "/v1/entries",
        "/v1/seals?from=0&count=5000",
        "/v1/feed?after=1",
        "/v1/parties/party1qqqq/history",
        "/log/tile/0/1",
        "/log/tile/0/000.p/256",
    ] {
        problem(client.get(path).send().await.unwrap(), 400, "bad_parameter").await;
    }
    let history = format!("/v1/parties/{}/history?limit=201", city::id("alice"));
    problem(client.get(&history).send().await.unwrap(), 400, "bad_parameter").await;
    let long = "x".repeat(5_000);
    let response = client.get(&format!("/v1/wallets/{long}")).send().await.unwrap();
    let refused = problem(response, 400, "bad_parameter").await;
    assert!(serde_json::to_value(&refused).unwrap().to_string().len() < 2_000);
    let bulk =
        client.post("/v1/transactions/bulk").header("content-type", "application/octet-stream");
    let response = bulk.body(vec![0, 0, 0, 9, 1]).send().await.unwrap();
    problem(response, 400, "malformed_bulk").await;
    let text = client.post("/v1/transactions/bulk").json(&Value::Null).send().await.unwrap();
    problem(text, 415, "unsupported_media_type").await;
}

/// S + L, with L the group order (RFC 8032 section 5.1): the malleated form of a signature.
fn add_group_order(signature: &mut [u8; 64]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
}
