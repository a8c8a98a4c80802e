//! `[[rule]]`: what the ledger posts by itself when something happens. How much is in [`super::amount`].

use musubi_ledger::{
    amount::Amount,
    id::RuleId,
    lot::OriginKind,
    rule::{
        Base, Give, Giver, Post, Recipient, RuleTerms, Share, Trigger,
        when::{Reached, When},
    },
    time::Time,
};

use super::{amount, fields::Fields, names::Names, node::Node, parties::is_name};
use crate::{cast::place_id, scheme::Ruled, verb};

const TRIGGERS: [(&str, Trigger); 5] = [
    ("top_up", Trigger::TopUp),
    ("purchase", Trigger::Purchase),
    ("transfer", Trigger::Transfer),
    ("redeem", Trigger::Redeem),
    ("take", Trigger::Take),
];
const BASES: [(&str, Base); 5] = [
    ("gross", Base::Gross),
    ("after_discount", Base::AfterDiscount),
    ("paid_lots", Base::PaidLots),
    ("tender", Base::Tender),
    ("run_total", Base::RunTotal),
];
const ORIGINS: [(&str, OriginKind); 3] =
    [("free", OriginKind::Free), ("grant", OriginKind::Grant), ("paid", OriginKind::Paid)];
const GIVEN: [(&str, OriginKind); 2] = [("free", OriginKind::Free), ("grant", OriginKind::Grant)];
const GIVERS: [(&str, Giver); 2] = [("payer", Giver::Payer), ("payee", Giver::Payee)];

/// Reads one, after those that `names` has.
pub(super) fn read(fields: Fields<'_>, names: &Names<'_>) -> Option<Ruled> {
    let name = fields.need("id").and_then(|node| {
        let name = node.text()?;
        let taken = names.rules.iter().any(|rule| rule.name == name);
        match () {
            () if taken => node.wrong(format!("two rules are called {name}")),
            () if is_name(&name) => Some(name),
            () => node.wrong("a name is 1 to 32 of a-z, 0-9 and -, beginning with a letter"),
        }
    });
    let instrument = names.only(fields.may("instrument"), &fields);
    let before = names.rules.iter().filter(|rule| Some(rule.id.instrument) == instrument);
    let next = before.map(|rule| rule.id.number + 1).max().unwrap_or(1);
    let number = fields.may("number").map_or(Some(u64::from(next)), |node| {
        let least = u64::from(next);
        node.whole(least..=u64::from(u16::MAX) - 1)
    });
    let offer = fields.may("offer").map(|node| names.offer(&node));
    let later = fields.may("later").and_then(|node| node.flag()).unwrap_or(false);
    let stands = fields.stands();
    let id = instrument.zip(number).and_then(|(instrument, number)| {
        Some(RuleId { instrument, number: u16::try_from(number).ok()? })
    });
    let terms = id.and_then(|id| terms(&fields, names, id));
    fields.finish();
    Some(Ruled { name: name?, id: id?, terms: terms?, offer: given(offer)?, later, stands })
}

fn terms(fields: &Fields<'_>, names: &Names<'_>, id: RuleId) -> Option<RuleTerms> {
    let on = fields.need("on").and_then(|node| node.one_of(&TRIGGERS));
    let when = match fields.may("when") {
        Some(node) => node.fields().and_then(|fields| when(fields, names)),
        None => Some(When::always(Time::ZERO)),
    };
    let usual = if on == Some(Trigger::Redeem) { Base::RunTotal } else { Base::Tender };
    let base = fields.may("base").map_or(Some(usual), |node| node.one_of(&BASES));
    let formula = amount::formula(fields);
    let (caps, over) = (amount::caps(fields), amount::over(fields));
    let post = post(fields, names, id);
    let terms = RuleTerms {
        on: on?,
        when: when?,
        base: base?,
        formula: formula?,
        post: post?,
        caps: caps?,
        over: over?,
    };
    match terms.well_formed() {
        true => Some(terms),
        false => fields.wrong(
            "value is given for what comes and what is paid, shared where it is paid (out of what the payee received: base `tender`), and a fee is charged where it is paid out (base `run_total`, no caps, nothing carried)",
        ),
    }
}

