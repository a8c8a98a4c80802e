//! `redeem` and `answer`: a shop has its claims paid out; the issuer says that the bank paid, or returned it.

use musubi_ledger::{
    amount::Amount,
    id::{DocumentHash, InstrumentId},
    operation::{AnswerRedemption, Leg, Operation, RedemptionAnswer, RequestRedemption},
    party::PartyKind,
    state::{Row, RowKey},
    transaction::{Role, Side},
    wallet::Holding,
};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};

const MONTH_MS: u64 = 30 * 86_400_000;

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

impl Redeem {
    fn amount(&self, play: &Play<'_>, at: usize) -> Amount {
        self.amount.unwrap_or_else(|| {
            match play.stage.state().row(&RowKey::Wallet(play.party(at))) {
                Some(Row::Wallet(wallet)) => wallet.total(self.instrument, Holding::Claim),
                _ => Amount::ZERO,
            }
        })
    }
}

impl Verb for Redeem {}
impl Sealed for Redeem {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let mut acts = Vec::new();
        for at in &self.merchants {
            let amount = self.amount(play, *at);
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
    paid: bool,
}

pub(super) fn answer(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let of = fields.need("of").and_then(|node| names.step(&node));
    let words = [("paid", true), ("returned", false)];
    let paid = fields.need("answer").and_then(|node| node.one_of(&words));
    Some(Box::new(Answer { of: of?, paid: paid? }))
}

impl Verb for Answer {}
impl Sealed for Answer {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let redemptions = play.past.get(&self.of).cloned().unwrap_or_default();
        let issuer = play.institution("issuer");
        let mut acts = Vec::new();
        for redemption in redemptions {
            let reference = DocumentHash(play.fresh_hash("bank"));
            let answer = match self.paid {
                true => RedemptionAnswer::Paid { payout: reference },
                false => RedemptionAnswer::Returned { notice: reference },
            };
            let operation = Operation::AnswerRedemption(AnswerRedemption { redemption, answer });
            let signers = vec![(Side::Credit, Role::Issuer, play.party(issuer), issuer)];
            acts.push(Act::new(play.body(issuer, operation), signers));
        }
        Ok(acts)
    }
}
