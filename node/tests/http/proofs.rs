//! Proofs as they are served: whoever has one needs the node no more.

use std::time::Duration;

use musubi_ledger::{
    code::Code,
    leaf::LeafKind,
    operation::RequestPayment,
    proof::{ProvenTransaction, Subject, TransactionProof},
    state::DueKind,
    transaction::Transaction,
};

use crate::{
    city::{self, Operation, credit, debit},
    client::{Client, problem},
};

impl Client {
    async fn proof(&self, path: &str) -> TransactionProof {
        let response = self.get(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let name = response.headers()["content-disposition"].to_str().unwrap().to_owned();
        let proof = TransactionProof::parse(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(name, format!("attachment; filename=\"{}.tlog-proof\"", proof.claimed_id()));
        proof
    }

    async fn proven(&self, path: &str) -> ProvenTransaction {
        self.proof(path).await.verify(&city::policies()).unwrap()
    }
}

fn path(transaction: &Transaction) -> String {
    format!("/v1/proofs/{}", transaction.body.id())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_final_payment_has_a_proof_that_outlives_the_next_checkpoint() {
    let client = Client::start().await;
    let payment = client.payment(700);
    let status = client.committed(&payment).await;
    let early = client.get(&path(&payment)).send().await.unwrap();
    assert_eq!(early.headers()["retry-after"], "1");
    let refusal = problem(early, 409, "not_final").await;
    assert_eq!(refusal.id, Some(payment.body.id()));
    client.town.finalise();
    let first = client.proof(&path(&payment)).await;
    let proven = first.verify(&city::policies()).unwrap();
    assert_eq!((proven.code(), proven.index), (Code::Applied, status.leaf.unwrap()));
    assert_eq!(proven.subject, Subject::Transaction(payment.clone()));
    assert_eq!((proven.outcome.postings.len(), proven.checkpoint.cosigned.len()), (2, 2));
    for amount in 1..20 {
        client.committed(&client.payment(amount)).await;
    }
    client.town.finalise();
    let later = client.proven(&path(&payment)).await;
    assert!(later.checkpoint.checkpoint.size() > proven.checkpoint.checkpoint.size());
    assert_eq!((later.leaf, later.index), (proven.leaf, proven.index));
    assert_eq!(first.verify(&city::policies()).unwrap(), proven);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_may_wait_from_before_the_verdict() {
    let client = Client::start().await;
    let payment = client.payment(700);
    let url = format!("{}?wait=final&timeout_ms=20000", path(&payment));
    let waiting = tokio::spawn(client.get(&url).send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    client.committed(&payment).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished(), "judged, but not final");
    client.town.finalise();
    let answer = waiting.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let proof = TransactionProof::parse(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(proof.verify(&city::policies()).unwrap().leaf.id, payment.body.id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_end_and_parameters_are_checked() {
    let client = Client::start().await;
    let payment = client.payment(700);
    let unknown = format!("{}?wait=final&timeout_ms=50", path(&payment));
    problem(client.get(&unknown).send().await.unwrap(), 404, "not_found").await;
    client.committed(&payment).await;
    problem(client.get(&unknown).send().await.unwrap(), 409, "not_final").await;
    for bad in ["?wait=committed", "?timeout_ms=0", "?timeout_ms=30001", "?waits=final"] {
        let url = format!("{}{bad}", path(&payment));
        problem(client.get(&url).send().await.unwrap(), 400, "bad_parameter").await;
    }
    problem(client.get("/v1/proofs/12").send().await.unwrap(), 400, "bad_parameter").await;
    problem(client.get("/v1/leaves/x/proof").send().await.unwrap(), 400, "bad_parameter").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_ones_are_provable_and_void_ones_are_not() {
    let client = Client::start().await;
    let rejected = client.payment(10_001);
    assert_eq!(client.committed(&rejected).await.code, Some(Code::InsufficientFunds));
    let void = client.signed("alice", city::pay("alice", "shop", 5), &[debit("alice")]);
    assert_eq!(client.committed(&void).await.code, Some(Code::MissingConsent));
    client.town.finalise();
    let proven = client.proven(&path(&rejected)).await;
    assert_eq!(proven.code(), Code::InsufficientFunds);
    assert!(proven.outcome.postings.is_empty());
    problem(client.get(&path(&void)).send().await.unwrap(), 404, "not_found").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_time_did_is_proved_by_its_leaf() {
    let client = Client::start().await;
    let request = Operation::RequestPayment(RequestPayment {
        payee: city::id("shop"),
        payer: None,
        legs: city::legs(&[("MEBUKU", 30)]),
        tender: Vec::new(),
        due: client.town.now().plus(3),
    });
    let request = client.signed("shop", request, &[credit("shop")]);
    client.committed(&request).await;
    let block = loop {
        let block = client.town.execute(Vec::new());
        if !block.entries.is_empty() {
            break block;
        }
    };
    client.town.finalise();
    let leaf = block.entries[0].index;
    let proven = client.proven(&format!("/v1/leaves/{leaf}/proof")).await;
    assert_eq!((proven.leaf.kind, proven.index), (LeafKind::System, leaf));
    let Subject::System(action) = proven.subject else { panic!("nobody signed it") };
    assert_eq!((action.kind, action.cause), (DueKind::Request, request.body.id().0));
    let seal = leaf + 1;
    for nothing in [0, seal, seal + 1] {
        let url = format!("/v1/leaves/{nothing}/proof?wait=final&timeout_ms=50");
        problem(client.get(&url).send().await.unwrap(), 404, "not_found").await;
    }
}
