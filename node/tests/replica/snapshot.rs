//! Snapshots without sockets: what is offered and when, what is taken, and every lie about it.

use std::sync::Arc;

use musubi_ledger::{
    genesis::Genesis,
    id::PartyId,
    leaf::LEAF_BYTES,
    operation::Operation,
    policy::{PolicyBundle, WitnessPolicy},
    snapshot::{Manifest, RowPage},
    state::Row,
    tlog::{Bundle, tile::FULL_WIDTH},
    transaction::{Body, Role, Side, Transaction},
};
use musubi_node::{follow::snapshot::taking::Taking, snapshots::Snapshots};
use musubi_storage::{Incoming, OpenError, OpenSettings, Opened, Store, memory::MemoryDisk};

use crate::{
    common,
    finals::note,
    follow::{Origin, Replica, genesis, transaction},
};

/// All answers that an upstream gives.
#[derive(Clone)]
struct Served {
    manifest: Manifest,
    bundle: PolicyBundle,
    pages: Vec<Vec<u8>>,
    leaves: Vec<Vec<u8>>,
}

fn final_note(store: &Store) -> String {
    let (head, root) = store.head();
    note(&genesis().origin(), head.size, root, &[1])
}

impl Served {
    fn of(store: &Store, snapshots: &Snapshots, manifest: Manifest) -> Self {
        let (mut pages, mut after) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let page = snapshots.page(manifest.seal.height, after.as_deref()).unwrap().unwrap();
            let read = RowPage::decode(&page).unwrap();
            pages.push(page);
            if read.last {
                break;
            }
            after = read.rows.last().map(|(key, _)| key.clone());
        }
        let bundles = (0..).map_while(|at| Bundle::in_log(at, manifest.index + 1));
        let leaves = bundles.map(|bundle| store.bundle(&bundle).unwrap().unwrap()).collect();
        let bundle = store.policy_bundle().unwrap();
        Self { manifest, bundle, pages, leaves }
    }

    /// As a replica takes them; or the code of what is wrong.
    fn take(&self, disk: &MemoryDisk) -> Result<Opened, &'static str> {
        let code = |why: musubi_node::follow::snapshot::taking::NotTaken| why.code().unwrap();
        let incoming = Incoming::begin(disk.open().unwrap()).unwrap();
        let both = (&self.manifest.encode()[..], &self.bundle.encode()[..]);
        let mut taking =
            Taking::begin(&Arc::new(genesis()), both, incoming).map_err(|(why, _)| code(why))?;
        for page in &self.pages {
            if taking.page(page).map_err(code)? {
                break;
            }
        }
        for content in &self.leaves {
            let wanted = taking.wanted().unwrap();
            taking.bundle(&wanted, content).map_err(code)?;
        }
        let settings = OpenSettings::default();
        taking.finish([8; 16], &settings).map_err(|(why, _)| code(why))
    }

    /// Changes the rows of the first page.
    fn rows(&mut self, change: impl FnOnce(&mut Vec<(Vec<u8>, Vec<u8>)>)) {
        let mut page = RowPage::decode(&self.pages[0]).unwrap();
        change(&mut page.rows);
        self.pages[0] = page.encode();
    }
}

/// An upstream of three blocks, all final, that offers a snapshot of the second.
fn upstream() -> (Origin, Replica, Served) {
    let (mut origin, mut upstream) = (Origin::open(), Replica::open());
    let store = Arc::clone(&upstream.store);
    let snapshots = Snapshots::new(Arc::clone(&store));
    assert!(snapshots.manifest().unwrap().is_none(), "nothing is final");
    upstream.take(&origin.block((1, 2), Some(1))).unwrap();
    store.stage_final(&final_note(&store), &[]).unwrap();
    upstream.take(&origin.block((1, 4), Some(2))).unwrap();
    assert!(snapshots.manifest().unwrap().is_none(), "held, and not final yet");
    upstream.take(&origin.block((2, 6), Some(3))).unwrap();
    assert!(snapshots.manifest().unwrap().is_none(), "nor when more is held to come");
    assert_eq!(snapshots.tidy(), 1);
    store.stage_final(&final_note(&store), &[]).unwrap();
    let manifest = snapshots.manifest().unwrap().unwrap();
    assert_eq!((manifest.seal.height, manifest.index), (2, 5), "as it was held");
    assert_eq!(snapshots.manifest().unwrap().unwrap(), manifest, "whoever asks soon shares it");
    assert!(snapshots.page(3, None).unwrap().is_none(), "no other is held");
    let served = Served::of(&store, &snapshots, manifest);
    (origin, upstream, served)
}

