//! `[[instrument]]`: the terms of what is issued.

use musubi_ledger::{
    amount::Amount,
    hash::sha256,
    id::{DocumentHash, PartyId},
    instrument::{
        LateRefund, OnAccept, Priority, Regime, Shortfall, Terms, TransferRule, Validity,
    },
    party::PartyKind,
};

use super::{bounds, fields::Fields, names::parties_of, node::Node};
use crate::{
    cast::Cast,
    scheme::{Calendar, Issued},
};

const REGIMES: [(&str, Regime); 7] = [
    ("public", Regime::Public),
    ("six_month", Regime::SixMonth),
    ("prepaid_third", Regime::PrepaidThird),
    ("prepaid_own", Regime::PrepaidOwn),
    ("free", Regime::Free),
    ("funds_transfer", Regime::FundsTransfer),
    ("counter", Regime::Counter),
];
const TRANSFERS: [(&str, TransferRule); 3] = [
    ("none", TransferRule::None),
    ("with_groups", TransferRule::WithGroups),
    ("peer_to_peer", TransferRule::PeerToPeer),
];
const ACCEPTS: [(&str, OnAccept); 3] =
    [("claim", OnAccept::Claim), ("keep", OnAccept::Keep), ("renew", OnAccept::Renew)];
const SHORTFALLS: [(&str, Shortfall); 3] = [
    ("refuse", Shortfall::Refuse),
    ("receivable", Shortfall::Receivable),
    ("issuer_bears", Shortfall::IssuerBears),
];
pub(crate) const PARTY_KINDS: [(&str, PartyKind); 7] = [
    ("person", PartyKind::Person),
    ("group", PartyKind::Group),
    ("merchant", PartyKind::Merchant),
    ("issuer", PartyKind::Issuer),
    ("registrar", PartyKind::Registrar),
    ("operator", PartyKind::Operator),
    ("external", PartyKind::External),
];

/// Reads one, after those before it.
pub(super) fn read(
    fields: Fields<'_>,
    (cast, calendars): (&Cast, &[Calendar]),
    before: &[Issued],
) -> Option<Issued> {
    let id = fields.need("code").and_then(|node| {
        let code = node.text()?;
        let id = code.parse().ok();
        let id = id.or_else(|| node.wrong("a code is 1 to 16 of A-Z, 0-9 and -"))?;
        let taken = before.iter().any(|issued| issued.id == id);
        if taken { node.wrong(format!("{code} is declared twice")) } else { Some(id) }
    });
    let issuer = fields.need("issuer").and_then(|node| match parties_of(&node, cast)?[..] {
        [one] if cast.members[one].kind == PartyKind::Issuer => Some(one),
        _ => node.wrong("one issuer stands here: issuer"),
    });
    let settled = fields.may("settle").and_then(|node| calendar(&node, calendars));
    let stands = fields.stands();
    let (id, issuer) = (id?, issuer?);
    // What names it shall not be told that it is unknown as well.
    let plain = || Terms::plain(PartyId::default(), Regime::Public, DocumentHash([0; 32]));
    let terms = terms(&fields, id).unwrap_or_else(plain);
    fields.finish();
    Some(Issued { id, terms, issuer, settled, stands })
}

/// The place of a calendar.
pub(crate) fn calendar(node: &Node<'_>, calendars: &[Calendar]) -> Option<usize> {
    let name = node.text()?;
    let found = calendars.iter().position(|calendar| calendar.name == name);
    found.or_else(|| node.unknown("calendar", &name, calendars.iter().map(|c| c.name.as_str())))
}

fn terms(fields: &Fields<'_>, id: musubi_ledger::id::InstrumentId) -> Option<Terms> {
    let regime = fields.need("regime").and_then(|node| node.one_of(&REGIMES));
    let counter = regime == Some(Regime::Counter);
    let document = document(fields, id);
    let decimals = number(fields, "decimals", 0, 8);
    let face = number(fields, "face", u32::from(!counter), 1_000_000);
    let step = fields.may("step").map_or(Some(Amount(1)), |node| node.amount());
    let begins = fields.may("begins").and_then(|node| node.time());
    let validity = validity(fields);
    let transfer = word(fields, "transfer", &TRANSFERS, TransferRule::None);
    let limits = bounds::limits(fields);
    let tiers = bounds::tiers(fields);
    let on_accept = word(fields, "on_accept", &ACCEPTS, OnAccept::Claim);
    let redemption_days = number(fields, "redemption_days", 60, 3_650);
    let late_refund = late_refund(fields);
    let shortfall = word(fields, "shortfall", &SHORTFALLS, Shortfall::Receivable);
    let supply_max = fields.may("supply_max").and_then(|node| node.amount());
    let priority = priority(fields);
    let predicate = |key| fields.may(key).map_or(Some(None), |node| node.predicate());
    let (holders, acceptors) = (predicate("holders"), predicate("acceptors"));
    let terms = Terms {
        decimals: decimals?,
        face: face?,
        step: step?,
        begins,
        validity: validity?,
        transfer: transfer?,
        limits: limits?,
        tiers: tiers?,
        on_accept: on_accept?,
        redemption_days: redemption_days?,
        late_refund: late_refund?,
        shortfall: shortfall?,
        supply_max,
        priority: priority?,
        holders: holders?,
        acceptors: acceptors?,
        ..Terms::plain(PartyId::default(), regime?, document)
    };
    check(fields, &terms)?;
    Some(terms)
}

