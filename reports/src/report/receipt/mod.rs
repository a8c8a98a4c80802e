//! The receipt (領収書) of a payment, from its proof alone: verified offline against the ledger's policies, with the proof
//! inside the file, so that whoever gets the paper's file can verify it too.

mod paper;

use std::collections::BTreeMap;

use musubi_ledger::{
    code::Code,
    operation::Operation,
    outcome::{Account, Posting, Sign},
    policy::{Cosigned, Member, PolicyChain},
    proof::{ProvenTransaction, TransactionProof},
    transaction::{Body, Purpose},
};
use musubi_sdk::{ChainId, InstrumentId, PartyId, Time, TxId, image::QrImage, proof};
use serde::Serialize;

pub use self::paper::{Fields, Said};
use super::Document;
use crate::{
    error::ReportError,
    format::pdf::{Attachment, Extras},
    names::{Named, Names},
    sheet::{Cell, Column, Sheet, Table, minute},
    sum::Sum,
    words,
};

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// The chain.
    pub chain: ChainId,
    /// The payment.
    pub id: TxId,
    /// Its leaf in the log.
    pub leaf: u64,
    /// The block.
    pub height: u64,
    /// When.
    pub time: Time,
    /// Who paid; the issuer where value was issued.
    pub payer: Named,
    /// Who was paid.
    pub payee: Named,
    /// What for.
    pub purpose: Purpose,
    /// On whose behalf, by the roster.
    pub on_behalf_of: Option<String>,
    /// How much of which instrument.
    pub amounts: Vec<Paid>,
    /// What the payee said about it, if that was shown.
    pub document: Option<Said>,
    /// Who stands for the checkpoint above it.
    pub final_by: Vec<String>,
    /// Origin of the checkpoint.
    pub origin: String,
    /// Size of the log at the checkpoint.
    pub size: u64,
}

/// A document that was shown beside the payment.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'s> {
    /// The proof of the transaction that issued it.
    pub proof: &'s [u8],
    /// The paper, if it is at hand.
    pub paper: Option<&'s [u8]>,
}

/// An amount of one instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paid {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Its places, if the genesis document names it; otherwise the amount is in its smallest unit.
    pub decimals: Option<u8>,
    /// How much.
    pub amount: Sum,
}

/// Verifies a proof and makes the receipt of it, with what the payee said about the payment if that is shown.
///
/// # Errors
/// `not_proved` if a proof does not hold; `no_payment` if what it proves is none; `other_document` and `other_paper` if
/// what is shown is not about this payment, or not what was issued.
pub fn make(
    file: &[u8],
    shown: Option<Shown<'_>>,
    policies: &PolicyChain,
    names: &Names,
) -> Result<Receipt, ReportError> {
    let proven = TransactionProof::parse(file).and_then(|proof| proof.verify(policies));
    let proven = proven.map_err(|error| {
        let next = "believe nothing of it; fetch it again with `musubi proof get`";
        ReportError::asked("not_proved", error.to_string(), next)
    })?;
    let body = proven.body().filter(|_| proven.leaf.code == Code::Applied);
    let (Some(body), Some((payer, payee))) = (body, sides(&proven)) else {
        let what = format!("{} moved nothing from one party to another", proven.leaf.id);
        let next =
            "give the proof of a payment; a payout's is that of the consent that completed it";
        return Err(ReportError::asked("no_payment", what, next));
    };
    let document = match shown {
        Some(Shown { proof, paper }) => {
            Some(paper::said(proof, paper, &paid_under(&proven, body), policies, names)?)
        }
        None => None,
    };
    Ok(Receipt { document, ..receipt(&proven, body, (payer, payee), policies, names) })
}

/// The ids by which documents cite a payment: its own; of a payout, its proposal's; of dues, the request that it answers
/// is cited only where cash was paid.
fn paid_under(proven: &ProvenTransaction, body: &Body) -> Vec<TxId> {
    let proposal = match &body.operation {
        Operation::Decide(op) => Some(op.proposal),
        _ => None,
    };
    std::iter::once(proven.leaf.id).chain(proposal).collect()
}

fn receipt(
    proven: &ProvenTransaction,
    body: &Body,
    (payer, payee): (PartyId, PartyId),
    policies: &PolicyChain,
    names: &Names,
) -> Receipt {
    let known: BTreeMap<InstrumentId, u8> =
        proof::glossary(policies.genesis()).decimals.into_iter().collect();
    let paid = |(instrument, amount): (InstrumentId, i128)| Paid {
        instrument,
        decimals: known.get(&instrument).copied(),
        amount: Sum(amount),
    };
    let checkpoint = &proven.checkpoint.checkpoint;
    Receipt {
        chain: policies.chain(),
        id: proven.leaf.id,
        leaf: proven.index,
        height: proven.leaf.height,
        time: proven.leaf.time,
        payer: names.of(payer),
        payee: names.of(payee),
        purpose: body.purpose,
        on_behalf_of: body.on_behalf_of.map(|line| names.line(line)),
        amounts: amounts(proven, payer).into_iter().map(paid).collect(),
        document: None,
        final_by: proven.checkpoint.cosigned.iter().map(|who| cosigner(who, policies)).collect(),
        origin: checkpoint.origin().to_string(),
        size: checkpoint.size(),
    }
}

