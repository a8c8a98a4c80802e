//! Replicas that begin with a snapshot, from real nodes over real sockets; and upstreams that lie about one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::StatusCode,
};
use musubi_ledger::{snapshot::RowPage, state::Row, tlog::TilePath};
use musubi_node::{config::Config, run};

use crate::scene::{Member, Scene, TOKEN, eventually};

/// Changes the body of an answer, by its path.
type Change = Box<dyn Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync>;

struct Between {
    upstream: String,
    client: reqwest::Client,
    change: Change,
}

/// Hands on whatever `upstream` serves, changed.
pub(crate) async fn between(
    upstream: String,
    change: impl Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync + 'static,
) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = reqwest::Client::new();
    let between = Arc::new(Between { upstream, client, change: Box::new(change) });
    let router = Router::new().fallback(hand_on).with_state(between);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

async fn hand_on(State(between): State<Arc<Between>>, asked: Request) -> (StatusCode, Vec<u8>) {
    let path = asked.uri().path_and_query().unwrap().to_string();
    let url = format!("{}{path}", between.upstream);
    let answer = between.client.get(url).bearer_auth(TOKEN).send().await.unwrap();
    let status = answer.status();
    let body: Bytes = answer.bytes().await.unwrap();
    let body =
        if status.is_success() { (between.change)(&path, body.to_vec()) } else { body.into() };
    (status, body)
}

/// Another person behind the tag of the genesis document's.
fn another_person(path: &str, body: Vec<u8>) -> Vec<u8> {
    if !path.starts_with("/v1/snapshot/rows") {
        return body;
    }
    let mut page = RowPage::decode(&body).unwrap();
    for (_, row) in page.rows.iter_mut().filter(|(key, _)| key[0] == 3) {
        *row = Row::Person(musubi_ledger::id::PartyId([9; 16])).encode();
    }
    page.encode()
}

async fn code(scene: &Scene, member: &Member, path: &str) -> (u16, String) {
    let (status, body) = scene.get(&member.url(), path).await;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().into())
}

async fn info(scene: &Scene, member: &Member) -> serde_json::Value {
    serde_json::from_slice(&scene.get(&member.url(), "/v1/info").await.1).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_replica_has_the_state_follows_and_feeds_another() {
    let mut scene = Scene::open().await;
    for n in 1..=3 {
        scene.apply(n).await;
    }
    let first = scene.late("first", &[scene.url()]).await.unwrap();
    scene.caught_up(&first).await;
    let told = info(&scene, &first).await;
    let base = told["replica"]["base_size"].as_u64().unwrap();
    assert!(told["replica"]["base_height"].as_u64().unwrap() >= 1 && base > 2, "{told}");
    assert_eq!(
        first.metric("musubi_base_height"),
        told["replica"]["base_height"].as_f64().unwrap()
    );
    scene.apply(4).await;
    let second = scene.late("second", &[first.url()]).await.unwrap();
    scene.apply(5).await;
    for replica in [&first, &second] {
        scene.caught_up(replica).await;
        what_it_knows(&scene, replica).await;
        what_it_does_not_know(&scene, replica).await;
    }
    // A restart is like any other; and everything that is kept follows from everything else.
    let second = scene.moved(second, &[scene.url()]).await;
    scene.apply(6).await;
    scene.caught_up(&second).await;
    assert!(second.metric("musubi_base_height") >= 1.0);
    for replica in [first, second] {
        let folder = replica.stop().await;
        run::verify(&Config::load(&folder.join("node.toml")).unwrap()).unwrap();
    }
    scene.stop().await;
}

/// The state, the whole log of proof, and everything since the snapshot.
async fn what_it_knows(scene: &Scene, replica: &Member) {
    let (old, new) = (scene.transaction(1).body.id(), scene.transaction(5).body.id());
    let party = scene.party();
    let bundle = TilePath::Entries(musubi_ledger::tlog::Bundle { index: 0, width: 6 });
    for path in [
        format!("/v1/parties/{party}"),
        format!("/v1/transactions/{new}/full"),
        format!("/log/{bundle}"),
        "/log/tile/0/000.p/6".into(),
        "/v1/policies".into(),
    ] {
        eventually(&format!("{path} is the same"), async || {
            let expected = scene.get(&scene.url(), &path).await;
            assert_eq!(expected.0, 200, "{path}");
            scene.get(&replica.url(), &path).await == expected
        })
        .await;
    }
    // Verdicts are part of the state, however old.
    let (_, body) = scene.get(&replica.url(), &format!("/v1/transactions/{old}")).await;
    let status: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status["code"], "applied", "{status}");
    let proof = format!("/v1/proofs/{new}?wait=final");
    assert_eq!(scene.get(&replica.url(), &proof).await.0, 200, "of what came since");
    assert_eq!(scene.get(&replica.url(), "/readyz").await.0, 200);
}

