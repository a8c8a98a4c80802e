//! The node's routes that these tests need, answered from a real chain.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use musubi_sdk::ledger::{
    api::{
        Checkpoints, Durability, EntryView, FullTransaction, Info, Problem, ProposalView, Stage,
        Status, Verdict,
    },
    batch::Batch,
    code::{Code, Standing},
    id::TxId,
    judge::Missing,
    state::{ReadState, Row, RowKey, Shared},
    tlog::{
        NodeReader, TilePath, bundle,
        merkle::{leaf_hash, node_hash},
    },
    transaction::{Role, Side, Transaction},
};

use super::{
    http::{Act, Request, bytes, json},
    town::Town,
};

pub type SharedTown = Arc<Mutex<Town>>;

pub fn problem(status: u16, code: &str) -> Act {
    json(status, &a_problem(status, code))
}

fn a_problem(status: u16, code: &str) -> Problem {
    Problem {
        kind: format!("urn:musubi:problem:{code}"),
        title: code.into(),
        status,
        code: code.into(),
        detail: "a test's".into(),
        id: None,
    }
}

/// Answers as a node would.
pub fn node(town: &SharedTown, request: &Request) -> Act {
    let mut town = town.lock().unwrap();
    let path = request.path.as_str();
    match (request.method.as_str(), path) {
        ("GET", "/v1/info") => json(200, &info(&town)),
        ("GET", "/v1/genesis") => bytes(town.genesis.encode()),
        ("GET", "/v1/checkpoints") => json(200, &Checkpoints { notes: town.notes() }),
        ("GET", "/v1/entries") => bytes(page(&town.entries, 1, request, 4)),
        ("GET", "/v1/seals") => bytes(page(&town.seals, 0, request, 2)),
        ("POST", "/v1/transactions") => json(200, &submit(&mut town, &request.body)),
        ("POST", "/v1/transactions/bulk") => bulk(&mut town, &request.body),
        ("GET", _) if path.starts_with("/log/") => leaves(&town, &path[5..]),
        ("GET", _) if path.ends_with("/full") => {
            let id = path.strip_prefix("/v1/transactions/").and_then(|p| p.strip_suffix("/full"));
            full(&town, id.unwrap().parse().unwrap())
        }
        ("GET", _) if path.starts_with("/v1/proposals/") => proposal(&town, &path[14..]),
        ("GET", _) if path.starts_with("/v1/transactions/") => match path[17..].parse() {
            Ok(id) => json(200, &status(&town, id)),
            Err(_) => problem(400, "bad_id"),
        },
        ("GET", _) if path.starts_with("/v1/mandates/") => mandate(&town, &path[13..]),
        _ => problem(404, "not_found"),
    }
}

fn mandate(town: &Town, id: &str) -> Act {
    let id: TxId = id.parse().unwrap();
    match town.state.row(&RowKey::Mandate(id)) {
        Some(Row::Mandate(mandate)) => {
            let height = town.chain.head().height;
            json(200, &serde_json::json!({ "id": id, "mandate": mandate, "height": height }))
        }
        _ => problem(404, "not_found"),
    }
}

/// A transaction that was ordered, with what it did.
pub fn full(town: &Town, id: TxId) -> Act {
    let batches = town.entries.iter().map(|entry| Batch::decode(entry).unwrap());
    let mut items = batches.flat_map(|batch| batch.items);
    let found = items.find_map(|item| {
        Transaction::decode(&item).ok().filter(|transaction| transaction.body.id() == id)
    });
    let entry = town.blocks.iter().flat_map(|block| &block.entries).find(|e| e.leaf.id == id);
    match (found, entry) {
        (Some(transaction), Some(entry)) => {
            let outcome = entry.outcome.clone();
            json(200, &FullTransaction { status: status(town, id), transaction, outcome })
        }
        _ => problem(404, "not_found"),
    }
}

/// A proposal that still wants one approver.
fn proposal(town: &Town, id: &str) -> Act {
    let id: TxId = id.parse().unwrap();
    let Some(Row::Proposal(proposal)) = town.state.row(&RowKey::Proposal(id)) else {
        return problem(404, "not_found");
    };
    let party = proposal.movement.from;
    let missing = Missing { side: Side::Debit, role: Role::Approver, party, count: 1 };
    let height = town.chain.head().height;
    json(
        200,
        &ProposalView {
            id,
            proposal: Shared::into_value(proposal),
            missing: vec![missing],
            height,
        },
    )
}

