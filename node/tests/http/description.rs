//! The OpenAPI description is true: of the routes, of the statuses, of the documents.

use std::collections::BTreeSet;

use musubi_ledger::transaction::Transaction;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    city::{self, Direction, document, own},
    client::{Client, problem},
    schema,
    town::evidence,
};

const ROUTES: &[&str] = &[
    "get /healthz",
    "get /readyz",
    "get /metrics",
    "get /openapi.json",
    "get /v1/info",
    "get /v1/genesis",
    "get /v1/checkpoints",
    "get /v1/policies",
    "get /v1/evidence",
    "get /v1/evidence/{name}",
    "get /v1/instruments",
    "get /v1/instruments/{code}",
    "get /v1/instruments/{code}/rules",
    "get /v1/instruments/{code}/rules/{number}",
    "get /v1/offers",
    "get /v1/offers/{id}",
    "get /v1/offers/{id}/draw",
    "get /v1/offers/{id}/quote",
    "get /v1/entitlements/{id}",
    "get /v1/seals",
    "get /log/checkpoint",
    "get /log/tile/{path}",
    "get /v1/snapshot",
    "get /v1/snapshot/rows",
    "get /v1/blocks",
    "get /v1/entries",
    "get /v1/transactions/{id}",
    "get /v1/transactions/{id}/full",
    "get /v1/transactions/{id}/documents",
    "get /v1/wallets/{party}",
    "get /v1/wallets/{party}/spendable",
    "get /v1/wallets/{party}/proof",
    "get /v1/parties/{party}",
    "get /v1/parties/{party}/history",
    "get /v1/parties/{party}/children",
    "get /v1/parties/{party}/children/{group}",
    "get /v1/parties/{party}/documents/{number}",
    "get /v1/parties/{party}/proposals",
    "get /v1/parties/{party}/waiting",
    "get /v1/parties/{party}/statement",
    "get /v1/proposals/{id}",
    "get /v1/proofs/{id}",
    "get /v1/leaves/{index}/proof",
    "get /v1/mandates/{id}",
    "get /v1/memos/{hash}",
    "get /v1/requests/{id}",
    "get /v1/requests/{id}/lines",
    "get /v1/media/{id}",
    "get /v1/allowances/{id}",
    "get /v1/redemptions/{id}",
    "get /v1/settlements/{id}",
    "get /v1/holds/{id}",
    "get /v1/runs/{id}",
    "get /v1/feed",
    "post /v1/transactions",
    "post /v1/transactions/bulk",
    "post /v1/memos",
    "delete /v1/memos/{hash}",
];

/// Routes that anyone may read.
pub(crate) const PUBLIC: &[&str] = &[
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/v1/info",
    "/v1/genesis",
    "/v1/checkpoints",
    "/v1/policies",
    "/v1/evidence",
    "/v1/evidence/{name}",
    "/v1/instruments",
    "/v1/instruments/{code}",
    "/v1/seals",
    "/log/checkpoint",
    "/log/tile/{path}",
];

async fn description(client: &Client) -> Value {
    client.bare("/openapi.json").send().await.unwrap().json().await.unwrap()
}

