//! Golden proofs of state: a balance, a header without its balance, a statement of three days.

use crate::common::*;
use musubi_ledger::{
    lot::OriginKind,
    policy::PolicyChain,
    proof::{
        statement::{ProvenStatement, Statement},
        wallet::WalletProof,
    },
    time::Time,
    wallet::LotBalance,
};
use serde_json::{Value, json};

/// Alice gets money and points; pays; points expire; pays again behind the statement's end.
fn world() -> World {
    let mut world = World::with_past();
    world.fund("alice", "MEBUKU", 5_000);
    world.issue("alice", "POINT", 300, OriginKind::Free, 1);
    let pays = |world: &mut World, amount| {
        world.apply("alice", pay("alice", "bob", amount), &[debit("alice"), credit("bob")]);
    };
    world.wait(10 * DAY);
    pays(&mut world, 700);
    world.wait(DAY);
    pays(&mut world, 80);
    world.wait(DAY);
    pays(&mut world, 9);
    world
}

fn lots(lots: &[LotBalance]) -> Value {
    json!(lots)
}

fn said(proven: &ProvenStatement) -> Value {
    let lines: Vec<Value> = proven
        .lines
        .iter()
        .map(|line| {
            let postings: Vec<_> = line.postings(&proven.party).collect();
            json!({ "index": line.index, "time": line.leaf.time, "postings": postings })
        })
        .collect();
    json!({
        "party": proven.party,
        "from": proven.from,
        "to": proven.to,
        "proven_until": proven.proven_until,
        "opening": lots(&proven.opening),
        "lines": lines,
        "closing": lots(&proven.closing),
        "size": proven.checkpoint.checkpoint.size(),
    })
}

pub(crate) fn golden() -> Value {
    let world = world();
    let past = world.past();
    let policies = PolicyChain::of_genesis(&genesis());
    let balance = past.proof(&id("alice"));
    let header = WalletProof { wallet: balance.wallet.clone().without_lots(), ..balance.clone() };
    let proven = balance.verify(&policies).unwrap();
    assert_eq!(header.verify(&policies).unwrap().lots, None);
    let day = |n: u64| Time(BEGIN.0 + n * DAY + 15 * 3_600_000);
    let statement = past.statement(&id("alice"), day(9), day(11), Closing::Before);
    assert_eq!(Statement::decode(&statement.encode()).unwrap(), statement);
    let statement_said = statement.verify(&policies).unwrap();
    let (lines, after) = (statement.lines.len(), statement.after.len());
    assert_eq!((lines, after), (3, 1), "expiry and two payments; one behind the end");
    json!({
        "genesis_bytes": hex::encode(genesis().encode()),
        "balance_proof": hex::encode(balance.encode()),
        "balance": {
            "party": proven.header.party,
            "leaves": proven.header.leaves,
            "history": hex::encode(proven.header.history),
            "height": proven.seal.height,
            "time": proven.seal.time,
            "lots": lots(&proven.lots.unwrap()),
        },
        "header_proof": hex::encode(header.encode()),
        "statement": hex::encode(statement.encode()),
        "statement_says": said(&statement_said),
    })
}
