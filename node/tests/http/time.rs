//! `POST /v1/test/time`: there on a test's chain alone, for operators alone, forward alone.

use musubi_ledger::{genesis::Genesis, time::Time};
use musubi_node::{
    clock::{Clock, machine},
    driven_time::{self, Anchors, DrivenTime},
    http::HttpLimits,
};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    city::{self, debit},
    client::{Client, OPERATOR, TOKEN, problem},
    description::operations,
    schema,
};

const ROUTE: &str = "/v1/test/time";
const YEAR: u64 = 365 * city::DAY;

/// A chain with driven time, whose clock stands where the chain begins.
async fn driven() -> (Client, Genesis, TempDir) {
    let mut genesis = city::genesis();
    genesis.parameters.driven_time = true;
    let data = tempfile::tempdir().unwrap();
    let anchors = Anchors { driven: genesis.time, machine: machine() };
    driven_time::write(data.path(), anchors).unwrap();
    let clock = Clock::from(DrivenTime::open(data.path()).unwrap());
    (Client::of(&genesis, clock, HttpLimits::default()).await, genesis, data)
}

async fn set(client: &Client, body: &str) -> Response {
    let request = client.post(ROUTE).bearer_auth(OPERATOR);
    let request = request.header("content-type", "application/json");
    request.body(body.to_owned()).send().await.unwrap()
}

async fn set_to(client: &Client, to: Time) -> Response {
    set(client, &json!({ "to": to }).to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_chain_has_no_such_route() {
    let client = Client::start().await;
    problem(set_to(&client, Time(1)).await, 404, "not_found").await;
    let text = client.bare("/openapi.json").send().await.unwrap().text().await.unwrap();
    assert!(!text.contains(ROUTE) && !text.contains("set_time"), "nor does it say so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_alone_sets_the_clock_and_forward_alone() {
    let (client, genesis, data) = driven().await;
    let kept = || std::fs::read(data.path().join(driven_time::FILE)).unwrap();
    let before = kept();
    let to = genesis.time.plus(2 * YEAR);
    let text = json!({ "to": to }).to_string();
    let ask = || client.post(ROUTE).header("content-type", "application/json").body(text.clone());
    problem(ask().send().await.unwrap(), 401, "unauthorised").await;
    problem(ask().bearer_auth(TOKEN).send().await.unwrap(), 403, "operator_only").await;
    for wrong in ["", "{}", "[]", "{\"to\": -1}", "{\"to\": \"1\"}", "{\"to\": 1, \"by\": 2}"] {
        problem(set(&client, wrong).await, 400, "bad_parameter").await;
    }
    problem(set_to(&client, Time(u64::MAX)).await, 400, "bad_parameter").await;
    problem(set(&client, &" ".repeat(1_000)).await, 413, "body_too_large").await;
    let plain = client.post(ROUTE).bearer_auth(OPERATOR).body(text.clone()).send().await.unwrap();
    problem(plain, 415, "unsupported_media_type").await;
    let got = client.request(Method::GET, ROUTE).bearer_auth(OPERATOR).send().await.unwrap();
    problem(got, 405, "method_not_allowed").await;
    problem(set_to(&client, Time(genesis.time.0 - 1)).await, 409, "time_past").await;
    assert_eq!(kept(), before, "nothing of all that set it");

    let answer = set_to(&client, to).await;
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer, json!({ "time": to }));
    let description: Value =
        client.bare("/openapi.json").send().await.unwrap().json().await.unwrap();
    let described = json!({ "$ref": "#/components/schemas/NodeTime" });
    schema::check(&description, &described, &answer, ROUTE).unwrap();
    problem(set_to(&client, genesis.time).await, 409, "time_past").await;
    problem(set_to(&client, Time(to.0 - 1)).await, 409, "time_past").await;
    // A node that starts again reads what the file says.
    let again = DrivenTime::open(data.path()).unwrap();
    assert!(again.at(machine()) >= to);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_route_is_described_with_its_refusals() {
    let (client, ..) = driven().await;
    let description: Value =
        client.bare("/openapi.json").send().await.unwrap().json().await.unwrap();
    let operations = operations(&description);
    let (method, _, operation) = operations.iter().find(|(_, path, _)| path == ROUTE).unwrap();
    assert_eq!(method, "post");
    assert!(operation.get("security").is_some());
    for status in ["200", "400", "401", "403", "406", "408", "409", "413", "415", "500", "503"] {
        assert!(operation["responses"].get(status).is_some(), "{status}");
    }
    assert!(include_str!("../../../docs/API.md").contains("`POST /v1/test/time`"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_door_goes_by_the_driven_clock() {
    let (client, genesis, _data) = driven().await;
    let to = genesis.time.plus(2 * YEAR);
    let mut body = client.body("i1", city::pay("alice", "shop", 5));
    (body.chain, body.expires) = (genesis.chain(), to.plus(3_600_000));
    let bytes = city::sign(body, &[debit("i1")]).encode();
    // The machine's clock would take it or not, as the year is: the driven one stands where the chain begins.
    problem(client.submit_bytes("", bytes.clone()).await, 400, "window_too_long").await;
    assert_eq!(set_to(&client, to).await.status(), 200);
    let answer = client.submit_bytes("", bytes).await;
    let text = answer.text().await.unwrap();
    assert!(!text.contains("window_too_long"), "{text}");
}
