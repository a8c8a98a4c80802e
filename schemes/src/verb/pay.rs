//! `pay`: value goes from one party to another, in whichever instruments the payer's lots make up, or in exact legs.

use musubi_ledger::{
    amount::Amount,
    id::{InstrumentId, PartyId, TxId},
    operation::{Citation, Leg, Movement, Operation, Pay as PayOperation},
    transaction::{Purpose, Role, Side},
};

use super::{
    Act, Fault, Fields, Names, Node, Play, Verb,
    coupon::{self, Coupons},
    dealt,
    dues::roster_line,
    made::Made,
    sealed::Sealed,
};
use crate::play::Signer;

const PURPOSES: [(&str, Purpose); 8] = [
    ("none", Purpose::NONE),
    ("purchase", Purpose::PURCHASE),
    ("dues", Purpose::DUES),
    ("reward", Purpose::REWARD),
    ("expense", Purpose::EXPENSE),
    ("participation", Purpose::PARTICIPATION),
    ("grant", Purpose::GRANT),
    ("donation", Purpose::DONATION),
];

/// How the payer consents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Via {
    /// The payer signs; the payee's standing acceptance is used where it covers this.
    Mandate,
    /// Both sign.
    Live,
    /// The payer's card is shown at the payee's terminal.
    Card,
    /// One of a group's budget's staff signs.
    Budget,
}

const VIAS: [(&str, Via); 4] =
    [("mandate", Via::Mandate), ("live", Via::Live), ("card", Via::Card), ("budget", Via::Budget)];

#[derive(Debug)]
struct Pay {
    pairs: Vec<(usize, usize)>,
    tender: Tender,
    via: Via,
    purpose: Purpose,
    request: Option<Made>,
    /// The line of the payee's roster for whom somebody else pays.
    behalf: Option<String>,
    coupons: Option<Coupons>,
}

#[derive(Debug)]
enum Tender {
    Legs(Vec<Leg>),
    /// What is left out means whatever the payee accepts.
    Any(Option<Vec<InstrumentId>>, Amount),
}

/// `purpose`, none where it is left out.
pub(crate) fn purpose(fields: &Fields<'_>) -> Option<Purpose> {
    fields.may("purpose").map_or(Some(Purpose::NONE), |node| match node.plain_text() {
        Some(_) => node.one_of(&PURPOSES),
        None => node.whole(1_000..=65_535).and_then(|n| u16::try_from(n).ok()).map(Purpose),
    })
}

/// `{ CODE = amount }`, ascending by code.
pub(super) fn legs(node: &Node<'_>, names: &Names<'_>) -> Option<Vec<Leg>> {
    let fields = node.fields()?;
    let mut legs = Vec::new();
    for (_, code, amount) in fields.all() {
        let found = names.instruments.iter().find(|issued| issued.id.to_string() == code);
        let Some(issued) = found else {
            let codes = names.codes();
            return amount.unknown("instrument", code, codes.iter().map(String::as_str));
        };
        legs.push(Leg { instrument: issued.id, amount: amount.amount()? });
    }
    legs.sort_by_key(|leg| leg.instrument);
    if legs.is_empty() { node.wrong("at least one leg: { CODE = amount }") } else { Some(legs) }
}

pub(super) fn pay(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let from = fields.need("from").and_then(|node| names.parties(&node));
    let to = fields.need("to").and_then(|node| names.parties(&node));
    let via = fields.may("via").map_or(Some(Via::Mandate), |node| node.one_of(&VIAS));
    let purpose = purpose(fields);
    let behalf = fields.may("behalf").and_then(|node| node.text());
    let request = fields.may("request").map(|node| Made::read(&node, names));
    let request = match request {
        Some(step) => Some(step?),
        None => None,
    };
    let tender = match fields.may("legs") {
        Some(node) => legs(&node, names).map(Tender::Legs),
        None => {
            let named = fields.may("instruments").map(|node| names.several(&node));
            let amount = match fields.has("gross") && !fields.has("amount") {
                // What coupons leave is reckoned when it is paid.
                true => Some(Amount::ZERO),
                false => fields.need("amount").and_then(|node| node.amount()),
            };
            match named {
                Some(named) => Some(Tender::Any(Some(named?), amount?)),
                None => Some(Tender::Any(None, amount?)),
            }
        }
    };
    let coupons = match tender {
        Some(Tender::Legs(_)) if fields.has("gross") => {
            return fields.wrong("a price less coupons is paid as an `amount`, not in legs");
        }
        _ => coupon::read(fields, names),
    };
    let (from, to) = (from?, to?);
    let Some(pairs) = dealt(&from, &to) else {
        return fields.wrong(format!(
            "{} payers cannot be dealt out to {} payees",
            from.len(),
            to.len()
        ));
    };
    let (tender, via, purpose, coupons) = (tender?, via?, purpose?, coupons?);
    Some(Box::new(Pay { pairs, tender, via, purpose, request, behalf, coupons }))
}

impl Tender {
    fn amount(&self) -> Amount {
        match self {
            Self::Any(_, amount) => *amount,
            Self::Legs(legs) => Amount(legs.iter().map(|leg| leg.amount.0).sum()),
        }
    }

