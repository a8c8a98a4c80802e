//! `redeem` and `answer`: a shop has its claims paid out; the issuer says that the bank paid, or returned it, also of what a
//! settlement froze.

use musubi_ledger::{
    amount::Amount,
    id::{DocumentHash, InstrumentId, PartyId, TxId},
    operation::{
        AnswerRedemption, AnswerSettlement, Leg, Operation, RedemptionAnswer, RequestRedemption,
    },
    party::PartyKind,
    state::{RedemptionStatus, Row, RowKey},
    transaction::{Role, Side},
    wallet::Holding,
};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};

pub(super) const MONTH_MS: u64 = 30 * 86_400_000;

#[derive(Debug)]
struct Redeem {
    merchants: Vec<usize>,
    instrument: InstrumentId,
    /// All of its claim where none is said.
    amount: Option<Amount>,
}

pub(super) fn redeem(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let node = fields.need("merchant")?;
    let merchants = names.parties(&node);
    let instrument = names.only(fields.may("instrument"), fields);
    let amount = fields.may("amount").map(|node| node.amount());
    let merchants = merchants?;
    if merchants.iter().any(|at| names.cast.members[*at].kind != PartyKind::Merchant) {
        return node.wrong("merchants redeem");
    }
    let amount = match amount {
        Some(amount) => Some(amount?),
        None => None,
    };
    Some(Box::new(Redeem { merchants, instrument: instrument?, amount }))
}

/// What a party may redeem of an instrument.
pub(super) fn claim(play: &Play<'_>, at: usize, instrument: InstrumentId) -> Amount {
    match play.stage.state().row(&RowKey::Wallet(play.party(at))) {
        Some(Row::Wallet(wallet)) => wallet.total(instrument, Holding::Claim),
        _ => Amount::ZERO,
    }
}

impl Verb for Redeem {}
impl Sealed for Redeem {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let mut acts = Vec::new();
        for at in &self.merchants {
            let amount = self.amount.unwrap_or_else(|| claim(play, *at, self.instrument));
            if amount.is_zero() {
                continue;
            }
            let merchant = play.party(*at);
            let leg = Leg { instrument: self.instrument, amount };
            let deadline = play.stage.now().plus(MONTH_MS);
            let request =
                Operation::RequestRedemption(RequestRedemption { merchant, leg, deadline });
            let signers = vec![(Side::Debit, Role::Holder, merchant, *at)];
            acts.push(Act::new(play.body(*at, request), signers));
        }
        if acts.is_empty() {
            return Err(Fault::Lacks("nobody of them has a claim".to_owned()));
        }
        Ok(acts)
    }
}

#[derive(Debug)]
struct Answer {
    of: String,
    /// Theirs alone.
    merchants: Option<Vec<usize>>,
    paid: bool,
}

pub(super) fn answer(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let of = fields.need("of").and_then(|node| names.step(&node));
    let merchants =
        fields.may("merchant").map_or(Some(None), |node| names.parties(&node).map(Some));
    let words = [("paid", true), ("returned", false)];
    let paid = fields.need("answer").and_then(|node| node.one_of(&words));
    Some(Box::new(Answer { of: of?, merchants: merchants?, paid: paid? }))
}

impl Answer {
    /// Of a settlement's lines those that wait; a redemption of its own as it is.
    fn operation(&self, play: &mut Play<'_>, id: TxId) -> Option<Operation> {
        let reference = DocumentHash(play.fresh_hash("bank"));
        let answer = match self.paid {
            true => RedemptionAnswer::Paid { payout: reference },
            false => RedemptionAnswer::Returned { notice: reference },
        };
        let wanted = |merchant: PartyId| match &self.merchants {
            Some(these) => these.iter().any(|at| play.party(*at) == merchant),
            None => true,
        };
        let state = play.stage.state();
        let Some(Row::Settlement(settlement)) = state.row(&RowKey::Settlement(id)) else {
            let theirs = match state.row(&RowKey::Redemption(id)) {
                Some(Row::Redemption(redemption)) => wanted(redemption.merchant),
                _ => true,
            };
            let answer = AnswerRedemption { redemption: id, answer };
            return theirs.then_some(Operation::AnswerRedemption(answer));
        };
        let waits = |line: &TxId| match state.row(&RowKey::Redemption(*line)) {
            Some(Row::Redemption(row)) => row.status == RedemptionStatus::Open,
            _ => false,
        };
        let lines = settlement.frozen(id);
        let lines = lines.filter(|(_, line, of)| wanted(of.merchant) && waits(line));
        let lines: Vec<u32> = lines.map(|(index, ..)| index).collect();
        let answer = AnswerSettlement { settlement: id, lines, answer };
        (!answer.lines.is_empty()).then_some(Operation::AnswerSettlement(answer))
    }
}

impl Verb for Answer {}
impl Sealed for Answer {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let asked = play.past.get(&self.of).cloned().unwrap_or_default();
        let issuer = play.institution("issuer");
        let mut acts = Vec::new();
        for id in asked {
            if let Some(operation) = self.operation(play, id) {
                let signers = vec![(Side::Credit, Role::Issuer, play.party(issuer), issuer)];
                acts.push(Act::new(play.body(issuer, operation), signers));
            }
        }
        if acts.is_empty() {
            return Err(Fault::Lacks(format!("nothing of {} waits for an answer", self.of)));
        }
        Ok(acts)
    }
}