/// What the published terms hash to: their text, or the declaration's own name where a scheme has none.
fn document(fields: &Fields<'_>, id: musubi_ledger::id::InstrumentId) -> DocumentHash {
    let text = fields.may("terms").and_then(|node| node.text());
    DocumentHash(sha256(text.unwrap_or_else(|| format!("terms of {id}")).as_bytes()))
}

/// A word; `Some(usual)` where it is left out, none where it is wrong.
fn word<T: Copy>(
    fields: &Fields<'_>,
    key: &'static str,
    words: &[(&str, T)],
    usual: T,
) -> Option<T> {
    fields.may(key).map_or(Some(usual), |node| node.one_of(words))
}

fn number<T: TryFrom<u64>>(
    fields: &Fields<'_>,
    key: &'static str,
    usual: T,
    most: u64,
) -> Option<T> {
    match fields.may(key) {
        None => Some(usual),
        Some(node) => node.whole(0..=most).and_then(|number| T::try_from(number).ok()),
    }
}

fn validity(fields: &Fields<'_>) -> Option<Validity> {
    let node = fields.need("validity")?;
    if node.plain_text() == Some("none") {
        return Some(Validity::None);
    }
    if !node.is_table() {
        return node.wrong(
            "\"none\" stands here, or one of { last_day = }, { days = }, { months = }, { sliding_days = }, { sliding_months = }",
        );
    }
    let table = node.fields()?;
    let found = [
        table.end().map(Validity::At),
        table.span("days", "months").map(Validity::After),
        table.span("sliding_days", "sliding_months").map(Validity::Sliding),
    ];
    table.finish();
    match found.into_iter().flatten().collect::<Vec<_>>()[..] {
        [one] => Some(one),
        _ => node.wrong("one end stands here, written once"),
    }
}

fn late_refund(fields: &Fields<'_>) -> Option<LateRefund> {
    let Some(node) = fields.may("late_refund") else { return Some(LateRefund::ExpireAtOnce) };
    if !node.is_table() {
        return node.one_of(&[("expire", LateRefund::ExpireAtOnce)]);
    }
    let table = node.fields()?;
    let days = table.need("grace_days").and_then(|node| node.whole(1..=60));
    table.finish();
    days.and_then(|days| u16::try_from(days).ok()).map(LateRefund::Grace)
}

fn priority(fields: &Fields<'_>) -> Option<Priority> {
    let Some(node) = fields.may("priority") else { return Some(Priority::USUAL) };
    let small = |node: &Node<'_>| node.whole(0..=255).and_then(|number| u8::try_from(number).ok());
    if !node.is_table() {
        return small(&node).map(|all| Priority { free: all, grant: all, paid: all });
    }
    let table = node.fields()?;
    let [free, grant, paid] =
        ["free", "grant", "paid"].map(|key| table.need(key).and_then(|node| small(&node)));
    table.finish();
    Some(Priority { free: free?, grant: grant?, paid: paid? })
}

/// What no single key is to blame for.
fn check(fields: &Fields<'_>, terms: &Terms) -> Option<()> {
    if terms.well_formed() {
        return Some(());
    }
    let what = match terms.regime {
        Regime::SixMonth => {
            "value that is exempt for six months has a face, ends on a fixed day or after at most 180 days, and is never renewed, not even by a refund (Payment Services Act art. 4 (2))"
        }
        Regime::Counter => "a counter has face = 0 and is not transferred",
        _ if terms.face == 0 => "only a counter has face = 0",
        _ => "it begins before it ends, and a cap on its supply is not zero",
    };
    fields.wrong(what)
}
