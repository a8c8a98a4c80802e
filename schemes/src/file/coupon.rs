//! `coupon` of an `[[offer]]`: what it takes off a price, where, and who bears it.

use musubi_ledger::{
    amount::Amount,
    offer::{Coupon, Sponsor},
};

use super::{amount, names::Names, node::Node};
use crate::cast::place_id;

const HOW_MUCH: [&str; 5] = ["percent", "rate", "fixed", "steps", "table"];

/// Reads one.
pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<Coupon> {
    let fields = node.fields()?;
    let instrument = names.only(fields.may("instrument"), &fields);
    let off = match HOW_MUCH.iter().any(|key| fields.has(key)) {
        true => amount::formula(&fields).map(Some),
        false => Some(None),
    };
    let most = fields.may("most").map(|node| node.amount());
    let least = fields.may("least").map_or(Some(Amount::ZERO), |node| node.amount());
    let at = fields.may("at").map_or(Some(Vec::new()), |node| names.parties(&node));
    let shops = fields.may("shops").map_or(Some(None), |node| node.predicate());
    let alone = fields.may("alone").map_or(Some(false), |node| node.flag());
    let sponsor = fields.may("sponsor").map_or(Some(Sponsor::Payee), |node| {
        if node.plain_text() == Some("payee") {
            return Some(Sponsor::Payee);
        }
        names.party(&node).map(|at| Sponsor::Party(place_id(at)))
    });
    let campaign =
        fields.may("campaign").map_or(Some(0), |node| node.whole(0..=u64::from(u32::MAX)));
    fields.finish();
    let most = match most {
        Some(most) => Some(most?),
        None => None,
    };
    let mut at: Vec<_> = at?.into_iter().map(place_id).collect();
    at.sort_unstable();
    at.dedup();
    Some(Coupon {
        instrument: instrument?,
        off: off?,
        most,
        least: least?,
        at,
        shops: shops?,
        alone: alone?,
        sponsor: sponsor?,
        campaign: u32::try_from(campaign?).ok()?,
    })
}
