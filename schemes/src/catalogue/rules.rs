//! What a scheme's rules do, in words.

use core::fmt::Write as _;

use musubi_ledger::{
    amount::Amount,
    id::PartyId,
    lot::OriginKind,
    rule::{
        Base, Giver, Post, Recipient, RuleTerms, Trigger,
        cap::{Cap, Over},
        formula::{Formula, Rounding},
        split::Split,
        when::When,
        words,
    },
};

use super::{grouped, terms::condition};
use crate::{cast::place_of, scheme::Scheme};

/// A line for each rule; nothing where there is none.
pub(super) fn list(scheme: &Scheme) -> String {
    let mut text = String::new();
    for rule in scheme.rules.iter().filter(|rule| rule.stands) {
        if text.is_empty() {
            text.push_str("Rules:\n\n");
        }
        let later = if rule.later { ", put by a step" } else { "" };
        let does = does(scheme, &rule.terms);
        let _ = writeln!(
            text,
            "- `{}` ({} no. {}{later}): {does}",
            rule.name, rule.id.instrument, rule.id.number
        );
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn does(scheme: &Scheme, terms: &RuleTerms) -> String {
    let on = match terms.on {
        Trigger::TopUp => "a top-up",
        Trigger::Purchase => "a purchase",
        Trigger::Transfer => "a payment to a person or group",
        Trigger::Redeem => "a payout",
        Trigger::Take => "an offer taken",
    };
    let mut text = format!(
        "on {on} {} {}",
        formula(&terms.formula, base(terms.base)),
        post(scheme, &terms.post)
    );
    for part in when(scheme, &terms.when) {
        let _ = write!(text, "; {part}");
    }
    for part in terms.caps.iter().map(cap) {
        let _ = write!(text, "; {part}");
    }
    if !terms.caps.is_empty() {
        text.push_str(match terms.over {
            Over::Truncate => "; at a cap what is left of it",
            Over::Skip => "; at a cap nothing, unless all of it fits",
            Over::Refuse => "; at a cap the payment is refused",
        });
    }
    text
}

fn amount(amount: Amount) -> String {
    grouped(amount.0)
}

fn base(base: Base) -> &'static str {
    match base {
        Base::Gross => "what is paid before discounts",
        Base::AfterDiscount => "what is paid",
        Base::PaidLots => "its paid value",
        Base::Tender => "its value",
        Base::RunTotal => "the whole claim",
    }
}

pub(super) fn formula(formula: &Formula, base: &str) -> String {
    match formula {
        Formula::Rate(rate) => {
            let rounding = match (rate.carry, rate.rounding) {
                (true, _) => "rounded down, the rest kept for the next time",
                (_, Rounding::Floor) => "rounded down",
                (_, Rounding::Ceil) => "rounded up",
                (_, Rounding::HalfUp) => "rounded to the nearest",
            };
            let rate = match 100_u32.checked_rem(rate.den) {
                Some(0) => format!("{} %", u64::from(rate.num) * u64::from(100 / rate.den)),
                _ => format!("{}/{}", rate.num, rate.den),
            };
            format!("{rate} of {base} ({rounding})")
        }
        Formula::Fixed(fixed) => amount(*fixed),
        Formula::Steps(steps) => {
            format!("{} for each whole {} of {base}", amount(steps.give), amount(steps.every))
        }
        Formula::Table(lines) => {
            let lines = lines
                .iter()
                .map(|line| format!("{} from {}", amount(line.give), amount(line.from)));
            format!("{} of {base}", lines.collect::<Vec<_>>().join(", "))
        }
    }
}

fn name(scheme: &Scheme, id: PartyId) -> String {
    let member = scheme.cast.members.get(place_of(id));
    member.map_or_else(|| "somebody".to_owned(), |member| format!("`{}`", member.name))
}

fn origin(origin: OriginKind) -> &'static str {
    match origin {
        OriginKind::Free => "free",
        OriginKind::Grant => "granted",
        OriginKind::Paid => "paid",
    }
}

fn post(scheme: &Scheme, post: &Post) -> String {
    let legs = |split: &Split| words::legs(split, |party| name(scheme, party));
    match post {
        Post::Give(give) => {
            let to = match give.to {
                Recipient::Payer => "who pays".to_owned(),
                Recipient::Payee => "who is paid".to_owned(),
                Recipient::Party(party) => name(scheme, party),
            };
            let (kind, funder) = (origin(give.origin), name(scheme, give.funder));
            format!("as {kind} `{}` to {to}, at the expense of {funder}", give.instrument)
        }
        Post::Share(share) => {
            let from = match share.from {
                Giver::Payer => "on top from who pays",
                Giver::Payee => "out of what the payee gets",
            };
            format!("{from}: {}", legs(&share.split))
        }
        Post::Fee(split) => format!("as a fee: {}", legs(split)),
    }
}

fn when(scheme: &Scheme, when: &When) -> Vec<String> {
    let mut all = Vec::new();
    if when.from.0 > 0 {
        all.push(format!("from {}", when.from.day()));
    }
    all.extend(when.until.map(super::terms::end));
    all.extend(when.purpose.map(|purpose| format!("for purpose {} alone", purpose.0)));
    if !when.origins.is_empty() {
        let origins: Vec<&str> = when.origins.iter().map(|of| origin(*of)).collect();
        all.push(format!("{} value alone", origins.join(" and ")));
    }
    all.extend(when.campaign.map(|campaign| format!("value of campaign {campaign} alone")));
    all.extend(when.payer.as_ref().map(|test| format!("if who pays has {}", condition(test))));
    all.extend(when.payee.as_ref().map(|test| format!("if who is paid has {}", condition(test))));
    all.extend(when.payee_is.map(|party| format!("at {} alone", name(scheme, party))));
    if when.least != Amount::ZERO {
        all.push(format!("from {} on", amount(when.least)));
    }
    all.extend(when.multiple.map(|whole| format!("for whole {}", amount(whole))));
    all.extend(
        when.tier
            .map(|tier| format!("if who pays has {} `{}`", amount(tier.from), tier.instrument)),
    );
    all
}

pub(super) fn cap(cap: &Cap) -> String {
    words::cap(cap, &amount(cap.most))
}
