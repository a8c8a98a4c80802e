//! Replicas against a real validator, in one process: real sockets, real RocksDB, real HTTP; and upstreams
//! that lie.
#![allow(clippy::unwrap_used)]

#[path = "common/mod.rs"]
mod common;
#[path = "replica/finals.rs"]
mod finals;
#[path = "replica/follow.rs"]
mod follow;
#[path = "replica/late.rs"]
mod late;
#[path = "replica/liar.rs"]
mod liar;
#[path = "replica/memos.rs"]
mod memos;
#[path = "replica/scene.rs"]
mod scene;
#[path = "replica/snapshot.rs"]
mod snapshot;

use std::sync::Arc;

use liar::Liar;
use musubi_ledger::{code::Code, policy::PolicyChain};
use musubi_node::{config::Config, core::Fault, follow::page::Page, node, run};
use scene::{Scene, TOKEN, eventually};

/// Paths whose answers depend on nothing but the chain.
fn same_everywhere(scene: &Scene) -> Vec<String> {
    let party = scene.party();
    let id = scene.transaction(1).body.id();
    vec![
        "/v1/genesis".into(),
        "/v1/seals?from=0&count=100".into(),
        "/v1/entries?from=1&count=100".into(),
        "/log/tile/entries/000.p/2".into(),
        "/log/tile/0/000.p/4".into(),
        format!("/v1/parties/{party}"),
        format!("/v1/parties/{party}/history"),
        format!("/v1/transactions/{id}/full"),
        "/v1/instruments".into(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_follow_serve_all_reads_and_feed_further_replicas() {
    let mut scene = Scene::open().await;
    for n in 1..=3 {
        scene.apply(n).await;
    }
    let first = scene.replica("first", &[scene.url()]).await;
    let second = scene.replica("second", &[first.url()]).await;
    scene.caught_up(&second).await;
    for path in same_everywhere(&scene) {
        // An idle block may come in between.
        eventually(&format!("{path} is the same"), async || {
            let expected = scene.get(&scene.url(), &path).await;
            assert_eq!(expected.0, 200, "{path}");
            scene.get(&second.url(), &path).await == expected
        })
        .await;
    }
    let (status, body) = scene.get(&second.url(), "/v1/info").await;
    let info: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, info["replica"]["upstream"].as_str()), (200, Some(&*first.url())));
    assert_eq!(info["replica"]["behind_blocks"], 0);
    assert_eq!(scene.get(&second.url(), "/readyz").await.0, 200);
    // It takes no submissions, and says who does.
    let refused = scene.submit(&second.url(), &scene.transaction(9)).await;
    assert_eq!((refused.0, refused.1["code"].as_str()), (421, Some("read_only")));
    a_feed_goes_on(&scene, &second).await;

    // The first goes away: the second keeps what it has, and goes on when it is back.
    let folder = first.stop().await;
    scene.apply(5).await;
    scene.apply(6).await;
    let first = scene.replica_at(folder).await;
    let second = scene.moved(second, &[first.url()]).await;
    scene.caught_up(&second).await;
    // Everything that is kept follows from everything else that is kept.
    let folders = [first.stop().await, second.stop().await];
    for folder in &folders {
        let loaded = Config::load(&folder.join("node.toml")).unwrap();
        run::verify(&loaded).unwrap();
    }
    scene.a_validator_refuses(&folders[1]).await;
    scene.stop().await;
}

/// Events come as on a validator, and with the same ids.
async fn a_feed_goes_on(scene: &Scene, replica: &scene::Member) {
    let url = format!("{}/v1/feed?after=1.1", replica.url());
    let mut feed = scene.client.get(url).bearer_auth(TOKEN).send().await.unwrap();
    let judged = scene.apply(4).await;
    let wanted = format!("id: 1.{}\n", judged.leaf.unwrap());
    let mut seen = String::new();
    while !seen.contains(&wanted) {
        let chunk = feed.chunk().await.unwrap().expect("a feed does not end");
        seen.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(seen.contains("id: 1.2\n"), "from the beginning on: {seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_stands_still_or_is_gone_is_waited_for() {
    let mut scene = Scene::open().await;
    scene.apply(1).await;
    let proxy = Liar::start(scene.url(), |_| {}).await;
    let replica = scene.replica("replica", &[proxy.url()]).await;
    scene.caught_up(&replica).await;
    let address = proxy.stop().await;
    scene.apply(2).await;
    eventually("failures are counted", async || {
        replica.metric("musubi_upstream_failures_total") > 0.0
    })
    .await;
    let proxy = Liar::start_at(address, scene.url(), |_| {}).await;
    scene.caught_up(&replica).await;
    drop(proxy);
    replica.stop().await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liar_is_named_and_the_next_upstream_followed() {
    let mut scene = Scene::open().await;
    scene.apply(1).await;
    let second = scene.apply(2).await;
    let (height, leaf) = (second.height.unwrap(), second.leaf.unwrap());
    scene.apply(3).await;
    // A verdict changed in the log, and in nothing else.
    let liar = Liar::start(scene.url(), move |page: &mut Page| {
        for block in page.blocks.iter_mut().filter(|block| block.height == height) {
            liar::change_verdict(block, Code::Malformed);
        }
    })
    .await;
    let replica = scene.replica("replica", &[liar.url(), scene.url()]).await;
    scene.caught_up(&replica).await;
    let (_, body) = scene.get(&replica.url(), "/v1/info").await;
    let info: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let (upstream, why) = (&info["replica"]["refused"][0][0], &info["replica"]["refused"][0][1]);
    assert_eq!(upstream.as_str(), Some(&*liar.url()));
    let place = format!("block {height}, leaf {leaf}: ");
    assert!(why.as_str().unwrap().starts_with(&place), "{why}");
    assert_eq!(info["replica"]["upstream"], scene.url());
    assert_eq!(replica.metric("musubi_upstream_refused_total"), 1.0);
    assert_eq!(scene.get(&replica.url(), "/readyz").await.0, 200, "it does what it is for");
    // The bytes lie there, as they came.
    let folder = replica.stop().await;
    let kept: Vec<_> = std::fs::read_dir(folder.join("data-refused")).unwrap().collect();
    assert_eq!(kept.len(), 2, "the block, and in words what is wrong with it");
    let words = kept.iter().map(|file| file.as_ref().unwrap().path());
    let mut words = words.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let words = std::fs::read_to_string(words.next_back().unwrap()).unwrap();
    let named = format!("\"leaf\": {leaf}");
    assert!(words.contains(&named) && words.contains("bad_leaf"), "{words}");
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_tells_the_truth_it_halts_and_keeps_what_it_has() {
    let mut scene = Scene::open().await;
    for n in 1..=2 {
        scene.apply(n).await;
    }
    let height = scene.apply(3).await.height.unwrap();
    let forge = move |page: &mut Page| {
        for block in page.blocks.iter_mut().filter(|block| block.height == height) {
            liar::change_transaction(block);
        }
    };
    let liars = [Liar::start(scene.url(), forge).await, Liar::start(scene.url(), forge).await];
    let mut replica = scene.replica("replica", &liars.each_ref().map(Liar::url)).await;
    let fault = replica.running.ended().await.unwrap_err();
    assert!(matches!(fault, Fault::Contradicted(_)), "{fault}");
    for liar in &liars {
        assert!(
            fault.to_string().contains(&format!("{}: block {height}: ", liar.url())),
            "{fault}"
        );
    }
    // As long as the process stands, it says so; the block is nowhere.
    let (status, body) = scene.get(&replica.url(), "/readyz").await;
    assert_eq!(status, 503);
    assert!(String::from_utf8_lossy(&body).contains("\"halted\""));
    assert_eq!(replica.metric("musubi_halted"), 1.0);
    let store = Arc::clone(&replica.running.node().store);
    assert_eq!(store.head().0.height, height - 1);
    assert!(store.block(height).unwrap().is_none());
    drop(store);
    // With an honest upstream it goes on from there.
    let replica = scene.moved(replica, &[scene.url()]).await;
    scene.caught_up(&replica).await;
    replica.stop().await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_withholds_a_block_is_passed_over() {
    let mut scene = Scene::open().await;
    scene.apply(1).await;
    let height = scene.apply(2).await.height.unwrap();
    let withhold = move |page: &mut Page| page.blocks.retain(|block| block.height < height);
    let liar = Liar::start(scene.url(), withhold).await;
    let replica = scene.replica("replica", &[liar.url(), scene.url()]).await;
    scene.caught_up(&replica).await;
    let failures = replica.metric("musubi_upstream_failures_total");
    assert!(failures >= 1.0, "it said that it had the block: {failures}");
    assert_eq!(replica.metric("musubi_upstream_refused_total"), 0.0, "and told no lie");
    replica.stop().await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_upstreams_token_nothing_is_pulled() {
    let mut scene = Scene::open().await;
    scene.apply(1).await;
    let folder = scene.configure("replica", &[scene.url()], "another-token-than-theirs");
    let replica = scene.replica_at(folder).await;
    eventually("the refusal is counted", async || {
        replica.metric("musubi_upstream_failures_total") > 0.0
    })
    .await;
    let (status, body) = scene.get(&replica.url(), "/readyz").await;
    assert_eq!(status, 503);
    assert!(String::from_utf8_lossy(&body).contains("no_upstream"));
    assert_eq!(replica.running.node().store.head().0.height, 0);
    replica.stop().await;
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_needs_a_directory_of_its_own() {
    let mut scene = Scene::open().await;
    scene.apply(1).await;
    let folder = scene.configure("replica", &[scene.url()], TOKEN);
    let data = scene.stop().await;
    std::fs::rename(data.join("data"), folder.join("data")).unwrap();
    let loaded = Config::load(&folder.join("node.toml")).unwrap();
    let error = node::start(loaded).await.err().expect("it is a validator's").to_string();
    assert!(error.contains("cannot be a replica's"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_served_to_readers_in_bounds_and_as_soon_as_they_are_there() {
    let mut scene = Scene::open().await;
    let height = scene.apply(1).await.height.unwrap();
    let url = scene.url();
    for (query, status) in [
        ("from=0", 400),
        ("from=1&count=0", 400),
        ("from=1&count=65", 400),
        ("from=1&wait_ms=30001", 400),
        ("from=1&count=64", 200),
        ("from=1000000", 200),
    ] {
        let (found, body) = scene.get(&url, &format!("/v1/blocks?{query}")).await;
        assert_eq!(found, status, "{query}: {}", String::from_utf8_lossy(&body));
    }
    let bare = scene.client.get(format!("{url}/v1/blocks?from=1")).send().await.unwrap();
    assert_eq!(bare.status().as_u16(), 401, "transactions are about parties");
    let (_, body) = scene.get(&url, &format!("/v1/blocks?from={height}&count=64")).await;
    let page = Page::decode(body.into(), height, 64).unwrap();
    assert_eq!(page.blocks[0].height, height);
    assert_eq!(page.height, height + page.blocks.len() as u64 - 1);
    // Asked for before it is there, it is answered when it is.
    let path = format!("/v1/blocks?from={}&wait_ms=30000", page.height + 1);
    let (answer, _) = tokio::join!(scene.get(&url, &path), scene.apply(2));
    let next = Page::decode(answer.1.into(), page.height + 1, 1).unwrap();
    assert_eq!(next.blocks.len(), 1);
    // Or says in time that there is none.
    let path = format!("/v1/blocks?from={}&wait_ms=1", next.height + 1_000);
    let (_, body) = scene.get(&url, &path).await;
    assert!(Page::decode(body.into(), 1, 1).unwrap().blocks.is_empty());
    scene.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn final_checkpoints_are_served_and_one_that_contradicts_halts_it() {
    let mut scene = Scene::open().await;
    scene.apply(1).await;
    let leaf = scene.apply(2).await.leaf.unwrap();
    let replica = scene.replica("replica", &[scene.url()]).await;
    scene.caught_up(&replica).await;
    eventually("it keeps a final checkpoint of that leaf", async || {
        let (_, body) = scene.get(&replica.url(), "/v1/info").await;
        let info: serde_json::Value = serde_json::from_slice(&body).unwrap();
        info["final_size"].as_u64().unwrap() > leaf
    })
    .await;
    let (status, note) = scene.get(&replica.url(), "/log/checkpoint").await;
    assert_eq!(status, 200);
    let policies = PolicyChain::of_genesis(scene.genesis());
    assert!(policies.check(&note).unwrap().checkpoint.size() > leaf);
    replica.stop().await;

    // What nobody signed is named, and hinders nobody.
    let forged = String::from_utf8(note).unwrap().replace("/1\n", "/2\n");
    let liar = Liar::start(scene.url(), |_| {}).await;
    liar.say(forged);
    let replica = scene.replica("second", &[liar.url()]).await;
    scene.caught_up(&replica).await;
    eventually("the forger is named", async || {
        replica.metric("musubi_upstream_refused_total") == 1.0
    })
    .await;
    assert_eq!(scene.get(&replica.url(), "/log/checkpoint").await.0, 404);
    assert_eq!(replica.metric("musubi_halted"), 0.0);

    // The quorum signs another history: no replica goes on behind that.
    let mut replica = replica;
    liar.say(scene.signed_by_the_quorum(leaf + 2, [9; 32]));
    scene.apply(3).await;
    let fault = replica.running.ended().await.unwrap_err();
    assert!(matches!(fault, Fault::Contradicted(_)), "{fault}");
    let named = format!("leaf {}: a final checkpoint of size {}", leaf + 1, leaf + 2);
    assert!(fault.to_string().contains(&named), "{fault}");
    let folder = replica.stop().await;
    let kept = std::fs::read_dir(folder.join("data-refused")).unwrap();
    assert_eq!(kept.count(), 4, "both notes, and in words what is wrong with them");
    scene.stop().await;
}
