//! Documents, dues and holds, as they are answered.

use musubi_ledger::{amount::Amount, id::RosterLine, state::derived_id};
use serde_json::{Value, json};

use crate::{
    city::{self, DuesLine, Hold, Member, Operation, RecordCash, RequestMany},
    client::{Client, problem},
    schema,
};

async fn answers(client: &Client, path: &str, name: &str) -> Value {
    let description: Value =
        client.bare("/openapi.json").send().await.unwrap().json().await.unwrap();
    let value: Value = client.read(path).await;
    let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
    schema::check(&description, &schema, &value, path).unwrap();
    value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_found_by_any_number() {
    let client = Client::start().await;
    let payment = client.payment(100);
    client.committed(&payment).await;
    // A number may be a path of its own.
    let kind = city::receipt(payment.body.id());
    let issue = city::issues_document("shop", "2026/04?7", kind);
    client.committed(&client.signed("shop", issue, &[city::own("shop")])).await;
    let lines = vec![city::tax_line(100, 315, 31)];
    let bill = city::issues_document("shop", "I-1", city::invoice(None, lines));
    client.committed(&client.signed("shop", bill, &[city::own("shop")])).await;
    let of = |number: &str| format!("/v1/parties/{}/documents/{number}", city::id("shop"));
    let receipt = answers(&client, &of("2026%2F04%3F7"), "DocumentView").await;
    assert_eq!(receipt["number"], "2026/04?7");
    let bill = answers(&client, &of("I-1"), "DocumentView").await;
    assert_eq!(bill["document"]["kind"]["invoice"]["registration"], "T1234567890123");
    let missing = client.get(&of("I-2")).send().await.unwrap();
    problem(missing, 404, "not_found").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_dues_says_who_has_paid() {
    let client = Client::start().await;
    let mut lines = vec![
        DuesLine { member: Member::Party(city::id("alice")), amount: Amount(500) },
        DuesLine { member: Member::Roster(RosterLine([9; 16])), amount: Amount(300) },
    ];
    lines.sort_by_key(|line| line.member);
    let ask = RequestMany {
        payee: city::id("club"),
        lines,
        instrument: city::instrument("MEBUKU"),
        tender: Vec::new(),
        due: client.town.now().plus(city::DAY),
    };
    let by = [city::receives("club", "alice")];
    let asked = client.signed("alice", Operation::RequestMany(ask), &by);
    client.committed(&asked).await;
    let list = asked.body.id();
    let request = derived_id(&list, 1);
    let evidence = city::document("cash book");
    let cash = Operation::RecordCash(RecordCash { request, received: true, evidence });
    let cash = client.signed("alice", cash, &[city::member("club", "alice")]);
    client.committed(&cash).await;
    let dues = answers(&client, &format!("/v1/requests/{list}/lines"), "DuesView").await;
    let status = |at: usize| dues["lines"][at]["line"]["status"].clone();
    assert_eq!(dues["lines"].as_array().unwrap().len(), 2);
    assert_eq!(status(0), "open");
    assert_eq!(status(1), json!({ "cash": cash.body.id() }));
    answers(&client, &format!("/v1/requests/{request}"), "RequestView").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_shown() {
    let client = Client::start().await;
    let hold = Hold {
        from: city::id("alice"),
        to: city::id("issuer"),
        leg: city::legs(&[("MEBUKU", 400)])[0],
        deadline: client.town.now().plus(city::DAY),
        order: city::document("order"),
    };
    let waits = client.signed("alice", Operation::Hold(hold), &[city::debit("alice")]);
    client.committed(&waits).await;
    let view = answers(&client, &format!("/v1/holds/{}", waits.body.id()), "HoldView").await;
    assert_eq!(view["hold"]["status"], "open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_says_where_each_line_stands() {
    let client = Client::start().await;
    client.committed(&client.payment(1_000)).await;
    let now = client.town.now();
    let op = city::settlement("MEBUKU", &[("shop", 600), ("mart", 100)], now);
    let shop = op.lines.iter().position(|line| line.merchant == city::id("shop")).unwrap();
    let settle = client.signed("i1", Operation::Settle(op), &city::issuers());
    client.committed(&settle).await;
    let path = format!("/v1/settlements/{}", settle.body.id());
    let view = answers(&client, &path, "SettlementView").await;
    assert_eq!(view["lines"][shop]["redemption"]["status"], "open");
    assert_eq!(view["settlement"]["codes"][shop], "applied");
    // The other merchant has no claim.
    assert_eq!(view["lines"][1 - shop]["redemption"], Value::Null);
    assert_eq!(view["settlement"]["codes"][1 - shop], "insufficient_claim");
    let line = view["lines"][shop]["id"].as_str().unwrap();
    let redemption = answers(&client, &format!("/v1/redemptions/{line}"), "RedemptionView").await;
    assert_eq!(redemption["redemption"], view["lines"][shop]["redemption"]);
    let missing = client.get(&format!("/v1/settlements/{line}")).send().await.unwrap();
    problem(missing, 404, "not_found").await;
}
