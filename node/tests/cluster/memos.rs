//! A memo is read at any node, wherever it was brought; erased at one, it stays at the others.

use std::net::SocketAddr;

use musubi_ledger::{
    api::Status,
    code::Code,
    genesis::Genesis,
    memo::{MemoBlob, join},
    transaction::Transaction,
};

use crate::{TOKEN, common, eventually, set_up, start, start_with, stop, transaction};

/// Alice's `n`th key, with a word about it.
fn with_memo(genesis: &Genesis, n: u8) -> (Transaction, MemoBlob) {
    common::with_memo(transaction(genesis, n), n)
}

async fn get(client: &reqwest::Client, at: SocketAddr, blob: &MemoBlob) -> (u16, Vec<u8>) {
    let url = format!("http://{at}/v1/memos/{}", blob.hash());
    let answer = client.get(url).bearer_auth(TOKEN).send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

async fn bring(client: &reqwest::Client, at: SocketAddr, tx: &Transaction, blob: &MemoBlob) {
    let url = format!("http://{at}/v1/memos?wait=committed&timeout_ms=20000");
    let sent = client.post(url).header("content-type", "application/octet-stream");
    let sent = sent.body(join(&tx.encode(), &blob.encode())).send().await.unwrap();
    let status: Status = sent.json().await.unwrap();
    assert_eq!(status.code, Some(Code::Applied), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memo_is_read_at_every_node_and_erased_at_one() {
    let root = tempfile::tempdir().unwrap();
    let (genesis, folders) = set_up(root.path());
    let operator = |config: &mut musubi_node::config::Config| {
        config.http.operator = config.http.reader.clone();
        config.http.reader.clear();
    };
    let mut members = vec![start_with(&folders[0], operator).await];
    members.push(start(&folders[1]).await);
    members.push(start(&folders[2]).await);
    let client = reqwest::Client::new();
    let at: Vec<SocketAddr> = members.iter().map(|member| member.api.address()).collect();
    let (tx, blob) = with_memo(&genesis, 1);
    bring(&client, at[0], &tx, &blob).await;
    for at in &at {
        // Others have executed it perhaps a moment later.
        eventually("the memo is read at every node", async || {
            get(&client, *at, &blob).await == (200, blob.encode())
        })
        .await;
    }
    let url = format!("http://{}/v1/memos/{}", at[0], blob.hash());
    let erased = client.delete(&url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(erased.status(), 200);
    assert_eq!(get(&client, at[0], &blob).await.0, 410);
    assert_eq!(get(&client, at[1], &blob).await, (200, blob.encode()), "each node by itself");

    // A node that was away asks for what it missed, and what one has erased stays so across a restart.
    let away = members.remove(2);
    stop(away).await;
    let (tx, second) = with_memo(&genesis, 2);
    bring(&client, at[1], &tx, &second).await;
    stop(members.remove(0)).await;
    let first = start_with(&folders[0], operator).await;
    let third = start(&folders[2]).await;
    let (first_at, third_at) = (first.api.address(), third.api.address());
    eventually("what was missed comes", async || {
        get(&client, third_at, &second).await == (200, second.encode())
    })
    .await;
    assert_eq!(get(&client, first_at, &blob).await.0, 410);
    assert_eq!(get(&client, third_at, &blob).await, (200, blob.encode()));
    for member in [first, third].into_iter().chain(members) {
        stop(member).await;
    }
}
