//! What a body does, in plain words, for whoever is about to sign it. Nothing is left out that changes
//! what the signature means; ids that nobody can read are printed so that they can be compared.

use std::collections::BTreeMap;

use crate::describe_offer::{about_offers, showing};
pub use crate::{
    describe_document::{document_text, dues_text, kind_name, kind_text},
    describe_offer::{offer_state, offer_text},
    describe_rule::rule_text,
};

use musubi_ledger::{
    address::SchemePrefix,
    amount::Amount,
    id::{InstrumentId, PartyId, TxId},
    mandate::{Counterparty, Direction, MandateTerms},
    operation::{
        Citation, Decision, HoldAnswer, Leg, Movement, Operation, Pay, PayWithCoupons,
        RedemptionAnswer, RepayBy, Settle, TopUp,
    },
    transaction::{Body, Purpose},
};

/// How parties and amounts are shown: names that the caller knows, addresses otherwise.
#[derive(Clone, Debug, Default)]
pub struct Glossary {
    /// The scheme whose addresses are printed; the machine form if absent.
    pub scheme: Option<SchemePrefix>,
    /// Names from the caller's own address book.
    pub names: BTreeMap<PartyId, String>,
    /// Decimal places per instrument; 0 where unknown.
    pub decimals: BTreeMap<InstrumentId, u8>,
    /// What known allowances issue: a top-up names only its allowance.
    pub allowed: BTreeMap<TxId, InstrumentId>,
}

impl Glossary {
    /// A party: its name and address, or the address alone.
    #[must_use]
    pub fn party(&self, id: &PartyId) -> String {
        let address = match &self.scheme {
            Some(scheme) => scheme.address(*id),
            None => id.to_string(),
        };
        match self.names.get(id) {
            Some(name) => format!("{name} ({address})"),
            None => address,
        }
    }

    /// An amount with its instrument: `1,280 MONEY`. Where it has decimal places, which are only as
    /// true as who told them, also as it is signed: `12.80 DOLLAR (1,280 of its smallest unit)`.
    #[must_use]
    pub fn amount(&self, instrument: InstrumentId, amount: Amount) -> String {
        let decimals = self.decimals.get(&instrument).copied().unwrap_or(0);
        let text = format!("{} {instrument}", grouped(amount, decimals));
        match decimals {
            0 => text,
            _ => format!("{text} ({} of its smallest unit)", grouped(amount, 0)),
        }
    }

    fn legs(&self, legs: &[Leg]) -> String {
        let each = legs.iter().map(|leg| self.amount(leg.instrument, leg.amount));
        each.collect::<Vec<_>>().join(" and ")
    }
}

/// An amount with thousands separated: 1234567 with 2 decimals is `12,345.67`.
#[must_use]
pub fn grouped(amount: Amount, decimals: u8) -> String {
    let text = amount.to_decimal(decimals).to_string();
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (text.as_str(), String::new()),
    };
    let mut grouped = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &fraction
}

/// A purpose's name, or its number.
#[must_use]
pub fn purpose(purpose: Purpose) -> String {
    let name = match purpose {
        Purpose::NONE => "none given",
        Purpose::PURCHASE => "purchase",
        Purpose::DUES => "dues (会費)",
        Purpose::REWARD => "reward (謝金)",
        Purpose::EXPENSE => "expense",
        Purpose::PARTICIPATION => "participation fee",
        Purpose::GRANT => "grant",
        Purpose::DONATION => "donation",
        Purpose(number) => return format!("purpose {number}"),
    };
    name.into()
}

/// All lines about a body.
pub(crate) fn body(body: &Body, glossary: &Glossary) -> Vec<String> {
    let mut lines = operation(&body.operation, glossary);
    if body.purpose != Purpose::NONE {
        lines.push(format!("For: {}", purpose(body.purpose)));
    }
    if let Some(request) = &body.answers {
        lines.push(format!("Answers payment request {request}"));
    }
    if let Some(line) = &body.on_behalf_of {
        lines.push(format!("On behalf of roster line {line}"));
    }
    if let Some(memo) = &body.memo {
        lines.push(format!("With a memo whose hash is {memo}"));
    }
    lines.push(format!("Sent by {}", glossary.party(&body.sender)));
    lines.push(format!("Reference {}", body.reference));
    lines.push(format!("Valid until {}", body.expires));
    lines.push(format!("Transaction {}", body.id()));
    lines
}

