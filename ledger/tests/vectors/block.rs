//! A golden block: from the genesis document and one batch's bytes to leaves, seal, root and digests.

use crate::common::*;
use musubi_ledger::{
    batch::{Batch, NodeId},
    execute::{Block, Chain, MemoryState, check_items},
    genesis::{Genesis, RULES_VERSION},
    tlog::checkpoint::Checkpoint,
};
use serde_json::{Value, json};

fn leaves(block: &Block) -> Vec<Value> {
    let entries = block.entries.iter().map(|entry| {
        json!({
            "index": entry.index,
            "leaf": hex::encode(entry.leaf.encode()),
            "salt": entry.salt,
            "outcome": entry.outcome,
            "outcome_hash": hex::encode(entry.leaf.outcome),
        })
    });
    let seal = json!({ "leaf": hex::encode(block.seal.leaf().encode()) });
    entries.chain([seal]).collect()
}

fn block_vector(origin: &str, block: &Block, state: &MemoryState) -> Value {
    let checkpoint = Checkpoint::new(origin, block.head.size, block.root).unwrap();
    let wallets: Vec<Value> = state
        .rows()
        .filter_map(|(key, row)| match (key, row) {
            (RowKey::Wallet(party), Row::Wallet(wallet)) => Some(json!({
                "header_salt": hex::encode(wallet.part_salts().0),
                "lots_salt": hex::encode(wallet.part_salts().1),
                "party": party,
                "serial": wallet.serial,
                "salt": hex::encode(wallet.salt),
                "leaves": wallet.leaves,
                "history": hex::encode(wallet.history),
                "state_leaf": hex::encode(wallet.state_leaf(party)),
            })),
            _ => None,
        })
        .collect();
    let rows: Vec<Value> = block
        .changes
        .iter()
        .map(|(key, row)| {
            let value = row.as_ref().map(|row| hex::encode(row.encode()));
            json!({ "key": hex::encode(key.to_bytes()), "value": value })
        })
        .collect();
    let items: Vec<Value> = block.items.iter().map(|item| json!(item)).collect();
    json!({
        "items": items,
        "leaves": leaves(block),
        "changed_rows": rows,
        "wallets": wallets,
        "rows_digest": hex::encode(block.rows.digest()),
        "seal_body": hex::encode(block.seal.encode()),
        "seal": block.seal,
        "state_digest": hex::encode(block.seal.state),
        "size": block.head.size,
        "root": hex::encode(block.root),
        "checkpoint": checkpoint.to_string(),
    })
}

/// Two registrations, an allowance, a top-up, a transfer that fails, one that applies, one void item.
fn items(chain: musubi_ledger::id::ChainId) -> Vec<Vec<u8>> {
    let numbered = |at: usize, sender: &str, operation, signers: &[By]| {
        let mut body = super::operations::body(chain, at, operation);
        body.sender = id(sender);
        sign(body, signers)
    };
    let registration = |name: &str, kind| Operation::RegisterParty(register(name, kind));
    let alice = [officer("registrar", "r1"), proves("alice", "alice")];
    let shop = [officer("registrar", "r1"), proves("shop", "shop")];
    let grant = allowance("MEBUKU", 9_000, 9_000, 9_000, BEGIN.plus(DAY));
    let grant = numbered(2, "i1", grant, &[officer("issuer", "i1"), officer("city", "c1")]);
    let issue = Operation::TopUp(top_up(grant.body.id(), "alice", 5_000, "bank"));
    let both = [debit("alice"), credit("shop")];
    let transactions = [
        numbered(0, "r1", registration("alice", PartyKind::Person), &alice),
        numbered(1, "r1", registration("shop", PartyKind::Merchant), &shop),
        grant,
        numbered(3, "issuer", issue, &[issues(), credit("alice")]),
        numbered(4, "alice", pay("alice", "shop", 5_001), &both),
        numbered(5, "alice", pay("alice", "shop", 700), &both),
        numbered(6, "alice", pay("alice", "shop", 800), &[debit("alice")]),
    ];
    transactions.iter().map(Transaction::encode).collect()
}

pub(crate) fn golden() -> Value {
    let document = genesis().encode();
    let genesis = Genesis::decode(&document).unwrap();
    let (mut chain, first) = Chain::open(&genesis);
    let mut state = MemoryState::default();
    state.apply(&first.changes);
    scan(&state, &first);
    let block_0 = block_vector(&genesis.origin(), &first, &state);
    let items = items(chain.id());
    let leader = (NodeId(1), &key("city/node"));
    let batch = Batch::sign(chain.id(), (1, 2), BEGIN.plus(SECOND), items, leader);
    let bytes = batch.encode();
    batch.check(&chain.id(), (1, 2), &key("city/node").public()).unwrap();
    let checked = check_items(&chain.id(), RULES_VERSION, &batch.items, &|_| false);
    let entry = Batch::entry_hash(&bytes);
    let block = chain.execute(&state, &batch, entry, &checked);
    state.apply(&block.changes);
    scan(&state, &block);
    let codes: Vec<Code> = block.items.iter().map(|item| item.code).collect();
    let applied = Code::Applied;
    assert_eq!(
        codes,
        [
            applied,
            applied,
            applied,
            applied,
            Code::InsufficientFunds,
            applied,
            Code::MissingConsent
        ]
    );
    json!({
        "genesis": genesis,
        "genesis_bytes": hex::encode(&document),
        "chain": chain.id(),
        "origin": genesis.origin(),
        "block_0": block_0,
        "batch_bytes": hex::encode(&bytes),
        "leader_key": key("city/node").public(),
        "entry_hash": hex::encode(entry),
        "block_1": block_vector(&genesis.origin(), &block, &state),
    })
}
