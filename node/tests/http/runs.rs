//! What runs keep for whoever is not registered yet.

use musubi_ledger::{
    api::WaitingPage,
    id::TxId,
    operation::{OpenRun, Operation},
    run::{line_id, plan::RunPlan},
};

use crate::{
    city::{self, By, issuers, officer, own, proves},
    client::Client,
};

/// Opens a run and brings all of its lines.
fn run(client: &Client, plan: &RunPlan, manifest: OpenRun, by: &[By]) -> TxId {
    let opens = client.signed("i1", Operation::OpenRun(manifest), by);
    let id = opens.body.id();
    client.town.apply(&[opens]);
    for part in 0..plan.count().div_ceil(64) {
        let brings = city::chunk(plan, id, 6, part);
        client.town.apply(&[client.signed("alice", brings, &[own("alice")])]);
    }
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_wait_for_a_party_until_it_is_registered_and_they_are_brought_again() {
    let client = Client::start().await;
    let until = client.town.now().plus(city::DAY);
    let many: Vec<(&str, u64)> =
        (1..=121).map(|at| (if at % 11 == 0 { "alice" } else { "zoe" }, at)).collect();
    let grants = city::run_plan("grants", &many);
    let granted = run(&client, &grants, city::manifest("POINT", &grants, until), &issuers());
    let cards = city::old_plan("cards", &[("zoe", 4_000)], |_| None);
    let import = city::import("MEBUKU", &cards, until, "paper");
    let imported = run(&client, &cards, import, &city::across());
    let zoe = city::id("zoe");
    let path = format!("/v1/parties/{zoe}/waiting");
    let page: WaitingPage = client.read(&path).await;
    assert_eq!((page.lines.len(), page.more), (100, true));
    let last = page.lines.last().unwrap();
    let rest: WaitingPage =
        client.read(&format!("{path}?run={}&line={}", last.run, last.line)).await;
    assert_eq!((rest.lines.len(), rest.more), (11, false));
    let lines: Vec<_> = page.lines.iter().chain(&rest.lines).collect();
    assert!(lines.is_sorted_by_key(|line| (line.run, line.line)));
    for line in &lines {
        assert_eq!(line.entitlement, line_id(&line.run, line.line));
        assert!(line.open && line.until == until && line.import == (line.run == imported));
        let amount = if line.import { 4_000 } else { u64::from(line.line) + 1 };
        assert_eq!(line.amount.0, amount);
    }
    assert_eq!(lines.iter().filter(|line| line.run == granted).count(), 110);
    // Ended, what it keeps can no longer be taken.
    let ends = client.signed("i1", city::end_run(granted), &issuers()[..1]);
    client.town.apply(&[ends]);
    let page: WaitingPage = client.read(&path).await;
    assert!(page.lines.iter().all(|line| line.open == (line.run == imported)));
    // Registered, she brings the other one.
    let registers = Operation::RegisterParty(city::register("zoe", city::PartyKind::Person));
    let by = [officer("registrar", "r1"), proves("zoe", "zoe")];
    client.town.apply(&[client.signed("r1", registers, &by)]);
    let brings = city::chunk(&cards, imported, 0, 0);
    client.town.apply(&[client.signed("zoe", brings, &[own("zoe")])]);
    let page: WaitingPage = client.read(&path).await;
    assert!(page.lines.iter().all(|line| line.run == granted));
    let nobody: WaitingPage =
        client.read(&format!("/v1/parties/{}/waiting", city::id("bob"))).await;
    assert!(nobody.lines.is_empty() && !nobody.more);
}