#[test]
fn what_is_final_is_taken_and_followed_on() {
    let (mut origin, mut upstream, served) = upstream();
    let disk = MemoryDisk::new(2);
    let late = Replica::of(disk.clone(), served.take(&disk).unwrap());
    assert_eq!(late.store.base().unwrap().head.height, 2);
    assert_eq!(late.store.applied().index, 4);
    assert_eq!(
        late.store.final_size().unwrap(),
        0,
        "of leaves that it does not have it keeps none"
    );
    // A restart before the first block, too.
    let mut late = late.restart();
    let third = upstream.store.raft_entry(3).unwrap().unwrap();
    let block = upstream.store.block(3).unwrap().unwrap();
    let offered = musubi_node::follow::page::Offered {
        height: 3,
        entry: third.data.into(),
        seal: block.seal.encode().into(),
        leaves: upstream.store.leaf_bytes(6..8).unwrap().into(),
    };
    late.take(&offered).unwrap();
    let fourth = origin.block((2, 9), Some(4));
    late.take(&fourth).unwrap();
    upstream.take(&fourth).unwrap();
    for again in [false, true] {
        if again {
            late = late.restart();
        }
        let store = &late.store;
        assert_eq!(store.head(), upstream.store.head());
        assert_eq!(store.verify(&mut |_, _| {}).unwrap().blocks, 3);
        for size in 1..=10 {
            assert_eq!(store.root_at(size), upstream.store.root_at(size));
        }
        assert!(store.entry(4).unwrap().is_none(), "what the snapshot's own leaves did");
        assert!(store.entry(6).unwrap().is_some());
    }
}

#[test]
fn every_lie_is_refused_by_name_and_leaves_no_ledger() {
    let (_, upstream, honest) = upstream();
    let root_at = |size| upstream.store.root_at(size).unwrap();
    let origin = genesis().origin();
    type Tamper<'t> = Box<dyn Fn(&mut Served) + 't>;
    let lies: Vec<(&str, &str, Tamper<'_>)> = vec![
        (
            "a changed row",
            "snapshot_digest",
            Box::new(|s| {
                s.rows(|rows| {
                    let person = rows.iter_mut().find(|(key, _)| key[0] == 3).unwrap();
                    person.1 = Row::Person(PartyId([5; 16])).encode();
                });
            }),
        ),
        ("a missing row", "snapshot_digest", Box::new(|s| s.rows(|rows| drop(rows.remove(3))))),
        ("no row", "snapshot_digest", Box::new(|s| s.pages = s.pages.split_off(s.pages.len() - 1))),
        (
            "an extra row",
            "snapshot_digest",
            Box::new(|s| {
                s.rows(|rows| {
                    let at = rows.iter().position(|(key, _)| key[0] == 3).unwrap();
                    let mut more = rows[at].clone();
                    more.0[32] = more.0[32].wrapping_add(1);
                    rows.insert(at + 1, more);
                });
            }),
        ),
        ("a row out of its order", "snapshot_row", Box::new(|s| s.rows(|rows| rows.swap(0, 1)))),
        ("a row that is none", "snapshot_row", Box::new(|s| s.rows(|rows| rows[1].1.clear()))),
        (
            "half a page",
            "snapshot_page",
            Box::new(|s| {
                let half = s.pages[0].len() - 7;
                s.pages[0].truncate(half);
            }),
        ),
        (
            "an endless table",
            "snapshot_page",
            Box::new(|s| {
                *s.pages.last_mut().unwrap() = RowPage { rows: vec![], last: false }.encode();
            }),
        ),
        ("another digest", "root_mismatch", Box::new(|s| s.manifest.seal.state[0] ^= 1)),
        ("another time", "root_mismatch", Box::new(|s| s.manifest.seal.time.0 += 1)),
        ("another right edge", "root_mismatch", Box::new(|s| s.manifest.path[0][9] ^= 1)),
        ("no right edge", "wrong_proof_length", Box::new(|s| s.manifest.path.clear())),
        ("another place", "root_mismatch", Box::new(|s| s.manifest.index -= 1)),
        (
            "another entry",
            "snapshot_entry",
            Box::new(|s| {
                *s.manifest.entry.last_mut().unwrap() ^= 1;
            }),
        ),
        (
            "a checkpoint of too few",
            "no_quorum",
            Box::new(|s| {
                s.manifest.checkpoint = note(&origin, 8, root_at(8), &[]);
            }),
        ),
        (
            "a checkpoint before it",
            "index_beyond_size",
            Box::new(|s| {
                s.manifest.checkpoint = note(&origin, 4, root_at(4), &[1]);
            }),
        ),
        (
            "another history's checkpoint",
            "root_mismatch",
            Box::new(|s| {
                s.manifest.checkpoint = note(&origin, 8, [3; 32], &[1]);
            }),
        ),
        (
            "another log's checkpoint",
            "other_log",
            Box::new(|s| {
                s.manifest.checkpoint = note("other.example/1", 8, root_at(8), &[1]);
            }),
        ),
        (
            "a checkpoint that nobody signed",
            "bad_note_signature",
            Box::new(|s| {
                s.manifest.checkpoint = s.manifest.checkpoint.replace("\n8\n", "\n9\n");
            }),
        ),
        (
            "another chain's policies",
            "other_chain",
            Box::new(|s| {
                s.bundle.genesis = Genesis { name: "b.example/b".into(), ..genesis() }.encode();
            }),
        ),
        ("a changed leaf", "snapshot_leaves", Box::new(|s| s.leaves[0][9] ^= 1)),
        (
            "a leaf too few",
            "snapshot_leaves",
            Box::new(|s| {
                let short = s.leaves[0].len() - (2 + LEAF_BYTES);
                s.leaves[0].truncate(short);
            }),
        ),
        ("no leaf", "snapshot_leaves", Box::new(|s| s.leaves.clear())),
    ];
    let disk = MemoryDisk::new(2);
    for (what, code, tamper) in lies {
        let mut served = honest.clone();
        tamper(&mut served);
        assert_eq!(served.take(&disk).err(), Some(code), "{what}");
        let opened = Store::open(disk.open().unwrap(), &OpenSettings::default());
        assert!(matches!(opened.err(), Some(OpenError::Empty)), "{what}: nothing to be served");
    }
    // Nothing of all that stays in the way.
    let opened = honest.take(&disk).unwrap();
    opened.store.verify(&mut |_, _| {}).unwrap();
}