/// The earlier transaction that an operation is about, where it names that only by its id: what it does
/// can be understood from both bodies alone.
#[must_use]
pub fn cited(operation: &Operation) -> Option<TxId> {
    match operation {
        Operation::Decide(op) => Some(op.proposal),
        Operation::Refund(op) => Some(op.original),
        Operation::Correct(op) => Some(op.original),
        _ => None,
    }
}

/// All lines about the body that another one cites, indented under it. Its id is the hash of what is
/// said here, so nobody can show another one in its place.
#[must_use]
pub fn cited_body(cited: &Body, glossary: &Glossary) -> Vec<String> {
    let lines = body(cited, glossary);
    let indented = lines.into_iter().map(|line| format!("  {line}"));
    std::iter::once(format!("Transaction {}:", cited.id())).chain(indented).collect()
}

fn operation(operation: &Operation, glossary: &Glossary) -> Vec<String> {
    match operation {
        Operation::Transfer(op) => movement("Pay", op, glossary),
        Operation::Pay(op) => pay(op, glossary),
        Operation::PayWithCoupons(op) => pay_with_coupons(op, glossary),
        Operation::TopUp(op) => top_up(op, glossary),
        Operation::Propose(op) => {
            let mut lines = movement("Propose to pay", &op.movement, glossary);
            lines.push(format!("Consents count until {}", op.deadline));
            lines
        }
        Operation::Decide(op) => {
            let verb = match op.decision {
                Decision::Consent => "Consent to",
                Decision::Decline => "Decline",
                Decision::Withdraw => "Withdraw",
            };
            vec![format!("{verb} proposal {}", op.proposal)]
        }
        Operation::RequestPayment(op) => {
            let payer = op.payer.map_or_else(|| "anyone".into(), |p| glossary.party(&p));
            let mut lines = vec![format!(
                "Ask {payer} to pay {} to {}",
                glossary.legs(&op.legs),
                glossary.party(&op.payee)
            )];
            if !op.tender.is_empty() {
                let names: Vec<String> = op.tender.iter().map(ToString::to_string).collect();
                lines.push(format!("The amount may be paid in {} together", names.join(", ")));
            }
            lines.push(format!("Can be answered once, until {}", op.due));
            lines
        }
        Operation::CancelRequest { request } => vec![format!("Withdraw payment request {request}")],
        Operation::Refund(op) => {
            vec![format!("Give back {} of payment {}", glossary.legs(&op.legs), op.original)]
        }
        Operation::Correct(op) => vec![
            format!("Take back {} of {} without its holder", glossary.legs(&op.legs), op.original),
            format!("Reason: {:?}, evidence {}", op.reason, op.evidence),
        ],
        Operation::RequestRedemption(op) => vec![
            format!(
                "Ask to be paid out {} for {}",
                glossary.amount(op.leg.instrument, op.leg.amount),
                glossary.party(&op.merchant)
            ),
            format!("Unanswered, the claim returns on {}", op.deadline),
        ],
        Operation::AnswerRedemption(op) => vec![match op.answer {
            RedemptionAnswer::Paid { payout } => {
                format!("Redemption {} was paid out, {payout}", op.redemption)
            }
            RedemptionAnswer::Returned { notice } => {
                format!("Redemption {} returns to the merchant, {notice}", op.redemption)
            }
        }],
        Operation::IssueDocument(op) => document_text(op, glossary),
        Operation::Repay(op) => {
            let how = match op.by {
                RepayBy::Wallet => "out of its wallet".into(),
                RepayBy::Outside { funding } => format!("by outside payment {funding}"),
            };
            let amount = glossary.amount(op.leg.instrument, op.leg.amount);
            vec![format!("Pay {amount} that {} owes, {how}", glossary.party(&op.party))]
        }
        Operation::Hold(op) => vec![
            format!(
                "Let {} of {} wait for what {} delivers",
                glossary.amount(op.leg.instrument, op.leg.amount),
                glossary.party(&op.from),
                glossary.party(&op.to)
            ),
            format!("The order's SHA-256 is {}", op.order),
            format!("Unanswered, it returns on {}", op.deadline),
        ],
        Operation::AnswerHold(op) => vec![match op.answer {
            HoldAnswer::Settled { reference } => {
                format!("What hold {} waits for was delivered, {reference}: it is burnt", op.hold)
            }
            HoldAnswer::Returned { notice } => {
                format!("Hold {} returns to its holder, {notice}", op.hold)
            }
        }],
        Operation::RequestMany(op) => dues_text(op, glossary),
        Operation::RecordCash(op) => {
            let what =
                if op.received { "was paid in cash" } else { "was not paid in cash after all" };
            vec![format!("What request {} asks for {what}, evidence {}", op.request, op.evidence)]
        }
        Operation::Settle(op) => settlement(op, glossary),
        Operation::AnswerSettlement(op) => {
            let places: Vec<String> = op.lines.iter().map(u32::to_string).collect();
            let ends = match op.answer {
                RedemptionAnswer::Paid { payout } => format!("were paid out, {payout}"),
                RedemptionAnswer::Returned { notice } => format!("return, {notice}"),
            };
            vec![format!("Lines {} of settlement {} {ends}", places.join(", "), op.settlement)]
        }
        Operation::GrantMandate(op) => mandate(&op.grantor, &op.terms, glossary),
        other => administrative(other, glossary),
    }
}

