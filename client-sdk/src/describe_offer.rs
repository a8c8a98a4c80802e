//! What an offer gives, in plain words.

use musubi_ledger::{
    id::PartyId,
    offer::{Access, Coupon, Gives, Offer, OfferTerms, Part, Price, Sponsor},
    operation::{Cause, Entitle, Operation, Payment, Showing, Take},
    rule::cap::{Cap, Period, Scope},
    time::Time,
};

use crate::{
    describe::Glossary,
    describe_rule::{formula, predicate},
};

/// What an offer says: one line for what a unit gives, one for each condition.
#[must_use]
pub fn offer_text(terms: &OfferTerms, glossary: &Glossary) -> Vec<String> {
    let part = |part: &Part| {
        let origin = format!("{:?}", part.origin).to_lowercase();
        format!("{} as {origin} value", glossary.amount(part.instrument, part.amount))
    };
    let parts: Vec<String> = terms.gives.parts().iter().map(part).collect();
    let mut lines = match &terms.gives {
        Gives::Coupon(coupon) => coupon_text(coupon, glossary),
        Gives::Gift(_) | Gives::Set(_) => {
            let funder = glossary.party(&terms.funder());
            vec![format!("Each unit gives {}, funded by {funder}", parts.join(" and "))]
        }
    };
    lines.extend(terms.gives.price().map(|price| match price {
        Price::Outside(outside) => {
            format!("Each unit costs {} yen, which key {} says have come", outside.yen, outside.key)
        }
        Price::Exchange(asked) => {
            format!("Each unit costs {}", glossary.amount(asked.instrument, asked.amount))
        }
    }));
    lines.extend(
        terms.who.as_ref().map(|who| format!("Only for those who have {}", predicate(who))),
    );
    lines.push(match &terms.access {
        Access::Open => "Whoever it is for may take it".into(),
        Access::Entitled(given) => format!(
            "Only by an entitlement, given by {} of the officers of {}",
            given.officers,
            glossary.party(&given.party)
        ),
        Access::Code(key) => format!("Only with the code whose key is {key}"),
        Access::Lottery(lottery) => format!(
            "By lottery: apply until {}; the seed of {} is shown until {}",
            lottery.closes, lottery.commitment, lottery.reveal_until
        ),
    });
    if let Access::Lottery(lottery) = &terms.access {
        let tier =
            |(at, tier): (usize, &_)| format!("Tier {at}: those who have {}", predicate(tier));
        lines.extend(lottery.tiers.iter().enumerate().map(tier));
    }
    lines.extend(terms.stock.map(|stock| format!("{stock} units in all")));
    lines.extend(terms.caps.iter().map(cap));
    lines.push(match terms.from {
        Time::ZERO => format!("From when it is put until {}", terms.until),
        from => format!("From {from} until {}", terms.until),
    });
    lines
}

/// What a coupon takes off, where, and who bears it.
fn coupon_text(coupon: &Coupon, glossary: &Glossary) -> Vec<String> {
    let amount = |amount| glossary.amount(coupon.instrument, amount);
    let mut lines = vec![match &coupon.off {
        Some(off) => {
            let most = coupon.most.map(|most| format!(", at most {}", amount(most)));
            let off = formula(off, "the price", &amount);
            format!("Each unit is a coupon: {off} off a price{}", most.unwrap_or_default())
        }
        None => "Each unit is a coupon, for which rules give something back".into(),
    }];
    if coupon.off.is_some() {
        lines.push(match coupon.sponsor {
            Sponsor::Payee => "Borne by the shop where it is used".into(),
            Sponsor::Party(by) => format!("Borne by {}", glossary.party(&by)),
        });
    }
    if !coupon.least.is_zero() {
        lines.push(format!("For a price of at least {}", amount(coupon.least)));
    }
    let shops: Vec<String> = coupon.at.iter().map(|shop| glossary.party(shop)).collect();
    if !shops.is_empty() {
        lines.push(format!("Good at {}", shops.join(", ")));
    }
    lines.extend(
        coupon.shops.as_ref().map(|test| format!("Good at shops that have {}", predicate(test))),
    );
    if coupon.alone {
        lines.push("With no other coupon".into());
    }
    lines
}

fn cap(cap: &Cap) -> String {
    let whom = match cap.scope {
        Scope::Household => "household",
        _ => "taker",
    };
    let per = match cap.per {
        Period::Ever => "in all",
        Period::Day => "a day",
        Period::Month => "a month",
        Period::FiscalYear => "a fiscal year",
    };
    format!("At most {} units for one {whom}, {per}", cap.most)
}

/// How an offer stands.
#[must_use]
pub fn offer_state(offer: &Offer) -> String {
    let taken = match offer.terms.stock {
        Some(stock) => format!("{} of {stock} units taken", offer.taken),
        None => format!("{} units taken", offer.taken),
    };
    match offer.ended {
        Some(end) => format!("{taken}, ended from {end}"),
        None => taken,
    }
}

/// What an operation about offers does; none for any other.
pub(crate) fn about_offers(operation: &Operation, glossary: &Glossary) -> Option<Vec<String>> {
    Some(match operation {
        Operation::PutOffer(op) => {
            let mut lines = vec!["Put an offer".into()];
            lines.extend(offer_text(&op.terms, glossary));
            lines.push(format!("Its conditions: document {}", op.terms.document));
            lines
        }
        Operation::EndOffer(op) => vec![format!("End offer {} from {}", op.offer, op.at)],
        Operation::Entitle(op) => entitle(op, glossary),
        Operation::WithdrawEntitlement { entitlement } => {
            vec![format!("Take back entitlement {entitlement}")]
        }
        Operation::Take(op) => take(op, glossary),
        Operation::Apply(op) => {
            let party = glossary.party(&op.to);
            vec![format!("Apply for {} units of offer {} for {party}", op.units, op.offer)]
        }
        Operation::RevealDraw(op) => {
            vec![format!("Show the seed {} of the lottery of offer {}", op.seed, op.offer)]
        }
        Operation::CountDraw(op) => {
            let last = op.last;
            vec![format!("Count who has won of offer {}, up to application {last}", op.offer)]
        }
        _ => return None,
    })
}

fn entitle(op: &Entitle, glossary: &Glossary) -> Vec<String> {
    let cause = |cause: &Cause| match cause {
        Cause::Event(event) => {
            format!("{}, by reason of {}", glossary.party(&event.party), event.reference)
        }
        Cause::Code(key) => format!("whoever has the code of key {key}"),
    };
    let head = format!("Entitle to {} units of offer {} until {}:", op.units, op.offer, op.until);
    let causes = op.causes.iter().map(cause);
    [head].into_iter().chain(causes).collect()
}

/// By what somebody takes or uses something; none where they show nothing.
pub(crate) fn showing(showing: Showing) -> Option<String> {
    match showing {
        Showing::Nothing => None,
        Showing::Entitlement(id) => Some(format!("By entitlement {id}")),
        Showing::Code(key) => Some(format!("By the code of key {key}")),
    }
}

fn take(op: &Take, glossary: &Glossary) -> Vec<String> {
    let party = |id: &PartyId| glossary.party(id);
    let mut lines =
        vec![format!("Take {} units of offer {} for {}", op.units, op.offer, party(&op.to))];
    lines.extend(showing(op.showing));
    lines.extend(match op.payment {
        Payment::Nothing => None,
        Payment::Outside(hash) => Some(format!("Paid outside: {hash}")),
        Payment::Value => Some("Paid out of the wallet".into()),
    });
    lines
}
