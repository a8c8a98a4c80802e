//! Receipts from the ledger's own proof vectors: a payment's is made, an altered proof's and a rejection's is not.
#![allow(clippy::unwrap_used, missing_docs)]

use musubi_ledger::{
    document::tax::TaxLine,
    policy::{PolicyBundle, PolicyChain},
};
use musubi_reports::{
    format::pdf::{self, Fonts},
    names::Names,
    report::{
        Document,
        receipt::{self, Shown},
    },
    sheet::Cell,
    sum::Sum,
};
use serde_json::Value;

#[path = "../../ledger/tests/common/mod.rs"]
mod city;

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
    let made =
        receipt::make(file(purchase), None, &policies(&vectors), &Names::none("mebuku")).unwrap();
    assert_eq!(made.id.to_string(), purchase["id"].as_str().unwrap());
    let amounts: Vec<(String, Sum, Option<u8>)> =
        made.amounts.iter().map(|p| (p.instrument.to_string(), p.amount, p.decimals)).collect();
    assert_eq!(amounts, [("MEBUKU".into(), Sum(1_280), Some(0))]);
    assert!(made.final_by.contains(&"city".into()), "{:?}", made.final_by);
    let extras = made.extras(file(purchase), None);
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
    let code = |case: &Value| {
        receipt::make(file(case), None, &policies, &names).unwrap_err().code().to_owned()
    };
    assert_eq!(code(&vectors["proofs"][1]), "no_payment", "a rejection");
    assert_eq!(code(&vectors["proofs"][6]), "no_payment", "an expiry");
    for list in ["altered", "lies"] {
        for case in vectors[list].as_array().unwrap() {
            assert_eq!(code(case), "not_proved", "{}", case["name"]);
        }
    }
}

/// A sale with its invoice, of goods at both rates, and another sale; proofs of all, and the invoice's paper.
struct Invoiced {
    sale: Vec<u8>,
    other: Vec<u8>,
    invoice: Vec<u8>,
    paper: &'static [u8],
}

fn invoiced() -> Invoiced {
    use city::{By, Operation, own};
    let mut w = city::World::new();
    w.fund("alice", "MEBUKU", 10_000);
    let sale = w.sale("alice", "shop", "MEBUKU", 1_512);
    let other = w.sale("alice", "shop", "MEBUKU", 1_512);
    let paper: &[u8] = b"%PDF-1.7 bread, and a bag";
    let by: [By; 1] = [own("shop")];
    let reduced = city::tax_line(80, 1_080, 86);
    let lines = vec![TaxLine { reduced: true, ..reduced }, city::tax_line(100, 315, 31)];
    let body = city::DocumentHash(musubi_ledger::hash::sha256(paper));
    let kind = city::invoice(Some(sale), lines);
    let addressee = Some(city::id("alice"));
    let op = city::IssueDocument { body, addressee, ..city::issue("shop", "I-1", kind) };
    let invoice = w.apply("shop", Operation::IssueDocument(op), &by);
    let proof = |id| w.prove(w.archive.entry(id), &city::VALIDATORS).to_string().into_bytes();
    Invoiced { sale: proof(sale), other: proof(other), invoice: proof(invoice), paper }
}

#[test]
fn an_invoice_shows_number_and_tax_by_rate_and_its_paper_comes_along() {
    let Invoiced { sale, invoice, paper, .. } = invoiced();
    let (policies, names) = (city::policies(), Names::none("mebuku"));
    let shown = Some(Shown { proof: &invoice, paper: Some(paper) });
    let made = receipt::make(&sale, shown, &policies, &names).unwrap();
    let said = made.document.as_ref().unwrap();
    assert_eq!(said.invoice.as_ref().unwrap().registration.to_string(), "T1234567890123");
    assert!(said.paper_at_hand);
    let sheet = made.sheet();
    let fact = |label: &str| {
        let found = sheet.facts.iter().find(|(of, _)| of == label);
        found.unwrap_or_else(|| panic!("no {label}")).1.clone()
    };
    assert_eq!(fact("登録番号"), "T1234567890123");
    assert!(fact("書類番号").starts_with("適格請求書 I-1"));
    let rows: Vec<Vec<String>> =
        sheet.tables[1].rows.iter().map(|row| row.iter().map(Cell::shown).collect()).collect();
    let expected = [
        ["8%※", "1,080", "86"],
        ["10%", "315", "31"],
        ["合計", "1,395", "117"],
        ["合計（税込）", "1,512", ""],
    ];
    assert_eq!(rows, expected);
    assert!(sheet.notes.iter().all(|note| !note.contains("加盟店が発行する電子領収書を参照")));
    let extras = made.extras(&sale, shown);
    let bytes: Vec<&[u8]> = extras.attachments.iter().map(|file| file.bytes.as_slice()).collect();
    assert_eq!(bytes, [sale.as_slice(), invoice.as_slice(), paper]);
    let pdf = pdf::write(&sheet, &extras, &Fonts::find(None).unwrap()).unwrap();
    assert_eq!(pdf, pdf::write(&sheet, &extras, &Fonts::find(None).unwrap()).unwrap());
    if let Ok(folder) = std::env::var("MUSUBI_KEEP_FILES") {
        std::fs::write(format!("{folder}/領収書（適格請求書）.pdf"), &pdf).unwrap();
    }
    // Without the paper, it says where that is.
    let alone = Some(Shown { proof: &invoice, paper: None });
    let made = receipt::make(&sale, alone, &policies, &names).unwrap();
    assert_eq!(made.extras(&sale, alone).attachments.len(), 2);
}

#[test]
fn another_payments_invoice_and_another_paper_are_refused() {
    let Invoiced { sale, other, invoice, paper } = invoiced();
    let (policies, names) = (city::policies(), Names::none("mebuku"));
    let refused = |payment: &[u8], proof: &[u8], paper: Option<&[u8]>| {
        let shown = Some(Shown { proof, paper });
        receipt::make(payment, shown, &policies, &names).unwrap_err().code().to_owned()
    };
    assert_eq!(refused(&other, &invoice, Some(paper)), "other_document");
    assert_eq!(refused(&sale, &other, None), "other_document", "a payment is no document");
    assert_eq!(refused(&sale, &invoice, Some(b"%PDF-1.7 bread, and two bags")), "other_paper");
    let text = String::from_utf8(invoice.clone()).unwrap();
    let forged = text.replacen("c2sp.org", "c2sp.com", 1);
    assert_eq!(refused(&sale, forged.as_bytes(), Some(paper)), "not_proved");
}
