//! `price` and `lottery` of an offer, and who is drawn by it.

use musubi_ledger::{
    id::DocumentHash,
    keys::PublicKey,
    offer::{Exchange, Outside, Price, draw::Lottery},
};

use super::{
    names::Names,
    node::{Node, Reader},
};
use crate::{
    cast::Cast,
    mistake::Mistake,
    scheme::{Offered, Shown},
};

/// `{ yen = 5_000 }`, or `{ instrument, amount }` that the issuer takes back for it. Whose key says that funds came is each
/// network's own.
pub(super) fn price(node: &Node<'_>, names: &Names<'_>) -> Option<Price> {
    let fields = node.fields()?;
    let price = match fields.may("yen") {
        Some(yen) => Price::Outside(Outside { yen: yen.amount()?, key: PublicKey([0; 32]) }),
        None => {
            let instrument = names.only(fields.may("instrument"), &fields);
            let amount = fields.need("amount").and_then(|node| node.amount());
            Price::Exchange(Exchange { instrument: instrument?, amount: amount? })
        }
    };
    fields.finish();
    Some(price)
}

/// `{ closes, reveal_until, tiers? }`. What its seed is committed to by is each network's own.
pub(super) fn lottery(node: &Node<'_>) -> Option<Lottery> {
    let fields = node.fields()?;
    let closes = fields.need("closes").and_then(|node| node.time());
    let reveal_until = fields.need("reveal_until").and_then(|node| node.time());
    let tiers = fields.may("tiers").map(|node| node.some()).unwrap_or_default();
    let tiers = tiers.iter().map(|node| match node.predicate() {
        Some(None) => node.wrong("a tier is a condition: who meets none comes last anyway"),
        read => read.flatten(),
    });
    let tiers = tiers.collect::<Option<Vec<_>>>();
    fields.finish();
    let commitment = DocumentHash([0; 32]);
    let (closes, reveal_until) = (closes?, reveal_until?);
    Some(Lottery { commitment, closes, reveal_until, tiers: tiers? })
}

/// Whoever is drawn is drawn by a lottery that is there.
pub(super) fn check_drawn(reader: &Reader<'_>, cast: &Cast, offers: &[Offered]) {
    let lotteries = || offers.iter().filter(|offer| offer.shown == Shown::Lottery);
    let mut told = None;
    for drawn in cast.members.iter().filter_map(|member| member.drawn.as_ref()) {
        let known = lotteries().any(|offer| offer.name == drawn.offer);
        if !known && told.as_ref() != Some(&drawn.at) {
            let names = lotteries().map(|offer| offer.name.as_str());
            reader.note(Mistake::name(drawn.at.clone(), "lottery", &drawn.offer, names));
            told = Some(drawn.at.clone());
        }
    }
}
