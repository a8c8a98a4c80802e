//! One wallet's state.

use musubi_ledger::{
    proof::wallet::{LotsPart, WalletProof, WalletProofError},
    wallet::lots_hash,
};

use crate::common::*;
use crate::policies;

fn world() -> World {
    let mut world = World::with_past();
    world.fund("alice", "MEBUKU", 5_000);
    world.fund("bob", "MEBUKU", 5_000);
    world.apply("alice", pay("alice", "bob", 700), &[debit("alice"), credit("bob")]);
    world
}

fn code(proof: &WalletProof) -> &'static str {
    proof.verify(&policies()).unwrap_err().code()
}

#[test]
fn a_balance_is_proved_with_the_policies_alone() {
    let world = world();
    let proof = world.past().proof(&id("alice"));
    let bytes = proof.encode();
    let read = WalletProof::decode(&bytes).unwrap();
    assert_eq!(read, proof);
    let proven = read.verify(&policies()).unwrap();
    assert_eq!(proven.lots.unwrap(), world.wallet("alice").lots);
    assert_eq!((proven.header.party, proven.header.leaves), (id("alice"), 2));
    assert_eq!(proven.seal, world.last.seal);
    assert_eq!(proven.checkpoint.checkpoint.size(), world.last.head.size);
}

#[test]
fn a_header_is_proved_without_what_the_wallet_holds() {
    let world = world();
    let shown = world.past().proof(&id("alice"));
    let LotsPart::Shown { salt, lots } = &shown.wallet.lots else { panic!("lots are shown") };
    let hidden = WalletProof { wallet: shown.wallet.clone().without_lots(), ..shown.clone() };
    let proven = hidden.verify(&policies()).unwrap();
    assert_eq!((proven.lots, proven.header.leaves), (None, 2));
    // Nothing in the file opens the lots' hash: neither their salt nor the wallet's is there.
    let bytes = hidden.encode();
    let holds = |secret: &[u8]| bytes.windows(32).any(|window| window == secret);
    let wallet = world.wallet("alice");
    assert!(!holds(salt) && !holds(&wallet.salt) && holds(&hidden.wallet.header_salt));
    assert_ne!(lots_hash(&hidden.wallet.header_salt, lots), hidden.wallet.lots.hash());
}

#[test]
fn one_states_salts_do_not_open_the_next_state() {
    let mut world = world();
    let before = world.wallet("alice");
    world.fund("alice", "MEBUKU", 1);
    let after = world.wallet("alice");
    assert_ne!(before.salt, after.salt);
    let (one, two) = (before.part_salts(), after.part_salts());
    assert!(one.0 != two.0 && one.1 != two.1 && one.0 != one.1);
}

#[test]
fn whatever_is_altered_is_noticed() {
    let world = world();
    let good = world.past().proof(&id("alice"));
    let altered = |alter: &dyn Fn(&mut WalletProof)| {
        let mut proof = good.clone();
        alter(&mut proof);
        code(&proof)
    };
    let richer = |proof: &mut WalletProof| {
        let LotsPart::Shown { lots, .. } = &mut proof.wallet.lots else { panic!("shown") };
        lots[0].spendable.0 += 1;
    };
    assert_eq!(altered(&richer), "state_mismatch");
    assert_eq!(altered(&|p| p.wallet.header.leaves += 1), "state_mismatch");
    assert_eq!(altered(&|p| p.wallet.header.party = id("bob")), "state_mismatch");
    assert_eq!(altered(&|p| p.wallet.header_salt[0] ^= 1), "state_mismatch");
    assert_eq!(altered(&|p| p.wallet.state.rows[0] ^= 1), "state_mismatch");
    assert_eq!(altered(&|p| p.wallet.state.path[0][0] ^= 1), "state_mismatch");
    assert_eq!(altered(&|p| p.wallet.state.path.truncate(1)), "wrong_path_length");
    assert_eq!(altered(&|p| p.wallet.state.wallets += 1), "state_mismatch");
    assert_eq!(altered(&|p| p.wallet.header.serial = 1 << 40), "serial_beyond_count");
    assert_eq!(altered(&|p| p.wallet.seal.time.0 += 1), "seal_not_in_log");
    assert_eq!(altered(&|p| p.wallet.seal.state[0] ^= 1), "seal_not_in_log");
    assert_eq!(altered(&|p| p.wallet.index -= 1), "seal_not_in_log");
    assert_eq!(altered(&|p| p.wallet.inclusion[0][0] ^= 1), "seal_not_in_log");
    let past = world.past();
    assert_eq!(altered(&|p| p.checkpoint = past.note(&["city"])), "no_quorum");
    let bob = past.proof(&id("bob")).wallet;
    assert_eq!(altered(&|p| p.wallet.lots = bob.lots.clone()), "state_mismatch");
}

#[test]
fn other_bytes_are_no_proof() {
    let bytes = world().past().proof(&id("alice")).encode();
    for cut in 0..bytes.len() {
        assert!(matches!(WalletProof::decode(&bytes[..cut]), Err(WalletProofError::Codec(_))));
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(WalletProof::decode(&longer).unwrap_err().code(), "bad_wallet_proof");
}
