//! The opening: leaf, body, signatures, outcome, and its bytes.

use super::{Case, named};
use crate::common::*;
use musubi_ledger::{
    amount::Amount,
    fact::Fact,
    id::{ChainId, Salt},
    leaf::LeafKind,
    outcome::{Account, Outcome, Owed, Sign},
    proof::{Opening, Subject, TransactionProof},
    state::DueKind,
    tlog::ProofFile,
};

/// What is altered, and how.
type Change<'c, T> = (&'c str, &'c dyn Fn(&mut T));

pub(super) fn all(proof: &TransactionProof) -> Vec<Case> {
    [leaf(proof), body(proof), signatures(proof), outcome(proof), form(proof)].concat()
}

/// The same file around another opening.
fn reopened(proof: &TransactionProof, extra: Vec<u8>) -> Vec<u8> {
    let file = proof.file();
    let (hashes, note) = (file.hashes().to_vec(), file.checkpoint().to_owned());
    ProofFile::new(Some(extra), file.index(), hashes, note).unwrap().to_string().into_bytes()
}

fn opening(proof: &TransactionProof) -> Opening {
    Opening::decode(proof.file().extra().unwrap()).unwrap()
}

fn changed(proof: &TransactionProof, change: &dyn Fn(&mut Opening)) -> Vec<u8> {
    let mut opening = opening(proof);
    change(&mut opening);
    reopened(proof, opening.encode())
}

fn leaf(proof: &TransactionProof) -> Vec<Case> {
    let fields: [Change<'_, Opening>; 7] = [
        ("kind", &|o| o.leaf.kind = LeafKind::System),
        ("height", &|o| o.leaf.height += 1),
        ("time", &|o| o.leaf.time.0 -= 1),
        ("id", &|o| o.leaf.id.0[0] ^= 1),
        ("verdict", &|o| o.leaf.code = Code::InsufficientFunds),
        ("signatures' hash", &|o| o.leaf.signatures[0] ^= 1),
        ("outcome's hash", &|o| o.leaf.outcome[0] ^= 1),
    ];
    let case = |(name, change): Change<'_, Opening>| {
        named(&format!("the leaf's {name}"), changed(proof, change), "root_mismatch")
    };
    fields.into_iter().map(case).collect()
}

fn of_body(proof: &TransactionProof, change: &dyn Fn(&mut Body)) -> Vec<u8> {
    changed(proof, &|opening| {
        let Subject::Transaction(transaction) = &mut opening.subject else { unreachable!() };
        change(&mut transaction.body);
    })
}

fn of_movement(proof: &TransactionProof, change: &dyn Fn(&mut Movement)) -> Vec<u8> {
    of_body(proof, &|body| {
        let Operation::Transfer(movement) = &mut body.operation else { unreachable!() };
        change(movement);
    })
}

fn body(proof: &TransactionProof) -> Vec<Case> {
    let fields: [Change<'_, Body>; 10] = [
        ("chain", &|b| b.chain = ChainId([0; 32])),
        ("rules version", &|b| b.rules_version += 1),
        ("sender", &|b| b.sender = id("bob")),
        ("reference", &|b| b.reference = "receipt-2026-0043".parse().unwrap()),
        ("salt", &|b| b.salt = Salt([0; 16])),
        ("expiry", &|b| b.expires.0 += 1),
        ("purpose", &|b| b.purpose = Purpose::DUES),
        ("memo", &|b| b.memo = Some(document("memo"))),
        ("answered request", &|b| b.answers = Some(TxId([1; 32]))),
        ("operation", &|b| b.operation = Operation::RevokeMandate { mandate: TxId([1; 32]) }),
    ];
    let parts: [Change<'_, Movement>; 5] = [
        ("payer", &|m| m.from = id("bob")),
        ("payee", &|m| m.to = id("mart")),
        ("amount", &|m| m.legs[0].amount = Amount(128)),
        ("instrument", &|m| m.legs[0].instrument = instrument("COIN")),
        ("payee's consent", &|m| m.credit = Citation::Request),
    ];
    let fields = fields.map(|(name, change)| (name, of_body(proof, change)));
    let parts = parts.map(|(name, change)| (name, of_movement(proof, change)));
    let case = |(name, file)| named(&format!("the body's {name}"), file, "id_mismatch");
    fields.into_iter().chain(parts).map(case).collect()
}

