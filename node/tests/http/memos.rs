//! Memos over HTTP: who may do what, what is taken, what is kept, what is gone.

use musubi_ledger::{
    api::{Problem, Status},
    code::Code,
    keys::PublicKey,
    limits,
    memo::{MemoBlob, Wrap, join},
    transaction::Transaction,
};
use reqwest::{Method, Response};
use serde_json::Value;

use crate::{
    city::{self, credit, debit},
    client::{Client, OPERATOR},
};

/// A blob of the right form; what it says is for its readers.
pub(crate) fn blob(n: u8) -> MemoBlob {
    let wrap = Wrap { reader: PublicKey([n; 32]), encapsulated: [2; 32], sealed: [3; 48] };
    MemoBlob { commitment: [n; 32], wraps: vec![wrap], sealed: vec![4; 82] }
}

/// Alice pays the shop, and says why.
fn payment(client: &Client, amount: u64, blob: &MemoBlob) -> Transaction {
    let mut body = client.body("alice", city::pay("alice", "shop", amount));
    body.memo = Some(blob.hash());
    city::sign(body, &[debit("alice"), credit("shop")])
}

async fn send(client: &Client, body: Vec<u8>) -> Response {
    let post = client.post("/v1/memos?wait=committed");
    post.header("content-type", "application/octet-stream").body(body).send().await.unwrap()
}

async fn submit(client: &Client, tx: &Transaction, blob: &MemoBlob) -> Response {
    send(client, join(&tx.encode(), &blob.encode())).await
}

fn path(blob: &MemoBlob) -> String {
    format!("/v1/memos/{}?wait_ms=50", blob.hash())
}

async fn read(client: &Client, blob: &MemoBlob) -> Response {
    client.get(&path(blob)).send().await.unwrap()
}