fn settlement(op: &Settle, glossary: &Glossary) -> Vec<String> {
    let mut lines = vec![
        format!("Settle claims on {} up to {}, by list {}", op.instrument, op.cut_off, op.document),
        format!("Unanswered, they return on {}", op.deadline),
    ];
    lines.extend(op.lines.iter().map(|line| {
        let gross = glossary.amount(op.instrument, line.gross);
        format!("{gross} of {}, fees and what it owes included", glossary.party(&line.merchant))
    }));
    lines
}

fn movement(verb: &str, movement: &Movement, glossary: &Glossary) -> Vec<String> {
    let sides = [("Payer", movement.debit), ("Payee", movement.credit)];
    let mut lines = vec![
        format!("{verb} {}", glossary.legs(&movement.legs)),
        format!("From {}", glossary.party(&movement.from)),
        format!("To {}", glossary.party(&movement.to)),
    ];
    lines.extend(sides.map(|(side, citation)| format!("{side} consents {}", by(&citation))));
    lines
}

fn pay(pay: &Pay, glossary: &Glossary) -> Vec<String> {
    let names: Vec<String> = pay.instruments.iter().map(ToString::to_string).collect();
    let amount = match pay.instruments.first() {
        Some(first) => grouped(pay.amount, glossary.decimals.get(first).copied().unwrap_or(0)),
        None => grouped(pay.amount, 0),
    };
    vec![
        format!("Pay {amount} of what expires first among {}", names.join(", ")),
        format!("From {}", glossary.party(&pay.from)),
        format!("To {}", glossary.party(&pay.to)),
        format!("Payer consents {}", by(&pay.debit)),
        format!("Payee consents {}", by(&pay.credit)),
    ]
}

fn pay_with_coupons(op: &PayWithCoupons, glossary: &Glossary) -> Vec<String> {
    let mut lines = pay(&op.pay, glossary);
    let decimals = op.pay.instruments.first().and_then(|first| glossary.decimals.get(first));
    let gross = grouped(op.gross, decimals.copied().unwrap_or(0));
    lines.insert(1, format!("That is what coupons leave of a price of {gross}"));
    for used in &op.coupons {
        lines.push(format!("Coupon of offer {}", used.offer));
        lines.extend(showing(used.showing));
    }
    lines
}

