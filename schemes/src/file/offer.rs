//! `[[offer]]`: what may be taken, by whom, and how much of it there is.

use musubi_ledger::{
    hash::sha256,
    id::DocumentHash,
    lot::OriginKind,
    offer::{Access, Gift, Gives, OfferTerms, Part, Set},
    time::Time,
};

use super::{amount, coupon, fields::Fields, names::Names, node::Node, parties::is_name, price};
use crate::{
    cast::place_id,
    scheme::{Offered, Shown},
};

const ORIGINS: [(&str, OriginKind); 3] =
    [("free", OriginKind::Free), ("grant", OriginKind::Grant), ("paid", OriginKind::Paid)];

/// Reads one, after those that `names` has.
pub(super) fn read(fields: Fields<'_>, names: &Names<'_>) -> Option<Offered> {
    let name = fields.need("id").and_then(|node| {
        let name = node.text()?;
        match () {
            () if names.offers.iter().any(|offer| offer.name == name) => {
                node.wrong(format!("two offers are called {name}"))
            }
            () if is_name(&name) => Some(name),
            () => node.wrong("a name is 1 to 32 of a-z, 0-9 and -, beginning with a letter"),
        }
    });
    let later = fields.may("later").and_then(|node| node.flag()).unwrap_or(false);
    let stands = fields.stands();
    let shown = shown(&fields, names);
    let issuer = names.cast.named("issuer").map(|range| range.start);
    let terms = terms(&fields, names, (name.as_deref(), issuer?));
    fields.finish();
    let terms = terms?;
    Some(Offered { name: name?, terms, shown: shown?, later, stands })
}

/// What must be shown: nothing, one code for all (`code`), or a right that officers give (`given_by`).
fn shown(fields: &Fields<'_>, names: &Names<'_>) -> Option<Shown> {
    let officers = fields.may("officers").map_or(Some(1), |node| node.whole(1..=2));
    if let Some(node) = fields.may("lottery") {
        return match fields.has("code") || fields.has("given_by") {
            true => node.wrong("`lottery`, `code` or `given_by`: one of them"),
            false => Some(Shown::Lottery),
        };
    }
    match (fields.may("code"), fields.may("given_by")) {
        (Some(_), Some(both)) => both.wrong("`code` or `given_by`, not both"),
        (Some(code), None) => code.text().map(Shown::Code),
        (None, Some(by)) => {
            let at = names.party(&by)?;
            let officers = u8::try_from(officers?).ok()?;
            let (name, wanted) = (&names.cast.members[at].name, usize::from(officers));
            let there = names.cast.named(&format!("{name}-officer")).map_or(0, |all| all.len());
            if there < wanted {
                return by.wrong(format!("{name} has {there} officers here"));
            }
            Some(Shown::Right(at, officers))
        }
        (None, None) => Some(Shown::Nothing),
    }
}

fn terms(
    fields: &Fields<'_>,
    names: &Names<'_>,
    (name, issuer): (Option<&str>, usize),
) -> Option<OfferTerms> {
    let gives = match fields.may("coupon") {
        Some(node) => coupon::read(&node, names).map(Gives::Coupon),
        None => gift(fields, names, issuer),
    };
    let who = fields.may("who").map_or(Some(None), |node| node.predicate());
    let stock = fields.may("stock").map_or(Some(0), |node| node.whole(1..=u64::from(u32::MAX)));
    let caps = amount::caps(fields);
    let from = fields.may("from").map_or(Some(Time::ZERO), |node| node.time());
    let lottery = fields.may("lottery").map(|node| price::lottery(&node));
    let until = fields.end();
    let Some(until) = until else {
        return fields.wrong("`until` or `last_day` is missing: an offer ends");
    };
    let stock = u32::try_from(stock?).ok()?;
    let gives = gives?;
    let document = notice(name.unwrap_or_default(), &gives);
    let terms = OfferTerms {
        issuer: place_id(issuer),
        gives,
        who: who?,
        access: match lottery {
            None => Access::Open,
            Some(lottery) => Access::Lottery(lottery?),
        },
        stock: (stock > 0).then_some(stock),
        caps: caps?,
        from: from?,
        until,
        document,
    };
    match terms.well_formed() {
        true => Some(terms),
        false => fields.wrong(
            "one to four different parts, some `paid` where it is sold and none elsewhere (or a coupon); caps `of` a payer or household; a `stock` of what is sold or drawn; it begins before it ends, and a list closes before its seed is shown, within that",
        ),
    }
}

/// What its notice hashes to. An offer has no name on the ledger: by this one is told from the issuer's others, since an
/// instrument's code stands there once.
fn notice(name: &str, gives: &Gives) -> DocumentHash {
    let of = match gives {
        Gives::Coupon(coupon) => Some(coupon.instrument),
        Gives::Gift(_) | Gives::Set(_) => gives.parts().first().map(|part| part.instrument),
    };
    let of = of.map(|code| code.to_string()).unwrap_or_default();
    DocumentHash(sha256(format!("offer {name} of {of}").as_bytes()))
}

/// What is given, or sold for a price.
fn gift(fields: &Fields<'_>, names: &Names<'_>, issuer: usize) -> Option<Gives> {
    let parts = fields.need("gives").map(|node| node.some()).unwrap_or_default();
    let parts = parts.iter().map(|node| part(node, names)).collect::<Option<Vec<Part>>>();
    let funder = fields.may("funder").map_or(Some(issuer), |node| names.party(&node));
    let price = fields.may("price").map(|node| price::price(&node, names));
    let mut parts = parts?;
    parts.sort_by_key(|part| (part.instrument, part.origin, part.campaign));
    let funder = place_id(funder?);
    Some(match price {
        None => Gives::Gift(Gift { parts, funder }),
        Some(price) => Gives::Set(Set { price: price?, parts, funder }),
    })
}

fn part(node: &Node<'_>, names: &Names<'_>) -> Option<Part> {
    let fields = node.fields()?;
    let instrument = names.only(fields.may("instrument"), &fields);
    let amount = fields.need("amount").and_then(|node| node.amount());
    let origin = fields.may("origin").map_or(Some(OriginKind::Free), |node| node.one_of(&ORIGINS));
    let campaign =
        fields.may("campaign").map_or(Some(0), |node| node.whole(0..=u64::from(u32::MAX)));
    fields.finish();
    let campaign = u32::try_from(campaign?).ok()?;
    Some(Part { instrument: instrument?, amount: amount?, origin: origin?, campaign })
}
