//! `refund` and `correct`: what was paid is given back by its payee; what was issued is taken back by its issuer.

use musubi_ledger::{
    amount::Amount,
    id::{DocumentHash, TxId},
    operation::{Correct, CorrectionReason, Leg, Operation, Refund},
    state::{Row, RowKey, Settled},
};

use super::{Act, Fault, Fields, Names, Play, Verb, pay::legs, sealed::Sealed};

#[derive(Debug)]
struct Undo {
    of: String,
    what: What,
    correct: Option<CorrectionReason>,
}

#[derive(Debug)]
enum What {
    All,
    Amount(Amount),
    Legs(Vec<Leg>),
}

fn read(
    fields: &Fields<'_>,
    names: &Names<'_>,
    correct: Option<CorrectionReason>,
) -> Option<Box<dyn Verb>> {
    let of = fields.need("of").and_then(|node| names.step(&node));
    let what = match (fields.may("legs"), fields.may("amount")) {
        (Some(_), Some(amount)) => return amount.wrong("`legs` or `amount`, not both"),
        (Some(node), None) => What::Legs(legs(&node, names)?),
        (None, Some(node)) => What::Amount(node.amount()?),
        (None, None) => What::All,
    };
    Some(Box::new(Undo { of: of?, what, correct }))
}

pub(super) fn refund(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    read(fields, names, None)
}

pub(super) fn correct(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let reasons = [
        ("chargeback", CorrectionReason::Chargeback),
        ("erroneous_issue", CorrectionReason::ErroneousIssue),
        ("court_order", CorrectionReason::CourtOrder),
    ];
    let reason = fields.need("reason").and_then(|node| node.one_of(&reasons));
    read(fields, names, Some(reason?))
}

impl Undo {
    /// What is given back of what moved: all that is left of it where the step does not say.
    fn legs(&self, settled: &Settled) -> Result<Vec<Leg>, Fault> {
        let mut left: Vec<Leg> = Vec::new();
        for lot in &settled.lots {
            let amount = Amount(lot.amount.0 - lot.undone.0);
            match left.iter_mut().find(|leg| leg.instrument == lot.lot.instrument) {
                Some(leg) => leg.amount = Amount(leg.amount.0 + amount.0),
                None => left.push(Leg { instrument: lot.lot.instrument, amount }),
            }
        }
        left.sort_by_key(|leg| leg.instrument);
        match (&self.what, &left[..]) {
            (What::Legs(legs), _) => Ok(legs.clone()),
            (What::All, _) => Ok(left),
            (What::Amount(amount), [one]) => Ok(vec![Leg { amount: *amount, ..*one }]),
            (What::Amount(_), _) => Err(Fault::Lacks(format!(
                "{} was paid in several instruments: say `legs`",
                self.of
            ))),
        }
    }

    fn act(&self, play: &mut Play<'_>, original: TxId) -> Result<Act, Fault> {
        let judged = match play.stage.state().row(&RowKey::Judged(original)) {
            Some(Row::Judged(judged)) => judged.settled.clone(),
            _ => None,
        };
        let lacks = || Fault::Lacks(format!("{} moved nothing", self.of));
        let settled = judged.ok_or_else(lacks)?;
        let legs = self.legs(&settled)?;
        let Some(reason) = self.correct else {
            let payee = play.place(settled.to)?;
            let payer = play.place(settled.from)?;
            let sum = Amount(legs.iter().map(|leg| leg.amount.0).sum());
            let signers = play.debit(payee, sum, Some(payer))?;
            let refund = Operation::Refund(Refund { original, legs });
            return Ok(Act::new(play.body(play.sender(payee), refund), signers));
        };
        let evidence = DocumentHash(play.fresh_hash("file"));
        let correct = Operation::Correct(Correct { original, legs, reason, evidence });
        let mut officers = play.officers("issuer", 2);
        officers.extend(play.officers("city", 1));
        Ok(Act::new(play.body(officers[0].3, correct), officers))
    }
}

impl Verb for Undo {}
impl Sealed for Undo {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let originals = play.past.get(&self.of).cloned().unwrap_or_default();
        if originals.is_empty() {
            return Err(Fault::Lacks(format!("{} was not played", self.of)));
        }
        originals.into_iter().map(|original| self.act(play, original)).collect()
    }
}