fn by(citation: &Citation) -> String {
    let grant = |what: &str, id: &TxId| format!("by {what} {id}");
    match citation {
        Citation::Live => "by signature".into(),
        Citation::Mandate(id) => grant("mandate", id),
        Citation::Request => "by the payment request".into(),
        Citation::Medium { medium, mandate } => {
            format!("by medium {medium} under mandate {mandate}")
        }
    }
}

fn top_up(op: &TopUp, glossary: &Glossary) -> Vec<String> {
    let campaign = match op.campaign {
        0 => "in no campaign".into(),
        number => format!("in campaign {number}"),
    };
    // The body leaves the instrument to the allowance.
    let amount = match glossary.allowed.get(&op.allowance) {
        Some(instrument) => glossary.amount(*instrument, op.amount),
        None => format!("{} units of its allowance's instrument", grouped(op.amount, 0)),
    };
    vec![
        format!("Top up {amount} for {}", glossary.party(&op.to)),
        format!(
            "Origin {:?}, {campaign}, funded by {}, outside payment {}",
            op.origin,
            glossary.party(&op.funder),
            op.funding
        ),
        format!("Under allowance {}", op.allowance),
        format!("The holder consents {}", by(&op.credit)),
    ]
}

fn mandate(grantor: &PartyId, terms: &MandateTerms, glossary: &Glossary) -> Vec<String> {
    let act = match terms.direction {
        Direction::Debit => "give",
        Direction::Credit => "receive",
    };
    let whom = match &terms.counterparty {
        Counterparty::Any => "anyone".into(),
        Counterparty::Party(party) => glossary.party(party),
        Counterparty::Kind(kind) => format!("any {kind:?}").to_lowercase(),
        Counterparty::Attribute(kind, test) => {
            let kind = format!("{kind:?}").to_lowercase();
            format!("any {kind} whose {} is {}", test.name, test.any_of.join(" or "))
        }
    };
    let instruments: Vec<String> = terms.instruments.iter().map(ToString::to_string).collect();
    let mut lines = vec![
        format!(
            "Let {} {act} {} from now on without asking again",
            glossary.party(grantor),
            instruments.join(", ")
        ),
        format!("With {whom}"),
    ];
    let unit = |amount: Amount| match terms.instruments.as_slice() {
        [only] => glossary.amount(*only, amount),
        _ => grouped(amount, 0),
    };
    let caps = [
        ("At one use", Some(terms.per_use)),
        ("On one day", terms.per_day),
        ("With one counterparty", terms.per_counterparty),
        ("In all", terms.total),
    ];
    for (what, cap) in caps {
        let cap = cap.map_or_else(|| "no limit".into(), |cap| format!("at most {}", unit(cap)));
        lines.push(format!("{what}: {cap}"));
    }
    lines.extend(terms.uses.map(|uses| format!("At most {uses} times")));
    lines.extend(terms.purpose.map(|p| format!("Only for: {}", purpose(p))));
    for person in &terms.staff {
        lines.push(format!("May be used by {}", glossary.party(person)));
    }
    let until = terms.until.map_or_else(|| "it is revoked".into(), |t| t.to_string());
    lines.push(format!("From {} until {until}", terms.from));
    lines
}

