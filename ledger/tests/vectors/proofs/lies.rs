//! What only a quorum that lies could sign: leaves that no execution makes. Whoever holds such a file holds evidence.

use crate::common::*;
use musubi_ledger::{
    hash::Hash,
    id::ChainId,
    leaf::{Leaf, LeafKind, SystemCause},
    outcome::{Account, Outcome, Posting, Sign},
    proof::{Opening, Subject},
    state::DueKind,
    tlog::{
        ProofFile,
        checkpoint::Checkpoint,
        merkle::{leaf_hash, node_hash},
    },
};

/// A log of two leaves, the second of which is the opening's, cosigned by everybody.
fn cosigned(opening: &Opening) -> Vec<u8> {
    let first = leaf_hash(b"any");
    let root = node_hash(&first, &leaf_hash(&opening.leaf.encode()));
    let checkpoint = Checkpoint::new(&genesis().origin(), 2, root).unwrap();
    let note = signed_by(&checkpoint, &VALIDATORS);
    let file = ProofFile::new(Some(opening.encode()), 1, vec![first], note).unwrap();
    file.to_string().into_bytes()
}

/// An opening whose leaf stands for it, whatever it says.
fn opened(subject: Subject, outcome: Outcome, code: Code) -> Opening {
    let (kind, of, signatures): (LeafKind, TxId, Hash) = match &subject {
        Subject::Transaction(tx) => (LeafKind::Transaction, tx.body.id(), tx.signatures_hash()),
        Subject::System(action) => (LeafKind::System, action.id(), [0; 32]),
    };
    let outcome_hash = outcome.hash(&subject.salt());
    let leaf =
        Leaf { kind, height: 9, time: BEGIN, id: of, code, signatures, outcome: outcome_hash };
    Opening { leaf, subject, outcome }
}

pub(super) fn all() -> Vec<(String, Vec<u8>, &'static str)> {
    let mut world = World::bare();
    let good = world.transaction("r1", pay("r1", "r2", 5), &[debit("r1"), credit("r2")]);
    let mut forged = good.clone();
    forged.signatures[1].bytes.0[40] ^= 1;
    let mut body = good.body.clone();
    body.chain = ChainId([9; 32]);
    let elsewhere = sign(body, &[debit("r1"), credit("r2")]);
    let lot = musubi_ledger::lot::Lot {
        instrument: instrument("MEBUKU"),
        use_expiry: None,
        origin: musubi_ledger::lot::OriginKind::Paid,
        funder: id("issuer"),
        campaign: 0,
    };
    let posting = |party: &str, sign, amount| Posting {
        account: Account::Wallet(id(party)),
        lot,
        holding: Holding::Spendable,
        sign,
        amount: Amount(amount),
    };
    let moved = |out, into| Outcome {
        postings: vec![posting("r1", Sign::Minus, out), posting("r2", Sign::Plus, into)],
        debit: Form::Live,
        credit: Form::Live,
        ..Outcome::default()
    };
    let action = SystemCause { kind: DueKind::Lots, cause: [1; 32], deadline: BEGIN };
    let of = |transaction: &Transaction, outcome, code| {
        cosigned(&opened(Subject::Transaction(transaction.clone()), outcome, code))
    };
    let system = |code| cosigned(&opened(Subject::System(action), Outcome::default(), code));
    // What they lie about would be a good proof otherwise.
    let truth = of(&good, moved(5, 5), Code::Applied);
    assert_eq!(super::verdict(&truth, &policies()), "verified");
    let rejected = Code::InsufficientFunds;
    vec![
        ("a forged signature".into(), of(&forged, moved(5, 5), Code::Applied), "bad_signature"),
        (
            "a body of another chain".into(),
            of(&elsewhere, moved(5, 5), Code::Applied),
            "other_chain",
        ),
        (
            "a void item with a leaf".into(),
            of(&good, Outcome::default(), Code::MissingConsent),
            "impossible_verdict",
        ),
        ("a system action rejected".into(), system(rejected), "impossible_verdict"),
        ("value invented".into(), of(&good, moved(5, 6), Code::Applied), "impossible_outcome"),
        ("rejected, yet it moved".into(), of(&good, moved(5, 5), rejected), "impossible_outcome"),
    ]
}