/// A change of the witness policy to the same members under another number.
fn change_of_policy() -> Transaction {
    let policy = WitnessPolicy { number: 2, ..WitnessPolicy::of_genesis(&genesis()) };
    let city = genesis().organisations[0].party;
    let (reference, template) = ("policy-2".parse().unwrap(), transaction(1).body);
    let operation = Operation::ChangeWitnessPolicy(policy);
    let body = Body { sender: city, reference, operation, ..template };
    let signature = body.sign(Side::Authority, Role::Governance, city, &common::governance(0));
    Transaction::new(body, vec![signature])
}

#[test]
fn changes_of_policy_come_with_their_proofs() {
    let (mut origin, mut upstream) = (Origin::open(), Replica::open());
    let store = Arc::clone(&upstream.store);
    upstream.take(&origin.block_of((1, 2), vec![change_of_policy().encode()])).unwrap();
    store.stage_final(&final_note(&store), &[2]).unwrap();
    upstream.take(&origin.block((1, 3), Some(1))).unwrap();
    store.stage_final(&final_note(&store), &[]).unwrap();
    let snapshots = Snapshots::new(Arc::clone(&store));
    let manifest = snapshots.manifest().unwrap().unwrap();
    assert_eq!(manifest.seal.height, 2, "the head itself is final");
    let served = Served::of(&store, &snapshots, manifest);
    assert_eq!(served.bundle.steps.len(), 1);
    let disk = MemoryDisk::new(2);
    let mut without = served.clone();
    without.bundle.steps.clear();
    assert_eq!(without.take(&disk).err(), Some("snapshot_policies"));
    let late = Replica::of(disk.clone(), served.take(&disk).unwrap());
    assert_eq!(late.store.final_size().unwrap(), 6, "of those that it has it does");
    for late in [&late.store, &store] {
        assert_eq!(late.policy_bundle().unwrap(), served.bundle);
        let policies = late.policies().unwrap();
        assert_eq!(policies.newest().policy().number, 2);
        assert!(policies.unsettled(u64::MAX).is_empty());
    }
    // And it serves them on.
    let again = Snapshots::new(Arc::clone(&late.store));
    let manifest = again.manifest().unwrap().unwrap();
    let third = Served::of(&late.store, &again, manifest).take(&MemoryDisk::new(3)).unwrap();
    assert_eq!(third.store.policy_bundle().unwrap(), served.bundle);
    assert_eq!(third.store.head(), store.head());
    assert!(served.leaves[0].len() < usize::from(FULL_WIDTH) * (2 + LEAF_BYTES));
}
