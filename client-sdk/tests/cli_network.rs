//! The `musubi` command against nodes that lie, refuse, or have no business with its token.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use common::{
    command::{code, json, ok, problem},
    http::{Act, Request, Server, serve},
    routes::{self, SharedTown, node},
    town::{ALICE, BOB, CAROL, GROUP, a_day, key, sign, yen},
};
use musubi_sdk::{
    Amount, Client, ClientConfig, ClientError, HalfSigned, PartyId, SchemePrefix, Slot,
    Transaction, TxId,
    api::InstrumentView,
    ledger::{
        instrument::Totals,
        state::{ReadState, Row, RowKey, Shared},
    },
};

fn shared() -> SharedTown {
    Arc::new(Mutex::new(a_day()))
}

async fn server(
    town: &SharedTown,
    mischief: impl Fn(&SharedTown, &Request) -> Option<Act> + Send + Sync + 'static,
) -> Server {
    let town = Arc::clone(town);
    serve(move |request| mischief(&town, &request).unwrap_or_else(|| node(&town, &request))).await
}

fn profile(home: &Path, server: &Server, more: &str) {
    let text = format!("nodes = [\"{}\"]\ntoken = \"secret\"\n{more}", server.url);
    std::fs::write(home.join("profile.toml"), text).unwrap();
}

fn file(home: &Path, transaction: &Transaction) -> PathBuf {
    let path = home.join("given.musubi");
    std::fs::write(&path, transaction.encode()).unwrap();
    path
}

