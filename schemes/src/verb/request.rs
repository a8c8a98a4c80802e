//! `request`: a payee asks to be paid, in exact legs or in any of some instruments.

use musubi_ledger::{
    amount::Amount,
    id::InstrumentId,
    operation::{Leg, Operation, RequestPayment},
    time::Time,
    transaction::Purpose,
};

use super::{
    Act, Fault, Fields, Names, Play, Verb, dealt,
    pay::{legs, purpose},
    sealed::Sealed,
};

#[derive(Debug)]
struct Request {
    pairs: Vec<(usize, Option<usize>)>,
    legs: Vec<Leg>,
    tender: Vec<InstrumentId>,
    due: Time,
    purpose: Purpose,
}

pub(super) fn request(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let payee = fields.need("payee").and_then(|node| names.parties(&node));
    let payer = fields.may("payer").map(|node| names.parties(&node));
    let due = fields.need("due").and_then(|node| node.time());
    let purpose = purpose(fields);
    let (legs, tender) = match fields.may("legs") {
        Some(node) => (legs(&node, names)?, Vec::new()),
        None => {
            let amount: Option<Amount> = fields.need("amount").and_then(|node| node.amount());
            let tender = fields.need("instruments").and_then(|node| names.several(&node));
            let (amount, tender) = (amount?, tender?);
            (vec![Leg { instrument: tender[0], amount }], tender)
        }
    };
    let payee = payee?;
    let pairs = match payer {
        None => payee.iter().map(|at| (*at, None)).collect(),
        Some(payer) => match dealt(&payee, &payer?) {
            Some(pairs) => pairs.into_iter().map(|(to, from)| (to, Some(from))).collect(),
            None => return fields.wrong("payers cannot be dealt out to payees without a rest"),
        },
    };
    Some(Box::new(Request { pairs, legs, tender, due: due?, purpose: purpose? }))
}

impl Verb for Request {}
impl Sealed for Request {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let mut acts = Vec::new();
        for (payee, payer) in &self.pairs {
            let request = RequestPayment {
                payee: play.party(*payee),
                payer: payer.map(|at| play.party(at)),
                legs: self.legs.clone(),
                tender: self.tender.clone(),
                due: self.due,
            };
            let mut body = play.body(play.sender(*payee), Operation::RequestPayment(request));
            body.purpose = self.purpose;
            acts.push(Act::new(body, play.credit(*payee)));
        }
        Ok(acts)
    }
}
