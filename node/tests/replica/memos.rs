//! Memos' blobs that a replica lacks: asked of its upstreams over HTTP, one after the other, and believed for their hash
//! alone.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
};
use musubi_ledger::{
    id::{DocumentHash, TxId},
    limits::MEMO_BLOB_BYTES_MAX,
    memo::{MemoBlob, join},
};
use musubi_node::{
    memos::{
        Found, Memos,
        pull::{self, Others},
    },
    outgoing::Outgoing,
};
use musubi_storage::{OpenSettings, SettledMemo, Store, memory::MemoryDisk};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    common::{self, blob},
    follow::genesis,
    late::between,
    scene::{Scene, TOKEN, eventually},
};

/// What an upstream says to one question, by its path.
type Answer = Box<dyn Fn(&str) -> (u16, Vec<u8>) + Send + Sync>;

struct Desk {
    answer: Answer,
    asked: Mutex<Vec<String>>,
}

/// An upstream: a real HTTP server with answers of its own.
struct Upstream {
    url: String,
    desk: Arc<Desk>,
}

async fn serve(State(desk): State<Arc<Desk>>, asked: Request) -> (StatusCode, Vec<u8>) {
    let token = asked.headers()["authorization"].to_str().unwrap();
    assert_eq!(token, format!("Bearer {TOKEN}"));
    let path = asked.uri().path_and_query().unwrap().to_string();
    desk.asked.lock().unwrap().push(path.clone());
    let (status, body) = (desk.answer)(&path);
    (StatusCode::from_u16(status).unwrap(), body)
}

impl Upstream {
    async fn start(answer: impl Fn(&str) -> (u16, Vec<u8>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk { answer: Box::new(answer), asked: Mutex::default() });
        let router = Router::new().fallback(serve).with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, desk }
    }

    async fn with(blob: &MemoBlob) -> Self {
        let (wanted, bytes) = (path(blob), blob.encode());
        let other = (404, b"{}".to_vec());
        Self::start(move |path| if path == wanted { (200, bytes.clone()) } else { other.clone() })
            .await
    }

    fn asked(&self) -> Vec<String> {
        self.desk.asked.lock().unwrap().clone()
    }
}

fn path(blob: &MemoBlob) -> String {
    format!("/v1/memos/{}?wait_ms=0", blob.hash())
}

/// A replica's room of memos, of which some are cited and missing.
struct Room {
    store: Arc<Store>,
    memos: Arc<Memos>,
    task: JoinHandle<()>,
}

impl Room {
    fn open(wanted: &[&MemoBlob], upstreams: Vec<String>) -> Self {
        let disk = MemoryDisk::new(1);
        let settings = OpenSettings::default();
        let opened = Store::create(disk.open().unwrap(), &genesis(), [9; 16], &settings).unwrap();
        let store = Arc::new(opened.store);
        for (n, blob) in (1..).zip(wanted) {
            let settled = SettledMemo { memo: blob.hash(), id: TxId([n; 32]), applied: true };
            assert_eq!(store.settle_memos(&[settled]).unwrap(), [blob.hash()]);
        }
        Self::of(store, upstreams)
    }

    fn of(store: Arc<Store>, urls: Vec<String>) -> Self {
        let (memos, heard) = Memos::open(Arc::clone(&store)).unwrap();
        let memos = Arc::new(memos);
        let token = Arc::new(TOKEN.to_owned().into());
        let others = Others::Upstreams { client: Outgoing::new(), urls, token };
        let head = watch::channel(store.head().0).1;
        let task = tokio::spawn(pull::run(Arc::clone(&memos), heard, others, head));
        Self { store, memos, task }
    }

    /// As after a restart.
    async fn again(self, upstreams: Vec<String>) -> Self {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
        Self::of(self.store, upstreams)
    }

    fn find(&self, memo: &DocumentHash) -> Found {
        self.memos.find(memo).unwrap()
    }

