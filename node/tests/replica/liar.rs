//! An upstream between a replica and an honest node, which may change what it hands on.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::HeaderMap,
    routing::get,
};
use musubi_ledger::{
    batch::Batch,
    code::Code,
    execute::Head,
    leaf::{LEAF_BYTES, Leaf},
};
use musubi_node::follow::page::{BLOCKS_MAX, Offered, Page, encode_head};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

/// Runs until it is dropped or stopped, on a runtime of its own: with that, its connections end too.
pub(crate) struct Liar {
    address: SocketAddr,
    said: Arc<Mutex<Option<String>>>,
    runtime: Option<Runtime>,
}

struct Between {
    upstream: String,
    client: reqwest::Client,
    change: Box<dyn Fn(&mut Page) + Send + Sync>,
    said: Arc<Mutex<Option<String>>>,
}

impl Liar {
    /// Hands on what `upstream` serves, with every page changed.
    pub(crate) async fn start(
        upstream: String,
        change: impl Fn(&mut Page) + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), upstream, change).await
    }

    pub(crate) async fn start_at(
        address: SocketAddr,
        upstream: String,
        change: impl Fn(&mut Page) + Send + Sync + 'static,
    ) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let said = Arc::new(Mutex::new(None));
        let saying = Arc::clone(&said);
        let (bound, told) = tokio::sync::oneshot::channel();
        runtime.spawn(async move {
            let listener = TcpListener::bind(address).await.unwrap();
            bound.send(listener.local_addr().unwrap()).unwrap();
            let client = reqwest::Client::new();
            let between =
                Arc::new(Between { upstream, client, change: Box::new(change), said: saying });
            let router = Router::new()
                .route("/v1/blocks", get(blocks))
                .route("/log/checkpoint", get(checkpoint))
                .with_state(between);
            axum::serve(listener, router).await.unwrap();
        });
        Self { address: told.await.unwrap(), said, runtime: Some(runtime) }
    }

    /// From now on this is its final checkpoint.
    pub(crate) fn say(&self, note: String) {
        *self.said.lock().unwrap() = Some(note);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Is gone, as a process that was killed; its address is free again.
    pub(crate) async fn stop(mut self) -> SocketAddr {
        let runtime = self.runtime.take().unwrap();
        let shut_down = move || runtime.shutdown_timeout(Duration::from_secs(5));
        tokio::task::spawn_blocking(shut_down).await.unwrap();
        self.address
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn checkpoint(State(between): State<Arc<Between>>) -> (axum::http::StatusCode, String) {
    if let Some(said) = between.said.lock().unwrap().clone() {
        return (axum::http::StatusCode::OK, said);
    }
    let url = format!("{}/log/checkpoint", between.upstream);
    let answer = between.client.get(url).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

async fn blocks(
    State(between): State<Arc<Between>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> (axum::http::StatusCode, Vec<u8>) {
    let query = query.unwrap();
    let from = query.split('&').find_map(|pair| pair.strip_prefix("from=")).unwrap();
    let from: u64 = from.parse().unwrap();
    let url = format!("{}/v1/blocks?{query}", between.upstream);
    let asked = between.client.get(url).header("authorization", &headers["authorization"]);
    let answer = asked.send().await.unwrap();
    let status = answer.status();
    let body: Bytes = answer.bytes().await.unwrap();
    if !status.is_success() {
        return (status, body.to_vec());
    }
    let mut page = Page::decode(body, from, BLOCKS_MAX).unwrap();
    (between.change)(&mut page);
    let head = Head { height: page.height, time: page.time, size: 0 };
    let mut bytes = encode_head(head).to_vec();
    page.blocks.iter().for_each(|block| bytes.extend(block.encode()));
    (status, bytes)
}

/// Changes the verdict in the block's first leaf.
pub(crate) fn change_verdict(block: &mut Offered, code: Code) {
    let mut leaves = block.leaves.to_vec();
    let mut leaf = Leaf::decode(&leaves[..LEAF_BYTES]).unwrap();
    leaf.code = code;
    leaves[..LEAF_BYTES].copy_from_slice(&leaf.encode());
    block.leaves = leaves.into();
}

/// Changes a byte of the block's first transaction.
pub(crate) fn change_transaction(block: &mut Offered) {
    let mut batch = Batch::decode(&block.entry).unwrap();
    batch.items[0][9] ^= 1;
    block.entry = batch.encode().into();
}
