//! What is issued, in words.

use core::fmt::Write as _;

use musubi_ledger::{
    amount::Amount,
    calendar::Span,
    cutoff::{Cycle, MonthDay, SettlementCalendar},
    instrument::{
        LateRefund, Limit, LimitOf, OnAccept, Priority, Regime, Shortfall, Terms, TransferRule,
        Validity,
    },
    predicate::{Predicate, Test},
    time::Time,
};

use super::{cell, grouped, kind};
use crate::scheme::{Issued, Scheme};

/// An instrument a line.
pub(super) fn table(scheme: &Scheme) -> String {
    let mut text = String::from(
        "| instrument | regime | can be spent | who holds, who accepts | limits | a merchant | besides |\n|---|---|---|---|---|---|---|\n",
    );
    for issued in scheme.instruments.iter().filter(|issued| issued.stands) {
        let Issued { id, terms, settled, .. } = issued;
        let cells = [
            format!("`{id}`"),
            regime(terms.regime).to_owned(),
            spent(terms),
            who(terms),
            limits(terms),
            merchant(terms)
                + &settled.map_or_else(String::new, |at| calendar(&scheme.calendars[at].days)),
            besides(terms),
        ];
        let _ = writeln!(text, "| {} |", cells.map(|text| cell(&text)).join(" | "));
    }
    text.push('\n');
    text
}

fn regime(regime: Regime) -> &'static str {
    match regime {
        Regime::Public => "of a public body",
        Regime::SixMonth => "under six months",
        Regime::PrepaidThird => "third-party prepaid",
        Regime::PrepaidOwn => "own prepaid",
        Regime::Free => "given for nothing",
        Regime::FundsTransfer => "funds transfer",
        Regime::Counter => "a counter",
    }
}

/// The last day, or the instant, that an exclusive end means.
pub(super) fn end(end: Time) -> String {
    let day = end.day();
    match (day.begin() == end, Time(end.0 - 1).day()) {
        (true, last) => format!("to the end of {last}"),
        (false, _) => format!("until {end}"),
    }
}

fn span(span: Span) -> String {
    match span {
        Span::Days(1) => "1 day".to_owned(),
        Span::Days(days) => format!("{} days", grouped(days.into())),
        Span::Months(1) => "1 month".to_owned(),
        Span::Months(months) => format!("{months} months"),
    }
}

fn spent(terms: &Terms) -> String {
    let until = match terms.validity {
        Validity::None => "without end".to_owned(),
        Validity::At(at) => end(at),
        Validity::After(after) => format!("{} from issue", span(after)),
        Validity::Sliding(after) => format!("{} from its last use", span(after)),
    };
    let from = terms.begins.map(|begins| format!("from {}, ", begins.day())).unwrap_or_default();
    let moved = match terms.transfer {
        TransferRule::None => "",
        TransferRule::WithGroups => "; moves between persons and groups",
        TransferRule::PeerToPeer => "; moves between holders",
    };
    format!("{from}{until}{moved}")
}

fn who(terms: &Terms) -> String {
    let said =
        |predicate: &Option<Predicate>| predicate.as_ref().map_or("anybody".to_owned(), condition);
    format!("{}; {}", said(&terms.holders), said(&terms.acceptors))
}

/// `town=here and kind=bus, or …`.
pub(super) fn condition(predicate: &Predicate) -> String {
    let test = |test: &Test| {
        let not = if test.not { "not " } else { "" };
        format!("{not}{}={}", test.name, test.any_of.join("/"))
    };
    let all = |tests: &Vec<Test>| tests.iter().map(test).collect::<Vec<_>>().join(" and ");
    predicate.any.iter().map(all).collect::<Vec<_>>().join(", or ")
}

fn amount(amount: Amount) -> String {
    grouped(amount.0)
}

fn limits(terms: &Terms) -> String {
    let mut all: Vec<String> = terms.limits.iter().map(limit).collect();
    all.extend(terms.supply_max.map(|most| format!("{} issued in all", amount(most))));
    if all.is_empty() { "none".to_owned() } else { all.join("; ") }
}

fn limit(limit: &Limit) -> String {
    let of = match limit.of {
        LimitOf::Wallet => "in a wallet",
        LimitOf::Transfer => "a transfer",
        LimitOf::TransfersPerMonth => "of transfers a month",
        LimitOf::Purchase => "a purchase",
        LimitOf::PurchasesPerDay => "of purchases a day",
    };
    let kinds: Vec<&str> = limit.kinds.iter().map(|of| kind(*of)).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let of_whom = limit.who.as_ref().map(|who| format!(" where {}", condition(who)));
    format!("{} {of}{kinds}{}", amount(limit.most), of_whom.unwrap_or_default())
}

fn merchant(terms: &Terms) -> String {
    match terms.on_accept {
        OnAccept::Claim => format!("redeems it, {} days past its end", terms.redemption_days),
        OnAccept::Keep => "spends it again".to_owned(),
        OnAccept::Renew => "spends it again, renewed".to_owned(),
    }
}

/// When claims are cut off and paid.
fn calendar(days: &SettlementCalendar) -> String {
    let day = |of: MonthDay| match of {
        MonthDay::Number(number) => number.to_string(),
        MonthDay::End => "the end".to_owned(),
    };
    let cycle = |cycle: &Cycle| {
        let later = match cycle.months {
            0 => String::new(),
            1 => " a month later".to_owned(),
            more => format!(" {more} months later"),
        };
        format!("cut off on {} and paid on {}{later}", day(cycle.cut), day(cycle.pay))
    };
    let cycles: Vec<String> = days.cycles.iter().map(cycle).collect();
    format!("; {}", cycles.join(", "))
}

fn besides(terms: &Terms) -> String {
    let mut all = Vec::new();
    if terms.face != 1 && terms.regime != Regime::Counter {
        all.push(format!("one is {} yen", grouped(terms.face.into())));
    }
    if terms.decimals > 0 {
        all.push(format!("{} decimals", terms.decimals));
    }
    if terms.step != Amount(1) {
        all.push(format!("in steps of {}", amount(terms.step)));
    }
    if let LateRefund::Grace(days) = terms.late_refund {
        all.push(format!("{days} days more for what is given back late"));
    }
    match terms.shortfall {
        Shortfall::Receivable => {}
        Shortfall::Refuse => all.push("corrected only where it is there".to_owned()),
        Shortfall::IssuerBears => all.push("the issuer bears what a correction lacks".to_owned()),
    }
    let Priority { free, grant, paid } = terms.priority;
    if terms.priority != Priority::USUAL {
        all.push(format!("spent in the order of free {free}, grant {grant}, paid {paid}"));
    }
    let tiers = terms.tiers.iter().map(|tier| format!("{} from {}", tier.name, amount(tier.from)));
    all.extend(tiers);
    all.join("; ")
}