    async fn comes(&self, blob: &MemoBlob) {
        let here = Found::Here(blob.encode());
        eventually("the memo comes", async || self.find(&blob.hash()) == here).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_blob_is_asked_for_until_somebody_gives_it() {
    let (wanted, other) = (blob(1), blob(2));
    let nothing = Upstream::start(|_| (404, b"{}".to_vec())).await;
    let another = other.encode();
    let another = Upstream::start(move |_| (200, another.clone())).await;
    let mut flipped = wanted.encode();
    flipped[40] ^= 1;
    let flipped = Upstream::start(move |_| (200, flipped.clone())).await;
    let long = [wanted.encode(), vec![0; MEMO_BLOB_BYTES_MAX]].concat();
    let long = Upstream::start(move |_| (200, long.clone())).await;
    let empty = Upstream::start(|_| (200, Vec::new())).await;
    let gone = format!("http://{}", common::free_port());
    let good = Upstream::with(&wanted).await;
    let behind = Upstream::with(&wanted).await;
    let liars = [&nothing, &another, &flipped, &long, &empty];
    let urls = liars.iter().map(|liar| liar.url.clone());
    let urls = urls.chain([gone, good.url.clone(), behind.url.clone()]).collect();
    let room = Room::open(&[&wanted], urls);
    room.comes(&wanted).await;
    for liar in liars.into_iter().chain([&good]) {
        assert_eq!(liar.asked(), [path(&wanted)], "each is asked, once");
    }
    assert!(behind.asked().is_empty(), "it had it already");
    assert_eq!(room.find(&other.hash()), Found::Unknown, "what nobody asked for is not kept");
    assert_eq!(room.store.memo_blob(&other.hash()).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_yet_is_asked_for_again() {
    let wanted = blob(1);
    let bytes = wanted.encode();
    let tries = Mutex::new(0);
    let upstream = Upstream::start(move |_| {
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        if *tries < 3 { (404, b"{}".to_vec()) } else { (200, bytes.clone()) }
    })
    .await;
    let room = Room::open(&[&wanted], vec![upstream.url.clone()]);
    room.comes(&wanted).await;
    assert_eq!(upstream.asked().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_blob_does_not_come_back_with_an_answer_under_way_nor_with_a_new_question() {
    let (erased, marker) = (blob(1), blob(2));
    let (answers, held) = std::sync::mpsc::channel::<()>();
    let (wanted, bytes, held) = (path(&erased), erased.encode(), Mutex::new(held));
    let upstream = Upstream::start(move |path| {
        if path != wanted {
            return (404, b"{}".to_vec());
        }
        // The answer to the first question waits for a word; later ones do not.
        let _ = tokio::task::block_in_place(|| held.lock().unwrap().recv());
        (200, bytes.clone())
    })
    .await;
    let room = Room::open(&[&erased], vec![upstream.url.clone()]);
    eventually("it is asked for", async || upstream.asked().len() == 1).await;
    assert_eq!(room.find(&erased.hash()), Found::Wanted);
    assert!(!room.memos.erase(&erased.hash()).unwrap());
    drop(answers);
    // Whoever asks all the same gets the blob, and has it nowhere.
    room.memos.ask(erased.hash());
    eventually("it was asked again", async || upstream.asked().len() == 2).await;
    // A memo that is settled afterwards comes behind it.
    let settled = SettledMemo { memo: marker.hash(), id: TxId([2; 32]), applied: true };
    room.store.settle_memos(&[settled]).unwrap();
    room.memos.ask(marker.hash());
    let urls = vec![upstream.url.clone(), Upstream::with(&marker).await.url];
    eventually("the marker is asked for", async || upstream.asked().contains(&path(&marker))).await;
    assert_eq!(room.find(&erased.hash()), Found::Erased);
    assert_eq!(room.store.memo_blob(&erased.hash()).unwrap(), None);
    // Nor after a restart, which takes up what is wanted.
    let before = upstream.asked().iter().filter(|asked| **asked == path(&erased)).count();
    let room = room.again(urls).await;
    room.comes(&marker).await;
    assert_eq!(room.find(&erased.hash()), Found::Erased);
    let after = upstream.asked().iter().filter(|asked| **asked == path(&erased)).count();
    assert_eq!(before, after, "nobody asks for what was erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_has_its_validators_memos_whatever_its_first_upstream_makes_of_them() {
    let mut scene = Scene::open().await;
    let (tx, blob) = common::with_memo(scene.transaction(1), 1);
    let url = format!("{}/v1/memos?wait=committed&timeout_ms=20000", scene.url());
    let sent = scene.client.post(url).header("content-type", "application/octet-stream");
    let sent = sent.body(join(&tx.encode(), &blob.encode())).send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 200);
    let liar = between(scene.url(), |path, mut body| {
        if path.starts_with("/v1/memos/") {
            *body.last_mut().unwrap() ^= 1;
        }
        body
    })
    .await;
    let replica = scene.replica("replica", &[liar, scene.url()]).await;
    scene.caught_up(&replica).await;
    let path = format!("/v1/memos/{}", blob.hash());
    eventually("the memo comes", async || {
        scene.get(&replica.url(), &path).await == (200, blob.encode())
    })
    .await;
    // What its operator erases is gone here, also for a replica that would take it from here.
    assert!(replica.running.node().memos.erase(&blob.hash()).unwrap());
    assert_eq!(scene.get(&replica.url(), &path).await.0, 410);
    let replica = scene.moved(replica, &[scene.url()]).await;
    scene.apply(2).await;
    scene.caught_up(&replica).await;
    assert_eq!(scene.get(&replica.url(), &path).await.0, 410);
    let further = scene.replica("further", &[replica.url()]).await;
    scene.caught_up(&further).await;
    assert_eq!(scene.get(&further.url(), &path).await.0, 404, "not here yet");
    assert_eq!(scene.get(&scene.url(), &path).await, (200, blob.encode()), "each by itself");
    for replica in [further, replica] {
        replica.stop().await;
    }
    scene.stop().await;
}