    fn instruments(&self, play: &Play<'_>, to: usize) -> Vec<InstrumentId> {
        match self {
            Self::Legs(legs) => legs.iter().map(|leg| leg.instrument).collect(),
            Self::Any(Some(named), _) => named.clone(),
            Self::Any(None, _) => accepted(play, to),
        }
    }
}

/// What a payee's standing acceptance covers, or else everything with a face.
fn accepted(play: &Play<'_>, to: usize) -> Vec<InstrumentId> {
    let money = play.scheme.instruments.iter().filter(|i| i.stands && i.terms.face > 0);
    let mut all: Vec<InstrumentId> = money.map(|issued| issued.id).collect();
    all.sort_unstable();
    let covered = |id: &InstrumentId| play.acceptances.contains_key(&(to, *id));
    let some: Vec<InstrumentId> = all.iter().copied().filter(covered).collect();
    if some.is_empty() { all } else { some }
}

impl Pay {
    fn debit(
        &self,
        play: &Play<'_>,
        (from, to): (usize, usize),
        (of, amount): (&[InstrumentId], Amount),
    ) -> Result<(Citation, Vec<Signer>), Fault> {
        let members = &play.scheme.cast.members;
        let lacks = |what: &str| Fault::Lacks(format!("{} has no {what}", members[from].name));
        match self.via {
            Via::Mandate | Via::Live => Ok((Citation::Live, play.debit(from, amount, Some(to))?)),
            Via::Card => {
                let card = play.cards.get(&from).ok_or_else(|| lacks("card"))?;
                let cited = Citation::Medium { medium: card.medium, mandate: card.debit };
                Ok((cited, vec![(Side::Debit, Role::Terminal, play.party(to), to)]))
            }
            Via::Budget => {
                let first = of.first().ok_or_else(|| lacks("budget"))?;
                let budget = play.budgets.get(&(from, *first)).ok_or_else(|| lacks("budget"))?;
                let staff = budget.staff.iter().find(|at| **at != to);
                let staff = *staff.ok_or_else(|| lacks("staff but the one who is paid"))?;
                let signer = (Side::Debit, Role::Holder, play.party(staff), staff);
                Ok((Citation::Mandate(budget.mandate), vec![signer]))
            }
        }
    }

    fn act(
        &self,
        play: &mut Play<'_>,
        pair: (usize, usize),
        answers: Option<TxId>,
    ) -> Result<Act, Fault> {
        let (from, to) = pair;
        let mut instruments = self.tender.instruments(play, to);
        let card = play.cards.get(&from).filter(|_| self.via == Via::Card);
        if let (Some(card), Tender::Any(None, _)) = (card, &self.tender) {
            instruments.retain(|id| card.instruments.contains(id));
        }
        let amount = match &self.coupons {
            Some(coupons) => coupons.leave(play, self.tender.amount()),
            None => self.tender.amount(),
        };
        let (debit, mut signers) = self.debit(play, pair, (&instruments, amount))?;
        let (credit, more) = match answers {
            Some(_) => (Citation::Request, Vec::new()),
            // A standing acceptance says nothing of a price.
            None => {
                let live = self.via == Via::Live || self.coupons.is_some();
                play.receives(to, &instruments, live)
            }
        };
        signers.extend(more);
        let (giver, taker): (PartyId, PartyId) = (play.party(from), play.party(to));
        let operation = match &self.tender {
            Tender::Legs(legs) => {
                let legs = legs.clone();
                Operation::Transfer(Movement { from: giver, to: taker, legs, debit, credit })
            }
            Tender::Any(..) => {
                let (from, to) = (giver, taker);
                Operation::Pay(PayOperation { from, to, instruments, amount, debit, credit })
            }
        };
        let (operation, keys) = match (operation, &self.coupons) {
            (Operation::Pay(pay), Some(coupons)) => coupons.used(play, pair.0, pay)?,
            (plain, _) => (plain, Vec::new()),
        };
        let sender = match self.via {
            Via::Card => to,
            Via::Budget => signers[0].3,
            Via::Mandate | Via::Live => play.sender(from),
        };
        let mut body = play.body(sender, operation);
        body.purpose = self.purpose;
        body.answers = answers;
        body.on_behalf_of = self.behalf.as_ref().map(|name| roster_line(play, name));
        let shown = |act: Act, key| act.and((Side::Authority, Role::Code, giver, key));
        Ok(keys.into_iter().fold(Act::new(body, signers), shown))
    }
}

impl Verb for Pay {}
impl Sealed for Pay {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let requests = match &self.request {
            None => Vec::new(),
            Some(made) => made.ids(play)?,
        };
        if self.request.is_some() && requests.len() != self.pairs.len() {
            return Err(Fault::Lacks(format!(
                "{} requests were made for {} payments",
                requests.len(),
                self.pairs.len()
            )));
        }
        let pairs = self.pairs.iter().enumerate();
        pairs.map(|(at, pair)| self.act(play, *pair, requests.get(at).copied())).collect()
    }
}