/// What moves nothing: its headline, then every field as it is signed.
fn administrative(operation: &Operation, glossary: &Glossary) -> Vec<String> {
    if let Some(mut lines) = about_offers(operation, glossary) {
        lines.push(fields(operation));
        return lines;
    }
    let party = |id: &PartyId| glossary.party(id);
    let headline = match operation {
        Operation::RevokeMandate { mandate } => return vec![format!("End mandate {mandate}")],
        Operation::RevokeAllowance { allowance } => {
            return vec![format!("End allowance {allowance}")];
        }
        Operation::Unfreeze { party: id } => {
            return vec![format!("Lift the freeze of {}", party(id))];
        }
        Operation::CancelRecovery { party: id } => {
            return vec![format!("Stop the recovery of {}", party(id))];
        }
        Operation::RevokeMedium { medium } => return vec![format!("End medium {medium}")],
        Operation::SetParent(op) => {
            let group = party(&op.group);
            return vec![match &op.parent {
                Some(parent) => format!("Put group {group} under {}", party(parent)),
                None => format!("Take group {group} out of its parent body"),
            }];
        }
        Operation::CloseGroup { group } => return vec![format!("Close group {}", party(group))],
        Operation::GrantAllowance(op) => format!(
            "Let key {} issue up to {} in all, {} on one day, {} into one wallet, until {}",
            op.key,
            glossary.amount(op.instrument, op.total),
            glossary.amount(op.instrument, op.per_day),
            glossary.amount(op.instrument, op.per_wallet),
            op.end
        ),
        Operation::DefineInstrument(op) if op.open => format!("Open instrument {}", op.instrument),
        Operation::DefineInstrument(op) => format!("Define instrument {}, a draft", op.instrument),
        Operation::ChangeInstrument(op) => format!("Change instrument {}", op.instrument),
        Operation::PutRule(op) => {
            let mut lines = vec![format!("Put rule {} of {}", op.id.number, op.id.instrument)];
            lines.extend(rule_text(op.id.instrument, &op.terms, glossary));
            lines.push(fields(operation));
            return lines;
        }
        Operation::EndRule(op) => {
            format!("End rule {} of {} from {}", op.id.number, op.id.instrument, op.at)
        }
        Operation::OpenRun(op) if op.import.is_some() => format!(
            "Take over up to {} of {:?} value in {} old balances of a list, until {}, funded by {}{}",
            glossary.amount(op.instrument, op.total),
            op.origin,
            op.count,
            op.until,
            party(&op.funder),
            if op.import.is_some_and(|import| import.owed) {
                ", who owes what is applied"
            } else {
                ""
            }
        ),
        Operation::OpenRun(op) => format!(
            "Grant up to {} to the {} lines of a list, until {}, funded by {}",
            glossary.amount(op.instrument, op.total),
            op.count,
            op.until,
            party(&op.funder)
        ),
        Operation::RunChunk(op) => {
            format!("Bring {} lines of run {}", op.lines.len(), op.run)
        }
        Operation::EndRun(op) => return vec![format!("End run {}", op.run)],
        Operation::Touch(op) => {
            format!("Renew what slides of {} in the wallet of {}", op.instrument, party(&op.party))
        }
        Operation::RegisterParty(op) => format!("Register {:?} {}", op.kind, party(&op.party)),
        Operation::Attest(op) => format!("Attest attributes of {}", party(&op.party)),
        Operation::SetOfficers(op) => format!("Replace the officers of {}", party(&op.party)),
        Operation::AddKey(op) => format!("Add a key to {}", party(&op.party)),
        Operation::RotateKey(op) => format!("Replace a key of {}", party(&op.party)),
        Operation::RevokeKey(op) => format!("End a key of {}", party(&op.party)),
        Operation::Freeze(op) => format!("Freeze {} at once", party(&op.party)),
        Operation::Recover(op) => format!("Give {} a new key in place of all", party(&op.party)),
        Operation::EnrolMedium(op) => {
            let mut lines = vec![format!("Give {} medium {}", party(&op.party), op.medium)];
            for terms in [&op.debit, &op.credit].into_iter().flatten() {
                lines.extend(mandate(&op.party, terms, glossary));
            }
            lines.push(format!("Evidence {}", op.evidence));
            return lines;
        }
        Operation::ChangeWitnessPolicy(policy) => format!(
            "Set witness policy {}: {} of {} members make a checkpoint final",
            policy.number,
            policy.quorum,
            policy.members().len()
        ),
        Operation::BeginEpoch(op) => format!(
            "Begin epoch {} behind leaf {} of the log, with {} validators: {}",
            op.epoch,
            op.size.saturating_sub(1),
            op.validators.len(),
            op.reason
        ),
        Operation::CreateGroup(op) => format!("Open group {}", party(&op.group)),
        Operation::ChangeGroup(op) => format!("Change group {}", party(&op.group)),
        Operation::InstallSuccessors(op) => {
            format!("Install successors in group {}", party(&op.group))
        }
        _ => String::from("An operation without a description here: read its fields"),
    };
    vec![headline, fields(operation)]
}

