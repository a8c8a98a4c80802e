//! What holders may have and move of an instrument, and its named stages.

use musubi_ledger::{
    amount::Amount,
    instrument::{Limit, LimitOf, Tier},
    limits as most,
};

use super::{fields::Fields, instrument::PARTY_KINDS, node::Node};

const LIMITS: [(&str, LimitOf); 5] = [
    ("wallet", LimitOf::Wallet),
    ("transfer", LimitOf::Transfer),
    ("transfers_per_month", LimitOf::TransfersPerMonth),
    ("purchase", LimitOf::Purchase),
    ("purchases_per_day", LimitOf::PurchasesPerDay),
];
/// `limits`.
pub(super) fn limits(fields: &Fields<'_>) -> Option<Vec<Limit>> {
    let Some(node) = fields.may("limits") else { return Some(Vec::new()) };
    let items = node.list()?;
    if items.len() > most::INSTRUMENT_LIMITS_MAX {
        return node.wrong(format!("at most {} limits", most::INSTRUMENT_LIMITS_MAX));
    }
    items.iter().map(limit).collect()
}

fn limit(node: &Node<'_>) -> Option<Limit> {
    let fields = node.fields()?;
    let of = fields.need("of").and_then(|node| node.one_of(&LIMITS));
    let most = fields.need("most").and_then(|node| node.whole(0..=u64::MAX));
    let kinds = fields.may("kinds").map(|node| node.some()).unwrap_or_default();
    let kinds = kinds.iter().map(|node| node.one_of(&PARTY_KINDS)).collect::<Option<Vec<_>>>();
    let who = fields.may("who").map_or(Some(None), |node| node.predicate());
    fields.finish();
    let mut kinds = kinds?;
    kinds.sort_unstable();
    kinds.dedup();
    Some(Limit { of: of?, kinds, who: who?, most: Amount(most?) })
}

/// `tiers`: a counter's stages, ascending.
pub(super) fn tiers(fields: &Fields<'_>) -> Option<Vec<Tier>> {
    let Some(node) = fields.may("tiers") else { return Some(Vec::new()) };
    let tier = |node: &Node<'_>| {
        let fields = node.fields()?;
        let name = fields.need("name").and_then(|node| node.text());
        let from = fields.need("from").and_then(|node| node.whole(0..=u64::MAX));
        fields.finish();
        Some(Tier { name: name?, from: Amount(from?) })
    };
    let tiers = node.list()?.iter().map(tier).collect::<Option<Vec<Tier>>>()?;
    let named = |tier: &Tier| {
        (1..=16).contains(&tier.name.len()) && tier.name.bytes().all(|b| b.is_ascii_graphic())
    };
    let ascend = tiers.windows(2).all(|pair| pair[0].from < pair[1].from);
    if tiers.len() > most::TIERS_MAX || !ascend || !tiers.iter().all(named) {
        let most = most::TIERS_MAX;
        return node.wrong(format!(
            "at most {most} stages, ascending, with names of 1 to 16 visible ASCII characters"
        ));
    }
    Some(tiers)
}