async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let told: Problem = response.json().await.unwrap();
    assert_eq!(told.status, status);
    (status, told.code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memo_comes_with_its_transaction_and_is_read_with_a_token() {
    let client = Client::start().await;
    let (blob, other) = (blob(1), blob(2));
    let tx = payment(&client, 10, &blob);
    assert_eq!(code(read(&client, &blob).await).await, (404, "not_found".into()));
    for _ in 0..2 {
        let status: Status = submit(&client, &tx, &blob).await.json().await.unwrap();
        assert_eq!((status.id, status.code), (tx.body.id(), Some(Code::Applied)));
    }
    let served = read(&client, &blob).await;
    assert_eq!(served.status(), 200);
    assert_eq!(served.headers()["cache-control"], "no-store");
    assert_eq!(served.bytes().await.unwrap(), blob.encode());
    let bare = client.bare(&path(&blob)).send().await.unwrap();
    assert_eq!(code(bare).await, (401, "unauthorised".into()));
    assert_eq!(code(read(&client, &other).await).await, (404, "not_found".into()));
    let bad = client.get(&format!("/v1/memos/{}?wait_ms=10001", blob.hash())).send().await.unwrap();
    assert_eq!(code(bad).await, (400, "bad_parameter".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_memo_of_this_transaction_is_refused_and_nothing_is_ordered() {
    let client = Client::start().await;
    let (own, other) = (blob(1), blob(2));
    let tx = payment(&client, 10, &own);
    let none = client.payment(10);
    assert_eq!(code(submit(&client, &tx, &other).await).await, (400, "other_memo".into()));
    assert_eq!(code(submit(&client, &none, &own).await).await, (400, "other_memo".into()));
    let (bytes, blob) = (tx.encode(), own.encode());
    let mut unsorted = own.clone();
    unsorted.wraps.push(unsorted.wraps[0]);
    for body in [
        Vec::new(),
        bytes.clone(),
        join(&bytes, b""),
        join(&bytes, &blob[1..]),
        join(&bytes, &[&blob[..], &[0]].concat()),
        join(&bytes, &unsorted.encode()),
        join(&bytes, &vec![0; limits::MEMO_BLOB_BYTES_MAX + 1]),
        [&join(&bytes, &blob)[..], &[0]].concat(),
    ] {
        assert_eq!(code(send(&client, body).await).await, (400, "malformed_memo".into()));
    }
    assert_eq!(code(send(&client, join(b"", &blob)).await).await, (400, "malformed".into()));
    let huge = join(&bytes, &vec![0; limits::TRANSACTION_BYTES_MAX]);
    let huge = [huge, vec![0; limits::MEMO_BLOB_BYTES_MAX]].concat();
    assert_eq!(code(send(&client, huge).await).await, (413, "body_too_large".into()));
    let json = client.post("/v1/memos").header("content-type", "application/json");
    let json = json.body("{}").send().await.unwrap();
    assert_eq!(code(json).await, (415, "unsupported_media_type".into()));
    let mut forged = tx.clone();
    forged.signatures[0].bytes.0[5] ^= 1;
    assert_eq!(code(submit(&client, &forged, &own).await).await, (400, "bad_signature".into()));
    assert_eq!(code(read(&client, &own).await).await, (404, "not_found".into()));
    let status: Value = client.read(&format!("/v1/transactions/{}", tx.body.id())).await;
    assert_eq!(status["stage"], "unknown");
    assert_eq!(client.town.memos_open(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memo_without_an_applied_transaction_is_not_kept() {
    let client = Client::start().await;
    // Rejected: alice has 10,000.
    let poor = payment(&client, 1_000_000, &blob(1));
    let status: Status = submit(&client, &poor, &blob(1)).await.json().await.unwrap();
    assert_eq!(status.code, Some(Code::InsufficientFunds));
    assert_eq!(code(read(&client, &blob(1)).await).await, (404, "not_found".into()));
    // Refused behind the door.
    *client.town.refuses.lock().unwrap() = Some(musubi_node::http::Refusal::Busy);
    let refused = payment(&client, 10, &blob(2));
    assert_eq!(code(submit(&client, &refused, &blob(2)).await).await, (503, "busy".into()));
    *client.town.refuses.lock().unwrap() = None;
    assert_eq!(client.town.memos_open(), 0);
    // Judged, and rejected: it brings nothing afterwards either.
    submit(&client, &poor, &blob(1)).await;
    assert_eq!(code(read(&client, &blob(1)).await).await, (404, "not_found".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_waits_nobody_reads_it_and_one_that_was_left_behind_can_be_brought_later() {
    let client = Client::start().await;
    let tx = payment(&client, 10, &blob(1));
    let held = client.town.hold.lock().unwrap();
    let sent = client.post("/v1/memos").header("content-type", "application/octet-stream");
    let body = join(&tx.encode(), &blob(1).encode());
    let pending = crate::submission::blocking(sent.body(body).send()).unwrap();
    assert_eq!(pending.status(), 202);
    assert_eq!(client.town.memos_open(), 1);
    let early = crate::submission::blocking(read(&client, &blob(1)));
    assert_eq!(early.status(), 404);
    drop(held);
    submit(&client, &tx, &blob(1)).await;
    assert_eq!(read(&client, &blob(1)).await.status(), 200);

    // Sent without its blob: the node knows that it lacks one, and takes it when it comes.
    let tx = payment(&client, 10, &blob(2));
    let alone = client.submit_bytes("?wait=committed", tx.encode()).await;
    assert_eq!(alone.status(), 200);
    let missing = read(&client, &blob(2)).await;
    assert_eq!(missing.headers()["retry-after"], "1");
    assert_eq!(code(missing).await, (404, "memo_not_here".into()));
    submit(&client, &tx, &blob(2)).await;
    assert_eq!(read(&client, &blob(2)).await.bytes().await.unwrap(), blob(2).encode());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_erase_for_good_and_readers_do_not() {
    let client = Client::start().await;
    let (tx, blob) = (payment(&client, 10, &blob(1)), blob(1));
    submit(&client, &tx, &blob).await;
    let delete = || client.request(Method::DELETE, &format!("/v1/memos/{}", blob.hash()));
    assert_eq!(code(delete().send().await.unwrap()).await, (401, "unauthorised".into()));
    let reader = delete().bearer_auth(crate::client::TOKEN).send().await.unwrap();
    assert_eq!(code(reader).await, (403, "operator_only".into()));
    assert_eq!(read(&client, &blob).await.status(), 200);
    let reads = client.bare(&path(&blob)).bearer_auth(OPERATOR).send().await.unwrap();
    assert_eq!(reads.status(), 200, "an operator reads too");
    for was_here in [true, false] {
        let erased = delete().bearer_auth(OPERATOR).send().await.unwrap();
        let erased: Value = erased.json().await.unwrap();
        assert_eq!(erased["was_here"], was_here);
        assert_eq!(erased["memo"], blob.hash().to_string());
    }
    assert_eq!(code(read(&client, &blob).await).await, (410, "memo_erased".into()));
    // Nor does it come back with its transaction, whose verdict stands.
    assert_eq!(code(submit(&client, &tx, &blob).await).await, (410, "memo_erased".into()));
    let status = client.submit_bytes("?wait=committed", tx.encode()).await;
    assert_eq!(status.json::<Status>().await.unwrap().code, Some(Code::Applied));
    // What was erased before it came is refused with its transaction: nothing is ordered without the writer's word.
    let early = crate::memos::blob(7);
    let delete = client.request(Method::DELETE, &format!("/v1/memos/{}", early.hash()));
    assert_eq!(delete.bearer_auth(OPERATOR).send().await.unwrap().status(), 200);
    let tx = payment(&client, 10, &early);
    assert_eq!(code(submit(&client, &tx, &early).await).await, (410, "memo_erased".into()));
    let status: Value = client.read(&format!("/v1/transactions/{}", tx.body.id())).await;
    assert_eq!(status["stage"], "unknown");
}
