//! A quorum of disks is lost, and the ledger goes on from the one that survives: three whole nodes in one process, of
//! which two are destroyed, and two new ones in their place.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod scene;

use std::{path::Path, time::Duration};

use common::{Member, TOKEN, eventually, free_port, load, start, validator};
use musubi_ledger::genesis::Genesis;
use musubi_node::{
    config::Start,
    directory, init, node,
    recover::apply::{Applied, apply},
};
use scene::{
    agree, configure_survivor, finalise, folder, info, policies, proof, set_up, transaction,
};

async fn stop(members: Vec<Member>) {
    for member in members {
        member.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_goes_on_from_one_surviving_disk_and_what_was_dropped_can_be_shown() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let keys = |node| init::make_keys(&folder(root, node).join("keys")).unwrap();
    let nodes = (1..=3).map(|node| validator(node, node as usize - 1, &keys(node))).collect();
    let genesis = common::genesis("recovery.example/test", 3, nodes);
    init::write_genesis(&genesis, &root.join("genesis.bin")).unwrap();
    let listen: Vec<_> = (1..=3).map(|node| (node, free_port())).collect();
    (1..=3).for_each(|node| set_up(root, node, &listen, None));
    let mut first = Vec::new();
    for node in 1..=3 {
        first.push(start(&folder(root, node)).await);
    }
    let (kept, later, lost) =
        (transaction(&genesis, 1), transaction(&genesis, 2), transaction(&genesis, 3));
    let kept_at = finalise(&first[0], &kept).await;
    finalise(&first[0], &later).await;
    let old_proof = proof(&first[0], &kept).await;
    eventually("node 1 knows that it is final", async || {
        info(&first[0]).await.final_size > kept_at.leaf.unwrap()
    })
    .await;
    // Node 1 lags behind what the others make final; then these two are destroyed.
    let others = first.split_off(1);
    stop(first).await;
    finalise(&others[0], &lost).await;
    let lost_proof = proof(&others[0], &lost).await;
    let before = policies(&others[0], &genesis).await;
    lost_proof.verify(&before).unwrap();
    stop(others).await;
    (2..=3).for_each(|node| std::fs::remove_dir_all(folder(root, node)).unwrap());

    let new = [validator(4, 1, &keys(4)), validator(5, 2, &keys(5))];
    let file = agree(root, &genesis, &new);
    let listen: Vec<_> = [1, 4, 5].map(|node| (node, free_port())).to_vec();
    configure_survivor(root, &listen, &file);
    let early = node::start(load(&folder(root, 1))).await.map(drop).unwrap_err().to_string();
    assert!(early.contains("recover apply"), "{early}");
    assert_eq!(apply(&load(&folder(root, 1))).unwrap(), Applied::Now);
    assert_eq!(apply(&load(&folder(root, 1))).unwrap(), Applied::Before);
    (4..=5).for_each(|node| set_up(root, node, &listen, Some(file.clone())));
    assert_eq!(apply(&load(&folder(root, 4))).unwrap(), Applied::NotHere);
    // The new ones first: alone they order nothing.
    let mut second = vec![start(&folder(root, 4)).await, start(&folder(root, 5)).await];
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(info(&second[0]).await.leader, None, "nobody leads without the log");
    second.push(start(&folder(root, 1)).await);

    let status = finalise(&second[0], &transaction(&genesis, 4)).await;
    let now = info(&second[0]).await;
    assert_eq!(now.origin, "recovery.example/test/2");
    let after = policies(&second[1], &genesis).await;
    let begins = &after.recoveries()[0].begins;
    assert_eq!((after.epoch(), begins.epoch), (2, 2));
    assert!(begins.size < status.leaf.unwrap());
    let entry = second[0].running.node().store.entries(begins.size..begins.size + 1).unwrap();
    assert_eq!(entry[0].leaf.id, after.recoveries()[0].id, "the first leaf is the recovery");
    // What survived, proven before and after; what did not, with the names of those who dropped it.
    assert_eq!(old_proof.verify(&after).unwrap().index, kept_at.leaf.unwrap());
    proof(&second[0], &kept).await.verify(&after).unwrap();
    proof(&second[1], &later).await.verify(&after).unwrap();
    let dropped = lost_proof.verify(&after).unwrap_err();
    assert_eq!(dropped.code(), "dropped_by_recovery");
    let sentence = dropped.to_string();
    assert!(sentence.contains("signed by city, partner"), "{sentence}");
    // It was judged by nobody who is left: sent again it applies, once more.
    assert!(finalise(&second[1], &lost).await.leaf.unwrap() > begins.size);
    follows_across(root, &genesis, &second[0]).await;

    // A restart is one of the new epoch.
    let survivor = second.pop().unwrap();
    stop(vec![survivor]).await;
    second.push(start(&folder(root, 1)).await);
    finalise(&second[2], &transaction(&genesis, 5)).await;
    stop(second).await;
    let opened = directory::open(&load(&folder(root, 5))).unwrap();
    opened.store.verify(&mut |_, _| {}).unwrap();
}

/// A replica that begins at genesis comes to where the validator stands, through the recovery.
async fn follows_across(root: &Path, genesis: &Genesis, upstream: &Member) {
    let folder = root.join("replica");
    let document = root.join("genesis.bin");
    common::make_replica(&folder, &document, &[upstream.url()], TOKEN, Start::Genesis);
    let replica = start(&folder).await;
    let wanted = info(upstream).await;
    eventually("the replica is where the validator was", async || {
        let info = info(&replica).await;
        info.height >= wanted.height && info.final_size >= wanted.final_size
    })
    .await;
    assert_eq!(info(&replica).await.origin, wanted.origin);
    assert_eq!(policies(&replica, genesis).await.epoch(), 2);
    stop(vec![replica]).await;
}
