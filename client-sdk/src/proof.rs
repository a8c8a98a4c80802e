//! A verified proof in words and in JSON: who paid whom what, when, by whose consent, and who stands for it.
//!
//! Everything said here was verified before ([`TransactionProof::verify`](ledger::proof::TransactionProof::verify))
//! or comes from the genesis document to which the policies go back. What a proof does not show is said too.

use musubi_ledger::{
    self as ledger,
    code::Code,
    genesis::Genesis,
    id::PartyId,
    leaf::SystemCause,
    outcome::{Account, Form, Outcome, Posting, Sign},
    policy::{Member, PolicyChain},
    proof::{ProvenTransaction, Subject},
    state::DueKind,
    time::Time,
    tlog::base64,
    transaction::{Role, Side, Signature},
    wallet::Holding,
};
use serde_json::{Value, json};

use crate::describe::{self, Glossary};

/// A heading and what stands under it.
pub type Section = (&'static str, Vec<String>);

/// What a genesis document says by itself about names and decimal places, for whoever has no other source.
#[must_use]
pub fn glossary(genesis: &Genesis) -> Glossary {
    let names = genesis.organisations.iter().map(|o| (o.party, o.name.clone()));
    let instruments = genesis.instruments.iter();
    Glossary {
        scheme: genesis.prefix().ok(),
        names: names.collect(),
        decimals: instruments.map(|i| (i.instrument, i.terms.decimals)).collect(),
        ..Glossary::default()
    }
}

/// The account of a proven transaction, section by section.
#[must_use]
pub fn account(
    proven: &ProvenTransaction,
    policies: &PolicyChain,
    glossary: &Glossary,
) -> Vec<Section> {
    let leaf = &proven.leaf;
    let when = format!("{}, in block {}, as leaf {}", leaf.time, leaf.height, proven.index);
    let verdict = match leaf.code {
        Code::Applied => vec!["applied".into()],
        code => vec![format!("rejected: {code}"), code.sentence().into()],
    };
    let mut sections = vec![("Verdict", verdict), ("When", vec![when])];
    match &proven.subject {
        Subject::Transaction(transaction) => {
            sections.push(("What was signed", describe::body(&transaction.body, glossary)));
            let signatures = transaction.signatures.iter();
            sections.push(("Signed by", signatures.map(|s| signature(s, glossary)).collect()));
        }
        Subject::System(action) => sections.push(("What happened", due(action, glossary))),
    }
    sections.push(("What moved", moved(&proven.outcome, glossary)));
    if leaf.code == Code::Applied {
        sections.push(("Consent", consent(&proven.outcome)));
    }
    sections.push(("Final by", stands_for_it(proven, policies, glossary)));
    sections
}

fn signature(signature: &Signature, glossary: &Glossary) -> String {
    let Signature { side, role, party, signer, .. } = signature;
    let side = match side {
        Side::Authority => "decides",
        Side::Debit => "gives",
        Side::Credit => "receives",
    };
    let role = match role {
        Role::Holder => "holder",
        Role::Drafter => "drafter",
        Role::Approver => "approver",
        Role::Representative => "representative",
        Role::Officer => "officer",
        Role::Issuer => "issuer",
        Role::Terminal => "terminal",
        Role::Funder => "funder",
        Role::Governance => "governance key",
        Role::Code => "code",
    };
    format!("{side} for {} as {role}, key {signer}", glossary.party(party))
}

fn due(action: &SystemCause, glossary: &Glossary) -> Vec<String> {
    let mut short = [0; 16];
    short.copy_from_slice(&action.cause[..16]);
    let party = || glossary.party(&PartyId(short));
    let id = || ledger::id::TxId(action.cause);
    let what = match action.kind {
        DueKind::Proposal => format!("Proposal {} came to its deadline", id()),
        DueKind::Request => format!("Payment request {} came to its end", id()),
        DueKind::Redemption => format!("Redemption {} came to its deadline unanswered", id()),
        DueKind::Recovery => format!("The recovery of {} took effect", party()),
        DueKind::Successors => format!("The successors of {} took office", party()),
        DueKind::Lots => format!("Value of {} came to its use expiry", party()),
        DueKind::Hold => format!("Hold {} came to its deadline unanswered", id()),
        DueKind::Claims => format!("Claims of {} came to the end of their redemption", party()),
    };
    vec![what, format!("Due at {}; nobody signs that", action.deadline)]
}

fn moved(outcome: &Outcome, glossary: &Glossary) -> Vec<String> {
    let mut lines: Vec<String> = outcome.postings.iter().map(|p| posting(p, glossary)).collect();
    let owed = outcome.receivables.iter().map(|owed| {
        let amount = glossary.amount(owed.instrument, owed.amount);
        let party = glossary.party(&owed.party);
        match owed.sign {
            Sign::Plus => format!("{party} owes the issuer {amount} from now on"),
            Sign::Minus => format!("{party} no longer owes the issuer {amount}"),
        }
    });
    lines.extend(owed);
    if lines.is_empty() {
        lines.push("nothing".into());
    }
    lines
}

fn posting(posting: &Posting, glossary: &Glossary) -> String {
    let sign = match posting.sign {
        Sign::Minus => '-',
        Sign::Plus => '+',
    };
    let amount = glossary.amount(posting.lot.instrument, posting.amount);
    let place = match (posting.account, posting.holding) {
        (Account::Issuance(party), _) if posting.sign == Sign::Minus => {
            format!("issued by {}", glossary.party(&party))
        }
        (Account::Issuance(party), _) => format!("back to {}, burnt", glossary.party(&party)),
        (Account::Wallet(party), Holding::Spendable) => glossary.party(&party),
        (Account::Wallet(party), Holding::Held) => format!("{}, held", glossary.party(&party)),
        (Account::Wallet(party), Holding::Claim) => {
            format!("{}, to be redeemed", glossary.party(&party))
        }
    };
    let origin = match posting.lot.origin {
        ledger::lot::OriginKind::Free => "free",
        ledger::lot::OriginKind::Grant => "grant",
        ledger::lot::OriginKind::Paid => "paid",
    };
    let expiry = posting.lot.use_expiry.map_or(String::new(), |end| format!(", until {end}"));
    format!("{sign}{amount} ({origin}{expiry})  {place}")
}

fn consent(outcome: &Outcome) -> Vec<String> {
    let form = |form| match form {
        Form::None => "nothing moves on this side",
        Form::Live => "by signatures here or on the proposal",
        Form::Mandate => "by a mandate given before",
        Form::Request => "by a payment request given before",
        Form::Allowance => "inside an allowance granted before",
        Form::Terms => "by the instrument's terms",
        Form::Attested => "attested by a registrar for a holder without keys",
        Form::Time => "nobody's: time acted, by the terms",
        Form::Run => "by a run's signed manifest",
        Form::Offer => "by an offer made before",
    };
    let mut lines = vec![
        format!("giving side: {}", form(outcome.debit)),
        format!("receiving side: {}", form(outcome.credit)),
    ];
    lines
        .extend(outcome.cites.iter().map(|id| format!("cites {id}, which has a proof of its own")));
    lines
}

fn stands_for_it(
    proven: &ProvenTransaction,
    policies: &PolicyChain,
    glossary: &Glossary,
) -> Vec<String> {
    let last = &proven.checkpoint;
    let (size, origin) = (last.checkpoint.size(), last.checkpoint.origin());
    let quorum = policies.at(size).policy().quorum;
    let members = policies.at(size).policy().members().len();
    let mut lines = vec![
        format!("the checkpoint of {origin} at {size} leaves"),
        format!("policy {}: {quorum} of {members} members must cosign", last.policy),
    ];
    lines.extend(last.cosigned.iter().map(|cosigned| {
        let who = match cosigned.member {
            Member::Organisation(party) => glossary.party(&party),
            Member::Independent => "an independent witness".into(),
        };
        let at = Time(cosigned.unix_seconds.saturating_mul(1_000));
        format!("{who}, by {}, {at}", cosigned.name)
    }));
    lines
}

/// The same for programs.
#[must_use]
pub fn to_json(proven: &ProvenTransaction, policies: &PolicyChain) -> Value {
    let (transaction, system) = match &proven.subject {
        Subject::Transaction(transaction) => (Some(transaction), None),
        Subject::System(action) => {
            let SystemCause { kind, cause, deadline } = action;
            let cause = hex::encode(cause);
            (None, Some(json!({ "kind": kind, "cause": cause, "deadline": deadline })))
        }
    };
    let last = &proven.checkpoint;
    let cosigned = last
        .cosigned
        .iter()
        .map(|c| json!({ "name": c.name, "member": c.member, "unix_seconds": c.unix_seconds }));
    json!({
        "chain": policies.chain(),
        "id": proven.leaf.id,
        "leaf": proven.index,
        "height": proven.leaf.height,
        "time": proven.leaf.time,
        "code": proven.leaf.code,
        "transaction": transaction,
        "system": system,
        "outcome": proven.outcome,
        "checkpoint": {
            "origin": last.checkpoint.origin(),
            "size": last.checkpoint.size(),
            "root": base64::encode(last.checkpoint.root()),
            "policy": last.policy,
            "quorum": policies.at(last.checkpoint.size()).policy().quorum,
            "logs": last.logs,
            "cosigned": cosigned.collect::<Vec<_>>(),
        },
    })
}