fn signatures(proof: &TransactionProof) -> Vec<Case> {
    let with = |change: &dyn Fn(&mut Transaction)| {
        changed(proof, &|opening| {
            let Subject::Transaction(transaction) = &mut opening.subject else { unreachable!() };
            change(transaction);
        })
    };
    let mallory = key("mallory");
    let forged = |tx: &mut Transaction| {
        let signature = tx.body.sign(Side::Debit, Role::Holder, id("alice"), &mallory);
        *tx = Transaction::new(tx.body.clone(), [tx.signatures.clone(), vec![signature]].concat());
    };
    let code = "signatures_mismatch";
    vec![
        named("a signature's bytes", with(&|t| t.signatures[0].bytes.0[9] ^= 1), code),
        named("a signer", with(&|t| t.signatures[1].signer = mallory.public()), code),
        named("a signature's role", with(&|t| t.signatures[1].role = Role::Terminal), code),
        named("the party acted for", with(&|t| t.signatures[1].party = id("mart")), code),
        named("a signature less", with(&|t| t.signatures.truncate(1)), code),
        named("a good signature more", with(&forged), code),
        named("signatures out of order", with(&|t| t.signatures.swap(0, 1)), "bad_form"),
    ]
}

fn outcome(proof: &TransactionProof) -> Vec<Case> {
    let fields: [Change<'_, Outcome>; 10] = [
        ("amount", &|o| o.postings.iter_mut().for_each(|p| p.amount = Amount(1))),
        ("account", &|o| o.postings[1].account = Account::Wallet(id("mart"))),
        ("lot", &|o| o.postings.iter_mut().for_each(|p| p.lot.campaign = 9)),
        ("holding", &|o| o.postings[1].holding = Holding::Spendable),
        ("order", &|o| o.postings.swap(0, 1)),
        ("form of the debit", &|o| o.debit = Form::Attested),
        ("form of the credit", &|o| o.credit = Form::Mandate),
        ("cited grants", &|o| o.cites.push(TxId([1; 32]))),
        ("receivables", &|o| {
            let owed = Owed {
                party: id("shop"),
                instrument: instrument("MEBUKU"),
                sign: Sign::Plus,
                amount: Amount(1),
            };
            o.receivables.push(owed);
        }),
        ("facts", &|o| {
            o.facts.push(Fact::Taken { offer: TxId([1; 32]), units: 1, entitlement: None });
        }),
    ];
    let case = |(name, change): Change<'_, Outcome>| {
        let file = changed(proof, &|opening| change(&mut opening.outcome));
        named(&format!("the outcome's {name}"), file, "outcome_mismatch")
    };
    let emptied = changed(proof, &|opening| opening.outcome = Outcome::default());
    fields
        .into_iter()
        .map(case)
        .chain([named("no postings", emptied, "outcome_mismatch")])
        .collect()
}

/// The opening's bytes.
fn form(proof: &TransactionProof) -> Vec<Case> {
    let whole = proof.file().extra().unwrap().to_vec();
    // Behind the leaf and the subject's tag: the body's length and the body.
    let body_at = 119 + 4;
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        reopened(proof, bytes)
    };
    vec![
        named("an opening of version 2", with(&|b| b[0] = 2), "bad_opening"),
        named("an opening cut off", with(&|b| b.truncate(b.len() - 1)), "bad_opening"),
        named("a byte behind the opening", with(&|b| b.push(0)), "bad_opening"),
        named("an unknown kind of leaf", with(&|b| b[1] = 4), "bad_opening"),
        named("an unknown verdict", with(&|b| b[54] = 0xff), "bad_opening"),
        named("an unknown kind of subject", with(&|b| b[119] = 2), "bad_opening"),
        named("a body of version 2", with(&|b| b[body_at + 8] = 2), "bad_body"),
        named(
            "a body one byte short",
            with(&|b| {
                b[body_at] -= 1;
                b.remove(body_at + 8 + 100);
            }),
            "bad_body",
        ),
    ]
}

/// Parts of one proof in another.
pub(super) fn others(
    purchase: &TransactionProof,
    rejected: &TransactionProof,
    system: &TransactionProof,
) -> Vec<Case> {
    let of_system = |change: &dyn Fn(&mut musubi_ledger::leaf::SystemCause)| {
        changed(system, &|opening| {
            let Subject::System(action) = &mut opening.subject else { unreachable!() };
            change(action);
        })
    };
    let swapped = |to: &TransactionProof, from: &TransactionProof| {
        let subject = opening(from).subject;
        changed(to, &|opening| opening.subject = subject.clone())
    };
    let borrowed = opening(purchase).outcome;
    let moved = changed(rejected, &|opening| opening.outcome = borrowed.clone());
    vec![
        named(
            "another transaction's opening",
            reopened(purchase, rejected.file().extra().unwrap().into()),
            "root_mismatch",
        ),
        named("another transaction under this leaf", swapped(purchase, rejected), "id_mismatch"),
        named(
            "a system action under a transaction's leaf",
            swapped(purchase, system),
            "other_kind",
        ),
        named("a transaction under a system leaf", swapped(system, purchase), "other_kind"),
        named("postings for a rejected transaction", moved, "outcome_mismatch"),
        named(
            "another kind of system action",
            of_system(&|a| a.kind = DueKind::Recovery),
            "id_mismatch",
        ),
        named("another cause", of_system(&|a| a.cause[31] ^= 1), "id_mismatch"),
        named("another deadline", of_system(&|a| a.deadline.0 += 1), "id_mismatch"),
    ]
}
