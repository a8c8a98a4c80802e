//! An independent witness in the policy: nothing is final without it from the change on, and the change itself is
//! confirmed by the quorum before it and the one after it.

use std::{sync::Mutex, time::Duration};

use axum::{Router, extract::State, response::IntoResponse, routing::post};
use musubi_ledger::{
    keys::SecretKey,
    operation::Operation,
    policy::{self, WitnessPolicy},
    tlog::{
        Algorithm, VerifierKey,
        witness::{AddCheckpoint, KnownLog, Witness},
    },
    transaction::{Body, Role, Side},
};
use musubi_node::config::WitnessSection;

use super::*;

const NAME: &str = "witness.example/w1";

fn secret() -> SecretKey {
    SecretKey::from_seed(&[77; 32])
}

fn key() -> VerifierKey {
    VerifierKey::new(NAME, Algorithm::CosignatureV1, &secret().public().0).unwrap()
}

/// What the witness keeps, and whether it answers.
struct Desk {
    witness: Mutex<Witness>,
    answers: std::sync::atomic::AtomicBool,
}

async fn add_checkpoint(State(desk): State<Arc<Desk>>, body: String) -> impl IntoResponse {
    if !desk.answers.load(std::sync::atomic::Ordering::SeqCst) {
        return (axum::http::StatusCode::SERVICE_UNAVAILABLE, "away".to_owned()).into_response();
    }
    let request = AddCheckpoint::parse(body.as_bytes()).unwrap();
    let mut witness = desk.witness.lock().unwrap();
    let sign = |message: &[u8]| secret().sign(message).0;
    let answer = match witness.add_checkpoint(&request, 1_800_000_000, sign) {
        Ok(pending) => pending.persisted(),
        Err(refusal) => refusal.answer(),
    };
    let status = axum::http::StatusCode::from_u16(answer.status).unwrap();
    let kind = [(axum::http::header::CONTENT_TYPE, answer.content_type)];
    (status, kind, answer.body).into_response()
}

/// A witness that knows the ledger's validators, over HTTP.
async fn witness(genesis: &Genesis) -> (Arc<Desk>, String) {
    let origin = genesis.origin();
    let log = |node: &musubi_ledger::genesis::Node| {
        VerifierKey::new(&origin, Algorithm::Ed25519, &node.node.0).unwrap()
    };
    let known = KnownLog::new(&origin, genesis.nodes.iter().map(log).collect()).unwrap();
    let witness = Mutex::new(Witness::new(key(), vec![known]).unwrap());
    let desk = Arc::new(Desk { witness, answers: true.into() });
    let routes = Router::new().route("/add-checkpoint", post(add_checkpoint));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = routes.with_state(Arc::clone(&desk));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (desk, url)
}

/// The organisation sets policy 2: itself and the witness, both.
fn change(genesis: &Genesis) -> Transaction {
    let mut policy = WitnessPolicy { number: 2, quorum: 2, ..WitnessPolicy::of_genesis(genesis) };
    let (name, key) = (NAME.to_owned(), secret().public());
    policy.witnesses.push(policy::Witness { name, key, member: policy::Member::Independent });
    let city = genesis.organisations[0].party;
    let template = transaction(genesis, 1).body;
    let reference = "policy-2".parse().unwrap();
    let operation = Operation::ChangeWitnessPolicy(policy);
    let body = Body { sender: city, reference, operation, ..template };
    let signature = body.sign(Side::Authority, Role::Governance, city, &common::governance(0));
    Transaction::new(body, vec![signature])
}

async fn submit_final(
    client: &reqwest::Client,
    at: SocketAddr,
    tx: &Transaction,
    ms: u64,
) -> Status {
    let url = format!("http://{at}/v1/transactions?wait=final&timeout_ms={ms}");
    let sent = client.post(url).header("content-type", "application/octet-stream");
    sent.body(tx.encode()).send().await.unwrap().json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_with_an_independent_witness_is_confirmed_and_needed() {
    let root = tempfile::tempdir().unwrap();
    let (genesis, folders) = set_up(root.path());
    let (desk, url) = witness(&genesis).await;
    let mut members = Vec::new();
    for folder in &folders {
        members.push(Some(
            start_with(folder, |config| {
                config.witness = vec![WitnessSection { name: NAME.into(), url: url.clone() }];
            })
            .await,
        ));
    }
    let client = reqwest::Client::new();
    let at = address(&members[0]);
    let status = submit_final(&client, at, &transaction(&genesis, 2), 20_000).await;
    assert_eq!(status.durability, Some(Durability::Final), "the first policy needs no witness");
    assert!(desk.witness.lock().unwrap().latest(&genesis.origin()).is_none(), "nor asks for one");

    let status = submit_final(&client, at, &change(&genesis), 20_000).await;
    assert_eq!((status.code, status.durability), (Some(Code::Applied), Some(Durability::Final)));
    let bundle = client.get(format!("http://{at}/v1/policies")).send().await.unwrap();
    let bundle = PolicyBundle::decode(&bundle.bytes().await.unwrap()).unwrap();
    let policies = bundle.verify(&genesis.chain()).unwrap();
    assert_eq!(policies.newest().policy().number, 2);
    let note = client.get(format!("http://{at}/log/checkpoint")).send().await.unwrap();
    let last = policies.check(&note.bytes().await.unwrap()).unwrap();
    assert!(last.cosigned.iter().any(|cosigned| cosigned.name == NAME));

    // Without the witness verdicts are committed and nothing becomes final; with it again, all does.
    desk.answers.store(false, std::sync::atomic::Ordering::SeqCst);
    // A checkpoint named before may still be on its way.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let third = transaction(&genesis, 3);
    let waits = submit_final(&client, at, &third, 1_500).await;
    assert_eq!(waits.durability, Some(Durability::Committed));
    desk.answers.store(true, std::sync::atomic::Ordering::SeqCst);
    let status = submit_final(&client, at, &transaction(&genesis, 4), 30_000).await;
    assert_eq!(status.durability, Some(Durability::Final));
    let again = submit_final(&client, at, &third, 1_000).await;
    assert_eq!(again.durability, Some(Durability::Final));
    for member in members.into_iter().flatten() {
        stop(member).await;
    }
}