fn info(town: &Town) -> Info {
    let head = town.chain.head();
    Info {
        chain: town.chain.id(),
        origin: town.genesis.origin(),
        scheme: town.genesis.scheme.clone(),
        node: 1,
        leader: Some(1),
        term: 1,
        height: head.height,
        time: head.time,
        size: head.size,
        final_size: 0,
        rules_version: 1,
        version: "test".into(),
        replica: None,
    }
}

fn page(records: &[Vec<u8>], first: usize, request: &Request, prefix: usize) -> Vec<u8> {
    let values: HashMap<&str, usize> = request
        .query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect();
    // A node may answer with fewer than were asked for: 7 at most, here.
    let (from, count) = (values["from"] - first, values["count"].min(7));
    let mut body = Vec::new();
    for record in records.iter().skip(from).take(count) {
        body.extend(&(record.len() as u64).to_be_bytes()[8 - prefix..]);
        body.extend(record);
    }
    body
}

/// A log's hashes, from its leaves every time.
struct Log<'a>(&'a [Vec<u8>]);

impl NodeReader for Log<'_> {
    fn node(&self, level: u8, index: u64) -> Option<[u8; 32]> {
        match level.checked_sub(1) {
            None => self.0.get(usize::try_from(index).ok()?).map(|leaf| leaf_hash(leaf)),
            Some(below) => {
                Some(node_hash(&self.node(below, 2 * index)?, &self.node(below, 2 * index + 1)?))
            }
        }
    }
}

fn leaves(town: &Town, path: &str) -> Act {
    let which = match path.parse() {
        Ok(TilePath::Entries(which)) => which,
        Ok(TilePath::Hashes(tile)) => {
            return match tile.read(&Log(&town.leaves)) {
                Some(hashes) => bytes(hashes),
                None => problem(404, "not_found"),
            };
        }
        Err(_) => return problem(404, "not_found"),
    };
    let first = usize::try_from(which.index).unwrap() * 256;
    let leaves = town.leaves.get(first..first + usize::from(which.width));
    match leaves {
        Some(leaves) => bytes(bundle::encode(leaves).unwrap()),
        None => problem(404, "not_found"),
    }
}

pub fn status(town: &Town, id: TxId) -> Status {
    let head = town.chain.head();
    let judged = match town.state.row(&RowKey::Judged(id)) {
        Some(Row::Judged(judged)) => Some(judged),
        _ => None,
    };
    Status {
        id,
        stage: if judged.is_some() { Stage::Judged } else { Stage::Unknown },
        verdict: judged.as_ref().map_or(Verdict::Pending, |j| match j.code {
            Code::Applied => Verdict::Applied,
            _ => Verdict::Rejected,
        }),
        durability: judged.as_ref().map(|_| Durability::Committed),
        code: judged.as_ref().map(|j| j.code),
        detail: None,
        height: judged.as_ref().map(|j| j.height),
        time: judged.as_ref().map(|j| j.time),
        leaf: judged.as_ref().map(|j| j.leaf),
        node_height: head.height,
        node_time: head.time,
    }
}

/// Orders one transaction, unless it has its verdict.
pub fn submit(town: &mut Town, body: &[u8]) -> Status {
    let id = Transaction::decode(body).unwrap().body.id();
    let before = status(town, id);
    if before.stage == Stage::Judged {
        return before;
    }
    let code = town.block(vec![body.to_vec()]).items[0].code;
    let mut status = status(town, id);
    if code.standing() == Standing::Void {
        (status.stage, status.code) = (Stage::Void, Some(code));
    }
    status
}

fn bulk(town: &mut Town, mut body: &[u8]) -> Act {
    let mut results = Vec::new();
    while let Some((length, rest)) = body.split_first_chunk::<4>() {
        let (item, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        results.push(serde_json::json!({ "status": submit(town, item) }));
        body = rest;
    }
    json(200, &serde_json::json!({ "results": results }))
}

/// The feed's events behind a leaf, as text.
pub fn events(town: &Town, after: Option<u64>) -> Vec<String> {
    let entries = town.blocks.iter().flat_map(|block| &block.entries);
    let behind = entries.filter(|e| after.is_none_or(|leaf| e.index > leaf));
    let views = behind.map(|e| EntryView {
        leaf: e.index,
        height: e.leaf.height,
        time: e.leaf.time,
        id: e.leaf.id,
        kind: e.leaf.kind,
        code: e.leaf.code,
        outcome: e.outcome.clone(),
        transaction: None,
    });
    let event = |view: EntryView| {
        let data = serde_json::to_string(&view).unwrap();
        format!("id: 1.{}\nevent: entry\ndata: {data}\n\n", view.leaf)
    };
    views.map(event).collect()
}