fn when(fields: Fields<'_>, names: &Names<'_>) -> Option<When> {
    let from = fields.may("from").map_or(Some(Time::ZERO), |node| node.time());
    let until = fields.end();
    let purpose = match fields.has("purpose") {
        true => verb::purpose(&fields).map(Some),
        false => Some(None),
    };
    let origins = fields.may("origins").map(|node| node.some()).unwrap_or_default();
    let origins = origins.iter().map(|node| node.one_of(&ORIGINS)).collect::<Option<Vec<_>>>();
    let campaign = fields.may("campaign").map(|node| node.whole(0..=u64::from(u32::MAX)));
    let predicate = |key| fields.may(key).map_or(Some(None), |node| node.predicate());
    let (payer, payee) = (predicate("payer"), predicate("payee"));
    let payee_is = fields.may("payee_is").map(|node| names.party(&node));
    let least = fields.may("least").map_or(Some(Amount::ZERO), |node| node.amount());
    let multiple = fields.may("multiple").map(|node| node.amount());
    let tier = fields.may("tier").map(|node| reached(&node, names));
    let at = fields.at();
    let reader = fields.reader();
    fields.finish();
    let mut origins = origins?;
    origins.sort_unstable();
    origins.dedup();
    let when = When {
        from: from?,
        until,
        purpose: purpose?,
        origins,
        campaign: given(campaign)?.and_then(|number| u32::try_from(number).ok()),
        payer: payer?,
        payee: payee?,
        payee_is: given(payee_is)?.map(place_id),
        least: least?,
        multiple: given(multiple)?,
        tier: given(tier)?,
        offer: None,
    };
    if !when.well_formed() {
        reader.note(crate::Mistake::new(at, "it begins before it ends"));
        return None;
    }
    Some(when)
}

/// What may be left out: none if it was there and wrong.
#[expect(
    clippy::option_option,
    reason = "outside: whether it could be read; inside: whether it is there"
)]
fn given<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        Some(read) => read.map(Some),
        None => Some(None),
    }
}

fn reached(node: &Node<'_>, names: &Names<'_>) -> Option<Reached> {
    let fields = node.fields()?;
    let instrument = fields.need("instrument").and_then(|node| names.instrument(&node));
    let from = fields.need("from").and_then(|node| node.amount());
    fields.finish();
    Some(Reached { instrument: instrument?, from: from? })
}

/// One of `give`, `share` and `fee`.
fn post(fields: &Fields<'_>, names: &Names<'_>, id: RuleId) -> Option<Post> {
    let found = [
        fields.may("give").map(|node| give(&node, names, id)),
        fields.may("share").map(|node| share(&node, names)),
        fields.may("fee").map(|node| fee(&node, names)),
    ];
    match found.into_iter().flatten().collect::<Vec<_>>()[..] {
        [ref one] => one.clone(),
        _ => fields.wrong("one of `give`, `share` and `fee` says what it posts"),
    }
}

fn give(node: &Node<'_>, names: &Names<'_>, id: RuleId) -> Option<Post> {
    let fields = node.fields()?;
    let instrument =
        fields.may("instrument").map_or(Some(id.instrument), |node| names.instrument(&node));
    let origin = fields.may("origin").map_or(Some(OriginKind::Free), |node| node.one_of(&GIVEN));
    let funder = fields.may("funder").map(|node| names.party(&node));
    let campaign =
        fields.may("campaign").map_or(Some(0), |node| node.whole(0..=u64::from(u32::MAX)));
    let to = fields.may("to").map_or(Some(Recipient::Payer), |node| match node.plain_text() {
        Some("payer") => Some(Recipient::Payer),
        Some("payee") => Some(Recipient::Payee),
        _ => names.party(&node).map(|at| Recipient::Party(place_id(at))),
    });
    fields.finish();
    let instrument = instrument?;
    let issued = names.instruments.iter().find(|issued| issued.id == instrument)?;
    Some(Post::Give(Give {
        instrument,
        origin: origin?,
        funder: place_id(given(funder)?.unwrap_or(issued.issuer)),
        campaign: u32::try_from(campaign?).ok()?,
        to: to?,
    }))
}

fn share(node: &Node<'_>, names: &Names<'_>) -> Option<Post> {
    let fields = node.fields()?;
    let from = fields.may("from").map_or(Some(Giver::Payee), |node| node.one_of(&GIVERS));
    let split = amount::split(&fields, names);
    fields.finish();
    Some(Post::Share(Share { from: from?, split: split? }))
}

fn fee(node: &Node<'_>, names: &Names<'_>) -> Option<Post> {
    let fields = node.fields()?;
    let split = amount::split(&fields, names);
    fields.finish();
    split.map(Post::Fee)
}
