//! What is read: by whom, and whether it is true.

use musubi_ledger::{
    api::{
        EvidenceView, FullTransaction, InstrumentView, Page, PartyView, ProposalView, WalletView,
    },
    batch::Batch,
    code::Code,
    evidence::Suspects,
    genesis::Genesis,
    leaf::{Leaf, LeafKind, SealBody},
    mandate::Direction,
    proof::wallet::WalletProof,
    snapshot::Manifest,
    tlog::{
        Algorithm, Bundle, Checkpoint, Frontier, Tile, VerifierKey, bundle,
        merkle::{leaf_hash, node_hash},
    },
};
use musubi_node::http::NotReady;
use serde_json::Value;

use crate::{
    city::{self, credit, debit, own},
    client::{Client, TOKEN, problem},
    description::{PUBLIC, filled, operations},
    town::evidence,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_about_parties_needs_the_token_and_nothing_else_does() {
    // Final, as nothing is signed here by itself: proofs, statements and snapshots would wait for it, up to ten seconds each.
    let client = Client::start_final().await;
    let description: Value =
        client.bare("/openapi.json").send().await.unwrap().json().await.unwrap();
    for (method, path, _) in operations(&description) {
        if method == "post" {
            continue;
        }
        let url = filled(&path);
        if PUBLIC.contains(&path.as_str()) {
            assert_ne!(client.bare(&url).send().await.unwrap().status(), 401, "{path}");
            continue;
        }
        for token in [None, Some(""), Some("a reader's toke"), Some("a reader's token2"), Some("x")]
        {
            let request = client.bare(&url);
            let request = match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            };
            let response = request.send().await.unwrap();
            assert!(response.headers().contains_key("www-authenticate"));
            problem(response, 401, "unauthorised").await;
        }
        let basic = client.bare(&url).basic_auth("app", Some(TOKEN)).send().await.unwrap();
        problem(basic, 401, "unauthorised").await;
        for token in [TOKEN, "another"] {
            let response = client.bare(&url).bearer_auth(token).send().await.unwrap();
            assert_ne!(response.status(), 401, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_final_is_answered_at_once_with_its_proof() {
    let client = Client::start_final().await;
    let manifest = Manifest::decode(&bytes(&client, "/v1/snapshot").await).unwrap();
    let head = manifest.verify(&city::policies()).unwrap().head;
    let path = format!("/v1/wallets/{}/proof", city::id("alice"));
    let proof = WalletProof::decode(&bytes(&client, &path).await).unwrap();
    assert_eq!(proof.verify(&city::policies()).unwrap().seal.height, head.height);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wallets_parties_and_histories_add_up() {
    let client = Client::start().await;
    let mut paid = Vec::new();
    for amount in [100, 20, 3] {
        let payment = client.payment(amount);
        client.committed(&payment).await;
        paid.push(payment);
    }
    let alice: WalletView = client.read(&format!("/v1/wallets/{}", city::id("alice"))).await;
    let shop: WalletView = client.read(&format!("/v1/wallets/{}", city::id("shop"))).await;
    assert_eq!(alice.balances[0].spendable.0, 9_877);
    assert_eq!((shop.balances[0].spendable.0, shop.balances[0].claim.0), (0, 123));
    assert_eq!(alice.height, client.town.execute(Vec::new()).head.height - 1);
    let by_address = city::genesis().prefix().unwrap().address(city::id("alice")).to_uppercase();
    let again: WalletView = client.read(&format!("/v1/wallets/{by_address}")).await;
    assert_eq!(again.balances, alice.balances);

    let party: PartyView = client.read(&format!("/v1/parties/{}", city::id("alice"))).await;
    assert_eq!(party.keys[0].key, city::key("alice").public());
    let club: PartyView = client.read(&format!("/v1/parties/{}", city::id("club"))).await;
    assert_eq!(club.group.unwrap().representative, city::id("bob"));
    let money: InstrumentView = client.read("/v1/instruments/MEBUKU").await;
    assert_eq!((money.outstanding.0, money.totals.came().0), (10_000, 10_000));

    let full: FullTransaction =
        client.read(&format!("/v1/transactions/{}/full", paid[0].body.id())).await;
    assert_eq!((full.transaction, full.status.code), (paid[0].clone(), Some(Code::Applied)));
    full.outcome.assert_balanced();

    let mut history = Vec::new();
    let mut next = Some(u64::MAX);
    while let Some(before) = next {
        let path = format!("/v1/parties/{}/history?limit=2&before={before}", city::id("alice"));
        let page: Page = client.read(&path).await;
        next = page.next;
        history.extend(page.entries);
    }
    assert!(history.windows(2).all(|pair| pair[0].leaf > pair[1].leaf));
    let ids: Vec<_> = history.iter().take(3).map(|entry| entry.id).collect();
    assert_eq!(ids, paid.iter().rev().map(|payment| payment.body.id()).collect::<Vec<_>>());
    assert_eq!(history.len(), 5, "registered, topped up, three payments");
    let nobody = city::id("nobody");
    for path in [format!("/v1/wallets/{nobody}"), format!("/v1/parties/{nobody}")] {
        problem(client.get(&path).send().await.unwrap(), 404, "not_found").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grants_and_proposals_can_be_looked_up() {
    let client = Client::start().await;
    let mandate = city::mandate("bob", city::terms(Direction::Credit, 5));
    let mandate = client.signed("bob", mandate, &[credit("bob")]);
    assert_eq!(client.committed(&mandate).await.code, Some(Code::Applied));
    let view: Value = client.read(&format!("/v1/mandates/{}", mandate.body.id())).await;
    assert_eq!(view["id"], mandate.body.id().to_string());
    assert_eq!(view["mandate"]["grantor"], city::id("bob").to_string());
    assert!(view["height"].as_u64().unwrap() > 0);
    problem(
        client.get(&format!("/v1/requests/{}", mandate.body.id())).send().await.unwrap(),
        404,
        "not_found",
    )
    .await;

    let deadline = client.town.now().plus(city::DAY);
    let proposal = city::propose("alice", "bob", 50, deadline);
    let proposal = client.signed("alice", proposal, &[debit("alice")]);
    assert_eq!(client.committed(&proposal).await.code, Some(Code::Applied));
    let view: ProposalView = client.read(&format!("/v1/proposals/{}", proposal.body.id())).await;
    assert_eq!(view.missing.len(), 1);
    assert_eq!(view.missing[0].party, city::id("bob"));
    for party in ["alice", "bob"] {
        let path = format!("/v1/parties/{}/proposals", city::id(party));
        let open: Vec<ProposalView> = client.read(&path).await;
        assert_eq!(open, std::slice::from_ref(&view));
    }
    let consent = city::decide(proposal.body.id(), musubi_ledger::operation::Decision::Consent);
    let consent = client.signed("bob", consent, &[credit("bob")]);
    assert_eq!(client.committed(&consent).await.code, Some(Code::Applied));
    let open: Vec<ProposalView> =
        client.read(&format!("/v1/parties/{}/proposals", city::id("bob"))).await;
    assert!(open.is_empty());
    let none = client.signed(
        "alice",
        city::mandate("bob", city::terms(Direction::Credit, 5)),
        &[own("alice")],
    );
    assert_ne!(client.committed(&none).await.code, Some(Code::Applied));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_consent_sees_what_waits() {
    let client = Client::start().await;
    let waits = async |who: &str| -> Vec<city::TxId> {
        let path = format!("/v1/parties/{}/proposals", city::id(who));
        let open: Vec<ProposalView> = client.read(&path).await;
        open.into_iter().map(|view| view.id).collect()
    };
    // The club, where alice drafts and bob approves, has money and pays the shop.
    let by = [debit("alice"), city::receives("club", "alice")];
    let gift = client.signed("alice", city::pay("alice", "club", 500), &by);
    client.town.apply(&[gift]);
    let operation = city::propose("club", "shop", 50, client.town.now().plus(city::DAY));
    let by = [city::drafts("club", "alice"), credit("shop")];
    let payout = client.signed("alice", operation, &by);
    let id = payout.body.id();
    client.town.apply(&[payout]);
    for who in ["alice", "bob", "club", "shop"] {
        assert_eq!(waits(who).await, [id], "{who} proposed, may approve, gives or receives");
    }
    assert!(waits("registrar").await.is_empty());
    // Roles change: whoever may approve now sees it, whoever may not any more does not.
    let carol = city::Operation::RegisterParty(city::register("carol", city::PartyKind::Person));
    let by = [city::officer("registrar", "r1"), city::proves("carol", "carol")];
    client.town.apply(&[client.signed("r1", carol, &by)]);
    let roles = [("alice", true, false), ("bob", true, false), ("carol", false, true)];
    let change = city::Operation::ChangeGroup(city::ChangeGroup {
        group: city::id("club"),
        roles: Some(city::roles(&roles)),
        policy: None,
        representative: None,
    });
    let by = [city::represents("club", "bob"), city::member("club", "alice")];
    client.town.apply(&[client.signed("bob", change, &by)]);
    assert_eq!((waits("carol").await, waits("bob").await), (vec![id], vec![]));
    // A consent ends it for everybody.
    let consent = city::decide(id, city::Decision::Consent);
    let consent = client.signed("carol", consent, &[city::approves("club", "carol")]);
    client.town.apply(&[consent]);
    for who in ["alice", "bob", "carol", "club", "shop"] {
        assert!(waits(who).await.is_empty(), "{who}");
    }
}

async fn bytes(client: &Client, path: &str) -> Vec<u8> {
    let response = client.get(path).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    assert_eq!(response.headers()["content-type"], "application/octet-stream");
    response.bytes().await.unwrap().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tiles_and_bundles_rebuild_the_signed_root() {
    let client = Client::start().await;
    for amount in 1..=300 {
        client.town.apply(&[client.payment(amount % 9 + 1)]);
    }
    let note = client.bare("/log/checkpoint").send().await.unwrap().text().await.unwrap();
    let origin = city::genesis().origin();
    let key = city::key("city/node").public();
    let trusted = [VerifierKey::new(&origin, Algorithm::Ed25519, &key.0).unwrap()];
    let opened = Checkpoint::open(note.as_bytes(), &origin, &trusted).unwrap();
    let size = opened.checkpoint.size();
    assert!(size > 512 && *opened.checkpoint.root() == client.town.root());

    let mut log = Frontier::new();
    let mut seals = 0;
    for index in 0.. {
        let Some(place) = Bundle::in_log(index, size) else { break };
        let content = bytes(&client, &format!("/log/{place}")).await;
        let leaves = bundle::decode(&place, &content).unwrap();
        let tile = Tile::in_tree(0, index, size).unwrap();
        let hashes = tile.decode(&bytes(&client, &format!("/log/{tile}")).await).unwrap();
        assert_eq!(hashes, leaves.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>());
        for leaf in &leaves {
            log.append_entry(leaf, &mut Vec::new());
            seals += u64::from(Leaf::decode(leaf).unwrap().kind == LeafKind::Seal);
        }
        if tile.width == 256 {
            let above = Tile { level: 1, index: 0, width: index as u16 + 1 };
            let level_1 = above.decode(&bytes(&client, &format!("/log/{above}")).await).unwrap();
            assert_eq!(level_1[index as usize], fold(hashes));
        }
    }
    assert_eq!(log.root(), client.town.root());
    let beyond = Tile { level: 0, index: size / 256, width: 255 };
    problem(client.bare(&format!("/log/{beyond}")).send().await.unwrap(), 404, "not_found").await;

    // Seal bodies are the preimages of the seals' ids.
    let content = bytes(&client, "/v1/seals?from=0&count=4096").await;
    let all = bundle_like(&content);
    assert_eq!(all.len() as u64, seals);
    let heights = all.iter().map(|body| SealBody::decode(body).unwrap().height);
    assert!(heights.eq(0..seals));
}

/// The root of a full tile.
fn fold(mut hashes: Vec<[u8; 32]>) -> [u8; 32] {
    while hashes.len() > 1 {
        hashes = hashes.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    hashes[0]
}

/// Splits content framed by big-endian u16 lengths.
fn bundle_like(mut content: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while let Some((length, rest)) = content.split_first_chunk::<2>() {
        let (body, rest) = rest.split_at(u16::from_be_bytes(*length).into());
        found.push(body.to_vec());
        content = rest;
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_is_listed_and_served_to_anyone_and_verifies() {
    let client = Client::start().await;
    let listed = client.bare("/v1/evidence").send().await.unwrap();
    let listed: Vec<EvidenceView> = listed.json().await.unwrap();
    let (view, file) = evidence();
    assert_eq!(listed, std::slice::from_ref(&view));
    let served = client.bare(&format!("/v1/evidence/{}", view.name)).send().await.unwrap();
    assert_eq!(served.headers()["content-type"], "application/octet-stream");
    let served = served.bytes().await.unwrap();
    assert_eq!(served, file);
    let known = Suspects::of_genesis(&city::genesis());
    assert_eq!(
        musubi_ledger::evidence::verify(&served, &known).unwrap().to_string(),
        view.sentence
    );
    for name in ["double_batch-00.evidence", "..%2f..%2fnode.key"] {
        let missing = client.bare(&format!("/v1/evidence/{name}")).send().await.unwrap();
        problem(missing, 404, "not_found").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn genesis_entries_and_seals_belong_together() {
    let client = Client::start().await;
    let genesis = Genesis::decode(&bytes(&client, "/v1/genesis").await).unwrap();
    assert_eq!(genesis, city::genesis());
    for amount in 1..=5 {
        client.committed(&client.payment(amount)).await;
    }
    let mut content: &[u8] = &bytes(&client, "/v1/entries?from=1&count=1000").await;
    let seals = bytes(&client, "/v1/seals?from=1&count=1000").await;
    let mut seals = bundle_like(&seals).into_iter();
    while let Some((length, rest)) = content.split_first_chunk::<4>() {
        let (entry, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        let seal = SealBody::decode(&seals.next().unwrap()).unwrap();
        assert_eq!(seal.entry, Batch::entry_hash(entry));
        let batch = Batch::decode(entry).unwrap();
        assert_eq!(batch.items.len(), seal.items as usize);
        content = rest;
    }
    assert!(seals.next().is_none());
    assert!(bytes(&client, "/v1/entries?from=1000&count=5").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_is_told_with_reasons_and_numbers() {
    let client = Client::start().await;
    assert_eq!(client.bare("/healthz").send().await.unwrap().status(), 200);
    assert_eq!(client.bare("/readyz").send().await.unwrap().status(), 200);
    let reason = NotReady { code: "no_leader", detail: "no leader for 3 s".into() };
    client.town.ails.lock().unwrap().push(reason);
    let response = client.bare("/readyz").send().await.unwrap();
    assert_eq!(response.status(), 503);
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["code"], "not_ready");
    assert_eq!(problem["reasons"][0]["code"], "no_leader");
    let text = client.bare("/metrics").send().await.unwrap().text().await.unwrap();
    for line in [
        "musubi_http_requests_total{method=\"GET\",route=\"/readyz\",status=\"503\"} 1",
        "musubi_refused_total{code=\"not_ready\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "missing {line}");
    }
    // The client may have opened another one while this one was busy.
    let open = text.lines().find_map(|line| line.strip_prefix("musubi_http_connections "));
    assert!(open.is_some_and(|count| count != "0"), "connections are counted: {open:?}");
    assert!(!text.contains(&city::id("alice").to_string()), "metrics name nobody");
}
