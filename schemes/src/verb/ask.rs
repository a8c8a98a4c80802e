//! `ask_spendable`: how much a payer could give a payee now, by the function that rules and API ask too.

use musubi_ledger::{
    id::InstrumentId,
    spend::{Between, towards},
    state::{Row, RowKey},
};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};

#[derive(Debug)]
struct Spendable {
    payer: usize,
    payee: usize,
    instruments: Option<Vec<InstrumentId>>,
    equals: u64,
}

pub(super) fn spendable(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let payer = fields.need("payer").and_then(|node| names.party(&node));
    let payee = fields.need("payee").and_then(|node| names.party(&node));
    let instruments = fields.may("instruments").map(|node| names.several(&node));
    let equals = fields.need("equals").and_then(|node| node.whole(0..=u64::MAX));
    let instruments = match instruments {
        Some(named) => Some(named?),
        None => None,
    };
    Some(Box::new(Spendable { payer: payer?, payee: payee?, instruments, equals: equals? }))
}

impl Verb for Spendable {}
impl Sealed for Spendable {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let lacks = |at: usize| {
            Fault::Lacks(format!("{} is not on the ledger", play.scheme.cast.members[at].name))
        };
        let from = play.registered(self.payer).ok_or_else(|| lacks(self.payer))?;
        let to = play.registered(self.payee).ok_or_else(|| lacks(self.payee))?;
        let state = play.stage.state();
        let between = Between {
            from: (play.party(self.payer), &from),
            to: (play.party(self.payee), &to),
            now: play.stage.now(),
        };
        let Some(Row::Wallet(wallet)) = state.row(&RowKey::Wallet(play.party(self.payer))) else {
            return Err(lacks(self.payer));
        };
        let all = play.scheme.instruments.iter().filter(|issued| issued.stands);
        let all = self.instruments.clone().unwrap_or_else(|| all.map(|i| i.id).collect());
        let mut sum = 0;
        for id in all {
            let Some(Row::Instrument(instrument)) = state.row(&RowKey::Instrument(id)) else {
                continue;
            };
            // What may not go this way at all counts for nothing.
            sum += towards(state, &between, (id, &instrument), &wallet).map_or(0, |most| most.0);
        }
        match sum == self.equals {
            true => Ok(Vec::new()),
            false => Err(Fault::Lacks(format!("{sum} can be spent, not {}", self.equals))),
        }
    }
}
