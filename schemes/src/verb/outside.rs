//! `hold`, `answer_hold`, `repay`: value waits for what somebody delivers outside, or an issuer itself; a debt to an issuer is
//! paid.

use musubi_ledger::{
    amount::Amount,
    hash::sha256,
    id::{DocumentHash, InstrumentId},
    operation::{AnswerHold, Hold, HoldAnswer, Leg, Operation, Repay, RepayBy},
    party::PartyKind,
    state::{Row, RowKey},
    time::Time,
    transaction::{Role, Side},
};

use super::{Act, Fault, Fields, Names, Play, Verb, made::Made, sealed::Sealed};

/// How long value waits where its step does not say.
const USUAL_MS: u64 = 7 * 86_400_000;

#[derive(Debug)]
struct Held {
    from: Vec<usize>,
    to: usize,
    leg: Leg,
    deadline: Option<Time>,
}

pub(super) fn hold(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let from = fields.need("from").and_then(|node| names.parties(&node));
    let to_node = fields.need("to")?;
    let to = names.party(&to_node);
    let instrument = names.only(fields.may("instrument"), fields);
    let amount = fields.need("amount").and_then(|node| node.amount());
    let deadline = fields.may("deadline").map(|node| node.time());
    let deadline = match deadline {
        Some(deadline) => Some(deadline?),
        None => None,
    };
    let to = to?;
    if !matches!(names.cast.members[to].kind, PartyKind::External | PartyKind::Issuer) {
        return to_node.wrong("an external party delivers, or the issuer");
    }
    let leg = Leg { instrument: instrument?, amount: amount? };
    Some(Box::new(Held { from: from?, to, leg, deadline }))
}

impl Verb for Held {}
impl Sealed for Held {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let mut acts = Vec::new();
        for at in &self.from {
            let hold = Hold {
                from: play.party(*at),
                to: play.party(self.to),
                leg: self.leg,
                deadline: self.deadline.unwrap_or_else(|| play.stage.now().plus(USUAL_MS)),
                order: DocumentHash(play.fresh_hash("order")),
            };
            let signers = play.debit(*at, self.leg.amount, Some(self.to))?;
            acts.push(Act::new(play.body(play.sender(*at), Operation::Hold(hold)), signers));
        }
        Ok(acts)
    }
}

#[derive(Debug)]
struct Answered {
    of: Made,
    settled: bool,
    /// Whether the issuer gives back, not who would have delivered.
    by_issuer: bool,
    /// The same ticket for all, of which one may be used.
    ticket: Option<String>,
}

pub(super) fn answer_hold(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let of = fields.need("of").and_then(|node| Made::read(&node, names));
    let words = [("settled", true), ("returned", false)];
    let settled = fields.need("answer").and_then(|node| node.one_of(&words));
    let givers = [("deliverer", false), ("issuer", true)];
    let by_issuer = fields.may("by").map_or(Some(false), |node| node.one_of(&givers));
    let ticket = fields.may("ticket").and_then(|node| node.text());
    Some(Box::new(Answered { of: of?, settled: settled?, by_issuer: by_issuer?, ticket }))
}

impl Verb for Answered {}
impl Sealed for Answered {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let issuer = play.institution("issuer");
        let burns = (Side::Credit, Role::Issuer, play.party(issuer), issuer);
        let mut acts = Vec::new();
        for hold in self.of.ids(play)? {
            let to = match play.stage.state().row(&RowKey::Hold(hold)) {
                Some(Row::Hold(held)) => play.place(held.to)?,
                _ => return Err(Fault::Lacks(format!("{hold} holds nothing"))),
            };
            let delivers = (Side::Credit, Role::Holder, play.party(to), to);
            let signers = match (to == issuer || self.by_issuer, self.settled) {
                (true, _) => vec![burns],
                (false, true) => vec![delivers, burns],
                (false, false) => vec![delivers],
            };
            let reference = DocumentHash(match &self.ticket {
                Some(ticket) => sha256(ticket.as_bytes()),
                None => play.fresh_hash("ticket"),
            });
            let answer = match self.settled {
                true => HoldAnswer::Settled { reference },
                false => HoldAnswer::Returned { notice: reference },
            };
            let operation = Operation::AnswerHold(AnswerHold { hold, answer });
            acts.push(Act::new(play.body(signers[0].3, operation), signers));
        }
        Ok(acts)
    }
}

#[derive(Debug)]
struct Repaid {
    parties: Vec<usize>,
    instrument: InstrumentId,
    /// All that is owed where none is said.
    amount: Option<Amount>,
    outside: bool,
}

pub(super) fn repay(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let parties = fields.need("party").and_then(|node| names.parties(&node));
    let instrument = names.only(fields.may("instrument"), fields);
    let amount = fields.may("amount").map(|node| node.amount());
    let words = [("wallet", false), ("outside", true)];
    let outside = fields.may("by").map_or(Some(false), |node| node.one_of(&words));
    let amount = match amount {
        Some(amount) => Some(amount?),
        None => None,
    };
    Some(Box::new(Repaid { parties: parties?, instrument: instrument?, amount, outside: outside? }))
}

impl Verb for Repaid {}
impl Sealed for Repaid {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let issuer = play.institution("issuer");
        let mut acts = Vec::new();
        for at in &self.parties {
            let party = play.party(*at);
            let owed = match play.stage.state().row(&RowKey::Receivable(party, self.instrument)) {
                Some(Row::Receivable(owed)) => owed,
                _ => Amount::ZERO,
            };
            let amount = self.amount.unwrap_or(owed);
            if amount.is_zero() {
                let name = &play.scheme.cast.members[*at].name;
                return Err(Fault::Lacks(format!("{name} owes nothing")));
            }
            let (by, signers) = match self.outside {
                true => {
                    let funding = DocumentHash(play.fresh_hash("funding"));
                    let receives = (Side::Credit, Role::Issuer, play.party(issuer), issuer);
                    (RepayBy::Outside { funding }, vec![receives])
                }
                false => (RepayBy::Wallet, play.debit(*at, amount, None)?),
            };
            let leg = Leg { instrument: self.instrument, amount };
            let body = play.body(signers[0].3, Operation::Repay(Repay { party, leg, by }));
            acts.push(Act::new(body, signers));
        }
        Ok(acts)
    }
}