/// (method, path, operation) of everything described.
pub(crate) fn operations(description: &Value) -> Vec<(String, String, Value)> {
    let paths = description["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().clone();
        methods
            .into_iter()
            .map(|(method, operation)| (method, path.clone(), operation))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// A path with its parameters filled in.
pub(crate) fn filled(path: &str) -> String {
    let party = city::id("alice").to_string();
    let medium = city::medium("card").to_string();
    let id = if path.contains("/media/") { medium } else { "0".repeat(64) };
    path.replace("{party}", &party)
        .replace("{id}", &id)
        .replace("{hash}", &"0".repeat(64))
        .replace("{code}", "MEBUKU")
        .replace("{index}", "0")
        .replace("{number}", "1")
        .replace("{group}", &city::id("club").to_string())
        .replace("{path}", "0/000.p/1")
        .replace("{name}", &evidence().0.name)
        + match path {
            "/v1/seals" => "?from=0",
            "/v1/blocks" | "/v1/entries" => "?from=1",
            "/v1/snapshot/rows" => "?height=1",
            "/v1/parties/{party}/statement" => "?from=2026-04-01&to=2026-04-01",
            _ => "",
        }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_described_and_answers() {
    let client = Client::start_final().await;
    let description = description(&client).await;
    assert_eq!(description["openapi"], "3.1.0");
    let operations = operations(&description);
    let found: BTreeSet<String> =
        operations.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    assert_eq!(found, ROUTES.iter().map(|route| (*route).to_owned()).collect());
    let mut names = BTreeSet::new();
    for (method, path, operation) in &operations {
        assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{path}");
        let public = PUBLIC.contains(&path.as_str()) || method == "post";
        assert_eq!(operation.get("security").is_none(), public, "{path}");
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let request = client.request(method, &filled(path)).bearer_auth(crate::client::OPERATOR);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16().to_string();
        let described = &operation["responses"][&status];
        assert!(described.is_object(), "{path} answers {status}, which is not described");
        let media_type = response.headers()["content-type"].to_str().unwrap();
        let media_type = media_type.split(';').next().unwrap().to_owned();
        let media_type = media_type.as_str();
        let content = described["content"].as_object().unwrap();
        assert!(content.keys().any(|key| key.starts_with(media_type)), "{path}: {media_type}");
        if media_type == "application/json" {
            let schema = content[media_type]["schema"].clone();
            let value: Value = response.json().await.unwrap();
            if path != "/openapi.json" {
                schema::check(&description, &schema, &value, path).unwrap();
            }
        } else if media_type == "application/problem+json" {
            let value: Value = response.json().await.unwrap();
            schema::check(&description, &content[media_type]["schema"], &value, path).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_that_any_route_can_give_are_problems_and_described() {
    let client = Client::start_final().await;
    let description = description(&client).await;
    for (method, path, operation) in operations(&description) {
        let responses = operation["responses"].as_object().unwrap();
        let mut expected = vec!["400", "404", "406", "500", "503"];
        if method == "post" {
            expected.extend(["408", "409", "413", "415", "429"]);
        } else if !PUBLIC.contains(&path.as_str()) {
            expected.push("401");
        }
        // A reference that is taken; an id of another epoch; what is not final.
        let conflicts = method == "post"
            || path == "/v1/feed"
            || path == "/v1/snapshot"
            || path.contains("proof")
            || path.ends_with("/statement");
        assert_eq!(responses.contains_key("409"), conflicts, "{path}");
        for status in expected {
            assert!(responses.contains_key(status), "{path} does not describe {status}");
        }
        let url = filled(&path);
        let known = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let request = client.request(known.clone(), &url).bearer_auth(crate::client::OPERATOR);
        let strange = request.header("accept", "image/png").send().await.unwrap();
        problem(strange, 406, "not_acceptable").await;
        let content = responses.get("200").and_then(|good| good["content"].as_object());
        for media_type in content.into_iter().flatten().map(|(media_type, _)| media_type) {
            let request = client.request(known.clone(), &url).bearer_auth(crate::client::OPERATOR);
            let wanted = request.header("accept", media_type).send().await.unwrap();
            assert_ne!(wanted.status(), 406, "{path} answers in {media_type}");
        }
        // `{id}` also takes what is spelt like another route's last part; both take GET alone there.
        let wrong = client.request(Method::PUT, &url).send().await.unwrap();
        let allow = wrong.headers()["allow"].to_str().unwrap().to_owned();
        assert!(allow.contains(&method.to_uppercase()), "{path} allows {allow}");
        problem(wrong, 405, "method_not_allowed").await;
    }
    problem(client.get("/nowhere").send().await.unwrap(), 404, "not_found").await;
    problem(client.get("/v1/").send().await.unwrap(), 404, "not_found").await;
}

#[test]
fn the_manual_has_every_route_and_every_code() {
    let manual = include_str!("../../../docs/API.md");
    for route in ROUTES {
        let (method, path) = route.split_once(' ').unwrap();
        let heading = format!("`{} {path}`", method.to_uppercase());
        assert!(manual.contains(&heading), "docs/API.md lacks {heading}");
    }
    let door = musubi_node::http::DoorCode::ALL.iter();
    let door = door.map(|code| {
        format!("| `{}` | {} | {} |", code.name(), code.status().as_u16(), code.sentence())
    });
    let ledger = musubi_ledger::code::Code::ALL.iter();
    let ledger = ledger.map(|code| format!("| {} | `{}` |", *code as u16, code.name()));
    for line in door.chain(ledger) {
        assert!(manual.contains(&line), "docs/API.md lacks {line}");
    }
}

/// Rules with every kind of part.
fn every_rule(offer: musubi_ledger::id::TxId) -> musubi_ledger::rule::RuleTerms {
    use musubi_ledger::{
        amount::Amount,
        predicate::Predicate,
        rule::{
            Give, Post, Recipient, RuleTerms, Trigger,
            cap::{Period, Scope},
            when::{Reached, When},
        },
        time::Time,
    };
    let resident = || Some(Predicate::is("resident", &["yes"]));
    let tier = Reached { instrument: city::instrument("POINT"), from: Amount(5) };
    let when = When {
        until: Some(Time(9)),
        purpose: Some(musubi_ledger::transaction::Purpose::DUES),
        origins: vec![musubi_ledger::lot::OriginKind::Paid],
        campaign: Some(3),
        payer: resident(),
        payee: resident(),
        payee_is: Some(city::id("shop")),
        multiple: Some(Amount(5)),
        tier: Some(tier),
        offer: Some(offer),
        ..When::always(Time(1))
    };
    let to = Recipient::Party(city::id("club"));
    RuleTerms {
        when,
        post: Post::Give(Give { to, ..city::give("POINT") }),
        caps: vec![city::cap(Scope::Household, Period::FiscalYear, 7)],
        ..city::rewards(Trigger::Purchase, city::percent(1), "POINT")
    }
}

fn donation() -> musubi_ledger::rule::RuleTerms {
    use musubi_ledger::rule::{
        Giver,
        formula::{Formula, Threshold},
    };
    let line = Threshold {
        from: musubi_ledger::amount::Amount(1),
        give: musubi_ledger::amount::Amount(2),
    };
    let legs = city::split(&[("club", 2), ("mart", 1)], 1);
    city::shares(Giver::Payee, Formula::Table(vec![line]), legs)
}

/// One transaction of every kind that is not tried elsewhere, for its JSON.
fn samples(client: &Client) -> Vec<Transaction> {
    use musubi_ledger::{
        amount::Amount,
        instrument::{InstrumentChange, Life, LifeStep},
        mandate::Counterparty,
        operation::*,
        party::PartyKind,
        time::Time,
    };
    let id = musubi_ledger::id::TxId([7; 32]);
    let by_attribute = musubi_ledger::mandate::MandateTerms {
        counterparty: Counterparty::Attribute(
            PartyKind::Merchant,
            musubi_ledger::party::AttributeTest {
                name: "shop".into(),
                any_of: vec!["small".into()],
            },
        ),
        ..city::terms(Direction::Debit, 5)
    };
    let medium = EnrolMedium {
        medium: city::medium("card"),
        party: city::id("alice"),
        registrar: city::id("registrar"),
        debit: Some(by_attribute),
        credit: None,
        evidence: document("form"),
    };
    let change = ChangeGroup {
        group: city::id("club"),
        roles: Some(city::roles(&[("alice", true, true)])),
        policy: Some(city::policy(&[(1, 1)])),
        representative: None,
    };
    let paid = AnswerRedemption {
        redemption: id,
        answer: RedemptionAnswer::Paid { payout: document("bank") },
    };
    let epoch =
        |checkpoint| Operation::BeginEpoch(city::begin_epoch(&city::World::bare(), checkpoint));
    let terms = city::genesis().instruments[2].terms.clone();
    let by_medium = Movement {
        debit: Citation::Medium { medium: city::medium("card"), mandate: id },
        ..city::movement("alice", "shop", 1)
    };
    let plan = city::run_plan("sample", &[("alice", 5), ("zoe", 6)]);
    let cards =
        city::old_plan("sample", &[("alice", 5), ("zoe", 6)], |at| (at == 1).then_some(Time(9)));
    let operations = vec![
        Operation::Transfer(by_medium),
        Operation::EnrolMedium(medium),
        Operation::ChangeGroup(change),
        Operation::AnswerRedemption(paid),
        Operation::DefineInstrument(DefineInstrument {
            instrument: city::instrument("NEW"),
            terms,
            open: false,
        }),
        Operation::ChangeInstrument(ChangeInstrument {
            instrument: city::instrument("NEW"),
            change: InstrumentChange::Life(LifeStep { life: Life::Open, at: Time(9) }),
            notice: city::document("notice"),
        }),
        Operation::Pay(Pay {
            from: city::id("alice"),
            to: city::id("shop"),
            instruments: vec![city::instrument("MEBUKU"), city::instrument("POINT")],
            amount: Amount(7),
            debit: Citation::Live,
            credit: Citation::Mandate(id),
        }),
        Operation::PayWithCoupons(city::pay_with(
            "alice",
            "shop",
            (1_000, 900),
            &[
                city::used(id),
                UseCoupon {
                    offer: musubi_ledger::id::TxId([1; 32]),
                    showing: Showing::Entitlement(id),
                },
            ],
        )),
        city::put_offer(city::coupons(city::borne("shop", city::tenth()))),
        city::put("MEBUKU", 1, every_rule(id)),
        city::put("MEBUKU", 2, donation()),
        city::end_rule("MEBUKU", 1, Time(9)),
        Operation::OpenRun(city::manifest("POINT", &plan, Time(9))),
        city::chunk(&plan, id, 0, 1),
        Operation::OpenRun(city::import("MEBUKU", &cards, Time(9), "paper")),
        city::chunk(&cards, id, 0, 1),
        city::end_run(id),
        Operation::Touch(Touch { party: city::id("alice"), instrument: city::instrument("POINT") }),
        Operation::RevokeMandate { mandate: id },
        Operation::Unfreeze { party: city::id("alice") },
        Operation::CloseGroup { group: city::id("club") },
        city::propose("club", "shop", 5, Time(1)),
        city::decide(id, Decision::Withdraw),
        city::refund(id, 4),
        Operation::TopUp(city::top_up(id, "alice", 5, "bank")),
        Operation::RegisterParty(RegisterParty {
            attributes: vec![city::attribute("resident", "yes")],
            ..city::register("gina", PartyKind::Person)
        }),
        city::set_officers("issuer", &["i1", "i2"]),
        Operation::ChangeWitnessPolicy(musubi_ledger::policy::WitnessPolicy::of_genesis(
            &city::genesis(),
        )),
        epoch(None),
        epoch(Some(city::note_of(1, (18, [4; 32]), "city/node", &city::OLD_VOICES))),
    ];
    operations
        .into_iter()
        .map(|operation| client.signed("alice", operation, &[own("alice")]))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_are_what_their_schema_says() {
    let client = Client::start().await;
    let description = description(&client).await;
    let transaction = json!({ "$ref": "#/components/schemas/Transaction" });
    // The vectors have every operation, one added later too.
    let vectors = include_str!("../../../ledger/vectors/operations.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
    let vectors = vectors.iter().map(|vector| {
        let bytes = hex::decode(vector["transaction_bytes"].as_str().unwrap()).unwrap();
        Transaction::decode(&bytes).unwrap()
    });
    for sample in samples(&client).into_iter().chain(vectors) {
        let mut value = serde_json::to_value(&sample).unwrap();
        schema::check(&description, &transaction, &value, "transaction").unwrap();
        value["body"]["operation"]["surprise"] = json!(1);
        assert!(schema::check(&description, &transaction, &value, "transaction").is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offers_and_rights_are_answered_as_their_schemas_say() {
    let client = Client::start().await;
    let description = description(&client).await;
    let terms = city::OfferTerms { access: city::entitled(1), ..city::offers(500) };
    let put = client.signed("i1", city::put_offer(terms), &city::issuers());
    client.committed(&put).await;
    let offer = put.body.id();
    let until = musubi_ledger::time::Time(3_000_000_000_000);
    let birth = city::entitle(offer, &[city::event("alice", "birth")], until);
    client.committed(&client.signed("r1", birth, &[city::officer("registrar", "r1")])).await;
    let right = city::right_of(offer, "birth");
    for (path, name) in [
        ("/v1/offers".into(), "OfferPage"),
        (format!("/v1/offers?after={}", "0".repeat(64)), "OfferPage"),
        (format!("/v1/offers/{offer}"), "OfferView"),
        (format!("/v1/entitlements/{right}"), "EntitlementView"),
    ] {
        let value: Value = client.read(&path).await;
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        schema::check(&description, &schema, &value, &path).unwrap();
        assert!(path.contains("entitlements") || value.to_string().contains(&offer.to_string()));
    }
    let coupon = city::coupons(city::borne("issuer", city::off(300)));
    let put = client.signed("i1", city::put_offer(coupon), &city::issuers());
    client.committed(&put).await;
    let (coupon, alice, shop) = (put.body.id(), city::id("alice"), city::id("shop"));
    let quoted =
        |gross: u64| format!("/v1/offers/{coupon}/quote?payer={alice}&payee={shop}&gross={gross}");
    let value: Value = client.read(&quoted(1_000)).await;
    let schema = json!({ "$ref": "#/components/schemas/CouponQuote" });
    schema::check(&description, &schema, &value, "quote").unwrap();
    assert_eq!((&value["discount"], &value["pays"]), (&json!("300"), &json!("700")));
    assert_eq!((&value["sponsor"], &value["code"]), (&json!(city::id("issuer")), &Value::Null));
    let value: Value = client.read(&quoted(300)).await;
    schema::check(&description, &schema, &value, "quote").unwrap();
    assert_eq!(value["code"], "coupon_mismatch", "something must be left to pay");
    let lottery = city::Access::Lottery(city::lottery(musubi_ledger::time::Time(1)));
    let terms = city::OfferTerms { access: lottery.clone(), stock: Some(1), ..city::offers(5) };
    let city::Access::Lottery(lottery) = lottery else { unreachable!() };
    let lottery = musubi_ledger::offer::draw::Lottery {
        closes: until,
        reveal_until: until.plus(1),
        ..lottery
    };
    let access = city::Access::Lottery(lottery);
    let terms = city::OfferTerms { access, ..terms };
    let put = client.signed("i1", city::put_offer(terms), &city::issuers());
    client.committed(&put).await;
    let apply = city::applies_for(put.body.id(), "alice", 2);
    client.committed(&client.signed("alice", apply, &[own("alice")])).await;
    let path = format!("/v1/offers/{}/draw", put.body.id());
    let value: Value = client.read(&path).await;
    let schema = json!({ "$ref": "#/components/schemas/DrawView" });
    schema::check(&description, &schema, &value, &path).unwrap();
    assert_eq!(value["applications"][0]["units"], 2);
    let behind: Value = client.read(&format!("/v1/offers?after={}", "f".repeat(64))).await;
    assert_eq!(behind, json!({ "offers": [], "next": null }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_what_their_schemas_say() {
    let client = Client::start().await;
    let description = description(&client).await;
    let payment = client.payment(100);
    client.committed(&payment).await;
    let alice = city::id("alice");
    let club = city::id("club");
    let id = payment.body.id();
    for (path, name) in [
        (format!("/v1/transactions/{id}"), "Status"),
        (format!("/v1/transactions/{id}/full"), "FullTransaction"),
        (format!("/v1/wallets/{}", city::id("shop")), "WalletView"),
        (format!("/v1/wallets/{alice}"), "WalletView"),
        (format!("/v1/parties/{club}"), "PartyView"),
        (format!("/v1/parties/{}", city::id("registrar")), "PartyView"),
        (format!("/v1/parties/{alice}/history"), "Page"),
        ("/v1/instruments".into(), "InstrumentList"),
        ("/v1/checkpoints".into(), "Checkpoints"),
        ("/v1/evidence".into(), "EvidenceList"),
        ("/v1/info".into(), "Info"),
    ] {
        let value: Value = client.read(&path).await;
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        schema::check(&description, &schema, &value, &path).unwrap();
    }
    let bulk =
        client.post("/v1/transactions/bulk").header("content-type", "application/octet-stream");
    let items = [&4_u32.to_be_bytes()[..], b"what"].concat();
    let value: Value = bulk.body(items).send().await.unwrap().json().await.unwrap();
    let schema = json!({ "$ref": "#/components/schemas/BulkResults" });
    schema::check(&description, &schema, &value, "bulk").unwrap();
}