/// The fields in JSON, which names each and leaves none out.
fn fields(operation: &Operation) -> String {
    serde_json::to_string(operation).unwrap_or_else(|error| format!("unprintable: {error}"))
}

/// An operation's name, as in the API's JSON.
#[must_use]
pub fn operation_name(operation: &Operation) -> &'static str {
    match operation {
        Operation::Transfer(_) => "transfer",
        Operation::TopUp(_) => "top_up",
        Operation::Propose(_) => "propose",
        Operation::Decide(_) => "decide",
        Operation::RequestPayment(_) => "request_payment",
        Operation::CancelRequest { .. } => "cancel_request",
        Operation::Refund(_) => "refund",
        Operation::Correct(_) => "correct",
        Operation::RequestRedemption(_) => "request_redemption",
        Operation::AnswerRedemption(_) => "answer_redemption",
        Operation::Settle(_) => "settle",
        Operation::AnswerSettlement(_) => "answer_settlement",
        Operation::GrantMandate(_) => "grant_mandate",
        Operation::RevokeMandate { .. } => "revoke_mandate",
        Operation::GrantAllowance(_) => "grant_allowance",
        Operation::RevokeAllowance { .. } => "revoke_allowance",
        Operation::DefineInstrument(_) => "define_instrument",
        Operation::RegisterParty(_) => "register_party",
        Operation::Attest(_) => "attest",
        Operation::SetOfficers(_) => "set_officers",
        Operation::AddKey(_) => "add_key",
        Operation::RotateKey(_) => "rotate_key",
        Operation::RevokeKey(_) => "revoke_key",
        Operation::Freeze(_) => "freeze",
        Operation::Unfreeze { .. } => "unfreeze",
        Operation::Recover(_) => "recover",
        Operation::CancelRecovery { .. } => "cancel_recovery",
        Operation::EnrolMedium(_) => "enrol_medium",
        Operation::RevokeMedium { .. } => "revoke_medium",
        Operation::CreateGroup(_) => "create_group",
        Operation::ChangeGroup(_) => "change_group",
        Operation::InstallSuccessors(_) => "install_successors",
        Operation::CloseGroup { .. } => "close_group",
        Operation::ChangeWitnessPolicy(_) => "change_witness_policy",
        Operation::BeginEpoch(_) => "begin_epoch",
        Operation::Pay(_) => "pay",
        Operation::Touch(_) => "touch",
        Operation::ChangeInstrument(_) => "change_instrument",
        Operation::PutRule(_) => "put_rule",
        Operation::EndRule(_) => "end_rule",
        Operation::IssueDocument(_) => "issue_document",
        Operation::PutOffer(_) => "put_offer",
        Operation::EndOffer(_) => "end_offer",
        Operation::Entitle(_) => "entitle",
        Operation::WithdrawEntitlement { .. } => "withdraw_entitlement",
        Operation::Take(_) => "take",
        Operation::RequestMany(_) => "request_many",
        Operation::RecordCash(_) => "record_cash",
        Operation::Hold(_) => "hold",
        Operation::AnswerHold(_) => "answer_hold",
        Operation::SetParent(_) => "set_parent",
        Operation::Repay(_) => "repay",
        Operation::Apply(_) => "apply",
        Operation::RevealDraw(_) => "reveal_draw",
        Operation::CountDraw(_) => "count_draw",
        Operation::OpenRun(_) => "open_run",
        Operation::RunChunk(_) => "run_chunk",
        Operation::EndRun(_) => "end_run",
        Operation::PayWithCoupons(_) => "pay_with_coupons",
    }
}
