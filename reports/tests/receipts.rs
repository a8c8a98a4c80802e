//! Receipts from the ledger's own proof vectors: a payment's is made, an altered proof's and a rejection's is not.
#![allow(clippy::unwrap_used, missing_docs)]

use musubi_ledger::policy::{PolicyBundle, PolicyChain};
use musubi_reports::{
    format::pdf::{self, Fonts},
    names::Names,
    report::{Document, receipt},
    sum::Sum,
};
use serde_json::Value;

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../ledger/vectors/proofs.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn policies(vectors: &Value) -> PolicyChain {
    let bytes = hex::decode(vectors["bundle"].as_str().unwrap()).unwrap();
    let bundle = PolicyBundle::decode(&bytes).unwrap();
    bundle.verify(&bundle.chain().unwrap()).unwrap()
}

fn file(case: &Value) -> &[u8] {
    case["file"].as_str().unwrap().as_bytes()
}

#[test]
fn a_payments_receipt_says_who_paid_whom_what_and_carries_its_proof() {
    let vectors = vectors();
    let purchase = &vectors["proofs"][0];
    let made = receipt::make(file(purchase), &policies(&vectors), &Names::none("mebuku")).unwrap();
    assert_eq!(made.id.to_string(), purchase["id"].as_str().unwrap());
    let amounts: Vec<(String, Sum, Option<u8>)> =
        made.amounts.iter().map(|p| (p.instrument.to_string(), p.amount, p.decimals)).collect();
    assert_eq!(amounts, [("MEBUKU".into(), Sum(1_280), Some(0))]);
    assert!(made.final_by.contains(&"city".into()), "{:?}", made.final_by);
    let extras = made.extras(file(purchase));
    assert_eq!(extras.attachments[0].bytes, file(purchase));
    assert!(extras.code.is_some());
    let pdf = pdf::write(&made.sheet(), &extras, &Fonts::find(None).unwrap()).unwrap();
    let name = &extras.attachments[0].name;
    assert!(pdf.windows(name.len()).any(|window| window == name.as_bytes()));
    if let Ok(folder) = std::env::var("MUSUBI_KEEP_FILES") {
        std::fs::write(format!("{folder}/領収書.pdf"), &pdf).unwrap();
    }
}

#[test]
fn what_proves_no_payment_gives_no_receipt() {
    let vectors = vectors();
    let policies = policies(&vectors);
    let names = Names::none("mebuku");
    let code =
        |case: &Value| receipt::make(file(case), &policies, &names).unwrap_err().code().to_owned();
    assert_eq!(code(&vectors["proofs"][1]), "no_payment", "a rejection");
    assert_eq!(code(&vectors["proofs"][6]), "no_payment", "an expiry");
    for list in ["altered", "lies"] {
        for case in vectors[list].as_array().unwrap() {
            assert_eq!(code(case), "not_proved", "{}", case["name"]);
        }
    }
}
