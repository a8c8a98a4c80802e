//! What a parent body may look at, and for how long.

use musubi_ledger::{
    api::{ChildrenView, Page, PlaceView, WalletView},
    code::Code,
    group::{GroupLife, GroupPolicy},
    operation::{CreateGroup, Operation, SetParent},
};
use reqwest::StatusCode;

use crate::{
    city,
    client::{BODY, Client, problem},
};

fn under(group: &str, parent: Option<&str>) -> Operation {
    Operation::SetParent(SetParent { group: city::id(group), parent: parent.map(city::id) })
}

/// The club joins the city, and the choir the club.
async fn join(client: &Client) {
    let choir = CreateGroup {
        group: city::id("choir"),
        registrar: city::id("registrar"),
        representative: city::id("alice"),
        roles: city::roles(&[("alice", true, true), ("bob", true, true)]),
        policy: GroupPolicy { exclusive_roles: false, bands: Vec::new(), proposal_hours: 72 },
    };
    let all = [
        city::officer("registrar", "r1"),
        city::represents("choir", "alice"),
        city::member("choir", "bob"),
    ];
    let choir = client.signed("alice", Operation::CreateGroup(choir), &all);
    let club = [city::represents("club", "bob"), city::member("club", "alice")];
    let to_city = [&club[..], &[city::officer("city", "c1")]].concat();
    let of_choir = [city::represents("choir", "alice"), city::member("choir", "bob")];
    let to_club = [&of_choir[..], &[city::member("club", "alice")]].concat();
    let joined = [
        choir,
        client.signed("alice", under("club", Some("city")), &to_city),
        client.signed("alice", under("choir", Some("club")), &to_club),
    ];
    for transaction in &joined {
        assert_eq!(client.committed(transaction).await.code, Some(Code::Applied));
    }
}

async fn looks<T: serde::de::DeserializeOwned>(client: &Client, path: &str) -> T {
    let response = client.bare(path).bearer_auth(BODY).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.json().await.unwrap()
}

async fn is_refused(client: &Client, path: &str) {
    let response = client.bare(path).bearer_auth(BODY).send().await.unwrap();
    problem(response, 403, "not_below").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_looks_at_its_groups_as_long_as_they_belong_to_it() {
    let client = Client::start().await;
    let wallet = |name: &str| format!("/v1/wallets/{}", city::id(name));
    let history = |name: &str| format!("/v1/parties/{}/history", city::id(name));
    for name in ["club", "alice", "nobody"] {
        is_refused(&client, &wallet(name)).await;
    }
    join(&client).await;
    let gift = client.signed(
        "alice",
        city::pay("alice", "club", 700),
        &[city::debit("alice"), city::receives("club", "alice")],
    );
    client.committed(&gift).await;
    let club: WalletView = looks(&client, &wallet("club")).await;
    assert_eq!(club.balances[0].spendable.0, 700);
    let page: Page = looks(&client, &history("club")).await;
    assert_eq!(page.entries[0].id, gift.body.id());
    // A layer further down too, and the body itself; but nobody else, whoever was paid by a group.
    let _: Page = looks(&client, &history("choir")).await;
    let _: Page = looks(&client, &history("city")).await;
    for name in ["alice", "shop", "issuer"] {
        is_refused(&client, &wallet(name)).await;
        is_refused(&client, &history(name)).await;
    }
    // Either side ends it.
    let leaves = client.signed("c1", under("club", None), &[city::officer("city", "c1")]);
    assert_eq!(client.committed(&leaves).await.code, Some(Code::Applied));
    for name in ["club", "choir"] {
        is_refused(&client, &wallet(name)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bodys_token_opens_nothing_that_is_not_about_one_of_them() {
    let client = Client::start().await;
    join(&client).await;
    let club = city::id("club").to_string();
    let escaped = format!("/v1/wallets/%70{}", &club[1..]);
    let beside = format!("/v1/wallets/{club}/../{}", city::id("alice"));
    let id = "0".repeat(64);
    for path in [
        "/v1/offers".into(),
        "/v1/entries?from=1".into(),
        format!("/v1/feed?party={club}"),
        format!("/v1/transactions/{id}"),
        format!("/v1/transactions/{id}/full"),
        format!("/v1/memos/{id}"),
        format!("/v1/proofs/{id}"),
        escaped,
    ] {
        is_refused(&client, &path).await;
    }
    let beside = client.bare(&beside).bearer_auth(BODY).send().await.unwrap();
    assert_ne!(beside.status(), 200, "the path is taken as it stands");
    let erase = client.request(reqwest::Method::DELETE, &format!("/v1/memos/{id}"));
    problem(erase.bearer_auth(BODY).send().await.unwrap(), 403, "operator_only").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bodys_groups_are_listed_and_their_place_is_told() {
    let client = Client::start().await;
    let children = |name: &str| format!("/v1/parties/{}/children", city::id(name));
    let none: ChildrenView = client.read(&children("city")).await;
    assert!(none.children.is_empty() && none.next.is_none());
    join(&client).await;
    for (body, group) in [("city", "club"), ("club", "choir")] {
        let view: ChildrenView = client.read(&children(body)).await;
        let [child] = view.children.as_slice() else { panic!("{view:?}") };
        assert_eq!((child.group, child.life), (city::id(group), GroupLife::Active));
    }
    let after = format!("{}?after={}", children("city"), city::id("club"));
    let rest: ChildrenView = client.read(&after).await;
    assert!(rest.children.is_empty());
    for (body, group, layers) in [("city", "club", 1), ("city", "choir", 2), ("club", "choir", 1)] {
        let place = format!("{}/{}", children(body), city::id(group));
        let view: PlaceView = client.read(&place).await;
        assert_eq!(view.layers, layers, "{group} under {body}");
    }
    for (body, group) in [("choir", "club"), ("city", "alice"), ("city", "city")] {
        let place = format!("{}/{}", children(body), city::id(group));
        problem(client.get(&place).send().await.unwrap(), 404, "not_found").await;
    }
    problem(client.get(&children("nobody")).send().await.unwrap(), 404, "not_found").await;
}