/// The organisation behind a cosignature, by its name in the genesis document.
fn cosigner(cosigned: &Cosigned, policies: &PolicyChain) -> String {
    let organisations = &policies.genesis().organisations;
    let of = |party| organisations.iter().find(|o| o.party == party).map(|o| o.name.clone());
    match cosigned.member {
        Member::Organisation(party) => of(party).unwrap_or_else(|| cosigned.name.clone()),
        Member::Independent => format!("{}（独立証人）", cosigned.name),
    }
}

fn party(account: Account) -> PartyId {
    match account {
        Account::Wallet(party) | Account::Issuance(party) => party,
    }
}

/// Who gave and who received: postings stand in the order in which they were made, the payment's own first.
fn sides(proven: &ProvenTransaction) -> Option<(PartyId, PartyId)> {
    let postings = &proven.outcome.postings;
    let first = |sign| postings.iter().find(|posting: &&Posting| posting.sign == sign);
    let (payer, payee) = (party(first(Sign::Minus)?.account), party(first(Sign::Plus)?.account));
    (payer != payee).then_some((payer, payee))
}

/// What the payer gave, by instrument.
fn amounts(proven: &ProvenTransaction, payer: PartyId) -> BTreeMap<InstrumentId, i128> {
    let mut sums = BTreeMap::new();
    let given = |posting: &&Posting| party(posting.account) == payer && posting.sign == Sign::Minus;
    for posting in proven.outcome.postings.iter().filter(given) {
        *sums.entry(posting.lot.instrument).or_default() += i128::from(posting.amount.0);
    }
    sums
}

impl Receipt {
    /// The proof as an attachment, with what was shown of the payee's document, and a code: of the proof itself where it
    /// fits, else of where it stands in the log.
    #[must_use]
    pub fn extras(&self, proof: &[u8], shown: Option<Shown<'_>>) -> Extras {
        let whole = std::str::from_utf8(proof).ok().and_then(|text| QrImage::new(text).ok());
        let place = format!("MUSUBI-PROOF:{}/{}/{}", self.chain, self.leaf, self.id);
        let (code, caption) = match whole {
            Some(code) => (Some(code), "証明書の全文です。`musubi proof verify` で検証できます。"),
            None => (
                QrImage::new(&place).ok(),
                "台帳・葉・取引の番号です。証明書はこの PDF に添付されています。",
            ),
        };
        let proof_of = |id: TxId, of: &str, bytes: &[u8]| Attachment {
            name: format!("{}.tlog-proof", &id.to_string()[..16]),
            description: format!("{of}の証明書（C2SP tlog-proof）"),
            bytes: bytes.to_vec(),
        };
        let mut attachments = vec![proof_of(self.id, "取引", proof)];
        if let (Some(said), Some(Shown { proof, paper })) = (&self.document, shown) {
            attachments.push(proof_of(said.issued_by, "書類の発行", proof));
            attachments.extend(paper.map(|bytes| Attachment {
                name: paper_name(said, bytes),
                description: "発行者の書面".into(),
                bytes: bytes.to_vec(),
            }));
        }
        Extras { attachments, code: code.map(|code| (code, caption.into())) }
    }
}

/// A name that tells which paper it is; what kind of file, a PDF says itself.
fn paper_name(said: &Said, bytes: &[u8]) -> String {
    let end = if bytes.starts_with(b"%PDF-") { ".pdf" } else { "" };
    format!("paper-{}{end}", &said.paper.to_string()[..16])
}

impl Document for Receipt {
    fn sheet(&self) -> Sheet {
        let columns = vec![Column::words("種類", 20), Column::figures("金額", 20)];
        let mut table = Table::new("amounts", "内訳", columns);
        let mut notes = vec![
            "受取人の電子署名または事前の同意により成立し、訂正は取消の記録によってのみ行われます。".into(),
        ];
        let invoice = self.document.as_ref().and_then(|said| said.invoice.as_ref());
        if invoice.is_none() {
            notes.push(
                "適格請求書（インボイス）の記載事項は、加盟店が発行する電子領収書を参照してください。"
                    .into(),
            );
        }
        for paid in &self.amounts {
            table.push(vec![
                Cell::text(paid.instrument.to_string()),
                Cell::Sum(paid.amount, paid.decimals.unwrap_or(0)),
            ]);
            if paid.decimals.is_none() {
                notes.push(format!("{} の金額は最小単位で記しています。", paid.instrument));
            }
        }
        let mut facts = vec![
            ("支払人".into(), format!("{} 様", self.payer.name)),
            ("受取人".into(), self.payee.name.clone()),
            ("日時".into(), format!("{}（日本時間）", minute(self.time))),
        ];
        facts.push(("但し".into(), words::purpose(self.purpose)));
        if let Some(line) = &self.on_behalf_of {
            facts.push(("対象者".into(), line.clone()));
        }
        facts.extend(self.document.iter().flat_map(Said::facts));
        facts.extend([
            ("取引番号".into(), self.id.to_string()),
            ("台帳".into(), format!("{}（{}）", self.origin, self.chain)),
            (
                "記録".into(),
                format!("ブロック {}・葉 {}（全 {} 葉）", self.height, self.leaf, self.size),
            ),
            ("確定の署名".into(), self.final_by.join("、")),
        ]);
        let mut tables = vec![table];
        tables.extend(self.document.iter().filter_map(Said::table));
        notes.extend(self.document.iter().flat_map(Said::notes));
        Sheet { title: "領収書".into(), facts, tables, notes }
    }
}
