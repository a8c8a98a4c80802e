//! A second epoch for the city: of its three validators the first survived.

use musubi_ledger::{
    batch::NodeId,
    code::Code,
    epoch::first_term,
    genesis::Node,
    operation::{BeginEpoch, Operation},
    policy::WitnessPolicy,
    tlog::{Algorithm, Checkpoint, NoteSignature, SignedNote, VerifierKey},
    transaction::Transaction,
};

use super::{World, genesis, id, key};

/// A validator of an organisation with new keys.
pub fn new_validator(number: u64, organisation: &str) -> Node {
    let of = |part: &str| key(&format!("{organisation}/{part}/2")).public();
    Node {
        id: NodeId(number),
        organisation: id(organisation),
        transport: of("transport"),
        node: of("node"),
        cosigner: of("cosigner"),
    }
}

/// The city's validator goes on, with two new ones beside it.
pub fn validators() -> Vec<Node> {
    vec![genesis().nodes[0].clone(), new_validator(4, "operator"), new_validator(5, "partner")]
}

/// The recovery that goes on from where the world stands.
pub fn begin_epoch(world: &World, checkpoint: Option<String>) -> BeginEpoch {
    let head = world.chain.head();
    let validators = validators();
    BeginEpoch {
        epoch: 2,
        last_index: head.height,
        last_term: 1,
        size: head.size,
        root: world.chain.root(),
        checkpoint,
        policy: WitnessPolicy::of_nodes(&genesis(), 2, &validators, &[]),
        validators,
        opener: NodeId(1),
        reason: "two data centres burnt".into(),
    }
}

/// Orders a recovery where it says that it belongs.
pub fn recover(world: &mut World, transaction: &Transaction) -> Code {
    let Operation::BeginEpoch(op) = &transaction.body.operation else { panic!("a recovery") };
    let place = (first_term(op.epoch), op.last_index + 1);
    world.block_at(place, (op.opener, "city/node"), vec![transaction.encode()])[0]
}

/// A checkpoint of an epoch, signed by nodes as the log and by cosigners: (number, name of its key).
pub fn note_of(epoch: u32, at: (u64, [u8; 32]), log: &str, cosigners: &[(u64, &str)]) -> String {
    let origin = genesis().origin_of(epoch);
    let text = Checkpoint::new(&origin, at.0, at.1).unwrap().to_string();
    let mut note = SignedNote::new(text.clone()).unwrap();
    let secret = key(log);
    let by = VerifierKey::new(&origin, Algorithm::Ed25519, &secret.public().0).unwrap();
    note.add(NoteSignature::sign(&text, &by, |message| secret.sign(message).0)).unwrap();
    for (number, name) in cosigners {
        let secret = key(name);
        let name = musubi_ledger::policy::cosigner_name(&genesis(), NodeId(*number));
        let by = VerifierKey::new(&name, Algorithm::CosignatureV1, &secret.public().0).unwrap();
        let sign = |message: &[u8]| secret.sign(message).0;
        note.add(NoteSignature::cosign(&text, &by, 1_775_001_700, sign)).unwrap();
    }
    note.to_string()
}

/// Those who cosign in the first epoch, and in the second.
pub const OLD_VOICES: [(u64, &str); 2] = [(1, "city/cosigner"), (2, "operator/cosigner")];
/// The second epoch's.
pub const NEW_VOICES: [(u64, &str); 2] = [(1, "city/cosigner"), (4, "operator/cosigner/2")];
