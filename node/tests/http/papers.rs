//! Documents, dues and holds, as they are answered.

use musubi_ledger::{
    amount::Amount,
    api::Page,
    code::Code,
    document::{DocumentKind, ReportKind},
    id::{RosterLine, TxId},
    state::derived_id,
    time::Day,
};
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
    let yesterday = Day(city::BEGIN.day().0 - 1);
    let report = DocumentKind::Report(city::report(ReportKind::Kpi, yesterday, (0, 2)));
    let report = city::issues_document("shop", "K-1", report);
    client.committed(&client.signed("shop", report, &[city::own("shop")])).await;
    let report = answers(&client, &of("K-1"), "DocumentView").await;
    assert_eq!(report["document"]["kind"]["report"]["what"], "kpi");
    let missing = client.get(&of("I-2")).send().await.unwrap();
    problem(missing, 404, "not_found").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_leads_to_all_that_is_said_about_it() {
    let client = Client::start().await;
    let (payment, other) = (client.payment(346), client.payment(346));
    client.committed(&payment).await;
    client.committed(&other).await;
    let of = |id| format!("/v1/transactions/{id}/documents");
    let numbers = async |id| {
        let view = answers(&client, &of(id), "DocumentsView").await;
        assert_eq!(view["more"], false);
        let documents = view["documents"].as_array().unwrap().clone();
        let number = |said: &Value| said["number"].as_str().unwrap().to_owned();
        documents.iter().map(number).collect::<Vec<_>>()
    };
    let (id, other) = (payment.body.id(), other.body.id());
    assert!(numbers(id).await.is_empty(), "nobody has said anything");

    let issue = async |number: &str, replaces: Option<&str>, kind| {
        let replaces = replaces.map(|number| number.parse().unwrap());
        let op = city::IssueDocument { replaces, ..city::issue("shop", number, kind) };
        let issued = client.signed("shop", Operation::IssueDocument(op), &[city::own("shop")]);
        assert_eq!(client.committed(&issued).await.code, Some(Code::Applied), "{number}");
    };
    let invoice = || city::invoice(Some(id), vec![city::tax_line(100, 315, 31)]);
    issue("I-1", None, invoice()).await;
    issue("R-9", None, city::receipt(other)).await;
    issue("I-2", Some("I-1"), invoice()).await;
    issue("I-3", Some("I-2"), invoice()).await;
    for number in ["C-1", "C-2"] {
        let lines = vec![city::tax_line(100, 105, 10)];
        issue(number, None, city::credit_note("I-3", lines)).await;
    }
    assert_eq!(numbers(id).await, ["I-3", "C-2", "C-1", "I-2", "I-1"]);
    assert_eq!(numbers(other).await, ["R-9"]);

    // What is no payment has none; what is not known is not found.
    let history: Page = client.read(&format!("/v1/parties/{}/history", city::id("shop"))).await;
    assert!(numbers(history.entries.last().unwrap().id).await.is_empty());
    let unknown = client.get(&of(TxId([7; 32]))).send().await.unwrap();
    problem(unknown, 404, "not_found").await;
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
    // A receipt for cash is found under the request that was paid.
    let receipt = city::issues_document("club", "2026-1", city::receipt(request));
    client.committed(&client.signed("alice", receipt, &[city::member("club", "alice")])).await;
    let path = format!("/v1/transactions/{request}/documents");
    let said = answers(&client, &path, "DocumentsView").await;
    assert_eq!(said["documents"][0]["issuer"], city::id("club").to_string());
    assert_eq!(said["documents"][0]["number"], "2026-1");
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
    // The other one is not on this ledger.
    assert_eq!(view["lines"][1 - shop]["redemption"], Value::Null);
    assert_eq!(view["settlement"]["codes"][1 - shop], "unknown_party");
    let line = view["lines"][shop]["id"].as_str().unwrap();
    let redemption = answers(&client, &format!("/v1/redemptions/{line}"), "RedemptionView").await;
    assert_eq!(redemption["redemption"], view["lines"][shop]["redemption"]);
    let missing = client.get(&format!("/v1/settlements/{line}")).send().await.unwrap();
    problem(missing, 404, "not_found").await;
}