async fn what_it_does_not_know(scene: &Scene, replica: &Member) {
    let old = scene.transaction(1).body.id();
    for path in [
        "/v1/blocks?from=1".to_owned(),
        "/v1/entries?from=1".into(),
        "/v1/seals?from=0".into(),
        "/v1/feed?after=1.1".into(),
        "/v1/leaves/2/proof".into(),
        format!("/v1/transactions/{old}/full"),
        format!("/v1/proofs/{old}"),
        format!("/v1/parties/{}/history?before=3", scene.party()),
    ] {
        let found = code(scene, replica, &path).await;
        assert_eq!(found, (410, "before_snapshot".into()), "{path}");
    }
    // A history ends there, and says so.
    let (mut path, mut pages) = (format!("/v1/parties/{}/history", scene.party()), 0);
    let end = loop {
        let (status, body) = scene.get(&replica.url(), &path).await;
        let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let Some(next) = page["next"].as_u64() else { break (status, page) };
        pages += 1;
        path = format!("/v1/parties/{}/history?before={next}", scene.party());
    };
    assert_eq!((pages, end.0, end.1["code"].as_str()), (1, 410, Some("before_snapshot")));
    let detail = end.1["detail"].as_str().unwrap();
    assert!(detail.contains("it knows blocks from "), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_taken_while_blocks_go_on() {
    let mut scene = Scene::open().await;
    for n in 1..=2 {
        scene.apply(n).await;
    }
    let applying = async {
        for n in 3..=12 {
            scene.apply(n).await;
        }
    };
    let upstreams = [scene.url()];
    let (replica, ()) = tokio::join!(scene.late("replica", &upstreams), applying);
    let replica = replica.unwrap();
    scene.caught_up(&replica).await;
    replica.stop().await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lies_about_a_snapshot_is_named_and_another_asked() {
    let mut scene = Scene::open().await;
    for n in 1..=3 {
        scene.apply(n).await;
    }
    let liar = between(scene.url(), another_person).await;
    let cut = between(scene.url(), |path, mut body| {
        if path.starts_with("/v1/snapshot/rows") {
            body.truncate(body.len() - 3);
        }
        body
    })
    .await;
    let replica = scene.late("replica", &[liar.clone(), cut.clone(), scene.url()]).await.unwrap();
    scene.caught_up(&replica).await;
    let told = info(&scene, &replica).await["replica"]["refused"].clone();
    for (at, (url, code)) in
        [(&liar, "snapshot_digest"), (&cut, "snapshot_page")].iter().enumerate()
    {
        assert_eq!(told[at][0].as_str(), Some(&***url), "{told}");
        assert!(told[at][1].as_str().unwrap().contains(code), "{told}");
    }
    assert_eq!(replica.metric("musubi_upstream_refused_total"), 2.0);
    let folder = replica.stop().await;
    run::verify(&Config::load(&folder.join("node.toml")).unwrap()).unwrap();
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_has_one_that_adds_up_there_is_no_ledger() {
    let mut scene = Scene::open().await;
    for n in 1..=2 {
        scene.apply(n).await;
    }
    let liar = between(scene.url(), another_person).await;
    let error = scene.late("replica", std::slice::from_ref(&liar)).await.err().unwrap().to_string();
    for part in ["contradicted", "snapshot_digest", &liar] {
        assert!(error.contains(part), "{error}");
    }
    let folder = scene.configured("replica");
    let error = run::verify(&Config::load(&folder.join("node.toml")).unwrap()).unwrap_err();
    assert!(error.to_string().contains("there is no ledger"), "{error}");
    // The liar's rows are in nobody's way; nor is an upstream that dies in the middle.
    let alive = Arc::new(AtomicBool::new(true));
    let dying = Arc::clone(&alive);
    let dies = between(scene.url(), move |path, body| {
        if path.starts_with("/log/tile/entries") && dying.swap(false, Ordering::Relaxed) {
            return vec![0; 200 * 1024];
        }
        body
    })
    .await;
    std::fs::remove_file(folder.join("node.toml")).unwrap();
    let replica = scene.late("replica", &[dies]).await.unwrap();
    assert!(!alive.load(Ordering::Relaxed), "its first answer was of no use");
    scene.caught_up(&replica).await;
    replica.stop().await;
    scene.stop().await;
}