/// What the outbox holds.
fn outbox(home: &Path) -> Vec<TxId> {
    let Ok(files) = std::fs::read_dir(home.join("outbox")) else { return Vec::new() };
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        HalfSigned::read(&std::fs::read(file.unwrap().path()).unwrap()).unwrap().id()
    };
    files.map(read).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_profiles_token_goes_to_the_profiles_nodes_only() {
    let town = shared();
    let tokens = Arc::new(Mutex::new(Vec::new()));
    let listen = |tokens: &Arc<Mutex<Vec<bool>>>| {
        let tokens = Arc::clone(tokens);
        move |_: &SharedTown, request: &Request| {
            tokens.lock().unwrap().push(request.head.contains("authorization: bearer"));
            None
        }
    };
    let own = server(&town, listen(&tokens)).await;
    let other = server(&town, listen(&tokens)).await;
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    profile(home, &own, "");
    let status = format!("status {}", TxId([1; 32]));
    let seen = |line: &str| {
        ok(home, line);
        std::mem::take(&mut *tokens.lock().unwrap())
    };
    assert_eq!(seen(&status), [true]);
    assert_eq!(seen(&format!("{status} --node {}/", own.url)), [true]);
    assert_eq!(seen(&format!("{status} --node {}", other.url)), [false]);
    assert_eq!(seen(&format!("{status} --node {},{}", own.url, other.url)), [false]);
    assert_eq!(seen(&format!("{status} --node {} --token t", other.url)), [true]);
    // Nor does the other node inherit it by being saved.
    let save = format!("info --save --node {}", other.url);
    assert_eq!(code(home, &save), "token_for_other_nodes");
    let kept = std::fs::read_to_string(home.join("profile.toml")).unwrap();
    assert!(kept.contains(&own.url) && kept.contains("secret"), "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_keeps_what_was_not_judged() {
    let town = shared();
    let refusing = Arc::new(AtomicUsize::new(1));
    let first = Arc::clone(&refusing);
    let server = server(&town, move |_, request| {
        let refuse = request.method == "POST" && first.swap(0, Ordering::SeqCst) == 1;
        refuse.then(|| routes::problem(422, "insufficient_funds"))
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    profile(home, &server, "");
    let draft = town.lock().unwrap().composer().pay(ALICE, BOB, &[yen(5)]);
    let half = draft.sign(Slot::payer(ALICE), &key(ALICE));
    let id = half.id();
    let submit =
        |half: &HalfSigned| format!("submit {}", file(home, &half.clone().complete()).display());
    let (error, _) = problem(home, &submit(&half));
    assert_eq!(error["code"], "insufficient_funds", "refused at the door: no verdict");
    assert_eq!(outbox(home), [id]);
    let (error, _) = problem(home, &submit(&half));
    assert_eq!((error["code"].as_str(), outbox(home)), (Some("missing_consent"), vec![id]));
    assert!(error["next"].as_str().unwrap().contains("outbox"), "{error}");
    let whole = half.sign(Slot::payee(BOB), &key(BOB)).unwrap();
    ok(home, &submit(&whole));
    assert!(outbox(home).is_empty(), "judged: it is settled for ever");
}

/// A payout of the group's that waits for Bob's approval, and its id.
fn open_payout(town: &SharedTown, amount: u64) -> TxId {
    let mut town = town.lock().unwrap();
    let deadline = town.time.plus(86_400_000);
    let proposal = town.composer().propose_payout(ALICE, GROUP, CAROL, &[yen(amount)], deadline);
    let proposal = sign(proposal.half_signed(), &[(Slot::drafter(GROUP), ALICE)]);
    town.judge(&[&proposal], &["applied"]);
    proposal.body.id()
}

fn consent(town: &SharedTown, by: PartyId, proposal: TxId) -> Transaction {
    town.lock().unwrap().composer().consent(by, proposal).half_signed().complete()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_shows_the_proposal_that_it_signs_whatever_the_node_says() {
    let town = shared();
    let (small, large) = (open_payout(&town, 300), open_payout(&town, 900));
    let posts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&posts);
    let paths = [large, small].map(|id| id.to_string());
    let honest = server(&town, |_, _| None).await;
    // It shows the large payout as the small one, in every answer.
    let lying = server(&town, move |town, request| {
        counted.fetch_add(usize::from(request.method == "POST"), Ordering::SeqCst);
        if !request.path.contains(&paths[0]) {
            return None;
        }
        let path = request.path.replace(&paths[0], &paths[1]);
        let Act::Reply(status, head, body) = node(town, &Request { path, ..request.clone() })
        else {
            return None;
        };
        let body = match request.path.ends_with("/full") {
            true => body,
            false => String::from_utf8(body).unwrap().replace(&paths[1], &paths[0]).into_bytes(),
        };
        Some(Act::Reply(status, head, body))
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    ok(home, "key new bob");
    let given = file(home, &consent(&town, BOB, large));
    let show = format!("accept {} --show", given.display());
    profile(home, &honest, "");
    let words = ok(home, &show);
    assert!(words.contains(&format!("Consent to proposal {large}")), "{words}");
    for real in ["Propose to pay 900 MEBUKU", &format!("To {}", home_name(&words, CAROL))] {
        assert!(words.contains(real), "{real} in {words}");
    }
    profile(home, &lying, "");
    for line in [
        show,
        format!("accept {} --yes", given.display()),
        format!("sign {} --yes --text", given.display()),
        format!("approve {large} --yes"),
        format!("decline {large} --yes"),
    ] {
        let (error, _) = problem(home, &line);
        assert_eq!(error["code"], "content_unknown", "{line}: {error}");
    }
    assert_eq!(code(home, &format!("refund {large} --yes")), "bad_answer");
    assert_eq!(posts.load(Ordering::SeqCst), 0, "nothing was sent");
    // Without any node nothing can be checked, so nothing is signed.
    let chain = town.lock().unwrap().chain.id();
    std::fs::write(home.join("profile.toml"), format!("chain = \"{chain}\"\n")).unwrap();
    assert_eq!(code(home, &format!("sign {} --yes --text", given.display())), "content_unknown");
}

/// A party as the words show it: by its address of the scheme once that is known.
fn home_name(words: &str, party: PartyId) -> String {
    let scheme = SchemePrefix::new("maebashi").unwrap();
    let address = scheme.address(party);
    if words.contains(&address) { address } else { party.to_string() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_under_another_id_is_no_answer() {
    let town = shared();
    let (asked, shown) = (open_payout(&town, 300), open_payout(&town, 900));
    let lying = server(&town, move |town, request| {
        let path = request.path.replace(&asked.to_string(), &shown.to_string());
        Some(node(town, &Request { path, ..request.clone() }))
    })
    .await;
    let config = ClientConfig::new([lying.url.as_str()]);
    let client = Client::new(config).unwrap();
    let error = client.proposal(asked).await.unwrap_err();
    assert!(matches!(error, ClientError::BadAnswer { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn decimal_places_are_remembered_and_others_refused() {
    let town = shared();
    let places = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&places);
    let server = server(&town, move |town, request| {
        if request.path != "/v1/instruments" {
            return None;
        }
        let id = common::town::coin();
        let row = town.lock().unwrap().state.row(&RowKey::Instrument(id));
        let Some(Row::Instrument(mut instrument)) = row else { return None };
        instrument.terms.decimals = u8::try_from(told.load(Ordering::SeqCst)).unwrap();
        let view = InstrumentView {
            id,
            instrument: Shared::into_value(instrument),
            totals: Totals::default(),
            outstanding: Amount(0),
            height: 1,
        };
        Some(common::http::json(200, &[view]))
    })
    .await;
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    profile(home, &server, "");
    ok(home, "key new hanako");
    ok(home, "info --save");
    let pay = format!("pay --to {BOB} --amount 1250 --yes --no-submit");
    assert_eq!(json(home, &pay)["submitted"], false);
    places.store(2, Ordering::SeqCst);
    assert_eq!(code(home, &pay), "decimals_differ");
    assert_eq!(code(home, "info --save"), "decimals_differ");
}
